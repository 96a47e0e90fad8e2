//! Where questions stand in a version: found once, when it comes, and for what its maker does not read, when it is read.

use std::collections::HashMap;

use uuid::Uuid;

use super::{Quoted, Stands};
use crate::{
    Refusal,
    anchor::{Hint, Place, Quotation, STEPS, Text},
    budget::{Budget, Spent},
    db::{Read, Write, refused},
    work,
};

/// Longest words of a place that are kept, in letters: what was found may be a little longer than what was quoted.
const KEPT_MOST: usize = 1000;

/// Most questions that are looked for when a version comes.
const FOUND_MOST: i64 = 500;

/// Steps that looking for all of them may take when a version comes, once: a few seconds.
const STEPS_MOST: u64 = 2_000_000_000;

/// Steps that looking for the others may take each time somebody opens the page: a fraction of a second.
const VIEW_STEPS_MOST: u64 = 100_000_000;

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

/// Where things stand in a version that is shown, in their order. What was not looked for when it came is looked for now.
pub(super) async fn stand(
    read: &mut Read,
    version: Uuid,
    mut seen: HashMap<Uuid, Seen>,
    wanted: Vec<(Option<Uuid>, Option<Quoted>)>,
) -> Result<Vec<Stands>, Refusal> {
    let mut stand = Vec::with_capacity(wanted.len());
    let mut sought = vec![];
    for (question, quoted) in wanted {
        let known = question.and_then(|id| seen.remove(&id));
        let stands = match (quoted, known) {
            (None, _) => Stands::Whole,
            (Some(_), Some(Seen(place))) => place.map_or(Stands::Gone, Stands::Here),
            (Some(quoted), None) => {
                sought.push((stand.len(), quoted));
                Stands::Unknown
            }
        };
        stand.push(stands);
    }
    if sought.is_empty() {
        return Ok(stand);
    }
    let pages = pages(read, version).await?;
    let looked = work::apart(move || {
        let mut search = Search::of(&pages, VIEW_STEPS_MOST);
        sought
            .into_iter()
            .filter_map(|(at, quoted)| {
                let hint = Hint {
                    page: Some(quoted.page),
                    start: 0,
                };
                let place = search.find(&[(quoted.quotation, hint)]).ok()?;
                Some((at, place))
            })
            .collect::<Vec<_>>()
    })
    .await;
    let found = match looked {
        Ok(found) => found,
        // The page is read all the same.
        Err(Refusal::Unavailable) => return Ok(stand),
        Err(other) => return Err(other),
    };
    for (at, place) in found {
        stand[at] = place.map_or(Stands::Gone, Stands::Here);
    }
    Ok(stand)
}

/// Looks for many quotations in one text, as far as there is work left.
struct Search {
    text: Text,
    budget: Budget,
}

impl Search {
    fn of(pages: &[(u32, String)], steps: u64) -> Self {
        Self {
            text: text(pages),
            budget: Budget::of(steps),
        }
    }

    /// Where the first of these stands that stands anywhere. Refuses [`Spent`] where there is no work left to know it.
    fn find(&mut self, said: &[(Quotation, Hint)]) -> Result<Option<Place>, Spent> {
        for (quotation, hint) in said {
            let most = STEPS.min(self.budget.left());
            let mut one = Budget::of(most);
            let known = self.text.attach_within(quotation, *hint, &mut one);
            let steps = usize::try_from(most - one.left()).unwrap_or(usize::MAX);
            self.budget.spend(steps)?;
            match known {
                Ok(Some(place)) => return Ok(Some(place)),
                Ok(None) => {}
                // One that alone takes more than one may is as good as gone.
                Err(Spent) if most == STEPS => {}
                Err(Spent) => return Err(Spent),
            }
        }
        Ok(None)
    }
}

/// The text of pages by their numbers.
pub(crate) fn text(pages: &[(u32, String)]) -> Text {
    Text::new(pages.iter().map(|(number, body)| (*number, body.as_str())))
}

/// The text of a version.
async fn pages(read: &mut Read, version: Uuid) -> Result<Vec<(u32, String)>, Refusal> {
    let tenant = read.standing.tenant;
    let rows = sqlx::query!(
        "select number, body from page where tenant_id = $1 and version_id = $2 order by number",
        tenant,
        version
    )
    .fetch_all(read.connection())
    .await
    .map_err(refused)?;
    rows.into_iter()
        .map(|row| Ok((number(row.number)?, row.body)))
        .collect()
}

/// The same for who is about to write.
pub(crate) async fn pages_of(
    write: &mut Write,
    version: Uuid,
) -> Result<Vec<(u32, String)>, Refusal> {
    let tenant = write.standing.tenant;
    let rows = sqlx::query!(
        "select number, body from page where tenant_id = $1 and version_id = $2 order by number",
        tenant,
        version
    )
    .fetch_all(write.connection())
    .await
    .map_err(refused)?;
    rows.into_iter()
        .map(|row| Ok((number(row.number)?, row.body)))
        .collect()
}

fn number(number: i32) -> Result<u32, Refusal> {
    u32::try_from(number).map_err(|_| Refusal::Broken)
}

/// What was found of the questions of a document in a text that is to be its newest version.
pub(crate) struct Found(Vec<(Uuid, Option<Place>)>);

/// Finds the questions of a document, those that the caller reads, in a text that is to be its newest version: the open ones
/// first, and of these the newest.
///
/// Nothing is locked for it, so that nobody waits while it looks. Of a question that is asked meanwhile, and of those beyond
/// [`FOUND_MOST`] or for which there is no work left, there is no row, and they are looked for when they are read.
pub(crate) async fn find_questions(
    write: &mut Write,
    document: Uuid,
    pages: Vec<(u32, String)>,
) -> Result<Found, Refusal> {
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
           where q.tenant_id = $1 and q.document_id = $2 and q.exact is not null
           order by q.state = 'open' desc, q.id desc limit $3"#,
        tenant,
        document,
        FOUND_MOST
    )
    .fetch_all(write.connection())
    .await
    .map_err(refused)?;
    if rows.is_empty() {
        return Ok(Found(vec![]));
    }
    let mut questions = Vec::with_capacity(rows.len());
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
        let said: Vec<(Quotation, Hint)> = last.into_iter().chain([first]).collect();
        questions.push((row.id, said));
    }
    let found = work::apart(move || {
        let mut search = Search::of(&pages, STEPS_MOST);
        questions
            .into_iter()
            .map_while(|(id, said)| Some((id, search.find(&said).ok()?)))
            .collect::<Vec<_>>()
    })
    .await;
    match found {
        Ok(found) => Ok(Found(found)),
        // They are looked for when they are read: a file that was sent is not refused for it.
        Err(Refusal::Unavailable) => Ok(Found(vec![])),
        Err(other) => Err(other),
    }
}

/// Keeps what was found, now that the version is there.
pub(crate) async fn keep_found(
    write: &mut Write,
    version: Uuid,
    found: Found,
) -> Result<(), Refusal> {
    keep(write, version, found.0).await
}

fn hint(page: i32, starts: Option<i32>) -> Hint {
    Hint {
        page: u32::try_from(page).ok(),
        start: starts
            .and_then(|starts| usize::try_from(starts).ok())
            .unwrap_or_default(),
    }
}

/// Keeps where questions stand in a version. One that was taken back meanwhile has no words any more, and none are kept of it.
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
           as p (id, page, starts, ends, exact, prefix, suffix)
         join question q on q.tenant_id = $1 and q.id = p.id and q.state <> 'withdrawn'
         for share of q",
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
