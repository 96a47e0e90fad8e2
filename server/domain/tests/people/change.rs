//! The verbs of a membership, each one change by one person, all the way.

use domain::{
    MembershipId, Refusal,
    db::{Caller, Db, Write},
    event::Act,
    membership::{self, Ended},
    role::Role as Held,
};

/// One change by one person, all the way.
pub async fn change<T>(
    db: &Db,
    caller: &Caller,
    verb: impl AsyncFnOnce(&mut Write) -> Result<(T, Act), Refusal>,
) -> Result<T, Refusal> {
    let mut write = db.write(caller).await?;
    let (done, act) = verb(&mut write).await?;
    write.commit(act).await?;
    Ok(done)
}

pub async fn add(
    db: &Db,
    caller: &Caller,
    name: &str,
    email: &str,
    roles: &[Held],
) -> Result<MembershipId, Refusal> {
    change(db, caller, async |write| {
        membership::add(write, name, email, roles).await
    })
    .await
}

pub async fn set_roles(
    db: &Db,
    caller: &Caller,
    id: MembershipId,
    roles: &[Held],
) -> Result<(), Refusal> {
    change(db, caller, async |write| {
        Ok(((), membership::change_roles(write, id, roles).await?))
    })
    .await
}

pub async fn suspend(db: &Db, caller: &Caller, id: MembershipId) -> Result<Ended, Refusal> {
    change(db, caller, async |write| {
        membership::suspend(write, id).await
    })
    .await
}

pub async fn restore(db: &Db, caller: &Caller, id: MembershipId) -> Result<(), Refusal> {
    change(db, caller, async |write| {
        Ok(((), membership::restore(write, id).await?))
    })
    .await
}

pub async fn remove(db: &Db, caller: &Caller, id: MembershipId) -> Result<Ended, Refusal> {
    change(db, caller, async |write| {
        membership::remove(write, id).await
    })
    .await
}

pub async fn invite_again(db: &Db, caller: &Caller, id: MembershipId) -> Result<(), Refusal> {
    change(db, caller, async |write| {
        Ok(((), membership::invite_again(write, id).await?))
    })
    .await
}

/// Tries every verb on one place; what each answered.
pub async fn every_verb(db: &Db, caller: &Caller, id: MembershipId) -> Vec<Refusal> {
    [
        set_roles(db, caller, id, &[Held::Associate]).await.err(),
        suspend(db, caller, id).await.err(),
        restore(db, caller, id).await.err(),
        remove(db, caller, id).await.err(),
        invite_again(db, caller, id).await.err(),
    ]
    .into_iter()
    .map(|refusal| refusal.expect("every verb is refused"))
    .collect()
}
