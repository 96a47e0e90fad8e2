//! What whoever runs the installation does from the command line, connected as the migrator: let the first administrator
//! in, and help somebody who is locked out. Each leaves an event in the tenant's log.

use sqlx::PgConnection;

use crate::{
    Refusal,
    db::{random_bytes, refused},
    role::Role,
};

/// The token of an invitation: 256 bits, shown this once.
pub struct InvitationToken([u8; 32]);

impl InvitationToken {
    /// The bytes that the link carries.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Invites a person to a tenant; the link is good for seven days and voids any earlier one.
///
/// None when there is no tenant of that label, or the person is a member of it already.
pub async fn invite(
    connection: &mut PgConnection,
    label: &str,
    email: &str,
    name: &str,
    roles: &[Role],
) -> Result<Option<InvitationToken>, Refusal> {
    let token = InvitationToken(random_bytes()?);
    let roles: Vec<String> = roles.iter().map(|role| role.code().to_owned()).collect();
    let made = sqlx::query_scalar!(
        "select sec.make_invitation($1, $2, $3, $4, $5)",
        label,
        email,
        name,
        &roles,
        token.bytes().as_slice()
    )
    .fetch_one(connection)
    .await
    .map_err(refused)?;
    Ok(made.map(|_| token))
}

/// Lifts every lock of an account. False when there is no such account.
pub async fn unlock(connection: &mut PgConnection, email: &str) -> Result<bool, Refusal> {
    sqlx::query_scalar!(r#"select sec.unlock($1) as "done!""#, email)
        .fetch_one(connection)
        .await
        .map_err(refused)
}

/// Takes away a lost second factor, and every session with it. False when there is no such account.
pub async fn reset_factors(connection: &mut PgConnection, email: &str) -> Result<bool, Refusal> {
    sqlx::query_scalar!(r#"select sec.reset_factors($1) as "done!""#, email)
        .fetch_one(connection)
        .await
        .map_err(refused)
}
