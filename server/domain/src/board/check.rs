//! What is kept of a person beside their terms: DBS checks, training, and a telephone number. Not for everybody's eyes.

use serde::{Deserialize, Serialize};
use time::Date;
use uuid::Uuid;

use crate::{Refusal, text};

/// Longest title of a training, in characters.
pub const TITLE_MOST: u16 = 200;

/// For clerks, administrators and the person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checks {
    /// Days on which a DBS certificate was seen, the newest first. Neither its number nor what it says is kept
    /// (Keeping children safe in education, part three: the single central record holds the date).
    pub dbs: Vec<Date>,
    /// The newest first.
    pub training: Vec<Training>,
}

/// One training that somebody completed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Training {
    /// Its key.
    pub id: Uuid,
    /// "Safeguarding for governors".
    pub title: String,
    /// The day on which it was completed.
    pub completed_on: Date,
    /// The day by which it must be done again, if there is one.
    pub renew_by: Option<Date>,
}

/// A training's title as it is kept; refuses [`Refusal::TextFormat`].
pub fn tidy_title(typed: &str) -> Result<String, Refusal> {
    text::line(typed, TITLE_MOST)
}

/// A telephone number as the person gives it; none when it is taken away.
///
/// Refuses [`Refusal::PhoneFormat`] for what cannot be one: fewer than seven digits or more than fifteen (ITU-T E.164), or
/// anything but digits, spaces and ( ) - . / after a leading +, with an extension at the end.
pub fn tidy_phone(typed: &str) -> Result<Option<String>, Refusal> {
    let phone = typed.split_whitespace().collect::<Vec<_>>().join(" ");
    if phone.is_empty() {
        return Ok(None);
    }
    let (number, extension) = phone.split_once(" ext ").unwrap_or((&phone, "1"));
    let digits = number.chars().filter(char::is_ascii_digit).count();
    let good = (7..=15).contains(&digits)
        && number.len() <= 30
        && number
            .strip_prefix('+')
            .unwrap_or(number)
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, ' ' | '(' | ')' | '-' | '.' | '/'))
        && (1..=6).contains(&extension.len())
        && extension.bytes().all(|byte| byte.is_ascii_digit());
    if good {
        Ok(Some(phone))
    } else {
        Err(Refusal::PhoneFormat)
    }
}

#[cfg(feature = "db")]
pub use queries::{record_dbs, record_training, set_phone};

#[cfg(feature = "db")]
mod queries {
    use time::Date;
    use uuid::Uuid;

    use super::{tidy_phone, tidy_title};
    use crate::{
        MembershipId, Refusal,
        board::keeping::{look, whom},
        db::{Write, refused},
        event::Act,
    };

    /// Records that somebody's DBS certificate was seen on a day. Refuses a day to come, and [`Refusal::Stale`] for one that is
    /// recorded already.
    pub async fn record_dbs(
        write: &mut Write,
        person: MembershipId,
        on: Date,
        today: Date,
    ) -> Result<(Uuid, Act), Refusal> {
        let whom = whom(write, person).await?;
        if on > today {
            return Err(Refusal::DayAhead);
        }
        let tenant = write.standing.tenant;
        let check = sqlx::query_scalar!(
            "insert into dbs_check (tenant_id, membership_id, checked_on) values ($1, $2, $3) returning id",
            tenant,
            person,
            on
        )
        .fetch_one(write.connection())
        .await
        .map_err(refused)?;
        Ok((check, Act::dbs_check_recorded(whom, check, on)))
    }

    /// Records a training that somebody completed. Refuses a day to come, and a renewal that is due before it.
    pub async fn record_training(
        write: &mut Write,
        person: MembershipId,
        title: &str,
        on: Date,
        renew_by: Option<Date>,
        today: Date,
    ) -> Result<(Uuid, Act), Refusal> {
        let whom = whom(write, person).await?;
        let title = tidy_title(title)?;
        if on > today {
            return Err(Refusal::DayAhead);
        }
        if renew_by.is_some_and(|day| day <= on) {
            return Err(Refusal::DatesOrder);
        }
        let tenant = write.standing.tenant;
        let training = sqlx::query_scalar!(
            "insert into training (tenant_id, membership_id, title, completed_on, renew_by) values ($1, $2, $3, $4, $5)
             returning id",
            tenant,
            person,
            title,
            on,
            renew_by
        )
        .fetch_one(write.connection())
        .await
        .map_err(refused)?;
        Ok((
            training,
            Act::training_recorded(whom, training, on, renew_by),
        ))
    }

    /// Sets somebody's telephone number, or takes it away where nothing is typed. One's own, or anybody's as a clerk or
    /// administrator.
    pub async fn set_phone(
        write: &mut Write,
        person: MembershipId,
        typed: &str,
    ) -> Result<Act, Refusal> {
        let whom = if person == write.standing.membership {
            look(write, person).await?.0
        } else {
            whom(write, person).await?
        };
        let phone = tidy_phone(typed)?;
        let tenant = write.standing.tenant;
        let done = sqlx::query!(
            "insert into contact as c (tenant_id, membership_id, phone) values ($1, $2, $3)
             on conflict on constraint contact_person_key do update set phone = excluded.phone
             where c.phone is distinct from excluded.phone",
            tenant,
            person,
            phone
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        if done.rows_affected() == 0 {
            return Err(Refusal::Stale);
        }
        Ok(Act::phone_set(whom, phone.is_some()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_kept_as_the_person_gives_it() {
        for (typed, kept) in [
            (" 0114  496 0123 ", "0114 496 0123"),
            ("+44 (0)7700 900-123", "+44 (0)7700 900-123"),
            ("(0114) 496.0123", "(0114) 496.0123"),
            ("0114 496 0123 ext 12", "0114 496 0123 ext 12"),
            ("4960123", "4960123"),
        ] {
            assert_eq!(tidy_phone(typed), Ok(Some(kept.to_owned())), "{typed}");
        }
        assert_eq!(tidy_phone("  "), Ok(None));
    }

    #[test]
    fn what_cannot_be_a_number_is_refused() {
        for bad in [
            "ring me",
            "496012",
            "1234567890123456",
            "0114 496 0123 ext",
            "0114 496 0123 ext x",
            "0114 496 0123 ext 1234567",
            "44+ 114 496 0123",
            "++44 114 496 0123",
            "0114 496 0123; 0114 496 0124",
            "٠١١٤٤٩٦٠١٢٣",
            "0114 496 0123\u{202e}",
            "0(((((((((((((((((((((((((((((((1144960123",
        ] {
            assert_eq!(tidy_phone(bad), Err(Refusal::PhoneFormat), "{bad:?}");
        }
    }
}
