//! The program itself: its exit codes, and one sentence for each.

use crate::making::{OAKFIELD, check, checkpoints, key, log, part, signer, whole};
use std::{
    path::PathBuf,
    process::{Command, Output},
};

/// A folder of its own, gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("verify-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn put(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).unwrap();
        path.display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Beside the folder of this test. Cargo would say where, in a variable whose name not every shell that stands between hands on.
fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(2).unwrap().join("quorate-verify")
}

fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(program()).args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn it_ends_with_0_for_unbroken_1_for_broken_and_2_for_what_it_cannot_tell() {
    let folder = Folder::new();
    let log = log(OAKFIELD, 120);
    let kept: String = checkpoints(&log, 50)
        .iter()
        .map(|one| {
            format!(
                "{{\"checkpoint\":{}}}\n",
                serde_json::to_string(one).unwrap()
            )
        })
        .collect();
    let kept = folder.put("kept.jsonl", kept.as_bytes());
    let (one, two) = (
        folder.put("one.jsonl", &part(&log, 1, 60)),
        folder.put("two.jsonl", &part(&log, 61, 120)),
    );
    let public = signer().public().to_string();
    let head = format!("100:{}", log[99].hash.short());

    let (code, said, complained) = run(&[
        &one,
        &two,
        "--key",
        &public,
        "--checkpoints",
        &kept,
        "--head",
        &head,
    ]);
    assert_eq!((code, complained.as_str()), (Some(0), ""), "{said}");
    assert!(
        said.starts_with("Oakfield Primary School: rows 1 to 120, ") && said.contains("unbroken.")
    );
    assert!(said.contains("the 1 hash you kept"), "{said}");
    let (code, said, _) = run(&[&one]);
    assert_eq!(code, Some(0));
    assert!(
        said.lines().count() == 2 && said.contains("--key"),
        "{said}"
    );

    let (code, said, complained) = run(&[&two, &one, "--key", &public]);
    assert_eq!((code, complained.as_str()), (Some(1), ""));
    assert!(
        said.starts_with("Broken. The files do not follow") && said.lines().count() == 1,
        "{said}"
    );
    let (code, said, _) = run(&[&one, &two, "--head", "100:00000000"]);
    assert_eq!(code, Some(1));
    assert!(
        said.contains("Row 100 is not the one that you kept"),
        "{said}"
    );

    for arguments in [
        &["/no/such/file"][..],
        &[&kept],
        &[&one, "--checkpoints", "/no/such/file"],
        &[&one, "--head", "61:00000000"],
        &[&one, "--head", "many"],
        &[&one, "--key", "beef"],
        &[],
    ] {
        let (code, said, complained) = run(arguments);
        assert_eq!((code, said.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(
            !complained.is_empty() && !complained.contains("panicked"),
            "{complained}"
        );
    }
    // The library says the same of the same files.
    check(&[whole(&log)], &key()).unwrap();
}
