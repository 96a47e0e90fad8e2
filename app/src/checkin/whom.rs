//! `/check-in` without a row: choosing whom to check in with.

use domain::{
    Refusal,
    db::Read,
    pupil::{self, group},
    wellbeing::{
        caseload::{self, Listed, Order, ROWS, UNSEEN_DAYS, Which},
        record::PUPILS_MOST,
    },
};
use leptos::prelude::*;

use super::caseload::where_taught;
use crate::{
    door,
    membership::crumbs,
    pupil::to_pupils,
    sheet::Drawing,
    ui::{Around, Heading, Icon, counted},
};

/// Groups, those who have not been seen for long, and one's own pupils to tick. `gone` where the pupils that were asked for are not
/// there.
pub async fn page(read: &mut Read, around: &Around, gone: bool) -> Result<Drawing, Refusal> {
    let mine = pupil::has_caseload(&around.roles);
    let which = Which {
        mine,
        ..Which::default()
    };
    let listed = if mine {
        Some(caseload::latest(read, &which, Order::Unseen, 1, door::today()).await?)
    } else {
        None
    };
    let mut groups = group::all(read).await?;
    groups.retain(|one| one.pupils > 0);
    let unseen = listed.as_ref().map_or(0, |listed| listed.unseen);
    let none = groups.is_empty() && listed.as_ref().is_none_or(|listed| listed.rows.is_empty());
    let groups: Vec<_> = groups
        .iter()
        .map(|one| {
            view! { <a class="choice" href=format!("/check-in?group={}", one.group.id) rel="external">{one.group.name.clone()} <span>{one.pupils}</span></a> }
        })
        .collect();
    let title = "Check in".to_owned();
    let page = view! {
        {crumbs(vec![to_pupils(around)])}
        {gone.then(|| view! {
            <div class="notice wait" role="status"><Icon name="info" /><p>"Those pupils are not here any more, or not yours to see. Choose others."</p></div>
        })}
        <Heading title=title.clone() lead=format!("Say how pupils seem to you today, a few at a time or a whole class: at most {PUPILS_MOST} at once.") />
        {if none {
            view! {
                <section class="card"><div class="empty">
                    <Icon name="pupils" /><h2>"No pupils yet"</h2>
                    <p>"You check in with the pupils on your caseload. The office, the SENCO or a senior leader puts your class there."</p>
                    <div class="actions"><a class="button" href="/pupils">"Go to the list"</a></div>
                </div></section>
            }.into_any()
        } else {
            view! {
                <section class="card" aria-labelledby="at-once">
                    <header><h2 id="at-once">"All of them at once"</h2></header>
                    <div class="body"><nav class="choices" aria-label="All of them at once">
                        {(unseen > 0).then(|| view! {
                            <a class="choice" href="/check-in?who=unseen" rel="external">{format!("Not seen for {} weeks", UNSEEN_DAYS / 7)} " " <span>{unseen}</span></a>
                        })}
                        {groups}
                    </nav></div>
                </section>
                {listed.filter(|listed| !listed.rows.is_empty()).map(|listed| ticks(&listed))}
            }.into_any()
        }}
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

fn ticks(listed: &Listed) -> impl IntoView + use<> {
    let today = door::today();
    let boxes: Vec<_> = listed
        .rows
        .iter()
        .map(|one| {
            let seen = one
                .seen_at
                .as_deref()
                .and_then(|at| domain::day::of(at).ok());
            let since = super::caseload::since(seen, today).to_lowercase();
            view! {
                <label class="option">
                    <input type="checkbox" name="pupil" value=one.pupil.to_string() />
                    <b>{one.called.clone()}</b>
                    <small>{where_taught(one)} ", last seen: " {since}</small>
                </label>
            }
        })
        .collect();
    let more = (listed.matching > listed.rows.len()).then(|| {
        view! { <p class="hint">{format!("These are the {ROWS} who have not been seen for longest, of {}. The others are under ", counted(listed.matching, "pupil", "pupils"))} <a href="/caseload">"How they are"</a> "."</p> }
    });
    view! {
        <section class="card" aria-labelledby="some">
            <header><h2 id="some">"Or some of them"</h2><p>"Longest not seen first"</p></header>
            <div class="body">
                {more}
                <form class="form wide" method="get" action="/check-in">
                    <fieldset class="field"><legend class="hidden-text">"Pupils"</legend><div class="options many">{boxes}</div></fieldset>
                    <div class="actions"><button class="button primary">"Check in with those ticked"</button></div>
                </form>
            </div>
        </section>
    }
}
