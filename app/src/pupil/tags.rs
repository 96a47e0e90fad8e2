//! What is known of a pupil's circumstances: what is done to it, and its pages.

#[cfg(feature = "ssr")]
pub(crate) mod list;
#[cfg(feature = "ssr")]
pub(crate) mod one;

use leptos::prelude::*;

use crate::error::Result;
#[cfg(feature = "ssr")]
use crate::{door, form::id_of};
#[cfg(feature = "ssr")]
use domain::{
    Refusal,
    pupil::{
        field::TagKind,
        tag::{self, ending},
    },
};

/// Sets what is known of a pupil.
#[server(endpoint = "pupils/tag")]
pub async fn set_tag(pupil: String, kind: String, #[server(default)] value: String) -> Result<()> {
    let kind = TagKind::from_code(&kind).ok_or(Refusal::Stale)?;
    let mut write = door::write().await?;
    let (secrets, id) = (door::services().secrets, id_of(&pupil)?);
    match tag::set(&mut write, &secrets, id, kind, &value, door::today()).await {
        Ok(act) => write.commit(act).await.map(drop)?,
        // It says so already.
        Err(Refusal::Stale) => {}
        Err(refusal) => return Err(refusal.into()),
    }
    door::send_to(&format!("/pupils/{pupil}/circumstances?done=set"));
    Ok(())
}

/// Takes away what is known of a pupil.
#[server(endpoint = "pupils/untag")]
pub async fn remove_tag(pupil: String, kind: String) -> Result<()> {
    let kind = TagKind::from_code(&kind).ok_or(Refusal::Stale)?;
    let mut write = door::write().await?;
    let act = tag::remove(&mut write, id_of(&pupil)?, kind).await?;
    write.commit(act).await?;
    door::send_to(&format!("/pupils/{pupil}/circumstances?done=removed"));
    Ok(())
}

/// Renews what is known of a pupil for the next school year.
#[server(endpoint = "pupils/renew-tag")]
pub async fn renew_tag(pupil: String, kind: String) -> Result<()> {
    let kind = TagKind::from_code(&kind).ok_or(Refusal::Stale)?;
    let mut write = door::write().await?;
    let these = [(id_of(&pupil)?, kind)];
    let act = ending::renew_these(&mut write, &these, door::today()).await?;
    write.commit(act).await?;
    door::send_to(&format!("/pupils/{pupil}/circumstances?done=renewed"));
    Ok(())
}

/// Renews what was chosen in the list of what ends soon. Each is a pupil and a kind with a colon between them.
#[server(endpoint = "pupils/renew-tags")]
pub async fn renew_tags(#[server(default)] tags: Vec<String>) -> Result<()> {
    let these = tags
        .iter()
        .map(|one| {
            let (pupil, kind) = one.split_once(':').ok_or(Refusal::Stale)?;
            Ok((
                id_of(pupil)?,
                TagKind::from_code(kind).ok_or(Refusal::Stale)?,
            ))
        })
        .collect::<std::result::Result<Vec<_>, Refusal>>()?;
    let mut write = door::write().await?;
    let act = ending::renew_these(&mut write, &these, door::today()).await?;
    write.commit(act).await?;
    door::send_to("/pupils/circumstances?done=renewed");
    Ok(())
}
