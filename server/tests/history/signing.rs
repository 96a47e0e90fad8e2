//! The checkpointer: when it signs, and that it never signs what does not lead on.

use crate::scene::{Scene, pace, verify};
use quorate_verify::Signer;
use server::checkpoint::{Checkpointer, Pace};
use sqlx::Executor as _;
use std::{
    fs,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tracing_subscriber::fmt::MakeWriter;

/// Waits for something that another task does.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(30), "never: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Some rounds of looking.
async fn a_while() {
    tokio::time::sleep(Duration::from_millis(600)).await;
}

/// What is logged on this thread while it is held.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn listen(&self) -> tracing::subscriber::DefaultGuard {
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(self.clone());
        tracing::subscriber::set_default(subscriber.finish())
    }

    fn count(&self, words: &[&str]) -> usize {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&bytes);
        text.lines()
            .filter(|line| words.iter().all(|word| line.contains(word)))
            .count()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn a_thousand_lines_are_signed_each_time_and_the_rest_at_the_end() {
    let mut scene = Scene::new().await;
    let (oakfield, northgate) = (scene.oakfield, scene.northgate);
    let (first, theirs) = (
        scene.head(oakfield).await.seq,
        scene.head(northgate).await.seq,
    );
    let (checkpointer, bell) = scene.checkpointer(pace());
    until("the first", || {
        scene.signed(oakfield) == [first] && scene.signed(northgate) == [theirs]
    })
    .await;
    scene.grow(oakfield, 999).await;
    bell.notify_one();
    a_while().await;
    assert_eq!(scene.signed(oakfield), [first]);
    scene.grow(oakfield, 2_500).await;
    bell.notify_one();
    until("every thousandth", || scene.signed(oakfield).len() == 4).await;
    assert_eq!(
        scene.signed(oakfield),
        [0, 1_000, 2_000, 3_000].map(|rows| first + rows)
    );
    let health = checkpointer.health()();
    assert!(
        health.read && health.written && health.broken == 0,
        "{health:?}"
    );
    checkpointer.stop().await;
    assert_eq!(scene.signed(oakfield).last(), Some(&(first + 3_499)));
    // A school where nothing happened has nothing new signed.
    assert_eq!(scene.signed(northgate), [theirs]);
    let mut auditor = scene.auditor().await;
    let whole = verify(&mut auditor, &scene.notary, oakfield).await.unwrap();
    assert_eq!((whole.checkpoints, whole.unsigned_since), (5, None));
}

#[tokio::test]
async fn news_is_signed_after_a_while_without_a_bell_and_no_news_is_not() {
    let mut scene = Scene::new().await;
    let oakfield = scene.oakfield;
    let every = Duration::from_millis(200);
    let (checkpointer, _bell) = scene.checkpointer(Pace { every, ..pace() });
    until("the first", || scene.signed(oakfield).len() == 1).await;
    a_while().await;
    assert_eq!(scene.signed(oakfield).len(), 1);
    scene.grow(oakfield, 3).await;
    until("the news", || scene.signed(oakfield).len() == 2).await;
    assert_eq!(scene.signed(oakfield)[1], scene.head(oakfield).await.seq);
    checkpointer.stop().await;
    assert_eq!(scene.signed(oakfield).len(), 2);
}

#[tokio::test]
async fn a_new_start_goes_on_where_the_last_one_ended_even_within_a_line() {
    let mut scene = Scene::new().await;
    let oakfield = scene.oakfield;
    scene.sign(10).await;
    let file = scene.notary.folder.file(oakfield);
    let (before, signed) = (fs::read(&file).unwrap(), scene.signed(oakfield));
    assert!(signed.len() > 2, "{signed:?}");
    scene.grow(oakfield, 25).await;
    scene.sign(10).await;
    let last = *signed.last().unwrap();
    let after = fs::read(&file).unwrap();
    assert!(after.starts_with(&before));
    let wanted = [&signed[..], &[last + 10, last + 20, last + 25]].concat();
    assert_eq!(scene.signed(oakfield), wanted);
    // Killed while it wrote the last one.
    fs::write(&file, &after[..after.len() - 40]).unwrap();
    scene.grow(oakfield, 1).await;
    scene.sign(10).await;
    let wanted = [&signed[..], &[last + 10, last + 20, last + 26]].concat();
    assert_eq!(scene.signed(oakfield), wanted);
    let mut auditor = scene.auditor().await;
    let whole = verify(&mut auditor, &scene.notary, oakfield).await.unwrap();
    assert_eq!(whole.checkpoints, u64::try_from(wanted.len()).unwrap());
}

/// What the owner of the database does, after the last checkpoint or before it.
const FORKS: &[(&str, &str)] = &[
    ("an edit since", "update event set act = 'a.b' where tenant_id = $t and seq = $last + 2"),
    ("an edit since, with its own hash", "update event e set act = 'a.b',
       hash = sec.event_hash(prev, tenant_id, seq, at, 'a.b', actor, about, detail, topics, closes) where tenant_id = $t and seq = $last + 2"),
    ("a line taken out since", "delete from event where tenant_id = $t and seq = $last + 2"),
    ("the newest lines taken out", "delete from event where tenant_id = $t and seq > $last + 3"),
    ("an edit before, with every hash after it", "update event set act = 'a.b' where tenant_id = $t and seq = $last - 2; select restamp($t, $last - 2, null)"),
    ("the signed lines cut off", "delete from event where tenant_id = $t and seq > $last - 2; select restamp($t, $last - 1, null)"),
    ("the signed line replaced", "delete from event where tenant_id = $t and seq > $last; update event set act = 'a.b' where tenant_id = $t and seq = $last;
       select restamp($t, $last, null)"),
    ("the note of the head", "update sec.event_head set hash = sha256(hash) where tenant_id = $t"),
];

#[tokio::test]
async fn a_log_that_does_not_lead_on_is_told_and_never_signed_again() {
    for (name, fork) in FORKS {
        let mut scene = Scene::new().await;
        let (oakfield, northgate) = (scene.oakfield, scene.northgate);
        scene.sql(crate::tampering::RESTAMP).await;
        scene.sign(10).await;
        let last = *scene.signed(oakfield).last().unwrap();
        for tenant in [oakfield, northgate] {
            scene.grow(tenant, 5).await;
        }
        let untouched = fs::read(scene.notary.folder.file(oakfield)).unwrap();
        let fork = fork
            .replace("$last", &last.to_string())
            .replace("$t", &format!("'{oakfield}'"));
        scene
            .behind
            .execute(sqlx::raw_sql(sqlx::AssertSqlSafe(fork)))
            .await
            .unwrap();

        let log = Log::default();
        let listening = log.listen();
        let (checkpointer, bell) = scene.checkpointer(pace());
        let health = checkpointer.health();
        until(name, || health().broken == 1).await;
        bell.notify_one();
        a_while().await;
        checkpointer.stop().await;
        drop(listening);
        assert_eq!(
            fs::read(scene.notary.folder.file(oakfield)).unwrap(),
            untouched,
            "{name}"
        );
        assert_eq!(health().broken, 1);
        assert_eq!(
            log.count(&["ERROR", &oakfield.to_string(), "seq=", "rewritten"]),
            1,
            "{name}: told once"
        );
        // The other school is signed as ever.
        assert_eq!(
            scene.signed(northgate).last(),
            Some(&scene.head(northgate).await.seq),
            "{name}"
        );
        // And a new start looks again, and sees it again.
        scene.sign(10).await;
        assert_eq!(
            fs::read(scene.notary.folder.file(oakfield)).unwrap(),
            untouched,
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_checkpoint_file_of_somebody_elses_making_is_not_gone_on_with() {
    let mut scene = Scene::new().await;
    let (oakfield, northgate) = (scene.oakfield, scene.northgate);
    scene.sign(1_000).await;
    let head = scene.head(oakfield).await;
    scene.grow(oakfield, 5).await;
    let theirs = Signer::from_secret(&[9; 32]).sign(domain::trail::id_of(oakfield), head, 1);
    let of_another = scene.checkpoints(northgate).pop().unwrap();
    let line = |one| {
        format!(
            "{{\"checkpoint\":{}}}\n",
            serde_json::to_string(one).unwrap()
        )
    };
    for bad in [
        line(&theirs),
        line(&of_another),
        "a note of mine\n".to_owned(),
    ] {
        let file = scene.notary.folder.file(oakfield);
        fs::write(&file, &bad).unwrap();
        let log = Log::default();
        let listening = log.listen();
        scene.sign(1_000).await;
        drop(listening);
        assert_eq!(fs::read_to_string(&file).unwrap(), bad);
        assert_eq!(log.count(&["ERROR", &oakfield.to_string()]), 1, "{bad}");
    }
}

#[tokio::test]
async fn a_full_disk_is_told_once_and_tried_again() {
    let mut scene = Scene::new().await;
    let (oakfield, northgate) = (scene.oakfield, scene.northgate);
    // Everything that is written there finds no space.
    fs::create_dir_all(scene.notary.folder.path()).unwrap();
    let file = scene.notary.folder.file(oakfield);
    std::os::unix::fs::symlink("/dev/full", &file).unwrap();
    let log = Log::default();
    let listening = log.listen();
    let (checkpointer, _bell) = scene.checkpointer(pace());
    let health = checkpointer.health();
    until("no space", || !health().written).await;
    a_while().await;
    let told = &["ERROR", "cannot be written", "No space left"];
    assert_eq!(log.count(told), 1);
    assert_eq!((health().broken, health().read), (0, true));
    // One school's file does not keep the others from being signed.
    assert_eq!(scene.signed(northgate), [scene.head(northgate).await.seq]);
    fs::remove_file(&file).unwrap();
    until("space", || health().written).await;
    assert_eq!(scene.signed(oakfield), [scene.head(oakfield).await.seq]);
    assert_eq!(
        (log.count(told), log.count(&["INFO", "signed again"])),
        (1, 1)
    );
    checkpointer.stop().await;
    drop(listening);

    // No folder at all: a file is in its place.
    let mut scene = Scene::new().await;
    let oakfield = scene.oakfield;
    fs::write(scene.notary.folder.path(), "x").unwrap();
    let (checkpointer, _bell) = scene.checkpointer(pace());
    let health = checkpointer.health();
    until("no folder", || !health().written).await;
    fs::remove_file(scene.notary.folder.path()).unwrap();
    until("a folder", || health().written).await;
    assert_eq!(scene.signed(oakfield), [scene.head(oakfield).await.seq]);
    checkpointer.stop().await;
}

#[tokio::test]
async fn five_hundred_quiet_schools_cost_one_question_and_a_database_that_went_away_is_asked_again()
{
    let mut scene = Scene::new().await;
    let oakfield = scene.oakfield;
    scene
        .sql("do $$ begin for n in 1 .. 500 loop perform sec.make_tenant('load-' || n, 'School ' || n, 'school'); end loop; end $$")
        .await;
    let every = Duration::from_millis(100);
    let (checkpointer, _bell) = scene.checkpointer(Pace { every, ..pace() });
    let health = checkpointer.health();
    let lengths = || scene.notary.folder.lengths().unwrap();
    until("all of them", || lengths().len() == 503).await;
    let before = lengths();
    // Whoever reads a line of any log now is refused: the schools without news are not asked.
    scene
        .behind
        .execute("revoke select on event from quorate_auditor")
        .await
        .unwrap();
    a_while().await;
    assert!(health().read);
    let mut after = scene.notary.folder.lengths().unwrap();
    let mut before = before;
    before.sort_unstable();
    after.sort_unstable();
    assert_eq!(before, after);
    // One of them with news is.
    scene.grow(oakfield, 1).await;
    until("a refusal", || !health().read).await;
    scene
        .behind
        .execute("grant select on event to quorate_auditor")
        .await
        .unwrap();
    until("reading again", || health().read).await;
    assert_eq!(
        scene.signed(oakfield).last(),
        Some(&scene.head(oakfield).await.seq)
    );
    // Its connection is cut.
    scene.behind.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'quorate_auditor' and datname = current_database()").await.unwrap();
    scene.grow(oakfield, 1).await;
    let signed = scene.head(oakfield).await.seq;
    until("another connection", || {
        scene.signed(oakfield).last() == Some(&signed)
    })
    .await;
    checkpointer.stop().await;
}

/// Two processes that were given one folder.
#[tokio::test]
async fn two_that_sign_into_one_folder_leave_one_history() {
    let mut scene = Scene::new().await;
    let (oakfield, northgate) = (scene.oakfield, scene.northgate);
    let start = |scene: &Scene| -> (Checkpointer, Arc<tokio::sync::Notify>) {
        scene.checkpointer(Pace {
            rows: 10,
            every: Duration::from_millis(20),
            ..pace()
        })
    };
    let (one, two) = (start(&scene), start(&scene));
    for _ in 0..20 {
        for tenant in [oakfield, northgate] {
            scene.grow(tenant, 7).await;
        }
        one.1.notify_one();
        two.1.notify_one();
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
    one.0.stop().await;
    two.0.stop().await;
    let mut auditor = scene.auditor().await;
    for tenant in [oakfield, northgate] {
        let signed: Vec<i64> = scene.signed(tenant);
        assert!(signed.is_sorted_by(|a, b| a < b), "{signed:?}");
        assert_eq!(signed.last(), Some(&scene.head(tenant).await.seq));
        verify(&mut auditor, &scene.notary, tenant).await.unwrap();
    }
}
