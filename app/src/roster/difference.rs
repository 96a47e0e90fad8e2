//! What a roster would change, line by line: what a pupil's record says and would say, what is wrong with a line and how it may be
//! meant, and whether it is of the pupil of that name.

use domain::{
    day,
    pupil::{code::Sex, field::Field, year::YearGroup},
    roster::{
        difference::{Change, Page, ROWS, Row},
        fault::{Fault, Severity},
        import::Verdict,
    },
};
use leptos::prelude::*;
use uuid::Uuid;

use super::pager;
use crate::{form::Act, ui::counted};

/// How many lines there are of each verdict, each with the way to them.
pub fn filter(
    import: Uuid,
    counts: &[(Verdict, usize)],
    chosen: Option<Verdict>,
) -> impl IntoView + use<> {
    let all: usize = counts.iter().map(|(_, many)| many).sum();
    let links: Vec<_> = counts
        .iter()
        .filter(|(verdict, many)| *many > 0 || chosen == Some(*verdict))
        .map(|(verdict, many)| {
            let href = format!("/roster/{import}?verdict={}#lines", verdict.code());
            view! { <a class="choice" href=href aria-current=(chosen == Some(*verdict)).then_some("true")>{verdict.name()} " (" {*many} ")"</a> }
        })
        .collect();
    view! {
        <nav class="choices" aria-label="Which lines">
            <a class="choice" href=format!("/roster/{import}#lines") aria-current=chosen.is_none().then_some("true")>"All lines (" {all} ")"</a>
            {links}
        </nav>
    }
}

/// A page of lines. Pages count from 1.
pub fn table(
    import: Uuid,
    lines: &Page,
    chosen: Option<Verdict>,
    page: usize,
) -> impl IntoView + use<> {
    let rows: Vec<_> = lines.rows.iter().map(|row| line(import, row)).collect();
    let verdict = chosen.map(Verdict::code).unwrap_or_default();
    let link = move |page: usize| format!("/roster/{import}?verdict={verdict}&page={page}#lines");
    view! {
        <table class="table roster-lines">
            <caption>{counted(lines.matching, "line", "lines")} ", in the order of the file."</caption>
            <thead><tr><th scope="col">"Pupil"</th><th scope="col">"What becomes of the line"</th><th scope="col">"From and to"</th></tr></thead>
            <tbody>{rows}</tbody>
        </table>
        {pager("Pages of lines", page, lines.matching.div_ceil(ROWS), link)}
    }
}

fn line(import: Uuid, row: &Row) -> impl IntoView + use<> {
    let tone = match row.verdict {
        Verdict::Bad => "tag bad",
        Verdict::Unsure => "tag wait",
        Verdict::New => "tag good",
        Verdict::Changed => "tag info",
        Verdict::Same => "tag",
    };
    let name = if row.name.is_empty() {
        "A line without a name".to_owned()
    } else {
        row.name.clone()
    };
    let number = row.of_line.map_or_else(
        || format!("Line {}", row.line),
        |of| format!("Line {}, of the same pupil as line {of}", row.line),
    );
    let found = row
        .pupil
        .map(|(id, by)| (format!("/pupils/{id}"), by.name().to_lowercase()));
    let asks = (row.verdict == Verdict::Unsure || row.confirmed.is_some())
        && row.of_line.is_none()
        && found.is_some();
    let changes: Vec<_> = row.changes.iter().map(change).collect();
    let faults: Vec<_> = row.faults.iter().map(fault).collect();
    view! {
        <tr>
            <th scope="row">
                {match &found {
                    Some((href, _)) => view! { <a class="open" href=href.clone()>{name.clone()}</a> }.into_any(),
                    None => name.clone().into_any(),
                }}
                <small>{number}</small>
                {found.as_ref().map(|(_, by)| view! { <small>"Found by " {by.clone()}</small> })}
            </th>
            <td data-label="What becomes of it">
                <div class="becomes">
                    <span class=tone>{row.verdict.name()}</span>
                    {(!faults.is_empty()).then(|| view! { <ul role="list" class="found">{faults}</ul> })}
                    {asks.then(|| question(import, row.line, row.confirmed, name))}
                </div>
            </td>
            <td data-label="From and to">{(!changes.is_empty()).then(|| view! { <ul role="list" class="changes">{changes}</ul> })}</td>
        </tr>
    }
}

/// Whether it is the pupil of that name and date of birth.
fn question(
    import: Uuid,
    line: u32,
    confirmed: Option<bool>,
    name: String,
) -> impl IntoView + use<> {
    let answer = |same: &'static str, text: &'static str, said: bool| {
        let name = name.clone();
        view! {
            <form method="post">
                <Act name="roster/confirm" />
                <input type="hidden" name="import" value=import.to_string() />
                <input type="hidden" name="line" value=line.to_string() />
                <input type="hidden" name="same" value=same />
                <button class="button" disabled=said>{text} <span class="hidden-text">": " {name}</span></button>
            </form>
        }
    };
    view! {
        <p>{match confirmed {
            Some(true) => "Somebody said that this is the same pupil.",
            Some(false) => "Somebody said that this is another pupil.",
            None => "A pupil of that name and date of birth is on the roll, with other numbers. Is it the same pupil?",
        }}</p>
        <div class="actions">
            {answer("yes", "The same pupil", confirmed == Some(true))}
            {answer("no", "Another pupil", confirmed == Some(false))}
        </div>
    }
}

fn change(change: &Change) -> impl IntoView + use<> {
    let becomes = said(change.field, &change.becomes);
    let was = change.was.as_deref().map(|was| said(change.field, was));
    view! {
        <li>
            <small>{change.field.name()}</small>
            <span>
                {was.map(|was| view! { <span class="hidden-text">"from "</span><del>{was}</del> " " <span class="hidden-text">"to "</span> })}
                <ins>{becomes}</ins>
            </span>
        </li>
    }
}

/// A value as people read it.
pub fn said(field: Field, value: &str) -> String {
    let known = match field {
        Field::Born => day::parse(value).ok().map(day::words),
        Field::YearGroup => YearGroup::from_code(value).map(|year| year.name().to_owned()),
        Field::Sex => Sex::from_code(value).map(|sex| sex.name().to_owned()),
        _ => None,
    };
    known.unwrap_or_else(|| value.to_owned())
}

fn fault(fault: &Fault) -> impl IntoView + use<> {
    let (tone, word) = match fault.severity {
        Severity::Error => ("tag bad", "Error"),
        Severity::Warning => ("tag wait", "Warning"),
        Severity::Note => ("tag", "Note"),
    };
    let field = fault.field.map(|field| format!("{}: ", field.name()));
    let repair = fault
        .repair
        .as_deref()
        .map(|repair| said_of(fault.field, repair));
    view! {
        <li>
            <span class=tone>{word}</span> " " {field.map(|field| view! { <b>{field}</b> })}{fault.sentence.clone()}
            {repair.map(|repair| view! { " Perhaps it should be " <b class="repair">{repair}</b> "; compare it with the child’s papers." })}
        </li>
    }
}

fn said_of(field: Option<Field>, value: &str) -> String {
    field.map_or_else(|| value.to_owned(), |field| said(field, value))
}
