//! A certificate about the behaviour policy of Oakfield, for tests to change.

#![allow(dead_code)]

use print::certificate::{Answer, Asked, Certificate, Choice, Document, Event, Head, Log, Outcome};
use quorate_verify::{Hash, Id, Signer};
use sha2::{Digest as _, Sha256};
use time::macros::datetime;

pub const PAPER: &[u8] = &[b'p'; 4_321];

pub fn signer() -> Signer {
    Signer::from_secret(&[7; 32])
}

pub fn hash(of: &[u8]) -> Hash {
    Hash::from_bytes(Sha256::digest(of).into())
}

pub fn approval() -> Id {
    Id::from_bytes([0x19; 16])
}

/// Six were asked, four agreed, one objected and one did not answer.
pub fn six() -> Certificate {
    let at = datetime!(2026-11-20 18:04 UTC);
    let answer = |name: &str, role: &str, choice| Answer {
        name: name.to_owned(),
        roles: vec![role.to_owned()],
        answer: choice,
        at: (choice != Choice::None).then_some(at),
        reason: None,
        interest: None,
        stood_in_for: None,
    };
    let mut answers = vec![
        answer("Margaret Oyelaran", "chair", Choice::Agreed),
        answer("Dilip Parmar", "parent governor", Choice::Agreed),
        answer("Siân Edwards", "parent governor", Choice::Objected),
        answer(
            "Thomas Brathwaite-Kowalczyk",
            "parent governor",
            Choice::Agreed,
        ),
        answer("Rukhsana Ahmed", "co-opted governor", Choice::Agreed),
        answer("Zofia Wiśniewska", "co-opted governor", Choice::None),
    ];
    answers[2].reason = Some("Section 5 does not say who considers what parents write.".to_owned());
    answers[4].stood_in_for = Some("Patrick O’Donnell".to_owned());
    let mut events = vec![event(1190, "Approval asked for")];
    for (seq, who) in (1191..).zip(answers.iter().take(5)) {
        events.push(event(seq, &format!("Answer of {}", who.name)));
    }
    events.push(event(1196, "Approval decided: adopted"));
    Certificate {
        approval: approval(),
        tenant: "Oakfield Primary School".to_owned(),
        document: Document {
            title: "Behaviour policy".to_owned(),
            file_name: "behaviour-policy-v3.pdf".to_owned(),
            version: 3,
            sha256: hash(PAPER),
            size: 219_136,
            pages: Some(12),
        },
        asked: Asked {
            by: "Nasreen Choudhury".to_owned(),
            at: datetime!(2026-11-13 09:12 UTC),
            reason: Some("The yearly review.".to_owned()),
        },
        rule: "at least 4 of 6".to_owned(),
        due: datetime!(2026-11-27 18:00 UTC),
        answers,
        outcome: Outcome::Adopted { at },
        newer: None,
        log: Log {
            events,
            head: Head {
                seq: 1204,
                hash: hash(b"head"),
            },
        },
        check_at: "https://oakfield.quorate.example/check".to_owned(),
        made: datetime!(2026-11-20 18:30 UTC),
    }
}

/// Sixty were asked, each with a reason, an interest and somebody they stood in for.
pub fn sixty() -> Certificate {
    let mut certificate = six();
    let one = certificate.answers[2].clone();
    certificate.answers = (1..=60)
        .map(|n| Answer {
            name: format!("Person {n} Featherstonehaugh-Cholmondeley"),
            interest: Some("Managing director of a company that tendered.".to_owned()),
            stood_in_for: Some(format!("Absent {n}")),
            ..one.clone()
        })
        .collect();
    certificate.log.events = (1..=62)
        .map(|n| event(1200 + n, &format!("Answer of person {n}")))
        .collect();
    certificate
}

pub fn event(seq: i64, what: &str) -> Event {
    Event {
        seq,
        what: what.to_owned(),
        hash: hash(what.as_bytes()),
    }
}
