//! Where questions stand in a version: found once, when it comes, and for what its maker does not read, when it is read.

use std::collections::HashMap;

use uuid::Uuid;

use super::{Quoted, Stands};
use crate::{
    Refusal,
    anchor::{Hint, Place, Quotation, Text},
    db::{Read, Write, refused},
};

/// Longest words of a place that are kept, in letters: what was found may be a little longer than what was quoted.
const KEPT_MOST: usize = 1000;

/// What was found when a version came: a place, or that there is none any more.
pub(super) struct Seen(Option<Place>);

impl Seen {
    pub(super) fn of(
        quoted: Option<Quoted>,
        starts: Option<i32>,
        ends: Option<i32>,
    ) -> Result<Self, Refusal> {
        let letter = |at: i32| usize::try_from(at).map_err(|_| Refusal::Broken);
        let (Some(quoted), Some(starts), Some(ends)) = (quoted, starts, ends) else {
            return Ok(Self(None));
        };
        Ok(Self(Some(Place {
            page: quoted.page,
            start: letter(starts)?,
            end: letter(ends)?,
            quotation: quoted.quotation,
        })))
    }
}

/// A version that is shown, whose text is fetched when something has to be looked for in it.
pub(super) struct Shown {
    version: Uuid,
    seen: HashMap<Uuid, Seen>,
    text: Option<Text>,
}

impl Shown {
    pub(super) fn new(version: Uuid, seen: HashMap<Uuid, Seen>) -> Self {
        Self {
            version,
            seen,
            text: None,
        }
    }

    pub(super) async fn stands(
        &mut self,
        read: &mut Read,
        question: Option<Uuid>,
        quoted: Option<&Quoted>,
    ) -> Result<Stands, Refusal> {
        let Some(quoted) = quoted else {
            return Ok(Stands::Whole);
        };
        let place = match question.and_then(|id| self.seen.remove(&id)) {
            Some(Seen(place)) => place,
            None => {
                if self.text.is_none() {
                    self.text = Some(pages(read, self.version).await?);
                }
                self.text.as_ref().and_then(|text| {
                    let hint = Hint {
                        page: Some(quoted.page),
                        start: 0,
                    };
                    text.attach(&quoted.quotation, hint)
                })
            }
        };
        Ok(place.map_or(Stands::Gone, Stands::Here))
    }
}

/// The text of a version.
async fn pages(read: &mut Read, version: Uuid) -> Result<Text, Refusal> {
    let tenant = read.standing.tenant;
    let rows = sqlx::query!(
        "select number, body from page where tenant_id = $1 and version_id = $2 order by number",
        tenant,
        version
    )
    .fetch_all(read.connection())
    .await
    .map_err(refused)?;
    Ok(text(rows.iter().map(|row| (row.number, row.body.as_str()))))
}

/// The same for who is about to write.
pub(crate) async fn text_of(write: &mut Write, version: Uuid) -> Result<Text, Refusal> {
    let tenant = write.standing.tenant;
    let rows = sqlx::query!(
        "select number, body from page where tenant_id = $1 and version_id = $2 order by number",
        tenant,
        version
    )
    .fetch_all(write.connection())
    .await
    .map_err(refused)?;
    Ok(text(rows.iter().map(|row| (row.number, row.body.as_str()))))
}

fn text<'a>(pages: impl Iterator<Item = (i32, &'a str)>) -> Text {
    Text::new(pages.filter_map(|(number, body)| Some((u32::try_from(number).ok()?, body))))
}

/// Finds the questions of a document in a version that was just added, those that its maker reads.
pub(crate) async fn reattach(
    write: &mut Write,
    document: Uuid,
    version: Uuid,
) -> Result<(), Refusal> {
    let tenant = write.standing.tenant;
    // As it stood when it was last seen, and as it was quoted at first: a sentence changes little by little.
    let rows = sqlx::query!(
        r#"select q.id, q.exact as "exact!", q.prefix as "prefix!", q.suffix as "suffix!", q.page as "page!",
                  l.exact as "last_exact?", l.prefix as "last_prefix?", l.suffix as "last_suffix?", l.page as "last_page?",
                  l.starts as "last_starts?"
           from question q
           left join lateral (
             select p.exact, p.prefix, p.suffix, p.page, p.starts from question_place p
             join version v on v.tenant_id = p.tenant_id and v.id = p.version_id
             where p.tenant_id = q.tenant_id and p.question_id = q.id and p.page is not null
             order by v.number desc limit 1
           ) l on true
           where q.tenant_id = $1 and q.document_id = $2 and q.exact is not null order by q.id"#,
        tenant,
        document
    )
    .fetch_all(write.connection())
    .await
    .map_err(refused)?;
    if rows.is_empty() {
        return Ok(());
    }
    let text = text_of(write, version).await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let first = (
            Quotation {
                exact: row.exact,
                prefix: row.prefix,
                suffix: row.suffix,
            },
            hint(row.page, None),
        );
        let last = row.last_exact.zip(row.last_page).map(|(exact, page)| {
            let quotation = Quotation {
                exact,
                prefix: row.last_prefix.unwrap_or_default(),
                suffix: row.last_suffix.unwrap_or_default(),
            };
            (quotation, hint(page, row.last_starts))
        });
        let place = last
            .iter()
            .chain([&first])
            .find_map(|(quotation, hint)| text.attach(quotation, *hint));
        found.push((row.id, place));
    }
    keep(write, version, found).await
}

fn hint(page: i32, starts: Option<i32>) -> Hint {
    Hint {
        page: u32::try_from(page).ok(),
        start: starts
            .and_then(|starts| usize::try_from(starts).ok())
            .unwrap_or_default(),
    }
}

/// Keeps where questions stand in a version.
pub(super) async fn keep(
    write: &mut Write,
    version: Uuid,
    found: Vec<(Uuid, Option<Place>)>,
) -> Result<(), Refusal> {
    let tenant = write.standing.tenant;
    let number = |at: usize| i32::try_from(at).map_err(|_| Refusal::Broken);
    let (mut ids, mut pages, mut starts, mut ends) = (vec![], vec![], vec![], vec![]);
    let (mut exacts, mut prefixes, mut suffixes) = (vec![], vec![], vec![]);
    for (id, place) in found {
        ids.push(id);
        let place = place.as_ref();
        pages.push(place.and_then(|place| i32::try_from(place.page).ok()));
        starts.push(place.map(|place| number(place.start)).transpose()?);
        ends.push(place.map(|place| number(place.end)).transpose()?);
        let said = place.map(|place| &place.quotation);
        exacts.push(said.map(|said| said.exact.chars().take(KEPT_MOST).collect::<String>()));
        prefixes.push(said.map(|said| said.prefix.clone()));
        suffixes.push(said.map(|said| said.suffix.clone()));
    }
    sqlx::query!(
        "insert into question_place (tenant_id, question_id, version_id, page, starts, ends, exact, prefix, suffix)
         select $1, p.id, $2, p.page, p.starts, p.ends, p.exact, p.prefix, p.suffix
         from unnest($3::uuid[], $4::int[], $5::int[], $6::int[], $7::text[], $8::text[], $9::text[])
           as p (id, page, starts, ends, exact, prefix, suffix)",
        tenant,
        version,
        &ids,
        &pages as &[Option<i32>],
        &starts as &[Option<i32>],
        &ends as &[Option<i32>],
        &exacts as &[Option<String>],
        &prefixes as &[Option<String>],
        &suffixes as &[Option<String>]
    )
    .execute(write.connection())
    .await
    .map_err(refused)?;
    Ok(())
}
