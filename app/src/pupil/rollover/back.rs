//! `/pupils/year/:rollover/undo`: what undoing the turn of the school year puts back, and what stays since somebody changed it.

use domain::{
    Refusal,
    db::Read,
    pupil::rollover::undo::{self, Conflict, Undoing, What},
};
use leptos::prelude::*;

use crate::{
    form::{Act, Echo, ProofBeside, Refusals, id_of},
    membership::crumbs,
    pupil::{contact::consequences, keepers_only, to_pupils},
    sheet::Drawing,
    ui::{Around, Heading, counted, step_up_first},
};

/// `/pupils/year/:rollover/undo`
pub async fn page(read: &mut Read, around: &Around, id: &str) -> Result<Drawing, Refusal> {
    keepers_only(around)?;
    let id = id_of(id)?;
    let echo: Echo = use_context().unwrap_or_default();
    if !read.standing.stepped_up && echo.refusal.is_none() {
        return Ok(step_up_first(&format!("/pupils/year/{id}/undo")));
    }
    let undoing = undo::undo_preview(read, id).await?;
    let refusal = echo.of("pupils/year-back");
    let title = "Undo the turn of the school year?".to_owned();
    let page = view! {
        {crumbs(vec![to_pupils(around), ("/pupils/year".to_owned(), "The new school year".to_owned())])}
        <Heading title=title.clone() />
        <div class="confirm">
            <Refusals refusal=refusal.clone() />
            <ProofBeside refusal=refusal />
            {consequences(what(&undoing), "It can be done again afterwards. Both stand in the log.".to_owned())}
            <form class="form" method="post">
                <Act name="pupils/year-back" />
                <input type="hidden" name="rollover" value=id.to_string() />
                <div class="actions"><button class="button primary danger">"Undo it"</button><a class="button" href="/pupils/year">"Cancel"</a></div>
            </form>
        </div>
        {conflicts(&undoing.conflicts)}
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

fn what(undoing: &Undoing) -> Vec<(&'static str, String)> {
    vec![
        (
            "people",
            format!(
                "{} go back to the year group they were in, and {} who left are on the roll again.",
                counted(undoing.years, "pupil", "pupils"),
                undoing.leavers
            ),
        ),
        (
            "history",
            format!(
                "{} are called as before or open again, {} times in a group and {} caseloads go on as before.",
                counted(undoing.groups, "group", "groups"),
                undoing.places,
                undoing.caseloads
            ),
        ),
        (
            "info",
            match undoing.conflicts.len() {
                0 => "Nobody has changed any of it since.".to_owned(),
                1 => "One thing was changed since and stays as it is. It is below.".to_owned(),
                many => {
                    format!(
                        "{many} things were changed since and stay as they are. They are below."
                    )
                }
            },
        ),
    ]
}

fn conflicts(conflicts: &[Conflict]) -> impl IntoView + use<> {
    let rows: Vec<_> = conflicts
        .iter()
        .map(|one| view! { <tr><th scope="row">{one.called.clone()}</th><td data-label="What stays">{sentence(one)}</td></tr> })
        .collect();
    (!rows.is_empty()).then(|| {
        view! {
            <section class="card" aria-labelledby="stays">
                <header><h2 id="stays">"What stays as it is"</h2></header>
                <table class="table">
                    <caption>{counted(conflicts.len(), "change", "changes")} " that somebody made since, or that stand in the way."</caption>
                    <thead><tr><th scope="col">"Who or what"</th><th scope="col">"What stays"</th></tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </section>
        }
    })
}

fn sentence(conflict: &Conflict) -> String {
    let of = conflict.of.clone().unwrap_or_default();
    let was = conflict.was.clone().unwrap_or_default();
    match (conflict.what, &conflict.now) {
        (What::Year, now) => format!(
            "Stays in {}; was in {was} before.",
            now.clone().unwrap_or_default()
        ),
        (What::Left, Some(day)) => format!("Left on {day}, as was recorded since."),
        (What::Left, None) => "Is on the roll again already.".to_owned(),
        (What::Name, _) => {
            format!("Is not called {was} again: it was changed, or another group has that name.")
        }
        (What::Closed, _) => {
            "Stays as it is: it was opened again, or another group has its name.".to_owned()
        }
        (What::Place, _) => {
            format!("Does not go back to {of}: they were moved since, or it stays closed.")
        }
        (What::Caseload, _) => {
            format!("Does not get {of} back as before: it was changed or given again since.")
        }
    }
}
