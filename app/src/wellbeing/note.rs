//! The box in which somebody writes about a pupil, and the reminder that comes up beside it where a word suggests a child at risk.
//!
//! The reminder is worked out in the browser (`public/prompt/prompt.js`) from the words in the box, and its text stands in the page of
//! everybody who has the box, so nothing is asked for when it comes up. Nothing of it may be kept (promise P51).

use domain::{
    Refusal,
    db::Read,
    pupil::duty::{self, Duty, Holder},
};
use leptos::prelude::*;

use crate::form::TextArea;

/// Who answers for safeguarding here, as the reminder names them; none where the school has not said.
pub async fn lead(read: &mut Read) -> Result<Option<Holder>, Refusal> {
    let mut holders = duty::holders(read).await?;
    holders.retain(|one| one.duty == Duty::Safeguarding && !one.name.is_empty());
    Ok(holders.pop())
}

/// The reminder, kept ready: once on each page that has a [`NoteArea`]. Without a script it stands there for everybody.
#[component]
pub fn Reminder(
    /// See [`lead`].
    lead: Option<Holder>,
) -> impl IntoView {
    view! {
        <template data-prompt="">
            {advice(lead.as_ref())}
            <p><small>"This reminder is shown in your browser only: nobody is told of it, and nothing about it is stored. What you typed is not saved until you save it."</small></p>
        </template>
        <div class="prompt without-script">{advice(lead.as_ref())}</div>
    }
}

/// The same after every word.
fn advice(lead: Option<&Holder>) -> impl IntoView + use<> {
    let who = lead.map(|lead| {
        let (name, reached) = (lead.name.clone(), lead.reached.clone());
        let process = lead.process.trim().to_owned();
        view! {
            <p>"Designated safeguarding lead: " <b>{name}</b> ", " {reached}</p>
            {(!process.is_empty()).then(|| view! { <p class="lines-kept">{process}</p> })}
        }
    });
    view! {
        <p><b>"If you think that a child is at risk, tell your designated safeguarding lead now."</b></p>
        {who}
        <p>"Do not write it here: this is not the safeguarding record. If a child is in immediate danger, ring 999."</p>
    }
}

/// A box for notes about pupils. Nothing of it is offered again by the browser, and the page has a [`Reminder`].
#[component]
pub fn NoteArea(
    /// Name in the form, and id on the page.
    #[prop(into)]
    name: String,
    /// Id on the page, where another form on it has a field of that name.
    #[prop(optional, into)]
    id: Option<String>,
    /// Its label.
    #[prop(into)]
    label: String,
    /// One sentence of help.
    #[prop(optional, into)]
    hint: Option<String>,
    /// What it holds to begin with.
    #[prop(into)]
    value: String,
    /// Lines shown.
    #[prop(default = 4)]
    rows: u16,
    /// Most characters.
    #[prop(into)]
    most: u32,
    /// The refusal of the form; shown here when it is about this field.
    #[prop(default = None)]
    refusal: Option<Refusal>,
) -> impl IntoView {
    let id = id.unwrap_or_else(|| name.clone());
    match hint {
        Some(hint) => {
            view! { <TextArea name=name id=id label=label hint=hint value=value rows=rows most=most notes=true refusal=refusal /> }
                .into_any()
        }
        None => view! { <TextArea name=name id=id label=label value=value rows=rows most=most notes=true refusal=refusal /> }
            .into_any(),
    }
}
