//! What is written down of the import.

use super::{Found, Page, Tally, bystander::RATE, profile::Profile, site::thousands, table::How};
use crate::{
    fault::Result,
    report::{Bound, Cell, Row, Section, Verdict},
    stats::Spread,
};

/// The table, its verdicts and what a reader must know.
pub fn section(found: &Found, profile: Result<Profile>) -> Section {
    let mut notes = notes();
    match profile {
        Ok(profile) => notes.extend(profile.notes()),
        Err(fault) => notes.push(format!("Where the time goes is not known: {fault}")),
    }
    let [copy, _, values] = &found.bare;
    let whole = &found.both;
    let holds = whole.faults.is_empty();
    let beside = |other: &Tally| {
        Cell::ratio(
            holds
                .then(|| Spread::ratio(&whole.rate, &other.rate))
                .flatten(),
        )
    };
    let grown = whole.grown.iter().copied().reduce(f64::max);
    let mut verdicts = vec![
        Verdict::new(
            "G7",
            "an import, both steps, of a COPY of the same lines",
            beside(copy),
            Bound::AtLeast(0.45),
            Some(Bound::AtLeast(0.6)),
        ),
        Verdict::new(
            "G7",
            "an import, both steps, beside INSERTs of 1,000 VALUES",
            beside(values),
            Bound::AtLeast(2.0),
            None,
        ),
        Verdict::new(
            "G7",
            "memory of the server: the most in any round",
            grown
                .filter(|_| holds)
                .and_then(|grown| Cell::of(&[grown], 0, " MiB")),
            Bound::AtMost(64.0),
            None,
        ),
    ];
    for (what, page) in [
        ("read", &found.while_read),
        ("taken in", &found.while_taken),
    ] {
        let pages = page.faults.is_empty() && found.quiet.faults.is_empty();
        let ratio = pages.then(|| Spread::ratio(&page.p99, &found.quiet.p99));
        verdicts.push(Verdict::new(
            "G7",
            format!("a page while a roster is {what}, p99, of that without"),
            Cell::ratio(ratio.flatten()),
            Bound::AtMost(2.0),
            None,
        ));
    }
    Section {
        name: "import",
        title: format!("import (G7): a roster of {} lines", thousands(found.lines)),
        about: format!(
            "The office of a school without pupils sends a CSV of {} lines. The server looks at each column and each line, \
             compares them with each other and with the roll, and shows what it would change; then the office says that it be \
             taken in. Beside it the same lines in the bare database, and {RATE:.0} looks a second at a page of another \
             school. {}",
            thousands(found.lines),
            rounds(found)
        ),
        columns: [
            "seconds",
            "lines/s",
            "of a COPY",
            "of VALUES",
            "CPU for 1,000 lines, ms",
            "memory grown by, MiB",
            "a page's p50, ms",
            "its p99, ms",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows: rows(found),
        verdicts,
        notes,
        charts: Vec::new(),
    }
}

fn rounds(found: &Found) -> String {
    let (rounds, first) = found.rounds;
    format!(
        "{rounds} rounds, each with schools of its own; the first took {first:.0} s, and where that is more than 30 there are \
         three."
    )
}

fn rows(found: &Found) -> Vec<Row> {
    let [copy, _, values] = &found.bare;
    let row = |name: &str, tally: &Tally, faults: &[String]| Row {
        name: name.to_owned(),
        cells: vec![
            Cell::of(&tally.seconds, 2, ""),
            Cell::of(&tally.rate, 0, ""),
            Cell::ratio(Spread::ratio(&tally.rate, &copy.rate)),
            Cell::ratio(Spread::ratio(&tally.rate, &values.rate)),
            Cell::of(&tally.cost, 1, ""),
            Cell::of(&tally.grown, 0, ""),
            None,
            None,
        ],
        invalid: faults.to_vec(),
    };
    let whole = &found.both.faults;
    let mut rows = vec![
        row("Quorate, both steps", &found.both, whole),
        row("from the file to what it would change", &found.read, whole),
        row("taken in", &found.taken, whole),
    ];
    for (how, tally) in How::ALL.into_iter().zip(&found.bare) {
        rows.push(row(how.name(), tally, &tally.faults));
    }
    let once = |name: &str, tally: &Tally| {
        let mut row = row(name, tally, &tally.faults);
        // Measured once, in no round.
        for cell in row.cells.iter_mut().skip(2).take(2) {
            *cell = None;
        }
        row
    };
    rows.push(once("the same file once more, both steps", &found.again));
    rows.push(once("and the first undone", &found.undone));
    for (name, page) in [
        ("a page without an import", &found.quiet),
        ("a page while a roster is read", &found.while_read),
        ("a page while it is taken in", &found.while_taken),
    ] {
        rows.push(looked(name, page));
    }
    rows
}

fn looked(name: &str, page: &Page) -> Row {
    let mut cells: Vec<Option<Cell>> = (0..6).map(|_| None).collect();
    cells.extend([Cell::of(&page.p50, 1, ""), Cell::of(&page.p99, 1, "")]);
    Row {
        name: name.to_owned(),
        cells,
        invalid: page.faults.clone(),
    }
}

fn notes() -> Vec<String> {
    [
        "Not as the goal has it: there is one event for what was read and one for what was taken in, and not one for each \
         chunk. Each step is one transaction, so that a roster is on the roll as a whole or not at all, and comes off it again \
         as a whole. Nor are lines staged by COPY, which PostgreSQL refuses into a table with row security: a thousand at a \
         time come as one JSON document.",
        "Steps count from when the request begins until the page that answers it is read whole; what a person thinks about in \
         between is nobody's. The file is read twice, in a process that has no rights: once to count, once line by line. Every \
         line's cells are sealed, the lines are compared with each other and with the roll, and that again before they are \
         taken in; pupils are put into their registration groups, and of each it is put down how to undo it. A reading longer \
         than three seconds is asked after every 100 ms, where the page does so every two seconds.",
        "Of a thousand lines one has a wrong check letter and must be left out, and one is a pupil's second, who must be on \
         the roll once and in two classes. After each import every field of every pupil is compared with the file, the log \
         must tell of one reading and one taking in, and no line may be left behind; the last one is read and taken in once \
         more, which must change nothing, and is undone, after which nothing may be left of it.",
        "The bare tables have the roll's columns and a primary key of tenant and id, and are made anew each time; COPY is \
         sent a text that was ready before, VALUES are bound to prepared statements in one transaction, and both come from \
         the load's core and as the superuser. The one with checks and indexes has no row security, foreign keys or \
         registration groups.",
        "Memory is resident memory: its highest point (VmHWM, begun anew for each step) over what was resident once a roster \
         of 500 lines had been taken in. The process that reads the file and the database are not in it. CPU is of all of \
         them.",
        "The page is the list of people of another school. Server and database share one core. The times without looks \
         beside are those that are compared with COPY.",
    ]
    .map(str::to_owned)
    .to_vec()
}
