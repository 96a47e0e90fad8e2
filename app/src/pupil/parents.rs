//! Whose child a pupil is, and what keeps somebody from them: a part of the pupil's page, for those who see the school.

use domain::{
    Refusal, day,
    db::Read,
    membership::State,
    pupil::{
        Pupil,
        guardian::{Asked, Link, Relation},
    },
    role::Role,
};
use leptos::prelude::*;
use uuid::Uuid;

use crate::{
    form::{Act, Choice, Echo, Field},
    ui::Icon,
};

/// Parents that a list can show at once; where there are more, one is found by name first.
const LISTED_MOST: usize = 40;

/// Who could be linked to a child: parents who are not.
#[derive(Default)]
pub(super) struct Candidates {
    /// Those to choose from, by name; none while there are too many and no name is given.
    options: Vec<(String, String)>,
    /// Whether a name is asked for.
    asks: bool,
    /// Parts of the name that was given.
    words: String,
}

impl Candidates {
    pub(super) async fn read(
        read: &mut Read,
        links: &[Link],
        words: &str,
    ) -> Result<Self, Refusal> {
        let mut options: Vec<(String, String)> = domain::membership::list(read)
            .await?
            .into_iter()
            .filter(|person| person.state != State::Ended && person.roles.contains(&Role::Parent))
            .filter(|person| links.iter().all(|link| link.person != person.id))
            .map(|person| (person.id.to_string(), person.name))
            .collect();
        let asks = options.len() > LISTED_MOST;
        if asks {
            let parts: Vec<String> = words
                .to_lowercase()
                .split_whitespace()
                .map(str::to_owned)
                .collect();
            options.retain(|(_, name)| {
                let name = name.to_lowercase();
                !parts.is_empty() && parts.iter().all(|part| name.contains(part.as_str()))
            });
            options.truncate(LISTED_MOST);
        }
        Ok(Self {
            options,
            asks,
            words: words.to_owned(),
        })
    }
}

/// Whose child it is, on the pupil’s page.
pub(super) fn family(
    pupil: &Pupil,
    links: &[Link],
    parents: Candidates,
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
    let relations = relations();
    let invite = keeps.then(|| invite(id, echo));
    let (person, relation) = (typed("person"), typed("relation"));
    view! {
        <section class="card" aria-labelledby="family">
            <header><h2 id="family">"Parents and carers"</h2></header>
            <div class="body">
                {none.then(|| view! { <p class="muted">"Nobody is linked. A parent sees what is on record for their child once they are."</p> })}
                <div>{rows}</div>
                {invite}
                {keeps.then(|| view! {
                    <details open=refusal.is_some() || !parents.words.is_empty()>
                        <summary>"Link a parent"</summary>
                        {parents.asks.then(|| find(id, &parents))}
                        {(!parents.asks || !parents.options.is_empty()).then(|| view! {
                            <form class="form" method="post">
                                <Act name="pupils/link-parent" />
                                <input type="hidden" name="pupil" value=id.to_string() />
                                <Choice name="person" label="Who" options=parents.options nobody="Choose a parent" chosen=person
                                    hint="Somebody with the role of a parent here. Invite them instead if they are not listed." refusal=refusal.clone() />
                                <Choice name="relation" label="What they are to the child" options=relations chosen=relation refusal=refusal.clone() />
                                <div class="actions"><button class="button">"Link them"</button></div>
                            </form>
                        })}
                    </details>
                })}
            </div>
        </section>
    }
}

fn relations() -> Vec<(String, String)> {
    let named = |relation: &Relation| (relation.code().to_owned(), relation.name().to_owned());
    Relation::ALL.iter().map(named).collect()
}

/// Asks a parent in by their address, whether or not they have a place here.
fn invite(pupil: Uuid, echo: &Echo) -> impl IntoView + use<> {
    let refusal = echo.of("pupils/add-parent");
    let typed = |name: &str| {
        refusal
            .as_ref()
            .and_then(|_| echo.value(name))
            .unwrap_or_default()
    };
    let (name, email, relation) = (typed("name"), typed("email"), typed("relation"));
    view! {
        <details open=refusal.is_some()>
            <summary>"Invite a parent"</summary>
            <form class="form" method="post">
                <Act name="pupils/add-parent" />
                <input type="hidden" name="pupil" value=pupil.to_string() />
                <p class="hint">"They get a letter that names your school and not the child. Whoever has a place here already gets no second one: they are linked, and told so."</p>
                <Field name="name" label="Parent’s name" most=120 hint="As the person gives it: any letters, one name or five." value=name refusal=refusal.clone() />
                <Field name="email" label="Parent’s e-mail address" kind="email" inputmode="email"
                    hint="Their own, not one that two parents read: what one may see the other may not." value=email refusal=refusal.clone() />
                <Choice name="relation" id="invited-relation" label="Their relation to the child" options=relations() chosen=relation refusal=refusal.clone() />
                <div class="actions"><button class="button primary">"Invite them"</button></div>
            </form>
        </details>
    }
}

/// What became of an invitation, at the top of the pupil's page.
pub(super) fn done_words(done: &str) -> Option<String> {
    Asked::from_code(done).map(|asked| {
        match asked {
            Asked::Invited => "The parent is linked to this child, and the invitation is on its way.",
            Asked::Waiting => {
                "They were invited before and have not come yet. They see this child as soon as they do."
            }
            Asked::Linked => {
                "They have a place here as a parent already. They are linked to this child and told so."
            }
            Asked::AlsoParent => {
                "They have a place here already. They are a parent here as well now, and linked to this child."
            }
        }
        .to_owned()
    })
}

/// Looks for a parent by name, where there are too many to list.
fn find(pupil: Uuid, parents: &Candidates) -> impl IntoView + use<> {
    let nobody = !parents.words.is_empty() && parents.options.is_empty();
    view! {
        <form class="find" method="get" action=format!("/pupils/{pupil}")>
            <div class="field">
                <label for="parent">"Find the parent by name"</label>
                <input id="parent" name="parent" type="search" maxlength="120" autocomplete="off" value=parents.words.clone() />
            </div>
            <button class="button"><Icon name="search" />"Find"</button>
        </form>
        {nobody.then(|| view! { <p class="muted">"No parent is called that who is not linked already. Invite them instead."</p> })}
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
