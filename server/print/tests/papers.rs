//! The papers of the demo school: that they can be set, are as long as they should be, and change from version to version.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{collections::HashSet, time::Instant};

use lopdf::{Document, Object};
use print::{
    Error,
    paper::{self, Kind, Paper},
};
use time::{Date, macros::date};

const TODAY: Date = date!(2026 - 11 - 20);

fn set(paper: &Paper, version: usize, today: Date) -> Document {
    let pdf = paper::set(paper, version, today)
        .unwrap_or_else(|error| panic!("{} {version}: {error}", paper.slug));
    Document::load_mem(&pdf).expect("a PDF that opens")
}

/// What the first pages say.
fn text(document: &Document, pages: usize) -> String {
    let pages: Vec<u32> = document.get_pages().keys().copied().take(pages).collect();
    document
        .extract_text(&pages)
        .expect("text")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

fn find(slug: &str) -> &'static Paper {
    paper::all().iter().find(|one| one.slug == slug).unwrap()
}

#[test]
fn each_paper_is_tagged_named_and_two_to_sixty_pages_long_and_each_version_is_another() {
    let began = Instant::now();
    let (mut longest, mut pages, mut bytes) = (Vec::new(), 0, 0);
    for paper in paper::all() {
        let mut before = HashSet::new();
        for version in 1..=paper.versions.len() {
            let pdf = paper::set(paper, version, TODAY)
                .unwrap_or_else(|error| panic!("{} {version}: {error}", paper.slug));
            bytes += pdf.len();
            let document = Document::load_mem(&pdf).expect("a PDF that opens");
            let long = document.get_pages().len();
            pages += long;
            assert!((1..=60).contains(&long), "{} has {long}", paper.slug);
            if version == paper.versions.len() {
                assert!(long >= 2, "{} has {long}", paper.slug);
                longest.push(long);
            }
            let catalog = document.catalog().unwrap();
            assert!(catalog.has(b"StructTreeRoot"), "{}", paper.slug);
            assert_eq!(
                catalog.get(b"Lang").unwrap(),
                &Object::string_literal("en-GB")
            );
            // Without the foot of the page, which has the version and its date on it. The longest papers are read in part.
            let said = text(&document, long.min(20)).replace(&format!("Version {version}"), "");
            assert!(
                squeezed(&said).contains(&squeezed(paper.title)),
                "{} does not say its title",
                paper.slug
            );
            assert!(
                before.insert(said),
                "{} {version} changes nothing",
                paper.slug
            );
        }
    }
    longest.sort_unstable();
    println!(
        "{} papers, {pages} pages in all versions, {bytes} bytes: {:?}",
        paper::all().len(),
        began.elapsed()
    );
    assert!(paper::all().len() >= 25);
    assert_eq!(longest.pop(), Some(60));
    assert!(longest.pop().is_some_and(|long| long >= 40));
}

fn squeezed(text: &str) -> String {
    text.chars()
        .filter(|letter| !letter.is_whitespace())
        .collect()
}

#[test]
fn version_3_of_the_behaviour_policy_changes_sentences_of_version_2() {
    let paper = find("behaviour");
    let texts = [2, 3].map(|version| squeezed(&text(&set(paper, version, TODAY), 20)));
    for (old, new) in [
        (
            "within two school days",
            "without delay, as a rule on the same day",
        ),
        (
            "for not more than thirty minutes",
            "for not more than twenty minutes",
        ),
    ] {
        let (old, new) = (squeezed(old), squeezed(new));
        assert!(texts[0].contains(&old) && !texts[0].contains(&new), "{old}");
        assert!(!texts[1].contains(&old) && texts[1].contains(&new), "{new}");
    }
}

#[test]
fn dates_are_counted_back_from_the_day_that_is_given() {
    let paper = find("minutes-board");
    let autumn = text(&set(paper, 2, TODAY), 1);
    assert!(
        squeezed(&autumn).contains("6October2026"),
        "45 days before: {autumn}"
    );
    for paper in paper::all() {
        let last = paper.versions.len();
        let leap_day = paper::set(paper, last, date!(2028 - 02 - 29));
        assert!(leap_day.is_ok(), "{}: {leap_day:?}", paper.slug);
    }
}

#[test]
fn the_same_day_is_the_same_bytes() {
    let paper = find("budget");
    let once = paper::set(paper, 1, TODAY).unwrap();
    assert_eq!(once, paper::set(paper, 1, TODAY).unwrap());
    assert_ne!(once, paper::set(paper, 2, TODAY).unwrap());
}

#[test]
fn a_version_that_is_not_there_is_refused() {
    let paper = find("minutes-teaching");
    for version in [0, 2, usize::MAX] {
        assert!(matches!(
            paper::set(paper, version, TODAY),
            Err(Error::Version(refused)) if refused == version
        ));
    }
}

#[test]
fn a_long_paper_has_as_many_pages_as_asked_and_a_picture_of_its_own_on_each() {
    let began = Instant::now();
    let pdf = paper::long(20, TODAY).unwrap();
    println!("20 pages, {} bytes: {:?}", pdf.len(), began.elapsed());
    let document = Document::load_mem(&pdf).expect("a PDF that opens");
    assert_eq!(document.get_pages().len(), 20);
    let pictures: HashSet<&[u8]> = document
        .objects
        .values()
        .filter_map(|object| object.as_stream().ok())
        .filter(|stream| stream.dict.has_type(b"XObject") && stream.dict.has(b"Width"))
        .map(|stream| stream.content.as_slice())
        .collect();
    assert_eq!(pictures.len(), 20);
    assert!(pdf.len() > 20 * 120_000, "{}", pdf.len());
    assert_eq!(pdf, paper::long(20, TODAY).unwrap());
}

#[test]
fn papers_are_named_once_and_their_versions_come_one_after_another() {
    let mut slugs = HashSet::new();
    for paper in paper::all() {
        assert!(slugs.insert(paper.slug), "{}", paper.slug);
        assert!(
            paper.versions.is_sorted_by(|a, b| a.days_ago > b.days_ago),
            "{}",
            paper.slug
        );
        assert!(!paper.tags.is_empty() && !paper.versions.is_empty());
    }
    for (kind, least) in [(Kind::Policy, 15), (Kind::Minutes, 3), (Kind::Report, 6)] {
        let there = paper::all().iter().filter(|paper| paper.kind == kind);
        assert!(there.count() >= least, "{kind:?}");
    }
}
