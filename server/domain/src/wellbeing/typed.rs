//! What a form says of a record, as it is meant: when it happened, whom else it is about, and how old somebody was on a day.

use time::{Date, OffsetDateTime, Time};
use uuid::Uuid;

use super::{Fault, naming};
use crate::{
    Refusal, day,
    db::{Read, Write, refused},
    pupil::{
        self, Filter, Pupil, Whose,
        caseload::{at, clock},
    },
};

/// When something happened, by the clocks of England. Without a day it is today; without a time it is now, and noon of an earlier day.
///
/// Refuses [`Fault::Day`], [`Fault::Time`], and [`Fault::Ahead`] for what is yet to be.
pub fn happened_at(
    typed_day: &str,
    typed_time: &str,
    now: OffsetDateTime,
) -> Result<OffsetDateTime, Refusal> {
    let today = day::in_england(now).date();
    let on = match typed_day.trim() {
        "" => today,
        typed => day::parse(typed).map_err(|_| Fault::Day)?,
    };
    let moment = match typed_time.trim() {
        "" if on == today => now,
        "" => at(on, Time::from_hms(12, 0, 0).map_err(|_| Refusal::Broken)?),
        typed => at(on, clock(typed).map_err(|_| Fault::Time)?),
    };
    if moment > now {
        return Err(Fault::Ahead.into());
    }
    Ok(moment)
}

/// A pupil as a form offers and takes them: "Elliot Pryce, 5B".
pub fn called(pupil: &Pupil) -> String {
    match &pupil.registration {
        Some(registration) => format!("{}, {registration}", pupil.called()),
        None => pupil.called(),
    }
}

/// The pupil who is meant by a name, of those whom the caller sees: first name or the one they go by, and surname; the registration
/// group after a comma where two are called alike.
///
/// Refuses [`Fault::NobodyCalled`], and [`Fault::SeveralCalled`] where the name tells nobody apart.
pub async fn pupil_called(read: &mut Read, typed: &str) -> Result<Uuid, Refusal> {
    let typed = typed.trim();
    let (name, group) = match typed.rsplit_once(',') {
        Some((name, group)) => (name.trim(), naming::words(group)),
        None => (typed, vec![]),
    };
    let filter = Filter {
        words: name.to_owned(),
        ..Filter::default()
    };
    let wanted = naming::words(name);
    let in_law = |one: &Pupil| naming::words(&format!("{} {}", one.first_name, one.last_name));
    let mut found = pupil::list(read, Whose::Seen, &filter, 1).await?.rows;
    found.retain(|one| {
        let group_of = one.registration.as_deref().map(naming::words);
        (naming::words(&one.called()) == wanted || in_law(one) == wanted)
            && (group.is_empty() || group_of.as_ref() == Some(&group))
    });
    match &found[..] {
        [one] => Ok(one.id),
        [] => Err(Fault::NobodyCalled(typed.to_owned()).into()),
        _ => Err(Fault::SeveralCalled(typed.to_owned()).into()),
    }
}

/// How old a pupil was on a day, in whole years, for the bands of an instrument. Refuses [`Refusal::NotFound`] for whom the caller
/// does not see.
pub async fn age_on(write: &mut Write, pupil: Uuid, on: Date) -> Result<u8, Refusal> {
    let tenant = write.standing.tenant;
    let born = sqlx::query_scalar!(
        "select born from pupil where tenant_id = $1 and id = $2",
        tenant,
        pupil
    )
    .fetch_optional(write.connection())
    .await
    .map_err(refused)?
    .ok_or(Refusal::NotFound)?;
    Ok((1..=u8::MAX)
        .take_while(|years| day::years_after(born, u16::from(*years)) <= on)
        .last()
        .unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_day_and_a_time_are_those_of_england_and_never_ahead() {
        let now = datetime!(2026-06-18 13:32:40 UTC);
        let at = |day: &str, time: &str| happened_at(day, time, now);
        assert_eq!(at("", ""), Ok(now));
        assert_eq!(at("2026-06-18", ""), Ok(now));
        assert_eq!(
            at("18/06/2026", "14:32"),
            Ok(datetime!(2026-06-18 13:32 UTC))
        );
        assert_eq!(at("17 June 2026", ""), Ok(datetime!(2026-06-17 11:00 UTC)));
        assert_eq!(
            at("5 January 2026", "9.05"),
            Ok(datetime!(2026-01-05 9:05 UTC))
        );
        assert_eq!(at("2026-06-18", "14:33"), Err(Fault::Ahead.into()));
        assert_eq!(at("2026-06-19", ""), Err(Fault::Ahead.into()));
        assert_eq!(at("31 February 2026", ""), Err(Fault::Day.into()));
        assert_eq!(at("", "half past"), Err(Fault::Time.into()));
    }
}
