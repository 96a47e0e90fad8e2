//! One square of a heat map. It stands in a table of its own, whose rows are pupils and whose columns are domains.

use domain::wellbeing::{Domain, Level};
use leptos::prelude::*;

use super::plane::cell_words;

/// The latest level in one domain: a number for the eye, and words with it for whoever hears the page.
#[component]
pub fn Cell(
    /// Which domain.
    domain: Domain,
    /// None where nobody has checked in.
    level: Option<Level>,
) -> impl IntoView {
    let words = cell_words(domain, level);
    match level {
        Some(level) => view! {
            <span class="cell" data-level=level.to_string()>{level.to_string()}<span class="hidden-text">{words}</span></span>
        }
        .into_any(),
        None => view! {
            <span class="cell" data-level="-"><span aria-hidden="true">"–"</span><span class="hidden-text">{words}</span></span>
        }
        .into_any(),
    }
}
