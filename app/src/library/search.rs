//! `/library/search`: papers found by their titles and their text, each with the words around what was looked for.

use domain::{
    Refusal,
    db::Read,
    document::{
        State,
        search::{FOUND_MOST, Found, find},
    },
    file::Division,
};
use leptos::prelude::*;

use super::folder::{approval, to_library};
use crate::{
    membership::crumbs,
    sheet::{Asked, Drawing},
    ui::{Heading, Icon, counted},
};

/// `/library/search?q=`
pub async fn page(read: &mut Read, asked: &Asked) -> Result<Drawing, Refusal> {
    let words: String = asked.query("q").chars().take(200).collect();
    let found = find(read, &words).await?;
    let lead = match (words.trim().is_empty(), found.len()) {
        (true, _) => "Type a word or two.".to_owned(),
        (_, 0) => format!("Nothing that you read fits “{}”.", words.trim()),
        (_, FOUND_MOST) => format!("The {FOUND_MOST} that fit “{}” best.", words.trim()),
        (_, n) => format!(
            "{} with “{}”, the best first.",
            counted(n, "paper", "papers"),
            words.trim()
        ),
    };
    let empty = found.is_empty();
    let lines: Vec<_> = found.into_iter().map(line).collect();
    let page = view! {
        {crumbs(vec![to_library()])}
        <Heading title="Find a paper" lead=lead />
        {super::whole::find(&words)}
        {if words.trim().is_empty() {
            ().into_any()
        } else if empty {
            view! {
                <section class="card"><div class="empty"><Icon name="search" /><h2>"Nothing found"</h2>
                    <p>"Try another word, or fewer. Put words that belong together in quotation marks, and a minus before one that must not be there."</p>
                </div></section>
            }.into_any()
        } else {
            view! { <section class="card" aria-label="Found"><ul role="list" class="found">{lines}</ul></section> }.into_any()
        }}
    };
    Ok(Drawing {
        title: "Find a paper".to_owned(),
        page: page.into_any(),
    })
}

fn line(found: Found) -> impl IntoView {
    let href = match found.page {
        Some(page) if found.division == Division::Page => {
            format!("/papers/{}#page={page}", found.document)
        }
        _ => format!("/papers/{}", found.document),
    };
    let parts: Vec<_> = found
        .snippet
        .into_iter()
        .map(|part| {
            if part.hit {
                view! { <mark>{part.text}</mark> }.into_any()
            } else {
                part.text.into_any()
            }
        })
        .collect();
    view! {
        <li>
            <a href=href rel="external"><b>{found.title}</b></a> {approval(found.approval, None)}
            {(found.state == State::Archived).then(|| view! { " "<span class="tag">"Out of use"</span> })}
            <small>{found.folder}{found.page.map(|page| format!(", {} {page}", found.division.name()))}</small>
            {(!parts.is_empty()).then(|| view! { <p>"…" {parts} "…"</p> })}
        </li>
    }
}
