//! What the worker does: ends what has lain in the bin for its time, and says which objects of the store nothing points at.

use crate::{
    Refusal,
    db::{MailDb, refused_quietly as quietly},
};

/// Documents ended at once.
const MOST: i32 = 50;

impl MailDb {
    /// Ends the documents that have lain in the bin for 30 days. Returns where the objects of each lay; nothing points there any
    /// more.
    pub async fn purge_binned(&self) -> Result<Vec<Vec<String>>, Refusal> {
        let due = sqlx::query!(
            r#"select tenant_id as "tenant!", document_id as "document!" from sec.binned($1)"#,
            MOST
        )
        .fetch_all(self.pool())
        .await
        .map_err(quietly)?;
        let mut gone = Vec::new();
        for one in due {
            let keys = sqlx::query_scalar!("select sec.purge($1, $2)", one.tenant, one.document)
                .fetch_one(self.pool())
                .await
                .map_err(quietly)?;
            gone.extend(keys);
        }
        Ok(gone)
    }

    /// Those of the keys that no version points at.
    pub async fn unknown_keys(&self, keys: &[String]) -> Result<Vec<String>, Refusal> {
        let known = sqlx::query_scalar!(r#"select sec.keys_known($1) as "known!""#, keys)
            .fetch_one(self.pool())
            .await
            .map_err(quietly)?;
        Ok(keys
            .iter()
            .filter(|key| !known.contains(key))
            .cloned()
            .collect())
    }
}
