//! What changed between two versions of a document, page by page and word by word, in the text that the inspection read.
//!
//! Pages are paired by how alike they are, so that one that was put in does not make all behind it look changed; what runs over
//! all of them is left out, and a sentence that went over the end of a page has stayed. A text without pages is compared as one,
//! and what changed is told by the parts it stands in. Work is bounded: what would take too much of it is told as changed, without
//! the words.

#[cfg(feature = "db")]
mod alike;
#[cfg(feature = "db")]
mod flowing;
#[cfg(feature = "db")]
mod paged;
#[cfg(feature = "db")]
mod running;
#[cfg(feature = "db")]
mod words;

use serde::{Deserialize, Serialize};

use crate::file::Division;

/// A stretch of a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// Its words, each line for itself.
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

/// A page that is not as it was, or a part of a text without pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// Its number in the older version; none for a page that is new. Of a part, where its first words stood.
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
        pieces.map(|piece| piece.text.trim()).collect()
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
    /// What the newer version is divided into; each [`Page`] is one of these.
    pub division: Division,
}

impl Changes {
    /// The pages of the newer version that are new or changed.
    pub fn numbers(&self) -> Vec<u32> {
        self.pages.iter().filter_map(|page| page.new).collect()
    }
}

#[cfg(feature = "db")]
pub use flowing::compare as compare_parts;
#[cfg(feature = "db")]
pub use paged::compare;
#[cfg(feature = "db")]
pub use queries::between;

/// Most letters of both versions that are compared at all.
#[cfg(feature = "db")]
const TEXT_MOST: usize = 40_000_000;

/// Most words of a page that are compared one by one.
#[cfg(feature = "db")]
const WORDS_MOST: usize = 4_000;

/// Most pages whose words are told.
#[cfg(feature = "db")]
const PAGES_MOST: usize = 200;

/// Steps that one comparison may take: a second at most.
#[cfg(feature = "db")]
const STEPS: u64 = 200_000_000;

/// Whether there is more text than is compared.
#[cfg(feature = "db")]
fn is_too_much(old: &[String], new: &[String]) -> bool {
    old.iter().chain(new).map(String::len).sum::<usize>() > TEXT_MOST
}

#[cfg(feature = "db")]
mod queries {
    use uuid::Uuid;

    use super::{Changes, compare, compare_parts};
    use crate::{
        Refusal,
        db::{Read, refused},
        document::parts,
        file::{Division, Kind},
        work,
    };

    /// What changed between two versions of a document that the caller reads.
    pub async fn between(
        read: &mut Read,
        document: Uuid,
        since: u32,
        to: u32,
    ) -> Result<Changes, Refusal> {
        let (before, old) = pages(read, document, since).await?;
        let (division, new) = pages(read, document, to).await?;
        let changes = work::apart(move || match (before, division) {
            // One of the two has no pages, so neither is compared by them.
            (Division::Part, _) | (_, Division::Part) => {
                compare_parts(&as_parts(&old), &as_parts(&new))
            }
            _ => compare(&old, &new),
        })
        .await?;
        Ok(Changes {
            division,
            ..changes
        })
    }

    /// What was kept before there were parts is divided as it would be now; a part stays what it is.
    fn as_parts(pages: &[String]) -> Vec<String> {
        pages.iter().flat_map(|page| parts::split(page)).collect()
    }

    async fn pages(
        read: &mut Read,
        document: Uuid,
        number: u32,
    ) -> Result<(Division, Vec<String>), Refusal> {
        let tenant = read.standing.tenant;
        let rows = sqlx::query!(
            r#"select v.format, p.body as "body?" from version v
               left join page p on p.tenant_id = v.tenant_id and p.version_id = v.id
               where v.tenant_id = $1 and v.document_id = $2 and v.number = $3 order by p.number"#,
            tenant,
            document,
            i32::try_from(number).map_err(|_| Refusal::NotFound)?
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        let format = rows.first().and_then(|row| Kind::from_code(&row.format));
        Ok((
            format.map(Kind::division).unwrap_or_default(),
            rows.into_iter().filter_map(|row| row.body).collect(),
        ))
    }
}

#[cfg(all(test, feature = "db"))]
mod tests {
    use super::*;
    use crate::document::parts::{split, tests::long};
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

    /// Nine pages of a policy, with a head and a foot over each, whose lines are as the program that made it broke them.
    fn printed(lines: &[String], on_each: usize, foot: &str) -> Vec<String> {
        let pages = lines.chunks(on_each);
        let many = pages.len();
        pages
            .zip(1..)
            .map(|(lines, n)| {
                let page = format!("Page {n} of {many}");
                format!("Behaviour policy\n{}\n{foot} {page}", lines.join("\n"))
            })
            .collect()
    }

    fn policy() -> Vec<String> {
        long().into_iter().take(72).collect()
    }

    #[test]
    fn what_runs_over_every_page_has_changed_none_of_them() {
        let mut now = policy();
        let old = printed(&now, 8, "Version 1, 3 May 2026");
        assert_eq!(old.len(), 9);
        let foot = "Version 2, 25 July 2026";
        assert_eq!(compare(&old, &printed(&now, 8, foot)).pages, []);
        now[20].push_str(" Parents are told by letter.");
        let told = compare(&old, &printed(&now, 8, foot));
        let [page] = &told.pages[..] else {
            panic!("{told:?}")
        };
        assert_eq!((page.old, page.new), (Some(3), Some(3)));
        assert_eq!(page.only(Tag::Added), ["Parents are told by letter."]);
        assert_eq!(page.only(Tag::Removed), [""; 0]);
    }

    #[test]
    fn what_went_over_the_end_of_a_page_has_stayed() {
        let mut now = policy();
        let old = printed(&now, 8, "Version 1, 3 May 2026");
        now.insert(3, NEW.to_owned());
        let new = printed(&now, 8, "Version 2, 25 July 2026");
        let told = compare(&old, &new);
        let [page] = &told.pages[..] else {
            panic!("{told:?}")
        };
        assert_eq!((page.old, page.new), (Some(1), Some(1)));
        assert_eq!(
            (page.only(Tag::Added), page.only(Tag::Removed).len()),
            (vec![NEW], 0)
        );
        // And back again, where a page and a half was put in, and where one was taken out.
        let back = compare(&new, &old);
        assert_eq!(back.pages.len(), 1, "{back:?}");
        let mut more = policy();
        let put_in: Vec<String> = (0..12)
            .map(|n| format!("Put in number{n} by all{n} who agreed{n} to it{n}."))
            .collect();
        more.splice(20..20, put_in.clone());
        let told = compare(&old, &printed(&more, 8, "Version 1, 3 May 2026"));
        let added: Vec<&str> = told
            .pages
            .iter()
            .flat_map(|page| page.only(Tag::Added))
            .collect();
        let added: Vec<&str> = added.iter().flat_map(|text| text.lines()).collect();
        assert_eq!(added, put_in);
        let removed = told
            .pages
            .iter()
            .flat_map(|page| page.only(Tag::Removed))
            .count();
        assert_eq!(removed, 0, "{told:?}");
    }

    #[test]
    fn a_new_head_is_told_once() {
        let text = policy();
        let old = printed(&text, 8, "Version 1");
        let new: Vec<String> = old
            .iter()
            .map(|page| page.replace("Behaviour policy", "Draft conduct policy"))
            .collect();
        let told = compare(&old, &new);
        assert_eq!(told.numbers(), [1]);
        assert_eq!(told.pages[0].only(Tag::Added), ["Draft conduct"]);
    }

    #[test]
    fn a_sentence_on_another_page_than_its_neighbour_is_another_place() {
        // From the beginning of page 2 to the end of page 4, over what stands between: that is a change.
        let mut now = policy();
        let old = printed(&now, 8, "Version 1");
        let moved = now.remove(8);
        now.insert(31, moved.clone());
        let told = compare(&old, &printed(&now, 8, "Version 2"));
        let only =
            |tag| -> Vec<&str> { told.pages.iter().flat_map(|page| page.only(tag)).collect() };
        assert_eq!(
            (only(Tag::Removed), only(Tag::Added)),
            (vec![&*moved], vec![&*moved])
        );
    }

    #[test]
    fn lines_stay_lines() {
        let old = "5. Suspension\nThe head decides\nwithin five school days";
        let new = "5. Suspension\nThe head decides\nwithin ten school\ndays";
        let told = compare(&pages(&[old]), &pages(&[new]));
        let pieces: Vec<(&str, Tag)> = told.pages[0]
            .pieces
            .iter()
            .map(|piece| (&*piece.text, piece.tag))
            .collect();
        assert_eq!(
            pieces,
            [
                ("5. Suspension\nThe head decides\nwithin", Tag::Same),
                ("five", Tag::Removed),
                ("ten", Tag::Added),
                ("school\ndays\n", Tag::Same),
            ]
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

    const NEW: &str = "This paragraph is new, and nobody has read it yet.";

    /// Which parts changed, and all that is new and all that is gone.
    fn told(old: &[String], new: &[String]) -> (Vec<u32>, Vec<String>, Vec<String>) {
        let now = compare_parts(old, new);
        assert!(!now.unknown && !now.without_text);
        let all = |tag| -> Vec<String> {
            let pages = now.pages.iter();
            pages
                .flat_map(|page| page.only(tag))
                .map(str::to_owned)
                .collect()
        };
        assert!(now.pages.iter().all(|page| !page.pieces.is_empty()));
        (now.numbers(), all(Tag::Added), all(Tag::Removed))
    }

    #[test]
    fn a_paragraph_put_before_twelve_thousand_words_marks_one_part() {
        let old = split(&long().join("\n"));
        assert!(old.len() > 15);
        let mut now = long();
        now.insert(0, NEW.to_owned());
        let (numbers, added, removed) = told(&old, &split(&now.join("\n")));
        assert_eq!(
            (numbers, added, removed.len()),
            (vec![1], vec![NEW.to_owned()], 0)
        );
    }

    #[test]
    fn in_a_long_text_each_change_is_told_where_it_stands() {
        let old = split(&long().join("\n"));
        let mut now = long();
        now[150].push_str(" Parents are told by letter.");
        let gone = now.pop().unwrap();
        let (numbers, added, removed) = told(&old, &split(&now.join("\n")));
        assert_eq!(added, ["Parents are told by letter."]);
        assert_eq!(removed, [gone]);
        let last = u32::try_from(split(&now.join("\n")).len()).unwrap();
        assert!(
            matches!(&numbers[..], [middle, end] if *end == last && (5..last).contains(middle)),
            "{numbers:?} of {last}"
        );
    }

    #[test]
    fn where_a_part_or_a_line_ends_is_no_change() {
        let whole = long().join("\n");
        // As it was kept before there were parts, and as another program ends its lines.
        for old in [vec![whole.clone()], split(&whole.replace(". ", ".\n"))] {
            assert_eq!(compare_parts(&old, &split(&whole)).pages, []);
        }
        assert!(compare_parts(&pages(&[""]), &split(&whole)).without_text);
    }

    #[test]
    fn a_text_of_which_nothing_stayed_is_told_and_takes_no_time() {
        let words = |word: &str| -> Vec<String> {
            let lines: Vec<String> = (0..60_000).map(|n| format!("{word}{}", n % 7)).collect();
            split(&lines.join(" "))
        };
        let mixed: Vec<String> = {
            let lines: Vec<String> = (0..60_000)
                .map(|n| format!("a{}", n % 11 * (n % 11) % 11 % 7))
                .collect();
            split(&lines.join(" "))
        };
        for new in [words("b"), mixed] {
            let began = Instant::now();
            let now = compare_parts(&words("a"), &new);
            assert!(
                began.elapsed() < Duration::from_secs(10),
                "{:?}",
                began.elapsed()
            );
            assert_eq!(now.pages.len(), new.len());
        }
    }
}
