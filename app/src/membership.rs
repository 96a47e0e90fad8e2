//! People: what is done to them, and the parts that their pages share.

mod list;
pub(crate) mod many;
#[cfg(feature = "ssr")]
pub(crate) mod person;
#[cfg(feature = "ssr")]
pub(crate) mod steps;

use domain::membership::{Person, State};
#[cfg(feature = "ssr")]
use domain::{Refusal, role::Role};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

#[cfg(feature = "ssr")]
pub use self::list::{Found, found};
pub use self::list::{People, PeoplePage, Row, Wanted, read_people};
#[cfg(feature = "ssr")]
use crate::form::id_of;
use crate::{
    error::Result,
    ui::{self, Around, Page, Rail, framed},
};

/// Adds a person; an invitation is mailed to them.
#[server(endpoint = "people/add")]
pub async fn add_person(
    name: String,
    email: String,
    #[server(default)] roles: Vec<String>,
) -> Result<()> {
    let mut write = crate::door::write().await?;
    let roles = domain::role::parse(roles.iter().map(String::as_str));
    let (id, act) = domain::membership::add(&mut write, &name, &email, &roles).await?;
    write.commit(act).await?;
    crate::door::send_to(&format!("/people/{id}?done=added"));
    Ok(())
}

/// Mails the invitation again; the earlier link stops working.
#[server(endpoint = "people/invite-again")]
pub async fn invite_again(id: String) -> Result<()> {
    let mut write = crate::door::write().await?;
    let act = domain::membership::invite_again(&mut write, id_of(&id)?).await?;
    write.commit(act).await?;
    crate::door::send_to(&format!("/people/{id}?done=invited"));
    Ok(())
}

/// Gives a person one more role.
#[server(endpoint = "people/give-role")]
pub async fn give_role(id: String, role: String) -> Result<()> {
    let mut write = crate::door::write().await?;
    let role = Role::from_code(&role).ok_or(Refusal::Stale)?;
    let act = domain::membership::give_role(&mut write, id_of(&id)?, role).await?;
    write.commit(act).await?;
    crate::door::send_to(&format!("/people/{id}/roles?done=given"));
    Ok(())
}

/// Takes one role from a person.
#[server(endpoint = "people/drop-role")]
pub async fn drop_role(id: String, role: String) -> Result<()> {
    let mut write = crate::door::write().await?;
    let role = Role::from_code(&role).ok_or(Refusal::Stale)?;
    let act = domain::membership::drop_role(&mut write, id_of(&id)?, role).await?;
    write.commit(act).await?;
    crate::door::send_to(&format!("/people/{id}/roles?done=dropped"));
    Ok(())
}

/// Writes a person's name another way. `was` is the name that the form was filled in beside.
#[server(endpoint = "people/rename")]
pub async fn rename_person(id: String, name: String, was: String) -> Result<()> {
    let mut write = crate::door::write().await?;
    let act = domain::membership::rename(&mut write, id_of(&id)?, &name, &was).await?;
    write.commit(act).await?;
    crate::door::send_to(&format!("/people/{id}?done=renamed"));
    Ok(())
}

/// Corrects the address of somebody who has not joined yet, and invites them there.
#[server(endpoint = "people/correct-address")]
pub async fn correct_address(id: String, email: String) -> Result<()> {
    let mut write = crate::door::write().await?;
    let act = domain::membership::correct_address(&mut write, id_of(&id)?, &email).await?;
    write.commit(act).await?;
    crate::door::send_to(&format!("/people/{id}?done=corrected"));
    Ok(())
}

/// Bars a person until they are restored.
#[server(endpoint = "people/suspend")]
pub async fn suspend_person(id: String) -> Result<()> {
    let mut write = crate::door::write().await?;
    let (_, act) = domain::membership::suspend(&mut write, id_of(&id)?).await?;
    write.commit(act).await?;
    crate::door::send_to(&format!("/people/{id}?done=suspended"));
    Ok(())
}

/// Lets a suspended person in again.
#[server(endpoint = "people/restore")]
pub async fn restore_person(id: String) -> Result<()> {
    let mut write = crate::door::write().await?;
    let act = domain::membership::restore(&mut write, id_of(&id)?).await?;
    write.commit(act).await?;
    crate::door::send_to(&format!("/people/{id}?done=restored"));
    Ok(())
}

/// Removes a person: their place ends, and everything open of theirs here with it. The receipt is the way on.
#[server(endpoint = "people/remove")]
pub async fn remove_person(id: String) -> Result<()> {
    let mut write = crate::door::write().await?;
    write.standing.require_step_up()?;
    let (_, act) = domain::membership::remove(&mut write, id_of(&id)?).await?;
    let seq = write.commit(act).await?;
    crate::door::send_to(&format!("/audit/{seq}?done=removed"));
    Ok(())
}

/// Fetches again in a moment; of no effect once the page has been left.
fn fetch_later<T>(resource: Resource<Result<Page<T>>>)
where
    T: Clone + Send + Sync + Serialize + for<'de> Deserialize<'de> + 'static,
{
    #[cfg(feature = "hydrate")]
    set_timeout(
        move || resource.refetch(),
        std::time::Duration::from_secs(2),
    );
    #[cfg(not(feature = "hydrate"))]
    let _ = resource;
}

/// A page of a signed-in person, read in one answer; the old content stays while a newer one is fetched.
pub fn page_of<T>(
    resource: Resource<Result<Page<T>>>,
    here: Rail,
    draw: impl Fn(&Around, T) -> AnyView + Clone + Send + Sync + 'static,
) -> impl IntoView
where
    T: Clone + Send + Sync + Serialize + for<'de> Deserialize<'de> + 'static,
{
    kept(resource, move |page| {
        framed(&page.around, here, draw(&page.around, page.body))
    })
}

/// The same, with the frame.
pub fn kept<T>(
    resource: Resource<Result<Page<T>>>,
    draw: impl Fn(Page<T>) -> AnyView + Clone + Send + Sync + 'static,
) -> impl IntoView
where
    T: Clone + Send + Sync + Serialize + for<'de> Deserialize<'de> + 'static,
{
    // What was last drawn: a page that cannot be fetched again just now stays as it is, and what is typed on it too.
    let last = StoredValue::new(None::<Page<T>>);
    view! {
        <Transition>
            {move || {
                let draw = draw.clone();
                Suspend::new(async move {
                    let page = match resource.await {
                        Ok(page) => page,
                        Err(refused) => match last.get_value().filter(|_| refused.0.passes()) {
                            Some(page) => {
                                fetch_later(resource);
                                page
                            }
                            None => return ui::refused(&refused.0),
                        },
                    };
                    last.set_value(Some(page.clone()));
                    draw(page)
                })
            }}
        </Transition>
    }
}

#[component]
fn PersonCell(person: Person, here: bool) -> impl IntoView {
    view! {
        <div class="person">
            <span class="face" data-here=here.then_some("") aria-hidden="true">{person.initials()}</span>
            <div>
                <b>{person.name.clone()}</b>
                {person.email.clone().map(|email| view! { <small><Address email=email /></small> })}
                {here.then(|| view! { <span class="hidden-text">", here now"</span> })}
            </div>
        </div>
    }
}

/// An address, which may go on in the next line after its `@`.
#[component]
fn Address(email: String) -> impl IntoView {
    let (name, host) = email
        .split_once('@')
        .map_or((email.clone(), String::new()), |(name, host)| {
            (format!("{name}@"), host.to_owned())
        });
    view! { {name} <wbr /> {host} }
}

/// A telephone number that can be rung. The link has its digits alone and an extension (RFC 3966).
#[component]
fn Telephone(number: String) -> impl IntoView {
    let dialled: String = number
        .replace(" ext ", ";ext=")
        .chars()
        .filter(|c| !matches!(c, ' ' | '(' | ')' | '.' | '/' | '-'))
        .collect();
    view! { <a href=format!("tel:{dialled}")>{number}</a> }
}

/// The way back up.
#[cfg(feature = "ssr")]
pub(crate) fn crumbs(steps: Vec<(String, String)>) -> impl IntoView {
    view! {
        <nav class="crumbs" aria-label="Where you are">
            <ol role="list">{steps.into_iter().map(|(href, name)| view! { <li><a href=href>{name}</a></li> }).collect_view()}</ol>
        </nav>
    }
}

#[cfg(feature = "ssr")]
pub(crate) fn to_people() -> (String, String) {
    ("/people".to_owned(), "People".to_owned())
}

#[component]
fn StateTag(state: State) -> impl IntoView {
    let class = match state {
        State::Invited => "tag info",
        State::Active => "tag good",
        State::Suspended => "tag bad",
        State::Ended => "tag",
    };
    view! { <span class=class>{state.name()}</span> }
}
