//! Passwords: what is refused, and how they are hashed.
//!
//! The policy is NIST SP 800-63B (length, a blocklist, no composition rule); the hash is Argon2id with the parameters of the
//! OWASP password storage sheet.

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

/// Least number of characters when a second factor is enrolled or required.
pub const LEAST_WITH_FACTOR: usize = 12;
/// Least number of characters for a password that stands alone.
pub const LEAST_ALONE: usize = 15;
/// Most characters: enough for any passphrase, and a bound on the work of hashing.
pub const MOST: usize = 128;

/// Why a new password was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Weakness {
    /// Fewer characters than the policy asks for.
    #[error("Use at least {0} characters. Three or four unrelated words make a good password.")]
    Short(u8),
    /// More than [`MOST`].
    #[error("Use at most 128 characters.")]
    Long,
    /// Control characters cannot be typed everywhere.
    #[error("Use only characters that can be typed.")]
    Control,
    /// In the blocklist, or guessed from what is known about the person and the school.
    #[error(
        "This password is easy to guess. Choose three or four unrelated words, without names, the school or a year."
    )]
    Guessable,
}

/// The form in which a password is compared and hashed: NFC, so that the same letters typed on another keyboard match.
pub fn normal(password: &str) -> String {
    password.nfc().collect()
}

/// The part of the policy that needs no dictionary; the browser runs it as well.
pub fn shape(password: &str, with_factor: bool) -> Result<(), Weakness> {
    let password = normal(password);
    let least = if with_factor {
        LEAST_WITH_FACTOR
    } else {
        LEAST_ALONE
    };
    let length = password.chars().count();
    if password.chars().any(char::is_control) {
        return Err(Weakness::Control);
    }
    if length < least {
        return Err(Weakness::Short(u8::try_from(least).unwrap_or(u8::MAX)));
    }
    if length > MOST {
        return Err(Weakness::Long);
    }
    Ok(())
}

#[cfg(feature = "db")]
pub use hashing::{Hasher, check};

#[cfg(feature = "db")]
mod hashing {
    use std::sync::Arc;

    use argon2::{
        Algorithm, Argon2, Params, Version,
        password_hash::{PasswordHasher, phc::PasswordHash},
    };
    use tokio::sync::Semaphore;

    use super::{Weakness, normal, shape};
    use crate::{Refusal, db::random_bytes};

    /// Words that name the service or its kind; a password made of them and a number is a guess.
    const OURS: &[&str] = &[
        "quorate",
        "school",
        "academy",
        "primary",
        "governor",
        "governors",
        "clerk",
        "teacher",
        "pupil",
    ];
    /// With a year they satisfy any composition rule and every guesser's first hundred tries.
    const SEASONS: &[&str] = &[
        "spring",
        "summer",
        "autumn",
        "winter",
        "january",
        "september",
        "christmas",
        "easter",
    ];

    /// The whole policy. `about` is what an acquaintance knows: the person's names, their e-mail address, school and town.
    ///
    /// Refuses by [`Weakness`]; a password of eight known words or more is never refused for its words.
    pub fn check(password: &str, with_factor: bool, about: &[&str]) -> Result<(), Weakness> {
        shape(password, with_factor)?;
        let password = normal(password);
        let mut known: Vec<String> = about
            .iter()
            .flat_map(|text| text.split(|c: char| !c.is_alphanumeric()))
            .filter(|word| word.chars().count() > 2)
            .map(str::to_lowercase)
            .collect();
        known.extend(OURS.iter().chain(SEASONS).map(|word| (*word).to_owned()));
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        // What is left when everything known, years and punctuation are taken out must still be a password.
        let mut rest = password.to_lowercase();
        for word in &known {
            rest = rest.replace(word, "");
        }
        let letters = rest.chars().filter(|c| c.is_alphabetic()).count();
        if letters < 4 && rest.chars().count() < 10 {
            return Err(Weakness::Guessable);
        }
        // A common word is not saved by the digits and signs hung onto it.
        let core = password.trim_matches(|c: char| !c.is_alphabetic());
        if core.len() < password.len() && zxcvbn::zxcvbn(core, &known).score() < zxcvbn::Score::Two
        {
            return Err(Weakness::Guessable);
        }
        // Score 3: safely unguessable, moderate protection from an offline attack (zxcvbn, Wheeler 2016).
        if zxcvbn::zxcvbn(&password, &known).score() < zxcvbn::Score::Three {
            return Err(Weakness::Guessable);
        }
        Ok(())
    }

    /// Hashes passwords on a bounded number of threads, and says early when there are too many.
    #[derive(Clone)]
    pub struct Hasher {
        argon2: Argon2<'static>,
        running: Arc<Semaphore>,
        waiting: Arc<Semaphore>,
    }

    /// 19 MiB, two passes, one lane: the least the OWASP sheet allows, 17 ms on the machine it was chosen on.
    const MEMORY_KIB: u32 = 19 * 1024;
    const PASSES: u32 = 2;
    const LANES: u32 = 1;
    /// How many may wait for each thread: about a third of a second at 17 ms each.
    const QUEUE_PER_THREAD: usize = 20;

    impl Hasher {
        /// `threads` hashes at a time, each of 19 MiB.
        pub fn new(threads: usize) -> Result<Self, Refusal> {
            let params =
                Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| Refusal::Broken)?;
            Ok(Self {
                argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
                running: Arc::new(Semaphore::new(threads)),
                waiting: Arc::new(Semaphore::new(threads * (QUEUE_PER_THREAD + 1))),
            })
        }

        /// A new PHC string with a salt of its own.
        pub async fn hash(&self, password: &str) -> Result<String, Refusal> {
            let salt: [u8; 16] = random_bytes()?;
            let argon2 = self.argon2.clone();
            self.run(password, move |password| {
                argon2
                    .hash_password_with_salt(password, &salt)
                    .map(|hash| hash.to_string())
                    .ok()
            })
            .await
        }

        /// The PHC string that the right password gives, from the parameters and salt the database named. The database
        /// compares; a stored hash never reaches this process.
        pub async fn prove(&self, password: &str, challenge: &str) -> Result<String, Refusal> {
            let challenge = challenge.to_owned();
            self.run(password, move |password| {
                let parsed = PasswordHash::new(&challenge).ok()?;
                let params = Params::try_from(&parsed).ok()?;
                let salt = parsed.salt?;
                let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
                argon2
                    .hash_password_with_salt(password, &salt)
                    .map(|hash| hash.to_string())
                    .ok()
            })
            .await
        }

        /// Whether a challenge names weaker parameters than today's.
        pub fn is_outdated(challenge: &str) -> bool {
            PasswordHash::new(challenge)
                .ok()
                .and_then(|hash| Params::try_from(&hash).ok())
                .is_none_or(|params| params.m_cost() < MEMORY_KIB || params.t_cost() < PASSES)
        }

        async fn run(
            &self,
            password: &str,
            work: impl FnOnce(&[u8]) -> Option<String> + Send + 'static,
        ) -> Result<String, Refusal> {
            let password = normal(password);
            if password.chars().count() > super::MOST {
                return Err(Refusal::WrongCredentials);
            }
            let place = self
                .waiting
                .clone()
                .try_acquire_owned()
                .map_err(|_| Refusal::Busy)?;
            let turn = self
                .running
                .clone()
                .acquire_owned()
                .await
                .map_err(|_| Refusal::Broken)?;
            tokio::task::spawn_blocking(move || {
                let done = work(password.as_bytes());
                // Held until the work is over, also when the request has gone: a given-up hash still costs its thread.
                drop((turn, place));
                done
            })
            .await
            .ok()
            .flatten()
            .ok_or(Refusal::Broken)
        }
    }
}

#[cfg(all(test, feature = "db"))]
mod tests {
    use super::*;

    const ABOUT: &[&str] = &[
        "Joan Whitlock",
        "clerk@oakfield.example",
        "Oakfield Primary School",
    ];

    #[test]
    fn passwords_that_meet_a_composition_rule_and_are_guesses_are_refused() {
        for guess in [
            "Password1",
            "Arsenal1",
            "Summer2026",
            "Oakfield123",
            "OakfieldPrimary123!",
            "Password123456!",
            "JoanWhitlock2026",
            "Liverpool1234",
            "Qwertyuiop123",
            "Autumn2026Autumn2026",
            "Governors2026!!",
            "Welcome123456",
            "Letmein123456!",
        ] {
            assert!(check(guess, true, ABOUT).is_err(), "{guess}");
        }
    }

    #[test]
    fn passphrases_are_accepted_in_any_script_and_length() {
        for phrase in [
            "quiet otter lantern harbour",
            "correcthorsebatterystaple",
            "пять зелёных чайников поют",
            "ysgol eira mynydd cwmwl bach",
            "七つの海を渡る小さな紙の舟が歌う夜",
            "a very long passphrase with many words that goes on well past sixty-four characters in all",
        ] {
            assert_eq!(check(phrase, false, ABOUT), Ok(()), "{phrase}");
        }
    }

    #[test]
    fn five_hundred_random_passphrases_are_accepted() {
        let words = [
            "otter", "lantern", "harbour", "meadow", "copper", "violin", "thistle", "granite",
            "pebble", "saffron", "walnut", "orchid", "glacier", "mustard", "pelican", "tundra",
            "velvet", "anchor", "bramble", "cobalt",
        ];
        for n in 0..500usize {
            let phrase: Vec<&str> = (0..4)
                .map(|k| words[(n * 7 + k * (n % 5 + 3) + k * k) % words.len()])
                .collect();
            let mut single = phrase.clone();
            single.sort_unstable();
            single.dedup();
            if single.len() < 4 {
                continue;
            }
            let phrase = phrase.join(" ");
            assert_eq!(check(&phrase, false, ABOUT), Ok(()), "{phrase}");
        }
    }

    #[test]
    fn the_least_length_depends_on_the_second_factor() {
        assert_eq!(shape("fourteen chars", false), Err(Weakness::Short(15)));
        assert_eq!(shape("fourteen chars", true), Ok(()));
        assert_eq!(shape(&"x".repeat(129), true), Err(Weakness::Long));
        assert_eq!(
            shape("with\tcontrol chars in it", true),
            Err(Weakness::Control)
        );
    }

    #[tokio::test]
    async fn a_proof_equals_the_hash_only_for_the_right_password_however_it_was_typed() {
        let hasher = Hasher::new(2).unwrap();
        let stored = hasher
            .hash("caf\u{e9} otter lantern harbour")
            .await
            .unwrap();
        assert!(
            stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{stored}"
        );
        let challenge = stored.rsplit_once('$').unwrap().0;
        assert_eq!(
            hasher
                .prove("cafe\u{301} otter lantern harbour", challenge)
                .await
                .unwrap(),
            stored
        );
        assert_ne!(
            hasher
                .prove("cafe otter lantern harbour", challenge)
                .await
                .unwrap(),
            stored
        );
        assert!(!Hasher::is_outdated(challenge));
        assert!(Hasher::is_outdated(
            "$argon2id$v=19$m=8192,t=2,p=1$c2FsdHNhbHRzYWx0"
        ));
    }

    #[tokio::test]
    async fn a_full_queue_refuses_early() {
        let hasher = Hasher::new(1).unwrap();
        let many: Vec<_> = (0..60)
            .map(|_| {
                tokio::spawn({
                    let hasher = hasher.clone();
                    async move { hasher.hash("quiet otter lantern harbour").await }
                })
            })
            .collect();
        let mut busy = 0;
        for one in many {
            busy += usize::from(one.await.unwrap() == Err(Refusal::Busy));
        }
        assert!(busy > 0 && busy < 60, "{busy}");
    }

    use crate::Refusal;
}
