//! What a pupil's check-ins in one domain say over time: days, the runs they form, a line with a band through each, and a
//! direction, or that they are too few to say.
//!
//! The line is that of Theil (1950) and Sen (Journal of the American Statistical Association 63, 1968): the median of the
//! slopes between every two days, through the median of what is left. Fewer than three days in ten can be as wrong as they like
//! without moving it far, which suits numbers that a hurried adult gives. It describes what was seen; it foretells nothing.

use serde::{Deserialize, Serialize};
use time::Date;

use super::{Level, scale};

/// No line through fewer days.
pub const LEAST_DAYS: usize = 3;
/// More days than this without a check-in break the line: eight weeks, longer than any school holiday.
pub const GAP_DAYS: i32 = 56;
/// A line that rises or falls by less from its first day to its last is about the same: nobody can choose half a level.
pub const LEAST_CHANGE: f64 = 0.5;
/// The narrowest band to either side: a whole level stands for everything up to half a level away.
const LEAST_BAND: f64 = 0.5;

/// One check-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// The day in England.
    pub on: Date,
    /// What was chosen.
    pub level: Level,
}

/// All check-ins of one day.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Day {
    /// Which.
    pub on: Date,
    /// Their median: half a level where an even number of them disagrees.
    pub median: f64,
    /// How many.
    pub count: usize,
}

impl Day {
    /// "mixed", "between mixed and doing well".
    pub fn words(&self) -> String {
        scale::words(self.median)
    }
}

/// A straight line through a run of days and the band around it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The run's first day.
    pub from: Date,
    /// Its last day.
    pub to: Date,
    /// Height on the first day; may lie outside the scale.
    start: f64,
    /// Levels a day.
    slope: f64,
    /// To either side: at least four days in five lie within (the nearest-rank quantile of Hyndman and Fan, American
    /// Statistician 50, 1996, definition 1), and it is at least half a level.
    pub half: f64,
}

impl Line {
    /// Height on a day, kept to the scale.
    pub fn at(&self, day: Date) -> f64 {
        self.raw(day).clamp(1.0, 5.0)
    }

    /// Lower and upper edge of the band on a day, kept to the scale.
    pub fn band(&self, day: Date) -> (f64, f64) {
        let middle = self.raw(day);
        (
            (middle - self.half).clamp(1.0, 5.0),
            (middle + self.half).clamp(1.0, 5.0),
        )
    }

    fn raw(&self, day: Date) -> f64 {
        self.slope.mul_add(days_between(self.from, day), self.start)
    }

    /// Levels that it rises from first day to last; negative where it falls.
    pub fn change(&self) -> f64 {
        self.slope * days_between(self.from, self.to)
    }
}

/// Days without a gap of more than [`GAP_DAYS`] between two of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// In order; at least one.
    pub days: Vec<Day>,
    /// Only from [`LEAST_DAYS`] on.
    pub line: Option<Line>,
}

/// Where the newest run goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Rises by half a level or more, and at least three in four of the pairs of days that differ rise.
    Up,
    /// Neither.
    Steady,
    /// Falls likewise.
    Down,
    /// Fewer than [`LEAST_DAYS`] days since the last gap.
    TooFew,
}

impl Direction {
    /// As stored and as a class of the style sheet.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Steady => "steady",
            Self::Down => "down",
            Self::TooFew => "too_few",
        }
    }

    /// As people read it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Up => "going up",
            Self::Steady => "no clear change",
            Self::Down => "going down",
            Self::TooFew => "too few to say",
        }
    }
}

/// What one pupil's check-ins in one domain say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trend {
    /// Oldest first; none where nobody has checked in.
    pub runs: Vec<Run>,
    /// Of the newest run.
    pub direction: Direction,
}

impl Trend {
    /// All days, oldest first.
    pub fn days(&self) -> impl Iterator<Item = &Day> {
        self.runs.iter().flat_map(|run| &run.days)
    }

    /// The newest day with a check-in.
    pub fn latest(&self) -> Option<&Day> {
        self.runs.last().and_then(|run| run.days.last())
    }

    /// The last day before and the first day after each gap.
    pub fn gaps(&self) -> Vec<(Date, Date)> {
        self.runs
            .windows(2)
            .filter_map(|pair| match pair {
                [before, after] => Some((before.days.last()?.on, after.days.first()?.on)),
                _ => None,
            })
            .collect()
    }
}

/// The trend of the check-ins given, in any order. A line is straight over the whole run, so give those of the period that is
/// shown, such as a school year.
pub fn trend(points: &[Point]) -> Trend {
    let mut runs: Vec<Run> = Vec::new();
    for day in days(points) {
        match runs.last_mut() {
            Some(run) if follows(run, &day) => run.days.push(day),
            _ => runs.push(Run {
                days: vec![day],
                line: None,
            }),
        }
    }
    for run in &mut runs {
        run.line = line(&run.days);
    }
    let direction = runs.last().map_or(Direction::TooFew, direction);
    Trend { runs, direction }
}

/// The check-ins by day, oldest first, those of one day as their median.
pub fn days(points: &[Point]) -> Vec<Day> {
    let mut points = points.to_vec();
    points.sort_unstable_by_key(|point| (point.on, point.level));
    points
        .chunk_by(|one, next| one.on == next.on)
        .filter_map(|same| {
            let levels: Vec<f64> = same.iter().map(|point| point.level.into()).collect();
            Some(Day {
                on: same.first()?.on,
                median: median(levels)?,
                count: same.len(),
            })
        })
        .collect()
}

/// The middle value, or halfway between the two middle ones; none of nothing.
pub(super) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = *values.get(values.len() / 2 - 1)?;
    Some(f64::midpoint(lower, upper))
}

fn follows(run: &Run, day: &Day) -> bool {
    run.days
        .last()
        .is_some_and(|last| day.on.to_julian_day() - last.on.to_julian_day() <= GAP_DAYS)
}

fn line(days: &[Day]) -> Option<Line> {
    let (first, last) = (days.first()?, days.last()?);
    if days.len() < LEAST_DAYS {
        return None;
    }
    let slopes = pairs(days)
        .map(|(one, next)| (next.median - one.median) / days_between(one.on, next.on))
        .collect();
    let slope = median(slopes)?;
    let left = |day: &Day| slope.mul_add(-days_between(first.on, day.on), day.median);
    let start = median(days.iter().map(left).collect())?;
    let mut off: Vec<f64> = days.iter().map(|day| (left(day) - start).abs()).collect();
    off.sort_unstable_by(f64::total_cmp);
    // The least number of days that is four in five.
    let within = (days.len() * 4).div_ceil(5);
    let half = off.get(within.checked_sub(1)?)?.max(LEAST_BAND);
    Some(Line {
        from: first.on,
        to: last.on,
        start,
        slope,
        half,
    })
}

fn direction(run: &Run) -> Direction {
    let Some(line) = &run.line else {
        return Direction::TooFew;
    };
    let (mut rise, mut fall) = (0_usize, 0_usize);
    for (one, next) in pairs(&run.days) {
        match next.median.total_cmp(&one.median) {
            std::cmp::Ordering::Greater => rise += 1,
            std::cmp::Ordering::Less => fall += 1,
            std::cmp::Ordering::Equal => {}
        }
    }
    let most = |part: usize| part * 4 >= (rise + fall) * 3;
    if line.change() >= LEAST_CHANGE && most(rise) {
        Direction::Up
    } else if line.change() <= -LEAST_CHANGE && most(fall) {
        Direction::Down
    } else {
        Direction::Steady
    }
}

/// Every two days, the earlier one first.
fn pairs(days: &[Day]) -> impl Iterator<Item = (&Day, &Day)> {
    days.iter()
        .enumerate()
        .flat_map(|(n, one)| days.iter().skip(n + 1).map(move |next| (one, next)))
}

fn days_between(from: Date, to: Date) -> f64 {
    f64::from(to.to_julian_day() - from.to_julian_day())
}

#[cfg(test)]
mod tests;
