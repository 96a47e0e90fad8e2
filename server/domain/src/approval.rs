//! Approvals: one version of a document, put before people who are to agree to it, and what came of it.
//!
//! What somebody agrees to is a version and its SHA-256, never "the policy". The outcome is counted in the database, by
//! `sec.approval_count`, under a lock; nothing here can set it.

pub mod answering;
pub mod asking;
#[cfg(feature = "db")]
mod going;
#[cfg(feature = "db")]
pub mod known;

use serde::{Deserialize, Serialize};
use time::Date;
use uuid::Uuid;

use crate::{board::Named, role::Role};

/// Longest reason for asking, for an objection, and longest interest, in characters.
pub const REASON_MOST: u16 = 1000;

/// Most approvals of one list.
#[cfg(feature = "db")]
const LIST_MOST: i64 = 200;

/// How many must agree. Who abstains by a declared interest may not decide and is not counted, nor is who left the school before
/// they answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// All who count.
    Everyone,
    /// So many.
    AtLeast(u32),
    /// More than half of those who count.
    Majority,
}

impl Rule {
    /// As stored and as sent in forms; the number of [`Rule::AtLeast`] stands beside it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Everyone => "everyone",
            Self::AtLeast(_) => "at_least",
            Self::Majority => "majority",
        }
    }

    /// The rule of a code and the number beside it.
    pub fn from_code(code: &str, least: Option<u32>) -> Option<Self> {
        match (code, least) {
            ("everyone", _) => Some(Self::Everyone),
            ("majority", _) => Some(Self::Majority),
            ("at_least", Some(least)) => Some(Self::AtLeast(least)),
            _ => None,
        }
    }
}

/// What became of an approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Answers are waited for.
    Open,
    /// As many agreed as must.
    Adopted,
    /// So many cannot agree any more.
    Rejected,
    /// The time was up before it was decided.
    Lapsed,
    /// A newer version came before it was decided.
    Stale,
    /// Whoever files there withdrew the request.
    Withdrawn,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Open,
        Self::Adopted,
        Self::Rejected,
        Self::Lapsed,
        Self::Stale,
        Self::Withdrawn,
    ];

    /// As stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Adopted => "adopted",
            Self::Rejected => "rejected",
            Self::Lapsed => "lapsed",
            Self::Stale => "stale",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// As people read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::Adopted => "Adopted",
            Self::Rejected => "Rejected",
            Self::Lapsed => "Lapsed",
            Self::Stale => "Stale",
            Self::Withdrawn => "Withdrawn",
        }
    }

    /// The state of a code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}

/// What somebody answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// They agree to this version.
    Agree,
    /// They object, and say why.
    Object,
    /// They have an interest in the matter, say which, and take no part in the decision.
    Abstain,
}

impl Answer {
    /// As stored and as sent in forms.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Agree => "agree",
            Self::Object => "object",
            Self::Abstain => "abstain",
        }
    }

    /// The answer of a code.
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Agree, Self::Object, Self::Abstain]
            .into_iter()
            .find(|answer| answer.code() == code)
    }
}

/// How the answers stand, in people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Asked in all.
    pub asked: u32,
    /// Of whom the outcome is counted.
    pub counted: u32,
    /// Agreed.
    pub agreed: u32,
    /// Objected.
    pub objected: u32,
    /// Abstained by an interest.
    pub abstained: u32,
    /// Can still answer and have not.
    pub waiting: u32,
    /// So many must agree.
    pub needed: u32,
}

/// An answer as it was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// What.
    pub answer: Answer,
    /// Why they object, or their interest; empty where they agree.
    pub reason: String,
    /// Who gave it, and what they are here, where that is a stand-in.
    pub stand_in: Option<(Named, Vec<Role>)>,
    /// When, RFC 3339 in UTC.
    pub at: String,
}

/// Somebody who was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Who.
    pub person: Named,
    /// What they are here.
    pub roles: Vec<Role>,
    /// What was answered in their place.
    pub given: Option<Given>,
    /// Whether they left the school while it was open: nobody answers in their place any more.
    pub left: bool,
}

/// Of whom approval was asked, as it was said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Whom {
    /// Of people by name.
    People,
    /// Of those who had the role.
    Role(Role),
    /// Of those who sat on the committee, by its name.
    Committee(Uuid, String),
}

/// What the caller may answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Own {
    /// Nothing: they were not asked, or it is closed.
    Nothing,
    /// In their own place.
    Asked,
    /// In the place of one of these.
    StandsIn(Vec<Named>),
    /// They have answered, or somebody stood in for them, and they may take that back.
    Answered {
        /// What was answered.
        answer: Answer,
        /// Who stood in.
        by: Option<Named>,
    },
}

/// An approval as it stands on a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Its key.
    pub id: Uuid,
    /// The document.
    pub document: Uuid,
    /// What it is called.
    pub title: String,
    /// The number of the version.
    pub version: u32,
    /// The SHA-256 of that version, in hexadecimal.
    pub sha256: String,
    /// The number of the newest version.
    pub newest: u32,
    /// Whether the newest version is the same file, byte for byte: it, or one that brings it back. Where it is not, what was
    /// agreed to is not what is read now.
    pub same_bytes: bool,
    /// How many must agree.
    pub rule: Rule,
    /// Why it is asked; may be empty.
    pub reason: String,
    /// Whether it may be answered from the list.
    pub routine: bool,
    /// Of whom it was asked.
    pub whom: Whom,
    /// Who asked.
    pub by: Named,
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// The last day on which there is time to answer.
    pub due: Date,
    /// Who may answer in the place of somebody who has not, and from when.
    pub stand_in: Option<(Named, Date)>,
    /// What became of it.
    pub state: State,
    /// When that was, RFC 3339 in UTC.
    pub closed: Option<String>,
    /// How the answers stand.
    pub standing: Standing,
    /// Whether the caller has opened that version.
    pub opened: bool,
    /// The newest version before it that the caller has opened, or answered about.
    pub earlier: Option<u32>,
    /// What the caller may answer.
    pub own: Own,
}

impl Approval {
    /// Whether other bytes have taken the place of those that this is about, or did before it was decided.
    pub const fn is_stale(&self) -> bool {
        !self.same_bytes || matches!(self.state, State::Stale)
    }

    /// Whether the caller is waited for.
    pub const fn waits_for_caller(&self) -> bool {
        matches!(self.own, Own::Asked | Own::StandsIn(_))
    }
}

/// What the page of all approvals lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// The open ones, the caller's own first and of these the oldest.
    pub open: Vec<Approval>,
    /// Those that are decided, the newest first.
    pub decided: Vec<Approval>,
}

/// What lists say of a document's approval: of its newest bytes where there is one, else of the last that was asked for. One
/// that was withdrawn is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Last {
    /// What became of it.
    pub state: State,
    /// The number of the version.
    pub version: u32,
    /// Whether the newest version is the same file, byte for byte.
    pub same_bytes: bool,
}

#[cfg(feature = "db")]
impl Last {
    /// From the columns of a list, which are null where nothing was asked.
    pub(crate) fn of(
        state: Option<&str>,
        version: Option<i32>,
        same_bytes: Option<bool>,
    ) -> Result<Option<Self>, crate::Refusal> {
        use crate::Refusal::Broken;
        let (Some(state), Some(version), Some(same_bytes)) = (state, version, same_bytes) else {
            return Ok(None);
        };
        Ok(Some(Self {
            state: State::from_code(state).ok_or(Broken)?,
            version: u32::try_from(version).map_err(|_| Broken)?,
            same_bytes,
        }))
    }
}

/// A line of the log that tells of an approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its place.
    pub seq: crate::Seq,
    /// The act.
    pub act: String,
    /// Its hash.
    pub hash: [u8; 32],
}

/// The sentence of a constraint.
#[cfg(feature = "db")]
pub(crate) fn refusal_of(constraint: &str) -> Option<crate::Refusal> {
    use crate::Refusal;
    Some(match constraint {
        "approval_open_key" => Refusal::ApprovalRuns,
        "approval_open" => Refusal::ApprovalClosed,
        "approval_of_newest" => Refusal::ApprovalNotNewest,
        "approval_due_ahead" | "approval_due_finite" => Refusal::ApprovalDue,
        "approval_asks_some" => Refusal::ApprovalNobody,
        "approval_asks_enough" | "approval_least_fits" => Refusal::ApprovalLeast,
        "approval_stand_in_whole" | "approval_stand_in_before_due" | "approval_stand_in_later" => {
            Refusal::StandInDay
        }
        "approval_stand_in_not_asker" => Refusal::StandInAsker,
        "approval_stand_in_reads" | "approval_place_reads" => Refusal::ApprovalReads,
        "approval_stand_in_other" => Refusal::StandInAsked,
        "approval_reason_shape" => Refusal::TextFormat(REASON_MOST),
        "approval_answer_reason_shape" => Refusal::ApprovalReason,
        "approval_answer_place_once" | "approval_answer_once" => Refusal::ApprovalAnswered,
        "approval_answer_own" => Refusal::NotFound,
        "approval_place_once" | "approval_place_first" => Refusal::Stale,
        // What was pointed at is not there.
        "approval_document_fkey"
        | "approval_version_fkey"
        | "approval_committee_fkey"
        | "approval_asked_by_fkey"
        | "approval_stand_in_fkey"
        | "approval_place_approval_fkey"
        | "approval_place_membership_fkey"
        | "approval_answer_place_fkey"
        | "approval_answer_by_fkey" => Refusal::NotFound,
        _ => return None,
    })
}

#[cfg(feature = "db")]
pub use queries::{lines, of_document, one, places, queue, waiting};

#[cfg(feature = "db")]
mod queries {
    use time::OffsetDateTime;
    use uuid::Uuid;

    use super::{
        Answer, Approval, Given, LIST_MOST, Line, Own, Place, Queue, Rule, Standing, State, Whom,
    };
    use crate::{
        Refusal,
        board::Named,
        day,
        db::{Read, count, refused},
        role::Role,
        text,
    };

    /// The approvals of a document, the newest first.
    pub async fn of_document(read: &mut Read, document: Uuid) -> Result<Vec<Approval>, Refusal> {
        let tenant = read.standing.tenant;
        let ids = sqlx::query_scalar!(
            "select id from approval where tenant_id = $1 and document_id = $2
             order by coalesce(closed_at, asked_at) desc, id desc limit $3",
            tenant,
            document,
            LIST_MOST
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        whole(read, &ids).await
    }

    /// Refuses [`Refusal::NotFound`] where the caller does not read the document.
    pub async fn one(read: &mut Read, id: Uuid) -> Result<Approval, Refusal> {
        whole(read, &[id]).await?.pop().ok_or(Refusal::NotFound)
    }

    /// Those that the caller reads: the open ones, at most [`LIST_MOST`], and of those that are decided the newest.
    pub async fn queue(read: &mut Read, decided_most: i64) -> Result<Queue, Refusal> {
        let tenant = read.standing.tenant;
        // Read once for both, as each of the two asks the same folders anew.
        let ids = sqlx::query_scalar!(
            r#"select id as "id!" from (
                 select a.id, a.state, row_number() over (
                   partition by a.state = 'open'
                   order by case when a.state = 'open' then a.id = any ((select sec.approvals_asked())::uuid[]) end desc,
                     case when a.state = 'open' then a.asked_at end, coalesce(a.closed_at, a.asked_at) desc, a.id desc) as n
                 from approval a
                 join document d on d.tenant_id = a.tenant_id and d.id = a.document_id
                 where a.tenant_id = $1 and a.state <> 'withdrawn' and d.state <> 'binned'
                   and (a.state <> 'open' or d.state = 'current')) as q
               where n <= case state when 'open' then $2::bigint else $3 end
               order by state = 'open' desc, n"#,
            tenant,
            LIST_MOST,
            decided_most
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        let all = whole(read, &ids).await?;
        let (open, decided) = all.into_iter().partition(|one| one.state == State::Open);
        Ok(Queue { open, decided })
    }

    /// The open ones that wait for the caller's answer, the oldest first.
    pub async fn waiting(read: &mut Read) -> Result<Vec<Approval>, Refusal> {
        let (tenant, own) = (read.standing.tenant, read.standing.membership);
        let ids = sqlx::query_scalar!(
            "select id from approval where tenant_id = $1 and state = 'open' and due >= sec.today()
               and (id = any ((select sec.approvals_asked())::uuid[]) or (stand_in = $2 and stand_in_on <= sec.today()))
             order by asked_at, id desc limit $3",
            tenant,
            own,
            LIST_MOST
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        let mut all = whole(read, &ids).await?;
        all.retain(Approval::waits_for_caller);
        Ok(all)
    }

    /// These, in this order, without those that the caller does not read.
    async fn whole(read: &mut Read, ids: &[Uuid]) -> Result<Vec<Approval>, Refusal> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let (tenant, own) = (read.standing.tenant, read.standing.membership);
        let rows = sqlx::query!(
            r#"select a.id, a.document_id, d.title, d.newest, t.same_bytes as "same_bytes!", t.number as "number!", a.sha256,
                      a.rule, a.least, a.reason, a.routine, a.role, a.committee_id,
                      (select c.name from committee c where c.tenant_id = a.tenant_id and c.id = a.committee_id) as committee,
                      a.asked_by, (select m.name from membership m where m.tenant_id = a.tenant_id and m.id = a.asked_by) as by,
                      a.asked_at as "asked_at: OffsetDateTime", a.due, a.stand_in,
                      (select m.name from membership m where m.tenant_id = a.tenant_id and m.id = a.stand_in) as stand_in_name,
                      a.stand_in_on, a.state, a.closed_at as "closed_at: OffsetDateTime", t.asked as "asked!",
                      t.counted as "counted!", t.agreed as "agreed!", t.objected as "objected!", t.abstained as "abstained!",
                      t.waiting as "waiting!", t.needed as "needed!", t.opened as "opened!", t.earlier, t.place as "place!",
                      t.answer, t.by_id, t.holds as "holds!",
                      (select m.name from membership m where m.tenant_id = a.tenant_id and m.id = t.by_id) as answerer,
                      d.state = 'current' and a.state = 'open' and a.due >= sec.today() as "runs!",
                      coalesce(a.stand_in = $2 and a.stand_in_on <= sec.today(), false) as "stands_in!"
               from sec.approval_standings($3) t
               join approval a on a.tenant_id = $1 and a.id = any ($3) and a.id = t.approval_id
               join document d on d.tenant_id = a.tenant_id and d.id = a.document_id
               order by array_position($3, a.id)"#,
            tenant,
            own,
            ids
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        let mut all = Vec::with_capacity(rows.len());
        for row in rows {
            let stand_in = row.stand_in.zip(row.stand_in_on);
            let given = row.answer.as_deref().map(answer).transpose()?;
            let caller = own;
            let own = match given {
                Some(answer) if row.runs && row.holds => Own::Answered {
                    answer,
                    by: row.by_id.filter(|by| *by != caller).map(|id| Named {
                        id,
                        name: row.answerer,
                    }),
                },
                None if row.runs && row.place => Own::Asked,
                None if row.runs && row.stands_in => Own::StandsIn(unanswered(read, row.id).await?),
                _ => Own::Nothing,
            };
            all.push(Approval {
                id: row.id,
                document: row.document_id,
                title: row.title,
                version: count(row.number)?,
                sha256: text::hex(&row.sha256),
                newest: count(row.newest)?,
                same_bytes: row.same_bytes,
                rule: Rule::from_code(&row.rule, row.least.map(count).transpose()?)
                    .ok_or(Refusal::Broken)?,
                reason: row.reason,
                routine: row.routine,
                whom: match (row.role, row.committee_id) {
                    (Some(role), _) => Whom::Role(Role::from_code(&role).ok_or(Refusal::Broken)?),
                    (_, Some(id)) => Whom::Committee(id, row.committee.unwrap_or_default()),
                    _ => Whom::People,
                },
                by: Named {
                    id: row.asked_by,
                    name: row.by,
                },
                at: day::moment(row.asked_at)?,
                due: row.due,
                stand_in: stand_in.map(|(id, from)| {
                    let name = row.stand_in_name;
                    (Named { id, name }, from)
                }),
                state: State::from_code(&row.state).ok_or(Refusal::Broken)?,
                closed: row.closed_at.map(day::moment).transpose()?,
                standing: Standing {
                    asked: count(row.asked)?,
                    counted: count(row.counted)?,
                    agreed: count(row.agreed)?,
                    objected: count(row.objected)?,
                    abstained: count(row.abstained)?,
                    waiting: count(row.waiting)?,
                    needed: count(row.needed)?,
                },
                opened: row.opened,
                earlier: row.earlier.map(count).transpose()?,
                own,
            });
        }
        Ok(all)
    }

    /// In whose place a stand-in may answer.
    async fn unanswered(read: &mut Read, id: Uuid) -> Result<Vec<Named>, Refusal> {
        let people = places(read, id).await?;
        Ok(people
            .into_iter()
            .filter(|place| place.given.is_none() && !place.left)
            .map(|place| place.person)
            .collect())
    }

    /// Everybody who was asked, by name, and what was answered in their place. Nobody for who does not read the document.
    pub async fn places(read: &mut Read, id: Uuid) -> Result<Vec<Place>, Refusal> {
        let tenant = read.standing.tenant;
        let rows = sqlx::query!(
            r#"select p.membership_id, p.left_at is not null as "left!", m.name as "name?", m.roles as "roles?", w.answer as "answer?", w.reason as "reason?",
                      w.by_id as "by_id?", b.name as "by?", b.roles as "by_roles?", w.at as "at?: OffsetDateTime"
               from approval_place p
               left join membership m on m.tenant_id = p.tenant_id and m.id = p.membership_id
               left join approval_answer w
                 on w.tenant_id = p.tenant_id and w.approval_id = p.approval_id and w.membership_id = p.membership_id
               left join membership b on b.tenant_id = w.tenant_id and b.id = w.by_id
               where p.tenant_id = $1 and p.approval_id = $2 order by lower(m.name), p.membership_id"#,
            tenant,
            id
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        rows.into_iter()
            .map(|row| {
                let given = match (row.answer, row.at, row.by_id) {
                    (Some(code), Some(at), Some(by)) => Some(Given {
                        answer: answer(&code)?,
                        reason: row.reason.unwrap_or_default(),
                        stand_in: (by != row.membership_id).then(|| {
                            (
                                Named {
                                    id: by,
                                    name: row.by,
                                },
                                roles(row.by_roles),
                            )
                        }),
                        at: day::moment(at)?,
                    }),
                    _ => None,
                };
                Ok(Place {
                    person: Named {
                        id: row.membership_id,
                        name: row.name,
                    },
                    roles: roles(row.roles),
                    given,
                    left: row.left,
                })
            })
            .collect()
    }

    /// The lines of the log about an approval, in order, for its certificate.
    pub async fn lines(read: &mut Read, id: Uuid) -> Result<Vec<Line>, Refusal> {
        let rows = sqlx::query!(
            r#"select seq as "seq!", act as "act!", hash as "hash!" from sec.approval_lines($1)"#,
            id
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        rows.into_iter()
            .map(|row| {
                Ok(Line {
                    seq: row.seq,
                    act: row.act,
                    hash: row.hash.try_into().map_err(|_| Refusal::Broken)?,
                })
            })
            .collect()
    }

    fn roles(codes: Option<Vec<String>>) -> Vec<Role> {
        crate::role::parse(codes.unwrap_or_default().iter().map(String::as_str))
    }

    fn answer(code: &str) -> Result<Answer, Refusal> {
        Answer::from_code(code).ok_or(Refusal::Broken)
    }
}
