//! A full disk: told in a sentence, nothing acknowledged is lost, and it goes on by itself once there is room.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use sqlx::PgConnection;
use tokio::task::block_in_place;

use crate::{
    crowd::{Browser, Clerk, Fate},
    house::{House, as_login, words},
    jobs::superuser,
    letters::{health, until},
};

const WHO: (&str, &str, &str) = (
    "oakfield",
    "clerk@oakfield.example",
    "teacher3@oakfield.example",
);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn checkpoints_and_objects_that_find_no_room_are_told_and_go_on_once_there_is() {
    let house = House::new();
    let server = block_in_place(|| house.serve_with(&[("QUORATE_DEMO", "1")]));
    let mut database = as_login(&house.url("backup")).await;
    let mut clerk = Clerk::at(&house, &mut database, 0, WHO).await;
    let told = |words: &str| house.log().matches(words).count();
    let oakfield: uuid::Uuid = sqlx::query_scalar("select id from tenant where label = 'oakfield'")
        .fetch_one(&mut database)
        .await
        .unwrap();
    let file = house.data.join(format!("checkpoints/{oakfield}.jsonl"));
    until(&house, "the first checkpoint and object", async || {
        file.exists() && health(&server)["storage"] == true
    })
    .await;

    // No byte more goes into the file, nor into the bucket.
    let aside = file.with_extension("aside");
    fs::rename(&file, &aside).unwrap();
    symlink("/dev/full", &file).unwrap();
    let bucket = house.data.join("s3/quorate");
    let bucket_aside = bucket.with_extension("aside");
    fs::rename(&bucket, &bucket_aside).unwrap();
    fs::write(&bucket, "").unwrap();
    let mut above = superuser(&house, "quorate_application").await;
    sqlx::query(
        "select sec.append_for($1, null, 'membership.renamed', null, '{}', '{people}', null) from generate_series(1, 1000)",
    )
    .bind(oakfield)
    .execute(&mut above)
    .await
    .unwrap();
    assert_eq!(clerk.change(0).await, Fate::Acknowledged);
    until(&house, "the telling", async || {
        let report = health(&server);
        report["checkpoints"]["written"] == false
            && report["storage"] == false
            && report["well"] == true
    })
    .await;
    // It is tried again, and not told again.
    for turn in 1..4 {
        assert_eq!(clerk.change(turn).await, Fate::Acknowledged);
    }
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(told("checkpoints cannot be written"), 1, "{}", house.log());
    assert_eq!(told("the store fails to"), 1, "{}", house.log());

    fs::remove_file(&file).unwrap();
    fs::rename(&aside, &file).unwrap();
    fs::remove_file(&bucket).unwrap();
    fs::rename(&bucket_aside, &bucket).unwrap();
    until(&house, "the end of it", async || {
        let report = health(&server);
        report["checkpoints"]["written"] == true && report["storage"] == true
    })
    .await;
    assert_eq!(told("checkpoints are signed again"), 1);
    assert_eq!(clerk.check(&mut database).await, (0, 0));
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.lines().count() > 1 && text.ends_with('\n'), "{text}");
    assert_eq!(block_in_place(|| server.stop()), Some(0));
    let verified = house.run(&["audit", "verify", "--require-checkpoints"]);
    assert_eq!(verified.status.code(), Some(0), "{}", words(&verified));
}

/// What can be written to the small disk that a house's database lies on.
const SIZE: &str = "320m";

/// Lays a small disk under the database, for the process that is started so and its children only, and copies it there.
/// Every ordinary user may where the system lets them have namespaces.
const LAY: &str = r#"
set -e
cluster="$QUORATE_DATA/postgres"
mkdir -p "$QUORATE_DATA/small"
mount -t tmpfs -o "size=$SMALL,mode=700" tmpfs "$QUORATE_DATA/small"
cp -a "$cluster/." "$QUORATE_DATA/small"
mount --bind "$QUORATE_DATA/small" "$cluster"
exec "$0" "$@"
"#;

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// None where the system lets nobody lay a disk.
fn on_a_small_disk(command: &Command) -> Option<Command> {
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "--propagation", "private"]);
    if !is_root() {
        return None;
    }
    let probe = Command::new("unshare")
        .args([
            "--mount",
            "--propagation",
            "private",
            "mount",
            "-t",
            "tmpfs",
            "tmpfs",
            "/mnt",
        ])
        .output();
    if !probe.is_ok_and(|probe| probe.status.success()) {
        return None;
    }
    unshare
        .args(["sh", "-c", LAY])
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear()
        .env("SMALL", SIZE)
        .envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
    Some(unshare)
}

/// Takes every byte that is left, and gives them back.
struct Filler(PathBuf);

impl Filler {
    fn fill(folder: &Path) -> Self {
        let filler = Self(folder.join("filler"));
        let mut file = fs::File::create(&filler.0).unwrap();
        let zeros = vec![0; 1 << 20];
        while file.write_all(&zeros).is_ok() {}
        // The last bytes, one page at a time.
        while file.write_all(&zeros[..512]).is_ok() {}
        filler
    }
}

impl Drop for Filler {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Goes on to the next file of the database's log until there is none.
async fn use_up(above: &mut PgConnection) {
    for _ in 0..100 {
        let next = "select pg_logical_emit_message(false, 'ordeal', 'more'), pg_switch_wal()";
        if sqlx::query(next).execute(&mut *above).await.is_err() {
            return;
        }
    }
    panic!("the log of the database goes on for ever");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_database_that_finds_no_room_loses_nothing_and_is_back_by_itself() {
    let house = House::new();
    let safe = ("QUORATE_TEST_FAST", "0");
    let server = block_in_place(|| house.serve_with(&[safe, ("QUORATE_DEMO", "1")]));
    assert_eq!(block_in_place(|| server.stop()), Some(0));
    let mut command = house.command(&["serve"]);
    command.envs([safe]);
    let Some(small) = on_a_small_disk(&command) else {
        eprintln!("this user may not lay a small disk under PostgreSQL: a full one is not tried");
        return;
    };
    let server = block_in_place(|| house.serve_as(small));
    let postgres = PathBuf::from(format!("/proc/{}/root", server.id()))
        .join(house.data.join("postgres").strip_prefix("/").unwrap());
    let behind = house.url("backup");
    let mut database = as_login(&behind).await;
    let mut clerk = Clerk::at(&house, &mut database, 0, WHO).await;
    let mut above = superuser(&house, "postgres").await;
    let mut stranger = Browser::at(&house, "oakfield");
    for turn in 0..8 {
        assert_eq!(clerk.change(turn).await, Fate::Acknowledged);
    }
    assert_eq!(health(&server)["disk"], true);

    for round in 0..2 {
        let filler = Filler::fill(&postgres);
        until(&house, "the telling", async || {
            health(&server)["disk"] == false
        })
        .await;
        // A row that finds no room is refused. A log of the database that finds none ends it, as soon as what was set aside
        // for it is used up.
        if round == 1 {
            use_up(&mut above).await;
        }
        let (mut turn, mut fate) = (0, Fate::Acknowledged);
        while fate == Fate::Acknowledged && turn < 4_000 {
            turn += 1;
            fate = clerk.change(turn).await;
        }
        assert_ne!(
            fate,
            Fate::Acknowledged,
            "a disk that is full takes {turn} changes"
        );
        // Long enough for all the starts that it is given otherwise.
        tokio::time::sleep(Duration::from_secs(8)).await;
        drop(filler);
        stranger.until_served("/sign-in").await;
        let page = clerk.page();
        clerk.browser.until_served(&page).await;
        until(&house, "that it is told", async || {
            let report = health(&server);
            report["disk"] == true && report["well"] == true
        })
        .await;
        database = as_login(&behind).await;
        above = superuser(&house, "postgres").await;
        println!(
            "full in round {round} after {turn} changes: {:?}",
            clerk.check(&mut database).await
        );
        for turn in 0..8 {
            assert_eq!(clerk.change(turn).await, Fate::Acknowledged);
        }
    }
    database = as_login(&behind).await;
    clerk.check(&mut database).await;
    let verified = block_in_place(|| house.run(&["audit", "verify"]));
    assert_eq!(verified.status.code(), Some(0), "{}", words(&verified));
    let log = house.log();
    let told = |words: &str| log.matches(words).count();
    assert_eq!(told("the disk is all but full"), 2, "{log}");
    assert!(told("the disk of the database is full") >= 1, "{log}");
    // What was refused for want of room is nobody's fault of ours.
    assert!(told("the database does not answer") >= 1, "{log}");
    assert_eq!(told("statement failed"), 0, "{log}");
    assert_eq!(block_in_place(|| server.stop()), Some(0));
}
