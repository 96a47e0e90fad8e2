//! What changed between two versions of a document, page by page and word by word, in the text that the inspection read.
//!
//! Pages are paired by how alike they are, so that one that was put in does not make all behind it look changed. Time is bounded:
//! what takes too long is told as changed, without the words.

use serde::{Deserialize, Serialize};

/// A stretch of a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// Its words.
    pub text: String,
    /// In which version it stands.
    pub tag: Tag,
}

/// In which version something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tag {
    /// In both.
    Same,
    /// In the newer one.
    Added,
    /// In the older one.
    Removed,
}

/// A page that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// Its number in the older version; none for a page that is new.
    pub old: Option<u32>,
    /// Its number in the newer version; none for a page that is gone.
    pub new: Option<u32>,
    /// Its text with what is other; empty where there was too much to compare.
    pub pieces: Vec<Piece>,
}

impl Page {
    /// The words that stand in one of the two versions only.
    pub fn only(&self, tag: Tag) -> Vec<&str> {
        let pieces = self.pieces.iter().filter(|piece| piece.tag == tag);
        pieces.map(|piece| piece.text.as_str()).collect()
    }
}

/// What changed from one version to another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// In the order of the pages.
    pub pages: Vec<Page>,
    /// Whether there was too much text to compare.
    pub unknown: bool,
    /// Whether either version has no text.
    pub without_text: bool,
}

impl Changes {
    /// The pages of the newer version that are new or changed.
    pub fn numbers(&self) -> Vec<u32> {
        self.pages.iter().filter_map(|page| page.new).collect()
    }
}

#[cfg(feature = "db")]
pub use comparing::compare;
#[cfg(feature = "db")]
pub use queries::between;

#[cfg(feature = "db")]
mod comparing {
    use std::{
        collections::{HashMap, HashSet},
        time::{Duration, Instant},
    };

    use similar::{Algorithm, ChangeTag, DiffOp, capture_diff_slices_deadline};

    use super::{Changes, Page, Piece, Tag};

    /// Most words of a page that are compared one by one.
    const WORDS_MOST: usize = 4_000;

    /// Most pages whose words are compared.
    const PAGES_MOST: usize = 200;

    /// Most letters of both versions that are compared at all.
    const TEXT_MOST: usize = 40_000_000;

    /// How long all words of a document may take, and those of one page.
    const ALL: Duration = Duration::from_millis(600);
    const ONE: Duration = Duration::from_millis(60);

    /// From how many shared words on, of a hundred, two pages are the same page.
    const ALIKE: usize = 30;

    /// Most pages on either side of a stretch in which each is held against each.
    const STRETCH_MOST: usize = 80;

    /// What changed from the pages of one version to those of another.
    pub fn compare(old: &[String], new: &[String]) -> Changes {
        if old.iter().chain(new).map(String::len).sum::<usize>() > TEXT_MOST {
            return Changes {
                unknown: true,
                ..Changes::default()
            };
        }
        let words = |pages: &[String]| {
            pages
                .iter()
                .map(|page| page.split_whitespace().map(str::to_owned).collect())
                .collect()
        };
        let (old, new): (Vec<Vec<String>>, Vec<Vec<String>>) = (words(old), words(new));
        let pairs = pairs(&old, &new);
        let began = Instant::now();
        let mut pages = vec![];
        for (before, after) in pairs {
            let page = match (before, after) {
                (Some(before), Some(after)) if old[before] == new[after] => continue,
                (Some(before), Some(after)) => {
                    let small = old[before].len().max(new[after].len()) <= WORDS_MOST;
                    let pieces = if small && pages.len() < PAGES_MOST && began.elapsed() < ALL {
                        differences(&old[before], &new[after])
                    } else {
                        vec![]
                    };
                    (Some(before), Some(after), pieces)
                }
                // A page that only came or went, whole: its words are all of one kind.
                (before, after) => {
                    let (tag, words) = match (before, after) {
                        (Some(before), _) => (Tag::Removed, &old[before]),
                        (_, Some(after)) => (Tag::Added, &new[after]),
                        _ => continue,
                    };
                    let said =
                        pages.len() < PAGES_MOST && !words.is_empty() && words.len() <= WORDS_MOST;
                    let piece = said.then(|| Piece {
                        text: words.join(" "),
                        tag,
                    });
                    (before, after, piece.into_iter().collect())
                }
            };
            pages.push(Page {
                old: page.0.and_then(number),
                new: page.1.and_then(number),
                pieces: page.2,
            });
        }
        Changes {
            without_text: [&old, &new]
                .iter()
                .any(|pages| pages.iter().all(Vec::is_empty)),
            unknown: false,
            pages,
        }
    }

    fn number(index: usize) -> Option<u32> {
        u32::try_from(index + 1).ok()
    }

    type Pair = (Option<usize>, Option<usize>);

    /// Which page of the new version each of the old one is, in order.
    fn pairs(old: &[Vec<String>], new: &[Vec<String>]) -> Vec<Pair> {
        // Pages by number of their text, so that to compare two of them costs nothing.
        let mut texts: HashMap<&[String], usize> = HashMap::new();
        let before = numbered(&mut texts, old);
        let after = numbered(&mut texts, new);
        let until = Some(Instant::now() + ALL);
        let mut pairs = vec![];
        for op in capture_diff_slices_deadline(Algorithm::Patience, &before, &after, until) {
            match op {
                DiffOp::Equal { .. } => {
                    pairs.extend(
                        op.old_range()
                            .zip(op.new_range())
                            .map(|(old, new)| (Some(old), Some(new))),
                    );
                }
                _ => stretch(old, new, &op, &mut pairs),
            }
        }
        pairs
    }

    fn numbered<'a>(
        texts: &mut HashMap<&'a [String], usize>,
        pages: &'a [Vec<String>],
    ) -> Vec<usize> {
        let mut numbers = Vec::with_capacity(pages.len());
        for page in pages {
            let next = texts.len();
            numbers.push(*texts.entry(page).or_insert(next));
        }
        numbers
    }

    /// Pages between two that stayed as they were: those most alike belong together (a longest common subsequence by weight).
    fn stretch(old: &[Vec<String>], new: &[Vec<String>], op: &DiffOp, pairs: &mut Vec<Pair>) {
        let (before, after) = (op.old_range(), op.new_range());
        let (rows, columns) = (before.len(), after.len());
        if rows > STRETCH_MOST || columns > STRETCH_MOST {
            for n in 0..rows.max(columns) {
                pairs.push((
                    (n < rows).then_some(before.start + n),
                    (n < columns).then_some(after.start + n),
                ));
            }
            return;
        }
        let sets = |pages: &[Vec<String>]| -> Vec<HashMap<String, usize>> {
            pages.iter().map(|page| counts(page)).collect()
        };
        let (left, right) = (sets(&old[before.clone()]), sets(&new[after.clone()]));
        let alike: Vec<Vec<usize>> = left
            .iter()
            .map(|one| right.iter().map(|other| likeness(one, other)).collect())
            .collect();
        // The most likeness that can be had of the pages from here on.
        let mut most = vec![vec![0; columns + 1]; rows + 1];
        for row in (0..rows).rev() {
            for column in (0..columns).rev() {
                let paired = if alike[row][column] >= ALIKE {
                    alike[row][column] + most[row + 1][column + 1]
                } else {
                    0
                };
                most[row][column] = paired.max(most[row + 1][column]).max(most[row][column + 1]);
            }
        }
        let (mut row, mut column) = (0, 0);
        while row < rows && column < columns {
            if alike[row][column] >= ALIKE
                && most[row][column] == alike[row][column] + most[row + 1][column + 1]
            {
                pairs.push((Some(before.start + row), Some(after.start + column)));
                row += 1;
                column += 1;
            } else if most[row][column] == most[row + 1][column] {
                pairs.push((Some(before.start + row), None));
                row += 1;
            } else {
                pairs.push((None, Some(after.start + column)));
                column += 1;
            }
        }
        pairs.extend((row..rows).map(|row| (Some(before.start + row), None)));
        pairs.extend((column..columns).map(|column| (None, Some(after.start + column))));
    }

    fn counts(words: &[String]) -> HashMap<String, usize> {
        let mut counts = HashMap::new();
        for word in words.iter().take(WORDS_MOST) {
            *counts.entry(word.to_lowercase()).or_insert(0) += 1;
        }
        counts
    }

    /// Words in both, of a hundred in the longer one.
    fn likeness(one: &HashMap<String, usize>, other: &HashMap<String, usize>) -> usize {
        let known: HashSet<&String> = one.keys().collect();
        let shared: usize = known
            .iter()
            .filter_map(|word| other.get(*word).map(|count| count.min(&one[*word])))
            .sum();
        let longest = one.values().sum::<usize>().max(other.values().sum());
        (shared * 100).checked_div(longest).unwrap_or(100)
    }

    /// The words of a page with those that are other.
    fn differences(old: &[String], new: &[String]) -> Vec<Piece> {
        let deadline = Instant::now() + ONE;
        let ops = capture_diff_slices_deadline(Algorithm::Myers, old, new, Some(deadline));
        let mut pieces: Vec<(Tag, Vec<&str>)> = vec![];
        for op in &ops {
            for (tag, range) in op.iter_slices(old, new) {
                let tag = match tag {
                    ChangeTag::Equal => Tag::Same,
                    ChangeTag::Insert => Tag::Added,
                    ChangeTag::Delete => Tag::Removed,
                };
                let words = range.iter().map(String::as_str);
                match pieces.last_mut() {
                    Some((last, said)) if *last == tag => said.extend(words),
                    _ => pieces.push((tag, words.collect())),
                }
            }
        }
        let texts = pieces.into_iter().filter(|(_, words)| !words.is_empty());
        texts
            .map(|(tag, words)| Piece {
                text: words.join(" "),
                tag,
            })
            .collect()
    }
}

#[cfg(feature = "db")]
mod queries {
    use uuid::Uuid;

    use super::{Changes, compare};
    use crate::{
        Refusal,
        db::{Read, refused},
    };

    /// What changed between two versions of a document that the caller reads.
    pub async fn between(
        read: &mut Read,
        document: Uuid,
        since: u32,
        to: u32,
    ) -> Result<Changes, Refusal> {
        let old = pages(read, document, since).await?;
        let new = pages(read, document, to).await?;
        Ok(compare(&old, &new))
    }

    async fn pages(read: &mut Read, document: Uuid, number: u32) -> Result<Vec<String>, Refusal> {
        let tenant = read.standing.tenant;
        sqlx::query_scalar!(
            "select p.body from page p join version v on v.tenant_id = p.tenant_id and v.id = p.version_id
             where v.tenant_id = $1 and v.document_id = $2 and v.number = $3 order by p.number",
            tenant,
            document,
            i32::try_from(number).map_err(|_| Refusal::NotFound)?
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)
    }
}

#[cfg(all(test, feature = "db"))]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    fn pages(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    const ONE: &str = "Every pupil has the right to learn and every teacher the right to teach";
    const TWO: &str =
        "A suspension of more than five school days is reported to the board without delay";
    const THREE: &str = "The records are kept for six years and then destroyed by the office";

    #[test]
    fn a_page_that_was_put_in_makes_no_other_look_changed() {
        let cover = "This cover is new and says who agreed to it";
        let now = compare(
            &pages(&[ONE, TWO, THREE]),
            &pages(&[cover, ONE, &TWO.replace("five", "ten whole"), THREE]),
        );
        let [first, second] = &now.pages[..] else {
            panic!("{now:?}")
        };
        assert_eq!(
            (first.old, first.new, first.only(Tag::Added)),
            (None, Some(1), vec![cover])
        );
        assert_eq!((second.old, second.new), (Some(2), Some(3)));
        assert_eq!(
            (second.only(Tag::Removed), second.only(Tag::Added)),
            (vec!["five"], vec!["ten whole"])
        );
        assert_eq!(now.numbers(), [1, 3]);
        assert_eq!(second.pieces[0].text, "A suspension of more than");
    }

    #[test]
    fn a_page_that_went_is_told_and_one_that_stayed_is_not() {
        let now = compare(&pages(&[ONE, TWO, THREE]), &pages(&[ONE, THREE]));
        let [gone] = &now.pages[..] else {
            panic!("{now:?}")
        };
        assert_eq!(
            (gone.old, gone.new, gone.only(Tag::Removed)),
            (Some(2), None, vec![TWO])
        );
        assert_eq!(
            compare(
                &pages(&[ONE, TWO]),
                &pages(&[
                    "  Every pupil has the right to learn and\nevery teacher the right to teach",
                    TWO
                ])
            )
            .pages,
            []
        );
    }

    #[test]
    fn another_page_in_its_place_is_no_changed_page() {
        let now = compare(&pages(&[ONE, TWO]), &pages(&[ONE, THREE]));
        assert_eq!(
            now.pages
                .iter()
                .map(|page| (page.old, page.new))
                .collect::<Vec<_>>(),
            [(Some(2), None), (None, Some(2))]
        );
    }

    #[test]
    fn without_text_it_says_so() {
        assert!(compare(&pages(&["", ""]), &pages(&[ONE])).without_text);
        assert!(compare(&[], &[]).without_text);
        assert!(!compare(&pages(&[ONE]), &pages(&[TWO])).without_text);
    }

    #[test]
    fn ten_thousand_pages_take_no_time() {
        let page = |n: usize, word: &str| {
            (0..40)
                .map(|k| format!("{word}{} ", (n * 31 + k * 17) % 997))
                .collect::<String>()
        };
        let old: Vec<String> = (0..10_000).map(|n| page(n, "word")).collect();
        let other: Vec<String> = (0..10_000).map(|n| page(n, "other")).collect();
        let mut shifted = old.clone();
        shifted.insert(0, "A cover that is new".to_owned());
        shifted[5_000].push_str("with a last word");
        for (new, told) in [(&other, 10_000), (&shifted, 2)] {
            let began = Instant::now();
            let now = compare(&old, new);
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "{:?}",
                began.elapsed()
            );
            assert_eq!(now.pages.len(), told);
        }
        // And a page of which no word is the same takes no longer than it may.
        let long = |word: &str| {
            vec![
                (0..4_000)
                    .map(|n| format!("{word}{n} "))
                    .collect::<String>(),
            ]
        };
        let began = Instant::now();
        compare(&long("a"), &long("b"));
        assert!(
            began.elapsed() < Duration::from_secs(5),
            "{:?}",
            began.elapsed()
        );
    }
}
