//! `/library/:folder/add` and `/papers/:id/add`: files come in. The page's script sends them in parts, with progress, and goes on
//! after a lost connection; without it the form is sent as it is.

use domain::{
    Refusal,
    approval::asking::audience,
    board::Named,
    db::Read,
    document::{Document, Kind, State},
    file,
    folder::{self, Folder},
};
use leptos::prelude::*;
use uuid::Uuid;

use super::folder::to_library;
use crate::{
    form::{Choice, Echo, Field, Refusals},
    membership::crumbs,
    sheet::Drawing,
    ui::{Heading, Icon},
};

/// What a form without a script is called when it is refused.
const ACT: &str = "library/upload";

/// `/library/:folder/add`
pub async fn to_folder(read: &mut Read, id: &str) -> Result<Drawing, Refusal> {
    let id = Uuid::try_parse(id).map_err(|_| Refusal::NotFound)?;
    let folder = folder::one(read, id).await?;
    if !folder.files {
        return Err(Refusal::NotFound);
    }
    if folder.archived {
        return Err(Refusal::FolderArchived);
    }
    let readers = owners(read, &folder, None).await?;
    let echo: Echo = use_context().unwrap_or_default();
    let refusal = echo.of(ACT);
    let title = "Add documents".to_owned();
    let value = |name: &str| echo.value(name).unwrap_or_default();
    let kinds = Kind::ALL
        .iter()
        .map(|kind| (kind.code().to_owned(), kind.name().to_owned()))
        .collect::<Vec<_>>();
    let some = some_filed(&echo);
    let page = view! {
        {crumbs(vec![to_library(), (format!("/library/{id}"), folder.name.clone())])}
        <Heading title=title.clone() lead=format!("To the folder {}.", folder.name) />
        {some}
        <Refusals refusal=refusal.clone() />
        <section class="card narrow">
            <div class="body">
                <form class="form" method="post" enctype="multipart/form-data" data-upload="" data-folder=id.to_string()>
                    <Field name="title" label="Title" most=200 optional=true value=value("title") refusal=refusal.clone()
                        hint="For one file. Left empty, it is called as its file is." />
                    <Choice name="kind" label="Kind" options=kinds chosen=echo.value("kind").unwrap_or_else(|| "policy".to_owned()) />
                    <Choice name="owner" label="Who answers for it" options=readers nobody="Nobody yet" chosen=value("owner") refusal=refusal.clone() />
                    <Field name="review_by" label="To be reviewed by" kind="date" optional=true class="short" value=value("review_by") refusal=refusal.clone() />
                    <Field name="tags" label="Tags" most=500 optional=true value=value("tags") refusal=refusal.clone() hint="Words to find it by, with commas between them." />
                    // Last: what is said of a file is read before the file itself, which is never held in memory.
                    {choose(true, refusal.clone())}
                    <div class="actions">
                        <button class="button primary">"Add"</button>
                        <a class="button" href=format!("/library/{id}")>"Cancel"</a>
                    </div>
                </form>
                {progress()}
            </div>
        </section>
        {script()}
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

/// `/papers/:id/add`
pub async fn to_document(read: &mut Read, id: &str) -> Result<Drawing, Refusal> {
    let id = Uuid::try_parse(id).map_err(|_| Refusal::NotFound)?;
    let document = domain::document::one(read, id).await?;
    if !document.folder.files || document.state == State::Binned {
        return Err(Refusal::NotFound);
    }
    let newest = document.versions.first().map_or(0, |one| one.number);
    let echo: Echo = use_context().unwrap_or_default();
    let refusal = echo.of(ACT);
    let title = "Add a new version".to_owned();
    let page = view! {
        {crumbs(back(&document))}
        <Heading title=title.clone() lead=format!("Version {newest} stays readable. Answers that were given to it are answers to it, and not to the new one.") />
        <Refusals refusal=refusal.clone() />
        <section class="card narrow">
            <div class="body">
                <form class="form" method="post" enctype="multipart/form-data" data-upload="" data-document=id.to_string()>
                    <input type="hidden" name="after" value=newest.to_string() />
                    <Field name="note" label="What is new in it" most=500 optional=true value=echo.value("note").unwrap_or_default() refusal=refusal.clone()
                        hint="Readers see this beside the version, as “Section 5: representations by parents”." />
                    {choose(false, refusal.clone())}
                    <div class="actions">
                        <button class="button primary">"Add the version"</button>
                        <a class="button" href=format!("/papers/{id}")>"Cancel"</a>
                    </div>
                </form>
                {progress()}
            </div>
        </section>
        {script()}
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

/// The way back from a page about a document.
pub fn back(document: &Document) -> Vec<(String, String)> {
    vec![
        to_library(),
        (
            format!("/library/{}", document.folder.id),
            document.folder.name.clone(),
        ),
        (
            format!("/papers/{}", document.id),
            document.about.title.clone(),
        ),
    ]
}

/// Who may be said to answer for a document of the folder: those who read it or keep it; and who does at present, whatever they read,
/// or saving something else would leave it without anybody.
pub async fn owners(
    read: &mut Read,
    folder: &Folder,
    present: Option<&Named>,
) -> Result<Vec<(String, String)>, Refusal> {
    let readers = audience(read, folder.id).await?;
    let called = |person: &Named| {
        person
            .name
            .clone()
            .unwrap_or_else(|| "Somebody you cannot see here".to_owned())
    };
    let gone = present
        .filter(|owner| readers.iter().all(|one| one.id != owner.id))
        .map(|owner| {
            let words = format!("{} (does not read this folder)", called(owner));
            (owner.id.to_string(), words)
        });
    Ok(readers
        .iter()
        .filter(|one| one.name.is_some() || present.is_some_and(|owner| owner.id == one.id))
        .map(|one| (one.id.to_string(), called(one)))
        .chain(gone)
        .collect())
}

fn some_filed(echo: &Echo) -> Option<AnyView> {
    let n: usize = echo.value("filed")?.parse().ok()?;
    (n > 0).then(|| {
        view! { <div class="notice wait" role="status"><Icon name="info" /><p>{format!("{} before it. The one below was not.", if n == 1 { "One file was added".to_owned() } else { format!("{n} files were added") })}</p></div> }
            .into_any()
    })
}

/// The field for files, with what may be in it.
fn choose(several: bool, refusal: Option<Refusal>) -> impl IntoView {
    let wrong = refusal
        .filter(|refusal| refusal.field() == Some("file"))
        .map(|refusal| refusal.to_string());
    let accept: Vec<String> = file::Kind::ALL
        .into_iter()
        .flat_map(|kind| kind.extensions().iter().map(|ending| format!(".{ending}")))
        .collect();
    let (label, hint) = if several {
        (
            "Files",
            "PDF, Word, Excel, PowerPoint, LibreOffice, PNG, JPEG, TXT or CSV, each up to 200 MB. Or drop them here.",
        )
    } else {
        (
            "File",
            "PDF, Word, Excel, PowerPoint, LibreOffice, PNG, JPEG, TXT or CSV, up to 200 MB. Or drop it here.",
        )
    };
    view! {
        <div class="field drop" data-drop="">
            <label for="file">{label}</label>
            <p class="hint" id="file-hint">{hint}</p>
            {wrong.clone().map(|wrong| view! {
                <p class="error" id="file-error"><Icon name="warning" class="icon small" /><span><span class="hidden-text">"Error: "</span>{wrong}</span></p>
            })}
            <input id="file" name="file" type="file" multiple=several accept=accept.join(",") required=true
                aria-describedby=if wrong.is_some() { "file-hint file-error" } else { "file-hint" } aria-invalid=wrong.is_some().then_some("true") />
        </div>
    }
}

/// Where the script shows how far each file has come, and says what has become of it: not each number on the way.
fn progress() -> impl IntoView {
    view! {
        <div data-uploads=""></div>
        <p class="hidden-text" role="status" data-uploads-said=""></p>
    }
}

/// Loaded with every signed-in page's scripts; see `public/upload/upload.js`.
fn script() -> impl IntoView {
    view! { <p class="muted">"Each file is checked before it is kept: that it is what its name says, that it can be read, and that nothing in it starts by itself."</p> }
}
