//! `/library/:folder`: what lies in a folder, newest versions first to hand; for who files there also how to add to it, its bin,
//! and taking it out of use.

use domain::{
    Refusal,
    approval::Last,
    db::Read,
    document::{self, Listed, State},
    folder::{self, Folder},
};
use leptos::prelude::*;
use uuid::Uuid;

use super::file_words;
use crate::{
    approval::beside::state_tag,
    form::{Act, Echo, Field, Refusals, TextArea},
    membership::crumbs,
    sheet::{Asked, Drawing},
    ui::{Around, Heading, Icon, Moment, Notice, counted},
};

/// The way back to all folders.
pub fn to_library() -> (String, String) {
    ("/library".to_owned(), "Papers".to_owned())
}

/// `/library/:folder`
pub async fn page(
    read: &mut Read,
    around: &Around,
    asked: &Asked,
    id: &str,
) -> Result<Drawing, Refusal> {
    let id = Uuid::try_parse(id).map_err(|_| Refusal::NotFound)?;
    let folder = folder::one(read, id).await?;
    let title = folder.name.clone();
    if !folder.reads {
        return Ok(Drawing {
            page: closed(&folder, asked).into_any(),
            title,
        });
    }
    let current = document::list(read, Some(id), State::Current).await?;
    let archived = document::list(read, Some(id), State::Archived).await?;
    let binned = if folder.files {
        document::list(read, Some(id), State::Binned).await?
    } else {
        vec![]
    };
    let done = match asked.query("done") {
        "opened" => Some("The folder is made.".to_owned()),
        "described" => Some("Saved.".to_owned()),
        "archived" => {
            Some("The folder is out of use. What lies in it can still be read.".to_owned())
        }
        "reopened" => Some("The folder is in use again.".to_owned()),
        many => many
            .parse::<usize>()
            .ok()
            .map(|n| format!("{} added.", counted(n, "document", "documents"))),
    };
    let lead = if folder.about.is_empty() {
        counted(current.len(), "document", "documents")
    } else {
        folder.about.clone()
    };
    let path = format!("/library/{id}");
    let (add, first, readers) = (
        format!("{path}/add"),
        format!("{path}/add"),
        format!("{path}/readers"),
    );
    let sees_readers = folder.restricted || around.manages_people() || folder.files;
    let page = view! {
        {crumbs(vec![to_library()])}
        {done.map(|text| view! { <Notice text=text /> })}
        <Heading title=title.clone() lead=lead>
            {sees_readers.then(|| view! { <a class="button" href=readers><Icon name="people" />"Who reads it"</a> })}
            {(folder.files && !folder.archived).then(|| view! { <a class="button primary" href=add.clone()><Icon name="add" />"Add documents"</a> })}
        </Heading>
        {state(&folder)}
        <section class="card" aria-label="Documents">
            {if current.is_empty() {
                view! {
                    <div class="empty"><Icon name="folder" /><h2>"Nothing in it yet"</h2>
                        <p>{if folder.files { "Add a policy, a report or minutes: PDF, Word, Excel, PowerPoint, LibreOffice, pictures or text." } else { "When something is filed here, it is on this page at once." }}</p>
                        {(folder.files && !folder.archived).then(|| view! { <div class="actions"><a class="button primary" href=first.clone()>"Add documents"</a></div> })}
                    </div>
                }.into_any()
            } else {
                table(&current, "in use").into_any()
            }}
        </section>
        {(!archived.is_empty()).then(|| view! {
            <details class="card quiet"><summary>{counted(archived.len(), "document", "documents")} " out of use"</summary>{table(&archived, "out of use")}</details>
        })}
        {(!binned.is_empty()).then(|| view! {
            <details class="card quiet"><summary>{counted(binned.len(), "document", "documents")} " in the bin"</summary>
                <p class="muted pad">"They are deleted for good 30 days after they were put there. Until then each can be taken out on its own page."</p>
                {table(&binned, "in the bin")}
            </details>
        })}
        {folder.files.then(|| keep(&folder))}
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

/// What somebody sees who keeps the library and does not read the folder: that it is there.
fn closed(folder: &Folder, asked: &Asked) -> impl IntoView + use<> {
    let done = (asked.query("done") == "opened").then_some("The folder is made.");
    view! {
        {crumbs(vec![to_library()])}
        {done.map(|text| view! { <Notice text=text /> })}
        <Heading title=folder.name.clone() lead="A restricted folder." />
        <section class="card narrow"><div class="empty">
            <Icon name="lock" />
            <h2>"You do not read this folder"</h2>
            <p>"Only the people it names read it. An administrator cannot add anybody, and sees neither what is in it nor how much. If you need to read it, ask one of its readers: two of them together can add you."</p>
        </div></section>
    }
}

fn state(folder: &Folder) -> impl IntoView + use<> {
    view! {
        {folder.restricted.then(|| view! {
            <div class="notice"><Icon name="lock" /><p>"Restricted: only the people it names read this folder. Administrators see that it is there and no more."</p></div>
        })}
        {folder.archived.then(|| view! {
            <div class="notice wait"><Icon name="info" /><p>"This folder is out of use. Nothing is added to it."</p></div>
        })}
    }
}

/// Documents as a table.
pub fn table(listed: &[Listed], what: &str) -> impl IntoView + use<> {
    let caption = format!(
        "{} {what}, by title.",
        counted(listed.len(), "document", "documents")
    );
    let rows: Vec<_> = listed.iter().map(row).collect();
    view! {
        <table class="table papers">
            <caption>{caption}</caption>
            <thead><tr>
                <th scope="col">"Title"</th><th scope="col">"Kind"</th><th scope="col">"Version"</th><th scope="col">"Added"</th><th scope="col">"You"</th>
            </tr></thead>
            <tbody>{rows}</tbody>
        </table>
    }
}

fn row(one: &Listed) -> impl IntoView + use<> {
    let tags = one.tags.join(", ");
    view! {
        <tr>
            <th scope="row">
                <a class="open" href=format!("/papers/{}", one.id)>{one.title.clone()}</a>
                <small>{file_words(one.format, one.pages, one.size)}{(!tags.is_empty()).then(|| format!(" · {tags}"))}</small>
            </th>
            <td data-label="Kind">{one.kind.name()}</td>
            <td data-label="Version">{one.newest} {approval(one.approval, Some(one.newest))}</td>
            <td data-label="Added"><Moment at=one.at.clone() day=true /></td>
            <td data-label="You">{if one.opened {
                view! { <span class="muted">"Opened"</span> }.into_any()
            } else {
                view! { <span class="tag wait">"Not opened"</span> }.into_any()
            }}</td>
        </tr>
    }
}

/// How a document stands with its approval, behind what it is called or counted.
pub fn approval(last: Option<Last>, newest: Option<u32>) -> impl IntoView + use<> {
    last.map(|last| view! { " "{state_tag(last, newest)} })
}

/// Documents as a short list.
pub fn documents(listed: &[Listed]) -> impl IntoView + use<> {
    let lines: Vec<_> = listed
        .iter()
        .map(|one| {
            view! {
                <li>
                    <a href=format!("/papers/{}", one.id)><b>{one.title.clone()}</b></a> {approval(one.approval, Some(one.newest))}
                    <small>{format!("Version {}, ", one.newest)}<Moment at=one.at.clone() day=true />{(!one.opened).then_some(" · not opened")}</small>
                </li>
            }
        })
        .collect();
    view! { <ul role="list" class="lines">{lines}</ul> }
}

/// What who files there does to the folder itself.
fn keep(folder: &Folder) -> impl IntoView + use<> {
    let echo: Echo = use_context().unwrap_or_default();
    let refusal = echo.of("library/describe-folder");
    // A box that was left empty is not sent.
    let prints = if refusal.is_some() {
        echo.value("prints").is_some()
    } else {
        folder.prints
    };
    let id = folder.id.to_string();
    let (act, label, what) = if folder.archived {
        (
            "library/reopen-folder",
            "Take it into use again",
            "It can be added to again.",
        )
    } else {
        (
            "library/archive-folder",
            "Take it out of use",
            "Nothing is added to it any more. What lies in it stays and can be read.",
        )
    };
    view! {
        <details class="card quiet" open=refusal.is_some()>
            <summary>"Change this folder"</summary>
            <div class="body">
                <Refusals refusal=refusal.clone() />
                <form class="form" method="post">
                    <Act name="library/describe-folder" />
                    <input type="hidden" name="folder" value=id.clone() />
                    // A box that is empty is not sent, and a form that was drawn before there was this box has none.
                    <input type="hidden" name="knows" value="prints" />
                    <Field name="name" label="Name" most=120 value=echo.value("name").unwrap_or_else(|| folder.name.clone()) refusal=refusal.clone() />
                    <TextArea name="about" label="What it is for" value=echo.value("about").unwrap_or_else(|| folder.about.clone()) />
                    <label class="option">
                        <input type="checkbox" name="prints" value="yes" checked=prints />
                        <b>"People who read here may print"</b>
                        <small>"Without this the reader does not print. Whoever downloads a file can still print it in another program."</small>
                    </label>
                    <div class="actions"><button class="button">"Save"</button></div>
                </form>
                <form class="form" method="post">
                    <Act name=act />
                    <input type="hidden" name="folder" value=id />
                    <p>{what}</p>
                    <div class="actions"><button class="button">{label}</button></div>
                </form>
            </div>
        </details>
    }
}
