//! `/roster`: a new file, and what was read and taken in before.

use std::collections::BTreeMap;

use domain::{
    Refusal,
    db::Read,
    pupil::field::Field,
    roster::{
        column::Column,
        import::{self, Import, State, UNDO_DAYS},
        plan::{Fate, plan},
    },
};
use leptos::prelude::*;

use super::{HEADER, MEANS, READ, column};
use crate::{
    form::{Echo, ProofBeside, Refusals},
    membership::crumbs,
    pupil::{keepers_only, to_pupils},
    sheet::{Asked, Drawing},
    ui::{Around, Heading, Icon, Moment, Notice, counted},
};

/// `/roster`
pub async fn page(read: &mut Read, around: &Around, asked: &Asked) -> Result<Drawing, Refusal> {
    keepers_only(around)?;
    let echo: Echo = use_context().unwrap_or_default();
    let imports = import::list(read).await?;
    let columns = matched(read, &echo).await?;
    let refusal = echo.refusal.clone();
    let of_file = echo.of(READ);
    let dropped = asked.query("done") == "dropped";
    let title = "Rosters".to_owned();
    let page = view! {
        {crumbs(vec![to_pupils(around)])}
        {dropped.then(|| view! { <Notice text="The roster is thrown away. Nothing was taken from it." /> })}
        <Heading title=title.clone() lead="Take in the file that your school’s own system exports. You see what it would change before anything is changed." />
        <Refusals refusal=refusal.clone() />
        <ProofBeside refusal=refusal />
        <section class="card narrow" aria-labelledby="new">
            <header><h2 id="new">{if columns.is_some() { "Say what the columns are" } else { "A new file" }}</h2></header>
            <div class="body">
                <form class="form" method="post" action="/roster" enctype="multipart/form-data">
                    {columns.as_deref().map(|columns| view! {
                        <p>"Nothing of the file was kept. Say what each column is, and choose the file again: your answers are remembered for the next one."</p>
                        {column::choices(columns)}
                    })}
                    // Last: what is said of a file is read before the file itself, which is never held in memory.
                    {column::file(of_file)}
                    <div class="actions"><button class="button primary">"Read the file"</button></div>
                </form>
                {accepted()}
            </div>
        </section>
        <section class="card" aria-labelledby="before">
            <header><h2 id="before">"Read before"</h2></header>
            {if imports.is_empty() {
                view! { <div class="empty"><Icon name="history" /><h3>"No roster yet"</h3><p>"Each file that was read is listed here: by whom, when, and what was taken from it."</p></div> }.into_any()
            } else {
                table(&imports).into_any()
            }}
        </section>
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

/// Of a file whose columns were not understood: what each is taken for now. None where no file was refused for that.
async fn matched(read: &mut Read, echo: &Echo) -> Result<Option<Vec<(String, Fate)>>, Refusal> {
    let header = echo.values(HEADER);
    if header.is_empty() || echo.of(READ).is_none() {
        return Ok(None);
    }
    let choices: BTreeMap<String, Column> = echo
        .fields
        .iter()
        .filter_map(|(name, value)| {
            let key = name.strip_prefix(MEANS)?.to_owned();
            Some((key, Column::from_code(value)?))
        })
        .collect();
    let plan = plan(read, &header, &choices).await?;
    Ok(Some(
        plan.columns()
            .map(|(name, fate)| (name.to_owned(), fate))
            .collect(),
    ))
}

/// What a roster must and may have, in words.
fn accepted() -> impl IntoView {
    use domain::pupil::field::Need;
    let names = |need: Need| -> Vec<&'static str> {
        Field::ALL
            .iter()
            .filter(|field| field.need() == need && **field != Field::Supervisor)
            .map(|field| field.name())
            .collect()
    };
    view! {
        <details>
            <summary>"What a file should have in it"</summary>
            <div class="stack said">
                <p>"One line with the names of the columns, and below it a line for each pupil; a pupil in several classes may have several lines. Names of columns are known as SIMS, Arbor and Bromcom export them, and by many other names."</p>
                <p><b>"It must have: "</b> {names(Need::Required).join(", ")} "."</p>
                <p><b>"It should have: "</b> {names(Need::Expected).join(", ")} "."</p>
                <p><b>"It may have, where your school has switched it on: "</b> {names(Need::Optional).join(", ")} ". " <a href="/settings/pupils">"What is kept of pupils"</a></p>
                <p>"Columns that are not known or not switched on are left out before anything is kept. A line that is wrong is left out and does not hold up the others."</p>
                <p>"The file itself is not kept: it is read once, line by line, and gone."</p>
            </div>
        </details>
    }
}

fn table(imports: &[Import]) -> impl IntoView + use<> {
    let rows: Vec<_> = imports
        .iter()
        .map(|one| {
            let href = format!("/roster/{}", one.id);
            view! {
                <tr>
                    <th scope="row"><a class="open" href=href>{one.file_name.clone()}</a></th>
                    <td data-label="Read">{one.by.clone()} ", " <Moment at=one.at.clone() /></td>
                    <td data-label="Stands">{stands(one)}</td>
                    <td data-label="Taken">{taken(one)}</td>
                </tr>
            }
        })
        .collect();
    let caption = format!(
        "{}, newest first. What was taken in can be undone for {UNDO_DAYS} days.",
        counted(imports.len(), "file", "files")
    );
    view! {
        <table class="table rosters">
            <caption>{caption}</caption>
            <thead><tr><th scope="col">"File"</th><th scope="col">"Read by"</th><th scope="col">"How it stands"</th><th scope="col">"What was taken"</th></tr></thead>
            <tbody>{rows}</tbody>
        </table>
    }
}

/// How one stands, as a tag.
pub fn stands(one: &Import) -> AnyView {
    let (tone, word) = match one.state {
        State::Read => ("tag wait", "Waits to be taken in"),
        State::Committed if one.undoable => ("tag good", "Taken in, can be undone"),
        State::Committed => ("tag good", "Taken in"),
        State::Undone => ("tag", "Undone"),
        State::Dropped => ("tag", "Thrown away"),
    };
    view! { <span class=tone>{word}</span> }.into_any()
}

/// What was taken of one, in words.
pub fn taken(one: &Import) -> String {
    let many = |n: u32| usize::try_from(n).unwrap_or_default();
    match one.state {
        State::Committed | State::Undone => format!(
            "{}, {} changed, {} left out",
            counted(many(one.added), "new pupil", "new pupils"),
            one.changed,
            counted(many(one.left_out), "line", "lines")
        ),
        State::Read | State::Dropped => "Nothing".to_owned(),
    }
}
