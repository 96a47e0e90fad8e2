//! Scores of instruments that a school uses under its own licence: which sub-scales there are, what range they have, how their
//! total is made, and the bands where we could verify them.
//!
//! Nothing of an instrument is rendered, neither items nor their wording: most are licensed for that only by their authors. A
//! school types in the sub-scale totals. Bands differ by informant, country and age, so none is ever lent from one to another.

use std::{fmt, ops::RangeInclusive};

use serde::{Deserialize, Serialize};

use crate::text;

/// Most sub-scales of an instrument that is entered by name.
pub const SCALES_MOST: usize = 20;
/// Longest name of an instrument or a sub-scale, in characters.
pub const NAME_MOST: u16 = 80;
/// Beyond this no published instrument scores; such a number was mistyped.
const POINTS_MOST: i32 = 10_000;

/// Who answered it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Informant {
    /// Somebody who teaches the pupil.
    Teacher,
    /// A parent or carer.
    Parent,
    /// The pupil.
    Pupil,
}

impl Informant {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Teacher, Self::Parent, Self::Pupil];

    /// As stored and as sent in forms.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Teacher => "teacher",
            Self::Parent => "parent",
            Self::Pupil => "pupil",
        }
    }

    /// As people read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Teacher => "Teacher",
            Self::Parent => "Parent or carer",
            Self::Pupil => "The pupil",
        }
    }

    /// The informant of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|informant| informant.code() == code)
    }
}

/// A score, to the tenth of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Points(i32);

impl Points {
    /// Whole points.
    pub const fn whole(points: i16) -> Self {
        Self(points as i32 * 10)
    }

    /// In tenths of a point, as stored.
    pub const fn tenths(self) -> i32 {
        self.0
    }

    /// A number as somebody typed it: "7", "3.5", "-2". Refuses [`Fault::NoNumber`] for all else, and for more than one digit
    /// after the point.
    pub fn parse(typed: &str) -> Result<Self, Fault> {
        let typed = typed.trim();
        let (minus, digits) = match typed.strip_prefix(['-', '−']) {
            Some(digits) => (-1, digits),
            None => (1, typed),
        };
        let (whole, tenth) = digits.split_once('.').unwrap_or((digits, "0"));
        let good = |part: &str, most: usize| {
            (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !good(whole, 4) || !good(tenth, 1) {
            return Err(Fault::NoNumber);
        }
        match (whole.parse::<i32>(), tenth.parse::<i32>()) {
            (Ok(whole), Ok(tenth)) => Ok(Self(minus * (whole * 10 + tenth))),
            _ => Err(Fault::NoNumber),
        }
    }

    /// Whether nothing stands after the point.
    pub const fn is_whole(self) -> bool {
        self.0 % 10 == 0
    }
}

impl fmt::Display for Points {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "−" } else { "" };
        let (whole, tenth) = (self.0.abs() / 10, self.0.abs() % 10);
        match tenth {
            0 => write!(f, "{sign}{whole}"),
            tenth => write!(f, "{sign}{whole}.{tenth}"),
        }
    }
}

/// A published range of scores and what its authors call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Band {
    /// As people read it.
    pub name: &'static str,
    /// The least score in it, in whole points.
    pub from: i16,
    /// The greatest.
    pub to: i16,
}

/// The bands of one sub-scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Banding {
    /// For whose answers they hold.
    pub informant: Informant,
    /// From and to which age in years, both among them.
    pub ages: (u8, u8),
    /// In the order in which the authors list them: the least difficulty first.
    pub bands: &'static [Band],
}

/// One sub-scale, or the total.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// As stored.
    pub code: &'static str,
    /// As people read it.
    pub name: &'static str,
    /// The least score, in whole points.
    pub least: i16,
    /// The greatest.
    pub most: i16,
    /// Whether a higher score is the better one.
    pub higher_is_better: bool,
    /// Whether it counts towards the total.
    pub in_total: bool,
    /// Where we could verify them; empty where not.
    pub bandings: &'static [Banding],
}

impl Scale {
    /// The band of a score: none unless bands for this informant and this age are verified.
    pub fn band(&self, informant: Informant, age: u8, points: Points) -> Option<Band> {
        self.bandings
            .iter()
            .filter(|banding| banding.informant == informant)
            .filter(|banding| (banding.ages.0..=banding.ages.1).contains(&age))
            .flat_map(|banding| banding.bands)
            .copied()
            .find(|band| (Points::whole(band.from)..=Points::whole(band.to)).contains(&points))
    }

    fn range(&self) -> RangeInclusive<Points> {
        Points::whole(self.least)..=Points::whole(self.most)
    }
}

/// An instrument of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instrument {
    /// As stored.
    pub code: &'static str,
    /// As people read it.
    pub name: &'static str,
    /// Which version of it, and of its norms: scores are compared within one version only.
    pub version: &'static str,
    /// Who may answer it.
    pub informants: &'static [Informant],
    /// Its sub-scales.
    pub scales: &'static [Scale],
    /// How the total is called and banded; none where there is none.
    pub total: Option<Scale>,
    /// What a school must see to before it enters scores.
    pub licence: &'static str,
}

const fn four(a: (i16, i16), b: (i16, i16), c: (i16, i16), d: (i16, i16)) -> [Band; 4] {
    const fn band(name: &'static str, (from, to): (i16, i16)) -> Band {
        Band { name, from, to }
    }
    [
        band("Close to average", a),
        band("Slightly raised", b),
        band("High", c),
        band("Very high", d),
    ]
}

const TOTAL: [Band; 4] = four((0, 11), (12, 15), (16, 18), (19, 40));
const EMOTIONAL: [Band; 4] = four((0, 3), (4, 4), (5, 5), (6, 10));
const CONDUCT: [Band; 4] = four((0, 2), (3, 3), (4, 4), (5, 10));
const HYPERACTIVITY: [Band; 4] = four((0, 5), (6, 7), (8, 8), (9, 10));
const PEER: [Band; 4] = four((0, 2), (3, 4), (5, 5), (6, 10));
const PROSOCIAL: [Band; 4] = {
    let mut bands = four((6, 10), (5, 5), (4, 4), (0, 3));
    bands[1].name = "Slightly lowered";
    bands[2].name = "Low";
    bands[3].name = "Very low";
    bands
};

/// Verified for teachers alone. The parent's and the pupil's own column have other limits, and stay without bands.
const fn of_teacher(bands: &'static [Band]) -> Banding {
    Banding {
        informant: Informant::Teacher,
        ages: (4, 17),
        bands,
    }
}

const fn difficulty(code: &'static str, name: &'static str, bandings: &'static [Banding]) -> Scale {
    Scale {
        code,
        name,
        least: 0,
        most: 10,
        higher_is_better: false,
        in_total: true,
        bandings,
    }
}

/// The instruments that we know. Any other is entered by its name, see [`named`].
pub const TABLE: &[Instrument] = &[
    Instrument {
        code: "sdq",
        name: "Strengths and Difficulties Questionnaire",
        version: "Four-band scoring, ages 4 to 17",
        informants: &[Informant::Teacher, Informant::Parent, Informant::Pupil],
        scales: &[
            difficulty("emotional", "Emotional", &[of_teacher(&EMOTIONAL)]),
            difficulty("conduct", "Conduct", &[of_teacher(&CONDUCT)]),
            difficulty(
                "hyperactivity",
                "Hyperactivity",
                &[of_teacher(&HYPERACTIVITY)],
            ),
            difficulty("peer", "Peer", &[of_teacher(&PEER)]),
            Scale {
                higher_is_better: true,
                in_total: false,
                ..difficulty("prosocial", "Prosocial", &[of_teacher(&PROSOCIAL)])
            },
        ],
        total: Some(Scale {
            most: 40,
            in_total: false,
            ..difficulty("total", "Total difficulties", &[of_teacher(&TOTAL)])
        }),
        licence: "Use it under your school’s own licence. Quorate keeps the totals that you type in and shows no questions.",
    },
    Instrument {
        code: "leuven_wellbeing",
        name: "Leuven Scale of Wellbeing",
        version: "Five levels",
        informants: &[Informant::Teacher],
        scales: &[Scale {
            code: "wellbeing",
            name: "Wellbeing",
            least: 1,
            most: 5,
            higher_is_better: true,
            in_total: false,
            bandings: &[],
        }],
        total: None,
        licence: "The descriptions of its levels belong to their authors. Keep them beside you; Quorate keeps the level alone.",
    },
];

/// The instrument of a stored code.
pub fn from_code(code: &str) -> Option<&'static Instrument> {
    TABLE.iter().find(|instrument| instrument.code == code)
}

/// Why scores were not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Not a number.
    #[error("Enter each score as a number like 7 or 3.5, with at most one digit after the point.")]
    NoNumber,
    /// Nothing was entered.
    #[error("Enter at least one score.")]
    Nothing,
    /// An instrument of the table is not answered by such a person.
    #[error("This one is not answered by them. Choose who answered it from the list.")]
    Informant,
    /// A sub-scale that the instrument has not; a form that was sent twice or changed.
    #[error(
        "This instrument has no such sub-scale. Open the page again and enter the scores there."
    )]
    NoScale,
    /// The same sub-scale twice.
    #[error("{0} is there twice. Enter each sub-scale once.")]
    Twice(String),
    /// Outside the sub-scale's range.
    #[error("{name} goes from {least} to {most}. Check the number.")]
    Range {
        /// The sub-scale.
        name: String,
        /// Its least score.
        least: i16,
        /// Its greatest.
        most: i16,
    },
    /// The instrument knows whole points only.
    #[error("{0} is a whole number. Enter it without a point.")]
    Whole(String),
    /// A total that cannot be checked.
    #[error("Enter every sub-scale that makes up the total, or leave the total empty.")]
    TotalAlone,
    /// A total of an instrument that has none.
    #[error("This instrument has no total. Leave it empty.")]
    NoTotal,
    /// The total is not the sum.
    #[error(
        "The sub-scales that count towards the total add up to {sum}, not {entered}. Check each number."
    )]
    Total {
        /// What was typed.
        entered: Points,
        /// What it would be.
        sum: Points,
    },
    /// The name of an instrument or sub-scale.
    #[error("Give each a name of at most 80 characters, on one line.")]
    Name,
    /// More than [`SCALES_MOST`].
    #[error("Enter at most 20 sub-scales.")]
    Many,
    /// Beyond any published instrument.
    #[error("{0} is not between −1000 and 1000. Check the number.")]
    Far(String),
}

/// One score as it is kept and shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Score {
    /// The sub-scale.
    pub scale: &'static Scale,
    /// What was entered, or for the total its sum.
    pub points: Points,
    /// Its band, where one is verified.
    pub band: Option<Band>,
}

/// Checks the scores of an instrument of the table, each by the code of its sub-scale, and bands them. Sub-scales may be left
/// out; the total is there when those that make it up are, and a total that was typed must be their sum.
///
/// `age` is in whole years on the day on which it was answered.
pub fn scored(
    instrument: &'static Instrument,
    informant: Informant,
    age: u8,
    entered: &[(&str, Points)],
    total: Option<Points>,
) -> Result<Vec<Score>, Fault> {
    if !instrument.informants.contains(&informant) {
        return Err(Fault::Informant);
    }
    if entered.is_empty() {
        return Err(Fault::Nothing);
    }
    let known = |code: &str| instrument.scales.iter().any(|scale| scale.code == code);
    if !entered.iter().all(|(code, _)| known(code)) {
        return Err(Fault::NoScale);
    }
    let mut scores = Vec::with_capacity(entered.len() + 1);
    for scale in instrument.scales {
        let mut of_scale = entered.iter().filter(|(code, _)| *code == scale.code);
        let Some((_, points)) = of_scale.next() else {
            continue;
        };
        if of_scale.next().is_some() {
            return Err(Fault::Twice(scale.name.to_owned()));
        }
        scores.push(score(scale, informant, age, *points)?);
    }
    match (&instrument.total, sum(instrument, &scores), total) {
        (None, _, Some(_)) => return Err(Fault::NoTotal),
        (Some(_), None, Some(_)) => return Err(Fault::TotalAlone),
        (Some(_), Some(sum), Some(entered)) if sum != entered => {
            return Err(Fault::Total { entered, sum });
        }
        (Some(scale), Some(sum), _) => scores.push(score(scale, informant, age, sum)?),
        (_, _, None) => {}
    }
    Ok(scores)
}

fn score(
    scale: &'static Scale,
    informant: Informant,
    age: u8,
    points: Points,
) -> Result<Score, Fault> {
    if !points.is_whole() {
        return Err(Fault::Whole(scale.name.to_owned()));
    }
    if !scale.range().contains(&points) {
        return Err(Fault::Range {
            name: scale.name.to_owned(),
            least: scale.least,
            most: scale.most,
        });
    }
    Ok(Score {
        scale,
        points,
        band: scale.band(informant, age, points),
    })
}

/// The sum of the sub-scales that make up the total, if all of them are there.
fn sum(instrument: &Instrument, scores: &[Score]) -> Option<Points> {
    let counted = instrument.scales.iter().filter(|scale| scale.in_total);
    counted
        .map(|scale| scores.iter().find(|score| score.scale.code == scale.code))
        .try_fold(0, |sum, score| Some(sum + score?.points.0))
        .map(Points)
}

/// Scores of an instrument that is not in the table: names and numbers as the school gives them, without bands and without a
/// word on which way is better.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// The instrument, its version with it.
    pub name: String,
    /// Sub-scales and their scores, in the order in which they were entered.
    pub scales: Vec<(String, Points)>,
}

/// Takes scores by name. Refuses names that are empty or longer than [`NAME_MOST`], a sub-scale twice, none of them, or more
/// than [`SCALES_MOST`].
pub fn named(name: &str, scales: &[(&str, Points)]) -> Result<Named, Fault> {
    let tidy = |typed: &str| text::line(typed, NAME_MOST).map_err(|_| Fault::Name);
    if scales.is_empty() {
        return Err(Fault::Nothing);
    }
    if scales.len() > SCALES_MOST {
        return Err(Fault::Many);
    }
    let name = tidy(name)?;
    let mut kept: Vec<(String, Points)> = Vec::with_capacity(scales.len());
    for (scale, points) in scales {
        let scale = tidy(scale)?;
        let same = |(other, _): &(String, Points)| other.to_lowercase() == scale.to_lowercase();
        if kept.iter().any(same) {
            return Err(Fault::Twice(scale));
        }
        if points.0.abs() > POINTS_MOST {
            return Err(Fault::Far(scale));
        }
        kept.push((scale, *points));
    }
    Ok(Named { name, scales: kept })
}

#[cfg(test)]
mod tests;
