//! `/library/:folder/readers`: who reads a folder. Of an open one clerks and administrators say so at once; of a restricted one a
//! reader asks and another agrees.

use domain::{
    Refusal,
    db::Read,
    folder::{
        self, Folder,
        readers::{self, Change, Line, Reader},
    },
    role::Role,
};
use leptos::prelude::*;
use uuid::Uuid;

use super::folder::to_library;
use crate::{
    form::{Act, Choice, Echo, ProofBeside, Refusals},
    membership::crumbs,
    sheet::{Asked, Drawing},
    ui::{Around, Heading, Moment, Notice, counted},
};

/// `/library/:folder/readers`
pub async fn page(
    read: &mut Read,
    around: &Around,
    asked: &Asked,
    id: &str,
) -> Result<Drawing, Refusal> {
    let id = Uuid::try_parse(id).map_err(|_| Refusal::NotFound)?;
    let folder = folder::one(read, id).await?;
    if !folder.reads {
        return Err(Refusal::NotFound);
    }
    let lines = readers::list(read, id).await?;
    let people = readers::people(read, id).await?;
    let changes = readers::changes(read, id).await?;
    let may = folder.restricted || around.manages_people();
    let everybody: Vec<(String, String)> = if may {
        domain::membership::list(read)
            .await?
            .into_iter()
            .filter(|person| person.state != domain::membership::State::Ended)
            .map(|person| (person.id.to_string(), person.name))
            .collect()
    } else {
        vec![]
    };
    let committees = if may && !folder.restricted && around.sees_people() {
        domain::board::board(read, crate::door::today())
            .await?
            .committees
    } else {
        vec![]
    };
    let kind = read.standing.kind;
    let echo: Echo = use_context().unwrap_or_default();
    let refusal = echo.refusal.clone();
    let done = match asked.query("done") {
        "added" => Some("They read this folder from now on."),
        "removed" => Some("Done. Pages of it that were open have closed."),
        "asked" => Some("The other readers have been told. It is done when one of them agrees."),
        "agreed" => Some("Done. Every reader has been told."),
        "dropped" => Some("That wish is gone. Nothing was changed."),
        _ => None,
    };
    let title = format!("Who reads {}", folder.name);
    let rows: Vec<_> = lines.iter().map(|line| row(&folder, line, may)).collect();
    let lead = if folder.restricted {
        format!(
            "{}. Two of them together change this.",
            counted(people.len(), "person", "people")
        )
    } else {
        format!(
            "{} today, and whoever keeps the library.",
            counted(people.len(), "person", "people")
        )
    };
    let page = view! {
        {crumbs(vec![to_library(), (format!("/library/{id}"), folder.name.clone())])}
        {done.map(|text| view! { <Notice text=text /> })}
        <Heading title=title.clone() lead=lead />
        <Refusals refusal=refusal.clone() />
        <ProofBeside refusal=refusal.clone() />
        <div class="split">
            <div class="stack">
                {(!changes.is_empty()).then(|| waiting(&folder, &changes))}
                <section class="card" aria-label="Readers"><div class="body">{rows}</div></section>
            </div>
            <aside class="stack" aria-label="Change who reads it">
                {if folder.restricted {
                    ask(&folder, &everybody).into_any()
                } else if may {
                    add(&folder, everybody, committees.into_iter().map(|one| (one.id.to_string(), one.name)).collect(), kind).into_any()
                } else {
                    ().into_any()
                }}
            </aside>
        </div>
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

fn row(folder: &Folder, line: &Line, may: bool) -> impl IntoView + use<> {
    let (who, what) = match &line.reader {
        Reader::Role(role) => (role.name().to_owned(), "Everybody who has the role"),
        Reader::Committee(_, name) => (name.clone(), "Everybody who sits on the committee"),
        Reader::Person(person) => (person.called(), "By name"),
    };
    let (folder_id, id, restricted) = (
        folder.id.to_string(),
        line.id.to_string(),
        folder.restricted,
    );
    let person = match &line.reader {
        Reader::Person(person) => Some(person.id.to_string()),
        _ => None,
    };
    view! {
        <div class="act-row">
            <div><b>{who.clone()}</b><small>{what}{line.files.then_some(", and files in it")}</small></div>
            {match (may, restricted, person) {
                (true, false, _) => view! {
                    <form method="post">
                        <Act name="library/remove-reader" />
                        <input type="hidden" name="folder" value=folder_id />
                        <input type="hidden" name="reader" value=id />
                        <button class="button">"Remove" <span class="hidden-text">": "{who}</span></button>
                    </form>
                }.into_any(),
                (true, true, Some(person)) => view! {
                    <form method="post">
                        <Act name="library/ask-change" />
                        <input type="hidden" name="folder" value=folder_id />
                        <input type="hidden" name="person" value=person />
                        <input type="hidden" name="adds" value="false" />
                        <button class="button">"Ask to remove" <span class="hidden-text">": "{who}</span></button>
                    </form>
                }.into_any(),
                _ => ().into_any(),
            }}
        </div>
    }
}

fn waiting(folder: &Folder, changes: &[Change]) -> impl IntoView + use<> {
    let lines: Vec<_> = changes
        .iter()
        .map(|change| {
            let what = if change.adds {
                format!("{} asks to add {}{}.", change.by.called(), change.person.called(), if change.files { ", who would also file in it" } else { "" })
            } else {
                format!("{} asks to remove {}.", change.by.called(), change.person.called())
            };
            let (folder, id, own) = (folder.id.to_string(), change.id.to_string(), change.own);
            let drop = if own { "Take it back" } else { "Decline" };
            view! {
                <div class="act-row">
                    <div><b>{what}</b><small><Moment at=change.at.clone() />{own.then_some(" · another reader must agree")}</small></div>
                    {(!own).then(|| view! {
                        <form method="post">
                            <Act name="library/agree-change" />
                            <input type="hidden" name="folder" value=folder.clone() />
                            <input type="hidden" name="change" value=id.clone() />
                            <button class="button primary">"Agree"</button>
                        </form>
                    })}
                    <form method="post">
                        <Act name="library/drop-change" />
                        <input type="hidden" name="folder" value=folder />
                        <input type="hidden" name="change" value=id />
                        <button class="button">{drop}</button>
                    </form>
                </div>
            }
        })
        .collect();
    view! {
        <section class="card" aria-labelledby="waits">
            <header><h2 id="waits">"Waits for a second reader"</h2></header>
            <div class="body">{lines}</div>
        </section>
    }
}

/// Of a restricted folder: one asks.
fn ask(folder: &Folder, everybody: &[(String, String)]) -> impl IntoView + use<> {
    let options = everybody.to_vec();
    view! {
        <section class="card" aria-labelledby="ask">
            <header><h2 id="ask">"Ask to add somebody"</h2></header>
            <div class="body">
                <form class="form" method="post">
                    <Act name="library/ask-change" />
                    <input type="hidden" name="folder" value=folder.id.to_string() />
                    <input type="hidden" name="adds" value="true" />
                    <Choice name="person" label="Whom" options=options nobody="Choose a person" />
                    <label class="option"><input type="checkbox" name="files" value="yes" /><b>"They also file documents in it"</b></label>
                    <p class="hint">"Every reader is told. It is done when one of the others agrees."</p>
                    <div class="actions"><button class="button primary">"Ask"</button></div>
                </form>
            </div>
        </section>
    }
}

/// Of an open folder.
fn add(
    folder: &Folder,
    people: Vec<(String, String)>,
    committees: Vec<(String, String)>,
    kind: domain::role::TenantKind,
) -> impl IntoView + use<> {
    let roles = Role::ALL.iter().filter(|role| role.fits(kind)).map(|role| {
        (
            format!("role:{}", role.code()),
            format!("Everybody: {}", role.name()),
        )
    });
    let options: Vec<(String, String)> = roles
        .chain(
            committees
                .into_iter()
                .map(|(id, name)| (format!("committee:{id}"), format!("Committee: {name}"))),
        )
        .chain(
            people
                .into_iter()
                .map(|(id, name)| (format!("person:{id}"), name)),
        )
        .collect();
    view! {
        <section class="card" aria-labelledby="add">
            <header><h2 id="add">"Let more people read it"</h2></header>
            <div class="body">
                <form class="form" method="post">
                    <Act name="library/add-reader" />
                    <input type="hidden" name="folder" value=folder.id.to_string() />
                    <Choice name="who" label="Who" options=options nobody="Choose" />
                    <label class="option"><input type="checkbox" name="files" value="yes" /><b>"They also file documents in it"</b></label>
                    <div class="actions"><button class="button primary">"Add"</button></div>
                </form>
            </div>
        </section>
    }
}
