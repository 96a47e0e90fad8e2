//! What anybody may know of an approval who holds its certificate: whether it is on record, and whether other bytes came since.

use serde::Serialize;
use uuid::Uuid;

use super::State;
use crate::{
    Refusal,
    db::{Db, refused},
};

/// An approval that is on record. Names nobody, and neither the document nor the school.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Known {
    /// What became of it; none where its document lies in the bin, of which nothing more is said.
    pub state: Option<State>,
    /// Whether it is about the bytes of the newest version, and was not broken off by another; none as above.
    pub newest: Option<bool>,
}

/// Asked without a seal, of every school at once: to name an approval together with the SHA-256 it is about is the right to ask.
///
/// Refuses [`Refusal::NotFound`] for one that is not on record and for one of other bytes alike.
pub async fn known(db: &Db, id: Uuid, sha256: &[u8; 32]) -> Result<Known, Refusal> {
    let row = sqlx::query!(
        r#"select state as "state?", newest as "newest?" from sec.approval_known($1, $2)"#,
        id,
        sha256.as_slice()
    )
    .fetch_optional(db.unsealed())
    .await
    .map_err(refused)?
    .ok_or(Refusal::NotFound)?;
    let state = match row.state {
        Some(code) => Some(State::from_code(&code).ok_or(Refusal::Broken)?),
        None => None,
    };
    Ok(Known {
        state,
        newest: row.newest,
    })
}
