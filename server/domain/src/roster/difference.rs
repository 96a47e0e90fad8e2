//! What a roster would change, before anything is changed: line by line, pupil by pupil, field by field.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    fault::Fault,
    import::{MatchBy, Verdict, keep, lock},
    judging,
    sealed::Sealed,
};
use crate::{
    MembershipId, Refusal,
    db::{Read, Write, broken, refused},
    event::Act,
    pupil::{self, field::Field},
    secret::Secrets,
};

/// Lines on one page.
pub const ROWS: usize = 100;

/// What a field says and would say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Which field. A registration group is moved to from today, and a class is joined: no roster takes a pupil out of one.
    pub field: Field,
    /// None where nothing was said.
    pub was: Option<String>,
    /// What it becomes: a code or, of a date, 2016-05-09.
    pub becomes: String,
}

/// One line, compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// As a person finds it in the file.
    pub line: u32,
    /// The first line of the same pupil, where that is another one.
    pub of_line: Option<u32>,
    /// What would become of it.
    pub verdict: Verdict,
    /// "Khan, Aisha", as far as the line says.
    pub name: String,
    /// Whom it is of, and by what that was found.
    pub pupil: Option<(Uuid, MatchBy)>,
    /// What somebody said of an unsure one.
    pub confirmed: Option<bool>,
    /// Of a new pupil, all that it says.
    pub changes: Vec<Change>,
    /// What is wrong, odd or worth knowing.
    pub faults: Vec<Fault>,
}

/// A page of lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// By line, at most [`ROWS`].
    pub rows: Vec<Row>,
    /// How many match.
    pub matching: usize,
}

/// A pupil on the roll whom a roster does not have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absent {
    /// Which.
    pub id: Uuid,
    /// "Khan, Aisha".
    pub name: String,
}

/// A teacher of a roster, and who that is here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Teacher {
    /// As the roster names them.
    pub name: String,
    /// The one teacher of that name; none where nobody or more than one is called so.
    pub person: Option<MembershipId>,
}

/// That a roster may be another school's. It is for a person to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherSchool {
    /// Local authority and establishment in the file, or in most of its UPNs.
    pub file: String,
    /// Those in most UPNs of the pupils here.
    pub here: String,
}

impl OtherSchool {
    /// In one sentence, with what to do.
    pub fn sentence(&self) -> String {
        format!(
            "This file looks like another school’s: it says {} and most pupils here have a UPN of {}. Check that it is yours before you take it in.",
            self.file, self.here
        )
    }
}

/// How many lines there are of each verdict.
pub async fn counts(read: &mut Read, import: Uuid) -> Result<BTreeMap<Verdict, usize>, Refusal> {
    keep(&read.standing.roles)?;
    let tenant = read.standing.tenant;
    let rows = sqlx::query!(
        r#"select verdict, count(*) as "many!" from roster_row where tenant_id = $1 and import_id = $2 group by verdict"#,
        tenant,
        import
    )
    .fetch_all(read.connection())
    .await
    .map_err(refused)?;
    rows.into_iter()
        .map(|row| {
            let verdict = Verdict::from_code(&row.verdict).ok_or(Refusal::Broken)?;
            Ok((verdict, usize::try_from(row.many).unwrap_or_default()))
        })
        .collect()
}

/// A page of the comparison: all lines, or those of one verdict. Pages count from 0.
///
/// In a snapshot of [`crate::db::Db::look`]: of each pupil of whom it shows what the school holds, it is put down that the caller
/// looked. What is wrong with a context tag is opened for it, what a tag says is not.
pub async fn difference(
    read: &mut Read,
    secrets: &Secrets,
    import: Uuid,
    verdict: Option<Verdict>,
    page: u32,
) -> Result<Page, Refusal> {
    keep(&read.standing.roles)?;
    let tenant = read.standing.tenant;
    let code = verdict.map(Verdict::code);
    let matching = sqlx::query_scalar!(
        r#"select count(*) as "many!" from roster_row where tenant_id = $1 and import_id = $2 and ($3::text is null or verdict = $3)"#,
        tenant,
        import,
        code
    )
    .fetch_one(read.connection())
    .await
    .map_err(refused)?;
    let rows = sqlx::query!(
        r#"select r.line, r.of_line, r.verdict, r.first_name, r.last_name, p.id as "match_id?", r.match_by, r.confirmed, r.changes,
                  r.sealed, r.faults || r.found as "faults!"
           from roster_row r left join pupil p on p.tenant_id = r.tenant_id and p.id = r.match_id
           where r.tenant_id = $1 and r.import_id = $2 and ($3::text is null or r.verdict = $3)
           order by r.line limit 100 offset $4::bigint * 100"#,
        tenant,
        import,
        code,
        i64::from(page)
    )
    .fetch_all(read.connection())
    .await
    .map_err(refused)?;
    let number = |line: i32| u32::try_from(line).map_err(|_| Refusal::Broken);
    let rows = rows
        .into_iter()
        .map(|row| {
            let unread = |error| broken("reading a line", &error);
            let sealed = Sealed::open(&row.sealed, secrets, tenant, import, row.line)?;
            let mut faults: Vec<Fault> = serde_json::from_value(row.faults).map_err(unread)?;
            faults.extend(sealed.faults);
            Ok(Row {
                line: number(row.line)?,
                of_line: row
                    .of_line
                    .filter(|of| *of != row.line)
                    .map(number)
                    .transpose()?,
                verdict: Verdict::from_code(&row.verdict).ok_or(Refusal::Broken)?,
                name: name(row.last_name, row.first_name),
                pupil: row
                    .match_id
                    .zip(row.match_by.as_deref().and_then(MatchBy::from_code)),
                confirmed: row.confirmed,
                changes: serde_json::from_value(row.changes).map_err(unread)?,
                faults,
            })
        })
        .collect::<Result<Vec<Row>, Refusal>>()?;
    let shown = rows.iter().filter(|row| !row.changes.is_empty());
    let shown = shown.filter_map(|row| row.pupil.map(|(id, _)| id));
    pupil::look_over(read, &shown.collect(), "roster").await?;
    Ok(Page {
        rows,
        matching: usize::try_from(matching).unwrap_or_default(),
    })
}

fn name(last: Option<String>, first: Option<String>) -> String {
    [last, first]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", ")
}

/// The pupils on the roll whom no line is of: perhaps they left. A roster changes nothing of them. By name, a page of [`ROWS`].
pub async fn absent(
    read: &mut Read,
    import: Uuid,
    page: u32,
) -> Result<(Vec<Absent>, usize), Refusal> {
    keep(&read.standing.roles)?;
    let tenant = read.standing.tenant;
    let rows = sqlx::query!(
        r#"select p.id, p.last_name, p.first_name, count(*) over () as "many!" from pupil p
           where p.tenant_id = $1 and p.left_on is null
             and exists (select from roster_row r where r.tenant_id = $1 and r.import_id = $2)
             and p.id not in (
               select r.match_id from roster_row r where r.tenant_id = $1 and r.import_id = $2 and r.match_id is not null)
           order by lower(p.last_name), lower(p.first_name), p.id limit 100 offset $3::bigint * 100"#,
        tenant,
        import,
        i64::from(page)
    )
    .fetch_all(read.connection())
    .await
    .map_err(refused)?;
    let many = rows.first().map_or(0, |row| row.many);
    let rows = rows
        .into_iter()
        .map(|row| Absent {
            id: row.id,
            name: name(Some(row.last_name), Some(row.first_name)),
        })
        .collect();
    Ok((rows, usize::try_from(many).unwrap_or_default()))
}

/// The teachers that a roster names, and which members they are. By name.
pub async fn teachers(read: &mut Read, import: Uuid) -> Result<Vec<Teacher>, Refusal> {
    keep(&read.standing.roles)?;
    let tenant = read.standing.tenant;
    let rows = sqlx::query!(
        r#"select t.name as "name!", case when count(m.id) = 1 then (array_agg(m.id))[1] end as person
           from (select distinct on (lower(teacher)) teacher as name from roster_row
                 where tenant_id = $1 and import_id = $2 and teacher is not null order by lower(teacher), line) t
           left join membership m on m.tenant_id = $1 and m.state = 'active' and 'teacher' = any (m.roles)
             and lower(m.name) = lower(t.name)
           group by t.name order by lower(t.name)"#,
        tenant,
        import
    )
    .fetch_all(read.connection())
    .await
    .map_err(refused)?;
    Ok(rows
        .into_iter()
        .map(|row| Teacher {
            name: row.name,
            person: row.person,
        })
        .collect())
}

/// Whether a roster looks like another school's: by what the file says of its school, else by most of its UPNs, against most UPNs of
/// the pupils here. None where either says nothing. It never keeps a roster from being taken in.
pub async fn other_school(read: &mut Read, import: Uuid) -> Result<Option<OtherSchool>, Refusal> {
    keep(&read.standing.roles)?;
    let tenant = read.standing.tenant;
    let row = sqlx::query!(
        r#"select coalesce(i.la || i.establishment,
                  (select mode() within group (order by substr(r.upn, 2, 7)) from roster_row r
                   where r.tenant_id = $1 and r.import_id = $2 and r.upn is not null)) as file,
                (select mode() within group (order by substr(p.upn, 2, 7)) from pupil p
                 where p.tenant_id = $1 and p.left_on is null and p.upn is not null) as here
         from roster_import i where i.tenant_id = $1 and i.id = $2"#,
        tenant,
        import
    )
    .fetch_optional(read.connection())
    .await
    .map_err(refused)?
    .ok_or(Refusal::NotFound)?;
    Ok(row
        .file
        .zip(row.here)
        .filter(|(file, here)| file != here)
        .map(|(file, here)| OtherSchool {
            file: parted(&file),
            here: parted(&here),
        }))
}

/// "801/2000", as such numbers are written.
fn parted(numbers: &str) -> String {
    match numbers.split_at_checked(3) {
        Some((la, establishment)) => format!("{la}/{establishment}"),
        None => numbers.to_owned(),
    }
}

/// Says of an unsure line whether it is of the pupil of that name and date of birth. Refuses a line of which that is not asked.
pub async fn confirm(
    write: &mut Write,
    import: Uuid,
    line: u32,
    same: bool,
) -> Result<Act, Refusal> {
    keep(&write.standing.roles)?;
    lock(write, import).await?;
    let tenant = write.standing.tenant;
    let line = i32::try_from(line).map_err(|_| Refusal::NotFound)?;
    let said = sqlx::query!(
        "update roster_row set confirmed = $4
         where tenant_id = $1 and import_id = $2 and line = $3 and of_line = line
           and (verdict = 'unsure' or confirmed is not null) and confirmed is distinct from $4",
        tenant,
        import,
        line,
        same
    )
    .execute(write.connection())
    .await
    .map_err(refused)?;
    if said.rows_affected() == 0 {
        return Err(Refusal::Stale);
    }
    judging::judge(write, import, false).await?;
    Ok(Act::roster_settled(import, line, same))
}

/// Compares again, where what was shown has become out of date.
pub async fn compare_again(write: &mut Write, import: Uuid) -> Result<Act, Refusal> {
    keep(&write.standing.roles)?;
    lock(write, import).await?;
    judging::judge(write, import, false).await?;
    let tenant = write.standing.tenant;
    let rows = sqlx::query_scalar!(
        r#"select count(*) as "many!" from roster_row where tenant_id = $1 and import_id = $2"#,
        tenant,
        import
    )
    .fetch_one(write.connection())
    .await
    .map_err(refused)?;
    Ok(Act::roster_read(
        import,
        usize::try_from(rows).unwrap_or_default(),
    ))
}
