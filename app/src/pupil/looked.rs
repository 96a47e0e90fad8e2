//! `/pupils/looked` and `/pupils/:pupil/looked`: who looked at whose record, by what right and for which reason. For those who go
//! through it.

use domain::{
    Refusal,
    db::Read,
    pupil::{
        self,
        access::{self, Looked},
        unusual,
    },
};
use leptos::prelude::*;
use uuid::Uuid;

use super::{staff_only, to_pupils, unusual::weeks::strip};
use crate::{
    form::id_of,
    membership::crumbs,
    sheet::Drawing,
    ui::{Around, Heading, Icon, Moment, counted},
};

/// Most lines on the page.
const MOST: i64 = 200;

/// `/pupils/looked`
pub async fn all(read: &mut Read, around: &Around) -> Result<Drawing, Refusal> {
    staff_only(around)?;
    let lines = access::looked_at(read, None, MOST).await?;
    let weeks = strip(&unusual::weeks(read).await?);
    Ok(draw(
        "Who looked at whom".to_owned(),
        vec![to_pupils(around)],
        &lines,
        true,
        weeks,
    ))
}

/// `/pupils/:pupil/looked`: also of a pupil whom the reader does not see, but never of one who is not there.
pub async fn of_one(read: &mut Read, around: &Around, id: &str) -> Result<Drawing, Refusal> {
    staff_only(around)?;
    let id: Uuid = id_of(id)?;
    let lines = access::looked_at(read, Some(id), MOST).await?;
    let called = pupil::names(read, &[id]).await?.remove(&id);
    if called.is_none() && lines.is_empty() {
        return Err(Refusal::NotFound);
    }
    let mut way = vec![to_pupils(around)];
    let title = match called {
        Some(called) => {
            way.push((format!("/pupils/{id}"), called.clone()));
            format!("Who looked at {called}")
        }
        None => "Who looked at this pupil".to_owned(),
    };
    Ok(draw(title, way, &lines, false, None))
}

fn draw(
    title: String,
    way: Vec<(String, String)>,
    lines: &[Looked],
    whom: bool,
    strip: Option<AnyView>,
) -> Drawing {
    let rows: Vec<_> = lines.iter().map(|line| row(line, whom)).collect();
    let caption = if lines.len() == usize::try_from(MOST).unwrap_or_default() {
        format!("The newest {MOST} times, newest first.")
    } else {
        format!("{}, newest first.", counted(lines.len(), "time", "times"))
    };
    let lead = "Every look at a record is put down before anything is shown; looking again within ten minutes is put down once. Many pupils side by side are an overview, which each of them has in their own list.";
    let heading = if whom {
        view! {
            <Heading title=title.clone() lead=lead>
                <a class="button" href="/pupils/looked/weeks"><Icon name="shield" />"Unusual looks, week by week"</a>
            </Heading>
        }
        .into_any()
    } else {
        view! { <Heading title=title.clone() lead=lead /> }.into_any()
    };
    let page = view! {
        {crumbs(way)}
        {heading}
        {strip}
        <section class="card" aria-label="Looks">
            {if rows.is_empty() {
                view! { <div class="empty"><Icon name="shield" /><h2>"Nobody has looked yet"</h2><p>"Whoever opens a pupil’s record is listed here, with the right they did it by."</p></div> }.into_any()
            } else {
                view! {
                    <table class="table looks">
                        <caption>{caption}</caption>
                        <thead><tr>
                            <th scope="col">"Who"</th>{whom.then(|| view! { <th scope="col">"Whom"</th> })}<th scope="col">"When"</th>
                            <th scope="col">"By what right"</th><th scope="col">"What"</th>
                        </tr></thead>
                        <tbody>{rows}</tbody>
                    </table>
                }.into_any()
            }}
        </section>
    };
    Drawing {
        title,
        page: page.into_any(),
    }
}

fn row(line: &Looked, whom: bool) -> impl IntoView + use<> {
    let (pupil, many) = (line.pupil.clone(), line.many);
    let reason = line.reason.clone();
    let parts: Vec<&str> = line.parts.iter().map(|part| part_name(part)).collect();
    view! {
        <tr>
            <th scope="row">{line.by.clone()}</th>
            {whom.then(|| view! {
                <td data-label="Whom">{match pupil {
                    Some((id, called)) => view! { <a href=format!("/pupils/{id}/looked")>{called}</a> }.into_any(),
                    None if many > 1 => counted(many, "pupil", "pupils").into_any(),
                    None => view! { <span class="muted">"A pupil you do not see"</span> }.into_any(),
                }}</td>
            })}
            <td data-label="When"><Moment at=line.at.clone() /></td>
            <td data-label="By what right"><span>{line.basis.name()}{reason.map(|(reason, words)| view! { <small class="said">{reason.name()} ": " {words}</small> })}</span></td>
            <td data-label="What">{parts.join(", ")}</td>
        </tr>
    }
}

/// A part of a record, as people read it.
fn part_name(part: &str) -> &str {
    match part {
        "details" => "Details",
        "parents" => "Parents and carers",
        "circumstances" => "Circumstances",
        "timeline" => "Timeline",
        "trend" => "Trend",
        "levels" => "Overview: levels, and when last seen",
        "roster" => "Overview: what a roster would change",
        other => other,
    }
}
