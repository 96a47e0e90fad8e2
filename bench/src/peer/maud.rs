//! The bare peer of the pages: axum, maud and sqlx, with nothing around them. What a Rust program that only draws these pages
//! comes to.

mod read;
mod words;

use std::str::FromStr as _;

use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
    routing::get,
};
use maud::{DOCTYPE, Markup, html};
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use time::OffsetDateTime;
use tokio::net::TcpListener;

use self::{
    read::{Approval, Home, Me, Person},
    words::{counted, day, initials, waiting},
};
use crate::fault::{Result, io};

/// So many closed ones, and so many duties, as Quorate shows.
const CLOSED_MOST: usize = 30;
const DUTIES_MOST: usize = 12;
/// The places of a clerk: address, icon, name.
const PLACES: [(&str, &str, &str); 7] = [
    ("/", "home", "Home"),
    ("/people", "people", "People"),
    ("/board", "board", "Board"),
    ("/library", "folder", "Papers"),
    ("/approvals", "check", "Approvals"),
    ("/audit", "history", "The log"),
    ("/me", "account", "My account"),
];

/// Until the harness ends it.
pub fn serve(database: &str) -> Result<()> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(io("the runtime"))?
        .block_on(run(database))
}

async fn run(database: &str) -> Result<()> {
    let options = PgConnectOptions::from_str(database)?.options([("role", "quorate_sec")]);
    let pool = PgPoolOptions::new()
        .max_connections(8)
        // As the others' pools: a connection is not asked how it is before each use.
        .test_before_acquire(false)
        .connect_with(options)
        .await?;
    let pages = Router::new()
        .route("/", get(home))
        .route("/people", get(people))
        .route("/approvals", get(approvals))
        .route("/still/{bytes}", get(still))
        .with_state(pool);
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .map_err(io("a port"))?;
    let port = listener.local_addr().map_err(io("a port"))?.port();
    super::ready(port, port)?;
    axum::serve(listener, pages)
        .await
        .map_err(io("the bare peer"))
}

/// A page that was ready before it was asked for: what the load can do.
async fn still(Path(bytes): Path<usize>) -> Html<String> {
    Html("x".repeat(bytes))
}

/// Why there is no page.
enum NoPage {
    /// Nobody is signed in.
    SignedOut,
    /// The database did not answer.
    Broken(crate::fault::Fault),
}

impl From<crate::fault::Fault> for NoPage {
    fn from(fault: crate::fault::Fault) -> Self {
        Self::Broken(fault)
    }
}

impl IntoResponse for NoPage {
    fn into_response(self) -> Response {
        match self {
            Self::SignedOut => Redirect::to("/sign-in").into_response(),
            Self::Broken(fault) => {
                (StatusCode::INTERNAL_SERVER_ERROR, fault.to_string()).into_response()
            }
        }
    }
}

type Drawn = std::result::Result<Html<String>, NoPage>;

async fn reader(pool: &PgPool, headers: &HeaderMap) -> std::result::Result<Me, NoPage> {
    let cookie = headers
        .get(header::COOKIE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    read::who_am_i(pool, cookie).await?.ok_or(NoPage::SignedOut)
}

fn icon(name: &str) -> Markup {
    html! { svg.icon aria-hidden="true" { use href={ "/icons.svg#" (name) } {} } }
}

fn moment(at: OffsetDateTime, short: bool) -> Markup {
    let full = words::full(at);
    html! {
        time datetime=(words::machine(at)) title=[short.then_some(&full)] {
            @if short { (words::short(at)) } @else { (full) }
        }
    }
}

fn head(title: &str, lead: &str, actions: Option<Markup>) -> Markup {
    html! {
        div.head {
            div { h1 { (title) } p { (lead) } }
            @if let Some(actions) = actions { div.actions { (actions) } }
        }
    }
}

/// The document and the frame around a page.
fn framed(me: &Me, path: &str, title: &str, page: &Markup) -> Html<String> {
    let (search, seek) = if path == "/approvals" {
        ("/library/search", "Search papers")
    } else {
        ("/people", "Search people")
    };
    let role = words::roles(&me.roles);
    let role = role.split(", ").next().unwrap_or_default();
    let current = |href: &str| (href == path).then_some("page");
    let page = html! {
        (DOCTYPE)
        html lang="en-GB" data-accent="green" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                link rel="icon" href="/favicon.svg" type="image/svg+xml";
                title { (title) " · Quorate" }
            }
            body {
                a.skip href="#main" { "Skip to the page" }
                div.frame {
                    header.bar {
                        a.school href="/" {
                            span.crest aria-hidden="true" { @if let Some(letter) = me.place.chars().next() { (letter) } }
                            span { (me.place) }
                        }
                        form.search role="search" action=(search) {
                            label.hidden-text for="search" { (seek) }
                            (icon("search"))
                            input #search type="search" name="q" placeholder=(seek) autocomplete="off";
                        }
                        span.live data-state="connecting" { "Not live" }
                        a.search-link href=(search) { (icon("search")) span.hidden-text { (seek) } }
                        details.who name="bar" {
                            summary {
                                span.name { b { (me.name) } small { (role) } }
                                span.face aria-hidden="true" { (initials(&me.name)) }
                            }
                            div.menu {
                                p { "Signed in as " b { (me.name) } }
                                a href="/me" { (icon("account")) "My account" }
                                a href="/schools" { (icon("school")) "My schools" }
                                form method="post" action="/sign-in" {
                                    input type="hidden" name="act" value="session/sign-out";
                                    button { (icon("sign-out")) "Sign out" }
                                }
                            }
                        }
                    }
                    nav.rail aria-label="Places" {
                        ul role="list" {
                            @for (href, symbol, name) in PLACES {
                                li { a href=(href) aria-current=[current(href)] { (icon(symbol)) span { (name) } } }
                            }
                            li.more {
                                details name="bar" {
                                    summary { (icon("more")) span { "More" } }
                                    div.menu {
                                        @for (href, symbol, name) in PLACES.into_iter().skip(4) {
                                            a href=(href) aria-current=[current(href)] { (icon(symbol)) (name) }
                                        }
                                    }
                                }
                            }
                        }
                    }
                    main.page #main tabindex="-1" { (page) }
                }
                div.news role="status" {}
                div.hidden-text role="status" {}
            }
        }
    };
    Html(page.into_string())
}

/// `/people`
async fn people(State(pool): State<PgPool>, headers: HeaderMap) -> Drawn {
    let me = reader(&pool, &headers).await?;
    let (rows, count) = read::people(&pool, &me).await?;
    let choices = [
        ("", "Everyone", count.everyone),
        ("board", "Board", count.board),
        ("staff", "Staff", count.staff),
        ("families", "Families", count.families),
        ("invited", "Invited", count.invited),
        ("suspended", "Suspended", count.suspended),
        ("ended", "Removed", count.ended),
    ];
    let link = |show: &str| format!("/people?show={show}&role=&category=&committee=");
    let pages = count
        .everyone
        .unsigned_abs()
        .div_ceil(read::ROWS.unsigned_abs());
    let matching = counted(count.everyone, "person", "people");
    let lead = format!(
        "Everyone with a place at {}, and what they are here.",
        me.place
    );
    let add = html! { a.button.primary href="/people/add" { (icon("add")) "Add a person" } };
    let page = html! {
        (head("People", &lead, Some(add)))
        section.card {
            form.filter method="get" action="/people" {
                nav.choices aria-label="Show" {
                    @for (code, name, many) in choices.into_iter().filter(|(code, _, many)| code.is_empty() || *many > 0) {
                        a.choice href=(link(code)) aria-current=[code.is_empty().then_some("true")] {
                            (name) " " span { (many) }
                        }
                    }
                }
                input type="hidden" name="show" value="";
                div.field {
                    label for="q" { "Find by name or e-mail" }
                    input #q name="q" type="search" autocomplete="off" value="";
                }
                div.field.fixed {
                    label for="role" { "Role" }
                    select #role name="role" {
                        option value="" selected { "Any role" }
                        @for (code, name) in words::ROLES { option value=(code) { (name) } }
                    }
                }
                button.button { (icon("search")) "Show" }
                button.button.quiet formaction="/people.csv" { "Download as CSV" }
            }
            table.table {
                caption { (matching) ", 0 of them here now. By name; 1 to " (rows.len()) " are shown." }
                thead {
                    tr {
                        th scope="col" aria-sort="ascending" { "Name" }
                        th scope="col" { "Roles" }
                        th scope="col" { "Since" }
                        th scope="col" { "State" }
                        th scope="col" { span.hidden-text { "Open" } }
                    }
                }
                tbody { @for person in &rows { (row(person)) } }
            }
            @if pages > 1 {
                nav.pager aria-label="Pages of the list" {
                    span { "Page 1 of " (pages) }
                    a.button rel="next" href={ (link("")) "&page=2" } { "Later names" }
                }
            }
        }
    };
    Ok(framed(&me, "/people", "People", &page))
}

fn row(person: &Person) -> Markup {
    let (local, host) = person.email.split_once('@').unwrap_or((&person.email, ""));
    let (state, tag) = match person.state.as_str() {
        "invited" => ("Invited", "tag info"),
        "active" => ("Active", "tag good"),
        "suspended" => ("Suspended", "tag bad"),
        _ => ("Removed", "tag"),
    };
    html! {
        tr {
            th scope="row" {
                div.person {
                    span.face aria-hidden="true" { (initials(&person.name)) }
                    div { b { (person.name) } small { (local) "@" wbr; (host) } }
                }
            }
            td data-label="Roles" { (words::roles(&person.roles)) }
            td data-label="Since" { (moment(person.since, true)) }
            td data-label="State" { span class=(tag) { (state) } }
            td.act { a.button.quiet href={ "/people/" (person.id) } { "Open" span.hidden-text { " " (person.name) } } }
        }
    }
}

struct Duty {
    what: String,
    detail: String,
    href: String,
    since: time::Date,
}

fn duties(home: &Home) -> Vec<Duty> {
    let invited = home.invited.iter().map(|one| Duty {
        what: format!("{} has not accepted the invitation", one.name),
        detail: format!("Invited on {}.", day(one.since)),
        href: format!("/people/{}", one.id),
        since: one.since,
    });
    let asked = home.asked.iter().filter(|one| one.mine).map(|one| Duty {
        what: format!("Answer about {}", one.title),
        detail: format!(
            "Version {}. There is time until {}.",
            one.number,
            day(one.due)
        ),
        href: words::way(one).0,
        since: one.since,
    });
    let mut duties: Vec<_> = invited.chain(asked).collect();
    duties.sort_by_key(|duty| duty.since);
    duties.truncate(DUTIES_MOST);
    duties
}

/// `/`
async fn home(State(pool): State<PgPool>, headers: HeaderMap) -> Drawn {
    let me = reader(&pool, &headers).await?;
    let home = read::home(&pool, &me).await?;
    let duties = duties(&home);
    let title = format!(
        "Hello, {}",
        me.name.split_whitespace().next().unwrap_or_default()
    );
    let lead = match duties.len() {
        0 => "Nothing waits for you.".to_owned(),
        1 => "One thing waits for you.".to_owned(),
        many => format!("{many} things wait for you, the oldest first."),
    };
    let page = html! {
        (head(&title, &lead, None))
        div.split {
            div.stack {
                section.card aria-labelledby="do" {
                    header { h2 #do { "What you must do" } p { "oldest first" } }
                    ul.todo role="list" {
                        @for (place, duty) in duties.iter().enumerate() {
                            li {
                                div { b { (duty.what) } small { (duty.detail) } }
                                span.tag.wait { (waiting(duty.since, me.today)) }
                                a class=(if place == 0 { "button primary" } else { "button" }) href=(duty.href) {
                                    "Open" span.hidden-text { ": " (duty.what) }
                                }
                            }
                        }
                    }
                }
                section.card aria-labelledby="changed" {
                    header { h2 #changed { "What changed" } p {} }
                    div.body {
                        ul.feed role="list" {
                            @for change in &home.changes {
                                @let by = change.by.as_deref().unwrap_or("Quorate");
                                @let about = change.about.as_deref().unwrap_or("somebody");
                                li {
                                    span.face aria-hidden="true" { (initials(by)) }
                                    span { b { (by) } " " (done(&change.act)) " " (about) }
                                    (moment(change.at, false))
                                }
                            }
                        }
                    }
                }
            }
            aside.stack aria-label="At a glance" {
                section.card aria-labelledby="glance" {
                    header { h2 #glance { "At a glance" } }
                    div.body {
                        dl.details {
                            div { dt { "People" } dd { (counted(home.people, "person", "people")) } }
                            div { dt { "Here now" } dd { (counted(0, "person", "people")) } }
                        }
                        a.button href="/people" { (icon("people")) "See the people" }
                    }
                }
            }
        }
    };
    Ok(framed(&me, "/", &title, &page))
}

fn done(act: &str) -> &str {
    match act {
        "membership.added" => "added",
        "membership.invited" => "added and invited",
        other => other,
    }
}

/// `/approvals`
async fn approvals(State(pool): State<PgPool>, headers: HeaderMap) -> Drawn {
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
