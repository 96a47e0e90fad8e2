//! `/trust/picture`: how the pupils of a trust's schools are, a school to a line, as each school's own picture tells it.

use domain::{
    Refusal,
    db::Read,
    suppression::{Cell, Share},
    wellbeing::{
        Domain,
        picture::{self, Band, School},
    },
};
use leptos::prelude::*;

use super::words::{day_words, hidden_or, lower, marker};
use crate::{
    membership::crumbs,
    sheet::{Asked, Drawing},
    ui::{Heading, Icon},
};

/// `/trust/picture`: does not exist but at a trust, for those who run or lead it.
pub(crate) async fn page(read: &mut Read, asked: &Asked) -> Result<Drawing, Refusal> {
    let schools = picture::of_trust(read).await?;
    let domain = Domain::from_code(asked.query("domain")).unwrap_or(Domain::Safe);
    let title = "Pupils of the trust’s schools".to_owned();
    let links: Vec<_> = Domain::ALL
        .into_iter()
        .map(|one| {
            let current = (one == domain).then_some("true");
            view! { <a class="choice" href=format!("/trust/picture?domain={}", one.code()) aria-current=current>{one.name()}</a> }
        })
        .collect();
    let page = view! {
        {crumbs(vec![("/overview".to_owned(), "Schools of the trust".to_owned())])}
        <Heading title=title.clone() lead="How many of each school’s pupils are doing well and how many are not, as the school’s own newest picture tells it." />
        {if schools.is_empty() {
            view! {
                <section class="card"><div class="empty"><Icon name="school" /><h2>"No schools yet"</h2>
                    <p>"Once a school belongs to the trust, how its pupils are stands here beside the others. Whoever runs Quorate for you adds it."</p>
                </div></section>
            }.into_any()
        } else {
            view! {
                <nav class="choices" aria-label="Domain">{links}</nav>
                {marker()}
                {table(&schools, domain)}
                <p class="muted">"You see numbers of whole schools: no year group, no circumstance and no name. A school that is missing a day has not had its picture looked at since."</p>
            }.into_any()
        }}
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

fn table(schools: &[School], domain: Domain) -> impl IntoView + use<> {
    let heads: Vec<_> = Band::ALL
        .iter()
        .map(|band| view! { <th scope="col" class="number">{band.name()}</th> })
        .collect();
    let rows: Vec<_> = schools.iter().map(|school| row(school, domain)).collect();
    let name = domain.name();
    view! {
        <section class="card" aria-label="Schools side by side">
            <div class="scroll" tabindex="0" role="region" aria-label="Schools side by side">
                <table class="table picture-whole">
                    <caption>{format!("{name}: {}.", lower(domain.look()))}</caption>
                    <thead><tr><th scope="col">"School"</th><th scope="col">"As it stood on"</th>{heads}<th scope="col" class="number">"Pupils"</th></tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </section>
    }
}

fn row(school: &School, domain: Domain) -> AnyView {
    let told = (school.levels.iter()).find(|(of, ..)| *of == domain);
    let (cells, total) = told.map_or(([Cell::Hidden; 4], Cell::Hidden), |(_, cells, total)| {
        (*cells, *total)
    });
    let cells: Vec<_> = Band::ALL
        .into_iter()
        .zip(cells)
        .map(|(band, cell)| {
            let share = match Share::of(cell, total) {
                Share::Hidden => None,
                share => Some(share.text()),
            };
            view! {
                <td class="number" data-label=band.name()><span>{hidden_or(cell)} {share.map(|share| view! { " " <small>{share}</small> })}</span></td>
            }
        })
        .collect();
    let day = school.day.as_deref().map(day_words);
    view! {
        <tr>
            <th scope="row">{school.name.clone()}</th>
            <td data-label="As it stood on">{day.unwrap_or_else(|| "No picture yet".to_owned())}</td>
            {cells}
            <td class="number" data-label="Pupils">{hidden_or(total)}</td>
        </tr>
    }
    .into_any()
}
