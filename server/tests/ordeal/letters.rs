//! The mail server is away for an hour: letters wait, that is told, and each goes once when it is back.

use std::{
    net::TcpListener as Port,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde_json::Value;
use sqlx::PgConnection;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, block_in_place},
};

use crate::{
    crowd::Browser,
    house::{House, PATIENCE, Server, as_login},
};

/// A mail server of a few words (RFC 5321), which can be away.
#[derive(Clone, Default)]
struct Office(Arc<Mutex<Desk>>);

#[derive(Default)]
struct Desk {
    /// Whom the letters that were taken went to.
    taken: Vec<String>,
    /// How often somebody came.
    visits: usize,
    /// What is said in place of a greeting.
    shut: Option<&'static str>,
    /// Who is asked to come again.
    busy_for: Option<&'static str>,
}

impl Office {
    fn desk<T>(&self, look: impl FnOnce(&mut Desk) -> T) -> T {
        look(&mut self.0.lock().unwrap())
    }

    async fn open(&self, port: u16) -> JoinHandle<()> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let office = self.clone();
        tokio::spawn(async move {
            loop {
                let (visitor, _) = listener.accept().await.unwrap();
                tokio::spawn(office.clone().receive(visitor));
            }
        })
    }

    async fn receive(self, visitor: TcpStream) -> Option<()> {
        let mut visitor = BufReader::new(visitor);
        let shut = self.desk(|desk| {
            desk.visits += 1;
            desk.shut
        });
        let greeting = shut.unwrap_or("220 office.example ready");
        say(&mut visitor, greeting).await?;
        let mut to = String::new();
        loop {
            let line = heard(&mut visitor).await?;
            let verb = line.get(..4).unwrap_or(&line).to_ascii_uppercase();
            match verb.as_str() {
                "RCPT" => {
                    let busy = self.desk(|desk| desk.busy_for);
                    if busy.is_some_and(|busy| line.contains(busy)) {
                        say(&mut visitor, "450 come again").await?;
                        continue;
                    }
                    to = line;
                }
                "DATA" => {
                    say(&mut visitor, "354 go on").await?;
                    while heard(&mut visitor).await? != "." {}
                    self.desk(|desk| desk.taken.push(std::mem::take(&mut to)));
                }
                "QUIT" => return say(&mut visitor, "221 bye").await,
                _ => {}
            }
            say(&mut visitor, "250 ok").await?;
        }
    }

    fn letters_to(&self, whom: &str) -> usize {
        self.desk(|desk| desk.taken.iter().filter(|to| to.contains(whom)).count())
    }
}

async fn say(visitor: &mut BufReader<TcpStream>, words: &str) -> Option<()> {
    let words = format!("{words}\r\n");
    visitor.write_all(words.as_bytes()).await.ok()
}

async fn heard(visitor: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    let read = visitor.read_line(&mut line).await.ok()?;
    (read > 0).then(|| line.trim_end().to_owned())
}

/// What `/health` says of a part, or of everything.
pub fn health(server: &Server<'_>) -> Value {
    let answer = block_in_place(|| server.health()).unwrap_or_default();
    let body = answer.split("\r\n\r\n").nth(1).unwrap_or_default();
    serde_json::from_str(body).unwrap_or_default()
}

/// Waits, and fails with what the server said.
pub async fn until(house: &House, what: &str, mut holds: impl AsyncFnMut() -> bool) -> Duration {
    let started = Instant::now();
    while !holds().await {
        assert!(started.elapsed() < PATIENCE, "{what}: {}", house.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    started.elapsed()
}

async fn sql(database: &mut PgConnection, statement: &'static str) -> u64 {
    let done = sqlx::query(statement).execute(database).await;
    done.unwrap().rows_affected()
}

async fn invite(clerk: &mut Browser, email: &str) {
    let fields = [
        ("act", "people/add"),
        ("name", "Ordeal"),
        ("email", email),
        ("roles[0]", "governor"),
    ];
    let page = clerk.post("/people/add", &fields).await.unwrap();
    assert_eq!(page.status, 303, "{email}: {}", page.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_hour_without_a_mail_server_is_told_and_each_letter_goes_once_when_it_is_back() {
    let office = Office::default();
    let port = {
        let free = Port::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap().port()
    };
    let number = port.to_string();
    let smtp = [
        ("QUORATE_SMTP_HOST", "127.0.0.1"),
        ("QUORATE_SMTP_PORT", number.as_str()),
        ("QUORATE_SMTP_TLS", "none"),
        ("QUORATE_MAIL_FROM", "Quorate <quorate@ordeal.example>"),
    ];
    let opened = office.open(port).await;
    let house = House::new();
    let demo = [&smtp[..], &[("QUORATE_DEMO", "1")]].concat();
    let server = block_in_place(|| house.serve_with(&demo));
    let mut jobs = as_login(&house.url("jobs")).await;
    let mut clerk = Browser::at(&house, "oakfield")
        .sign_in("clerk@oakfield.example")
        .await;
    let told = |words: &str| house.log().matches(words).count();
    let (away, back) = ("mail does not go out", "mail goes out again");

    // Margaret gets hers at once. Joan's is not wanted yet, which is no matter of the others and no fault.
    office.desk(|desk| desk.busy_for = Some("joan"));
    for email in ["margaret@ordeal.example", "joan@ordeal.example"] {
        invite(&mut clerk, email).await;
    }
    until(&house, "the first letter", async || {
        office.letters_to("margaret") == 1
    })
    .await;
    until(&house, "a failed try", async || {
        sqlx::query_scalar(
            "select exists (select from graphile_worker._private_jobs where last_error like '%450%')",
        )
        .fetch_one(&mut jobs)
        .await
        .unwrap()
    })
    .await;
    until(&house, "one that waits", async || {
        let mail = &health(&server)["mail"];
        mail["answers"] == true && mail["waiting"] == 1
    })
    .await;
    assert_eq!((told(away), told(back)), (0, 0));

    // It turns everybody away, with words that are meant for nobody's letter (RFC 5321, 3.1).
    office.desk(|desk| {
        desk.busy_for = None;
        desk.shut = Some("554 no service here");
        desk.visits = 0;
    });
    // Joan's had many tries, so that one more would be followed by two hours of rest.
    sql(
        &mut jobs,
        "update graphile_worker._private_jobs set attempts = 8, run_at = now()",
    )
    .await;
    until(&house, "the telling", async || told(away) == 1).await;
    for number in 0..6 {
        invite(&mut clerk, &format!("governor{number}@ordeal.example")).await;
    }
    until(&house, "seven that wait", async || {
        let report = health(&server);
        let mail = &report["mail"];
        report["well"] == true && mail["answers"] == false && mail["waiting"] == 7
    })
    .await;
    let most: i16 = sqlx::query_scalar("select max(attempts) from graphile_worker._private_jobs")
        .fetch_one(&mut jobs)
        .await
        .unwrap();
    assert!(most <= 3, "a try that was not the letter's fault counts");
    let visits = office.desk(|desk| desk.visits);
    assert!(visits <= 6, "{visits} visits to a server that is shut");

    // It is gone, an hour passes, and the server is started anew meanwhile.
    opened.abort();
    assert_eq!(block_in_place(|| server.stop()), Some(0));
    let server = block_in_place(|| house.serve_with(&smtp));
    jobs = as_login(&house.url("jobs")).await;
    sql(
        &mut jobs,
        "update graphile_worker._private_jobs
         set created_at = created_at - interval '1 hour', run_at = run_at - interval '1 hour', locked_at = locked_at - interval '1 hour'",
    )
    .await;
    until(&house, "seven that wait for an hour", async || {
        let mail = &health(&server)["mail"];
        let oldest = mail["oldest"].as_str().unwrap_or_default();
        mail["answers"] == false
            && mail["waiting"] == 7
            && *oldest < *mail["since"].as_str().unwrap()
    })
    .await;
    assert_eq!(office.desk(|desk| desk.taken.len()), 1);
    assert_eq!((told(away), told(back)), (2, 0), "once by each process");

    office.desk(|desk| desk.shut = None);
    let opened = office.open(port).await;
    let took = until(&house, "the seven letters", async || {
        office.desk(|desk| desk.taken.len()) >= 8
    })
    .await;
    println!("an hour of letters has left {took:.1?} after the mail server was back");
    until(&house, "that nothing waits", async || {
        let mail = &health(&server)["mail"];
        mail["answers"] == true && mail["waiting"] == 0
    })
    .await;
    for number in 0..6 {
        assert_eq!(office.letters_to(&format!("governor{number}@")), 1);
    }
    assert_eq!(office.letters_to("joan"), 1);
    assert_eq!((told(away), told(back)), (2, 1), "{}", house.log());
    assert!(!house.log().contains("ordeal.example"), "nobody is named");
    opened.abort();
    assert_eq!(block_in_place(|| server.stop()), Some(0));
}
