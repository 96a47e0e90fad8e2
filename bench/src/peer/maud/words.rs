//! What the pages say, in the words of Quorate's own.

use time::{Date, OffsetDateTime, UtcOffset};

use super::read::Approval;

/// Code and name of every role, in the order in which pages list them.
pub const ROLES: [(&str, &str); 15] = [
    ("school_admin", "School administrator"),
    ("senior_leader", "Senior leader"),
    ("senco", "SENCO"),
    ("teacher", "Teacher"),
    ("teaching_assistant", "Teaching assistant"),
    ("clerk", "Clerk to governors"),
    ("chair", "Chair of governors"),
    ("governor", "Governor"),
    ("associate", "Associate member"),
    ("parent", "Parent"),
    ("member", "Young person"),
    ("trust_admin", "Trust administrator"),
    ("trust_lead", "Trust leader"),
    ("org_admin", "Organisation administrator"),
    ("org_staff", "Organisation staff"),
];

/// "No people", "1 person", "1,000 people".
pub fn counted(many: i64, one: &str, more: &str) -> String {
    match many {
        0 => format!("No {more}"),
        1 => format!("1 {one}"),
        1000.. => format!("{},{:03} {more}", many / 1000, many % 1000),
        many => format!("{many} {more}"),
    }
}

/// First letters of the first and last word of a name.
pub fn initials(name: &str) -> String {
    let mut letters = name
        .split_whitespace()
        .filter_map(|word| word.chars().find(|letter| letter.is_alphabetic()));
    let first = letters.next();
    let last = letters.next_back();
    first
        .into_iter()
        .chain(last)
        .flat_map(char::to_uppercase)
        .collect()
}

/// The names of these roles.
pub fn roles(held: &[String]) -> String {
    let held: Vec<_> = ROLES
        .iter()
        .filter(|(code, _)| held.iter().any(|one| one == code))
        .map(|(_, name)| *name)
        .collect();
    held.join(", ")
}

/// "18 June 2026".
pub fn day(day: Date) -> String {
    format!("{} {} {}", day.day(), day.month(), day.year())
}

/// "waiting for 5 days".
pub fn waiting(since: Date, today: Date) -> String {
    match (today - since).whole_days() {
        ..=0 => "waiting since today".to_owned(),
        1 => "waiting for a day".to_owned(),
        days => format!("waiting for {days} days"),
    }
}

/// "18 Jun 2026".
pub fn short(at: OffsetDateTime) -> String {
    let at = at.to_offset(UtcOffset::UTC);
    let month = at.month().to_string();
    format!(
        "{} {} {}",
        at.day(),
        month.get(..3).unwrap_or(&month),
        at.year()
    )
}

/// "Thu 18 June 2026, 18:00 UTC".
pub fn full(at: OffsetDateTime) -> String {
    let at = at.to_offset(UtcOffset::UTC);
    let weekday = at.weekday().to_string();
    let (hour, minute) = (at.hour(), at.minute());
    let weekday = weekday.get(..3).unwrap_or(&weekday);
    format!("{weekday} {}, {hour:02}:{minute:02} UTC", day(at.date()))
}

/// "2026-06-18T18:00:00.123456Z", as a machine reads it.
pub fn machine(at: OffsetDateTime) -> String {
    let at = at.to_offset(UtcOffset::UTC);
    let (date, (hour, minute, second, micros)) = (at.date(), at.to_hms_micro());
    format!("{date}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

/// Where one answers, and what the way there is called.
pub fn way(one: &Approval) -> (String, &'static str) {
    let Approval {
        document, number, ..
    } = one;
    match one.earlier {
        Some(earlier) => (
            format!("/papers/{document}/changes?since={earlier}&to={number}"),
            "See what changed",
        ),
        None => (format!("/papers/{document}#answer"), "Read and answer"),
    }
}

/// "3 agreed, 1 objected, 2 to come".
pub fn standing(one: &Approval) -> String {
    let left = one.asked - one.agreed - one.objected - one.abstained;
    let then = if one.state == "open" {
        "to come"
    } else {
        "did not answer"
    };
    let said = [
        (one.objected, "objected"),
        (one.abstained, "abstained"),
        (left, then),
    ];
    let more = said
        .into_iter()
        .filter(|(many, _)| *many > 0)
        .map(|(many, what)| format!(", {many} {what}"));
    format!("{} agreed", one.agreed) + &more.collect::<String>()
}

/// "Adopted when 4 of 6 agree."
pub fn rule(one: &Approval) -> String {
    let counted = one.asked - one.abstained;
    let needed = match one.rule.as_str() {
        "everyone" => return format!("Adopted when all {counted} agree."),
        "majority" => counted / 2 + 1,
        _ => one.least.map_or(0, i64::from),
    };
    format!("Adopted when {needed} of {counted} agree.")
}
