//! `/approvals`: what waits for the reader, what waits for others, and what is closed.

use domain::{
    Refusal,
    approval::{self, Approval, Queue},
    day,
    db::Read,
    document,
};
use leptos::prelude::*;
use time::{Date, Duration};

use super::beside::{rule_words, tag, words};
use crate::{
    form::{Act, Echo, ProofBeside, Refusals},
    sheet::{Asked, Drawing},
    tenancy::{Duty, waiting_words},
    ui::{Heading, Icon, Moment, Notice, counted},
};

/// So many that are closed; the rest is on the pages of their documents.
const CLOSED_MOST: i64 = 30;

/// How long before its day a review is asked for.
const REVIEW_SOON: Duration = Duration::days(30);

/// `/approvals`
pub async fn page(read: &mut Read, asked: &Asked) -> Result<Drawing, Refusal> {
    let today = crate::door::today();
    let Queue {
        open,
        decided: closed,
    } = approval::queue(read, CLOSED_MOST).await?;
    let (mine, others): (Vec<_>, Vec<_>) = open.into_iter().partition(Approval::waits_for_caller);
    let title = "Approvals".to_owned();
    let lead = match mine.len() {
        0 => "Nothing waits for your answer.".to_owned(),
        n => format!(
            "{} for your answer.",
            counted(n, "paper waits", "papers wait")
        ),
    };
    let page = view! {
        {done(asked).map(|text| view! { <Notice text=text /> })}
        <Heading title=title.clone() lead=lead />
        {waiting(&mine, today)}
        <section class="card" aria-labelledby="others">
            <header><h2 id="others">"Waiting for others"</h2><p>{counted(others.len(), "paper", "papers")}</p></header>
            {if others.is_empty() {
                view! { <div class="empty"><Icon name="check" /><p>"Nothing that you read waits for anybody else."</p></div> }.into_any()
            } else {
                view! { <ul role="list" class="found">{others.iter().map(|one| line(one, today)).collect_view()}</ul> }.into_any()
            }}
        </section>
        {(!closed.is_empty()).then(|| view! {
            <section class="card" aria-labelledby="closed">
                <header><h2 id="closed">"Closed"</h2><p>"newest first"</p></header>
                <ul role="list" class="found">{closed.iter().map(decided).collect_view()}</ul>
            </section>
        })}
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

fn done(asked: &Asked) -> Option<String> {
    (asked.query("done") == "agreed").then(|| {
        let many = |field: &str| asked.query(field).parse::<usize>().unwrap_or_default();
        let said = format!("You agreed to {}.", counted(many("many"), "paper", "papers"));
        match many("left") {
            0 => said,
            1 => format!("{said} One could not be answered from here: it was closed meanwhile, or you have not opened it."),
            n => format!("{said} {n} could not be answered from here: they were closed meanwhile, or you have not opened them."),
        }
    })
}

/// What waits for the reader; what is routine and opened has a box to tick.
fn waiting(mine: &[Approval], today: Date) -> impl IntoView + use<> {
    let echo: Echo = use_context().unwrap_or_default();
    let refusal = echo.of("approvals/agree-to-several");
    let ticked = echo.values("approvals");
    let several = mine.iter().filter(|one| one.routine && one.opened).count();
    let lines: Vec<_> = mine
        .iter()
        .enumerate()
        .map(|(n, one)| {
            let id = one.id.to_string();
            let box_of = (one.routine && one.opened).then(|| {
                let label = format!("Agree to {}, version {}", one.title, one.version);
                view! { <label class="option tick"><input type="checkbox" name=format!("approvals[{n}]") value=id.clone() checked=ticked.contains(&id) /><span class="hidden-text">{label}</span></label> }
            });
            let (href, label) = way(one);
            view! { <div class="act-row">{box_of}{about(one, today)}<a class="button primary" href=href>{label}<span class="hidden-text">": "{one.title.clone()}</span></a></div> }
        })
        .collect();
    view! {
        <section class="card" aria-labelledby="mine">
            <header><h2 id="mine">"Waiting for you"</h2><p>"oldest first"</p></header>
            {if lines.is_empty() {
                view! { <div class="empty"><Icon name="check" /><p>"When somebody asks you to approve a paper, it stands here until you have answered."</p></div> }.into_any()
            } else {
                view! {
                    <form method="post">
                        <Act name="approvals/agree-to-several" />
                        <Refusals refusal=refusal.clone() />
                        <ProofBeside refusal=refusal />
                        <div class="body">{lines}</div>
                        {(several > 0).then(|| view! {
                            <div class="body"><p class="hint">"Routine papers that you have opened can be answered together."</p>
                            <div class="actions"><button class="button">"I agree to those I ticked"</button></div></div>
                        })}
                    </form>
                }.into_any()
            }}
        </section>
    }
}

/// Where one answers: whoever knows an earlier version sees first what is different.
fn way(one: &Approval) -> (String, &'static str) {
    match one.earlier {
        Some(earlier) => (
            format!(
                "/papers/{}/changes?since={earlier}&to={}",
                one.document, one.version
            ),
            "See what changed",
        ),
        None => (
            format!("/papers/{}#answer", one.document),
            "Read and answer",
        ),
    }
}

/// What it is, who asks, how long it waits, and until when there is time.
fn about(one: &Approval, today: Date) -> impl IntoView + use<> {
    let since = day::of(&one.at).unwrap_or(today);
    let by = one.by.called();
    let left = (one.due - today).whole_days();
    let due = match left {
        0 => "closes today".to_owned(),
        1 => "closes tomorrow".to_owned(),
        _ => format!("closes on {}", day::words(one.due)),
    };
    let unread = (!one.opened).then_some(" · you have not opened it");
    let class = if left <= 2 { "tag wait" } else { "tag" };
    view! {
        <div><b>{format!("{}, version {}", one.title, one.version)}</b>
            <small>{by} " asks · " {waiting_words(since, today)} {unread}</small>
            <small><span class=class>{due}</span></small></div>
    }
}

fn line(one: &Approval, today: Date) -> impl IntoView + use<> {
    let since = day::of(&one.at).unwrap_or(today);
    view! {
        <li>
            <a href=format!("/approvals/{}", one.id)><b>{format!("{}, version {}", one.title, one.version)}</b></a>
            <small>{words(one)} ". " {rule_words(one.rule, one.standing)}</small>
            <small>"Open, " {waiting_words(since, today)} ", closes on " {day::words(one.due)}</small>
        </li>
    }
}

fn decided(one: &Approval) -> impl IntoView + use<> {
    view! {
        <li>
            <a href=format!("/approvals/{}", one.id)><b>{format!("{}, version {}", one.title, one.version)}</b></a> " " {tag(one)}
            <small>{words(one)} {one.closed.clone().map(|at| view! { " · "<Moment at=at day=true /> })}</small>
        </li>
    }
}

/// What home asks of the reader about papers: those that wait for their answer, and those of their own that are to be reviewed soon.
pub async fn duties(read: &mut Read) -> Result<Vec<Duty>, Refusal> {
    let today = crate::door::today();
    let waiting = approval::waiting(read).await?;
    let asked = waiting.iter().map(|one| {
        let since = day::of(&one.at).unwrap_or(today);
        Duty {
            what: format!("Answer about {}", one.title),
            detail: format!(
                "Version {}. There is time until {}.",
                one.version,
                day::words(one.due)
            ),
            waits: waiting_words(since, today),
            href: way(one).0,
            since: day::field(since),
        }
    });
    let mut duties: Vec<Duty> = asked.collect();
    for paper in document::to_review(read, today + REVIEW_SOON).await? {
        let by = paper.by;
        duties.push(Duty {
            what: format!("Review {}", paper.title),
            detail: format!("It is to be reviewed by {}.", day::words(by)),
            waits: if by < today {
                "overdue".to_owned()
            } else {
                "due soon".to_owned()
            },
            href: format!("/papers/{}", paper.id),
            since: day::field(by - REVIEW_SOON),
        });
    }
    Ok(duties)
}
