//! Who looked at whom: on the caseload as a matter of course, and beyond it for a reason; and cover that is over.

use sqlx::PgConnection;
use time::{Date, Duration, OffsetDateTime, macros::time};
use uuid::Uuid;

use super::{
    book::Book,
    children::{Child, Children},
};
use crate::{
    Refusal, day,
    db::refused,
    demo::pupils::{course::is_school_day, making::at},
    pupil::access::Reason,
};

/// Looks are as old as the pages that show them go through: four weeks.
const LOOKS: Duration = Duration::weeks(4);

/// Who had to look up somebody of the first form, how many days ago, why and in which words.
const BEYOND: [(&str, i64, usize, Reason, &str); 4] = [
    (
        "teacher3",
        3,
        2,
        Reason::Incident,
        "Fell in the corridor outside my room; I wrote down what I saw.",
    ),
    (
        "teacher4",
        6,
        0,
        Reason::Family,
        "The father asked me at the gate about a letter that he did not get.",
    ),
    (
        "ta1",
        11,
        5,
        Reason::Covering,
        "Sat in for a colleague in the breakfast club this morning.",
    ),
    (
        "teacher3",
        17,
        6,
        Reason::Transition,
        "Comes to my group for reading from next week.",
    ),
];

/// For the owner of the functions that the demo calls.
pub(super) async fn load(
    connection: &mut PgConnection,
    book: &Book<'_>,
    children: &Children,
) -> Result<(), Refusal> {
    let mut looks = Looks::default();
    for one in &book.records {
        let Some((child, _)) = one.linked.first() else {
            continue;
        };
        let looked_at = one.versions[0].made_at - Duration::minutes(1);
        if looked_at > book.now - LOOKS {
            looks.add(child, one.author, None, looked_at);
        }
    }
    beyond(connection, children, &mut looks).await?;
    cover(connection, children).await?;
    looks.keep(connection, children).await
}

#[derive(Default)]
struct Looks {
    by: Vec<Uuid>,
    pupils: Vec<Uuid>,
    bases: Vec<String>,
    reasons: Vec<Option<Uuid>>,
    moments: Vec<OffsetDateTime>,
}

impl Looks {
    fn add(&mut self, child: &Child, by: Uuid, reason: Option<Uuid>, at: OffsetDateTime) {
        let basis = match reason {
            Some(_) => "reason",
            None if child.taught && child.author == by => "caseload",
            None => "role",
        };
        self.by.push(by);
        self.pupils.push(child.id);
        self.bases.push(basis.to_owned());
        self.reasons.push(reason);
        self.moments.push(at);
    }

    async fn keep(
        &self,
        connection: &mut PgConnection,
        children: &Children,
    ) -> Result<(), Refusal> {
        sqlx::query!(
            "insert into pupil_read (tenant_id, membership_id, pupil_id, basis, access_id, parts, at)
             select $1, d.by, d.pupil, d.basis, d.access, '{timeline}', d.at
             from unnest($2::uuid[], $3::uuid[], $4::text[], $5::uuid[], $6::timestamptz[]) as d (by, pupil, basis, access, at)",
            children.tenant,
            &self.by,
            &self.pupils,
            &self.bases,
            &self.reasons as &[Option<Uuid>],
            &self.moments
        )
        .execute(connection)
        .await
        .map_err(refused)?;
        Ok(())
    }
}

/// Looks beyond one's caseload, each for an hour that is over.
async fn beyond(
    connection: &mut PgConnection,
    children: &Children,
    looks: &mut Looks,
) -> Result<(), Refusal> {
    let form = children.first_form();
    for (who, ago, nth, reason, words) in BEYOND {
        let (Some(who), Some(child)) = (children.person(who), form.get(nth)) else {
            continue;
        };
        let opened_at = at(school_day_before(children.today, ago), time!(13:05));
        let access = sqlx::query_scalar!(
            "insert into pupil_access (tenant_id, membership_id, pupil_id, reason, words, opened_at, until, told_at)
             values ($1, $2, $3, $4, $5, $6, $7, $7) returning id",
            children.tenant,
            who,
            child.id,
            reason.code(),
            words,
            opened_at,
            opened_at + Duration::HOUR
        )
        .fetch_one(&mut *connection)
        .await
        .map_err(refused)?;
        looks.add(child, who, Some(access), opened_at + Duration::minutes(1));
    }
    Ok(())
}

/// A day on which somebody had another's form, two weeks ago.
async fn cover(connection: &mut PgConnection, children: &Children) -> Result<(), Refusal> {
    let (Some(who), Some(admin)) = (children.person("teacher3"), children.person("admin")) else {
        return Ok(());
    };
    let day = school_day_before(children.today, 14);
    let (from, until) = (at(day, time!(08:30)), at(day, time!(15:30)));
    sqlx::query!(
        "insert into caseload (tenant_id, membership_id, group_id, cover, during, given_by, given_at, told_at)
         select g.tenant_id, $2, g.id, true, tstzrange($4, $5), $3, $4, $5 from teaching_group g
         where g.tenant_id = $1 and g.kind = 'registration' and g.name = $6",
        children.tenant,
        who,
        admin,
        from,
        until,
        children.school.cover
    )
    .execute(connection)
    .await
    .map_err(refused)?;
    Ok(())
}

/// The last day of school that lies so many days back, or before that.
fn school_day_before(today: Date, ago: i64) -> Date {
    let mut day = today.saturating_sub(Duration::days(ago));
    while !is_school_day(day) {
        day = day::before(day);
    }
    day
}
