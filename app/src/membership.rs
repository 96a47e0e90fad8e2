//! People: what is done to them, and the parts that their pages share.

mod list;
mod person;
mod steps;

#[cfg(feature = "ssr")]
use domain::Refusal;
use domain::membership::{Person, State};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

pub use self::{
    list::{People, PeoplePage, Row, read_people},
    person::{PersonPage, PersonView, feed, read_person},
    steps::{AddPage, AddView, RemovePage, RolesPage, SuspendPage, add_form, step_up_first},
};
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

/// Gives a person exactly these roles.
#[server(endpoint = "people/change-roles")]
pub async fn change_roles(id: String, #[server(default)] roles: Vec<String>) -> Result<()> {
    let mut write = crate::door::write().await?;
    let roles = domain::role::parse(roles.iter().map(String::as_str));
    let act = domain::membership::change_roles(&mut write, id_of(&id)?, &roles).await?;
    write.commit(act).await?;
    crate::door::send_to(&format!("/people/{id}?done=roles"));
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

/// Removes a person: their place ends, and everything open of theirs here with it.
#[server(endpoint = "people/remove")]
pub async fn remove_person(id: String) -> Result<()> {
    let mut write = crate::door::write().await?;
    write.standing.require_step_up()?;
    let (_, act) = domain::membership::remove(&mut write, id_of(&id)?).await?;
    write.commit(act).await?;
    crate::door::send_to(&format!("/people/{id}?done=removed"));
    Ok(())
}

/// An id that cannot be one is like one that never was.
#[cfg(feature = "ssr")]
fn id_of(text: &str) -> std::result::Result<domain::MembershipId, Refusal> {
    uuid::Uuid::try_parse(text).map_err(|_| Refusal::NotFound)
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
                    framed(&page.around, here, draw(&page.around, page.body))
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

/// The way back up.
fn crumbs(steps: Vec<(String, String)>) -> impl IntoView {
    view! {
        <nav class="crumbs" aria-label="Where you are">
            <ol role="list">{steps.into_iter().map(|(href, name)| view! { <li><a href=href>{name}</a></li> }).collect_view()}</ol>
        </nav>
    }
}

fn to_people() -> (String, String) {
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
