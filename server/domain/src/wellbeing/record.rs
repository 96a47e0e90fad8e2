//! What is put down about how pupils are doing, and by whom: check-ins, observations, conversations, plans, interventions, scores.
//!
//! When something happened stands beside when it was put down, and nothing is overwritten: a change or a withdrawal is a new version
//! with its reason. A record may be about several pupils; each has a part in it, and words of their own that only those read who may
//! see that pupil.

use serde::{Deserialize, Serialize};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

#[cfg(feature = "db")]
use super::Fault;
use super::{Domain, Level, instrument};
use crate::MembershipId;
#[cfg(feature = "db")]
use crate::{Refusal, text};

/// Most pupils of one record, and of one row of check-ins.
pub const PUPILS_MOST: u16 = 40;
/// Longest text of a record, in characters.
pub const BODY_MOST: u16 = 4000;
/// Longest words about one pupil's own part, in characters.
pub const WORDS_MOST: u16 = 2000;
/// Longest aim, or account of what is done, in characters.
pub const LINE_MOST: u16 = 500;
/// Longest list of those one spoke with, in characters.
pub const WITH_MOST: u16 = 200;
/// Most sessions of an intervention.
pub const SESSIONS_MOST: u16 = 400;

/// What kind of record it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Levels on the scale, with or without a note.
    CheckIn,
    /// What somebody saw.
    Observation,
    /// Something done for a while to change something.
    Intervention,
    /// What was said, and with whom.
    Conversation,
    /// What is to be done.
    Plan,
    /// Scores of an instrument of others.
    Instrument,
}

impl Kind {
    /// Every kind, in the order in which pages list them.
    pub const ALL: &[Self] = &[
        Self::CheckIn,
        Self::Observation,
        Self::Conversation,
        Self::Plan,
        Self::Intervention,
        Self::Instrument,
    ];

    /// As stored and as sent in forms.
    pub const fn code(self) -> &'static str {
        match self {
            Self::CheckIn => "check_in",
            Self::Observation => "observation",
            Self::Intervention => "intervention",
            Self::Conversation => "conversation",
            Self::Plan => "plan",
            Self::Instrument => "instrument",
        }
    }

    /// As people read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CheckIn => "Check-in",
            Self::Observation => "Observation",
            Self::Intervention => "Intervention",
            Self::Conversation => "Conversation",
            Self::Plan => "Plan",
            Self::Instrument => "Scores of an instrument",
        }
    }

    /// Of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.code() == code)
    }
}

/// The part somebody had in what happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// It is about them.
    Subject,
    /// It was done to them.
    Harmed,
    /// They did it.
    Caused,
    /// They saw it.
    Witness,
    /// Anything else.
    Other,
}

impl Part {
    /// Every part, in the order in which they are offered.
    pub const ALL: &[Self] = &[
        Self::Subject,
        Self::Harmed,
        Self::Caused,
        Self::Witness,
        Self::Other,
    ];

    /// As stored and as sent in forms.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Harmed => "harmed",
            Self::Caused => "caused",
            Self::Witness => "witness",
            Self::Other => "other",
        }
    }

    /// As people read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Subject => "It is about them",
            Self::Harmed => "Was harmed",
            Self::Caused => "Caused it",
            Self::Witness => "Saw it",
            Self::Other => "Had another part",
        }
    }

    /// Of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|part| part.code() == code)
    }
}

/// What a record says beside its text, by its kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "of")]
pub enum Detail {
    /// Nothing: a check-in, an observation.
    Plain {},
    /// See [`converse`].
    Conversation {
        /// Whom one spoke with.
        with: String,
    },
    /// See [`plan`].
    Plan {
        /// When somebody looks at it again, 2026-06-18.
        review_on: Option<String>,
    },
    /// See [`intervene`].
    Intervention(Intervention),
    /// See [`enter_scores`].
    Instrument(Sheet),
}

impl Detail {
    /// With every text in it passed through `change`.
    #[must_use]
    pub fn map(self, change: impl Fn(&str) -> String) -> Self {
        match self {
            Self::Conversation { with } => Self::Conversation {
                with: change(&with),
            },
            Self::Intervention(one) => Self::Intervention(Intervention {
                aim: change(&one.aim),
                what: change(&one.what),
                ..one
            }),
            other => other,
        }
    }

    #[cfg(feature = "db")]
    const fn fits(&self, kind: Kind) -> bool {
        matches!(
            (self, kind),
            (Self::Plain {}, Kind::CheckIn | Kind::Observation)
                | (Self::Conversation { .. }, Kind::Conversation)
                | (Self::Plan { .. }, Kind::Plan)
                | (Self::Intervention(_), Kind::Intervention)
                | (Self::Instrument(_), Kind::Instrument)
        )
    }
}

/// Something done for a while to change something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intervention {
    /// What it is to change.
    pub aim: String,
    /// What is done.
    pub what: String,
    /// Who does it, where it is somebody of the school.
    pub by: Option<MembershipId>,
    /// How many times.
    pub sessions: Option<u16>,
    /// Its first day, 2026-06-18.
    pub starts: String,
    /// When somebody looks at it again.
    pub review_on: Option<String>,
    /// Its last day, once it is known.
    pub ends: Option<String>,
}

/// What was entered of an instrument: no item of it, only scores.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sheet {
    /// Code of an instrument of the table; none for another one.
    pub code: Option<String>,
    /// The instrument.
    pub name: String,
    /// Its version and norms; scores are compared within one only.
    pub version: String,
    /// Who answered it.
    pub informant: instrument::Informant,
    /// When, 2026-06-18.
    pub on: String,
    /// Each sub-scale, and the total where it could be checked.
    pub scales: Vec<Scaled>,
}

/// One sub-scale of a [`Sheet`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scaled {
    /// Its name.
    pub name: String,
    /// In tenths of a point.
    pub points: instrument::Points,
    /// The verified band at the time; none where none is verified.
    pub band: Option<String>,
}

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

/// Whom one spoke with, as it is kept. Refuses [`Fault::With`] for nobody, and for more than [`WITH_MOST`] characters.
#[cfg(feature = "db")]
pub fn with(typed: &str) -> Result<String, Refusal> {
    Ok(text::line(typed, WITH_MOST).map_err(|_| Fault::With)?)
}

/// What is kept of an intervention. Refuses what is empty or too long, and days out of order.
#[cfg(feature = "db")]
pub fn intervention(typed: Course<'_>) -> Result<Intervention, Refusal> {
    use crate::day::field;
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
#[cfg(feature = "db")]
pub fn sheet(
    of: Of<'_>,
    informant: instrument::Informant,
    on: Date,
    age: u8,
    entered: &[(&str, instrument::Points)],
) -> Result<Sheet, Refusal> {
    let on = crate::day::field(on);
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

#[cfg(feature = "db")]
pub use queries::{check_in, converse, enter_scores, intervene, observe, plan, revise, withdraw};
#[cfg(feature = "db")]
pub(crate) use queries::{parents, reason_of};

#[cfg(feature = "db")]
mod queries {
    use std::collections::HashSet;

    use serde_json::Value;
    use sqlx::postgres::PgConnection;
    use time::{Date, OffsetDateTime};
    use uuid::Uuid;

    use super::{
        BODY_MOST, Checked, Course, Detail, Kind, Linked, New, PUPILS_MOST, Part, Revision, Sheet,
        WORDS_MOST, intervention,
    };
    use crate::{
        AccountId, Refusal, TenantId,
        day::field,
        db::{Write, refused},
        event::Act,
        text,
        wellbeing::{
            Domain, Fault, Level,
            naming::{Bearer, mask},
        },
    };

    /// A record that is about to be kept: tidy, with the names still in it.
    struct Draft<'a> {
        kind: Kind,
        happened_at: OffsetDateTime,
        linked: &'a [Linked<'a>],
        body: String,
        detail: Detail,
        levels: &'a [(Domain, Level)],
    }

    /// Checks in with one pupil or a row of them: a record each, and one act for all.
    ///
    /// Refuses a pupil twice, one without a level, and whom the caller does not see.
    pub async fn check_in(
        write: &mut Write,
        row: &[Checked<'_>],
        happened_at: OffsetDateTime,
    ) -> Result<(Vec<Uuid>, Act), Refusal> {
        let pupils: Vec<Uuid> = row.iter().map(|one| one.pupil).collect();
        each_once(&pupils)?;
        let links: Vec<[Linked<'_>; 1]> = row
            .iter()
            .map(|one| {
                [Linked {
                    pupil: one.pupil,
                    part: Part::Subject,
                    words: "",
                }]
            })
            .collect();
        let drafts = row.iter().zip(&links).map(|(one, linked)| {
            check_levels(Kind::CheckIn, one.levels)?;
            Ok(Draft {
                kind: Kind::CheckIn,
                happened_at,
                linked,
                body: text::block(one.note, BODY_MOST).map_err(|_| Fault::Body(BODY_MOST))?,
                detail: Detail::Plain {},
                levels: one.levels,
            })
        });
        let drafts: Vec<Draft<'_>> = drafts.collect::<Result<_, Refusal>>()?;
        let ids = keep(write, &drafts).await?;
        Ok((ids, Act::checked_in(&pupils)))
    }

    /// Puts down what somebody saw.
    pub async fn observe(write: &mut Write, new: &New<'_>) -> Result<(Uuid, Act), Refusal> {
        keep_one(write, Kind::Observation, new, Detail::Plain {}).await
    }

    /// Puts down what was said, and `with` whom.
    pub async fn converse(
        write: &mut Write,
        new: &New<'_>,
        with: &str,
    ) -> Result<(Uuid, Act), Refusal> {
        let with = super::with(with)?;
        keep_one(
            write,
            Kind::Conversation,
            new,
            Detail::Conversation { with },
        )
        .await
    }

    /// Puts down what is to be done, and when it is looked at again.
    pub async fn plan(
        write: &mut Write,
        new: &New<'_>,
        review_on: Option<Date>,
    ) -> Result<(Uuid, Act), Refusal> {
        let detail = Detail::Plan {
            review_on: review_on.map(field),
        };
        keep_one(write, Kind::Plan, new, detail).await
    }

    /// Puts down something that is done for a while to change something.
    ///
    /// Refuses [`Fault::By`] for somebody who is no longer there.
    pub async fn intervene(
        write: &mut Write,
        new: &New<'_>,
        course: Course<'_>,
    ) -> Result<(Uuid, Act), Refusal> {
        let kept = intervention(course)?;
        does_it(write, kept.by).await?;
        keep_one(write, Kind::Intervention, new, Detail::Intervention(kept)).await
    }

    /// Enters the scores of an instrument, see [`super::sheet`].
    pub async fn enter_scores(
        write: &mut Write,
        new: &New<'_>,
        sheet: Sheet,
    ) -> Result<(Uuid, Act), Refusal> {
        keep_one(write, Kind::Instrument, new, Detail::Instrument(sheet)).await
    }

    async fn keep_one(
        write: &mut Write,
        kind: Kind,
        new: &New<'_>,
        detail: Detail,
    ) -> Result<(Uuid, Act), Refusal> {
        let pupils: Vec<Uuid> = new.linked.iter().map(|one| one.pupil).collect();
        let draft = Draft {
            kind,
            happened_at: new.happened_at,
            linked: new.linked,
            body: body(kind, new.body)?,
            detail,
            levels: &[],
        };
        let ids = keep(write, &[draft]).await?;
        let id = ids.first().copied().ok_or(Refusal::Broken)?;
        Ok((id, Act::recorded(kind, id, &pupils)))
    }

    /// What is kept of a text. Levels and scores may stand without one.
    fn body(kind: Kind, typed: &str) -> Result<String, Refusal> {
        let body = text::block(typed, BODY_MOST).map_err(|_| Fault::Body(BODY_MOST))?;
        let alone = matches!(kind, Kind::CheckIn | Kind::Intervention | Kind::Instrument);
        if body.is_empty() && !alone {
            return Err(Fault::Body(BODY_MOST).into());
        }
        Ok(body)
    }

    fn each_once(pupils: &[Uuid]) -> Result<(), Refusal> {
        if pupils.len() > usize::from(PUPILS_MOST) {
            return Err(Fault::ManyPupils(PUPILS_MOST).into());
        }
        let once: HashSet<&Uuid> = pupils.iter().collect();
        if pupils.is_empty() || once.len() < pupils.len() {
            return Err(Fault::NoPupil.into());
        }
        Ok(())
    }

    fn check_levels(kind: Kind, levels: &[(Domain, Level)]) -> Result<(), Refusal> {
        let once: HashSet<Domain> = levels.iter().map(|(domain, _)| *domain).collect();
        if levels.is_empty() == (kind == Kind::CheckIn) || once.len() < levels.len() {
            return Err(Fault::NoLevel.into());
        }
        Ok(())
    }

    /// Refuses who does an intervention and is not of the school's staff.
    async fn does_it(write: &mut Write, by: Option<Uuid>) -> Result<(), Refusal> {
        let Some(by) = by else { return Ok(()) };
        let tenant = write.standing.tenant;
        let there = sqlx::query_scalar!(
            r#"select exists (select from membership where tenant_id = $1 and id = $2 and state in ('active', 'invited')
                 and not roles <@ array['parent', 'member']) as "there!""#,
            tenant,
            by
        )
        .fetch_one(write.connection())
        .await
        .map_err(refused)?;
        if there { Ok(()) } else { Err(Fault::By.into()) }
    }

    /// Those of the pupils whom the caller sees, as they are named. Their places are those in which they are given.
    pub(crate) async fn bearers(
        connection: &mut PgConnection,
        tenant: TenantId,
        pupils: &[Uuid],
    ) -> Result<Vec<(Uuid, Bearer)>, Refusal> {
        let rows = sqlx::query!(
            r#"select p.id, p.first_name, p.preferred_name, p.last_name, l.place as "place!"
               from unnest($2::uuid[]) with ordinality as l (id, place)
               join pupil p on p.tenant_id = $1 and p.id = l.id
               order by l.place"#,
            tenant,
            pupils
        )
        .fetch_all(connection)
        .await
        .map_err(refused)?;
        rows.into_iter()
            .map(|row| {
                let bearer = Bearer {
                    place: i32::try_from(row.place).map_err(|_| Refusal::Broken)?,
                    first_name: row.first_name,
                    preferred_name: row.preferred_name,
                    last_name: row.last_name,
                };
                Ok((row.id, bearer))
            })
            .collect()
    }

    /// Rows of a table, each a column of its own.
    #[derive(Default)]
    struct Columns {
        kinds: Vec<String>,
        happened: Vec<OffsetDateTime>,
        bodies: Vec<String>,
        details: Vec<Value>,
        linked: (Vec<Uuid>, Vec<Uuid>, Vec<i32>, Vec<String>),
        words: (Vec<Uuid>, Vec<Uuid>, Vec<String>),
        scores: (Vec<Uuid>, Vec<Uuid>, Vec<String>, Vec<i16>),
    }

    /// Keeps records with their pupils, first versions, words and scores, in the same few statements for any number of them. Refuses
    /// [`Refusal::NotFound`] where one is about somebody whom the caller does not see.
    async fn keep(write: &mut Write, drafts: &[Draft<'_>]) -> Result<Vec<Uuid>, Refusal> {
        if !crate::pupil::is_for(&write.standing.roles) {
            return Err(Refusal::NotAllowed);
        }
        let (tenant, own) = (write.standing.tenant, write.standing.membership);
        let ids: Vec<Uuid> = sqlx::query_scalar!(
            r#"select uuidv7() as "id!" from generate_series(1, $1::integer)"#,
            i32::try_from(drafts.len()).map_err(|_| Refusal::Broken)?
        )
        .fetch_all(write.connection())
        .await
        .map_err(refused)?;
        let pupils: Vec<Uuid> = drafts
            .iter()
            .flat_map(|draft| draft.linked.iter().map(|one| one.pupil))
            .collect();
        let named = bearers(write.connection(), tenant, &pupils).await?;
        let mut columns = Columns::default();
        for (draft, id) in drafts.iter().zip(&ids) {
            add(&mut columns, draft, *id, &named)?;
        }
        sqlx::query!(
            "insert into record (tenant_id, id, kind, happened_at, author_id)
             select $1, d.id, d.kind, d.happened_at, $2 from unnest($3::uuid[], $4::text[], $5::timestamptz[]) as d (id, kind, happened_at)",
            tenant,
            own,
            &ids,
            &columns.kinds,
            &columns.happened
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        let (records, pupils, places, parts) = &columns.linked;
        sqlx::query!(
            "insert into record_pupil (tenant_id, record_id, pupil_id, place, part)
             select $1, d.* from unnest($2::uuid[], $3::uuid[], $4::integer[], $5::text[]) as d",
            tenant,
            records,
            pupils,
            places,
            parts
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        sqlx::query!(
            "insert into record_version (tenant_id, record_id, number, body, detail, review_on, made_by)
             select $1, d.id, 1, d.body, d.detail, (d.detail ->> 'review_on')::date, $2
             from unnest($3::uuid[], $4::text[], $5::jsonb[]) as d (id, body, detail)",
            tenant,
            own,
            &ids,
            &columns.bodies,
            &columns.details
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        let (records, pupils, words) = columns.words;
        put_words(write, 1, &records, &pupils, &words).await?;
        put_scores(write, 1, &columns.scores).await?;
        Ok(ids)
    }

    fn add(
        columns: &mut Columns,
        draft: &Draft<'_>,
        id: Uuid,
        named: &[(Uuid, Bearer)],
    ) -> Result<(), Refusal> {
        let pupils: Vec<Uuid> = draft.linked.iter().map(|one| one.pupil).collect();
        each_once(&pupils)?;
        let mut bearers = Vec::with_capacity(pupils.len());
        for (place, one) in (1..).zip(draft.linked) {
            let (_, bearer) = named
                .iter()
                .find(|(pupil, _)| *pupil == one.pupil)
                .ok_or(Refusal::NotFound)?;
            bearers.push(Bearer {
                place,
                ..bearer.clone()
            });
            columns.linked.0.push(id);
            columns.linked.1.push(one.pupil);
            columns.linked.2.push(place);
            columns.linked.3.push(one.part.code().to_owned());
        }
        for one in draft.linked {
            let words = words(one.words)?;
            if !words.is_empty() {
                columns.words.0.push(id);
                columns.words.1.push(one.pupil);
                columns.words.2.push(mask(&words, &bearers));
            }
            for (domain, level) in draft.levels {
                columns.scores.0.push(id);
                columns.scores.1.push(one.pupil);
                columns.scores.2.push(domain.code().to_owned());
                columns.scores.3.push(i16::from(level.number()));
            }
        }
        columns.kinds.push(draft.kind.code().to_owned());
        columns.happened.push(draft.happened_at);
        columns.bodies.push(mask(&draft.body, &bearers));
        let detail = draft.detail.clone().map(|text| mask(text, &bearers));
        columns
            .details
            .push(serde_json::to_value(detail).map_err(|_| Refusal::Broken)?);
        Ok(())
    }

    fn words(typed: &str) -> Result<String, Refusal> {
        Ok(text::block(typed, WORDS_MOST).map_err(|_| Fault::Words(WORDS_MOST))?)
    }

    async fn put_words(
        write: &mut Write,
        number: i32,
        records: &[Uuid],
        pupils: &[Uuid],
        words: &[String],
    ) -> Result<(), Refusal> {
        let tenant = write.standing.tenant;
        sqlx::query!(
            "insert into record_words (tenant_id, record_id, number, pupil_id, words)
             select $1, d.record_id, $2, d.pupil_id, d.words
             from unnest($3::uuid[], $4::uuid[], $5::text[]) as d (record_id, pupil_id, words)",
            tenant,
            number,
            records,
            pupils,
            words
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        Ok(())
    }

    async fn put_scores(
        write: &mut Write,
        number: i32,
        (records, pupils, domains, values): &(Vec<Uuid>, Vec<Uuid>, Vec<String>, Vec<i16>),
    ) -> Result<(), Refusal> {
        let tenant = write.standing.tenant;
        sqlx::query!(
            "insert into score (tenant_id, record_id, number, pupil_id, domain, value, happened_on)
             select $1, d.record_id, $2, d.pupil_id, d.domain, d.value, (r.happened_at at time zone 'Europe/London')::date
             from unnest($3::uuid[], $4::uuid[], $5::text[], $6::smallint[]) as d (record_id, pupil_id, domain, value)
             join record r on r.tenant_id = $1 and r.id = d.record_id",
            tenant,
            number,
            records,
            pupils,
            domains,
            values
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        Ok(())
    }

    /// What a record is, as far as a new version needs it.
    struct Standing {
        kind: Kind,
        happened_at: OffsetDateTime,
        detail: Value,
        pupils: Vec<Uuid>,
    }

    /// The record whose version `from` the caller may follow with another. Refuses [`Refusal::NotFound`] for what they do not see,
    /// [`Refusal::Stale`] where another version came first or it is withdrawn, and [`Refusal::NotAllowed`] to who is neither its author
    /// nor sees the school, or does not see every pupil of it.
    async fn to_revise(write: &mut Write, record: Uuid, from: i32) -> Result<Standing, Refusal> {
        let tenant = write.standing.tenant;
        let row = sqlx::query!(
            r#"select r.kind, r.happened_at, r.newest, r.withdrawn_at, v.detail, sec.revises(r.id, r.newest + 1) as "may!"
               from record r
               join record_version v on v.tenant_id = r.tenant_id and v.record_id = r.id and v.number = r.newest
               where r.tenant_id = $1 and r.id = $2"#,
            tenant,
            record
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::NotFound)?;
        if row.newest != from || row.withdrawn_at.is_some() {
            return Err(Refusal::Stale);
        }
        if !row.may {
            return Err(Refusal::NotAllowed);
        }
        let pupils = sqlx::query_scalar!(
            "select pupil_id from record_pupil where tenant_id = $1 and record_id = $2 order by place",
            tenant,
            record
        )
        .fetch_all(write.connection())
        .await
        .map_err(refused)?;
        Ok(Standing {
            kind: Kind::from_code(&row.kind).ok_or(Refusal::Broken)?,
            happened_at: row.happened_at,
            detail: row.detail,
            pupils,
        })
    }

    /// Adds a version to a record, with the reason for it. What was there stays to be read. Refuses as [`to_revise`] says.
    pub async fn revise(
        write: &mut Write,
        record: Uuid,
        revision: &Revision<'_>,
        reason: &str,
    ) -> Result<Act, Refusal> {
        let reason = reason_of(reason)?;
        let standing = to_revise(write, record, revision.from).await?;
        check_levels(standing.kind, revision.levels)?;
        let (tenant, own) = (write.standing.tenant, write.standing.membership);
        let named = bearers(write.connection(), tenant, &standing.pupils).await?;
        let of_record: Vec<Bearer> = named.iter().map(|(_, bearer)| bearer.clone()).collect();
        let detail = match &revision.detail {
            None => standing.detail,
            Some(detail) if !detail.fits(standing.kind) => return Err(Refusal::Stale),
            Some(detail) => {
                if let Detail::Intervention(one) = detail {
                    does_it(write, one.by).await?;
                }
                let masked = detail.clone().map(|text| mask(text, &of_record));
                serde_json::to_value(masked).map_err(|_| Refusal::Broken)?
            }
        };
        let number = revision.from + 1;
        let draft = Draft {
            kind: standing.kind,
            happened_at: standing.happened_at,
            linked: &[],
            body: body(standing.kind, revision.body)?,
            detail: Detail::Plain {},
            levels: revision.levels,
        };
        sqlx::query!(
            "insert into record_version (tenant_id, record_id, number, body, detail, review_on, reason, made_by)
             values ($1, $2, $3, $4, $5::jsonb, ($5::jsonb ->> 'review_on')::date, $6, $7)",
            tenant,
            record,
            number,
            mask(&draft.body, &of_record),
            detail,
            reason,
            own
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        let mut columns = Columns::default();
        for (pupil, typed) in revision.words {
            if !standing.pupils.contains(pupil) {
                return Err(Refusal::NotFound);
            }
            let words = words(typed)?;
            if !words.is_empty() {
                columns.words.0.push(record);
                columns.words.1.push(*pupil);
                columns.words.2.push(mask(&words, &of_record));
            }
        }
        for pupil in &standing.pupils {
            for (domain, level) in draft.levels {
                columns.scores.0.push(record);
                columns.scores.1.push(*pupil);
                columns.scores.2.push(domain.code().to_owned());
                columns.scores.3.push(i16::from(level.number()));
            }
        }
        let (records, pupils, words) = columns.words;
        put_words(write, number, &records, &pupils, &words).await?;
        put_scores(write, number, &columns.scores).await?;
        Ok(Act::revised(
            standing.kind,
            record,
            number,
            &standing.pupils,
        ))
    }

    /// Withdraws a record that was a mistake. It stays to be read, as withdrawn; it counts nowhere, and parents do not read of it any
    /// more. Refuses as [`to_revise`] says.
    pub async fn withdraw(
        write: &mut Write,
        record: Uuid,
        from: i32,
        reason: &str,
    ) -> Result<Act, Refusal> {
        let reason = reason_of(reason)?;
        let standing = to_revise(write, record, from).await?;
        let (tenant, own) = (write.standing.tenant, write.standing.membership);
        let read = sqlx::query_scalar!(
            "select distinct pupil_id from on_record
             where tenant_id = $1 and record_id = $2 and taken_back_at is null and off_at is null and opens_at <= now()",
            tenant,
            record
        )
        .fetch_all(write.connection())
        .await
        .map_err(refused)?;
        let parents = parents(write, &read).await?;
        sqlx::query!(
            "insert into record_version (tenant_id, record_id, number, body, detail, reason, withdraws, made_by)
             select v.tenant_id, v.record_id, v.number + 1, v.body, v.detail, $4, true, $5 from record_version v
             where v.tenant_id = $1 and v.record_id = $2 and v.number = $3",
            tenant,
            record,
            from,
            reason,
            own
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        sqlx::query!(
            "insert into record_words (tenant_id, record_id, number, pupil_id, words)
             select w.tenant_id, w.record_id, w.number + 1, w.pupil_id, w.words from record_words w
             where w.tenant_id = $1 and w.record_id = $2 and w.number = $3",
            tenant,
            record,
            from
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        Ok(Act::record_withdrawn(
            standing.kind,
            record,
            &standing.pupils,
            &parents,
        ))
    }

    pub(crate) fn reason_of(typed: &str) -> Result<String, Refusal> {
        let reason = text::line(typed, 500).map_err(|_| Fault::Reason)?;
        if reason.chars().count() < 3 {
            return Err(Fault::Reason.into());
        }
        Ok(reason)
    }

    /// The accounts of those who read what is on record of these pupils, for the topics of an act.
    pub(crate) async fn parents(
        write: &mut Write,
        pupils: &[Uuid],
    ) -> Result<Vec<AccountId>, Refusal> {
        let parents = sqlx::query_scalar!("select sec.parents_of($1)", pupils)
            .fetch_one(write.connection())
            .await
            .map_err(refused)?;
        Ok(parents.unwrap_or_default())
    }
}
