//! Pupils: what is done to the roll, to groups and caseloads, to parents' links and to what the school keeps, and the sheets that show
//! them.

#![allow(
    clippy::too_many_arguments,
    reason = "a server function has an argument for each field of its form"
)]

#[cfg(feature = "ssr")]
pub(crate) mod caseload;
#[cfg(feature = "ssr")]
pub(crate) mod contact;
#[cfg(feature = "ssr")]
pub(crate) mod details;
pub mod group;
#[cfg(feature = "ssr")]
pub(crate) mod looked;
#[cfg(feature = "ssr")]
pub(crate) mod parents;
#[cfg(feature = "ssr")]
pub(crate) mod record;
pub mod rollover;
#[cfg(feature = "ssr")]
pub(crate) mod seek;
#[cfg(feature = "ssr")]
pub(crate) mod setting;
pub mod tags;
pub mod unusual;
#[cfg(feature = "ssr")]
pub(crate) mod whole;

#[cfg(feature = "ssr")]
use domain::{
    Refusal, day,
    pupil::{self, Fault, Typed, access, duty, field::Field, guardian},
};
use leptos::prelude::*;

use crate::error::Result;
#[cfg(feature = "ssr")]
use crate::{door, form::id_of, ui::Around};

/// Puts a pupil on the roll.
#[server(endpoint = "pupils/add")]
pub async fn add_pupil(
    first_name: String,
    last_name: String,
    #[server(default)] preferred_name: String,
    born: String,
    #[server(default)] sex: String,
    #[server(default)] year: String,
    #[server(default)] upn: String,
    #[server(default)] admission_number: String,
) -> Result<()> {
    let typed = Typed {
        first_name,
        last_name,
        preferred_name,
        born,
        sex,
        year,
        upn,
        admission_number,
    };
    let mut write = door::write().await?;
    let (id, act) = pupil::add(&mut write, &typed, door::today()).await?;
    write.commit(act).await?;
    door::send_to(&format!("/pupils/{id}?done=added"));
    Ok(())
}

/// Corrects what the roll says of a pupil.
#[server(endpoint = "pupils/correct")]
pub async fn correct_pupil(
    pupil: String,
    first_name: String,
    last_name: String,
    #[server(default)] preferred_name: String,
    born: String,
    #[server(default)] sex: String,
    #[server(default)] year: String,
    #[server(default)] upn: String,
    #[server(default)] admission_number: String,
) -> Result<()> {
    let typed = Typed {
        first_name,
        last_name,
        preferred_name,
        born,
        sex,
        year,
        upn,
        admission_number,
    };
    let mut write = door::write().await?;
    match pupil::correct(&mut write, id_of(&pupil)?, &typed, door::today()).await {
        Ok(act) => write.commit(act).await.map(drop)?,
        // Nothing was changed, so there is nothing to record; to the person it is saved.
        Err(Refusal::Stale) => {}
        Err(refusal) => return Err(refusal.into()),
    }
    door::send_to(&format!("/pupils/{pupil}?done=corrected"));
    Ok(())
}

/// Looks for a pupil beyond the caseload, for a reason. That it was asked stands in the log whatever was found.
#[server(endpoint = "pupils/seek")]
pub async fn seek_pupil(
    first_name: String,
    last_name: String,
    #[server(default)] registration: String,
    #[server(default)] reason: String,
    #[server(default)] words: String,
) -> Result<()> {
    let sought = access::Sought {
        first_name: &first_name,
        last_name: &last_name,
        registration: &registration,
        reason: &reason,
        words: &words,
    };
    let mut write = door::write().await?;
    let (found, acts) = access::seek(&mut write, sought).await?;
    write.commit_all(acts).await?;
    match found {
        access::Found::One(id) => door::send_to(&format!("/pupils/{id}")),
        access::Found::Other(fault) => return Err(Refusal::from(fault).into()),
    }
    Ok(())
}

/// Records a pupil's last day here.
#[server(endpoint = "pupils/leave")]
pub async fn record_leaving(pupil: String, last: String) -> Result<()> {
    let mut write = door::write().await?;
    let last = day::parse(&last)?;
    let act = pupil::leave(&mut write, id_of(&pupil)?, last, door::today()).await?;
    write.commit(act).await?;
    door::send_to(&format!("/pupils/{pupil}?done=left"));
    Ok(())
}

/// Takes a pupil who left onto the roll again.
#[server(endpoint = "pupils/come-back")]
pub async fn record_return(pupil: String) -> Result<()> {
    let mut write = door::write().await?;
    let act = pupil::come_back(&mut write, id_of(&pupil)?).await?;
    write.commit(act).await?;
    door::send_to(&format!("/pupils/{pupil}?done=back"));
    Ok(())
}

/// Takes a pupil off the roll who was put there by mistake.
#[server(endpoint = "pupils/remove")]
pub async fn remove_pupil(pupil: String) -> Result<()> {
    let mut write = door::write().await?;
    write.standing.require_step_up()?;
    let act = pupil::remove(&mut write, id_of(&pupil)?).await?;
    write.commit(act).await?;
    door::send_to("/pupils?done=removed");
    Ok(())
}

/// Puts a pupil into a group from today on.
#[server(endpoint = "pupils/join-group")]
pub async fn join_group(pupil: String, #[server(default)] group: String) -> Result<()> {
    let mut write = door::write().await?;
    let group = uuid::Uuid::try_parse(&group).map_err(|_| Refusal::from(Fault::NothingGiven))?;
    let act = pupil::group::join(&mut write, group, id_of(&pupil)?, door::today()).await?;
    write.commit(act).await?;
    door::send_to(&format!("/pupils/{pupil}?done=joined"));
    Ok(())
}

/// Takes a pupil out of a group.
#[server(endpoint = "pupils/leave-group")]
pub async fn leave_group(pupil: String, group: String) -> Result<()> {
    let mut write = door::write().await?;
    let today = door::today();
    let act = pupil::group::leave(&mut write, id_of(&group)?, id_of(&pupil)?, today).await?;
    write.commit(act).await?;
    door::send_to(&format!("/pupils/{pupil}?done=out"));
    Ok(())
}

/// Links a parent to a child.
#[server(endpoint = "pupils/link-parent")]
pub async fn link_parent(
    pupil: String,
    #[server(default)] person: String,
    relation: String,
) -> Result<()> {
    let mut write = door::write().await?;
    let person = uuid::Uuid::try_parse(&person).map_err(|_| Refusal::from(Fault::NotParent))?;
    let relation = guardian::Relation::from_code(&relation).ok_or(Refusal::Stale)?;
    let act = guardian::link(&mut write, id_of(&pupil)?, person, relation).await?;
    write.commit(act).await?;
    door::send_to(&format!("/pupils/{pupil}?done=linked"));
    Ok(())
}

/// Ends a parent's link to a child.
#[server(endpoint = "pupils/unlink-parent")]
pub async fn unlink_parent(pupil: String, link: String) -> Result<()> {
    let mut write = door::write().await?;
    let act = guardian::unlink(&mut write, id_of(&link)?).await?;
    write.commit(act).await?;
    door::send_to(&format!("/pupils/{pupil}?done=unlinked"));
    Ok(())
}

/// Records what keeps a parent from a child. `until` may be left empty.
#[server(endpoint = "pupils/restrict")]
pub async fn restrict_contact(
    pupil: String,
    person: String,
    words: String,
    #[server(default)] until: String,
) -> Result<()> {
    let until = match until.trim() {
        "" => None,
        typed => Some(day::parse(typed)?),
    };
    let mut write = door::write().await?;
    let (pupil_id, person) = (id_of(&pupil)?, id_of(&person)?);
    let act = guardian::restrict(&mut write, pupil_id, person, &words, until).await?;
    write.commit(act).await?;
    door::send_to(&format!("/pupils/{pupil}?done=restricted"));
    Ok(())
}

/// Lifts a contact restriction.
#[server(endpoint = "pupils/lift")]
pub async fn lift_restriction(pupil: String, restriction: String) -> Result<()> {
    let mut write = door::write().await?;
    let act = guardian::lift(&mut write, id_of(&restriction)?).await?;
    write.commit(act).await?;
    door::send_to(&format!("/pupils/{pupil}?done=lifted"));
    Ok(())
}

/// Puts a group or a pupil on somebody's caseload. `of` is `group:…` or `pupil:…`; an empty day or time is now, or no end.
#[server(endpoint = "caseloads/give")]
pub async fn give_caseload(
    #[server(default)] person: String,
    #[server(default)] of: String,
    #[server(default)] cover: String,
    #[server(default)] from: String,
    #[server(default)] from_time: String,
    #[server(default)] until: String,
    #[server(default)] until_time: String,
) -> Result<()> {
    use pupil::caseload::{self, Of, Times};
    let person = uuid::Uuid::try_parse(&person).map_err(|_| Refusal::from(Fault::NotTeacher))?;
    let of = Of::from_code(&of).ok_or(Refusal::from(Fault::NothingGiven))?;
    let times = Times {
        from_day: &from,
        from_time: &from_time,
        until_day: &until,
        until_time: &until_time,
    };
    let (from, until) = caseload::moments(times, door::now()?)?;
    let mut write = door::write().await?;
    let (_, act) = caseload::give(&mut write, person, of, from, until, !cover.is_empty()).await?;
    write.commit(act).await?;
    door::send_to("/caseloads?done=given");
    Ok(())
}

/// Ends a caseload now.
#[server(endpoint = "caseloads/end")]
pub async fn end_caseload(caseload: String) -> Result<()> {
    let mut write = door::write().await?;
    let act = pupil::caseload::end(&mut write, id_of(&caseload)?).await?;
    write.commit(act).await?;
    door::send_to("/caseloads?done=ended");
    Ok(())
}

/// Says who answers for something, and how they are reached.
#[server(endpoint = "pupils/duty")]
pub async fn give_duty(
    duty: String,
    #[server(default)] person: String,
    reached: String,
    #[server(default)] process: String,
) -> Result<()> {
    let duty = duty::Duty::from_code(&duty).ok_or(Refusal::Stale)?;
    let person = uuid::Uuid::try_parse(&person).map_err(|_| Refusal::NobodyChosen)?;
    let mut write = door::write().await?;
    write.standing.require_step_up()?;
    match duty::give(&mut write, duty, person, &reached, &process).await {
        Ok(act) => write.commit(act).await.map(drop)?,
        // It is so already.
        Err(Refusal::Stale) => {}
        Err(refusal) => return Err(refusal.into()),
    }
    door::send_to("/settings/pupils?done=duty");
    Ok(())
}

/// Switches an optional field on, for a purpose.
#[server(endpoint = "pupils/switch-on")]
pub async fn switch_on(field: String, purpose: String) -> Result<()> {
    let field = Field::from_code(&field).ok_or(Refusal::Stale)?;
    let mut write = door::write().await?;
    let act = duty::switch_on(&mut write, field, &purpose).await?;
    write.commit(act).await?;
    door::send_to("/settings/pupils?done=on");
    Ok(())
}

/// Switches an optional field off; what was kept of it is deleted.
#[server(endpoint = "pupils/switch-off")]
pub async fn switch_off(field: String) -> Result<()> {
    let field = Field::from_code(&field).ok_or(Refusal::Stale)?;
    let mut write = door::write().await?;
    let act = duty::switch_off(&mut write, field).await?;
    write.commit(act).await?;
    door::send_to("/settings/pupils?done=off");
    Ok(())
}

/// Pages of pupils do not exist for those to whom pupils are nothing.
#[cfg(feature = "ssr")]
pub(crate) fn staff_only(around: &Around) -> std::result::Result<(), Refusal> {
    there_is(pupil::is_for(&around.roles))
}

/// Nor those of the roll for those who do not keep it.
#[cfg(feature = "ssr")]
pub(crate) fn keepers_only(around: &Around) -> std::result::Result<(), Refusal> {
    there_is(pupil::keeps(&around.roles))
}

#[cfg(feature = "ssr")]
fn there_is(page: bool) -> std::result::Result<(), Refusal> {
    if page { Ok(()) } else { Err(Refusal::NotFound) }
}

/// What the list of pupils is called for the reader.
#[cfg(feature = "ssr")]
pub(crate) fn list_name(around: &Around) -> &'static str {
    if pupil::sees_school(&around.roles) {
        "Pupils"
    } else {
        "My pupils"
    }
}

/// The way back to the list; for who has a caseload and nothing else, to how those on it are.
#[cfg(feature = "ssr")]
pub(crate) fn to_pupils(around: &Around) -> (String, String) {
    let href = if pupil::sees_school(&around.roles) {
        "/pupils"
    } else {
        "/caseload"
    };
    (href.to_owned(), list_name(around).to_owned())
}

/// What there is about pupils, on each page of many of them. `here` is the address of that page.
#[cfg(feature = "ssr")]
pub(crate) fn about(around: &Around, here: &str, reviews: bool) -> impl IntoView + use<> {
    let (school, keeps) = (
        pupil::sees_school(&around.roles),
        pupil::keeps(&around.roles),
    );
    let places = [
        Some(("/caseload", "How they are")),
        Some(("/pupils", "The list")),
        Some(("/check-in", "Check in")),
        Some(("/groups", "Groups and classes")),
        school.then_some(("/caseloads", "Caseloads")),
        school.then_some(("/picture", "The school’s picture")),
        school.then_some(("/pupils/circumstances", "Circumstances that end soon")),
        reviews.then_some(("/pupils/looked", "Who looked at whom")),
        keeps.then_some(("/roster", "Rosters")),
        keeps.then_some(("/settings/pupils", "What is kept of pupils")),
        (keeps && whole::turns(crate::door::today()))
            .then_some(("/pupils/year", "The new school year")),
    ];
    let places: Vec<_> = places
        .into_iter()
        .flatten()
        .map(|(href, name)| {
            let current = (href == here).then_some("page");
            view! { <li><a href=href aria-current=current>{name}</a></li> }
        })
        .collect();
    view! { <nav class="about-pupils" aria-label="About pupils"><ul role="list">{places}</ul></nav> }
}

/// Pages of a list, and where the others are.
#[cfg(feature = "ssr")]
fn pager(page: usize, matching: usize, link: impl Fn(usize) -> String) -> Option<AnyView> {
    let pages = matching.div_ceil(pupil::ROWS);
    (pages > 1).then(|| {
        view! {
            <nav class="pager" aria-label="Pages of the list">
                {(page > 1).then(|| view! { <a class="button" rel="prev" href=link(page - 1)>"Earlier names"</a> })}
                <span>{format!("Page {page} of {pages}")}</span>
                {(page < pages).then(|| view! { <a class="button" rel="next" href=link(page + 1)>"Later names"</a> })}
            </nav>
        }
        .into_any()
    })
}

/// A pupil in a row, with the way to their record.
#[cfg(feature = "ssr")]
fn cell(pupil: &pupil::Pupil) -> impl IntoView + use<> {
    let left = pupil
        .left_on
        .map(|first_without| format!("Left on {}", day::words(day::before(first_without))));
    view! {
        <div class="person">
            <span class="face" aria-hidden="true">{pupil.initials()}</span>
            <div><a class="open" href=format!("/pupils/{}", pupil.id)>{pupil.called()}</a>{left.map(|left| view! { <small>{left}</small> })}</div>
        </div>
    }
}
