//! Adding a person, and the steps that say what will happen before it does: roles, name, address, suspending, removing. Sheets.

use domain::{
    Refusal,
    db::Read,
    membership::{Person, State},
    role::Role,
};
use leptos::prelude::*;

use super::{PersonCell, crumbs, person::Shown, to_people};
use crate::{
    form::{Act, Echo, Field, ProofBeside, Refusals},
    sheet::{Asked, Drawing},
    ui::{Around, Heading, Icon, Notice, step_up_first},
};

/// `/people/add`: does not exist for those who may not add anybody.
pub fn add(read: &Read, around: &Around) -> Result<Drawing, Refusal> {
    if !around.manages_people() {
        return Err(Refusal::NotFound);
    }
    let given = Role::given_by(&read.standing.roles, read.standing.kind);
    let echo: Echo = use_context().unwrap_or_default();
    let refusal = echo.of("people/add");
    let chosen = domain::role::parse(echo.values("roles").iter().map(String::as_str));
    let title = "Add a person".to_owned();
    let page = view! {
        {crumbs(vec![to_people()])}
        <Heading title=title.clone() lead="They get an invitation by e-mail that works for seven days. They choose their own password." />
        <p><a href="/people/add-many">"Add many people from a list"</a></p>
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
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
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

/// `/people/:id/roles`: each role is given or taken by itself, so two people at it never undo each other's work.
pub async fn roles(
    read: &mut Read,
    around: &Around,
    asked: &Asked,
    id: &str,
) -> Result<Drawing, Refusal> {
    let Shown {
        person,
        given,
        echo,
        ..
    } = Shown::to_change(read, around, id, |state| state != State::Ended).await?;
    let refusal = echo.refusal;
    let path = format!("/people/{}", person.id);
    let title = format!("Roles of {}", person.name);
    let done = match asked.query("done") {
        "given" => Some(format!("{} has one more role.", person.name)),
        "dropped" => Some(format!("{} has one role less.", person.name)),
        _ => None,
    };
    let row = |role: Role, held: bool| {
        let (act, label) = if held {
            ("people/drop-role", "Take away")
        } else {
            ("people/give-role", "Give")
        };
        let may = given.contains(&role);
        view! {
            <div class="act-row">
                <div><b>{role.name()}</b><small>{role.meaning()}</small></div>
                {if may {
                    view! {
                        <form method="post">
                            <Act name=act />
                            <input type="hidden" name="id" value=person.id.to_string() />
                            <input type="hidden" name="role" value=role.code() />
                            <button class="button">{label} <span class="hidden-text">": "{role.name()}</span></button>
                        </form>
                    }.into_any()
                } else {
                    view! { <small class="muted">"Not yours to change"</small> }.into_any()
                }}
            </div>
        }
    };
    let open: Vec<Role> = given
        .iter()
        .copied()
        .filter(|role| !person.roles.contains(role))
        .collect();
    let page = view! {
        {crumbs(vec![to_people(), (path.clone(), person.name.clone())])}
        {done.map(|text| view! { <Notice text=text /> })}
        <Heading title=title.clone() lead="Each change counts at once. A role that is taken away closes their open pages here." />
        <Refusals refusal=refusal.clone() />
        <ProofBeside refusal=refusal />
        <section class="card narrow" aria-labelledby="held">
            <header><h2 id="held">"What they are"</h2></header>
            <div class="body"><div>{person.roles.iter().map(|role| row(*role, true)).collect_view()}</div></div>
        </section>
        {(!open.is_empty()).then(|| view! {
            <section class="card narrow" aria-labelledby="open">
                <header><h2 id="open">"What they could be"</h2></header>
                <div class="body"><div>{open.into_iter().map(|role| row(role, false)).collect_view()}</div></div>
            </section>
        })}
        <p><a class="button" href=path>"Back to " {person.name.clone()}</a></p>
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

/// `/people/:id/rename`
pub async fn rename(read: &mut Read, around: &Around, id: &str) -> Result<Drawing, Refusal> {
    let Shown { person, echo, .. } =
        Shown::to_change(read, around, id, |state| state != State::Ended).await?;
    let refusal = echo.of("people/rename");
    let typed = echo.value("name").unwrap_or_else(|| person.name.clone());
    let changed = refusal == Some(Refusal::Meanwhile);
    Ok(one_field(
        &person,
        "Change the name".to_owned(),
        format!(
            "It changes for everybody who sees {} here. What is on record already keeps pointing at the same person.",
            around.place
        ),
        view! {
            <Refusals refusal=refusal.clone() />
            {changed.then(|| view! { <p>"It is now: " <b>{person.name.clone()}</b></p> })}
            <form class="form" method="post">
                <Act name="people/rename" />
                <input type="hidden" name="id" value=person.id.to_string() />
                <input type="hidden" name="was" value=person.name.clone() />
                <Field name="name" label="Name" most=120 hint="As the person gives it: any letters, one name or five." value=typed refusal=refusal.clone() />
                <div class="actions">
                    <button class="button primary">"Save the name"</button>
                    <a class="button" href=format!("/people/{}", person.id)>"Cancel"</a>
                </div>
            </form>
        }
        .into_any(),
    ))
}

/// `/people/:id/address`: only for somebody who has not joined. Whoever has signs in with theirs, and it is theirs to change.
pub async fn address(read: &mut Read, around: &Around, id: &str) -> Result<Drawing, Refusal> {
    let Shown { person, echo, .. } =
        Shown::to_change(read, around, id, |state| state == State::Invited).await?;
    let refusal = echo.of("people/correct-address");
    let typed = echo.value("email").or_else(|| person.email.clone());
    Ok(one_field(
        &person,
        "Correct the address".to_owned(),
        "The invitation goes to the corrected address; the link that was sent to the earlier one stops working.".to_owned(),
        view! {
            <Refusals refusal=refusal.clone() />
            <form class="form" method="post">
                <Act name="people/correct-address" />
                <input type="hidden" name="id" value=person.id.to_string() />
                <Field name="email" label="E-mail address" kind="email" inputmode="email" hint="Their own, not one that several people read."
                    value=typed.unwrap_or_default() refusal=refusal.clone() />
                <div class="actions">
                    <button class="button primary">"Correct and invite"</button>
                    <a class="button" href=format!("/people/{}", person.id)>"Cancel"</a>
                </div>
            </form>
        }
        .into_any(),
    ))
}

/// A page about a person with one short form.
fn one_field(person: &Person, title: String, lead: String, form: AnyView) -> Drawing {
    let page = view! {
        {crumbs(vec![to_people(), (format!("/people/{}", person.id), person.name.clone())])}
        <Heading title=title.clone() lead=lead />
        <section class="card narrow"><div class="body"><PersonCell person=person.clone() here=false />{form}</div></section>
    };
    Drawing {
        title: format!("{title}: {}", person.name),
        page: page.into_any(),
    }
}

/// `/people/:id/suspend`
pub async fn suspend(read: &mut Read, around: &Around, id: &str) -> Result<Drawing, Refusal> {
    let shown = Shown::to_change(read, around, id, |state| state == State::Active).await?;
    let refusal = shown.echo.of("people/suspend");
    let name = &shown.person.name;
    Ok(confirm(
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
                "Their roles stay as they are. Undo it with “Restore” on their page.".to_owned(),
            ),
        ],
        refusal,
    ))
}

/// `/people/:id/remove`
pub async fn remove(read: &mut Read, around: &Around, id: &str) -> Result<Drawing, Refusal> {
    let shown = Shown::to_change(read, around, id, |state| state != State::Ended).await?;
    if !shown.stepped_up {
        return Ok(step_up_first(&format!(
            "/people/{}/remove",
            shown.person.id
        )));
    }
    let refusal = shown.echo.of("people/remove");
    let name = &shown.person.name;
    Ok(confirm(
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
                "Invitations and password links sent to them from here stop working, and letters that wait are not sent."
                    .to_owned(),
            ),
            (
                "people",
                false,
                "Their term of office and their places on committees end today.".to_owned(),
            ),
            (
                "history",
                false,
                "What they did stays on record, under their name. You get a receipt of what was ended.".to_owned(),
            ),
            (
                "undo",
                true,
                "To bring them back, add them again with the same e-mail address.".to_owned(),
            ),
        ],
        refusal,
    ))
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
) -> Drawing {
    let path = format!("/people/{}", person.id);
    let page = view! {
        {crumbs(vec![to_people(), (path.clone(), person.name.clone())])}
        <Heading title=ask.title.clone() />
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
    };
    Drawing {
        title: ask.title,
        page: page.into_any(),
    }
}
