//! Tables for spreadsheets: what every CSV of the service has in common.

use domain::Refusal;

/// Lines of cells, with a mark of their encoding, without which spreadsheets read it as another one (RFC 4180 says nothing of
/// it). No cell of it is a formula.
pub(crate) fn spreadsheet(
    lines: impl IntoIterator<Item = Vec<String>>,
) -> Result<Vec<u8>, Refusal> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer("\u{feff}".as_bytes().to_vec());
    for line in lines {
        writer
            .write_record(line.into_iter().map(harmless))
            .map_err(|error| {
                tracing::error!(%error, "a table was not written");
                Refusal::Broken
            })?;
    }
    writer.into_inner().map_err(|error| {
        tracing::error!(%error, "a table was not written");
        Refusal::Broken
    })
}

/// A cell that a spreadsheet would take for a formula begins with an apostrophe (OWASP, CSV injection).
fn harmless(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
        format!("'{cell}")
    } else {
        cell
    }
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn no_cell_is_a_formula() {
        for cell in ["=1+1", "+44 1", "-1", "@SUM(A1)", "\t=1", "＝cmd"] {
            assert_eq!(harmless(cell.to_owned()), format!("'{cell}"));
        }
        assert_eq!(harmless("O’Donnell".to_owned()), "O’Donnell");
        assert_eq!(harmless(String::new()), "");
    }
}
