//! The list of people: searched, filtered, and kept as others change it.

use std::collections::HashMap;
#[cfg(feature = "ssr")]
use std::collections::HashSet;

#[cfg(feature = "ssr")]
use domain::{
    Refusal,
    board::{Category, Committee, Seat},
    membership::{
        State,
        part::{self, Alike, Part, Sought},
    },
    notice::Bounce,
};
use domain::{membership::Person, role::Role};
use leptos::{prelude::*, tachys::view::keyed::keyed};
use leptos_router::hooks::use_query_map;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{PersonCell, StateTag, Telephone, page_of};
use crate::{
    error::Result,
    live,
    ui::{Head, Icon, Moment, Page, Rail, counted},
};

/// How many rows a page of the list has.
const ROWS: usize = 100;
/// Words that are looked for at most: each is looked for in everybody.
#[cfg(feature = "ssr")]
const WORDS_MOST: usize = 20;

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
    /// Code and name of the board's categories, where it has seats.
    pub categories: Vec<(String, String)>,
    /// Id and name of the committees.
    pub committees: Vec<(String, String)>,
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
    /// The seat they hold on the board: "Parent governor 2".
    pub seat: Option<String>,
    /// Where their last letter came back: the number to reach them by, empty where there is none.
    pub returned: Option<String>,
}

/// Which people are asked for; everything that is set must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Wanted {
    /// Parts of a name or an address.
    pub q: String,
    /// One of the choices above the list.
    pub show: String,
    /// Code of a role.
    pub role: String,
    /// Code of a category of the board.
    pub category: String,
    /// Id of a committee.
    pub committee: String,
}

/// Somebody who was found, with what the board knows of them.
#[cfg(feature = "ssr")]
pub struct Found {
    /// Who.
    pub person: Person,
    /// The seat they hold, with the term.
    pub seat: Option<Seat>,
    /// Names of the committees they sit on.
    pub committees: Vec<String>,
}

/// A choice above the list, and who belongs to it: whoever stands at one of the states, has one of the roles where any are named,
/// and is one of a few where that is asked.
#[cfg(feature = "ssr")]
struct Choice {
    code: &'static str,
    name: &'static str,
    states: &'static [State],
    roles: &'static [Role],
    of: Option<Few>,
}

/// Whom no role and no state tells.
#[cfg(feature = "ssr")]
#[derive(Clone, Copy)]
enum Few {
    /// Their term on the board ends soon, and nobody is found to follow.
    Ending,
    /// Their last letter came back.
    Returned,
}

#[cfg(feature = "ssr")]
impl Choice {
    const fn new(
        code: &'static str,
        name: &'static str,
        states: &'static [State],
        roles: &'static [Role],
    ) -> Self {
        Self {
            code,
            name,
            states,
            roles,
            of: None,
        }
    }

    const fn of(code: &'static str, name: &'static str, few: Few) -> Self {
        Self {
            of: Some(few),
            ..Self::new(code, name, HERE, &[])
        }
    }

    /// The one that was asked for; everyone where there is none of that code.
    fn asked(show: &str) -> &'static Self {
        CHOICES
            .iter()
            .find(|choice| choice.code == show)
            .unwrap_or(&CHOICES[0])
    }

    /// Whether these belong to it.
    fn covers(&self, alike: &Alike, beside: &Beside) -> bool {
        self.states.contains(&alike.state)
            && (self.roles.is_empty() || alike.roles.iter().any(|role| self.roles.contains(role)))
            && self
                .of
                .is_none_or(|few| alike.marked.is_some_and(|id| beside.few(few).contains(&id)))
    }
}

#[cfg(feature = "ssr")]
const CHOICES: &[Choice] = &[
    Choice::new("", "Everyone", HERE, &[]),
    Choice::new("board", "Board", HERE, BOARD),
    Choice::of("ending", "Term ends soon", Few::Ending),
    Choice::new("staff", "Staff", HERE, STAFF),
    Choice::new("families", "Families", HERE, &[Role::Parent, Role::Member]),
    Choice::new("invited", "Invited", &[State::Invited], &[]),
    Choice::new("suspended", "Suspended", &[State::Suspended], &[]),
    Choice::of("returned", "Mail came back", Few::Returned),
    Choice::new("ended", "Removed", &[State::Ended], &[]),
];
/// Where everybody stands who was not removed.
#[cfg(feature = "ssr")]
const HERE: &[State] = &[State::Invited, State::Active, State::Suspended];
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

/// What board and post know of people, beside which the list is read.
#[cfg(feature = "ssr")]
struct Beside {
    seats: Vec<Seat>,
    committees: Vec<Committee>,
    /// Of whom a letter came back.
    bounces: HashMap<Uuid, Bounce>,
    /// Which of the seats somebody holds.
    held: HashMap<Uuid, usize>,
    ending: Vec<Uuid>,
    returned: Vec<Uuid>,
}

#[cfg(feature = "ssr")]
impl Beside {
    /// Refuses [`Refusal::NotFound`] to parents and young people.
    async fn read(
        read: &mut domain::db::Read,
        today: time::Date,
    ) -> std::result::Result<Self, Refusal> {
        let (seats, committees) = domain::board::sitting(read, today).await?;
        let bounces: HashMap<Uuid, Bounce> = domain::notice::bounces(read)
            .await?
            .into_iter()
            .map(|bounce| (bounce.person, bounce))
            .collect();
        let held: HashMap<Uuid, usize> = seats
            .iter()
            .enumerate()
            .filter_map(|(place, seat)| Some((seat.holder.as_ref()?.person.id, place)))
            .collect();
        let soon = domain::board::ending(&seats, today);
        let ending = soon
            .iter()
            .filter_map(|seat| Some(seat.holder.as_ref()?.person.id));
        Ok(Self {
            ending: ending.collect(),
            returned: bounces.keys().copied().collect(),
            seats,
            committees,
            bounces,
            held,
        })
    }

    fn few(&self, few: Few) -> &[Uuid] {
        match few {
            Few::Ending => &self.ending,
            Few::Returned => &self.returned,
        }
    }

    /// The seat that somebody holds.
    fn seat(&self, person: Uuid) -> Option<&Seat> {
        self.held
            .get(&person)
            .and_then(|place| self.seats.get(*place))
    }

    /// Those of `choice` among whom is sought.
    fn part(&self, choice: &Choice) -> Part<'_> {
        Part {
            states: choice.states,
            roles: choice.roles,
            among: choice.of.map(|few| self.few(few)),
        }
    }

    /// Who is wanted, whatever choice above the list they belong to.
    async fn sought(
        &self,
        read: &mut domain::db::Read,
        wanted: &Wanted,
    ) -> std::result::Result<Sought, Refusal> {
        let mut few: Vec<HashSet<Uuid>> = Vec::new();
        if let Some(category) = Category::from_code(&wanted.category) {
            let people = self.held.keys().copied();
            few.push(
                people
                    .filter(|person| {
                        self.seat(*person)
                            .is_some_and(|seat| seat.category == category)
                    })
                    .collect(),
            );
        }
        if let Ok(committee) = Uuid::try_parse(&wanted.committee) {
            let of = self.committees.iter().filter(|one| one.id == committee);
            few.push(
                of.flat_map(|one| &one.members)
                    .map(|place| place.person.id)
                    .collect(),
            );
        }
        let mut words: Vec<String> = wanted.q.split_whitespace().map(str::to_owned).collect();
        words.sort_unstable();
        words.dedup();
        words.truncate(WORDS_MOST);
        if !words.is_empty() {
            let found = part::by_words(read, &words).await?;
            few.push(found.into_iter().collect());
        }
        let among = few.into_iter().reduce(|mut among, others| {
            among.retain(|person| others.contains(person));
            among
        });
        Ok(Sought {
            role: Role::from_code(&wanted.role),
            among: among.map(|among| among.into_iter().collect()),
        })
    }
}

/// The whole list as filtered, for a download. Refuses [`Refusal::NotFound`] to those who do not manage people.
#[cfg(feature = "ssr")]
pub async fn found(
    read: &mut domain::db::Read,
    today: time::Date,
    wanted: &Wanted,
) -> std::result::Result<Vec<Found>, Refusal> {
    if !read.standing.roles.iter().any(|role| role.manages_people()) {
        return Err(Refusal::NotFound);
    }
    let beside = Beside::read(read, today).await?;
    let sought = beside.sought(read, wanted).await?;
    let wanted = beside.part(Choice::asked(&wanted.show));
    let people = part::people(read, &sought, &wanted, 0, None).await?;
    Ok(people
        .into_iter()
        .map(|person| {
            let sits = beside.committees.iter().filter(|committee| {
                let mut members = committee.members.iter();
                members.any(|place| place.person.id == person.id)
            });
            Found {
                seat: beside.seat(person.id).cloned(),
                committees: sits.map(|committee| committee.name.clone()).collect(),
                person,
            }
        })
        .collect())
}

/// The list of people: those the reader may see, filtered.
#[server(endpoint = "people/list", input = leptos::server_fn::codec::GetUrl)]
pub async fn read_people(
    #[server(default)] q: String,
    #[server(default)] show: String,
    #[server(default)] role: String,
    #[server(default)] category: String,
    #[server(default)] committee: String,
    #[server(default)] page: usize,
) -> Result<Page<People>> {
    use crate::door;
    let mut read = door::read().await?;
    let around = door::around(&read)?;
    if !around.sees_people() {
        return Err(Refusal::NotFound.into());
    }
    let here = (door::services().here)(read.standing.tenant);
    let wanted = Wanted {
        q,
        show,
        role,
        category,
        committee,
    };
    let mut beside = Beside::read(&mut read, door::today()).await?;
    let sought = beside.sought(&mut read, &wanted).await?;
    let marked = [beside.few(Few::Ending), beside.few(Few::Returned)].concat();
    let alike = part::alike(&mut read, &sought, &marked, &here).await?;
    let count = |choice: &Choice, of: fn(&Alike) -> usize| -> usize {
        let those = alike.iter().filter(|alike| choice.covers(alike, &beside));
        those.map(of).sum()
    };
    let shown = Choice::asked(&wanted.show);
    let matching = count(shown, |alike| alike.people);
    let page = page.clamp(1, matching.div_ceil(ROWS).max(1));
    let people = part::people(
        &mut read,
        &sought,
        &beside.part(shown),
        (page - 1) * ROWS,
        Some(ROWS),
    )
    .await?;
    let choices = CHOICES
        .iter()
        .map(|choice| {
            (
                choice.code.to_owned(),
                choice.name.to_owned(),
                count(choice, |alike| alike.people),
            )
        })
        .collect();
    let are_here = count(shown, |alike| alike.here);
    let mut categories: Vec<_> = beside.seats.iter().map(|seat| seat.category).collect();
    categories.dedup();
    let body = People {
        matching,
        here: are_here,
        page,
        choices,
        categories: categories
            .into_iter()
            .map(|category| (category.code().to_owned(), category.name().to_owned()))
            .collect(),
        rows: people
            .into_iter()
            .map(|person| Row {
                here: here.contains(&person.account),
                seat: beside.seat(person.id).map(Seat::title),
                returned: beside
                    .bounces
                    .remove(&person.id)
                    .map(|bounce| bounce.phone.unwrap_or_default()),
                person,
            })
            .collect(),
        committees: beside
            .committees
            .into_iter()
            .map(|committee| (committee.id.to_string(), committee.name))
            .collect(),
    };
    Ok(Page { around, body })
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
                    asked(query, "category"),
                    asked(query, "committee"),
                    asked(query, "page").parse().unwrap_or(1),
                )
            });
            // The counts make it another question: it is only asked again when what is asked differs.
            (asked_for, news.get(), here.get())
        },
        |((q, show, role, category, committee, page), ..)| {
            read_people(q, show, role, category, committee, page)
        },
    );
    let current = move || {
        query.with_untracked(|query| {
            ["show", "role", "category", "committee"].map(|name| asked(query, name))
        })
    };
    page_of(list, Rail::People, move |around, list| {
        let [show, role, category, committee] = current();
        let q = typed.get_untracked();
        let others = format!("role={role}&category={category}&committee={committee}");
        let link = |show: &str, page: usize| {
            let mut link = format!("/people?show={show}&{others}");
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
                    {choice("role", "Role", "Any role", roles(), &role)}
                    {(!list.categories.is_empty()).then(|| choice("category", "On the board as", "Anything", list.categories.clone(), &category))}
                    {(!list.committees.is_empty()).then(|| choice("committee", "Committee", "Any or none", list.committees.clone(), &committee))}
                    <button class="button"><Icon name="search" />"Show"</button>
                    {manages.then(|| view! { <button class="button quiet" formaction="/people.csv">"Download as CSV"</button> })}
                </form>
                {if list.rows.is_empty() { nobody(!q.is_empty() || !show.is_empty() || others.len() > "role=&category=&committee=".len(), manages) } else { table(caption, list.rows.clone(), kept) }}
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

fn roles() -> Vec<(String, String)> {
    Role::ALL
        .iter()
        .map(|role| (role.code().to_owned(), role.name().to_owned()))
        .collect()
}

/// A list in the filter: code and name of each.
fn choice(
    name: &'static str,
    label: &'static str,
    any: &'static str,
    options: Vec<(String, String)>,
    chosen: &str,
) -> AnyView {
    view! {
        <div class="field fixed">
            <label for=name>{label}</label>
            <select id=name name=name>
                <option value="" selected=chosen.is_empty()>{any}</option>
                {options.into_iter().map(|(code, name)| {
                    let selected = code == chosen;
                    view! { <option value=code selected=selected>{name}</option> }
                }).collect_view()}
            </select>
        </div>
    }
    .into_any()
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
        let Row { person, here, .. } = cell.get();
        view! { <PersonCell person=person here=here /> }
    };
    let cell = row.clone();
    let roles = move || {
        let row = cell.read();
        let seat = row.seat.clone().map(|seat| view! { <small>{seat}</small> });
        view! { {row.person.role_names()} {seat} }
    };
    let cell = row.clone();
    let since = move || view! { <Moment at=cell.read().person.since.clone() day=true /> };
    let cell = row.clone();
    let state = move || {
        let row = cell.read();
        let returned = row.returned.clone().map(|phone| {
            view! {  " " <span class="tag wait">"Mail came back"</span> {(!phone.is_empty()).then(|| view! { <small><Telephone number=phone /></small> })} }
        });
        view! { <StateTag state=row.person.state /> {returned} }
    };
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
