//! `/approvals/{id}/certificate`: what was approved, by whom, and where the log says so, as a PDF for the minute book; and as JSON for
//! programs with `?as=json`. To whoever reads the document.

use app::door::Host;
use axum::{
    Extension, Router,
    extract::{Path, Query, State},
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use domain::{
    Refusal,
    approval::{self, Answer, Rule, State as Became},
    day,
    db::{Caller, Read},
    document,
};
use print::certificate::{
    Answer as Said, Asked, Certificate, Choice, Document, Event, Head, Log, Newer, Outcome,
};
use quorate_verify::{Hash, Id};
use serde::Deserialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

use crate::{clock, router::Site, session::IntoPage};

/// The route. To whoever does not read the document it does not exist.
pub fn route() -> Router<Site> {
    Router::new().route("/approvals/{id}/certificate", get(download))
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(rename = "as")]
    format: Option<String>,
}

async fn download(
    State(site): State<Site>,
    Extension(host): Extension<Host>,
    caller: Option<Extension<Caller>>,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Response {
    let Some(Extension(caller)) = caller else {
        return Refusal::NotFound.into_page();
    };
    match make(
        &site,
        &host,
        &caller,
        &id,
        wanted.format.as_deref() == Some("json"),
    )
    .await
    {
        Ok(response) => response,
        Err(Refusal::SignedOut | Refusal::NotFound) => Refusal::NotFound.into_page(),
        Err(refusal) => refusal.into_page(),
    }
}

async fn make(
    site: &Site,
    host: &Host,
    caller: &Caller,
    id: &str,
    json: bool,
) -> Result<Response, Refusal> {
    let id = Uuid::try_parse(id).map_err(|_| Refusal::NotFound)?;
    let mut read = site.services.db.read(caller).await?;
    let check_at = format!("{}/check", site.services.origin.of_tenant(&host.label));
    let certificate = said(&mut read, id, host.name.clone(), check_at).await?;
    drop(read);
    let signer = site.services.secrets.signer()?;
    let name = format!(
        "certificate-version-{}-{}",
        certificate.document.version,
        &certificate.document.sha256.to_string()[..8]
    );
    // Typesetting takes a moment, and is nobody's turn to wait for.
    let bytes = tokio::task::spawn_blocking(move || {
        if json {
            print::certificate_json(&certificate, &signer)
        } else {
            print::certificate(&certificate, &signer)
        }
    })
    .await
    .map_err(|_| Refusal::Broken)?
    .map_err(|error| {
        tracing::error!(%error, "a certificate cannot be set");
        Refusal::Broken
    })?;
    let (kind, extension) = if json {
        ("application/json", "json")
    } else {
        ("application/pdf", "pdf")
    };
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}.{extension}\""),
        ),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, bytes).into_response())
}

/// All that the certificate says, as of one snapshot.
async fn said(
    read: &mut Read,
    id: Uuid,
    tenant: String,
    check_at: String,
) -> Result<Certificate, Refusal> {
    let one = approval::one(read, id).await?;
    let places = approval::places(read, id).await?;
    let lines = approval::lines(read, id).await?;
    let paper = document::one(read, one.document).await?;
    let version = paper.version(Some(one.version)).ok_or(Refusal::Broken)?;
    let newest = paper.version(None).ok_or(Refusal::Broken)?;
    let last = lines.last().ok_or(Refusal::Broken)?;
    let head = Head {
        seq: last.seq,
        hash: Hash::from_bytes(last.hash),
    };
    let closed = || one.closed.as_deref().map(moment).ok_or(Refusal::Broken)?;
    let outcome = match one.state {
        Became::Adopted => Outcome::Adopted { at: closed()? },
        Became::Rejected => Outcome::Rejected { at: closed()? },
        Became::Lapsed => Outcome::Lapsed { at: closed()? },
        Became::Stale => Outcome::Replaced { at: closed()? },
        Became::Withdrawn => Outcome::Withdrawn { at: closed()? },
        Became::Open => Outcome::Open,
    };
    let answers = places
        .iter()
        .map(|place| {
            let given = place.given.as_ref();
            let answer = given.map(|given| given.answer);
            let reason = || given.map(|given| given.reason.clone());
            // Whoever stood in signs with their own name and for what they are themselves.
            let (who, roles) = given
                .and_then(|given| given.stand_in.as_ref())
                .map_or((&place.person, &place.roles), |(who, roles)| (who, roles));
            Ok(Said {
                name: who.called(),
                roles: roles
                    .iter()
                    .map(|role| role.name().to_lowercase())
                    .collect(),
                answer: match answer {
                    Some(Answer::Agree) => Choice::Agreed,
                    Some(Answer::Object) => Choice::Objected,
                    Some(Answer::Abstain) => Choice::Abstained,
                    None => Choice::None,
                },
                at: given.map(|given| moment(&given.at)).transpose()?,
                reason: reason().filter(|_| answer == Some(Answer::Object)),
                interest: reason().filter(|_| answer == Some(Answer::Abstain)),
                stood_in_for: given
                    .and_then(|given| given.stand_in.as_ref())
                    .map(|_| place.person.called()),
            })
        })
        .collect::<Result<_, Refusal>>()?;
    let standing = one.standing;
    Ok(Certificate {
        approval: Id::from_bytes(id.into_bytes()),
        tenant,
        document: Document {
            title: one.title.clone(),
            file_name: version.file_name.clone(),
            version: one.version,
            sha256: one.sha256.parse().map_err(|_| Refusal::Broken)?,
            size: version.size,
            pages: version.pages,
        },
        asked: Asked {
            by: one.by.called(),
            at: moment(&one.at)?,
            reason: Some(one.reason.clone()).filter(|reason| !reason.is_empty()),
        },
        rule: match one.rule {
            Rule::Everyone => format!("all {} agree", standing.counted),
            Rule::AtLeast(least) => format!("at least {least} of {} agree", standing.counted),
            Rule::Majority => format!(
                "more than half agree, {} of {}",
                standing.needed, standing.counted
            ),
        },
        due: day::end(one.due),
        answers,
        outcome,
        newer: one
            .is_stale()
            .then(|| {
                Ok::<_, Refusal>(Newer {
                    version: newest.number,
                    since: moment(&newest.at)?,
                })
            })
            .transpose()?,
        log: Log {
            events: lines
                .iter()
                .map(|line| Event {
                    seq: line.seq,
                    what: app::approval::whole::act_words(&line.act).to_owned(),
                    hash: Hash::from_bytes(line.hash),
                })
                .collect(),
            head,
        },
        check_at,
        made: day::in_england(clock::now()),
    })
}

/// A moment of the record, by the clocks of the school.
fn moment(at: &str) -> Result<OffsetDateTime, Refusal> {
    OffsetDateTime::parse(at, &Rfc3339)
        .map(day::in_england)
        .map_err(|_| Refusal::Broken)
}
