//! Adding a person, and the steps that first say what will happen: roles, suspending, removing.

use domain::{
    Refusal,
    membership::{Person, State},
    role::Role,
};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use serde::{Deserialize, Serialize};

use super::{PersonCell, PersonView, crumbs, page_of, read_person, to_people};
use crate::{
    error::Result,
    form::{Act, Echo, Field, ProofBeside, Refusals},
    ui::{Head, Icon, Page, Rail},
};

/// What the form for a new person needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddView {
    /// The roles the reader may give.
    pub given: Vec<Role>,
    /// The refused form this page is drawn for.
    pub echo: Echo,
}

/// The form for a new person. Does not exist for those who may not add one.
#[server(endpoint = "people/add-form", input = leptos::server_fn::codec::GetUrl)]
pub async fn add_form() -> Result<Page<AddView>> {
    use crate::door;
    let read = door::read().await?;
    let around = door::around(&read)?;
    if !around.manages_people() {
        return Err(Refusal::NotFound.into());
    }
    let given = Role::given_by(&read.standing.roles, read.standing.kind);
    Ok(Page {
        around,
        body: AddView {
            given,
            echo: use_context().unwrap_or_default(),
        },
    })
}

/// `/people/add`
#[component]
pub fn AddPage() -> impl IntoView {
    let form = Resource::new(|| (), |()| add_form());
    page_of(form, Rail::People, |_, AddView { given, echo }| {
        let refusal = echo.of("people/add");
        let chosen = domain::role::parse(echo.values("roles").iter().map(String::as_str));
        view! {
            {crumbs(vec![to_people()])}
            <Head title="Add a person" lead="They get an invitation by e-mail that works for seven days. They choose their own password." />
            <section class="card narrow">
                <div class="body">
                    <Refusals refusal=refusal.clone() />
                    <ProofBeside refusal=refusal.clone() />
                    <form class="form" method="post">
                        <Act name="people/add" />
                        <Field name="name" label="Name" autocomplete="off" most=120 hint="As the person gives it: any letters, one name or five."
                            value=echo.value("name").unwrap_or_default() refusal=refusal.clone() />
                        <Field name="email" label="E-mail address" kind="email" inputmode="email" hint="Their own, not one that several people read."
                            value=echo.value("email").unwrap_or_default() refusal=refusal.clone() />
                        <RoleChoices given=given chosen=chosen refusal=refusal.clone() />
                        <div class="actions">
                            <button class="button primary">"Add and invite"</button>
                            <a class="button" href="/people">"Cancel"</a>
                        </div>
                    </form>
                </div>
            </section>
        }
        .into_any()
    })
}

/// Check boxes of the roles that may be given, each with its meaning.
#[component]
fn RoleChoices(given: Vec<Role>, chosen: Vec<Role>, refusal: Option<Refusal>) -> impl IntoView {
    let wrong = refusal
        .filter(|refusal| refusal.field() == Some("roles"))
        .map(|refusal| refusal.to_string());
    let described = wrong.is_some().then_some("roles-error");
    view! {
        <fieldset class="field" id="roles" tabindex="-1" data-error=described.map(|_| "") aria-describedby=described>
            <legend>"What they are here"</legend>
            {wrong.map(|wrong| view! {
                <p class="error" id="roles-error"><Icon name="warning" class="icon small" /><span><span class="hidden-text">"Error: "</span>{wrong}</span></p>
            })}
            <div class="options">
                {given.into_iter().enumerate().map(|(n, role)| view! {
                    <label class="option">
                        <input type="checkbox" name=format!("roles[{n}]") value=role.code() checked=chosen.contains(&role) />
                        <b>{role.name()}</b>
                        <small>{role.meaning()}</small>
                    </label>
                }).collect_view()}
            </div>
        </fieldset>
    }
}

/// `/people/:id/roles`
#[component]
pub fn RolesPage() -> impl IntoView {
    let shown = one_person(|state| state != State::Ended);
    page_of(shown, Rail::People, |_, shown| {
        let PersonView {
            person,
            given,
            echo,
            ..
        } = shown;
        let refusal = echo.of("people/change-roles");
        let chosen = if refusal.is_some() {
            domain::role::parse(echo.values("roles").iter().map(String::as_str))
        } else {
            person.roles.clone()
        };
        // Roles the reader may not touch stay as they are.
        let kept: Vec<Role> = person
            .roles
            .iter()
            .copied()
            .filter(|role| !given.contains(role))
            .collect();
        let path = format!("/people/{}", person.id);
        view! {
            {crumbs(vec![to_people(), (path.clone(), person.name.clone())])}
            <Head title=format!("Roles of {}", person.name) lead="A role that is taken away closes their open pages here at once." />
            <section class="card narrow">
                <div class="body">
                    <Refusals refusal=refusal.clone() />
                    <ProofBeside refusal=refusal.clone() />
                    <form class="form" method="post">
                        <Act name="people/change-roles" />
                        <input type="hidden" name="id" value=person.id.to_string() />
                        {kept.iter().enumerate().map(|(n, role)| view! { <input type="hidden" name=format!("roles[{}]", 100 + n) value=role.code() /> }).collect_view()}
                        <RoleChoices given=given chosen=chosen refusal=refusal.clone() />
                        <div class="actions"><button class="button primary">"Save the roles"</button><a class="button" href=path>"Cancel"</a></div>
                    </form>
                </div>
            </section>
        }
        .into_any()
    })
}

/// `/people/:id/suspend`
#[component]
pub fn SuspendPage() -> impl IntoView {
    let shown = one_person(|state| state == State::Active);
    page_of(shown, Rail::People, |around, shown| {
        let refusal = shown.echo.of("people/suspend");
        let name = shown.person.name.clone();
        confirm(
            &shown.person,
            Confirm {
                title: format!("Suspend {name}?"),
                act: "people/suspend",
                button: "Suspend",
                danger: false,
            },
            vec![
                (
                    "sign-out",
                    false,
                    format!(
                        "They are signed out of {} at once, on every device.",
                        around.place
                    ),
                ),
                (
                    "lock",
                    false,
                    "They cannot sign in here until somebody restores them.".to_owned(),
                ),
                (
                    "undo",
                    true,
                    "Their roles stay as they are. Undo it with “Restore” on their page."
                        .to_owned(),
                ),
            ],
            refusal,
        )
    })
}

/// `/people/:id/remove`
#[component]
pub fn RemovePage() -> impl IntoView {
    let shown = one_person(|state| state != State::Ended);
    page_of(shown, Rail::People, |around, shown| {
        let path = format!("/people/{}/remove", shown.person.id);
        if !shown.stepped_up {
            return step_up_first(&path);
        }
        let refusal = shown.echo.of("people/remove");
        let name = shown.person.name.clone();
        confirm(
            &shown.person,
            Confirm {
                title: format!("Remove {name} from {}?", around.place),
                act: "people/remove",
                button: "Remove",
                danger: true,
            },
            vec![
                (
                    "sign-out",
                    false,
                    format!(
                        "Their place at {} ends now. Their pages close, and they are signed out on every device.",
                        around.place
                    ),
                ),
                (
                    "mail",
                    false,
                    "Invitations and password links sent to them from here stop working."
                        .to_owned(),
                ),
                (
                    "history",
                    false,
                    "What they did stays on record, under their name.".to_owned(),
                ),
                (
                    "undo",
                    true,
                    "To bring them back, add them again with the same e-mail address.".to_owned(),
                ),
            ],
            refusal,
        )
    })
}

/// In place of a page whose act needs a fresh proof.
pub fn step_up_first(path: &str) -> AnyView {
    view! {
        <Head title="Confirm it is you" lead="We ask for your password again before acts that matter." />
        <section class="card narrow">
            <div class="body">
                <p>"You will come back to this page and can go on."</p>
                <div class="actions">
                    <a class="button primary" href=format!("/step-up?next={path}") rel="external">"Enter my password"</a>
                    <a class="button" href="/">"Go back, change nothing"</a>
                </div>
            </div>
        </section>
    }
    .into_any()
}

struct Confirm {
    title: String,
    act: &'static str,
    button: &'static str,
    danger: bool,
}

/// One thing that will happen: symbol, whether it is good news, and the sentence.
type Consequence = (&'static str, bool, String);

/// A page that says exactly what will happen to whom, and asks once.
fn confirm(
    person: &Person,
    ask: Confirm,
    what: Vec<Consequence>,
    refusal: Option<Refusal>,
) -> AnyView {
    let path = format!("/people/{}", person.id);
    view! {
        {crumbs(vec![to_people(), (path.clone(), person.name.clone())])}
        <Head title=ask.title />
        <div class="confirm">
            <Refusals refusal=refusal />
            <section class="card" class:grave=ask.danger aria-labelledby="what">
                <header><h2 id="what">"What will happen"</h2></header>
                <div class="body">
                    <PersonCell person=person.clone() here=false />
                    <ul role="list" class="consequences">
                        {what.into_iter().map(|(icon, good, line)| view! {
                            <li><Icon name=icon class=if good { "icon good" } else { "icon" } /><span>{line}</span></li>
                        }).collect_view()}
                    </ul>
                </div>
            </section>
            <form class="form" method="post">
                <Act name=ask.act />
                <input type="hidden" name="id" value=person.id.to_string() />
                <div class="actions">
                    <button class="button primary" class:danger=ask.danger>{ask.button}</button>
                    <a class="button" href=path>"Cancel"</a>
                </div>
            </form>
        </div>
    }
    .into_any()
}

/// The person of the address, for a page with a form: not live, since what is half typed must stay. Where there is nothing to
/// do about them, or no more, there is no such page, and a form that came too late is told why.
fn one_person(open: fn(State) -> bool) -> Resource<Result<Page<PersonView>>> {
    let params = use_params_map();
    Resource::new(
        move || params.with(|params| params.get("id").unwrap_or_default()),
        move |id| async move {
            let page = read_person(id).await?;
            let PersonView {
                may_change,
                person,
                echo,
                ..
            } = &page.body;
            if *may_change && open(person.state) {
                return Ok(page);
            }
            Err(echo
                .refusal
                .clone()
                .filter(|_| *may_change)
                .unwrap_or(Refusal::NotFound)
                .into())
        },
    )
}
