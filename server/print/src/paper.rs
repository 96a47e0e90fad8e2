//! The papers of Oakfield Primary School, an invented school: what the demo shows, diffs, quotes and approves. Each is a source
//! in `papers/`; its versions differ by edits as people make them, and its dates are counted back from a given day.

mod long;

use time::{Date, Duration, Time};
use typst::foundations::{Dict, IntoValue as _};

use crate::{Error, sheet};

pub use long::long;

const SCHOOL: &str = include_str!("../papers/school.typ");
const MINUTES: &str = include_str!("../papers/minutes.typ");

/// A paper in all its versions.
#[derive(Clone, Copy, Debug)]
pub struct Paper {
    /// Names it in files and addresses.
    pub slug: &'static str,
    /// Where it lies.
    pub folder: &'static str,
    /// As the list of papers shows it.
    pub title: &'static str,
    /// What it is.
    pub kind: Kind,
    /// What it is found by.
    pub tags: &'static [&'static str],
    /// The code of the role that looks after it.
    pub owner: &'static str,
    /// Months after which it is reviewed.
    pub review_months: Option<u8>,
    /// The first one first.
    pub versions: &'static [Version],
    source: &'static str,
}

/// What a paper is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What holds until it is changed.
    Policy,
    /// Of a meeting.
    Minutes,
    /// How something stands.
    Report,
    /// Anything else.
    Other,
}

/// A version of a paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// What is new in it, in the words of whoever handed it in.
    pub note: &'static str,
    /// How many days before today it was handed in.
    pub days_ago: u16,
}

/// All of them.
pub const fn all() -> &'static [Paper] {
    PAPERS
}

/// Sets a version, counted from one, as it stands on a day. Refuses one that the paper does not have.
pub fn set(paper: &Paper, version: usize, today: Date) -> Result<Vec<u8>, Error> {
    let handed_in = version
        .checked_sub(1)
        .and_then(|before| paper.versions.get(before))
        .ok_or(Error::Version(version))?
        .days_ago;
    let mut inputs = Dict::new();
    inputs.insert("version".into(), version.to_string().into_value());
    inputs.insert("today".into(), iso(today).into_value());
    inputs.insert("ago".into(), handed_in.to_string().into_value());
    let files = [
        ("/paper.typ", paper.source.into()),
        ("/school.typ", SCHOOL.into()),
        ("/minutes.typ", MINUTES.into()),
    ];
    let made = today.saturating_sub(Duration::days(handed_in.into()));
    sheet::set(&files, inputs, made.with_time(Time::MIDNIGHT).assume_utc())
}

/// `2026-11-20`.
fn iso(day: Date) -> String {
    format!(
        "{:04}-{:02}-{:02}",
        day.year(),
        u8::from(day.month()),
        day.day()
    )
}

macro_rules! source {
    ($name:literal) => {
        include_str!(concat!("../papers/", $name, ".typ"))
    };
}

const fn version(days_ago: u16, note: &'static str) -> Version {
    Version { note, days_ago }
}

const PAPERS: &[Paper] = &[
    Paper {
        slug: "behaviour",
        folder: "Policies",
        title: "Behaviour policy",
        kind: Kind::Policy,
        tags: &["behaviour", "statutory", "exclusion"],
        owner: "senior_leader",
        review_months: Some(12),
        versions: &[
            version(400, "First version of the new policy"),
            version(
                120,
                "After the school council and the staff were asked; what the board considers, section 5.1",
            ),
            version(
                21,
                "Reporting and telling parents without delay; twenty minutes instead of thirty; watches",
            ),
        ],
        source: source!("behaviour"),
    },
    Paper {
        slug: "safeguarding",
        folder: "Policies",
        title: "Safeguarding and child protection policy",
        kind: Kind::Policy,
        tags: &["safeguarding", "statutory"],
        owner: "senco",
        review_months: Some(12),
        versions: &[
            version(440, "For the school year before last"),
            version(
                330,
                "Escalation, pictures made by machines, more time for the lead",
            ),
            version(
                75,
                "Guidance of this September; ten minutes when a child is missing",
            ),
            version(9, "Annex L and machines that talk"),
        ],
        source: source!("safeguarding"),
    },
    Paper {
        slug: "attendance",
        folder: "Policies",
        title: "Attendance policy",
        kind: Kind::Policy,
        tags: &["attendance", "statutory"],
        owner: "senior_leader",
        review_months: Some(12),
        versions: &[
            version(380, "As the new statutory guidance asks"),
            version(
                40,
                "Aims of this year; children with a social worker; mental health",
            ),
        ],
        source: source!("attendance"),
    },
    Paper {
        slug: "send",
        folder: "Policies",
        title: "Special educational needs and disability policy",
        kind: Kind::Policy,
        tags: &["send", "statutory", "website"],
        owner: "senco",
        review_months: Some(12),
        versions: &[
            version(500, "Two years ago"),
            version(130, "Plans in the portal; what came of last year"),
            version(31, "Hoist; suspensions named"),
        ],
        source: source!("send"),
    },
    Paper {
        slug: "relationships",
        folder: "Policies",
        title: "Relationships, sex and health education policy",
        kind: Kind::Policy,
        tags: &["curriculum", "statutory", "website"],
        owner: "teacher",
        review_months: Some(24),
        versions: &[
            version(300, "After parents were consulted"),
            version(28, "What parents told us, and what is contested"),
        ],
        source: source!("relationships"),
    },
    Paper {
        slug: "online-safety",
        folder: "Policies",
        title: "Online safety policy",
        kind: Kind::Policy,
        tags: &["safeguarding", "it"],
        owner: "teacher",
        review_months: Some(12),
        versions: &[
            version(370, "First version"),
            version(33, "Last review of filtering; generative systems in Year 5"),
        ],
        source: source!("online-safety"),
    },
    Paper {
        slug: "data-protection",
        folder: "Policies",
        title: "Data protection policy",
        kind: Kind::Policy,
        tags: &["data", "statutory"],
        owner: "school_admin",
        review_months: Some(24),
        versions: &[
            version(720, "First version"),
            version(200, "Consent each September; the Act of 2025"),
            version(
                15,
                "Machines that write and decide; pictures of the cameras for 21 days",
            ),
        ],
        source: source!("data-protection"),
    },
    Paper {
        slug: "complaints",
        folder: "Policies",
        title: "Complaints policy and procedure",
        kind: Kind::Policy,
        tags: &["complaints", "statutory", "website"],
        owner: "clerk",
        review_months: Some(36),
        versions: &[
            version(1000, "First version"),
            version(
                20,
                "Five days at stage 1; how long one way of writing lasts",
            ),
        ],
        source: source!("complaints"),
    },
    Paper {
        slug: "health-and-safety",
        folder: "Policies",
        title: "Health and safety policy",
        kind: Kind::Policy,
        tags: &["safety", "statutory"],
        owner: "school_admin",
        review_months: Some(12),
        versions: &[
            version(390, "First version with risk assessments as annexes"),
            version(
                26,
                "Batteries, heat, defects that children tell of, asbestos taken out",
            ),
        ],
        source: source!("health-and-safety"),
    },
    Paper {
        slug: "equality",
        folder: "Policies",
        title: "Equality information and objectives",
        kind: Kind::Policy,
        tags: &["equality", "statutory", "website"],
        owner: "senior_leader",
        review_months: Some(12),
        versions: &[
            version(410, "Three objectives"),
            version(
                50,
                "Fourth objective, disabled parents; numbers of last year",
            ),
        ],
        source: source!("equality"),
    },
    Paper {
        slug: "admissions",
        folder: "Policies",
        title: "Admission arrangements",
        kind: Kind::Policy,
        tags: &["admissions", "statutory", "website"],
        owner: "senior_leader",
        review_months: Some(12),
        versions: &[
            version(420, "As determined the year before"),
            version(110, "For consultation"),
            version(35, "After consultation: early years pupil premium"),
        ],
        source: source!("admissions"),
    },
    Paper {
        slug: "uniform",
        folder: "Policies",
        title: "Uniform policy",
        kind: Kind::Policy,
        tags: &["uniform", "website"],
        owner: "teacher",
        review_months: Some(24),
        versions: &[
            version(650, "First version"),
            version(64, "No branded item is required; warm and cool"),
        ],
        source: source!("uniform"),
    },
    Paper {
        slug: "charging",
        folder: "Policies",
        title: "Charging and remissions policy",
        kind: Kind::Policy,
        tags: &["money", "statutory", "website"],
        owner: "school_admin",
        review_months: Some(12),
        versions: &[
            version(370, "Charges of last year"),
            version(45, "Charges of this year; three quarters remitted"),
        ],
        source: source!("charging"),
    },
    Paper {
        slug: "lettings",
        folder: "Policies",
        title: "Lettings policy and charges",
        kind: Kind::Policy,
        tags: &["money", "premises"],
        owner: "school_admin",
        review_months: Some(12),
        versions: &[
            version(365, "Charges of last year"),
            version(30, "Charges of this year; allegations about hirers"),
        ],
        source: source!("lettings"),
    },
    Paper {
        slug: "allowances",
        folder: "Governance",
        title: "Governors’ allowances and expenses",
        kind: Kind::Policy,
        tags: &["governance", "money"],
        owner: "clerk",
        review_months: Some(24),
        versions: &[
            version(740, "First version"),
            version(48, "Care up to £14.50; nobody needs to ask first"),
        ],
        source: source!("allowances"),
    },
    Paper {
        slug: "whistleblowing",
        folder: "Policies",
        title: "Whistleblowing policy",
        kind: Kind::Policy,
        tags: &["staff", "statutory"],
        owner: "chair",
        review_months: Some(24),
        versions: &[
            version(700, "First version"),
            version(85, "Three days; no agreement may silence anybody"),
        ],
        source: source!("whistleblowing"),
    },
    Paper {
        slug: "code-of-conduct",
        folder: "Governance",
        title: "Code of conduct for governors",
        kind: Kind::Policy,
        tags: &["governance"],
        owner: "clerk",
        review_months: Some(12),
        versions: &[
            version(410, "As adopted last autumn"),
            version(47, "Own device, and machines that write"),
        ],
        source: source!("code-of-conduct"),
    },
    Paper {
        slug: "terms-of-reference",
        folder: "Governance",
        title: "Terms of reference and scheme of delegation",
        kind: Kind::Other,
        tags: &["governance", "money"],
        owner: "clerk",
        review_months: Some(12),
        versions: &[
            version(412, "As adopted last autumn"),
            version(
                49,
                "Approvals between meetings; link governors; contracts to £25,000",
            ),
        ],
        source: source!("terms-of-reference"),
    },
    Paper {
        slug: "skills-audit",
        folder: "Governance",
        title: "Skills audit of the governing board",
        kind: Kind::Report,
        tags: &["governance"],
        owner: "clerk",
        review_months: Some(12),
        versions: &[version(38, "Nine answers"), version(11, "Eleven answers")],
        source: source!("skills-audit"),
    },
    Paper {
        slug: "head-report",
        folder: "Reports",
        title: "Head teacher’s report",
        kind: Kind::Report,
        tags: &["board"],
        owner: "senior_leader",
        review_months: None,
        versions: &[
            version(52, "Sent with the agenda"),
            version(47, "With the council’s comparison; another day of training"),
        ],
        source: source!("head-report"),
    },
    Paper {
        slug: "budget",
        folder: "Reports",
        title: "Budget monitoring",
        kind: Kind::Report,
        tags: &["money", "finance"],
        owner: "school_admin",
        review_months: None,
        versions: &[
            version(31, "Before the pay award"),
            version(26, "With the pay award and three quotes"),
        ],
        source: source!("budget"),
    },
    Paper {
        slug: "development-plan",
        folder: "Reports",
        title: "School development plan",
        kind: Kind::Report,
        tags: &["board", "plan"],
        owner: "senior_leader",
        review_months: Some(12),
        versions: &[
            version(60, "As approved"),
            version(14, "Writing from red to amber"),
        ],
        source: source!("development-plan"),
    },
    Paper {
        slug: "pupil-premium",
        folder: "Reports",
        title: "Pupil premium strategy statement",
        kind: Kind::Report,
        tags: &["money", "statutory", "website"],
        owner: "senior_leader",
        review_months: Some(12),
        versions: &[
            version(55, "Draft"),
            version(18, "With the governor’s question and the gap in writing"),
        ],
        source: source!("pupil-premium"),
    },
    Paper {
        slug: "premises",
        folder: "Reports",
        title: "Premises report",
        kind: Kind::Report,
        tags: &["premises", "finance"],
        owner: "school_admin",
        review_months: None,
        versions: &[
            version(31, "Sent with the agenda"),
            version(25, "With three quotes"),
        ],
        source: source!("premises"),
    },
    Paper {
        slug: "risk-register",
        folder: "Reports",
        title: "Risk register",
        kind: Kind::Report,
        tags: &["risk", "board"],
        owner: "senior_leader",
        review_months: Some(4),
        versions: &[version(46, "Autumn"), version(22, "After the committees")],
        source: source!("risk-register"),
    },
    Paper {
        slug: "minutes-board",
        folder: "Minutes",
        title: "Minutes of the governing board",
        kind: Kind::Minutes,
        tags: &["board"],
        owner: "clerk",
        review_months: None,
        versions: &[version(40, "Draft"), version(12, "As agreed")],
        source: source!("minutes-board"),
    },
    Paper {
        slug: "minutes-finance",
        folder: "Minutes",
        title: "Minutes of the Finance and Premises Committee",
        kind: Kind::Minutes,
        tags: &["finance"],
        owner: "clerk",
        review_months: None,
        versions: &[version(22, "Draft"), version(8, "As agreed")],
        source: source!("minutes-finance"),
    },
    Paper {
        slug: "minutes-teaching",
        folder: "Minutes",
        title: "Minutes of the Teaching and Learning Committee",
        kind: Kind::Minutes,
        tags: &["teaching"],
        owner: "clerk",
        review_months: None,
        versions: &[version(13, "Draft")],
        source: source!("minutes-teaching"),
    },
];
