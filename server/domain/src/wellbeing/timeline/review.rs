//! Plans and interventions that are to be looked at again.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::wellbeing::record::Kind;

/// A plan or an intervention to look at again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    /// The record.
    pub record: Uuid,
    /// Plan or intervention.
    pub kind: Kind,
    /// The day, 2026-06-18.
    pub on: String,
    /// Whom it is about, of those the caller sees.
    pub pupils: Vec<(Uuid, String)>,
}

#[cfg(feature = "db")]
pub use queries::reviews_due;

#[cfg(feature = "db")]
mod queries {
    use time::Date;
    use uuid::Uuid;

    use super::Due;
    use crate::{
        Refusal, day,
        db::{Read, refused},
        wellbeing::{record::Kind, timeline::reading::linked},
    };

    /// The caller's own plans and interventions whose review is due by a day, the oldest first.
    pub async fn reviews_due(read: &mut Read, today: Date) -> Result<Vec<Due>, Refusal> {
        let (tenant, own) = (read.standing.tenant, read.standing.membership);
        let rows = sqlx::query!(
            r#"select r.id, r.kind, v.review_on as "on!" from record_version v
               join record r on r.tenant_id = v.tenant_id and r.id = v.record_id and r.newest = v.number and r.withdrawn_at is null
               where v.tenant_id = $1 and v.review_on <= $2 and r.author_id = $3
               order by v.review_on, r.id"#,
            tenant,
            today,
            own
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        let records: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        let linked = linked(read, &records).await?;
        rows.into_iter()
            .map(|row| {
                let there = linked.get(&row.id).map(Vec::as_slice).unwrap_or_default();
                Ok(Due {
                    record: row.id,
                    kind: Kind::from_code(&row.kind).ok_or(Refusal::Broken)?,
                    on: day::field(row.on),
                    pupils: there
                        .iter()
                        .map(|(id, _, bearer)| (*id, bearer.called()))
                        .collect(),
                })
            })
            .collect()
    }
}
