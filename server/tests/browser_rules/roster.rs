//! The door for a roster: who may bring a file, which files it turns away, and that nothing stays of one that was not read to its end.

use axum::http::Method;
use testing::Stand;

use crate::{
    ADMIN, events,
    site::{Answer, Served},
};

const EDGE: &str = "a line that no roster has";
const TEACHER: &str = "teacher1@oakfield.example";
const HEADER: &str = "UPN;Admission number;Forename;Surname;DOB;Sex;Year;Reg;FSM;Shoe size\r\n";

fn form(fields: &[(&str, &str)], name: &str, file: &[u8]) -> Vec<u8> {
    let mut body = Vec::with_capacity(file.len() + 1024);
    for (field, value) in fields {
        let part = format!(
            "--{EDGE}\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n"
        );
        body.extend(part.bytes());
    }
    let part = format!(
        "--{EDGE}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n"
    );
    body.extend(part.bytes());
    body.extend(file);
    body.extend(format!("\r\n--{EDGE}--\r\n").bytes());
    body
}

async fn send(served: &Served, cookie: &str, body: Vec<u8>) -> Answer {
    served
        .ask(Method::POST, "oakfield", "/roster")
        .cookie(cookie)
        .header(
            "content-type",
            &format!("multipart/form-data; boundary=\"{EDGE}\""),
        )
        .body(body)
        .send()
        .await
}

/// What there is of rosters: readings, lines, and bytes on their way in.
async fn left(served: &mut Served) -> (i64, i64, usize) {
    let rows: (i64, i64) = sqlx::query_as(
        "select (select count(*) from roster_import), (select count(*) from roster_row)",
    )
    .fetch_one(&mut *served.behind)
    .await
    .unwrap();
    let folder = served.folder.path().join("uploads");
    (rows.0, rows.1, std::fs::read_dir(folder).unwrap().count())
}

/// A pupil's line; what stands in it beyond the roll's own is in none of the school's switches.
fn line(serial: u32) -> String {
    format!(
        ";A{serial:05};Aisha;Family{serial};{:02}/03/2017;F;5;4W;Canaryoff;Canaryunknown\r\n",
        13 + serial % 16
    )
}

fn lines(many: u32) -> String {
    HEADER.to_owned() + &(0..many).map(line).collect::<String>()
}

/// Whether a text stands in any table, as a superuser sees them.
async fn stored(served: &mut Served, text: &str) -> bool {
    let tables: Vec<String> = sqlx::query_scalar(
        "select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where c.relkind = 'r' and n.nspname in ('public', 'sec')",
    )
    .fetch_all(&mut *served.behind)
    .await
    .unwrap();
    for table in tables {
        let sql = format!("select exists (select from {table} t where t::text like '%{text}%')");
        let found: bool = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .fetch_one(&mut *served.behind)
            .await
            .unwrap();
        if found {
            return true;
        }
    }
    false
}

#[tokio::test]
async fn the_office_reads_a_roster_sees_each_column_and_downloads_what_cannot_be_taken() {
    let mut served = Served::here().await;
    let admin = served
        .cookie(Some("oakfield"), ADMIN, Stand::SteppedUp)
        .await;
    let file = lines(3)
        + "A801200005001;=1+1;Ben;Khan;31/02/2017;M;5;4W;Y;39\r\n"
        + "K801200005002;B2;Sian;Ap <i>;01/02/2017;F;5;4W;Y;39\r\n";
    let answer = send(
        &served,
        &admin,
        form(&[], "C:\\Year 4.csv", file.as_bytes()),
    )
    .await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let to = answer.location().to_owned();
    let (path, query) = to.split_once('?').unwrap();
    assert_eq!(query, "done=read");
    assert!(
        path.starts_with("/roster/") && !path.contains("reading"),
        "{to}"
    );
    assert_eq!(left(&mut served).await, (1, 5, 0));
    let page = served.get("oakfield", &to, &admin).await;
    assert_eq!(page.status, 200);
    let page = page.text();
    for part in [
        "Year 4.csv",
        "Shoe size",
        "No field goes by this name",
        "is not switched on at your school, so nothing of this column was kept.",
        "31 February 2017 does not exist",
        "Perhaps it should be",
        "Take in 3 new pupils",
        "2 lines are left out",
        "Ap &lt;i&gt;",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    for canary in ["Canaryoff", "Canaryunknown"] {
        assert!(!page.contains(canary));
        assert!(!stored(&mut served, canary).await, "{canary}");
    }
    assert!(
        stored(&mut served, "Family2").await,
        "the canaries could be found"
    );
    let csv = served
        .get("oakfield", &format!("{path}/not-taken.csv"), &admin)
        .await;
    assert_eq!(csv.status, 200);
    assert_eq!(
        csv.header("content-disposition"),
        "attachment; filename=\"not-taken.csv\""
    );
    let csv = csv.text();
    assert_eq!(csv.lines().count(), 3, "{csv}");
    assert!(csv.contains("'=1+1") && !csv.contains("39"), "{csv}");

    // Read otherwise: the first reading goes, and the answer is remembered.
    let import = path.rsplit('/').next().unwrap();
    let said = [("as-reg", "ignore"), ("instead", import)];
    let answer = send(&served, &admin, form(&said, "Year 4.csv", file.as_bytes())).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let page = served
        .get("oakfield", answer.location(), &admin)
        .await
        .text();
    assert!(page.contains("Somebody here said so."), "{page}");
    assert_eq!(left(&mut served).await, (2, 5, 0));
    let first = served.get("oakfield", path, &admin).await.text();
    assert!(first.contains("Nothing was taken from it"), "{first}");
}

#[tokio::test]
async fn a_header_that_is_not_understood_is_matched_by_hand_and_what_was_chosen_stays() {
    let mut served = Served::here().await;
    let admin = served.cookie(Some("oakfield"), ADMIN, Stand::Full).await;
    let before = events(&mut served).await;
    let file = lines(2).replace("DOB", "Day one").replace("Sex", "X/Y <b>");
    let answer = send(
        &served,
        &admin,
        form(&[("as-dayone", "born")], "r.csv", file.as_bytes()),
    )
    .await;
    assert_eq!(answer.status, 422);
    let page = answer.text();
    assert!(
        page.contains("No column is the sex: say which column it is."),
        "{page}"
    );
    assert!(
        page.contains("X/Y &lt;b&gt;") && !page.contains("X/Y <b>"),
        "{page}"
    );
    let chosen = page
        .split("name=\"as-dayone\"")
        .nth(1)
        .and_then(|rest| rest.split("</select>").next())
        .unwrap();
    let born = chosen.split("value=\"born\"").nth(1).unwrap();
    assert!(
        born.split('>').next().unwrap().contains("selected"),
        "{chosen}"
    );
    assert!(
        !page.contains("Canary") && !page.contains("Family"),
        "no cell of it"
    );
    assert_eq!(left(&mut served).await, (0, 0, 0));
    assert_eq!(events(&mut served).await, before);
    let said = [("as-dayone", "born"), ("as-xy", "sex"), ("as-xyb", "sex")];
    let answer = send(&served, &admin, form(&said, "r.csv", file.as_bytes())).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    // Remembered for the next file.
    let answer = send(&served, &admin, form(&[], "r.csv", file.as_bytes())).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert_eq!(left(&mut served).await, (2, 4, 0));
}

#[tokio::test]
async fn a_teacher_a_large_file_and_one_that_is_no_roster_leave_nothing_and_are_told_why() {
    let mut served = Served::here().await;
    let admin = served.cookie(Some("oakfield"), ADMIN, Stand::Full).await;
    let teacher = served.cookie(Some("oakfield"), TEACHER, Stand::Full).await;
    let before = events(&mut served).await;
    let good = form(&[], "r.csv", lines(2).as_bytes());
    let answer = send(&served, &teacher, good.clone()).await;
    assert_eq!(answer.status, 404);
    assert!(!answer.text().contains("Family"));
    let signed_out = send(&served, "", good.clone()).await;
    assert_eq!(
        (signed_out.status.as_u16(), signed_out.location()),
        (303, "/sign-in?why=signed-out")
    );
    let long = vec![b'x'; 65 << 20];
    let pdf = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n";
    let no_header = "Ben\r\nSian\r\n".as_bytes();
    let only_header = HEADER.as_bytes();
    for (file, sentence) in [
        (&long[..], "This file is larger than 50 MB."),
        (pdf, "This is a PDF, not a table."),
        (
            b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0",
            "This file is a program",
        ),
        (
            no_header,
            "No line with the names of the columns was found.",
        ),
        (only_header, "This file is empty."),
        (b"", "This file is empty."),
    ] {
        let answer = send(&served, &admin, form(&[], "r.csv", file)).await;
        assert_eq!(answer.status, 422, "{sentence}");
        let page = answer.text();
        assert!(page.contains(sentence), "{sentence}: {page}");
        assert!(
            page.contains("href=\"#file\""),
            "it is told beside its field"
        );
        assert_eq!(left(&mut served).await, (0, 0, 0), "{sentence}");
    }
    let nothing = send(&served, &admin, form(&[], "", b"")).await;
    assert_eq!(nothing.status, 422);
    // Cut off in the middle of the file.
    let answer = send(&served, &admin, good[..good.len() - 60].to_vec()).await;
    assert_eq!(answer.status, 422);
    assert_eq!(left(&mut served).await, (0, 0, 0));
    assert_eq!(events(&mut served).await, before);
    let answer = send(&served, &admin, good).await;
    assert_eq!(
        answer.status,
        303,
        "the same by the office, whole: {}",
        answer.text()
    );
    assert_eq!(left(&mut served).await, (1, 2, 0));
}

/// The processes that this one has started to read a roster.
fn children() -> Vec<i32> {
    let own = std::process::id().to_string();
    std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| {
            let read = |what: &str| {
                std::fs::read(format!("/proc/{pid}/{what}"))
                    .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
                    .unwrap_or_default()
            };
            let parent = read("status")
                .lines()
                .find_map(|line| line.strip_prefix("PPid:").map(|pid| pid.trim().to_owned()));
            parent.as_deref() == Some(&own) && read("cmdline").ends_with("roster\0")
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reading_that_is_killed_half_way_leaves_nothing_and_its_page_says_so() {
    let mut served = Served::here().await;
    let admin = served.cookie(Some("oakfield"), ADMIN, Stand::Full).await;
    let before = events(&mut served).await;
    let many = form(&[], "r.csv", lines(80_000).as_bytes());
    for killed in ["the child", "the connection"] {
        let answer = send(&served, &admin, many.clone()).await;
        assert_eq!(answer.status, 303, "{killed}: {}", answer.text());
        let reading = answer.location().to_owned();
        assert!(reading.starts_with("/roster/reading/"), "{reading}");
        let page = loop {
            let answer = served.get("oakfield", &reading, &admin).await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.header("refresh"), "2");
            let page = answer.text();
            assert!(page.contains("Your file is being read"), "{page}");
            if page.contains("of 80,000 rows so far") && !page.contains("No rows of") {
                break page;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        };
        assert!(page.contains("<progress"), "{page}");
        assert_eq!(
            left(&mut served).await,
            (0, 0, 0),
            "nobody sees a part of it"
        );
        if killed == "the child" {
            let children = children();
            assert_eq!(children.len(), 1, "{children:?}");
            for child in children {
                nix::sys::signal::kill(
                    nix::unistd::Pid::from_raw(child),
                    nix::sys::signal::Signal::SIGKILL,
                )
                .unwrap();
            }
        } else {
            let ended: i64 = sqlx::query_scalar(
                "select count(*) from (
                   select pg_terminate_backend(pid) from (
                     select distinct l.pid from pg_locks l join pg_database d on d.oid = l.database and d.datname = current_database()
                     where l.relation = 'roster_row'::regclass and l.mode = 'RowExclusiveLock') writing) ended",
            )
            .fetch_one(&mut *served.behind)
            .await
            .unwrap();
            assert!(ended > 0);
        }
        let page = loop {
            let page = served.get("oakfield", &reading, &admin).await;
            let text = page.text();
            if !text.contains("Your file is being read") {
                assert_eq!(page.header("refresh"), "", "{text}");
                break text;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        };
        assert!(
            page.contains("Your file was not read") && page.contains("Nothing of it was kept."),
            "{killed}: {page}"
        );
        assert_eq!(left(&mut served).await, (0, 0, 0), "{killed}");
        assert_eq!(events(&mut served).await, before, "{killed}");
    }
    // As after a new start: nobody knows of it any more.
    let unknown = format!("/roster/reading/{}", uuid::Uuid::now_v7());
    let page = served.get("oakfield", &unknown, &admin).await.text();
    assert!(
        page.contains("if it broke off, nothing of it was kept"),
        "{page}"
    );
}
