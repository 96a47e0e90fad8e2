//! `/caseloads`: who has which pupils on their caseload, from when to when; giving somebody more, and ending it. For those who see the
//! school.

use domain::{
    Refusal,
    db::Read,
    membership::State,
    pupil::{
        self,
        caseload::{self, Given, Of},
        group::{self, Kind},
    },
};
use leptos::prelude::*;
use uuid::Uuid;

use super::{there_is, to_pupils};
use crate::{
    form::{Act, Choice, Echo, Field, Refusals},
    membership::crumbs,
    sheet::{Asked, Drawing},
    ui::{Around, Heading, Icon, Moment, Notice, counted},
};

/// What may be chosen in the form.
struct Offered {
    people: Vec<(String, String)>,
    of: Vec<(String, String)>,
    /// What the page that led here was about.
    chosen: String,
}

/// `/caseloads`
pub async fn page(read: &mut Read, around: &Around, asked: &Asked) -> Result<Drawing, Refusal> {
    there_is(pupil::sees_school(&around.roles))?;
    let given = caseload::given(read).await?;
    let offered = offered(read, asked).await?;
    let echo: Echo = use_context().unwrap_or_default();
    let done = match asked.query("done") {
        "given" => Some("It is on their caseload. They see those pupils for as long as it says."),
        "ended" => {
            Some("It is off their caseload. What they saw by it is gone from their open pages.")
        }
        _ => None,
    };
    let title = "Caseloads".to_owned();
    let page = view! {
        {crumbs(vec![to_pupils(around)])}
        {done.map(|text| view! { <Notice text=text /> })}
        <Heading title=title.clone() lead="Teachers and assistants see the pupils on their caseload while it lasts, and nobody else’s." />
        <Refusals refusal=echo.of("caseloads/end") />
        <div class="split">
            <section class="card" aria-label="Who has which pupils">
                {if given.is_empty() {
                    view! {
                        <div class="empty"><Icon name="people" /><h2>"Nobody has a caseload yet"</h2>
                            <p>"Give each teacher their class, and they see its pupils at once."</p>
                            <div class="actions"><a class="button" href="#give" rel="external">"Give the first one"</a></div>
                        </div>
                    }.into_any()
                } else {
                    table(&given).into_any()
                }}
            </section>
            <aside class="stack" aria-label="Give a caseload">{form(offered, &echo)}</aside>
        </div>
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

async fn offered(read: &mut Read, asked: &Asked) -> Result<Offered, Refusal> {
    let people = domain::membership::list(read)
        .await?
        .into_iter()
        .filter(|person| person.state != State::Ended && pupil::has_caseload(&person.roles))
        .map(|person| (person.id.to_string(), person.name))
        .collect();
    let mut of: Vec<(String, String)> = group::all(read)
        .await?
        .into_iter()
        .map(|one| {
            let kind = match one.group.kind {
                Kind::Registration => "registration group",
                Kind::Class => "class",
            };
            let name = format!(
                "{} ({kind}, {})",
                one.group.name,
                counted(one.pupils, "pupil", "pupils")
            );
            (Of::Group(one.group.id).code(), name)
        })
        .collect();
    let mut chosen = Uuid::try_parse(asked.query("group"))
        .map(|id| Of::Group(id).code())
        .unwrap_or_default();
    // One pupil is chosen on their own page: a list of the whole school would be no help here.
    if let Ok(id) = Uuid::try_parse(asked.query("pupil"))
        && let Some(called) = pupil::names(read, &[id]).await?.remove(&id)
    {
        chosen = Of::Pupil(id).code();
        of.insert(0, (chosen.clone(), called));
    }
    Ok(Offered { people, of, chosen })
}

fn table(given: &[Given]) -> impl IntoView + use<> {
    let mut before = None;
    let rows: Vec<_> = given
        .iter()
        .map(|one| {
            let first = before.replace(one.person) != Some(one.person);
            row(one, first)
        })
        .collect();
    let mut people: Vec<_> = given.iter().map(|one| one.person).collect();
    people.dedup();
    view! {
        <table class="table">
            <caption>{counted(people.len(), "person", "people")} ", by name. What is over is not listed."</caption>
            <thead><tr>
                <th scope="col">"Who"</th><th scope="col">"What"</th><th scope="col">"From"</th><th scope="col">"Until"</th>
                <th scope="col"><span class="hidden-text">"Change"</span></th>
            </tr></thead>
            <tbody>{rows}</tbody>
        </table>
    }
}

/// A line of the table; on a phone each is a card, so the name stands on every one.
fn row(one: &Given, first: bool) -> impl IntoView + use<> {
    let href = match one.of {
        Of::Group(id) => format!("/groups/{id}"),
        Of::Pupil(id) => format!("/pupils/{id}"),
    };
    let what = match one.group.as_ref().map(|group| group.kind) {
        Some(kind) => kind.name(),
        None => "One pupil",
    };
    let of = one.called.clone();
    view! {
        <tr>
            <th scope="row"><span class=if first { "who-has" } else { "who-has again" }>{one.name.clone()}</span></th>
            <td data-label="What"><span><a href=href>{of.clone()}</a> {one.cover.then(|| view! { " " <span class="tag wait">"Cover"</span> })} <small>{what}</small></span></td>
            <td data-label="From"><span>{(!one.now).then(|| view! { <span class="tag info">"To come"</span> " " })}<Moment at=one.from.clone() /></span></td>
            <td data-label="Until">{match one.until.clone() {
                Some(until) => view! { <Moment at=until /> }.into_any(),
                None => view! { <span class="muted">"It goes on"</span> }.into_any(),
            }}</td>
            <td class="act">
                <form method="post">
                    <Act name="caseloads/end" />
                    <input type="hidden" name="caseload" value=one.id.to_string() />
                    <button class="button quiet">{if one.now { "End now" } else { "Take back" }} <span class="hidden-text">": "{of}", "{one.name.clone()}</span></button>
                </form>
            </td>
        </tr>
    }
}

fn form(offered: Offered, echo: &Echo) -> impl IntoView + use<> {
    let refusal = echo.of("caseloads/give");
    let typed = |name: &str| {
        refusal
            .as_ref()
            .and_then(|_| echo.value(name))
            .unwrap_or_default()
    };
    let chosen = if refusal.is_some() {
        typed("of")
    } else {
        offered.chosen
    };
    let cover = !typed("cover").is_empty();
    view! {
        <section class="card" id="give" aria-labelledby="give-title">
            <header><h2 id="give-title">"Give a caseload"</h2></header>
            <div class="body">
                <Refusals refusal=refusal.clone() />
                <form class="form" method="post">
                    <Act name="caseloads/give" />
                    <Choice name="person" label="Whose" options=offered.people nobody="Choose a person" chosen=typed("person")
                        hint="Teachers and teaching assistants." refusal=refusal.clone() />
                    <Choice name="of" label="Which pupils" options=offered.of nobody="Choose a group or class" chosen=chosen
                        hint="For one pupil, open their record and go on from there." refusal=refusal.clone() />
                    <label class="option">
                        <input type="checkbox" name="cover" value="yes" checked=cover />
                        <b>"They cover for somebody"</b>
                        <small>"Then it needs an end, like 15:30 today."</small>
                    </label>
                    <fieldset class="field when">
                        <legend>"From"</legend>
                        <p class="hint">"Leave both empty for now."</p>
                        <Field name="from" label="Day" kind="date" optional=true value=typed("from") refusal=refusal.clone() />
                        <Field name="from_time" label="Time" most=5 optional=true value=typed("from_time") refusal=refusal.clone() />
                    </fieldset>
                    <fieldset class="field when">
                        <legend>"Until"</legend>
                        <p class="hint">"Leave both empty if it goes on. A time alone is today; a day alone is that whole day."</p>
                        <Field name="until" label="Day" kind="date" optional=true value=typed("until") refusal=refusal.clone() />
                        <Field name="until_time" label="Time" most=5 optional=true value=typed("until_time") refusal=refusal.clone() />
                    </fieldset>
                    <div class="actions"><button class="button primary">"Put it on their caseload"</button></div>
                </form>
            </div>
        </section>
    }
}
