//! A chart of a few lines over sizes that grow tenfold, as an SVG that a browser draws without a script.

use std::fmt::Write as _;

use serde::Serialize;

/// A chart in a file of its own.
#[derive(Clone, Debug, Serialize)]
pub struct Chart {
    /// The file's name, without its ending.
    pub name: String,
    /// What stands above it.
    pub title: String,
    /// What grows to the right.
    pub x: String,
    /// And what upwards.
    pub y: String,
    /// At most four.
    pub lines: Vec<Line>,
}

/// One line of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// What it is.
    pub name: &'static str,
    /// From left to right.
    pub points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 320.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 470.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 270.0;
/// Told apart by dashes too, by whoever does not see colours (Okabe and Ito, 2008).
const STYLES: [(&str, &str); 4] = [
    ("#0072b2", ""),
    ("#d55e00", "6 3"),
    ("#009e73", "2 3"),
    ("#000000", "8 3 2 3"),
];

impl Chart {
    /// The whole file.
    pub fn svg(&self) -> String {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let least = points().map(|(x, _)| *x).fold(f64::MAX, f64::min).max(1.0);
        let most = points().map(|(x, _)| *x).fold(10.0, f64::max);
        let top = points().map(|(_, y)| *y).fold(1.0, f64::max) * 1.1;
        let across = |x: f64| {
            LEFT + (RIGHT - LEFT) * (x / least).log10() / (most / least).log10().max(f64::EPSILON)
        };
        let up = |y: f64| BOTTOM - (BOTTOM - TOP) * y / top;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
             font-size=\"12\" role=\"img\">\n\
             <title>{}</title>\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n\
             <text x=\"{LEFT}\" y=\"22\" font-size=\"14\">{} ({})</text>\n\
             <path d=\"M{LEFT} {TOP}V{BOTTOM}H{RIGHT}\" fill=\"none\" stroke=\"#555555\"/>\n",
            plain(&self.title),
            plain(&self.title),
            plain(&self.y),
        );
        let mut size = least;
        while size <= most * 1.001 {
            let x = across(size);
            let _ = writeln!(
                svg,
                "<text x=\"{x:.0}\" y=\"{:.0}\" text-anchor=\"middle\">{size:.0}</text>",
                BOTTOM + 18.0
            );
            size *= 10.0;
        }
        for quarter in 0..=4 {
            let value = top * f64::from(quarter) / 4.0;
            let _ = writeln!(
                svg,
                "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"end\">{value:.1}</text>",
                LEFT - 6.0,
                up(value) + 4.0
            );
        }
        let _ = writeln!(
            svg,
            "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"middle\">{}</text>",
            f64::midpoint(LEFT, RIGHT),
            BOTTOM + 38.0,
            plain(&self.x)
        );
        for ((line, (colour, dashes)), row) in self.lines.iter().zip(STYLES).zip(0_u32..) {
            let path: Vec<String> = line
                .points
                .iter()
                .map(|(x, y)| format!("{:.1},{:.1}", across(*x), up(*y)))
                .collect();
            let y = TOP + 10.0 + 20.0 * f64::from(row);
            let style = format!(
                "fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" stroke-dasharray=\"{dashes}\""
            );
            let _ = writeln!(
                svg,
                "<polyline points=\"{}\" {style}/>\n<path d=\"M{:.0} {y}h24\" {style}/>\n<text x=\"{:.0}\" \
                 y=\"{:.0}\">{}</text>",
                path.join(" "),
                RIGHT + 10.0,
                RIGHT + 40.0,
                y + 4.0,
                plain(line.name),
            );
        }
        svg + "</svg>\n"
    }
}

fn plain(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenfold_is_the_same_way_to_the_right_wherever_it_begins() {
        let chart = Chart {
            name: "growth-schools".to_owned(),
            title: "A & B".to_owned(),
            x: "schools".to_owned(),
            y: "times".to_owned(),
            lines: vec![Line {
                name: "server",
                points: vec![(1.0, 1.0), (10.0, 1.0), (100.0, 2.0)],
            }],
        };
        let svg = chart.svg();
        assert!(svg.contains("<title>A &amp; B</title>"), "{svg}");
        let drawn = svg
            .split("points=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        let across: Vec<f64> = drawn
            .unwrap()
            .split(' ')
            .map(|point| point.split(',').next().unwrap().parse().unwrap())
            .collect();
        assert_eq!(across, [60.0, 265.0, 470.0]);
    }
}
