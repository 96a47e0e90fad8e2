//! A log that somebody rewrote, with or without its hashes.

use crate::making::{
    MADE, NORTHGATE, OAKFIELD, Period, at, check, checkpoints, export, head, key, log, part,
    restamp, signer, whole, why,
};
use quorate_verify::{Bound, Failure, Given, Hash, Line, Lines, Point, Why, checkpoints_in};

type Tamper = fn(&mut Vec<Line<'static>>);

fn renumber(log: &mut [Line<'_>]) {
    for (seq, line) in (1..).zip(log) {
        line.seq = seq;
    }
}

#[test]
fn whoever_leaves_the_hashes_as_they_were_is_found_at_the_row() {
    let whole_log = log(OAKFIELD, 230);
    let tried: &[(&str, Tamper, i64, Why)] = &[
        (
            "tenant",
            |log| log[29].tenant = NORTHGATE,
            30,
            Why::ForeignTenant,
        ),
        (
            "seq",
            |log| log[29].seq = 9_000,
            30,
            Why::Missing(Some(9_000)),
        ),
        ("seq of another", |log| log[29].seq = 29, 29, Why::Doubled),
        (
            "seq of a past one",
            |log| log[29].seq = 7,
            7,
            Why::OutOfOrder(29),
        ),
        ("at", |log| log[29].at += 1, 30, Why::Edited),
        (
            "act",
            |log| log[29].act = "membership.added".into(),
            30,
            Why::Edited,
        ),
        (
            "actor",
            |log| log[29].actor = Some(NORTHGATE),
            30,
            Why::Edited,
        ),
        (
            "about",
            |log| log[29].about = Some(NORTHGATE),
            30,
            Why::Edited,
        ),
        (
            "detail",
            |log| log[29].detail = r#"{"why": "x"}"#.into(),
            30,
            Why::Edited,
        ),
        (
            "topics",
            |log| log[29].topics = "{x}".into(),
            30,
            Why::Edited,
        ),
        (
            "closes",
            |log| log[29].closes = Some("{}".into()),
            30,
            Why::Edited,
        ),
        (
            "closes as a dash",
            |log| log[29].closes = Some("-".into()),
            30,
            Why::Misshapen("closes"),
        ),
        (
            "act with a line feed",
            |log| log[29].act = "a.b\n-".into(),
            30,
            Why::Misshapen("act"),
        ),
        ("prev", |log| log[29].prev = Hash::ZERO, 30, Why::Edited),
        ("hash", |log| log[29].hash = Hash::ZERO, 30, Why::Edited),
        (
            "one row restamped",
            |log| {
                log[29].act = "a.b".into();
                let prev = log[29].prev;
                log[29].hash = log[29].computed(&prev);
            },
            31,
            Why::DoesNotFollow,
        ),
        (
            "deleted",
            |log| drop(log.remove(29)),
            30,
            Why::Missing(Some(31)),
        ),
        (
            "the first deleted",
            |log| drop(log.remove(0)),
            1,
            Why::Missing(Some(2)),
        ),
        (
            "doubled",
            |log| log.insert(29, log[28].clone()),
            29,
            Why::Doubled,
        ),
        (
            "swapped",
            |log| log.swap(29, 30),
            30,
            Why::Missing(Some(31)),
        ),
        (
            "moved back",
            |log| {
                let row = log.remove(9);
                log.insert(29, row);
            },
            10,
            Why::Missing(Some(11)),
        ),
        (
            "inserted",
            |log| {
                let mut row = log[28].clone();
                row.seq = 30;
                row.prev = row.hash;
                row.hash = row.computed(&row.prev);
                log.insert(29, row);
            },
            30,
            Why::Doubled,
        ),
    ];
    for (name, tamper, seq, reason) in tried {
        let mut log = whole_log.clone();
        tamper(&mut log);
        // Signed anew by whoever holds the key as well: the rows speak for themselves.
        let broken = why(check(&[whole(&log)], &Given::default()));
        assert_eq!((broken.seq, &broken.why), (*seq, reason), "{name}");
    }
}

#[test]
fn whoever_rewrites_every_hash_is_found_by_what_the_reader_kept() {
    let whole_log = log(OAKFIELD, 230);
    let tried: &[(&str, Tamper)] = &[
        ("edited", |log| {
            log[79].detail = r#"{"x": 1}"#.into();
            restamp(log, 79);
        }),
        ("deleted", |log| {
            log.remove(79);
            renumber(log);
            restamp(log, 79);
        }),
        ("inserted", |log| {
            log.insert(79, log[3].clone());
            renumber(log);
            restamp(log, 79);
        }),
        ("swapped", |log| {
            log.swap(79, 80);
            renumber(log);
            restamp(log, 79);
        }),
        ("from the beginning", |log| {
            log[0].at -= 1;
            restamp(log, 0);
        }),
    ];
    for (name, tamper) in tried {
        let mut log = whole_log.clone();
        tamper(&mut log);
        let file = [whole(&log)];
        check(&file, &key()).expect("whoever holds the key as well could make this file");
        // A checkpoint file of before.
        let kept = Given {
            checkpoints: checkpoints(&whole_log, 50),
            ..key()
        };
        let broken = why(check(&file, &kept));
        let since = if *name == "from the beginning" { 0 } else { 50 };
        let source = quorate_verify::Source::Signed;
        assert_eq!(
            (broken.seq, &broken.why),
            (since + 50, &Why::Otherwise(source, since)),
            "{name}"
        );
        // The hash on a receipt.
        let kept = Given {
            heads: vec![head(&whole_log[79])],
            ..key()
        };
        assert_eq!(why(check(&file, &kept)).seq, 80, "{name}");
        // An export of before.
        let old =
            checkpoints_in(Lines::new("old.jsonl", part(&whole_log, 1, 120).as_slice())).unwrap();
        assert_eq!(old.len(), 3);
        assert_eq!(
            why(check(
                &file,
                &Given {
                    checkpoints: old,
                    ..key()
                }
            ))
            .seq,
            since + 50,
            "{name}"
        );
    }
    // After the last that was kept it cannot be found, and the crate says so.
    let mut log = whole_log.clone();
    log[210].act = "a.b".into();
    restamp(&mut log, 210);
    let kept = Given {
        checkpoints: checkpoints(&whole_log, 50),
        ..key()
    };
    check(&[whole(&log)], &kept).unwrap();
}

#[test]
fn an_end_that_was_cut_off_is_found_wherever_the_file_says_that_it_reaches_so_far() {
    let whole_log = log(OAKFIELD, 230);
    let kept = Given {
        checkpoints: checkpoints(&whole_log, 50),
        ..key()
    };
    let short = &whole_log[..170];
    let broken = why(check(&[whole(short)], &kept));
    assert_eq!(
        (broken.seq, broken.why),
        (200, Why::Shorter(quorate_verify::Source::Signed, 170))
    );
    let head_kept = Given {
        heads: vec![head(&whole_log[180])],
        ..key()
    };
    assert_eq!(why(check(&[whole(short)], &head_kept)).seq, 181);
    let period = |to| Period {
        from: None,
        to: Some(to),
    };
    let upto = |to| export(short, Point::START, period(to), &[]);
    // By rows, by days, and by days that ended before.
    assert_eq!(why(check(&[upto(Bound::Row(200))], &kept)).seq, 200);
    check(&[upto(Bound::Row(170))], &kept).unwrap();
    assert_eq!(why(check(&[upto(Bound::Moment(at(202)))], &kept)).seq, 200);
    check(&[upto(Bound::Moment(at(171)))], &kept).unwrap();
    // A checkpoint of after the export says nothing against it.
    let mut later = kept.clone();
    later.checkpoints = vec![signer().sign(
        OAKFIELD,
        Point {
            seq: 200,
            hash: whole_log[199].hash,
        },
        MADE + 1,
    )];
    check(&[whole(short)], &later).unwrap();
    check(&[upto(Bound::Row(200))], &later).unwrap();
    check(&[upto(Bound::Moment(MADE + 1_000_000))], &later).unwrap();
    // A hash of a row that no file reaches is not passed over.
    let outside = Given {
        heads: vec![head(&whole_log[200])],
        ..key()
    };
    assert!(matches!(
        check(&[part(&whole_log, 1, 170)], &outside),
        Err(Failure::NotCovered(201))
    ));
    let before = Given {
        heads: vec![head(&whole_log[3])],
        ..key()
    };
    assert!(matches!(
        check(&[part(&whole_log, 101, 170)], &before),
        Err(Failure::NotCovered(4))
    ));
}
