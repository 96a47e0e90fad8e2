//! Rosters: the school's own file is read, shown beside the roll, taken in, and perhaps undone. For those who keep the roll.

#[cfg(feature = "ssr")]
pub(crate) mod column;
#[cfg(feature = "ssr")]
pub(crate) mod difference;
#[cfg(feature = "ssr")]
pub(crate) mod list;
#[cfg(feature = "ssr")]
pub(crate) mod one;
#[cfg(feature = "ssr")]
pub(crate) mod reading;
#[cfg(feature = "ssr")]
pub mod under_way;
#[cfg(feature = "ssr")]
pub(crate) mod undo;

#[cfg(feature = "ssr")]
use domain::{
    Refusal, day,
    pupil::{self, Fault},
    roster,
};
use leptos::prelude::*;

use crate::error::Result;
#[cfg(feature = "ssr")]
use crate::{door, form::id_of};

/// What the form that brings a file is called where it is refused. It is no server function: the file is never held in memory.
#[cfg(feature = "ssr")]
pub const READ: &str = "roster/read";

/// Before the key of a column stands this in the name of the field that says what it is.
#[cfg(feature = "ssr")]
pub const MEANS: &str = "as-";

/// In what a refused form gives back, the names of the file's columns.
#[cfg(feature = "ssr")]
pub const HEADER: &str = "header";

/// Takes in what a roster would change. What was taken comes back as JSON, and is shown once.
#[server(endpoint = "roster/take-in")]
pub async fn take_in(import: String) -> Result<String> {
    let mut write = door::write().await?;
    let secrets = door::services().secrets;
    let (taken, act) = roster::taking::take_in(&mut write, &secrets, id_of(&import)?).await?;
    write.commit(act).await?;
    serde_json::to_string(&taken).map_err(|_| Refusal::Broken.into())
}

/// Says whether a line is of the pupil of that name and date of birth. `same` is `yes` or `no`.
#[server(endpoint = "roster/confirm")]
pub async fn confirm(
    import: String,
    #[server(default)] line: u32,
    #[server(default)] same: String,
) -> Result<()> {
    let same = match &*same {
        "yes" => true,
        "no" => false,
        _ => return Err(Refusal::Stale.into()),
    };
    let mut write = door::write().await?;
    let act = roster::difference::confirm(&mut write, id_of(&import)?, line, same).await?;
    write.commit(act).await?;
    door::send_to(&format!("/roster/{import}?done=settled&verdict=unsure"));
    Ok(())
}

/// Compares a roster with the roll as it is now.
#[server(endpoint = "roster/compare")]
pub async fn compare(import: String) -> Result<()> {
    let mut write = door::write().await?;
    let act = roster::difference::compare_again(&mut write, id_of(&import)?).await?;
    write.commit(act).await?;
    door::send_to(&format!("/roster/{import}?done=compared"));
    Ok(())
}

/// Throws a roster away of which nothing was taken.
#[server(endpoint = "roster/drop")]
pub async fn drop_roster(import: String) -> Result<()> {
    let mut write = door::write().await?;
    let act = roster::import::drop_it(&mut write, id_of(&import)?).await?;
    write.commit(act).await?;
    door::send_to("/roster?done=dropped");
    Ok(())
}

/// Records the last day of pupils whom a roster does not have any more: of all of them, or of none.
#[server(endpoint = "roster/leavers")]
pub async fn record_leavers(
    import: String,
    #[server(default)] pupils: Vec<String>,
    #[server(default)] last: String,
) -> Result<()> {
    let import = id_of(&import)?;
    if pupils.is_empty() {
        return Err(Refusal::from(Fault::NothingGiven).into());
    }
    let last = day::parse(&last)?;
    let mut write = door::write().await?;
    let mut acts = Vec::with_capacity(pupils.len());
    for one in &pupils {
        acts.push(pupil::leave(&mut write, id_of(one)?, last, door::today()).await?);
    }
    write.commit_all(acts).await?;
    door::send_to(&format!("/roster/{import}?done=left"));
    Ok(())
}

/// Undoes what was taken from a roster.
#[server(endpoint = "roster/undo")]
pub async fn undo_roster(import: String) -> Result<()> {
    let mut write = door::write().await?;
    let (_, act) = roster::undo::undo(&mut write, id_of(&import)?).await?;
    write.commit(act).await?;
    door::send_to(&format!("/roster/{import}?done=undone"));
    Ok(())
}

/// The way back to the list of rosters.
#[cfg(feature = "ssr")]
fn to_rosters() -> (String, String) {
    ("/roster".to_owned(), "Rosters".to_owned())
}

/// Pages of lines, and where the others are. Pages count from 1.
#[cfg(feature = "ssr")]
fn pager(
    of: &'static str,
    page: usize,
    pages: usize,
    link: impl Fn(usize) -> String,
) -> Option<AnyView> {
    (pages > 1).then(|| {
        view! {
            <nav class="pager" aria-label=of>
                {(page > 1).then(|| view! { <a class="button" rel="prev" href=link(page - 1)>"Before these"</a> })}
                <span>{format!("Page {page} of {pages}")}</span>
                {(page < pages).then(|| view! { <a class="button" rel="next" href=link(page + 1)>"After these"</a> })}
            </nav>
        }
        .into_any()
    })
}
