//! The page of approvals of the bare peer: what waits for the reader, what for others, and what is closed.

use axum::{extract::State, http::HeaderMap};
use maud::{Markup, html};
use sqlx::PgPool;

use super::{
    Drawn,
    frame::{framed, head, moment},
    read::{self, Approval, Me},
    reader,
    words::{self, counted, day, waiting},
};

/// So many closed ones, as Quorate shows.
const CLOSED_MOST: usize = 30;

/// `/approvals`
pub(super) async fn page(State(pool): State<PgPool>, headers: HeaderMap) -> Drawn {
    let me = reader(&pool, &headers).await?;
    let all = read::approvals(&pool, &me, false).await?;
    let (open, closed): (Vec<_>, Vec<_>) = all.into_iter().partition(|one| one.state == "open");
    let (mine, others): (Vec<_>, Vec<_>) = open.into_iter().partition(|one| one.mine);
    let count = |all: &[Approval]| i64::try_from(all.len()).unwrap_or(i64::MAX);
    let lead = if mine.is_empty() {
        "Nothing waits for your answer.".to_owned()
    } else {
        format!(
            "{} for your answer.",
            counted(count(&mine), "paper waits", "papers wait")
        )
    };
    let page = html! {
        div #sheet {
            (head("Approvals", &lead, None))
            section.card aria-labelledby="mine" {
                header { h2 #mine { "Waiting for you" } p { "oldest first" } }
                form method="post" {
                    input type="hidden" name="act" value="approvals/agree-to-several";
                    div.body { @for (place, one) in mine.iter().enumerate() { (waits(one, place, &me)) } }
                    @if mine.iter().any(|one| one.routine && one.opened) {
                        div.body {
                            p.hint { "Routine papers that you have opened can be answered together." }
                            div.actions { button.button { "I agree to those I ticked" } }
                        }
                    }
                }
            }
            section.card aria-labelledby="others" {
                header { h2 #others { "Waiting for others" } p { (counted(count(&others), "paper", "papers")) } }
                ul.found role="list" {
                    @for one in &others {
                        li {
                            (named(one))
                            small { (words::standing(one)) ". " (words::rule(one)) }
                            small { "Open, " (waiting(one.since, me.today)) ", closes on " (day(one.due)) }
                        }
                    }
                }
            }
            section.card aria-labelledby="closed" {
                header { h2 #closed { "Closed" } p { "newest first" } }
                ul.found role="list" { @for one in closed.iter().take(CLOSED_MOST) { (decided(one)) } }
            }
        }
    };
    Ok(framed(&me, "/approvals", "Approvals", &page))
}

fn named(one: &Approval) -> Markup {
    html! { a href={ "/approvals/" (one.id) } { b { (one.title) ", version " (one.number) } } }
}

fn waits(one: &Approval, place: usize, me: &Me) -> Markup {
    let left = (one.due - me.today).whole_days();
    let due = match left {
        0 => "closes today".to_owned(),
        1 => "closes tomorrow".to_owned(),
        _ => format!("closes on {}", day(one.due)),
    };
    let (href, label) = words::way(one);
    html! {
        div.act-row {
            @if one.routine && one.opened {
                label.option.tick {
                    input type="checkbox" name={ "approvals[" (place) "]" } value=(one.id);
                    span.hidden-text { "Agree to " (one.title) ", version " (one.number) }
                }
            }
            div {
                b { (one.title) ", version " (one.number) }
                small {
                    (one.by) " asks · " (waiting(one.since, me.today))
                    @if !one.opened { " · you have not opened it" }
                }
                small { span class=(if left <= 2 { "tag wait" } else { "tag" }) { (due) } }
            }
            a.button.primary href=(href) { (label) span.hidden-text { ": " (one.title) } }
        }
    }
}

fn decided(one: &Approval) -> Markup {
    let (tag, state) = match one.state.as_str() {
        "adopted" => ("tag good", "Adopted"),
        "rejected" => ("tag bad", "Rejected"),
        "lapsed" => ("tag", "Lapsed"),
        _ => ("tag wait", "Replaced meanwhile"),
    };
    html! {
        li {
            (named(one)) " " span class=(tag) { (state) }
            small { (words::standing(one)) @if let Some(at) = one.closed_at { " · " (moment(at, true)) } }
        }
    }
}
