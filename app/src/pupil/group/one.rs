//! `/groups/:group`: who is in a group and on whose caseload it is; for who keeps the roll putting pupils into it, its name, its end.

use std::collections::HashSet;

use domain::{
    Refusal, day,
    db::Read,
    pupil::{
        self, Filter, Listed, Pupil, ROWS, Whose,
        caseload::{self, Given, Of},
        field::GROUP_MOST,
        group::{self, Kind, Named},
        year::YearGroup,
    },
};
use leptos::prelude::*;

use super::{held, to_groups};
use crate::{
    door,
    form::{Act, Echo, Field, Refusals, id_of},
    membership::crumbs,
    pupil::{cell, pager, staff_only, to_pupils},
    sheet::{Asked, Drawing},
    ui::{Around, Heading, Icon, Notice, counted},
};

/// `/groups/:group`
pub async fn page(
    read: &mut Read,
    around: &Around,
    asked: &Asked,
    id: &str,
) -> Result<Drawing, Refusal> {
    staff_only(around)?;
    let keeps = pupil::keeps(&around.roles);
    let id = id_of(id)?;
    let group = group::all(read)
        .await?
        .into_iter()
        .find(|one| one.group.id == id)
        .ok_or(Refusal::NotFound)?
        .group;
    let number: usize = asked.query("page").parse().unwrap_or(1).max(1);
    let within = Filter {
        group: Some(id),
        ..Filter::default()
    };
    let listed = pupil::list(read, Whose::Seen, &within, number).await?;
    let mut given = caseload::given(read).await?;
    given.retain(|one| one.of == Of::Group(id));
    let found = if keeps {
        others(read, asked, &within).await?
    } else {
        None
    };
    let echo: Echo = use_context().unwrap_or_default();
    let done = match asked.query("done") {
        "opened" => Some("The group is there. Now put pupils into it.".to_owned()),
        "renamed" => Some("The group has its new name.".to_owned()),
        "out" => Some("They are out of the group.".to_owned()),
        many => many
            .parse::<usize>()
            .ok()
            .map(|n| format!("{} put into the group.", counted(n, "pupil", "pupils"))),
    };
    let title = group.name.clone();
    let lead = format!(
        "{}, {}.",
        group.kind.name(),
        counted(listed.matching, "pupil", "pupils")
    );
    let rows: Vec<_> = listed
        .rows
        .iter()
        .map(|pupil| row(&group, pupil, keeps))
        .collect();
    let none = rows.is_empty();
    let school = pupil::sees_school(&around.roles);
    let page = view! {
        {crumbs(vec![to_pupils(around), to_groups()])}
        {done.map(|text| view! { <Notice text=text /> })}
        <Heading title=title.clone() lead=lead />
        <Refusals refusal=echo.refusal.clone() />
        <div class="split">
            <div class="stack">
                <section class="card" aria-label="Pupils in it">
                    {if none {
                        view! { <div class="empty"><Icon name="pupils" /><h2>{if school { "Nobody is in it" } else { "None of your pupils is in it" }}</h2>
                            {keeps.then(|| view! { <p>"Find pupils below and put them in."</p> })}</div> }.into_any()
                    } else {
                        view! {
                            <table class="table">
                                <caption>{counted(listed.matching, "pupil", "pupils")} ", by surname."</caption>
                                <thead><tr><th scope="col">"Pupil"</th><th scope="col">"Year"</th>{keeps.then(|| view! { <th scope="col"><span class="hidden-text">"Change"</span></th> })}</tr></thead>
                                <tbody>{rows}</tbody>
                            </table>
                        }.into_any()
                    }}
                    {pager(number, listed.matching, |page| format!("/groups/{id}?page={page}"))}
                </section>
                {keeps.then(|| join(&group, asked, found, &echo))}
            </div>
            <aside class="stack" aria-label="The group itself">
                {on_caseloads(&group, &given, school)}
                {keeps.then(|| keep(&group, &echo))}
            </aside>
        </div>
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

/// Those who match what is looked for and are not in the group, and whether more match than one list holds; none where nothing is
/// looked for.
async fn others(
    read: &mut Read,
    asked: &Asked,
    within: &Filter,
) -> Result<Option<(Vec<Pupil>, bool)>, Refusal> {
    let words = asked.query("find").to_owned();
    let year = YearGroup::from_code(asked.query("year"));
    if words.trim().is_empty() && year.is_none() {
        return Ok(None);
    }
    let sought = Filter {
        words,
        year,
        ..Filter::default()
    };
    let inside = Filter {
        group: within.group,
        ..sought.clone()
    };
    let inside: HashSet<_> = pupil::list(read, Whose::Seen, &inside, 1)
        .await?
        .rows
        .into_iter()
        .map(|pupil| pupil.id)
        .collect();
    let Listed { mut rows, matching } = pupil::list(read, Whose::Seen, &sought, 1).await?;
    let more = matching > rows.len();
    rows.retain(|pupil| !inside.contains(&pupil.id));
    Ok(Some((rows, more)))
}

fn row(group: &Named, pupil: &Pupil, keeps: bool) -> impl IntoView + use<> {
    let (group, id, called) = (group.id.to_string(), pupil.id.to_string(), pupil.called());
    view! {
        <tr>
            <th scope="row">{cell(pupil)}</th>
            <td data-label="Year">{pupil.year.name()}</td>
            {keeps.then(|| view! {
                <td class="act">
                    <form method="post">
                        <Act name="groups/leave" />
                        <input type="hidden" name="group" value=group />
                        <input type="hidden" name="pupil" value=id />
                        <button class="button quiet">"Take out" <span class="hidden-text">": " {called}</span></button>
                    </form>
                </td>
            })}
        </tr>
    }
}

/// Finding pupils, then choosing among those found.
fn join(
    group: &Named,
    asked: &Asked,
    found: Option<(Vec<Pupil>, bool)>,
    echo: &Echo,
) -> impl IntoView + use<> {
    let refusal = echo.of("groups/join");
    let (path, year) = (
        format!("/groups/{}", group.id),
        asked.query("year").to_owned(),
    );
    let years: Vec<_> = YearGroup::ALL
        .iter()
        .map(|one| view! { <option value=one.code() selected=one.code() == year>{one.name()}</option> })
        .collect();
    let wrong = refusal
        .as_ref()
        .filter(|refusal| refusal.field() == Some("of"))
        .map(|_| "Choose at least one pupil.");
    let from = refusal
        .as_ref()
        .and_then(|_| echo.value("from"))
        .unwrap_or_else(|| day::field(door::today()));
    let chosen = echo.values("pupils");
    let list = found.map(|(found, more)| {
        let narrower = more.then(|| format!("More than {ROWS} match, and these are the first. Give more of the name, or a year group."));
        if found.is_empty() {
            return view! { <p class="muted">{narrower.unwrap_or_else(|| "Nobody else matches. Everybody of that name or year is in it, or nobody is called that.".to_owned())}</p> }.into_any();
        }
        let boxes: Vec<_> = found
            .iter()
            .enumerate()
            .map(|(n, pupil)| {
                let id = pupil.id.to_string();
                let checked = chosen.contains(&id);
                let now = pupil.registration.as_ref().map(|name| format!(", now in {name}"));
                view! {
                    <label class="option">
                        <input type="checkbox" name=format!("pupils[{n}]") value=id checked=checked />
                        <b>{pupil.called()}</b>
                        <small>{pupil.year.name()}{now}</small>
                    </label>
                }
            })
            .collect();
        view! {
            <form class="form wide" method="post">
                <Act name="groups/join" />
                <input type="hidden" name="group" value=group.id.to_string() />
                <fieldset class="field" id="of" tabindex="-1" data-error=wrong.map(|_| "") aria-describedby=wrong.map(|_| "of-error")>
                    <legend>"Not in it"</legend>
                    {wrong.map(|wrong| view! { <p class="error" id="of-error"><Icon name="warning" class="icon small" /><span><span class="hidden-text">"Error: "</span>{wrong}</span></p> })}
                    {narrower.map(|text| view! { <p class="hint">{text}</p> })}
                    <div class="options many">{boxes}</div>
                </fieldset>
                <Field name="from" label="From" kind="date" class="short" value=from refusal=refusal />
                {(group.kind == Kind::Registration).then(|| view! { <p class="hint">"A pupil has one registration group: whoever is in another leaves it that day."</p> })}
                <div class="actions"><button class="button primary">"Put them in"</button></div>
            </form>
        }
        .into_any()
    });
    view! {
        <section class="card" id="join" aria-labelledby="join-title">
            <header><h2 id="join-title">"Put pupils into it"</h2></header>
            <div class="body">
                <form class="find" method="get" action=format!("{path}#join")>
                    <div class="field"><label for="find">"Find by name"</label><input id="find" name="find" type="search" maxlength="120" autocomplete="off" value=asked.query("find").to_owned() /></div>
                    <div class="field"><label for="find-year">"Year group"</label><select id="find-year" name="year"><option value="">"Every year"</option>{years}</select></div>
                    <button class="button"><Icon name="search" />"Find"</button>
                </form>
                {list}
            </div>
        </section>
    }
}

fn on_caseloads(group: &Named, given: &[Given], school: bool) -> impl IntoView + use<> {
    let lines: Vec<_> = given
        .iter()
        .map(|one| {
            view! {
                <li>
                    <b>{one.name.clone()}</b> {one.cover.then(|| view! { " " <span class="tag wait">"Cover"</span> })}
                    <small>{held(one)}</small>
                </li>
            }
        })
        .collect();
    let none = lines.is_empty();
    let give = format!("/caseloads?group={}#give", group.id);
    view! {
        <section class="card" aria-labelledby="teaches">
            <header><h2 id="teaches">"On whose caseload"</h2></header>
            <div class="body">
                {none.then(|| view! { <p class="muted">{if school { "Nobody’s yet." } else { "Not on yours." }}</p> })}
                <ul role="list" class="lines">{lines}</ul>
                {school.then(|| view! { <p><a href=give>"Put it on a caseload"</a></p> })}
            </div>
        </section>
    }
}

/// Its name, and closing it.
fn keep(group: &Named, echo: &Echo) -> impl IntoView + use<> {
    let id = group.id.to_string();
    let refusal = echo.of("groups/rename");
    let name = refusal
        .as_ref()
        .and_then(|_| echo.value("name"))
        .unwrap_or_else(|| group.name.clone());
    view! {
        <section class="card" aria-labelledby="keep">
            <header><h2 id="keep">"Change it"</h2></header>
            <div class="body">
                <details open=refusal.is_some()>
                    <summary>"Change the name"</summary>
                    <form class="form" method="post">
                        <Act name="groups/rename" />
                        <input type="hidden" name="group" value=id.clone() />
                        <Field name="name" label="Name" most=GROUP_MOST value=name refusal=refusal.clone() />
                        <div class="actions"><button class="button">"Save the name"</button></div>
                    </form>
                </details>
                <details>
                    <summary>"Close this group"</summary>
                    <p>"Today everybody is taken out of it, and it is taken off every caseload. Whoever saw pupils by it alone sees them no more, and their open pages close. A closed group is not opened again."</p>
                    <form method="post">
                        <Act name="groups/close" />
                        <input type="hidden" name="group" value=id />
                        <button class="button danger">"Close the group"</button>
                    </form>
                </details>
            </div>
        </section>
    }
}
