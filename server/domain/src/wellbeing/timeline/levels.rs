//! The levels of a pupil's check-ins, day by day.

use std::collections::HashMap;

use time::Date;
use uuid::Uuid;

use crate::{
    Refusal,
    db::{Read, refused},
    wellbeing::{Domain, Level, trend::Point},
};

/// A pupil's check-ins in each domain, of the days from one to another, for [`crate::wellbeing::trend::trend`]. Domains without any
/// are not there.
pub async fn points(
    read: &mut Read,
    pupil: Uuid,
    from: Date,
    to: Date,
) -> Result<Vec<(Domain, Vec<Point>)>, Refusal> {
    let tenant = read.standing.tenant;
    let rows = sqlx::query!(
        "select s.domain, s.value, s.happened_on from score s
         join record r on r.tenant_id = s.tenant_id and r.id = s.record_id and r.newest = s.number and r.withdrawn_at is null
         where s.tenant_id = $1 and s.pupil_id = $2 and s.happened_on between $3 and $4
         order by s.happened_on",
        tenant,
        pupil,
        from,
        to
    )
    .fetch_all(read.connection())
    .await
    .map_err(refused)?;
    let mut points: HashMap<Domain, Vec<Point>> = HashMap::new();
    for row in rows {
        let (domain, level) = level(&row.domain, row.value)?;
        points.entry(domain).or_default().push(Point {
            on: row.happened_on,
            level,
        });
    }
    let mut points: Vec<_> = points.into_iter().collect();
    points.sort_unstable_by_key(|(domain, _)| *domain);
    Ok(points)
}

/// Of what is stored.
pub(in crate::wellbeing) fn level(domain: &str, value: i16) -> Result<(Domain, Level), Refusal> {
    let domain = Domain::from_code(domain).ok_or(Refusal::Broken)?;
    let level = u8::try_from(value)
        .ok()
        .and_then(|value| Level::try_from(value).ok())
        .ok_or(Refusal::Broken)?;
    Ok((domain, level))
}
