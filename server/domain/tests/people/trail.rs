//! The log as it is checked: the same lines and the same hashes in the database and outside it.

use crate::scene::{CLERK, PARENT, Scene};
use domain::trail::{self, id_of};
use quorate_verify::{Hash, Line, Point, Walk};
use serde_json::{Value, json};
use sqlx::{ConnectOptions as _, Row as _};
use std::ops::ControlFlow;
use testing::Role;
use time::{Date, Month, OffsetDateTime};
use uuid::Uuid;

/// What may stand in a log, at its oddest.
fn odd(n: i128) -> (i64, OffsetDateTime, Value, Vec<String>, Option<Value>) {
    let moments = [
        0,
        1,
        -1,
        999_999,
        -86_400_000_001,
        1_781_805_600_123_456,
        253_402_300_799_999_999,
        -62_135_596_800_000_000,
        951_782_400_000_000,
    ];
    let details = [
        json!({}),
        json!({"why": "a \"quote\", a \\, a /, a\nline, a\ttab and \u{1}\u{7f}\u{85}\u{2028}"}),
        json!({"z": 1, "a": [1.5, 1e3, -0.0, null, true], "": {"ü": "Siân 🦔 \u{202e}x"}}),
        json!({"n": 12_345_678_901_234_567_890_u64, "small": 1e-7}),
    ];
    let topics: [&[&str]; 5] = [
        &[],
        &["people"],
        &["people", "me/01900000-0000-7000-8000-000000000001"],
        &["", "NULL", "null", "a b", "{", "}", ",", "\"", "\\", " x "],
        &["Siân 🦔"],
    ];
    let nth = |n: i128, most: usize| usize::try_from(n).unwrap() % most;
    let micros = moments[nth(n, moments.len())];
    (
        micros,
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000).unwrap(),
        details[nth(n / 2, details.len())].clone(),
        topics[nth(n / 3, topics.len())]
            .iter()
            .map(|topic| (*topic).to_owned())
            .collect(),
        (n % 3 == 0).then(|| json!({"code": 4403, "accounts": [Uuid::from_u128(7)]})),
    )
}

#[tokio::test]
async fn a_line_has_the_same_hash_in_the_database_and_outside_it() {
    let mut scene = Scene::new().await;
    let mut seen = std::collections::BTreeSet::new();
    for n in 0..180 {
        let (micros, at, detail, topics, closes) = odd(n);
        let id = |salt: u128| Uuid::from_u128(u128::try_from(n).unwrap() << 64 | salt);
        let (tenant, actor, about) = (
            id(1),
            (n % 2 == 0).then(|| id(2)),
            (n % 5 > 0).then(|| id(3)),
        );
        let prev = [u8::try_from(n).unwrap(); 32];
        let seq = i64::try_from(n * n * n * 1_000_003 + 1).unwrap();
        let row = sqlx::query(
            "select sec.event_hash($1, $2, $3, $4, $5, $6, $7, $8, $9, $10), $8::text, $9::text, $10::text",
        )
        .bind(prev.as_slice())
        .bind(tenant)
        .bind(seq)
        .bind(at)
        .bind("membership.removed")
        .bind(actor)
        .bind(about)
        .bind(&detail)
        .bind(&topics)
        .bind(&closes)
        .fetch_one(&mut *scene.behind)
        .await
        .unwrap();
        let line = Line {
            tenant: id_of(tenant),
            seq,
            at: micros,
            act: "membership.removed".into(),
            actor: actor.map(id_of),
            about: about.map(id_of),
            detail: row.get::<String, _>(1).into(),
            topics: row.get::<String, _>(2).into(),
            closes: row.get::<Option<String>, _>(3).map(Into::into),
            prev: Hash::from_bytes(prev),
            hash: Hash::ZERO,
        };
        let hash: Vec<u8> = row.get(0);
        assert_eq!(
            line.computed(&line.prev).bytes(),
            hash.as_slice(),
            "{line:?}"
        );
        assert_eq!(line.misshapen(), None, "{line:?}");
        seen.insert(hash);
    }
    assert_eq!(seen.len(), 180);
}

#[tokio::test]
async fn the_auditor_and_the_clerk_read_the_same_lines_and_they_are_whole() {
    let mut scene = Scene::new().await;
    let mut auditor = scene.fresh.options(Role::Auditor).connect().await.unwrap();
    let logs = trail::logs(&mut auditor).await.unwrap();
    let labels: Vec<&str> = logs.iter().map(|log| log.label.as_str()).collect();
    assert_eq!(labels, ["beacon", "northgate", "oakfield"]);
    assert_eq!(logs[2].name, "Oakfield Primary School");
    let heads = trail::heads(&mut auditor).await.unwrap();
    let mut tenants = trail::tenants(&mut auditor).await.unwrap();
    tenants.sort_unstable();
    for log in &logs {
        assert!(heads.contains(&(log.tenant, log.head)));
        assert!(tenants.contains(&log.tenant) && tenants.len() == logs.len());
        let mut walk = Walk::after(id_of(log.tenant), Point::START);
        trail::lines(&mut auditor, log.tenant, 0, None, |line| {
            walk.step(line).unwrap();
            ControlFlow::Continue(())
        })
        .await
        .unwrap();
        assert_eq!(walk.here(), log.head, "{}", log.label);
    }

    let mut audited = Vec::new();
    trail::lines(&mut auditor, scene.oakfield, 3, Some(9), |line| {
        audited.push(serde_json::to_string(line).unwrap());
        ControlFlow::Continue(())
    })
    .await
    .unwrap();
    assert_eq!(audited.len(), 6);
    for (email, reads) in [(CLERK, true), (PARENT, false)] {
        let caller = scene.caller(email).await;
        let mut read = scene.db.read(&caller).await.unwrap();
        let page = trail::shown::next(&mut read, 3, 9, 100).await.unwrap();
        let page: Vec<String> = page
            .iter()
            .map(|row| match row {
                trail::shown::Row::Line(line) => serde_json::to_string(line).unwrap(),
                trail::shown::Row::Withheld(line) => panic!("{line:?}"),
            })
            .collect();
        assert_eq!(
            page,
            if reads { audited.clone() } else { vec![] },
            "{email}"
        );
        let two = trail::shown::next(&mut read, 3, 9, 2).await.unwrap();
        assert_eq!(two.len(), if reads { 2 } else { 0 }, "{email}");
    }
}

#[tokio::test]
async fn a_period_is_the_lines_of_its_days() {
    let mut scene = Scene::new().await;
    let tenant = scene.oakfield;
    // Three days of summer, of which the second is quiet; the day begins at 23:00 UTC.
    let last = scene
        .text(&format!(
            "update event set at = case when seq <= 10 then '2026-07-01T22:59:59.999999Z'::timestamptz else '2026-07-02T23:00:00Z' end
             where tenant_id = '{tenant}';
             select max(seq)::text from event where tenant_id = '{tenant}'"
        ))
        .await
        .parse::<i64>()
        .unwrap();
    let day = |day| Some(Date::from_calendar_date(2026, Month::July, day).unwrap());
    let mut auditor = scene.fresh.options(Role::Auditor).connect().await.unwrap();
    for (from, to, after, until) in [
        (None, None, 0, last),
        (day(1), day(1), 0, 10),
        (day(2), day(2), 10, 10),
        (day(3), day(3), 10, last),
        (day(1), day(3), 0, last),
        (day(4), day(9), last, last),
        (
            None,
            Some(Date::from_calendar_date(2026, Month::June, 30).unwrap()),
            0,
            0,
        ),
        (None, day(2), 0, 10),
        (day(2), None, 10, last),
    ] {
        let span = trail::span(&mut auditor, tenant, from, to).await.unwrap();
        assert_eq!((span.after, span.until), (after, until), "{from:?} {to:?}");
        assert_eq!(span.rows(), until - after);
        assert_eq!(
            (span.from.is_some(), span.to.is_some()),
            (from.is_some(), to.is_some())
        );
    }
}
