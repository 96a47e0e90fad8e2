//! Parts that every page is made of: the frame of a tenant, the card of a stranger's page, and what stands where nothing is.

use domain::{Refusal, membership::initials, role::Role};
use leptos::prelude::*;
use leptos_meta::Title;
use serde::{Deserialize, Serialize};

use crate::live::LiveDot;

/// Around every page of somebody who is signed in; comes with the page's own data, in one answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Around {
    /// The tenant's name; "Quorate" on the bare host.
    pub place: String,
    /// Whether this is a tenant's host.
    pub tenant: bool,
    /// Whether it is a trust's, and its schools are the reader's to see side by side.
    pub schools: bool,
    /// Who reads.
    pub name: String,
    /// What they are here.
    pub roles: Vec<Role>,
    /// The log stood here when the page was read; the live connection goes on from it.
    pub seq: domain::Seq,
}

/// A page's answer: what is around it, and what is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The frame.
    pub around: Around,
    /// The page's own.
    pub body: T,
}

impl Around {
    /// Whether the reader adds and removes people.
    pub fn manages_people(&self) -> bool {
        self.roles.iter().any(|role| role.manages_people())
    }

    /// Whether the reader runs the tenant.
    pub fn is_admin(&self) -> bool {
        self.roles.iter().any(|role| role.is_admin())
    }

    /// Whether the list of people is theirs to see.
    pub fn sees_people(&self) -> bool {
        self.roles
            .iter()
            .any(|role| !matches!(role, Role::Parent | Role::Member))
    }
}

/// Which place of the rail a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rail {
    /// Home.
    Home,
    /// A trust's schools.
    Schools,
    /// Pupils.
    Pupils,
    /// A parent's own children.
    Children,
    /// People.
    People,
    /// The board.
    Board,
    /// The library.
    Papers,
    /// Approvals.
    Approvals,
    /// The log.
    Log,
    /// The reader's own account.
    Account,
    /// Settings.
    Settings,
    /// None of them.
    Elsewhere,
}

/// The frame of a signed-in page.
pub fn framed(around: &Around, here: Rail, page: AnyView) -> AnyView {
    let crest = around.place.chars().next().unwrap_or('Q').to_string();
    let role = around.roles.first().map_or("", |role| role.name());
    let people = around.tenant && around.sees_people();
    let pupils = around.tenant && domain::pupil::is_for(&around.roles);
    let parent = around.roles.contains(&Role::Parent);
    let places = [
        Some((
            Rail::Home,
            "/",
            "home",
            if around.tenant { "Home" } else { "My schools" },
        )),
        around
            .schools
            .then_some((Rail::Schools, "/overview", "school", "Schools")),
        pupils.then(|| {
            if domain::pupil::sees_school(&around.roles) {
                (Rail::Pupils, "/pupils", "pupils", "Pupils")
            } else {
                (Rail::Pupils, "/caseload", "pupils", "My pupils")
            }
        }),
        (around.tenant && parent).then_some((Rail::Children, "/children", "pupils", "Children")),
        people.then_some((Rail::People, "/people", "people", "People")),
        people.then_some((Rail::Board, "/board", "board", "Board")),
        // A parent finds papers for parents beside what they read of their children.
        (around.tenant && (people || !parent)).then_some((
            Rail::Papers,
            "/library",
            "folder",
            "Papers",
        )),
        // Seven places are enough; an administrator comes by way of the papers.
        (people && !around.is_admin()).then_some((
            Rail::Approvals,
            "/approvals",
            "check",
            "Approvals",
        )),
        (around.tenant && around.manages_people()).then_some((
            Rail::Log,
            "/audit",
            "history",
            "The log",
        )),
        Some((Rail::Account, "/me", "account", "My account")),
        (around.tenant && around.is_admin()).then_some((
            Rail::Settings,
            "/settings",
            "settings",
            "Settings",
        )),
    ];
    let mut places: Vec<_> = places.into_iter().flatten().collect();
    // Where there would be more than seven, one's own account is found under one's name, at the top of every page.
    if pupils && places.len() > 7 {
        places.retain(|(place, ..)| *place != Rail::Account);
    }
    crate::live::rendered_at(around.seq);
    // What one looks for among papers is a paper.
    let papers = around.tenant && matches!(here, Rail::Papers | Rail::Approvals);
    let (search, seek) = if papers {
        ("/library/search", "Search papers")
    } else {
        ("/people", "Search people")
    };
    let seeks = people || papers;
    view! {
        <a class="skip" href="#main" rel="external">"Skip to the page"</a>
        <div class="frame">
            <header class="bar">
                <a class="school" href="/">
                    <span class="crest" aria-hidden="true">{crest}</span>
                    <span>{around.place.clone()}</span>
                </a>
                {seeks.then(|| view! {
                    <form class="search" role="search" action=search>
                        <label class="hidden-text" for="search">{seek}</label>
                        <Icon name="search" />
                        <input id="search" type="search" name="q" placeholder=seek autocomplete="off" />
                    </form>
                })}
                {around.tenant.then(|| view! { <LiveDot /> })}
                {seeks.then(|| view! {
                    <a class="search-link" href=search><Icon name="search" /><span class="hidden-text">{seek}</span></a>
                })}
                <details class="who" name="bar">
                    <summary>
                        <span class="name"><b>{around.name.clone()}</b><small>{role}</small></span>
                        <span class="face" aria-hidden="true">{initials(&around.name)}</span>
                    </summary>
                    <div class="menu">
                        <p>"Signed in as " <b>{around.name.clone()}</b></p>
                        <a href="/me"><Icon name="account" />"My account"</a>
                        <a href="/schools"><Icon name="school" />"My schools"</a>
                        <form method="post" action="/sign-in">
                            <crate::form::Act name="session/sign-out" />
                            <button><Icon name="sign-out" />"Sign out"</button>
                        </form>
                    </div>
                </details>
            </header>
            <nav class="rail" aria-label="Places">
                <ul role="list">
                    {places
                        .iter()
                        .copied()
                        .map(|(place, href, icon, name)| view! {
                            <li>
                                <a href=href aria-current=(place == here).then_some("page")><Icon name=icon /><span>{name}</span></a>
                            </li>
                        })
                        .collect_view()}
                    {(places.len() > 5).then(|| view! {
                        <li class="more">
                            <details name="bar">
                                <summary><Icon name="more" /><span>"More"</span></summary>
                                <div class="menu">
                                    {places[4..].iter().copied().map(|(place, href, icon, name)| view! {
                                        <a href=href aria-current=(place == here).then_some("page")><Icon name=icon />{name}</a>
                                    }).collect_view()}
                                </div>
                            </details>
                        </li>
                    })}
                </ul>
            </nav>
            <main class="page" id="main" tabindex="-1">{page}</main>
        </div>
    }
    .into_any()
}

/// The page of somebody who is not signed in, or not wholly: one card under the school's crest.
pub fn carded(place: &str, wide: bool, page: AnyView) -> AnyView {
    let crest = place.chars().next().unwrap_or('Q').to_string();
    view! {
        <a class="skip" href="#main" rel="external">"Skip to the page"</a>
        <div class="session">
            <header><span class="crest large" aria-hidden="true">{crest}</span><p>{place.to_owned()}</p></header>
            <main id="main" tabindex="-1" class:wide=wide>{page}</main>
        </div>
    }
    .into_any()
}

/// The head of a page: title, one sentence, and the actions at the top right.
#[component]
pub fn Head(
    /// The page's title, also the document's.
    #[prop(into)]
    title: String,
    /// One sentence under it.
    #[prop(optional, into)]
    lead: Option<String>,
    /// The actions.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <Title text=title.clone() />
        <div class="head">
            <div><h1>{title}</h1>{lead.map(|lead| view! { <p>{lead}</p> })}</div>
            {children.map(|children| view! { <div class="actions">{children()}</div> })}
        </div>
    }
}

/// The head of a sheet, whose title is set with its frame.
#[cfg(feature = "ssr")]
#[component]
pub fn Heading(
    /// The page's title.
    #[prop(into)]
    title: String,
    /// One sentence under it.
    #[prop(optional, into)]
    lead: Option<String>,
    /// The actions.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="head">
            <div><h1>{title}</h1>{lead.map(|lead| view! { <p>{lead}</p> })}</div>
            {children.map(|children| view! { <div class="actions">{children()}</div> })}
        </div>
    }
}

/// In place of a sheet whose act needs a fresh proof.
#[cfg(feature = "ssr")]
pub fn step_up_first(path: &str) -> crate::sheet::Drawing {
    let title = "Confirm it is you".to_owned();
    let page = view! {
        <Heading title=title.clone() lead="We ask for your password again before acts that matter." />
        <section class="card narrow">
            <div class="body">
                <p>"You will come back to this page and can go on."</p>
                <div class="actions">
                    <a class="button primary" href=format!("/step-up?next={path}") rel="external">"Enter my password"</a>
                    <a class="button" href="/">"Go back, change nothing"</a>
                </div>
            </div>
        </section>
    };
    crate::sheet::Drawing {
        title,
        page: page.into_any(),
    }
}

/// One symbol of the sprite.
#[component]
pub fn Icon(
    /// Its id in `public/icons.svg`.
    name: &'static str,
    /// How it looks.
    #[prop(default = "icon")]
    class: &'static str,
) -> impl IntoView {
    view! { <svg class=class aria-hidden="true"><use href=format!("/icons.svg#{name}")></use></svg> }
}

/// A sentence at the top of a page about what has just been done.
#[component]
pub fn Notice(
    /// The sentence.
    #[prop(into)]
    text: String,
) -> impl IntoView {
    view! { <div class="notice good" role="status"><Icon name="check" /><p>{text}</p></div> }
}

/// A moment. The text is the server's, in UTC and in full; the browser sets it to the reader's own time zone once it is live.
#[component]
pub fn Moment(
    /// RFC 3339.
    #[prop(into)]
    at: String,
    /// Only its day is shown, as in a list; the rest is under the pointer.
    #[prop(optional)]
    day: bool,
) -> impl IntoView {
    let when = When::in_utc(&at);
    // Counted references: a row of a list that is kept outlives the drawing that made it.
    let shown = ArcRwSignal::new((when.words(&at, day), when.words(&at, false)));
    #[cfg(feature = "hydrate")]
    {
        let (at, shown) = (at.clone(), shown.clone());
        // After hydration, which needs the server's own words.
        Effect::new(move || {
            let when = When::here(&at);
            shown.set((when.words(&at, day), when.words(&at, false)));
        });
    }
    let full = shown.clone();
    view! {
        <time datetime=at title=move || day.then(|| full.get().1)>{move || shown.get().0}</time>
    }
}

/// Sets the time of a `<time>` of a sheet to the reader's own zone.
#[cfg(feature = "hydrate")]
pub fn localise(time: &web_sys::Element) {
    let Some(at) = time.get_attribute("datetime").filter(|at| at.contains('T')) else {
        return;
    };
    let when = When::here(&at);
    let day = time.has_attribute("title");
    time.set_text_content(Some(&when.words(&at, day)));
    if day {
        let _ = time.set_attribute("title", &when.words(&at, false));
    }
}

const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A moment on the calendar and the clock of one time zone; none if it could not be read.
struct When(Option<Fields>);

struct Fields {
    /// From Sunday.
    weekday: usize,
    day: u32,
    /// From January, which is nought.
    month: usize,
    year: i64,
    hour: u32,
    minute: u32,
    utc: bool,
}

impl When {
    /// In words, or as it stands where it cannot be read.
    fn words(&self, at: &str, only_day: bool) -> String {
        let Some(when) = &self.0 else {
            return at.to_owned();
        };
        let (month, year) = (MONTHS[when.month % 12], when.year);
        if only_day {
            return format!("{} {} {year}", when.day, &month[..3]);
        }
        let zone = if when.utc { " UTC" } else { "" };
        format!(
            "{} {} {month} {year}, {:02}:{:02}{zone}",
            DAYS[when.weekday % 7],
            when.day,
            when.hour,
            when.minute
        )
    }

    // The browser has a calendar of its own, which need not be sent to it.
    #[cfg(feature = "hydrate")]
    fn in_utc(at: &str) -> Self {
        let date = js_sys::Date::new(&at.into());
        Self((!date.get_time().is_nan()).then(|| Fields {
            weekday: date.get_utc_day() as usize,
            day: date.get_utc_date(),
            month: date.get_utc_month() as usize,
            year: i64::from(date.get_utc_full_year()),
            hour: date.get_utc_hours(),
            minute: date.get_utc_minutes(),
            utc: true,
        }))
    }

    /// In the reader's own time zone.
    #[cfg(feature = "hydrate")]
    fn here(at: &str) -> Self {
        let date = js_sys::Date::new(&at.into());
        Self((!date.get_time().is_nan()).then(|| Fields {
            weekday: date.get_day() as usize,
            day: date.get_date(),
            month: date.get_month() as usize,
            year: i64::from(date.get_full_year()),
            hour: date.get_hours(),
            minute: date.get_minutes(),
            utc: false,
        }))
    }

    #[cfg(not(feature = "hydrate"))]
    fn in_utc(at: &str) -> Self {
        use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};
        Self(OffsetDateTime::parse(at, &Rfc3339).ok().map(|at| {
            let at = at.to_offset(UtcOffset::UTC);
            Fields {
                weekday: usize::from(at.weekday().number_days_from_sunday()),
                day: u32::from(at.day()),
                month: usize::from(u8::from(at.month()) - 1),
                year: i64::from(at.year()),
                hour: u32::from(at.hour()),
                minute: u32::from(at.minute()),
                utc: true,
            }
        }))
    }
}

/// "Thu 18 June 2026, 18:00 UTC" of an RFC 3339 time.
pub fn in_words(at: &str) -> String {
    When::in_utc(at).words(at, false)
}

/// What is not seen does not exist: the same page whether it never was or is not yours.
#[component]
pub fn NotFound() -> impl IntoView {
    refused(&Refusal::NotFound)
}

/// The page in place of one that was refused.
pub fn refused(refusal: &Refusal) -> AnyView {
    #[cfg(feature = "ssr")]
    crate::door::status(refusal);
    let (title, text) = match refusal {
        Refusal::NotFound => (
            "There is nothing here",
            "It was never here, it has gone, or it is not yours to see.".to_owned(),
        ),
        Refusal::SignedOut => ("You have been signed out", refusal.to_string()),
        Refusal::LinkGone => ("This link does not work any more", refusal.to_string()),
        Refusal::StepUpNeeded => ("Confirm it is you", refusal.to_string()),
        Refusal::Offline => ("You are offline", refusal.to_string()),
        other => ("This did not work", other.to_string()),
    };
    view! {
        <Title text=title />
        {carded("Quorate", false, view! {
            <section class="card">
                <div class="body">
                    <div class="empty">
                        <h1>{title}</h1>
                        <p>{text}</p>
                        <div class="actions"><a class="button primary" href="/" rel="external">"Go to the start"</a></div>
                    </div>
                </div>
            </section>
        }.into_any())}
    }
    .into_any()
}

/// In place of a page that the browser's program does not hold: loads the address it was led to.
#[cfg(feature = "hydrate")]
#[component]
pub fn FromServer() -> impl IntoView {
    let location = leptos_router::hooks::use_location();
    Effect::new(move || {
        let to = location.pathname.get_untracked() + &location.search.get_untracked();
        let _ = window().location().replace(&to);
    });
}

/// "No people", "1 person", "12 people".
pub fn counted(n: usize, one: &str, many: &str) -> String {
    match n {
        0 => format!("No {many}"),
        1 => format!("1 {one}"),
        1000.. => format!("{},{:03} {many}", n / 1000, n % 1000),
        n => format!("{n} {many}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_reads_as_people_say_it() {
        assert_eq!(
            in_words("2026-06-18T18:00:00Z"),
            "Thu 18 June 2026, 18:00 UTC"
        );
        assert_eq!(
            in_words("2026-06-18T00:30:00+01:00"),
            "Wed 17 June 2026, 23:30 UTC"
        );
        let at = "2026-06-08T18:00:00Z";
        assert_eq!(When::in_utc(at).words(at, true), "8 Jun 2026");
        assert_eq!(in_words("nonsense"), "nonsense");
    }

    #[test]
    fn counts_are_in_words() {
        assert_eq!(counted(0, "person", "people"), "No people");
        assert_eq!(counted(1, "person", "people"), "1 person");
        assert_eq!(counted(12, "person", "people"), "12 people");
    }
}
