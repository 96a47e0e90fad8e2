//! What the worker does, so that no approval is forgotten: reminders, the stand-in's day, and the end.

use time::OffsetDateTime;

use crate::{
    Refusal,
    db::{MailDb, refused_quietly as quietly},
};

/// Steps of one transaction.
const MOST: i32 = 50;

impl MailDb {
    /// Takes every step that is due at a moment: what is over lapses, what is decided because somebody left is closed, the stand-in
    /// is called, and who has not answered is reminded after three and after seven days. Each is an event. Returns how many there were.
    pub async fn approvals_go_on(&self, moment: OffsetDateTime) -> Result<u32, Refusal> {
        let mut all = 0;
        loop {
            let steps = sqlx::query_scalar!(
                r#"select sec.approvals_go_on($1::timestamptz, $2) as "steps!""#,
                moment as OffsetDateTime,
                MOST
            )
            .fetch_one(self.pool())
            .await
            .map_err(quietly)?;
            all += u32::try_from(steps).map_err(|_| Refusal::Broken)?;
            if steps == 0 {
                return Ok(all);
            }
        }
    }
}
