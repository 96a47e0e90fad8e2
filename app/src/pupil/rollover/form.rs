//! The form of the turn of the school year: its days, what becomes of each group, which caseloads end, and pupils who are
//! exceptions.

use std::collections::HashSet;

use domain::{
    Refusal, day,
    pupil::{
        ROWS,
        field::GROUP_MOST,
        rollover::{
            Exception, Fate,
            plan::{Ends, GroupLine, Line, Plan},
        },
        year::YearGroup,
    },
};
use leptos::prelude::*;

use super::field;
use crate::{
    form::{Act, Choice, Field},
    ui::{Icon, counted},
};

/// All of it. What it was worked out from goes with it, so that nothing else is done than what is shown.
pub fn whole(
    plan: &Plan,
    last_day: Option<String>,
    page: usize,
    refusal: Option<Refusal>,
) -> impl IntoView + use<> {
    let pages = plan.pupils.len().div_ceil(ROWS).max(1);
    let page = page.min(pages);
    let here: Vec<&Line> = plan
        .pupils
        .iter()
        .skip((page - 1) * ROWS)
        .take(ROWS)
        .collect();
    let on_page: HashSet<_> = here.iter().map(|line| line.id).collect();
    // Of pupils on other pages.
    let elsewhere: Vec<_> = plan
        .pupils
        .iter()
        .filter(|line| !on_page.contains(&line.id))
        .filter_map(|line| {
            let code = line.exception?.code();
            Some(view! { <input type="hidden" name=field("except", line.id) value=code /> })
        })
        .collect();
    view! {
        <form class="stack turn" method="post">
            <Act name="pupils/year" />
            <input type="hidden" name="shown" value=plan.shown.clone() />
            {elsewhere}
            {days(plan, last_day, refusal)}
            {groups(plan)}
            {caseloads(&plan.ends)}
            {pupils(plan, &here, page, pages)}
            <section class="card" aria-labelledby="do">
                <header><h2 id="do">"Do what is shown here"</h2></header>
                <div class="body">
                    <p>"All of it happens at once, stands in the log as one entry, and can be undone for 31 days. Parents are told nothing, and records stay as they are."</p>
                    <div class="actions">
                        <button class="button primary" name="step" value="do">"Move the roll up"</button>
                        <button class="button" name="step" value="show">"Work it out again"</button>
                    </div>
                </div>
            </section>
        </form>
    }
}

fn days(plan: &Plan, last_day: Option<String>, refusal: Option<Refusal>) -> impl IntoView + use<> {
    let years = YearGroup::ALL
        .iter()
        .filter(|year| **year != YearGroup::X)
        .map(|year| (year.code().to_owned(), year.name().to_owned()))
        .collect();
    let last_day = last_day
        .filter(|_| refusal.is_some())
        .unwrap_or_else(|| day::field(plan.last_day));
    view! {
        <section class="card narrow" aria-labelledby="days">
            <header><h2 id="days">"The school year that is over"</h2></header>
            <div class="body form">
                <Field name="last_day" label="Its last day" kind="date" value=last_day
                    hint="Who leaves was here until then. It has come already." refusal=refusal.clone() />
                <Choice name="top" label="The last year group of your school" options=years chosen=plan.top.code()
                    hint="Who is in it leaves." refusal=refusal />
                <div class="actions"><button class="button" name="step" value="show">"Work it out again"</button></div>
            </div>
        </section>
    }
}

fn groups(plan: &Plan) -> impl IntoView + use<> {
    let rows: Vec<_> = plan.groups.iter().map(group).collect();
    (!rows.is_empty()).then(|| {
        view! {
            <section class="card" aria-labelledby="groups">
                <header><h2 id="groups">"Groups and classes"</h2></header>
                <table class="table turn-groups">
                    <caption>"A group that goes up takes its pupils with it. Its caseloads end unless you say that they go on; cover always ends."</caption>
                    <thead><tr>
                        <th scope="col">"Now"</th><th scope="col">"What becomes of it"</th><th scope="col">"New name"</th><th scope="col">"On the caseload of"</th>
                    </tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </section>
        }
    })
}

fn group(one: &GroupLine) -> impl IntoView + use<> {
    let name = one.name.clone();
    let mut about = vec![counted(one.pupils, "pupil", "pupils")];
    if one.leaving > 0 {
        about.push(format!(
            "{} {}",
            one.leaving,
            if one.leaving == 1 { "leaves" } else { "leave" }
        ));
    }
    if one.apart > 0 {
        about.push(format!(
            "{} {} not go up with it",
            one.apart,
            if one.apart == 1 { "does" } else { "do" }
        ));
    }
    let chosen = one.wish.fate;
    let options: Vec<_> = Fate::ALL
        .iter()
        .map(|fate| view! { <option value=fate.code() selected=*fate == chosen>{fate.name()}</option> })
        .collect();
    let wrong = one.wrong.map(|_| format!("wrong-{}", one.id));
    let error = one.wrong.map(|fault| {
        let sentence = match fault {
            domain::pupil::rollover::Fault::NameTaken => "Another group has this name.",
            _ => "Enter a name of at most 40 characters.",
        };
        view! { <p class="error" id=wrong.clone()><Icon name="warning" class="icon small" /><span><span class="hidden-text">"Error: "</span>{sentence}</span></p> }
    });
    let (becomes, called) = (
        format!("What becomes of {name}"),
        format!("New name of {name}"),
    );
    let goes_on = one.wish.goes_on;
    let teachers = if one.teachers.is_empty() {
        view! { <span class="muted">"Nobody"</span> }.into_any()
    } else {
        view! {
            <span>{one.teachers.join(", ")}
                <label class="check"><input type="checkbox" name=field("goes_on", one.id) value="yes" checked=goes_on />
                    <span>"It goes on" <span class="hidden-text">": " {name.clone()}</span></span></label>
            </span>
        }
        .into_any()
    };
    view! {
        <tr>
            <th scope="row"><b>{name}</b> <small>{one.kind.name()} ", " {about.join(", ")}</small></th>
            <td data-label="What becomes of it"><select name=field("fate", one.id) aria-label=becomes>{options}</select></td>
            <td data-label="New name"><div class="field">{error}<input class="short" name=field("called", one.id) value=one.wish.name.clone() maxlength=GROUP_MOST.to_string()
                autocomplete="off" spellcheck="false" aria-label=called aria-invalid=wrong.is_some().then_some("true") aria-describedby=wrong.clone() /></div></td>
            <td data-label="On the caseload of">{teachers}</td>
        </tr>
    }
}

fn caseloads(ends: &[Ends]) -> impl IntoView + use<> {
    let rows: Vec<_> = ends
        .iter()
        .map(|one| {
            let about = match (one.cover, one.to_come) {
                (true, _) => ", cover",
                (false, true) => ", which was to come",
                (false, false) => "",
            };
            view! { <li>{one.name.clone()} ": " {one.called.clone()} {about}</li> }
        })
        .collect();
    (!rows.is_empty()).then(|| {
        view! {
            <section class="card" aria-labelledby="ends">
                <header><h2 id="ends">"Caseloads that end"</h2></header>
                <div class="body"><ul class="turn-lines columns">{rows}</ul></div>
            </section>
        }
    })
}

fn pupils(plan: &Plan, here: &[&Line], page: usize, pages: usize) -> impl IntoView + use<> {
    let rows: Vec<_> = here.iter().map(|line| pupil(line)).collect();
    let many = counted(plan.pupils.len(), "pupil", "pupils");
    let other = |to: usize, text: &'static str| {
        view! { <button class="button" name="step" value=format!("page:{to}")>{text}</button> }
    };
    view! {
        <section class="card" aria-labelledby="lines">
            <header><h2 id="lines">"Pupil by pupil"</h2></header>
            <table class="table">
                <caption>{many} ", by name. Choose what somebody does instead; what you chose goes with you from page to page."</caption>
                <thead><tr><th scope="col">"Pupil"</th><th scope="col">"Now"</th><th scope="col">"Then"</th><th scope="col">"Instead"</th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
            {(pages > 1).then(|| view! {
                <nav class="pager" aria-label="Pages of the list">
                    {(page > 1).then(|| other(page - 1, "Earlier names"))}
                    <span>{format!("Page {page} of {pages}")}</span>
                    {(page < pages).then(|| other(page + 1, "Later names"))}
                </nav>
            })}
        </section>
    }
}

fn pupil(line: &Line) -> impl IntoView + use<> {
    let then = line.becomes.map_or("Leaves", YearGroup::name);
    let mut notes = Vec::new();
    if line.new && line.exception.is_none() {
        notes.push("Put on the roll since the last day.".to_owned());
    }
    if let Some(by_age) = line.by_age {
        notes.push(format!("By age {}.", by_age.name()));
    }
    if line.apart {
        notes.push("Leaves the groups that go up.".to_owned());
    }
    let chosen = line.exception;
    let options: Vec<_> = Exception::ALL
        .iter()
        .filter(|one| **one != Exception::GoesUp || line.new)
        .map(|one| view! { <option value=one.code() selected=chosen == Some(*one)>{one.name()}</option> })
        .collect();
    let instead = format!("Instead, for {}", line.name);
    view! {
        <tr>
            <th scope="row">{line.name.clone()}</th>
            <td data-label="Now">{line.year.name()}</td>
            <td data-label="Then"><span>{if line.becomes.is_none() { view! { <span class="tag wait">{then}</span> }.into_any() } else { then.into_any() }}
                {(!notes.is_empty()).then(|| view! { <small>{notes.join(" ")}</small> })}</span></td>
            <td data-label="Instead"><select name=field("except", line.id) aria-label=instead><option value="" selected=chosen.is_none()>"–"</option>{options}</select></td>
        </tr>
    }
}
