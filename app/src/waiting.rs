//! The cards of one's schools, and on them what waits at each.

use serde::{Deserialize, Serialize};

#[cfg(feature = "ssr")]
use domain::{
    day,
    session::Place,
    waiting::{Waiting, What},
};
#[cfg(feature = "ssr")]
use time::Date;

#[cfg(feature = "ssr")]
use crate::ui::counted;

/// So many lines stand on a card; the rest is counted.
#[cfg(feature = "ssr")]
const LINES: usize = 3;

/// A place that one has, or has been suspended from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// First part of its host name; empty where there is no way in.
    pub label: String,
    /// Its name.
    pub name: String,
    /// What one is there.
    pub roles: String,
    /// What waits there, the oldest first.
    pub waits: Vec<String>,
    /// Instead of that: that nothing waits, or why there is no way in.
    pub note: String,
}

/// The cards of somebody's places. What waits is only known on the bare host; elsewhere nothing is said of it.
#[cfg(feature = "ssr")]
pub fn cards(places: Vec<Place>, waiting: Option<&[Waiting]>, today: Date) -> Vec<Card> {
    let mut cards: Vec<Card> = places
        .into_iter()
        .map(|place| {
            let here = waiting.unwrap_or_default().iter();
            let mut waits: Vec<String> = here
                .filter(|waiting| waiting.tenant == place.tenant)
                .map(|waiting| words(&waiting.what, today))
                .collect();
            let more = waits.len().saturating_sub(LINES);
            waits.truncate(LINES);
            let note = match waiting {
                Some(_) if waits.is_empty() => "Nothing waits for you here.",
                _ => "",
            };
            if more > 0 {
                waits.push(format!("and {more} more"));
            }
            let roles: Vec<_> = place.roles.iter().map(|role| role.name()).collect();
            Card {
                label: place.label,
                name: place.name,
                roles: roles.join(", "),
                waits,
                note: note.to_owned(),
            }
        })
        .collect();
    let suspended = waiting.unwrap_or_default().iter();
    cards.extend(suspended.filter_map(|waiting| match waiting.what {
        What::Suspended { .. } => Some(Card {
            label: String::new(),
            name: waiting.name.clone(),
            roles: String::new(),
            waits: Vec::new(),
            note: words(&waiting.what, today),
        }),
        _ => None,
    }));
    cards
}

#[cfg(feature = "ssr")]
fn words(what: &What, today: Date) -> String {
    let many = |many: u32| usize::try_from(many).unwrap_or(usize::MAX);
    let waiting = |since| crate::tenancy::waiting_words(since, today);
    match *what {
        What::Suspended { since } => format!(
            "You were suspended here on {}. Until you are let in again there is nothing to see. If that is a mistake, ask the clerk.",
            day::words(since)
        ),
        What::Declare { since: None } => {
            "Declare your interests, which you have not done yet".to_owned()
        }
        What::Declare { since: Some(since) } => {
            format!("Declare your interests, {}", waiting(since))
        }
        What::Invitations { many: n, since } => format!(
            "{} not accepted the invitation, {}{}",
            counted(many(n), "person has", "people have"),
            if n == 1 { "" } else { "the first " },
            waiting(since)
        ),
        What::Terms { many: n, first, .. } => format!(
            "{} soon, {}{}",
            counted(many(n), "term of office ends", "terms of office end"),
            if n == 1 { "" } else { "the first " },
            match usize::try_from((first - today).whole_days()).unwrap_or_default() {
                0 => "today".to_owned(),
                left => format!("in {}", counted(left, "day", "days")),
            }
        ),
        What::Approvals { many: n, since } => format!(
            "{} for your answer, {}{}",
            counted(many(n), "paper waits", "papers wait"),
            if n == 1 { "" } else { "the first " },
            waiting(since)
        ),
        What::Reviews { many: n, .. } => counted(
            many(n),
            "paper of yours is to be reviewed",
            "papers of yours are to be reviewed",
        ),
        What::Seats { many: n, .. } => counted(many(n), "seat is vacant", "seats are vacant"),
        What::Declarations { many: n, .. } => counted(
            many(n),
            "declaration of interests is due",
            "declarations of interests are due",
        ),
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use domain::role::Role;
    use time::macros::date;

    const TODAY: Date = date!(2026 - 06 - 18);

    fn at(tenant: u128, what: What) -> Waiting {
        Waiting {
            tenant: uuid::Uuid::from_u128(tenant),
            name: format!("School {tenant}"),
            what,
        }
    }

    fn place(tenant: u128) -> Place {
        Place {
            tenant: uuid::Uuid::from_u128(tenant),
            label: format!("school-{tenant}"),
            name: format!("School {tenant}"),
            roles: vec![Role::Clerk, Role::Governor],
        }
    }

    #[test]
    fn a_line_says_how_many_and_for_how_long() {
        let (since, first) = (date!(2026 - 06 - 13), date!(2026 - 06 - 30));
        for (what, said) in [
            (
                What::Declare { since: None },
                "Declare your interests, which you have not done yet",
            ),
            (
                What::Declare { since: Some(since) },
                "Declare your interests, waiting for 5 days",
            ),
            (
                What::Invitations { many: 1, since },
                "1 person has not accepted the invitation, waiting for 5 days",
            ),
            (
                What::Invitations { many: 2, since },
                "2 people have not accepted the invitation, the first waiting for 5 days",
            ),
            (
                What::Terms {
                    many: 1,
                    since,
                    first: TODAY,
                },
                "1 term of office ends soon, today",
            ),
            (
                What::Terms {
                    many: 2,
                    since,
                    first,
                },
                "2 terms of office end soon, the first in 12 days",
            ),
            (What::Seats { many: 1, since }, "1 seat is vacant"),
            (
                What::Declarations { many: 4, since },
                "4 declarations of interests are due",
            ),
        ] {
            assert_eq!(words(&what, TODAY), said);
        }
    }

    #[test]
    fn a_card_has_three_lines_of_its_own_school_and_counts_the_rest() {
        let seats = |many| What::Seats { many, since: TODAY };
        let all: Vec<_> = [at(2, seats(9))]
            .into_iter()
            .chain((1..=5).map(|many| at(1, seats(many))))
            .collect();
        let shown = cards(vec![place(1), place(3)], Some(&all), TODAY);
        assert_eq!(
            shown[0].waits,
            [
                "1 seat is vacant",
                "2 seats are vacant",
                "3 seats are vacant",
                "and 2 more"
            ]
        );
        assert_eq!(
            (shown[0].note.as_str(), shown[0].roles.as_str()),
            ("", "Clerk to governors, Governor")
        );
        assert_eq!(
            (shown[1].waits.len(), shown[1].note.as_str()),
            (0, "Nothing waits for you here.")
        );
        assert_eq!(
            cards(vec![place(1)], Some(&all[..4]), TODAY)[0].waits.len(),
            3
        );
        let elsewhere = cards(vec![place(3)], None, TODAY);
        assert_eq!(
            elsewhere[0].note, "",
            "inside a school nothing is known of others"
        );
    }

    #[test]
    fn a_place_that_one_is_suspended_from_says_so_and_has_no_way_in() {
        let what = What::Suspended {
            since: date!(2026 - 06 - 01),
        };
        let shown = cards(vec![place(1)], Some(&[at(2, what)]), TODAY);
        assert_eq!(shown.len(), 2);
        assert!(shown[1].label.is_empty() && shown[1].waits.is_empty());
        assert!(
            shown[1]
                .note
                .starts_with("You were suspended here on 1 June 2026.")
        );
    }
}
