//! Which UPN was probably meant by one that is not valid. No wrong digit and no two digits changed over leave a check letter
//! right, so trying every single slip finds what was meant, among others.

use super::{LENGTH, LETTERS, Upn, check_letter, is_known_la, looks_like, plain};

const SUGGESTIONS_MOST: usize = 5;

/// Valid numbers that are one slip away from what was typed, most likely first, at most five. Empty where it is valid already.
///
/// I, O and S read as the digits they look like; a check letter lost or mistaken; one wrong digit, those first that leave a
/// known authority, and of these the ones that take one digit for a similar one; two neighbours changed over, which keep a
/// place of their own, since they are few and a common slip. A suggestion is for a person to compare with the record, never to
/// be taken unasked: it is somebody's number.
pub fn suggestions(typed: &str) -> Vec<Upn> {
    let text = plain(typed);
    if Upn::parse(&text).is_ok() {
        return Vec::new();
    }
    let text = if text.chars().count() + 1 == LENGTH {
        // The letter alone is lost; any other loss would be a guess at a digit and at its place.
        format!("?{text}")
    } else {
        text
    };
    let read: Vec<char> = text
        .chars()
        .enumerate()
        .map(|(place, c)| {
            if place == 0 {
                c
            } else {
                looks_like(c).unwrap_or(c)
            }
        })
        .collect();
    if read.len() != LENGTH {
        return Vec::new();
    }
    if let Some(upn) = valid(&read) {
        return vec![upn];
    }
    let mut found: Vec<Upn> = with_check_letter(&read).into_iter().collect();
    let singles = single(&read);
    let swaps = swapped(&read);
    let room = SUGGESTIONS_MOST - found.len() - usize::from(!swaps.is_empty());
    found.extend(singles.into_iter().take(room));
    found.extend(swaps);
    found.truncate(SUGGESTIONS_MOST);
    found
}

fn valid(characters: &[char]) -> Option<Upn> {
    Upn::parse(&characters.iter().collect::<String>()).ok()
}

fn with_check_letter(read: &[char]) -> Option<Upn> {
    let mut characters = read.to_vec();
    let needed = check_letter(&characters.iter().collect::<String>())?;
    *characters.first_mut()? = needed;
    valid(&characters)
}

/// Valid numbers with one character other than the check letter changed: a digit into a digit, and in a temporary number also
/// its last letter into a letter.
fn single(read: &[char]) -> Vec<Upn> {
    let mut found = Vec::new();
    for (place, was) in read.iter().copied().enumerate().skip(1) {
        let letters = place + 1 == LENGTH && was.is_ascii_alphabetic();
        let other = if letters { &LETTERS[..] } else { &[] };
        for c in ('0'..='9').chain(other.iter().copied()) {
            let mut characters = read.to_vec();
            characters[place] = c;
            let one = valid(&characters).filter(|_| c != was);
            found.extend(one.map(|upn| (!is_known_la(upn.la()), !near(was, c), upn)));
        }
    }
    // The sort is stable: the first place comes first among equals.
    found.sort_by_key(|(unknown, far, _)| (*unknown, *far));
    found.into_iter().map(|(_, _, upn)| upn).collect()
}

/// Digits side by side on a keyboard, or alike in print and in handwriting.
fn near(one: char, other: char) -> bool {
    let (low, high) = if one < other {
        (one, other)
    } else {
        (other, one)
    };
    let beside = low
        .to_digit(10)
        .zip(high.to_digit(10))
        .is_some_and(|(low, high)| low > 0 && high - low == 1);
    beside
        || matches!(
            (low, high),
            ('0', '6' | '8' | '9') | ('1', '7') | ('3' | '6', '8')
        )
}

fn swapped(read: &[char]) -> Vec<Upn> {
    (1..read.len())
        .filter_map(|place| {
            let mut characters = read.to_vec();
            characters.swap(place - 1, place);
            valid(&characters)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn upn(text: &str) -> Upn {
        Upn::parse(text).unwrap()
    }

    #[test]
    fn letters_that_look_like_digits_are_the_first_guess_and_the_only_one() {
        assert_eq!(suggestions("B8O12OOO05OO1"), [upn("B801200005001")]);
        assert_eq!(suggestions("b80120000S00I"), [upn("B801200005001")]);
    }

    #[test]
    fn what_was_meant_is_among_the_guesses() {
        let ann = upn("B801200005001");
        // The check letter, wrong or lost.
        assert_eq!(suggestions("A801200005001").first(), Some(&ann));
        assert_eq!(suggestions("801200005001"), std::slice::from_ref(&ann));
        // One digit; two neighbours.
        assert!(suggestions("B801200005002").contains(&ann));
        assert!(suggestions("B081200005001").contains(&ann));
        assert!(suggestions("8B01200005001").contains(&ann));
        // The letter of a temporary number may be the wrong one.
        let temporary: Vec<char> = "M80120000500B".chars().collect();
        assert!(single(&temporary).contains(&upn("M80120000500A")));
        // Nothing to guess at.
        for none in ["B801200005001", "", "B", "not known", "B80120000500100"] {
            assert!(suggestions(none).is_empty(), "{none}");
        }
    }

    proptest! {
        #[test]
        fn guesses_are_valid_few_and_the_same_each_time(typed in "[A-Z][0-9IOS]{12}") {
            let guesses = suggestions(&typed);
            prop_assert!(guesses.len() <= SUGGESTIONS_MOST);
            prop_assert_eq!(&guesses, &suggestions(&typed));
            for guess in guesses {
                prop_assert_eq!(Upn::parse(guess.as_str()), Ok(guess));
            }
        }

        #[test]
        fn neighbours_changed_over_are_never_crowded_out(typed in "[A-HJ-NP-RT-Z][0-9]{12}") {
            prop_assume!(Upn::parse(&typed).is_err());
            let typed: Vec<char> = typed.chars().collect();
            if let Some(swap) = swapped(&typed).first() {
                let guesses = suggestions(&typed.iter().collect::<String>());
                prop_assert!(guesses.contains(swap), "{swap} is not among {guesses:?}");
            }
        }
    }
}
