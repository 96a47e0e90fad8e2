//! A log, what the server signs of it, and the files that are made of it.

use quorate_verify::{
    Bound, Break, Checkpoint, FORMAT, Failure, Given, Hash, Head, Header, Id, Line, Lines, Point,
    Record, Report, Signer, VERSION, Writer, verify,
};
use std::borrow::Cow;

/// Numbers that are the same in each run (xorshift64*).
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(most).unwrap()).unwrap()
    }
}

pub const OAKFIELD: Id = Id::from_bytes([0x0a; 16]);
pub const NORTHGATE: Id = Id::from_bytes([0x0b; 16]);
/// When everything was exported.
pub const MADE: i64 = 1_781_900_000_000_000;

pub fn signer() -> Signer {
    Signer::from_secret(b"the secret of Quorate's own key.")
}

/// The minute of a row.
pub fn at(seq: i64) -> i64 {
    1_781_800_000_000_000 + seq * 60_000_000
}

pub fn log(tenant: Id, rows: i64) -> Vec<Line<'static>> {
    let mut dice = Dice(u64::from(tenant.bytes()[0]));
    let mut prev = Hash::ZERO;
    let mut lines = Vec::new();
    for seq in 1..=rows {
        let someone = |dice: &mut Dice| Id::from_bytes([u8::try_from(dice.below(5)).unwrap(); 16]);
        let mut line = Line {
            tenant,
            seq,
            at: at(seq),
            act: [
                "session.opened",
                "membership.removed",
                "tenant.factor_rule_set",
            ][dice.below(3)]
            .into(),
            actor: (dice.below(4) > 0).then(|| someone(&mut dice)),
            about: (dice.below(4) > 0).then(|| someone(&mut dice)),
            detail: [
                r#"{"why": "a \"quote\", a \\ and a\nline"}"#,
                "{}",
                r#"{"n": 7, "who": "Siân 🦔"}"#,
            ][dice.below(3)]
            .into(),
            topics: ["{}", "{people}", r#"{people,"me/a b"}"#][dice.below(3)].into(),
            closes: (dice.below(4) == 0).then_some(Cow::Borrowed(r#"{"code": 4403}"#)),
            prev,
            hash: Hash::ZERO,
        };
        line.hash = line.computed(&prev);
        prev = line.hash;
        lines.push(line);
    }
    lines
}

/// What the server signs as the log grows: every so many rows, half a minute after the row.
pub fn checkpoints(log: &[Line<'_>], every: usize) -> Vec<Checkpoint> {
    log.iter()
        .skip(every - 1)
        .step_by(every)
        .map(|line| {
            let point = Point {
                seq: line.seq,
                hash: line.hash,
            };
            signer().sign(line.tenant, point, line.at + 30_000_000)
        })
        .collect()
}

#[derive(Clone, Copy, Default)]
pub struct Period {
    pub from: Option<Bound>,
    pub to: Option<Bound>,
}

/// An export of these rows as the server makes it, which signs whatever it is given.
pub fn export(rows: &[Line<'_>], after: Point, period: Period, signed: &[Checkpoint]) -> Vec<u8> {
    let mut writer = Writer::default();
    let header = Header {
        format: FORMAT.to_owned(),
        version: VERSION,
        tenant: OAKFIELD,
        name: "Oakfield Primary School".to_owned(),
        made: MADE,
        from: period.from,
        to: period.to,
        key: signer().public(),
        after,
    };
    let mut file = writer.line(&Record::Header(header));
    for row in rows {
        file.extend(writer.line(&Record::Event(row.clone())));
        for checkpoint in signed
            .iter()
            .filter(|one| one.seq == row.seq && one.hash == row.hash)
        {
            file.extend(writer.line(&Record::Checkpoint(checkpoint.clone())));
        }
    }
    if let Some(last) = rows.last() {
        let point = Point {
            seq: last.seq,
            hash: last.hash,
        };
        file.extend(writer.line(&Record::Checkpoint(signer().sign(last.tenant, point, MADE))));
    }
    file.extend(writer.end(Some(&signer())));
    file
}

pub fn whole(rows: &[Line<'_>]) -> Vec<u8> {
    export(
        rows,
        Point::START,
        Period::default(),
        &checkpoints(rows, 50),
    )
}

/// The rows from one to another, both included.
pub fn part(log: &[Line<'_>], from: i64, to: i64) -> Vec<u8> {
    let place = |seq: i64| usize::try_from(seq).unwrap();
    let after = if from == 1 {
        Point::START
    } else {
        let before = &log[place(from - 2)];
        Point {
            seq: before.seq,
            hash: before.hash,
        }
    };
    let period = Period {
        from: Some(Bound::Row(from)),
        to: Some(Bound::Row(to)),
    };
    export(
        &log[place(from - 1)..place(to)],
        after,
        period,
        &checkpoints(log, 50),
    )
}

pub fn key() -> Given {
    Given {
        key: Some(signer().public()),
        ..Given::default()
    }
}

pub fn check(files: &[Vec<u8>], given: &Given) -> Result<Report, Failure> {
    verify(
        files
            .iter()
            .enumerate()
            .map(|(n, file)| Lines::new(format!("{n}.jsonl"), file.as_slice())),
        given,
    )
}

pub fn why(checked: Result<Report, Failure>) -> Break {
    match checked {
        Err(Failure::Broken(broken)) => {
            let sentence = broken.to_string();
            assert!(
                sentence.ends_with('.') && !sentence.contains('\n') && sentence.len() > 20,
                "{sentence}"
            );
            broken
        }
        other => panic!("{other:?}"),
    }
}

pub fn head(line: &Line<'_>) -> Head {
    format!("{}:{}…", line.seq, line.hash.short())
        .parse()
        .unwrap()
}

/// Makes every hash from a row on fit what stands there, as somebody does who holds the database.
pub fn restamp(log: &mut [Line<'_>], from: usize) {
    let mut prev = if from == 0 {
        Hash::ZERO
    } else {
        log[from - 1].hash
    };
    for line in &mut log[from..] {
        line.prev = prev;
        line.hash = line.computed(&prev);
        prev = line.hash;
    }
}
