//! What the turn of the school year is worked out from: the roll, its groups and its caseloads as they stand.

use sqlx::PgConnection;
use time::Date;
use uuid::Uuid;

use crate::{
    MembershipId, Refusal, TenantId, day,
    db::refused,
    pupil::{group::Kind, year::YearGroup},
};

pub(super) struct Pupil {
    pub id: Uuid,
    pub name: String,
    pub year: YearGroup,
    pub born: Date,
    /// Put on the roll after the last day.
    pub since: bool,
}

pub(super) struct Group {
    pub id: Uuid,
    pub kind: Kind,
    pub name: String,
}

pub(super) struct Place {
    pub group: Uuid,
    pub pupil: Uuid,
    pub now: bool,
}

pub(super) struct Caseload {
    pub id: Uuid,
    pub person: MembershipId,
    pub name: String,
    pub group: Option<Uuid>,
    pub pupil: Option<Uuid>,
    pub called: String,
    pub cover: bool,
    pub now: bool,
    /// Whether it goes on after the last day, and after this moment.
    pub past: bool,
}

/// What it is worked out from.
pub(super) struct Facts {
    pub pupils: Vec<Pupil>,
    pub groups: Vec<Group>,
    pub places: Vec<Place>,
    pub caseloads: Vec<Caseload>,
    pub digest: String,
}

impl Facts {
    pub(super) async fn read(
        connection: &mut PgConnection,
        tenant: TenantId,
        last_day: Date,
    ) -> Result<Self, Refusal> {
        let pupils = sqlx::query!(
            r#"select id, last_name, first_name, year_group, born,
                      (made_at at time zone 'Europe/London')::date > $2 as "since!"
               from pupil where tenant_id = $1 and left_on is null
               order by lower(last_name), lower(first_name), id"#,
            tenant,
            last_day
        )
        .fetch_all(&mut *connection)
        .await
        .map_err(refused)?;
        let groups = sqlx::query!(
            "select id, kind, name from teaching_group where tenant_id = $1 and closed_on is null order by kind desc, lower(name)",
            tenant
        )
        .fetch_all(&mut *connection)
        .await
        .map_err(refused)?;
        let places = sqlx::query!(
            r#"select group_id, pupil_id, during @> sec.today() as "now!" from group_pupil
               where tenant_id = $1 and coalesce(upper(during) > sec.today(), true)"#,
            tenant
        )
        .fetch_all(&mut *connection)
        .await
        .map_err(refused)?;
        let caseloads = sqlx::query!(
            r#"select c.id, c.membership_id, m.name, c.group_id, c.pupil_id, c.cover, c.during @> now() as "now!",
                      coalesce(upper(c.during) > greatest(now(), $2::date::timestamp at time zone 'Europe/London'), true) as "past!",
                      coalesce(g.name, coalesce(p.preferred_name, p.first_name) || ' ' || p.last_name) as "called!"
               from caseload c
               join membership m on m.tenant_id = c.tenant_id and m.id = c.membership_id
               left join teaching_group g on g.tenant_id = c.tenant_id and g.id = c.group_id
               left join pupil p on p.tenant_id = c.tenant_id and p.id = c.pupil_id
               where c.tenant_id = $1 and coalesce(upper(c.during) > now(), true)
               order by lower(m.name), m.id, lower(c.during), c.id"#,
            tenant,
            day::after(last_day)
        )
        .fetch_all(&mut *connection)
        .await
        .map_err(refused)?;
        // Of whatever decides, and of names of groups, which become others.
        let digest = sqlx::query_scalar!(
            r#"select encode(sha256(convert_to(concat_ws('|',
                 (select string_agg(concat_ws(',', id, year_group, born, first_name, last_name, made_at), ';' order by id)
                  from pupil where tenant_id = $1 and left_on is null),
                 (select string_agg(concat_ws(',', id, kind, name), ';' order by id)
                  from teaching_group where tenant_id = $1 and closed_on is null),
                 (select string_agg(concat_ws(',', id, group_id, pupil_id, during), ';' order by id)
                  from group_pupil where tenant_id = $1 and coalesce(upper(during) > sec.today(), true)),
                 (select string_agg(concat_ws(',', id, membership_id, group_id, pupil_id, cover, during), ';' order by id)
                  from caseload where tenant_id = $1 and coalesce(upper(during) > now(), true))
               ), 'UTF8')), 'hex') as "digest!""#,
            tenant
        )
        .fetch_one(connection)
        .await
        .map_err(refused)?;
        Ok(Self {
            pupils: pupils
                .into_iter()
                .map(|row| {
                    Ok(Pupil {
                        id: row.id,
                        name: format!("{}, {}", row.last_name, row.first_name),
                        year: YearGroup::from_code(&row.year_group).ok_or(Refusal::Broken)?,
                        born: row.born,
                        since: row.since,
                    })
                })
                .collect::<Result<_, Refusal>>()?,
            groups: groups
                .into_iter()
                .map(|row| {
                    Ok(Group {
                        id: row.id,
                        kind: Kind::from_code(&row.kind).ok_or(Refusal::Broken)?,
                        name: row.name,
                    })
                })
                .collect::<Result<_, Refusal>>()?,
            places: places
                .into_iter()
                .map(|row| Place {
                    group: row.group_id,
                    pupil: row.pupil_id,
                    now: row.now,
                })
                .collect(),
            caseloads: caseloads
                .into_iter()
                .map(|row| Caseload {
                    id: row.id,
                    person: row.membership_id,
                    name: row.name,
                    group: row.group_id,
                    pupil: row.pupil_id,
                    called: row.called,
                    cover: row.cover,
                    now: row.now,
                    past: row.past,
                })
                .collect(),
            digest,
        })
    }
}
