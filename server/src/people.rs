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

use crate::{router::Site, session::IntoPage, table::spreadsheet};

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

fn table(people: &[Found]) -> Result<Vec<u8>, Refusal> {
    spreadsheet(
        [HEAD.map(str::to_owned).to_vec()]
            .into_iter()
            .chain(people.iter().map(line)),
    )
}

fn line(found: &Found) -> Vec<String> {
    let Found {
        person,
        seat,
        committees,
        ..
    } = found;
    let term = seat.as_ref().and_then(|seat| seat.holder.as_ref());
    vec![
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
    ]
}
