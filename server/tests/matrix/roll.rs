//! What an address of the roll is asked about: a pupil on the caseload of the school's teachers and assistants, in a class, with a
//! parent; and of the records, one about them.

use crate::site::Served;
use std::sync::atomic::{AtomicI32, Ordering};

/// Keys of them; empty where the question is of something else.
#[derive(Default)]
pub struct Roll {
    pub pupil: String,
    /// Unlike that of any other.
    pub last_name: String,
    pub group: String,
    /// Who a form names: a parent, a teacher, whoever it is about.
    pub person: String,
    pub caseload: String,
    pub link: String,
    pub restriction: String,
    /// What is on record: for their parent, where one asks, else of the observation.
    pub entry: String,
    /// A turn of the school year that can be undone.
    pub rollover: String,
    /// What a form calls the kind of a group.
    pub kind: String,
    /// A roster that waits to be taken in; or one that was taken in, where it is to be undone.
    pub import: String,
    /// The code of a reason to look.
    pub reason: String,
    /// An observation about the pupil by a teacher.
    pub record: String,
    /// The first day of a week with a list of unusual looks.
    pub monday: String,
}

/// Puts one up behind everybody's back.
pub async fn roll(served: &mut Served, label: &str, who: uuid::Uuid, address: &str) -> Roll {
    static NUMBER: AtomicI32 = AtomicI32::new(1);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let acts = |verb: &str| address.ends_with(verb);
    let mut made = async |statement: String| {
        sqlx::query_scalar::<_, Option<uuid::Uuid>>(sqlx::AssertSqlSafe(statement.clone()))
            .fetch_one(&mut *served.behind)
            .await
            .unwrap_or_else(|error| panic!("{statement}: {error}"))
            .map(|id| id.to_string())
            .unwrap_or_default()
    };
    let last_name = format!("Price{number}");
    let pupil = made(format!(
        "insert into pupil (tenant_id, first_name, last_name, born, year_group, left_on)
         select id, 'Elliot', '{last_name}', '2016-05-08', '5', case when {} then sec.today() end
         from tenant where label = '{label}' returning id",
        acts("/come-back")
    ))
    .await;
    let group = made(format!(
        "insert into teaching_group (tenant_id, kind, name)
         select id, 'class', 'Class {number}' from tenant where label = '{label}' returning id"
    ))
    .await;
    if !acts("/join-group") && !acts("/groups/join") {
        made(format!(
            "insert into group_pupil (tenant_id, group_id, kind, pupil_id, during)
             select tenant_id, id, 'class', '{pupil}', daterange(sec.today() - 30, null) from teaching_group where id = '{group}'
             returning id"
        ))
        .await;
    }
    let caseload = made(format!(
        "with given as (
           insert into caseload (tenant_id, membership_id, pupil_id, during, given_by)
           select m.tenant_id, m.id, '{pupil}', tstzrange(now() - interval '1 day', null), '{who}'
           from membership m join tenant t on t.id = m.tenant_id and t.label = '{label}'
           where m.roles && array['teacher', 'teaching_assistant'] and m.state <> 'ended' and not {} returning id
         ) select max(id::text)::uuid from given",
        acts("/give") || acts("/seek")
    ))
    .await;
    let named = |role: &str, address: &str| {
        format!(
            "select coalesce((
               select m.id from membership m join tenant t on t.id = m.tenant_id and t.label = '{label}'
               join account a on a.id = m.account_id and a.email like '{address}@%' and m.state <> 'ended'
                 and '{role}' = any (m.roles) limit 1), '{who}')"
        )
    };
    let of_parents = address.contains("/children/");
    let asks = if of_parents { "parent1" } else { "parent2" };
    let parent = made(named("parent", asks)).await;
    let link = if acts("/link-parent") {
        String::new()
    } else {
        made(format!(
            "with linked as (
               insert into guardian_link (tenant_id, membership_id, pupil_id, relation, linked_by)
               select m.tenant_id, m.id, '{pupil}', 'mother', '{who}' from membership m
               where m.id = '{parent}' and 'parent' = any (m.roles) returning id
             ) select max(id::text)::uuid from linked"
        ))
        .await
    };
    let entry = if of_parents {
        let record = made(format!(
            "insert into record (tenant_id, kind, happened_at, author_id)
             select tenant_id, 'observation', now() - interval '1 day', '{who}' from pupil where id = '{pupil}' returning id"
        ))
        .await;
        made(format!(
            "insert into record_pupil (tenant_id, record_id, pupil_id, place, part)
             select tenant_id, '{record}', id, 1, 'subject' from pupil where id = '{pupil}' returning record_id"
        ))
        .await;
        made(format!(
            "insert into record_version (tenant_id, record_id, number, body, detail, made_by)
             select tenant_id, id, 1, 'Kind to a friend.', '{{\"of\": \"plain\"}}', '{who}' from record where id = '{record}' returning record_id"
        ))
        .await;
        made(format!(
            "insert into on_record (tenant_id, record_id, number, pupil_id, kind, happened_at, words, put_by, put_at, opens_at)
             select tenant_id, id, 1, '{pupil}', kind, happened_at, 'Kind to a friend.', '{who}', now() - interval '1 hour', now()
             from record where id = '{record}' returning id"
        ))
        .await
    } else {
        String::new()
    };
    let restriction = if acts("/lift") {
        made(format!(
            "insert into contact_restriction (tenant_id, membership_id, pupil_id, words, made_by)
             select tenant_id, '{parent}', id, 'Order of a court', '{who}' from pupil where id = '{pupil}' returning id"
        ))
        .await
    } else {
        String::new()
    };
    let (mut record, mut entry) = (String::new(), entry);
    if address.contains("records/") {
        let teacher = made(named("teacher", "teacher1")).await;
        record = made(format!(
            "with seen as (
               insert into record (tenant_id, kind, happened_at, author_id)
               select tenant_id, 'observation', now() - interval '2 days', '{teacher}' from pupil where id = '{pupil}'
               returning tenant_id, id)
             insert into record_pupil (tenant_id, record_id, pupil_id, place, part)
             select tenant_id, id, '{pupil}', 1, 'subject' from seen returning record_id"
        ))
        .await;
        made(format!(
            "insert into record_version (tenant_id, record_id, number, body, detail, made_by)
             select tenant_id, id, 1, 'Read aloud.', '{{\"of\": \"plain\"}}', author_id from record where id = '{record}'
             returning record_id"
        ))
        .await;
        let put = if acts("/take-back") {
            "now()"
        } else if acts("/take-off") {
            "now() - interval '1 day'"
        } else {
            ""
        };
        if !put.is_empty() {
            entry = made(format!(
                "insert into on_record (tenant_id, record_id, number, pupil_id, kind, happened_at, words, put_by, put_at, opens_at)
                 select tenant_id, id, 1, '{pupil}', kind, happened_at, 'Read aloud.', author_id, {put}, {put} + interval '30 minutes'
                 from record where id = '{record}' returning id"
            ))
            .await;
        }
    }
    let rollover = if acts("/year-back") || acts("/undo") {
        sqlx::raw_sql("update rollover set undone_at = now() where undone_at is null")
            .execute(&mut *served.behind)
            .await
            .unwrap();
        made_again(
            served,
            &format!(
                "insert into rollover (tenant_id, school_year, last_day, made_by, moved_up, leavers)
                 select id, 2031, '2031-07-22', '{who}', 0, 0 from tenant where label = '{label}' returning id"
            ),
        )
        .await
    } else {
        String::new()
    };
    let switched = if acts("/switch-on") {
        "delete from field_switch where field = 'fsm'"
    } else {
        "insert into field_switch (tenant_id, field, purpose, on_by)
         select distinct on (tenant_id) tenant_id, 'fsm', 'To plan support', id from membership on conflict do nothing"
    };
    if acts("/duty") {
        sqlx::raw_sql("delete from duty_holder")
            .execute(&mut *served.behind)
            .await
            .unwrap();
    }
    sqlx::raw_sql(switched)
        .execute(&mut *served.behind)
        .await
        .unwrap();
    let import = if address.contains("/roster/") {
        let asks = acts("/confirm").then_some(pupil.as_str());
        roster(served, label, &who.to_string(), asks, acts("/undo")).await
    } else {
        String::new()
    };
    let monday = made_again(served, &format!(
        "with week as (
           insert into access_week (tenant_id, monday, looks)
           select id, date '2018-01-01' + 7 * {number}, 1 from tenant where label = '{label}' returning tenant_id, id
         ), signed as (
           insert into access_review (tenant_id, week_id, by_id) select tenant_id, id, '{who}' from week where {}
         )
         select id from week",
        acts("/note-week")
    ))
    .await;
    let monday = sqlx::query_scalar::<_, String>(sqlx::AssertSqlSafe(format!(
        "select monday::text from access_week where id = '{monday}'"
    )))
    .fetch_one(&mut *served.behind)
    .await
    .unwrap();
    // Taken away without being opened, so that what it says is no matter.
    if acts("/untag") {
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
            "insert into tag (tenant_id, pupil_id, kind, sealed, expires_on)
             select tenant_id, id, 'fsm', substr(sha512('a') || sha512('b'), 1, 93), current_date + 100 from pupil where id = '{pupil}'"
        )))
        .execute(&mut *served.behind)
        .await
        .unwrap();
    }
    let person = if acts("/give") {
        made_again(served, &named("teacher", "teacher4")).await
    } else if acts("/duty") {
        made_again(served, &named("senior_leader", "head")).await
    } else {
        parent
    };
    Roll {
        pupil,
        last_name,
        group,
        person,
        caseload,
        link,
        restriction,
        entry,
        import,
        record,
        // Whether a tag can be renewed depends on the day, so it is asked of a kind that is off.
        kind: if acts("/tag") || acts("/untag") {
            "fsm"
        } else if acts("/renew-tag") {
            "sen"
        } else {
            "class"
        }
        .to_owned(),
        rollover,
        reason: "incident".to_owned(),
        monday,
    }
}

/// A roster, with a line that may be of a pupil where somebody is to say so.
async fn roster(
    served: &mut Served,
    label: &str,
    who: &str,
    asks: Option<&str>,
    taken: bool,
) -> String {
    let (state, committed) = if taken {
        ("committed", "now()")
    } else {
        ("read", "null")
    };
    let import = made_again(
        served,
        &format!(
            "insert into roster_import (tenant_id, file_name, sha256, columns, made_by, state, committed_at)
             select id, 'roster.csv', sha256('roster'), '[]', '{who}', '{state}', {committed} from tenant where label = '{label}'
             returning id"
        ),
    )
    .await;
    if let Some(pupil) = asks {
        made_again(
            served,
            &format!(
                "insert into roster_row (tenant_id, import_id, line, first_name, last_name, born, sex, year_group, sealed, wrong, faults,
                   of_line, match_id, match_by, verdict)
                 select tenant_id, '{import}', 2, first_name, last_name, born, 'M', year_group, '', false, '[]', 2, id, 'name', 'unsure'
                 from pupil where id = '{pupil}' returning id"
            ),
        )
        .await;
    }
    import
}

async fn made_again(served: &mut Served, statement: &str) -> String {
    sqlx::query_scalar::<_, uuid::Uuid>(sqlx::AssertSqlSafe(statement.to_owned()))
        .fetch_one(&mut *served.behind)
        .await
        .unwrap()
        .to_string()
}
