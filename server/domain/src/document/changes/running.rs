//! Running heads and feet: lines that stand at the edges of most pages and differ only in a page number, a date or the number of
//! the version. They say nothing of a page, so no page has changed because of them.

use std::collections::{HashMap, HashSet};

use super::words::{Word, lines};

/// So many lines at the top and at the bottom of a page may be such.
const EDGE: usize = 3;

/// Most words of such a line.
const WORDS_MOST: usize = 30;

/// Below so many pages that numbers rise from page to page may be chance.
const PAGES_FEW: usize = 4;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// The words of the pages of both versions without what runs over them. What runs over one version only is new or gone, and is
/// told once: on the first page where it stands.
pub(super) fn without_running<'a>(
    old: &'a [String],
    new: &'a [String],
) -> (Vec<Vec<Word<'a>>>, Vec<Vec<Word<'a>>>) {
    let (old, new) = (Version::of(old), Version::of(new));
    let runs = |version: &Version<'_>, least| -> HashSet<String> {
        let often = version.shapes.iter();
        often
            .filter(|(_, count)| **count >= least && **count * 2 > version.pages.len())
            .map(|(shape, _)| shape.clone())
            .collect()
    };
    let known: HashSet<String> = runs(&old, 2).union(&runs(&new, 2)).cloned().collect();
    // A version of one page has the same line once.
    let (before, after) = (runs(&old, 1), runs(&new, 1));
    let in_both: HashSet<&String> = known
        .iter()
        .filter(|shape| before.contains(*shape) && after.contains(*shape))
        .collect();
    (old.without(&known, &in_both), new.without(&known, &in_both))
}

/// The pages of a version, line by line, and on how many of them a line of each shape stands at an edge.
struct Version<'a> {
    pages: Vec<Vec<Vec<Word<'a>>>>,
    shapes: HashMap<String, usize>,
}

impl<'a> Version<'a> {
    fn of(pages: &'a [String]) -> Self {
        let pages: Vec<Vec<_>> = pages.iter().map(|page| lines(page).collect()).collect();
        let mut shapes = HashMap::new();
        for (index, page) in pages.iter().enumerate() {
            let edges = page.iter().enumerate();
            let here: HashSet<String> = edges
                .filter(|(place, _)| is_edge(*place, page.len()))
                .flat_map(|(_, line)| shapes_of(line, index + 1, pages.len()))
                .collect();
            for shape in here {
                *shapes.entry(shape).or_default() += 1;
            }
        }
        Self { pages, shapes }
    }

    fn without(self, known: &HashSet<String>, in_both: &HashSet<&String>) -> Vec<Vec<Word<'a>>> {
        let all = self.pages.len();
        let mut told: HashSet<String> = HashSet::new();
        let pages = self.pages.into_iter().zip(1..);
        pages
            .map(|(page, number)| {
                let length = page.len();
                let lines = page.into_iter().enumerate().filter(|(place, line)| {
                    if !is_edge(*place, length) {
                        return true;
                    }
                    let shapes = shapes_of(line, number, all);
                    if shapes.iter().any(|shape| in_both.contains(shape)) {
                        return false;
                    }
                    let runs = shapes.into_iter().find(|shape| known.contains(shape));
                    runs.is_none_or(|shape| told.insert(shape))
                });
                lines.flat_map(|(_, line)| line).collect()
            })
            .collect()
    }
}

const fn is_edge(place: usize, length: usize) -> bool {
    place < EDGE || place + EDGE >= length
}

/// What a line looks like on any page: without its date, its version and its page number. A number that is none of these stays:
/// a fee that changed is told, wherever it stands. Which one is the page's is known by what stands before it, or, as the first or
/// the last number of the line, by its going with the page: one shape for each of these.
fn shapes_of(line: &[Word<'_>], page: usize, pages: usize) -> Vec<String> {
    if line.len() > WORDS_MOST {
        return vec![];
    }
    let mut words: Vec<String> = line.iter().map(|word| bare(word.text)).collect();
    words.retain(|word| !word.is_empty());
    let number = |at: usize| words.get(at).and_then(|word| ordinal(word));
    let is_month = |at: usize| {
        words.get(at).is_some_and(|word| {
            MONTHS
                .iter()
                .any(|month| month == word || (word.len() >= 3 && month.starts_with(&**word)))
        }) && (number(at + 1).is_some() || at.checked_sub(1).and_then(number).is_some())
    };
    let near_month = |at: usize, far: usize| {
        (at.saturating_sub(far)..=at + far).any(|other| other != at && is_month(other))
    };
    let behind = |at: usize, among: &[&str]| {
        at.checked_sub(1)
            .is_some_and(|before| among.contains(&&*words[before]))
    };
    let mut shape: Vec<String> = vec![];
    // Where a number stands of which nothing is known, and which it is.
    let mut open: Vec<(usize, usize)> = vec![];
    for (at, word) in words.iter().enumerate() {
        let begins = word.starts_with(|letter: char| letter.is_ascii_digit());
        let masked = is_month(at)
            || is_date(word)
            || number(at).is_some_and(|n| near_month(at, if n > 31 { 2 } else { 1 }))
            || (begins && behind(at, &["version", "v", "issue", "revision", "rev", "edition"]))
            || is_version(word)
            || (begins && behind(at, &["page", "p", "pg", "slide"]))
            || (begins
                && behind(at, &["of"])
                && at >= 2
                && number(at - 2).is_some_and(|n| n <= pages));
        if let (false, Some(n)) = (masked, word.parse().ok()) {
            open.push((at, n));
        }
        shape.push(if masked { "#".to_owned() } else { word.clone() });
    }
    let mut shapes = vec![shape.join(" ")];
    for (at, n) in [open.first(), open.last()].into_iter().flatten() {
        if *n != page && (pages < PAGES_FEW || n.abs_diff(page) > pages) {
            continue;
        }
        let mut with: Vec<String> = shape.clone();
        let away = if *n < page { "before" } else { "behind" };
        with[*at] = format!("#{away}{}", n.abs_diff(page));
        let with = with.join(" ");
        if !shapes.contains(&with) {
            shapes.push(with);
        }
    }
    shapes
}

/// A word without the marks around it, small.
fn bare(word: &str) -> String {
    word.trim_matches(|letter: char| !letter.is_alphanumeric())
        .to_lowercase()
}

/// "25" or "25th".
fn ordinal(word: &str) -> Option<usize> {
    let digits = ["st", "nd", "rd", "th"]
        .iter()
        .find_map(|ending| word.strip_suffix(ending))
        .unwrap_or(word);
    digits.parse().ok()
}

/// "25/07/2026", "25.7.26" or "2026-07-25".
fn is_date(word: &str) -> bool {
    ['/', '.', '-'].iter().any(|mark| {
        let parts: Vec<&str> = word.split(*mark).collect();
        let digits = |part: &&str| {
            (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        parts.len() == 3 && parts.iter().all(digits)
    })
}

/// "v2" or "v2.1".
fn is_version(word: &str) -> bool {
    word.strip_prefix('v')
        .is_some_and(|number| number.starts_with(|letter: char| letter.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of two versions of which each page says something, under a head or over a foot.
    fn left(old: &[&str], new: &[&str]) -> [Vec<String>; 2] {
        let pages = |lines: &[&str]| -> Vec<String> {
            let lines = lines.iter().enumerate();
            lines
                .map(|(n, line)| {
                    let word = ["Alpha", "Beta", "Gamma"][n];
                    format!("{word} begins\n{word} goes on\n{word} ends\n{line}")
                })
                .collect()
        };
        let (old, new) = (pages(old), pages(new));
        let (before, after) = without_running(&old, &new);
        [before, after].map(|pages| {
            let last = |page: Vec<Word<'_>>| {
                let words: Vec<&str> = page.iter().map(|word| word.text).collect();
                let line = words.join(" ");
                let (_, foot) = line.rsplit_once(" ends").unwrap();
                foot.trim().to_owned()
            };
            pages.into_iter().map(last).collect()
        })
    }

    #[test]
    fn a_foot_that_differs_in_date_version_and_page_is_left_out() {
        for (old, new) in [
            (
                "Version 1, 3 May 2026 Page {} of 3",
                "Version 2, 25 July 2026 Page {} of 3",
            ),
            (
                "Oakfield | v1.2 | 03/05/2026 | {}",
                "Oakfield | v2.0 | 25/07/2026 | {}",
            ),
            ("{}", "{}"),
            ("- {} -", "{}"),
            (
                "Behaviour policy, May 2026 p. {}/3",
                "Behaviour policy, June 2026 p. {}/3",
            ),
        ] {
            let [old, new] =
                [old, new].map(|foot| [1, 2, 3].map(|n| foot.replace("{}", &n.to_string())));
            let said = left(
                &old.each_ref().map(String::as_str),
                &new.each_ref().map(String::as_str),
            );
            assert_eq!(said, [["", "", ""], ["", "", ""]], "{old:?}");
        }
    }

    #[test]
    fn a_fee_at_the_foot_of_each_page_that_changed_is_told_once() {
        assert_eq!(
            left(&["Each pays £25"; 3], &["Each pays £35"; 3]),
            [["Each pays £25", "", ""], ["Each pays £35", "", ""]]
        );
    }

    #[test]
    fn a_sum_at_the_foot_of_each_page_is_no_foot() {
        let sums = ["Sum 410", "Sum 388", "Sum 402"];
        let now = ["Sum 410", "Sum 391", "Sum 402"];
        assert_eq!(left(&sums, &now), [sums, now]);
    }
}
