//! `/pupils/year`: what will happen at the turn of the school year, in counts and per year group, and doing it. For
//! administrators who have just proved who they are.

use domain::{
    Refusal, day,
    db::Read,
    pupil::{
        rollover::{
            Wish,
            doing::{self, Rolled},
            plan::{self, Count, Plan},
        },
        year::{SchoolYear, YearGroup},
    },
};
use leptos::prelude::*;

use super::{Typed, form};
use crate::{
    door,
    form::{Echo, ProofBeside, Refusals},
    membership::crumbs,
    pupil::{keepers_only, to_pupils},
    sheet::{Asked, Drawing},
    ui::{Around, Heading, Icon, Moment, Notice, counted, step_up_first},
};

/// `/pupils/year`
pub async fn page(read: &mut Read, around: &Around, asked: &Asked) -> Result<Drawing, Refusal> {
    keepers_only(around)?;
    let echo: Echo = use_context().unwrap_or_default();
    // A form that was refused meanwhile keeps what was typed, and asks for the proof beside it.
    if !read.standing.stepped_up && echo.refusal.is_none() {
        return Ok(step_up_first("/pupils/year"));
    }
    let refusal = echo.of("pupils/year");
    let typed = match echo.answer_of::<Typed>("pupils/year") {
        Some(typed) => Some(typed),
        None => refusal.as_ref().map(|_| Typed::of_echo(&echo)),
    };
    let plan = worked_out(read, typed.as_ref()).await?;
    let newest = doing::newest(read).await?;
    let done = newest
        .as_ref()
        .is_some_and(|newest| newest.begins == plan.school_year.begins());
    let notice = match asked.query("done") {
        "up" => Some("The roll is moved up for the new school year.".to_owned()),
        "back" => Some(back(asked.query("left"))),
        _ => None,
    };
    let title = "The new school year".to_owned();
    let ended = plan.school_year.previous().label();
    let lead = format!(
        "The roll goes up from {ended} to {}. Nothing is changed until you say so.",
        plan.school_year.label()
    );
    let shown = typed.as_ref().map_or(1, |typed| typed.page.max(1));
    let last_day = typed.map(|typed| typed.last_day);
    let page = view! {
        {crumbs(vec![to_pupils(around)])}
        {notice.map(|text| view! { <Notice text=text /> })}
        <Heading title=title.clone() lead=lead />
        <Refusals refusal=refusal.clone() />
        <ProofBeside refusal=refusal.clone() />
        {newest.as_ref().map(stands)}
        {if done {
            view! { <p class="muted">"The next one can be worked out from 1 May on."</p> }.into_any()
        } else if plan.pupils.is_empty() {
            view! {
                <section class="card"><div class="empty"><Icon name="people" /><h2>"Nobody is on the roll yet"</h2>
                    <p>"Put the pupils on the roll in the year groups they are in now."</p>
                    <div class="actions"><a class="button" href="/pupils">"Go to the pupils"</a></div>
                </div></section>
            }.into_any()
        } else {
            view! {
                {summary(&plan)}
                {form::whole(&plan, last_day, shown, refusal)}
            }.into_any()
        }}
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

/// What would happen by what was typed; by the roll's own days where these cannot be meant.
async fn worked_out(read: &mut Read, typed: Option<&Typed>) -> Result<Plan, Refusal> {
    let today = door::today();
    let wish = typed.map_or_else(Wish::default, |typed| {
        typed.wish().unwrap_or_else(|_| typed.rest())
    });
    match plan::dry_run(read, &wish, today).await {
        Err(Refusal::Pupil(_)) => {
            let rest = Wish {
                last_day: None,
                top: None,
                ..wish
            };
            plan::dry_run(read, &rest, today).await
        }
        plan => plan,
    }
}

fn back(left: &str) -> String {
    let undone = "The turn of the school year is undone.";
    match left.parse::<usize>() {
        Ok(0) | Err(_) => format!("{undone} The roll is as it was before."),
        Ok(1) => format!("{undone} One thing that was changed since stays as it is."),
        Ok(left) => format!("{undone} {left} things that were changed since stay as they are."),
    }
}

/// The one that was done.
fn stands(newest: &Rolled) -> impl IntoView + use<> {
    let label = SchoolYear::of(newest.last_day).next().label();
    let who = newest.by.clone();
    let numbers = format!(
        "{} changed year group, {} left.",
        counted(newest.moved_up, "pupil", "pupils"),
        counted(newest.leavers, "pupil", "pupils").to_lowercase()
    );
    let href = format!("/pupils/year/{}/undo", newest.id);
    view! {
        <section class="card narrow" aria-labelledby="stands">
            <header><h2 id="stands">{format!("Moved up for {label}")}</h2></header>
            <div class="body">
                <p>{numbers} " By " {who} ", " <Moment at=newest.at.clone() /> ". The last day was " {day::words(newest.last_day)} "."</p>
                {if newest.undoable {
                    view! { <div class="actions"><a class="button" href=href><Icon name="undo" />"Undo it"</a></div> }.into_any()
                } else {
                    view! { <p class="hint">"It could be undone for 31 days."</p> }.into_any()
                }}
            </div>
        </section>
    }
}

/// Counts, before anything else.
fn summary(plan: &Plan) -> impl IntoView + use<> {
    let rows: Vec<_> = plan
        .counts
        .iter()
        .map(|(year, count)| row(*year, *count))
        .collect();
    let total = plan.total();
    let odd = plan
        .pupils
        .iter()
        .filter(|line| line.by_age.is_some())
        .count();
    let new = plan
        .pupils
        .iter()
        .filter(|line| line.new && line.exception.is_none())
        .count();
    let last_day = day::words(plan.last_day);
    let lines = [
        Some(format!(
            "{}, {} {} in their year, {} {}. The last day of who leaves is {last_day}.",
            counted(total.up, "pupil goes up", "pupils go up"),
            total.stay,
            if total.stay == 1 { "stays" } else { "stay" },
            total.leave,
            if total.leave == 1 { "leaves" } else { "leave" },
        )),
        Some(match plan.ends.len() {
            0 => "No caseload ends.".to_owned(),
            1 => "One caseload ends with that day, or now if it is over.".to_owned(),
            many => format!("{many} caseloads end with that day, or now if it is over."),
        }),
        (!plan.without.is_empty()).then(|| {
            format!(
                "Then nobody is on the caseload of {}.",
                plan.without.join(", ")
            )
        }),
        (plan.unregistered > 0).then(|| {
            format!(
                "{} will have no registration group: put them into one afterwards.",
                counted(plan.unregistered, "pupil", "pupils")
            )
        }),
        (new > 0).then(|| {
            format!(
                "{} in the year group they are in.",
                counted(
                    new,
                    "pupil put on the roll since that day stays",
                    "pupils put on the roll since that day stay"
                )
            )
        }),
        (odd > 0).then(|| {
            format!(
                "{} would be in another year group than by their age. That is lawful; they are marked below.",
                counted(odd, "pupil", "pupils")
            )
        }),
    ];
    view! {
        <section class="card" aria-labelledby="summary">
            <header><h2 id="summary">"What will happen"</h2></header>
            <div class="body"><ul class="turn-lines">{lines.into_iter().flatten().map(|line| view! { <li>{line}</li> }).collect_view()}</ul></div>
            <table class="table">
                <caption>"By the year group they are in now."</caption>
                <thead><tr><th scope="col">"Year group"</th><th scope="col" class="number">"Go up"</th><th scope="col" class="number">"Stay"</th><th scope="col" class="number">"Leave"</th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </section>
    }
}

fn row(year: YearGroup, count: Count) -> impl IntoView {
    view! {
        <tr>
            <th scope="row">{year.name()}</th>
            <td class="number" data-label="Go up">{count.up}</td>
            <td class="number" data-label="Stay">{count.stay}</td>
            <td class="number" data-label="Leave">{count.leave}</td>
        </tr>
    }
}
