//! One domain of one pupil over time: what was seen on each day, the line and its band where there is enough to draw one, and
//! what ran meanwhile.

use domain::{
    day,
    wellbeing::{Domain, Level, trend::Trend},
};
use leptos::prelude::*;

use super::{
    gaps,
    plane::{Plane, Span, Window, in_short, short, tenth},
    runs,
};

pub(super) const WIDTH: f64 = 420.0;
/// Of what stands to the left of the levels: the sheet cuts off their words where the picture is small.
pub(super) const LEFT: f64 = 104.0;
pub(super) const RIGHT: f64 = 10.0;
pub(super) const TOP: f64 = 10.0;
pub(super) const HEIGHT: f64 = 176.0;
/// Of the names of the months.
pub(super) const AXIS: f64 = 28.0;
/// Of one thing that ran.
const LANE: f64 = 30.0;
/// Longest name beside a bar, in characters.
const NAME_MOST: usize = 32;

/// The trend in one domain, and its table.
#[component]
pub fn TrendChart(
    /// Which domain.
    domain: Domain,
    /// What its check-ins say.
    trend: Trend,
    /// First and last day of the picture.
    window: Window,
    /// What ran meanwhile.
    #[prop(optional)]
    spans: Vec<Span>,
    /// The picture's own on the page.
    #[prop(into)]
    id: String,
) -> impl IntoView {
    let plane = Plane {
        left: LEFT,
        top: TOP,
        width: WIDTH - LEFT - RIGHT,
        height: HEIGHT,
        window,
    };
    let lanes: f64 = spans.iter().map(|_| LANE).sum();
    let view_box = format!(
        "0 0 {} {}",
        tenth(WIDTH),
        tenth(TOP + HEIGHT + AXIS + lanes)
    );
    let said = in_short(domain, &trend, &spans);
    let labels = format!("{id}-title {id}-said");
    view! {
        <figure class="chart">
            <div class="picture">
                <svg viewBox=view_box role="img" aria-labelledby=labels>
                    <title id=format!("{id}-title")>{format!("{} over time", domain.name())}</title>
                    <desc id=format!("{id}-said")>{said}</desc>
                    {gaps(&plane, &trend)}
                    {levels(&plane)}
                    {months(&plane)}
                    {runs(&plane, &trend, "4")}
                    {lanes_of(&plane, &spans)}
                </svg>
            </div>
            {key(&trend)}
            {table(domain, &trend, &spans)}
        </figure>
    }
}

pub(super) fn levels(plane: &Plane) -> Vec<AnyView> {
    let (left, right) = (tenth(plane.left), tenth(plane.right()));
    Level::ALL
        .into_iter()
        .map(|level| {
            let y = tenth(plane.y(level.into()));
            view! {
                <line class="grid" x1=left.clone() x2=right.clone() y1=y.clone() y2=y.clone()></line>
                <text class="level" x=tenth(plane.left - 6.0) y=y.clone() dy="0.35em" text-anchor="end">{level.to_string()}</text>
                <text class="word" x=tenth(plane.left - 18.0) y=y dy="0.35em" text-anchor="end">{level.words()}</text>
            }
            .into_any()
        })
        .collect()
}

pub(super) fn months(plane: &Plane) -> Vec<AnyView> {
    let (top, bottom) = (plane.bottom(), plane.bottom() + 5.0);
    plane
        .ticks()
        .into_iter()
        .map(|(day, label)| {
            let x = plane.x(day);
            // A name at the right edge ends there instead of running out of the picture.
            let anchor = if x > plane.right() - 30.0 { "end" } else { "start" };
            view! {
                <line class="tick" x1=tenth(x) x2=tenth(x) y1=tenth(top) y2=tenth(bottom)></line>
                <text class="day" x=tenth(x) y=tenth(bottom + 14.0) text-anchor=anchor>{label}</text>
            }
            .into_any()
        })
        .collect()
}

fn lanes_of(plane: &Plane, spans: &[Span]) -> Vec<AnyView> {
    let mut top = plane.bottom() + AXIS;
    let mut lanes = Vec::with_capacity(spans.len());
    for span in spans {
        let x = plane.x(span.from);
        let to = plane.x(span.to.unwrap_or(plane.window.to));
        // A day is as narrow as a hair, and still to be seen.
        let width = (to - x).max(3.0);
        let (at, anchor) = if x > plane.left + plane.width / 2.0 {
            (x + width, "end")
        } else {
            (x, "start")
        };
        let name = short(&span.name, NAME_MOST);
        lanes.push(
            view! {
                <text class="name" x=tenth(at) y=tenth(top + 13.0) text-anchor=anchor>{name}</text>
                <rect class="span" x=tenth(x) y=tenth(top + 19.0) width=tenth(width) height="6" rx="2"></rect>
            }
            .into_any(),
        );
        top += LANE;
    }
    lanes
}

/// What the shapes mean, where they are there.
fn key(trend: &Trend) -> impl IntoView + use<> {
    let lined = trend.runs.iter().any(|run| run.line.is_some());
    let gap = trend.runs.len() > 1;
    view! {
        <figcaption>
            <b>{trend.direction.words()}</b>
            " · A dot is a day with a check-in."
            {lined.then_some(" The line is drawn from three days on; four days in five lie in the band around it.")}
            {gap.then_some(" Shaded: nobody checked in for more than eight weeks.")}
        </figcaption>
    }
}

fn table(domain: Domain, trend: &Trend, spans: &[Span]) -> impl IntoView + use<> {
    let mut rows: Vec<_> = trend
        .days()
        .map(|day| {
            view! {
                <tr>
                    <th scope="row">{day::words(day.on)}</th>
                    <td data-label="Level" class="number">{tenth(day.median)}</td>
                    <td data-label="In words">{day.words()}</td>
                    <td data-label="Check-ins" class="number">{day.count}</td>
                </tr>
            }
        })
        .collect();
    rows.reverse();
    let ran: Vec<_> = spans
        .iter()
        .map(|span| view! { <li>{span.words()}</li> })
        .collect();
    let caption = format!(
        "{}: {}. Newest first; several check-ins of a day are their median.",
        domain.name(),
        trend.direction.words()
    );
    let none = rows.is_empty();
    view! {
        <details class="beside">
            <summary>{domain.name()} " as a table"</summary>
            <table class="table">
                <caption>{caption}</caption>
                <thead><tr><th scope="col">"Day"</th><th scope="col" class="number">"Level"</th><th scope="col">"In words"</th><th scope="col" class="number">"Check-ins"</th></tr></thead>
                <tbody>{rows}{none.then(|| view! { <tr><td colspan="4">"No check-ins in this time."</td></tr> })}</tbody>
            </table>
            {(!ran.is_empty()).then(|| view! { <p>"Ran meanwhile:"</p> <ul>{ran}</ul> })}
        </details>
    }
}
