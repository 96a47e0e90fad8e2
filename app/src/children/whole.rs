//! `/children`: a parent's children here, with what is newest on record for each. One child is shown at once.

use domain::{Refusal, db::Read, pupil::guardian, wellbeing::onrecord};
use leptos::prelude::*;

use super::{
    child,
    pages::{beside, parents_only},
};
use crate::{
    sheet::{Asked, Drawing},
    ui::{Around, Heading, Icon},
    wellbeing::shown,
};

/// `/children`
pub async fn page(read: &mut Read, around: &Around, asked: &Asked) -> Result<Drawing, Refusal> {
    parents_only(around)?;
    let children = guardian::children(read).await?;
    if let [only] = children.as_slice() {
        return child::of(read, around, asked, only, false).await;
    }
    let entries = onrecord::for_parent(read, None).await?;
    let cards: Vec<_> = children
        .iter()
        .map(|child| {
            let newest = entries.iter().find(|entry| entry.pupil == child.id);
            let newest = newest.map(|entry| shown::entry(&entry.shown));
            let name = child::full_name(child);
            let id = format!("child-{}", child.id);
            view! {
                <section class="card" aria-labelledby=id.clone()>
                    <header><h2 id=id.clone()>{name.clone()}</h2></header>
                    <div class="body">
                        {match newest {
                            Some(newest) => newest.into_any(),
                            None => view! { <p class="muted">"Nothing is on record yet."</p> }.into_any(),
                        }}
                        <div class="actions"><a class="button" href=format!("/children/{}", child.id)>"Open " {name}</a></div>
                    </div>
                </section>
            }
        })
        .collect();
    let none = cards.is_empty();
    let beside = beside(read, around).await?;
    let title = "Your children".to_owned();
    let lead = format!("What {} puts on record for you.", around.place);
    let page = view! {
        <Heading title=title.clone() lead=lead />
        <div class="split">
            <div class="stack">
                {cards}
                {none.then(|| view! {
                    <section class="card">
                        <div class="empty">
                            <Icon name="pupils" />
                            <h2>"No child is linked to you here"</h2>
                            <p>"When the school links you to a child, you read here what it puts on record for you. If you miss a child, ask the school office."</p>
                        </div>
                    </section>
                })}
            </div>
            <aside class="stack" aria-label="Who can help">{beside}</aside>
        </div>
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}
