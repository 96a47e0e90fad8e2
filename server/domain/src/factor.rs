//! The second factor: codes of an authenticator app (RFC 6238: SHA-1, 30 seconds, six digits) and recovery codes.

/// How many recovery codes a person gets.
pub const RECOVERY_CODES: usize = 10;

/// The digits of what was typed: apps show "123 456", people type it so.
pub fn digits(typed: &str) -> String {
    typed.chars().filter(char::is_ascii_digit).collect()
}

/// A secret in groups of four, as one types it into an app.
pub fn in_groups(text: &str) -> String {
    text.as_bytes()
        .chunks(4)
        .map(String::from_utf8_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(feature = "db")]
pub use codes::{RecoveryCode, Secret};
#[cfg(feature = "db")]
pub(crate) use queries::place;
#[cfg(feature = "db")]
pub use queries::{Enrolment, begin, confirm, new_codes, pass, recover};

#[cfg(feature = "db")]
mod queries {
    use super::{RecoveryCode, Secret};
    use crate::{
        AccountId, Refusal,
        db::{Db, refused},
        secret::Secrets,
        session::{Live, Token},
    };

    /// What an authenticator app needs to know.
    pub struct Enrolment {
        /// For typing, in groups of four.
        pub typed: String,
        /// For the QR code.
        pub address: String,
    }

    /// Begins an enrolment, or shows the one that this session began in the last quarter of an hour: opening the page again must
    /// not make the app's entry wrong, and nobody else's must ever be shown.
    ///
    /// Refuses [`Refusal::StepUpNeeded`] to replace a factor without having stepped up.
    pub async fn begin(
        db: &Db,
        secrets: &Secrets,
        token: Token,
        live: &Live,
        issuer: &str,
    ) -> Result<Enrolment, Refusal> {
        let secret = match stored(db, secrets, token, live.account, true).await? {
            Some(secret) => secret,
            None => {
                let secret = Secret::random()?;
                let sealed = secrets.seal(&place(live.account), secret.bytes())?;
                let begun = sqlx::query_scalar!(
                    r#"select sec.factor_begin($1, $2) as "begun!""#,
                    token.bytes(),
                    sealed
                )
                .fetch_one(db.unsealed())
                .await
                .map_err(refused)?;
                if !begun {
                    return Err(Refusal::StepUpNeeded);
                }
                secret
            }
        };
        Ok(Enrolment {
            typed: super::in_groups(&secret.base32()),
            address: secret.address(&live.email, issuer)?,
        })
    }

    /// Confirms an enrolment with its first code and gives the recovery codes, which are shown this once. The session is
    /// complete from here on, under the token returned.
    pub async fn confirm(
        db: &Db,
        secrets: &Secrets,
        token: Token,
        live: &Live,
        typed: &str,
        now: u64,
    ) -> Result<(Token, Vec<String>), Refusal> {
        let new = check(db, secrets, token, live, typed, now, true).await?;
        let codes = new_codes(db, new).await?;
        Ok((new, codes))
    }

    /// Passes the second factor. Each code works once, whoever sends it and however many at a time.
    ///
    /// Refuses [`Refusal::WrongCode`], and [`Refusal::Wait`] after ten wrong ones.
    pub async fn pass(
        db: &Db,
        secrets: &Secrets,
        token: Token,
        live: &Live,
        typed: &str,
        now: u64,
    ) -> Result<Token, Refusal> {
        check(db, secrets, token, live, typed, now, false).await
    }

    /// Passes with a recovery code, which is then used up.
    pub async fn recover(db: &Db, token: Token, typed: &str) -> Result<Token, Refusal> {
        let new = Token::random()?;
        let passed = sqlx::query_scalar!(
            r#"select sec.recovery_pass($1, $2, $3) as "passed!""#,
            token.bytes(),
            new.bytes(),
            RecoveryCode::digest_of(typed)
        )
        .fetch_one(db.unsealed())
        .await
        .map_err(refused)?;
        db.ring();
        if passed {
            Ok(new)
        } else {
            Err(Refusal::WrongRecoveryCode)
        }
    }

    /// A new set of recovery codes; the old ones stop working. Refuses [`Refusal::StepUpNeeded`] without a recent proof.
    pub async fn new_codes(db: &Db, token: Token) -> Result<Vec<String>, Refusal> {
        let codes = RecoveryCode::set()?;
        let digests: Vec<Vec<u8>> = codes.iter().map(RecoveryCode::digest).collect();
        let done = sqlx::query_scalar!(
            r#"select sec.recovery_codes_set($1, $2) as "done!""#,
            token.bytes(),
            &digests
        )
        .fetch_one(db.unsealed())
        .await
        .map_err(refused)?;
        if done {
            Ok(codes.iter().map(RecoveryCode::shown).collect())
        } else {
            Err(Refusal::StepUpNeeded)
        }
    }

    async fn check(
        db: &Db,
        secrets: &Secrets,
        token: Token,
        live: &Live,
        typed: &str,
        now: u64,
        pending: bool,
    ) -> Result<Token, Refusal> {
        // Counted before it is looked at, in a statement of its own: thirty at once are thirty tries.
        let may = sqlx::query_scalar!(r#"select sec.factor_try($1) as "may!""#, token.bytes())
            .fetch_one(db.unsealed())
            .await
            .map_err(refused)?;
        if !may {
            return Err(Refusal::Wait(LOCKED_SECONDS));
        }
        let secret = stored(db, secrets, token, live.account, pending)
            .await?
            .ok_or(Refusal::Stale)?;
        let step = secret.step_of(typed, now).ok_or(Refusal::WrongCode)?;
        let new = Token::random()?;
        let passed = sqlx::query_scalar!(
            r#"select sec.factor_pass($1, $2, $3, $4) as "passed!""#,
            token.bytes(),
            new.bytes(),
            step,
            pending
        )
        .fetch_one(db.unsealed())
        .await
        .map_err(refused)?;
        db.ring();
        if passed {
            Ok(new)
        } else {
            Err(Refusal::WrongCode)
        }
    }

    /// The database says only that there is a wait; this is the shortest it can be (`sec.try`).
    const LOCKED_SECONDS: u32 = 300;

    async fn stored(
        db: &Db,
        secrets: &Secrets,
        token: Token,
        account: AccountId,
        pending: bool,
    ) -> Result<Option<Secret>, Refusal> {
        let row = sqlx::query!(
            r#"select secret as "secret!", confirmed as "confirmed!" from sec.factor_secret($1, $2)"#,
            token.bytes(),
            pending
        )
        .fetch_optional(db.unsealed())
        .await
        .map_err(refused)?;
        row.filter(|row| row.confirmed != pending)
            .map(|row| {
                secrets
                    .open(&place(account), &row.secret)
                    .map(Secret::from_bytes)
            })
            .transpose()
    }

    /// Where a factor's secret belongs, as its seal knows it.
    pub(crate) fn place(account: AccountId) -> String {
        format!("factor.secret|{account}")
    }
}

#[cfg(feature = "db")]
mod codes {
    use sha2::{Digest, Sha256};
    use totp_rs::{Algorithm, Builder, Totp};

    use super::RECOVERY_CODES;
    use crate::{Refusal, db::random_bytes};

    const STEP_SECONDS: u64 = 30;

    /// The shared secret of one authenticator app.
    pub struct Secret(Vec<u8>);

    impl Secret {
        /// A new one, 160 bits (RFC 4226 §4, R6).
        pub fn random() -> Result<Self, Refusal> {
            random_bytes::<20>().map(|bytes| Self(bytes.to_vec()))
        }

        /// From stored bytes.
        pub const fn from_bytes(bytes: Vec<u8>) -> Self {
            Self(bytes)
        }

        /// The bytes to store, sealed.
        pub fn bytes(&self) -> &[u8] {
            &self.0
        }

        /// The time step (Unix time / 30 s) whose code was typed, or none. One step either side is allowed for clocks that differ.
        /// Whether the step was used before is for the database to say.
        pub fn step_of(&self, typed: &str, unix_seconds: u64) -> Option<i64> {
            let typed = super::digits(typed);
            if typed.len() != 6 {
                return None;
            }
            let totp = self.totp("", "")?;
            let now = unix_seconds / STEP_SECONDS;
            (now.saturating_sub(1)..=now + 1)
                .find(|step| same(&totp.generate(step * STEP_SECONDS).to_string(), &typed))
                .and_then(|step| i64::try_from(step).ok())
        }

        /// What the app shows at a time.
        pub(crate) fn code_at(&self, unix_seconds: u64) -> Option<String> {
            let totp = self.totp("", "")?;
            Some(totp.generate(unix_seconds).to_string())
        }

        /// The address that an authenticator app reads from a QR code.
        pub fn address(&self, email: &str, issuer: &str) -> Result<String, Refusal> {
            // A colon separates issuer and account in the address and may stand in neither.
            let totp = self
                .totp(&email.replace(':', ""), &issuer.replace(':', ""))
                .ok_or(Refusal::Broken)?;
            totp.to_url().map_err(|_| Refusal::Broken)
        }

        /// The secret in base 32, for typing.
        pub fn base32(&self) -> String {
            totp_rs::Secret::from(self.0.clone()).to_base32()
        }

        fn totp(&self, email: &str, issuer: &str) -> Option<Totp> {
            // No check of the secret's length: the demo's published one has 80 bits, ours have 160.
            Builder::new()
                .with_algorithm(Algorithm::SHA1)
                .with_secret(self.0.clone())
                .with_account_name(email.to_owned())
                .with_issuer(Some(issuer.to_owned()))
                .build_noncompliant()
                .into()
        }
    }

    /// One recovery code: 80 random bits, shown once, stored as SHA-256. A fast hash serves: 80 bits cannot be searched.
    pub struct RecoveryCode(String);

    /// No vowels, so no words; no 0, 1, l or o, so no doubt when it is copied by hand.
    const LETTERS: &[u8; 32] = b"23456789bcdfghjkmnpqrstvwxyzBCDF";

    impl RecoveryCode {
        /// A full set.
        pub fn set() -> Result<Vec<Self>, Refusal> {
            (0..RECOVERY_CODES).map(|_| Self::random()).collect()
        }

        fn random() -> Result<Self, Refusal> {
            let bytes: [u8; 16] = random_bytes()?;
            Ok(Self(
                bytes
                    .iter()
                    .map(|byte| char::from(LETTERS[usize::from(byte % 32)]))
                    .collect(),
            ))
        }

        /// As shown: four groups of four.
        pub fn shown(&self) -> String {
            super::in_groups(&self.0)
        }

        /// As stored.
        pub fn digest(&self) -> Vec<u8> {
            Self::digest_of(&self.0)
        }

        /// What a typed code would be stored as; spaces and dashes do not count.
        pub fn digest_of(typed: &str) -> Vec<u8> {
            let plain: String = typed.chars().filter(char::is_ascii_alphanumeric).collect();
            Sha256::digest(plain.as_bytes()).to_vec()
        }
    }

    /// Compares in the same time wherever they differ.
    fn same(a: &str, b: &str) -> bool {
        a.len() == b.len()
            && a.bytes()
                .zip(b.bytes())
                .fold(0, |differ, (a, b)| differ | (a ^ b))
                == 0
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn codes_are_those_of_rfc_6238_appendix_b_cut_to_six_digits() {
            let secret = Secret::from_bytes(b"12345678901234567890".to_vec());
            for (time, code) in [
                (59, "287082"),
                (1_111_111_109, "081804"),
                (1_234_567_890, "005924"),
                (2_000_000_000, "279037"),
            ] {
                assert_eq!(
                    secret.step_of(code, time),
                    i64::try_from(time / 30).ok(),
                    "{code}"
                );
            }
        }

        #[test]
        fn a_code_of_one_step_away_is_accepted_and_of_two_is_not() {
            let secret = Secret::from_bytes(b"12345678901234567890".to_vec());
            assert_eq!(secret.step_of("287 082", 59 + 30), Some(1));
            assert_eq!(secret.step_of("287082", 59 + 60), None);
            assert_eq!(secret.step_of("28708", 59), None);
        }

        #[test]
        fn a_recovery_code_is_known_however_it_is_typed() {
            let code = RecoveryCode::random().unwrap();
            assert_eq!(RecoveryCode::digest_of(&code.shown()), code.digest());
            assert_eq!(
                RecoveryCode::digest_of(&code.shown().replace(' ', "-")),
                code.digest()
            );
            assert_eq!(code.shown().len(), 19);
        }
    }
}
