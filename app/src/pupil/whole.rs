//! `/pupils`: a teacher's own pupils, or the school's; whom somebody has open for a reason, and what is on their caseload.

use domain::{
    Refusal,
    db::Read,
    pupil::{
        self, Filter, Listed, Whose,
        access::{self, Open},
        caseload::{self, Given},
        group,
        year::YearGroup,
    },
};
use leptos::prelude::*;
use uuid::Uuid;

use super::{about, cell, group::held, list_name, pager, staff_only};
use crate::{
    sheet::{Asked, Drawing},
    ui::{Around, Heading, Icon, Moment, Notice, counted},
};

/// What of the list is asked for.
struct Wanted {
    mine: bool,
    filter: Filter,
    page: usize,
}

impl Wanted {
    fn of(asked: &Asked, mine: bool) -> Self {
        Self {
            mine,
            filter: Filter {
                words: asked.query("q").to_owned(),
                year: YearGroup::from_code(asked.query("year")),
                group: Uuid::try_parse(asked.query("group")).ok(),
                left: asked.query("left") == "yes",
            },
            page: asked.query("page").parse().unwrap_or(1).max(1),
        }
    }

    fn narrows(&self) -> bool {
        !self.filter.words.trim().is_empty()
            || self.filter.year.is_some()
            || self.filter.group.is_some()
            || self.filter.left
    }

    /// The same list, on another page of it.
    fn link(&self, page: usize) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("q", &self.filter.words);
        if let Some(year) = self.filter.year {
            query.append_pair("year", year.code());
        }
        if let Some(group) = self.filter.group {
            query.append_pair("group", &group.to_string());
        }
        if self.filter.left {
            query.append_pair("left", "yes");
        }
        if self.mine {
            query.append_pair("whose", "mine");
        }
        query.append_pair("page", &page.to_string());
        format!("/pupils?{}", query.finish())
    }
}

/// Whether it is the time in which school years turn: else that stands in the settings alone.
pub fn turns(today: time::Date) -> bool {
    matches!(u8::from(today.month()), 7..=9)
}

/// `/pupils`
pub async fn page(read: &mut Read, around: &Around, asked: &Asked) -> Result<Drawing, Refusal> {
    staff_only(around)?;
    let school = pupil::sees_school(&around.roles);
    let teaches = pupil::has_caseload(&around.roles);
    let keeps = pupil::keeps(&around.roles);
    let wanted = Wanted::of(
        asked,
        teaches && (!school || asked.query("whose") == "mine"),
    );
    let whose = if wanted.mine {
        Whose::Mine
    } else {
        Whose::Seen
    };
    let listed = pupil::list(read, whose, &wanted.filter, wanted.page).await?;
    let years = pupil::years(read, whose).await?;
    let groups: Vec<group::Group> = group::all(read)
        .await?
        .into_iter()
        .filter(|one| !wanted.mine || one.pupils > 0)
        .collect();
    let open = access::open(read).await?;
    let mine = if teaches {
        caseload::mine(read).await?
    } else {
        vec![]
    };
    let reviews = access::reviews(read).await?;
    let all: usize = years.iter().map(|(_, count)| count).sum();
    let title = list_name(around);
    let lead = match (wanted.mine, all) {
        (true, 0) => "Nobody is on your caseload just now.".to_owned(),
        (true, n) => format!("{} on your caseload.", counted(n, "pupil", "pupils")),
        (false, 0) => "Nobody is on the roll yet.".to_owned(),
        (false, n) => format!("{} on the roll.", counted(n, "pupil", "pupils")),
    };
    let removed = asked.query("done") == "removed";
    let closed = asked.query("why") == "closed";
    let aside = !open.is_empty() || !mine.is_empty();
    let page = view! {
        {removed.then(|| view! { <Notice text="The pupil is off the roll, and what was kept of them is deleted." /> })}
        {closed.then(|| view! {
            <div class="notice wait" role="status"><Icon name="info" /><p>"What you had open is not yours to see any more: your time with that pupil has ended, or they were taken off the roll. Here are the pupils you see."</p></div>
        })}
        <Heading title=title lead=lead>
            {teaches.then(|| view! { <a class="button" class:primary=!keeps href="/pupils/seek"><Icon name="search" />"Open another pupil’s record"</a> })}
            {keeps.then(|| view! { <a class="button primary" href="/pupils/add"><Icon name="add" />"Add a pupil"</a> })}
        </Heading>
        {about(around, "/pupils", reviews)}
        <div class=if aside { "split" } else { "stack" }>
            <section class="card" aria-label=title>
                {filter(&wanted, &years, &groups, school, teaches)}
                {if listed.rows.is_empty() {
                    nobody(wanted.narrows(), wanted.mine, keeps).into_any()
                } else {
                    table(&listed, &wanted).into_any()
                }}
                {pager(wanted.page, listed.matching, |page| wanted.link(page))}
            </section>
            {aside.then(|| view! {
                <aside class="stack" aria-label="Your time with them">
                    {(!open.is_empty()).then(|| opened(&open))}
                    {(!mine.is_empty()).then(|| own(&mine))}
                </aside>
            })}
        </div>
    };
    Ok(Drawing {
        title: title.to_owned(),
        page: page.into_any(),
    })
}

fn filter(
    wanted: &Wanted,
    years: &[(YearGroup, usize)],
    groups: &[group::Group],
    school: bool,
    teaches: bool,
) -> impl IntoView + use<> {
    let chosen = (wanted.filter.year, wanted.filter.group);
    let years: Vec<_> = years
        .iter()
        .map(|(year, count)| {
            view! { <option value=year.code() selected=chosen.0 == Some(*year)>{format!("{} ({count})", year.name())}</option> }
        })
        .collect();
    let groups: Vec<_> = groups
        .iter()
        .map(|one| {
            let id = one.group.id;
            view! { <option value=id.to_string() selected=chosen.1 == Some(id)>{format!("{} ({})", one.group.name, one.pupils)}</option> }
        })
        .collect();
    let (mine, left, narrows) = (wanted.mine, wanted.filter.left, wanted.narrows());
    view! {
        <form class="filter" method="get" action="/pupils">
            {(school && teaches).then(|| view! {
                <nav class="choices" aria-label="Whose">
                    <a class="choice" href="/pupils" aria-current=(!mine).then_some("true")>"The school"</a>
                    <a class="choice" href="/pupils?whose=mine" aria-current=mine.then_some("true")>"My caseload"</a>
                </nav>
            })}
            {(school && mine).then(|| view! { <input type="hidden" name="whose" value="mine" /> })}
            <div class="field">
                <label for="q">"Find by name"</label>
                <input id="q" name="q" type="search" autocomplete="off" maxlength="120" value=wanted.filter.words.clone() />
            </div>
            <div class="field fixed">
                <label for="year">"Year group"</label>
                <select id="year" name="year"><option value="" selected=chosen.0.is_none()>"Every year"</option>{years}</select>
            </div>
            <div class="field fixed">
                <label for="group">"Group or class"</label>
                <select id="group" name="group"><option value="" selected=chosen.1.is_none()>"Every group"</option>{groups}</select>
            </div>
            {(school && !mine).then(|| view! {
                <label class="check"><input type="checkbox" name="left" value="yes" checked=left /><span>"Those who left"</span></label>
            })}
            <button class="button"><Icon name="search" />"Show"</button>
            {narrows.then(|| view! { <a class="button quiet" href=if mine { "/pupils?whose=mine" } else { "/pupils" }>"Show everybody"</a> })}
        </form>
    }
}

fn table(listed: &Listed, wanted: &Wanted) -> impl IntoView + use<> {
    let caption = format!(
        "{}{}, by surname.",
        counted(listed.matching, "pupil", "pupils"),
        if wanted.filter.left { " who left" } else { "" }
    );
    let rows: Vec<_> = listed
        .rows
        .iter()
        .map(|pupil| {
            view! {
                <tr>
                    <th scope="row">{cell(pupil)}</th>
                    <td data-label="Year">{pupil.year.name()}</td>
                    <td data-label="Group">{pupil.registration.clone().unwrap_or_else(|| "None".to_owned())}</td>
                </tr>
            }
        })
        .collect();
    view! {
        <table class="table pupils">
            <caption>{caption}</caption>
            <thead><tr><th scope="col">"Pupil"</th><th scope="col">"Year"</th><th scope="col">"Registration group"</th></tr></thead>
            <tbody>{rows}</tbody>
        </table>
    }
}

/// What the place is for, and the first thing to do there.
fn nobody(narrows: bool, mine: bool, keeps: bool) -> impl IntoView {
    let (title, text) = match (narrows, mine) {
        (true, _) => (
            "Nobody matches",
            "Check the spelling, or leave out one of the choices.",
        ),
        (false, true) => (
            "No pupils yet",
            "The pupils you teach are here once your class is on your caseload. The office, the SENCO or a senior leader puts it there.",
        ),
        (false, false) => (
            "No pupils yet",
            "The school’s roll is here: who each pupil is, and who may see their record.",
        ),
    };
    let all = if mine {
        "/pupils?whose=mine"
    } else {
        "/pupils"
    };
    view! {
        <div class="empty">
            <Icon name=if narrows { "search" } else { "pupils" } />
            <h2>{title}</h2>
            <p>{text}</p>
            <div class="actions">
                {narrows.then(|| view! { <a class="button" href=all>"Show everybody"</a> })}
                {(!narrows && mine).then(|| view! { <a class="button" href="/pupils/seek">"Open another pupil’s record"</a> })}
                {(!narrows && !mine && keeps).then(|| view! { <a class="button primary" href="/pupils/add">"Add the first pupil"</a> })}
            </div>
        </div>
    }
}

fn opened(open: &[Open]) -> impl IntoView + use<> {
    let lines: Vec<_> = open
        .iter()
        .map(|one| {
            view! {
                <li>
                    <a href=format!("/pupils/{}", one.pupil)><b>{one.called.clone()}</b></a>
                    <small>{one.reason.name()}", until "<Moment at=one.until.clone() /></small>
                </li>
            }
        })
        .collect();
    view! {
        <section class="card" aria-labelledby="opened">
            <header><h2 id="opened">"Open for a reason"</h2></header>
            <div class="body"><ul role="list" class="lines">{lines}</ul></div>
        </section>
    }
}

fn own(mine: &[Given]) -> impl IntoView + use<> {
    let lines: Vec<_> = mine
        .iter()
        .map(|one| {
            view! {
                <li>
                    <b>{one.called.clone()}</b> {one.cover.then(|| view! { " " <span class="tag wait">"Cover"</span> })}
                    <small>{held(one)}</small>
                </li>
            }
        })
        .collect();
    view! {
        <section class="card" aria-labelledby="own">
            <header><h2 id="own">"On your caseload"</h2></header>
            <div class="body"><ul role="list" class="lines">{lines}</ul></div>
        </section>
    }
}
