//! Wellbeing records: what staff put down about pupils, change and withdraw, what of it they put on record for parents, and the sheets
//! that show it.

#![allow(
    clippy::too_many_arguments,
    reason = "a server function has an argument for each field of its form"
)]

#[cfg(feature = "ssr")]
pub(crate) mod add;
#[cfg(feature = "ssr")]
pub(crate) mod course;
#[cfg(feature = "ssr")]
pub(crate) mod edit;
#[cfg(feature = "ssr")]
pub(crate) mod entry;
#[cfg(feature = "ssr")]
pub mod note;
#[cfg(feature = "ssr")]
pub(crate) mod one;
#[cfg(feature = "ssr")]
pub(crate) mod picture;
#[cfg(feature = "ssr")]
pub(crate) mod put;
#[cfg(feature = "ssr")]
pub(crate) mod score;
pub mod sent;
#[cfg(feature = "ssr")]
pub(crate) mod shown;
#[cfg(feature = "ssr")]
pub(crate) mod timeline;
#[cfg(feature = "ssr")]
pub(crate) mod whom;

#[cfg(feature = "ssr")]
use domain::{
    Refusal, day,
    wellbeing::{
        Domain, Fault, Level,
        instrument::{self, Informant},
        onrecord,
        record::{self, Detail, Kind, Linked, New, Of, Part, Revision},
        typed,
    },
};
use leptos::prelude::*;
#[cfg(feature = "ssr")]
use uuid::Uuid;

use self::sent::{Course, Written};
use crate::error::Result;
#[cfg(feature = "ssr")]
use crate::{door, form::id_of};

/// Puts down what somebody saw.
#[server(endpoint = "records/observe")]
pub async fn observe(#[server(flatten)] written: Written) -> Result<()> {
    let linked = written.linked().await?;
    let new = written.meant(&linked)?;
    let mut write = door::write().await?;
    let (record, act) = record::observe(&mut write, &new).await?;
    write.commit(act).await?;
    to_record(&written.pupil, record, "recorded");
    Ok(())
}

/// Puts down what was said, and with whom.
#[server(endpoint = "records/converse")]
pub async fn converse(
    #[server(flatten)] written: Written,
    #[server(default)] with: String,
) -> Result<()> {
    let linked = written.linked().await?;
    let new = written.meant(&linked)?;
    let mut write = door::write().await?;
    let (record, act) = record::converse(&mut write, &new, &with).await?;
    write.commit(act).await?;
    to_record(&written.pupil, record, "recorded");
    Ok(())
}

/// Puts down what is to be done. `review_on` may be left empty.
#[server(endpoint = "records/plan")]
pub async fn plan(
    #[server(flatten)] written: Written,
    #[server(default)] review_on: String,
) -> Result<()> {
    let linked = written.linked().await?;
    let new = written.meant(&linked)?;
    let review_on = course::maybe(&review_on)?;
    let mut write = door::write().await?;
    let (record, act) = record::plan(&mut write, &new, review_on).await?;
    write.commit(act).await?;
    to_record(&written.pupil, record, "recorded");
    Ok(())
}

/// Puts down something that is done for a while to change something. Who does it, how often, when it is looked at again and its last day
/// may be left empty.
#[server(endpoint = "records/intervene")]
pub async fn intervene(
    #[server(flatten)] written: Written,
    #[server(flatten)] course: Course,
) -> Result<()> {
    let linked = written.linked().await?;
    let new = written.meant(&linked)?;
    let course = course.meant()?;
    let mut write = door::write().await?;
    let (record, act) = record::intervene(&mut write, &new, course).await?;
    write.commit(act).await?;
    to_record(&written.pupil, record, "recorded");
    Ok(())
}

/// Enters the scores of an instrument: of the table by its code, with the codes of its sub-scales, or of another one by name.
#[server(endpoint = "records/score")]
pub async fn enter_scores(
    pupil: String,
    #[server(default)] instrument: String,
    #[server(default)] called: String,
    #[server(default)] edition: String,
    #[server(default)] informant: String,
    #[server(default)] happened_at: String,
    #[server(default)] scale: Vec<String>,
    #[server(default)] points: Vec<String>,
    #[server(default)] total: String,
    #[server(default)] body: String,
) -> Result<()> {
    let happened_at = typed::happened_at(&happened_at, "", door::now()?)?;
    let on = day::in_england(happened_at).date();
    let known = instrument::from_code(&instrument);
    let entered = score::entered(known.is_some(), &scale, &points)?;
    let informant = Informant::from_code(&informant)
        .ok_or(Refusal::from(Fault::Scores(instrument::Fault::Informant)))?;
    let of = match known {
        Some(known) => Of::Table(known, score::points(&total)?),
        None => Of::Other(&called, &edition),
    };
    let id = id_of(&pupil)?;
    let mut write = door::write().await?;
    let age = typed::age_on(&mut write, id, on).await?;
    let sheet = record::sheet(of, informant, on, age, &entered)?;
    let new = New {
        happened_at,
        body: &body,
        linked: &[Linked {
            pupil: id,
            part: Part::Subject,
            words: "",
        }],
    };
    let (record, act) = record::enter_scores(&mut write, &new, sheet).await?;
    write.commit(act).await?;
    to_record(&pupil, record, "recorded");
    Ok(())
}

/// Adds a version to a record. `whose` names the pupils of `words`, and `domain` those of `level`; the rest is by its kind.
#[server(endpoint = "records/revise")]
pub async fn revise(
    pupil: String,
    record: String,
    record_kind: String,
    version: i32,
    #[server(default)] body: String,
    #[server(default)] whose: Vec<String>,
    #[server(default)] about: Vec<String>,
    #[server(default)] domain: Vec<String>,
    #[server(default)] level: Vec<String>,
    #[server(default)] with: String,
    #[server(flatten)] course: Course,
    #[server(default)] reason: String,
) -> Result<()> {
    let detail = match Kind::from_code(&record_kind).ok_or(Refusal::Stale)? {
        Kind::Conversation => Some(Detail::Conversation {
            with: record::with(&with)?,
        }),
        Kind::Plan => Some(Detail::Plan {
            review_on: course::maybe(&course.review_on)?.map(day::field),
        }),
        Kind::Intervention => {
            let kept = record::intervention(course.meant()?)?;
            Some(Detail::Intervention(kept))
        }
        Kind::CheckIn | Kind::Observation | Kind::Instrument => None,
    };
    let words: Vec<(Uuid, &str)> = whose
        .iter()
        .zip(&about)
        .map(|(id, words)| Ok((id_of(id)?, words.as_str())))
        .collect::<std::result::Result<_, Refusal>>()?;
    let revision = Revision {
        from: version,
        body: &body,
        words: &words,
        levels: &levels(&domain, &level)?,
        detail,
    };
    let id = id_of(&record)?;
    let mut write = door::write().await?;
    let act = record::revise(&mut write, id, &revision, &reason).await?;
    write.commit(act).await?;
    to_record(&pupil, id, "changed");
    Ok(())
}

/// Withdraws a record that was a mistake.
#[server(endpoint = "records/withdraw")]
pub async fn withdraw(
    pupil: String,
    record: String,
    version: i32,
    #[server(default)] reason: String,
) -> Result<()> {
    let id = id_of(&record)?;
    let mut write = door::write().await?;
    let act = record::withdraw(&mut write, id, version, &reason).await?;
    write.commit(act).await?;
    to_record(&pupil, id, "withdrawn");
    Ok(())
}

/// Words as a parent would read them, before they are put on record. Refuses what putting them there would refuse.
#[server(endpoint = "records/show")]
pub async fn show_words(
    pupil: String,
    record: String,
    #[server(default)] words: String,
) -> Result<String> {
    let mut read = door::read().await?;
    Ok(onrecord::fit(&mut read, id_of(&record)?, id_of(&pupil)?, &words).await?)
}

/// Puts words of a record on record for a pupil's parents.
#[server(endpoint = "records/put")]
pub async fn put_on_record(
    pupil: String,
    record: String,
    version: i32,
    #[server(default)] words: String,
) -> Result<()> {
    let (id, about) = (id_of(&record)?, id_of(&pupil)?);
    let mut write = door::write().await?;
    let (_, act) = onrecord::put_on_record(&mut write, id, version, about, &words).await?;
    write.commit(act).await?;
    to_record(&pupil, id, "put");
    Ok(())
}

/// Takes an entry back before a parent has seen it.
#[server(endpoint = "records/take-back")]
pub async fn take_back(pupil: String, record: String, entry: String) -> Result<()> {
    let mut write = door::write().await?;
    let act = onrecord::take_back(&mut write, id_of(&entry)?).await?;
    write.commit(act).await?;
    to_record(&pupil, id_of(&record)?, "back");
    Ok(())
}

/// Takes an entry off the record that parents may have read.
#[server(endpoint = "records/take-off")]
pub async fn take_off_record(
    pupil: String,
    record: String,
    entry: String,
    #[server(default)] reason: String,
) -> Result<()> {
    let mut write = door::write().await?;
    let act = onrecord::take_off_record(&mut write, id_of(&entry)?, &reason).await?;
    write.commit(act).await?;
    to_record(&pupil, id_of(&record)?, "off");
    Ok(())
}

#[cfg(feature = "ssr")]
fn to_record(pupil: &str, record: Uuid, done: &str) {
    door::send_to(&format!("/pupils/{pupil}/records/{record}?done={done}"));
}

/// The levels of a check-in; a domain without one is not among them.
#[cfg(feature = "ssr")]
fn levels(
    domains: &[String],
    levels: &[String],
) -> std::result::Result<Vec<(Domain, Level)>, Refusal> {
    domains
        .iter()
        .zip(levels)
        .filter(|(_, level)| !level.trim().is_empty())
        .map(|(domain, level)| {
            let domain = Domain::from_code(domain).ok_or(Refusal::Stale)?;
            Ok((domain, Level::parse(level).map_err(|_| Fault::NoLevel)?))
        })
        .collect()
}
