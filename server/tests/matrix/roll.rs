//! What an address of the roll is asked about: a pupil on the caseload of the school's teachers and assistants, in a class, with a
//! parent.

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
    /// A turn of the school year that can be undone.
    pub rollover: String,
    /// What a form calls the kind of a group.
    pub kind: String,
    /// The code of a reason to look.
    pub reason: String,
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
    let parent = made(named("parent", "parent2")).await;
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
    let restriction = if acts("/lift") {
        made(format!(
            "insert into contact_restriction (tenant_id, membership_id, pupil_id, words, made_by)
             select tenant_id, '{parent}', id, 'Order of a court', '{who}' from pupil where id = '{pupil}' returning id"
        ))
        .await
    } else {
        String::new()
    };
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
        rollover,
        kind: "class".to_owned(),
        reason: "incident".to_owned(),
    }
}

async fn made_again(served: &mut Served, statement: &str) -> String {
    sqlx::query_scalar::<_, uuid::Uuid>(sqlx::AssertSqlSafe(statement.to_owned()))
        .fetch_one(&mut *served.behind)
        .await
        .unwrap()
        .to_string()
}
