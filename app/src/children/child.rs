//! `/children/:child`: what is on record for a parent's own child, what they say to it, how the child has been where the school shows
//! that, and whom they can ask. Nothing here tells of anything that is not here.

use domain::{
    Refusal, day,
    db::Read,
    pupil::guardian::{self, Child},
    wellbeing::onrecord::{self, Entry, WORDS_MOST},
};
use leptos::prelude::*;

use super::pages::{HOME, beside, parents_only};
use crate::{
    chart::{WeeksChart, weeks},
    door,
    form::{Act, Echo, Refusals, TextArea, id_of},
    membership::crumbs,
    sheet::{Asked, Drawing},
    ui::{Around, Heading, Moment, Notice},
    wellbeing::shown,
};

/// Entries that are shown before all of them are asked for.
const FIRST: usize = 20;

/// `/children/:child`
pub async fn page(
    read: &mut Read,
    around: &Around,
    asked: &Asked,
    id: &str,
) -> Result<Drawing, Refusal> {
    parents_only(around)?;
    let id = id_of(id)?;
    let children = guardian::children(read).await?;
    let child = children
        .iter()
        .find(|child| child.id == id)
        .ok_or(Refusal::NotFound)?;
    of(read, around, asked, child, children.len() > 1).await
}

/// First name, as they are called, and surname.
pub fn full_name(child: &Child) -> String {
    format!("{} {}", child.called, child.last_name)
}

/// The page of a child; `others` where there are more of them to go back to.
pub async fn of(
    read: &mut Read,
    around: &Around,
    asked: &Asked,
    child: &Child,
    others: bool,
) -> Result<Drawing, Refusal> {
    let mut entries = onrecord::for_parent(read, Some(child.id)).await?;
    let more = entries.len() > FIRST && asked.query("all").is_empty();
    if more {
        entries.truncate(FIRST);
    }
    let trend = onrecord::child_trend(read, child.id).await?;
    let beside = beside(read, around).await?;
    let echo: Echo = use_context().unwrap_or_default();
    let said = (asked.query("done") == "said").then_some("Your words are with the entry.");
    let none = entries.is_empty();
    let articles: Vec<_> = entries
        .iter()
        .map(|entry| article(child, entry, &echo))
        .collect();
    let called = child.called.clone();
    let title = full_name(child);
    let page = view! {
        {others.then(|| crumbs(vec![(HOME.to_owned(), "Your children".to_owned())]))}
        {said.map(|text| view! { <Notice text=text /> })}
        <Heading title=title.clone() lead=format!("What {} has put on record for you.", around.place) />
        <Refusals refusal=echo.refusal.clone() />
        <div class="split">
            <section class="card" aria-labelledby="on-record">
                <header><h2 id="on-record">"On record"</h2><p>"newest first"</p></header>
                <div class="body">
                    {none.then(|| view! { <p class="muted">"Nothing is on record yet. When there is something for you to read about " {called.clone()} ", it stands here."</p> })}
                    <div class="entries">{articles}</div>
                    {more.then(|| view! { <p><a class="button" href=format!("/children/{}?all=yes", child.id)>"Show what is older"</a></p> })}
                </div>
            </section>
            <aside class="stack" aria-label="How they have been, and who can help">
                {weeks_of(&called, trend)}
                {beside}
            </aside>
        </div>
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

/// What is read, what the parent said to it, and the form to say something.
fn article(child: &Child, entry: &Entry, echo: &Echo) -> impl IntoView + use<> {
    let refusal = echo
        .of("children/say")
        .filter(|_| echo.value("entry").as_deref() == Some(entry.id.to_string().as_str()));
    let typed = refusal.as_ref().and_then(|_| echo.value("words"));
    // The field a refusal leads to, once on the page.
    let id = match &refusal {
        Some(_) => "words".to_owned(),
        None => format!("words-{}", entry.id),
    };
    let on = day::of(&entry.shown.happened_at).map_or_else(|_| String::new(), day::words);
    let summary = if entry.statement.is_some() {
        "Say it anew"
    } else {
        "Say something to this"
    };
    let statement = entry.statement.clone().zip(entry.stated_at.clone());
    view! {
        <article id=format!("entry-{}", entry.id)>
            {shown::entry(&entry.shown)}
            {statement.map(|(words, at)| view! {
                <div class="statement"><p class="by">"You said on " <Moment at=at /></p><p class="as-written">{words}</p></div>
            })}
            <details open=refusal.is_some()>
                <summary>{summary} <span class="hidden-text">", to the entry of " {on}</span></summary>
                <form class="form" method="post">
                    <Act name="children/say" />
                    <input type="hidden" name="child" value=child.id.to_string() />
                    <input type="hidden" name="entry" value=entry.id.to_string() />
                    <TextArea name="words" id=id label="What you want to say" rows=4 most=u32::from(WORDS_MOST)
                        hint="It stays with this entry. The staff who see your child’s record read it; other parents and carers do not. If you say it anew, the school keeps both."
                        value=typed.unwrap_or_default() refusal=refusal.clone() />
                    <div class="actions"><button class="button primary">"Add my words"</button></div>
                </form>
            </details>
        </article>
    }
}

/// Of the last year; nothing where the school does not show it, or where there is too little.
fn weeks_of(called: &str, trend: onrecord::ChildTrend) -> Option<AnyView> {
    let charts: Vec<_> = weeks::of_last_year(trend, door::today())
        .into_iter()
        .map(|(domain, weeks)| {
            let id = format!("weeks-{}", domain.code());
            view! { <WeeksChart domain=domain weeks=weeks id=id /> }
        })
        .collect();
    (!charts.is_empty()).then(|| {
        view! {
            <section class="card" aria-labelledby="been">
                <header><h2 id="been">"How " {called.to_owned()} " has been"</h2></header>
                <div class="body">
                    <p>"What adults at school saw, week by week. It is no test and no mark."</p>
                    {charts}
                </div>
            </section>
        }
        .into_any()
    })
}
