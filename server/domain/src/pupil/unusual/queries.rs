//! Reading the lists, signing them and adding to what was said.

use time::Date;
use uuid::Uuid;

use super::{Finding, List, Rule, Said, Statement, WORDS_MOST, Week};
use crate::{
    Refusal,
    day::{self, moment},
    db::{MailDb, Read, Write, refused, refused_quietly},
    event::Act,
    pupil::{Fault, access},
    text,
};

/// Lists on one page: those of a year.
const MOST: i64 = 53;

/// The lists there are, the newest first, of a year at most.
///
/// Refuses [`Refusal::NotFound`] to whoever does not go through them.
pub async fn weeks(read: &mut Read) -> Result<Vec<Week>, Refusal> {
    some_weeks(read, None).await
}

async fn some_weeks(read: &mut Read, monday: Option<Date>) -> Result<Vec<Week>, Refusal> {
    if !access::reviews(read).await? {
        return Err(Refusal::NotFound);
    }
    let tenant = read.standing.tenant;
    let rows = sqlx::query!(
        r#"select w.monday, w.looks, r.at as "at?", coalesce(m.name, 'Somebody who was removed') as "by!",
                  (select count(*) from access_finding f where f.tenant_id = w.tenant_id and f.week_id = w.id) as "findings!",
                  (select count(*) from access_statement s
                   where s.tenant_id = w.tenant_id and s.week_id = w.id and s.follow_up) as "follow_ups!"
           from access_week w
           left join access_review r on r.tenant_id = w.tenant_id and r.week_id = w.id
           left join membership m on m.tenant_id = r.tenant_id and m.id = r.by_id
           where w.tenant_id = $1 and ($2::date is null or w.monday = $2)
           order by w.monday desc limit $3"#,
        tenant,
        monday,
        MOST
    )
    .fetch_all(read.connection())
    .await
    .map_err(refused)?;
    rows.into_iter()
        .map(|row| {
            let number = |many: i64| usize::try_from(many).unwrap_or_default();
            Ok(Week {
                monday: row.monday,
                looks: number(row.looks.into()),
                findings: number(row.findings),
                follow_ups: number(row.follow_ups),
                signed: row
                    .at
                    .map(|at| Ok::<_, Refusal>((row.by, moment(at)?)))
                    .transpose()?,
            })
        })
        .collect()
}

/// The list of the week that begins on that day. Refuses [`Refusal::NotFound`] where there is none, as to whoever does not go through
/// them.
pub async fn list(read: &mut Read, monday: Date) -> Result<List, Refusal> {
    let week = some_weeks(read, Some(monday))
        .await?
        .pop()
        .ok_or(Refusal::NotFound)?;
    let (tenant, own) = (read.standing.tenant, read.standing.membership);
    let rows = sqlx::query!(
        r#"select f.id, f.rule, f.membership_id, f.pupil_id, f.at, f.many, f.usual, m.name as "by?",
                  coalesce(p.preferred_name, p.first_name) || ' ' || p.last_name as "called?",
                  a.reason as "reason?", a.words as "words?"
           from access_week w
           join access_finding f on f.tenant_id = w.tenant_id and f.week_id = w.id
           left join membership m on m.tenant_id = f.tenant_id and m.id = f.membership_id
           left join pupil p on p.tenant_id = f.tenant_id and p.id = f.pupil_id
           left join pupil_access a on a.tenant_id = f.tenant_id and a.id = f.access_id
           where w.tenant_id = $1 and w.monday = $2 order by f.at, f.id"#,
        tenant,
        monday
    )
    .fetch_all(read.connection())
    .await
    .map_err(refused)?;
    let findings = rows
        .into_iter()
        .map(|row| {
            let rule = Rule::from_code(&row.rule).ok_or(Refusal::Broken)?;
            let removed = || "Somebody who was removed".to_owned();
            Ok(Finding {
                id: row.id,
                rule,
                by: row.membership_id.map(|_| row.by.unwrap_or_else(removed)),
                own: row.membership_id == Some(own),
                pupil: row.pupil_id.zip(row.called),
                on: day::in_england(row.at).date(),
                at: moment(row.at)?,
                many: u32::try_from(row.many).map_err(|_| Refusal::Broken)?,
                usual: row.usual.and_then(|usual| u32::try_from(usual).ok()),
                reason: row
                    .reason
                    .as_deref()
                    .and_then(access::Reason::from_code)
                    .zip(row.words),
            })
        })
        .collect::<Result<_, Refusal>>()?;
    let rows = sqlx::query!(
        r#"select s.finding_id, s.follow_up, s.words, s.at, coalesce(m.name, 'Somebody who was removed') as "by!"
           from access_week w
           join access_statement s on s.tenant_id = w.tenant_id and s.week_id = w.id
           left join membership m on m.tenant_id = s.tenant_id and m.id = s.by_id
           where w.tenant_id = $1 and w.monday = $2 order by s.at, s.id"#,
        tenant,
        monday
    )
    .fetch_all(read.connection())
    .await
    .map_err(refused)?;
    let statements = rows
        .into_iter()
        .map(|row| {
            Ok(Statement {
                finding: row.finding_id,
                follow_up: row.follow_up,
                words: row.words,
                by: row.by,
                at: moment(row.at)?,
            })
        })
        .collect::<Result<_, Refusal>>()?;
    Ok(List {
        week,
        findings,
        statements,
    })
}

/// The list of a week under the writer's own seal: its key and those of its lines.
async fn held(write: &mut Write, monday: Date) -> Result<(Uuid, Vec<Uuid>), Refusal> {
    let tenant = write.standing.tenant;
    let week = sqlx::query_scalar!(
        "select id from access_week where tenant_id = $1 and monday = $2",
        tenant,
        monday
    )
    .fetch_optional(write.connection())
    .await
    .map_err(refused)?
    .ok_or(Refusal::NotFound)?;
    let findings = sqlx::query_scalar!(
        "select id from access_finding where tenant_id = $1 and week_id = $2 order by at, id",
        tenant,
        week
    )
    .fetch_all(write.connection())
    .await
    .map_err(refused)?;
    Ok((week, findings))
}

fn tidy(words: &str) -> Result<Option<String>, Refusal> {
    let words = text::block(words, WORDS_MOST)?;
    Ok((!words.is_empty()).then_some(words))
}

/// Signs the list of a week: that somebody has gone through it, with what they say of the whole of it and of lines of it.
///
/// Refuses [`Fault::ReviewTwice`] for one that is signed; [`Fault::ReviewFollowUp`] where a line is to be followed up and nothing says
/// how; and [`Fault::ReviewWords`] where words are missing for the whole list and for any of its lines.
pub async fn sign(
    write: &mut Write,
    monday: Date,
    words: &str,
    said: &[Said],
) -> Result<Act, Refusal> {
    let (week, findings) = held(write, monday).await?;
    let whole = tidy(words)?;
    let mut lines: Vec<(Uuid, bool, String)> = Vec::new();
    for one in said {
        if !findings.contains(&one.finding) {
            return Err(Refusal::NotFound);
        }
        match tidy(&one.words)? {
            Some(words) => lines.push((one.finding, one.follow_up, words)),
            None if one.follow_up => return Err(Fault::ReviewFollowUp.into()),
            None => {}
        }
    }
    let each = !findings.is_empty()
        && findings
            .iter()
            .all(|id| lines.iter().any(|(of, ..)| of == id));
    if whole.is_none() && !each {
        return Err(Fault::ReviewWords.into());
    }
    let (tenant, own) = (write.standing.tenant, write.standing.membership);
    sqlx::query!(
        "insert into access_review (tenant_id, week_id, by_id) values ($1, $2, $3)",
        tenant,
        week,
        own
    )
    .execute(write.connection())
    .await
    .map_err(refused)?;
    let follow_ups = lines.iter().filter(|(_, follow_up, _)| *follow_up).count();
    if let Some(words) = whole {
        say(write, week, None, false, &words).await?;
    }
    for (finding, follow_up, words) in lines {
        say(write, week, Some(finding), follow_up, &words).await?;
    }
    Ok(Act::access_reviewed(
        week,
        &day::field(monday),
        findings.len(),
        follow_ups,
    ))
}

/// Adds something to what was said of a list that is signed, or of one line of it.
///
/// Refuses [`Fault::ReviewUnsigned`] for one that is not, and [`Fault::ReviewWords`] without words.
pub async fn note(
    write: &mut Write,
    monday: Date,
    finding: Option<Uuid>,
    follow_up: bool,
    words: &str,
) -> Result<Act, Refusal> {
    let (week, findings) = held(write, monday).await?;
    if finding.is_some_and(|id| !findings.contains(&id)) {
        return Err(Refusal::NotFound);
    }
    let words = tidy(words)?.ok_or(Fault::ReviewWords)?;
    say(write, week, finding, follow_up, &words).await?;
    Ok(Act::access_noted(week, &day::field(monday), follow_up))
}

async fn say(
    write: &mut Write,
    week: Uuid,
    finding: Option<Uuid>,
    follow_up: bool,
    words: &str,
) -> Result<(), Refusal> {
    let (tenant, own) = (write.standing.tenant, write.standing.membership);
    sqlx::query!(
        "insert into access_statement (tenant_id, week_id, finding_id, follow_up, words, by_id) values ($1, $2, $3, $4, $5, $6)",
        tenant,
        week,
        finding,
        follow_up,
        words,
        own
    )
    .execute(write.connection())
    .await
    .map_err(refused)?;
    Ok(())
}

impl MailDb {
    /// Makes the lists of the weeks that are over. Returns how many.
    pub async fn access_weeks(&self) -> Result<i32, Refusal> {
        sqlx::query_scalar!(r#"select sec.access_weeks_made() as "made!""#)
            .fetch_one(self.pool())
            .await
            .map_err(refused_quietly)
    }
}
