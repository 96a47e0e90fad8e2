//! What somebody else just changed, in one line.

use std::collections::BTreeMap;

use domain::membership::State;
use uuid::Uuid;

/// People by id, as a list last showed them.
pub type People = BTreeMap<Uuid, (String, State)>;

/// What has become of the list, in one sentence; none when nothing that it shows has changed.
pub fn of_people(before: &People, after: &People) -> Option<String> {
    let came: Vec<_> = after
        .iter()
        .filter(|(id, _)| !before.contains_key(id))
        .map(|(_, person)| person)
        .collect();
    let went: Vec<_> = before
        .iter()
        .filter(|(id, _)| !after.contains_key(id))
        .map(|(_, person)| person)
        .collect();
    let turned: Vec<_> = after
        .iter()
        .filter_map(|(id, (name, state))| {
            before
                .get(id)
                .filter(|(_, was)| was != state)
                .map(|(_, was)| (name, *was, *state))
        })
        .collect();
    Some(
        match (came.as_slice(), went.as_slice(), turned.as_slice()) {
            ([], [], []) => return None,
            ([(name, _)], [], []) => format!("{name} was added."),
            ([], [(name, _)], []) => format!("{name} is no longer on this list."),
            ([], [], [(name, was, state)]) => match (was, state) {
                (State::Invited, State::Active) => format!("{name} accepted the invitation."),
                (_, State::Suspended) => format!("{name} was suspended."),
                (State::Suspended, State::Active) => format!("{name} was restored."),
                (_, State::Ended) => format!("{name} was removed."),
                (_, State::Invited) => format!("{name} was invited again."),
                (_, State::Active) => format!("{name} is active now."),
            },
            _ => format!(
                "{} changes to this list.",
                came.len() + went.len() + turned.len()
            ),
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(people: &[(u128, &str, State)]) -> People {
        people
            .iter()
            .map(|(id, name, state)| (Uuid::from_u128(*id), ((*name).to_owned(), *state)))
            .collect()
    }

    #[test]
    fn one_change_is_told_with_its_name_and_several_are_counted() {
        let before = list(&[
            (1, "Dilip Parmar", State::Active),
            (2, "Siân Edwards", State::Invited),
        ]);
        let tell = |after: &[(u128, &str, State)]| of_people(&before, &list(after));
        let (dilip, sian) = (
            (1, "Dilip Parmar", State::Active),
            (2, "Siân Edwards", State::Invited),
        );
        assert_eq!(tell(&[dilip, sian]), None);
        assert_eq!(
            tell(&[dilip, sian, (3, "Rukhsana Ahmed", State::Invited)]).unwrap(),
            "Rukhsana Ahmed was added."
        );
        assert_eq!(
            tell(&[sian]).unwrap(),
            "Dilip Parmar is no longer on this list."
        );
        assert_eq!(
            tell(&[dilip, (2, "Siân Edwards", State::Active)]).unwrap(),
            "Siân Edwards accepted the invitation."
        );
        assert_eq!(
            tell(&[(1, "Dilip Parmar", State::Ended), sian]).unwrap(),
            "Dilip Parmar was removed."
        );
        assert_eq!(
            tell(&[sian, (3, "Rukhsana Ahmed", State::Invited)]).unwrap(),
            "2 changes to this list."
        );
    }
}
