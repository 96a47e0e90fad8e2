//! The certificate of an approval: who was asked about which bytes, what each answered, what came of it, and which lines of
//! the log say so. For people as a PDF, for programs as JSON, both signed; `public/check/check.js` tells them from forgeries.

use quorate_verify::{Hash, Id, Signer};
use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, macros::format_description};
use typst::foundations::Dict;

use crate::{Error, mark, plain::plain, sheet};

const SHEET: &[u8] = include_bytes!("../sheets/certificate.typ");

/// All that a certificate says. Every time is given in the school's own: 18:04 in November is GMT and in June BST.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Which approval it is about: by it and the SHA-256 of the document the check page asks whether a newer version came since.
    pub approval: Id,
    /// The school, trust or organisation.
    pub tenant: String,
    /// What was to be approved.
    pub document: Document,
    /// The request.
    pub asked: Asked,
    /// How many must agree, in words that follow "when": "at least 4 of 6".
    pub rule: String,
    /// Until when there was time to answer.
    #[serde(with = "time::serde::rfc3339")]
    pub due: OffsetDateTime,
    /// Everybody who was asked, whether they answered or not.
    pub answers: Vec<Answer>,
    /// What came of it.
    pub outcome: Outcome,
    /// The version that has taken the place of the one that was answered about, if there is one.
    pub newer: Option<Newer>,
    /// Where it is written down.
    pub log: Log,
    /// The address of the page that checks certificates.
    pub check_at: String,
    /// When this was made.
    #[serde(with = "time::serde::rfc3339")]
    pub made: OffsetDateTime,
}

/// One version of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// As the list of papers shows it.
    pub title: String,
    /// The name of the file as it was handed in.
    pub file_name: String,
    /// Counted from one.
    pub version: u32,
    /// Of the file, byte for byte.
    pub sha256: Hash,
    /// Its length in bytes.
    pub size: u64,
    /// How many, where it has pages.
    pub pages: Option<u32>,
}

/// Who asked for an approval, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Their name.
    pub by: String,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// What they wrote.
    pub reason: Option<String>,
}

/// One of those who were asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Their name when this was made.
    pub name: String,
    /// Their roles in words: "chair", "parent governor".
    pub roles: Vec<String>,
    /// What they answered.
    pub answer: Choice,
    /// When they answered.
    #[serde(with = "time::serde::rfc3339::option")]
    pub at: Option<OffsetDateTime>,
    /// Why they objected or abstained.
    pub reason: Option<String>,
    /// The interest they declared in the matter.
    pub interest: Option<String>,
    /// In whose place they answered.
    pub stood_in_for: Option<String>,
}

/// What somebody answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// They agreed to this version.
    Agreed,
    /// They objected to it.
    Objected,
    /// They took no part in the decision.
    Abstained,
    /// They did not answer.
    None,
}

/// What came of an approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Outcome {
    /// As many agreed as must.
    Adopted {
        /// When it was decided.
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
    },
    /// So many cannot agree any more.
    Rejected {
        /// When it was decided.
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
    },
    /// The time was up before it was decided.
    Lapsed {
        /// When the time was up.
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
    },
    /// A newer version came before it was decided.
    Replaced {
        /// When that was.
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
    },
    /// Whoever asked took the question back.
    Withdrawn {
        /// When that was.
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
    },
    /// It is not decided yet.
    Open,
}

/// A version after the one that was answered about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Newer {
    /// Its number.
    pub version: u32,
    /// When it was handed in.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
}

/// The lines of the log that say the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Log {
    /// The request, each answer and the decision.
    pub events: Vec<Event>,
    /// The last line when this was made.
    pub head: Head,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its number.
    pub seq: i64,
    /// What happened, in a few words.
    pub what: String,
    /// Its SHA-256.
    pub hash: Hash,
}

/// How far a log has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The number of its last line.
    pub seq: i64,
    /// The SHA-256 of that line, which vouches for all before it.
    pub hash: Hash,
}

/// As a PDF, signed, with the JSON attached. Refuses an approval of which nobody was asked, and an address that is not one of
/// the web.
pub fn certificate(certificate: &Certificate, signer: &Signer) -> Result<Vec<u8>, Error> {
    let mark = mark_of(certificate, signer);
    let data = data(certificate, signer, &mark)?;
    let pdf = sheet::set(&files(data), Dict::new(), certificate.made)?;
    mark::sign(pdf, &mark, signer)
}

/// As JSON, signed: `{"mark": …, "certificate": …}`. Refuses what [`certificate`] refuses.
pub fn certificate_json(certificate: &Certificate, signer: &Signer) -> Result<Vec<u8>, Error> {
    check(certificate)?;
    let mark = mark_of(certificate, signer);
    let said = serde_json::to_string_pretty(&certificate)?
        // The same text to a reader of JSON, and not to one who looks for the mark.
        .replace(mark::BEGINS, "\\u0071uorate-certificate:");
    let whole = format!("{{\n\"mark\": \"{mark}\",\n\"certificate\": {said}\n}}\n");
    mark::sign(whole.into_bytes(), &mark, signer)
}

fn mark_of(certificate: &Certificate, signer: &Signer) -> String {
    mark::blank(
        &certificate.document.sha256,
        &certificate.approval,
        &signer.public(),
    )
}

fn check(certificate: &Certificate) -> Result<(), Error> {
    if certificate.answers.is_empty() {
        return Err(Error::Nobody);
    }
    let address = &certificate.check_at;
    if !address.starts_with("https://") && !address.starts_with("http://") {
        return Err(Error::Address);
    }
    Ok(())
}

fn files(data: Vec<u8>) -> [sheet::File<'static>; 2] {
    [("/certificate.typ", SHEET.to_vec()), ("/data.json", data)]
}

fn data(certificate: &Certificate, signer: &Signer, mark: &str) -> Result<Vec<u8>, Error> {
    let json = certificate_json(certificate, signer)?;
    let page = Page {
        title: format!(
            "Certificate: {}, version {}",
            plain(&certificate.document.title),
            certificate.document.version
        ),
        author: plain(&certificate.tenant),
        description: format!("What came of an approval: {}", heading(certificate)),
        mark,
        key: signer.public().to_string(),
        json: String::from_utf8_lossy(&json).into_owned(),
        words: Words::of(certificate),
        certificate: readable(certificate),
    };
    Ok(serde_json::to_vec(&page)?)
}

/// What the sheet reads.
#[derive(Serialize)]
struct Page<'a> {
    title: String,
    author: String,
    description: String,
    mark: &'a str,
    key: String,
    json: String,
    words: Words,
    certificate: Certificate,
}

/// The same certificate, with every text as it can be set.
fn readable(of: &Certificate) -> Certificate {
    let maybe = |text: &Option<String>| text.as_deref().map(plain).filter(|text| !text.is_empty());
    let mut page = of.clone();
    page.tenant = plain(&of.tenant);
    page.document.title = plain(&of.document.title);
    page.document.file_name = plain(&of.document.file_name);
    page.asked.by = plain(&of.asked.by);
    page.asked.reason = maybe(&of.asked.reason);
    page.rule = plain(&of.rule);
    page.check_at = plain(&of.check_at);
    for answer in &mut page.answers {
        answer.name = plain(&answer.name);
        answer.roles = answer.roles.iter().map(|role| plain(role)).collect();
        answer.reason = maybe(&answer.reason);
        answer.interest = maybe(&answer.interest);
        answer.stood_in_for = maybe(&answer.stood_in_for);
    }
    for event in &mut page.log.events {
        event.what = plain(&event.what);
    }
    page
}

/// What the page says in its own words.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Words {
    initial: String,
    made: String,
    outcome: &'static str,
    outcome_why: String,
    tone: &'static str,
    rule: String,
    asked_at: String,
    tally: String,
    size: String,
    pages: String,
    answers: Vec<AnswerWords>,
}

#[derive(Serialize)]
struct AnswerWords {
    answer: &'static str,
    tone: Option<&'static str>,
    at: String,
    interest: Option<String>,
}

impl Words {
    fn of(certificate: &Certificate) -> Self {
        let document = &certificate.document;
        let tenant = plain(&certificate.tenant);
        Self {
            initial: tenant.chars().take(1).collect(),
            made: moment(certificate.made),
            outcome: heading(certificate),
            outcome_why: why(certificate),
            tone: tone(certificate),
            rule: format!(
                "Adopted when {} agree, until {}",
                plain(&certificate.rule),
                moment(certificate.due)
            ),
            asked_at: moment(certificate.asked.at),
            tally: tally(&certificate.answers),
            size: size(document.size),
            pages: match document.pages {
                Some(1) => ", 1 page".to_owned(),
                Some(pages) => format!(", {pages} pages"),
                None => String::new(),
            },
            answers: certificate.answers.iter().map(AnswerWords::of).collect(),
        }
    }
}

impl AnswerWords {
    fn of(answer: &Answer) -> Self {
        let (word, tone) = match answer.answer {
            Choice::Agreed => ("Agreed", Some("good")),
            Choice::Objected => ("Objected", Some("bad")),
            Choice::Abstained => ("Abstained", Some("info")),
            Choice::None => ("No answer", None),
        };
        Self {
            answer: word,
            tone,
            at: answer.at.map(short).unwrap_or_default(),
            interest: answer
                .interest
                .as_deref()
                .map(|interest| format!("Declared an interest: {}", plain(interest))),
        }
    }
}

fn heading(certificate: &Certificate) -> &'static str {
    match (certificate.outcome, certificate.newer) {
        (Outcome::Adopted { .. }, None) => "Adopted",
        (Outcome::Adopted { .. }, Some(_)) => "Adopted, and since replaced by a newer version",
        (Outcome::Rejected { .. }, _) => "Rejected",
        (Outcome::Lapsed { .. }, _) => "Lapsed",
        (Outcome::Replaced { .. }, _) => "Not decided, and replaced by a newer version",
        (Outcome::Withdrawn { .. }, _) => "Withdrawn",
        (Outcome::Open, None) => "Not decided yet",
        (Outcome::Open, Some(_)) => "Not decided, and since replaced by a newer version",
    }
}

fn tone(certificate: &Certificate) -> &'static str {
    match (certificate.outcome, certificate.newer) {
        (Outcome::Rejected { .. }, _) => "bad",
        (Outcome::Adopted { .. }, None) => "good",
        (Outcome::Open, None) => "info",
        _ => "wait",
    }
}

fn why(certificate: &Certificate) -> String {
    let version = certificate.document.version;
    let said = match certificate.outcome {
        Outcome::Adopted { at } => format!(
            "On {}, {} had agreed to version {version}.",
            moment(at),
            plain(&certificate.rule)
        ),
        Outcome::Rejected { at } => format!(
            "On {}, it was certain that version {version} would not be adopted.",
            moment(at)
        ),
        Outcome::Lapsed { at } => format!(
            "The time to answer about version {version} ended on {}, and it was not decided.",
            moment(at)
        ),
        Outcome::Replaced { at } => format!(
            "A newer version came on {}, before version {version} was decided.",
            moment(at)
        ),
        Outcome::Withdrawn { at } => format!(
            "The request to approve version {version} was withdrawn on {}, before it was decided.",
            moment(at)
        ),
        Outcome::Open => format!(
            "Version {version} can be answered about until {}.",
            moment(certificate.due)
        ),
    };
    match certificate.newer {
        Some(newer) => format!(
            "{said} A newer version {} exists since {}; these answers do not count for it.",
            newer.version,
            moment(newer.since)
        ),
        None => format!("{said} When this was made, the newest version was this file."),
    }
}

fn tally(answers: &[Answer]) -> String {
    let count = |choice| {
        answers
            .iter()
            .filter(|answer| answer.answer == choice)
            .count()
    };
    let mut parts = vec![format!("{} agreed", count(Choice::Agreed))];
    for (choice, word) in [
        (Choice::Objected, "objected"),
        (Choice::Abstained, "abstained"),
        (Choice::None, "did not answer"),
    ] {
        if count(choice) > 0 {
            parts.push(format!("{} {word}", count(choice)));
        }
    }
    format!("{} were asked: {}", answers.len(), parts.join(", "))
}

/// `1.4 MB (1,400,203 bytes)`: the exact length is part of what was approved.
#[expect(
    clippy::cast_precision_loss,
    reason = "one decimal of a megabyte is shown"
)]
fn size(bytes: u64) -> String {
    let exact = quorate_verify::grouped(bytes);
    if bytes < 1_000 {
        return format!("{exact} bytes");
    }
    if bytes < 1_000_000 {
        return format!("{} KB ({exact} bytes)", bytes.div_ceil(1_000));
    }
    format!("{:.1} MB ({exact} bytes)", bytes as f64 / 1e6)
}

/// `20 November 2026, 18:04 GMT`.
fn moment(at: OffsetDateTime) -> String {
    let format =
        format_description!("[day padding:none] [month repr:long] [year], [hour]:[minute]");
    format!("{} {}", at.format(&format).unwrap_or_default(), zone(at))
}

/// `20 Nov 2026, 18:04`.
fn short(at: OffsetDateTime) -> String {
    let format =
        format_description!("[day padding:none] [month repr:short] [year], [hour]:[minute]");
    at.format(&format).unwrap_or_default()
}

fn zone(at: OffsetDateTime) -> String {
    match at.offset().whole_minutes() {
        0 => "GMT".to_owned(),
        60 => "BST".to_owned(),
        minutes => format!(
            "UTC{}{:02}:{:02}",
            if minutes < 0 { '-' } else { '+' },
            minutes.abs() / 60,
            minutes.abs() % 60
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;
    use typst::layout::{Frame, FrameItem, Point};

    /// The right end of each text, in points from the left edge of its page, with what it says.
    fn ends(frame: &Frame, from: Point, found: &mut Vec<(f64, String)>) {
        for (at, item) in frame.items() {
            let at = from + *at;
            match item {
                FrameItem::Group(group) => ends(&group.frame, at, found),
                FrameItem::Text(text) => {
                    found.push(((at.x + text.width()).to_pt(), text.text.to_string()));
                }
                _ => {}
            }
        }
    }

    #[test]
    fn words_of_400_letters_stay_within_the_margins() {
        let at = datetime!(2026-11-20 18:04 UTC);
        let endless = |letter: &str| letter.repeat(400);
        let hash = Hash::from_bytes([9; 32]);
        let certificate = Certificate {
            approval: Id::from_bytes([9; 16]),
            tenant: endless("W"),
            document: Document {
                title: endless("W"),
                file_name: format!("{}.pdf", endless("long_name")),
                version: 3,
                sha256: hash,
                size: u64::MAX,
                pages: Some(u32::MAX),
            },
            asked: Asked {
                by: endless("Ж"),
                at,
                reason: Some(endless("m")),
            },
            rule: endless("W"),
            due: at,
            answers: vec![Answer {
                name: endless("W"),
                roles: vec![endless("m"), endless("W")],
                answer: Choice::Abstained,
                at: Some(at),
                reason: Some(endless("W")),
                interest: Some(endless("W")),
                stood_in_for: Some(endless("W")),
            }],
            outcome: Outcome::Adopted { at },
            newer: Some(Newer {
                version: u32::MAX,
                since: at,
            }),
            log: Log {
                events: vec![Event {
                    seq: i64::MAX,
                    what: endless("W"),
                    hash,
                }],
                head: Head {
                    seq: i64::MAX,
                    hash,
                },
            },
            check_at: format!("https://{}.example/check", endless("W")),
            made: at,
        };
        let signer = Signer::from_secret(&[7; 32]);
        let data = data(&certificate, &signer, "mark").unwrap();
        let pages = sheet::lay(&files(data), Dict::new()).unwrap();
        let mut found = Vec::new();
        for page in pages.pages() {
            ends(&page.frame, Point::zero(), &mut found);
        }
        assert!(found.len() > 100);
        // A4 is 595 points wide, and its right margin 57.
        for (end, text) in found {
            assert!(end < 595.3 - 56.6 + 1.0, "{text} ends at {end}");
        }
    }

    #[test]
    fn a_moment_is_told_in_the_time_of_the_school() {
        assert_eq!(
            moment(datetime!(2026-11-20 18:04 UTC)),
            "20 November 2026, 18:04 GMT"
        );
        assert_eq!(
            moment(datetime!(2026-06-03 09:05 +1)),
            "3 June 2026, 09:05 BST"
        );
        assert_eq!(
            moment(datetime!(2026-06-03 09:05 -3:30)),
            "3 June 2026, 09:05 UTC-03:30"
        );
    }

    #[test]
    fn a_size_is_told_roughly_and_exactly() {
        assert_eq!(size(999), "999 bytes");
        assert_eq!(size(219_136), "220 KB (219,136 bytes)");
        assert_eq!(size(1_400_203), "1.4 MB (1,400,203 bytes)");
    }
}
