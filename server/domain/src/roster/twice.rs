//! Two lines of one roster that cannot both be right, or that may be of one pupil.

use std::collections::BTreeMap;

use super::{
    fault::{Code, Fault, Severity},
    line::Line,
};
use crate::pupil::{code::key, field::Field};

/// Finds the lines that share what only one pupil has, and adds to each of them which other line it is: an error for one UPN
/// (Common Basic Data Set error 1520) and for one admission number, a warning for one name and date of birth.
///
/// A line that repeats a pupil word for word, as rosters with a line for each class do, is found as well: who takes the roster
/// joins those first. Twins share a surname, a date of birth and a class, and are two pupils: the first names tell.
pub fn find(lines: &mut [Line]) {
    let upn = |line: &Line| line.fields.upn.as_ref().map(ToString::to_string);
    mark(lines, upn, |other| {
        Fault::new(
            Field::Upn,
            Severity::Error,
            Code::UpnTwice,
            format!(
                "Line {other} has the same UPN: correct the one that is wrong, or take one line out."
            ),
        )
    });
    let admission = |line: &Line| {
        line.fields
            .admission_number
            .as_deref()
            .map(str::to_lowercase)
    };
    mark(lines, admission, |other| {
        Fault::new(
            Field::AdmissionNumber,
            Severity::Error,
            Code::AdmissionTwice,
            format!(
                "Line {other} has the same admission number: correct the one that is wrong, or take one line out."
            ),
        )
    });
    let name_and_birth = |line: &Line| {
        let fields = &line.fields;
        Some((
            key(fields.first_name.as_deref()?),
            key(fields.last_name.as_deref()?),
            fields.born?,
        ))
    };
    mark(lines, name_and_birth, |other| {
        Fault::new(
            None,
            Severity::Warning,
            Code::PupilTwice,
            format!(
                "Line {other} has the same name and date of birth: check that these are two pupils."
            ),
        )
    });
}

/// Adds a fault to every line whose mark another line has too; it names the first of the others.
fn mark<K: Ord>(
    lines: &mut [Line],
    mark: impl Fn(&Line) -> Option<K>,
    fault: impl Fn(u32) -> Fault,
) {
    let mut by_mark: BTreeMap<K, Vec<usize>> = BTreeMap::new();
    for (place, line) in lines.iter().enumerate() {
        if let Some(mark) = mark(line) {
            by_mark.entry(mark).or_default().push(place);
        }
    }
    for places in by_mark.into_values() {
        let [first, second, ..] = places[..] else {
            continue;
        };
        for place in places {
            let other = lines[if place == first { second } else { first }].number;
            lines[place].faults.push(fault(other));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pupil::upn::Upn;
    use crate::roster::line::Fields;
    use time::macros::date;

    fn line(number: u32, first: &str, last: &str, admission: &str, upn: Option<&str>) -> Line {
        Line {
            number,
            fields: Fields {
                upn: upn.map(|upn| Upn::parse(upn).unwrap()),
                admission_number: Some(admission.to_owned()),
                first_name: Some(first.to_owned()),
                last_name: Some(last.to_owned()),
                born: Some(date!(2016 - 05 - 09)),
                ..Fields::default()
            },
            tags: BTreeMap::new(),
            faults: Vec::new(),
        }
    }

    fn codes(lines: &[Line]) -> Vec<(u32, Code)> {
        lines
            .iter()
            .flat_map(|line| line.faults.iter().map(|fault| (line.number, fault.code)))
            .collect()
    }

    #[test]
    fn twins_are_two_pupils() {
        let mut lines = [
            line(2, "Amara", "Okafor", "1001", Some("B801200005001")),
            line(3, "Chidi", "Okafor", "1002", Some("P207000016049")),
            // And who has no number yet shares none.
            line(4, "Dayo", "Okafor", "1003", None),
            line(5, "Efe", "Okafor", "1004", None),
        ];
        find(&mut lines);
        assert_eq!(codes(&lines), []);
    }

    #[test]
    fn one_upn_on_two_lines_is_an_error_on_both_and_names_the_other() {
        let mut lines = [
            line(2, "Amara", "Okafor", "1001", Some("B801200005001")),
            line(3, "Ben", "Ode", "1002", Some("b801 200005001")),
            line(4, "Cai", "Pugh", "1003", Some("P207000016049")),
        ];
        find(&mut lines);
        assert_eq!(codes(&lines), [(2, Code::UpnTwice), (3, Code::UpnTwice)]);
        assert!(lines[0].is_bad() && lines[1].is_bad() && !lines[2].is_bad());
        assert!(lines[0].faults[0].sentence.starts_with("Line 3 "));
        assert!(lines[1].faults[0].sentence.starts_with("Line 2 "));
    }

    #[test]
    fn one_admission_number_is_an_error_and_one_name_and_birthday_a_warning() {
        let mut lines = [
            line(2, "Amara", "Okafor", "A1001", None),
            line(3, "Ben", "Ode", "a1001", None),
            line(4, "AMARA", "Okafor ", "1003", None),
            line(5, "Amara", "Okafor", "1004", None),
        ];
        find(&mut lines);
        assert_eq!(
            codes(&lines),
            [
                (2, Code::AdmissionTwice),
                (2, Code::PupilTwice),
                (3, Code::AdmissionTwice),
                (4, Code::PupilTwice),
                (5, Code::PupilTwice)
            ]
        );
        assert!(!lines[3].is_bad());
        assert!(lines[3].faults[0].sentence.starts_with("Line 2 "));
    }
}
