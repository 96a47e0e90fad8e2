//! What is known of one pupil's circumstances: the card on their record, and `/pupils/:pupil/circumstances`, where it is set, changed,
//! taken away and renewed, and where its trail is.

use domain::{
    Refusal, day,
    db::Read,
    pupil::{
        self,
        field::{LANGUAGE_MOST, TagKind},
        tag::{self, Change, Tag, Why},
        year::SchoolYear,
    },
};
use leptos::prelude::*;
use uuid::Uuid;

use crate::{
    door,
    form::{Act, Choice, Echo, Field, Refusals, id_of},
    membership::crumbs,
    pupil::{there_is, to_pupils},
    sheet::{Asked, Drawing},
    ui::{Around, Heading, Moment, Notice},
};

/// The part of a record that is put down where somebody sees what is known of a pupil.
const PART: &[&str] = &["circumstances"];

/// On a pupil's record, for who may read it: each kind that the school has switched on, and what is known of it. Nothing for others,
/// and where all are off.
pub async fn card(read: &mut Read, pupil: Uuid) -> Result<Option<AnyView>, Refusal> {
    let on = tag::on(read).await?;
    if on.is_empty() {
        return Ok(None);
    }
    pupil::look(read, pupil, PART).await?;
    let secrets = door::services().secrets;
    let tags = tag::of_pupil(read, &secrets, pupil).await?;
    let lines: Vec<_> = on
        .into_iter()
        .map(|kind| {
            let known = tags.iter().find(|tag| tag.kind == kind);
            view! { <div><dt>{kind.name()}</dt><dd>{value(known)}{known.map(since)}</dd></div> }
        })
        .collect();
    let path = format!("/pupils/{pupil}/circumstances");
    Ok(Some(
        view! {
            <section class="card" aria-labelledby="circumstances">
                <header><h2 id="circumstances">"Circumstances"</h2></header>
                <div class="body">
                    <dl class="details">{lines}</dl>
                    <p><a href=path>"Change them, or see who did"</a></p>
                </div>
            </section>
        }
        .into_any(),
    ))
}

fn value(known: Option<&Tag>) -> AnyView {
    match known {
        Some(tag) => view! { <b>{tag::words(tag.kind, &tag.value)}</b> }.into_any(),
        None => view! { <span class="muted">"Not said"</span> }.into_any(),
    }
}

/// Since when a tag says what it says, and until when it does.
fn since(tag: &Tag) -> impl IntoView + use<> {
    let from = tag.since.clone();
    view! {
        <small>{from.map(|at| view! { "since " <Moment at=at day=true /> ", " })} "until " {last_day(&tag.expires_on)}</small>
    }
}

/// A day as it is stored, in words.
pub(super) fn last_day(stored: &str) -> String {
    day::parse(stored).map_or_else(|_| stored.to_owned(), day::words)
}

/// `/pupils/:pupil/circumstances`: for those who see the school; in it, what each of them may read.
pub async fn page(
    read: &mut Read,
    around: &Around,
    asked: &Asked,
    id: &str,
) -> Result<Drawing, Refusal> {
    there_is(pupil::sees_school(&around.roles))?;
    let (whole, _) = pupil::look(read, id_of(id)?, PART).await?;
    let id = whole.pupil.id;
    let on = tag::on(read).await?;
    let secrets = door::services().secrets;
    let tags = tag::of_pupil(read, &secrets, id).await?;
    let trail = tag::trail(read, &secrets, id).await?;
    let echo: Echo = use_context().unwrap_or_default();
    let done = match asked.query("done") {
        "set" => Some("Saved. The trail below says who said so."),
        "removed" => Some("It is taken away. What it was stays in the trail."),
        "renewed" => Some("It holds for the next school year too."),
        _ => None,
    };
    let called = whole.pupil.called();
    let title = format!("Circumstances of {called}");
    let none = on.is_empty();
    let rows: Vec<_> = on
        .into_iter()
        .map(|kind| {
            let known = tags.iter().find(|tag| tag.kind == kind);
            row(id, kind, known, &echo)
        })
        .collect();
    let keeps = pupil::keeps(&around.roles);
    let page = view! {
        {crumbs(vec![to_pupils(around), (format!("/pupils/{id}"), called)])}
        {done.map(|text| view! { <Notice text=text /> })}
        <Heading title=title.clone() lead="Kept for a purpose of your school, sealed, and ended with the school year unless renewed. Teachers and parents do not see it." />
        <Refusals refusal=echo.refusal.clone() />
        <section class="card" aria-labelledby="known">
            <header><h2 id="known">"What is known"</h2></header>
            <div class="body">
                {none.then(|| view! { <p class="muted">"Your school keeps nothing of this kind, or none that is yours to read."</p> })}
                <div>{rows}</div>
                {keeps.then(|| view! { <p><a href="/settings/pupils">"What your school keeps, and what for"</a></p> })}
            </div>
        </section>
        {changes(&trail)}
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

/// A kind, what is known of it, and what one can do to it.
fn row(pupil: Uuid, kind: TagKind, known: Option<&Tag>, echo: &Echo) -> impl IntoView + use<> {
    let (code, name) = (kind.code(), kind.name());
    let refusal = echo
        .of("pupils/tag")
        .filter(|_| echo.value("kind").as_deref() == Some(code));
    let chosen = match &refusal {
        Some(_) => echo.value("value").unwrap_or_default(),
        None => known.map(|tag| tag.value.clone()).unwrap_or_default(),
    };
    // The field a refusal leads to, once on the page.
    let field = match &refusal {
        Some(_) => "value".to_owned(),
        None => format!("{code}-value"),
    };
    let open = refusal.is_some();
    let input = match tag::choices(kind) {
        Some(choices) => {
            let options = choices
                .into_iter()
                .map(|(code, name)| (code.to_owned(), name.to_owned()))
                .collect();
            view! { <Choice name="value" id=field label=name options=options nobody="Choose one" chosen=chosen refusal=refusal /> }.into_any()
        }
        None => view! {
            <Field name="value" id=field label=name most=LANGUAGE_MOST hint="At most 40 letters." value=chosen refusal=refusal />
        }
        .into_any(),
    };
    let verb = if known.is_some() { "Change" } else { "Set" };
    let today = door::today();
    let renews = tag::may_renew(today)
        && known.is_some_and(|tag| tag.expires_on == day::field(SchoolYear::of(today).last_day()));
    let ids = (pupil.to_string(), pupil.to_string(), pupil.to_string());
    let there = known.is_some();
    view! {
        <div class="switch">
            <div><b>{name}</b> " " <span class="tag">{known.map_or_else(|| "Not said".to_owned(), |tag| tag::words(kind, &tag.value))}</span>{known.map(since)}</div>
            <details open=open>
                <summary>{verb} <span class="hidden-text">": " {name}</span></summary>
                <form class="form" method="post">
                    <Act name="pupils/tag" />
                    <input type="hidden" name="pupil" value=ids.0 />
                    <input type="hidden" name="kind" value=code />
                    {input}
                    <div class="actions"><button class="button">"Save" <span class="hidden-text">": " {name}</span></button></div>
                </form>
            </details>
            {there.then(|| view! {
                <details>
                    <summary>"Take away" <span class="hidden-text">": " {name}</span></summary>
                    <form class="form" method="post">
                        <Act name="pupils/untag" />
                        <input type="hidden" name="pupil" value=ids.1 />
                        <input type="hidden" name="kind" value=code />
                        <p>"Nothing is then known of it. What it was, and that you took it away, stays in the trail."</p>
                        <div class="actions"><button class="button">"Take it away" <span class="hidden-text">": " {name}</span></button></div>
                    </form>
                </details>
            })}
            {renews.then(|| view! {
                <form method="post">
                    <Act name="pupils/renew-tag" />
                    <input type="hidden" name="pupil" value=ids.2 />
                    <input type="hidden" name="kind" value=code />
                    <button class="button">"Renew for the next school year" <span class="hidden-text">": " {name}</span></button>
                </form>
            })}
        </div>
    }
}

/// Who tagged them with what, when, and what it was before.
fn changes(trail: &[Change]) -> impl IntoView + use<> {
    let none = trail.is_empty();
    let rows: Vec<_> = trail
        .iter()
        .map(|change| {
            let said = |value: &Option<String>| {
                value
                    .as_ref()
                    .map_or_else(|| "Nothing".to_owned(), |value| tag::words(change.kind, value))
            };
            let to = match change.why {
                Why::Set | Why::Renewed => said(&change.became),
                Why::Removed | Why::Expired => "Nothing".to_owned(),
            };
            view! {
                <tr>
                    <th scope="row">{change.kind.name()}</th>
                    <td data-label="What">{change.why.name()}</td>
                    <td data-label="From">{said(&change.was)}</td>
                    <td data-label="To">{to}</td>
                    <td data-label="By">{change.by.clone().unwrap_or_else(|| "The clock".to_owned())}</td>
                    <td data-label="When"><Moment at=change.at.clone() /></td>
                </tr>
            }
        })
        .collect();
    view! {
        <section class="card" aria-labelledby="trail">
            <header><h2 id="trail">"Who said so"</h2></header>
            {if none {
                view! { <div class="body"><p class="muted">"Nothing has been said yet."</p></div> }.into_any()
            } else {
                view! {
                    <table class="table">
                        <caption>"Every change, newest first."</caption>
                        <thead><tr>
                            <th scope="col">"Which"</th><th scope="col">"What"</th><th scope="col">"From"</th>
                            <th scope="col">"To"</th><th scope="col">"By"</th><th scope="col">"When"</th>
                        </tr></thead>
                        <tbody>{rows}</tbody>
                    </table>
                }.into_any()
            }}
        </section>
    }
}
