//! What the board knows of one person: the part of their page, and the page where checks and training are recorded.

use domain::{
    Refusal,
    board::{self, Facts},
    day,
    db::Read,
};
use leptos::prelude::*;

use super::{interest::interest, whole::span};
use crate::{
    door,
    form::{Act, Echo, Field, Refusals},
    membership::{crumbs, to_people},
    sheet::{Asked, Drawing},
    ui::{Around, Heading, Notice},
};

/// The card on somebody's page; none where the board knows nothing of them.
pub fn card(facts: &Facts, today: time::Date) -> Option<AnyView> {
    if facts.terms.is_empty() && facts.committees.is_empty() && facts.declarations.is_empty() {
        return None;
    }
    let terms: Vec<_> = facts
        .terms
        .iter()
        .map(|post| {
            let now = post.term.covers(today);
            let to_come = post.term.from > today;
            view! {
                <li>
                    <b>{post.title()} {now.then(|| view! { " " <span class="tag good">"In post"</span> })} {to_come.then(|| view! { " " <span class="tag info">"To come"</span> })}</b>
                    <small>{span(&post.term)} ", appointed by " {post.appointed_by.clone()} {post.ended_why.map(|why| format!(". {}", why.name()))}</small>
                </li>
            }
        })
        .collect();
    let committees: Vec<_> = facts
        .committees
        .iter()
        .map(|sat| {
            let days = match sat.to {
                Some(to) => format!("{} to {}", day::words(sat.from), day::words(to)),
                None => format!("since {}", day::words(sat.from)),
            };
            view! {
                <li><b><a href=format!("/board/committees/{}", sat.committee)>{sat.name.clone()}</a> {sat.chairs.then(|| view! { " " <span class="tag info">"Chair"</span> })}</b><small>{days}</small></li>
            }
        })
        .collect();
    let newest = facts.declarations.first();
    let earlier = facts.declarations.len().saturating_sub(1);
    let declared = newest.map(|declaration| {
        let all: Vec<_> = declaration.interests.iter().map(interest).collect();
        let nothing = all.is_empty();
        view! {
            <p>"Declared on " {day::words(declaration.on)} {nothing.then_some(": nothing to declare")} {(earlier > 0).then(|| format!(". Earlier declarations: {earlier}."))}</p>
            {(!nothing).then(|| view! { <ul role="list" class="lines">{all}</ul> })}
        }
    });
    let (has_terms, sits) = (!terms.is_empty(), !committees.is_empty());
    let view = view! {
        <section class="card" aria-labelledby="on-board">
            <header><h2 id="on-board">"On the board"</h2></header>
            <div class="body">
                {has_terms.then(|| view! { <h3>"Terms of office"</h3><ul role="list" class="lines">{terms}</ul> })}
                {sits.then(|| view! { <h3>"Committees"</h3><ul role="list" class="lines">{committees}</ul> })}
                <h3>"Interests"</h3>
                {declared.map_or_else(|| view! { <p class="muted">"Nothing declared yet."</p> }.into_any(), IntoAny::into_any)}
            </div>
        </section>
    };
    Some(view.into_any())
}

/// `/people/:id/checks`: telephone, DBS check and training. Clerk and administrators, and the person themselves.
pub async fn checks(
    read: &mut Read,
    around: &Around,
    asked: &Asked,
    id: &str,
) -> Result<Drawing, Refusal> {
    let person = domain::membership::find(read, super::id_of(id)?).await?;
    let today = door::today();
    let facts = board::facts_of(read, person.id, today).await?;
    let Some(checks) = facts.checks else {
        return Err(Refusal::NotFound);
    };
    let own = person.id == read.standing.membership;
    let keeps = around.manages_people() && !own;
    let echo: Echo = use_context().unwrap_or_default();
    let (dbs, training, phone) = (
        echo.of("board/record-dbs"),
        echo.of("board/record-training"),
        echo.of("board/set-phone"),
    );
    let done = match asked.query("done") {
        "dbs" => Some("The DBS check is recorded."),
        "training" => Some("The training is recorded."),
        _ => None,
    };
    let seen: Vec<_> = checks
        .dbs
        .iter()
        .map(|on| view! { <li>{day::words(*on)}</li> })
        .collect();
    let trained: Vec<_> = checks
        .training
        .iter()
        .map(|one| {
            let over = one.renew_by.is_some_and(|day| day < today);
            view! {
                <li><b>{one.title.clone()} {over.then(|| view! { " " <span class="tag wait">"Renew"</span> })}</b>
                <small>{day::words(one.completed_on)} {one.renew_by.map(|by| format!(", renew by {}", day::words(by)))}</small></li>
            }
        })
        .collect();
    let (no_dbs, no_training) = (seen.is_empty(), trained.is_empty());
    let path = format!("/people/{}", person.id);
    let hidden = {
        let id = person.id.to_string();
        move || view! { <input type="hidden" name="person" value=id.clone() /> }
    };
    let (one, two, three) = (hidden(), hidden(), hidden());
    let kept = |refused: bool, name: &str| if refused { echo.value(name) } else { None };
    let title = format!("Checks and training: {}", person.name);
    let page = view! {
        {crumbs(vec![to_people(), (path, person.name.clone())])}
        {done.map(|text| view! { <Notice text=text /> })}
        <Heading title=title.clone() lead="Seen by clerk, administrators and the person themselves." />
        <Refusals refusal=echo.refusal.clone() />
        <section class="card narrow" aria-labelledby="phone-title">
            <header><h2 id="phone-title">"Telephone"</h2></header>
            <div class="body">
                <form class="form" method="post">
                    <Act name="board/set-phone" />
                    {one}
                    <Field name="phone" label="Number" kind="tel" inputmode="tel" most=40 optional=true hint="The other way to reach them when a letter comes back. Leave it empty to take it away."
                        value=kept(phone.is_some(), "phone").or(facts.phone).unwrap_or_default() refusal=phone.clone() />
                    <div class="actions"><button class="button">"Save the number"</button></div>
                </form>
            </div>
        </section>
        <section class="card narrow" aria-labelledby="dbs">
            <header><h2 id="dbs">"DBS check"</h2></header>
            <div class="body">
                {if no_dbs { view! { <p class="muted">"None recorded."</p> }.into_any() } else { view! { <ul role="list" class="lines">{seen}</ul> }.into_any() }}
                {keeps.then(|| view! {
                    <form class="form" method="post">
                        <Act name="board/record-dbs" />
                        {two}
                        <Field name="on" label="Certificate seen on" kind="date" value=kept(dbs.is_some(), "on").unwrap_or_default() refusal=dbs.clone() />
                        <div class="actions"><button class="button">"Record the check"</button></div>
                    </form>
                })}
            </div>
        </section>
        <section class="card narrow" aria-labelledby="training">
            <header><h2 id="training">"Training"</h2></header>
            <div class="body">
                {if no_training { view! { <p class="muted">"None recorded."</p> }.into_any() } else { view! { <ul role="list" class="lines">{trained}</ul> }.into_any() }}
                {keeps.then(|| view! {
                    <details open=training.is_some()>
                        <summary>"Record a training"</summary>
                        <form class="form" method="post">
                            <Act name="board/record-training" />
                            {three}
                            <Field name="title" label="What it was" most=120 value=kept(training.is_some(), "title").unwrap_or_default() refusal=training.clone() />
                            <Field name="on" id="training-on" label="Completed on" kind="date" value=kept(training.is_some(), "on").unwrap_or_default() refusal=training.clone() />
                            <Field name="renew" label="Renew by" kind="date" optional=true value=kept(training.is_some(), "renew").unwrap_or_default() />
                            <div class="actions"><button class="button">"Record the training"</button></div>
                        </form>
                    </details>
                })}
            </div>
        </section>
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}
