//! What the database says of a school's roll, read past the application: whether an import came to what it had to come to.

use sqlx::PgPool;
use uuid::Uuid;

use super::roster::{Fate, Roster};
use crate::{fault::Result, stats::many};

/// Where a school stands: what is wrong with it is found by comparing.
pub struct Roll<'a> {
    /// As the superuser, whom no row policy keeps from anything.
    pub database: &'a PgPool,
    /// Which school.
    pub school: Uuid,
    /// What was brought in.
    pub roster: &'a Roster,
}

impl Roll<'_> {
    /// What is wrong with a roster that was read and not yet taken in: each line must be what it was made to be.
    pub async fn compared(
        &self,
        import: &str,
        of: Vec<(&'static str, usize)>,
    ) -> Result<Vec<String>> {
        let found: Vec<(String, i64)> = sqlx::query_as(
            "select verdict, count(*) from roster_row where tenant_id = $1 and import_id = $2::uuid
             group by verdict order by verdict",
        )
        .bind(self.school)
        .bind(import)
        .fetch_all(self.database)
        .await?;
        let mut wanted: Vec<(String, i64)> = of
            .into_iter()
            .map(|(verdict, many)| (verdict.to_owned(), i64::try_from(many).unwrap_or(-1)))
            .collect();
        wanted.sort();
        Ok((found != wanted)
            .then(|| format!("the lines came to {found:?} where they are {wanted:?}"))
            .into_iter()
            .collect())
    }

    /// What the lines of the file come to on an empty roll.
    pub fn at_first(&self) -> Vec<(&'static str, usize)> {
        let of = |fate| self.roster.many(fate);
        // Whoever is on two lines is put into the class of the second as well, which changes them.
        given(&[
            ("new", of(Fate::New)),
            ("changed", of(Fate::Again)),
            ("bad", of(Fate::Wrong)),
        ])
    }

    /// What they come to where all of it is on the roll already.
    pub fn at_last(&self) -> Vec<(&'static str, usize)> {
        let of = |fate| self.roster.many(fate);
        given(&[
            ("same", of(Fate::New) + of(Fate::Again)),
            ("bad", of(Fate::Wrong)),
        ])
    }

    /// What is wrong with the roll once a roster was taken in: every field of every pupil is compared.
    pub async fn taken(&self) -> Result<Vec<String>> {
        let mut faults = Vec::new();
        let sum = sum(self.database, self.school).await?;
        if sum != self.roster.sum() {
            faults.push("the roll does not say what the file says".to_owned());
        }
        let (pupils, classes, waiting): (i64, i64, i64) = sqlx::query_as(
            "select (select count(*) from pupil where tenant_id = $1),
               (select count(*) from group_pupil where tenant_id = $1 and kind = 'class'),
               (select count(*) from roster_row where tenant_id = $1)",
        )
        .bind(self.school)
        .fetch_one(self.database)
        .await?;
        let (wanted, twice) = (self.roster.many(Fate::New), self.roster.many(Fate::Again));
        if usize::try_from(pupils) != Ok(wanted) {
            faults.push(format!(
                "{pupils} pupils are on the roll instead of {wanted}"
            ));
        }
        if usize::try_from(classes) != Ok(2 * twice) {
            faults.push(format!(
                "{classes} places in classes instead of {}",
                2 * twice
            ));
        }
        if waiting != 0 {
            faults.push(format!("{waiting} lines were left behind"));
        }
        Ok(faults)
    }

    /// What is wrong with the log after so many imports of the file: one event for each reading and one for each taking in.
    pub async fn logged(&self, imports: i64) -> Result<Vec<String>> {
        let events: Vec<(String, i64, Option<f64>)> = sqlx::query_as(
            "select act, count(*), sum((detail ->> 'added')::float8) from event where tenant_id = $1 and act like 'roster.%'
             group by act order by act",
        )
        .bind(self.school)
        .fetch_all(self.database)
        .await?;
        let added = Some(many(self.roster.many(Fate::New)));
        let told = [
            ("roster.imported".to_owned(), imports, added),
            ("roster.read".to_owned(), imports, None),
        ];
        Ok((events != told)
            .then(|| format!("the log says {events:?}"))
            .into_iter()
            .collect())
    }

    /// What is wrong where nothing of it may be left.
    pub async fn undone(&self) -> Result<Vec<String>> {
        let left: i64 = sqlx::query_scalar(
            "select (select count(*) from pupil where tenant_id = $1)
               + (select count(*) from group_pupil where tenant_id = $1)",
        )
        .bind(self.school)
        .fetch_one(self.database)
        .await?;
        Ok((left != 0)
            .then(|| format!("{left} pupils and places in groups stayed after it was undone"))
            .into_iter()
            .collect())
    }
}

fn given(all: &[(&'static str, usize)]) -> Vec<(&'static str, usize)> {
    all.iter().copied().filter(|(_, many)| *many > 0).collect()
}

/// What the roll of a school adds up to: all that a roster says of each pupil, by admission number.
pub async fn sum(database: &PgPool, school: Uuid) -> Result<[u8; 32]> {
    let sum: Vec<u8> = sqlx::query_scalar(
        "select sha256(convert_to(coalesce(string_agg(concat_ws('|', p.upn, p.admission_number, p.first_name, p.last_name,
             to_char(p.born, 'YYYY-MM-DD'), p.sex, p.year_group, g.name) || e'\n', ''
             order by p.admission_number collate \"C\"), ''),
           'utf8'))
         from pupil p
         left join group_pupil x on x.tenant_id = p.tenant_id and x.pupil_id = p.id and x.kind = 'registration'
         left join teaching_group g on g.tenant_id = x.tenant_id and g.id = x.group_id
         where p.tenant_id = $1",
    )
    .bind(school)
    .fetch_one(database)
    .await?;
    Ok(sum.try_into().unwrap_or([0; 32]))
}
