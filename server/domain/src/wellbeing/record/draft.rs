//! What somebody says of a record, and as it is kept: tidy, and refused where it says too little or too much.

use std::collections::HashSet;

use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::{
    BODY_MOST, Detail, Intervention, Kind, LINE_MOST, PUPILS_MOST, Part, SESSIONS_MOST, Scaled,
    Sheet, WITH_MOST, WORDS_MOST,
};
use crate::{
    MembershipId, Refusal, day, text,
    wellbeing::{Domain, Fault, Level, instrument},
};

/// A pupil a new record is about.
#[derive(Clone, Copy, Debug)]
pub struct Linked<'a> {
    /// Who.
    pub pupil: Uuid,
    /// Their part.
    pub part: Part,
    /// About their own part, for who may see them; may be empty.
    pub words: &'a str,
}

/// What is typed of a new record.
#[derive(Clone, Copy, Debug)]
pub struct New<'a> {
    /// When it happened, at the latest now.
    pub happened_at: OffsetDateTime,
    /// The text that all of the linked pupils share. Their names are kept out of it.
    pub body: &'a str,
    /// Whom it is about.
    pub linked: &'a [Linked<'a>],
}

/// One pupil of a row of check-ins.
#[derive(Clone, Copy, Debug)]
pub struct Checked<'a> {
    /// Who.
    pub pupil: Uuid,
    /// What was chosen; at least one.
    pub levels: &'a [(Domain, Level)],
    /// May be empty.
    pub note: &'a str,
}

/// Days and people of an intervention, as chosen.
#[derive(Clone, Copy, Debug)]
pub struct Course<'a> {
    /// What it is to change.
    pub aim: &'a str,
    /// What is done.
    pub what: &'a str,
    /// Who does it.
    pub by: Option<MembershipId>,
    /// How many times.
    pub sessions: Option<u16>,
    /// First day.
    pub starts: Date,
    /// When somebody looks at it again.
    pub review_on: Option<Date>,
    /// Last day.
    pub ends: Option<Date>,
}

/// Which instrument was answered.
#[derive(Clone, Copy, Debug)]
pub enum Of<'a> {
    /// One of the table, with the total as typed, where one was.
    Table(&'static instrument::Instrument, Option<instrument::Points>),
    /// Another one, and its version.
    Other(&'a str, &'a str),
}

/// What is typed of a new version.
#[derive(Clone, Debug)]
pub struct Revision<'a> {
    /// The number of the version that was changed.
    pub from: i32,
    /// The whole text.
    pub body: &'a str,
    /// The words about each pupil's own part; a pupil who is left out has none.
    pub words: &'a [(Uuid, &'a str)],
    /// All levels of a check-in; none of any other kind.
    pub levels: &'a [(Domain, Level)],
    /// None to leave it as it is.
    pub detail: Option<Detail>,
}

/// A record that is about to be kept: tidy, with the names still in it.
pub(super) struct Draft<'a> {
    pub(super) kind: Kind,
    pub(super) happened_at: OffsetDateTime,
    pub(super) linked: &'a [Linked<'a>],
    pub(super) body: String,
    pub(super) detail: Detail,
    pub(super) levels: &'a [(Domain, Level)],
}

/// Whom one spoke with, as it is kept. Refuses [`Fault::With`] for nobody, and for more than [`WITH_MOST`] characters.
pub fn with(typed: &str) -> Result<String, Refusal> {
    Ok(text::line(typed, WITH_MOST).map_err(|_| Fault::With)?)
}

/// What is kept of an intervention. Refuses what is empty or too long, and days out of order.
pub fn intervention(typed: Course<'_>) -> Result<Intervention, Refusal> {
    use day::field;
    let aim = text::line(typed.aim, LINE_MOST).map_err(|_| Fault::Aim)?;
    let what = text::line(typed.what, LINE_MOST).map_err(|_| Fault::What)?;
    if typed
        .sessions
        .is_some_and(|sessions| !(1..=SESSIONS_MOST).contains(&sessions))
    {
        return Err(Fault::Sessions(SESSIONS_MOST).into());
    }
    let late = |day: Option<Date>| day.is_none_or(|day| day >= typed.starts);
    if !late(typed.review_on) || !late(typed.ends) {
        return Err(Fault::Days.into());
    }
    Ok(Intervention {
        aim,
        what,
        by: typed.by,
        sessions: typed.sessions,
        starts: field(typed.starts),
        review_on: typed.review_on.map(field),
        ends: typed.ends.map(field),
    })
}

/// What is kept of scores. `age` is in whole years on the day on which it was answered, for the bands.
///
/// Refuses what the instrument refuses: see [`instrument::scored`] and [`instrument::named`].
pub fn sheet(
    of: Of<'_>,
    informant: instrument::Informant,
    on: Date,
    age: u8,
    entered: &[(&str, instrument::Points)],
) -> Result<Sheet, Refusal> {
    let on = day::field(on);
    match of {
        Of::Table(known, total) => {
            let scores = instrument::scored(known, informant, age, entered, total);
            Ok(Sheet {
                code: Some(known.code.to_owned()),
                name: known.name.to_owned(),
                version: known.version.to_owned(),
                informant,
                on,
                scales: scores
                    .map_err(Fault::Scores)?
                    .into_iter()
                    .map(|score| Scaled {
                        name: score.scale.name.to_owned(),
                        points: score.points,
                        band: score.band.map(|band| band.name.to_owned()),
                    })
                    .collect(),
            })
        }
        Of::Other(name, version) => {
            let named = instrument::named(name, entered).map_err(Fault::Scores)?;
            let version = text::line(version, instrument::NAME_MOST)
                .map_err(|_| Fault::Scores(instrument::Fault::Name))?;
            let scales = named.scales.into_iter().map(|(name, points)| Scaled {
                name,
                points,
                band: None,
            });
            Ok(Sheet {
                code: None,
                name: named.name,
                version,
                informant,
                on,
                scales: scales.collect(),
            })
        }
    }
}

/// What is kept of a text. Levels and scores may stand without one.
pub(super) fn body(kind: Kind, typed: &str) -> Result<String, Refusal> {
    let body = text::block(typed, BODY_MOST).map_err(|_| Fault::Body(BODY_MOST))?;
    let alone = matches!(kind, Kind::CheckIn | Kind::Intervention | Kind::Instrument);
    if body.is_empty() && !alone {
        return Err(Fault::Body(BODY_MOST).into());
    }
    Ok(body)
}

pub(super) fn words(typed: &str) -> Result<String, Refusal> {
    Ok(text::block(typed, WORDS_MOST).map_err(|_| Fault::Words(WORDS_MOST))?)
}

pub(super) fn each_once(pupils: &[Uuid]) -> Result<(), Refusal> {
    if pupils.len() > usize::from(PUPILS_MOST) {
        return Err(Fault::ManyPupils(PUPILS_MOST).into());
    }
    let once: HashSet<&Uuid> = pupils.iter().collect();
    if pupils.is_empty() || once.len() < pupils.len() {
        return Err(Fault::NoPupil.into());
    }
    Ok(())
}

pub(super) fn check_levels(kind: Kind, levels: &[(Domain, Level)]) -> Result<(), Refusal> {
    let once: HashSet<Domain> = levels.iter().map(|(domain, _)| *domain).collect();
    if levels.is_empty() == (kind == Kind::CheckIn) || once.len() < levels.len() {
        return Err(Fault::NoLevel.into());
    }
    Ok(())
}

pub(crate) fn reason_of(typed: &str) -> Result<String, Refusal> {
    let reason = text::line(typed, 500).map_err(|_| Fault::Reason)?;
    if reason.chars().count() < 3 {
        return Err(Fault::Reason.into());
    }
    Ok(reason)
}
