//! What changed since the reader last read a document: a sentence and a card on its page, and `/papers/:id/changes`, where the
//! words stand side by side.

use domain::{
    Refusal,
    db::Read,
    document::{
        self, Document, State, Version,
        changes::{Changes, Page, Piece, Tag},
    },
    file::Division,
};
use leptos::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::folder::to_library;
use crate::{
    membership::crumbs,
    sheet::{Asked, Drawing},
    ui::{Heading, Icon, counted},
};

/// Most changed stretches of one page that the reader of papers marks, and most letters of one.
const MARKED_MOST: usize = 20;
const STRETCH_MOST: usize = 300;

/// Most changed stretches of a text without pages, which the reader shows as one.
const ALL_MARKED_MOST: usize = 60;

/// Most page numbers in one sentence.
const NAMED_MOST: usize = 8;

/// Words that are shown on either side of a change; what lies between is left out.
const AROUND: usize = 30;

/// What is new to the reader in the version that is shown; nothing to who reads the document for the first time.
pub(super) struct Since(Option<Known>);

struct Known {
    document: Uuid,
    read: u32,
    shown: u32,
    changes: Changes,
}

/// What changed since the newest version below the shown one that the reader has opened.
pub(super) async fn since(
    read: &mut Read,
    document: &Document,
    shown: &Version,
) -> Result<Since, Refusal> {
    let earlier = document
        .versions
        .iter()
        .filter(|one| one.number < shown.number && one.opened.is_some());
    let Some(last) = earlier
        .map(|one| one.number)
        .max()
        .filter(|_| document.state != State::Binned)
    else {
        return Ok(Since(None));
    };
    let changes = document::changes::between(read, document.id, last, shown.number).await?;
    Ok(Since(Some(Known {
        document: document.id,
        read: last,
        shown: shown.number,
        changes,
    })))
}

impl Since {
    /// What stands above the document.
    pub(super) fn notice(&self) -> Option<AnyView> {
        let known = self.0.as_ref()?;
        let words = sentence(&known.changes);
        Some(
            view! {
                <div class="notice wait"><Icon name="info" /><p><b>{format!("You last read version {}.", known.read)}</b> " " {words}</p>
                    {(!known.changes.pages.is_empty()).then(|| view! { <a href=known.address()>"See what changed"</a> })}</div>
            }
            .into_any(),
        )
    }

    /// The pages that changed, each a way to it.
    pub(super) fn card(&self) -> Option<AnyView> {
        let known = self
            .0
            .as_ref()
            .filter(|known| !known.changes.pages.is_empty())?;
        let lines: Vec<_> = known
            .changes
            .pages
            .iter()
            .take(50)
            .map(|page| {
                let (said, words) = (heading(known.changes.division, page), tally(page));
                match page.new {
                    Some(number) if known.changes.division == Division::Page => view! { <li><a href=format!("#page={number}") rel="external">{said}</a><small>{words}</small></li> }.into_any(),
                    _ => view! { <li>{said}<small>{words}</small></li> }.into_any(),
                }
            })
            .collect();
        let more = known.changes.pages.len().saturating_sub(lines.len());
        Some(
            view! {
                <section class="card" aria-labelledby="changed">
                    <header><h2 id="changed">"What changed"</h2></header>
                    <div class="body">
                        <p>{format!("Since version {}, which you read last.", known.read)}</p>
                        <ul role="list" class="lines">{lines}</ul>
                        {(more > 0).then(|| view! { <p class="muted">{format!("And {}.", counted(more, "other", "others"))}</p> })}
                        <p><a href=known.address()>"Side by side"</a></p>
                    </div>
                </section>
            }
            .into_any(),
        )
    }

    /// As the reader of papers takes them.
    pub(super) fn marks(&self) -> Option<String> {
        let known = self.0.as_ref()?;
        let said = |page: &Page, tag| -> Vec<String> {
            let stretches = page.only(tag).into_iter().take(MARKED_MOST);
            stretches
                .map(|text| text.chars().take(STRETCH_MOST).collect())
                .collect()
        };
        if known.changes.division == Division::Part {
            // The reader shows it as one page.
            let all = |tag| -> Vec<String> {
                let pages = known.changes.pages.iter();
                pages
                    .flat_map(|page| said(page, tag))
                    .take(ALL_MARKED_MOST)
                    .collect()
            };
            let one = (!known.changes.pages.is_empty()).then(
                || json!({ "page": 1, "added": all(Tag::Added), "removed": all(Tag::Removed) }),
            );
            let list: Vec<_> = one.into_iter().collect();
            return Some(serde_json::Value::from(list).to_string());
        }
        let list: Vec<_> = known
            .changes
            .pages
            .iter()
            .filter_map(|page| Some(json!({ "page": page.new?, "added": said(page, Tag::Added), "removed": said(page, Tag::Removed) })))
            .collect();
        Some(serde_json::Value::from(list).to_string())
    }
}

impl Known {
    fn address(&self) -> String {
        format!(
            "/papers/{}/changes?since={}&to={}",
            self.document, self.read, self.shown
        )
    }
}

/// "Pages 4 and 7 changed."
fn sentence(changes: &Changes) -> String {
    if changes.unknown {
        return "This document is too long to say here what changed.".to_owned();
    }
    if changes.without_text {
        return "What changed cannot be said, since there is no text in it to compare.".to_owned();
    }
    let (numbers, division) = (changes.numbers(), changes.division);
    match &numbers[..] {
        [] if changes.pages.is_empty() => "The words are the same as before.".to_owned(),
        [] => format!("{} taken out.", was(division, changes.pages.len())),
        [one] => format!("{} {one} changed.", division.title()),
        [many @ .., last] if numbers.len() <= NAMED_MOST => {
            let many: Vec<String> = many.iter().map(u32::to_string).collect();
            format!(
                "{}s {} and {last} changed.",
                division.title(),
                many.join(", ")
            )
        }
        all => format!("{} {}s changed.", all.len(), division.name()),
    }
}

fn was(division: Division, count: usize) -> String {
    match count {
        1 => format!("One {} was", division.name()),
        n => format!("{n} {}s were", division.name()),
    }
}

fn heading(division: Division, page: &Page) -> String {
    let (title, name) = (division.title(), division.name());
    match (page.old, page.new) {
        (Some(old), Some(new)) if old == new => format!("{title} {new}"),
        // Nobody sees the number of a part but here, and what moved from one to another has not changed.
        (_, Some(new)) if division == Division::Part => format!("{title} {new}"),
        (Some(old), Some(new)) => format!("{title} {new}, which was {name} {old}"),
        (None, Some(new)) => format!("{title} {new} is new"),
        (Some(old), None) => format!("{title} {old} was taken out"),
        (None, None) => String::new(),
    }
}

/// "3 words new, 1 word gone".
fn tally(page: &Page) -> String {
    let words = |tag| {
        page.only(tag)
            .iter()
            .map(|text| text.split_whitespace().count())
            .sum()
    };
    let parts = [(words(Tag::Added), "new"), (words(Tag::Removed), "gone")];
    let told: Vec<String> = parts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{} {what}", counted(count, "word", "words")))
        .collect();
    if told.is_empty() {
        "Changed".to_owned()
    } else {
        told.join(", ")
    }
}

/// `/papers/:id/changes?since=2&to=3`; without them what is new since the reader last read it, else since the version before.
pub async fn page(read: &mut Read, asked: &Asked, id: &str) -> Result<Drawing, Refusal> {
    let id = Uuid::try_parse(id).map_err(|_| Refusal::NotFound)?;
    let document = document::one(read, id).await?;
    let number = |name: &str| match asked.query(name) {
        "" => Ok(None),
        typed => typed.parse().map(Some).map_err(|_| Refusal::NotFound),
    };
    let newest = document.versions.first().map_or(1, |one| one.number);
    let to: u32 = number("to")?.unwrap_or(newest);
    let opened = document
        .versions
        .iter()
        .filter(|one| one.number < to && one.opened.is_some())
        .map(|one| one.number)
        .max();
    let since: u32 = number("since")?
        .or(opened)
        .unwrap_or_else(|| to.saturating_sub(1).max(1));
    for version in [since, to] {
        document.version(Some(version)).ok_or(Refusal::NotFound)?;
    }
    let changes = document::changes::between(read, id, since, to).await?;
    let title = format!("What changed in {}", document.about.title);
    let options = |chosen: u32| -> Vec<_> {
        document
            .versions
            .iter()
            .map(|one| view! { <option value=one.number.to_string() selected=one.number == chosen>{format!("Version {}", one.number)}</option> })
            .collect()
    };
    let pages: Vec<_> = changes
        .pages
        .iter()
        .map(|page| side_by_side(changes.division, page, since, to))
        .collect();
    let page = view! {
        {crumbs(vec![to_library(), (format!("/library/{}", document.folder.id), document.folder.name.clone()), (format!("/papers/{id}"), document.about.title.clone())])}
        <Heading title=title.clone() lead=format!("From version {since} to version {to}. {}", sentence(&changes)) />
        <form class="filter" method="get" action=format!("/papers/{id}/changes")>
            <div class="field fixed"><label for="since">"From"</label><select id="since" name="since">{options(since)}</select></div>
            <div class="field fixed"><label for="to">"To"</label><select id="to" name="to">{options(to)}</select></div>
            <button class="button">"Compare"</button>
        </form>
        <div class="stack">{pages}</div>
    };
    Ok(Drawing {
        title,
        page: page.into_any(),
    })
}

fn side_by_side(division: Division, page: &Page, since: u32, to: u32) -> AnyView {
    let body = if page.pieces.is_empty() {
        let words = format!(
            "There is too much or nothing on this {} to compare word by word.",
            division.name()
        );
        view! { <p class="muted">{words}</p> }.into_any()
    } else {
        let side = |left_out: Option<Tag>, version: u32| {
            let words = shortened(&page.pieces, left_out);
            view! { <div><h3>{format!("Version {version}")}</h3><p>{words}</p></div> }
        };
        // Where there is no room for two, the one on the right is both: it holds what is gone too.
        let older = page.old.is_some() || division == Division::Part;
        view! {
            <div class="sides">
                {older.then(|| side(Some(Tag::Added), since))}
                {page.new.map(|_| side((!older).then_some(Tag::Removed), to))}
            </div>
        }
        .into_any()
    };
    let (id, said) = (
        format!(
            "page-{}-{}",
            page.old.unwrap_or_default(),
            page.new.unwrap_or_default()
        ),
        heading(division, page),
    );
    view! {
        <section class="card changed-page" aria-labelledby=id.clone()>
            <header><h2 id=id.clone()>{said}</h2></header>
            <div class="body">{body}</div>
        </section>
    }
    .into_any()
}

/// One side: its own words, line by line, with what stayed the same shortened to what is around a change.
fn shortened(pieces: &[Piece], left_out: Option<Tag>) -> Vec<AnyView> {
    let last = pieces.len().saturating_sub(1);
    let mut views = vec![];
    for (n, piece) in pieces
        .iter()
        .enumerate()
        .filter(|(_, piece)| Some(piece.tag) != left_out)
    {
        let text = piece.text.clone();
        match piece.tag {
            Tag::Added => views.push(view! { <ins>{text}</ins> " " }.into_any()),
            Tag::Removed => views.push(view! { <del>{text}</del> " " }.into_any()),
            Tag::Same => {
                // Each with the end of its line, where it has one.
                let words: Vec<&str> = text.split_inclusive([' ', '\n']).collect();
                let keep = [(n > 0).then_some(AROUND), (n < last).then_some(AROUND)]
                    .map(Option::unwrap_or_default);
                if words.len() <= keep[0] + keep[1] + 5 {
                    views.push(format!("{text} ").into_any());
                    continue;
                }
                let (head, tail) = (
                    words[..keep[0]].concat(),
                    words[words.len() - keep[1]..].concat(),
                );
                views.push(view! { {head} " " <span class="skipped" aria-hidden="true">"… "</span> {tail} " " }.into_any());
            }
        }
    }
    views
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(new: &[u32]) -> Changes {
        let page = |new: &u32| Page {
            old: Some(*new),
            new: Some(*new),
            pieces: vec![],
        };
        Changes {
            pages: new.iter().map(page).collect(),
            ..Changes::default()
        }
    }

    #[test]
    fn what_changed_is_one_sentence() {
        assert_eq!(sentence(&changed(&[])), "The words are the same as before.");
        assert_eq!(sentence(&changed(&[4])), "Page 4 changed.");
        assert_eq!(sentence(&changed(&[4, 7])), "Pages 4 and 7 changed.");
        assert_eq!(sentence(&changed(&[1, 4, 7])), "Pages 1, 4 and 7 changed.");
        assert_eq!(
            sentence(&changed(&(1..40).collect::<Vec<_>>())),
            "39 pages changed."
        );
        let gone = Changes {
            pages: vec![Page {
                old: Some(2),
                new: None,
                pieces: vec![],
            }],
            ..Changes::default()
        };
        assert_eq!(sentence(&gone), "One page was taken out.");
    }

    #[test]
    fn of_a_text_without_pages_no_page_is_named() {
        let of = |new: &[u32], division| {
            sentence(&Changes {
                division,
                ..changed(new)
            })
        };
        assert_eq!(of(&[7], Division::Part), "Part 7 changed.");
        assert_eq!(of(&[1, 7], Division::Part), "Parts 1 and 7 changed.");
        assert_eq!(of(&[2], Division::Slide), "Slide 2 changed.");
        let page = |old, new| Page {
            old,
            new,
            pieces: vec![],
        };
        let moved = page(Some(6), Some(7));
        assert_eq!(heading(Division::Part, &moved), "Part 7");
        assert_eq!(heading(Division::Page, &moved), "Page 7, which was page 6");
        assert_eq!(
            heading(Division::Slide, &page(None, Some(2))),
            "Slide 2 is new"
        );
    }
}
