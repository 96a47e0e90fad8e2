//! A tenant's home and settings, and the way from one school to another.

use domain::session::Place;
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
    ui::{Head, Icon, Moment, Page, Rail, counted},
};

/// What home shows: on a tenant's host what waits and what changed, on the bare host one's schools.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Home {
    /// Of one tenant.
    Tenant {
        /// Invitations that nobody has accepted yet, for those who manage people; the oldest first.
        waiting: Vec<Waiting>,
        /// What changed, for those who may read the log.
        changes: Vec<Line>,
        /// How many people have a place.
        people: usize,
        /// How many have a page open.
        here: usize,
    },
    /// Of the bare host.
    Bare(Schools),
}

/// An invitation that nobody has accepted yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Of the membership.
    pub id: String,
    /// Whose it is.
    pub name: String,
    /// RFC 3339.
    pub since: String,
    /// Whole days that it has waited.
    pub days: u64,
}

impl Waiting {
    fn words(&self) -> String {
        match self.days {
            0 => "waiting for less than a day".to_owned(),
            1 => "waiting for a day".to_owned(),
            days => format!("waiting for {days} days"),
        }
    }
}

/// Whole days from an RFC 3339 time to a moment in Unix seconds; none where the time cannot be read.
#[cfg(feature = "ssr")]
fn days_since(since: &str, now: u64) -> u64 {
    use time::{OffsetDateTime, format_description::well_known::Rfc3339};
    let since = OffsetDateTime::parse(since, &Rfc3339).map(OffsetDateTime::unix_timestamp);
    since
        .ok()
        .and_then(|since| u64::try_from(since).ok())
        .map_or(0, |since| now.saturating_sub(since) / 86_400)
}

/// One's schools.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schools {
    /// Each with what one is there.
    pub places: Vec<Place>,
    /// The refused form this page is drawn for.
    pub echo: Echo,
}

/// What home shows.
#[server(endpoint = "tenancy/home", input = leptos::server_fn::codec::GetUrl)]
pub async fn read_home() -> Result<Page<Home>> {
    use crate::door;
    use domain::membership::State;
    if door::host()?.tenant.is_none() {
        let Page { around, body } = read_schools().await?;
        return Ok(Page {
            around,
            body: Home::Bare(body),
        });
    }
    let mut read = door::read().await?;
    let around = door::around(&read)?;
    let people = domain::membership::list(&mut read).await?;
    let waiting = if around.manages_people() {
        let mut waiting: Vec<_> = people
            .iter()
            .filter(|person| person.state == State::Invited)
            .map(|person| Waiting {
                id: person.id.to_string(),
                name: person.name.clone(),
                since: person.since.clone(),
                days: days_since(&person.since, (door::services().now)()),
            })
            .collect();
        waiting.sort_by(|a, b| a.since.cmp(&b.since));
        waiting.truncate(10);
        waiting
    } else {
        Vec::new()
    };
    let changes = domain::tenancy::changes(&mut read, None, 8).await?;
    let changes = changes
        .into_iter()
        .map(|change| crate::audit::line(change, true))
        .collect();
    let here = (door::services().here)(read.standing.tenant);
    let body = Home::Tenant {
        waiting,
        changes,
        people: people
            .iter()
            .filter(|person| person.state != State::Ended)
            .count(),
        here: people
            .iter()
            .filter(|person| here.contains(&person.account))
            .count(),
    };
    Ok(Page { around, body })
}

/// One's schools.
#[server(endpoint = "tenancy/schools", input = leptos::server_fn::codec::GetUrl)]
pub async fn read_schools() -> Result<Page<Schools>> {
    use crate::door;
    let places = domain::session::places(&door::services().db, door::token()?).await?;
    Ok(Page {
        around: door::around_session()?,
        body: Schools {
            places,
            echo: use_context().unwrap_or_default(),
        },
    })
}

/// Goes to another school: by a ticket that its host takes for a new session there.
#[server(endpoint = "tenancy/go")]
pub async fn go(label: String) -> Result<()> {
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
    door::send_to(&format!(
        "{}/arrive?ticket={}",
        services.origin.of_tenant(&place.label),
        URL_SAFE_NO_PAD.encode(ticket)
    ));
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
    let shown = Resource::new(move || (news.get(), here.get()), |_| read_home());
    page_of(shown, Rail::Home, |around, shown| match shown {
        Home::Bare(schools) => school_cards(schools),
        Home::Tenant {
            waiting,
            changes,
            people,
            here,
        } => {
            let first = around
                .name
                .split_whitespace()
                .next()
                .unwrap_or_default()
                .to_owned();
            let lead = match waiting.len() {
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
                            {if waiting.is_empty() {
                                view! { <div class="empty"><Icon name="check" /><p>"Nothing. When something needs you, it is the first thing you see here."</p></div> }.into_any()
                            } else {
                                view! {
                                    <ul role="list" class="todo">
                                        {waiting.into_iter().map(|one| view! {
                                            <li>
                                                <div><b>{one.name.clone()} " has not accepted the invitation"</b><small>"Invited " <Moment at=one.since.clone() /></small></div>
                                                <span class="tag wait">{one.words()}</span>
                                                <a class="button" href=format!("/people/{}", one.id)>"Open" <span class="hidden-text">" " {one.name}</span></a>
                                            </li>
                                        }).collect_view()}
                                    </ul>
                                }.into_any()
                            }}
                        </section>
                        {(!changes.is_empty()).then(|| view! {
                            <section class="card" aria-labelledby="changed">
                                <header><h2 id="changed">"What changed"</h2><p>"newest first"</p></header>
                                <div class="body">{feed(changes)}</div>
                            </section>
                        })}
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

/// `/schools`
#[component]
pub fn SchoolsPage() -> impl IntoView {
    let shown = Resource::new(|| (), |()| read_schools());
    page_of(shown, Rail::Elsewhere, |_, shown| school_cards(shown))
}

fn school_cards(Schools { places, echo }: Schools) -> AnyView {
    let lead = match places.len() {
        0 => "You have no place at any school just now. If that is a mistake, ask the clerk."
            .to_owned(),
        1 => "You have a place at one school.".to_owned(),
        n => format!("You have a place at {n} schools. Choose one to open it."),
    };
    view! {
        <Head title="My schools" lead=lead />
        <Refusals refusal=echo.refusal.clone() />
        <ul role="list" class="schools">
            {places.into_iter().map(|place| {
                let roles = place.roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(", ");
                let crest = place.name.chars().next().unwrap_or('Q').to_string();
                view! {
                    <li>
                        <article class="school-card">
                            <span class="crest" aria-hidden="true">{crest}</span>
                            <h2>{place.name.clone()}</h2>
                            <small>{roles}</small>
                            <form method="post" action="/schools">
                                <Act name="tenancy/go" />
                                <input type="hidden" name="label" value=place.label.clone() />
                                <button class="button primary">"Open" <span class="hidden-text">" " {place.name.clone()}</span></button>
                            </form>
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
                            {option(FactorRule::Officers, "Administrators, clerks and chairs only", "The least there is. Everybody else may still turn it on for themselves.")}
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
    fn an_invitation_says_how_long_it_has_waited() {
        let words = |now| {
            Waiting {
                id: String::new(),
                name: String::new(),
                since: String::new(),
                days: days_since("2026-06-18T18:00:00Z", now),
            }
            .words()
        };
        let sent = 1_781_805_600;
        assert_eq!(words(sent - 5), "waiting for less than a day");
        assert_eq!(words(sent + 86_399), "waiting for less than a day");
        assert_eq!(words(sent + 86_400), "waiting for a day");
        assert_eq!(words(sent + 5 * 86_400), "waiting for 5 days");
    }
}
