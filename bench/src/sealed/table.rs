//! What was found, as a table with its verdicts.

use super::{PAGE, READERS, READS, Tally, pgbench::Script, reader::Turns};
use crate::{
    report::{Bound, Cell, Row, Section, Verdict},
    stats::{Spread, many},
};

/// All that was found.
pub struct Measured<'a> {
    /// What pgbench ran.
    pub scripts: &'a [Script],
    /// And what it came to, without row security and sealed.
    pub told: &'a [[Tally; 2]],
    /// The page, in each of the ways.
    pub pages: &'a [Tally; 3],
    /// Its round trips in each.
    pub turns: [Turns; 3],
    /// Statements that both sides did not answer alike.
    pub differing: &'a [String],
    /// In the school beside the demo's.
    pub people: usize,
    /// Beside it.
    pub schools: usize,
    /// Whether the load was the limit at some time.
    pub limited: bool,
}

/// Round by round the one less the other.
fn more(ours: &[f64], theirs: &[f64]) -> Vec<f64> {
    ours.iter()
        .zip(theirs)
        .map(|(ours, theirs)| ours - theirs)
        .collect()
}

/// What one statement of a script takes: without the transaction around it.
fn each(script: &Script, whole: &[f64], empty: &[f64]) -> Vec<f64> {
    if script.times == 0 || script.reads > 1 {
        return whole.to_vec();
    }
    more(whole, empty)
        .into_iter()
        .map(|rest| rest / many(script.times))
        .collect()
}

impl Measured<'_> {
    fn invalid(&self, name: &str) -> Vec<String> {
        let of = |line: &&String| {
            line.strip_prefix(name)
                .is_some_and(|rest| rest.starts_with(':'))
        };
        self.differing.iter().filter(of).cloned().collect()
    }

    fn row(
        name: String,
        [open, sealed]: [&Tally; 2],
        turns: Option<[Turns; 2]>,
        invalid: Vec<String>,
    ) -> Row {
        Row {
            name,
            cells: vec![
                Cell::of(&open.time, 1, ""),
                Cell::of(&sealed.time, 1, ""),
                Cell::of(&more(&sealed.time, &open.time), 1, ""),
                Cell::ratio(Spread::ratio(&sealed.time, &open.time)),
                Cell::of(&open.cpu, 1, ""),
                Cell::of(&sealed.cpu, 1, ""),
                Cell::of(&more(&sealed.alone, &open.alone), 0, ""),
                turns.and_then(|[open, _]| Cell::of(&[open.all()], 1, "")),
                turns.and_then(|[_, sealed]| Cell::of(&[sealed.all()], 1, "")),
            ],
            invalid,
        }
    }
}

/// The table.
pub fn section(found: &Measured<'_>) -> Section {
    let [open, sealed, domain] = found.pages;
    let [turns_open, turns_sealed, turns_domain] = found.turns;
    let mut rows = Vec::new();
    // A page of which one statement answers something else is not the same page.
    let unlike: Vec<String> = READS
        .iter()
        .take(PAGE)
        .flat_map(|name| found.invalid(name))
        .collect();
    let mut dearest: Option<(&str, Vec<f64>)> = None;
    let mut longest = None;
    let empty = found.told.first();
    for (script, tallies) in found.scripts.iter().zip(found.told) {
        let [a, b] = [0, 1].map(|side| {
            let nothing = Tally::default();
            let (Some(tally), base) = (
                tallies.get(side),
                empty.and_then(|empty| empty.get(side)).unwrap_or(&nothing),
            ) else {
                return nothing;
            };
            Tally {
                time: each(script, &tally.time, &base.time),
                cpu: each(script, &tally.cpu, &base.cpu),
                alone: Vec::new(),
            }
        });
        let invalid = if script.reads == PAGE {
            unlike.clone()
        } else {
            found.invalid(script.name)
        };
        let (beyond, valid) = (more(&b.time, &a.time), invalid.is_empty());
        if script.reads == 1 && valid {
            let middle =
                |values: &[f64]| Spread::of(values).map_or(f64::MIN, |spread| spread.median);
            if Some(&script.name) == READS.last() {
                longest = Some(beyond);
            } else if dearest
                .as_ref()
                .is_none_or(|(_, most)| middle(&beyond) > middle(most))
            {
                dearest = Some((script.name, beyond));
            }
        }
        rows.push(Measured::row(
            script.name.to_owned(),
            [&a, &b],
            None,
            invalid,
        ));
    }
    rows.push(Measured::row(
        "the page, by sqlx: the seal alone".to_owned(),
        [open, sealed],
        Some([turns_open, turns_sealed]),
        unlike.clone(),
    ));
    rows.push(Measured::row(
        "the page, by the domain's own functions".to_owned(),
        [open, domain],
        Some([turns_open, turns_domain]),
        unlike.clone(),
    ));
    let whole = unlike
        .is_empty()
        .then(|| Cell::of(&more(&domain.time, &open.time), 0, " µs"))
        .flatten();
    let which = dearest.as_ref().map_or("none", |(name, _)| name);
    let mut notes = vec![
        "Row security holds `quorate_web` and not `quorate_backup` (BYPASSRLS), and nothing else is different: the statements \
         are those that the domain sends, heard on its socket with their values, each with its tenant as a predicate. One is \
         written otherwise: the list of everybody takes its addresses from `sec.addresses()` under the seal, and from the table \
         of accounts without. The clerk may see all that they answer, and both sides' answers were compared byte by byte."
            .to_owned(),
        format!(
            "Microseconds of the server's core: {READERS} readers keep the database busy, prepared statements, so a \
             transaction takes the core for as long as the next must wait. A statement is what twenty of them (five of \
             the last) take in a transaction, less the empty one, divided by twenty. \"Alone\" is what one reader waits for the \
             page in the middle, more than without row security; it holds the round trips too, and swings with an idle core."
        ),
        "Round trips: how often the client speaks after it was answered, counted on its socket, for the whole of a page: \
         sqlx's own look at the connection before and after, the beginning, the reads. The seal rides with `begin`; the \
         domain's way is sealed by the statement that asks who the caller is (`sec.entered`), and when the page has its data \
         it ends the transaction and looks at the connection before anybody else gets it (`db.rs`, `after_release`)."
            .to_owned(),
        "That every checked query keeps its index condition under row security is a test: `server/domain/tests/plan.rs`."
            .to_owned(),
    ];
    if found.limited {
        notes.push(
            "In at least one window the server's core was idle for more than a tenth: the load was the limit there, and the \
             CPU beside it is the better figure."
                .to_owned(),
        );
    }
    Section {
        name: "sealed",
        title: "sealed reads (G6): what row security costs".to_owned(),
        about: format!(
            "The clerk of a school of {} people more than the demo has, one of {} schools, reads what a page reads.",
            found.people, found.schools
        ),
        columns: [
            "without, µs",
            "sealed, µs",
            "more, µs",
            "of without",
            "CPU without, µs",
            "CPU sealed, µs",
            "alone: more, µs",
            "round trips without",
            "round trips sealed",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows,
        verdicts: vec![
            Verdict::new(
                "G6",
                format!("the dearest statement of the page ({which}), more than without"),
                dearest
                    .as_ref()
                    .and_then(|(_, beyond)| Cell::of(beyond, 1, " µs")),
                Bound::AtMost(25.0),
                None,
            ),
            Verdict::new(
                "G6",
                format!("the list of {} people, more than without", found.people),
                longest.and_then(|beyond| Cell::of(&beyond, 1, " µs")),
                Bound::AtMost(25.0),
                None,
            ),
            Verdict::new(
                "G6",
                "a page of five reads through the domain, more than without",
                whole,
                Bound::AtMost(250.0),
                None,
            ),
            Verdict::new(
                "G6",
                "round trips that the seal adds to a page",
                Cell::of(&[turns_sealed.all() - turns_open.all()], 1, ""),
                Bound::AtMost(0.0),
                None,
            ),
            Verdict::new(
                "G6",
                format!(
                    "round trips that the domain's way adds to it in all ({:.1} before the page has its data)",
                    turns_domain.inside - turns_open.inside
                ),
                Cell::of(&[turns_domain.all() - turns_open.all()], 1, ""),
                Bound::AtMost(0.0),
                None,
            ),
        ],
        notes,
        charts: Vec::new(),
    }
}
