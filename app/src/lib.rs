//! What is seen: the shell, the one table of pages, and the nouns behind them.

#![forbid(unsafe_code)]
// A page is one expression, and its type nests as deeply as its elements.
#![recursion_limit = "512"]
#![allow(
    missing_docs,
    reason = "the server macro makes structs whose fields cannot be documented"
)]
// Every reactive closure owns what it shows, and views are built once.
#![allow(clippy::needless_pass_by_value)]

#[cfg(all(feature = "ssr", feature = "hydrate"))]
compile_error!("`ssr` and `hydrate` are two programs; build them apart");

pub mod account;
pub mod approval;
pub mod audit;
pub mod board;
#[cfg(feature = "ssr")]
pub mod chart;
pub mod checkin;
pub mod children;
#[cfg(feature = "ssr")]
pub mod door;
pub mod error;
pub mod form;
pub mod library;
pub mod live;
pub mod membership;
pub mod notice;
#[cfg(feature = "ssr")]
pub(crate) mod overview;
#[cfg(feature = "ssr")]
pub(crate) mod picture;
pub mod pupil;
pub mod reading;
pub mod roster;
pub mod session;
pub mod sheet;
pub mod tenancy;
pub mod ui;
pub mod waiting;
pub mod wellbeing;

use leptos::prelude::*;
use leptos_meta::{HashedStylesheet, Title, provide_meta_context};
use leptos_router::{
    components::{Route, Router, Routes},
    path,
};
use ui::Rail;

/// The document around every page.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    view! {
        <!DOCTYPE html>
        <html lang="en-GB" data-accent="green">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <HashedStylesheet options=options.clone() id="style" />
                {hydrates().then(|| view! {
                    // Once the browser has painted: the largest paint of people is 0.1 s sooner (2.44 s, `make bench ONLY=pages`).
                    <HydrationScripts options=options.clone() defer=true />
                    <script src="/redraw/idiomorph.min.js" defer></script>
                    <script src="/redraw/redraw.js" defer></script>
                })}
                <leptos_meta::MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// Pages that are plain forms, all of them about getting in: the server draws them, and no program comes with them, so there is
/// none to send and none to attack.
#[cfg(feature = "ssr")]
const PLAIN: [&str; 7] = [
    "/sign-in",
    "/forgotten",
    "/reset/",
    "/invitation/",
    "/step-up",
    "/me/second-step",
    "/check",
];

/// Whether a path is one of [`PLAIN`], or lies under one.
#[cfg(feature = "ssr")]
fn is_plain(path: &str) -> bool {
    PLAIN.iter().any(|plain| {
        path.strip_prefix(plain)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || plain.ends_with('/'))
    })
}

/// Whether the page comes alive in the browser.
fn hydrates() -> bool {
    #[cfg(feature = "ssr")]
    return door::session().is_ok() && door::path().is_some_and(|path| !is_plain(&path));
    #[cfg(not(feature = "ssr"))]
    true
}

/// A page of [`PLAIN`]. The browser's program does not hold it, and fetches it whole when a link leads there.
macro_rules! plain {
    ($page:path) => {{
        #[cfg(not(feature = "hydrate"))]
        {
            $page
        }
        #[cfg(feature = "hydrate")]
        {
            ui::FromServer
        }
    }};
}

/// The document's title. The browser sets it as text; on the server it is put into the page's bytes as it stands, and a name is
/// whatever people call themselves.
fn titled(title: String) -> String {
    #[cfg(feature = "ssr")]
    let title = html_escape::encode_text(&title).into_owned();
    if title.is_empty() {
        "Quorate".to_owned()
    } else {
        format!("{title} · Quorate")
    }
}

/// The sheets: address, place in the rail, and the topics whose changes they follow, in which a part of the address may stand
/// (`add` and `add-many` before `:id`).
pub const SHEETS: &[sheet::Address] = &[
    // clerk and administrators
    ("/people/add", Rail::People, &[]),
    ("/people/add-many", Rail::People, &[]),
    ("/people/:id/roles", Rail::People, &[]),
    ("/people/:id/rename", Rail::People, &[]),
    ("/people/:id/address", Rail::People, &[]),
    ("/people/:id/suspend", Rail::People, &[]),
    ("/people/:id/remove", Rail::People, &[]),
    ("/board/seats/add", Rail::Board, &[]),
    ("/board/seats/:seat", Rail::Board, &[]),
    ("/board/committees/add", Rail::Board, &[]),
    // and the person themselves
    ("/people/:id/checks", Rail::People, &[]),
    // staff and board
    ("/people/:id", Rail::People, &["people", "here"]),
    ("/board", Rail::Board, &["people"]),
    ("/board/committees/:committee", Rail::Board, &["people"]),
    ("/board/interests", Rail::Board, &["people"]),
    // whoever has something to do with the board
    ("/board/interests/declare", Rail::Board, &[]),
    // clerk and administrators (`add`, `search` and `policies` before `:folder`)
    ("/library/add", Rail::Papers, &[]),
    // whoever reads a folder; the acts of an approval do not tell `library`
    ("/library", Rail::Papers, &["library", "approvals"]),
    ("/library/search", Rail::Papers, &[]),
    ("/library/policies", Rail::Papers, &["library", "approvals"]),
    // a folder is opened to somebody on their own topic
    ("/library/:folder", Rail::Papers, &["folder/:folder", "me"]),
    ("/library/:folder/readers", Rail::Papers, &[]),
    ("/approvals", Rail::Approvals, &["approvals"]),
    ("/approvals/:approval", Rail::Approvals, &["approvals"]),
    // who is to open a paper follows from its folder, which its address does not say
    (
        "/papers/:paper",
        Rail::Papers,
        &["paper/:paper", "library", "readers/:paper"],
    ),
    ("/papers/:paper/changes", Rail::Papers, &["paper/:paper"]),
    // whoever files in it
    ("/library/:folder/add", Rail::Papers, &[]),
    ("/papers/:paper/ask", Rail::Papers, &[]),
    ("/papers/:paper/add", Rail::Papers, &[]),
    ("/papers/:paper/about", Rail::Papers, &[]),
    // clerk and administrators
    ("/audit", Rail::Log, &["people"]),
    ("/audit/:seq", Rail::Log, &[]),
    // everybody with a place
    ("/me/notices", Rail::Account, &[]),
    ("/me/reading", Rail::Account, &[]),
    // whoever has to do with pupils (`add`, `seek`, `circumstances`, `looked` and `year` before `:pupil`)
    ("/pupils", Rail::Pupils, &["caseload", "me"]),
    // who has a caseload
    ("/pupils/seek", Rail::Pupils, &[]),
    // who sees the school
    ("/pupils/circumstances", Rail::Pupils, &[]),
    ("/pupils/:pupil/circumstances", Rail::Pupils, &[]),
    // who goes through who looked
    ("/pupils/looked", Rail::Pupils, &[]),
    ("/pupils/looked/weeks", Rail::Pupils, &[]),
    ("/pupils/looked/weeks/:monday", Rail::Pupils, &[]),
    ("/pupils/:pupil/looked", Rail::Pupils, &[]),
    // administrators
    ("/pupils/add", Rail::Pupils, &[]),
    ("/pupils/year", Rail::Pupils, &[]),
    ("/pupils/year/:rollover/undo", Rail::Pupils, &[]),
    ("/pupils/:pupil/edit", Rail::Pupils, &[]),
    ("/pupils/:pupil/remove", Rail::Pupils, &[]),
    ("/pupils/:pupil/contact/:person", Rail::Pupils, &[]),
    // whoever sees that pupil
    (
        "/pupils/:pupil",
        Rail::Pupils,
        &["pupil/:pupil", "caseload", "me"],
    ),
    ("/pupils/:pupil/records/add", Rail::Pupils, &[]),
    (
        "/pupils/:pupil/records/:record",
        Rail::Pupils,
        &["pupil/:pupil", "caseload", "me"],
    ),
    // its author, and who sees the school
    ("/pupils/:pupil/records/:record/edit", Rail::Pupils, &[]),
    ("/pupils/:pupil/records/:record/put", Rail::Pupils, &[]),
    // whoever has to do with pupils
    ("/caseload", Rail::Pupils, &["caseload", "me"]),
    ("/check-in", Rail::Pupils, &[]),
    ("/groups", Rail::Pupils, &["caseload"]),
    ("/groups/:group", Rail::Pupils, &["caseload"]),
    // who sees the school
    ("/caseloads", Rail::Pupils, &["caseload"]),
    // administrators (`reading` before `:import`)
    ("/roster", Rail::Pupils, &["caseload"]),
    ("/roster/reading/:reading", Rail::Pupils, &[]),
    // what is shown there is what is decided on: it does not change under the reader's hands
    ("/roster/:import", Rail::Pupils, &[]),
    ("/roster/:import/undo", Rail::Pupils, &[]),
    ("/picture", Rail::Pupils, &["school-picture"]),
    // parents: what is new, what is taken off and a child that is linked come on their own topic
    ("/children", Rail::Children, &["me"]),
    ("/children/:child", Rail::Children, &["me"]),
    // who runs, leads or clerks a trust
    ("/overview", Rail::Schools, &[]),
    // who runs or leads a trust
    ("/trust/picture", Rail::Schools, &[]),
    // administrators
    ("/settings", Rail::Settings, &[]),
    ("/settings/pupils", Rail::Settings, &[]),
    ("/settings/pupils/parents", Rail::Settings, &[]),
];

/// What each sheet draws.
#[cfg(feature = "ssr")]
async fn drawn(
    read: &mut domain::db::Read,
    around: &ui::Around,
    asked: &sheet::Asked,
) -> Result<sheet::Drawing, domain::Refusal> {
    use membership::{person, steps};
    match asked.parts()[..] {
        ["people", "add"] => steps::add(read, around),
        ["people", "add-many"] => membership::many::page(around),
        ["people", id] => person::page(read, around, asked, id).await,
        ["people", id, "roles"] => steps::roles(read, around, asked, id).await,
        ["people", id, "rename"] => steps::rename(read, around, id).await,
        ["people", id, "address"] => steps::address(read, around, id).await,
        ["people", id, "suspend"] => steps::suspend(read, around, id).await,
        ["people", id, "remove"] => steps::remove(read, around, id).await,
        ["people", id, "checks"] => board::person::checks(read, around, asked, id).await,
        ["board"] => board::whole::page(read, around, asked).await,
        ["board", "seats", "add"] => board::seat::add(around),
        ["board", "seats", id] => board::seat::page(read, around, asked, id).await,
        ["board", "committees", "add"] => board::committee::add(around),
        ["board", "committees", id] => board::committee::page(read, around, asked, id).await,
        ["board", "interests"] => board::interest::page(read, asked).await,
        ["board", "interests", "declare"] => board::interest::declare(read).await,
        ["library"] => library::whole::page(read, around, asked).await,
        ["library", "add"] => library::whole::add(read, around).await,
        ["library", "search"] => library::search::page(read, asked).await,
        ["library", "policies"] => library::policies::page(read).await,
        ["library", id] => library::folder::page(read, around, asked, id).await,
        ["library", id, "add"] => library::upload::to_folder(read, id).await,
        ["library", id, "readers"] => library::readers::page(read, around, asked, id).await,
        ["papers", id] => library::paper::page(read, asked, id).await,
        ["papers", id, "changes"] => library::changes::page(read, asked, id).await,
        ["papers", id, "add"] => library::upload::to_document(read, id).await,
        ["papers", id, "about"] => library::about::page(read, id).await,
        ["papers", id, "ask"] => approval::ask::page(read, asked, id).await,
        ["approvals"] => approval::queue::page(read, asked).await,
        ["approvals", id] => approval::whole::page(read, id).await,
        ["audit"] => audit::timeline(read, around, asked).await,
        ["audit", seq] => audit::entry(read, around, asked, seq).await,
        ["me", "notices"] => notice::page(read, around, asked).await,
        ["me", "reading"] => reading::page(read, around, asked).await,
        ["pupils"] => pupil::whole::page(read, around, asked).await,
        ["pupils", "add"] => pupil::details::add(read, around).await,
        ["pupils", "seek"] => pupil::seek::page(read, around).await,
        ["pupils", "circumstances"] => pupil::tags::list::page(read, around, asked).await,
        ["pupils", "looked"] => pupil::looked::all(read, around).await,
        ["pupils", "looked", "weeks"] => pupil::unusual::weeks::page(read, around).await,
        ["pupils", "looked", "weeks", monday] => {
            pupil::unusual::list::page(read, around, asked, monday).await
        }
        ["pupils", "year"] => pupil::rollover::year::page(read, around, asked).await,
        ["pupils", "year", id, "undo"] => pupil::rollover::back::page(read, around, id).await,
        ["pupils", id] => pupil::record::page(read, around, asked, id).await,
        ["pupils", id, "circumstances"] => pupil::tags::one::page(read, around, asked, id).await,
        ["pupils", id, "edit"] => pupil::details::edit(read, around, id).await,
        ["pupils", id, "looked"] => pupil::looked::of_one(read, around, id).await,
        ["pupils", id, "remove"] => pupil::contact::remove(read, around, id).await,
        ["pupils", id, "contact", person] => pupil::contact::page(read, around, id, person).await,
        ["pupils", id, "records", "add"] => wellbeing::add::page(read, around, asked, id).await,
        ["pupils", id, "records", record] => {
            wellbeing::one::page(read, around, asked, (id, record)).await
        }
        ["pupils", id, "records", record, "edit"] => {
            wellbeing::edit::page(read, around, (id, record)).await
        }
        ["pupils", id, "records", record, "put"] => {
            wellbeing::put::page(read, around, (id, record)).await
        }
        ["caseload"] => checkin::caseload::page(read, around, asked).await,
        ["check-in"] => checkin::row::page(read, around, asked).await,
        ["groups"] => pupil::group::list::page(read, around, asked).await,
        ["groups", id] => pupil::group::one::page(read, around, asked, id).await,
        ["caseloads"] => pupil::caseload::page(read, around, asked).await,
        ["roster"] => roster::list::page(read, around, asked).await,
        ["roster", "reading", id] => roster::reading::page(read, around, id),
        ["roster", id] => roster::one::page(read, around, asked, id).await,
        ["roster", id, "undo"] => roster::undo::page(read, around, id).await,
        ["picture"] => picture::page(read, asked).await,
        ["trust", "picture"] => picture::trust::page(read, asked).await,
        ["children"] => children::whole::page(read, around, asked).await,
        ["children", id] => children::child::page(read, around, asked, id).await,
        ["overview"] => overview::page(read, around).await,
        ["settings"] => tenancy::settings(read, around, asked).await,
        ["settings", "pupils"] => pupil::setting::page(read, around, asked).await,
        ["settings", "pupils", "parents"] => children::setting::page(read, around, asked).await,
        _ => Err(domain::Refusal::NotFound),
    }
}

/// All pages. An address that is not here and not in [`SHEETS`] does not exist. Who may open which is decided in the server's session layer and,
/// for what is on them, in the database.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Title formatter=titled />
        <Router>
            <Routes fallback=ui::NotFound>
                // strangers
                <Route path=path!("/sign-in") view=plain!(session::SignInPage) />
                <Route path=path!("/forgotten") view=plain!(session::ForgottenPage) />
                <Route path=path!("/reset/:link") view=plain!(session::ResetPage) />
                <Route path=path!("/invitation/:link") view=plain!(session::InvitationPage) />
                // anybody
                <Route path=path!("/check") view=plain!(approval::check::CheckPage) />
                // a password so far
                <Route path=path!("/sign-in/factor") view=plain!(session::FactorPage) />
                <Route path=path!("/sign-in/recovery") view=plain!(session::RecoveryPage) />
                <Route path=path!("/sign-in/enrol") view=plain!(session::EnrolPage) />
                // everybody signed in, on any host
                <Route path=path!("/") view=tenancy::HomePage />
                <Route path=path!("/schools") view=tenancy::SchoolsPage />
                <Route path=path!("/me") view=account::AccountPage />
                <Route path=path!("/me/second-step") view=plain!(session::EnrolPage) />
                <Route path=path!("/step-up") view=plain!(session::StepUpPage) />
                // staff and board of a tenant
                <Route path=path!("/people") view=membership::PeoplePage />
                // and the sheets
                <Route path=path!("/*sheet") view=sheet::SheetPage />
            </Routes>
        </Router>
        {hydrates().then(|| view! { <live::News /> })}
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::is_plain;

    #[test]
    fn a_plain_page_is_not_every_page_whose_address_begins_alike() {
        for plain in ["/check", "/sign-in", "/sign-in/factor", "/reset/AAAA"] {
            assert!(is_plain(plain), "{plain}");
        }
        for other in ["/check-in", "/checkin/checkin.js", "/", "/resettle"] {
            assert!(!is_plain(other), "{other}");
        }
    }
}
