//! Where days and levels lie in a picture, and what the picture says in words.

use domain::{
    day,
    wellbeing::{
        Domain, Level,
        trend::{GAP_DAYS, Run, Trend},
    },
};
use time::{Date, Month};

/// Most labels that fit under a picture on a telephone.
const TICKS_MOST: usize = 4;

/// First and last day of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// At its left edge.
    pub from: Date,
    /// At its right edge.
    pub to: Date,
}

/// Something that ran for a while, as an intervention does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// What it is called.
    pub name: String,
    /// Its first day.
    pub from: Date,
    /// Its last day; none while it runs.
    pub to: Option<Date>,
}

impl Span {
    /// "Nurture group, 5 January 2026 to 27 March 2026".
    pub fn words(&self) -> String {
        let from = day::words(self.from);
        match self.to {
            Some(to) => format!("{}, {from} to {}", self.name, day::words(to)),
            None => format!("{}, since {from}", self.name),
        }
    }
}

/// A rectangle in which days run to the right and levels upwards, in the units of the picture.
#[derive(Clone, Copy, Debug)]
pub struct Plane {
    /// Its left edge.
    pub left: f64,
    /// Its upper edge.
    pub top: f64,
    /// How wide it is.
    pub width: f64,
    /// How high it is.
    pub height: f64,
    /// Which days it shows.
    pub window: Window,
}

impl Plane {
    /// Where a day lies; one outside the window lies on its edge.
    pub fn x(&self, day: Date) -> f64 {
        let days = |to: Date| f64::from(to.to_julian_day() - self.window.from.to_julian_day());
        let whole = days(self.window.to).max(1.0);
        self.left + self.width * (days(day) / whole).clamp(0.0, 1.0)
    }

    /// Where a level lies: 1 on the lower edge, 5 on the upper.
    pub fn y(&self, level: f64) -> f64 {
        self.top + self.height * (5.0 - level.clamp(1.0, 5.0)) / 4.0
    }

    /// The right edge.
    pub fn right(&self) -> f64 {
        self.left + self.width
    }

    /// The lower edge.
    pub fn bottom(&self) -> f64 {
        self.top + self.height
    }

    /// The line through a run, as the points of a polyline; none where the run has none.
    pub fn line(&self, run: &Run) -> Option<String> {
        let line = run.line?;
        let points = run.days.iter().map(|day| (day.on, line.at(day.on)));
        Some(self.points(points))
    }

    /// The band around it, as the points of a polygon: along its upper edge and back along its lower.
    pub fn band(&self, run: &Run) -> Option<String> {
        let line = run.line?;
        let upper = run.days.iter().map(|day| (day.on, line.band(day.on).1));
        let lower = run.days.iter().rev();
        let lower = lower.map(|day| (day.on, line.band(day.on).0));
        Some(self.points(upper.chain(lower)))
    }

    fn points(&self, points: impl Iterator<Item = (Date, f64)>) -> String {
        points
            .map(|(day, level)| format!("{},{}", tenth(self.x(day)), tenth(self.y(level))))
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// The days that are named under the picture: the first of each month, or of every second and so on where they are too
    /// many; first and last day where hardly a month is shown.
    pub fn ticks(&self) -> Vec<(Date, String)> {
        let Window { from, to } = self.window;
        let mut firsts = Vec::new();
        let mut first = from.replace_day(1).unwrap_or(from);
        while first <= to {
            if first >= from {
                firsts.push(first);
            }
            let next = day::months_after(first, 1);
            if next <= first {
                break;
            }
            first = next;
        }
        if firsts.len() < 2 {
            let short = |day: Date| format!("{} {}", day.day(), month(day));
            return vec![(from, short(from)), (to, short(to))];
        }
        let step = firsts.len().div_ceil(TICKS_MOST);
        let mut year = None;
        firsts
            .into_iter()
            .step_by(step)
            .map(|first| {
                let label = if year.replace(first.year()) == Some(first.year()) {
                    month(first)
                } else {
                    format!("{} {}", month(first), first.year())
                };
                (first, label)
            })
            .collect()
    }
}

/// A number of the picture: one digit after the point at most.
pub fn tenth(value: f64) -> String {
    let text = format!("{value:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if text == "-0" { "0" } else { text }.to_owned()
}

/// A name that fits beside a bar; in full it stands in the table.
pub fn short(name: &str, most: usize) -> String {
    if name.chars().count() <= most {
        return name.to_owned();
    }
    let kept: String = name.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// What the picture of one domain says, in a few sentences: the same as its table in short.
pub fn in_short(domain: Domain, trend: &Trend, spans: &[Span]) -> String {
    let name = domain.name();
    let Some(latest) = trend.latest() else {
        return format!("{name}: no check-ins in this time.");
    };
    let days = trend.days().count();
    let mut said = vec![format!(
        "{name}: check-ins on {}, {}. The latest, on {}, is {} of 5, {}.",
        if days == 1 {
            "1 day".to_owned()
        } else {
            format!("{days} days")
        },
        trend.direction.words(),
        day::words(latest.on),
        tenth(latest.median),
        latest.words(),
    )];
    for (before, after) in trend.gaps() {
        said.push(format!(
            "None for more than {} weeks between {} and {}.",
            GAP_DAYS / 7,
            day::words(before),
            day::words(after)
        ));
    }
    said.extend(spans.iter().map(|span| format!("{}.", span.words())));
    said.join(" ")
}

/// What one square of a heat map says beside its number.
pub fn cell_words(domain: Domain, level: Option<Level>) -> String {
    match level {
        Some(level) => format!(" of 5 for {}: {}", domain.name(), level.words()),
        None => format!("{}: not yet seen", domain.name()),
    }
}

fn month(day: Date) -> String {
    let short = match day.month() {
        Month::September => "Sept",
        month => return month.to_string().chars().take(3).collect(),
    };
    short.to_owned()
}

#[cfg(test)]
mod tests {
    use domain::wellbeing::trend::{Point, trend};
    use time::macros::date;

    use super::*;

    fn plane(from: Date, to: Date) -> Plane {
        Plane {
            left: 100.0,
            top: 10.0,
            width: 300.0,
            height: 160.0,
            window: Window { from, to },
        }
    }

    fn seen(all: &[(Date, u8)]) -> Trend {
        let points: Vec<_> = all
            .iter()
            .map(|(on, level)| Point {
                on: *on,
                level: Level::try_from(*level).unwrap(),
            })
            .collect();
        trend(&points)
    }

    #[test]
    fn days_run_to_the_right_and_levels_upwards_and_nothing_leaves_the_picture() {
        let plane = plane(date!(2026 - 01 - 01), date!(2026 - 01 - 31));
        assert_eq!(tenth(plane.x(date!(2026 - 01 - 01))), "100");
        assert_eq!(tenth(plane.x(date!(2026 - 01 - 11))), "200");
        assert_eq!(tenth(plane.x(date!(2027 - 01 - 11))), "400");
        assert_eq!(tenth(plane.x(date!(2025 - 12 - 31))), "100");
        assert_eq!(
            (tenth(plane.y(1.0)), tenth(plane.y(5.0))),
            ("170".to_owned(), "10".to_owned())
        );
        assert_eq!(tenth(plane.y(9.0)), "10");
    }

    #[test]
    fn a_picture_of_one_day_is_no_division_by_nought() {
        let plane = plane(date!(2026 - 01 - 01), date!(2026 - 01 - 01));
        assert!(plane.x(date!(2026 - 01 - 01)).is_finite());
        assert_eq!(plane.ticks().len(), 2);
    }

    #[test]
    fn line_and_band_are_drawn_from_three_days_on_and_rounded() {
        let plane = plane(date!(2026 - 01 - 01), date!(2026 - 01 - 31));
        let two = seen(&[(date!(2026 - 01 - 01), 2), (date!(2026 - 01 - 08), 3)]);
        assert_eq!(plane.line(&two.runs[0]), None);
        assert_eq!(plane.band(&two.runs[0]), None);
        let level = seen(&[
            (date!(2026 - 01 - 01), 3),
            (date!(2026 - 01 - 08), 3),
            (date!(2026 - 01 - 31), 3),
        ]);
        assert_eq!(plane.line(&level.runs[0]).unwrap(), "100,90 170,90 400,90");
        assert_eq!(
            plane.band(&level.runs[0]).unwrap(),
            "100,70 170,70 400,70 400,110 170,110 100,110"
        );
    }

    #[test]
    fn a_school_year_has_at_most_four_names_under_it_and_says_the_year_when_it_changes() {
        let plane = plane(date!(2025 - 09 - 03), date!(2026 - 07 - 22));
        let labels: Vec<_> = plane.ticks().into_iter().map(|(_, label)| label).collect();
        assert_eq!(labels, ["Oct 2025", "Jan 2026", "Apr", "Jul"]);
        let fortnight = super::tests::plane(date!(2026 - 09 - 02), date!(2026 - 09 - 16));
        let labels: Vec<_> = fortnight
            .ticks()
            .into_iter()
            .map(|(_, label)| label)
            .collect();
        assert_eq!(labels, ["2 Sept", "16 Sept"]);
    }

    #[test]
    fn the_words_say_what_the_picture_shows() {
        let trend = seen(&[
            (date!(2026 - 01 - 05), 2),
            (date!(2026 - 01 - 12), 3),
            (date!(2026 - 01 - 19), 4),
            (date!(2026 - 05 - 04), 4),
        ]);
        let group = Span {
            name: "Nurture group".to_owned(),
            from: date!(2026 - 01 - 05),
            to: None,
        };
        assert_eq!(
            in_short(Domain::Settled, &trend, &[group]),
            "Settled: check-ins on 4 days, too few to say. The latest, on 4 May 2026, is 4 of 5, doing well. None for more \
             than 8 weeks between 19 January 2026 and 4 May 2026. Nurture group, since 5 January 2026."
        );
        assert_eq!(
            in_short(Domain::Safe, &seen(&[]), &[]),
            "Safe: no check-ins in this time."
        );
    }

    #[test]
    fn a_square_says_its_level_in_words_or_that_nobody_looked() {
        let four = Level::parse("4").ok();
        assert_eq!(cell_words(Domain::Safe, four), " of 5 for Safe: doing well");
        assert_eq!(cell_words(Domain::Safe, None), "Safe: not yet seen");
    }

    #[test]
    fn long_names_are_cut_between_letters() {
        assert_eq!(short("Nurture group", 20), "Nurture group");
        assert_eq!(short("Frühstücksclub am Morgen", 12), "Frühstücksc…");
    }
}
