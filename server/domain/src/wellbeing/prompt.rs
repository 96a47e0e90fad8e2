//! Whether what somebody types reads like a child at risk, so that the page can say: speak to the safeguarding lead, now.
//!
//! The browser asks this of the words in front of it, and nobody else ever learns the answer. Nothing of it may be kept
//! (promise P51): no row, log line, metric, address, argument of a call, cache or message to another browser. A disclosure
//! belongs to the safeguarding lead and into their record alone; a trace of it here would be a second, unguarded file on a
//! child, which an access request could bring into the wrong hands at home. So the answer is yes or no, which word it was never
//! leaves the function, and no caller may do more with a yes than show [`ADVICE`].
//!
//! It looks for words, not for meaning. It reacts to "Dad beat me at chess" and misses what is said in other words or another
//! language; it is a reminder to an adult and never a reason to think that all is well. The kinds of harm are those that the
//! statutory guidance "Keeping children safe in education" asks every member of staff to know.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// What the page shows after a yes, and after every yes the same.
pub const ADVICE: &str = "If you think that a child is at risk, do not write it here: speak to your designated safeguarding \
    lead now. If a child is in immediate danger, ring 999. This reminder is shown in your browser only; nobody is told, and \
    nothing about it is stored.";

/// So many words may lie between the two halves of a pair of [`NEAR`].
const REACH: usize = 6;

/// Words that are enough by themselves. A star stands for any ending; words with a bar between them are alternatives, and those
/// with a space follow one another.
const PHRASES: &[&str] = &[
    // harm by others
    "abus*",
    "assault*",
    "molest*",
    "raped|raping|rapes|rape|rapist",
    "bruis*",
    "black eye|eyes",
    "burn|bite|belt|finger|cigarette mark|marks",
    "cigarette burn*",
    "mark|marks on his|her|their|my arm*|leg*|neck|back|face|body|wrist*",
    "strangl*",
    "chok*",
    "beaten|battered",
    "hit|hits|hitting|slap*|punch*|kick*|smack*|beats|beating|whack*|pinch*|shak*|grabs|grabbed me|him|her|them|us",
    "hurt|hurts|hurting me|him|us|them",
    "hurts|hurting her",
    "hurt|hurts|hurting|hit|hits|hitting|unsafe|shouted|shouting at|in home",
    "hurt|hit by",
    "bit|bites|biting me|him|her|them",
    "drunk",
    "touched|touching",
    "touches me|him|her|them",
    "private part|parts",
    "sexual*|sexting|nude|nudes|naked|porn*|indecent*|incest",
    "groomed|grooming|groomer*",
    "send|sent|sends|sending|shared|wants|asked photo*|picture*|pic|pics|selfie* of himself|herself|themselves|myself",
    "pregnan*",
    "violen*",
    "domestic abuse|violence",
    "threat*",
    "blackmail*",
    "kidnap*|abduct*|stalk*",
    "keep|kept|keeping it|this|a secret",
    "keep|kept|keeping it|this a secret",
    "our|their secret",
    "not|dont|never to tell",
    "dont|cant tell anyone|anybody|mum|dad",
    "if i|he|she|they tell|tells|told",
    // want of care
    "neglect*",
    "starv*",
    "no|without food",
    "nothing to eat",
    "not fed",
    "hungry at home",
    "left alone|outside",
    "home alone",
    "locked in|out|up|inside|outside",
    "nowhere to sleep|live|go",
    "kicked|thrown|chucked out",
    "homeless*",
    "sleeping|sleeps|slept rough|outside",
    "sleeping|sleeps|slept in the|a|their car|street|park",
    // harm to oneself
    "self harm*",
    "self injur*",
    "selfharm*",
    "suicid*",
    "overdos*",
    "kill*",
    "cut|cuts|cutting|hurt|hurts|hurting|burn|burns|burning|harm|harms|harming|hit|hits|hitting \
        myself|himself|herself|themselves|themself",
    "want|wants|wanted|wish|wishes to die",
    "wish|wishes i|he|she|they was|were|is dead",
    "better off dead|without",
    "end|ends|ending my|his|her|their|it life|all",
    "hang|hanging|hanged myself|himself|herself|themselves",
    "not|dont|doesnt|didnt want|wanting to live",
    "not|dont|doesnt|didnt want|wanting to be alive|here",
    "no reason|point to|in live|living",
    "took|taken|take pills|tablets",
    // away from home
    "run|runs|running|ran away",
    "runaway*",
    "missing from home|care",
    "go|going|went missing",
    // exploitation, gangs and weapons
    "county line|lines",
    "gang|gangs",
    "drug|drugs|dealer|dealers|dealing|cocaine|heroin|ketamine|cannabis|weed",
    "weapon*",
    "knife|knives|machete*",
    "gun|guns|firearm*",
    "stab|stabs|stabbed|stabbing",
    "acid attack*",
    "traffick*",
    "exploit*",
    "slavery",
    "radicalis*|radicaliz*|extremis*|terroris*",
    // practices with a name
    "fgm",
    "f g m",
    "female genital",
    "genital*",
    "cutting season|ceremony",
    "force|forces|forced|forcing marriage*",
    "force|forces|forced|forcing|made to|into marry|marriage*|marrying",
    "force|forces|forced|forcing|make|makes|made|making me|him|her|them marry",
    "force|forces|forced|forcing me|him|her|them to|into marry|marriage*|marrying",
    "get|getting married|engaged abroad|to",
    "honour|honor based|killing|killings|violence|crime",
    "breast iron*",
    "witchcraft|exorcis*",
    "spirit possession",
    // fear
    "not|dont|doesnt|never safe",
    "not|dont|doesnt|never feel safe",
    "unsafe",
    "danger|dangerous",
    "scared|afraid|frightened|terrified of him|her|them",
    "scared|afraid|frightened|terrified|worried|refus* to|about|of go|going home",
    "not|doesnt|dont|didnt want|wants|wanted to go|going home",
    "disclos*",
    "safeguard*",
];

/// Who lives with a child or is close to it.
const CLOSE: &str = "mum*|mom|mam|dad*|father*|mother*|stepdad*|stepmum*|stepmom*|stepfather*|stepmother*|stepbrother*|\
    parent*|uncle*|aunt*|cousin*|grandad*|grandpa*|granddad*|nan|nana|boyfriend*|girlfriend*|carer*|foster*";

/// Two words near each other, in either order: fear or hurt, and the people and places that it may come from.
const NEAR: &[(&str, &[&str])] = &[
    (
        "scared|scary|afraid|frighten*|terrif*|dread*|hates|hate|flinch*|hiding|hides",
        &[CLOSE, "brother*|sister*|teacher*|home|house"],
    ),
    (
        "hit|hits|hitting|hurt|hurts|hurting|slap*|punch*|kicked|kicks|kicking|beat|beats|beating|smack*|whack*|burn|burns|\
        burnt|burned|burning|bites|bitten|push*|pinch*|shook|shakes|shaking|grab*|threw|throws|drag*|belt|belted|drinking|\
        screams|screaming|police|arrest*|prison",
        &[CLOSE],
    ),
    (
        "touch*|kiss*|cuddl*|undress*|bed|bath",
        &[
            "uncle*|cousin*|stepdad*|stepfather*|stepbrother*|boyfriend*|stranger*|grandad*|granddad*|grandpa*|older",
        ],
    ),
];

/// Whether the text holds a word or phrase that suggests a disclosure or an immediate danger. Letters are compared without
/// case, accents and the kind of quotation mark; words are whole.
///
/// Takes time in proportion to the length of the text: each word is compared with each entry of a fixed list once, and nothing
/// is tried again.
pub fn noticed(text: &str) -> bool {
    let words = words(text);
    let words: Vec<&str> = words.split_ascii_whitespace().collect();
    (0..words.len()).any(|at| starts_phrase(&words[at..])) || near(&words)
}

/// The words of a text in small plain letters with single spaces between them.
fn words(text: &str) -> String {
    text.chars()
        // Before they are taken apart: an acute accent by itself would become a space.
        .filter(|c| !unseen(*c) && !apostrophe(*c))
        .nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .collect()
}

/// Stands inside a word without being seen there: soft hyphen, joiners, direction marks.
fn unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

/// "don’t" and "dont" are one word.
fn apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’' | '‘' | '`' | '´' | 'ʼ' | '＇')
}

fn starts_phrase(words: &[&str]) -> bool {
    PHRASES.iter().any(|phrase| {
        let mut here = words.iter();
        phrase
            .split(' ')
            .all(|part| here.next().is_some_and(|word| is_one_of(word, part)))
    })
}

fn near(words: &[&str]) -> bool {
    NEAR.iter().any(|(one, other)| {
        // Where the last word of each half stood; earlier ones are farther away.
        let (mut ones, mut others) = (None, None);
        words.iter().enumerate().any(|(at, word)| {
            if is_one_of(word, one) {
                ones = Some(at);
            }
            if other.iter().any(|part| is_one_of(word, part)) {
                others = Some(at);
            }
            matches!((ones, others), (Some(one), Some(other)) if one.abs_diff(other) <= REACH)
        })
    })
}

fn is_one_of(word: &str, part: &str) -> bool {
    part.split('|').any(|known| match known.strip_suffix('*') {
        Some(stem) => word.starts_with(stem),
        None => word == known,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_child_may_disclose_is_noticed() {
        for text in [
            "He says he gets hurt at home.",
            "She said “he hit me” and went quiet",
            "a bruise on her arm",
            "Bruising behind the ear",
            "someone touched him",
            "scared to go home",
            "Is frightened of his stepdad",
            "didn’t want to go home again",
            "self-harm marks?",
            "SELF HARMING",
            "has been cutting herself",
            "talked about suicide",
            "feeling suicidal",
            "says she wants to die",
            "wishes he was dead",
            "they would be better off without me",
            "possible abuse",
            "Neglected: no clean clothes",
            "there was no food in the house",
            "left alone all weekend",
            "worried about FGM this summer",
            "f.g.m.",
            "a forced marriage abroad",
            "forced to marry her cousin",
            "made her marry",
            "county lines",
            "talks about running away",
            "ran away on Sunday",
            "a weapon in his bag",
            "brought a knife",
            "keep it a secret",
            "told not to tell",
            "Mum’s boyfriend shouted and threw a plate, he hit her",
            "the uncle comes to her bed",
            "asked for nudes online",
            "Dad was drunk again at home",
            "he doesn't feel safe",
            "Child is in danger",
            "took tablets last night",
            "wants to end it all",
            "says he does not want to be here any more",
            "they slept in the car",
            "no point in living",
        ] {
            assert!(noticed(text), "{text}");
        }
    }

    #[test]
    fn an_ordinary_note_is_not_noticed() {
        for text in [
            "",
            " \n\t ",
            "Calm at registration, shared her snack with Dominika.",
            "Scored a goal and shook hands with the other team.",
            "Finished the whole book about horses and stables.",
            "Needs new glasses; Mum will ring the optician.",
            "Worked hard on fractions, and took the sheet home.",
            "Grumpy before lunch, better after. Ate everything.",
            "Looks forward to the trip to the skills centre.",
            "Begun the new reading group with Mr Gunn.",
            "He was the groom in the class play.",
            "Her brother starts in Reception in September.",
            "Nan came to the assembly and was proud.",
            "The museum's dinosaur was a hit.",
            "Absent on Monday with a cold.",
            "Explained the rules to two younger pupils.",
            "A bit tired today, Mum says he slept badly.",
            "Played tag with her brother and two friends.",
            "Hurt her knee in PE, a plaster and back to class.",
            "Next steps: bed-time reading with Dad.",
            "Went home by bus with an older pupil.",
            "财务 وقت हिन्दी 👩‍🏫",
        ] {
            assert!(!noticed(text), "{text}");
        }
    }

    #[test]
    fn a_harmless_touch_is_noticed_too_which_is_known_and_wanted() {
        // Better one reminder too many.
        assert!(noticed("touched the ball with his hand"));
        assert!(noticed("Dad beat me at chess"));
    }

    #[test]
    fn words_are_whole_and_stems_begin_them() {
        assert!(noticed("gun") && noticed("(guns)"));
        assert!(!noticed("begun") && !noticed("Gunn") && !noticed("gunmetal"));
        assert!(!noticed("stable") && noticed("stabbed"));
        assert!(!noticed("disabuse"), "the stem stands inside");
        assert!(noticed("abusive"));
    }

    #[test]
    fn case_accents_quotes_and_hidden_characters_make_no_difference() {
        for text in [
            "SUICIDE",
            "súïcide",
            "sui\u{ad}cide",
            "sui\u{200b}cide",
            "\u{ff53}\u{ff55}\u{ff49}\u{ff43}\u{ff49}\u{ff44}\u{ff45}",
            "“suicide”",
            "_suicide_",
            "don't tell mum",
            "don’t tell mum",
            "don´t tell mum",
            "don＇t tell mum",
            "dont tell mum",
        ] {
            assert!(noticed(text), "{text}");
        }
    }

    #[test]
    fn a_phrase_reaches_over_a_line_and_not_over_other_words() {
        assert!(noticed("he ran\naway"));
        assert!(!noticed("he ran far, then walked away"));
        assert!(!noticed("county cricket, new lines to learn"));
        // Six words apart, and seven.
        assert!(noticed("afraid one two three four five dad"));
        assert!(!noticed("afraid one two three four five six dad"));
    }

    #[test]
    fn the_lists_are_written_as_words_are_compared() {
        let near = NEAR
            .iter()
            .flat_map(|(one, other)| std::iter::once(one).chain(*other));
        for entry in PHRASES.iter().chain(near) {
            for word in entry.split([' ', '|']) {
                let stem = word.strip_suffix('*').unwrap_or(word);
                assert!(!stem.is_empty(), "{entry:?}");
                assert_eq!(words(stem), stem, "{entry:?} could never be met");
                assert!(!stem.contains('*'), "{entry:?}");
            }
        }
    }

    #[test]
    fn a_long_text_takes_time_in_proportion() {
        // Of words that begin many phrases and end none; a search that goes back would not return.
        let long = "if not dont want to go ".repeat(500);
        assert!(!noticed(&long));
        assert!(noticed(&format!("{long} weapon")));
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in any::<String>()) {
            let _ = noticed(&text);
        }

        #[test]
        fn what_stands_around_a_word_does_not_hide_it(before in "[a-z .,\n]{0,80}", after in "[a-z .,\n]{0,80}") {
            let text = format!("{before} SUICÍDE {after}");
            prop_assert!(noticed(&text));
        }
    }
}
