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

/// What a field says that names a thing. Refuses [`Refusal::NotFound`]: an id that cannot be one is like one that never was.
#[cfg(feature = "ssr")]
pub fn id_of(text: &str) -> std::result::Result<uuid::Uuid, Refusal> {
    uuid::Uuid::try_parse(text).map_err(|_| Refusal::NotFound)
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
    /// Name in the form.
    #[prop(into)]
    name: String,
    /// Id on the page, where another form on it has a field of that name.
    #[prop(optional, into)]
    id: Option<String>,
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
        .filter(|refusal| refusal.field() == Some(name.as_str()))
        .map(|refusal| refusal.to_string());
    // A date that the browser cannot show is shown as it was typed.
    let shown = value.as_deref().unwrap_or_default();
    let kind = if kind == "date" && !shown.is_empty() && !is_date(shown) {
        "text"
    } else {
        kind
    };
    let id = id.unwrap_or_else(|| name.clone());
    let hint_id = format!("{id}-hint");
    let wrong_id = format!("{id}-error");
    let described = match (hint.is_some(), wrong.is_some()) {
        (true, true) => Some(format!("{hint_id} {wrong_id}")),
        (true, false) => Some(hint_id.clone()),
        (false, true) => Some(wrong_id.clone()),
        (false, false) => None,
    };
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            {hint.map(|hint| view! { <p class="hint" id=hint_id.clone()>{hint}</p> })}
            {wrong.clone().map(|wrong| view! {
                <p class="error" id=wrong_id.clone()>
                    <crate::ui::Icon name="warning" class="icon small" />
                    <span><span class="hidden-text">"Error: "</span>{wrong}</span>
                </p>
            })}
            <input
                id=id
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

/// Whether it is a day as a date field holds it.
fn is_date(text: &str) -> bool {
    text.len() == 10 && domain::day::parse(text).is_ok() && text.as_bytes().get(4) == Some(&b'-')
}

/// A labelled box for more than a line. The only one there is: leptos does not escape what stands in a `<textarea>`.
#[cfg(feature = "ssr")]
#[component]
pub fn TextArea(
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
    #[prop(default = 3)]
    rows: u16,
    /// Most characters.
    #[prop(default = 1000)]
    most: u32,
    /// Whether somebody writes about a pupil in it: see `wellbeing::note`.
    #[prop(optional)]
    notes: bool,
    /// The refusal of the form; shown here when it is about this field.
    #[prop(default = None)]
    refusal: Option<Refusal>,
) -> impl IntoView {
    let wrong = refusal
        .filter(|refusal| refusal.field() == Some(name.as_str()))
        .map(|refusal| refusal.to_string());
    let id = id.unwrap_or_else(|| name.clone());
    let (hint_id, wrong_id) = (format!("{id}-hint"), format!("{id}-error"));
    let described = [
        hint.is_some().then(|| hint_id.clone()),
        wrong.is_some().then(|| wrong_id.clone()),
    ];
    let described: Vec<String> = described.into_iter().flatten().collect();
    // The parser takes away one line feed after the tag.
    let text = format!("\n{}", html_escape::encode_text(&value));
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            {hint.map(|hint| view! { <p class="hint" id=hint_id>{hint}</p> })}
            {wrong.clone().map(|wrong| view! {
                <p class="error" id=wrong_id><crate::ui::Icon name="warning" class="icon small" /><span><span class="hidden-text">"Error: "</span>{wrong}</span></p>
            })}
            <textarea id=id name=name.clone() rows=rows.to_string() maxlength=most.to_string() spellcheck="true"
                autocomplete=notes.then_some("off") data-notes=notes.then_some("")
                aria-describedby=(!described.is_empty()).then(|| described.join(" ")) aria-invalid=wrong.is_some().then_some("true") inner_html=text></textarea>
        </div>
    }
}

/// A labelled list to choose one from: code and name of each.
#[cfg(feature = "ssr")]
#[component]
pub fn Choice(
    /// Name in the form.
    #[prop(into)]
    name: String,
    /// Id on the page, where another form on it has a field of that name.
    #[prop(optional, into)]
    id: Option<String>,
    /// Its label.
    #[prop(into)]
    label: String,
    /// What may be chosen.
    options: Vec<(String, String)>,
    /// What is chosen to begin with.
    #[prop(optional, into)]
    chosen: Option<String>,
    /// What stands first and chooses nothing.
    #[prop(optional, into)]
    nobody: Option<String>,
    /// One sentence of help.
    #[prop(optional, into)]
    hint: Option<String>,
    /// The refusal of the form; shown here when it is about this field.
    #[prop(default = None)]
    refusal: Option<Refusal>,
) -> impl IntoView {
    let wrong = refusal
        .filter(|refusal| refusal.field() == Some(name.as_str()))
        .map(|refusal| refusal.to_string());
    let id = id.unwrap_or_else(|| name.clone());
    let (hint_id, wrong_id) = (format!("{id}-hint"), format!("{id}-error"));
    let described = [
        hint.is_some().then(|| hint_id.clone()),
        wrong.is_some().then(|| wrong_id.clone()),
    ];
    let described: Vec<String> = described.into_iter().flatten().collect();
    let chosen = chosen.unwrap_or_default();
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            {hint.map(|hint| view! { <p class="hint" id=hint_id>{hint}</p> })}
            {wrong.clone().map(|wrong| view! {
                <p class="error" id=wrong_id><crate::ui::Icon name="warning" class="icon small" /><span><span class="hidden-text">"Error: "</span>{wrong}</span></p>
            })}
            <select id=id name=name aria-describedby=(!described.is_empty()).then(|| described.join(" ")) aria-invalid=wrong.is_some().then_some("true")>
                {nobody.map(|nobody| view! { <option value="" selected=chosen.is_empty()>{nobody}</option> })}
                {options.into_iter().map(|(code, name)| view! { <option value=code.clone() selected=code == chosen>{name}</option> }).collect_view()}
            </select>
        </div>
    }
}
