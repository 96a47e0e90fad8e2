//! The library: what is done to folders and documents, and their pages. All of them are sheets.

#![allow(
    clippy::too_many_arguments,
    reason = "a server function has an argument for each field of its form"
)]

#[cfg(feature = "ssr")]
pub(crate) mod about;
#[cfg(feature = "ssr")]
pub(crate) mod changes;
#[cfg(feature = "ssr")]
pub(crate) mod folder;
#[cfg(feature = "ssr")]
pub(crate) mod paper;
#[cfg(feature = "ssr")]
pub(crate) mod policies;
pub mod questions;
#[cfg(feature = "ssr")]
pub(crate) mod readers;
#[cfg(feature = "ssr")]
pub(crate) mod search;
#[cfg(feature = "ssr")]
pub(crate) mod upload;
#[cfg(feature = "ssr")]
pub(crate) mod whole;

use leptos::prelude::*;

use crate::error::Result;
#[cfg(feature = "ssr")]
use crate::form::id_of;

/// Makes a folder. A restricted one names people only; those of `filers` also file there.
#[server(endpoint = "library/open-folder")]
pub async fn open_folder(
    name: String,
    #[server(default)] about: String,
    #[server(default)] restricted: String,
    #[server(default)] roles: Vec<String>,
    #[server(default)] committees: Vec<String>,
    #[server(default)] people: Vec<String>,
    #[server(default)] filers: Vec<String>,
) -> Result<()> {
    use domain::folder::readers::Who;
    let mut readers: Vec<(Who, bool)> = Vec::new();
    for role in domain::role::parse(roles.iter().map(String::as_str)) {
        readers.push((Who::Role(role), false));
    }
    for committee in &committees {
        readers.push((Who::Committee(id_of(committee)?), false));
    }
    for person in people.iter().chain(&filers) {
        let who = Who::Person(id_of(person)?);
        let files = filers.contains(person);
        if !readers.iter().any(|(one, _)| *one == who) {
            readers.push((who, files));
        }
    }
    let mut write = crate::door::write().await?;
    let restricted = !restricted.is_empty();
    let (id, act) = domain::folder::open(&mut write, &name, &about, restricted, &readers).await?;
    write.commit(act).await?;
    // Who makes a folder for others and does not read it has nothing to look at there.
    crate::door::send_to(&format!("/library/{id}?done=opened"));
    Ok(())
}

/// Gives a folder another name, says what it is for and whether the reader prints what lies in it.
#[server(endpoint = "library/describe-folder")]
pub async fn describe_folder(
    folder: String,
    name: String,
    #[server(default)] about: String,
    #[server(default)] prints: String,
    #[server(default)] knows: String,
) -> Result<()> {
    // What a form does not ask is not changed by it.
    let prints = if knows == "prints" {
        !prints.is_empty()
    } else {
        let mut read = crate::door::read().await?;
        domain::folder::one(&mut read, id_of(&folder)?)
            .await?
            .prints
    };
    let mut write = crate::door::write().await?;
    let act = domain::folder::describe(&mut write, id_of(&folder)?, &name, &about, prints).await?;
    write.commit(act).await?;
    crate::door::send_to(&format!("/library/{folder}?done=described"));
    Ok(())
}

/// Takes a folder out of use.
#[server(endpoint = "library/archive-folder")]
pub async fn archive_folder(folder: String) -> Result<()> {
    let mut write = crate::door::write().await?;
    let act = domain::folder::archive(&mut write, id_of(&folder)?).await?;
    write.commit(act).await?;
    crate::door::send_to(&format!("/library/{folder}?done=archived"));
    Ok(())
}

/// Takes a folder into use again.
#[server(endpoint = "library/reopen-folder")]
pub async fn reopen_folder(folder: String) -> Result<()> {
    let mut write = crate::door::write().await?;
    let act = domain::folder::reopen(&mut write, id_of(&folder)?).await?;
    write.commit(act).await?;
    crate::door::send_to(&format!("/library/{folder}?done=reopened"));
    Ok(())
}

/// Names another reader of an open folder. `who` is `role:…`, `committee:…` or `person:…`.
#[server(endpoint = "library/add-reader")]
pub async fn add_reader(
    folder: String,
    who: String,
    #[server(default)] files: String,
) -> Result<()> {
    use domain::folder::readers::{self, Who};
    let who = match who.split_once(':') {
        Some(("role", code)) => {
            Who::Role(domain::role::Role::from_code(code).ok_or(domain::Refusal::Stale)?)
        }
        Some(("committee", id)) => Who::Committee(id_of(id)?),
        Some(("person", id)) => Who::Person(id_of(id)?),
        _ => return Err(domain::Refusal::NobodyChosen.into()),
    };
    let mut write = crate::door::write().await?;
    let act = readers::add(&mut write, id_of(&folder)?, who, !files.is_empty()).await?;
    write.commit(act).await?;
    crate::door::send_to(&format!("/library/{folder}/readers?done=added"));
    Ok(())
}

/// Takes a reader out of an open folder.
#[server(endpoint = "library/remove-reader")]
pub async fn remove_reader(folder: String, reader: String) -> Result<()> {
    let mut write = crate::door::write().await?;
    let act = domain::folder::readers::remove(&mut write, id_of(&folder)?, id_of(&reader)?).await?;
    write.commit(act).await?;
    crate::door::send_to(&format!("/library/{folder}/readers?done=removed"));
    Ok(())
}

/// Asks the other readers of a restricted folder to add somebody, or to take somebody out.
#[server(endpoint = "library/ask-change")]
pub async fn ask_change(
    folder: String,
    person: String,
    adds: bool,
    #[server(default)] files: String,
) -> Result<()> {
    let mut write = crate::door::write().await?;
    write.standing.require_step_up()?;
    let person = uuid::Uuid::try_parse(&person).map_err(|_| domain::Refusal::NobodyChosen)?;
    let act =
        domain::folder::readers::ask(&mut write, id_of(&folder)?, adds, person, !files.is_empty())
            .await?;
    write.commit(act).await?;
    crate::door::send_to(&format!("/library/{folder}/readers?done=asked"));
    Ok(())
}

/// Agrees to what another reader has asked for.
#[server(endpoint = "library/agree-change")]
pub async fn agree_change(folder: String, change: String) -> Result<()> {
    let mut write = crate::door::write().await?;
    write.standing.require_step_up()?;
    let act = domain::folder::readers::agree(&mut write, id_of(&folder)?, id_of(&change)?).await?;
    write.commit(act).await?;
    crate::door::send_to(&format!("/library/{folder}/readers?done=agreed"));
    Ok(())
}

/// Takes back what was asked for, or declines it.
#[server(endpoint = "library/drop-change")]
pub async fn drop_change(folder: String, change: String) -> Result<()> {
    let mut write = crate::door::write().await?;
    let act =
        domain::folder::readers::drop_change(&mut write, id_of(&folder)?, id_of(&change)?).await?;
    write.commit(act).await?;
    crate::door::send_to(&format!("/library/{folder}/readers?done=dropped"));
    Ok(())
}

/// Brings an older version of a document back as a new one.
#[server(endpoint = "papers/restore")]
pub async fn restore(document: String, number: u32) -> Result<()> {
    let mut write = crate::door::write().await?;
    let (_, act) = domain::document::filing::restore(&mut write, id_of(&document)?, number).await?;
    write.commit(act).await?;
    crate::door::send_to(&format!("/papers/{document}?done=restored"));
    Ok(())
}

/// Says what a document is. Dates as people type them; tags with commas between them.
#[server(endpoint = "papers/describe")]
pub async fn describe(
    document: String,
    title: String,
    kind: String,
    #[server(default)] owner: String,
    #[server(default)] review_by: String,
    #[server(default)] from: String,
    #[server(default)] to: String,
    #[server(default)] tags: String,
) -> Result<()> {
    use domain::document::{About, Kind};
    let day = |typed: &str| match typed.trim() {
        "" => Ok(None),
        typed => domain::day::parse(typed).map(Some),
    };
    let about = About {
        title,
        kind: Kind::from_code(&kind).ok_or(domain::Refusal::Stale)?,
        owner: uuid::Uuid::try_parse(&owner).ok(),
        review_by: day(&review_by)?,
        from: day(&from)?,
        to: day(&to)?,
        tags: tags.split(',').map(str::to_owned).collect(),
    };
    let mut write = crate::door::write().await?;
    match domain::document::filing::describe(&mut write, id_of(&document)?, &about).await {
        Ok(act) => write.commit(act).await.map(drop)?,
        // Nothing was changed, so there is nothing to record; to the person it is saved.
        Err(domain::Refusal::Stale) => {}
        Err(refusal) => return Err(refusal.into()),
    }
    crate::door::send_to(&format!("/papers/{document}?done=described"));
    Ok(())
}

/// Moves a document to another folder.
#[server(endpoint = "papers/move")]
pub async fn move_to(document: String, folder: String) -> Result<()> {
    let mut write = crate::door::write().await?;
    let to = uuid::Uuid::try_parse(&folder).map_err(|_| domain::Refusal::NoFolderChosen)?;
    let act = domain::document::filing::move_to(&mut write, id_of(&document)?, to).await?;
    write.commit(act).await?;
    crate::door::send_to(&format!("/papers/{document}?done=moved"));
    Ok(())
}

/// Takes a document out of use.
#[server(endpoint = "papers/archive")]
pub async fn archive(document: String) -> Result<()> {
    let mut write = crate::door::write().await?;
    let act = domain::document::filing::archive(&mut write, id_of(&document)?).await?;
    write.commit(act).await?;
    crate::door::send_to(&format!("/papers/{document}?done=archived"));
    Ok(())
}

/// Takes a document into use again.
#[server(endpoint = "papers/reinstate")]
pub async fn reinstate(document: String) -> Result<()> {
    let mut write = crate::door::write().await?;
    let act = domain::document::filing::reinstate(&mut write, id_of(&document)?).await?;
    write.commit(act).await?;
    crate::door::send_to(&format!("/papers/{document}?done=reinstated"));
    Ok(())
}

/// Puts a document into the bin.
#[server(endpoint = "papers/bin")]
pub async fn bin(document: String, reason: String) -> Result<()> {
    let mut write = crate::door::write().await?;
    let act = domain::document::filing::bin(&mut write, id_of(&document)?, &reason).await?;
    write.commit(act).await?;
    crate::door::send_to(&format!("/papers/{document}?done=binned"));
    Ok(())
}

/// Takes a document out of the bin.
#[server(endpoint = "papers/unbin")]
pub async fn unbin(document: String) -> Result<()> {
    let mut write = crate::door::write().await?;
    let act = domain::document::filing::unbin(&mut write, id_of(&document)?).await?;
    write.commit(act).await?;
    crate::door::send_to(&format!("/papers/{document}?done=unbinned"));
    Ok(())
}

/// "1.4 MB": bytes as people say them, in powers of ten.
#[cfg(feature = "ssr")]
fn bytes(size: u64) -> String {
    let tenths = |unit: u64| {
        if size >= 10 * unit {
            return format!("{}", (size + unit / 2) / unit);
        }
        let tenths = (size * 10 + unit / 2) / unit;
        if tenths.is_multiple_of(10) {
            format!("{}", tenths / 10)
        } else {
            format!("{}.{}", tenths / 10, tenths % 10)
        }
    };
    match size {
        1 => "1 byte".to_owned(),
        0..=999 => format!("{size} bytes"),
        1_000..=999_499 => format!("{} KB", tenths(1_000)),
        _ => format!("{} MB", tenths(1_000_000)),
    }
}

/// "PDF, 12 pages, 1.4 MB".
#[cfg(feature = "ssr")]
fn file_words(format: domain::file::Kind, pages: Option<u32>, size: u64) -> String {
    let what = match format {
        domain::file::Kind::Text => "TXT".to_owned(),
        other => other.extension().to_uppercase(),
    };
    match pages {
        Some(1) => format!("{what}, one page, {}", bytes(size)),
        Some(pages) => format!("{what}, {pages} pages, {}", bytes(size)),
        None => format!("{what}, {}", bytes(size)),
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::bytes;

    #[test]
    fn bytes_are_told_as_people_say_them() {
        for (size, words) in [
            (1, "1 byte"),
            (999, "999 bytes"),
            (1_000, "1 KB"),
            (1_449, "1.4 KB"),
            (12_345, "12 KB"),
            (999_499, "999 KB"),
            (1_400_000, "1.4 MB"),
            (209_715_200, "210 MB"),
        ] {
            assert_eq!(bytes(size), words);
        }
    }
}
