//! Who may ask what: every page, every server function and every other address, asked by strangers, by another school, with a
//! password only, and in every role; and in every role by those whose place is elsewhere, or is not an active one. What each answers stands in matrix.txt; an address without a line there fails, and so
//! does a line without its address. `QUORATE_BLESS=1` writes the file anew, to be read before it is committed.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "matrix/roll.rs"]
mod roll;
#[path = "matrix/shelf.rs"]
mod shelf;
mod site;
#[path = "matrix/who.rs"]
mod who;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::{Path, PathBuf},
};

use axum::http::Method;
use domain::role::Role;
use site::{Answer, Ask, Served};
use who::{About, Fresh, Who, everybody, people, roles_at};

/// Addresses that are neither page nor server function; [`every_other_route_is_in_the_matrix`] holds them to the sources.
const OTHERS: &[&str] = &[
    "/no-such-page",
    "/people/no-id",
    "/people.csv",
    "/people.csv?show=ended&role=clerk",
    "/picture.csv",
    "/live",
    "/live (as a socket)",
    "/health",
    "/audit/export",
    "/papers/{paper}/versions/1/file",
    "/papers/{paper}/versions/2/file",
    "/papers/{paper}/versions/1/copy",
    "/papers/{paper}/versions/2/copy",
    "/approvals/{approval}/certificate",
    "/approvals/{approval}/certificate?as=json",
    "/known/01900000-0000-7000-8000-000000000003/0000000000000000000000000000000000000000000000000000000000000000",
    "/roster/{import}/not-taken.csv",
    "/files/uploads",
    "/files/uploads/{paper}",
    "/files/uploads/{paper}/finish",
    "/arrive",
    "/arrive?ticket=AAAA",
    "/arrive?ticket={ticket}",
    "/invitation/{working}",
    "/reset/{working}",
    "/dev/mail",
    "/dev/mail/a.eml",
    "/api/",
    "/api/no/such-act",
    "/pkg/quorate.js",
    "/pkg/no-such-file",
    "/fonts/no-such-file",
    "/redraw/no-such-file",
    "/upload/no-such-file",
    "/reader/no-such-file",
    "/prompt/no-such-file",
    "/pdfjs/no-such-file",
    "/check/no-such-file",
    "/checkin/no-such-file",
    "/favicon.svg",
    "/favicon.ico",
    "/icons.svg",
    "/robots.txt",
];

/// Those of them that a form is sent to.
const FORMS: &[&str] = &["/audit/export"];

/// Server functions that are asked once more with what makes them pass: a right password, code or link.
const PASSED: &[&str] = &[
    "/api/session/sign-in",
    "/api/session/factor",
    "/api/session/step-up",
    "/api/session/accept",
    "/api/session/reset",
    "/api/session/reset-link",
    "/api/session/invitation",
];

async fn cookie(served: &mut Served, who: &Who) -> String {
    match who.session {
        Some((label, email, stand)) => served.cookie(label, email, stand).await,
        None => String::new(),
    }
}

/// The answer in one line: status, refusal, and where one is sent; what is new each time has a name instead.
fn told(answer: &Answer, fresh: &Fresh, passed: bool) -> String {
    let mut told = answer.status.as_u16().to_string();
    if let Some(refusal) = answer.refusal() {
        write!(told, " {refusal}").unwrap();
    }
    let to = answer.location();
    if !to.is_empty() {
        let mut to = to.replace(&fresh.id, "<id>");
        for (known, name) in [
            (&fresh.board.seat, "<seat>"),
            (&fresh.board.committee, "<committee>"),
            (&fresh.shelf.folder, "<folder>"),
            (&fresh.shelf.document, "<paper>"),
            (&fresh.shelf.approval, "<approval>"),
            (&fresh.roll.pupil, "<pupil>"),
            (&fresh.roll.group, "<group>"),
            (&fresh.roll.person, "<person>"),
            (&fresh.roll.record, "<record>"),
            (&fresh.roll.import, "<import>"),
            (&fresh.roll.monday, "<monday>"),
            (&fresh.roll.rollover, "<rollover>"),
        ] {
            if !known.is_empty() {
                to = to.replace(known.as_str(), name);
            }
        }
        if let Some(id) = to
            .strip_prefix("/board/committees/")
            .and_then(|rest| rest.strip_suffix("?done=opened"))
        {
            uuid::Uuid::try_parse(id).unwrap();
            "/board/committees/<new>?done=opened".clone_into(&mut to);
        }
        for (before, after) in [
            ("/library/", "?done=opened"),
            ("/groups/", "?done=opened"),
            ("/pupils/", "?done=added"),
        ] {
            if let Some(id) = to
                .strip_prefix(before)
                .and_then(|rest| rest.strip_suffix(after))
                && uuid::Uuid::try_parse(id).is_ok()
            {
                to = format!("{before}<new>{after}");
            }
        }
        if let Some(id) = to
            .strip_prefix("/pupils/<pupil>/records/")
            .and_then(|rest| rest.strip_suffix("?done=recorded"))
        {
            uuid::Uuid::try_parse(id).unwrap();
            "/pupils/<pupil>/records/<new>?done=recorded".clone_into(&mut to);
        }
        for (known, name) in [(&fresh.link, "<link>"), (&fresh.ticket, "<ticket>")] {
            if !known.is_empty() {
                to = to.replace(known.as_str(), name);
            }
        }
        if let Some((before, ticket)) = to
            .split_once("/arrive?ticket=")
            .filter(|_| !to.starts_with('/'))
        {
            let (ticket, next) = ticket.split_at(43);
            assert!(!ticket.contains('&'), "{ticket}");
            to = format!("{before}/arrive?ticket=<new>{next}");
        }
        if let Some(id) = to
            .strip_prefix("/people/")
            .and_then(|rest| rest.strip_suffix("?done=added"))
        {
            uuid::Uuid::try_parse(id).unwrap();
            "/people/<new>?done=added".clone_into(&mut to);
        }
        if let Some(seq) = to
            .strip_prefix("/audit/")
            .and_then(|rest| rest.strip_suffix("?done=removed"))
        {
            seq.parse::<domain::Seq>().unwrap();
            "/audit/<seq>?done=removed".clone_into(&mut to);
        }
        write!(told, " {to}").unwrap();
    }
    if answer.new_cookie().is_some() {
        assert!(passed, "a cookie for nothing: {told}");
        told.push_str(" and a cookie");
    }
    told
}

/// Names of a group that are all there, as the group's: "suspended:*" for those who are suspended, in whatever role.
fn grouped(who: &[&str], all: &[(&str, String)]) -> String {
    let group = |name: &str| name.split_once(':').map(|(group, _)| group.to_owned());
    let mut told: Vec<String> = Vec::new();
    for name in who {
        let named = match group(name) {
            Some(group_name)
                if all
                    .iter()
                    .filter(|(one, _)| group(one).as_ref() == Some(&group_name))
                    .all(|(one, _)| who.contains(one)) =>
            {
                format!("{group_name}:*")
            }
            _ => (*name).to_owned(),
        };
        if !told.contains(&named) {
            told.push(named);
        }
    }
    told.join(" ")
}

/// One line for each address: its answers, each with all who got it.
fn line(address: &str, answers: &[(&str, String)]) -> String {
    let mut by_answer: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (who, answer) in answers {
        by_answer.entry(answer).or_default().push(who);
    }
    let mut text = format!("{address}\n");
    for (answer, who) in by_answer {
        let who = if who.len() == answers.len() {
            "everybody".to_owned()
        } else {
            grouped(&who, answers)
        };
        writeln!(text, "    {answer}: {who}").unwrap();
    }
    text
}

/// Fields that serve every server function: each takes those it knows.
fn fields(served: &Served, who: &Who, fresh: &Fresh, passed: bool) -> Vec<(&'static str, String)> {
    let own = who
        .session
        .map_or(fresh.email.as_str(), |(_, email, _)| email);
    let wrong = "not the password of anybody";
    let right = domain::demo::PASSWORD;
    let (email, password, old, code, link) = if passed {
        (
            own.to_owned(),
            right,
            right,
            served.next_code(),
            fresh.link.clone(),
        )
    } else {
        let unknown = format!("amara{}@elsewhere.example", uuid::Uuid::new_v4().simple());
        (unknown, wrong, wrong, "000000".to_owned(), "A".repeat(43))
    };
    // What is recorded of the past is recorded by now, and what is to come comes soon.
    let day = |later: i64| domain::day::field(served.day(later));
    let (board, roll) = (&fresh.board, &fresh.roll);
    let or = |own: &str, other: &str| if own.is_empty() { other } else { own }.to_owned();
    vec![
        ("pupil", roll.pupil.clone()),
        ("pupils[0]", roll.pupil.clone()),
        // Papers have tags as well, in one field.
        (
            if roll.pupil.is_empty() {
                "tag"
            } else {
                "tags[0]"
            },
            format!("{}:sen", roll.pupil),
        ),
        ("value", "yes".to_owned()),
        ("monday", roll.monday.clone()),
        ("levels[0][settled]", "4".to_owned()),
        ("happened_on", day(-1)),
        ("group", roll.group.clone()),
        ("child", roll.pupil.clone()),
        ("entry", roll.entry.clone()),
        ("cooling", "45".to_owned()),
        ("caseload", roll.caseload.clone()),
        ("import", roll.import.clone()),
        // Of a roster; a list of looks is added to as a whole.
        (
            "line",
            if roll.import.is_empty() { "" } else { "2" }.to_owned(),
        ),
        ("same", "yes".to_owned()),
        ("restriction", roll.restriction.clone()),
        ("rollover", roll.rollover.clone()),
        ("of", format!("pupil:{}", roll.pupil)),
        ("relation", "carer".to_owned()),
        ("first_name", "Elliot".to_owned()),
        ("last_name", or(&roll.last_name, "Price")),
        ("born", "9 May 2016".to_owned()),
        ("year", "5".to_owned()),
        ("duty", "safeguarding".to_owned()),
        ("record", roll.record.clone()),
        ("record_kind", "observation".to_owned()),
        ("happened_at", day(-1)),
        ("body", "Read aloud for the first time.".to_owned()),
        ("with", "Their father".to_owned()),
        ("aim", "Reads aloud".to_owned()),
        ("instrument", "leuven_wellbeing".to_owned()),
        ("informant", "teacher".to_owned()),
        ("scale[0]", "wellbeing".to_owned()),
        ("points[0]", "4".to_owned()),
        ("reached", "Extension 12".to_owned()),
        ("field", "fsm".to_owned()),
        ("purpose", "To plan support in lessons".to_owned()),
        ("folder", fresh.shelf.to.clone()),
        ("reader", fresh.shelf.reader.clone()),
        ("document", fresh.shelf.document.clone()),
        ("approval", fresh.shelf.approval.clone()),
        ("approvals[0]", fresh.shelf.approval.clone()),
        ("version", "1".to_owned()),
        ("answer", "agree".to_owned()),
        ("whom", "people".to_owned()),
        ("people[0]", fresh.id.clone()),
        ("due", day(7)),
        ("paper", fresh.shelf.document.clone()),
        ("question", fresh.shelf.question.clone()),
        ("note", fresh.shelf.note.clone()),
        ("words", "Does this include managed moves?".to_owned()),
        ("change", "01900000-0000-7000-8000-000000000002".to_owned()),
        ("who", "role:parent".to_owned()),
        ("adds", "true".to_owned()),
        ("number", "1".to_owned()),
        ("kind", or(&roll.kind, "report")),
        ("reason", or(&roll.reason, "Superseded, six years over")),
        ("person", or(&roll.person, &fresh.id)),
        ("seat", board.seat.clone()),
        ("term", board.term.clone()),
        ("committee", board.committee.clone()),
        ("place", board.place.clone()),
        ("category", "co_opted".to_owned()),
        ("appointed_by", "The governing board".to_owned()),
        ("from", day(-1)),
        ("to", String::new()),
        ("on", day(-1)),
        ("last", day(0)),
        ("until", day(20)),
        ("why", "resigned".to_owned()),
        ("remit", "Money and buildings".to_owned()),
        ("quorum", "4".to_owned()),
        ("what", "nothing".to_owned()),
        ("title", "Safeguarding".to_owned()),
        ("renew", String::new()),
        ("phone", "0114 496 0123".to_owned()),
        ("id", fresh.id.clone()),
        ("name", fresh.name.clone()),
        ("email", email),
        ("roles[0]", roles_at(who.asks).1.to_owned()),
        (
            "text",
            format!(
                "amara{}@elsewhere.example, Amara, {}",
                uuid::Uuid::new_v4().simple(),
                roles_at(who.asks).1
            ),
        ),
        ("role", roles_at(who.asks).1.to_owned()),
        ("was", "Tamsin Target".to_owned()),
        ("address", "/settings".to_owned()),
        ("rule", board.rule.to_owned()),
        ("label", "northgate".to_owned()),
        ("mail", "weekly".to_owned()),
        ("oldest", "0".to_owned()),
        ("newest", "0".to_owned()),
        ("session", "01900000-0000-7000-8000-000000000001".to_owned()),
        ("code", code),
        ("password", password.to_owned()),
        ("old", old.to_owned()),
        ("link", or(&roll.link, &link)),
        ("next", "/people".to_owned()),
    ]
}

fn visit(served: &Served, who: &Who, page: &str, fresh: &Fresh) -> Ask {
    let path = page
        .replace("{id}", &fresh.id)
        .replace("{seat}", &fresh.board.seat)
        .replace("{committee}", &fresh.board.committee)
        .replace("{folder}", &fresh.shelf.folder)
        .replace("{paper}", &fresh.shelf.document)
        .replace("{approval}", &fresh.shelf.approval)
        .replace("{pupil}", &fresh.roll.pupil)
        .replace("{child}", &fresh.roll.pupil)
        .replace("{group}", &fresh.roll.group)
        .replace("{record}", &fresh.roll.record)
        .replace("{person}", &fresh.roll.person)
        .replace("{import}", &fresh.roll.import)
        .replace("{reading}", "01900000-0000-7000-8000-000000000004")
        .replace("{monday}", &fresh.roll.monday)
        .replace("{rollover}", &fresh.roll.rollover)
        .replace("{link}", &"A".repeat(43))
        .replace("{working}", &fresh.link)
        .replace("{ticket}", &fresh.ticket);
    match path.strip_suffix(" (as a socket)") {
        Some(path) => served
            .ask(Method::GET, who.asks, path)
            .header(
                "origin",
                &format!("{}://{}", served.scheme, served.host_of(who.asks)),
            )
            .header("upgrade", "websocket")
            .header("connection", "upgrade")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        None => served.ask(Method::GET, who.asks, &path),
    }
}

fn call(served: &Served, who: &Who, path: &str, method: &Method, fields: &[(&str, &str)]) -> Ask {
    let ask = if *method == Method::GET {
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        served.ask(Method::GET, who.asks, &format!("{path}?{query}"))
    } else {
        served.ask(method.clone(), who.asks, path).form(fields)
    };
    ask.header("accept", "application/json")
}

#[tokio::test]
async fn every_address_answers_everybody_as_it_is_written_down() {
    let mut served = Served::here().await;
    people(&mut served).await;
    let everybody = everybody();
    for role in Role::ALL {
        let known = everybody.iter().any(|who| who.name == role.code());
        assert!(known, "nobody asks as {}", role.code());
    }
    // Before anything is rendered, and once: it makes the table of pages from the pages themselves.
    let pages: BTreeSet<String> = leptos_axum::generate_route_list(app::App)
        .iter()
        .map(|route| route.path().to_owned())
        .collect();
    // Every sheet as the page it is, and as an open page fetches it again.
    let sheets = app::SHEETS.iter().map(|(pattern, ..)| {
        let parts = pattern.split('/').map(|part| match part.strip_prefix(':') {
            Some("seq") => "1".to_owned(),
            Some(name) => format!("{{{name}}}"),
            None => part.to_owned(),
        });
        parts.collect::<Vec<_>>().join("/")
    });
    let pages: BTreeSet<String> = pages
        .into_iter()
        .filter(|page| !page.contains('*'))
        .chain(sheets.flat_map(|sheet| [format!("/api/sheet?address={sheet}"), sheet]))
        .collect();
    assert!(pages.len() >= 28, "{pages:?}");
    let mut acts: Vec<(&str, Method)> = leptos::server_fn::axum::server_fn_paths().collect();
    acts.sort_by_key(|(path, _)| *path);
    assert!(acts.len() >= 25, "{acts:?}");

    let mut found = String::new();
    for page in pages
        .iter()
        .map(String::as_str)
        .chain(OTHERS.iter().copied())
    {
        let mut answers = Vec::new();
        let mut about = About::default();
        for who in &everybody {
            let fresh = about.for_who(&mut served, who, page).await;
            let cookie = cookie(&mut served, who).await;
            let answer = visit(&served, who, page, &fresh)
                .cookie(&cookie)
                .send()
                .await;
            answers.push((who.name, told(&answer, &fresh, page.starts_with("/arrive"))));
        }
        found += &line(&format!("GET {page}"), &answers);
    }
    for path in FORMS {
        assert!(OTHERS.contains(path), "{path}");
        let mut answers = Vec::new();
        let mut about = About::default();
        for who in &everybody {
            let fresh = about.for_who(&mut served, who, path).await;
            let cookie = cookie(&mut served, who).await;
            let fields = [("from", "2020-01-01"), ("to", "")];
            let answer = call(&served, who, path, &Method::POST, &fields)
                .cookie(&cookie)
                .send()
                .await;
            answers.push((who.name, told(&answer, &fresh, false)));
        }
        found += &line(&format!("POST {path}"), &answers);
    }
    for (path, method) in &acts {
        for passed in [false, true] {
            if passed && !PASSED.contains(path) {
                continue;
            }
            let mut answers = Vec::new();
            let mut about = About::default();
            for who in &everybody {
                let fresh = about.for_who(&mut served, who, path).await;
                let fields = fields(&served, who, &fresh, passed);
                let fields: Vec<(&str, &str)> = fields
                    .iter()
                    .map(|(name, value)| (*name, value.as_str()))
                    .collect();
                let cookie = cookie(&mut served, who).await;
                let answer = call(&served, who, path, method, &fields)
                    .cookie(&cookie)
                    .send()
                    .await;
                answers.push((who.name, told(&answer, &fresh, passed)));
            }
            let passed = if passed { " (rightly)" } else { "" };
            found += &line(&format!("{method} {path}{passed}"), &answers);
        }
    }
    for path in PASSED {
        assert!(acts.iter().any(|(known, _)| known == path), "{path}");
    }

    #[allow(clippy::disallowed_methods, reason = "how the test itself is run")]
    if std::env::var_os("QUORATE_BLESS").is_some() {
        std::fs::write(matrix(), &found).unwrap();
    }
    let written = written();
    if found != written {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("matrix.txt");
        std::fs::write(&path, &found).unwrap();
        let news = |these: &str, those: &str| -> String {
            let those: BTreeSet<(&str, &str)> = under_their_address(those).collect();
            under_their_address(these)
                .filter(|line| !those.contains(line))
                .map(|(address, line)| format!("{address} {}\n", line.trim()))
                .collect()
        };
        panic!(
            "Is this meant? It was:\n{}and is:\n{}If so, QUORATE_BLESS=1 writes matrix.txt; the whole of it is at {}.",
            news(&written, &found),
            news(&found, &written),
            path.display()
        );
    }
}

fn matrix() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/matrix.txt")
}

fn written() -> String {
    std::fs::read_to_string(matrix()).unwrap()
}

/// Each line with the address above it.
fn under_their_address(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut address = "";
    text.lines().map(move |line| {
        if !line.starts_with(' ') {
            address = line;
        }
        (address, line)
    })
}

/// Every route in the server's own sources stands in the matrix: a page or a function that is added is found by itself, these are not.
#[test]
fn every_other_route_is_in_the_matrix() {
    let mut sources = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                let source = std::fs::read_to_string(&path).unwrap();
                sources.push((path, source));
            }
        }
    }
    let asked: Vec<&str> = OTHERS
        .iter()
        .map(|asked| asked.split([' ', '?']).next().unwrap())
        .collect();
    let written = written();
    for asked in OTHERS {
        let line = format!("GET {asked}");
        assert!(
            written.lines().any(|known| known == line),
            "{asked} has no line in matrix.txt"
        );
    }
    let mut routes = 0;
    for (path, source) in &sources {
        for other in [".nest(", ".nest_service(", ".route_service(", ".typed_get("] {
            assert!(
                !source.contains(other),
                "{} adds routes that this test does not see: {other}",
                path.display()
            );
        }
        // A route may stand on the line after its parenthesis.
        for call in source.split(".route(").skip(1) {
            let route = call
                .trim_start()
                .strip_prefix('"')
                .and_then(|rest| rest.split('"').next())
                .unwrap_or_else(|| {
                    panic!("{} has a route that is not written out", path.display())
                });
            routes += 1;
            let known = match route.split_once('{') {
                Some((before, _)) => asked.iter().any(|asked| {
                    asked
                        .strip_prefix(before)
                        .is_some_and(|rest| !rest.is_empty())
                }),
                None => asked.contains(&route),
            };
            assert!(known, "{route} of {} is not in OTHERS", path.display());
        }
    }
    assert!(routes >= 5, "{routes}");
    // And what is served as a file.
    let (_, session) = sources
        .iter()
        .find(|(path, _)| path.ends_with("session.rs"))
        .unwrap();
    let is_file = session
        .split("pub fn is_file")
        .nth(1)
        .unwrap()
        .split("\n}")
        .next()
        .unwrap();
    for file in is_file.split('"').skip(1).step_by(2) {
        assert!(
            asked.iter().any(|asked| asked.starts_with(file)),
            "{file} is not in OTHERS"
        );
    }
}
