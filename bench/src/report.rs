//! What is written down: a table for each workload, and under it each goal with what was reached.

use std::{fmt::Write as _, fs, path::Path};

use serde::Serialize;

use crate::{
    chart::Chart,
    fault::{Fault, Result, io},
    machine::{Cores, Machine},
    stats::Spread,
};

/// Everything of one run.
#[derive(Serialize)]
pub struct Report {
    /// Where.
    pub machine: Machine,
    /// Who ran on which core.
    pub cores: Cores,
    /// Whether the figures are worth little.
    pub quick: bool,
    /// Deliveries a second of the floor, at the start and at the end of the run.
    pub floor: (f64, f64),
    /// What one thread of the load reads, when nothing keeps it waiting: frames a second.
    pub generator: f64,
    /// One for each workload.
    pub sections: Vec<Section>,
}

/// One workload.
#[derive(Serialize)]
pub struct Section {
    /// As `ONLY=` has it.
    pub name: &'static str,
    /// As a reader has it.
    pub title: String,
    /// What was done, in a sentence or three.
    pub about: String,
    /// What the cells of a row are.
    pub columns: Vec<String>,
    /// Who was measured.
    pub rows: Vec<Row>,
    /// What it was measured for.
    pub verdicts: Vec<Verdict>,
    /// What else a reader must know.
    pub notes: Vec<String>,
    /// Files beside the results.
    pub charts: Vec<Chart>,
}

/// One contestant, or one variant.
#[derive(Serialize)]
pub struct Row {
    /// Who.
    pub name: String,
    /// In the order of the columns; none where it was not measured.
    pub cells: Vec<Option<Cell>>,
    /// Why the row is worth nothing, where it is.
    pub invalid: Vec<String>,
}

/// One figure.
#[derive(Serialize)]
pub struct Cell {
    /// How much.
    #[serde(flatten)]
    pub spread: Spread,
    /// How many digits after the point are told.
    #[serde(skip)]
    pub digits: usize,
    /// What follows it.
    pub unit: &'static str,
}

impl Cell {
    /// Of what the rounds gave; none where no round gave anything.
    pub fn of(values: &[f64], digits: usize, unit: &'static str) -> Option<Self> {
        Spread::of(values).map(|spread| Self {
            spread,
            digits,
            unit,
        })
    }

    /// Of a ratio, told in hundredths.
    pub fn ratio(spread: Option<Spread>) -> Option<Self> {
        spread.map(|spread| Self {
            spread,
            digits: 2,
            unit: "×",
        })
    }

    fn words(&self) -> String {
        let Self {
            spread: Spread { median, low, high },
            digits,
            unit,
        } = self;
        let (middle, low, high) = (
            grouped(*median, *digits),
            grouped(*low, *digits),
            grouped(*high, *digits),
        );
        if low == high {
            format!("{middle}{unit}")
        } else {
            format!("{middle}{unit} ({low}–{high})")
        }
    }
}

/// What a goal asks for.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// Not less.
    AtLeast(f64),
    /// Not more.
    AtMost(f64),
}

impl Bound {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bound) => value >= bound,
            Self::AtMost(bound) => value <= bound,
        }
    }

    fn words(self, digits: usize, unit: &str) -> String {
        match self {
            Self::AtLeast(bound) => format!("≥ {}{unit}", grouped(bound, digits)),
            Self::AtMost(bound) => format!("≤ {}{unit}", grouped(bound, digits)),
        }
    }
}

/// One goal, and whether it was reached.
#[derive(Serialize)]
pub struct Verdict {
    /// `G1` to `G11` (`design/performance.md`).
    pub goal: &'static str,
    /// What is compared.
    pub what: String,
    /// What was reached; none where it was not measured, or the row is invalid.
    pub value: Option<Cell>,
    /// What must be.
    pub must: Bound,
    /// What would be better still.
    pub stretch: Option<Bound>,
    /// In one word or three.
    pub verdict: &'static str,
}

impl Verdict {
    /// Whether what must be is.
    fn is_met(&self) -> bool {
        self.value
            .as_ref()
            .is_some_and(|cell| self.must.is_met(cell.spread.median))
    }

    /// The median counts.
    pub fn new(
        goal: &'static str,
        what: impl Into<String>,
        value: Option<Cell>,
        must: Bound,
        stretch: Option<Bound>,
    ) -> Self {
        let verdict = match &value {
            None => "not measured",
            Some(cell) if stretch.is_some_and(|bound| bound.is_met(cell.spread.median)) => {
                "met, and the stretch goal too"
            }
            Some(cell) if must.is_met(cell.spread.median) => "met",
            Some(_) => "missed",
        };
        Self {
            goal,
            what: what.into(),
            value,
            must,
            stretch,
            verdict,
        }
    }
}

/// The floor at the end may differ by so much from that at the start.
const FLOOR_MOST: f64 = 0.10;

impl Report {
    /// Writes `RESULTS.md` and `RESULTS.json`.
    pub fn write(&self, folder: &Path) -> Result<()> {
        for chart in self.sections.iter().flat_map(|section| &section.charts) {
            fs::write(folder.join(format!("{}.svg", chart.name)), chart.svg())
                .map_err(io("a chart"))?;
        }
        fs::write(folder.join("RESULTS.md"), self.markdown()).map_err(io("RESULTS.md"))?;
        let json = serde_json::to_string_pretty(self)? + "\n";
        fs::write(folder.join("RESULTS.json"), json).map_err(io("RESULTS.json"))
    }

    /// As a person reads it.
    pub fn markdown(&self) -> String {
        let mut text = String::from("# How fast\n\n");
        let Machine {
            processor,
            cores,
            memory,
            kernel,
            commit,
        } = &self.machine;
        let _ = writeln!(
            text,
            "Measured by `make bench{}` at commit {commit} on {cores} × {processor}, {memory:.0} GiB, Linux {kernel}; the \
             server on\n\
             core {}, the load on core {}, loopback only. Each figure is the median of the rounds, with the lowest and the\n\
             highest; ratios are taken round by round. Figures of one machine cannot be compared with another's; ratios \
              within a run can.\n",
            if self.quick { " QUICK=1" } else { "" },
            self.cores.server,
            self.cores.load,
        );
        if self.quick {
            text.push_str("**A quick run: it shows that everything works, and its figures are worth little.**\n\n");
        }
        let (start, end) = self.floor;
        let _ = writeln!(
            text,
            "The floor, a bare loop that writes finished frames to one connection after the other, made {} deliveries/s\n\
             at the start and {} at the end. The generator alone reads {} frames/s, one frame a read.",
            grouped(start, 0),
            grouped(end, 0),
            grouped(self.generator, 0),
        );
        if (end / start - 1.0).abs() > FLOOR_MOST {
            text.push_str("\n**The floor moved by more than a tenth during the run: something else was at work on this \
             machine.**\n");
        }
        self.goals(&mut text);
        for section in &self.sections {
            section.write(&mut text);
        }
        text
    }

    /// What a reader looks for first: which goals are reached, and where to look for the others.
    fn goals(&self, text: &mut String) {
        let all = || self.sections.iter().flat_map(|section| &section.verdicts);
        let mut goals: Vec<&str> = Vec::new();
        for verdict in all() {
            if !goals.contains(&verdict.goal) {
                goals.push(verdict.goal);
            }
        }
        if goals.is_empty() {
            return;
        }
        goals.sort_by_key(|goal| (goal.len(), *goal));
        text.push_str("\n| goal | met | missed, or not measured |\n|---|---|---|\n");
        for goal in goals {
            let those = |met: bool| {
                let those: Vec<&str> = all()
                    .filter(|verdict| verdict.goal == goal && verdict.is_met() == met)
                    .map(|verdict| verdict.what.as_str())
                    .collect();
                if those.is_empty() {
                    "–".to_owned()
                } else {
                    those.join("; ")
                }
            };
            let _ = writeln!(text, "| {goal} | {} | {} |", those(true), those(false));
        }
        if all().any(|verdict| !verdict.is_met()) {
            text.push_str(
                "\nWhere a goal is missed, [PROFILES.md](PROFILES.md) says where the time goes and what would change it.\n",
            );
        }
    }
}

impl Section {
    /// Of a workload that came to no end.
    pub fn failed(name: &'static str, fault: &Fault) -> Self {
        Self {
            name,
            title: name.to_owned(),
            about: format!("**Not measured:** {fault}"),
            columns: vec![],
            rows: vec![],
            verdicts: vec![],
            notes: vec![],
            charts: vec![],
        }
    }

    fn write(&self, text: &mut String) {
        let _ = write!(text, "\n## {}\n\n{}\n\n", self.title, self.about);
        if self.columns.is_empty() {
            return;
        }
        let _ = writeln!(text, "| | {} |", self.columns.join(" | "));
        let _ = writeln!(text, "|---|{}", "--:|".repeat(self.columns.len()));
        for row in &self.rows {
            let cells: Vec<String> = row
                .cells
                .iter()
                .map(|cell| cell.as_ref().map_or_else(|| "–".to_owned(), Cell::words))
                .collect();
            let invalid = if row.invalid.is_empty() {
                ""
            } else {
                " **(invalid)**"
            };
            let _ = writeln!(text, "| {}{invalid} | {} |", row.name, cells.join(" | "));
        }
        for chart in &self.charts {
            let _ = writeln!(text, "\n![{}]({}.svg)", chart.title, chart.name);
        }
        if !self.verdicts.is_empty() {
            text.push_str("\n| goal | what | reached | must | stretch | verdict |\n|---|---|--:|--:|--:|---|\n");
        }
        for verdict in &self.verdicts {
            let (digits, unit) = verdict
                .value
                .as_ref()
                .map_or((2, ""), |cell| (cell.digits, cell.unit));
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} |",
                verdict.goal,
                verdict.what,
                verdict
                    .value
                    .as_ref()
                    .map_or_else(|| "–".to_owned(), Cell::words),
                verdict.must.words(digits, unit),
                verdict
                    .stretch
                    .map_or_else(|| "–".to_owned(), |bound| bound.words(digits, unit)),
                verdict.verdict,
            );
        }
        let invalid = self.rows.iter().flat_map(|row| {
            row.invalid
                .iter()
                .map(move |why| format!("{}: {why}", row.name))
        });
        let notes: Vec<String> = self.notes.iter().cloned().chain(invalid).collect();
        if !notes.is_empty() {
            text.push('\n');
        }
        for note in notes {
            let _ = writeln!(text, "- {note}");
        }
    }
}

/// `1234567.8` as `1,234,568`.
fn grouped(value: f64, digits: usize) -> String {
    let plain = format!("{value:.digits$}");
    let (whole, rest) = plain
        .split_once('.')
        .map_or((plain.as_str(), String::new()), |(whole, rest)| {
            (whole, format!(".{rest}"))
        });
    let (sign, whole) = whole
        .strip_prefix('-')
        .map_or(("", whole), |whole| ("-", whole));
    let mut out = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    format!("{sign}{out}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_decides_and_a_missing_figure_is_no_success() {
        let judged = |values: &[f64]| {
            Verdict::new(
                "G1",
                "of the floor",
                Cell::of(values, 2, "×"),
                Bound::AtLeast(0.65),
                Some(Bound::AtLeast(0.85)),
            )
            .verdict
        };
        assert_eq!(judged(&[0.5, 0.7, 0.9]), "met");
        assert_eq!(judged(&[0.86]), "met, and the stretch goal too");
        assert_eq!(judged(&[0.64]), "missed");
        assert_eq!(judged(&[]), "not measured");
    }

    #[test]
    fn an_invalid_row_says_so_and_why() {
        let section = Section {
            name: "live",
            title: "Live".to_owned(),
            about: String::new(),
            columns: vec!["rate".to_owned()],
            rows: vec![Row {
                name: "ws".to_owned(),
                cells: vec![Cell::of(&[1_234.5], 0, "/s"), None],
                invalid: vec!["3 after 4".to_owned()],
            }],
            verdicts: vec![],
            notes: vec![],
            charts: vec![],
        };
        let mut text = String::new();
        section.write(&mut text);
        assert!(
            text.contains("| ws **(invalid)** | 1,234/s | – |"),
            "{text}"
        );
        assert!(text.contains("- ws: 3 after 4"), "{text}");
    }

    #[test]
    fn numbers_are_grouped_for_a_reader() {
        assert_eq!(grouped(1_234_567.8, 0), "1,234,568");
        assert_eq!(grouped(999.0, 1), "999.0");
        assert_eq!(grouped(-1_000.0, 0), "-1,000");
    }
}
