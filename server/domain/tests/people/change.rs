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

pub async fn give_role(
    db: &Db,
    caller: &Caller,
    id: MembershipId,
    role: Held,
) -> Result<(), Refusal> {
    change(db, caller, async |write| {
        Ok(((), membership::give_role(write, id, role).await?))
    })
    .await
}

pub async fn drop_role(
    db: &Db,
    caller: &Caller,
    id: MembershipId,
    role: Held,
) -> Result<(), Refusal> {
    change(db, caller, async |write| {
        Ok(((), membership::drop_role(write, id, role).await?))
    })
    .await
}

pub async fn rename(
    db: &Db,
    caller: &Caller,
    id: MembershipId,
    name: &str,
    was: &str,
) -> Result<(), Refusal> {
    change(db, caller, async |write| {
        Ok(((), membership::rename(write, id, name, was).await?))
    })
    .await
}

pub async fn correct_address(
    db: &Db,
    caller: &Caller,
    id: MembershipId,
    email: &str,
) -> Result<(), Refusal> {
    change(db, caller, async |write| {
        Ok(((), membership::correct_address(write, id, email).await?))
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

/// How many verbs there are.
pub const EVERY_VERB: usize = 8;

/// Tries every verb on one place; what each answered.
pub async fn every_verb(db: &Db, caller: &Caller, id: MembershipId) -> Vec<Refusal> {
    [
        give_role(db, caller, id, Held::Associate).await.err(),
        drop_role(db, caller, id, Held::Governor).await.err(),
        rename(db, caller, id, "Another Name", "Any").await.err(),
        correct_address(db, caller, id, "other@elsewhere.example")
            .await
            .err(),
        suspend(db, caller, id).await.err(),
        restore(db, caller, id).await.err(),
        remove(db, caller, id).await.err(),
        invite_again(db, caller, id).await.err(),
    ]
    .into_iter()
    .map(|refusal| refusal.expect("every verb is refused"))
    .collect()
}
