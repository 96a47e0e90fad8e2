//! A tenant's home and settings, and the way from one school to another.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

#[cfg(feature = "ssr")]
use crate::ui::Notice;
#[cfg(feature = "ssr")]
use domain::tenancy::FactorRule;

use crate::{
    audit::{Line, feed},
    error::Result,
    form::{Act, Echo, Refusals},
    live,
    membership::page_of,
    ui::{Head, Icon, Page, Rail, counted},
    waiting::Card,
};

/// What home shows: on a tenant's host what waits and what changed, on the bare host one's schools.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Home {
    /// Of one tenant.
    Tenant {
        /// What the reader must do, the oldest first.
        duties: Vec<Duty>,
        /// What is new for the reader, and what else changed.
        news: News,
        /// How many people have a place.
        people: usize,
        /// How many have a page open.
        here: usize,
    },
    /// Of the bare host.
    Bare(Schools),
}

/// What changed since the reader was here last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct News {
    /// The day of their last visit, in words; empty on their first one.
    pub since: String,
    /// What they have not marked as seen, the newest first.
    pub own: Vec<Line>,
    /// How many of those there are, shown or not.
    pub total: i64,
    /// The lines of the log that the oldest and the newest of those shown tell of.
    pub shown: (i64, i64),
    /// For those who may read the log, what else changed since.
    pub changes: Vec<Line>,
}

/// Something the reader must do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duty {
    /// What it is about.
    pub what: String,
    /// What stands under it.
    pub detail: String,
    /// How long it has waited, or how soon it is due.
    pub waits: String,
    /// Where it is done.
    pub href: String,
    /// The day since which it waits, as `2026-06-18`.
    pub since: String,
}

/// Most duties on home.
#[cfg(feature = "ssr")]
const DUTIES_MOST: usize = 12;

/// "waiting for 5 days", from a day to a day.
#[cfg(feature = "ssr")]
pub(crate) fn waiting_words(since: time::Date, today: time::Date) -> String {
    match (today - since).whole_days() {
        ..=0 => "waiting since today".to_owned(),
        1 => "waiting for a day".to_owned(),
        days => format!("waiting for {days} days"),
    }
}

/// What the reader must do here, the oldest first: their own declaration, and for those who keep people and board, invitations
/// that nobody accepted, terms that end without a successor, seats that nobody holds, and declarations that are due.
#[cfg(feature = "ssr")]
async fn duties(
    read: &mut domain::db::Read,
    keeps: bool,
) -> std::result::Result<Vec<Duty>, domain::Refusal> {
    use domain::{board, day, membership};
    let today = crate::door::today();
    let mut duties = Vec::new();
    let register = board::register(read, today).await?;
    let own = read.standing.membership;
    if let Some(entry) = register.due().find(|entry| entry.person.id == own) {
        let since = entry.declaration.as_ref().map(board::Declaration::due);
        duties.push(Duty {
            what: "Declare your interests".to_owned(),
            detail: match &entry.declaration {
                Some(last) => format!("You last did on {}.", day::words(last.on)),
                None => "You have not done so yet.".to_owned(),
            },
            waits: since.map_or_else(|| "due".to_owned(), |since| waiting_words(since, today)),
            href: "/board/interests/declare".to_owned(),
            // One that was never made comes before all that has a day.
            since: since.map(day::field).unwrap_or_default(),
        });
    }
    if !keeps {
        return Ok(duties);
    }
    for person in membership::invited(read).await? {
        let on = day::of(&person.at).unwrap_or(today);
        duties.push(Duty {
            what: format!("{} has not accepted the invitation", person.name),
            detail: format!("Invited on {}.", day::words(on)),
            waits: waiting_words(on, today),
            href: format!("/people/{}", person.id),
            since: day::field(on),
        });
    }
    let seats = board::seats(read, today).await?;
    for seat in board::ending(&seats, today) {
        let Some(to) = seat.holder.as_ref().and_then(|term| term.to) else {
            continue;
        };
        let left = (to - today).whole_days();
        duties.push(Duty {
            what: format!("{}: find somebody to follow", seat.title()),
            detail: format!("The term of office ends on {}.", day::words(to)),
            waits: if left == 0 {
                "ends today".to_owned()
            } else {
                format!(
                    "ends in {}",
                    counted(usize::try_from(left).unwrap_or_default(), "day", "days")
                )
            },
            href: format!("/board/seats/{}", seat.id),
            // It waits since the term was about to end.
            since: day::field(to - time::Duration::days(board::SOON)),
        });
    }
    let vacant = board::vacancies(&seats);
    if vacant > 0 {
        let vacant = usize::try_from(vacant).unwrap_or_default();
        duties.push(Duty {
            what: format!(
                "{} on the board",
                counted(vacant, "seat is vacant", "seats are vacant")
            ),
            detail: "Start an election, or ask whoever appoints.".to_owned(),
            waits: "vacant".to_owned(),
            href: "/board".to_owned(),
            since: day::field(today),
        });
    }
    let due = register
        .due()
        .filter(|entry| entry.person.id != own)
        .count();
    if due > 0 {
        duties.push(Duty {
            what: format!(
                "{} due",
                counted(
                    due,
                    "declaration of interests is",
                    "declarations of interests are"
                )
            ),
            detail: "Remind those who have not declared within twelve months.".to_owned(),
            waits: "due".to_owned(),
            href: "/board/interests".to_owned(),
            since: day::field(today),
        });
    }
    Ok(duties)
}

/// What changed since the reader's last visit: first what they are told of, then what the log says besides, to those who may
/// read it. On a first visit all of it is new.
#[cfg(feature = "ssr")]
async fn news(
    read: &mut domain::db::Read,
    around: &crate::ui::Around,
) -> std::result::Result<News, domain::Refusal> {
    let own = read.standing.membership;
    let unseen = domain::notice::unseen(read).await?;
    let last = unseen.last_visit;
    let changes = domain::tenancy::changes(read, None, last, 8).await?;
    let seq = |notice: Option<&domain::notice::Notice>| notice.map_or(0, |notice| notice.seq);
    let shown = (seq(unseen.notices.last()), seq(unseen.notices.first()));
    Ok(News {
        since: last.map_or_else(String::new, |last| {
            format!(
                "since you were here on {}",
                domain::day::words(domain::day::today(
                    u64::try_from(last.unix_timestamp()).unwrap_or_default()
                ))
            )
        }),
        total: unseen.total,
        shown,
        changes: changes
            .into_iter()
            .map(|change| crate::audit::line(change, true))
            .collect(),
        own: unseen
            .notices
            .into_iter()
            .map(|notice| crate::notice::line(notice, around, own))
            .collect(),
    })
}

/// One's schools.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schools {
    /// Each with what one is there and, on the bare host, what waits.
    pub cards: Vec<Card>,
    /// The refused form this page is drawn for.
    pub echo: Echo,
}

/// What home shows.
#[server(endpoint = "tenancy/home", input = leptos::server_fn::codec::GetUrl)]
pub async fn read_home() -> Result<Page<Home>> {
    use crate::door;
    if door::host()?.tenant.is_none() {
        let Page { around, body } = read_schools().await?;
        return Ok(Page {
            around,
            body: Home::Bare(body),
        });
    }
    let mut read = door::read().await?;
    let around = door::around(&read)?;
    let mut duties = if around.sees_people() {
        duties(&mut read, around.manages_people()).await?
    } else {
        Vec::new()
    };
    duties.extend(crate::approval::queue::duties(&mut read).await?);
    let news = news(&mut read, &around).await?;
    duties.extend(crate::children::duty(&around, &news.own));
    duties.extend(crate::pupil::unusual::weeks::duties(&mut read).await?);
    duties.sort_by(|a, b| a.since.cmp(&b.since));
    duties.truncate(DUTIES_MOST);
    let here = (door::services().here)(read.standing.tenant);
    let (people, here) = domain::membership::counts(&mut read, &here).await?;
    let body = Home::Tenant {
        duties,
        news,
        people,
        here,
    };
    Ok(Page { around, body })
}

/// One's schools.
#[server(endpoint = "tenancy/schools", input = leptos::server_fn::codec::GetUrl)]
pub async fn read_schools() -> Result<Page<Schools>> {
    use crate::door;
    let (db, token) = (door::services().db, door::token()?);
    let places = domain::session::places(&db, token).await?;
    // Inside a school nothing is told of others.
    let waiting = match door::host()?.tenant {
        None => Some(domain::waiting::at_my_places(&db, token).await?),
        Some(_) => None,
    };
    Ok(Page {
        around: door::around_session()?,
        body: Schools {
            cards: crate::waiting::cards(places, waiting.as_deref(), door::today()),
            echo: use_context().unwrap_or_default(),
        },
    })
}

/// Goes to another school: by a ticket that its host takes for a new session there. To its home, or to the page in `next`.
#[server(endpoint = "tenancy/go")]
pub async fn go(label: String, #[server(default)] next: String) -> Result<()> {
    use crate::door;
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    door::session()?;
    let (services, token) = (door::services(), door::token()?);
    let places = domain::session::places(&services.db, token).await?;
    let place = places
        .iter()
        .find(|place| place.label == label)
        .ok_or(domain::Refusal::NotFound)?;
    let ticket = domain::session::ticket_issue(&services.db, token, place.tenant).await?;
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("ticket", &URL_SAFE_NO_PAD.encode(ticket))
        .extend_pairs((!next.is_empty()).then(|| ("next", door::safe_next(&next))))
        .finish();
    let host = services.origin.of_tenant(&place.label);
    door::send_to(&format!("{host}/arrive?{query}"));
    Ok(())
}

/// Says who must have a second factor.
#[server(endpoint = "tenancy/factor-rule")]
pub async fn set_factor_rule(rule: String) -> Result<()> {
    let rule = FactorRule::from_code(&rule).ok_or(domain::Refusal::Stale)?;
    let mut write = crate::door::write().await?;
    let act = domain::tenancy::set_factor_rule(&mut write, rule).await?;
    write.commit(act).await?;
    crate::door::send_to("/settings?done=saved");
    Ok(())
}

/// `/`
#[component]
pub fn HomePage() -> impl IntoView {
    let (news, here) = (live::version("people"), live::version("here"));
    let papers = live::version("approvals");
    let shown = Resource::new(
        move || (news.get(), here.get(), papers.get()),
        |_| read_home(),
    );
    page_of(shown, Rail::Home, |around, shown| match shown {
        Home::Bare(schools) => school_cards(schools),
        Home::Tenant {
            duties,
            news,
            people,
            here,
        } => {
            let first = around
                .name
                .split_whitespace()
                .next()
                .unwrap_or_default()
                .to_owned();
            let lead = match duties.len() {
                0 => "Nothing waits for you.".to_owned(),
                1 => "One thing waits for you.".to_owned(),
                n => format!("{n} things wait for you, the oldest first."),
            };
            let sees_people = around.sees_people();
            view! {
                <Head title=format!("Hello, {first}") lead=lead />
                <div class="split">
                    <div class="stack">
                        <section class="card" aria-labelledby="do">
                            <header><h2 id="do">"What you must do"</h2><p>"oldest first"</p></header>
                            {if duties.is_empty() {
                                view! { <div class="empty"><Icon name="check" /><p>"Nothing. When something needs you, it is the first thing you see here."</p></div> }.into_any()
                            } else {
                                view! {
                                    <ul role="list" class="todo">
                                        {duties.into_iter().enumerate().map(|(n, duty)| view! {
                                            <li>
                                                <div><b>{duty.what.clone()}</b><small>{duty.detail}</small></div>
                                                <span class="tag wait">{duty.waits}</span>
                                                <a class=if n == 0 { "button primary" } else { "button" } href=duty.href>"Open" <span class="hidden-text">": " {duty.what}</span></a>
                                            </li>
                                        }).collect_view()}
                                    </ul>
                                }.into_any()
                            }}
                        </section>
                        {what_changed(news)}
                    </div>
                    {sees_people.then(|| view! {
                        <aside class="stack" aria-label="At a glance">
                            <section class="card" aria-labelledby="glance">
                                <header><h2 id="glance">"At a glance"</h2></header>
                                <div class="body">
                                    <dl class="details">
                                        <div><dt>"People"</dt><dd>{counted(people, "person", "people")}</dd></div>
                                        <div><dt>"Here now"</dt><dd>{counted(here, "person", "people")}</dd></div>
                                    </dl>
                                    <a class="button" href="/people"><Icon name="people" />"See the people"</a>
                                </div>
                            </section>
                        </aside>
                    })}
                </div>
            }
            .into_any()
        }
    })
}

fn what_changed(
    News {
        since,
        own,
        total,
        shown: (oldest, newest),
        changes,
    }: News,
) -> AnyView {
    let shown = i64::try_from(own.len()).unwrap_or_default();
    let nothing = own.is_empty() && changes.is_empty();
    view! {
        <section class="card" aria-labelledby="changed">
            <header><h2 id="changed">"What changed"</h2><p>{since}</p></header>
            <div class="body">
                {(shown > 0).then(|| view! {
                    {feed(own)}
                    <form class="actions" method="post">
                        <Act name="notices/seen" />
                        <input type="hidden" name="oldest" value=oldest.to_string() />
                        <input type="hidden" name="newest" value=newest.to_string() />
                        <button class="button small">"Mark as seen"</button>
                        {(total > shown).then(|| format!("{} more are older.", total - shown))}
                    </form>
                    {(total > shown).then(|| view! {
                        <form class="actions" method="post">
                            <Act name="notices/seen" />
                            <input type="hidden" name="oldest" value="0" />
                            <input type="hidden" name="newest" value=newest.to_string() />
                            <button class="button quiet small">{format!("Mark all {total} as seen")}</button>
                        </form>
                    })}
                })}
                {(!changes.is_empty()).then(|| feed(changes))}
                {nothing.then(|| view! { <p class="muted">"Nothing is new for you."</p> })}
            </div>
        </section>
    }
    .into_any()
}

/// `/schools`
#[component]
pub fn SchoolsPage() -> impl IntoView {
    let shown = Resource::new(|| (), |()| read_schools());
    page_of(shown, Rail::Elsewhere, |_, shown| school_cards(shown))
}

fn school_cards(Schools { cards, echo }: Schools) -> AnyView {
    let lead = match cards.iter().filter(|card| !card.label.is_empty()).count() {
        0 => "You have no place at any school just now. If that is a mistake, ask the clerk."
            .to_owned(),
        1 => "You have a place at one school.".to_owned(),
        n => format!("You have a place at {n} schools. Choose one to open it."),
    };
    view! {
        <Head title="My schools" lead=lead />
        <Refusals refusal=echo.refusal.clone() />
        <ul role="list" class="schools">
            {cards.into_iter().map(|Card { label, name, roles, waits, note }| {
                let crest = name.chars().next().unwrap_or('Q').to_string();
                view! {
                    <li>
                        <article class="school-card">
                            <span class="crest" aria-hidden="true">{crest}</span>
                            <h2>{name.clone()}</h2>
                            <small>{roles}</small>
                            {if waits.is_empty() {
                                view! { <p>{note}</p> }.into_any()
                            } else {
                                view! { <ul role="list" class="lines">{waits.into_iter().map(|line| view! { <li>{line}</li> }).collect_view()}</ul> }.into_any()
                            }}
                            {(!label.is_empty()).then(|| view! {
                                <form method="post" action="/schools">
                                    <Act name="tenancy/go" />
                                    <input type="hidden" name="label" value=label.clone() />
                                    <button class="button primary">"Open" <span class="hidden-text">" " {name}</span></button>
                                </form>
                            })}
                        </article>
                    </li>
                }
            }).collect_view()}
        </ul>
    }
    .into_any()
}

/// `/settings`: does not exist for anybody but administrators.
#[cfg(feature = "ssr")]
pub(crate) async fn settings(
    read: &mut domain::db::Read,
    around: &crate::ui::Around,
    asked: &crate::sheet::Asked,
) -> std::result::Result<crate::sheet::Drawing, domain::Refusal> {
    let settings = domain::tenancy::settings(read).await?;
    if !read.standing.stepped_up {
        return Ok(crate::ui::step_up_first("/settings"));
    }
    let saved = !asked.query("done").is_empty();
    let echo: Echo = use_context().unwrap_or_default();
    let refusal = echo.of("tenancy/factor-rule");
    let rule = settings.factor_rule;
    let option = |one: FactorRule, name: &'static str, meaning: &'static str| {
        view! {
            <label class="option">
                <input type="radio" name="rule" value=one.code() checked=one == rule />
                <b>{name}</b>
                <small>{meaning}</small>
            </label>
        }
    };
    let board = domain::board::board(read, crate::door::today()).await?;
    let count = |one: domain::board::Rule| {
        view! {
            <label class="option">
                <input type="radio" name="rule" value=one.code() checked=one == board.rule />
                <b>{one.name()}</b>
                <small>{one.words()}</small>
            </label>
        }
    };
    let page = view! {
        <crate::ui::Heading title="Settings" lead=format!("How {} is run here. Every change is in the log.", around.place) />
        {saved.then(|| view! { <Notice text="Saved." /> })}
        <Refusals refusal=refusal />
        <section class="card narrow" aria-labelledby="second">
            <header><h2 id="second">"Second step"</h2></header>
            <div class="body">
                <form class="form" method="post">
                    <Act name="tenancy/factor-rule" />
                    <fieldset class="field">
                        <legend>"Who must sign in with a second step"</legend>
                        <p class="hint">"Those who have none are asked to set one up at once, and see nothing before."</p>
                        <div class="options">
                            {option(FactorRule::Everyone, "All staff and governors", "What the Department for Education asks of everybody who can see pupils’ records.")}
                            {option(FactorRule::Officers, "Administrators, clerks, chairs, and whoever may see pupils", "The least there is. Everybody else may still turn it on for themselves.")}
                        </div>
                    </fieldset>
                    <div class="actions"><button class="button primary">"Save"</button></div>
                </form>
            </div>
        </section>
        <section class="card narrow" aria-labelledby="quorum">
            <header><h2 id="quorum">"Quorum of the board"</h2></header>
            <div class="body">
                <form class="form" method="post">
                    <Act name="board/set-rule" />
                    <fieldset class="field">
                        <legend>"By which rule it is counted"</legend>
                        <div class="options">{count(domain::board::Rule::Maintained)}{count(domain::board::Rule::Academy)}</div>
                    </fieldset>
                    <div class="actions"><button class="button primary">"Save the rule"</button></div>
                </form>
            </div>
        </section>
    };
    Ok(crate::sheet::Drawing {
        title: "Settings".to_owned(),
        page: page.into_any(),
    })
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn a_duty_says_how_long_it_has_waited() {
        let day = |text: &str| domain::day::parse(text).unwrap();
        let words = |today: &str| waiting_words(day("2026-06-18"), day(today));
        assert_eq!(words("2026-06-18"), "waiting since today");
        assert_eq!(words("2026-06-19"), "waiting for a day");
        assert_eq!(words("2026-06-23"), "waiting for 5 days");
    }
}
