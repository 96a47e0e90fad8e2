//! `/roster/:import/undo`: what undoing a roster would put back and what would stay as somebody left it, and then the undoing. For who
//! has just proved who they are.

use domain::{
    Refusal,
    db::Read,
    pupil,
    roster::{
        import,
        undo::{self, Conflict, Undoing},
    },
};
use leptos::prelude::*;

use super::{difference::said, to_rosters};
use crate::{
    form::{Act, Echo, Refusals, id_of},
    membership::crumbs,
    pupil::{keepers_only, to_pupils},
    sheet::Drawing,
    ui::{Around, Heading, Icon, counted, step_up_first},
};

/// Lines of a list of what stays; of the others there is the number.
const MOST: usize = 200;

/// `/roster/:import/undo`
pub async fn page(read: &mut Read, around: &Around, id: &str) -> Result<Drawing, Refusal> {
    keepers_only(around)?;
    let id = id_of(id)?;
    let one = import::one(read, id).await?;
    if !read.standing.stepped_up {
        return Ok(step_up_first(&format!("/roster/{id}/undo")));
    }
    let undoing = undo::undo_preview(read, id).await?;
    let shown = undoing.conflicts.iter().take(MOST);
    pupil::look_over(read, &shown.map(|one| one.pupil).collect(), "roster").await?;
    let echo: Echo = use_context().unwrap_or_default();
    let refusal = echo.of("roster/undo");
    let title = format!("Undo what was taken from {}?", one.file_name);
    let back = format!("/roster/{id}");
    let page = view! {
        {crumbs(vec![to_pupils(around), to_rosters(), (back.clone(), one.file_name)])}
        <Heading title=title.clone() />
        <div class="confirm">
            <Refusals refusal=refusal />
            {consequences(&undoing)}
            {stays(&undoing)}
            {conflicts(&undoing.conflicts)}
            <form class="form" method="post">
                <Act name="roster/undo" />
                <input type="hidden" name="import" value=id.to_string() />
                <div class="actions"><button class="button primary danger">"Undo it"</button><a class="button" href=back>"Cancel"</a></div>
            </form>
        </div>
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

fn consequences(undoing: &Undoing) -> impl IntoView + use<> {
    let lines = [
        (
            "close",
            format!(
                "{} taken off the roll who came with this roster.",
                counted(undoing.removed, "pupil is", "pupils are")
            ),
        ),
        (
            "undo",
            format!(
                "{} put back as they were.",
                counted(undoing.restored.len(), "pupil is", "pupils are")
            ),
        ),
        (
            "history",
            "The log keeps that it was taken in and that you undid it.".to_owned(),
        ),
    ];
    view! {
        <section class="card grave" aria-labelledby="what">
            <header><h2 id="what">"What will happen"</h2></header>
            <div class="body">
                <ul role="list" class="consequences">
                    {lines.into_iter().map(|(icon, line)| view! { <li><Icon name=icon /><span>{line}</span></li> }).collect_view()}
                </ul>
            </div>
        </section>
    }
}

/// Added pupils who stay.
fn stays(undoing: &Undoing) -> Option<AnyView> {
    let many = undoing.stays.len();
    let rows: Vec<_> = undoing
        .stays
        .iter()
        .take(MOST)
        .map(|one| {
            view! { <li><a href=format!("/pupils/{}", one.pupil)>{one.name.clone()}</a></li> }
        })
        .collect();
    (many > 0).then(|| {
        view! {
            <section class="card" aria-labelledby="stays">
                <header><h2 id="stays">{counted(many, "new pupil stays", "new pupils stay")}</h2></header>
                <div class="body stack">
                    <p>"Their record was changed since, or something hangs on it. Take each off by hand if that is meant."</p>
                    <ul class="said">{rows}</ul>
                    {more(many)}
                </div>
            </section>
        }
        .into_any()
    })
}

fn conflicts(conflicts: &[Conflict]) -> Option<AnyView> {
    let many = conflicts.len();
    let rows: Vec<_> = conflicts
        .iter()
        .take(MOST)
        .map(|one| {
            let value = |value: Option<&str>| {
                value.map_or_else(|| "Nothing".to_owned(), |value| said(one.field, value))
            };
            view! {
                <tr>
                    <th scope="row"><a class="open" href=format!("/pupils/{}", one.pupil)>{one.name.clone()}</a></th>
                    <td data-label="What">{one.field.name()}</td>
                    <td data-label="From the roster">{value(one.set.as_deref())}</td>
                    <td data-label="Stays">{value(one.now.as_deref())}</td>
                </tr>
            }
        })
        .collect();
    (many > 0).then(|| {
        view! {
            <section class="card" aria-labelledby="conflicts">
                <header><h2 id="conflicts">{counted(many, "thing stays", "things stay")} " as somebody left it since"</h2></header>
                <table class="table">
                    <caption>"Nothing that was edited after the roster was taken in is overwritten."</caption>
                    <thead><tr><th scope="col">"Pupil"</th><th scope="col">"What"</th><th scope="col">"The roster made it"</th><th scope="col">"It is now, and stays"</th></tr></thead>
                    <tbody>{rows}</tbody>
                </table>
                {more(many)}
            </section>
        }
        .into_any()
    })
}

fn more(many: usize) -> Option<impl IntoView> {
    many.checked_sub(MOST)
        .filter(|rest| *rest > 0)
        .map(|rest| view! { <p class="muted">{format!("And {rest} more.")}</p> })
}
