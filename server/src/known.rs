//! `/known/{approval}/{sha256}`: whether an approval is on record and still about the newest version. For anybody who holds its
//! certificate, on which both stand; the check page asks it where somebody wants that.

use axum::{
    Json, Router,
    extract::{Path, State},
    response::{IntoResponse, Response},
    routing::get,
};
use domain::{
    Refusal,
    approval::known::{Known, known},
};
use quorate_verify::Hash;
use uuid::Uuid;

use crate::{router::Site, session::IntoPage};

/// The route. What is not on record does not exist, and looks like what is misspelt.
pub fn route() -> Router<Site> {
    Router::new().route("/known/{approval}/{sha256}", get(tell))
}

async fn tell(
    State(site): State<Site>,
    Path((approval, sha256)): Path<(String, String)>,
) -> Response {
    match look_up(&site, &approval, &sha256).await {
        Ok(known) => Json(known).into_response(),
        Err(refusal) => refusal.into_page(),
    }
}

async fn look_up(site: &Site, approval: &str, sha256: &str) -> Result<Known, Refusal> {
    let id = Uuid::try_parse(approval).map_err(|_| Refusal::NotFound)?;
    let sha256: Hash = sha256.parse().map_err(|_| Refusal::NotFound)?;
    known(&site.services.db, id, sha256.bytes()).await
}
