//! One person: their place, what happened to it, and what the reader may do about it.

use domain::{
    membership::{Person, State},
    role::{Role, TenantKind},
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};
use serde::{Deserialize, Serialize};

#[cfg(feature = "ssr")]
use super::id_of;
use super::{Address, StateTag, crumbs, page_of, to_people};
use crate::{
    error::Result,
    form::{Act, Echo, Refusals},
    live,
    ui::{Moment, Notice, Page, Rail},
};

/// One person, with what the reader may do about them.
#[expect(
    clippy::struct_excessive_bools,
    reason = "four facts a page asks for, in no order"
)]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonView {
    /// Who.
    pub person: Person,
    /// Whether they have a page of this tenant open.
    pub here: bool,
    /// Whether the reader may change their place.
    pub may_change: bool,
    /// Whether this is the reader.
    pub is_me: bool,
    /// What kind of tenant this is.
    pub kind: TenantKind,
    /// The roles the reader may give and take.
    pub given: Vec<Role>,
    /// Whether the reader proved who they are in the last five minutes.
    pub stepped_up: bool,
    /// What happened to this person's place, newest first: for those who may read the log.
    pub history: Vec<domain::tenancy::Change>,
    /// The refused form this page is drawn for.
    pub echo: Echo,
}

/// One person of the list.
#[server(endpoint = "people/one", input = leptos::server_fn::codec::GetUrl)]
pub async fn read_person(id: String) -> Result<Page<PersonView>> {
    use crate::door;
    let mut read = door::read().await?;
    let id = id_of(&id)?;
    let person = domain::membership::find(&mut read, id).await?;
    let around = door::around(&read)?;
    let history = domain::tenancy::changes(&mut read, Some(id), 20).await?;
    let standing = &read.standing;
    let is_me = person.account == standing.account;
    let touches_admin = person.roles.iter().any(|role| role.is_admin());
    let body = PersonView {
        here: (door::services().here)(standing.tenant).contains(&person.account),
        may_change: around.manages_people() && !is_me && (!touches_admin || around.is_admin()),
        is_me,
        kind: standing.kind,
        given: Role::given_by(&standing.roles, standing.kind),
        stepped_up: standing.stepped_up,
        history,
        echo: use_context().unwrap_or_default(),
        person,
    };
    Ok(Page { around, body })
}

/// `/people/:id`
#[component]
pub fn PersonPage() -> impl IntoView {
    let params = use_params_map();
    let query = use_query_map();
    let (news, here) = (live::version("people"), live::version("here"));
    let shown = Resource::new(
        move || {
            let id = params.with(|params| params.get("id").unwrap_or_default());
            (id, news.get(), here.get())
        },
        |(id, ..)| read_person(id),
    );
    page_of(shown, Rail::People, move |around, shown| {
        let done = query
            .with_untracked(|query| query.get("done"))
            .and_then(|done| done_words(&done, &shown.person.name));
        let PersonView {
            person,
            here,
            may_change,
            is_me,
            history,
            echo,
            ..
        } = shown;
        let refusal = echo.refusal.clone();
        let path = format!("/people/{}", person.id);
        view! {
            {crumbs(vec![to_people()])}
            {done.map(|text| view! { <Notice text=text /> })}
            <Title text=person.name.clone() />
            <div class="head">
                <div class="person-head">
                    <span class="face large" data-here=here.then_some("") aria-hidden="true">{person.initials()}</span>
                    <div>
                        <h1>{person.name.clone()}</h1>
                        {person.email.clone().map(|email| view! { <p><Address email=email /></p> })}
                        <div class="tags">
                            <StateTag state=person.state />
                            {person.roles.iter().map(|role| view! { <span class="tag">{role.name()}</span> }).collect_view()}
                            {here.then(|| view! { <span class="tag info">"Here now"</span> })}
                        </div>
                    </div>
                </div>
            </div>
            <Refusals refusal=refusal />
            <div class="split">
                <div class="stack">
                    <section class="card" aria-labelledby="place">
                        <header><h2 id="place">"Their place here"</h2></header>
                        <div class="body">
                            <dl class="details">
                                {person.email.clone().map(|email| view! { <div><dt>"E-mail"</dt><dd><Address email=email /></dd></div> })}
                                <div><dt>"Roles"</dt><dd>{person.role_names()}</dd></div>
                                <div><dt>{since_words(person.state)}</dt><dd><Moment at=person.since.clone() /></dd></div>
                                <div><dt>"Now"</dt><dd>{if here { "Here, on this site" } else { "Not here" }}</dd></div>
                            </dl>
                            {is_me.then(|| view! { <p class="muted">"This is you. Your own roles are changed by another administrator."</p> })}
                        </div>
                    </section>
                    {(!history.is_empty()).then(|| view! {
                        <section class="card" aria-labelledby="history">
                            <header><h2 id="history">"What happened"</h2><p>"newest first"</p></header>
                            <div class="body">{feed(&history, false)}</div>
                        </section>
                    })}
                </div>
                {may_change.then(|| actions(&person, &path, &around.place))}
            </div>
        }
        .into_any()
    })
}

/// What the reader may do about a person, the mildest first, each with what it means.
fn actions(person: &Person, path: &str, place: &str) -> impl IntoView + use<> {
    let id = person.id.to_string();
    let one = |act: &'static str, label: &'static str| {
        view! {
            <form method="post">
                <Act name=act />
                <input type="hidden" name="id" value=id.clone() />
                <button class="button">{label}</button>
            </form>
        }
        .into_any()
    };
    let next = |step: &str, label: &'static str, class: &'static str| {
        view! { <a class=class href=format!("{path}/{step}")>{label}</a> }.into_any()
    };
    let row = |name: String, meaning: &'static str, act: AnyView| view! { <div class="act-row"><div><b>{name}</b><small>{meaning}</small></div>{act}</div> };
    let rows = match person.state {
        State::Ended => Vec::new(),
        state => vec![
            Some(row(
                "Roles".to_owned(),
                "What they may see and do here.",
                next("roles", "Change roles", "button"),
            )),
            (state == State::Invited).then(|| {
                row(
                    "Invitation".to_owned(),
                    "A new letter with a new link; the earlier one stops working.",
                    one("people/invite-again", "Send the invitation again"),
                )
            }),
            (state == State::Suspended).then(|| {
                row(
                    "Restore".to_owned(),
                    "They may sign in again at once, with the roles that stand here.",
                    one("people/restore", "Restore"),
                )
            }),
            (state == State::Active).then(|| {
                row(
                    "Suspend".to_owned(),
                    "They are signed out at once and cannot sign in until you restore them.",
                    next("suspend", "Suspend…", "button"),
                )
            }),
            Some(row(
                format!("Remove from {place}"),
                "Ends their place for good. The next page says what that means before anything happens.",
                next("remove", "Remove…", "button danger"),
            )),
        ],
    };
    let ended = person.state == State::Ended;
    view! {
        <aside class="stack" aria-label="What you can do">
            <section class="card">
                <header><h2>"What you can do"</h2></header>
                <div class="body">
                    <div>{rows.into_iter().flatten().collect_view()}</div>
                    {ended.then(|| view! { <p class="muted">"Removed. To bring them back, add them again with the same e-mail address."</p> })}
                </div>
            </section>
        </aside>
    }
}

fn done_words(done: &str, name: &str) -> Option<String> {
    Some(match done {
        "added" => format!("You added {name}. An invitation is on its way."),
        "invited" => format!(
            "The invitation to {name} is on its way again. The earlier link no longer works."
        ),
        "roles" => format!("The roles of {name} are changed."),
        "suspended" => format!("{name} is suspended and signed out."),
        "restored" => format!("{name} may sign in again."),
        "removed" => {
            format!("{name} is removed. Everything of theirs that was open here has ended.")
        }
        _ => return None,
    })
}

const fn since_words(state: State) -> &'static str {
    match state {
        State::Invited => "Invited",
        State::Active => "Joined",
        State::Suspended => "Suspended",
        State::Ended => "Removed",
    }
}

/// What happened, one line each. `about` names whom, where the list is of more than one person.
pub fn feed(changes: &[domain::tenancy::Change], about: bool) -> AnyView {
    view! {
        <ul role="list" class="feed">
            {changes.iter().cloned().map(|change| {
                let by = change.by.unwrap_or_else(|| "Quorate".to_owned());
                let whom = about.then(|| change.about.unwrap_or_else(|| "somebody".to_owned()));
                view! {
                    <li>
                        <span class="face" aria-hidden="true">{domain::membership::initials(&by)}</span>
                        <span><b>{by}</b> " " {act_words(&change.act, whom.as_deref())}</span>
                        <Moment at=change.at />
                    </li>
                }
            }).collect_view()}
        </ul>
    }
    .into_any()
}

/// What was done, to somebody who is named or whose page it is.
fn act_words(act: &str, whom: Option<&str>) -> String {
    let them = whom.unwrap_or("them");
    match act {
        "membership.added" => format!("added {them}"),
        "membership.invited" => format!("added and invited {them}"),
        "membership.reinvited" => format!("sent the invitation again to {them}"),
        "membership.accepted" => "accepted the invitation".to_owned(),
        "membership.roles_changed" => whom.map_or_else(
            || "changed their roles".to_owned(),
            |name| format!("changed the roles of {name}"),
        ),
        "membership.suspended" => format!("suspended {them}"),
        "membership.restored" => format!("restored {them}"),
        "membership.removed" => format!("removed {them}"),
        "mail.undeliverable" => format!("could not deliver a letter to {them}"),
        _ => format!("changed something about {them}"),
    }
}
