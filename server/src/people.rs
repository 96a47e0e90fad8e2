//! `/people.csv`: the list of people as it is shown, for a spreadsheet. For those who manage people.

use app::membership::{Found, Wanted, found};
use axum::{
    Extension, Router,
    extract::{Query, State},
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use domain::{Refusal, day, db::Caller};

use crate::{router::Site, session::IntoPage};

/// The route.
pub fn route() -> Router<Site> {
    Router::new().route("/people.csv", get(download))
}

async fn download(
    State(site): State<Site>,
    caller: Option<Extension<Caller>>,
    Query(wanted): Query<Wanted>,
) -> Response {
    let Some(Extension(caller)) = caller else {
        return Refusal::NotFound.into_page();
    };
    let read = async {
        let mut read = site.services.db.read(&caller).await?;
        found(&mut read, day::today((site.services.now)()), &wanted).await
    };
    let answer = read.await.and_then(|people| table(&people));
    match answer {
        Ok(table) => (
            [
                (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
                (
                    header::CONTENT_DISPOSITION,
                    "attachment; filename=\"people.csv\"",
                ),
            ],
            table,
        )
            .into_response(),
        Err(refusal) => refusal.into_page(),
    }
}

const HEAD: [&str; 10] = [
    "Name",
    "E-mail",
    "Roles",
    "State",
    "Since",
    "Seat",
    "Appointed by",
    "Term from",
    "Term to",
    "Committees",
];

/// With a mark of its encoding, without which spreadsheets read it as another one (RFC 4180 says nothing of it).
fn table(people: &[Found]) -> Result<Vec<u8>, Refusal> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer("\u{feff}".as_bytes().to_vec());
    let broken = |error: csv::Error| {
        tracing::error!(%error, "a table was not written");
        Refusal::Broken
    };
    writer.write_record(HEAD).map_err(broken)?;
    for Found {
        person,
        seat,
        committees,
        ..
    } in people
    {
        let term = seat.as_ref().and_then(|seat| seat.holder.as_ref());
        let cells = [
            person.name.clone(),
            person.email.clone().unwrap_or_default(),
            person.role_names(),
            person.state.name().to_owned(),
            day::of(&person.since).map(day::field).unwrap_or_default(),
            seat.as_ref()
                .map(domain::board::Seat::title)
                .unwrap_or_default(),
            seat.as_ref()
                .map(|seat| seat.appointed_by.clone())
                .unwrap_or_default(),
            term.map(|term| day::field(term.from)).unwrap_or_default(),
            term.and_then(|term| term.to)
                .map(day::field)
                .unwrap_or_default(),
            committees.join("; "),
        ];
        writer.write_record(cells.map(harmless)).map_err(broken)?;
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
