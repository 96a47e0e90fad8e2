//! The bare peer of the pages: axum, maud and sqlx, with nothing around them. What a Rust program that only draws these pages
//! comes to.

mod approvals;
mod frame;
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
use maud::{Markup, html};
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::net::TcpListener;

use self::{
    frame::{framed, head, icon, moment},
    read::{Home, Me, Person},
    words::{counted, day, initials, waiting},
};
use crate::fault::{Result, io};

/// So many duties, as Quorate shows.
const DUTIES_MOST: usize = 12;

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
        .route("/approvals", get(approvals::page))
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
