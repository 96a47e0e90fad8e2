//! What was typed into the row: for each pupil levels and a note, and when it was.

use std::collections::BTreeMap;

use domain::{
    Refusal, day,
    pupil::caseload::{self, Times},
    text,
    wellbeing::{Domain, Fault, Level, record::BODY_MOST},
};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::form::id_of;

/// What was typed about one pupil.
pub struct Typed {
    /// Who.
    pub pupil: Uuid,
    /// Where a level was chosen.
    pub levels: Vec<(Domain, Level)>,
    /// As it was typed.
    pub note: String,
}

impl Typed {
    /// What is wrong with it. A note without a level is no check-in.
    pub fn fault(&self) -> Option<Fault> {
        if self.levels.is_empty() {
            return Some(Fault::NoLevel);
        }
        text::block(&self.note, BODY_MOST)
            .err()
            .map(|_| Fault::Body(BODY_MOST))
    }
}

/// Those about whom anything was typed, in the order in which they stood. Refuses [`Refusal::Stale`] for what no form of ours sends.
pub fn row(
    pupils: &BTreeMap<String, String>,
    levels: &BTreeMap<String, BTreeMap<String, String>>,
    notes: &BTreeMap<String, String>,
) -> Result<Vec<Typed>, Refusal> {
    let mut numbers: Vec<(usize, &String)> = pupils
        .keys()
        .map(|key| Ok((key.parse().map_err(|_| Refusal::Stale)?, key)))
        .collect::<Result<_, Refusal>>()?;
    numbers.sort_unstable();
    let mut row = Vec::with_capacity(numbers.len());
    for (_, key) in numbers {
        let pupil = id_of(pupils.get(key).map_or("", String::as_str))?;
        let mut chosen = Vec::new();
        for (code, level) in levels.get(key).into_iter().flatten() {
            if level.is_empty() {
                continue;
            }
            let domain = Domain::from_code(code).ok_or(Refusal::Stale)?;
            chosen.push((domain, Level::parse(level).map_err(|_| Refusal::Stale)?));
        }
        chosen.sort_unstable_by_key(|(domain, _)| *domain);
        let note = notes.get(key).cloned().unwrap_or_default();
        if !chosen.is_empty() || !note.trim().is_empty() {
            row.push(Typed {
                pupil,
                levels: chosen,
                note,
            });
        }
    }
    Ok(row)
}

/// When it was: just now, where nothing or today alone was entered, and at noon of an earlier day that was entered alone. Just now is
/// a minute ago, which no clock of another machine is behind.
pub fn happened(on: &str, at: &str, now: OffsetDateTime) -> Result<OffsetDateTime, Refusal> {
    let (on, at) = (on.trim(), at.trim());
    let today = day::in_england(now).date();
    let (from_day, from_time) = match (on, at) {
        (on, "") if on.is_empty() || day::parse(on)? == today => ("", ""),
        (on, "") => (on, "12:00"),
        both => both,
    };
    let times = Times {
        from_day,
        from_time,
        ..Times::default()
    };
    Ok(caseload::moments(times, now - Duration::MINUTE)?.0)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn named<const N: usize>(fields: [(&str, &str); N]) -> BTreeMap<String, String> {
        fields
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    #[test]
    fn whoever_nothing_was_typed_about_is_left_out_and_the_others_keep_their_order() {
        let ids: Vec<String> = (1..=12).map(|n| Uuid::from_u128(n).to_string()).collect();
        let pupils = ids
            .iter()
            .enumerate()
            .map(|(n, id)| (n.to_string(), id.clone()))
            .collect();
        let levels = BTreeMap::from([
            ("10".to_owned(), named([("safe", "2")])),
            ("2".to_owned(), named([("hopeful", "5"), ("safe", "1")])),
            ("3".to_owned(), named([("safe", "")])),
        ]);
        let notes = named([("4", "Quiet after lunch"), ("5", " \n")]);
        let row = row(&pupils, &levels, &notes).unwrap();
        let told: Vec<_> = row
            .iter()
            .map(|one| (one.pupil.as_u128(), one.levels.len(), one.fault()))
            .collect();
        assert_eq!(
            told,
            [(3, 2, None), (5, 0, Some(Fault::NoLevel)), (11, 1, None)]
        );
        assert_eq!(row[0].levels[0].0, Domain::Safe);
    }

    #[test]
    fn what_no_form_of_ours_sends_is_refused() {
        let pupils = named([("0", "00000000-0000-0000-0000-000000000001")]);
        let of =
            |code: &str, level: &str| BTreeMap::from([("0".to_owned(), named([(code, level)]))]);
        let none = BTreeMap::new();
        assert!(row(&pupils, &of("safe", "5"), &none).is_ok());
        for (code, level) in [("safe", "6"), ("safe", "x"), ("happy", "3")] {
            assert!(matches!(
                row(&pupils, &of(code, level), &none),
                Err(Refusal::Stale)
            ));
        }
        assert!(row(&named([("first", "1")]), &BTreeMap::new(), &none).is_err());
        let nobody = row(&named([("0", "Aisha")]), &of("safe", "5"), &none);
        assert!(matches!(nobody, Err(Refusal::NotFound)));
    }

    #[test]
    fn a_note_may_be_long_and_not_longer() {
        let of = |letters: usize| Typed {
            pupil: Uuid::nil(),
            levels: vec![(Domain::Safe, Level::ALL[0])],
            note: "x".repeat(letters),
        };
        let most = usize::from(BODY_MOST);
        assert_eq!(of(most).fault(), None);
        assert_eq!(of(most + 1).fault(), Some(Fault::Body(BODY_MOST)));
    }

    #[test]
    fn it_was_now_or_as_somebody_says() {
        let now = datetime!(2026-06-18 09:12:40 UTC);
        let at = |on, at| happened(on, at, now);
        let just_now = Ok(datetime!(2026-06-18 09:11:40 UTC));
        assert_eq!(at("", ""), just_now);
        assert_eq!(at("2026-06-18", " "), just_now);
        assert_eq!(
            at("18/06/2026", "8:45"),
            Ok(datetime!(2026-06-18 07:45 UTC))
        );
        assert_eq!(at("", "08:45"), Ok(datetime!(2026-06-18 07:45 UTC)));
        assert_eq!(at("2026-06-16", ""), Ok(datetime!(2026-06-16 11:00 UTC)));
        assert_eq!(at("2026-02-16", ""), Ok(datetime!(2026-02-16 12:00 UTC)));
        assert_eq!(at("yesterday", ""), Err(Refusal::DateFormat));
        assert!(at("2026-06-18", "half past").is_err());
    }
}
