//! The weekly lists of looks at pupils' records that are out of the ordinary: signing them, and their pages.

#[cfg(feature = "ssr")]
pub(crate) mod list;
#[cfg(feature = "ssr")]
pub(crate) mod weeks;

use leptos::prelude::*;

use crate::error::Result;
#[cfg(feature = "ssr")]
use crate::{door, form::id_of};
#[cfg(feature = "ssr")]
use domain::{
    Refusal, day,
    pupil::unusual::{self, Said},
};

/// Signs the list of a week. `lines` and `said` go together; `follow` has those lines that are to be followed up.
#[server(endpoint = "pupils/sign-week")]
pub async fn sign_week(
    monday: String,
    #[server(default)] words: String,
    #[server(default)] lines: Vec<String>,
    #[server(default)] said: Vec<String>,
    #[server(default)] follow: Vec<String>,
) -> Result<()> {
    let day = monday_of(&monday)?;
    if lines.len() != said.len() {
        return Err(Refusal::Stale.into());
    }
    let said = lines
        .iter()
        .zip(said)
        .map(|(id, words)| {
            Ok(Said {
                finding: id_of(id)?,
                follow_up: follow.contains(id),
                words,
            })
        })
        .collect::<std::result::Result<Vec<_>, Refusal>>()?;
    let mut write = door::write().await?;
    let act = unusual::sign(&mut write, day, &words, &said).await?;
    write.commit(act).await?;
    door::send_to(&format!(
        "/pupils/looked/weeks/{}?done=signed",
        day::field(day)
    ));
    Ok(())
}

/// Adds something to what was said of a list that is signed. An empty `line` is the whole of it.
#[server(endpoint = "pupils/note-week")]
pub async fn note_week(
    monday: String,
    #[server(default)] line: String,
    #[server(default)] follow_up: String,
    #[server(default)] words: String,
) -> Result<()> {
    let day = monday_of(&monday)?;
    let line = (!line.is_empty()).then(|| id_of(&line)).transpose()?;
    let mut write = door::write().await?;
    let act = unusual::note(&mut write, day, line, !follow_up.is_empty(), &words).await?;
    write.commit(act).await?;
    door::send_to(&format!(
        "/pupils/looked/weeks/{}?done=noted",
        day::field(day)
    ));
    Ok(())
}

/// The first day of a week, as its address has it.
#[cfg(feature = "ssr")]
fn monday_of(text: &str) -> std::result::Result<time::Date, Refusal> {
    day::parse(text).map_err(|_| Refusal::NotFound)
}
