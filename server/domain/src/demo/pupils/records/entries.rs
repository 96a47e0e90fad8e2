//! What of it is on record for parents, and what they say to it.

use time::{Duration, macros::time};

use super::{
    book::{Book, Entry, One, Version},
    children::{Child, Children},
    words,
};
use crate::{
    day,
    demo::pupils::{course::is_school_day, making::at},
    wellbeing::record::{Kind, Part},
};

/// As long as a school has that has said nothing else.
const COOLING: Duration = Duration::minutes(30);

/// What parents said.
const SAID: &[&str] = &[
    "Thank you for telling us. It is nice to hear of the good days too.",
    "At home it is the same. We are proud.",
    "We see it a little differently: it takes a lot of strength, and there is none left in the evening.",
    "Thank you. Could we talk about it at the next parents’ evening?",
];

pub(super) fn put<'a>(book: &mut Book<'a>, children: &'a Children) {
    let now = book.now;
    let mut entries = Vec::new();
    for (record, one) in book.records.iter().enumerate() {
        let [(child, Part::Subject)] = one.linked[..] else {
            continue;
        };
        let [version] = &one.versions[..] else {
            continue;
        };
        if one.kind != Kind::Observation || child.parents.is_empty() || !is_praise(child, version) {
            continue;
        }
        let mut dice = child.dice(u64::try_from(record).unwrap_or_default());
        let put_at = version.made_at + Duration::hours(1);
        let opens_at = put_at + COOLING;
        let said_at = opens_at + Duration::hours(26);
        if said_at >= now {
            continue;
        }
        let mut said = Vec::new();
        if let (true, Some(parent)) = (dice.in_thousand(350), child.parents.first()) {
            said.push((*parent, dice.pick(SAID), said_at));
        }
        entries.push(Entry {
            record,
            child,
            words: version.body.clone(),
            put_at,
            opens_at,
            off: None,
            said,
        });
    }
    // One was a mistake, which a parent may have read; nobody had said anything to it.
    if let Some(entry) = entries.iter_mut().rev().find(|entry| entry.said.is_empty()) {
        let at = entry.opens_at + Duration::hours(20);
        entry.off = Some((at, "It was put on record for the wrong child."));
    }
    book.entries = entries;
    correct(book);
    cooling(book, children);
}

/// One parent thought again and said it in other words.
fn correct(book: &mut Book<'_>) {
    let now = book.now;
    let spoken = book
        .entries
        .iter_mut()
        .filter(|entry| !entry.said.is_empty());
    let Some(entry) = spoken.min_by_key(|entry| entry.opens_at) else {
        return;
    };
    let Some((parent, _, at)) = entry.said.first().copied() else {
        return;
    };
    let later = at + Duration::hours(5);
    if later < now {
        let words = "Thank you for telling us. It would help to know it on the same day.";
        entry.said.push((parent, words, later));
    }
}

/// One of the first form was put on record just now, and can be taken back unseen for half an hour.
fn cooling<'a>(book: &mut Book<'a>, children: &'a Children) {
    let form = children.first_form();
    let Some(child) = form.into_iter().find(|child| !child.parents.is_empty()) else {
        return;
    };
    let mut day = children.yesterday();
    while !is_school_day(day) {
        day = day::before(day);
    }
    let body = words::of(
        "{} asked the best question of the lesson: “How do they know that it was a Tuesday?”",
        child.first_name(),
    );
    let record = book.add(One {
        kind: Kind::Observation,
        happened_at: at(day, time!(11:20)),
        author: child.author,
        linked: vec![(child, Part::Subject)],
        versions: vec![Version::of(body.clone(), book.now - Duration::minutes(5))],
    });
    if let Some(record) = record {
        book.entries.push(Entry {
            record,
            child,
            words: body,
            put_at: book.now,
            opens_at: book.now + COOLING,
            off: None,
            said: vec![],
        });
    }
}

fn is_praise(child: &Child, version: &Version) -> bool {
    words::PRAISE
        .iter()
        .any(|text| words::of(text, child.first_name()) == version.body)
}
