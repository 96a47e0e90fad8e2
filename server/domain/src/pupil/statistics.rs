//! What the planner knows of the roll, after a change of much of it.

use crate::{
    Refusal,
    db::{Write, refused},
};

/// Counts the roll anew, as the last step of what changes much of it: until the database does so by itself, within a minute, the
/// planner takes a roll of 1,200 for an empty one, and a list of pupils with their groups ran into the time limit.
pub(crate) async fn renew(write: &mut Write) -> Result<(), Refusal> {
    sqlx::query!("select sec.count_roll_anew()")
        .execute(write.connection())
        .await
        .map_err(refused)?;
    Ok(())
}
