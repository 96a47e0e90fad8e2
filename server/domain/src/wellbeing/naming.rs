//! The names of pupils in what people write: found in whatever way they are spelt, replaced by a token when a record is kept, and put
//! back for those who may see whose they are.
//!
//! It replaces too much rather than too little: a pupil called Price takes the price of a ticket with them.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;

/// What stands in a text for somebody whom the reader may not see.
pub const ANOTHER: &str = "another pupil";

const OPENS: char = '⟦';
const CLOSES: char = '⟧';

/// A pupil who is linked to a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearer {
    /// Their place in the record, from 1.
    pub place: i32,
    /// In law.
    pub first_name: String,
    /// What they are called, where that is another name.
    pub preferred_name: Option<String>,
    /// In law.
    pub last_name: String,
}

impl Bearer {
    /// As one speaks of them: "Dominika Wiśniewska".
    pub fn called(&self) -> String {
        format!("{} {}", self.spoken(), self.last_name)
    }

    fn spoken(&self) -> &str {
        self.preferred_name.as_deref().unwrap_or(&self.first_name)
    }

    /// Every way to name them, folded, with what is said by it.
    fn forms(&self) -> Vec<(Form, Vec<String>)> {
        let first = [Some(&self.first_name), self.preferred_name.as_ref()];
        let first: Vec<Vec<String>> = first
            .into_iter()
            .flatten()
            .map(|name| words(name))
            .collect();
        let last = words(&self.last_name);
        let mut forms = Vec::new();
        for first in first {
            forms.push((Form::Whole, [first.clone(), last.clone()].concat()));
            forms.extend(pieces(&first).map(|piece| (Form::First, piece)));
        }
        forms.extend(pieces(&last).map(|piece| (Form::Last, piece)));
        forms.retain(|(_, form)| !form.is_empty());
        forms
    }
}

/// A name, and of one in several words each that is not a mere particle.
fn pieces(name: &[String]) -> impl Iterator<Item = Vec<String>> {
    let single = name
        .iter()
        .filter(|word| name.len() > 1 && word.chars().count() >= LEAST_PIECE)
        .map(|word| vec![word.clone()]);
    std::iter::once(name.to_vec()).chain(single)
}

/// Shorter parts of a name are "de", "van", "bin".
const LEAST_PIECE: usize = 4;

/// Which of somebody's names a text used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    Whole,
    First,
    Last,
}

impl Form {
    const fn letter(self) -> char {
        match self {
            Self::Whole => 'w',
            Self::First => 'f',
            Self::Last => 'l',
        }
    }

    fn of(self, bearer: &Bearer) -> String {
        match self {
            Self::Whole => bearer.called(),
            Self::First => bearer.spoken().to_owned(),
            Self::Last => bearer.last_name.clone(),
        }
    }
}

/// The text with a token for each name of these pupils. One that several of them bear stands for them all.
pub fn mask(text: &str, bearers: &[Bearer]) -> String {
    let text = text.replace(OPENS, "[").replace(CLOSES, "]");
    let found = split(&text);
    let forms: Vec<(i32, Form, Vec<String>)> = bearers
        .iter()
        .flat_map(|bearer| {
            let forms = bearer.forms().into_iter();
            forms.map(|(form, words)| (bearer.place, form, words))
        })
        .collect();
    let mut masked = String::with_capacity(text.len());
    let (mut at, mut from) = (0, 0);
    while at < found.len() {
        let here = &found[at..];
        let longest = forms
            .iter()
            .filter_map(|(place, form, words)| {
                Some((words.len(), begins(here, words)?, *form, *place))
            })
            .max_by_key(|(words, ..)| *words);
        let Some((many, end, form, _)) = longest else {
            at += 1;
            continue;
        };
        let mut places: Vec<i32> = forms
            .iter()
            .filter(|(_, _, words)| words.len() == many && begins(here, words).is_some())
            .map(|(place, ..)| *place)
            .collect();
        places.sort_unstable();
        places.dedup();
        let places: Vec<String> = places.iter().map(i32::to_string).collect();
        masked.push_str(&text[from..here[0].at.start]);
        masked.push(OPENS);
        masked.push_str(&places.join(","));
        masked.push(form.letter());
        masked.push(CLOSES);
        from = end;
        at += many;
    }
    masked.push_str(&text[from..]);
    masked
}

/// The text for somebody who sees these pupils of a record and no others of it.
pub fn unmask(masked: &str, seen: &[Bearer]) -> String {
    let mut text = String::with_capacity(masked.len());
    let mut rest = masked;
    while let Some((before, token)) = rest.split_once(OPENS) {
        text.push_str(before);
        let Some((token, after)) = token.split_once(CLOSES) else {
            rest = token;
            continue;
        };
        text.push_str(&named(token, seen).unwrap_or_else(|| ANOTHER.to_owned()));
        rest = after;
    }
    text.push_str(rest);
    text
}

/// What a token says to who sees everybody it stands for.
fn named(token: &str, seen: &[Bearer]) -> Option<String> {
    let form = [Form::Whole, Form::First, Form::Last]
        .into_iter()
        .find(|form| token.ends_with(form.letter()))?;
    let bearers: Option<Vec<&Bearer>> = token
        .trim_end_matches(form.letter())
        .split(',')
        .map(|place| {
            let place: i32 = place.parse().ok()?;
            seen.iter().find(|bearer| bearer.place == place)
        })
        .collect();
    bearers?.first().map(|bearer| form.of(bearer))
}

/// Where a folded phrase stands in a text, as it was typed there.
pub fn typed<'a>(text: &'a str, folded: &str) -> Option<&'a str> {
    let found = split(text);
    let phrase = words(folded);
    (0..found.len()).find_map(|at| {
        let end = begins(&found[at..], &phrase)?;
        text.get(found[at].at.start..end)
    })
}

/// Where a phrase ends that the words begin with; an s after it, as in "Aishas", is no part of it.
fn begins(found: &[Word], phrase: &[String]) -> Option<usize> {
    let (last, before) = phrase.split_last()?;
    let word = found.get(before.len())?;
    let same = before
        .iter()
        .zip(found)
        .all(|(name, word)| *name == word.folded);
    if !same {
        return None;
    }
    if word.folded == *last {
        return Some(word.at.end);
    }
    word.s_at
        .filter(|_| word.folded.strip_suffix('s') == Some(last))
}

/// A word and where it stands.
#[derive(Debug)]
struct Word {
    folded: String,
    at: Range<usize>,
    /// Where its last letter stands, if that is an s.
    s_at: Option<usize>,
}

/// The words of a text as names are compared: without accents, capitals, apostrophes, hyphens, and the s of "Aisha's". The database
/// folds alike (`sec.folded`).
pub fn words(text: &str) -> Vec<String> {
    split(text).into_iter().map(|word| word.folded).collect()
}

fn split(text: &str) -> Vec<Word> {
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let mut words: Vec<Word> = Vec::new();
    let mut inside = false;
    let mut skip = 0;
    for (n, (at, c)) in chars.iter().enumerate() {
        if skip > 0 {
            skip -= 1;
            continue;
        }
        let end = at + c.len_utf8();
        if is_apostrophe(*c) {
            let next = chars.get(n + 1).map(|(_, c)| *c);
            let after = chars.get(n + 2).map(|(_, c)| *c);
            let ends = |c: Option<char>| !c.is_some_and(char::is_alphanumeric);
            if matches!(next, Some('s' | 'S')) && ends(after) {
                (inside, skip) = (false, 1);
            } else if ends(next) {
                inside = false;
            }
            continue;
        }
        let folded = fold(*c);
        if folded.is_empty() {
            // A mark that stands over the letter before it.
            if let (true, Some(word)) = (inside, words.last_mut()) {
                word.at.end = end;
            }
        } else if folded.chars().all(char::is_alphanumeric) {
            let s_at = (folded == "s").then_some(*at);
            match words.last_mut() {
                Some(word) if inside => {
                    word.folded.push_str(&folded);
                    word.at.end = end;
                    word.s_at = s_at;
                }
                _ => words.push(Word {
                    folded,
                    at: *at..end,
                    s_at,
                }),
            }
            inside = true;
        } else {
            inside = false;
        }
    }
    words
}

fn fold(c: char) -> String {
    std::iter::once(c)
        .nfd()
        .filter(|c| !matches!(c, '\u{300}'..='\u{36f}'))
        .flat_map(char::to_lowercase)
        .filter(|c| !matches!(c, '\u{300}'..='\u{36f}'))
        .fold(String::new(), |mut folded, c| {
            match c {
                'ß' => folded.push_str("ss"),
                'æ' => folded.push_str("ae"),
                'œ' => folded.push_str("oe"),
                'ł' => folded.push('l'),
                'ø' => folded.push('o'),
                'đ' | 'ð' => folded.push('d'),
                'ı' => folded.push('i'),
                other => folded.push(other),
            }
            folded
        })
}

const fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’' | '‘' | 'ʼ' | '`' | '´' | '′')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(place: i32, first: &str, last: &str) -> Bearer {
        Bearer {
            place,
            first_name: first.to_owned(),
            preferred_name: None,
            last_name: last.to_owned(),
        }
    }

    fn two() -> [Bearer; 2] {
        [
            bearer(1, "Zoë", "Wiśniewska"),
            Bearer {
                preferred_name: Some("Ben".to_owned()),
                ..bearer(2, "Benedict", "O’Rourke-Mensah")
            },
        ]
    }

    #[test]
    fn a_name_is_found_however_it_is_spelt_and_leaves_the_rest_as_it_was() {
        for (typed, kept) in [
            ("Zoë hit Ben.", "⟦1f⟧ hit ⟦2f⟧."),
            ("zoe's bag, ZOE’S coat", "⟦1f⟧'s bag, ⟦1f⟧’S coat"),
            ("Zoe\u{308} Wisniewska came", "⟦1w⟧ came"),
            ("Benedict O'Rourke Mensah", "⟦2w⟧"),
            ("Ben O’ROURKE-MENSAH’s mother", "⟦2w⟧’s mother"),
            ("Mrs Mensah rang, Bens aunt", "Mrs ⟦2l⟧ rang, ⟦2f⟧s aunt"),
            ("‘Ben’ (Ben)", "‘⟦2f⟧’ (⟦2f⟧)"),
            ("the bench, a Zoetrope", "the bench, a Zoetrope"),
            ("⟦1w⟧", "[1w]"),
            ("", ""),
        ] {
            assert_eq!(mask(typed, &two()), kept, "{typed}");
        }
    }

    #[test]
    fn each_reader_is_shown_the_names_of_those_they_see() {
        let two = two();
        let kept = mask("Zoë Wiśniewska pushed Ben; Mensah fell.", &two);
        assert_eq!(
            unmask(&kept, &two),
            "Zoë Wiśniewska pushed Ben; O’Rourke-Mensah fell."
        );
        assert_eq!(
            unmask(&kept, &two[..1]),
            "Zoë Wiśniewska pushed another pupil; another pupil fell."
        );
        assert_eq!(
            unmask(&kept, &[]),
            "another pupil pushed another pupil; another pupil fell."
        );
        // What is no token of ours is nobody's name.
        assert_eq!(
            unmask("⟦9w⟧ and ⟦x⟧ and ⟦1", &two),
            "another pupil and another pupil and 1"
        );
    }

    #[test]
    fn a_name_that_two_bear_is_shown_to_who_sees_both() {
        let sisters = [bearer(1, "Aisha", "Khan"), bearer(2, "Sana", "Khan")];
        let kept = mask("Mr Khan spoke of Sana.", &sisters);
        assert_eq!(kept, "Mr ⟦1,2l⟧ spoke of ⟦2f⟧.");
        assert_eq!(unmask(&kept, &sisters), "Mr Khan spoke of Sana.");
        assert_eq!(
            unmask(&kept, &sisters[..1]),
            "Mr another pupil spoke of another pupil."
        );
    }

    #[test]
    fn what_was_typed_is_given_back_as_it_was_typed() {
        let text = "He sat with BENEDICT O’Rourke-Mensah’s friend.";
        assert_eq!(
            typed(text, "benedict orourke mensah"),
            Some("BENEDICT O’Rourke-Mensah")
        );
        assert_eq!(typed(text, "nobody"), None);
    }
}
