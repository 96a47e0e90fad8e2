//! The columns of a roster: what became of each, and the form in which somebody says what they are. The file stays in the browser: to
//! read it otherwise, it is chosen again.

use std::collections::BTreeSet;

use domain::{
    Refusal,
    pupil::field::Field,
    roster::{
        column::{Column, remembered_key},
        plan::Fate,
    },
};
use leptos::prelude::*;

use super::MEANS;
use crate::{
    form::Choice,
    ui::{Icon, counted},
};

/// What a file may be, as its field takes it.
const ACCEPTED: &str = ".csv,.tsv,.txt,.xlsx,.xml,text/csv,application/xml,application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// What became of each column, with the reason where it was left out.
pub fn table(columns: &[(String, Fate)]) -> impl IntoView + use<> {
    let kept = columns
        .iter()
        .filter(|(_, fate)| matches!(fate, Fate::Kept(_)))
        .count();
    let caption = format!(
        "{} read, {} left out.",
        counted(kept, "column", "columns"),
        columns.len() - kept
    );
    let rows: Vec<_> = columns
        .iter()
        .map(|(name, fate)| {
            let name = called(name);
            view! {
                <tr>
                    <th scope="row">{name}</th>
                    <td data-label="What became of it">{becomes(*fate)}</td>
                </tr>
            }
        })
        .collect();
    view! {
        <table class="table columns">
            <caption>{caption}</caption>
            <thead><tr><th scope="col">"Column"</th><th scope="col">"What became of it"</th></tr></thead>
            <tbody>{rows}</tbody>
        </table>
    }
}

fn called(name: &str) -> String {
    if name.trim().is_empty() {
        "A column without a name".to_owned()
    } else {
        name.to_owned()
    }
}

fn becomes(fate: Fate) -> AnyView {
    let left_out = |tag: &'static str, why: String| {
        view! { <span><span class="tag">{tag}</span> " " {why}</span> }.into_any()
    };
    match fate {
        Fate::Kept(column) => {
            let sealed = column.field().is_some_and(|field| field.tag().is_some());
            view! {
                <span><span class="tag good">"Read"</span> " as " <b>{name_of(column)}</b>
                {sealed.then_some(". What it says is kept sealed, and is not shown here.")}</span>
            }
            .into_any()
        }
        Fate::Ignored => left_out("Left out", "Somebody here said so.".to_owned()),
        Fate::Unknown(why) => left_out("Not known", why.sentence()),
        Fate::Off(switch) => view! {
            <span><span class="tag">"Switched off"</span> " “" {switch.name()} "” is not switched on at your school, so nothing of this column was kept. "
            <a href="/settings/pupils">"What is kept of pupils"</a></span>
        }
        .into_any(),
        Fate::Unused(field) => left_out(
            "Not used",
            format!("There is no use for “{}” here, so nothing of this column was kept.", field.name()),
        ),
    }
}

fn name_of(column: Column) -> String {
    match column {
        Column::Field(field) => format!("“{}”", field.name()),
        Column::FullName => "surname and first name in one".to_owned(),
        Column::Ignore | Column::Unknown(_) => String::new(),
    }
}

/// A list to choose from for each column that has a name of its own; what was guessed or chosen before is chosen.
pub fn choices(columns: &[(String, Fate)]) -> impl IntoView + use<> {
    let mut options = vec![
        ("ignore".to_owned(), "Leave it out".to_owned()),
        (
            "full_name".to_owned(),
            "Surname and first name in one, as “Smith, Ann”".to_owned(),
        ),
    ];
    options.extend(
        Field::ALL
            .iter()
            .filter(|field| **field != Field::Supervisor)
            .map(|field| (field.code().to_owned(), field.name().to_owned())),
    );
    let mut seen = BTreeSet::new();
    let fields: Vec<_> = columns
        .iter()
        .map(|(name, fate)| {
            let key = remembered_key(name);
            if key.is_empty() || !seen.insert(key.clone()) {
                let why = if key.is_empty() {
                    "It has no name. Give it one in the file if it is to be read."
                } else {
                    "Another column is called the same. Give this one another name in the file if it is to be read."
                };
                return view! { <p class="hint"><b>{called(name)}</b> ": " {why}</p> }.into_any();
            }
            let chosen = match fate {
                Fate::Kept(column) => column.code().unwrap_or_default(),
                Fate::Off(switch) => switch.code(),
                Fate::Ignored | Fate::Unused(_) => "ignore",
                Fate::Unknown(_) => "",
            };
            let hint = match fate {
                Fate::Unknown(why) => Some(why.sentence()),
                Fate::Off(_) => Some("Switched off at your school: left out whatever you choose here.".to_owned()),
                _ => None,
            };
            let nobody = if chosen.is_empty() { "Not known: left out" } else { "As its name says" };
            let (field, label, options) = (format!("{MEANS}{key}"), name.clone(), options.clone());
            match hint {
                Some(hint) => view! { <Choice name=field label=label options=options chosen=chosen nobody=nobody hint=hint /> }.into_any(),
                None => view! { <Choice name=field label=label options=options chosen=chosen nobody=nobody /> }.into_any(),
            }
        })
        .collect();
    view! { <div class="columns-chosen">{fields}</div> }
}

/// The field for the file, always last: what is said of it is read first.
pub fn file(refusal: Option<Refusal>) -> impl IntoView {
    let wrong = refusal
        .filter(|refusal| refusal.field() == Some("file"))
        .map(|refusal| refusal.to_string());
    view! {
        <div class="field">
            <label for="file">"The file"</label>
            <p class="hint" id="file-hint">"CSV, an Excel workbook (.xlsx) or a Common Transfer File (.xml); up to 50 MB and 100,000 rows."</p>
            {wrong.clone().map(|wrong| view! {
                <p class="error" id="file-error"><Icon name="warning" class="icon small" /><span><span class="hidden-text">"Error: "</span>{wrong}</span></p>
            })}
            <input id="file" name="file" type="file" accept=ACCEPTED required=true
                aria-describedby=if wrong.is_some() { "file-hint file-error" } else { "file-hint" } aria-invalid=wrong.is_some().then_some("true") />
        </div>
    }
}
