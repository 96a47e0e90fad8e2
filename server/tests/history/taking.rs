//! Taking a copy of the log away: who may, what is recorded of it, and that it is signed only when it is whole.

use crate::{
    scene::{offline, verify},
    site::{Ask, Served},
};
use axum::http::{Method, StatusCode};
use domain::{TenantId, day};
use quorate_verify::{Failure, Given, Record, Source, Why};
use server::checkpoint::{Checkpointer, Pace, Parts};
use sqlx::{AssertSqlSafe, Executor as _, Row as _};
use std::{sync::Arc, time::Duration};
use testing::{Role, Stand};

const CLERK: &str = "clerk@oakfield.example";
/// Before everything: the demo may have been loaded on an earlier day.
const LONG_AGO: &str = "2020-01-01";

struct Desk {
    served: Served,
    oakfield: TenantId,
    today: String,
}

impl Desk {
    async fn new() -> Self {
        let mut served = Served::here().await;
        let oakfield = served.behind.tenant("oakfield").await;
        served
            .behind
            .execute(sqlx::raw_sql(crate::scene::GROW))
            .await
            .unwrap();
        served
            .behind
            .execute(crate::tampering::RESTAMP)
            .await
            .unwrap();
        Self {
            served,
            oakfield,
            today: day::field(day::today(server::clock::unix_seconds())),
        }
    }

    async fn sql(&mut self, sql: &str) -> String {
        let sql = sql.replace("$t", &format!("'{}'", self.oakfield));
        let rows = self
            .served
            .behind
            .fetch_all(AssertSqlSafe(sql.clone()))
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        rows.first()
            .and_then(|row| row.try_get(0).ok())
            .unwrap_or_default()
    }

    async fn head(&mut self) -> i64 {
        let head = self
            .sql("select seq::text from sec.event_head where tenant_id = $t")
            .await;
        head.parse().unwrap()
    }

    async fn grow(&mut self, rows: i64) {
        self.sql(&format!("select grow($t, {rows})::text")).await;
    }

    /// As the server signs when it ends.
    async fn sign(&self, rows: i64) {
        let notary = &self.served.notary;
        let parts = Parts {
            auditor: self.served.fresh.options(Role::Auditor),
            folder: notary.folder.clone(),
            signer: notary.signer.clone(),
            clock: notary.clock,
            pace: Pace {
                rows,
                ..Pace::default()
            },
        };
        Checkpointer::start(parts, Arc::default()).stop().await;
    }

    fn ask(&self, label: &str, cookie: &str, from: &str, to: &str) -> Ask {
        self.served
            .ask(Method::POST, label, "/audit/export")
            .cookie(cookie)
            .form(&[("from", from), ("to", to)])
    }

    /// The clerk's copy of these days.
    async fn take(&mut self, from: &str, to: &str) -> Vec<u8> {
        let cookie = self
            .served
            .cookie(Some("oakfield"), CLERK, Stand::SteppedUp)
            .await;
        let answer = self.ask("oakfield", &cookie, from, to).send().await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        answer.body
    }

    fn given(&self) -> Given {
        Given {
            key: Some(self.served.notary.signer.public()),
            ..Given::default()
        }
    }
}

fn why(file: &[u8], given: &Given) -> (i64, Why) {
    match offline(file, given) {
        Err(Failure::Broken(broken)) => (broken.seq, broken.why),
        other => panic!("{other:?}"),
    }
}

/// The rows of checkpoints in a file.
fn signed(file: &[u8]) -> Vec<i64> {
    String::from_utf8(file.to_vec())
        .unwrap()
        .lines()
        .filter_map(|line| match serde_json::from_str(line).unwrap() {
            Record::Checkpoint(checkpoint) => Some(checkpoint.seq),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn clerks_and_administrators_take_a_copy_that_holds_and_it_is_recorded_before_it_begins() {
    let mut desk = Desk::new().await;
    let today = desk.today.clone();
    for email in [CLERK, "clerk@beacon.example", "admin@oakfield.example"] {
        let before = desk.head().await;
        let cookie = desk
            .served
            .cookie(Some("oakfield"), email, Stand::Full)
            .await;
        let answer = desk.ask("oakfield", &cookie, LONG_AGO, &today).send().await;
        assert_eq!(answer.status, StatusCode::OK, "{email}");
        assert_eq!(answer.header("content-type"), "application/x-ndjson");
        assert_eq!(
            answer.header("content-disposition"),
            format!("attachment; filename=\"quorate-oakfield-log-{LONG_AGO}-{today}.jsonl\"")
        );
        assert_eq!(answer.header("cache-control"), "no-store");
        let report = offline(&answer.body, &desk.given()).unwrap();
        assert_eq!(
            (report.name.as_str(), report.after.seq, report.head.seq),
            ("Oakfield Primary School", 0, before)
        );
        // What the log says of it, and that nothing came between.
        let newest = desk
            .sql("select seq || ' ' || act || ' ' || detail::text || ' ' || (select email from account where id = e.actor)
                  from event e where tenant_id = $t order by seq desc limit 1")
            .await;
        assert_eq!(
            newest,
            format!(
                "{} audit.exported {{\"to\": \"{today}\", \"from\": \"{LONG_AGO}\", \"rows\": {before}}} {email}",
                before + 1
            )
        );
    }
}

#[tokio::test]
async fn a_day_that_is_left_out_is_the_first_or_the_last_there_is() {
    let mut desk = Desk::new().await;
    let today = desk.today.clone();
    let cookie = desk
        .served
        .cookie(Some("oakfield"), CLERK, Stand::SteppedUp)
        .await;
    for (from, to, name, detail) in [
        (
            "",
            "",
            format!("beginning-{today}"),
            r#"{"to": null, "from": null, "rows": $}"#.to_owned(),
        ),
        (
            " ",
            &today,
            format!("beginning-{today}"),
            format!(r#"{{"to": "{today}", "from": null, "rows": $}}"#),
        ),
        (
            LONG_AGO,
            "",
            format!("{LONG_AGO}-{today}"),
            format!(r#"{{"to": null, "from": "{LONG_AGO}", "rows": $}}"#),
        ),
    ] {
        let before = desk.head().await;
        let answer = desk.ask("oakfield", &cookie, from, to).send().await;
        assert!(
            answer
                .header("content-disposition")
                .contains(&format!("-log-{name}.jsonl")),
            "{name}"
        );
        let report = offline(&answer.body, &desk.given()).unwrap();
        assert_eq!((report.after.seq, report.head.seq), (0, before));
        let recorded = desk
            .sql("select detail::text from event where tenant_id = $t order by seq desc limit 1")
            .await;
        assert_eq!(recorded, detail.replace('$', &before.to_string()));
    }
}

#[tokio::test]
async fn to_everybody_else_there_is_no_copy_and_nothing_is_recorded() {
    let mut desk = Desk::new().await;
    let (today, head) = (desk.today.clone(), desk.head().await);
    let unknown = desk
        .served
        .ask(Method::POST, "oakfield", "/audit/no-such-thing")
        .form(&[])
        .send()
        .await;
    for (label, session, email, stand) in [
        (
            "oakfield",
            Some("oakfield"),
            "head@oakfield.example",
            Stand::SteppedUp,
        ),
        (
            "oakfield",
            Some("oakfield"),
            "chair@oakfield.example",
            Stand::SteppedUp,
        ),
        (
            "oakfield",
            Some("oakfield"),
            "governor1@oakfield.example",
            Stand::SteppedUp,
        ),
        (
            "oakfield",
            Some("oakfield"),
            "teacher1@oakfield.example",
            Stand::SteppedUp,
        ),
        (
            "oakfield",
            Some("oakfield"),
            "parent1@oakfield.example",
            Stand::SteppedUp,
        ),
        ("oakfield", Some("oakfield"), CLERK, Stand::Password),
        ("oakfield", Some("oakfield"), CLERK, Stand::Ended),
        ("oakfield", Some("oakfield"), CLERK, Stand::Idle),
        (
            "oakfield",
            Some("northgate"),
            "clerk@northgate.example",
            Stand::SteppedUp,
        ),
        ("oakfield", None, "clerk@beacon.example", Stand::SteppedUp),
        ("", None, "clerk@beacon.example", Stand::SteppedUp),
    ] {
        let cookie = desk.served.cookie(session, email, stand).await;
        for (from, to) in [
            (today.as_str(), today.as_str()),
            ("never", ""),
            (&today, "2020-01-01"),
        ] {
            let answer = desk.ask(label, &cookie, from, to).send().await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{email} {stand:?}");
            assert_eq!(answer.text(), "There is nothing here.");
        }
    }
    let stranger = desk.ask("oakfield", "", &today, &today).send().await;
    assert_eq!(stranger.status, StatusCode::NOT_FOUND);
    assert_ne!(unknown.status, StatusCode::OK);
    // The outsider: at Northgate its clerk may.
    let theirs = desk
        .served
        .cookie(
            Some("northgate"),
            "clerk@northgate.example",
            Stand::SteppedUp,
        )
        .await;
    let answer = desk
        .ask("northgate", &theirs, LONG_AGO, &today)
        .send()
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    let report = offline(&answer.body, &desk.given()).unwrap();
    assert_eq!(report.name, "Northgate Academy");

    // From a page of somebody else's, as a link, and with days that are none.
    let cookie = desk
        .served
        .cookie(Some("oakfield"), CLERK, Stand::SteppedUp)
        .await;
    let elsewhere = desk
        .ask("oakfield", &cookie, &today, &today)
        .header("origin", "https://evil.example")
        .header("sec-fetch-site", "cross-site");
    assert_eq!(elsewhere.send().await.status, StatusCode::FORBIDDEN);
    let link = desk.served.get("oakfield", "/audit/export", &cookie).await;
    assert_eq!(link.status, StatusCode::METHOD_NOT_ALLOWED);
    for (from, to, word) in [
        ("never", today.as_str(), "date"),
        ("", "31.02.2026", "date"),
        (&today, "2020-01-01", "other way round"),
    ] {
        let answer = desk.ask("oakfield", &cookie, from, to).send().await;
        assert_eq!(
            answer.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{from} {to}"
        );
        assert!(answer.text().contains(word), "{}", answer.text());
    }
    let odd = desk
        .served
        .ask(Method::POST, "oakfield", "/audit/export")
        .cookie(&cookie)
        .form(&[("from", &today)])
        .send()
        .await;
    assert_eq!(odd.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(desk.head().await, head, "nothing was recorded");
}

#[tokio::test]
async fn a_copy_carries_the_checkpoints_of_its_days_and_is_walked_to_from_the_one_before() {
    let mut desk = Desk::new().await;
    let today = desk.today.clone();
    desk.grow(60).await;
    desk.sign(20).await;
    desk.grow(30).await;
    // The first forty rows are of the day before yesterday.
    desk.sql("update event set at = at - interval '48 hours' where tenant_id = $t and seq <= 40")
        .await;
    desk.sql("select restamp($t, 1, null)::text").await;
    std::fs::remove_dir_all(desk.served.notary.folder.path()).unwrap();
    desk.sign(20).await;
    let head = desk.head().await;
    desk.grow(7).await;

    let file = desk.take(&today, &today).await;
    let report = offline(&file, &desk.given()).unwrap();
    assert_eq!((report.after.seq, report.head.seq), (40, head + 7));
    let rows: Vec<i64> = (60..=head).step_by(20).chain([head, head + 7]).collect();
    assert_eq!(signed(&file), rows);
    // A day on which nothing happened, after which the log went on.
    let quiet = desk.take(LONG_AGO, "2020-01-02").await;
    let report = offline(&quiet, &desk.given()).unwrap();
    assert_eq!((report.rows(), report.head.seq), (0, 0));
    assert_eq!(signed(&quiet), Vec::<i64>::new());
    // One row of before, after the checkpoint at 40 and before the period: moved into the day, so that the walk begins earlier.
    desk.sql("update event set at = at - interval '48 hours' where tenant_id = $t and seq between 41 and 45").await;
    let file = desk.take(&today, &today).await;
    assert_eq!(
        why(&file, &desk.given()).1,
        Why::Unsigned,
        "the rows before were rewritten since the checkpoint before them"
    );
}

#[tokio::test]
async fn a_copy_of_a_broken_log_is_given_and_not_signed() {
    for (name, tamper, row, reason) in [
        (
            "edited",
            "update event set act = 'a.b' where tenant_id = $t and seq = 50",
            50,
            Why::Edited,
        ),
        (
            "taken out",
            "delete from event where tenant_id = $t and seq = 50",
            50,
            Why::Missing(Some(51)),
        ),
        (
            "rewritten with every hash after it",
            "update event set act = 'a.b' where tenant_id = $t and seq = 50; select restamp($t, 50, null)",
            60,
            Why::Otherwise(Source::Signed, 40),
        ),
    ] {
        let mut desk = Desk::new().await;
        let today = desk.today.clone();
        desk.grow(60).await;
        desk.sign(20).await;
        let sql = tamper.replace("$t", &format!("'{}'", desk.oakfield));
        desk.served
            .behind
            .execute(sqlx::raw_sql(AssertSqlSafe(sql)))
            .await
            .unwrap();
        let file = desk.take(LONG_AGO, &today).await;
        assert_eq!(why(&file, &desk.given()), (row, reason), "{name}");
        let text = String::from_utf8(file).unwrap();
        assert!(text.ends_with("\"signature\":null}}\n"), "{name}");
        let mut auditor = sqlx::ConnectOptions::connect(&desk.served.fresh.options(Role::Auditor))
            .await
            .unwrap();
        assert!(
            verify(&mut auditor, &desk.served.notary, desk.oakfield)
                .await
                .is_err()
        );
    }
}

#[tokio::test]
async fn whoever_is_sent_away_while_they_download_gets_no_more() {
    use axum::body::{Body, HttpBody as _};
    use tower::ServiceExt as _;
    let mut desk = Desk::new().await;
    let today = desk.today.clone();
    desk.grow(6_000).await;
    let cookie = desk
        .served
        .cookie(Some("oakfield"), CLERK, Stand::SteppedUp)
        .await;
    for leaves in [false, true] {
        let ask = desk.ask("oakfield", &cookie, LONG_AGO, &today);
        let mut request = axum::http::Request::post("/audit/export")
            .body(Body::from(ask.body))
            .unwrap();
        *request.headers_mut() = ask.headers;
        let response = desk.served.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let mut body = Box::pin(response.into_body());
        let mut frame = async || {
            tokio::time::timeout(
                Duration::from_secs(20),
                std::future::poll_fn(|context| body.as_mut().poll_frame(context)),
            )
            .await
            .unwrap()
        };
        let mut file = frame()
            .await
            .unwrap()
            .unwrap()
            .into_data()
            .unwrap()
            .to_vec();
        if leaves {
            desk.sql("update sec.session set ended_at = now(), ended_why = 'removed' where tenant_id = $t returning 'x'").await;
        }
        let mut ended = Ok(());
        while let Some(next) = frame().await {
            match next {
                Ok(data) => file.extend_from_slice(&data.into_data().unwrap()),
                Err(error) => ended = Err(error),
            }
        }
        assert_eq!(ended.is_err(), leaves);
        let checked = offline(&file, &desk.given());
        if leaves {
            assert!(
                matches!(checked, Err(Failure::Unreadable(_))),
                "{checked:?}"
            );
            assert!(file.split(|byte| *byte == b'\n').count() < 4_000);
        } else {
            assert!(checked.unwrap().rows() > 6_000);
        }
    }
}

#[tokio::test]
async fn what_happened_in_a_restricted_folder_keeps_its_place_in_a_copy_and_says_nothing() {
    let mut desk = Desk::new().await;
    desk.grow(3).await;
    // A folder that its maker does not read, and three acts in it, as the log writes them.
    desk.sql(
        "with made as (
           insert into folder (tenant_id, name, restricted, made_by)
           select m.tenant_id, 'Complaint', true, m.id from membership m where m.tenant_id = $t limit 1 returning id, tenant_id
         ), named as (
           insert into folder_reader (tenant_id, folder_id, membership_id, files)
           select f.tenant_id, f.id, m.id, true from made f join membership m on m.tenant_id = f.tenant_id
             and m.roles && array['chair', 'governor'] returning folder_id
         ) select (select id from made)::text from named limit 1",
    )
    .await;
    for act in [
        "document.added",
        "document.opened",
        "document.version_added",
    ] {
        desk.sql(&format!(
            "select sec.append_for($t, null, '{act}', gen_random_uuid(),
               jsonb_build_object('folder', (select id from folder where tenant_id = $t and name = 'Complaint'), 'size', 'wombat'),
               '{{}}', null)::text"
        ))
        .await;
    }
    desk.grow(2).await;
    let file = desk.take("", "").await;
    let text = String::from_utf8(file.clone()).unwrap();
    assert!(!text.contains("wombat") && !text.contains("document.opened"));
    let withheld: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("\"withheld\""))
        .collect();
    assert_eq!(withheld.len(), 3);
    let given = desk.given();
    let report = offline(&file, &given).unwrap();
    assert_eq!(report.withheld, 3);
    assert!(
        report
            .sentences()
            .iter()
            .any(|one| one.contains("3 rows are withheld"))
    );
    // Left out altogether they are missed, and so is one in another's place.
    let without: String = text
        .lines()
        .filter(|line| *line != withheld[1])
        .map(|line| format!("{line}\n"))
        .collect();
    assert!(matches!(
        why(without.as_bytes(), &given),
        (_, Why::Missing(_))
    ));
    let doubled = text.replace(withheld[1], withheld[0]);
    assert!(matches!(why(doubled.as_bytes(), &given), (_, Why::Doubled)));
}
