//! What the bare peer reads: the statements of `bench/peers/pages/school.mjs`, over a pool, from plain tables. A field is what
//! the column of its name is.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use sqlx::{FromRow, PgPool};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use crate::fault::Result;

/// How many rows a page of the list has.
pub const ROWS: i64 = 100;

/// Whose session it is.
#[derive(FromRow)]
pub struct Me {
    pub tenant: Uuid,
    pub id: Uuid,
    pub place: String,
    pub name: String,
    pub roles: Vec<String>,
    /// The school's day.
    pub today: Date,
}

/// By the cookie.
pub async fn who_am_i(pool: &PgPool, cookie: &str) -> Result<Option<Me>> {
    let Some(token) = cookie
        .split("; ")
        .find_map(|part| part.strip_prefix("quorate="))
        .and_then(|token| URL_SAFE_NO_PAD.decode(token).ok())
    else {
        return Ok(None);
    };
    let me = sqlx::query_as(
        "select s.tenant_id as tenant, s.membership_id as id, t.name as place, m.name, m.roles,
           (now() at time zone 'Europe/London')::date as today
         from sec.session s
         join tenant t on t.id = s.tenant_id
         join membership m on m.tenant_id = s.tenant_id and m.id = s.membership_id and m.state = 'active'
         where s.token_hash = $1 and s.ended_at is null and s.expires_at > now() and s.seen_at > now() - s.idle
           and s.assurance = 'full'",
    )
    .bind(Sha256::digest(token).as_slice())
    .fetch_optional(pool)
    .await?;
    Ok(me)
}

/// A row of the list of people.
#[derive(FromRow)]
pub struct Person {
    pub id: Uuid,
    pub name: String,
    pub email: String,
    pub roles: Vec<String>,
    pub state: String,
    pub since: OffsetDateTime,
}

/// How many there are of each choice above the list.
#[derive(FromRow)]
pub struct Count {
    pub everyone: i64,
    pub board: i64,
    pub staff: i64,
    pub families: i64,
    pub invited: i64,
    pub suspended: i64,
    pub ended: i64,
}

/// The first page of the list, and the counts above it.
pub async fn people(pool: &PgPool, me: &Me) -> Result<(Vec<Person>, Count)> {
    let rows = sqlx::query_as(
        "select m.id, m.name, a.email, m.roles, m.state,
           case m.state when 'invited' then m.invited_at when 'active' then m.joined_at else m.suspended_at end as since
         from membership m join account a on a.id = m.account_id
         where m.tenant_id = $1 and m.state <> 'ended' order by lower(m.name), m.id limit $2",
    )
    .bind(me.tenant)
    .bind(ROWS)
    .fetch_all(pool);
    let count = sqlx::query_as(
        "select count(*) filter (where m.state <> 'ended') as everyone,
           count(*) filter (where m.state <> 'ended' and m.roles && array['chair', 'governor', 'associate', 'clerk']) as board,
           count(*) filter (where m.state <> 'ended' and m.roles && array['school_admin', 'senior_leader', 'senco', 'teacher',
             'teaching_assistant', 'trust_admin', 'trust_lead', 'org_admin', 'org_staff']) as staff,
           count(*) filter (where m.state <> 'ended' and m.roles && array['parent', 'member']) as families,
           count(*) filter (where m.state = 'invited') as invited,
           count(*) filter (where m.state = 'suspended') as suspended,
           count(*) filter (where m.state = 'ended') as ended
         from membership m where m.tenant_id = $1",
    )
    .bind(me.tenant)
    .fetch_one(pool);
    Ok(tokio::try_join!(rows, count)?)
}

/// Somebody who has not accepted.
#[derive(FromRow)]
pub struct Invited {
    pub id: Uuid,
    pub name: String,
    pub since: Date,
}

/// A line of the log.
#[derive(FromRow)]
pub struct Change {
    pub act: String,
    pub at: OffsetDateTime,
    pub by: Option<String>,
    pub about: Option<String>,
}

/// What home shows.
pub struct Home {
    pub people: i64,
    pub invited: Vec<Invited>,
    pub asked: Vec<Approval>,
    pub changes: Vec<Change>,
}

/// What waits, and what changed.
pub async fn home(pool: &PgPool, me: &Me) -> Result<Home> {
    let count = async {
        let statement =
            "select count(*) from membership m where m.tenant_id = $1 and m.state <> 'ended'";
        let count = sqlx::query_scalar(statement)
            .bind(me.tenant)
            .fetch_one(pool);
        Ok(count.await?)
    };
    let invited = async {
        let statement = "select m.id, m.name, (m.invited_at at time zone 'Europe/London')::date as since from membership m
             where m.tenant_id = $1 and m.state = 'invited' order by lower(m.name), m.id";
        Ok(sqlx::query_as(statement)
            .bind(me.tenant)
            .fetch_all(pool)
            .await?)
    };
    let changes = async {
        let statement = "select e.act, e.at, actor.name as by, about.name as about from event e
             left join membership actor on actor.tenant_id = e.tenant_id and actor.account_id = e.actor
             left join membership about on about.tenant_id = e.tenant_id and about.id = e.about
             where e.tenant_id = $1 and split_part(e.act, '.', 1) = any (array['membership', 'contact', 'mail', 'seat', 'term',
               'committee', 'declaration', 'dbs_check', 'training', 'board', 'tenant'])
             order by e.seq desc limit 8";
        Ok(sqlx::query_as(statement)
            .bind(me.tenant)
            .fetch_all(pool)
            .await?)
    };
    let (people, invited, asked, changes) =
        tokio::try_join!(count, invited, approvals(pool, me, true), changes)?;
    Ok(Home {
        people,
        invited,
        asked,
        changes,
    })
}

/// A version that people are to agree to.
#[derive(FromRow)]
pub struct Approval {
    pub id: Uuid,
    pub document: Uuid,
    pub title: String,
    pub number: i32,
    pub rule: String,
    pub least: Option<i32>,
    pub routine: bool,
    pub by: String,
    pub since: Date,
    pub due: Date,
    pub state: String,
    pub closed_at: Option<OffsetDateTime>,
    pub asked: i64,
    pub agreed: i64,
    pub objected: i64,
    pub abstained: i64,
    pub mine: bool,
    pub opened: bool,
    pub earlier: Option<i32>,
}

/// Those that are open, oldest first, and then the closed ones, newest first, where they are wanted.
pub async fn approvals(pool: &PgPool, me: &Me, open: bool) -> Result<Vec<Approval>> {
    let all = sqlx::query_as(
        "select a.id, a.document_id as document, d.title, v.number, a.rule, a.least, a.routine, b.name as by,
           (a.asked_at at time zone 'Europe/London')::date as since, a.due, a.state, a.closed_at, c.*,
           exists (select from opening o
             where o.tenant_id = a.tenant_id and o.version_id = a.version_id and o.membership_id = $2) as opened,
           (select max(e.number) from version e
             join opening o on o.tenant_id = e.tenant_id and o.version_id = e.id and o.membership_id = $2
             where e.tenant_id = a.tenant_id and e.document_id = a.document_id and e.number < v.number) as earlier
         from approval a
         join document d on d.tenant_id = a.tenant_id and d.id = a.document_id and d.state = 'current'
         join version v on v.tenant_id = a.tenant_id and v.id = a.version_id
         join membership b on b.tenant_id = a.tenant_id and b.id = a.asked_by
         cross join lateral (
           select count(*) as asked, count(*) filter (where w.answer = 'agree') as agreed,
             count(*) filter (where w.answer = 'object') as objected, count(*) filter (where w.answer = 'abstain') as abstained,
             coalesce(bool_or(p.membership_id = $2 and w.id is null), false) as mine
           from approval_place p
           left join approval_answer w
             on w.tenant_id = p.tenant_id and w.approval_id = p.approval_id and w.membership_id = p.membership_id
           where p.tenant_id = a.tenant_id and p.approval_id = a.id) c
         where a.tenant_id = $1 and a.state <> 'withdrawn' and (a.state = 'open' or not $3)
         order by a.state = 'open' desc, case a.state when 'open' then a.asked_at end, a.closed_at desc, a.id desc limit 200",
    )
    .bind(me.tenant)
    .bind(me.id)
    .bind(open)
    .fetch_all(pool)
    .await?;
    Ok(all)
}
