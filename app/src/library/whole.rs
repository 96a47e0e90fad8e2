//! `/library`: the folders that somebody reads, what is new in them, and how to find a paper. And `/library/add`.

use domain::{
    Refusal,
    db::Read,
    document::{self, State},
    folder::{self, Folder},
    role::Role,
};
use leptos::prelude::*;

use super::folder::documents;
use crate::{
    form::{Act, Echo, Field, Refusals, TextArea},
    membership::crumbs,
    sheet::{Asked, Drawing},
    ui::{Around, Heading, Icon, Notice, counted},
};

/// Newest documents that the page shows.
const NEW_MOST: usize = 8;

/// `/library`
pub async fn page(read: &mut Read, around: &Around, asked: &Asked) -> Result<Drawing, Refusal> {
    let folders = folder::all(read).await?;
    let mut newest = document::list(read, None, State::Current).await?;
    newest.sort_by(|a, b| b.at.cmp(&a.at));
    newest.truncate(NEW_MOST);
    let policies = document::register(read).await?.len();
    let keeps = around.manages_people();
    let done = (asked.query("done") == "opened").then_some("The folder is made.");
    let closed = asked.query("why") == "closed";
    let (used, old): (Vec<Folder>, Vec<Folder>) =
        folders.into_iter().partition(|folder| !folder.archived);
    let lead = match used.len() {
        0 => "There is no folder that you read yet.".to_owned(),
        n => format!("{} for you to read.", counted(n, "folder", "folders")),
    };
    let page = view! {
        {done.map(|text| view! { <Notice text=text /> })}
        {closed.then(|| view! {
            <div class="notice wait" role="status"><Icon name="info" /><p>"What you had open is not yours to read any more: it was moved or taken away, or your access to its folder has ended. Here is what you can read."</p></div>
        })}
        <Heading title="Papers" lead=lead>
            {(policies > 0).then(|| view! { <a class="button" href="/library/policies">"Policy register"</a> })}
            <a class="button" href="/approvals">"Approvals"</a>
            {keeps.then(|| view! { <a class="button primary" href="/library/add">"Make a folder"</a> })}
        </Heading>
        {find("")}
        <div class="split">
            <div class="stack">
                {if used.is_empty() {
                    view! {
                        <section class="card"><div class="empty">
                            <Icon name="folder" />
                            <h2>"No folders yet"</h2>
                            <p>"Policies, reports and minutes lie in folders. Each folder says who reads it."</p>
                            {keeps.then(|| view! { <div class="actions"><a class="button primary" href="/library/add">"Make a folder"</a></div> })}
                        </div></section>
                    }.into_any()
                } else {
                    view! { <section class="card" aria-label="Folders"><ul role="list" class="folders">{used.iter().map(line).collect_view()}</ul></section> }.into_any()
                }}
                {(!old.is_empty()).then(|| view! {
                    <details class="card quiet"><summary>{counted(old.len(), "folder", "folders")} " out of use"</summary>
                        <ul role="list" class="folders">{old.iter().map(line).collect_view()}</ul>
                    </details>
                })}
            </div>
            <aside class="stack" aria-label="What is new">
                {(!newest.is_empty()).then(|| view! {
                    <section class="card" aria-labelledby="new">
                        <header><h2 id="new">"Newest"</h2></header>
                        <div class="body">{documents(&newest)}</div>
                    </section>
                })}
            </aside>
        </div>
    };
    Ok(Drawing {
        title: "Papers".to_owned(),
        page: page.into_any(),
    })
}

/// The field that finds papers.
pub fn find(words: &str) -> impl IntoView + use<> {
    view! {
        <form class="find" method="get" action="/library/search" role="search" aria-label="Papers">
            <div class="field">
                <label for="words">"Find a paper"</label>
                <input id="words" name="q" type="search" value=words.to_owned() placeholder="Words in the title or in the text" maxlength="200" autocomplete="off" />
            </div>
            <button class="button"><Icon name="search" />"Find"</button>
        </form>
    }
}

fn line(folder: &Folder) -> impl IntoView + use<> {
    let holds = match folder.documents {
        0 => "Empty".to_owned(),
        n => counted(n as usize, "document", "documents"),
    };
    let body = view! {
        <span class="what">
            <b>{folder.name.clone()}</b>
            <small>{if folder.reads { holds } else { "You do not read this folder.".to_owned() }}</small>
        </span>
        {folder.restricted.then(|| view! { <span class="tag"><Icon name="lock" class="icon small" />"Restricted"</span> })}
    };
    let path = format!("/library/{}", folder.id);
    view! { <li><a href=path><Icon name=if folder.restricted { "lock" } else { "folder" } />{body}</a></li> }
}

/// `/library/add`: for who keeps the library.
pub async fn add(read: &mut Read, around: &Around) -> Result<Drawing, Refusal> {
    if !around.manages_people() {
        return Err(Refusal::NotFound);
    }
    let people = domain::membership::list(read).await?;
    let committees = domain::board::board(read, crate::door::today())
        .await?
        .committees;
    let kind = read.standing.kind;
    let echo: Echo = use_context().unwrap_or_default();
    let refusal = echo.of("library/open-folder");
    let wrong = refusal
        .clone()
        .filter(|refusal| refusal.field() == Some("readers"))
        .map(|refusal| refusal.to_string());
    let described = wrong.is_some().then_some("readers-error");
    let chosen = |name: &str, code: &str| echo.values(name).iter().any(|one| one == code);
    let roles = Role::ALL
        .iter()
        .filter(|role| role.fits(kind))
        .enumerate()
        .map(|(n, role)| {
            choice(
                format!("roles[{n}]"),
                role.code().to_owned(),
                role.name().to_owned(),
                chosen("roles", role.code()),
            )
        })
        .collect_view();
    let sits = committees
        .iter()
        .enumerate()
        .map(|(n, one)| {
            let id = one.id.to_string();
            let held = chosen("committees", &id);
            choice(format!("committees[{n}]"), id, one.name.clone(), held)
        })
        .collect_view();
    let here: Vec<_> = people
        .iter()
        .filter(|person| person.state != domain::membership::State::Ended)
        .collect();
    let named = |field: &'static str| {
        here.iter()
            .enumerate()
            .map(|(n, person)| {
                let id = person.id.to_string();
                let held = chosen(field, &id);
                choice(format!("{field}[{n}]"), id, person.name.clone(), held)
            })
            .collect_view()
    };
    let restricted = echo.value("restricted").is_some();
    let title = "Make a folder".to_owned();
    let page = view! {
        {crumbs(vec![("/library".to_owned(), "Papers".to_owned())])}
        <Heading title=title.clone() lead="A folder says once who reads everything in it." />
        <section class="card narrow">
            <div class="body">
                <Refusals refusal=refusal.clone() />
                <form class="form" method="post">
                    <Act name="library/open-folder" />
                    <Field name="name" label="Name" most=120 value=echo.value("name").unwrap_or_default() refusal=refusal.clone() />
                    <TextArea name="about" label="What it is for" value=echo.value("about").unwrap_or_default() hint="May be left empty." />
                    <fieldset class="field">
                        <legend>"Who may read it"</legend>
                        <label class="option">
                            <input type="checkbox" name="restricted" value="yes" checked=restricted />
                            <b>"Restricted to named people"</b>
                            <small>"Nobody else reads it, administrators included, you included unless you name yourself. Who reads it is changed by two of its readers together."</small>
                        </label>
                    </fieldset>
                    <fieldset class="field" id="readers" tabindex="-1" aria-describedby=described>
                        <legend>"Readers"</legend>
                        {wrong.map(|wrong| view! {
                            <p class="error" id="readers-error"><Icon name="warning" class="icon small" /><span><span class="hidden-text">"Error: "</span>{wrong}</span></p>
                        })}
                        <details open=true><summary>"Everybody who is …"</summary><div class="options many">{roles}</div></details>
                        {(!committees.is_empty()).then(|| view! { <details><summary>"Everybody who sits on …"</summary><div class="options many">{sits}</div></details> })}
                        <details open=restricted><summary>"People"</summary><div class="options many">{named("people")}</div></details>
                        <details open=restricted><summary>"People who read it and also file in it"</summary><div class="options many">{named("filers")}</div></details>
                    </fieldset>
                    <div class="actions">
                        <button class="button primary">"Make the folder"</button>
                        <a class="button" href="/library">"Cancel"</a>
                    </div>
                </form>
            </div>
        </section>
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

fn choice(name: String, value: String, label: String, checked: bool) -> impl IntoView {
    view! { <label class="option"><input type="checkbox" name=name value=value checked=checked /><b>{label}</b></label> }
}
