//! The log names nobody: the real binary as it is in the world, asked to tell everything, while people with names that nobody
//! else has are invited, sign in, mistype, forget, and are removed.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(
    clippy::disallowed_methods,
    reason = "tests read where PostgreSQL is from the environment they were started in, and codes are of the real clock"
)]

#[allow(dead_code, reason = "each test uses its own part")]
mod client;
mod house;
#[path = "logs/world.rs"]
mod world;

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    time::{Duration, Instant, SystemTime},
};

use client::Client;
use domain::factor::Secret;
use house::{House, PATIENCE, as_login, words};
use nix::sys::signal::{Signal, kill};
use reqwest::Method;
use serde_json::{Value, json};
use world::{Browser, Canaries, Office};

const HOST: &str = "oakfield.quorate.example";
/// What would be said if nothing held it back. The held libraries are named once more, by the parts of them that talk most.
const EVERYTHING: &str = "trace,sqlx=trace,sqlx::query=trace,hyper=trace,hyper_util=trace,hyper::proto=trace,h2=trace,\
     rustls=trace,tungstenite=trace,tungstenite::protocol=trace,s3s=trace,aws_smithy_runtime=trace,tower_sessions=trace,tower_sessions_core=trace,tower_sessions::service=trace,postgres=trace";

fn now() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

/// Base 32 (RFC 4648 §6) as it is shown, in groups.
fn secret_of(page: &str) -> (String, Secret) {
    let shown = page
        .split("class=\"secret\">")
        .nth(1)
        .unwrap()
        .split("</p>")
        .next()
        .unwrap();
    let typed: String = shown
        .split('<')
        .filter_map(|part| part.split('>').next_back())
        .flat_map(str::chars)
        .filter(char::is_ascii_alphanumeric)
        .collect();
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0);
    for letter in typed.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            _ => letter - b'2' + 26,
        };
        bits = (bits << 5 | u32::from(value)) & 0xFFFF;
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xFF).unwrap());
        }
    }
    (typed, Secret::from_bytes(bytes))
}

/// Sets up the second step after a password; returns the recovery codes.
async fn enrol(browser: &mut Browser) -> (Secret, Vec<String>) {
    let page = browser.get("/sign-in/enrol").await;
    let (typed, secret) = secret_of(&page.text);
    browser.canaries.add("the key of a second step", &typed);
    browser
        .must(
            "/sign-in/enrol",
            &[("act", "session/enrol"), ("code", "170259")],
            422,
            "",
        )
        .await;
    let code = testing::code_at(&secret, now());
    let page = browser
        .must(
            "/sign-in/enrol",
            &[("act", "session/enrol"), ("code", &code)],
            200,
            "",
        )
        .await;
    let codes: Vec<String> = page
        .text
        .split("<ol class=\"codes\">")
        .nth(1)
        .unwrap()
        .split("<li>")
        .skip(1)
        .map(|rest| rest.split('<').next().unwrap().to_owned())
        .collect();
    for code in &codes {
        browser.canaries.add("a recovery code", code);
    }
    assert_eq!(codes.len(), 10);
    (secret, codes)
}

/// What no request expects: a table that is not there.
async fn rename(migrator: &mut sqlx::PgConnection, from: &str, to: &str) {
    let sql =
        format!("set role quorate_owner; alter table public.{from} rename to {to}; reset role");
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
        .execute(migrator)
        .await
        .unwrap();
}

#[tokio::test]
async fn at_its_most_talkative_the_log_holds_nothing_of_anybody() {
    let canaries = Canaries::default();
    let office = Office::default();
    let mail_port = office.open().to_string();
    let house = House::behind("https://quorate.example");
    let server = house.serve_with(&[
        ("QUORATE_LOG", EVERYTHING),
        ("QUORATE_SMTP_HOST", "127.0.0.1"),
        ("QUORATE_SMTP_PORT", &mail_port),
        ("QUORATE_SMTP_TLS", "none"),
        (
            "QUORATE_MAIL_FROM",
            "Quorate <letters@zanzibarmail.example>",
        ),
    ]);
    let mut migrator = as_login(&house.url("migrator")).await;
    sqlx::query("select sec.make_tenant('oakfield', 'Xylograph Academy', 'school')")
        .execute(&mut migrator)
        .await
        .unwrap();
    for (what, text) in [
        ("a school", "Xylograph"),
        ("a name", "Zephyrine"),
        ("a name", "Quillfeather"),
        ("a name", "Bartholomew"),
        ("a name", "Umbrageous"),
        ("an address", "wrenhollow"),
        ("a browser", "Wibbleferret"),
        ("a browser", "Quokkaphone"),
        ("a sender", "zanzibarmail"),
    ] {
        canaries.add(what, text);
    }

    // The first administrator, by the link that the operator hands over.
    let link = house.run(&[
        "account",
        "create",
        "--tenant",
        "oakfield",
        "--email",
        "zephyrine.q@wrenhollow.example",
        "--name",
        "Zephyrine Quillfeather",
        "--role",
        "school_admin",
    ]);
    assert!(link.status.success(), "{}", words(&link));
    let link = String::from_utf8(link.stdout)
        .unwrap()
        .trim()
        .rsplit('/')
        .next()
        .unwrap()
        .to_owned();
    let mut admin = Browser::new(house.port, &canaries);
    let page = admin.get(&format!("/invitation/{link}")).await;
    assert!(
        page.text.contains("Zephyrine Quillfeather"),
        "{}",
        page.text
    );
    let password = "gossamer pelican thunder vestibule";
    let fields = [
        ("act", "session/accept"),
        ("link", &*link),
        ("password", "password1"),
    ];
    admin
        .must(&format!("/invitation/{link}"), &fields, 422, "")
        .await;
    let fields = [
        ("act", "session/accept"),
        ("link", &*link),
        ("password", password),
    ];
    admin
        .must(
            &format!("/invitation/{link}"),
            &fields,
            303,
            "/sign-in?why=joined",
        )
        .await;

    // A wrong password, an unknown address, and the right one.
    let sign_in = |email, password| {
        [
            ("act", "session/sign-in"),
            ("email", email),
            ("password", password),
            ("next", "/people"),
        ]
    };
    let email = "zephyrine.q@wrenhollow.example";
    admin
        .must(
            "/sign-in",
            &sign_in(email, "crumpled wrong trombone"),
            422,
            "",
        )
        .await;
    admin
        .must(
            "/sign-in",
            &sign_in("nobody.at.all@wrenhollow.example", "stolen bagpipe"),
            422,
            "",
        )
        .await;
    admin
        .must("/sign-in", &sign_in(email, password), 303, "/sign-in/enrol")
        .await;
    let (secret, codes) = enrol(&mut admin).await;

    // A page that is open, and somebody added meanwhile.
    let address = SocketAddr::from(([127, 0, 0, 1], house.port));
    let origin = format!("https://{HOST}");
    let headers = [
        ("host", HOST),
        ("origin", &*origin),
        ("cookie", &*admin.cookie),
    ];
    let mut page = Client::connect(address, &headers).await.unwrap();
    let seq = page.greeted().await;
    page.say(json!({ "subscribe": ["people", "here", "me"], "since": seq }))
        .await;
    page.say(json!({ "Zephyrine": "Quillfeather" })).await;
    let _ = page.words().await;
    let add = [
        ("act", "people/add"),
        ("name", "Bartholomew Umbrageous"),
        ("email", "bartholomew.u@wrenhollow.example"),
        ("roles[0]", "governor"),
    ];
    let added = admin.post("/people/add", &add).await;
    assert_eq!(added.status, 303, "{}", added.text);
    let person = added.location.split('?').next().unwrap().to_owned();
    let id = person.rsplit('/').next().unwrap().to_owned();
    admin.must("/people/add", &add, 409, "").await;
    for path in [
        "/",
        "/people?q=Umbrageous&show=invited",
        "/me",
        "/settings",
        "/people/Quillfeather",
        "/no-such-page/Quillfeather?Zephyrine=Quillfeather#x",
        "/api/people/list?q=Umbrageous",
        "/api/no/such/Quillfeather",
        "/pkg/Quillfeather.js",
        &person,
    ] {
        admin.get(path).await;
    }

    // They accept, forget their password and choose another.
    let link = office.link(0).await;
    let mut governor = Browser::new(house.port, &canaries);
    assert!(
        governor
            .get(&format!("/invitation/{link}"))
            .await
            .text
            .contains("Bartholomew")
    );
    let fields = [
        ("act", "session/accept"),
        ("link", &*link),
        ("password", "marmalade ostrich quarantine"),
    ];
    governor
        .must(
            &format!("/invitation/{link}"),
            &fields,
            303,
            "/sign-in?why=joined",
        )
        .await;
    let email = "bartholomew.u@wrenhollow.example";
    governor
        .must(
            "/forgotten",
            &[("act", "session/forgotten"), ("email", email)],
            303,
            "/forgotten?sent=yes",
        )
        .await;
    let link = office.link(1).await;
    governor.get(&format!("/reset/{link}")).await;
    let new = "velvet nutcracker archipelago";
    governor
        .must(
            &format!("/reset/{link}"),
            &[
                ("act", "session/reset"),
                ("link", &*link),
                ("password", new),
            ],
            303,
            "/sign-in?why=new-password",
        )
        .await;
    let dead = "Zm9yZ2VkIGZvcmdlZCBmb3JnZWQgZm9yZ2VkIGZvcmdl";
    for path in ["/reset/", "/invitation/", "/arrive?ticket="] {
        canaries.add("a link", dead);
        governor.get(&format!("{path}{dead}")).await;
    }
    governor
        .must("/sign-in", &sign_in(email, new), 303, "/sign-in/enrol")
        .await;
    enrol(&mut governor).await;
    governor
        .must(
            "/me",
            &[
                ("act", "account/change-password"),
                ("old", new),
                ("password", "sherbet lighthouse tambourine"),
            ],
            303,
            "/me?done=password",
        )
        .await;

    // What is done to them, with a wrong and a right proof.
    let with = |act| [("act", act), ("id", &*id)];
    admin
        .must(
            &format!("{person}/suspend"),
            &with("people/suspend"),
            303,
            &format!("{person}?done=suspended"),
        )
        .await;
    admin
        .must(
            &person,
            &with("people/restore"),
            303,
            &format!("{person}?done=restored"),
        )
        .await;
    admin
        .must(
            "/step-up",
            &[
                ("act", "session/step-up"),
                ("old", "discordant wrong kazoo"),
            ],
            422,
            "",
        )
        .await;
    admin
        .must(
            "/step-up",
            &[("act", "session/step-up"), ("old", password)],
            303,
            "/",
        )
        .await;
    let removed = admin
        .post(&format!("{person}/remove"), &with("people/remove"))
        .await;
    assert_eq!(removed.status, 303, "{}", removed.text);
    assert!(
        removed.location.starts_with("/audit/"),
        "{}",
        removed.location
    );
    // The receipt, and the log with everybody's names, leave none of them either.
    for page in [removed.location.as_str(), "/audit", "/board"] {
        assert_eq!(admin.get(page).await.status, 200, "{page}");
    }
    admin
        .must("/me", &[("act", "account/new-codes")], 200, "")
        .await;
    admin
        .must(
            "/sign-in",
            &[("act", "session/sign-out")],
            303,
            "/sign-in?why=left",
        )
        .await;

    // Both second steps, wrong and right.
    let email = "zephyrine.q@wrenhollow.example";
    admin
        .must(
            "/sign-in",
            &sign_in(email, password),
            303,
            "/sign-in/factor?next=%2Fpeople",
        )
        .await;
    admin
        .must(
            "/sign-in/recovery",
            &[("act", "session/recovery"), ("code", &codes[0])],
            422,
            "",
        )
        .await;
    let code = testing::code_at(&secret, now() + 30);
    admin
        .must(
            "/sign-in/factor",
            &[("act", "session/factor"), ("code", &code)],
            303,
            "/",
        )
        .await;

    // What is broken, and a database that changes and goes away under it.
    let whole = admin.cookie.clone();
    "__Host-quorate=Quillfeather!broken".clone_into(&mut admin.cookie);
    admin.get("/me").await;
    whole.clone_into(&mut admin.cookie);
    let long = "Quillfeather".repeat(9000);
    assert_eq!(
        admin
            .send(Method::POST, "/sign-in", &[("act", &long)])
            .await
            .status,
        413
    );
    for path in ["/sign-in", "/people/add"] {
        admin
            .send(
                Method::POST,
                path,
                &[
                    ("act", "no/such/Quillfeather"),
                    ("Zephyrine", "Quillfeather\0\r\n"),
                ],
            )
            .await;
        admin
            .send(Method::PUT, path, &[("name", "Quillfeather")])
            .await;
    }
    rename(&mut migrator, "membership", "membership_gone").await;
    for path in ["/people/add", "/people?q=Umbrageous"] {
        let faulty = admin.post(path, &add).await;
        assert!(faulty.status >= 500, "{path}: {}", faulty.text);
    }
    rename(&mut migrator, "membership_gone", "membership").await;
    kill(house.postgres().unwrap(), Signal::SIGKILL).unwrap();
    // Whether these come through is for the next start of the database to say.
    admin.get("/people?q=Umbrageous").await;
    admin.post("/people/add", &add).await;
    admin.post("/sign-in", &sign_in(email, password)).await;
    let killed = Instant::now();
    while !house.log().contains("PostgreSQL is running again") {
        assert!(killed.elapsed() < PATIENCE, "{}", house.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(server.stop(), Some(0));

    let (mut lines, mut levels) = (0, BTreeSet::new());
    let mut leaks = BTreeSet::new();
    for line in house.log().lines() {
        let mut told: Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let told = told.as_object_mut().unwrap();
        levels.insert(told["level"].as_str().unwrap().to_owned());
        lines += 1;
        // A code of six digits can be the end of a time.
        told.remove("timestamp");
        let told = serde_json::to_string(&told).unwrap();
        for (what, text) in canaries.sing(&told) {
            leaks.insert(format!(
                "{what} ({text}): {}",
                told.chars().take(600).collect::<String>()
            ));
        }
    }
    assert!(
        leaks.is_empty(),
        "{} leaks: {:#?}",
        leaks.len(),
        leaks.iter().take(12).collect::<Vec<_>>()
    );
    let out = std::fs::read_to_string(house.folder.path().join("out")).unwrap();
    assert_eq!(canaries.sing(&out), [], "standard output");
    // It did tell of what happened.
    for told in [
        "serving",
        "a letter has left",
        "a request ended in a fault",
        "PostgreSQL ended unexpectedly",
        "ending",
    ] {
        assert!(
            house.log().contains(&format!("\"message\":\"{told}")),
            "{told}"
        );
    }
    assert!(lines > 30, "{lines}");
    for level in ["TRACE", "DEBUG", "INFO", "WARN", "ERROR"] {
        assert!(levels.contains(level), "{level} of {levels:?}");
    }
}
