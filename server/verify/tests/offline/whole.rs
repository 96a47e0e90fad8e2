//! A log that nobody touched.

use crate::making::{
    OAKFIELD, Period, at, check, checkpoints, export, head, key, log, part, restamp, signer, whole,
    why,
};
use quorate_verify::{Bound, Break, Given, Head, Point, Signer, Walk, Why};

#[test]
fn a_log_that_nobody_touched_is_unbroken_whole_in_parts_and_against_all_that_was_kept() {
    let log = log(OAKFIELD, 230);
    let report = check(&[whole(&log)], &key()).unwrap();
    assert_eq!(
        (
            report.rows(),
            report.signed,
            report.head.seq,
            report.key_from_file
        ),
        (230, 5, 230, false)
    );
    assert!(
        report.sentences()[0]
            .starts_with("Oakfield Primary School: rows 1 to 230, 5 signed checkpoints, head 230 ")
    );

    let parts = [
        part(&log, 1, 100),
        part(&log, 101, 101),
        part(&log, 102, 230),
    ];
    let given = Given {
        checkpoints: checkpoints(&log, 50),
        heads: vec![head(&log[99]), head(&log[229])],
        ..key()
    };
    let report = check(&parts, &given).unwrap();
    assert_eq!(
        (report.rows(), report.kept, report.heads, report.outside),
        (230, 4, 2, 0)
    );
    let report = check(&parts[1..], &key()).unwrap();
    assert_eq!((report.after.seq, report.rows()), (100, 130));
    // A kept checkpoint before the rows, and one after them.
    let given = Given {
        checkpoints: checkpoints(&log, 50),
        ..key()
    };
    let report = check(&parts[1..2], &given).unwrap();
    assert_eq!((report.kept, report.outside), (1, 3));
    assert!(
        report
            .sentences()
            .last()
            .unwrap()
            .starts_with("3 checkpoints you kept lie outside")
    );
    // A day on which nothing happened.
    let after = Point {
        seq: 230,
        hash: log[229].hash,
    };
    let quiet = Period {
        from: Some(Bound::Moment(at(231))),
        to: Some(Bound::Moment(at(232))),
    };
    let report = check(
        &[part(&log, 1, 230), export(&[], after, quiet, &[])],
        &key(),
    )
    .unwrap();
    assert_eq!(report.rows(), 230);
    assert_eq!(
        check(&[export(&[], after, quiet, &[])], &key())
            .unwrap()
            .rows(),
        0
    );
}

#[test]
fn without_the_key_it_is_said_that_less_is_shown() {
    let log = log(OAKFIELD, 60);
    let report = check(&[whole(&log)], &Given::default()).unwrap();
    assert!(report.key_from_file);
    let sentences = report.sentences();
    assert!(
        sentences[1].contains("--key") && sentences[1].contains(&signer().public().to_string()),
        "{sentences:?}"
    );
    // Somebody else's key in the file, which they made for the purpose.
    let another = Given {
        key: Some(Signer::from_secret(&[1; 32]).public()),
        ..Given::default()
    };
    assert_eq!(why(check(&[whole(&log)], &another)).why, Why::OtherKey);
}

#[test]
fn files_follow_each_other_and_begin_where_they_say() {
    let log = log(OAKFIELD, 230);
    let (one, two, three) = (
        part(&log, 1, 100),
        part(&log, 101, 150),
        part(&log, 151, 230),
    );
    let ends = |files: &[&Vec<u8>]| {
        why(check(
            &files.iter().map(|file| (*file).clone()).collect::<Vec<_>>(),
            &key(),
        ))
    };
    assert_eq!(
        ends(&[&one, &three]),
        Break {
            seq: 151,
            why: Why::FilesDoNotFollow(100)
        }
    );
    assert_eq!(
        ends(&[&two, &one]),
        Break {
            seq: 1,
            why: Why::FilesDoNotFollow(150)
        }
    );
    assert_eq!(
        ends(&[&one, &one]),
        Break {
            seq: 1,
            why: Why::FilesDoNotFollow(100)
        }
    );
    // Rewritten between the two.
    let mut other = log.clone();
    other[10].at += 1;
    restamp(&mut other, 10);
    assert_eq!(
        ends(&[&one, &part(&other, 101, 150)]).why,
        Why::FilesDoNotFollow(100)
    );
    // The beginning left out.
    let after = Point {
        seq: 100,
        hash: log[99].hash,
    };
    let period = |from| Period { from, to: None };
    assert_eq!(
        ends(&[&export(&log[100..], after, period(None), &[])]),
        Break {
            seq: 1,
            why: Why::Missing(Some(101))
        }
    );
    assert_eq!(
        ends(&[&export(
            &log[100..],
            after,
            period(Some(Bound::Row(90))),
            &[]
        )])
        .why,
        Why::Missing(Some(101))
    );
    let made_up = Point {
        seq: 0,
        hash: log[99].hash,
    };
    assert_eq!(
        ends(&[&export(&[], made_up, period(None), &[])]).why,
        Why::DoesNotFollow
    );
}

#[test]
fn a_hash_is_kept_with_eight_digits_at_least() {
    for (text, hash) in [
        ("1204:ab12cd34", "ab12cd34"),
        ("1,204:AB12CD34EF…", "ab12cd34ef"),
        ("7:0123456789...", "0123456789"),
    ] {
        assert_eq!(text.parse::<Head>().unwrap().hash, hash);
    }
    let long = format!("7:{}", "a".repeat(65));
    for text in [
        "",
        "7",
        "7:",
        "7:ab12cd3",
        "0:ab12cd34",
        "-7:ab12cd34",
        "x:ab12cd34",
        "7:ab12cd3g",
        "99999999999999999999:ab12cd34",
        long.as_str(),
    ] {
        assert!(text.parse::<Head>().is_err(), "{text}");
    }
}

#[test]
fn the_walk_needs_no_more_memory_for_a_longer_log() {
    let log = log(OAKFIELD, 10);
    let mut walk = Walk::after(OAKFIELD, Point::START);
    for line in &log {
        walk.step(line).unwrap();
    }
    assert_eq!(
        walk.here(),
        Point {
            seq: 10,
            hash: log[9].hash
        }
    );
    assert!(size_of::<Walk>() < 128);
}
