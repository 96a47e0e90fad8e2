//! `quorate audit`, with the real binary, as whoever runs an installation uses it.

use crate::{
    house::{House, PATIENCE, as_login, words},
    scene::offline,
};
use quorate_verify::{Given, PublicKey};
use sqlx::{AssertSqlSafe, Executor as _, PgConnection};
use std::{
    fs,
    process::Output,
    time::{Duration, Instant},
};

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The line of a tenant.
fn line_of<'a>(text: &'a str, label: &str) -> &'a str {
    let start = format!("{label}: ");
    text.lines()
        .find(|line| line.starts_with(&start))
        .unwrap_or_else(|| panic!("{label} is not in {text}"))
}

/// The owner of the log, who can do what no login can.
async fn owner(house: &House) -> PgConnection {
    let mut owner = as_login(&house.url("migrator")).await;
    for sql in [
        "set role quorate_sec",
        "alter table public.event no force row level security",
        crate::tampering::RESTAMP,
    ] {
        owner.execute(sql).await.unwrap();
    }
    owner
}

async fn run(owner: &mut PgConnection, sql: &str) {
    let sql = sql.replace(
        "$t",
        "(select h.tenant_id from sec.event_head h join public.tenant t on t.id = h.tenant_id where t.label = 'oakfield')",
    );
    let done = owner
        .execute(sqlx::raw_sql(AssertSqlSafe(sql.clone())))
        .await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_sees_that_nothing_was_rewritten_and_where_it_was() {
    let house = House::new();
    let loaded = house.run(&["demo"]);
    assert!(loaded.status.success(), "{}", words(&loaded));
    let server = house.serve();
    let health = server.health().unwrap();
    assert!(
        health.contains(r#""checkpoints":{"broken":0,"read":true,"written":true}"#),
        "{health}"
    );
    // Beside a server that runs.
    let verified = house.run(&["audit", "verify"]);
    assert_eq!(verified.status.code(), Some(0), "{}", words(&verified));
    assert_eq!(server.stop(), Some(0));
    let folder = house.data.join("checkpoints");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 3);
    let key: PublicKey = said(&house.run(&["audit", "key"])).trim().parse().unwrap();

    // And without one. What came since the server ended is not signed, and is young.
    let invited = house.run(&[
        "account",
        "create",
        "--tenant",
        "oakfield",
        "--email",
        "amara@elsewhere.example",
        "--name",
        "Amara Bello",
        "--role",
        "governor",
    ]);
    assert!(invited.status.success(), "{}", words(&invited));
    let verified = house.run(&["audit", "verify", "--require-checkpoints"]);
    assert_eq!(verified.status.code(), Some(0), "{}", words(&verified));
    let text = said(&verified);
    assert_eq!(text.lines().count(), 3, "{text}");
    for label in ["beacon", "northgate", "oakfield"] {
        let line = line_of(&text, label);
        assert!(
            line.contains(" events, 1 checkpoint, head ") && line.ends_with("…: unbroken."),
            "{line}"
        );
    }
    let one = house.run(&["audit", "verify", "--tenant", "northgate"]);
    assert_eq!(
        (one.status.code(), said(&one).lines().count()),
        (Some(0), 1)
    );
    let another = quorate_verify::Signer::from_secret(&[1; 32]).public();
    let foreign = house.run(&["audit", "verify", "--key", &another.to_string()]);
    assert_eq!(foreign.status.code(), Some(1), "{}", said(&foreign));
    let nowhere = house.run(&["audit", "verify", "--tenant", "nowhere"]);
    assert_eq!(nowhere.status.code(), Some(2));

    // A copy, whole and in part.
    let given = Given {
        key: Some(key),
        ..Given::default()
    };
    let export = |more: &[&str]| {
        let output = house.run(&[&["audit", "export", "--tenant", "oakfield"], more].concat());
        assert!(output.status.success(), "{}", words(&output));
        offline(&output.stdout, &given).unwrap()
    };
    let whole = export(&[]);
    let today = domain::day::field(domain::day::today(server::clock::unix_seconds()));
    assert_eq!(
        (whole.name.as_str(), whole.after.seq, whole.signed),
        ("Oakfield Primary School", 0, 2)
    );
    assert!(line_of(&text, "oakfield").contains(&format!(
        "head {} {}…",
        whole.head.seq,
        whole.head.hash.short()
    )));
    assert_eq!(
        export(&["--from", "2020-01-01", "--to", &today]).head,
        whole.head
    );
    let part = export(&["--from", "5", "--to", "9"]);
    assert_eq!((part.after.seq, part.head.seq), (4, 9));
    assert_eq!(export(&["--from", "5", "--to", "9000"]).head, whole.head);
    assert_eq!(export(&["--to", "2020-01-01"]).rows(), 0);
    for wrong in [
        &["--from", "9", "--to", "5"][..],
        &["--from", "yesterday"],
        &["--tenant"],
    ] {
        let output = house.run(&[&["audit", "export", "--tenant", "oakfield"], wrong].concat());
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
        assert!(output.stdout.is_empty());
    }

    // Somebody who owns the database edits a row.
    let server = house.serve();
    let mut owner = owner(&house).await;
    let last = whole.head.seq;
    run(
        &mut owner,
        "create table sec.kept as select * from public.event where tenant_id = $t",
    )
    .await;
    run(
        &mut owner,
        "update public.event set act = 'membership.praised' where tenant_id = $t and seq = 7",
    )
    .await;
    let verified = house.run(&["audit", "verify"]);
    let text = said(&verified);
    assert_eq!(verified.status.code(), Some(1), "{text}");
    assert!(
        line_of(&text, "oakfield").starts_with("oakfield: broken. Row 7 was edited"),
        "{text}"
    );
    assert!(line_of(&text, "northgate").ends_with("unbroken."), "{text}");
    assert!(
        words(&verified).contains("1 log is broken."),
        "{}",
        words(&verified)
    );
    let other = house.run(&["audit", "verify", "--tenant", "northgate"]);
    assert_eq!(other.status.code(), Some(0));
    let copy = house.run(&["audit", "export", "--tenant", "oakfield"]);
    assert_eq!(copy.status.code(), Some(1));
    assert!(
        words(&copy).contains("not signed. Row 7"),
        "{}",
        words(&copy)
    );
    assert!(offline(&copy.stdout, &given).is_err());

    // They write all hashes anew, an hour earlier; the running server sees that it does not lead on.
    run(&mut owner, "update public.event set at = at - interval '1 hour' where tenant_id = $t; select restamp($t, 1, null)").await;
    let text = said(&house.run(&["audit", "verify"]));
    assert!(line_of(&text, "oakfield").contains("Row "), "{text}");
    assert!(
        line_of(&text, "oakfield").contains("is not the one that was signed"),
        "{text}"
    );
    let started = Instant::now();
    while !server.health().unwrap().contains(r#""broken":1"#) {
        assert!(started.elapsed() < PATIENCE, "{}", house.log());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    // Without the checkpoints nothing is left to tell it by, and that is said.
    fs::rename(&folder, house.data.join("elsewhere")).unwrap();
    let verified = house.run(&["audit", "verify"]);
    let text = said(&verified);
    assert_eq!(verified.status.code(), Some(0), "{text}");
    assert!(
        text.contains("oakfield: warning: there is no checkpoint file"),
        "{text}"
    );
    let verified = house.run(&["audit", "verify", "--require-checkpoints"]);
    assert_eq!(verified.status.code(), Some(1));
    assert!(
        words(&verified).contains("not signed."),
        "{}",
        words(&verified)
    );
    fs::rename(house.data.join("elsewhere"), &folder).unwrap();

    // Everything as it was is unbroken again.
    run(
        &mut owner,
        "delete from public.event where tenant_id = $t; insert into public.event select * from sec.kept;
         update sec.event_head h set (seq, hash) = (select k.seq, k.hash from sec.kept k order by k.seq desc limit 1) where h.tenant_id = $t",
    )
    .await;
    let verified = house.run(&["audit", "verify"]);
    assert_eq!(verified.status.code(), Some(0), "{}", said(&verified));
    assert!(said(&verified).contains(&format!("head {last} ")));
    // Rows, and checkpoints, of a school that the database does not know.
    run(
        &mut owner,
        "insert into public.event select '01900000-0000-7000-8000-0000000000aa', seq, at, act, actor, about, detail, topics, closes, prev, hash
         from sec.kept where seq = 3",
    )
    .await;
    let tenants: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    fs::copy(
        &tenants[0],
        folder.join("01900000-0000-7000-8000-0000000000bb.jsonl"),
    )
    .unwrap();
    let verified = house.run(&["audit", "verify"]);
    let text = said(&verified);
    assert_eq!(verified.status.code(), Some(1), "{text}");
    assert!(
        line_of(&text, "01900000-0000-7000-8000-0000000000aa")
            .contains("Row 3 is of a school that the database does not know."),
        "{text}"
    );
    assert!(
        line_of(&text, "01900000-0000-7000-8000-0000000000bb").contains("The log was cut"),
        "{text}"
    );
    assert!(words(&verified).contains("2 logs are broken."));
    drop(server);
}
