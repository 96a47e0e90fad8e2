//! `/roster/reading/:reading`: how far a file is that takes longer than a moment. The page asks again by itself (the header `Refresh`,
//! which needs no script), and goes on to the roster when it is there.

use axum::http::{HeaderName, HeaderValue};
use domain::{Refusal, db::Read};
use leptos::prelude::*;
use leptos_axum::ResponseOptions;

use super::{
    to_rosters,
    under_way::{Stand, UnderWay},
};
use crate::{
    form::id_of,
    membership::crumbs,
    pupil::{keepers_only, to_pupils},
    sheet::Drawing,
    ui::{Around, Heading, counted},
};

/// Seconds between two looks.
const AGAIN: &str = "2";

/// `/roster/reading/:reading`
pub fn page(read: &Read, around: &Around, id: &str) -> Result<Drawing, Refusal> {
    keepers_only(around)?;
    let id = id_of(id)?;
    let under_way: UnderWay = use_context().unwrap_or_default();
    let stand = under_way.of(read.standing.tenant, id);
    let (title, lead, next) = match &stand {
        Some(Stand::Waits) => (
            "Your file is being read",
            "All of it is here, and its rows are being counted. Where another file is being read, yours waits for that one.".to_owned(),
            AGAIN.to_owned(),
        ),
        Some(Stand::Reads(rows, of)) => (
            "Your file is being read",
            format!(
                "{} of {} so far. Nothing is on the roll before you have seen what would change.",
                counted(*rows, "row", "rows"),
                counted(*of, "row", "rows")
            ),
            AGAIN.to_owned(),
        ),
        Some(Stand::Read(import)) => (
            "Your file has been read",
            "You can see now what it would change.".to_owned(),
            format!("0; url=/roster/{import}?done=read"),
        ),
        Some(Stand::Refused(refusal)) => (
            "Your file was not read",
            format!("{refusal} Nothing of it was kept."),
            String::new(),
        ),
        None => (
            "This file is not being read",
            "Reading it ended a while ago or broke off. If it ended, it is in the list of rosters; if it broke off, nothing of it was kept, so choose the file again.".to_owned(),
            String::new(),
        ),
    };
    if let (Some(response), Ok(next)) = (
        use_context::<ResponseOptions>().filter(|_| !next.is_empty()),
        HeaderValue::from_str(&next),
    ) {
        response.insert_header(HeaderName::from_static("refresh"), next);
    }
    let page = view! {
        {crumbs(vec![to_pupils(around), to_rosters()])}
        <Heading title=title />
        <section class="card narrow" aria-label="How far it is">
            <div class="body">
                <p role="status">{lead}</p>
                {match stand {
                    Some(Stand::Waits | Stand::Reads(..)) => view! {
                        {match stand {
                            Some(Stand::Reads(rows, of)) => Some(view! { <progress max=of.to_string() value=rows.to_string() aria-label="Rows read"></progress> }),
                            _ => None,
                        }}
                        <p class="muted">"This page looks again every two seconds. You can leave it: the roster is in the list when it has been read."</p>
                        <div class="actions"><a class="button" href=format!("/roster/reading/{id}") rel="external">"Look again"</a></div>
                    }.into_any(),
                    Some(Stand::Read(import)) => view! {
                        <div class="actions"><a class="button primary" href=format!("/roster/{import}")>"See what it would change"</a></div>
                    }.into_any(),
                    Some(Stand::Refused(_)) | None => view! {
                        <div class="actions"><a class="button primary" href="/roster">"Choose a file"</a></div>
                    }.into_any(),
                }}
            </div>
        </section>
    };
    Ok(Drawing {
        title: title.to_owned(),
        page: page.into_any(),
    })
}
