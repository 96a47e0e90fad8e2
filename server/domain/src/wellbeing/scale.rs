//! The eight domains of a check-in and the five levels, each with one plain thing that an adult in the room can see.
//!
//! The wording is Quorate's own: that of published scales belongs to their authors. A level says what was seen and nothing
//! about why; it blames nobody, and is no substitute for telling the safeguarding lead.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One part of a pupil's wellbeing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Domain {
    /// At ease in school and with the people there.
    Safe,
    /// Rested, fed and comfortable.
    Healthy,
    /// Calm, and calm again after an upset.
    Settled,
    /// Has people to be with.
    Connected,
    /// Can make known what they think and want.
    ListenedTo,
    /// Starts on tasks and goes on with them.
    Learning,
    /// Plays, moves and takes part.
    Active,
    /// Looks forward to things.
    Hopeful,
}

impl Domain {
    /// All eight, in the order in which pages list them.
    pub const ALL: [Self; 8] = [
        Self::Safe,
        Self::Healthy,
        Self::Settled,
        Self::Connected,
        Self::ListenedTo,
        Self::Learning,
        Self::Active,
        Self::Hopeful,
    ];

    /// As stored and as sent in forms.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Healthy => "healthy",
            Self::Settled => "settled",
            Self::Connected => "connected",
            Self::ListenedTo => "listened_to",
            Self::Learning => "learning",
            Self::Active => "active",
            Self::Hopeful => "hopeful",
        }
    }

    /// The domain of a stored code; none for a code that is not in the list.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|domain| domain.code() == code)
    }

    /// As people read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Safe => "Safe",
            Self::Healthy => "Healthy",
            Self::Settled => "Settled",
            Self::Connected => "Connected",
            Self::ListenedTo => "Listened to",
            Self::Learning => "Learning",
            Self::Active => "Active",
            Self::Hopeful => "Hopeful",
        }
    }

    /// What to look at, in a few words beside the name.
    pub const fn look(self) -> &'static str {
        match self {
            Self::Safe => "at ease in school and around adults",
            Self::Healthy => "awake, fed and comfortable",
            Self::Settled => "calm at the start of the day",
            Self::Connected => "has somebody to be with",
            Self::ListenedTo => "says or shows what they want",
            Self::Learning => "starts tasks and keeps going",
            Self::Active => "plays, moves and takes part",
            Self::Hopeful => "looks forward to things",
        }
    }

    /// What an adult sees at a level, at most sixty characters.
    pub const fn seen(self, level: Level) -> &'static str {
        self.ladder()[level.place()]
    }

    /// From great difficulty to thriving.
    const fn ladder(self) -> [&'static str; 5] {
        match self {
            Self::Safe => [
                "Hides, freezes or cannot come in, on most days",
                "Stays close to an adult, and often checks who is near",
                "At ease with people they know, uneasy with others",
                "Comes in and moves around school without worry",
                "At ease all day, and in new places too",
            ],
            Self::Healthy => [
                "Too tired, hungry or unwell to join in, on most days",
                "Often tired, hungry or sore, and it gets in the way",
                "Bright on some days, worn out on others",
                "Awake, fed and comfortable on most days",
                "Rested and comfortable, and tells us if that changes",
            ],
            Self::Settled => [
                "Upset for most of the day, even with help",
                "Upset often, and needs a long time to be calm again",
                "Settles with help from an adult",
                "Calm for most of the day, and soon again after an upset",
                "Calm when plans change, and knows what helps",
            ],
            Self::Connected => [
                "Alone nearly all of the time, in class and outside",
                "With other children only when an adult helps",
                "Has one person to be with, and is alone without them",
                "Has friends, and makes up with them after a quarrel",
                "At home with many people, and brings others in",
            ],
            Self::ListenedTo => [
                "Tells or shows nobody what they need",
                "Tells or shows us a little, when asked more than once",
                "Tells or shows one trusted adult what they think",
                "Says or shows what they want, and asks for help",
                "Speaks up in a group, in words or in their own way",
            ],
            Self::Learning => [
                "Cannot start on most tasks, even with help",
                "Starts with help, and stops soon after",
                "Goes on with some tasks, and stops early at others",
                "Starts on most tasks alone, and keeps going",
                "Curious, asks questions and tries the hard parts",
            ],
            Self::Active => [
                "Takes no part in play, games or clubs",
                "Watches the others, and joins in for a short while",
                "Joins in with what they know already",
                "Takes part in most things, in class and outside",
                "Chooses things to do, and gets others to join in",
            ],
            Self::Hopeful => [
                "Expects nothing good, on most days",
                "Finds it hard to name a good thing to come",
                "Looks forward to a few things, when reminded",
                "Talks about things to come, and tries again",
                "Makes plans, and trusts that they can do them",
            ],
        }
    }
}

/// A whole level from 1, great difficulty, to 5, thriving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Level(u8);

/// What is no level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Choose a level from 1 (great difficulty) to 5 (thriving).")]
pub struct NoLevel;

impl Level {
    /// From great difficulty to thriving.
    pub const ALL: [Self; 5] = [Self(1), Self(2), Self(3), Self(4), Self(5)];

    /// The level of what a form sends. Refuses [`NoLevel`] for all but one of the digits 1 to 5.
    pub fn parse(typed: &str) -> Result<Self, NoLevel> {
        match typed.trim().as_bytes() {
            [digit] => digit
                .checked_sub(b'0')
                .ok_or(NoLevel)
                .and_then(Self::try_from),
            _ => Err(NoLevel),
        }
    }

    /// The number.
    pub const fn number(self) -> u8 {
        self.0
    }

    /// As people read it.
    pub const fn words(self) -> &'static str {
        [
            "great difficulty",
            "difficulty",
            "mixed",
            "doing well",
            "thriving",
        ][self.place()]
    }

    /// Counted from nought.
    const fn place(self) -> usize {
        match self.0 {
            0 | 1 => 0,
            2 => 1,
            3 => 2,
            4 => 3,
            _ => 4,
        }
    }
}

impl TryFrom<u8> for Level {
    type Error = NoLevel;

    fn try_from(number: u8) -> Result<Self, NoLevel> {
        Self::ALL
            .into_iter()
            .find(|level| level.0 == number)
            .ok_or(NoLevel)
    }
}

impl From<Level> for u8 {
    fn from(level: Level) -> Self {
        level.0
    }
}

impl From<Level> for f64 {
    fn from(level: Level) -> Self {
        Self::from(level.0)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A value between levels in words: "mixed", or "between difficulty and mixed". What lies outside the scale is its nearest end.
pub fn words(value: f64) -> String {
    let below = Level::ALL
        .into_iter()
        .rev()
        .find(|level| f64::from(*level) <= value)
        .unwrap_or(Level(1));
    let above = Level::ALL
        .into_iter()
        .find(|level| f64::from(*level) >= value)
        .unwrap_or(Level(5));
    if below == above {
        return below.words().to_owned();
    }
    format!("between {} and {}", below.words(), above.words())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_of_the_forty_sentences_is_short_and_stands_once() {
        let mut all = HashSet::new();
        for domain in Domain::ALL {
            for level in Level::ALL {
                let seen = domain.seen(level);
                assert!((20..=60).contains(&seen.chars().count()), "{seen}");
                assert!(!seen.ends_with('.') && seen.starts_with(char::is_uppercase));
                assert!(all.insert(seen), "{seen} stands twice");
            }
        }
        assert_eq!(all.len(), 40);
    }

    #[test]
    fn no_sentence_names_a_condition_or_blames_anybody() {
        // A level is what was seen. These words explain, diagnose or scold.
        let never = [
            "anxi",
            "depress",
            "disorder",
            "adhd",
            "autis",
            "trauma",
            "attach",
            "lazy",
            "naughty",
            "refus",
            "defian",
            "attention-seek",
            "manipulat",
            "bad",
            "parent",
            "home life",
            "because",
            "never",
            "always",
        ];
        for domain in Domain::ALL {
            let sentences = Level::ALL.into_iter().map(|level| domain.seen(level));
            for sentence in sentences.chain([domain.look(), domain.name()]) {
                for word in never {
                    assert!(
                        !sentence.to_lowercase().contains(word),
                        "{sentence:?} says {word:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_words_are_short_enough_for_a_young_reader() {
        // Five letters to a word on average, and none of more than eleven.
        for domain in Domain::ALL {
            for level in Level::ALL {
                let seen = domain.seen(level);
                let words: Vec<usize> = seen
                    .split_whitespace()
                    .map(|word| word.chars().filter(|c| c.is_alphabetic()).count())
                    .collect();
                assert!(words.iter().all(|letters| *letters <= 11), "{seen}");
                assert!(words.iter().sum::<usize>() <= 6 * words.len(), "{seen}");
            }
        }
    }

    #[test]
    fn a_domain_is_known_by_its_code_and_by_nothing_else() {
        for domain in Domain::ALL {
            assert_eq!(Domain::from_code(domain.code()), Some(domain));
            let stored = serde_json::to_string(&domain).unwrap();
            assert_eq!(stored, format!("\"{}\"", domain.code()));
            assert!(domain.look().chars().count() <= 36, "{}", domain.look());
        }
        for other in ["", "Safe", "listened to", "happy"] {
            assert_eq!(Domain::from_code(other), None, "{other}");
        }
    }

    #[test]
    fn a_level_is_one_of_five_and_a_half_is_none() {
        for (typed, number) in [("1", 1), (" 3 ", 3), ("5", 5)] {
            assert_eq!(Level::parse(typed).map(Level::number), Ok(number));
        }
        for typed in ["", "0", "6", "3.5", "+3", "-1", "33", "٣", "three", "\u{0}"] {
            assert_eq!(Level::parse(typed), Err(NoLevel), "{typed:?}");
        }
        assert!(serde_json::from_str::<Level>("6").is_err());
        assert_eq!(serde_json::from_str::<Level>("4").unwrap(), Level(4));
        assert_eq!(
            NoLevel.to_string(),
            "Choose a level from 1 (great difficulty) to 5 (thriving)."
        );
    }

    #[test]
    fn a_value_between_two_levels_is_said_to_be_between_them() {
        assert_eq!(words(1.0), "great difficulty");
        assert_eq!(words(2.5), "between difficulty and mixed");
        assert_eq!(words(5.0), "thriving");
        assert_eq!(words(0.2), "great difficulty");
        assert_eq!(words(7.0), "thriving");
    }
}
