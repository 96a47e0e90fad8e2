//! Adding many people at once: a list is pasted or uploaded, judged line by line, and only then are people added. A sheet.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::Result;
#[cfg(feature = "ssr")]
use crate::{
    form::{Act, Echo, Refusals, TextArea},
    sheet::Drawing,
    ui::{Around, Heading, Icon, Notice, counted},
};
#[cfg(feature = "ssr")]
use domain::{
    Refusal, day,
    membership::many::{self, Judged, Verdict},
};

/// A list, and what becomes or became of each of its lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// The list as it was sent.
    pub text: String,
    /// Line by line.
    pub rows: Vec<Told>,
    /// Whether it has been done.
    pub done: bool,
}

/// One line, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Which one of the list, from 1.
    pub number: usize,
    /// As it was typed.
    pub typed: String,
    /// Who it is about, where that can be told.
    pub who: String,
    /// What becomes of it.
    pub what: String,
    /// In short.
    pub kind: Kind,
}

/// What becomes of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The person is added.
    Add,
    /// Nothing, and that is right.
    Leave,
    /// Nothing, and somebody must look at it.
    Wrong,
}

/// Says what would become of each line of a list. Nothing is changed.
#[server(endpoint = "people/check-many")]
pub async fn check_many(text: String, #[server(default)] file: String) -> Result<Judgement> {
    let text = one_of(text, file)?;
    let mut read = crate::door::read().await?;
    let judged = many::judged(&mut read, &text, crate::door::today()).await?;
    Ok(told(text, &judged, false))
}

/// Adds and invites everybody of a list who can be, and says what became of each line. In steps: if it breaks off, the same list
/// again adds the others.
#[server(endpoint = "people/add-many")]
pub async fn add_many(text: String) -> Result<Judgement> {
    let mut judged = {
        let mut read = crate::door::read().await?;
        many::judged(&mut read, &text, crate::door::today()).await?
    };
    for some in judged.chunks_mut(many::TOGETHER) {
        let mut write = crate::door::write().await?;
        let acts = many::add_some(&mut write, some).await?;
        write.commit_all(acts).await?;
    }
    Ok(told(text, &judged, true))
}

/// The list that was pasted or the file that was chosen.
#[cfg(feature = "ssr")]
fn one_of(text: String, file: String) -> std::result::Result<String, Refusal> {
    match (text.trim().is_empty(), file.trim().is_empty()) {
        (false, false) => Err(Refusal::OneList),
        (true, false) => Ok(file),
        _ => Ok(text),
    }
}

#[cfg(feature = "ssr")]
fn told(text: String, judged: &[Judged], done: bool) -> Judgement {
    let rows = judged
        .iter()
        .map(|Judged { line, verdict }| {
            let (kind, who, what) = in_words(verdict, done);
            Told {
                number: line.number,
                typed: line.text.clone(),
                who,
                what,
                kind,
            }
        })
        .collect();
    Judgement { text, rows, done }
}

#[cfg(feature = "ssr")]
fn in_words(verdict: &Verdict, done: bool) -> (Kind, String, String) {
    match verdict {
        Verdict::Add(newcomer) => {
            let roles: Vec<_> = newcomer.roles.iter().map(|role| role.name()).collect();
            let mut what = vec![roles.join(", ")];
            if let Some(office) = &newcomer.office {
                let from = day::words(office.from);
                what.push(match office.to {
                    Some(to) => format!("{} from {from} to {}", office.title, day::words(to)),
                    None => format!("{} from {from}", office.title),
                });
            }
            if newcomer.again {
                let again = if done {
                    "is here again"
                } else {
                    "was here before"
                };
                what.push(again.to_owned());
            }
            let who = format!("{} <{}>", newcomer.name, newcomer.email);
            (Kind::Add, who, what.join("; "))
        }
        Verdict::Here { name } => (
            Kind::Leave,
            name.clone(),
            "Is here already; nothing is changed.".to_owned(),
        ),
        Verdict::Twice { of } => (
            Kind::Leave,
            String::new(),
            format!("The same address as in line {of}, which counts."),
        ),
        Verdict::Wrong(fault) => (Kind::Wrong, String::new(), fault.to_string()),
    }
}

/// `/people/add-many`: does not exist for those who may not add anybody.
#[cfg(feature = "ssr")]
pub fn page(around: &Around) -> std::result::Result<Drawing, Refusal> {
    if !around.manages_people() {
        return Err(Refusal::NotFound);
    }
    let echo: Echo = use_context().unwrap_or_default();
    let judgement = echo
        .answer_of::<Judgement>("people/check-many")
        .or_else(|| echo.answer_of("people/add-many"));
    let typed = match &judgement {
        // What is left to do: the lines to mend.
        Some(judgement) if judgement.done => judgement
            .rows
            .iter()
            .filter(|row| row.kind == Kind::Wrong)
            .map(|row| row.typed.clone() + "\n")
            .collect(),
        Some(judgement) => judgement.text.clone(),
        None => echo.value("text").unwrap_or_default(),
    };
    let title = "Add many people".to_owned();
    let page = view! {
        {super::crumbs(vec![super::to_people()])}
        {judgement.as_ref().filter(|judgement| judgement.done).map(|judgement| view! { <Notice text=summary(judgement) /> })}
        <Heading title=title.clone() lead="Paste a list, or choose a file. You see what becomes of each line before anybody is added." />
        <Refusals refusal=echo.refusal.clone() />
        {judgement.as_ref().map(verdicts)}
        {form(&typed, judgement.is_some(), echo.refusal.clone())}
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

#[cfg(feature = "ssr")]
fn count(judgement: &Judgement, kind: Kind) -> usize {
    judgement.rows.iter().filter(|row| row.kind == kind).count()
}

/// "12 people were added and invited. 1 line needs to be put right; it is below."
#[cfg(feature = "ssr")]
fn summary(judgement: &Judgement) -> String {
    let (added, wrong) = (count(judgement, Kind::Add), count(judgement, Kind::Wrong));
    let done = match added {
        0 => "Nobody was added.".to_owned(),
        1 => "One person was added and invited.".to_owned(),
        n => format!("{} were added and invited.", counted(n, "person", "people")),
    };
    match wrong {
        0 => done,
        1 => format!("{done} One line was not; put it right below and check it again."),
        n => format!("{done} {n} lines were not; put them right below and check them again."),
    }
}

#[cfg(feature = "ssr")]
fn verdicts(judgement: &Judgement) -> impl IntoView + use<> {
    let (add, wrong) = (count(judgement, Kind::Add), count(judgement, Kind::Wrong));
    let done = judgement.done;
    let text = judgement.text.clone();
    view! {
        {(!done).then(|| view! {
            <section class="card narrow" aria-labelledby="ready">
                <header><h2 id="ready">{match add {
                    0 => "Nobody is added from this list".to_owned(),
                    n => format!("{} can be added", counted(n, "person", "people")),
                }}</h2></header>
                <div class="body">
                    <p>{match wrong {
                        0 => "Every line was understood.".to_owned(),
                        1 => "One line is wrong and is left out. Put it right in the list below, now or after adding the others.".to_owned(),
                        n => format!("{n} lines are wrong and are left out. Put them right in the list below, now or after adding the others."),
                    }}</p>
                    {(add > 0).then(|| view! {
                        <form class="form" method="post">
                            <Act name="people/add-many" />
                            <input type="hidden" name="text" value=text />
                            <div class="actions">
                                <button class="button primary">"Add and invite " {counted(add, "person", "people")}</button>
                                <a class="button" href="/people">"Cancel"</a>
                            </div>
                        </form>
                    })}
                </div>
            </section>
        })}
        {lines(judgement, Kind::Wrong, if done { "Not added: to put right" } else { "To put right" }, "Why")}
        {lines(judgement, Kind::Add, if done { "Added" } else { "To be added" }, "As")}
        {lines(judgement, Kind::Leave, "Left as they are", "Why")}
    }
}

/// The lines of a kind, each with its number in the list.
#[cfg(feature = "ssr")]
fn lines(
    judgement: &Judgement,
    kind: Kind,
    title: &'static str,
    what: &'static str,
) -> Option<impl IntoView + use<>> {
    let rows: Vec<_> = judgement
        .rows
        .iter()
        .filter(|row| row.kind == kind)
        .map(|row| {
            let who = if row.who.is_empty() {
                &row.typed
            } else {
                &row.who
            };
            view! {
                <tr>
                    <td class="number" data-label="Line">{row.number}</td>
                    <th scope="row">{who.clone()}</th>
                    <td data-label=what>{row.what.clone()}</td>
                </tr>
            }
        })
        .collect();
    let many = rows.len();
    (many > 0).then(|| {
        view! {
            <section class="card many" aria-label=title>
                <details open=kind != Kind::Leave>
                    <summary>{title} ": " {counted(many, "line", "lines")}</summary>
                    <table class="table">
                        <thead><tr><th scope="col">"Line"</th><th scope="col">"Who"</th><th scope="col">{what}</th></tr></thead>
                        <tbody>{rows}</tbody>
                    </table>
                </details>
            </section>
        }
    })
}

#[cfg(feature = "ssr")]
fn form(typed: &str, again: bool, refusal: Option<Refusal>) -> impl IntoView + use<> {
    let wrong = refusal
        .clone()
        .filter(|refusal| refusal.field() == Some("file"))
        .map(|refusal| refusal.to_string());
    let described = if wrong.is_some() {
        "file-hint file-error"
    } else {
        "file-hint"
    };
    view! {
        <section class="card" aria-labelledby="list">
            <header><h2 id="list">{if again { "The list" } else { "Your list" }}</h2></header>
            <div class="body">
                <form class="form wide" method="post" enctype="multipart/form-data">
                    <Act name="people/check-many" />
                    <TextArea name="text" label="One person a line" rows=12 most=900_000
                        hint="Address, name and role; for the board also category, first and last day. Commas, semicolons and tabs all do, so cells copied from a spreadsheet are right. A first line may name the columns."
                        value=typed.to_owned() refusal=refusal />
                    <div class="field">
                        <label for="file">"Or a file"</label>
                        <p class="hint" id="file-hint">"CSV or text, at most 5,000 people."</p>
                        {wrong.clone().map(|wrong| view! {
                            <p class="error" id="file-error"><Icon name="warning" class="icon small" /><span><span class="hidden-text">"Error: "</span>{wrong}</span></p>
                        })}
                        <input id="file" name="file" type="file" accept=".csv,.tsv,.txt,text/csv,text/plain" aria-describedby=described aria-invalid=wrong.is_some().then_some("true") />
                    </div>
                    <details>
                        <summary>"What a list looks like"</summary>
                        <pre class="sample">{SAMPLE}</pre>
                        <p>"Roles are named as on the page of a person; several are joined by “+”. A category takes the first vacant seat of that kind, from today unless a day is given, for four years unless a last day is given."</p>
                    </details>
                    <div class="actions">
                        <button class=if again { "button" } else { "button primary" }>{if again { "Check again" } else { "Check the list" }}</button>
                        <a class="button" href="/people">"Cancel"</a>
                    </div>
                </form>
            </div>
        </section>
    }
}

#[cfg(feature = "ssr")]
const SAMPLE: &str = "e-mail, name, role, category, from, to
amina@school.example, Amina Yusuf, Governor + Parent, Parent, 1 September 2026
rhys@school.example, Rhys Ap Owain, Teacher
";
