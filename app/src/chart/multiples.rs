//! The eight domains of one pupil side by side, on the same days and the same levels, so that they can be compared at a glance.

use domain::{
    day,
    wellbeing::{
        Domain, Level,
        trend::{Direction, Trend},
    },
};
use leptos::prelude::*;
use time::Date;

use super::{
    gaps,
    plane::{Plane, Window, in_short, tenth},
    runs,
};

const WIDTH: f64 = 200.0;
const HEIGHT: f64 = 92.0;
/// Of the numbers at the left.
const LEFT: f64 = 18.0;
const EDGE: f64 = 8.0;

/// A small picture for each domain, and one table of them all.
#[component]
pub fn Multiples(
    /// Each domain with what its check-ins say, in the order in which they are shown.
    trends: Vec<(Domain, Trend)>,
    /// First and last day of every picture.
    window: Window,
    /// The pictures' own on the page.
    #[prop(into)]
    id: String,
) -> impl IntoView {
    let pictures: Vec<_> = trends
        .iter()
        .map(|(domain, trend)| one(*domain, trend, window, &id))
        .collect();
    let span = format!("{} to {}", day::words(window.from), day::words(window.to));
    view! {
        <figure class="chart">
            <ul role="list" class="multiples">{pictures}</ul>
            <figcaption>{span} ", levels 1 (great difficulty) to 5 (thriving)."</figcaption>
            {table(&trends)}
        </figure>
    }
}

fn one(domain: Domain, trend: &Trend, window: Window, id: &str) -> impl IntoView + use<> {
    let plane = Plane {
        left: LEFT,
        top: EDGE,
        width: WIDTH - LEFT - EDGE,
        height: HEIGHT - 2.0 * EDGE,
        window,
    };
    let grid: Vec<_> = [1, 3, 5]
        .into_iter()
        .filter_map(|level| Level::try_from(level).ok())
        .map(|level| {
            let y = tenth(plane.y(level.into()));
            view! {
                <line class="grid" x1=tenth(plane.left) x2=tenth(plane.right()) y1=y.clone() y2=y.clone()></line>
                <text class="level" x=tenth(plane.left - 6.0) y=y dy="0.35em" text-anchor="end">{level.to_string()}</text>
            }
        })
        .collect();
    let own = format!("{id}-{}", domain.code());
    let labels = format!("{own}-title {own}-said");
    let (name, direction) = (domain.name(), trend.direction);
    view! {
        <li>
            <p><b>{name}</b>" "<small><span aria-hidden="true">{arrow(direction)}" "</span>{direction.words()}</small></p>
            <svg viewBox=format!("0 0 {} {}", tenth(WIDTH), tenth(HEIGHT)) role="img" aria-labelledby=labels>
                <title id=format!("{own}-title")>{format!("{name} over time")}</title>
                <desc id=format!("{own}-said")>{in_short(domain, trend, &[])}</desc>
                {gaps(&plane, trend)}
                {grid}
                {runs(&plane, trend, "3")}
            </svg>
        </li>
    }
}

/// A day to a row and a domain to a column, newest first, under the directions.
fn table(trends: &[(Domain, Trend)]) -> impl IntoView + use<> {
    let mut days: Vec<Date> = trends
        .iter()
        .flat_map(|(_, trend)| trend.days())
        .map(|day| day.on)
        .collect();
    days.sort_unstable();
    days.dedup();
    let heads: Vec<_> = trends
        .iter()
        .map(|(domain, _)| view! { <th scope="col">{domain.name()}</th> })
        .collect();
    let rows: Vec<_> = days
        .into_iter()
        .rev()
        .map(|on| {
            let levels: Vec<_> = trends
                .iter()
                .map(|(domain, trend)| {
                    let seen = trend.days().find(|day| day.on == on);
                    let level = seen.map_or_else(|| "–".to_owned(), |day| tenth(day.median));
                    view! { <td data-label=domain.name()>{level}</td> }
                })
                .collect();
            view! { <tr><th scope="row">{day::words(on)}</th>{levels}</tr> }
        })
        .collect();
    let directions: Vec<_> = trends
        .iter()
        .map(|(domain, trend)| {
            view! { <td data-label=domain.name()>{trend.direction.words()}</td> }
        })
        .collect();
    view! {
        <details class="beside">
            <summary>"All domains as a table"</summary>
            <div class="scroll" tabindex="0" role="region" aria-label="All domains as a table">
                <table class="table">
                    <caption>"Level on each day with a check-in, newest first. A dash means not seen on that day."</caption>
                    <thead><tr><th scope="col">"Day"</th>{heads}</tr></thead>
                    <tbody><tr><th scope="row">"Direction"</th>{directions}</tr>{rows}</tbody>
                </table>
            </div>
        </details>
    }
}

fn arrow(direction: Direction) -> &'static str {
    match direction {
        Direction::Up => "↗",
        Direction::Steady => "→",
        Direction::Down => "↘",
        Direction::TooFew => "·",
    }
}
