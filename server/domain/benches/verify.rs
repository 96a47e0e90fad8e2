//! How fast a log is checked: by the database's own lines, as `quorate audit verify` does, and from an export, as
//! `quorate-verify` does. Prints the figures and judges none: `cargo bench -p domain --features db --bench verify`.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, missing_docs)]

use std::{io::Cursor, ops::ControlFlow, time::Duration, time::Instant};

use domain::{TenantId, trail};
use quorate_verify::{FORMAT, Given, Header, Lines, Point, Record, Signer, VERSION, Walk, Writer};
use sqlx::ConnectOptions as _;
use testing::{Database, Fresh, Role};

const ROWS: i64 = 250_000;
const BATCH: i64 = 200;

fn told(what: &str, rows: i64, took: Duration) {
    #[allow(clippy::cast_precision_loss, reason = "far below 2^52 rows")]
    let rate = rows as f64 / took.as_secs_f64();
    println!("{what}: {rows} rows in {took:.2?}, {rate:.0} rows/s");
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let fresh = Fresh::demo().await;
    let mut behind = fresh.superuser(Database::Application).await;
    let oakfield: TenantId = sqlx::query_scalar("select id from tenant where label = 'oakfield'")
        .fetch_one(&mut behind)
        .await
        .unwrap();
    // As long as the lines of a school are; few at a time, since each finds the head of the log behind all its versions.
    for _ in 0..ROWS / BATCH {
        sqlx::query(
            "select sec.append_for($1, m.account_id, 'membership.renamed', m.id,
               jsonb_build_object('from', 'Margaret Oyelaran ' || n, 'to', 'Margaret Adeyemi ' || n),
               array['people', 'me/' || m.account_id], null)
             from generate_series(1, $2) as n, (select * from membership where tenant_id = $1 limit 1) as m",
        )
        .bind(oakfield)
        .bind(BATCH)
        .execute(&mut behind)
        .await
        .unwrap();
    }
    let mut auditor = fresh.options(Role::Auditor).connect().await.unwrap();
    let log = trail::logs(&mut auditor).await.unwrap();
    let log = log.into_iter().find(|log| log.tenant == oakfield).unwrap();
    assert!(log.head.seq >= ROWS);

    let started = Instant::now();
    let mut walk = Walk::after(trail::id_of(oakfield), Point::START);
    trail::lines(&mut auditor, oakfield, 0, None, |line| {
        walk.step(line).unwrap();
        ControlFlow::Continue(())
    })
    .await
    .unwrap();
    told("in the database", log.head.seq, started.elapsed());
    assert_eq!(walk.here(), log.head);

    let signer = Signer::from_secret(&[7; 32]);
    let mut writer = Writer::default();
    let mut file = writer.line(&Record::Header(Header {
        format: FORMAT.to_owned(),
        version: VERSION,
        tenant: trail::id_of(oakfield),
        name: log.name,
        made: 0,
        from: None,
        to: None,
        key: signer.public(),
        after: Point::START,
    }));
    trail::lines(&mut auditor, oakfield, 0, None, |line| {
        file.extend(writer.line(&Record::Event(line.clone())));
        ControlFlow::Continue(())
    })
    .await
    .unwrap();
    let closing = signer.sign(trail::id_of(oakfield), log.head, 0);
    file.extend(writer.line(&Record::Checkpoint(closing)));
    file.extend(writer.end(Some(&signer)));
    let given = Given {
        key: Some(signer.public()),
        ..Given::default()
    };
    let started = Instant::now();
    let export = Lines::new("export", Cursor::new(&file));
    let report = quorate_verify::verify(vec![export], &given).unwrap();
    let took = started.elapsed();
    told("from an export", log.head.seq, took);
    println!("{}", report.sentences().join(" "));
}
