//! `/pupils/:pupil`: a pupil's record, read only after it was put down that somebody looks: their head, what staff put down about them,
//! and beside it who they are; for who keeps the roll also groups, parents and leaving.

use domain::{
    Refusal, day,
    db::Read,
    pupil::{
        self, Basis, Pupil, Whole,
        access::{self, Open},
        caseload::{self, Given, Of},
        code::Sex,
        group::{self, Group, Kind},
        guardian,
    },
};
use leptos::prelude::*;
use uuid::Uuid;

use super::{
    parents::{Candidates, family},
    staff_only, to_pupils,
};
use crate::{
    door,
    form::{Act, Choice, Echo, Field, Refusals, id_of},
    membership::crumbs,
    sheet::{Asked, Drawing},
    ui::{Around, Icon, Moment, Notice},
    wellbeing::timeline,
};

/// `/pupils/:pupil`
pub async fn page(
    read: &mut Read,
    around: &Around,
    asked: &Asked,
    id: &str,
) -> Result<Drawing, Refusal> {
    staff_only(around)?;
    let school = pupil::sees_school(&around.roles);
    let keeps = pupil::keeps(&around.roles);
    let parts: &[&str] = if school {
        &["details", "timeline", "trend", "parents"]
    } else {
        &["details", "timeline", "trend"]
    };
    let (whole, basis) = pupil::look(read, id_of(id)?, parts).await?;
    let id = whole.pupil.id;
    let links = guardian::of_pupil(read, id).await?;
    let open = access::open(read).await?;
    let open = open.into_iter().find(|one| one.pupil == id);
    let given = if school {
        teachers(caseload::given(read).await?, &whole)
    } else {
        vec![]
    };
    let others = if keeps {
        let mut groups = group::all(read).await?;
        groups.retain(|one| !whole.groups.contains(&one.group));
        groups
    } else {
        vec![]
    };
    let parents = if keeps {
        Candidates::read(read, &links, asked.query("parent")).await?
    } else {
        Candidates::default()
    };
    let circumstances = super::tags::one::card(read, id).await?;
    let reviews = access::reviews(read).await?;
    let records = timeline::middle(read, asked, &whole.pupil).await?;
    let echo: Echo = use_context().unwrap_or_default();
    let pupil = &whole.pupil;
    let called = pupil.called();
    let done = done_words(asked.query("done"), &called);
    let tags = [
        Some(pupil.year.name().to_owned()),
        pupil.registration.clone(),
    ];
    let left = pupil
        .left_on
        .map(|first_without| format!("Left on {}", day::words(day::before(first_without))));
    let title = called.clone();
    let page = view! {
        {crumbs(vec![to_pupils(around)])}
        {done.map(|text| view! { <Notice text=text /> })}
        <div class="head">
            <div class="person-head">
                <span class="face large" aria-hidden="true">{pupil.initials()}</span>
                <div>
                    <h1>{called.clone()}</h1>
                    <div class="tags">
                        {tags.into_iter().flatten().map(|tag| view! { <span class="tag">{tag}</span> }).collect_view()}
                        {left.map(|left| view! { <span class="tag wait">{left}</span> })}
                    </div>
                </div>
            </div>
            <div class="actions">
                {reviews.then(|| view! { <a class="button" href=format!("/pupils/{id}/looked")>"Who looked"</a> })}
                {keeps.then(|| view! { <a class="button primary" href=format!("/pupils/{id}/edit")>"Correct the details"</a> })}
            </div>
        </div>
        {by_what_right(basis, open)}
        <Refusals refusal=echo.refusal.clone() />
        {records.above}
        <div class="split">
            <div class="stack">{records.main}</div>
            <aside class="stack" aria-label="What is done for them, and who they are">
                {records.beside}
                {details(&whole, basis)}
                {(basis != Basis::Reason).then(|| groups(&whole, &others, keeps, &echo))}
                {circumstances}
                {school.then(|| view! {
                    {family(pupil, &links, parents, keeps, &echo)}
                    {who_teaches(id, &given, pupil.left_on.is_none())}
                    {keeps.then(|| leaving(pupil, &echo))}
                })}
            </aside>
        </div>
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

/// Those caseloads that the pupil is on.
fn teachers(mut given: Vec<Given>, whole: &Whole) -> Vec<Given> {
    given.retain(|one| match one.of {
        Of::Pupil(id) => id == whole.pupil.id,
        Of::Group(id) => whole.groups.iter().any(|group| group.id == id),
    });
    given
}

fn by_what_right(basis: Basis, open: Option<Open>) -> impl IntoView {
    let why = match basis {
        Basis::Caseload => "You see them because they are on your caseload.".to_owned(),
        Basis::Role => "You see them by your role here.".to_owned(),
        Basis::Reason => open.as_ref().map_or_else(
            || "You see them for a reason you gave.".to_owned(),
            |open| {
                format!(
                    "You see them for a reason you gave: “{}”.",
                    open.reason.name()
                )
            },
        ),
    };
    let until = open
        .filter(|_| basis == Basis::Reason)
        .map(|open| open.until);
    view! {
        <p class="looked"><Icon name="shield" class="icon small" /><span>{why} {until.map(|until| view! { " Until " <Moment at=until /> "." })} " That you looked is put down."</span></p>
    }
}

/// For a reason one reads their records and sees where they belong; the rest is for those who teach them or see the school.
fn details(whole: &Whole, basis: Basis) -> impl IntoView + use<> {
    let none = |what: Option<String>, none: &str| what.unwrap_or_else(|| none.to_owned());
    let in_law = whole
        .pupil
        .preferred_name
        .is_some()
        .then(|| format!("{} {}", whole.pupil.first_name, whole.pupil.last_name));
    let upn = whole.upn.as_ref().map(|upn| {
        if upn.is_temporary() {
            format!("{upn} (temporary)")
        } else {
            upn.to_string()
        }
    });
    let mut lines = vec![
        ("Year group", whole.pupil.year.name().to_owned()),
        (
            "Registration group",
            none(whole.pupil.registration.clone(), "None"),
        ),
    ];
    if basis != Basis::Reason {
        lines.extend(in_law.map(|name| ("Name in law", name)));
        lines.extend([
            ("Born", day::words(whole.born)),
            (
                "Sex",
                whole.sex.map_or("Not asked yet", Sex::name).to_owned(),
            ),
            ("Unique pupil number", none(upn, "Awaited")),
            (
                "Admission number",
                none(whole.admission_number.clone(), "None"),
            ),
        ]);
    }
    let lines: Vec<_> = lines
        .into_iter()
        .map(|(name, value)| view! { <div><dt>{name}</dt><dd>{value}</dd></div> })
        .collect();
    view! {
        <section class="card" aria-labelledby="details">
            <header><h2 id="details">"Details"</h2></header>
            <div class="body"><dl class="details">{lines}</dl></div>
        </section>
    }
}

fn groups(whole: &Whole, others: &[Group], keeps: bool, echo: &Echo) -> impl IntoView + use<> {
    let id = whole.pupil.id;
    let rows: Vec<_> = whole
        .groups
        .iter()
        .map(|one| {
            let (group, name) = (one.id, one.name.clone());
            view! {
                <div class="act-row">
                    <div><a href=format!("/groups/{group}")><b>{name.clone()}</b></a><small>{one.kind.name()}</small></div>
                    {keeps.then(|| view! {
                        <form method="post">
                            <Act name="pupils/leave-group" />
                            <input type="hidden" name="pupil" value=id.to_string() />
                            <input type="hidden" name="group" value=group.to_string() />
                            <button class="button">"Take out" <span class="hidden-text">" of " {name}</span></button>
                        </form>
                    })}
                </div>
            }
        })
        .collect();
    let none = rows.is_empty();
    let options: Vec<(String, String)> = others
        .iter()
        .map(|one| {
            let name = match one.group.kind {
                Kind::Registration => format!("{} (registration group)", one.group.name),
                Kind::Class => one.group.name.clone(),
            };
            (one.group.id.to_string(), name)
        })
        .collect();
    let refusal = echo.of("pupils/join-group");
    let chosen = refusal
        .as_ref()
        .and_then(|_| echo.value("group"))
        .unwrap_or_default();
    let may = keeps && whole.pupil.left_on.is_none() && !options.is_empty();
    view! {
        <section class="card" aria-labelledby="groups">
            <header><h2 id="groups">"Groups and classes"</h2></header>
            <div class="body">
                {none.then(|| view! { <p class="muted">"In no group or class today."</p> })}
                <div>{rows}</div>
                {may.then(|| view! {
                    <details open=refusal.is_some()>
                        <summary>"Put into a group or class"</summary>
                        <form class="form" method="post">
                            <Act name="pupils/join-group" />
                            <input type="hidden" name="pupil" value=id.to_string() />
                            <Choice name="group" label="Which" options=options nobody="Choose one" chosen=chosen
                                hint="From today. A pupil has one registration group: another one takes its place." refusal=refusal.clone() />
                            <div class="actions"><button class="button">"Put them in"</button></div>
                        </form>
                    </details>
                })}
            </div>
        </section>
    }
}

fn who_teaches(pupil: Uuid, given: &[Given], here: bool) -> impl IntoView + use<> {
    let lines: Vec<_> = given
        .iter()
        .map(|one| {
            let of = match &one.group {
                Some(group) => group.name.clone(),
                None => "This pupil alone".to_owned(),
            };
            let (from, until) = ((!one.now).then(|| one.from.clone()), one.until.clone());
            view! {
                <li>
                    <b>{one.name.clone()}</b> {one.cover.then(|| view! { " " <span class="tag wait">"Cover"</span> })}
                    <small>{of} {from.map(|from| view! { ", from " <Moment at=from /> })} {until.map(|until| view! { ", until " <Moment at=until /> })}</small>
                </li>
            }
        })
        .collect();
    let none = lines.is_empty();
    view! {
        <section class="card" aria-labelledby="teaches">
            <header><h2 id="teaches">"On whose caseload"</h2></header>
            <div class="body">
                {none.then(|| view! { <p class="muted">"Nobody’s. Only those who see the school see them."</p> })}
                <ul role="list" class="lines">{lines}</ul>
                {here.then(|| view! { <p><a href=format!("/caseloads?pupil={pupil}#give")>"Put them on a caseload"</a></p> })}
            </div>
        </section>
    }
}

/// Whether they are here: leaving, coming back, and what was a mistake.
fn leaving(pupil: &Pupil, echo: &Echo) -> impl IntoView + use<> {
    let id = pupil.id.to_string();
    let remove = format!("/pupils/{id}/remove");
    let refusal = echo.of("pupils/leave");
    let last = refusal
        .as_ref()
        .and_then(|_| echo.value("last"))
        .unwrap_or_else(|| day::field(door::today()));
    let gone = pupil.left_on.is_some();
    view! {
        <section class="card" aria-labelledby="leaving">
            <header><h2 id="leaving">"On the roll"</h2></header>
            <div class="body">
                {if gone {
                    view! {
                        <form class="form" method="post">
                            <Act name="pupils/come-back" />
                            <input type="hidden" name="pupil" value=id />
                            <p>"They left. Their record is kept, and only those who see the school see it. If they come back, their groups and caseloads are given anew."</p>
                            <div class="actions"><button class="button">"They came back"</button></div>
                        </form>
                    }.into_any()
                } else {
                    view! {
                        <details open=refusal.is_some()>
                            <summary>"Record that they left"</summary>
                            <form class="form" method="post">
                                <Act name="pupils/leave" />
                                <input type="hidden" name="pupil" value=id />
                                <Field name="last" label="Last day here" kind="date" value=last
                                    hint="From the day after it they are in no group and on nobody’s caseload. The record is kept." refusal=refusal.clone() />
                                <div class="actions"><button class="button">"Record the leaving"</button></div>
                            </form>
                        </details>
                    }.into_any()
                }}
                <p><a href=remove>"Added by mistake? Take off the roll…"</a></p>
            </div>
        </section>
    }
}

fn done_words(done: &str, called: &str) -> Option<String> {
    Some(match done {
        "added" => format!("{called} is on the roll. Now put them into their groups."),
        "corrected" => "Saved.".to_owned(),
        "left" => format!("It is recorded that {called} left."),
        "back" => format!("{called} is on the roll again. Put them into their groups."),
        "joined" => "They are in the group from today.".to_owned(),
        "out" => "They are out of the group. Pages of those who saw them by it have closed.".to_owned(),
        "linked" => "The parent is linked to this child.".to_owned(),
        "unlinked" => "The link has ended. The pages that they had open have closed.".to_owned(),
        "restricted" => {
            "The restriction holds from now on. They see nothing of this child and are not told why."
                .to_owned()
        }
        "lifted" => "The restriction is lifted.".to_owned(),
        other => return super::parents::done_words(other),
    })
}
