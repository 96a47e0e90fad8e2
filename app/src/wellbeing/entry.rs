//! One record as staff read it: on a pupil's timeline, and on its own page.

use std::collections::HashMap;

use domain::{
    MembershipId, Refusal, day,
    db::Read,
    membership::{self, State},
    role::Role,
    wellbeing::{
        onrecord::{self, Put},
        record::{Detail, Kind, Part, Sheet},
        timeline::Entry,
    },
};
use leptos::prelude::*;
use uuid::Uuid;

use crate::{chart::Cell, ui::Moment};

/// The school's staff and board by name, for whoever does an intervention.
#[derive(Default)]
pub(super) struct Staff(Vec<(MembershipId, String, bool)>);

impl Staff {
    pub(super) async fn read(read: &mut Read) -> Result<Self, Refusal> {
        let all = membership::list(read).await?;
        let one = |person: membership::Person| {
            let others = |role: &Role| !matches!(role, Role::Parent | Role::Member);
            let may = matches!(person.state, State::Active | State::Invited)
                && person.roles.iter().any(others);
            (person.id, person.name, may)
        };
        Ok(Self(all.into_iter().map(one).collect()))
    }

    /// Those who may be chosen, with whoever is chosen already.
    pub(super) fn options(&self, chosen: &str) -> Vec<(String, String)> {
        self.0
            .iter()
            .map(|(id, name, may)| (id.to_string(), name, *may))
            .filter(|(id, _, may)| *may || id == chosen)
            .map(|(id, name, _)| (id, name.clone()))
            .collect()
    }

    pub(super) fn name(&self, id: MembershipId) -> String {
        let found = self.0.iter().find(|(one, ..)| *one == id);
        found.map_or_else(
            || "Somebody who was removed".to_owned(),
            |(_, name, _)| name.clone(),
        )
    }
}

/// The newest entry on record of each record of a pupil.
pub(super) fn newest(puts: Vec<Put>) -> HashMap<Uuid, Put> {
    let mut newest = HashMap::new();
    for put in puts {
        newest.entry(put.record).or_insert(put);
    }
    newest
}

/// How far it has come on its way to the parents, in words and never in colour alone.
pub(super) fn state(put: Option<&Put>) -> AnyView {
    use onrecord::State;
    match put.map(|put| put.state.clone()) {
        None | Some(State::TakenBack(_)) => {
            view! { <span class="tag">"Not on record"</span> }.into_any()
        }
        Some(State::Cooling(at)) => {
            view! { <span class="tag wait">"Goes out at " <Moment at=at /></span> }.into_any()
        }
        Some(State::Open(at)) => {
            view! { <span class="tag good">"On record since " <Moment at=at day=true /></span> }
                .into_any()
        }
        Some(State::Off { at, .. }) => {
            view! { <span class="tag">"Taken off the record on " <Moment at=at day=true /></span> }
                .into_any()
        }
    }
}

/// A record on the timeline, with the way to its own page. `puts` is none where the page is about a day of the past, which does not say
/// what was on record then.
pub(super) fn line(
    pupil: Uuid,
    one: &Entry,
    puts: Option<&HashMap<Uuid, Put>>,
    staff: &Staff,
) -> impl IntoView + use<> {
    use onrecord::State;
    let href = format!("/pupils/{pupil}/records/{}", one.id);
    let (kind, author) = (one.kind.name(), one.author.clone());
    let on = day::of(&one.happened_at).map_or_else(|_| String::new(), day::words);
    let label = format!("{kind}, {on}");
    let puts = puts.filter(|_| !one.withdrawn);
    let stands = puts.map(|puts| state(puts.get(&one.id)));
    let may_put = puts.is_some_and(|puts| {
        puts.get(&one.id)
            .is_none_or(|put| matches!(put.state, State::TakenBack(_) | State::Off { .. }))
    });
    view! {
        <li class=if one.withdrawn { "entry withdrawn" } else { "entry" }>
            <div class="entry-head">
                <h3><a href=href.clone()>{kind}</a></h3>
                <span class="when"><Moment at=one.happened_at.clone() day=true /></span>
            </div>
            <p class="entry-by">{author} {put_down(one)}</p>
            {told(one, staff)}
            <div class="entry-foot">
                {one.withdrawn.then(|| view! { <span class="tag bad">"Withdrawn as a mistake"</span> })}
                {stands}
                {(one.version > 1).then(|| view! { <a class="tag" href=format!("{href}#versions") rel="external">{format!("Version {}", one.version)}</a> })}
                {may_put.then(|| view! { <a class="button quiet" href=format!("{href}/put")>"Put on record…" <span class="hidden-text">{label}</span></a> })}
            </div>
        </li>
    }
}

/// When it was put down, where that was on another day.
pub(super) fn put_down(one: &Entry) -> Option<impl IntoView + use<>> {
    let late = day::of(&one.happened_at).ok() != day::of(&one.recorded_at).ok();
    late.then(|| view! { ", put down on " <Moment at=one.recorded_at.clone() day=true /> })
}

/// Everything that it says.
pub(super) fn told(one: &Entry, staff: &Staff) -> impl IntoView + use<> {
    let body = one.body.clone();
    let words = one.words.clone();
    let levels: Vec<_> = one
        .levels
        .iter()
        .map(|(domain, level)| {
            view! { <li><span aria-hidden="true">{domain.name()}</span> <Cell domain=*domain level=Some(*level) /></li> }
        })
        .collect();
    let alone = one.part == Part::Subject && words.is_empty();
    let part = one.part.name();
    view! {
        {detail(&one.detail, staff)}
        {(!levels.is_empty()).then(|| view! { <ul role="list" class="levels">{levels}</ul> })}
        {(!body.is_empty()).then(|| view! { <p class="lines-kept">{body}</p> })}
        {(!alone).then(|| view! { <p class="lines-kept part"><b>"Their part: "</b> {part} {(!words.is_empty()).then(|| format!(". {words}"))}</p> })}
        {others(one)}
    }
}

/// The other pupils: by name those whom the reader sees, and by number the rest.
fn others(one: &Entry) -> Option<impl IntoView + use<>> {
    let part = |part: Part| part.name().to_lowercase();
    let named = one.others.iter().map(|(id, name, their)| {
        view! { <li><a href=format!("/pupils/{id}")>{name.clone()}</a> {format!(": {}", part(*their))}</li> }
            .into_any()
    });
    let hidden = one.hidden.iter().map(|(their, many)| {
        let who = match many {
            1 => "Another pupil".to_owned(),
            many => format!("{many} other pupils"),
        };
        view! { <li>{format!("{who}: {}", part(*their))}</li> }.into_any()
    });
    let all: Vec<_> = named.chain(hidden).collect();
    (!all.is_empty())
        .then(|| view! { <ul role="list" class="with" aria-label="Others in it">{all}</ul> })
}

/// What its kind says beside the text.
fn detail(detail: &Detail, staff: &Staff) -> Option<AnyView> {
    let lines = match detail {
        Detail::Plain {} => return None,
        Detail::Conversation { with } => vec![("With", with.clone())],
        Detail::Plan { review_on } => vec![(
            "Review",
            review_on
                .as_deref()
                .map_or_else(|| "No day set".to_owned(), in_words),
        )],
        Detail::Intervention(one) => {
            let sessions = one
                .sessions
                .map(|many| crate::ui::counted(many.into(), "session", "sessions"));
            let lines = [
                Some(("Aim", one.aim.clone())),
                Some(("What is done", one.what.clone())),
                one.by.map(|by| ("By", staff.name(by))),
                sessions.map(|many| ("How often", many)),
                Some(("From", in_words(&one.starts))),
                one.ends.as_deref().map(|ends| ("Until", in_words(ends))),
                one.review_on.as_deref().map(|on| ("Review", in_words(on))),
            ];
            lines.into_iter().flatten().collect()
        }
        Detail::Instrument(sheet) => return Some(scores(sheet).into_any()),
    };
    let lines: Vec<_> = lines
        .into_iter()
        .map(|(name, value)| view! { <div><dt>{name}</dt><dd>{value}</dd></div> })
        .collect();
    Some(view! { <dl class="details">{lines}</dl> }.into_any())
}

fn scores(sheet: &Sheet) -> impl IntoView + use<> {
    let rows: Vec<_> = sheet
        .scales
        .iter()
        .map(|one| {
            let band = one.band.clone().unwrap_or_else(|| "–".to_owned());
            view! { <tr><th scope="row">{one.name.clone()}</th><td data-label="Score" class="number">{one.points.to_string()}</td><td data-label="Band">{band}</td></tr> }
        })
        .collect();
    let caption = format!(
        "{}. {}. Answered by: {}, {}.",
        sheet.name,
        sheet.version,
        sheet.informant.name().to_lowercase(),
        in_words(&sheet.on)
    );
    view! {
        <table class="table">
            <caption>{caption}</caption>
            <thead><tr><th scope="col">"Scale"</th><th scope="col" class="number">"Score"</th><th scope="col">"Band"</th></tr></thead>
            <tbody>{rows}</tbody>
        </table>
    }
}

/// A day as records keep it, in words.
pub(super) fn in_words(kept: &str) -> String {
    day::parse(kept).map_or_else(|_| kept.to_owned(), day::words)
}

/// Whether somebody may add a version to a record: its author and who sees the school, with rights to every pupil it is about. The
/// database says so too.
pub(super) fn may_change(one: &Entry, roles: &[Role]) -> bool {
    let school = domain::pupil::sees_school(roles);
    !one.withdrawn && one.hidden.is_empty() && (one.own || school)
}

/// What a form of a kind asks for first.
pub(super) const fn asks(kind: Kind) -> &'static str {
    match kind {
        Kind::Observation => "What you saw",
        Kind::Conversation => "What was said",
        Kind::Plan => "What is to be done",
        Kind::CheckIn | Kind::Intervention | Kind::Instrument => "Note",
    }
}
