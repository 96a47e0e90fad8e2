//! What else was put down: what was seen, said with home, planned and tried; scores; and, in the form that is looked at first, one of
//! each case that a page must be able to show.

use time::{Date, Duration, macros::time};

use super::{
    book::{Book, One, Version},
    check_ins::{during_school, put_down_at},
    children::{Child, Children},
    school_day, words,
};
use crate::{
    MembershipId, Refusal,
    day::field,
    demo::pupils::{
        course::{Shape, turn},
        dice::Dice,
        making::at,
    },
    pupil::year::age_on,
    wellbeing::{
        instrument::{self, Informant, Points},
        record::{Course, Detail, Kind, Of, Part, intervention, sheet},
    },
};

/// A review comes six weeks after.
const REVIEW: i64 = 42;

pub(super) fn put_down<'a>(book: &mut Book<'a>, children: &'a Children) -> Result<(), Refusal> {
    for child in children.all.iter().filter(|child| child.taught) {
        ordinary(book, children, child);
        helped(book, children, child)?;
        scored(book, children, child)?;
    }
    for child in &children.all {
        praised(book, children, child);
    }
    cases(book, children)
}

/// Of one pupil, by who teaches them.
fn one<'a>(child: &'a Child, kind: Kind, day: Date, dice: &mut Dice, body: &str) -> One<'a> {
    let happened_at = at(school_day(day), during_school(dice));
    let made_at = put_down_at(happened_at, dice);
    One {
        kind,
        happened_at,
        author: child.author,
        linked: vec![(child, Part::Subject)],
        versions: vec![Version::of(words::of(body, child.first_name()), made_at)],
    }
}

/// A day of somebody's time here.
fn some_day(child: &Child, to: Date, dice: &mut Dice) -> Date {
    let whole = usize::try_from((to - child.from).whole_days()).unwrap_or_default();
    let after = i64::try_from(dice.below(whole)).unwrap_or_default();
    child.from.saturating_add(Duration::days(after))
}

/// What anybody has: worries and talks with home, a few in a year.
fn ordinary<'a>(book: &mut Book<'a>, children: &Children, child: &'a Child) {
    let to = children.yesterday();
    let mut dice = child.dice(30);
    let months = usize::try_from((to - child.from).whole_days()).unwrap_or_default() / 30;
    let worried = matches!(
        Shape::of(child.seed),
        Shape::Dip | Shape::Rise | Shape::Fall
    );
    for _ in 0..months {
        let day = some_day(child, to, &mut dice);
        if dice.in_thousand(if worried { 110 } else { 25 }) {
            let text = dice.pick(words::WORRY);
            book.add(one(child, Kind::Observation, day, &mut dice, text));
        }
        if dice.in_thousand(if worried { 80 } else { 30 }) {
            let (with, text) = dice.pick(words::TALKS);
            let mut talk = one(child, Kind::Conversation, day, &mut dice, text);
            talk.versions[0].detail = Detail::Conversation {
                with: with.to_owned(),
            };
            book.add(talk);
        }
    }
}

/// What was planned and tried after a change, and for a few others.
fn helped<'a>(book: &mut Book<'a>, children: &Children, child: &'a Child) -> Result<(), Refusal> {
    let to = children.yesterday();
    let mut dice = child.dice(31);
    let (since, likely) = match turn(child.seed, child.from, to) {
        // Somebody has to notice first.
        Some(turned) => (turned.saturating_add(Duration::days(24)), 700),
        None => (some_day(child, to, &mut dice), 40),
    };
    let since = school_day(since);
    if dice.in_thousand(likely) {
        let text = dice.pick(words::PLANS);
        let mut plan = one(child, Kind::Plan, since, &mut dice, text);
        let review_on = school_day(since.saturating_add(Duration::days(REVIEW)));
        plan.versions[0].detail = Detail::Plan {
            review_on: Some(field(review_on)),
        };
        reviewed(&mut plan, child, review_on, &mut dice);
        book.add(plan);
    }
    if dice.in_thousand(likely) {
        let first = school_day(since.saturating_add(Duration::days(4)));
        let review_on = school_day(first.saturating_add(Duration::days(REVIEW)));
        book.add(tried(child, first, review_on, None, &mut dice)?);
    }
    Ok(())
}

/// Something that is done for six weeks; looked at again when they are over, if that has come.
fn tried<'a>(
    child: &'a Child,
    first: Date,
    review_on: Date,
    by: Option<MembershipId>,
    dice: &mut Dice,
) -> Result<One<'a>, Refusal> {
    let (aim, what, sessions) = dice.pick(words::HELP);
    let mut tried = one(child, Kind::Intervention, first, dice, "");
    tried.versions[0].detail = Detail::Intervention(intervention(Course {
        aim,
        what,
        by: Some(by.unwrap_or(child.author)),
        sessions: Some(sessions),
        starts: first,
        review_on: Some(review_on),
        ends: None,
    })?);
    reviewed(&mut tried, child, review_on, dice);
    Ok(tried)
}

/// The version of the day on which it was looked at again: there is no next review.
fn reviewed(one: &mut One<'_>, child: &Child, review_on: Date, dice: &mut Dice) {
    let helped = matches!(Shape::of(child.seed), Shape::Dip | Shape::Rise) && dice.in_thousand(700);
    let found = if helped {
        words::BETTER
    } else {
        words::THE_SAME
    };
    let mut version = one.versions[0].clone();
    version.detail = match version.detail {
        Detail::Intervention(was) => Detail::Intervention(crate::wellbeing::record::Intervention {
            review_on: None,
            ends: Some(field(review_on)),
            ..was
        }),
        Detail::Plan { .. } => Detail::Plan { review_on: None },
        other => other,
    };
    version.made_at = at(review_on, time!(15:40));
    version.reason = Some(dice.pick(found));
    one.versions.push(version);
}

/// Scores of an instrument, for a few of those whom somebody worries about, before and after.
fn scored<'a>(book: &mut Book<'a>, children: &Children, child: &'a Child) -> Result<(), Refusal> {
    let to = children.yesterday();
    let mut dice = child.dice(32);
    let Some(turned) = turn(child.seed, child.from, to).filter(|_| dice.in_thousand(350)) else {
        return Ok(());
    };
    let Some(known) = instrument::from_code("sdq") else {
        return Ok(());
    };
    for (after, less) in [(20, 0), (150, 2)] {
        let on = school_day(turned.saturating_add(Duration::days(after)));
        let entered: Vec<(&str, Points)> = known
            .scales
            .iter()
            .map(|scale| {
                let points = i16::try_from(dice.below(5)).unwrap_or_default();
                let points = if scale.in_total {
                    4 + points - less
                } else {
                    4 + points
                };
                (scale.code, Points::whole(points))
            })
            .collect();
        let age = u8::try_from(age_on(child.born, on)).unwrap_or_default();
        let mut scores = one(child, Kind::Instrument, on, &mut dice, "");
        scores.versions[0].detail = Detail::Instrument(sheet(
            Of::Table(known, None),
            Informant::Teacher,
            on,
            age,
            &entered,
        )?);
        book.add(scores);
    }
    Ok(())
}

/// Something good, now and then; the more often where somebody at home reads it.
fn praised<'a>(book: &mut Book<'a>, children: &Children, child: &'a Child) {
    let to = children.yesterday();
    let mut dice = child.dice(33);
    let many = match (child.parents.is_empty(), child.taught) {
        (false, _) => 2 + dice.below(2),
        (true, true) => dice.below(3),
        (true, false) => usize::from(dice.in_thousand(80)),
    };
    for _ in 0..many {
        let day = some_day(child, to, &mut dice);
        let text = dice.pick(words::PRAISE);
        book.add(one(child, Kind::Observation, day, &mut dice, text));
    }
}

/// In the first form: a review of this week and one that was forgotten, a version with another text, a record that was withdrawn, and
/// what happened between several pupils, once within the form and once beyond it.
fn cases<'a>(book: &mut Book<'a>, children: &'a Children) -> Result<(), Refusal> {
    let form = children.first_form();
    let Some(mut dice) = form.first().map(|child| child.dice(34)) else {
        return Ok(());
    };
    let ago = |days| children.today.saturating_sub(Duration::days(days));
    let in_days = |days| children.today.saturating_add(Duration::days(days));
    let assistant = children.person("ta1");
    for (child, first, review_on) in [
        (form.get(1).copied(), ago(40), in_days(2)),
        (form.get(2).copied(), ago(50), ago(8)),
        (form.get(3).copied(), ago(38), in_days(4)),
    ] {
        let Some(child) = child else { continue };
        let mut tried = tried(child, first, review_on, assistant, &mut dice)?;
        tried.versions.truncate(1);
        book.add(tried);
    }
    if let Some(child) = form.get(3).copied() {
        let text = "{} built a tower with the others and was calm all lesson.";
        let mut seen = one(child, Kind::Observation, ago(16), &mut dice, text);
        let mut again = seen.versions[0].clone();
        again.body = words::of(
            "{} built a tower with two others and was calm until the bell; then it took a while.",
            child.first_name(),
        );
        again.made_at += Duration::hours(20);
        again.reason = Some("Left out how it ended.");
        seen.versions.push(again);
        book.add(seen);
    }
    if let Some(child) = form.get(4).copied() {
        let text = "{} would not come in from break and sat on the wall until the second bell.";
        let mut seen = one(child, Kind::Observation, ago(12), &mut dice, text);
        let mut gone = seen.versions[0].clone();
        gone.made_at += Duration::hours(3);
        gone.reason = Some("That was another child; I had the wrong row.");
        gone.withdraws = true;
        seen.versions.push(gone);
        book.add(seen);
    }
    if let [_, harmed, caused, witness, ..] = form[..] {
        book.add(between(
            children,
            [harmed, caused, witness],
            harmed.author,
            9,
        ));
    }
    let elsewhere = children
        .all
        .iter()
        .find(|child| child.registration != children.school.cover && child.taught);
    let lead = children.person("senco").or(children.person("head"));
    if let (Some(lead), Some(caused), [witness, harmed, ..]) = (lead, elsewhere, &form[..]) {
        book.add(between(children, [*harmed, caused, *witness], lead, 23));
    }
    Ok(())
}

/// Something that one did to another, and a third saw. Each has words of their own.
fn between<'a>(
    children: &Children,
    [harmed, caused, witness]: [&'a Child; 3],
    author: MembershipId,
    ago: i64,
) -> One<'a> {
    let day = school_day(children.today.saturating_sub(Duration::days(ago)));
    let happened_at = at(day, time!(12:35));
    let (a, b, c) = (
        harmed.first_name(),
        caused.first_name(),
        witness.first_name(),
    );
    let mut version = Version::of(
        format!(
            "At lunch {b} pushed {a} off the bench beside the fence. {c} saw it and told an adult at once."
        ),
        happened_at + Duration::minutes(50),
    );
    version.words = vec![
        format!("{a} has a graze on one knee, washed in the office. Home was told by telephone."),
        format!(
            "{b} said that it was about the ball, and that it was not meant. Stayed in for the rest of lunch."
        ),
        format!("{c} was upset and asked to sit inside."),
    ];
    One {
        kind: Kind::Observation,
        happened_at,
        author,
        linked: vec![
            (harmed, Part::Harmed),
            (caused, Part::Caused),
            (witness, Part::Witness),
        ],
        versions: vec![version],
    }
}
