//! The middle of a pupil's page: what was put down about them, the newest first by when it happened, with filters, and as it was known on
//! a day.

use domain::{
    MembershipId, Refusal, day,
    db::Read,
    pupil::Pupil,
    wellbeing::{
        Domain, onrecord,
        record::Kind,
        timeline::{self, Entry, Filter, PAGE},
    },
};
use leptos::prelude::*;
use time::Date;
use uuid::Uuid;

use super::{
    entry::{self, Staff},
    picture::Picture,
};
use crate::{door, form::id_of, sheet::Asked, ui::Icon};

/// What the address of the page asks for.
struct Wanted {
    filter: Filter,
    /// As it was known at the end of this day.
    known: Option<Date>,
    /// Older than this record.
    before: Option<Uuid>,
    /// Which trend is large.
    large: Option<Domain>,
    /// Days as they were typed: from, to, known.
    typed: [String; 3],
    /// Whether one of them is none.
    wrong: bool,
}

impl Wanted {
    fn of(asked: &Asked) -> Result<Self, Refusal> {
        let typed = ["from", "to", "known"].map(|name| asked.query(name).trim().to_owned());
        let [from, to, known] = [0, 1, 2].map(|n: usize| day::parse(&typed[n]).ok());
        let wrong = typed
            .iter()
            .zip([from, to, known])
            .any(|(typed, day)| !typed.is_empty() && day.is_none());
        let before = match asked.query("before") {
            "" => None,
            id => Some(id_of(id)?),
        };
        Ok(Self {
            filter: Filter {
                kinds: Kind::from_code(asked.query("kind")).into_iter().collect(),
                author: Uuid::try_parse(asked.query("author")).ok(),
                from,
                to,
            },
            known,
            before,
            large: Domain::from_code(asked.query("domain")),
            typed,
            wrong,
        })
    }

    fn narrows(&self) -> bool {
        self.filter != Filter::default() || self.wrong
    }

    /// The page of those before a record, narrowed as this one is.
    fn older(&self, pupil: Uuid, before: Uuid) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if let Some(kind) = self.filter.kinds.first() {
            query.append_pair("kind", kind.code());
        }
        if let Some(author) = self.filter.author {
            query.append_pair("author", &author.to_string());
        }
        for (name, day) in [
            ("from", self.filter.from),
            ("to", self.filter.to),
            ("known", self.known),
        ] {
            if let Some(day) = day {
                query.append_pair(name, &day::field(day));
            }
        }
        query.append_pair("before", &before.to_string());
        format!("/pupils/{pupil}?{}#timeline", query.finish())
    }
}

/// What the pupil's page shows of the records.
pub(crate) struct Middle {
    /// Under the head: the day that is shown, or what can be added.
    pub above: AnyView,
    /// The large column.
    pub main: AnyView,
    /// The first cards of the small one.
    pub beside: AnyView,
}

/// Reads it, after [`domain::pupil::look`] has put down that the reader looks.
pub(crate) async fn middle(
    read: &mut Read,
    asked: &Asked,
    pupil: &Pupil,
) -> Result<Middle, Refusal> {
    let wanted = Wanted::of(asked)?;
    let id = pupil.id;
    let today = door::today();
    let staff = Staff::read(read).await?;
    let entries = page_of(read, id, &wanted).await?;
    let Some(known) = wanted.known else {
        let picture = Picture::read(read, id, today).await?;
        let authors = timeline::authors(read, id).await?;
        let puts = entry::newest(onrecord::of_pupil(read, id).await?);
        let first = wanted.before.is_none() && !wanted.narrows();
        let lines: Vec<_> = entries
            .iter()
            .take(PAGE)
            .map(|one| entry::line(id, one, Some(&puts), &staff))
            .collect();
        let older = older(id, &wanted, &entries);
        let none = lines.is_empty();
        let here = pupil.left_on.is_none();
        return Ok(Middle {
            above: here.then(|| adds(id)).into_any(),
            main: view! {
                {wanted.before.is_none().then(|| picture.trends(id, wanted.large))}
                <section class="card" aria-labelledby="timeline">
                    <header><h2 id="timeline">"Timeline"</h2><p>"Newest first, by when it happened"</p></header>
                    {filter(id, &wanted, &authors)}
                    {none.then(|| nothing(id, !first, here))}
                    <ol role="list" class="timeline">{lines}</ol>
                    {older}
                </section>
            }
            .into_any(),
            beside: view! {
                {picture.interventions(id, &staff)}
                {ask_day(id, &wanted)}
            }
            .into_any(),
        });
    };
    let lines: Vec<_> = entries
        .iter()
        .take(PAGE)
        .map(|one| entry::line(id, one, None, &staff))
        .collect();
    let none = lines.is_empty();
    let older = older(id, &wanted, &entries);
    let on = day::words(known);
    Ok(Middle {
        above: view! {
            <div class="notice wait known" role="note">
                <Icon name="history" />
                <p>"This is what was known at the end of " <b>{on.clone()}</b> ": records put down by then, in their words of that day. Nothing that came later is here."</p>
                <div class="actions"><a class="button" href=format!("/pupils/{id}")>"Back to today"</a></div>
            </div>
        }
        .into_any(),
        main: view! {
            <section class="card" aria-labelledby="timeline">
                <header><h2 id="timeline">"As known on " {on}</h2><p>"Newest first, by when it happened"</p></header>
                {none.then(|| view! { <div class="empty"><Icon name="history" /><h3>"Nothing had been put down by then"</h3><p>"Choose a later day."</p></div> })}
                <ol role="list" class="timeline">{lines}</ol>
                {older}
            </section>
        }
        .into_any(),
        beside: ask_day(id, &wanted).into_any(),
    })
}

/// The records of this page, and where there are older ones the first of them too.
async fn page_of(read: &mut Read, pupil: Uuid, wanted: &Wanted) -> Result<Vec<Entry>, Refusal> {
    if let Some(known) = wanted.known {
        let all = timeline::as_known_on(read, pupil, known).await?;
        let after = match wanted.before {
            Some(id) => {
                let place = all.iter().position(|one| one.id == id);
                place.ok_or(Refusal::NotFound)? + 1
            }
            None => 0,
        };
        return Ok(all.into_iter().skip(after).take(PAGE + 1).collect());
    }
    let before = match wanted.before {
        Some(id) => {
            let one = timeline::one(read, id, pupil).await?;
            Some((day::moment_of(&one.happened_at)?, id))
        }
        None => None,
    };
    timeline::timeline(read, pupil, &wanted.filter, before).await
}

/// Where the older ones are.
fn older(pupil: Uuid, wanted: &Wanted, entries: &[Entry]) -> Option<impl IntoView + use<>> {
    let full = entries.len() >= PAGE;
    let last = entries.get(PAGE - 1).filter(|_| full)?;
    let (href, first) = (wanted.older(pupil, last.id), wanted.before.is_some());
    Some(view! {
        <nav class="pager" aria-label="Pages of the timeline">
            {first.then(|| view! { <a class="button" href=format!("/pupils/{pupil}#timeline")>"Newest"</a> })}
            <a class="button" rel="next" href=href>"Older"</a>
        </nav>
    })
}

/// What can be put down about them.
fn adds(pupil: Uuid) -> impl IntoView {
    let others: Vec<_> = [
        Kind::Observation,
        Kind::Conversation,
        Kind::Plan,
        Kind::Intervention,
        Kind::Instrument,
    ]
    .into_iter()
    .map(|kind| {
        let name = match kind {
            Kind::Instrument => "Scores",
            kind => kind.name(),
        };
        view! { <li><a class="button" href=format!("/pupils/{pupil}/records/add?kind={}", kind.code())>{name}</a></li> }
    })
    .collect();
    view! {
        <nav class="adds" aria-label="Add to their records">
            <ul role="list">
                <li><a class="button primary" href=format!("/check-in?pupil={pupil}")><Icon name="add" />"Check in"</a></li>
                {others}
            </ul>
        </nav>
    }
}

fn nothing(pupil: Uuid, narrowed: bool, here: bool) -> impl IntoView {
    view! {
        <div class="empty">
            <Icon name="history" />
            {if narrowed {
                view! { <h3>"Nothing like that"</h3><p>"No record is of that kind, by that person and from those days."</p> <div class="actions"><a class="button" href=format!("/pupils/{pupil}")>"Show everything"</a></div> }.into_any()
            } else {
                view! {
                    <h3>"Nothing has been put down yet"</h3><p>"What staff see, say and plan stands here, in the order in which it happened."</p>
                    {here.then(|| view! { <div class="actions"><a class="button" href=format!("/pupils/{pupil}/records/add?kind=observation")>"Write the first observation"</a></div> })}
                }.into_any()
            }}
        </div>
    }
}

fn filter(
    pupil: Uuid,
    wanted: &Wanted,
    authors: &[(MembershipId, String)],
) -> impl IntoView + use<> {
    let kind = wanted.filter.kinds.first().copied();
    let kinds: Vec<_> = Kind::ALL
        .iter()
        .map(|one| view! { <option value=one.code() selected=kind == Some(*one)>{one.name()}</option> })
        .collect();
    let authors: Vec<_> = authors
        .iter()
        .map(|(id, name)| view! { <option value=id.to_string() selected=wanted.filter.author == Some(*id)>{name.clone()}</option> })
        .collect();
    let (narrows, wrong, large) = (wanted.narrows(), wanted.wrong, wanted.large);
    let [from, to, _] = wanted.typed.clone();
    view! {
        <details class="some" open=narrows>
            <summary>"Show only some"</summary>
            <form class="filter" method="get" action=format!("/pupils/{pupil}#timeline")>
                {large.map(|large| view! { <input type="hidden" name="domain" value=large.code() /> })}
                <div class="field fixed"><label for="kind">"Kind"</label><select id="kind" name="kind"><option value="">"Every kind"</option>{kinds}</select></div>
                <div class="field fixed"><label for="author">"By"</label><select id="author" name="author"><option value="">"Everybody"</option>{authors}</select></div>
                {date("from", "From", from)}
                {date("to", "To", to)}
                <button class="button"><Icon name="search" />"Show"</button>
                {narrows.then(|| view! { <a class="button quiet" href=format!("/pupils/{pupil}")>"Show everything"</a> })}
                {wrong.then(no_day)}
            </form>
        </details>
    }
}

/// A day of the address; one that is none stands there as it was typed.
fn date(name: &'static str, label: &'static str, value: String) -> impl IntoView {
    let parses = value.is_empty() || day::parse(&value).is_ok();
    let value = day::parse(&value).map_or(value, day::field);
    view! {
        <div class="field fixed"><label for=name>{label}</label>
            <input id=name name=name type=if parses { "date" } else { "text" } autocomplete="off" value=value aria-invalid=(!parses).then_some("true") /></div>
    }
}

fn no_day() -> impl IntoView {
    view! { <p class="error"><Icon name="warning" class="icon small" /><span><span class="hidden-text">"Error: "</span>"Enter days like 18 June 2026 or 18/06/2026."</span></p> }
}

fn ask_day(pupil: Uuid, wanted: &Wanted) -> impl IntoView + use<> {
    let [.., known] = wanted.typed.clone();
    let wrong = !known.is_empty() && wanted.known.is_none();
    view! {
        <section class="card" aria-labelledby="as-known">
            <header><h2 id="as-known">"As known on a day"</h2></header>
            <div class="body">
                <form class="form" method="get" action=format!("/pupils/{pupil}")>
                    <p class="hint">"What had been put down by the end of a past day, in its words of that day."</p>
                    {wrong.then(no_day)}
                    {date("known", "Day", known)}
                    <div class="actions"><button class="button">"Show that day"</button></div>
                </form>
            </div>
        </section>
    }
}
