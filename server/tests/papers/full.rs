//! A disk that is full where files come in, or where they lie: told in a sentence, nothing is half there, and the rest goes on.

use std::{fs, os::unix::fs::MetadataExt as _, path::PathBuf, process::Command};

use tokio::task::block_in_place;

use crate::{crowd::Browser, folder, house::House};

/// Lays a small disk at `$SMALL`, for the process that is started so and its children only.
const LAY: &str = r#"
set -e
mkdir -p "$SMALL"
mount -t tmpfs -o size=6m,mode=700 tmpfs "$SMALL"
exec "$0" "$@"
"#;

/// None where the system lets nobody lay a disk.
fn on_a_small_disk(command: &Command, place: &std::path::Path) -> Option<Command> {
    let namespace = ["--mount", "--propagation", "private"];
    let may = fs::metadata("/proc/self").unwrap().uid() == 0
        && Command::new("unshare")
            .args(namespace)
            .args(["mount", "-t", "tmpfs", "tmpfs", "/mnt"])
            .output()
            .is_ok_and(|tried| tried.status.success());
    if !may {
        return None;
    }
    let mut small = Command::new("unshare");
    small
        .args(namespace)
        .args(["sh", "-c", LAY])
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear()
        .env("SMALL", place)
        .envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
    Some(small)
}

/// Files below a folder as the process sees it, without what the store says of its bucket.
fn files(folder: PathBuf) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

async fn a_file_that_finds_no_room(place: &str) {
    let house = House::new();
    let small = house.data.join(place);
    let mut command = house.command(&["serve"]);
    command.env("QUORATE_DEMO", "1");
    let Some(command) = on_a_small_disk(&command, &small) else {
        eprintln!("this user may not lay a small disk: a full one is not tried");
        return;
    };
    let server = block_in_place(|| house.serve_as(command));
    let seen =
        PathBuf::from(format!("/proc/{}/root", server.id())).join(small.strip_prefix("/").unwrap());
    let mut clerk = Browser::at(&house, "oakfield")
        .sign_in("clerk@oakfield.example")
        .await;
    let folder = folder(&mut clerk, "Policies").await;
    let first = clerk
        .file(&folder, "Small", "small.txt", "There is room for this.")
        .await;
    let before = files(seen.clone());

    let large = "It was a long meeting. ".repeat(400_000);
    for _ in 0..2 {
        let page = clerk
            .try_file(&folder, "Typed before", "large.txt", &large)
            .await;
        assert!([503, 507].contains(&page.status), "{}", page.text);
        assert_eq!(
            page.text.matches("role=\"alert\"").count(),
            1,
            "{}",
            page.text
        );
        assert!(page.text.contains("value=\"Typed before\""));
        assert_eq!(
            files(seen.clone()),
            before,
            "something of it stays in {place}"
        );
    }
    // The rest goes on, and so does what fits.
    assert_eq!(clerk.get("/people").await.unwrap().status, 200);
    assert_eq!(
        clerk
            .get(&format!("{first}/versions/1/file"))
            .await
            .unwrap()
            .text,
        "There is room for this."
    );
    let second = clerk
        .file(&folder, "Small too", "small.txt", "And for this.")
        .await;
    assert_eq!(
        clerk
            .get(&format!("{second}/versions/1/file"))
            .await
            .unwrap()
            .text,
        "And for this."
    );
    assert!(
        !clerk
            .get(&folder)
            .await
            .unwrap()
            .text
            .contains("Typed before")
    );
    assert_eq!(block_in_place(|| server.stop()), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn where_files_come_in() {
    a_file_that_finds_no_room("uploads").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn where_files_lie() {
    a_file_that_finds_no_room("s3").await;
}
