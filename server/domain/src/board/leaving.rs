//! What ends on the board with somebody's place in the school.

use crate::{
    MembershipId, Refusal,
    db::{Write, refused},
};

/// Ends with today everything that somebody holds who is being removed: terms and places on committees. Terms that have not
/// begun are dropped. Returns how many terms and how many places it was.
pub(crate) async fn end_all(
    write: &mut Write,
    person: MembershipId,
) -> Result<(u32, u32), Refusal> {
    let tenant = write.standing.tenant;
    let dropped = sqlx::query!(
        "delete from term where tenant_id = $1 and membership_id = $2 and lower(during) > sec.today()",
        tenant,
        person
    )
    .execute(write.connection())
    .await
    .map_err(refused)?
    .rows_affected();
    let ended = sqlx::query!(
        "update term set during = daterange(lower(during), sec.today(), '[]'), ended_why = coalesce(ended_why, 'other')
         where tenant_id = $1 and membership_id = $2 and coalesce(upper(during) > sec.today() + 1, true)",
        tenant,
        person
    )
    .execute(write.connection())
    .await
    .map_err(refused)?
    .rows_affected();
    let places = sqlx::query!(
        "update committee_place set during = daterange(lower(during), sec.today(), '[]')
         where tenant_id = $1 and membership_id = $2 and coalesce(upper(during) > sec.today() + 1, true)",
        tenant,
        person
    )
    .execute(write.connection())
    .await
    .map_err(refused)?
    .rows_affected();
    sqlx::query!(
        "update committee set chair = null where tenant_id = $1 and chair = $2 and closed_on is null",
        tenant,
        person
    )
    .execute(write.connection())
    .await
    .map_err(refused)?;
    let count = |rows| u32::try_from(rows).unwrap_or(u32::MAX);
    Ok((count(dropped + ended), count(places)))
}
