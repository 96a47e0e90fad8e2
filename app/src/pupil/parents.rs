//! Whose child a pupil is, and what keeps somebody from them: a part of the pupil's page, for those who see the school.

use domain::{
    Refusal, day,
    db::Read,
    membership::State,
    pupil::{
        Pupil,
        guardian::{Link, Relation},
    },
    role::Role,
};
use leptos::prelude::*;
use uuid::Uuid;

use crate::form::{Act, Choice, Echo};

/// Parents who could be linked: those who are not.
pub(super) async fn could_be(
    read: &mut Read,
    links: &[Link],
) -> Result<Vec<(String, String)>, Refusal> {
    Ok(domain::membership::list(read)
        .await?
        .into_iter()
        .filter(|person| person.state != State::Ended && person.roles.contains(&Role::Parent))
        .filter(|person| links.iter().all(|link| link.person != person.id))
        .map(|person| (person.id.to_string(), person.name))
        .collect())
}

/// Whose child it is, on the pupil’s page.
pub(super) fn family(
    pupil: &Pupil,
    links: &[Link],
    parents: Vec<(String, String)>,
    keeps: bool,
    echo: &Echo,
) -> impl IntoView + use<> {
    let id = pupil.id;
    let rows: Vec<_> = links.iter().map(|link| parent(id, link, keeps)).collect();
    let none = rows.is_empty();
    let refusal = echo.of("pupils/link-parent");
    let typed = |name: &str| {
        refusal
            .as_ref()
            .and_then(|_| echo.value(name))
            .unwrap_or_default()
    };
    let relations = Relation::ALL
        .iter()
        .map(|relation| (relation.code().to_owned(), relation.name().to_owned()))
        .collect();
    let (person, relation) = (typed("person"), typed("relation"));
    view! {
        <section class="card" aria-labelledby="family">
            <header><h2 id="family">"Parents and carers"</h2></header>
            <div class="body">
                {none.then(|| view! { <p class="muted">"Nobody is linked. A parent sees what is on record for their child once they are."</p> })}
                <div>{rows}</div>
                {keeps.then(|| view! {
                    <details open=refusal.is_some()>
                        <summary>"Link a parent"</summary>
                        <form class="form" method="post">
                            <Act name="pupils/link-parent" />
                            <input type="hidden" name="pupil" value=id.to_string() />
                            <Choice name="person" label="Who" options=parents nobody="Choose a parent" chosen=person
                                hint="Somebody with the role of a parent here. Add them under People first if they are not listed." refusal=refusal.clone() />
                            <Choice name="relation" label="What they are to the child" options=relations chosen=relation refusal=refusal.clone() />
                            <div class="actions"><button class="button">"Link them"</button></div>
                        </form>
                    </details>
                })}
            </div>
        </section>
    }
}

fn parent(pupil: Uuid, link: &Link, keeps: bool) -> impl IntoView + use<> {
    let name = link.name.clone();
    let contact = format!("/pupils/{pupil}/contact/{}", link.person);
    let restricted = link.restricted.clone();
    let kept = restricted.is_some();
    view! {
        <div class="act-row">
            <div>
                <b>{name.clone()}</b><small>{link.relation.name()}</small>
                {restricted.map(|one| {
                    let until = one
                        .until
                        .and_then(|until| day::parse(&until).ok())
                        .map(|until| format!(" Last day: {}.", day::words(until)));
                    view! { <p class="restricted"><span class="tag bad">"Contact restricted"</span> " " {one.words} "." {until} " They see nothing of this child and are not told why."</p> }
                })}
            </div>
            {keeps.then(|| view! {
                <div class="acts">
                    <a class="button" href=contact>{if kept { "Lift the restriction…" } else { "Restrict contact…" }} <span class="hidden-text">" " {name.clone()}</span></a>
                    <form method="post">
                        <Act name="pupils/unlink-parent" />
                        <input type="hidden" name="pupil" value=pupil.to_string() />
                        <input type="hidden" name="link" value=link.id.to_string() />
                        <button class="button">"End the link" <span class="hidden-text">" with " {name}</span></button>
                    </form>
                </div>
            })}
        </div>
    }
}
