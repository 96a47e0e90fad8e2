//! Puts the pupils of the demo schools on the roll.

use std::collections::HashMap;

use serde_json::json;
use sqlx::{Connection, PgConnection};
use time::{Date, OffsetDateTime, PrimitiveDateTime, macros::time};
use uuid::Uuid;

use super::{SCHOOLS, SEED, School, people};
use crate::{
    MembershipId, Refusal, TenantId, day,
    db::refused,
    demo::pupils::Pupil,
    pupil::{
        duty::Duty,
        group::Kind::{self, Class, Registration},
        year::{SchoolYear, YearGroup},
    },
};

/// Puts the pupils of both schools on the roll with their groups, caseloads, parents and duty holders, each school in one
/// transaction. `most`: at most so many pupils a school, for tests; one for each year group is the least that has a demo parent's
/// child. A school that has pupils is left as it is, so a second run changes nothing.
///
/// The people of the demo must be there: [`crate::demo::load`]. Returns how many pupils were added.
pub async fn load(
    connection: &mut PgConnection,
    now: OffsetDateTime,
    most: Option<u32>,
) -> Result<usize, Refusal> {
    let mut added = 0;
    for school in SCHOOLS {
        let many = most.map_or(school.pupils, |most| school.pupils.min(most));
        added += load_one(connection, school, now, many).await?;
    }
    Ok(added)
}

async fn load_one(
    connection: &mut PgConnection,
    school: &'static School,
    now: OffsetDateTime,
    many: u32,
) -> Result<usize, Refusal> {
    let mut whole = connection.begin().await.map_err(refused)?;
    sqlx::raw_sql("set local role quorate_sec")
        .execute(&mut *whole)
        .await
        .map_err(refused)?;
    // As every writer of this tenant does; two demos at once take turns.
    let tenant = sqlx::query_scalar!(
        "select h.tenant_id from sec.event_head h join tenant t on t.id = h.tenant_id where t.label = $1 for update of h",
        school.label
    )
    .fetch_optional(&mut *whole)
    .await
    .map_err(refused)?
    .ok_or(Refusal::NotFound)?;
    let there = sqlx::query_scalar!(
        r#"select exists (select from pupil where tenant_id = $1) as "there!""#,
        tenant
    )
    .fetch_one(&mut *whole)
    .await
    .map_err(refused)?;
    if there {
        // Said, not left to the drop: that would keep the lock until the connection is used again.
        whole.rollback().await.map_err(refused)?;
        return Ok(0);
    }
    let today = day::in_england(now).date();
    let pupils: Vec<Pupil> = people(school, SEED, many, today).collect();
    let mut making = Making::new(&mut whole, school, tenant, now).await?;
    let ids = making.pupils(&pupils).await?;
    let groups = making.groups(&pupils, &ids).await?;
    making.caseloads(&pupils, &ids, &groups).await?;
    making.parents(&pupils, &ids).await?;
    making.duties().await?;
    making.append(pupils.len()).await?;
    // As a roster does, so that the first pages do not wait for it.
    sqlx::raw_sql("analyze pupil, group_pupil, teaching_group, caseload")
        .execute(&mut *whole)
        .await
        .map_err(refused)?;
    whole.commit().await.map_err(refused)?;
    Ok(pupils.len())
}

/// The moment of a time of the day on the clocks of England.
pub(super) fn at(date: Date, time: time::Time) -> OffsetDateTime {
    let utc = PrimitiveDateTime::new(date, time).assume_utc();
    // Clocks change before the times that are asked for here.
    PrimitiveDateTime::new(date, time).assume_offset(day::in_england(utc).offset())
}

/// Until half past three, today or where that is over tomorrow.
fn end_of_cover(now: OffsetDateTime) -> OffsetDateTime {
    let today = day::in_england(now).date();
    let end = at(today, time!(15:30));
    if end > now {
        end
    } else {
        at(day::after(today), time!(15:30))
    }
}

struct Making<'a> {
    connection: &'a mut PgConnection,
    school: &'static School,
    tenant: TenantId,
    now: OffsetDateTime,
    /// 1 September.
    began: Date,
    /// By the part of their address before the `@`. Who was removed since the people were loaded holds nothing.
    people: HashMap<String, MembershipId>,
}

impl<'a> Making<'a> {
    async fn new(
        connection: &'a mut PgConnection,
        school: &'static School,
        tenant: TenantId,
        now: OffsetDateTime,
    ) -> Result<Self, Refusal> {
        let people = sqlx::query!(
            r#"select m.id, split_part(a.email, '@', 1) as "address!" from membership m
               join account a on a.id = m.account_id and a.email like '%@' || $2 || '.example'
               where m.tenant_id = $1 and m.state <> 'ended'"#,
            tenant,
            school.label
        )
        .fetch_all(&mut *connection)
        .await
        .map_err(refused)?
        .into_iter()
        .map(|row| (row.address, row.id))
        .collect();
        Ok(Self {
            connection,
            school,
            tenant,
            now,
            began: SchoolYear::of(day::in_england(now).date()).first_day(),
            people,
        })
    }

    /// Their keys, in the order of the pupils.
    async fn pupils(&mut self, pupils: &[Pupil]) -> Result<Vec<Uuid>, Refusal> {
        let of = |said: fn(&Pupil) -> String| pupils.iter().map(said).collect::<Vec<String>>();
        let upns: Vec<Option<String>> = pupils
            .iter()
            .map(|pupil| pupil.upn.as_ref().map(ToString::to_string))
            .collect();
        let born: Vec<Date> = pupils.iter().map(|pupil| pupil.born).collect();
        let numbers = of(|pupil| pupil.admission_number.clone());
        // A preferred name waits until the school switches the field on.
        let rows = sqlx::query!(
            r#"insert into pupil (tenant_id, upn, admission_number, first_name, last_name, born, sex, year_group)
               select $1, n.* from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::date[], $7::text[], $8::text[]) n
               returning id, admission_number as "number!""#,
            self.tenant,
            &upns as &[Option<String>],
            &numbers,
            &of(|pupil| pupil.first_name.to_owned()),
            &of(|pupil| pupil.last_name.clone()),
            &born,
            &of(|pupil| pupil.sex.code().to_owned()),
            &of(|pupil| pupil.year.code().to_owned())
        )
        .fetch_all(&mut *self.connection)
        .await
        .map_err(refused)?;
        let by_number: HashMap<String, Uuid> =
            rows.into_iter().map(|row| (row.number, row.id)).collect();
        let ids = numbers.iter().map(|number| by_number.get(number).copied());
        ids.collect::<Option<_>>().ok_or(Refusal::Broken)
    }

    /// Registration groups, and classes where there are some: by name their keys.
    async fn groups(
        &mut self,
        pupils: &[Pupil],
        ids: &[Uuid],
    ) -> Result<HashMap<String, Uuid>, Refusal> {
        let mut places: Vec<(Kind, String, Uuid)> = Vec::new();
        for (pupil, id) in pupils.iter().zip(ids) {
            places.push((Registration, pupil.registration.clone(), *id));
            // At a primary school the class is the registration group.
            let classes = pupil.classes.iter().map(|(_, code)| code);
            let classes = classes.filter(|code| **code != pupil.registration);
            places.extend(classes.map(|code| (Class, code.clone(), *id)));
        }
        let mut named: Vec<(Kind, &str)> = places
            .iter()
            .map(|(kind, name, _)| (*kind, name.as_str()))
            .collect();
        named.sort_unstable();
        named.dedup();
        let (kinds, names): (Vec<String>, Vec<String>) = named
            .into_iter()
            .map(|(kind, name)| (kind.code().to_owned(), name.to_owned()))
            .unzip();
        let rows = sqlx::query!(
            "insert into teaching_group (tenant_id, kind, name) select $1, n.* from unnest($2::text[], $3::text[]) n
             returning id, name",
            self.tenant,
            &kinds,
            &names
        )
        .fetch_all(&mut *self.connection)
        .await
        .map_err(refused)?;
        let groups: HashMap<String, Uuid> =
            rows.into_iter().map(|row| (row.name, row.id)).collect();
        let (mut into, mut kinds, mut who) = (vec![], vec![], vec![]);
        for (kind, name, id) in places {
            into.push(groups.get(&name).copied().ok_or(Refusal::Broken)?);
            kinds.push(kind.code().to_owned());
            who.push(id);
        }
        sqlx::query!(
            "insert into group_pupil (tenant_id, group_id, kind, pupil_id, during)
             select $1, n.*, daterange($5, null) from unnest($2::uuid[], $3::text[], $4::uuid[]) n",
            self.tenant,
            &into,
            &kinds,
            &who,
            self.began
        )
        .execute(&mut *self.connection)
        .await
        .map_err(refused)?;
        Ok(groups)
    }

    async fn caseloads(
        &mut self,
        pupils: &[Pupil],
        ids: &[Uuid],
        groups: &HashMap<String, Uuid>,
    ) -> Result<(), Refusal> {
        let began = at(self.began, time!(0:00));
        for (who, of) in self.school.caseloads {
            for group in of.iter().filter_map(|name| groups.get(*name)) {
                self.give(who, (Some(*group), None), (began, None)).await?;
            }
        }
        let (group, many) = self.school.assisted;
        let assisted = pupils.iter().zip(ids);
        let assisted = assisted.filter(|(pupil, _)| pupil.registration == group);
        for (_, id) in assisted.take(many) {
            self.give("ta1", (None, Some(*id)), (began, None)).await?;
        }
        if let Some(group) = groups.get(self.school.cover) {
            let times = (self.now, Some(end_of_cover(self.now)));
            self.give("teacher2", (Some(*group), None), times).await?;
        }
        Ok(())
    }

    /// One with an end is cover.
    async fn give(
        &mut self,
        who: &str,
        (group, pupil): (Option<Uuid>, Option<Uuid>),
        (from, until): (OffsetDateTime, Option<OffsetDateTime>),
    ) -> Result<(), Refusal> {
        let (Some(who), Some(admin)) = (self.people.get(who), self.people.get("admin")) else {
            return Ok(());
        };
        sqlx::query!(
            "insert into caseload (tenant_id, membership_id, group_id, pupil_id, cover, during, given_by)
             values ($1, $2, $3, $4, $5, tstzrange($6, $7), $8)",
            self.tenant,
            who,
            group,
            pupil,
            until.is_some(),
            from,
            until,
            admin
        )
        .execute(&mut *self.connection)
        .await
        .map_err(refused)?;
        Ok(())
    }

    async fn parents(&mut self, pupils: &[Pupil], ids: &[Uuid]) -> Result<(), Refusal> {
        // The first of each year group is theirs.
        let mut first: HashMap<YearGroup, Uuid> = HashMap::new();
        for (pupil, id) in pupils.iter().zip(ids) {
            first.entry(pupil.year).or_insert(*id);
        }
        for parent in self.school.parents {
            let who = self.people.get(parent.who).copied();
            let admin = self.people.get("admin").copied();
            let (Some(who), Some(admin), Some(child)) = (who, admin, first.get(&parent.of)) else {
                continue;
            };
            sqlx::query!(
                "insert into guardian_link (tenant_id, membership_id, pupil_id, relation, linked_by) values ($1, $2, $3, $4, $5)",
                self.tenant,
                who,
                child,
                parent.relation.code(),
                admin
            )
            .execute(&mut *self.connection)
            .await
            .map_err(refused)?;
            let Some(words) = parent.restricted else {
                continue;
            };
            sqlx::query!(
                "insert into contact_restriction (tenant_id, membership_id, pupil_id, words, made_by) values ($1, $2, $3, $4, $5)",
                self.tenant,
                who,
                child,
                words,
                admin
            )
            .execute(&mut *self.connection)
            .await
            .map_err(refused)?;
        }
        Ok(())
    }

    /// Where the school has said already who it is, that stays.
    async fn duties(&mut self) -> Result<(), Refusal> {
        for (duty, (who, reached, process)) in Duty::ALL.iter().zip(self.school.duties) {
            let Some(who) = self.people.get(who) else {
                continue;
            };
            sqlx::query!(
                "insert into duty_holder (tenant_id, duty, membership_id, reached, process) values ($1, $2, $3, $4, $5)
                 on conflict (tenant_id, duty) do nothing",
                self.tenant,
                duty.code(),
                who,
                reached,
                process
            )
            .execute(&mut *self.connection)
            .await
            .map_err(refused)?;
        }
        Ok(())
    }

    /// That so many came onto the roll, at once and by nobody.
    async fn append(&mut self, pupils: usize) -> Result<(), Refusal> {
        sqlx::query!(
            "select sec.append_for($1, null, 'pupil.added', null, $2, '{caseload}', null)",
            self.tenant,
            json!({ "pupils": pupils })
        )
        .fetch_one(&mut *self.connection)
        .await
        .map_err(refused)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn cover_ends_at_half_past_three_on_the_clocks_of_england_today_or_else_tomorrow() {
        for (now, end) in [
            (
                datetime!(2026-11-22 09:00 UTC),
                datetime!(2026-11-22 15:30 UTC),
            ),
            (
                datetime!(2026-11-22 15:29:59 UTC),
                datetime!(2026-11-22 15:30 UTC),
            ),
            (
                datetime!(2026-11-22 15:30 UTC),
                datetime!(2026-11-23 15:30 UTC),
            ),
            (
                datetime!(2026-06-18 14:00 UTC),
                datetime!(2026-06-18 14:30 UTC),
            ),
            (
                datetime!(2026-06-18 15:00 UTC),
                datetime!(2026-06-19 14:30 UTC),
            ),
            // The day before the clocks go back.
            (
                datetime!(2026-10-24 20:00 UTC),
                datetime!(2026-10-25 15:30 UTC),
            ),
        ] {
            assert_eq!(end_of_cover(now), end, "{now}");
        }
    }
}
