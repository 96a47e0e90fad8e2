//! A roster on its way in: begun with its header, then row by row, then compared with the roll. One transaction from end to end, so a
//! roster whose reading breaks off was never there.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    column::Column,
    date,
    import::{Fault, keep},
    judging,
    line::{Against, judge},
    plan::{Plan, remember, settled, stored},
    repair::plain,
    sealed::Sealed,
};
use crate::{
    Refusal,
    db::{Write, refused},
    event::Act,
    pupil::{code::Sex, statistics, upn::Upn, year::YearGroup},
    secret::Secrets,
};

/// Rows that are sent to the database in one statement. So many are in memory, and no more.
pub const TOGETHER: usize = 1_000;

/// The file that rows come from.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    /// What it is called.
    pub name: &'a str,
    /// Of its bytes.
    pub sha256: &'a [u8; 32],
    /// The local authority's number and the school's that it gives; empty where it gives none.
    pub source: (&'a str, &'a str),
}

/// A roster that is being read.
pub struct Staging {
    id: Uuid,
    plan: Plan,
    columns: Vec<Column>,
    against: Against,
    secrets: Secrets,
    rows: usize,
}

/// Begins. `choices` are what somebody said that columns are, by [`super::column::remembered_key`], and are remembered.
///
/// Refuses a header without the columns that a line needs.
pub async fn begin(
    write: &mut Write,
    file: File<'_>,
    header: &[String],
    choices: &BTreeMap<String, Column>,
    against: Against,
    secrets: Secrets,
) -> Result<Staging, Refusal> {
    keep(&write.standing.roles)?;
    let (tenant, own) = (write.standing.tenant, write.standing.membership);
    let plan = settled(write.connection(), tenant, header, choices).await?;
    plan.check()?;
    remember(write, choices).await?;
    let given = |number: &str| (!number.is_empty()).then(|| number.to_owned());
    let id = sqlx::query_scalar!(
        "insert into roster_import (tenant_id, file_name, sha256, columns, la, establishment, made_by)
         values ($1, $2, $3, $4, $5, $6, $7) returning id",
        tenant,
        file.name.trim(),
        file.sha256,
        stored(&plan),
        given(file.source.0),
        given(file.source.1),
        own
    )
    .fetch_one(write.connection())
    .await
    .map_err(refused)?;
    Ok(Staging {
        id,
        columns: plan.kept().map(|(_, column)| column).collect(),
        plan,
        against,
        secrets,
        rows: 0,
    })
}

impl Staging {
    /// Its key.
    pub const fn id(&self) -> Uuid {
        self.id
    }

    /// What becomes of its columns.
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// How many rows were taken so far.
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// Takes rows as they stand in the file: which line each is, and all its cells. Those of columns that are not kept are dropped
    /// here, before anything looks at them.
    pub async fn take(
        &mut self,
        write: &mut Write,
        rows: Vec<(u64, Vec<String>)>,
    ) -> Result<(), Refusal> {
        let tenant = write.standing.tenant;
        let mut rows = rows.into_iter();
        loop {
            let batch = rows
                .by_ref()
                .take(TOGETHER)
                .map(|(line, cells)| self.row(tenant, line, cells))
                .collect::<Result<Vec<Value>, Refusal>>()?;
            if batch.is_empty() {
                return Ok(());
            }
            self.rows += batch.len();
            // Not COPY: PostgreSQL refuses it into a table with row security, which is worth more here than the speed.
            sqlx::query!(
                "insert into roster_row (tenant_id, import_id, line, upn, admission_number, first_name, last_name, preferred_name,
                                         born, sex, year_group, registration, class, teacher, sealed, wrong, faults)
                 select $1, $2, r.line, r.upn, r.admission_number, r.first_name, r.last_name, r.preferred_name,
                        r.born, r.sex, r.year_group, r.registration, r.class, r.teacher, decode(r.sealed, 'base64'), r.wrong, r.faults
                 from jsonb_to_recordset($3) as r (line integer, upn text, admission_number text, first_name text, last_name text,
                   preferred_name text, born date, sex text, year_group text, registration text, class text, teacher text,
                   sealed text, wrong boolean, faults jsonb)",
                tenant,
                self.id,
                Value::Array(batch)
            )
            .execute(write.connection())
            .await
            .map_err(refused)?;
        }
    }

    fn row(&self, tenant: Uuid, line: u64, cells: Vec<String>) -> Result<Value, Refusal> {
        let cells: Vec<String> = self.plan.pick(cells).into_iter().map(plain).collect();
        let number = i32::try_from(line).map_err(|_| Fault::Lines)?;
        let judged = judge(
            u32::try_from(line).map_err(|_| Fault::Lines)?,
            &cells,
            &self.columns,
            &self.against,
        );
        let wrong = judged.is_bad();
        let (sealed_faults, faults): (Vec<_>, Vec<_>) = judged
            .faults
            .into_iter()
            .partition(|fault| fault.field.is_some_and(|field| field.tag().is_some()));
        let sealed = Sealed {
            cells,
            tags: judged.tags,
            faults: sealed_faults,
        }
        .seal(&self.secrets, tenant, self.id, number)?;
        let said = judged.fields;
        Ok(json!({
            "line": number,
            "upn": said.upn.as_ref().map(Upn::as_str),
            "admission_number": said.admission_number,
            "first_name": said.first_name,
            "last_name": said.last_name,
            "preferred_name": said.preferred_name,
            "born": said.born.map(date::field),
            "sex": said.sex.map(Sex::code),
            "year_group": said.year_group.map(YearGroup::code),
            "registration": said.registration_group,
            "class": said.class_name.or(said.class_code),
            "teacher": said.teacher,
            "sealed": STANDARD.encode(sealed),
            "wrong": wrong,
            "faults": faults,
        }))
    }

    /// Compares what was read with the roll.
    pub async fn finish(self, write: &mut Write) -> Result<Act, Refusal> {
        statistics::renew(write).await?;
        judging::judge(write, self.id, false).await?;
        Ok(Act::roster_read(self.id, self.rows))
    }
}
