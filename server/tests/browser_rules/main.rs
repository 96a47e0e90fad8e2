//! What a browser is told and what is asked of it: origins, headers, the one cookie, hosts, limits, forms that lose nothing, and
//! text that stays text.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "../site/mod.rs"]
mod site;

mod cookie;
mod download;
mod forms;
mod headers;
mod hosts;
mod html;
mod known;
mod letters;
mod nothing;
mod origin;
mod paper;
mod places;
mod roster;
mod text;
mod upload;

use domain::demo;
use site::{Answer, Served};

const ADMIN: &str = "admin@oakfield.example";
const CLERK: &str = "clerk@oakfield.example";

/// How many events there are: what changes nothing, adds none.
async fn events(served: &mut Served) -> i64 {
    sqlx::query_scalar("select sum(seq)::bigint from sec.event_head")
        .fetch_one(&mut *served.behind)
        .await
        .unwrap()
}

/// As far as the second step, with the demo's password.
async fn sign_in(served: &Served, email: &str, fields: &[(&str, &str)], cookie: &str) -> Answer {
    let mut all = vec![
        ("act", "session/sign-in"),
        ("email", email),
        ("password", demo::PASSWORD),
    ];
    all.extend_from_slice(fields);
    served.post("oakfield", "/sign-in", cookie, &all).await
}
