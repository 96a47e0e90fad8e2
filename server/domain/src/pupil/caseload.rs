//! Who keeps the records of which pupils, and from when to when. What is not on a caseload at this moment its holder does not see: a
//! supply teacher's cover ends at half past three, and what they see ends with it.

use serde::{Deserialize, Serialize};
#[cfg(feature = "db")]
use time::{OffsetDateTime, PrimitiveDateTime, Time};
use uuid::Uuid;

#[cfg(feature = "db")]
use super::Fault;
use super::group::Named;
use crate::MembershipId;
#[cfg(feature = "db")]
use crate::{Refusal, day};

/// What is on a caseload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Of {
    /// The pupils of a group, whoever they are at the time.
    Group(Uuid),
    /// One pupil.
    Pupil(Uuid),
}

impl Of {
    /// As the log has it.
    #[cfg(feature = "db")]
    pub(crate) fn to_json(self) -> serde_json::Value {
        match self {
            Self::Group(id) => serde_json::json!({ "group": id }),
            Self::Pupil(id) => serde_json::json!({ "pupil": id }),
        }
    }

    /// The group, or the pupil.
    #[cfg(feature = "db")]
    const fn ids(self) -> (Option<Uuid>, Option<Uuid>) {
        match self {
            Self::Group(id) => (Some(id), None),
            Self::Pupil(id) => (None, Some(id)),
        }
    }

    /// Of what is stored: one of the two.
    #[cfg(feature = "db")]
    fn from_ids(group: Option<Uuid>, pupil: Option<Uuid>) -> Result<Self, Refusal> {
        let of = group.map(Self::Group).or(pupil.map(Self::Pupil));
        of.ok_or(Refusal::Broken)
    }

    /// "group:…" or "pupil:…", as forms send it.
    pub fn code(self) -> String {
        match self {
            Self::Group(id) => format!("group:{id}"),
            Self::Pupil(id) => format!("pupil:{id}"),
        }
    }

    /// Of what a form sent.
    pub fn from_code(code: &str) -> Option<Self> {
        let (noun, id) = code.split_once(':')?;
        let id = Uuid::try_parse(id).ok()?;
        match noun {
            "group" => Some(Self::Group(id)),
            "pupil" => Some(Self::Pupil(id)),
            _ => None,
        }
    }
}

/// One line of the list of caseloads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// Its key.
    pub id: Uuid,
    /// Whose.
    pub person: MembershipId,
    /// What they are called.
    pub name: String,
    /// What is on it.
    pub of: Of,
    /// "4W", "Dominika Wiśniewska".
    pub called: String,
    /// The group, where it is one.
    pub group: Option<Named>,
    /// Whether it stands in for somebody, for a time that is known.
    pub cover: bool,
    /// RFC 3339 in UTC.
    pub from: String,
    /// RFC 3339 in UTC; none while it goes on.
    pub until: Option<String>,
    /// Whether it holds now; else it is to come.
    pub now: bool,
}

/// When a caseload begins and ends, as a form says it: days, and times of the day where it is for less than a day.
#[derive(Clone, Copy, Debug, Default)]
pub struct Times<'a> {
    /// Empty for now.
    pub from_day: &'a str,
    /// Empty for midnight.
    pub from_time: &'a str,
    /// Empty for without end.
    pub until_day: &'a str,
    /// Empty for the end of that day.
    pub until_time: &'a str,
}

/// The moments that are meant, on the clocks of England. The end lies in the future and after the beginning.
#[cfg(feature = "db")]
pub fn moments(
    times: Times<'_>,
    now: OffsetDateTime,
) -> Result<(OffsetDateTime, Option<OffsetDateTime>), Refusal> {
    let today = day::in_england(now).date();
    let from = match (times.from_day.trim(), times.from_time.trim()) {
        ("", "") => now,
        (day, time) => {
            let date = if day.is_empty() {
                today
            } else {
                day::parse(day)?
            };
            let time = if time.is_empty() {
                Time::MIDNIGHT
            } else {
                clock(time)?
            };
            at(date, time)
        }
    };
    let until = match (times.until_day.trim(), times.until_time.trim()) {
        ("", "") => None,
        (day, time) => {
            let date = if day.is_empty() {
                today
            } else {
                day::parse(day)?
            };
            Some(if time.is_empty() {
                at(day::after(date), Time::MIDNIGHT)
            } else {
                at(date, clock(time)?)
            })
        }
    };
    if until.is_some_and(|until| until <= from || until <= now) {
        return Err(Fault::TimesOrder.into());
    }
    Ok((from, until))
}

/// "15:30", "9.05", "1530".
#[cfg(feature = "db")]
pub(crate) fn clock(typed: &str) -> Result<Time, Refusal> {
    let digits: String = typed.chars().filter(char::is_ascii_digit).collect();
    let others = typed.chars().filter(|c| !c.is_ascii_digit()).count();
    let time = (others <= 1 && matches!(digits.len(), 3 | 4))
        .then(|| digits.split_at(digits.len() - 2))
        .and_then(|(hour, minute)| {
            Time::from_hms(hour.parse().ok()?, minute.parse().ok()?, 0).ok()
        });
    time.ok_or_else(|| Fault::Time.into())
}

/// The moment of a day and time on the clocks of England. Of the hour that comes twice in October the first is meant, and of the one
/// that is left out in March the one after it.
#[cfg(feature = "db")]
pub(crate) fn at(date: time::Date, time: Time) -> OffsetDateTime {
    let wall = PrimitiveDateTime::new(date, time);
    let summer = wall.assume_offset(time::macros::offset!(+1));
    if day::in_england(summer).offset() == summer.offset() {
        summer
    } else {
        wall.assume_utc()
    }
}

#[cfg(feature = "db")]
pub(super) use queries::end_of;
#[cfg(feature = "db")]
pub use queries::{end, give, given, mine};

#[cfg(feature = "db")]
mod queries {
    use time::OffsetDateTime;
    use uuid::Uuid;

    use super::{Given, Of};
    use crate::{
        MembershipId, Refusal,
        day::moment,
        db::{MailDb, Read, Write, refused},
        event::Act,
        pupil::{
            Fault,
            group::{Kind, Named},
            sees_school,
        },
    };

    fn keep(write: &Write) -> Result<(), Refusal> {
        if sees_school(&write.standing.roles) {
            Ok(())
        } else {
            Err(Refusal::NotAllowed)
        }
    }

    /// Every caseload that holds now or is to come, of whom the caller may know: by person and beginning.
    pub async fn given(read: &mut Read) -> Result<Vec<Given>, Refusal> {
        list(read, None).await
    }

    /// The caller's own.
    pub async fn mine(read: &mut Read) -> Result<Vec<Given>, Refusal> {
        let own = read.standing.membership;
        list(read, Some(own)).await
    }

    async fn list(read: &mut Read, person: Option<MembershipId>) -> Result<Vec<Given>, Refusal> {
        let tenant = read.standing.tenant;
        let rows = sqlx::query!(
            r#"select c.id, c.membership_id, m.name, c.group_id, c.pupil_id, c.cover, lower(c.during) as "from!",
                      upper(c.during) as "until?", c.during @> now() as "now!", g.kind as "kind?", g.name as "group?",
                      coalesce(p.preferred_name, p.first_name) || ' ' || p.last_name as "pupil?"
               from caseload c
               join membership m on m.tenant_id = c.tenant_id and m.id = c.membership_id
               left join teaching_group g on g.tenant_id = c.tenant_id and g.id = c.group_id
               left join pupil p on p.tenant_id = c.tenant_id and p.id = c.pupil_id
               where c.tenant_id = $1 and ($2::uuid is null or c.membership_id = $2)
                 and (upper_inf(c.during) or upper(c.during) > now())
               order by lower(m.name), m.id, lower(c.during), c.id"#,
            tenant,
            person
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        rows.into_iter()
            .map(|row| {
                let group = row
                    .group_id
                    .zip(row.kind.as_deref().and_then(Kind::from_code))
                    .zip(row.group)
                    .map(|((id, kind), name)| Named { id, kind, name });
                let of = Of::from_ids(row.group_id, row.pupil_id)?;
                Ok(Given {
                    id: row.id,
                    person: row.membership_id,
                    name: row.name,
                    of,
                    called: group
                        .as_ref()
                        .map(|group| group.name.clone())
                        .or(row.pupil)
                        .unwrap_or_default(),
                    group,
                    cover: row.cover,
                    from: moment(row.from)?,
                    until: row.until.map(moment).transpose()?,
                    now: row.now,
                })
            })
            .collect()
    }

    /// Puts a group or a pupil on somebody's caseload. Cover has an end.
    pub async fn give(
        write: &mut Write,
        person: MembershipId,
        of: Of,
        from: OffsetDateTime,
        until: Option<OffsetDateTime>,
        cover: bool,
    ) -> Result<(Uuid, Act), Refusal> {
        keep(write)?;
        if cover && until.is_none() {
            return Err(Fault::CoverEnds.into());
        }
        let (tenant, own) = (write.standing.tenant, write.standing.membership);
        let account = sqlx::query_scalar!(
            "select account_id from membership where tenant_id = $1 and id = $2",
            tenant,
            person
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::NotFound)?;
        let (group, pupil) = of.ids();
        let pupils = sqlx::query_scalar!(
            r#"select case when $2::uuid is null then 1 else (
                 select count(*) from group_pupil x where x.tenant_id = $1 and x.group_id = $2 and x.during @> sec.today()
               ) end as "pupils!""#,
            tenant,
            group
        )
        .fetch_one(write.connection())
        .await
        .map_err(refused)?;
        let id = sqlx::query_scalar!(
            "insert into caseload (tenant_id, membership_id, group_id, pupil_id, cover, during, given_by)
             values ($1, $2, $3, $4, $5, tstzrange($6, $7), $8) returning id",
            tenant,
            person,
            group,
            pupil,
            cover,
            from,
            until,
            own
        )
        .fetch_one(write.connection())
        .await
        .map_err(refused)?;
        let until = until.map(moment).transpose()?;
        let pupils = usize::try_from(pupils).unwrap_or_default();
        let act = Act::caseload_given(person, account, of, pupils, until.as_deref());
        Ok((id, act))
    }

    /// Ends a caseload now; one that has not begun never was. Refuses [`Refusal::Stale`] where it is over.
    pub async fn end(write: &mut Write, id: Uuid) -> Result<Act, Refusal> {
        keep(write)?;
        let tenant = write.standing.tenant;
        let row = sqlx::query!(
            r#"select c.membership_id, m.account_id, c.group_id, c.pupil_id, coalesce(upper(c.during) <= now(), false) as "over!"
               from caseload c join membership m on m.tenant_id = c.tenant_id and m.id = c.membership_id
               where c.tenant_id = $1 and c.id = $2 for update of c"#,
            tenant,
            id
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::NotFound)?;
        if row.over {
            return Err(Refusal::Stale);
        }
        end_now(write, Which::One(id)).await?;
        let of = Of::from_ids(row.group_id, row.pupil_id)?;
        Ok(Act::caseload_ended(row.membership_id, row.account_id, of))
    }

    /// A pupil who left, or a group that is closed, is on nobody's caseload; the clock's own look puts it into the log and closes the pages
    /// that are open.
    pub(in crate::pupil) async fn end_of(write: &mut Write, of: Of) -> Result<(), Refusal> {
        end_now(write, Which::Of(of)).await
    }

    enum Which {
        /// It alone, which its own act puts into the log.
        One(Uuid),
        Of(Of),
    }

    /// Ends caseloads now; those that have not begun never were.
    async fn end_now(write: &mut Write, which: Which) -> Result<(), Refusal> {
        let tenant = write.standing.tenant;
        let (one, (group, pupil)) = match which {
            Which::One(id) => (Some(id), (None, None)),
            Which::Of(of) => (None, of.ids()),
        };
        sqlx::query!(
            "delete from caseload
             where tenant_id = $1 and (id = $2 or group_id = $3 or pupil_id = $4) and lower(during) > now()",
            tenant,
            one,
            group,
            pupil
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        // One that began in this very moment would be empty.
        sqlx::query!(
            "update caseload set during = tstzrange(lower(during), greatest(now(), lower(during) + interval '1 microsecond')),
                                 told_at = case when id = $2 then now() else told_at end
             where tenant_id = $1 and (id = $2 or group_id = $3 or pupil_id = $4) and during @> now()",
            tenant,
            one,
            group,
            pupil
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        Ok(())
    }

    impl MailDb {
        /// Puts into the log what ended by the clock alone, so that open pages close: caseloads, and the hour that a reason gave.
        /// Returns how many ended.
        pub async fn rights_end(&self) -> Result<i32, Refusal> {
            sqlx::query_scalar!(r#"select sec.rights_end() as "ended!""#)
                .fetch_one(self.pool())
                .await
                .map_err(crate::db::refused_quietly)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-06-18 07:45 UTC);

    fn times<'a>(from: (&'a str, &'a str), until: (&'a str, &'a str)) -> Times<'a> {
        Times {
            from_day: from.0,
            from_time: from.1,
            until_day: until.0,
            until_time: until.1,
        }
    }

    #[test]
    fn cover_until_half_past_three_ends_by_the_clocks_of_england() {
        let (from, until) = moments(times(("", ""), ("", "15:30")), NOW).unwrap();
        assert_eq!((from, until), (NOW, Some(datetime!(2026-06-18 14:30 UTC))));
        let winter = datetime!(2026-11-18 07:45 UTC);
        let (_, until) = moments(times(("", ""), ("", "15.30")), winter).unwrap();
        assert_eq!(until, Some(datetime!(2026-11-18 15:30 UTC)));
    }

    #[test]
    fn a_last_day_is_a_whole_day() {
        let (_, until) = moments(times(("", ""), ("18/06/2026", "")), NOW).unwrap();
        assert_eq!(until, Some(datetime!(2026-06-18 23:00 UTC)));
    }

    #[test]
    fn an_end_that_is_over_or_before_its_beginning_is_refused() {
        for wrong in [
            times(("", ""), ("", "8:00")),
            times(("", ""), ("17 June 2026", "")),
            times(("20 June 2026", ""), ("19 June 2026", "")),
        ] {
            assert_eq!(
                moments(wrong, NOW).unwrap_err(),
                Fault::TimesOrder.into(),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn a_time_is_read_as_it_is_written_at_a_desk() {
        for (typed, hour, minute) in [
            ("15:30", 15, 30),
            ("9.05", 9, 5),
            ("0905", 9, 5),
            ("15h30", 15, 30),
        ] {
            assert_eq!(clock(typed), Ok(Time::from_hms(hour, minute, 0).unwrap()));
        }
        for wrong in ["", "24:00", "15:60", "noon", "1", "15:30:00", "1530pm!"] {
            assert_eq!(clock(wrong), Err(Fault::Time.into()), "{wrong}");
        }
    }

    #[test]
    fn the_hour_that_comes_twice_and_the_one_that_never_comes_are_moments_all_the_same() {
        use time::macros::{date, time};
        assert_eq!(
            at(date!(2026 - 10 - 25), time!(1:30)),
            datetime!(2026-10-25 00:30 UTC)
        );
        assert_eq!(
            at(date!(2026 - 03 - 29), time!(1:30)),
            datetime!(2026-03-29 01:30 UTC)
        );
        assert_eq!(
            at(date!(2026 - 06 - 18), time!(0:00)),
            datetime!(2026-06-17 23:00 UTC)
        );
    }

    #[test]
    fn what_a_form_sends_leads_back() {
        let id = Uuid::from_u128(7);
        for of in [Of::Group(id), Of::Pupil(id)] {
            assert_eq!(Of::from_code(&of.code()), Some(of));
        }
        assert_eq!(Of::from_code("class:7"), None);
        assert_eq!(Of::from_code(&id.to_string()), None);
    }
}
