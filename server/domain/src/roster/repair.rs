//! The lines that cannot be taken, as a file to put right: the columns as they were sent, and a reason for each line. Once put right,
//! the file is a roster like any other.

use super::{
    fault::{Fault, Severity},
    import::keep,
    sealed::Sealed,
};
use crate::{
    Refusal,
    db::{Read, broken, refused},
    secret::Secrets,
};
use uuid::Uuid;

/// The name of the column with the reasons. It is no field, so that it is left out when the file comes back.
pub const REASON: &str = "What is wrong";

/// With what a spreadsheet takes a cell for a formula.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A cell that no spreadsheet takes for a formula (OWASP, CSV injection).
fn prefixed(cell: &str) -> String {
    if cell.starts_with(FORMULA) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

/// The cell that [`prefixed`] was given.
pub(super) fn plain(cell: String) -> String {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(FORMULA) => rest.to_owned(),
        _ => cell,
    }
}

/// The lines of a roster that cannot be taken as they are, as CSV in UTF-8 with the mark that Excel looks for. It holds what the file
/// held, context tags among it: for who keeps the roll and for nobody else. Empty but for its header where no line is bad.
pub async fn faults_csv(
    read: &mut Read,
    secrets: &Secrets,
    import: Uuid,
) -> Result<Vec<u8>, Refusal> {
    keep(&read.standing.roles)?;
    let tenant = read.standing.tenant;
    let names = sqlx::query_scalar!(
        r#"select array(select c.value ->> 'name' from jsonb_array_elements(i.columns) with ordinality as c
                   where c.value ->> 'left_out' is null order by c.ordinality) as "names!"
           from roster_import i where i.tenant_id = $1 and i.id = $2"#,
        tenant,
        import
    )
    .fetch_optional(read.connection())
    .await
    .map_err(refused)?
    .ok_or(Refusal::NotFound)?;
    let wrong = |error: csv::Error| broken("writing a table", &error);
    let mut out = csv::Writer::from_writer("\u{feff}".as_bytes().to_vec());
    let header = names.iter().map(String::as_str).chain([REASON]);
    out.write_record(header.map(prefixed)).map_err(wrong)?;
    let mut after = -1;
    loop {
        let rows = sqlx::query!(
            r#"select line, sealed, faults || found as "faults!" from roster_row
               where tenant_id = $1 and import_id = $2 and verdict = 'bad' and line > $3 order by line limit 1000"#,
            tenant,
            import,
            after
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        let Some(last) = rows.last() else {
            return out
                .into_inner()
                .map_err(|error| broken("writing a table", error.error()));
        };
        after = last.line;
        for row in rows {
            let sealed = Sealed::open(&row.sealed, secrets, tenant, import, row.line)?;
            let faults: Vec<Fault> = serde_json::from_value(row.faults)
                .map_err(|error| broken("reading what is wrong", &error))?;
            let reasons: Vec<String> = faults
                .into_iter()
                .chain(sealed.faults)
                .filter(|fault| fault.severity == Severity::Error)
                .map(|fault| fault.sentence)
                .collect();
            let cells = sealed.cells.into_iter().chain([reasons.join(" ")]);
            out.write_record(cells.map(|cell| prefixed(&cell)))
                .map_err(wrong)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_leaves_as_text_and_comes_back_as_it_was() {
        for cell in [
            "=HYPERLINK(\"http://x\")",
            "+44",
            "-1",
            "@SUM(A1)",
            "\tx",
            "\rx",
        ] {
            let out = prefixed(cell);
            assert!(out.starts_with('\''), "{out}");
            assert_eq!(plain(out), cell);
        }
        for cell in ["", "O’Neill", "'Abd", "Khan"] {
            assert_eq!(prefixed(cell), cell);
            assert_eq!(plain(cell.to_owned()), cell);
        }
    }
}
