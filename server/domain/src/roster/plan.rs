//! What becomes of each column of a roster: kept, or left where it is, and why. What is not kept never leaves the file.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    column::{Column, Why, guess, missing, unlisted},
    import::Fault,
};
use crate::pupil::field::{Field, Switch};

/// What becomes of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It is taken as this.
    Kept(Column),
    /// Somebody said to leave it out.
    Ignored,
    /// Nobody has said what it is, so it is left out.
    Unknown(Why),
    /// Your school has not switched this on, so it is left out.
    Off(Switch),
    /// It is known, and this portal has no use for it, so it is left out.
    Unused(Field),
}

/// What becomes of every column of a header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    header: Vec<String>,
    fates: Vec<Fate>,
}

impl Plan {
    /// By what the school said of such columns before, and by which optional fields are on.
    pub fn of(
        header: &[String],
        remembered: &BTreeMap<String, Column>,
        on: &BTreeSet<Switch>,
    ) -> Self {
        let fates = guess(header, remembered)
            .into_iter()
            .map(|column| match column {
                Column::Ignore => Fate::Ignored,
                Column::Unknown(why) => Fate::Unknown(why),
                Column::Field(Field::Supervisor) => Fate::Unused(Field::Supervisor),
                Column::Field(field) => match field.switch() {
                    Some(switch) if !on.contains(&switch) => Fate::Off(switch),
                    _ => Fate::Kept(column),
                },
                Column::FullName => Fate::Kept(column),
            })
            .collect();
        Self {
            header: header.to_vec(),
            fates,
        }
    }

    /// Each column: what it is called and what becomes of it.
    pub fn columns(&self) -> impl Iterator<Item = (&str, Fate)> {
        self.header
            .iter()
            .map(String::as_str)
            .zip(self.fates.iter().copied())
    }

    /// Those that are kept, in their order.
    pub fn kept(&self) -> impl Iterator<Item = (&str, Column)> {
        self.columns().filter_map(|(name, fate)| match fate {
            Fate::Kept(column) => Some((name, column)),
            _ => None,
        })
    }

    /// The fields without which nothing can be taken.
    pub fn missing(&self) -> Vec<Field> {
        missing(&self.kept().map(|(_, column)| column).collect::<Vec<_>>())
    }

    /// The fields that a roster has, without which it is taken all the same.
    pub fn unlisted(&self) -> Vec<Field> {
        unlisted(&self.kept().map(|(_, column)| column).collect::<Vec<_>>())
            .into_iter()
            .filter(|field| *field != Field::Supervisor)
            .collect()
    }

    /// Refuses a header by which no line could be taken.
    pub fn check(&self) -> Result<(), Fault> {
        let twice = self.fates.iter().find_map(|fate| match fate {
            Fate::Unknown(Why::Twice(field)) => Some(*field),
            _ => None,
        });
        let missing = self.missing();
        match twice.filter(|field| missing.contains(field)) {
            Some(field) => Err(Fault::Twice(field)),
            None if missing.is_empty() => Ok(()),
            None => Err(Fault::Missing(missing)),
        }
    }

    /// Of a row of the file, the cells of the columns that are kept. The others go no further than here.
    pub fn pick(&self, cells: Vec<String>) -> Vec<String> {
        let mut cells = cells.into_iter();
        self.fates
            .iter()
            .map(|fate| (fate, cells.next().unwrap_or_default()))
            .filter(|(fate, _)| matches!(fate, Fate::Kept(_)))
            .map(|(_, cell)| cell)
            .collect()
    }
}

#[cfg(feature = "db")]
pub use queries::{columns, plan};
#[cfg(feature = "db")]
pub(super) use queries::{remember, settled, stored};

#[cfg(feature = "db")]
mod queries {
    use std::collections::{BTreeMap, BTreeSet};

    use serde::Deserialize;
    use serde_json::{Value, json};
    use sqlx::PgConnection;
    use uuid::Uuid;

    use super::{Column, Fate, Plan};
    use crate::{
        Refusal, TenantId,
        db::{Read, Write, broken, refused},
        pupil::field::{Field, Switch},
        roster::import::keep,
    };

    /// Characters of the name of a column that is left out.
    const NAME_MOST: usize = 200;

    /// What becomes of the columns of a header, with what somebody chose for some of them by [`crate::roster::column::remembered_key`].
    /// Nothing is remembered of it yet.
    pub async fn plan(
        read: &mut Read,
        header: &[String],
        choices: &BTreeMap<String, Column>,
    ) -> Result<Plan, Refusal> {
        keep(&read.standing.roles)?;
        let tenant = read.standing.tenant;
        settled(read.connection(), tenant, header, choices).await
    }

    pub(in crate::roster) async fn settled(
        connection: &mut PgConnection,
        tenant: TenantId,
        header: &[String],
        choices: &BTreeMap<String, Column>,
    ) -> Result<Plan, Refusal> {
        let rows = sqlx::query!(
            "select key, means from roster_column where tenant_id = $1",
            tenant
        )
        .fetch_all(&mut *connection)
        .await
        .map_err(refused)?;
        let mut remembered: BTreeMap<String, Column> = rows
            .into_iter()
            .filter_map(|row| Some((row.key, Column::from_code(&row.means)?)))
            .collect();
        remembered.extend(choices.iter().map(|(key, column)| (key.clone(), *column)));
        let fields = sqlx::query_scalar!(
            "select field from field_switch where tenant_id = $1",
            tenant
        )
        .fetch_all(connection)
        .await
        .map_err(refused)?;
        let on: BTreeSet<Switch> = fields
            .iter()
            .filter_map(|field| Switch::from_code(field))
            .collect();
        Ok(Plan::of(header, &remembered, &on))
    }

    /// What is kept of a plan beside the roster: of a column that is left out, the beginning of its name and why, and of its cells nothing.
    pub(in crate::roster) fn stored(plan: &Plan) -> Value {
        let columns = plan.columns().map(|(name, fate)| match fate {
            Fate::Kept(column) => {
                let tag = column.field().and_then(Field::tag).is_some();
                json!({ "name": name, "column": column, "tag": tag })
            }
            left_out => {
                let name: String = name.chars().take(NAME_MOST).collect();
                json!({ "name": name, "left_out": left_out })
            }
        });
        columns.collect()
    }

    #[derive(Deserialize)]
    struct Stored {
        name: String,
        column: Option<Column>,
        left_out: Option<Fate>,
    }

    /// What became of each column of a roster: what it is called, and its fate. In the order of the file. Refuses
    /// [`Refusal::NotFound`] for one that is not there.
    pub async fn columns(read: &mut Read, import: Uuid) -> Result<Vec<(String, Fate)>, Refusal> {
        keep(&read.standing.roles)?;
        let tenant = read.standing.tenant;
        let columns = sqlx::query_scalar!(
            "select columns from roster_import where tenant_id = $1 and id = $2",
            tenant,
            import
        )
        .fetch_optional(read.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::NotFound)?;
        let stored: Vec<Stored> = serde_json::from_value(columns)
            .map_err(|error| broken("reading the columns of a roster", &error))?;
        Ok(stored
            .into_iter()
            .filter_map(|one| Some((one.name, one.column.map(Fate::Kept).or(one.left_out)?)))
            .collect())
    }

    /// Keeps what somebody chose, for the next roster.
    pub(in crate::roster) async fn remember(
        write: &mut Write,
        choices: &BTreeMap<String, Column>,
    ) -> Result<(), Refusal> {
        let tenant = write.standing.tenant;
        for (key, column) in choices {
            let Some(means) = column.code().filter(|_| !key.is_empty()) else {
                continue;
            };
            sqlx::query!(
                "delete from roster_column where tenant_id = $1 and key = $2",
                tenant,
                key
            )
            .execute(write.connection())
            .await
            .map_err(refused)?;
            sqlx::query!(
                "insert into roster_column (tenant_id, key, means) values ($1, $2, $3)",
                tenant,
                key,
                means
            )
            .execute(write.connection())
            .await
            .map_err(refused)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pupil::field::TagKind;

    fn header(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_cells_of_columns_that_are_off_or_unknown_go_no_further() {
        let header = header(&["UPN", "SEN", "Shoe size", "Surname", "Supervisor", "FSM"]);
        let on = BTreeSet::from([Switch::Tag(TagKind::Fsm)]);
        let plan = Plan::of(&header, &BTreeMap::new(), &on);
        let row = ["U", "E", "39", "Khan", "Mr Lee", "Y"].map(str::to_owned);
        assert_eq!(plan.pick(row.to_vec()), ["U", "Khan", "Y"]);
        // A short row has empty cells, and a long one has cells of no column.
        assert_eq!(plan.pick(vec!["U".to_owned()]), ["U", "", ""]);
        let long = vec!["x".to_owned(); 9];
        assert_eq!(plan.pick(long).len(), 3);
        let fates: Vec<Fate> = plan.columns().map(|(_, fate)| fate).collect();
        assert_eq!(fates[1], Fate::Off(Switch::Tag(TagKind::Sen)));
        assert_eq!(fates[2], Fate::Unknown(Why::NotAField));
        assert_eq!(fates[4], Fate::Unused(Field::Supervisor));
    }

    #[test]
    fn two_columns_for_one_needed_field_are_told_from_none() {
        let plan = |names: &[&str]| Plan::of(&header(names), &BTreeMap::new(), &BTreeSet::new());
        let whole = ["Surname", "Forename", "DOB", "Sex", "Year", "Adno"];
        assert_eq!(plan(&whole).check(), Ok(()));
        assert_eq!(
            plan(&whole[..5]).check(),
            Err(Fault::Missing(vec![Field::AdmissionNumber]))
        );
        let twice = [&whole[..], &["Date of birth"]].concat();
        assert_eq!(plan(&twice).check(), Err(Fault::Twice(Field::Born)));
    }
}
