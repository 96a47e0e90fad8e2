//! The morning's letters, from the log to the mail server.

use std::sync::atomic::{AtomicI64, Ordering};

use domain::notice::letter::LetterId;
use time::macros::time;

use super::*;

/// Seconds since 1970 by the workers' clock; tests run in processes of their own.
static NOW: AtomicI64 = AtomicI64::new(0);

fn clock() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(NOW.load(Ordering::Relaxed)).unwrap()
}

fn set_clock(moment: OffsetDateTime) {
    NOW.store(moment.unix_timestamp(), Ordering::Relaxed);
}

/// A noon ahead, so that what the database dates by its own clock lies before it.
fn first() -> OffsetDateTime {
    (OffsetDateTime::now_utc() + time::Duration::days(3)).replace_time(time!(12:00))
}

impl School {
    /// Somebody who has joined.
    async fn member(&mut self, email: &str, name: &str, role: &str) -> Uuid {
        sqlx::query_scalar(
            "insert into membership (tenant_id, account_id, name, roles, state, joined_at)
             values ($1, sec.make_account($2), $3, array[$4], 'active', now()) returning id",
        )
        .bind(self.id)
        .bind(email)
        .bind(name)
        .bind(role)
        .fetch_one(&mut self.admin)
        .await
        .unwrap()
    }

    /// Something was done to somebody.
    async fn did(&mut self, act: &str, about: Uuid, detail: &str) {
        sqlx::query("select sec.append_for($1, null, $2, $3, $4::jsonb, '{people}', null)")
            .bind(self.id)
            .bind(act)
            .bind(about)
            .bind(detail)
            .execute(&mut self.admin)
            .await
            .unwrap();
    }

    /// Whether the letters of that day's morning are made; the worker that made the tables may have made those of an
    /// earlier one.
    async fn woke(&mut self, day: OffsetDateTime) -> bool {
        sqlx::query_scalar("select exists (select from sec.morning where at = sec.morning_of($1))")
            .bind(day.date())
            .fetch_one(&mut self.admin)
            .await
            .unwrap()
    }
}

impl Cluster {
    fn waking(&self, mailer: Mailer) -> Parts {
        let parts = self.parts(mailer);
        Parts {
            clock,
            pace: Pace {
                morning: Duration::from_millis(50),
                ..parts.pace
            },
            ..parts
        }
    }
}

#[tokio::test]
async fn a_digest_of_two_servers_leaves_once_and_names_the_head_and_nobody_else() {
    let cluster = Cluster::start().await.with_tables().await;
    let office = Office::default();
    let mut oakfield = School::open(&cluster, "oakfield").await;
    let joan = oakfield
        .member("joan@oakfield.example", "Joan Whitlock", "clerk")
        .await;
    let canary = oakfield
        .member("c@oakfield.example", "Ottoline Canary", "teacher")
        .await;
    let first = first();
    set_clock(first);
    let port = office.open(SslConfig::None);
    let start = || {
        let mailer = Mailer::smtp(&smtp(port), links()).unwrap();
        Worker::start(cluster.waking(mailer), Arc::default())
    };
    let workers = [start(), start()];
    until("the first morning", async || oakfield.woke(first).await).await;
    oakfield
        .did("membership.removed", canary, r#"{"why": "canary-reason"}"#)
        .await;
    oakfield
        .did("term.suspended", joan, r#"{"why": "canary-reason"}"#)
        .await;
    assert_eq!(office.taken().len(), 0);
    set_clock(first + time::Duration::DAY);
    until("the letter", async || !office.taken().is_empty()).await;
    // Each process looks again, and each relay would find what is left.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let letter: Uuid = sqlx::query_scalar(
        "select id from sec.letter where membership_id = $1 and sent_at is not null",
    )
    .bind(joan)
    .fetch_one(&mut oakfield.admin)
    .await
    .unwrap();
    // A relay that died before it said so adds the job once more.
    cluster
        .queue()
        .add_letter(LetterId {
            tenant: oakfield.id,
            id: letter,
        })
        .await
        .unwrap();
    let mut jobs = cluster.wait("quorate_jobs").await;
    until("the end of the job", async || {
        keys(&mut jobs).await.is_empty()
    })
    .await;
    for worker in workers {
        worker.stop().await;
    }
    let to: Vec<String> = office
        .taken()
        .into_iter()
        .flat_map(|letter| letter.to)
        .collect();
    assert_eq!(to, ["joan@oakfield.example"]);
    let sent = &office.taken()[0].data;
    let mail = MessageParser::default().parse(sent).unwrap();
    let text = mail.body_text(0).unwrap().into_owned() + &mail.body_html(0).unwrap();
    let raw = String::from_utf8_lossy(sent);
    for told in ["canary", "Canary", "uspend", "Ottoline"] {
        assert!(
            !text.contains(told) && !raw.contains(told),
            "{told}: {text}"
        );
    }
    assert!(text.contains("Somebody was removed."), "{text}");
    assert!(
        text.contains("Something about your place was changed."),
        "{text}"
    );
    let head: String =
        sqlx::query_scalar("select encode(hash, 'hex') from sec.event_head where tenant_id = $1")
            .bind(oakfield.id)
            .fetch_one(&mut oakfield.admin)
            .await
            .unwrap();
    assert!(text.contains(&head), "{head}: {text}");
    assert_eq!(
        mail.header_raw("List-Unsubscribe").map(str::trim),
        Some("<http://oakfield.localhost:3000/me/notices>")
    );
    assert_eq!(
        mail.subject(),
        Some("Oakfield Primary School: 2 things are new")
    );
}

#[tokio::test]
async fn a_digest_that_is_refused_is_told_of_its_reader_and_not_tried_again() {
    let cluster = Cluster::start().await.with_tables().await;
    let office = Office::default();
    *office.refuses.lock().unwrap() = Some(("joan".into(), 550, usize::MAX));
    let mut oakfield = School::open(&cluster, "oakfield").await;
    let joan = oakfield
        .member("joan@oakfield.example", "Joan Whitlock", "clerk")
        .await;
    let first = first();
    set_clock(first);
    let mailer = Mailer::smtp(&smtp(office.open(SslConfig::None)), links()).unwrap();
    let worker = Worker::start(cluster.waking(mailer), Arc::default());
    until("the first morning", async || oakfield.woke(first).await).await;
    oakfield.did("membership.renamed", joan, "{}").await;
    set_clock(first + time::Duration::DAY);
    until("the mark", async || {
        sqlx::query_scalar("select exists (select from bounce where membership_id = $1)")
            .bind(joan)
            .fetch_one(&mut oakfield.admin)
            .await
            .unwrap()
    })
    .await;
    let detail: String = sqlx::query_scalar(
        "select detail::text from event where act = 'mail.undeliverable' and about = $1",
    )
    .bind(joan)
    .fetch_one(&mut oakfield.admin)
    .await
    .unwrap();
    assert_eq!(detail, r#"{"seq": null, "code": 550}"#);
    // The first back-off is 2.7 seconds: a second try would fall into this.
    tokio::time::sleep(Duration::from_secs(4)).await;
    worker.stop().await;
    assert_eq!((office.tries(), office.taken().len()), (1, 0));
}
