//! `/picture`: how the school's pupils are, by year group and by circumstance, as the day's picture tells it; and
//! `/trust/picture`, a trust's schools side by side.

pub(crate) mod trust;
mod words;

use std::time::Duration;

use domain::{
    Refusal, day,
    db::Read,
    overview,
    suppression::{Cell, Share},
    wellbeing::{
        Domain,
        picture::{self, BACK_WEEKS, Band, By, Frozen, Told},
    },
};
use leptos::prelude::*;
use words::{hidden_or, movement};

use crate::{
    chart::{Count, Distribution, Row},
    door,
    membership::crumbs,
    sheet::{Asked, Drawing},
    ui::{Heading, Icon},
};

/// How long a reader waits for today's picture. It is made to the end in any case, and their page hears of it.
const WAIT: Duration = Duration::from_secs(4);

/// `/picture`: does not exist but for those who see every pupil of the school.
pub(crate) async fn page(read: &mut Read, asked: &Asked) -> Result<Drawing, Refusal> {
    let mut shown = picture::newest(read).await?;
    let mut late = false;
    if !shown.as_ref().is_some_and(|one| one.today) {
        match made().await {
            Making::Over => {
                let mut anew = door::read().await.map_err(|refused| refused.0)?;
                shown = picture::newest(&mut anew).await?;
            }
            Making::UnderWay => late = true,
            // Yesterday's is better than none.
            Making::Refused(refusal) if shown.is_none() => return Err(refusal),
            Making::Refused(_) => late = true,
        }
    }
    let trust = overview::trust(read).await?;
    let title = "The school’s picture".to_owned();
    let crumb = ("/pupils".to_owned(), "Pupils".to_owned());
    let Some(shown) = shown else {
        let page = view! {
            {crumbs(vec![crumb])}
            <Heading title=title.clone() />
            {nothing(late)}
        };
        return Ok(Drawing {
            title,
            page: page.into_any(),
        });
    };
    let earlier = earlier(read, &shown).await?;
    let rows = shown.rows();
    let by = By::from_code(asked.query("by"))
        .filter(|by| rows.contains(by))
        .unwrap_or(By::Year);
    let lead = format!(
        "As it stood on {}. It is made once a day, by the first who looks.",
        words::day_words(&shown.day)
    );
    let cards: Vec<_> = Domain::ALL
        .into_iter()
        .map(|domain| of_domain(&shown, earlier.as_ref(), by, domain))
        .collect();
    let page = view! {
        {crumbs(vec![crumb])}
        <Heading title=title.clone() lead=lead>
            <a class="button" href="/picture.csv" rel="external"><Icon name="download" />"Download as CSV"</a>
        </Heading>
        {late.then(|| view! {
            <div class="notice wait" role="status"><Icon name="clock" /><p>"Today’s picture is being made. It takes the place of this one by itself; without JavaScript, load the page again in a minute."</p></div>
        })}
        {words::marker()}
        {whole(&shown, earlier.as_ref())}
        <section class="stack" aria-labelledby="groups">
            <div class="about-groups">
                <h2 id="groups">{format!("By {}", words::lower(by.name()))}</h2>
                {choices(&rows, by)}
            </div>
            <div class="pictures">{cards}</div>
        </section>
        {words::meaning(trust)}
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

/// Whether today's picture is there.
enum Making {
    /// It was made, by the reader or by somebody else, or there is nobody to make it of.
    Over,
    /// It goes on.
    UnderWay,
    /// It was not made.
    Refused(Refusal),
}

/// Makes it under the reader's own rights.
async fn made() -> Making {
    let caller = match door::caller() {
        Ok(caller) => caller,
        Err(refused) => return Making::Refused(refused.0),
    };
    let services = door::services();
    // In a task of its own: who does not wait for it has not stopped it.
    let task =
        tokio::spawn(async move { picture::make(&services.db, &caller, &services.secrets).await });
    match tokio::time::timeout(WAIT, task).await {
        Ok(Ok(Ok(_))) => Making::Over,
        Ok(Ok(Err(refusal))) => Making::Refused(refusal),
        Ok(Err(_)) => Making::Refused(Refusal::Broken),
        Err(_) => Making::UnderWay,
    }
}

/// The newest picture that lies far enough back to hold this one against.
async fn earlier(read: &mut Read, shown: &Frozen) -> Result<Option<Frozen>, Refusal> {
    let back = time::Duration::weeks(i64::from(BACK_WEEKS));
    match day::parse(&shown.day)?.checked_sub(back) {
        Some(last) => picture::before(read, last).await,
        None => Ok(None),
    }
}

/// Where there is none yet.
fn nothing(late: bool) -> impl IntoView {
    let (title, text) = if late {
        (
            "The first picture is being made",
            "It appears here by itself. Without JavaScript, load the page again in a minute.",
        )
    } else {
        (
            "Nobody is on the roll yet",
            "Once there are pupils and check-ins, this page shows how many of each year group are doing well and how many are not, with small groups hidden.",
        )
    };
    view! {
        <section class="card"><div class="empty">
            <Icon name="pupils" /><h2>{title}</h2><p>{text}</p>
            {(!late).then(|| view! { <div class="actions"><a class="button" href="/pupils">"To the pupils"</a></div> })}
        </div></section>
    }
}

/// All pupils, a domain to a line.
fn whole(shown: &Frozen, earlier: Option<&Frozen>) -> impl IntoView + use<> {
    let heads: Vec<_> = Band::ALL
        .iter()
        .map(|band| view! { <th scope="col" class="number">{band.name()}</th> })
        .collect();
    let lines: Vec<_> = Domain::ALL
        .into_iter()
        .map(|domain| {
            let told = shown.table(By::Year, domain);
            let was = earlier.and_then(|earlier| earlier.table(By::Year, domain));
            let cells: Vec<_> = Band::ALL
                .into_iter()
                .enumerate()
                .map(|(at, band)| {
                    let of = |told: &Told| told.released.column_totals.get(at).copied();
                    let cell = told.and_then(of).unwrap_or(Cell::Hidden);
                    let total = told.map_or(Cell::Hidden, |told| told.released.total);
                    let share = match Share::of(cell, total) {
                        Share::Hidden => None,
                        share => Some(share.text()),
                    };
                    let before = was.and_then(of).unwrap_or(Cell::Hidden);
                    let moved = was
                        .is_some()
                        .then(|| movement(words::difference(cell, before)));
                    view! {
                        <td class="number" data-label=band.name()><span>{hidden_or(cell)}
                            {share.map(|share| view! { " " <small>{share}</small> })}
                            {moved.map(|moved| view! { " " {moved} })}
                        </span></td>
                    }
                })
                .collect();
            view! { <tr><th scope="row">{domain.name()}<small>{domain.look()}</small></th>{cells}</tr> }
        })
        .collect();
    let total = shown
        .tables
        .first()
        .map_or(Cell::Hidden, |told| told.released.total);
    let since = words::since(earlier);
    view! {
        <section class="card" aria-labelledby="whole">
            <header><h2 id="whole">"The whole school"</h2></header>
            <div class="scroll" tabindex="0" role="region" aria-label="The whole school by domain">
                <table class="table picture-whole">
                    <caption>{words::pupils(total)} ". " {since}</caption>
                    <thead><tr><th scope="col">"Domain"</th>{heads}</tr></thead>
                    <tbody>{lines}</tbody>
                </table>
            </div>
        </section>
    }
}

fn choices(rows: &[By], by: By) -> impl IntoView + use<> {
    let links: Vec<_> = rows
        .iter()
        .map(|one| {
            let current = (*one == by).then_some("true");
            view! { <a class="choice" href=format!("/picture?by={}", one.code()) aria-current=current>{one.name()}</a> }
        })
        .collect();
    (rows.len() > 1).then(|| view! { <nav class="choices" aria-label="Groups">{links}</nav> })
}

/// A domain's bars, their table, and what moved.
fn of_domain(shown: &Frozen, earlier: Option<&Frozen>, by: By, domain: Domain) -> AnyView {
    let id = format!("picture-{}", domain.code());
    let head = format!("{id}-head");
    let labelled = head.clone();
    let body = match shown.table(by, domain) {
        None => view! {
            <p class="muted">"Not shown today: these numbers would let somebody work out a group that is hidden."</p>
        }
        .into_any(),
        Some(told) => {
            let released = &told.released;
            let rows = released
                .rows
                .values
                .iter()
                .zip(&released.cells)
                .map(|(name, cells)| Row {
                    name: name.clone(),
                    counts: cells.iter().map(|cell| count(*cell)).collect(),
                })
                .collect();
            let was = earlier.and_then(|earlier| earlier.table(by, domain));
            view! {
                <Distribution title=format!("{} by {}", domain.name(), words::lower(by.name())) bands=Band::ALL.map(|band| band.name().to_owned()).to_vec() rows=rows id=id />
                {was.map(|was| moved(told, was, earlier))}
            }
            .into_any()
        }
    };
    view! {
        <section class="card" aria-labelledby=labelled>
            <header><h3 id=head>{domain.name()}</h3></header>
            <div class="body">{body}</div>
        </section>
    }
    .into_any()
}

fn count(cell: Cell) -> Count {
    Count {
        shown: cell.count(),
        label: cell.text(),
    }
}

/// How much each number moved, where both were told.
fn moved(told: &Told, was: &Told, earlier: Option<&Frozen>) -> impl IntoView + use<> {
    let heads: Vec<_> = Band::ALL
        .iter()
        .map(|band| view! { <th scope="col" class="number">{band.name()}</th> })
        .collect();
    let rows: Vec<_> = told
        .released
        .rows
        .values
        .iter()
        .enumerate()
        .map(|(row, name)| {
            let cells: Vec<_> = Band::ALL
                .into_iter()
                .enumerate()
                .map(|(column, band)| {
                    let moved = movement(told.moved(was, row, column));
                    view! { <td class="number" data-label=band.name()>{moved}</td> }
                })
                .collect();
            view! { <tr><th scope="row">{name.clone()}</th>{cells}</tr> }
        })
        .collect();
    let caption = words::since(earlier);
    view! {
        <details class="beside">
            <summary>"What moved"</summary>
            <table class="table">
                <caption>{caption}</caption>
                <thead><tr><th scope="col"><span class="hidden-text">"Group"</span></th>{heads}</tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </details>
    }
}
