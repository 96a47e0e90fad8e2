//! `/approvals/:id`: one approval, whole: which bytes, who was asked, what each said, and where the log says so. For the minutes.

use domain::{
    Refusal,
    approval::{self, State},
    day,
    db::Read,
};
use leptos::prelude::*;
use uuid::Uuid;

use super::beside::{answers, rule_words, tag, whom, words};
use crate::{
    membership::crumbs,
    sheet::Drawing,
    ui::{Heading, Icon, Moment},
};

/// `/approvals/:id`
pub async fn page(read: &mut Read, id: &str) -> Result<Drawing, Refusal> {
    let id = Uuid::try_parse(id).map_err(|_| Refusal::NotFound)?;
    let one = approval::one(read, id).await?;
    let places = approval::places(read, id).await?;
    let lines = approval::lines(read, id).await?;
    let open = one.state == State::Open;
    let title = format!("Approval of {}, version {}", one.title, one.version);
    let by = one.by.called();
    let (newest, version) = (one.newest, one.version);
    let stale = one.is_stale().then(|| {
        format!("The newest version is version {newest}. What was said here is about version {version} and does not count for it.")
    });
    let same = (!one.is_stale() && newest != version)
        .then(|| format!("The newest version, version {newest}, is the same file, byte for byte."));
    let lines: Vec<_> = lines
        .into_iter()
        .map(|line| {
            let hash: String = line.hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            view! { <tr><td data-label="Line">{line.seq}</td><td data-label="What">{act_words(&line.act)}</td><td data-label="Hash"><code>{hash}</code></td></tr> }
        })
        .collect();
    let page = view! {
        {crumbs(vec![("/approvals".to_owned(), "Approvals".to_owned()), (format!("/papers/{}", one.document), one.title.clone())])}
        <Heading title=title.clone() lead=words(&one)>
            {(!open).then(|| view! { <a class="button primary" href=format!("/approvals/{id}/certificate") rel="external" download=""><Icon name="download" />"Certificate"</a> })}
            <button class="button" type="button" data-print="">"Print"</button>
        </Heading>
        {stale.map(|text| view! { <div class="notice wait"><Icon name="warning" /><p>{text}</p></div> })}
        {same.map(|text| view! { <div class="notice"><Icon name="info" /><p>{text}</p></div> })}
        <div class="split">
            <section class="card" aria-labelledby="asked">
                <header><h2 id="asked">"What was asked"</h2></header>
                <div class="body stack">
                    <dl class="details">
                        <div><dt>"Outcome"</dt><dd>{tag(&one)} {one.closed.clone().map(|at| view! { " "<Moment at=at /> })}</dd></div>
                        <div><dt>"Rule"</dt><dd>{rule_words(one.rule, one.standing)}</dd></div>
                        <div><dt>"Asked by"</dt><dd>{by} ", " <Moment at=one.at.clone() /></dd></div>
                        <div><dt>"Asked of"</dt><dd>{whom(&one)}</dd></div>
                        <div><dt>"Last day"</dt><dd>{day::words(one.due)}</dd></div>
                        {(!one.reason.is_empty()).then(|| view! { <div><dt>"Why"</dt><dd>{one.reason.clone()}</dd></div> })}
                        <div><dt>"SHA-256"</dt><dd><code class="hash">{one.sha256.clone()}</code></dd></div>
                    </dl>
                    <p><a href=format!("/papers/{}?version={}", one.document, one.version)>"Read this version"</a></p>
                </div>
            </section>
            <div class="stack">
            <section class="card" aria-labelledby="names">
                <header><h2 id="names">"Who was asked, and what they said"</h2></header>
                <div class="body">{answers(&places, open)}</div>
            </section>
            <section class="card" aria-labelledby="log">
                <header><h2 id="log">"In the log"</h2></header>
                <table class="table"><caption>"The lines that tell of it, with the beginning of their hashes."</caption>
                    <thead><tr><th scope="col">"Line"</th><th scope="col">"What"</th><th scope="col">"Hash"</th></tr></thead>
                    <tbody>{lines}</tbody></table>
            </section>
            </div>
        </div>
        <p class="muted">"Anybody can check a certificate against the file, without sending either, on "<a href="/check" rel="external">"the check page"</a>"."</p>
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

/// A line of the log in a word or two.
pub fn act_words(act: &str) -> &'static str {
    match act {
        "approval.asked" => "Asked",
        "approval.agreed" => "Agreed",
        "approval.objected" => "Objected",
        "approval.abstained" => "Abstained",
        "approval.answer_withdrawn" => "An answer taken back",
        "approval.closed" => "Closed",
        "approval.withdrawn" => "The request withdrawn",
        "approval.nudged" => "Reminded",
        "approval.stand_in_called" => "The stand-in called",
        _ => "Something else",
    }
}
