//! Forms that work without JavaScript and lose nothing that was typed.
//!
//! A form posts to the address of its own page and names its server function in the field `act`. When the function refuses, the
//! server draws the same page again with an [`Echo`]: the refusal and the fields.

use domain::Refusal;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// The refused post that the page is drawn for; empty on a plain visit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Echo {
    /// The server function that refused, as in the form's `act`.
    pub act: String,
    /// Why.
    pub refusal: Option<Refusal>,
    /// What was typed, without passwords and codes.
    pub fields: Vec<(String, String)>,
    /// What the server function answered, as JSON, where the page is to show it: recovery codes, shown once.
    #[serde(default)]
    pub answer: Option<String>,
}

impl Echo {
    /// What was typed into a field, or nothing.
    pub fn value(&self, field: &str) -> Option<String> {
        self.fields
            .iter()
            .find(|(name, _)| name == field)
            .map(|(_, value)| value.clone())
    }

    /// Everything chosen in a group of check boxes.
    pub fn values(&self, field: &str) -> Vec<String> {
        self.fields
            .iter()
            .filter(|(name, _)| name == field || name.starts_with(&format!("{field}[")))
            .map(|(_, value)| value.clone())
            .collect()
    }

    /// What that server function answered.
    pub fn answer_of<T: for<'de> Deserialize<'de>>(&self, act: &str) -> Option<T> {
        self.answer
            .as_deref()
            .filter(|_| self.act == act)
            .and_then(|json| serde_json::from_str(json).ok())
    }

    /// The refusal of that server function.
    pub fn of(&self, act: &str) -> Option<Refusal> {
        self.refusal.clone().filter(|_| self.act == act)
    }

    /// Leaves out what must never be written into a page.
    #[must_use]
    pub fn without_secrets(mut self) -> Self {
        self.fields.retain(|(name, _)| {
            !matches!(name.as_str(), "password" | "old" | "code" | "act" | "token")
        });
        self
    }
}

/// The hidden field that names the server function.
#[component]
pub fn Act(
    /// Its endpoint, such as `people/add`.
    name: &'static str,
) -> impl IntoView {
    view! { <input type="hidden" name="act" value=name /> }
}

/// Under a refused form that wants a fresh proof: a way to give it that leaves what was typed where it is.
#[component]
pub fn ProofBeside(
    /// Why the form was refused, if it was.
    refusal: Option<Refusal>,
) -> impl IntoView {
    (refusal == Some(Refusal::StepUpNeeded)).then(|| {
        view! {
            <p>
                <a class="button" href="/step-up?next=/me" target="_blank" rel="external noopener">"Enter my password in a new tab"</a>
                " Then come back to this one; what you typed is still here."
            </p>
        }
    })
}

/// The refusal at the top of a form, with a link to the field it is about; the browser follows it itself, since the router
/// would scroll there and leave the focus behind.
#[component]
pub fn Refusals(
    /// Why the form was refused, if it was.
    refusal: Option<Refusal>,
) -> impl IntoView {
    refusal.map(|refusal| {
        let text = refusal.to_string();
        view! {
            <div class="errors" role="alert" tabindex="-1" aria-labelledby="errors-title">
                <h2 id="errors-title">"This was not done"</h2>
                <ul role="list">
                    <li>
                        {match refusal.field() {
                            Some(field) => view! { <a href=format!("#{field}") rel="external">{text}</a> }.into_any(),
                            None => text.into_any(),
                        }}
                    </li>
                </ul>
            </div>
        }
    })
}

/// One labelled field with its hint and, beside it, what was wrong.
#[component]
pub fn Field(
    /// Name in the form, and id on the page.
    name: &'static str,
    /// Its label.
    #[prop(into)]
    label: String,
    /// `text`, `email`, `password` …
    #[prop(default = "text")]
    kind: &'static str,
    /// What the browser may fill in (HTML `autocomplete`).
    #[prop(default = "off")]
    autocomplete: &'static str,
    /// `numeric` brings up digits on a phone.
    #[prop(default = "")]
    inputmode: &'static str,
    /// One sentence of help.
    #[prop(optional, into)]
    hint: Option<String>,
    /// What it holds to begin with.
    #[prop(optional, into)]
    value: Option<String>,
    /// The refusal of the form; shown here when it is about this field.
    #[prop(default = None)]
    refusal: Option<Refusal>,
    /// Most characters.
    #[prop(default = 254)]
    most: u16,
    /// May be left empty.
    #[prop(optional)]
    optional: bool,
    /// `code-input` spaces digits out.
    #[prop(optional)]
    class: Option<&'static str>,
) -> impl IntoView {
    let wrong = refusal
        .filter(|refusal| refusal.field() == Some(name))
        .map(|refusal| refusal.to_string());
    let hint_id = format!("{name}-hint");
    let wrong_id = format!("{name}-error");
    let described = match (hint.is_some(), wrong.is_some()) {
        (true, true) => Some(format!("{hint_id} {wrong_id}")),
        (true, false) => Some(hint_id.clone()),
        (false, true) => Some(wrong_id.clone()),
        (false, false) => None,
    };
    view! {
        <div class="field">
            <label for=name>{label}</label>
            {hint.map(|hint| view! { <p class="hint" id=hint_id.clone()>{hint}</p> })}
            {wrong.clone().map(|wrong| view! {
                <p class="error" id=wrong_id.clone()>
                    <crate::ui::Icon name="warning" class="icon small" />
                    <span><span class="hidden-text">"Error: "</span>{wrong}</span>
                </p>
            })}
            <input
                id=name
                name=name
                class=class
                type=kind
                autocomplete=autocomplete
                inputmode=(!inputmode.is_empty()).then_some(inputmode)
                autocapitalize=(kind != "text").then_some("none")
                spellcheck="false"
                maxlength=most.to_string()
                required=!optional
                value=value
                aria-describedby=described
                aria-invalid=wrong.is_some().then_some("true")
            />
        </div>
    }
}
