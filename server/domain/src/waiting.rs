//! What waits for somebody at each of their places, for the bare host: the duties of their home there, in numbers.

use time::Date;

use crate::{Refusal, TenantId, session::Token};

/// What one of somebody's places has for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The place.
    pub tenant: TenantId,
    /// Its name.
    pub name: String,
    /// What it is.
    pub what: What,
}

/// A duty, or why there are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// They are suspended there, and are told nothing else.
    Suspended {
        /// Since that day.
        since: Date,
    },
    /// Their own declaration of interests.
    Declare {
        /// Since when it is due; none where they never declared.
        since: Option<Date>,
    },
    /// Invitations that nobody accepted.
    Invitations {
        /// How many.
        many: u32,
        /// When the oldest of them was sent.
        since: Date,
    },
    /// Terms of office that end soon and have no successor.
    Terms {
        /// How many.
        many: u32,
        /// When it began to be soon for the first of them.
        since: Date,
        /// The last day of the first of them.
        first: Date,
    },
    /// Governors' seats that nobody holds, today.
    Seats {
        /// How many.
        many: u32,
        /// The day.
        since: Date,
    },
    /// Others' declarations that are due, today.
    Declarations {
        /// How many.
        many: u32,
        /// The day.
        since: Date,
    },
    /// Papers that they are asked to approve.
    Approvals {
        /// How many.
        many: u32,
        /// Since when the oldest waits.
        since: Date,
    },
    /// Papers of theirs that are to be looked at again.
    Reviews {
        /// How many.
        many: u32,
        /// Since when the oldest is due soon.
        since: Date,
        /// The first day by which one is to be reviewed.
        first: Date,
    },
}

impl What {
    /// The day since which it waits; none for what was never done, which comes before all that has a day.
    pub const fn since(&self) -> Option<Date> {
        match *self {
            Self::Declare { since } => since,
            Self::Suspended { since }
            | Self::Invitations { since, .. }
            | Self::Terms { since, .. }
            | Self::Seats { since, .. }
            | Self::Declarations { since, .. }
            | Self::Approvals { since, .. }
            | Self::Reviews { since, .. } => Some(since),
        }
    }
}

/// What waits at each of the caller's places, the oldest first. Nothing at all for a session of a tenant's host, and for one
/// that lacks the second step which any of the places asks for.
pub async fn at_my_places(db: &crate::db::Db, token: Token) -> Result<Vec<Waiting>, Refusal> {
    let rows = sqlx::query!(
        r#"select tenant_id as "tenant!", name as "name!", what as "what!", many as "many!", since, ends
           from sec.my_waiting($1)"#,
        token.bytes()
    )
    .fetch_all(db.unsealed())
    .await
    .map_err(crate::db::refused)?;
    let mut all = rows
        .into_iter()
        .map(|row| {
            let many = u32::try_from(row.many).map_err(|_| Refusal::Broken)?;
            let since = row.since.ok_or(Refusal::Broken);
            Ok(Waiting {
                tenant: row.tenant,
                name: row.name,
                what: match row.what.as_str() {
                    "suspended" => What::Suspended { since: since? },
                    "declare" => What::Declare { since: row.since },
                    "invitations" => What::Invitations {
                        many,
                        since: since?,
                    },
                    "terms" => What::Terms {
                        many,
                        since: since?,
                        first: row.ends.ok_or(Refusal::Broken)?,
                    },
                    "seats" => What::Seats {
                        many,
                        since: since?,
                    },
                    "declarations" => What::Declarations {
                        many,
                        since: since?,
                    },
                    "approvals" => What::Approvals {
                        many,
                        since: since?,
                    },
                    "reviews" => What::Reviews {
                        many,
                        since: since?,
                        first: row.ends.ok_or(Refusal::Broken)?,
                    },
                    _ => return Err(Refusal::Broken),
                },
            })
        })
        .collect::<Result<Vec<_>, Refusal>>()?;
    // Stable: of one day, in the order in which home asks.
    all.sort_by_key(|waiting| waiting.what.since());
    Ok(all)
}
