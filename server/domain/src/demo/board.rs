//! Makes the board of a demo school from its plan.

use std::collections::HashMap;

use sqlx::{Connection, PgConnection};
use time::{Date, Duration};
use uuid::Uuid;

use crate::{
    Refusal, TenantId,
    board::{Category, Rule, term},
    db::refused,
    demo::plan::{Committee, Declared, Plan, Seat, Term},
    event::{Act, Whom},
};

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
        // Said, not left to the drop: that would keep the lock until the connection is used again.
        return whole.rollback().await.map_err(refused);
    }
    let mut making = Making::new(&mut whole, tenant).await?;
    making.rule(plan.rule).await?;
    making.seats(plan.seats).await?;
    making.committees(plan.committees).await?;
    making.declared(plan.declared).await?;
    making.kept(plan).await?;
    // Nobody did any of it, so it is no news to anybody.
    sqlx::query!(
        "update notice set seen_at = at where tenant_id = $1 and seen_at is null",
        tenant
    )
    .execute(&mut *whole)
    .await
    .map_err(refused)?;
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
