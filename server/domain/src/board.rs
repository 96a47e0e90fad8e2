//! The board of a school: its seats and who holds them, its committees, how many make a quorum, and what its people declare.

pub mod check;
pub mod committee;
pub mod facts;
pub mod interest;
#[cfg(feature = "db")]
pub(crate) mod keeping;
#[cfg(feature = "db")]
mod leaving;
pub mod quorum;
pub mod seat;
pub mod suspension;
pub mod term;

use serde::{Deserialize, Serialize};
use time::Date;

use crate::{MembershipId, role::Role};
pub use check::{Checks, Training};
pub use committee::{Committee, Place};
pub use facts::{Facts, Post, Sat};
pub use interest::{Declaration, Interest, Register};
pub use quorum::{Rule, quorum};
pub use seat::{Category, Seat};
pub use term::{Term, Why};

#[cfg(feature = "db")]
pub use check::{record_dbs, record_training, set_phone};
#[cfg(feature = "db")]
pub use committee::{
    choose_chair, close_committee, join_committee, leave_committee, open_committee,
    rename_committee, set_remit,
};
#[cfg(feature = "db")]
pub use facts::facts_of;
#[cfg(feature = "db")]
pub use interest::{declare_interests, register};
#[cfg(feature = "db")]
pub(crate) use keeping::refusal_of;
#[cfg(feature = "db")]
pub(crate) use leaving::end_all;
#[cfg(feature = "db")]
pub use quorum::set_board_rule;
#[cfg(feature = "db")]
pub use seat::{close_seat, open_seat};
#[cfg(feature = "db")]
pub use suspension::{reinstate, suspend_from_meetings};
#[cfg(feature = "db")]
pub use term::{drop_term, end_term, start_term};

/// Within so many days a term counts as ending soon: an election or appointment takes about a school term.
pub const SOON: i64 = 90;

/// Somebody, as far as the reader may see them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Their place in the tenant.
    pub id: MembershipId,
    /// None where the reader may not see who it is: somebody who has no role but a parent's.
    pub name: Option<String>,
}

impl Named {
    /// What they are called on a page or on paper; "Somebody" where the reader may not see who it is.
    pub fn called(&self) -> String {
        self.name.clone().unwrap_or_else(|| "Somebody".to_owned())
    }
}

/// The board as it stands on a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Board {
    /// How its quorum is counted.
    pub rule: Rule,
    /// The day.
    pub on: Date,
    /// By category and number, those of associate members last.
    pub seats: Vec<Seat>,
    /// Open ones, by name.
    pub committees: Vec<Committee>,
    /// Who is a governor or chair by role, and holds no governor's seat.
    pub without_term: Vec<Named>,
    /// Who holds a seat, and has not the role for it.
    pub without_role: Vec<Named>,
}

impl Board {
    /// Seats of governors: without those of associate members.
    pub fn governors(&self) -> impl Iterator<Item = &Seat> {
        self.seats.iter().filter(|seat| seat.category.is_governor())
    }

    /// Seats of one category.
    pub fn of(&self, category: Category) -> impl Iterator<Item = &Seat> {
        self.seats
            .iter()
            .filter(move |seat| seat.category == category)
    }

    /// Governors in post.
    pub fn in_post(&self) -> u32 {
        count(self.governors().filter(|seat| seat.holder.is_some()))
    }

    /// Governors in post who are suspended from meetings.
    pub fn suspended(&self) -> u32 {
        count(self.governors().filter(|seat| {
            seat.holder
                .as_ref()
                .is_some_and(|term| term.is_suspended(self.on))
        }))
    }

    /// Governors' seats that nobody holds.
    pub fn vacancies(&self) -> u32 {
        vacancies(&self.seats)
    }

    /// Seats of one category that nobody holds.
    pub fn vacancies_of(&self, category: Category) -> u32 {
        count(self.of(category).filter(|seat| seat.holder.is_none()))
    }

    /// Seats whose term ends soon and for which nobody is found yet, the next to end first.
    pub fn ending(&self) -> Vec<&Seat> {
        ending(&self.seats, self.on)
    }

    /// How many must be present on that day.
    pub fn quorum(&self) -> u32 {
        quorum(self.rule, self.in_post(), self.suspended())
    }
}

/// Governors' seats of these that nobody holds.
pub fn vacancies(seats: &[Seat]) -> u32 {
    let governors = seats.iter().filter(|seat| seat.category.is_governor());
    count(governors.filter(|seat| seat.holder.is_none()))
}

/// Those of these seats whose term ends soon after a day and for which nobody is found yet, the next to end first.
pub fn ending(seats: &[Seat], on: Date) -> Vec<&Seat> {
    let ends_soon = |seat: &&Seat| {
        let holder = seat.holder.as_ref();
        seat.next.is_none() && holder.is_some_and(|term| term.ends_soon(on))
    };
    let mut ending: Vec<_> = seats.iter().filter(ends_soon).collect();
    ending.sort_by_key(|seat| seat.holder.as_ref().and_then(|term| term.to));
    ending
}

/// Whether somebody with these roles may see the board: all but parents and young people.
pub fn is_for(roles: &[Role]) -> bool {
    roles
        .iter()
        .any(|role| !matches!(role, Role::Parent | Role::Member))
}

fn count<T>(all: impl Iterator<Item = T>) -> u32 {
    u32::try_from(all.count()).unwrap_or(u32::MAX)
}

#[cfg(feature = "db")]
pub use queries::{board, seats, sitting};

#[cfg(feature = "db")]
mod queries {
    use std::collections::{HashMap, HashSet};

    use time::Date;

    use super::{Board, Category, Committee, Named, Place, Rule, Seat, Term, keeping};
    use crate::{
        MembershipId, Refusal,
        db::{Read, refused},
        role::Role,
    };

    /// The board on a day. Refuses [`Refusal::NotFound`] to parents and young people.
    pub async fn board(read: &mut Read, today: Date) -> Result<Board, Refusal> {
        keeping::see(read)?;
        let tenant = read.standing.tenant;
        let rule = sqlx::query_scalar!("select board_rule from tenant where id = $1", tenant)
            .fetch_one(read.connection())
            .await
            .map_err(refused)?;
        let (seats, roles) = open_seats(read, today).await?;
        let governors = governors(&seats);
        let without_role = seats
            .iter()
            .filter_map(|seat| Some((seat.category, seat.holder.as_ref()?)))
            .filter(|(category, term)| {
                let fits = |code: &String| match category {
                    Category::Associate => code == Role::Associate.code(),
                    _ => [Role::Governor.code(), Role::Chair.code()].contains(&code.as_str()),
                };
                // Of whom the reader may not see, they cannot say what they lack.
                roles
                    .get(&term.person.id)
                    .is_some_and(|roles| !roles.iter().any(fits))
            })
            .map(|(_, term)| term.person.clone())
            .collect();
        Ok(Board {
            rule: Rule::from_code(&rule).ok_or(Refusal::Broken)?,
            on: today,
            committees: committees(read, today, &governors).await?,
            without_term: governors_by_role(read)
                .await?
                .into_iter()
                .filter(|person| !governors.contains(&person.id))
                .collect(),
            without_role,
            seats,
        })
    }

    /// The open seats on a day with their holders, as [`board`] has them. Refuses as that does.
    pub async fn seats(read: &mut Read, today: Date) -> Result<Vec<Seat>, Refusal> {
        keeping::see(read)?;
        Ok(open_seats(read, today).await?.0)
    }

    /// The same and the open committees.
    pub async fn sitting(
        read: &mut Read,
        today: Date,
    ) -> Result<(Vec<Seat>, Vec<Committee>), Refusal> {
        let seats = seats(read, today).await?;
        let committees = committees(read, today, &governors(&seats)).await?;
        Ok((seats, committees))
    }

    fn governors(seats: &[Seat]) -> HashSet<MembershipId> {
        seats
            .iter()
            .filter(|seat| seat.category.is_governor())
            .filter_map(|seat| seat.holder.as_ref().map(|term| term.person.id))
            .collect()
    }

    /// Open seats with the terms that run or are to come, and the roles of those who hold them.
    async fn open_seats(
        read: &mut Read,
        today: Date,
    ) -> Result<(Vec<Seat>, HashMap<MembershipId, Vec<String>>), Refusal> {
        let tenant = read.standing.tenant;
        let rows = sqlx::query!(
            r#"select s.id, s.category, s.number, s.appointed_by, s.opened_on, t.id as "term?", t.membership_id as "holder?",
                 m.name as "name?", m.roles as "roles?", lower(t.during) as "from?", upper(t.during) - 1 as "to?",
                 t.suspended_on as "suspended_on?", t.suspended_until as "suspended_until?"
               from seat s
               left join term t on t.tenant_id = s.tenant_id and t.seat_id = s.id and coalesce(upper(t.during) > $2, true)
               left join membership m on m.tenant_id = t.tenant_id and m.id = t.membership_id
               where s.tenant_id = $1 and s.opened_on <= $2 and coalesce(s.closed_on > $2, true)
               order by s.id, lower(t.during)"#,
            tenant,
            today
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        let mut seats: Vec<Seat> = Vec::new();
        let mut roles = HashMap::new();
        for row in rows {
            let term = row
                .term
                .zip(row.holder)
                .zip(row.from)
                .map(|((id, holder), from)| Term {
                    id,
                    person: Named {
                        id: holder,
                        name: row.name,
                    },
                    from,
                    to: row.to,
                    suspended: row.suspended_on.zip(row.suspended_until),
                });
            if seats.last().is_none_or(|seat| seat.id != row.id) {
                seats.push(Seat {
                    id: row.id,
                    category: Category::from_code(&row.category).ok_or(Refusal::Broken)?,
                    number: u32::try_from(row.number).map_err(|_| Refusal::Broken)?,
                    appointed_by: row.appointed_by,
                    opened_on: row.opened_on,
                    holder: None,
                    next: None,
                });
            }
            let (Some(term), Some(seat)) = (term, seats.last_mut()) else {
                continue;
            };
            if term.covers(today) {
                roles.extend(row.roles.map(|codes| (term.person.id, codes)));
                seat.holder = Some(term);
            } else if seat.next.is_none() {
                seat.next = Some(term);
            }
        }
        seats.sort_by_key(|seat| (seat.category, seat.number));
        Ok((seats, roles))
    }

    async fn committees(
        read: &mut Read,
        today: Date,
        governors: &HashSet<MembershipId>,
    ) -> Result<Vec<Committee>, Refusal> {
        let tenant = read.standing.tenant;
        let rows = sqlx::query!(
            r#"select c.id, c.name, c.remit, c.quorum, c.chair, p.id as "place?", p.membership_id as "sits?", m.name as "member?",
                 lower(p.during) as "from?", upper(p.during) - 1 as "to?"
               from committee c
               left join committee_place p on p.tenant_id = c.tenant_id and p.committee_id = c.id and p.during @> $2::date
               left join membership m on m.tenant_id = p.tenant_id and m.id = p.membership_id
               where c.tenant_id = $1 and c.closed_on is null
               order by lower(c.name), c.id, lower(m.name), p.id"#,
            tenant,
            today
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        let mut committees: Vec<Committee> = Vec::new();
        for row in rows {
            if committees.last().is_none_or(|last| last.id != row.id) {
                committees.push(Committee {
                    id: row.id,
                    name: row.name,
                    remit: row.remit,
                    quorum: u32::try_from(row.quorum).map_err(|_| Refusal::Broken)?,
                    chair: None,
                    members: Vec::new(),
                });
            }
            let place = row.place.zip(row.sits).zip(row.from);
            let (Some(((id, sits), from)), Some(committee)) = (place, committees.last_mut()) else {
                continue;
            };
            let person = Named {
                id: sits,
                name: row.member,
            };
            // Whose place has run out leads it no longer.
            if row.chair == Some(sits) {
                committee.chair = Some(person.clone());
            }
            committee.members.push(Place {
                id,
                governor: governors.contains(&sits),
                person,
                from,
                to: row.to,
            });
        }
        Ok(committees)
    }

    async fn governors_by_role(read: &mut Read) -> Result<Vec<Named>, Refusal> {
        let tenant = read.standing.tenant;
        let rows = sqlx::query!(
            "select id, name from membership where tenant_id = $1 and state <> 'ended' and roles && array['governor', 'chair']
             order by lower(name), id",
            tenant
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        Ok(rows
            .into_iter()
            .map(|row| Named {
                id: row.id,
                name: Some(row.name),
            })
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;
    use uuid::Uuid;

    #[test]
    fn parents_and_young_people_do_not_see_the_board_unless_they_are_something_else_too() {
        assert!(is_for(&[Role::Teacher]) && is_for(&[Role::Parent, Role::Governor]));
        assert!(!is_for(&[Role::Parent]) && !is_for(&[Role::Member, Role::Parent]));
        assert!(!is_for(&[]));
    }

    const DAY: Date = date!(2026 - 06 - 18);

    fn seat(category: Category, holder: Option<Term>) -> Seat {
        Seat {
            id: Uuid::from_u128(1),
            category,
            number: 1,
            appointed_by: "The governing board".to_owned(),
            opened_on: date!(2020 - 09 - 01),
            holder,
            next: None,
        }
    }

    fn term(to: Option<Date>, suspended: Option<(Date, Date)>) -> Term {
        Term {
            id: Uuid::from_u128(2),
            person: Named {
                id: Uuid::from_u128(3),
                name: None,
            },
            from: date!(2022 - 09 - 01),
            to,
            suspended,
        }
    }

    fn board(seats: Vec<Seat>) -> Board {
        Board {
            rule: Rule::Maintained,
            on: DAY,
            seats,
            committees: vec![],
            without_term: vec![],
            without_role: vec![],
        }
    }

    #[test]
    fn an_associate_member_is_neither_in_post_nor_missing() {
        let held = || Some(term(Some(date!(2028 - 08 - 31)), None));
        let mut seats = vec![
            seat(Category::Parent, held()),
            seat(Category::Parent, None),
            seat(Category::CoOpted, held()),
            seat(Category::ExOfficio, Some(term(None, None))),
        ];
        let with = board(seats.clone());
        assert_eq!((with.in_post(), with.vacancies(), with.quorum()), (3, 1, 2));
        for holder in [held(), held(), None] {
            seats.push(seat(Category::Associate, holder));
        }
        let with = board(seats);
        assert_eq!((with.in_post(), with.vacancies(), with.quorum()), (3, 1, 2));
        assert_eq!(with.vacancies_of(Category::Parent), 1);
        assert_eq!(with.vacancies_of(Category::Associate), 1);
        assert_eq!(with.of(Category::Associate).count(), 3);
    }

    #[test]
    fn a_suspension_is_counted_on_its_days_alone() {
        let days = |from, to| {
            let term = term(Some(date!(2028 - 08 - 31)), Some((from, to)));
            board(vec![seat(Category::Parent, Some(term))]).suspended()
        };
        assert_eq!(days(DAY, DAY), 1);
        assert_eq!(days(date!(2026 - 06 - 01), DAY), 1);
        assert_eq!(days(date!(2026 - 06 - 01), date!(2026 - 06 - 17)), 0);
        assert_eq!(days(date!(2026 - 06 - 19), date!(2026 - 07 - 17)), 0);
    }

    #[test]
    fn seats_that_fall_vacant_soon_come_with_the_next_first() {
        let to = |day| Some(term(Some(day), None));
        let mut found = seat(Category::Parent, to(date!(2026 - 07 - 01)));
        found.next = to(date!(2030 - 06 - 30));
        let with = board(vec![
            seat(Category::Parent, to(date!(2026 - 09 - 16))),
            seat(Category::CoOpted, to(DAY)),
            seat(Category::CoOpted, to(date!(2026 - 09 - 17))),
            seat(Category::ExOfficio, Some(term(None, None))),
            seat(Category::Staff, None),
            found,
        ]);
        let ending: Vec<_> = with
            .ending()
            .iter()
            .map(|seat| seat.holder.as_ref().unwrap().to.unwrap())
            .collect();
        assert_eq!(
            ending,
            [DAY, date!(2026 - 09 - 16)],
            "ninety days, not ninety-one"
        );
    }
}
