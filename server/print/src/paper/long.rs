//! A long paper with pictures, for tests of what is large.

use time::{Date, Time};
use typst::foundations::{Dict, IntoValue as _};

use super::{SCHOOL, iso};
use crate::{Error, sheet};

const LONG: &str = include_str!("../../papers/long.typ");

/// So many pages, each with a picture of about 150 KB that is on no other: 200 of them make 30 MB. The same for the same day.
pub fn long(pages: u16, today: Date) -> Result<Vec<u8>, Error> {
    let pages = pages.max(1);
    let mut inputs = Dict::new();
    inputs.insert("pages".into(), pages.to_string().into_value());
    inputs.insert("side".into(), SIDE.to_string().into_value());
    inputs.insert("today".into(), iso(today).into_value());
    let names: Vec<String> = (1..=pages).map(|page| format!("/{page}.rgb")).collect();
    let mut files = vec![("/paper.typ", LONG.into()), ("/school.typ", SCHOOL.into())];
    for (page, name) in (1..).zip(&names) {
        files.push((name.as_str(), picture(page)));
    }
    sheet::set(&files, inputs, today.with_time(Time::MIDNIGHT).assume_utc())
}

/// Pixels on a side.
const SIDE: u32 = 240;

/// Patches of green and brown under noise, which no compression makes small.
fn picture(page: u32) -> Vec<u8> {
    // The generator of Numerical Recipes, 7.1: good enough for grain.
    let mut state = page.wrapping_mul(2_654_435_761);
    let mut pixels = Vec::with_capacity((SIDE * SIDE * 3) as usize);
    for y in 0..SIDE {
        for x in 0..SIDE {
            let patch = (x / 40 * 7 + y / 40 * 13 + page * 5) % 11;
            for base in [70 + patch * 6, 110 - patch * 4, 50 + patch] {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let grain = state >> 26;
                pixels.push(u8::try_from(base + grain).unwrap_or(u8::MAX));
            }
        }
    }
    pixels
}
