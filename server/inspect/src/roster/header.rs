//! Which line names the columns: above it there may be the school's name, the date of the export, and empty lines.

/// The most lines that are not empty above the header.
const ABOVE_MOST: usize = 50;
/// The fewest columns of a roster.
const COLUMNS_LEAST: usize = 3;
/// The most characters of a column's name.
const NAME_MOST: usize = 100;

/// Looks for the header from line to line.
#[derive(Default)]
pub struct Search {
    above: usize,
    widest: usize,
}

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// It names the columns.
    Header,
    /// It stands above.
    Above,
    /// So many stand above that there is none.
    None,
}

impl Search {
    /// Looks at the next line, of which the cells are tidy. A header has a name for more columns than any line above has values:
    /// in a file without one, no pupil whose date of birth is not known is taken for it.
    pub fn look(&mut self, cells: &[String]) -> Found {
        let filled = cells.iter().filter(|cell| !cell.is_empty()).count();
        if filled == 0 {
            return Found::Above;
        }
        if filled > self.widest && names(cells, filled) {
            return Found::Header;
        }
        self.widest = self.widest.max(filled);
        self.above += 1;
        if self.above > ABOVE_MOST {
            Found::None
        } else {
            Found::Above
        }
    }

    /// Whether there was anything at all.
    pub fn saw(&self) -> bool {
        self.above > 0
    }
}

/// Whether a line reads like names of columns: at least three, nearly all words, and nothing that only a pupil's row has.
fn names(cells: &[String], filled: usize) -> bool {
    let cells = || cells.iter().filter(|cell| !cell.is_empty());
    let wordless = cells()
        .filter(|cell| !cell.chars().any(char::is_alphabetic))
        .count();
    filled >= COLUMNS_LEAST
        // A column may be called by a year, or by a mark such as #.
        && wordless * 4 <= filled
        && !cells().any(|cell| {
            cell.chars().count() > NAME_MOST || is_upn(cell) || is_date(cell) || cell.contains('@')
        })
}

/// Of the form of a Unique Pupil Number, whether right or not.
fn is_upn(cell: &str) -> bool {
    let bytes = cell.as_bytes();
    bytes.len() == 13
        && bytes[0].is_ascii_alphabetic()
        && bytes[1..12].iter().all(u8::is_ascii_digit)
        && bytes[12].is_ascii_alphanumeric()
}

/// Three parts of which the first and the last begin with a digit: 3/9/2014, 2014-09-03, 3 Sep 2014.
fn is_date(cell: &str) -> bool {
    let parts: Vec<&str> = cell.split(['/', '-', '.', ' ']).collect();
    let digit = |part: &str| part.starts_with(|c: char| c.is_ascii_digit());
    matches!(parts[..], [first, middle, last, ..] if !middle.is_empty() && digit(last)
        && !first.is_empty() && first.chars().all(|c| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(lines: &[&[&str]]) -> Vec<Found> {
        let mut search = Search::default();
        let owned = |line: &[&str]| line.iter().map(|&cell| cell.to_owned()).collect::<Vec<_>>();
        lines.iter().map(|line| search.look(&owned(line))).collect()
    }

    #[test]
    fn the_header_is_the_first_line_that_names_three_columns() {
        use Found::{Above, Header};
        assert_eq!(look(&[&["UPN", "Surname", "Forename"]]), [Header]);
        let titled: &[&[&str]] = &[
            &["Green Lane Primary", "", ""],
            &["", "", ""],
            &["Printed", "3/9/2026", ""],
            &["UPN", "Legal surname", "", "Date of birth", "2025"],
        ];
        assert_eq!(look(titled), [Above, Above, Above, Header]);
        assert_eq!(look(&[&["Name", "Class"]]), [Above]);
    }

    #[test]
    fn a_pupil_is_no_header() {
        for pupil in [
            &["B801200005001", "Okafor", "Amara"][..],
            &["Okafor", "Amara", "03/09/2014"],
            &["Okafor", "Amara", "2014-09-03T00:00:00"],
            &["Okafor", "Amara", "3 Sep 2014"],
            &["Okafor", "Amara", "7B", "amara@school.example"],
            &["Okafor", "12", "7", "1234"],
        ] {
            assert_eq!(look(&[pupil]), [Found::Above], "{pupil:?}");
        }
        let unknown: &[&[&str]] = &[
            &["Okafor", "Amara", "7B", "03/09/2014"],
            &["Patel", "Dev", "7B", ""],
        ];
        assert_eq!(look(unknown), [Found::Above, Found::Above]);
    }

    #[test]
    fn after_fifty_lines_there_is_no_header() {
        let title: &[&str] = &["Green Lane Primary"];
        let mut lines = vec![title; ABOVE_MOST + 1];
        assert_eq!(look(&lines).last(), Some(&Found::None));
        lines[ABOVE_MOST] = &["UPN", "Surname", "Forename"];
        assert_eq!(look(&lines).last(), Some(&Found::Header));
    }
}
