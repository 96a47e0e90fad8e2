//! Many pupils beside each other: how each was when somebody last checked in, who has not been seen for long, and which domains a
//! row of check-ins begins with.

use serde::{Deserialize, Serialize};
use time::{Date, Duration};
use uuid::Uuid;

use super::{Domain, Level, record::PUPILS_MOST};
use crate::pupil::year::YearGroup;

/// Pupils on one page of the heat map.
pub const ROWS: usize = 100;
/// Whoever nothing was put down about for so many days has not been seen for long.
pub const UNSEEN_DAYS: i64 = 14;

/// How a pupil was when somebody last checked in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latest {
    /// Who.
    pub pupil: Uuid,
    /// As one speaks of them.
    pub called: String,
    /// The National Curriculum year they are taught in.
    pub year: YearGroup,
    /// Their registration group today.
    pub registration: Option<String>,
    /// The newest level of each domain, and its day in England, 2026-06-18.
    pub levels: Vec<(Domain, Level, String)>,
    /// When anything last happened that was put down, RFC 3339 in UTC; none for whom nothing was.
    pub seen_at: Option<String>,
    /// When somebody last checked in, likewise.
    pub checked_at: Option<String>,
}

/// In which order they come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// By surname and first name.
    #[default]
    Surname,
    /// Those first who were never seen, then those who were not for longest.
    Unseen,
    /// For a row of check-ins, which holds [`PUPILS_MOST`] and is one page: by surname where it holds all of them, else those who were
    /// not seen for longest.
    Row,
}

impl Order {
    /// Pupils on one page.
    pub fn rows(self) -> usize {
        match self {
            Self::Surname | Self::Unseen => ROWS,
            Self::Row => usize::from(PUPILS_MOST),
        }
    }
}

/// Which pupils are meant, of those who are here; everything that is set must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Which {
    /// Of the caller's own caseload; else of all whom they see.
    pub mine: bool,
    /// Of this year group.
    pub year: Option<YearGroup>,
    /// In this group today.
    pub group: Option<Uuid>,
    /// These and no others.
    pub pupils: Option<Vec<Uuid>>,
    /// Not seen for [`UNSEEN_DAYS`].
    pub unseen: bool,
}

/// A page of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// At most as many as the order has on a page.
    pub rows: Vec<Latest>,
    /// How many are meant.
    pub matching: usize,
    /// How many of these have not been seen for [`UNSEEN_DAYS`].
    pub unseen: usize,
}

/// The first day that is not long ago: whoever was seen on it or later was seen of late.
pub fn of_late(today: Date) -> Date {
    today
        .checked_sub(Duration::days(UNSEEN_DAYS - 1))
        .unwrap_or(today)
}

#[cfg(feature = "db")]
pub use queries::{domains_before, latest};

#[cfg(feature = "db")]
mod queries {
    use std::collections::HashMap;

    use time::Date;
    use uuid::Uuid;

    use super::{Latest, Listed, Order, Which, of_late};
    use crate::{
        Refusal,
        day::{self, moment},
        db::{Read, refused},
        pupil::{look_over, year::YearGroup},
        wellbeing::{Domain, timeline::level},
    };

    /// A page of pupils whom the caller sees, `page` from 1: the newest level of each domain, and when they were last seen. In a snapshot
    /// of [`crate::db::Db::look`], since of each of them it is put down that the caller looked. Three statements for any number of them.
    pub async fn latest(
        read: &mut Read,
        which: &Which,
        order: Order,
        page: usize,
        today: Date,
    ) -> Result<Listed, Refusal> {
        let tenant = read.standing.tenant;
        let many = order.rows();
        let skip = i64::try_from(page.saturating_sub(1).saturating_mul(many)).unwrap_or(i64::MAX);
        let pupils = sqlx::query!(
            r#"select p.id, coalesce(p.preferred_name, p.first_name) || ' ' || p.last_name as "called!", p.year_group,
                      g.name as "registration?", s.seen_at, s.checked_at, count(*) over () as "matching!",
                      count(*) filter (where s.long) over () as "unseen!"
               from pupil p
               left join lateral (
                 select g.name from group_pupil x join teaching_group g on g.tenant_id = x.tenant_id and g.id = x.group_id
                 where x.tenant_id = p.tenant_id and x.pupil_id = p.id and x.kind = 'registration' and x.during @> sec.today() limit 1
               ) g on true
               cross join lateral (
                 select max(r.happened_at) as seen_at, max(r.happened_at) filter (where r.kind = 'check_in') as checked_at,
                        coalesce(max(r.happened_at) < $6::date::timestamp at time zone 'Europe/London', true) as long
                 from record_pupil l
                 join record r on r.tenant_id = l.tenant_id and r.id = l.record_id and r.withdrawn_at is null
                 where l.tenant_id = p.tenant_id and l.pupil_id = p.id
               ) s
               where p.tenant_id = $1 and p.left_on is null
                 and (not $2 or p.id = any ((select sec.caseload())::uuid[]))
                 and ($3::text is null or p.year_group = $3)
                 and ($4::uuid is null or exists (
                   select from group_pupil x where x.tenant_id = p.tenant_id and x.pupil_id = p.id and x.group_id = $4
                     and x.during @> sec.today()))
                 and ($5::uuid[] is null or p.id = any ($5))
                 and (not $7 or s.long)
               order by case when $8 or ($11 and count(*) over () > $9) then coalesce(s.seen_at, '-infinity') end,
                 lower(p.last_name), lower(p.first_name), p.id
               limit $9 offset $10"#,
            tenant,
            which.mine,
            which.year.map(YearGroup::code),
            which.group,
            which.pupils.as_deref(),
            of_late(today),
            which.unseen,
            order == Order::Unseen,
            i64::try_from(many).unwrap_or(i64::MAX),
            skip,
            order == Order::Row
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        let count = |n: Option<i64>| usize::try_from(n.unwrap_or_default()).unwrap_or_default();
        let matching = count(pupils.first().map(|row| row.matching));
        let unseen = count(pupils.first().map(|row| row.unseen));
        let ids: Vec<Uuid> = pupils.iter().map(|row| row.id).collect();
        look_over(read, &ids.iter().copied().collect(), "levels").await?;
        let mut levels = levels(read, &ids).await?;
        let rows = pupils.into_iter().map(|row| {
            let mut levels = levels.remove(&row.id).unwrap_or_default();
            levels.sort_unstable_by_key(|(domain, ..)| *domain);
            Ok(Latest {
                pupil: row.id,
                called: row.called,
                year: YearGroup::from_code(&row.year_group).ok_or(Refusal::Broken)?,
                registration: row.registration,
                levels,
                seen_at: row.seen_at.map(moment).transpose()?,
                checked_at: row.checked_at.map(moment).transpose()?,
            })
        });
        Ok(Listed {
            rows: rows.collect::<Result<_, Refusal>>()?,
            matching,
            unseen,
        })
    }

    type Levels = Vec<(Domain, crate::wellbeing::Level, String)>;

    async fn levels(read: &mut Read, pupils: &[Uuid]) -> Result<HashMap<Uuid, Levels>, Refusal> {
        let tenant = read.standing.tenant;
        let domains: Vec<String> = Domain::ALL
            .iter()
            .map(|domain| domain.code().to_owned())
            .collect();
        let rows = sqlx::query!(
            r#"select i.id as "id!", s.domain, s.value, s.happened_on
               from unnest($2::uuid[]) as i (id) cross join unnest($3::text[]) as d (domain)
               cross join lateral (
                 select s.domain, s.value, s.happened_on from score s
                 join record r on r.tenant_id = s.tenant_id and r.id = s.record_id and r.newest = s.number and r.withdrawn_at is null
                 where s.tenant_id = $1 and s.pupil_id = i.id and s.domain = d.domain
                 order by s.happened_on desc, r.happened_at desc limit 1) s"#,
            tenant,
            pupils,
            &domains
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        let mut levels: HashMap<Uuid, Levels> = HashMap::new();
        for row in rows {
            let (domain, level) = level(&row.domain, row.value)?;
            let on = day::field(row.happened_on);
            levels.entry(row.id).or_default().push((domain, level, on));
        }
        Ok(levels)
    }

    /// The domains of the row of check-ins that the caller last made of any of these pupils; where they made none, of the last that
    /// somebody else made. Nothing where nobody did.
    pub async fn domains_before(read: &mut Read, pupils: &[Uuid]) -> Result<Vec<Domain>, Refusal> {
        let (tenant, own) = (read.standing.tenant, read.standing.membership);
        let codes = sqlx::query_scalar!(
            "with made as (
               select r.id, r.author_id, r.recorded_at, r.newest from record_pupil l
               join record r on r.tenant_id = l.tenant_id and r.id = l.record_id and r.kind = 'check_in' and r.withdrawn_at is null
               where l.tenant_id = $1 and l.pupil_id = any ($2)
             ), last as (
               select author_id, recorded_at from made order by author_id = $3 desc, recorded_at desc limit 1
             )
             select distinct s.domain from last
             join made m on m.author_id = last.author_id and m.recorded_at = last.recorded_at
             join score s on s.tenant_id = $1 and s.record_id = m.id and s.number = m.newest",
            tenant,
            pupils,
            own
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        let mut domains: Vec<Domain> = codes
            .iter()
            .map(|code| Domain::from_code(code).ok_or(Refusal::Broken))
            .collect::<Result<_, _>>()?;
        domains.sort_unstable();
        Ok(domains)
    }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::of_late;

    #[test]
    fn two_weeks_ago_is_long_ago_and_a_day_less_is_not() {
        assert_eq!(of_late(date!(2026 - 06 - 18)), date!(2026 - 06 - 05));
        assert_eq!(of_late(time::Date::MIN), time::Date::MIN);
    }
}
