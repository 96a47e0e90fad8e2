//! Pictures of how pupils are: drawn on the server as SVG, without a script, and each with a table that says the same.
//!
//! Colour says nothing that shape or words do not say too, nothing moves, and no number that is hidden has a width of its own.
//! Every picture takes an `id` that is its own on the page.

pub mod cell;
pub mod distribution;
pub mod multiples;
pub mod plane;
pub mod stack;
pub mod trend;
pub mod weeks;

pub use cell::Cell;
pub use distribution::Distribution;
pub use multiples::Multiples;
pub use plane::{Span, Window};
pub use stack::{Count, Row};
pub use trend::TrendChart;
pub use weeks::WeeksChart;

use domain::wellbeing::trend::Trend;
use leptos::prelude::*;
use plane::{Plane, tenth};

/// The shading of the time in which nobody checked in.
fn gaps(plane: &Plane, trend: &Trend) -> Vec<AnyView> {
    trend
        .gaps()
        .into_iter()
        .map(|(before, after)| {
            let (x, to) = (plane.x(before), plane.x(after));
            view! { <rect class="gap" x=tenth(x) y=tenth(plane.top) width=tenth(to - x) height=tenth(plane.height)></rect> }
                .into_any()
        })
        .collect()
}

/// Bands first, then lines, then a dot for each day, so that what was seen lies on top of what was reckoned.
fn runs(plane: &Plane, trend: &Trend, dot: &'static str) -> Vec<AnyView> {
    let bands = trend.runs.iter().filter_map(|run| plane.band(run));
    let bands =
        bands.map(|points| view! { <polygon class="band" points=points></polygon> }.into_any());
    let lines = trend.runs.iter().filter_map(|run| plane.line(run));
    let lines =
        lines.map(|points| view! { <polyline class="line" points=points></polyline> }.into_any());
    let dots = trend.days().map(|day| {
        view! { <circle class="dot" cx=tenth(plane.x(day.on)) cy=tenth(plane.y(day.median)) r=dot></circle> }
            .into_any()
    });
    bands.chain(lines).chain(dots).collect()
}
