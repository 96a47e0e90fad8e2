//! The boards of the demo schools, as they would stand after some years: terms past and running, seats that nobody holds,
//! declarations new and old. Days are counted back from the day of loading.

use std::collections::HashMap;

use sqlx::{Connection, PgConnection};
use time::{Date, Duration};
use uuid::Uuid;

use crate::{
    Refusal, TenantId,
    board::{
        Category::{self, Associate, CoOpted, ExOfficio, LocalAuthority, Parent, Staff},
        Rule, Why,
        interest::Kind,
        term,
    },
    db::refused,
    event::{Act, Whom},
};

/// What a school's board is made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    rule: Rule,
    seats: &'static [Seat],
    committees: &'static [Committee],
    declared: &'static [Declared],
    /// Who, and how many days ago a certificate was seen.
    dbs: &'static [(&'static str, i64)],
    training: &'static [Training],
    phones: &'static [(&'static str, &'static str)],
}

/// A category, who appoints, and the terms.
type Seat = (Category, &'static str, &'static [Term]);
/// Who, days since it began, and, if it ended before its time or long ago, days since its last one and why.
type Term = (&'static str, i64, Option<(i64, Why)>);
/// Name, remit, and who sits there: the first leads it. The days since a place began and since its last one.
type Committee = (
    &'static str,
    &'static str,
    &'static [(&'static str, i64, Option<i64>)],
);
/// Who, how many days ago, and what: nothing, or some interests.
type Declared = (&'static str, i64, &'static [Interest]);
/// Kind, who, nature, and how many days ago it began.
type Interest = (Kind, &'static str, &'static str, Option<i64>);
/// Who, title, how many days ago it was completed, and after how many days it is due again.
type Training = (&'static str, &'static str, i64, Option<i64>);

const PARENTS: &str = "Parents of the school";
const STAFF: &str = "Staff of the school";
const BOARD: &str = "The governing board";
const SAFEGUARDING: &str = "Safeguarding for governors";
const SAFER_RECRUITMENT: &str = "Safer recruitment";
const INDUCTION: &str = "Induction for new governors";

/// Fourteen governors' seats, three of them vacant, and an associate member.
pub(super) const OAKFIELD: Plan = Plan {
    rule: Rule::Maintained,
    seats: &[
        (Parent, PARENTS, &[("governor1", 1401, None)]),
        (
            Parent,
            PARENTS,
            &[
                ("governor2", 700, None),
                ("governor9", 2300, Some((1000, Why::Resigned))),
            ],
        ),
        (
            Parent,
            PARENTS,
            &[
                ("governor3", 300, None),
                ("parent1", 1800, Some((341, Why::TermEnded))),
            ],
        ),
        (
            Parent,
            PARENTS,
            &[("parent2", 1500, Some((120, Why::Resigned)))],
        ),
        (
            Staff,
            STAFF,
            &[
                ("governor6", 500, None),
                ("teacher3", 1990, Some((531, Why::TermEnded))),
            ],
        ),
        (
            LocalAuthority,
            "Oakfield Borough Council",
            &[("governor8", 1900, Some((441, Why::TermEnded)))],
        ),
        (
            CoOpted,
            BOARD,
            &[
                ("chair", 1000, None),
                ("chair", 2460, Some((1001, Why::TermEnded))),
            ],
        ),
        (CoOpted, BOARD, &[("governor4", 1395, None)]),
        (CoOpted, BOARD, &[("governor5", 820, None)]),
        (CoOpted, BOARD, &[("governor7", 210, None)]),
        (CoOpted, BOARD, &[("governor8", 430, None)]),
        (CoOpted, BOARD, &[("governor9", 900, None)]),
        (CoOpted, BOARD, &[]),
        (
            ExOfficio,
            "Head teacher of the school",
            &[("head", 1200, None)],
        ),
        (Associate, BOARD, &[("teacher2", 250, None)]),
    ],
    committees: &[
        (
            "Finance and Premises",
            "Recommends the budget, watches spending against it, and looks after buildings and grounds.",
            &[
                ("governor4", 1300, None),
                ("governor3", 280, None),
                ("governor5", 800, None),
                ("governor7", 200, None),
                ("head", 1200, None),
                ("governor1", 1300, Some(600)),
            ],
        ),
        (
            "Teaching and Learning",
            "Follows how pupils learn and get on, the curriculum, and support for those who need it.",
            &[
                ("governor2", 690, None),
                ("governor1", 600, None),
                ("governor6", 480, None),
                ("head", 1200, None),
                ("teacher2", 250, None),
            ],
        ),
        (
            "Pay",
            "Decides on pay recommendations within the school’s pay policy.",
            &[
                ("governor5", 800, None),
                ("governor8", 420, None),
                ("governor9", 880, None),
            ],
        ),
    ],
    declared: &[
        (
            "chair",
            40,
            &[
                (
                    Kind::Business,
                    "Oyelaran Accountancy Ltd",
                    "Director and shareholder. The firm does not work for schools.",
                    Some(4000),
                ),
                (
                    Kind::GovernanceElsewhere,
                    "Northgate Academy",
                    "Member of the finance committee, co-opted.",
                    Some(600),
                ),
            ],
        ),
        ("chair", 420, &[]),
        ("governor1", 40, &[]),
        (
            "governor2",
            35,
            &[(
                Kind::Relationship,
                "Jasmine Baptiste",
                "Sister-in-law, who is a teaching assistant at the school.",
                None,
            )],
        ),
        ("governor4", 400, &[]),
        (
            "governor5",
            30,
            &[(
                Kind::Business,
                "Fraser Roofing Ltd",
                "Managing director.\nThe company tendered for the hall roof and was not chosen.",
                Some(3000),
            )],
        ),
        ("governor6", 38, &[]),
        ("governor8", 500, &[]),
        ("governor9", 36, &[]),
        ("head", 20, &[]),
        ("clerk", 40, &[]),
        ("teacher2", 30, &[]),
    ],
    dbs: &[
        ("chair", 2450),
        ("chair", 990),
        ("governor1", 1390),
        ("governor2", 690),
        ("governor3", 280),
        ("governor4", 1380),
        ("governor5", 810),
        ("governor6", 2900),
        ("governor8", 1890),
        ("governor9", 2290),
        ("head", 1250),
    ],
    training: &[
        ("chair", SAFEGUARDING, 200, Some(365)),
        ("chair", SAFER_RECRUITMENT, 900, Some(1826)),
        ("governor1", SAFEGUARDING, 500, Some(365)),
        ("governor2", SAFEGUARDING, 200, Some(365)),
        ("governor3", INDUCTION, 240, None),
        ("governor4", SAFEGUARDING, 340, Some(365)),
        ("governor5", SAFER_RECRUITMENT, 300, Some(1826)),
        ("governor7", INDUCTION, 150, None),
        ("head", SAFEGUARDING, 90, Some(365)),
        ("head", SAFER_RECRUITMENT, 1000, Some(1826)),
    ],
    phones: &[
        ("clerk", "01632 960014"),
        ("chair", "01632 960118"),
        ("head", "01632 960010 ext 2"),
        ("governor1", "+44 7700 900123"),
    ],
};

/// Twelve seats of an academy, one of them vacant.
pub(super) const NORTHGATE: Plan = Plan {
    rule: Rule::Academy,
    seats: &[
        (Parent, PARENTS, &[("governor1", 600, None)]),
        (Parent, PARENTS, &[("governor2", 1000, None)]),
        (Staff, STAFF, &[("governor3", 400, None)]),
        (CoOpted, TRUST, &[("chair", 800, None)]),
        (CoOpted, TRUST, &[("governor4", 1100, None)]),
        (CoOpted, TRUST, &[("governor5", 1390, None)]),
        (CoOpted, TRUST, &[("governor6", 90, None)]),
        (CoOpted, TRUST, &[("governor7", 700, None)]),
        (CoOpted, TRUST, &[("governor8", 1200, None)]),
        (CoOpted, TRUST, &[("governor9", 350, None)]),
        (CoOpted, TRUST, &[]),
        (
            ExOfficio,
            "Principal of the academy",
            &[("head", 1500, None)],
        ),
    ],
    committees: &[(
        "Audit and Risk",
        "Watches over controls and risks, and meets the auditors.",
        &[
            ("governor4", 1000, None),
            ("governor5", 1000, None),
            ("governor8", 900, None),
        ],
    )],
    declared: &[
        ("chair", 60, &[]),
        (
            "governor4",
            50,
            &[(
                Kind::Gift,
                "Ashdown Coaches",
                "Tickets to a theatre, worth 60 pounds.",
                Some(80),
            )],
        ),
        ("governor5", 380, &[]),
    ],
    dbs: &[("chair", 790), ("head", 1490)],
    training: &[("chair", SAFEGUARDING, 100, Some(365))],
    phones: &[("chair", "01632 960230")],
};

const TRUST: &str = "Beacon Learning Trust";

/// How long ago every seat was opened.
const OPENED: i64 = 3287;

/// Makes a school's board in one transaction, each thing with its event, as the owner of the functions that the demo calls.
/// Where there are seats already, nothing.
pub(super) async fn load(
    connection: &mut PgConnection,
    tenant: TenantId,
    plan: &Plan,
) -> Result<(), Refusal> {
    let mut whole = connection.begin().await.map_err(refused)?;
    sqlx::raw_sql("set local role quorate_sec")
        .execute(&mut *whole)
        .await
        .map_err(refused)?;
    // As every writer of this tenant does; two demos at once take turns.
    sqlx::query!(
        "select seq from sec.event_head where tenant_id = $1 for update",
        tenant
    )
    .fetch_one(&mut *whole)
    .await
    .map_err(refused)?;
    let there = sqlx::query_scalar!(
        r#"select exists (select from seat where tenant_id = $1) as "there!""#,
        tenant
    )
    .fetch_one(&mut *whole)
    .await
    .map_err(refused)?;
    if there {
        return Ok(());
    }
    let mut making = Making::new(&mut whole, tenant).await?;
    making.rule(plan.rule).await?;
    making.seats(plan.seats).await?;
    making.committees(plan.committees).await?;
    making.declared(plan.declared).await?;
    making.kept(plan).await?;
    whole.commit().await.map_err(refused)
}

struct Making<'a> {
    connection: &'a mut PgConnection,
    tenant: TenantId,
    today: Date,
    /// By the part of their address before the `@`. Who was removed since the people were loaded holds nothing.
    people: HashMap<String, Whom>,
}

impl<'a> Making<'a> {
    async fn new(connection: &'a mut PgConnection, tenant: TenantId) -> Result<Self, Refusal> {
        let today = sqlx::query_scalar!(r#"select sec.today() as "today!""#)
            .fetch_one(&mut *connection)
            .await
            .map_err(refused)?;
        let people = sqlx::query!(
            r#"select m.id, m.account_id, split_part(a.email, '@', 1) as "address!" from membership m
               join tenant t on t.id = m.tenant_id
               join account a on a.id = m.account_id and a.email like '%@' || t.label || '.example'
               where m.tenant_id = $1 and m.state <> 'ended'"#,
            tenant
        )
        .fetch_all(&mut *connection)
        .await
        .map_err(refused)?
        .into_iter()
        .map(|row| {
            let whom = Whom {
                membership: row.id,
                account: row.account_id,
            };
            (row.address, whom)
        })
        .collect();
        Ok(Self {
            connection,
            tenant,
            today,
            people,
        })
    }

    fn ago(&self, days: i64) -> Date {
        self.today
            .checked_sub(Duration::days(days))
            .unwrap_or(Date::MIN)
    }

    async fn append(&mut self, act: Act) -> Result<(), Refusal> {
        sqlx::query!(
            "select sec.append_for($1, null, $2, $3, $4, $5, null)",
            self.tenant,
            act.name,
            act.about,
            act.detail,
            &act.topics
        )
        .fetch_one(&mut *self.connection)
        .await
        .map_err(refused)?;
        Ok(())
    }

    async fn rule(&mut self, rule: Rule) -> Result<(), Refusal> {
        let done = sqlx::query!(
            "update tenant set board_rule = $2 where id = $1 and board_rule <> $2",
            self.tenant,
            rule.code()
        )
        .execute(&mut *self.connection)
        .await
        .map_err(refused)?;
        if done.rows_affected() > 0 {
            self.append(Act::board_rule_set(rule)).await?;
        }
        Ok(())
    }

    async fn seats(&mut self, seats: &[Seat]) -> Result<(), Refusal> {
        let opened = self.ago(OPENED);
        let mut numbers: HashMap<Category, i32> = HashMap::new();
        for (category, appointed_by, terms) in seats {
            let number = numbers.entry(*category).or_default();
            *number += 1;
            let number = *number;
            let seat = sqlx::query_scalar!(
                "insert into seat (tenant_id, category, number, appointed_by, opened_on) values ($1, $2, $3, $4, $5)
                 returning id",
                self.tenant,
                category.code(),
                number,
                *appointed_by,
                opened
            )
            .fetch_one(&mut *self.connection)
            .await
            .map_err(refused)?;
            self.append(Act::seat_opened(seat, *category, number, opened))
                .await?;
            for term in *terms {
                self.term(seat, *category, term).await?;
            }
        }
        Ok(())
    }

    async fn term(
        &mut self,
        seat: Uuid,
        category: Category,
        (who, began, ended): &Term,
    ) -> Result<(), Refusal> {
        let Some(whom) = self.people.get(*who).copied() else {
            return Ok(());
        };
        let from = self.ago(*began);
        let usual = term::last_day(category, from);
        let ended = ended.map(|(days, why)| (self.ago(days), why));
        let to = ended.map_or(usual, |(last, _)| Some(last));
        let id = sqlx::query_scalar!(
            "insert into term (tenant_id, seat_id, membership_id, during, ended_why)
             values ($1, $2, $3, daterange($4, $5, '[]'), $6) returning id",
            self.tenant,
            seat,
            whom.membership,
            from,
            to,
            ended.map(|(_, why)| why.code())
        )
        .fetch_one(&mut *self.connection)
        .await
        .map_err(refused)?;
        self.append(Act::term_started(whom, id, seat, from, usual))
            .await?;
        if let Some((last, why)) = ended {
            self.append(Act::term_ended(whom, id, last, why)).await?;
        }
        Ok(())
    }

    async fn committees(&mut self, committees: &[Committee]) -> Result<(), Refusal> {
        for (name, remit, places) in committees {
            let chair = places
                .first()
                .and_then(|(who, ..)| self.people.get(*who))
                .map(|whom| whom.membership);
            let committee = sqlx::query_scalar!(
                "insert into committee (tenant_id, name, remit, quorum, chair) values ($1, $2, $3, 3, $4) returning id",
                self.tenant,
                *name,
                *remit,
                chair
            )
            .fetch_one(&mut *self.connection)
            .await
            .map_err(refused)?;
            self.append(Act::committee_opened(committee, 3)).await?;
            for (who, began, ended) in *places {
                let Some(whom) = self.people.get(*who).copied() else {
                    continue;
                };
                let (from, to) = (self.ago(*began), ended.map(|days| self.ago(days)));
                let place = sqlx::query_scalar!(
                    "insert into committee_place (tenant_id, committee_id, membership_id, during)
                     values ($1, $2, $3, daterange($4, $5, '[]')) returning id",
                    self.tenant,
                    committee,
                    whom.membership,
                    from,
                    to
                )
                .fetch_one(&mut *self.connection)
                .await
                .map_err(refused)?;
                self.append(Act::committee_joined(whom, committee, place, from, None))
                    .await?;
                if let Some(last) = to {
                    self.append(Act::committee_left(whom, committee, place, last))
                        .await?;
                }
            }
            self.append(Act::committee_chair_chosen(committee, chair))
                .await?;
        }
        Ok(())
    }

    async fn declared(&mut self, declared: &[Declared]) -> Result<(), Refusal> {
        for (who, days, interests) in declared {
            let Some(whom) = self.people.get(*who).copied() else {
                continue;
            };
            let declaration = sqlx::query_scalar!(
                "insert into declaration (tenant_id, membership_id, nothing, declared_on) values ($1, $2, $3, $4) returning id",
                self.tenant,
                whom.membership,
                interests.is_empty(),
                self.ago(*days)
            )
            .fetch_one(&mut *self.connection)
            .await
            .map_err(refused)?;
            for (kind, whose, nature, since) in *interests {
                sqlx::query!(
                    "insert into interest (tenant_id, declaration_id, kind, who, nature, since) values ($1, $2, $3, $4, $5, $6)",
                    self.tenant,
                    declaration,
                    kind.code(),
                    *whose,
                    *nature,
                    since.map(|days| self.ago(days))
                )
                .execute(&mut *self.connection)
                .await
                .map_err(refused)?;
            }
            self.append(Act::declaration_made(whom, declaration, interests.len()))
                .await?;
        }
        Ok(())
    }

    /// DBS checks, training, telephone numbers.
    async fn kept(&mut self, plan: &Plan) -> Result<(), Refusal> {
        for (who, days) in plan.dbs {
            let Some(whom) = self.people.get(*who).copied() else {
                continue;
            };
            let on = self.ago(*days);
            let check = sqlx::query_scalar!(
                "insert into dbs_check (tenant_id, membership_id, checked_on) values ($1, $2, $3) returning id",
                self.tenant,
                whom.membership,
                on
            )
            .fetch_one(&mut *self.connection)
            .await
            .map_err(refused)?;
            self.append(Act::dbs_check_recorded(whom, check, on))
                .await?;
        }
        for (who, title, days, again) in plan.training {
            let Some(whom) = self.people.get(*who).copied() else {
                continue;
            };
            let on = self.ago(*days);
            let renew_by = again.map(|after| self.ago(days - after));
            let training = sqlx::query_scalar!(
                "insert into training (tenant_id, membership_id, title, completed_on, renew_by) values ($1, $2, $3, $4, $5)
                 returning id",
                self.tenant,
                whom.membership,
                *title,
                on,
                renew_by
            )
            .fetch_one(&mut *self.connection)
            .await
            .map_err(refused)?;
            self.append(Act::training_recorded(whom, training, on, renew_by))
                .await?;
        }
        for (who, phone) in plan.phones {
            let Some(whom) = self.people.get(*who).copied() else {
                continue;
            };
            sqlx::query!(
                "insert into contact (tenant_id, membership_id, phone) values ($1, $2, $3)",
                self.tenant,
                whom.membership,
                *phone
            )
            .execute(&mut *self.connection)
            .await
            .map_err(refused)?;
            self.append(Act::phone_set(whom, true)).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::day;
    use time::macros::date;

    /// Seats, held ones and terms of one plan on a day.
    fn terms(plan: &Plan, today: Date) -> Vec<(usize, &'static str, Date, Option<Date>)> {
        let ago = |days| today - Duration::days(days);
        plan.seats
            .iter()
            .enumerate()
            .flat_map(|(seat, (category, _, terms))| {
                terms.iter().map(move |(who, began, ended)| {
                    let from = ago(*began);
                    let to =
                        ended.map_or(term::last_day(*category, from), |(days, _)| Some(ago(days)));
                    (seat, *who, from, to)
                })
            })
            .collect()
    }

    #[test]
    fn the_terms_of_the_demo_never_overlap_and_last_four_years_at_most_whatever_the_day() {
        // Any day of eight years, leap days among them.
        let mut today = date!(2026 - 01 - 01);
        while today < date!(2034 - 01 - 01) {
            for plan in [&OAKFIELD, &NORTHGATE] {
                let all = terms(plan, today);
                for (n, (seat, who, from, to)) in all.iter().enumerate() {
                    let category = plan.seats[*seat].0;
                    assert!(
                        term::check_days(Rule::Maintained, category, *from, *to).is_ok(),
                        "{who} {from} {to:?} on {today}"
                    );
                    for (other_seat, other, begins, _) in &all[n + 1..] {
                        let (first, last) = if begins < from {
                            let other = all
                                .iter()
                                .find(|(s, w, f, _)| (s, w, f) == (other_seat, other, begins));
                            (from, other.unwrap().3)
                        } else {
                            (begins, *to)
                        };
                        let apart = last.is_some_and(|last| last < *first);
                        assert!(
                            apart || (seat != other_seat && who != other),
                            "{who} and {other} on {today}"
                        );
                    }
                }
            }
            today = day::after(today);
        }
    }

    #[test]
    fn oakfield_has_eleven_of_fourteen_in_post_and_one_staff_governor_and_northgate_twelve_seats() {
        for (plan, seats, held, soon) in [(&OAKFIELD, 14, 11, 2), (&NORTHGATE, 12, 11, 1)] {
            let today = date!(2026 - 06 - 18);
            let is_governor = |seat: usize| plan.seats[seat].0.is_governor();
            let running: Vec<_> = terms(plan, today)
                .into_iter()
                .filter(|(seat, _, from, to)| is_governor(*seat) && term::covers(*from, *to, today))
                .collect();
            let governors = plan
                .seats
                .iter()
                .filter(|(category, ..)| category.is_governor());
            assert_eq!((governors.count(), running.len()), (seats, held));
            let ending = running.iter().filter(|(.., to)| {
                to.is_some_and(|to| to <= today + Duration::days(crate::board::SOON))
            });
            assert_eq!(ending.count(), soon);
            let staff = plan
                .seats
                .iter()
                .filter(|(category, ..)| *category == Staff);
            assert_eq!(staff.count(), 1, "exactly one, by law");
        }
    }
}
