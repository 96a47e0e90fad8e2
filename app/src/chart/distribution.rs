//! How many are in each band, as bars side by side, of numbers that have been through suppression already.
//!
//! What is hidden comes without its number, so nothing here could show it: it is drawn hatched and always as wide, and the
//! words and the table carry the mark that they were given.

use leptos::prelude::*;

use super::{
    plane::tenth,
    stack::{Count, HIDDEN, Piece, Row, WIDTH, hatch, laid},
};

/// Height of a bar.
const BAR: f64 = 24.0;
/// From one bar to the next, with the name between them.
const STEP: f64 = 54.0;
/// From the top of a row to its bar.
const NAME: f64 = 20.0;
/// A number stands in its piece where there is so much room for each of its characters.
const ROOM: f64 = 10.0;
/// The keys by which pieces and bands are matched without colour.
const KEYS: [&str; 4] = ["a", "b", "c", "d"];

/// Bars of four bands at most, and their table.
#[component]
pub fn Distribution(
    /// What is counted, as the title of the picture.
    #[prop(into)]
    title: String,
    /// What the bands are called, in order; a fifth and further ones are not drawn.
    bands: Vec<String>,
    /// The bars.
    rows: Vec<Row>,
    /// The picture's own on the page.
    #[prop(into)]
    id: String,
) -> impl IntoView {
    let height: f64 = rows.iter().map(|_| STEP).sum();
    let mut top = 0.0;
    let bars: Vec<_> = rows
        .iter()
        .zip(laid(&rows))
        .map(|(row, pieces)| {
            let bar = bar(&row.name, &pieces, top);
            top += STEP;
            bar
        })
        .collect();
    let hides = rows
        .iter()
        .flat_map(|row| &row.counts)
        .any(|count| count.shown.is_none());
    let labels = format!("{id}-title {id}-said");
    view! {
        <figure class="chart">
            <div class="picture whole">
                <svg viewBox=format!("0 0 {} {}", tenth(WIDTH), tenth(height)) role="img" aria-labelledby=labels>
                    <title id=format!("{id}-title")>{title.clone()}</title>
                    <desc id=format!("{id}-said")>{in_short(&bands, &rows)}</desc>
                    {bars}
                </svg>
            </div>
            {key(&bands, hides)}
            {table(&title, &bands, &rows)}
        </figure>
    }
}

fn bar(name: &str, pieces: &[Piece], top: f64) -> AnyView {
    let y = top + NAME;
    let pieces: Vec<_> = pieces
        .iter()
        .zip(KEYS)
        .map(|(piece, key)| drawn(*piece, key, y))
        .collect();
    view! {
        <text class="name" x="0" y=tenth(top + 14.0)>{name.to_owned()}</text>
        {pieces}
    }
    .into_any()
}

fn drawn(piece: Piece, key: &'static str, y: f64) -> AnyView {
    let (x, width) = (tenth(piece.x), tenth(piece.width));
    let Some(count) = piece.shown else {
        return view! {
            <rect class="piece concealed" x=x y=tenth(y) width=width height=tenth(BAR)></rect>
            <path class="hatch" d=hatch(piece.x, y, HIDDEN, BAR)></path>
        }
        .into_any();
    };
    let label = format!("{key} {count}");
    let room: f64 = label.chars().map(|_| ROOM).sum();
    let label = (piece.width >= room).then(|| {
        view! {
            <text class=format!("count {key}") x=tenth(piece.x + piece.width / 2.0) y=tenth(y + BAR / 2.0) dy="0.35em" text-anchor="middle">{label}</text>
        }
    });
    view! {
        <rect class=format!("piece {key}") x=x y=tenth(y) width=width height=tenth(BAR)></rect>
        {label}
    }
    .into_any()
}

fn key(bands: &[String], hides: bool) -> impl IntoView + use<> {
    let lines: Vec<_> = bands
        .iter()
        .zip(KEYS)
        .map(|(band, key)| {
            view! { <li><span class=format!("swatch {key}")>{key}</span>{band.clone()}</li> }
        })
        .collect();
    view! {
        <figcaption>
            <ul role="list" class="key">
                {lines}
                {hides.then(|| view! {
                    <li>
                        <svg class="swatch" viewBox="0 0 28 24" aria-hidden="true">
                            <rect class="piece concealed" width="28" height="24"></rect><path class="hatch" d=hatch(0.0, 0.0, HIDDEN, BAR)></path>
                        </svg>
                        "Hidden, so that nobody can be picked out. Its width tells nothing."
                    </li>
                })}
            </ul>
        </figcaption>
    }
}

/// A number's label; that of a hidden one is a mark, of which nothing would be heard.
fn said(count: &Count) -> String {
    count
        .shown
        .map_or_else(|| "hidden".to_owned(), |_| count.label.clone())
}

/// Each row with its numbers: "Year 4: Close to average 12, High hidden."
fn in_short(bands: &[String], rows: &[Row]) -> String {
    rows.iter()
        .map(|row| {
            let counts: Vec<_> = bands
                .iter()
                .zip(&row.counts)
                .map(|(band, count)| format!("{band} {}", said(count)))
                .collect();
            format!("{}: {}.", row.name, counts.join(", "))
        })
        .collect::<Vec<_>>()
        .join(" ")
}

fn table(title: &str, bands: &[String], rows: &[Row]) -> impl IntoView + use<> {
    let heads: Vec<_> = bands
        .iter()
        .map(|band| view! { <th scope="col" class="number">{band.clone()}</th> })
        .collect();
    let rows: Vec<_> = rows
        .iter()
        .map(|row| {
            let counts: Vec<_> = bands
                .iter()
                .zip(&row.counts)
                .map(|(band, count)| {
                    let heard = count.shown.is_none().then(|| view! { <span class="hidden-text">"hidden"</span> });
                    view! { <td class="number" data-label=band.clone()><span aria-hidden=count.shown.is_none().then_some("true")>{count.label.clone()}</span>{heard}</td> }
                })
                .collect();
            view! { <tr><th scope="row">{row.name.clone()}</th>{counts}</tr> }
        })
        .collect();
    view! {
        <details class="beside">
            <summary>{title.to_owned()} " as a table"</summary>
            <table class="table">
                <caption>{title.to_owned()}</caption>
                <thead><tr><th scope="col"><span class="hidden-text">"Group"</span></th>{heads}</tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </details>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_carry_the_mark_and_never_a_number_in_its_place() {
        let count = |shown: Option<u32>| Count {
            shown,
            label: shown.map_or_else(|| "–".to_owned(), |n| n.to_string()),
        };
        let row = Row {
            name: "Year 4".to_owned(),
            counts: vec![count(Some(12)), count(None), count(None), count(Some(9))],
        };
        let bands = ["Close to average", "Slightly raised", "High", "Very high"].map(str::to_owned);
        assert_eq!(
            in_short(&bands, &[row]),
            "Year 4: Close to average 12, Slightly raised hidden, High hidden, Very high 9."
        );
    }
}
