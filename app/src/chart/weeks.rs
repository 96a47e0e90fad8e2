//! One domain of a child week by week, as parents see it: what was mostly seen, and neither how often anybody looked nor who.

use domain::{
    day,
    wellbeing::{
        Domain,
        onrecord::{ChildTrend, Weeks},
        scale,
    },
};
use leptos::prelude::*;
use time::{Date, Duration};

use super::{
    plane::{Plane, Window, tenth},
    trend::{AXIS, HEIGHT, LEFT, RIGHT, TOP, WIDTH, levels, months},
};

/// Fewer weeks make no picture.
const LEAST: usize = 3;
/// Weeks further apart than this are not joined by a line.
const JOINED: Duration = Duration::weeks(3);
/// From the middle between mixed and doing well on.
const WELL: f64 = 3.5;

/// A week's Monday, and the middle of what was seen in it.
pub type Week = (Date, f64);

/// The weeks of the last year, in the domains that have enough of them.
pub fn of_last_year(trend: ChildTrend, today: Date) -> Vec<(Domain, Vec<Week>)> {
    let from = today - Duration::weeks(53);
    let read = |weeks: Weeks| -> Vec<Week> {
        weeks
            .into_iter()
            .filter_map(|(monday, median)| Some((day::parse(&monday).ok()?, median)))
            .filter(|(monday, _)| *monday >= from)
            .collect()
    };
    trend
        .domains
        .into_iter()
        .map(|(domain, weeks)| (domain, read(weeks)))
        .filter(|(_, weeks)| weeks.len() >= LEAST)
        .collect()
}

/// "Settled in most weeks".
pub fn in_words(domain: Domain, weeks: &[Week]) -> String {
    let well = weeks.iter().filter(|(_, median)| *median >= WELL).count();
    let name = domain.name();
    match well {
        0 => format!("{name}: hard for them in these weeks"),
        all if all == weeks.len() => format!("{name} in all of these weeks"),
        most if most * 5 > weeks.len() * 3 => format!("{name} in most weeks"),
        half if half * 5 >= weeks.len() * 2 => format!("{name} in about half of the weeks"),
        _ => format!("{name} in some weeks"),
    }
}

/// The picture and its table. Nothing where there are no weeks.
#[component]
pub fn WeeksChart(
    /// Which domain.
    domain: Domain,
    /// In order.
    weeks: Vec<Week>,
    /// The picture's own on the page.
    #[prop(into)]
    id: String,
) -> impl IntoView {
    let (Some(first), Some(last)) = (weeks.first(), weeks.last()) else {
        return ().into_any();
    };
    let plane = Plane {
        left: LEFT,
        top: TOP,
        width: WIDTH - LEFT - RIGHT,
        height: HEIGHT,
        window: Window {
            from: first.0,
            to: last.0,
        },
    };
    let view_box = format!("0 0 {} {}", tenth(WIDTH), tenth(TOP + HEIGHT + AXIS));
    let words = in_words(domain, &weeks);
    let said = format!(
        "{words}. The latest, in the week from {}, is {}.",
        day::words(last.0),
        scale::words(last.1)
    );
    let labels = format!("{id}-title {id}-said");
    view! {
        <figure class="chart">
            <div class="picture">
                <svg viewBox=view_box role="img" aria-labelledby=labels>
                    <title id=format!("{id}-title")>{format!("{} week by week", domain.name())}</title>
                    <desc id=format!("{id}-said")>{said}</desc>
                    {levels(&plane)}
                    {months(&plane)}
                    {lines(&plane, &weeks)}
                    {dots(&plane, &weeks)}
                </svg>
            </div>
            <figcaption><b>{words}</b> " · A dot is a week."</figcaption>
            {table(domain, &weeks)}
        </figure>
    }
    .into_any()
}

fn lines(plane: &Plane, weeks: &[Week]) -> Vec<AnyView> {
    weeks
        .chunk_by(|one, next| next.0 - one.0 <= JOINED)
        .filter(|run| run.len() > 1)
        .map(|run| {
            let points: Vec<String> = run
                .iter()
                .map(|(monday, median)| {
                    format!("{},{}", tenth(plane.x(*monday)), tenth(plane.y(*median)))
                })
                .collect();
            view! { <polyline class="line" points=points.join(" ")></polyline> }.into_any()
        })
        .collect()
}

fn dots(plane: &Plane, weeks: &[Week]) -> Vec<AnyView> {
    weeks
        .iter()
        .map(|(monday, median)| {
            view! { <circle class="dot" cx=tenth(plane.x(*monday)) cy=tenth(plane.y(*median)) r="4"></circle> }
                .into_any()
        })
        .collect()
}

fn table(domain: Domain, weeks: &[Week]) -> impl IntoView + use<> {
    let rows: Vec<_> = weeks
        .iter()
        .rev()
        .map(|(monday, median)| {
            view! {
                <tr>
                    <th scope="row">{day::words(*monday)}</th>
                    <td data-label="What was mostly seen">{scale::words(*median)}</td>
                </tr>
            }
        })
        .collect();
    view! {
        <details class="beside">
            <summary>{domain.name()} " as a table"</summary>
            <table class="table">
                <caption>{domain.name()} ": " {domain.look()} ". Newest first, from great difficulty to thriving."</caption>
                <thead><tr><th scope="col">"Week from"</th><th scope="col">"What was mostly seen"</th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </details>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    const TODAY: Date = date!(2026 - 06 - 18);

    fn weeks(medians: &[f64]) -> Vec<Week> {
        medians
            .iter()
            .zip(0_i64..)
            .map(|(median, week)| (date!(2026 - 05 - 04) + Duration::weeks(week), *median))
            .collect()
    }

    #[test]
    fn weeks_are_said_as_a_parent_would_say_them() {
        for (medians, said) in [
            (vec![4.0, 5.0, 3.5], "Settled in all of these weeks"),
            (vec![4.0, 4.0, 2.0], "Settled in most weeks"),
            (
                vec![4.0, 4.0, 2.0, 3.0],
                "Settled in about half of the weeks",
            ),
            (vec![4.0, 2.0, 2.0, 3.0], "Settled in some weeks"),
            (vec![2.0, 3.0, 1.0], "Settled: hard for them in these weeks"),
        ] {
            assert_eq!(in_words(Domain::Settled, &weeks(&medians)), said);
        }
    }

    #[test]
    fn what_is_older_than_a_year_or_too_little_makes_no_picture() {
        let of = |mondays: &[&str]| {
            let weeks = mondays.iter().map(|monday| ((*monday).to_owned(), 4.0));
            (Domain::Safe, weeks.collect::<Weeks>())
        };
        let enough = of(&["2026-06-01", "2026-06-08", "2026-06-15"]);
        let old = of(&["2024-01-01", "2026-06-08", "2026-06-15"]);
        for (one, pictures) in [(enough, 1), (old, 0)] {
            let trend = ChildTrend { domains: vec![one] };
            assert_eq!(of_last_year(trend, TODAY).len(), pictures);
        }
    }

    #[test]
    fn neither_the_picture_nor_its_table_says_how_often_anybody_looked() {
        let html =
            view! { <WeeksChart domain=Domain::Settled weeks=weeks(&[4.0, 2.0, 4.0]) id="w" /> }
                .to_html();
        assert!(html.contains("Settled in most weeks"), "{html}");
        assert!(
            html.contains("doing well") && html.contains("4 May 2026"),
            "{html}"
        );
        assert_eq!(html.matches("<circle").count(), 3);
        assert!(!html.to_lowercase().contains("check-in"), "{html}");
    }
}
