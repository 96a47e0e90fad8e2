//! One square of a heat map. It stands in a table of its own, whose rows are pupils and whose columns are domains.

use domain::{
    day,
    wellbeing::{Domain, Level},
};
use leptos::prelude::*;
use time::Date;

use super::plane::cell_words;

/// The latest level in one domain: a number and its word, and the rest of the sentence for whoever hears the page.
#[component]
pub fn Cell(
    /// Which domain.
    domain: Domain,
    /// None where nobody has checked in.
    level: Option<Level>,
    /// The day on which they did.
    #[prop(default = None)]
    on: Option<Date>,
) -> impl IntoView {
    let on = on.map(|on| format!(", on {}", day::words(on)));
    let words = cell_words(domain, level) + on.as_deref().unwrap_or_default();
    let title = on.map(|on| format!("{}{on}", domain.name()));
    match level {
        Some(level) => view! {
            <span class="cell" data-level=level.to_string() title=title>
                <b>{level.to_string()}</b><small aria-hidden="true">{level.words()}</small><span class="hidden-text">{words}</span>
            </span>
        }
        .into_any(),
        None => view! {
            <span class="cell" data-level="-"><span aria-hidden="true">"–"</span><span class="hidden-text">{words}</span></span>
        }
        .into_any(),
    }
}
