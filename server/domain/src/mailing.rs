//! What the log asks to be mailed, and the one moment at which a link's token exists outside the database.

use std::{fmt, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::{
    Refusal, Seq, TenantId,
    db::{MailDb, random_bytes, refused_quietly as quietly},
};

/// The relay's cursor in the application database.
const CURSOR: &str = "mail";
/// Events read at once, of each tenant.
const MOST: i32 = 100;

/// The letters there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Somebody was invited, or invited again.
    Invitation,
    /// Somebody asked to choose a new password.
    Reset,
}

impl Kind {
    /// How long the link works; `sec.invitation_issue` and `sec.reset_issue` say the same.
    pub const fn life(self) -> Duration {
        match self {
            Self::Invitation => Duration::from_hours(7 * 24),
            Self::Reset => Duration::from_mins(30),
        }
    }
}

/// One event that needs a letter. It names nobody, so it may stand in a queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// Whose log.
    pub tenant: TenantId,
    /// Where in it.
    pub seq: Seq,
    /// Which letter.
    pub kind: Kind,
    /// The membership invited, or the request for a reset.
    pub about: Uuid,
}

/// Whom a letter goes to and what it says; lives as long as it takes to send it.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// Which letter.
    pub kind: Kind,
    /// The address of the account.
    pub email: String,
    /// The person, as the tenant calls them.
    pub name: String,
    /// The tenant's name.
    pub place: String,
    /// The first part of the tenant's host.
    pub label: String,
    /// Whether they are invited as a parent alone.
    pub as_parent: bool,
}

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Letter")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// What a mailed link carries: 256 random bits. The database keeps only their SHA-256.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LinkToken([u8; 32]);

impl LinkToken {
    /// A new one, from the operating system's generator.
    pub fn random() -> Result<Self, Refusal> {
        random_bytes().map(Self)
    }

    /// The last part of a link's path; none for anything that never was one.
    pub fn parse(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// As it stands in the link: 43 letters of base64url (RFC 4648, without padding).
    pub fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// The bytes, for the database's hashing function.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for LinkToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkToken(…)")
    }
}

impl MailDb {
    /// Forgets what has no use any more, and makes room in the log for the months ahead.
    pub async fn keep_up(&self) -> Result<(), Refusal> {
        sqlx::query!(r#"select sec.make_partitions(3) as "made!""#)
            .fetch_one(self.pool())
            .await
            .map_err(quietly)?;
        sqlx::query!("select sec.sweep()::text as swept, sec.sweep_notices()::text as forgotten")
            .fetch_one(self.pool())
            .await
            .map(drop)
            .map_err(quietly)
    }

    /// The events that need a letter and were not yet put into the queue: in order within a tenant, 100 of each at most.
    ///
    /// Refuses [`Refusal::Unavailable`] without a word in the log, since the relay asks every second and tells it once.
    pub async fn wanted(&self) -> Result<Vec<Wanted>, Refusal> {
        let rows = sqlx::query!(
            r#"select tenant_id as "tenant_id!", seq as "seq!", act as "act!", about,
                      (detail ->> 'reset')::uuid as reset from sec.jobs_after($1, $2)"#,
            CURSOR,
            MOST,
        )
        .fetch_all(self.pool())
        .await
        .map_err(quietly)?;
        let mut wanted = Vec::with_capacity(rows.len());
        for row in rows {
            let (kind, about) = match row.act.as_str() {
                "reset.asked" => (Kind::Reset, row.reset),
                _ => (Kind::Invitation, row.about),
            };
            match about {
                Some(about) => wanted.push(Wanted {
                    tenant: row.tenant_id,
                    seq: row.seq,
                    kind,
                    about,
                }),
                None => {
                    tracing::error!(tenant = %row.tenant_id, seq = row.seq, "an event asks for a letter about nobody");
                }
            }
        }
        Ok(wanted)
    }

    /// Says that everything of the tenant's log up to `seq` is in the queue. Never moves backwards.
    pub async fn queued(&self, tenant: TenantId, seq: Seq) -> Result<(), Refusal> {
        sqlx::query_scalar!("select sec.cursor_move($1, $2, $3)", CURSOR, tenant, seq)
            .fetch_one(self.pool())
            .await
            .map_err(quietly)?;
        Ok(())
    }

    /// Puts the token's hash on the open invitation or request, in place of an earlier one, and starts its time.
    /// None when it was used or voided meanwhile: then there is nothing to send.
    pub async fn issue(
        &self,
        wanted: &Wanted,
        token: &LinkToken,
    ) -> Result<Option<Letter>, Refusal> {
        let token = token.bytes().as_slice();
        let letter = match wanted.kind {
            Kind::Invitation => sqlx::query!(
                r#"select email as "email!", name as "name!", tenant_name as "place!", label as "label!", as_parent as "as_parent!"
                   from sec.invitation_issue($1, $2, $3)"#,
                wanted.tenant,
                wanted.about,
                token,
            )
            .fetch_optional(self.pool())
            .await
            .map_err(quietly)?
            .map(|row| (row.email, row.name, row.place, row.label, row.as_parent)),
            Kind::Reset => sqlx::query!(
                r#"select email as "email!", name as "name!", tenant_name as "place!", label as "label!"
                   from sec.reset_issue($1, $2, $3)"#,
                wanted.tenant,
                wanted.about,
                token,
            )
            .fetch_optional(self.pool())
            .await
            .map_err(quietly)?
            .map(|row| (row.email, row.name, row.place, row.label, false)),
        };
        Ok(letter.map(|(email, name, place, label, as_parent)| Letter {
            kind: wanted.kind,
            email,
            name,
            place,
            label,
            as_parent,
        }))
    }

    /// Records that the recipient's server refused a letter for good, so that a clerk can see it and correct the address.
    /// `about` is the membership invited, the request for a reset, or the letter of notices; `seq` the line that asked for it,
    /// where one did; `code` the reply's three digits (RFC 5321, 4.2), or none when the address could not even be tried.
    pub async fn returned(
        &self,
        tenant: TenantId,
        about: Uuid,
        seq: Option<Seq>,
        code: Option<u16>,
    ) -> Result<(), Refusal> {
        sqlx::query_scalar!(
            "select sec.mail_returned($1, $2, $3)",
            tenant,
            about,
            json!({ "seq": seq, "code": code }),
        )
        .fetch_one(self.pool())
        .await
        .map(drop)
        .map_err(quietly)
    }

    /// Says that a letter was taken; the log has a line of it only where the last one had come back. `about` as above.
    pub async fn taken(&self, tenant: TenantId, about: Uuid) -> Result<(), Refusal> {
        sqlx::query_scalar!("select sec.mail_taken($1, $2)", tenant, about)
            .fetch_one(self.pool())
            .await
            .map(drop)
            .map_err(quietly)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_the_link_and_nothing_else_is_one() {
        let token = LinkToken::random().unwrap();
        assert_eq!(token.text().len(), 43);
        assert_eq!(LinkToken::parse(&token.text()), Some(token));
        assert_ne!(LinkToken::random().unwrap(), token);
        for text in [
            "",
            "abc",
            &"A".repeat(42),
            &"A".repeat(44),
            &format!("{}=", token.text()),
            &"+".repeat(43),
        ] {
            assert_eq!(LinkToken::parse(text), None, "{text}");
        }
    }

    #[test]
    fn neither_tokens_nor_people_are_written_by_debug() {
        let letter = Letter {
            kind: Kind::Invitation,
            email: "joan@oakfield.example".into(),
            name: "Joan Whitlock".into(),
            place: "Oakfield Primary School".into(),
            label: "oakfield".into(),
            as_parent: false,
        };
        let text = format!("{letter:?} {:?}", LinkToken([7; 32]));
        assert!(
            !text.contains("joan") && !text.contains("Joan") && !text.contains('7'),
            "{text}"
        );
    }

    #[test]
    fn what_stands_in_the_queue_names_nobody() {
        let wanted = Wanted {
            tenant: Uuid::nil(),
            seq: 4,
            kind: Kind::Reset,
            about: Uuid::nil(),
        };
        let text = serde_json::to_string(&wanted).unwrap();
        let nil = Uuid::nil();
        assert_eq!(
            text,
            format!(r#"{{"tenant":"{nil}","seq":4,"kind":"reset","about":"{nil}"}}"#)
        );
    }
}
