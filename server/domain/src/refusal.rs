//! Why something was not done: a closed list, each with one sentence that a person can act on.

use serde::{Deserialize, Serialize};

/// A refusal travels from the database to the page unchanged; it never carries free text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case", tag = "refusal", content = "with")]
pub enum Refusal {
    /// No live session: signed out, expired, or removed.
    #[error("You are signed out. Sign in to go on; nothing has been changed.")]
    SignedOut,
    /// The password was right, the second factor is still to come.
    #[error("Enter the code from your authenticator app first.")]
    FactorNeeded,
    /// A far-reaching act wants the password or a code again (OWASP ASVS 7.5.3).
    #[error("Confirm that it is you, then do this again.")]
    StepUpNeeded,
    /// Not seen by this caller, or never there. The two are not told apart.
    #[error("There is nothing here.")]
    NotFound,
    /// Seen, but not this caller's to do.
    #[error("Your role does not allow this. Ask a clerk or an administrator of the school.")]
    NotAllowed,
    /// E-mail or password wrong; which one is never said.
    #[error("That e-mail address and password do not match. Check both and try again.")]
    WrongCredentials,
    /// The person's own password, asked for again, is wrong.
    #[error("That is not your password. Check it and try again.")]
    WrongPassword,
    /// Too many attempts.
    #[error("Too many attempts. Try again in {}.", words_for_seconds(*.0))]
    Wait(u32),
    /// The password pool is full.
    #[error("Many people are signing in just now. Try again in a few seconds.")]
    Busy,
    /// A code of the authenticator app that is wrong, old or used.
    #[error("That code is not right, or it has been used. Wait for the next one and enter it.")]
    WrongCode,
    /// A recovery code that is wrong or used.
    #[error("That recovery code is not right, or it has been used. Try another one.")]
    WrongRecoveryCode,
    /// An invitation or reset link that is used, voided or too old.
    #[error("This link has been used or has run out. Ask for a new one.")]
    LinkGone,
    /// An invitation to somebody who has an account already.
    #[error("You already have an account. Sign in with your own password to accept.")]
    SignInToAccept,
    /// See [`crate::password::check`].
    #[error("{0}")]
    Password(#[from] crate::password::Weakness),
    /// Not an e-mail address.
    #[error("Enter an e-mail address like name@school.org.")]
    EmailFormat,
    /// Empty, too long or with control characters.
    #[error("Enter the person’s name, at most 120 characters.")]
    NameFormat,
    /// A person without a role could do nothing.
    #[error("Choose at least one role.")]
    NoRole,
    /// The person has a place here already.
    #[error("This person is already on the list. Open their page to change their roles.")]
    AlreadyHere,
    /// A school must keep somebody who can administer it.
    #[error("This is the last administrator. Make somebody else an administrator first.")]
    LastAdmin,
    /// Nobody changes their own roles or state.
    #[error("You cannot change your own place here. Ask another administrator.")]
    OwnPlace,
    /// A clerk does not touch administrators.
    #[error("Only an administrator can do this to an administrator.")]
    AdminsOnly,
    /// The thing is no longer in the state that the button was drawn for.
    #[error("This has changed since you opened the page. The page now shows how it stands.")]
    Stale,
    /// A part the server depends on does not answer.
    #[error(
        "Part of the service does not answer just now. What you typed is kept; try again in a minute."
    )]
    Unavailable,
    /// A fault of ours; the cause is in the log.
    #[error("Something went wrong on our side. What you typed is kept; try again in a minute.")]
    Broken,
    /// Not a date, or one that does not exist.
    #[error("Enter a date that exists, like 18 June 2026 or 18/06/2026.")]
    DateFormat,
    /// The browser could not reach the server.
    #[error("You are offline. What you typed is kept; try again when you are connected.")]
    Offline,
}

impl Refusal {
    /// The HTTP status that says the same.
    pub fn status(&self) -> u16 {
        match self {
            Self::SignedOut | Self::FactorNeeded => 401,
            Self::StepUpNeeded | Self::NotAllowed | Self::AdminsOnly | Self::OwnPlace => 403,
            Self::NotFound => 404,
            Self::AlreadyHere | Self::LastAdmin | Self::Stale => 409,
            Self::LinkGone => 410,
            Self::Wait(_) => 429,
            Self::Busy | Self::Unavailable | Self::Offline => 503,
            Self::Broken => 500,
            _ => 422,
        }
    }

    /// Whether the same may well succeed in a moment.
    pub const fn passes(&self) -> bool {
        matches!(self, Self::Offline | Self::Unavailable | Self::Busy)
    }

    /// The form field that it is about, so that the message can stand beside it.
    pub fn field(&self) -> Option<&'static str> {
        Some(match self {
            Self::EmailFormat | Self::AlreadyHere => "email",
            Self::NameFormat => "name",
            Self::NoRole => "roles",
            Self::Password(_) => "password",
            Self::WrongPassword => "old",
            Self::WrongCode | Self::WrongRecoveryCode => "code",
            _ => return None,
        })
    }
}

/// "45 seconds", "3 minutes": rounded up, since an early try is refused again.
fn words_for_seconds(seconds: u32) -> String {
    match seconds {
        0..=1 => "1 second".to_owned(),
        2..=90 => format!("{seconds} seconds"),
        _ => format!("{} minutes", seconds.div_ceil(60)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_told_in_words_and_never_too_short() {
        assert_eq!(words_for_seconds(1), "1 second");
        assert_eq!(words_for_seconds(90), "90 seconds");
        assert_eq!(words_for_seconds(91), "2 minutes");
    }

    #[test]
    fn a_refusal_survives_the_way_to_the_browser() {
        let there = serde_json::to_string(&Refusal::Wait(60)).unwrap();
        assert_eq!(
            serde_json::from_str::<Refusal>(&there).unwrap(),
            Refusal::Wait(60)
        );
        let there = serde_json::to_string(&Refusal::Broken).unwrap();
        assert_eq!(
            serde_json::from_str::<Refusal>(&there).unwrap(),
            Refusal::Broken
        );
    }
}
