//! `/picture.csv`: the school's picture of today as it was released, for a spreadsheet. For those who see every pupil of the
//! school.

use axum::{
    Extension, Router,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use domain::{
    Refusal,
    db::Caller,
    wellbeing::picture::{self, Band, Frozen},
};

use crate::{router::Site, session::IntoPage, table::spreadsheet};

/// The route.
pub fn route() -> Router<Site> {
    Router::new().route("/picture.csv", get(download))
}

async fn download(State(site): State<Site>, caller: Option<Extension<Caller>>) -> Response {
    let Some(Extension(caller)) = caller else {
        return Refusal::NotFound.into_page();
    };
    let services = &site.services;
    let newest = async {
        picture::make(&services.db, &caller, &services.secrets).await?;
        picture::newest(&mut services.db.read(&caller).await?).await
    };
    match newest
        .await
        .and_then(|newest| spreadsheet(lines(newest.as_ref())))
    {
        Ok(table) => (
            [
                (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
                (
                    header::CONTENT_DISPOSITION,
                    "attachment; filename=\"picture.csv\"",
                ),
            ],
            table,
        )
            .into_response(),
        Err(refusal) => refusal.into_page(),
    }
}

/// A head, and a line for each group and domain: the numbers and marks of the page, and nothing that is not on it.
fn lines(picture: Option<&Frozen>) -> Vec<Vec<String>> {
    let mut head: Vec<String> = ["Day", "Told apart by", "Group", "Domain"]
        .map(str::to_owned)
        .to_vec();
    head.extend(Band::ALL.map(|band| band.name().to_owned()));
    head.push("Pupils".to_owned());
    let mut lines = vec![head];
    for (day, told) in picture
        .iter()
        .flat_map(|one| one.tables.iter().map(|told| (&one.day, told)))
    {
        // Their own head is the same for all of them.
        for line in told.released.lines().into_iter().skip(1) {
            let mut cells = line.into_iter();
            let group = cells.next().unwrap_or_default();
            let named = [
                day.clone(),
                told.by.name().to_owned(),
                group,
                told.domain.name().to_owned(),
            ];
            lines.push(named.into_iter().chain(cells).collect());
        }
    }
    lines
}
