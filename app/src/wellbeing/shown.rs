//! What a parent reads of an entry: drawn once, for the parent's page and for the author's preview, so that the two cannot differ.

use domain::wellbeing::{onrecord::Shown, record::Kind};
use leptos::prelude::*;

use crate::ui::Moment;

/// An entry as its parent reads it.
pub fn entry(shown: &Shown) -> impl IntoView + use<> {
    view! {
        <div class="on-record">
            <h3>{called(shown.kind)}</h3>
            <p class="by"><Moment at=shown.happened_at.clone() day=true /> ", from " {shown.by.clone()}</p>
            <p class="as-written">{shown.words.clone()}</p>
        </div>
    }
}

/// What a kind of record is called where parents read it.
pub const fn called(kind: Kind) -> &'static str {
    match kind {
        Kind::CheckIn => "How they were",
        Kind::Observation => "What we saw",
        Kind::Intervention => "Extra help",
        Kind::Conversation => "A conversation",
        Kind::Plan => "A plan",
        Kind::Instrument => "A questionnaire",
    }
}
