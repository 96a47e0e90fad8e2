//! `/papers/:id`: a document, to be read; beside it what is said of it, its versions, and who has opened it.

use domain::{
    Refusal, day,
    db::Read,
    document::{self, Document, Opening, State, Version, copy::Copied},
    file,
};
use leptos::prelude::*;
use uuid::Uuid;

use super::{changes, file_words, folder::to_library, questions};
use crate::{
    approval,
    form::{Act, Echo, Refusals},
    membership::crumbs,
    sheet::{Asked, Drawing},
    ui::{Heading, Icon, Moment, Notice, counted},
};

/// `/papers/:id`, or an older version with `?version=`
pub async fn page(read: &mut Read, asked: &Asked, id: &str) -> Result<Drawing, Refusal> {
    let id = Uuid::try_parse(id).map_err(|_| Refusal::NotFound)?;
    let document = document::one(read, id).await?;
    let wanted = match asked.query("version") {
        "" => None,
        number => Some(number.parse().map_err(|_| Refusal::NotFound)?),
    };
    let shown = document.version(wanted).ok_or(Refusal::NotFound)?.clone();
    let newest = document
        .version(None)
        .map_or(shown.number, |one| one.number);
    let readers = crate::reading::readers(read, id).await?;
    let openings = document::openings(read, &document, shown.id).await?;
    let approval = approval::beside::shown(read, &document, &shown).await?;
    let echo: Echo = use_context().unwrap_or_default();
    let since = changes::since(read, &document, &shown).await?;
    let copied = if shown.format.is_office() {
        document::copy::of(read, shown.id).await?
    } else {
        None
    };
    let beside = questions::beside(read, &document, &shown, &echo).await?;
    let done = done(asked).or_else(|| questions::done(asked));
    let title = document.about.title.clone();
    let lead = format!(
        "Version {}, {}",
        shown.number,
        file_words(shown.format, shown.pages, shown.size)
    );
    let (files, name) = (document.folder.files, shown.file_name.clone());
    let page = view! {
        {crumbs(vec![to_library(), (format!("/library/{}", document.folder.id), document.folder.name.clone())])}
        {done.map(|text| view! { <Notice text=text /> })}
        <Refusals refusal=echo.refusal.clone().filter(|_| !matches!(echo.act.as_str(), "approvals/answer" | "approvals/take-back")) />
        <Heading title=title.clone() lead=lead>
            <a class="button" href=address(id, shown.number) rel="external" download=name.clone()><Icon name="download" />"Download"</a>
            {files.then(|| view! { <a class="button" href=format!("/papers/{id}/about")>"Change"</a> })}
            {(files && document.state != State::Binned).then(|| view! { <a class="button primary" href=format!("/papers/{id}/add")>"Add a version"</a> })}
        </Heading>
        {readers}
        {standing(&document, &shown, newest)}
        {approval.notice}
        {since.notice()}
        {copied.and_then(|copied| copy_notice(id, &shown, copied))}
        // Where the card with the answer lies under the document, the way to it stands above.
        {approval.wanted.map(|due| view! { <a class="notice wait wanted" href="#answer" rel="external"><Icon name="clock" /><p>{format!("Your answer is wanted by {}.", day::words(due))}</p></a> })}
        <div class="paper">
            <section class="reader" aria-label="The document">{reader(id, &document, &shown, copied, beside.marks, since.marks())}</section>
            <aside class="stack" aria-label="About this document">
                {approval.card}
                {beside.card}
                {since.card()}
                {versions(&document, &shown)}
                {said(&document, &shown)}
                {opened(&document, &shown, &openings)}
            </aside>
        </div>
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

fn done(asked: &Asked) -> Option<String> {
    Some(match asked.query("done") {
        "filed" => match asked.query("meanwhile") {
            "" | "0" => "It is filed, and its readers are told.".to_owned(),
            "1" => "It is filed. While you were at it somebody else added a version too: yours is the newest, and both are kept."
                .to_owned(),
            n => format!("It is filed. While you were at it others added {n} versions: yours is the newest, and all are kept."),
        },
        "put" => match (asked.query("people"), asked.query("left")) {
            ("1", "" | "0") => "One person is asked, and told.".to_owned(),
            (people, "" | "0") => format!("{people} people are asked, and told."),
            (people, left) => format!("{people} are asked, and told. {left} of them do not read this folder and are not asked."),
        },
        "given" => "Your answer is recorded.".to_owned(),
        "taken-back" => "Your answer is taken back.".to_owned(),
        "question-withdrawn" => "The request is withdrawn. What was answered stays on record.".to_owned(),
        "described" => "Saved.".to_owned(),
        "restored" => "The older version is the newest again.".to_owned(),
        "moved" => "It lies in another folder now.".to_owned(),
        "archived" => "It is out of use, and can still be read.".to_owned(),
        "reinstated" => "It is in use again.".to_owned(),
        "binned" => "It is in the bin. You can take it out for 30 days.".to_owned(),
        "unbinned" => "It is out of the bin.".to_owned(),
        _ => return None,
    })
}

/// Where the copy for reading of an office file is.
fn copy_address(document: Uuid, number: u32) -> String {
    format!("/papers/{document}/versions/{number}/copy")
}

/// What stands above a copy: that it is one.
fn copy_notice(id: Uuid, shown: &Version, copied: Copied) -> Option<AnyView> {
    let Copied::Made { .. } = copied else {
        return None;
    };
    let words = format!(
        "This is a copy for reading, made from the {}. Approval is of the file itself: ",
        noun(shown.format)
    );
    Some(
        view! {
            <div class="notice wait"><Icon name="info" /><p>{words}<a href=address(id, shown.number) rel="external" download=shown.file_name.clone()>"download it"</a>"."</p></div>
        }
        .into_any(),
    )
}

/// "Word document".
fn noun(format: file::Kind) -> &'static str {
    let words = format.words();
    words.split_once(' ').map_or(words, |(_, noun)| noun)
}

/// Where a version's file is.
fn address(document: Uuid, number: u32) -> String {
    format!("/papers/{document}/versions/{number}/file")
}

/// What stands above the document: that it is not the newest, out of use, or in the bin.
fn standing(document: &Document, shown: &Version, newest: u32) -> impl IntoView + use<> {
    let id = document.id;
    let older = (shown.number != newest).then(|| {
        view! {
            <div class="notice wait"><Icon name="info" /><p>{format!("This is version {}. The newest is version {newest}.", shown.number)}</p>
                <a href=format!("/papers/{id}")>"Read the newest"</a></div>
        }
    });
    let state = match (&document.state, &document.binned) {
        (State::Archived, _) => Some("This document is out of use.".to_owned()),
        (State::Binned, Some((_, why))) => Some(format!(
            "This document is in the bin and is deleted after 30 days there. Why: {why}"
        )),
        _ => None,
    };
    let cut = shown.cut.then_some(
        "This file has more text than is kept of one. What stands behind that is not found by a search, not compared with other versions, and no question can be asked on a sentence of it. The file itself is whole.",
    );
    let until = document
        .about
        .to
        .filter(|to| *to < crate::door::today())
        .map(|to| format!("It was in force until {}.", day::words(to)));
    view! {
        {older}
        {state.map(|text| view! { <div class="notice wait"><Icon name="info" /><p>{text}</p></div> })}
        {cut.map(|text| view! { <div class="notice wait"><Icon name="info" /><p>{text}</p></div> })}
        {until.map(|text| view! { <div class="notice wait"><Icon name="clock" /><p>{text}</p></div> })}
    }
}

/// The reader; without a script what stands in it: how to get the file.
fn reader(
    id: Uuid,
    document: &Document,
    shown: &Version,
    copied: Option<Copied>,
    marks: String,
    changes: Option<String>,
) -> AnyView {
    let whole = |kind| (kind, address(id, shown.number), shown.size, changes);
    let (kind, src, length, changes) = match (shown.format, copied) {
        (file::Kind::Pdf, _) => whole("pdf"),
        (file::Kind::Png | file::Kind::Jpeg, _) => whole("image"),
        (file::Kind::Text, _) => whole("text"),
        (file::Kind::Csv, _) => whole("csv"),
        // Its pages are not those of the text in which changes are found.
        (_, Some(Copied::Made { size })) => ("pdf", copy_address(id, shown.number), size, None),
        (office, copied) => {
            let (heading, words) = match copied {
                Some(Copied::Wanted) if crate::door::services().copies => (
                    "A copy for reading is being made",
                    "It is shown here as soon as it is there. Until then you can download the file.".to_owned(),
                ),
                Some(Copied::Failed) => (
                    "To be read in its own program",
                    format!("This is {}, of which a copy for reading could not be made. Download it and open it on your computer.", office.words()),
                ),
                _ => (
                    "To be read in its own program",
                    "This kind of file is not shown here. Download it and open it on your computer.".to_owned(),
                ),
            };
            return view! {
                <div class="empty"><Icon name="download" /><h2>{heading}</h2>
                    <p>{words}</p>
                    <div class="actions"><a class="button primary" href=address(id, shown.number) rel="external" download=shown.file_name.clone()>"Download"</a></div>
                </div>
            }
            .into_any();
        }
    };
    let read_copy = shown.format.is_office().then(|| {
        view! { <a class="button primary" href=src.clone() rel="external" download=format!("{}.pdf", shown.file_name)>"Open the copy"</a> }
    });
    let button = if read_copy.is_some() {
        "button"
    } else {
        "button primary"
    };
    view! {
        <paper-reader id="reader" data-src=src data-kind=kind data-name=document.about.title.clone() data-length=length.to_string()
            data-paper=id.to_string() data-version=shown.number.to_string() data-print=document.folder.prints.then_some("yes") data-marks=marks data-changes=changes>
            <div class="empty"><Icon name="download" /><h2>"Read it on your computer"</h2>
                <p>"Without a script this page cannot show the document."</p>
                <div class="actions">{read_copy}<a class=button href=address(id, shown.number) rel="external" download=shown.file_name.clone()>"Download"</a></div>
            </div>
        </paper-reader>
    }
    .into_any()
}

fn versions(document: &Document, shown: &Version) -> impl IntoView + use<> {
    let (id, files) = (
        document.id,
        document.folder.files && document.state != State::Binned,
    );
    let newest = document.versions.first().map_or(0, |one| one.number);
    let lines: Vec<_> = document
        .versions
        .iter()
        .map(|one| {
            let here = one.number == shown.number;
            // Left out where the reader may not see who it is.
            let by = one.by.name.clone().map(|by| format!("{by}, "));
            let note = match (one.restores, one.note.is_empty()) {
                (Some(restores), _) => Some(format!("Brings back version {restores}")),
                (None, false) => Some(one.note.clone()),
                (None, true) => None,
            };
            let href = if one.number == newest { format!("/papers/{id}") } else { format!("/papers/{id}?version={}", one.number) };
            view! {
                <li class:here=here>
                    <span><a href=href aria-current=here.then_some("true")><b>{format!("Version {}", one.number)}</b></a>
                        {(one.number == newest).then(|| view! { " " <span class="tag good">"Newest"</span> })}</span>
                    {note.map(|note| view! { <span>{note}</span> })}
                    <small>{by} <Moment at=one.at.clone() day=true />{(one.opened.is_none() && !here).then_some(" · you have not opened it")}</small>
                    {(files && one.number != newest).then(|| view! {
                        <form method="post">
                            <Act name="papers/restore" />
                            <input type="hidden" name="document" value=id.to_string() />
                            <input type="hidden" name="number" value=one.number.to_string() />
                            <button class="button quiet small">"Bring it back" <span class="hidden-text">{format!(": version {}", one.number)}</span></button>
                        </form>
                    })}
                </li>
            }
        })
        .collect();
    view! {
        <section class="card" aria-labelledby="versions">
            <header><h2 id="versions">{counted(document.versions.len(), "version", "versions")}</h2></header>
            <div class="body"><ul role="list" class="lines versions">{lines}</ul></div>
        </section>
    }
}

fn said(document: &Document, shown: &Version) -> impl IntoView + use<> {
    let about = &document.about;
    // As above; somebody whom the reader may not see is not nobody.
    let owner = match &document.owner {
        None => Some("Nobody yet".to_owned()),
        Some(owner) => owner.name.clone(),
    };
    let holds = match (about.from, about.to) {
        (None, None) => None,
        (Some(from), None) => Some(format!("From {}", day::words(from))),
        (None, Some(to)) => Some(format!("Until {}", day::words(to))),
        (Some(from), Some(to)) => Some(format!("{} to {}", day::words(from), day::words(to))),
    };
    let tags = about.tags.join(", ");
    view! {
        <section class="card" aria-labelledby="said">
            <details class="fold">
            <summary><h2 id="said">"What it is"</h2></summary>
            <div class="body">
                <dl class="details">
                    <div><dt>"Kind"</dt><dd>{about.kind.name()}</dd></div>
                    {owner.map(|owner| view! { <div><dt>"Answers for it"</dt><dd>{owner}</dd></div> })}
                    {about.review_by.map(|by| view! { <div><dt>"Review by"</dt><dd>{day::words(by)}</dd></div> })}
                    {holds.map(|holds| view! { <div><dt>"In force"</dt><dd>{holds}</dd></div> })}
                    {(!tags.is_empty()).then(|| view! { <div><dt>"Tags"</dt><dd>{tags}</dd></div> })}
                    <div><dt>"File"</dt><dd>{shown.file_name.clone()}</dd></div>
                    <div><dt>"SHA-256"</dt><dd><code class="hash">{shown.sha256.clone()}</code></dd></div>
                </dl>
            </div>
            </details>
        </section>
    }
}

/// Told to each reader in plain words, since it is about them; and to who files there about all.
fn opened(document: &Document, shown: &Version, openings: &[Opening]) -> impl IntoView + use<> {
    let own = match &shown.opened {
        Some(at) => {
            view! { <p>"You opened this version on "<Moment at=at.clone() />"."</p> }.into_any()
        }
        None => {
            view! { <p>"You had not opened this version when this page was loaded."</p> }.into_any()
        }
    };
    let all = document.folder.files.then(|| {
        let (has, not): (Vec<_>, Vec<_>) = openings.iter().partition(|one| one.at.is_some());
        let line = |one: &Opening| {
            let name = one.person.called();
            let at = one.at.clone();
            view! { <li>{name} " " {at.map(|at| view! { <small><Moment at=at /></small> })}</li> }
        };
        let (read, unread): (Vec<_>, Vec<_>) = (has.into_iter().map(line).collect(), not.into_iter().map(line).collect());
        let summary = format!("{} of {} have opened it", read.len(), read.len() + unread.len());
        view! {
            <details><summary>{summary}</summary>
                {(!read.is_empty()).then(|| view! { <h3>"Opened"</h3><ul role="list" class="lines">{read}</ul> })}
                {(!unread.is_empty()).then(|| view! { <h3>"Not opened"</h3><ul role="list" class="lines">{unread}</ul> })}
            </details>
        }
    });
    view! {
        <section class="card" aria-labelledby="opened">
            <details class="fold">
                <summary><h2 id="opened">"Who has opened it"</h2></summary>
                <div class="body">
                    {own}
                    {all}
                    <p class="muted">"Whoever files in this folder sees whether you have opened a version and when first. Nobody sees how long you read it."</p>
                </div>
            </details>
        </section>
    }
}
