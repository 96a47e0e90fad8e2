//! Files that are none, and files of which anything became.

use crate::making::{Dice, OAKFIELD, Period, check, checkpoints, export, key, log, whole};
use quorate_verify::{Bound, Failure, Hash, Lines, Point, checkpoints_in};

#[test]
fn what_is_no_export_ends_in_a_sentence() {
    let log = log(OAKFIELD, 3);
    let file = whole(&log);
    let text = String::from_utf8(file.clone()).unwrap();
    let refuse = |file: Vec<u8>, word: &str| {
        let error = check(&[file], &key()).unwrap_err();
        let sentence = error.to_string();
        assert!(matches!(error, Failure::Unreadable(_)), "{sentence}");
        assert!(
            sentence.contains(word) && sentence.ends_with('.') && !sentence.contains('\n'),
            "{word}: {sentence}"
        );
        assert!(
            sentence.len() < 300 && !sentence.contains(char::is_control),
            "{sentence}"
        );
    };
    refuse(Vec::new(), "not whole");
    refuse(b"\n".to_vec(), "Line 1");
    refuse(vec![0; 1000], "Line 1");
    refuse(b"\xff\xfe\xfd\n".to_vec(), "Line 1");
    refuse(vec![b'a'; quorate_verify::LINE_MOST + 1], "longer");
    refuse(vec![b'['; 1 << 20], "Line 1");
    refuse(b"{\"header\":{\"\x1b[2J\":1}}\n".to_vec(), "Line 1");
    refuse(
        text.replace("quorate-log", "quorate-dog").into_bytes(),
        "format",
    );
    refuse(
        text.replace("\"version\":1", "\"version\":2").into_bytes(),
        "format",
    );
    refuse(
        text.replace("\"version\":1", "\"version\":1,\"version\":1")
            .into_bytes(),
        "duplicate field",
    );
    refuse(
        text.replacen("\"seq\":1,", "\"seq\":1,\"note\":\"by the head\",", 1)
            .into_bytes(),
        "note",
    );
    refuse(
        text.replacen("\"seq\":1,", "\"seq\":1,\"seq\":1,", 1)
            .into_bytes(),
        "duplicate field",
    );
    refuse(
        text.replacen("\"seq\":1,", "\"seq\":99999999999999999999,", 1)
            .into_bytes(),
        "Line 2",
    );
    refuse(
        text.replacen("\"seq\":1,", "\"seq\":1e0,", 1).into_bytes(),
        "Line 2",
    );
    refuse(
        text.replacen("\"seq\":1,", "\"seq\":null,", 1).into_bytes(),
        "Line 2",
    );
    refuse(
        text.replacen("\"seq\":0,", "\"seq\":-1,", 1).into_bytes(),
        "before the first",
    );
    refuse(
        text.lines()
            .skip(1)
            .collect::<Vec<_>>()
            .join("\n")
            .into_bytes(),
        "header",
    );
    refuse([file.clone(), file.clone()].concat(), "closing line");
    for end in 0..file.len() {
        // Cut anywhere, it is never taken for whole; without the last line feed alone it is.
        assert_eq!(
            check(&[file[..end].to_vec()], &key()).is_ok(),
            end == file.len() - 1,
            "{end}"
        );
    }
    assert!(matches!(check(&[], &key()), Err(Failure::NoFile)));
    // The largest numbers there are.
    let far = Point {
        seq: i64::MAX,
        hash: Hash::ZERO,
    };
    let beyond = Period {
        from: Some(Bound::Row(i64::MAX)),
        to: None,
    };
    let mut row = log[0].clone();
    row.seq = i64::MAX;
    assert!(check(&[export(&[row], far, beyond, &[])], &key()).is_err());
    // A checkpoint file that was cut while it was written, and one that is none.
    let lines: Vec<String> = checkpoints(&log, 1)
        .iter()
        .map(|one| {
            format!(
                "{{\"checkpoint\":{}}}\n",
                serde_json::to_string(one).unwrap()
            )
        })
        .collect();
    let torn = lines.concat();
    for (end, wanted) in [
        (torn.len(), 3),
        (torn.len() - 1, 3),
        (torn.len() - 2, 2),
        (lines[0].len() + 5, 1),
    ] {
        let found = checkpoints_in(Lines::new("kept", &torn.as_bytes()[..end])).unwrap();
        assert_eq!(found.len(), wanted, "{end}");
    }
    assert!(checkpoints_in(Lines::new("kept", b"hello".as_slice())).is_err());
    assert!(
        checkpoints_in(Lines::new(
            "kept",
            torn.replacen("seq", "sex", 1).as_bytes()
        ))
        .is_err()
    );
}

/// Whatever becomes of the bytes: a sentence, never a panic, and never "unbroken" for a file that is not the one that was signed.
#[test]
fn twenty_thousand_random_changes_of_a_file_end_in_a_sentence() {
    let log = log(OAKFIELD, 12);
    let good = whole(&log);
    let lines: Vec<&[u8]> = good.split_inclusive(|byte| *byte == b'\n').collect();
    let end = good.len() - lines.last().unwrap().len();
    let parsed = |file: &[u8]| serde_json::from_slice::<serde_json::Value>(&file[end..]).ok();
    let mut dice = Dice(20_260_618);
    let pieces: &[&[u8]] = &[
        b"\0",
        b"\xff",
        b"null",
        b"-1",
        b"1e999",
        b"9223372036854775808",
        b"{",
        b"}",
        b"\"",
        b"\n",
        b"\\u0000",
        b"\\ud800",
        b"[]",
        b"\"seq\":1,",
        b"\xe2\x80\xae",
        b" ",
    ];
    let (mut unbroken, mut broken, mut unreadable) = (0, 0, 0);
    for _ in 0..20_000 {
        let mut file = good.clone();
        for _ in 0..=dice.below(3) {
            let place = dice
                .below(file.len().max(1))
                .min(file.len().saturating_sub(1));
            match dice.below(7) {
                0 => file[place] ^= 1 << dice.below(8),
                1 => file[place] = u8::try_from(dice.below(256)).unwrap(),
                2 => drop(file.remove(place)),
                3 => {
                    let piece = pieces[dice.below(pieces.len())];
                    file.splice(place..place, piece.iter().copied());
                }
                4 => file.truncate(place),
                5 => {
                    // A whole line somewhere else.
                    let line = lines[dice.below(lines.len())];
                    let starts: Vec<usize> = std::iter::once(0)
                        .chain(
                            file.iter()
                                .enumerate()
                                .filter(|(_, byte)| **byte == b'\n')
                                .map(|(n, _)| n + 1),
                        )
                        .collect();
                    let start = starts[dice.below(starts.len())];
                    file.splice(start..start, line.iter().copied());
                }
                _ => {
                    let digits: Vec<usize> = file
                        .iter()
                        .enumerate()
                        .filter(|(_, byte)| byte.is_ascii_digit())
                        .map(|(n, _)| n)
                        .collect();
                    if !digits.is_empty() {
                        let digit = digits[dice.below(digits.len())];
                        file[digit] = b"0123456789"[dice.below(10)];
                    }
                }
            }
            if file.is_empty() {
                break;
            }
        }
        match check(&[file.clone()], &key()) {
            Ok(_) => {
                unbroken += 1;
                // What was signed is there byte for byte, and the closing line says the same.
                assert_eq!(
                    file.get(..end),
                    Some(&good[..end]),
                    "{}",
                    String::from_utf8_lossy(&file)
                );
                assert_eq!(parsed(&file), parsed(&good));
            }
            Err(error) => {
                let sentence = error.to_string();
                assert!(
                    sentence.ends_with('.') && !sentence.contains('\n'),
                    "{sentence}"
                );
                match error {
                    Failure::Broken(_) => broken += 1,
                    _ => unreadable += 1,
                }
            }
        }
    }
    assert!(
        broken > 2_000 && unreadable > 2_000 && unbroken < 2_000,
        "{unbroken} {broken} {unreadable}"
    );
}
