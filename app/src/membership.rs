//! People: the list, one person, adding, changing roles, suspending, restoring, removing.

use std::collections::HashMap;

use domain::{
    Refusal,
    membership::{Person, State},
    role::{Role, TenantKind},
};
use leptos::{prelude::*, tachys::view::keyed::keyed};
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    error::Result,
    form::{Act, Echo, Field, Refusals},
    live,
    ui::{self, Around, Head, Icon, Moment, Notice, Page, Rail, counted, framed},
};

/// How many rows a page of the list has.
const ROWS: usize = 100;

/// The list as filtered, with its counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct People {
    /// One page of those who match, by name.
    pub rows: Vec<Row>,
    /// How many match.
    pub matching: usize,
    /// Which page this is, from 1.
    pub page: usize,
    /// Code, name and count of each choice.
    pub choices: Vec<(String, String, usize)>,
    /// How many of those who match have a page of this tenant open.
    pub here: usize,
}

/// One row of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Who.
    pub person: Person,
    /// Whether they have a page of this tenant open.
    pub here: bool,
}

/// A choice above the list: code, name, and who belongs to it.
#[cfg(feature = "ssr")]
type Choice = (&'static str, &'static str, fn(&Person) -> bool);

#[cfg(feature = "ssr")]
const CHOICES: &[Choice] = &[
    ("", "Everyone", |person| person.state != State::Ended),
    ("board", "Board", |person| {
        person.state != State::Ended && holds(person, BOARD)
    }),
    ("staff", "Staff", |person| {
        person.state != State::Ended && holds(person, STAFF)
    }),
    ("families", "Families", |person| {
        person.state != State::Ended && holds(person, &[Role::Parent, Role::Member])
    }),
    ("invited", "Invited", |person| {
        person.state == State::Invited
    }),
    ("suspended", "Suspended", |person| {
        person.state == State::Suspended
    }),
    ("ended", "Removed", |person| person.state == State::Ended),
];
#[cfg(feature = "ssr")]
const BOARD: &[Role] = &[Role::Chair, Role::Governor, Role::Associate, Role::Clerk];
#[cfg(feature = "ssr")]
const STAFF: &[Role] = &[
    Role::SchoolAdmin,
    Role::SeniorLeader,
    Role::Senco,
    Role::Teacher,
    Role::TeachingAssistant,
    Role::TrustAdmin,
    Role::TrustLead,
    Role::OrgAdmin,
    Role::OrgStaff,
];

#[cfg(feature = "ssr")]
fn holds(person: &Person, roles: &[Role]) -> bool {
    person.roles.iter().any(|role| roles.contains(role))
}

/// The list of people: those the reader may see, filtered.
#[server(endpoint = "people/list", input = leptos::server_fn::codec::GetUrl)]
pub async fn read_people(
    #[server(default)] q: String,
    #[server(default)] show: String,
    #[server(default)] role: String,
    #[server(default)] page: usize,
) -> Result<Page<People>> {
    use crate::door;
    let mut read = door::read().await?;
    let around = door::around(&read)?;
    if !around.sees_people() {
        return Err(Refusal::NotFound.into());
    }
    let here = (door::services().here)(read.standing.tenant);
    let everybody = domain::membership::list(&mut read).await?;
    let words: Vec<String> = q
        .to_lowercase()
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    let role = Role::from_code(&role);
    let found: Vec<Person> = everybody
        .into_iter()
        .filter(|person| role.is_none_or(|role| person.roles.contains(&role)))
        .filter(|person| {
            let text = format!(
                "{} {}",
                person.name,
                person.email.as_deref().unwrap_or_default()
            )
            .to_lowercase();
            words.iter().all(|word| text.contains(word))
        })
        .collect();
    let choices = CHOICES
        .iter()
        .map(|(code, name, belongs)| {
            (
                (*code).to_owned(),
                (*name).to_owned(),
                found.iter().filter(|person| belongs(person)).count(),
            )
        })
        .collect();
    let belongs = CHOICES
        .iter()
        .find(|(code, ..)| *code == show)
        .map_or(CHOICES[0].2, |(.., belongs)| *belongs);
    let rows: Vec<Row> = found
        .into_iter()
        .filter(belongs)
        .map(|person| Row {
            here: here.contains(&person.account),
            person,
        })
        .collect();
    let page = page.clamp(1, rows.len().div_ceil(ROWS).max(1));
    let body = People {
        matching: rows.len(),
        here: rows.iter().filter(|row| row.here).count(),
        page,
        choices,
        rows: rows
            .into_iter()
            .skip((page - 1) * ROWS)
            .take(ROWS)
            .collect(),
    };
    Ok(Page { around, body })
}

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

/// A page of a signed-in person, read in one answer; the old content stays while a newer one is fetched.
pub fn page_of<T>(
    resource: Resource<Result<Page<T>>>,
    here: Rail,
    draw: impl Fn(&Around, T) -> AnyView + Clone + Send + Sync + 'static,
) -> impl IntoView
where
    T: Clone + Send + Sync + Serialize + for<'de> Deserialize<'de> + 'static,
{
    view! {
        <Transition>
            {move || {
                let draw = draw.clone();
                Suspend::new(async move {
                    match resource.await {
                        Ok(Page { around, body }) => framed(&around, here, draw(&around, body)),
                        Err(refused) => ui::refused(&refused.0),
                    }
                })
            }}
        </Transition>
    }
}

/// `/people`
#[component]
pub fn PeoplePage() -> impl IntoView {
    let query = use_query_map();
    let asked =
        |query: &leptos_router::params::ParamsMap, name: &str| query.get(name).unwrap_or_default();
    let typed = RwSignal::new(query.with_untracked(|query| asked(query, "q")));
    let (news, here) = (live::version("people"), live::version("here"));
    let kept = Kept::default();
    let list = Resource::new(
        move || {
            let asked_for = query.with(|query| {
                (
                    typed.get(),
                    asked(query, "show"),
                    asked(query, "role"),
                    asked(query, "page").parse().unwrap_or(1),
                )
            });
            // The counts make it another question: it is only asked again when what is asked differs.
            (asked_for, news.get(), here.get())
        },
        |((q, show, role, page), ..)| read_people(q, show, role, page),
    );
    let current =
        move || query.with_untracked(|query| (asked(query, "show"), asked(query, "role")));
    page_of(list, Rail::People, move |around, list| {
        let (show, role) = current();
        let q = typed.get_untracked();
        let link = |show: &str, page: usize| {
            let mut link = format!("/people?show={show}&role={role}");
            if page > 1 {
                link.push_str("&page=");
                link.push_str(&page.to_string());
            }
            link
        };
        let pages = list.matching.div_ceil(ROWS);
        let caption = match list.matching {
            0 => "Nobody matches.".to_owned(),
            n if pages > 1 => format!(
                "{}, {} of them here now. By name; {} to {} are shown.",
                counted(n, "person", "people"),
                list.here,
                (list.page - 1) * ROWS + 1,
                (list.page * ROWS).min(n)
            ),
            n => format!(
                "{}, {} of them here now. By name.",
                counted(n, "person", "people"),
                list.here
            ),
        };
        let manages = around.manages_people();
        live::announce_people(
            list.rows
                .iter()
                .map(|row| (row.person.id, row.person.name.clone(), row.person.state))
                .collect(),
            &show,
            &q,
        );
        view! {
            <Head title="People" lead=format!("Everyone with a place at {}, and what they are here.", around.place)>
                {manages.then(|| view! { <a class="button primary" href="/people/add"><Icon name="add" />"Add a person"</a> })}
            </Head>
            <section class="card">
                <form class="filter" method="get" action="/people">
                    <nav class="choices" aria-label="Show">
                        {list.choices.iter().filter(|(code, _, count)| code.is_empty() || *count > 0 || *code == show).map(|(code, name, count)| view! {
                            <a class="choice" href=link(code, 1) aria-current=(*code == show).then_some("true")>{name.clone()} " " <span>{*count}</span></a>
                        }).collect_view()}
                    </nav>
                    <input type="hidden" name="show" value=show.clone() />
                    <div class="field">
                        <label for="q">{if manages { "Find by name or e-mail" } else { "Find by name" }}</label>
                        <input id="q" name="q" type="search" autocomplete="off" value=q.clone() on:input:target=move |event| typed.set(event.target().value()) />
                    </div>
                    <div class="field fixed">
                        <label for="role">"Role"</label>
                        <select id="role" name="role">
                            <option value="" selected=role.is_empty()>"Any role"</option>
                            {Role::ALL.iter().map(|one| view! {
                                <option value=one.code() selected=one.code() == role>{one.name()}</option>
                            }).collect_view()}
                        </select>
                    </div>
                    <button class="button"><Icon name="search" />"Show"</button>
                </form>
                {if list.rows.is_empty() { nobody(!q.is_empty() || !role.is_empty() || !show.is_empty(), manages) } else { table(caption, list.rows.clone(), kept) }}
                {(pages > 1).then(|| view! {
                    <nav class="pager" aria-label="Pages of the list">
                        {(list.page > 1).then(|| view! { <a class="button" rel="prev" href=link(&show, list.page - 1)>"Earlier names"</a> })}
                        <span>{format!("Page {} of {pages}", list.page)}</span>
                        {(list.page < pages).then(|| view! { <a class="button" rel="next" href=link(&show, list.page + 1)>"Later names"</a> })}
                    </nav>
                })}
            </section>
        }
        .into_any()
    })
}

/// The rows on the screen. A row that is still there when the list is fetched again stays the element it was, and whoever is on it
/// with the keyboard stays there.
type Kept = StoredValue<HashMap<Uuid, ArcRwSignal<Row>>>;

fn table(caption: String, rows: Vec<Row>, kept: Kept) -> AnyView {
    let rows: Vec<ArcRwSignal<Row>> = kept
        .try_update_value(|kept| {
            let shown: HashMap<_, _> = rows
                .iter()
                .filter_map(|row| kept.remove_entry(&row.person.id))
                .collect();
            *kept = shown;
            rows.into_iter()
                .map(|row| {
                    let cell = kept
                        .entry(row.person.id)
                        .or_insert_with(|| ArcRwSignal::new(row.clone()));
                    if *cell.read_untracked() != row {
                        cell.set(row);
                    }
                    cell.clone()
                })
                .collect()
        })
        .unwrap_or_default();
    let rows = keyed(
        rows,
        |row| row.read_untracked().person.id,
        |_, row| (drop::<usize>, table_row(row)),
    );
    view! {
        <table class="table">
            <caption>{caption}</caption>
            <thead>
                <tr>
                    <th scope="col" aria-sort="ascending">"Name"</th>
                    <th scope="col">"Roles"</th>
                    <th scope="col">"Since"</th>
                    <th scope="col">"State"</th>
                    <th scope="col"><span class="hidden-text">"Open"</span></th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}

fn table_row(row: ArcRwSignal<Row>) -> AnyView {
    let id = row.read_untracked().person.id;
    let cell = row.clone();
    let person = move || {
        let Row { person, here } = cell.get();
        view! { <PersonCell person=person here=here /> }
    };
    let cell = row.clone();
    let roles = move || cell.read().person.role_names();
    let cell = row.clone();
    let since = move || view! { <Moment at=cell.read().person.since.clone() day=true /> };
    let cell = row.clone();
    let state = move || view! { <StateTag state=cell.read().person.state /> };
    view! {
        <tr>
            <th scope="row">{person}</th>
            <td data-label="Roles">{roles}</td>
            <td data-label="Since">{since}</td>
            <td data-label="State">{state}</td>
            <td class="act">
                <a class="button quiet" href=format!("/people/{id}")>
                    "Open" <span class="hidden-text">" "{move || row.read().person.name.clone()}</span>
                </a>
            </td>
        </tr>
    }
    .into_any()
}

fn nobody(filtered: bool, manages: bool) -> AnyView {
    let (title, text) = if filtered {
        (
            "Nobody matches",
            "Try fewer letters of the name, or show everyone.",
        )
    } else {
        (
            "Nobody here yet",
            "People you add are listed here, with what they may do.",
        )
    };
    view! {
        <div class="empty">
            <Icon name=if filtered { "search" } else { "people" } />
            <h2>{title}</h2>
            <p>{text}</p>
            <div class="actions">
                {filtered.then(|| view! { <a class="button" href="/people" rel="external">"Show everyone"</a> })}
                {(!filtered && manages).then(|| view! { <a class="button primary" href="/people/add">"Add a person"</a> })}
            </div>
        </div>
    }
    .into_any()
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
                let whom = if about { change.about.unwrap_or_else(|| "somebody".to_owned()) } else { String::new() };
                view! {
                    <li>
                        <span class="face" aria-hidden="true">{domain::membership::initials(&by)}</span>
                        <span><b>{by}</b> " " {act_words(&change.act)} " " {whom}</span>
                        <Moment at=change.at />
                    </li>
                }
            }).collect_view()}
        </ul>
    }
    .into_any()
}

fn act_words(act: &str) -> &'static str {
    match act {
        "membership.added" => "added",
        "membership.invited" => "added and invited",
        "membership.reinvited" => "sent the invitation again to",
        "membership.accepted" => "accepted the invitation of",
        "membership.roles_changed" => "changed the roles of",
        "membership.suspended" => "suspended",
        "membership.restored" => "restored",
        "membership.removed" => "removed",
        _ => "changed",
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
