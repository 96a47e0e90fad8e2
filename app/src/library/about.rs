//! `/papers/:id/about`: what is said of a document, where it lies, and taking it out of use. For who files in its folder.

use domain::{
    Refusal, day,
    db::Read,
    document::{Document, Kind, State},
    folder,
};
use leptos::prelude::*;
use uuid::Uuid;

use super::upload::{back, owners};
use crate::{
    form::{Act, Choice, Echo, Field, ProofBeside, Refusals},
    membership::crumbs,
    sheet::Drawing,
    ui::Heading,
};

/// `/papers/:id/about`
pub async fn page(read: &mut Read, id: &str) -> Result<Drawing, Refusal> {
    let id = Uuid::try_parse(id).map_err(|_| Refusal::NotFound)?;
    let document = domain::document::one(read, id).await?;
    if !document.folder.files {
        return Err(Refusal::NotFound);
    }
    let readers = owners(read, &document.folder, document.owner.as_ref()).await?;
    let folders: Vec<(String, String)> = folder::all(read)
        .await?
        .into_iter()
        .filter(|one| one.files && !one.archived && one.id != document.folder.id)
        .map(|one| (one.id.to_string(), one.name))
        .collect();
    let echo: Echo = use_context().unwrap_or_default();
    let refusal = echo.refusal.clone();
    let typed = |name: &str, held: String| {
        echo.of("papers/describe")
            .and_then(|_| echo.value(name))
            .unwrap_or(held)
    };
    let about = &document.about;
    let date = |day: Option<time::Date>| day.map(day::field).unwrap_or_default();
    let kinds = Kind::ALL
        .iter()
        .map(|kind| (kind.code().to_owned(), kind.name().to_owned()))
        .collect::<Vec<_>>();
    let title = "Title, kind and dates".to_owned();
    let page = view! {
        {crumbs(back(&document))}
        <Heading title=title.clone() lead=about.title.clone() />
        <Refusals refusal=refusal.clone() />
        <ProofBeside refusal=refusal.clone() />
        <div class="split">
            <section class="card" aria-label="Title, kind and dates">
                <div class="body">
                    <form class="form" method="post">
                        <Act name="papers/describe" />
                        <input type="hidden" name="document" value=id.to_string() />
                        <Field name="title" label="Title" most=200 value=typed("title", about.title.clone()) refusal=refusal.clone() />
                        <Choice name="kind" label="Kind" options=kinds chosen=typed("kind", about.kind.code().to_owned()) />
                        <Choice name="owner" label="Who answers for it" options=readers nobody="Nobody yet" chosen=typed("owner", about.owner.map(|id| id.to_string()).unwrap_or_default()) refusal=refusal.clone() />
                        <Field name="review_by" label="To be reviewed by" kind="date" optional=true class="short" value=typed("review_by", date(about.review_by)) refusal=refusal.clone() />
                        <Field name="from" label="In force from" kind="date" optional=true class="short" value=typed("from", date(about.from)) refusal=refusal.clone() />
                        <Field name="to" label="In force until" kind="date" optional=true class="short" value=typed("to", date(about.to)) refusal=refusal.clone() />
                        <Field name="tags" label="Tags" most=500 optional=true value=typed("tags", about.tags.join(", ")) refusal=refusal.clone() hint="Words to find it by, with commas between them." />
                        <div class="actions"><button class="button primary">"Save"</button><a class="button" href=format!("/papers/{id}")>"Cancel"</a></div>
                    </form>
                </div>
            </section>
            <aside class="stack" aria-label="Where it lies">
                {place(&document, folders, echo.of("papers/move"))}
                {end(&document)}
            </aside>
        </div>
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

fn place(
    document: &Document,
    folders: Vec<(String, String)>,
    refusal: Option<Refusal>,
) -> impl IntoView + use<> {
    let id = document.id.to_string();
    let restricted = document.folder.restricted;
    view! {
        <section class="card" aria-labelledby="place">
            <header><h2 id="place">"Folder"</h2></header>
            <div class="body">
                {if restricted {
                    view! { <p>{Refusal::DocumentStays.to_string()}</p> }.into_any()
                } else if folders.is_empty() {
                    view! { <p>"There is no other folder in which you file."</p> }.into_any()
                } else {
                    view! {
                        <form class="form" method="post">
                            <Act name="papers/move" />
                            <input type="hidden" name="document" value=id />
                            <Choice name="folder" label="Move it to" options=folders nobody="Choose" refusal=refusal hint="It is then read by the readers of that folder." />
                            <div class="actions"><button class="button">"Move"</button></div>
                        </form>
                    }.into_any()
                }}
            </div>
        </section>
    }
}

fn end(document: &Document) -> impl IntoView + use<> {
    let id = document.id.to_string();
    let one = |act: &'static str, what: &'static str, label: &'static str| {
        let id = id.clone();
        view! {
            <form class="form" method="post">
                <Act name=act />
                <input type="hidden" name="document" value=id />
                <p>{what}</p>
                <div class="actions"><button class="button">{label}</button></div>
            </form>
        }
    };
    view! {
        <section class="card" aria-labelledby="end">
            <header><h2 id="end">"Out of use"</h2></header>
            <div class="body">
                {match document.state {
                    State::Current => one("papers/archive", "It stays readable, and is listed apart.", "Take it out of use").into_any(),
                    State::Archived => one("papers/reinstate", "It is out of use.", "Take it into use again").into_any(),
                    State::Binned => one("papers/unbin", "It is in the bin.", "Take it out of the bin").into_any(),
                }}
                {(document.state != State::Binned).then(|| view! {
                    <details>
                        <summary>"Delete it"</summary>
                        <form class="form" method="post">
                            <Act name="papers/bin" />
                            <input type="hidden" name="document" value=id.clone() />
                            <p>"It lies in the bin for 30 days, where you can take it out again. Then every version of it is deleted for good; the log keeps that it was."</p>
                            <Field name="reason" label="Why" most=500 hint="The rule of your records schedule, as “Superseded, six years over”." />
                            <div class="actions"><button class="button danger">"Put it into the bin"</button></div>
                        </form>
                    </details>
                })}
            </div>
        </section>
    }
}
