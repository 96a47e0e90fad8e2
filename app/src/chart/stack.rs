//! How a distribution is laid out when some of its numbers are hidden: nothing that is drawn may depend on a hidden number.
//!
//! Shown numbers share one scale, which is made of shown numbers alone. A hidden one is as wide as every other hidden one,
//! whether it is hidden for itself or to protect another: neither its width nor what is left of the row tells it.

use super::plane::tenth;

/// Width of the picture.
pub const WIDTH: f64 = 400.0;
/// Width of a hidden number.
pub const HIDDEN: f64 = 28.0;

/// One number of a row, as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// None where it is hidden.
    pub shown: Option<u32>,
    /// What the table says: the number, or the mark that stands for every hidden one.
    pub label: String,
}

/// One bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Whose distribution it is.
    pub name: String,
    /// In the order of the bands.
    pub counts: Vec<Count>,
}

/// Where one number lies in its bar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Piece {
    /// Its left edge.
    pub x: f64,
    /// How wide it is.
    pub width: f64,
    /// None where it is hidden.
    pub shown: Option<u32>,
}

/// The pieces of each row, in order.
pub fn laid(rows: &[Row]) -> Vec<Vec<Piece>> {
    let shown = |row: &Row| -> f64 {
        row.counts
            .iter()
            .filter_map(|count| count.shown)
            .map(f64::from)
            .sum()
    };
    let hidden = |row: &Row| -> f64 {
        row.counts
            .iter()
            .filter(|count| count.shown.is_none())
            .map(|_| HIDDEN)
            .sum()
    };
    let most = rows.iter().map(shown).fold(1.0, f64::max);
    let room = WIDTH - rows.iter().map(hidden).fold(0.0, f64::max);
    let each = room.max(0.0) / most;
    rows.iter()
        .map(|row| {
            let mut x = 0.0;
            row.counts
                .iter()
                .map(|count| {
                    let width = count.shown.map_or(HIDDEN, |n| f64::from(n) * each);
                    let piece = Piece {
                        x,
                        width,
                        shown: count.shown,
                    };
                    x += width;
                    piece
                })
                .collect()
        })
        .collect()
}

/// Strokes from lower left to upper right that fill a rectangle, as the data of a path. A pattern would need an id, and two
/// pictures on a page would share it.
pub fn hatch(x: f64, y: f64, width: f64, height: f64) -> String {
    const STEP: f64 = 7.0;
    let mut strokes = Vec::new();
    let mut foot = STEP;
    while foot < width + height {
        // From the lower edge, or the left one, up to the upper edge or the right one.
        let (x1, y1) = if foot <= height {
            (x, y + foot)
        } else {
            (x + foot - height, y + height)
        };
        let (x2, y2) = if foot <= width {
            (x + foot, y)
        } else {
            (x + width, y + foot - width)
        };
        strokes.push(format!(
            "M{} {}L{} {}",
            tenth(x1),
            tenth(y1),
            tenth(x2),
            tenth(y2)
        ));
        foot += STEP;
    }
    strokes.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(counts: &[Option<u32>]) -> Row {
        Row {
            name: "Year 4".to_owned(),
            counts: counts
                .iter()
                .map(|shown| Count {
                    shown: *shown,
                    label: shown.map_or_else(|| "hidden".to_owned(), |n| n.to_string()),
                })
                .collect(),
        }
    }

    #[test]
    fn rows_are_on_one_scale_and_the_widest_fills_the_picture() {
        let laid = laid(&[row(&[Some(20), Some(20)]), row(&[Some(10), Some(0)])]);
        let widths: Vec<Vec<f64>> = laid
            .iter()
            .map(|row| row.iter().map(|piece| piece.width).collect())
            .collect();
        assert_eq!(widths, [[200.0, 200.0], [100.0, 0.0]]);
        assert!((laid[0][1].x - 200.0).abs() < 1e-9);
    }

    #[test]
    fn every_hidden_number_is_as_wide_as_every_other_and_moves_no_shown_one() {
        // Of whatever size it was: the layout is not even given it.
        let laid = laid(&[
            row(&[Some(30), None, None, Some(8)]),
            row(&[None, Some(12), Some(20), None]),
        ]);
        let hidden = laid.iter().flatten().filter(|piece| piece.shown.is_none());
        let widths: Vec<f64> = hidden.map(|piece| piece.width).collect();
        assert_eq!(widths, [HIDDEN; 4]);
        let each = (WIDTH - 2.0 * HIDDEN) / 38.0;
        assert!((laid[0][0].width - 30.0 * each).abs() < 1e-9);
        assert!((laid[1][1].width - 12.0 * each).abs() < 1e-9);
    }

    #[test]
    fn nothing_shown_at_all_is_drawn_without_a_scale() {
        let laid = laid(&[row(&[None, None, None, None])]);
        assert!(laid[0].iter().all(|piece| piece.width.is_finite()));
        assert!(laid[0].iter().map(|piece| piece.width).sum::<f64>() <= WIDTH);
        assert_eq!(super::laid(&[]), Vec::<Vec<Piece>>::new());
    }

    #[test]
    fn strokes_stay_inside_their_rectangle() {
        let path = hatch(10.0, 20.0, HIDDEN, 22.0);
        let numbers: Vec<f64> = path
            .split(|c: char| !c.is_ascii_digit() && c != '.')
            .filter(|part| !part.is_empty())
            .map(|part| part.parse().unwrap())
            .collect();
        assert!(numbers.len() >= 16);
        for point in numbers.chunks(2) {
            assert!((10.0..=38.0).contains(&point[0]), "{path}");
            assert!((20.0..=42.0).contains(&point[1]), "{path}");
        }
    }
}
