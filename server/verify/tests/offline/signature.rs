//! Signatures: those that are not there, and those of somebody else.

use crate::making::{NORTHGATE, OAKFIELD, at, check, key, log, signer, whole, why};
use quorate_verify::{Break, Given, Point, Signer, Why};

#[test]
fn signatures_that_are_missing_misplaced_or_of_somebody_else_are_found() {
    let log = log(OAKFIELD, 120);
    let file = String::from_utf8(whole(&log)).unwrap();
    let lines: Vec<&str> = file.lines().collect();
    let without = |leave_out: &dyn Fn(&str) -> bool| -> Vec<u8> {
        let kept: Vec<&str> = lines
            .iter()
            .copied()
            .filter(|line| !leave_out(line))
            .collect();
        (kept.join("\n") + "\n").into_bytes()
    };
    let is_checkpoint = |line: &str| line.starts_with(r#"{"checkpoint""#);
    assert_eq!(
        why(check(&[without(&is_checkpoint)], &key())).why,
        Why::Unsigned
    );
    let inner = without(&|line| is_checkpoint(line) && line.contains(r#""seq":50,"#));
    assert_eq!(why(check(&[inner], &key())).why, Why::FileChanged);
    let renamed = file.replace("Oakfield Primary School", "Another School");
    assert_eq!(
        why(check(&[renamed.into_bytes()], &key())).why,
        Why::FileChanged
    );
    let mut moved = lines.clone();
    let place = moved.iter().position(|line| is_checkpoint(line)).unwrap();
    moved.swap(place, place + 1);
    assert_eq!(
        why(check(&[(moved.join("\n") + "\n").into_bytes()], &key())),
        Break {
            seq: 50,
            why: Why::CheckpointOutOfOrder
        }
    );
    // Of another school, and kept for another school.
    let theirs = signer().sign(
        NORTHGATE,
        Point {
            seq: 50,
            hash: log[49].hash,
        },
        at(50),
    );
    let foreign = Given {
        checkpoints: vec![theirs],
        ..key()
    };
    assert_eq!(
        why(check(&[whole(&log)], &foreign)).why,
        Why::ForeignCheckpoint
    );
    // Forged: under our name, without our secret.
    let mut text = serde_json::to_string(&Signer::from_secret(&[9; 32]).sign(
        OAKFIELD,
        Point {
            seq: 50,
            hash: log[49].hash,
        },
        at(50),
    ))
    .unwrap();
    text = text.replace(
        &Signer::from_secret(&[9; 32]).public().id().to_string(),
        &signer().public().id().to_string(),
    );
    let forged = Given {
        checkpoints: vec![serde_json::from_str(&text).unwrap()],
        ..key()
    };
    assert_eq!(why(check(&[whole(&log)], &forged)).why, Why::SignatureBad);
    // Two that contradict each other: the server signed two histories.
    let both = [log[49].hash, log[48].hash]
        .map(|hash| signer().sign(OAKFIELD, Point { seq: 50, hash }, at(50)));
    assert_eq!(
        why(check(
            &[whole(&log)],
            &Given {
                checkpoints: both.to_vec(),
                ..key()
            }
        ))
        .seq,
        50
    );
}
