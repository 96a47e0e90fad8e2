//! The words of a page. A PDF says where each glyph goes and nothing of words or lines: those are told from the gaps.

use super::is_full;
use crate::report::{Report, Words};
use hayro_interpret::{
    BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageDrawProps,
    InterpreterCache, InterpreterSettings, SoftMask,
    font::{Glyph, GlyphRun},
    hayro_cmap::BfString,
    interpret_page,
    kurbo::{Affine, BezPath, Point, Rect, Vec2},
};
use hayro_syntax::Pdf;
use std::time::{Duration, Instant};
use unicode_normalization::UnicodeNormalization as _;

/// How long words are read: a file whose words take longer is taken without the rest of them.
const TIME_MOST: Duration = Duration::from_secs(10);
/// Parts of a glyph's height. A gap this wide parts words; writing back or up so far begins a new line, and so does a step to
/// another line.
const WORD_GAP: f64 = 0.17;
const LINE_BACK: f64 = 1.0;
const LINE_STEP: f64 = 0.45;

/// Reads the words of each page, in the order in which they were set, which is that of reading: what lays pages out writes
/// column after column.
pub fn read(pdf: &Pdf, report: &mut Report) {
    let cache = InterpreterCache::new();
    let settings = InterpreterSettings::default();
    let begun = Instant::now();
    for page in pdf.pages().iter() {
        if is_full(report) || begun.elapsed() > TIME_MOST {
            report.cut = true;
            report.text.push(String::new());
            continue;
        }
        let transform = Affine::new(page.initial_transform(true).as_coeffs());
        let (width, height) = page.render_dimensions();
        let bounds = Rect::new(0.0, 0.0, f64::from(width), f64::from(height));
        let mut context = Context::new(transform, bounds, &cache, pdf.xref(), settings.clone());
        let mut line = Line::default();
        interpret_page(page, &mut context, &mut line);
        report.add(&line.words.0);
    }
}

/// Gathers glyphs into words and lines.
#[derive(Default)]
struct Line {
    words: Words,
    last: Option<Place>,
}

/// Where a glyph ended, which way it was written, and how high it is.
struct Place {
    begin: Point,
    end: Point,
    along: Vec2,
    size: f64,
    character: char,
}

impl Line {
    fn add(&mut self, text: &str, transform: Affine, advance: f64) {
        let Some(first) = text.chars().next() else {
            return;
        };
        let [a, b, c, d, ..] = transform.as_coeffs();
        let along = Vec2::new(a, b);
        let size = Vec2::new(c, d).hypot() * 1000.0;
        let (Some(along), true) = (unit(along), size.is_finite()) else {
            return;
        };
        let begin = transform * Point::ZERO;
        let end = transform * Point::new(advance, 0.0);
        if let Some(last) = &self.last {
            let way = begin - last.end;
            let height = size.max(last.size);
            let forward = last.along.dot(way);
            let step = last.along.cross(way).abs();
            let turned = last.along.dot(along) < 0.9;
            if turned || step > LINE_STEP * height || forward < -LINE_BACK * height {
                self.end_line(first);
            } else if last.character == first
                && (begin - last.begin).hypot() < 0.1 * height
                && !first.is_whitespace()
            {
                // Bold that was not at hand is set by writing the same twice.
                return;
            } else if forward > WORD_GAP * height
                && !first.is_whitespace()
                && !self.words.0.ends_with(char::is_whitespace)
            {
                self.words.push(" ");
            }
        }
        self.words.push(text);
        self.last = Some(Place {
            begin,
            end,
            along,
            size,
            character: text.chars().next_back().unwrap_or(first),
        });
    }

    /// A word that was parted at the end of its line is put together again.
    fn end_line(&mut self, next: char) {
        let line = &mut self.words.0;
        line.truncate(line.trim_end_matches(' ').len());
        let mut end = line.chars().rev();
        let parted = matches!(end.next(), Some('-' | '\u{ad}' | '\u{2010}'))
            && end.next().is_some_and(char::is_lowercase)
            && next.is_lowercase();
        if parted {
            line.pop();
        } else {
            self.words.push("\n");
        }
    }
}

impl<'a> Device<'a> for Line {
    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, _: &DrawMode) {
        for glyph in run.glyphs() {
            let advance = match &**glyph {
                Glyph::Outline(glyph) => glyph.advance_width(),
                Glyph::Type3(glyph) => glyph.advance_width(),
            };
            let text = match glyph.as_unicode() {
                Some(BfString::Char(character)) => plain(&character.to_string()),
                Some(BfString::String(text)) => plain(&text),
                None => continue,
            };
            let transform = props.transform * glyph.transform();
            self.add(&text, transform, f64::from(advance.unwrap_or(500.0)));
        }
    }

    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'a>, _: &DrawMode) {}
    fn push_clip_path(&mut self, _: &ClipPath) {}
    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'a>>, _: BlendMode) {}
    fn draw_image(&mut self, _: Image<'a, '_>, _: ImageDrawProps<'a>) {}
    fn pop_clip(&mut self) {}
    fn pop_transparency_group(&mut self) {}
}

/// Ligatures as the letters that they are made of, and every other character as it is.
fn plain(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let ligature = matches!(c, '\u{fb00}'..='\u{fb06}');
            let letters: Vec<char> = if ligature {
                std::iter::once(c).nfkc().collect()
            } else {
                vec![c]
            };
            letters
        })
        .collect()
}

fn unit(vector: Vec2) -> Option<Vec2> {
    let length = vector.hypot();
    (length.is_finite() && length > 0.0).then(|| vector / length)
}
