//! A committee: adding one, who sits on it, who leads it, what it is for.

use domain::{
    Refusal,
    board::{self, Committee},
    day,
    db::Read,
};
use leptos::prelude::*;

use super::{
    seat::{keepers_only, people},
    whole::named,
};
use crate::{
    door,
    form::{Act, Choice, Echo, Field, Refusals, TextArea},
    membership::crumbs,
    sheet::{Asked, Drawing},
    ui::{Around, Heading, Notice, counted},
};

fn to_board() -> (String, String) {
    ("/board".to_owned(), "The board".to_owned())
}

/// `/board/committees/add`
pub fn add(around: &Around) -> Result<Drawing, Refusal> {
    keepers_only(around)?;
    let echo: Echo = use_context().unwrap_or_default();
    let refusal = echo.of("board/open-committee");
    let title = "Add a committee".to_owned();
    let page = view! {
        {crumbs(vec![to_board()])}
        <Heading title=title.clone() />
        <section class="card narrow"><div class="body">
            <Refusals refusal=refusal.clone() />
            <form class="form" method="post">
                <Act name="board/open-committee" />
                <Field name="name" label="Name" most=120 value=echo.value("name").unwrap_or_default() refusal=refusal.clone() />
                <TextArea name="remit" label="What it is for" value=echo.value("remit").unwrap_or_default() refusal=refusal.clone() />
                <Field name="quorum" label="Quorum" inputmode="numeric" class="short" most=3 hint="How many governors must be present: three, or more where the terms of reference say so."
                    value=echo.value("quorum").unwrap_or_else(|| "3".to_owned()) refusal=refusal.clone() />
                <div class="actions"><button class="button primary">"Add the committee"</button><a class="button" href="/board">"Cancel"</a></div>
            </form>
        </div></section>
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

/// `/board/committees/:id`
pub async fn page(
    read: &mut Read,
    around: &Around,
    asked: &Asked,
    id: &str,
) -> Result<Drawing, Refusal> {
    let today = door::today();
    let board = board::board(read, today).await?;
    let committee = board
        .committees
        .into_iter()
        .find(|committee| committee.id.to_string() == id)
        .ok_or(Refusal::NotFound)?;
    let keeps = around.manages_people();
    let people = if keeps {
        people(read).await?
    } else {
        Vec::new()
    };
    let own = read.standing.membership;
    let echo: Echo = use_context().unwrap_or_default();
    let done = match asked.query("done") {
        "opened" => Some("The committee is there. Now add who sits on it."),
        "renamed" => Some("The committee has its new name."),
        "saved" => Some("Saved."),
        "joined" => Some("They sit on the committee."),
        "left" => Some("Their place on the committee has ended."),
        "chair" => Some("The chair is recorded."),
        _ => None,
    };
    let governors = committee.governors();
    let short = governors < committee.quorum;
    let title = committee.name.clone();
    let rows: Vec<_> = committee
        .members
        .iter()
        .map(|place| {
            let chairs = committee
                .chair
                .as_ref()
                .is_some_and(|chair| chair.id == place.person.id);
            let may = keeps && place.person.id != own;
            view! {
                <tr>
                    <th scope="row">{named(&place.person)} {chairs.then(|| view! { " " <span class="tag info">"Chair"</span> })}</th>
                    <td data-label="As">{if place.governor { "Governor" } else { "Associate member or other" }}</td>
                    <td data-label="Since">{day::words(place.from)} {place.to.map(|to| format!(" until {}", day::words(to)))}</td>
                    <td class="act">{may.then(|| view! {
                        <form method="post">
                            <Act name="board/leave-committee" />
                            <input type="hidden" name="committee" value=committee.id.to_string() />
                            <input type="hidden" name="place" value=place.id.to_string() />
                            <button class="button quiet">"Take off" <span class="hidden-text">": " {place.person.name.clone()}</span></button>
                        </form>
                    })}</td>
                </tr>
            }
        })
        .collect();
    let none = rows.is_empty();
    let caption = format!(
        "{}, {governors} of them governors.",
        counted(committee.members.len(), "member", "members")
    );
    let page = view! {
        {crumbs(vec![to_board()])}
        {done.map(|text| view! { <Notice text=text /> })}
        <Heading title=title.clone() lead=committee.remit.clone() />
        <Refusals refusal=echo.refusal.clone() />
        <div class="split">
            <div class="stack">
                <section class="card" aria-label="Members">
                    {if none {
                        view! { <div class="empty"><h2>"Nobody sits on it yet"</h2><p>"A committee needs three governors before it can decide anything."</p></div> }.into_any()
                    } else {
                        view! {
                            <table class="table">
                                <caption>{caption}</caption>
                                <thead><tr><th scope="col">"Who"</th><th scope="col">"As"</th><th scope="col">"Since"</th><th scope="col"><span class="hidden-text">"Change"</span></th></tr></thead>
                                <tbody>{rows}</tbody>
                            </table>
                        }.into_any()
                    }}
                </section>
                {keeps.then(|| join(&committee, people, &echo))}
            </div>
            <aside class="stack" aria-label="The committee itself">
                <section class="card" aria-labelledby="needs">
                    <header><h2 id="needs">"Quorum"</h2></header>
                    <div class="body">
                        <p><b class="figure">{committee.quorum}</b>" governors must be present."</p>
                        {short.then(|| view! { <p><span class="tag bad">"Cannot decide"</span>{format!(" Only {} on it.", counted(usize::try_from(governors).unwrap_or_default(), "governor sits", "governors sit"))}</p> })}
                    </div>
                </section>
                {keeps.then(|| keep(&committee, &echo))}
            </aside>
        </div>
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

fn join(
    committee: &Committee,
    people: Vec<(String, String)>,
    echo: &Echo,
) -> impl IntoView + use<> {
    let refusal = echo.of("board/join-committee");
    view! {
        <section class="card" aria-labelledby="join">
            <header><h2 id="join">"Add somebody"</h2></header>
            <div class="body">
                <form class="form" method="post">
                    <Act name="board/join-committee" />
                    <input type="hidden" name="committee" value=committee.id.to_string() />
                    <Choice name="person" label="Who" options=people nobody="Choose a person" chosen=echo.value("person").unwrap_or_default() refusal=refusal.clone() />
                    <Field name="from" label="Since" kind="date" value=echo.value("from").unwrap_or_else(|| day::field(door::today())) refusal=refusal.clone() />
                    <div class="actions"><button class="button primary">"Add to the committee"</button></div>
                </form>
            </div>
        </section>
    }
}

/// The chair, the name, the remit, and closing.
fn keep(committee: &Committee, echo: &Echo) -> impl IntoView + use<> {
    let id = committee.id.to_string();
    let (chair, rename, remit) = (
        echo.of("board/choose-chair"),
        echo.of("board/rename-committee"),
        echo.of("board/set-remit"),
    );
    let members: Vec<(String, String)> = committee
        .members
        .iter()
        .filter_map(|place| Some((place.person.id.to_string(), place.person.name.clone()?)))
        .collect();
    let leads = committee
        .chair
        .as_ref()
        .map(|chair| chair.id.to_string())
        .unwrap_or_default();
    let kept = if remit.is_some() {
        echo.value("remit")
    } else {
        None
    };
    let name = if rename.is_some() {
        echo.value("name")
    } else {
        None
    };
    let quorum = if remit.is_some() {
        echo.value("quorum")
    } else {
        None
    };
    view! {
        <section class="card" aria-labelledby="chair">
            <header><h2 id="chair">"Chair"</h2></header>
            <div class="body">
                <form class="form" method="post">
                    <Act name="board/choose-chair" />
                    <input type="hidden" name="committee" value=id.clone() />
                    <Choice name="person" id="chair-person" label="Who leads it" options=members nobody="Nobody yet" chosen=leads refusal=chair />
                    <div class="actions"><button class="button">"Save the chair"</button></div>
                </form>
            </div>
        </section>
        <section class="card" aria-labelledby="remit-title">
            <header><h2 id="remit-title">"Name and remit"</h2></header>
            <div class="body">
                <details open=rename.is_some()>
                    <summary>"Change the name"</summary>
                    <form class="form" method="post">
                        <Act name="board/rename-committee" />
                        <input type="hidden" name="committee" value=id.clone() />
                        <Field name="name" label="Name" most=120 value=name.unwrap_or_else(|| committee.name.clone()) refusal=rename.clone() />
                        <div class="actions"><button class="button">"Save the name"</button></div>
                    </form>
                </details>
                <details open=remit.is_some()>
                    <summary>"Change the remit or the quorum"</summary>
                    <form class="form" method="post">
                        <Act name="board/set-remit" />
                        <input type="hidden" name="committee" value=id.clone() />
                        <TextArea name="remit" label="What it is for" value=kept.unwrap_or_else(|| committee.remit.clone()) refusal=remit.clone() />
                        <Field name="quorum" label="Quorum" inputmode="numeric" class="short" most=3 value=quorum.unwrap_or_else(|| committee.quorum.to_string()) refusal=remit.clone() />
                        <div class="actions"><button class="button">"Save"</button></div>
                    </form>
                </details>
                <details>
                    <summary>"Close this committee"</summary>
                    <p>"Every place on it ends today. What it was stays on record."</p>
                    <form method="post">
                        <Act name="board/close-committee" />
                        <input type="hidden" name="committee" value=id />
                        <button class="button danger">"Close the committee"</button>
                    </form>
                </details>
            </div>
        </section>
    }
}
