//! Groups and classes: what is done to them, and their pages.

#[cfg(feature = "ssr")]
pub(crate) mod list;
#[cfg(feature = "ssr")]
pub(crate) mod one;

#[cfg(feature = "ssr")]
use domain::{
    Refusal, day,
    pupil::{
        Fault,
        caseload::Given,
        group::{self, Kind},
    },
};
use leptos::prelude::*;

use crate::error::Result;
#[cfg(feature = "ssr")]
use crate::{door, form::id_of, ui::Moment};

/// Opens a group.
#[server(endpoint = "groups/open")]
pub async fn open_group(kind: String, name: String) -> Result<()> {
    let kind = Kind::from_code(&kind).ok_or(Refusal::Stale)?;
    let mut write = door::write().await?;
    let (id, act) = group::open(&mut write, kind, &name).await?;
    write.commit(act).await?;
    door::send_to(&format!("/groups/{id}?done=opened"));
    Ok(())
}

/// Gives a group another name.
#[server(endpoint = "groups/rename")]
pub async fn rename_group(group: String, name: String) -> Result<()> {
    let mut write = door::write().await?;
    match group::rename(&mut write, id_of(&group)?, &name).await {
        Ok(act) => write.commit(act).await.map(drop)?,
        // It is called that already.
        Err(Refusal::Stale) => {}
        Err(refusal) => return Err(refusal.into()),
    }
    door::send_to(&format!("/groups/{group}?done=renamed"));
    Ok(())
}

/// Closes a group today.
#[server(endpoint = "groups/close")]
pub async fn close_group(group: String) -> Result<()> {
    let mut write = door::write().await?;
    let act = group::close(&mut write, id_of(&group)?, door::today()).await?;
    write.commit(act).await?;
    door::send_to("/groups?done=closed");
    Ok(())
}

/// Puts pupils into a group from a day on: all of them, or none.
#[server(endpoint = "groups/join")]
pub async fn join_many(
    group: String,
    from: String,
    #[server(default)] pupils: Vec<String>,
) -> Result<()> {
    if pupils.is_empty() {
        return Err(Refusal::from(Fault::NothingGiven).into());
    }
    let (group_id, from) = (id_of(&group)?, day::parse(&from)?);
    let mut write = door::write().await?;
    let mut acts = Vec::with_capacity(pupils.len());
    for pupil in &pupils {
        acts.push(group::join(&mut write, group_id, id_of(pupil)?, from).await?);
    }
    write.commit_all(acts).await?;
    door::send_to(&format!("/groups/{group}?done={}", pupils.len()));
    Ok(())
}

/// Takes a pupil out of a group, on the group's own page.
#[server(endpoint = "groups/leave")]
pub async fn take_out(group: String, pupil: String) -> Result<()> {
    let mut write = door::write().await?;
    let today = door::today();
    let act = group::leave(&mut write, id_of(&group)?, id_of(&pupil)?, today).await?;
    write.commit(act).await?;
    door::send_to(&format!("/groups/{group}?done=out"));
    Ok(())
}

#[cfg(feature = "ssr")]
fn to_groups() -> (String, String) {
    ("/groups".to_owned(), "Groups and classes".to_owned())
}

/// From when to when something is on a caseload, under the name of whose it is or of what it is.
#[cfg(feature = "ssr")]
pub(super) fn held(one: &Given) -> impl IntoView + use<> {
    let (from, until) = ((!one.now).then(|| one.from.clone()), one.until.clone());
    view! {
        {if one.now { "Now" } else { "From " }} {from.map(|from| view! { <Moment at=from /> })}
        {until.map(|until| view! { ", until " <Moment at=until /> })}
    }
}
