//! `/arrive`: the end of the way from one school's host to another's. The ticket is spent for a session of this host.

use app::door::{Agent, CookieChange, Host, NewToken, safe_next};
use axum::{
    Extension, Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{Refusal, session};
use serde::Deserialize;

use crate::{router::Site, session::IntoPage};

/// The route. A stranger may open it: what it asks for is the ticket.
pub fn route() -> Router<Site> {
    Router::new().route("/arrive", get(arrive))
}

#[derive(Deserialize)]
struct Arriving {
    ticket: String,
    /// The page to go on to.
    #[serde(default)]
    next: String,
}

async fn arrive(
    State(site): State<Site>,
    Extension(host): Extension<Host>,
    Extension(agent): Extension<Agent>,
    Extension(cookie): Extension<NewToken>,
    Query(arriving): Query<Arriving>,
    headers: HeaderMap,
) -> Response {
    // A ticket on a page of somebody else's would sign their visitor in as whoever wrote that page. Browsers count the hosts
    // of a laptop's `localhost` as different sites, so there this cannot be told apart.
    let laptop = site.services.origin.host.starts_with("localhost");
    if !laptop
        && headers
            .get("sec-fetch-site")
            .is_some_and(|from| from == "cross-site")
    {
        return StatusCode::FORBIDDEN.into_response();
    }
    let spent = match (host.tenant, URL_SAFE_NO_PAD.decode(&arriving.ticket)) {
        (Some(tenant), Ok(ticket)) if ticket.len() == 32 => {
            session::ticket_use(&site.services.db, &ticket, tenant, &agent.0).await
        }
        _ => Err(Refusal::LinkGone),
    };
    match spent {
        Ok((token, shared)) => {
            cookie.set(CookieChange::Set { token, shared });
            Redirect::to(safe_next(&arriving.next)).into_response()
        }
        Err(Refusal::LinkGone) => Redirect::to("/sign-in").into_response(),
        Err(refusal) => refusal.into_page(),
    }
}
