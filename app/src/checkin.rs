//! A row of check-ins: the sheet of one's pupils side by side, choosing whom to check in with, and the form for the row.

#[cfg(feature = "ssr")]
pub(crate) mod caseload;
#[cfg(feature = "ssr")]
pub(crate) mod row;
#[cfg(feature = "ssr")]
mod typed;
#[cfg(feature = "ssr")]
pub(crate) mod whom;

use std::collections::BTreeMap;

#[cfg(feature = "ssr")]
use domain::wellbeing::{
    Fault,
    record::{self, Checked},
};
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use crate::door;
use crate::error::Result;

/// Checks in with a row of pupils at once. `levels` and `notes` are by a pupil's number in `pupils`; those of whom neither says
/// anything are left out. An empty day and time are now.
#[server(endpoint = "pupils/check-in")]
pub async fn check_in(
    #[server(default)] pupils: BTreeMap<String, String>,
    #[server(default)] levels: BTreeMap<String, BTreeMap<String, String>>,
    #[server(default)] notes: BTreeMap<String, String>,
    #[server(default)] happened_on: String,
    #[server(default)] happened_time: String,
) -> Result<()> {
    let row = typed::row(&pupils, &levels, &notes)?;
    if let Some(fault) = row.iter().find_map(typed::Typed::fault) {
        return Err(domain::Refusal::from(fault).into());
    }
    if row.is_empty() {
        return Err(domain::Refusal::from(Fault::NoLevel).into());
    }
    let happened_at = typed::happened(&happened_on, &happened_time, door::now()?)?;
    let row: Vec<Checked<'_>> = row
        .iter()
        .map(|one| Checked {
            pupil: one.pupil,
            levels: &one.levels,
            note: &one.note,
        })
        .collect();
    let mut write = door::write().await?;
    let (records, act) = record::check_in(&mut write, &row, happened_at).await?;
    write.commit(act).await?;
    door::send_to(&format!("/caseload?done={}", records.len()));
    Ok(())
}
