//! What a group is called a year later: "4B" is "5B", and "Reception Oak" is "Year 1 Oak".

use crate::pupil::year::YearGroup;

/// The name of a group whose pupils go up from a year group to the next; none where its name does not say their year.
pub(super) fn next(name: &str, from: YearGroup, to: YearGroup) -> Option<String> {
    let chars: Vec<char> = name.chars().collect();
    let written = word(from);
    let places = (0..chars.len()).find_map(|start| {
        [from.code(), written]
            .into_iter()
            .filter(|sign| !sign.is_empty())
            .find_map(|sign| {
                let end = start + sign.chars().count();
                stands(&chars, start, end, sign).then_some((start, end, sign == written))
            })
    });
    let (start, end, whole) = places?;
    let before: String = chars[..start].iter().collect();
    let after: String = chars[end..].iter().collect();
    let becomes = match (whole, word(to)) {
        (true, "") => format!("Year {}", to.code()),
        (true, word) => word.to_owned(),
        // "Year R" and "RB" go on as "Year 1" and "1B".
        (false, _) => to.code().to_owned(),
    };
    Some(format!("{before}{becomes}{after}"))
}

/// What a year group is called beside its code.
fn word(year: YearGroup) -> &'static str {
    match year {
        YearGroup::R => "Reception",
        YearGroup::N1 | YearGroup::N2 => "Nursery",
        _ => "",
    }
}

/// Whether the sign of a year stands there as one: not a digit of a longer number, nor a letter of a word.
fn stands(chars: &[char], start: usize, end: usize, sign: &str) -> bool {
    let found = chars
        .get(start..end)
        .is_some_and(|part| part.iter().collect::<String>().eq_ignore_ascii_case(sign));
    if !found {
        return false;
    }
    let before = start.checked_sub(1).and_then(|at| chars.get(at));
    let after = chars.get(end);
    let digits = sign.chars().all(|c| c.is_ascii_digit());
    if digits {
        !before.is_some_and(char::is_ascii_digit) && !after.is_some_and(char::is_ascii_digit)
    } else if sign.len() > 2 {
        !before.is_some_and(|c| c.is_alphanumeric()) && !after.is_some_and(|c| c.is_alphanumeric())
    } else {
        // "RW" and "R Oak" are of Reception, "Robins" and "Red" are not.
        chars.get(start).is_some_and(|c| c.is_uppercase())
            && !before.is_some_and(|c| c.is_alphanumeric())
            && !after.is_some_and(|c| c.is_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_the_next_year_where_it_said_the_last_one() {
        let next = |name: &str, from: &str, to: &str| {
            let of = |code: &str| YearGroup::from_code(code).unwrap();
            next(name, of(from), of(to))
        };
        for (name, from, to, becomes) in [
            ("4B", "4", "5", Some("5B")),
            ("2 Maple", "2", "3", Some("3 Maple")),
            ("Year 9 Blue", "9", "10", Some("Year 10 Blue")),
            ("10A1", "10", "11", Some("11A1")),
            ("7x/Ma1", "7", "8", Some("8x/Ma1")),
            ("RW", "R", "1", Some("1W")),
            ("R Oak", "R", "1", Some("1 Oak")),
            ("Reception Oak", "R", "1", Some("Year 1 Oak")),
            ("Nursery", "N2", "R", Some("Reception")),
            ("N2 Ducks", "N2", "R", Some("R Ducks")),
            // A name without the year goes on as it is.
            ("Maple", "2", "3", None),
            ("Robins", "R", "1", None),
            ("Chess", "4", "5", None),
            // Another number is not the year.
            ("Room 14", "4", "5", None),
            ("Maths 2", "4", "5", None),
        ] {
            assert_eq!(next(name, from, to).as_deref(), becomes, "{name}");
        }
    }
}
