//! Who asks, and what they ask about.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{mailing::LinkToken, operator, role::Role};
use std::{
    collections::HashMap,
    rc::Rc,
    sync::atomic::{AtomicI32, Ordering},
};
use testing::Stand;

use crate::roll::{Roll, roll};
use crate::shelf::{Shelf, shelf};
use crate::site::Served;

/// Somebody who asks.
pub struct Who {
    /// As matrix.txt calls them.
    pub name: &'static str,
    /// The host they ask: a school's label, or the bare one's none.
    pub asks: &'static str,
    /// Where they are signed in, as whom, and how far; strangers are nobody.
    pub session: Option<(Option<&'static str>, &'static str, Stand)>,
}

const fn who(name: &'static str, email: &'static str, stand: Stand) -> Who {
    Who {
        name,
        asks: "oakfield",
        session: Some((Some("oakfield"), email, stand)),
    }
}

const fn at(label: &'static str, name: &'static str, email: &'static str) -> Who {
    Who {
        name,
        asks: label,
        session: Some((Some(label), email, Stand::SteppedUp)),
    }
}

const fn bare(
    name: &'static str,
    session: Option<(Option<&'static str>, &'static str, Stand)>,
) -> Who {
    Who {
        name,
        asks: "",
        session,
    }
}

const JOAN: &str = "clerk@beacon.example";
const ORG: &str = "helpers";

const NAMED: &[Who] = &[
    Who {
        name: "stranger",
        asks: "oakfield",
        session: None,
    },
    who("password-only", "chair@oakfield.example", Stand::Password),
    who("signed-out", "admin@oakfield.example", Stand::Ended),
    who("idle", "admin@oakfield.example", Stand::Idle),
    who("not-proved-again", "admin@oakfield.example", Stand::Full),
    who("school_admin", "admin@oakfield.example", Stand::SteppedUp),
    who("senior_leader", "leader@oakfield.example", Stand::SteppedUp),
    who("senco", "senco@oakfield.example", Stand::SteppedUp),
    who("teacher", "teacher1@oakfield.example", Stand::SteppedUp),
    who(
        "teaching_assistant",
        "ta1@oakfield.example",
        Stand::SteppedUp,
    ),
    who("clerk", "clerk@oakfield.example", Stand::SteppedUp),
    who("chair", "presiding@oakfield.example", Stand::SteppedUp),
    who("governor", "governor1@oakfield.example", Stand::SteppedUp),
    who("associate", "associate@oakfield.example", Stand::SteppedUp),
    who("parent", "parent1@oakfield.example", Stand::SteppedUp),
    who("member", "member@oakfield.example", Stand::SteppedUp),
    at("beacon", "trust_admin", "admin@beacon.example"),
    at("beacon", "trust_lead", "lead@beacon.example"),
    at(ORG, "org_admin", "admin@helpers.example"),
    at(ORG, "org_staff", "staff@helpers.example"),
    bare("bare-stranger", None),
    bare("bare-password-only", Some((None, JOAN, Stand::Password))),
    bare("bare-signed-in", Some((None, JOAN, Stand::SteppedUp))),
];

/// Where each role is asked with.
const fn home_of(role: Role) -> &'static str {
    match role {
        Role::TrustAdmin | Role::TrustLead => "beacon",
        Role::OrgAdmin | Role::OrgStaff => ORG,
        _ => "oakfield",
    }
}

/// What a place can be, other than active.
const STATES: &[&str] = &["invited", "suspended", "removed"];

/// Everybody: those with a name, and in each role, written with the role after a colon, those who may nothing: people of another
/// tenant, and people whose place is not an active one, each of them with a session that nobody ended.
pub fn everybody() -> Vec<Who> {
    let barred = Role::ALL.iter().flat_map(|role| {
        let known = |asks: &'static str, group: &str, label: &'static str| {
            let name = format!("{group}:{}", role.code()).leak();
            let email = format!("{group}-{}@{label}.example", role.code()).leak();
            Who {
                name,
                asks,
                session: Some((Some(label), email, Stand::SteppedUp)),
            }
        };
        let home = home_of(*role);
        let other = if home == "oakfield" {
            "northgate"
        } else {
            home
        };
        STATES
            .iter()
            .map(move |state| known(home, state, home))
            .chain([known("oakfield", "elsewhere", other)])
            .collect::<Vec<_>>()
    });
    let named = NAMED.iter().map(|who| Who { ..*who });
    named.chain(barred).collect()
}

/// People in one role only, where the demo's have several, and an organisation.
pub async fn people(served: &mut Served) {
    served
        .behind
        .open(ORG, "Helping Hands", "organisation")
        .await;
    let barred: Vec<Who> = everybody()
        .into_iter()
        .filter(|who| who.name.contains(':'))
        .collect();
    let barred = barred.iter().filter_map(|who| {
        let (label, email, _) = who.session?;
        let (_, role) = who.name.split_once(':')?;
        Some((label?, email, "Noor Haddad", role))
    });
    for (label, email, name, role) in [
        (
            "oakfield",
            "leader@oakfield.example",
            "Rosalind Achterberg",
            "senior_leader",
        ),
        (
            "oakfield",
            "presiding@oakfield.example",
            "Emeka Obi",
            "chair",
        ),
        (
            "oakfield",
            "associate@oakfield.example",
            "Ines Duarte",
            "associate",
        ),
        (
            "oakfield",
            "member@oakfield.example",
            "Leo Okonkwo",
            "member",
        ),
        (ORG, "admin@helpers.example", "Tove Lindqvist", "org_admin"),
        (ORG, "staff@helpers.example", "Pilar Navarro", "org_staff"),
    ]
    .into_iter()
    .chain(barred)
    {
        served.behind.join(label, email, name, &[role]).await;
        // Enrolled and with a password, as everybody in the demo is.
        let account = served.behind.account(email).await;
        let secret = testing::secrets()
            .seal(
                &format!("factor.secret|{account}"),
                b"Hello!\xDE\xAD\xBE\xEF",
            )
            .unwrap();
        sqlx::query("insert into sec.factor (account_id, pending, secret, confirmed_at) values ($1, false, $2, now())")
            .bind(account)
            .bind(secret)
            .execute(&mut *served.behind)
            .await
            .unwrap();
        sqlx::query("insert into sec.credential (account_id, phc) select $1, c.phc from sec.credential c join account a on a.id = c.account_id where a.email = $2")
            .bind(account)
            .bind(JOAN)
            .execute(&mut *served.behind)
            .await
            .unwrap();
    }
    // Behind the back of all that ends sessions: what is left between them and the pages is the state alone.
    sqlx::raw_sql(
        "set session_replication_role = replica;
         update membership m set state = 'invited', joined_at = null
           from account a where a.id = m.account_id and a.email like 'invited-%';
         update membership m set state = 'suspended', suspended_at = now()
           from account a where a.id = m.account_id and a.email like 'suspended-%';
         update membership m set state = 'ended', ended_at = now()
           from account a where a.id = m.account_id and a.email like 'removed-%';
         set session_replication_role = origin",
    )
    .execute(&mut *served.behind)
    .await
    .unwrap();
}

/// The role of those whom something is done to, and another one.
pub fn roles_at(label: &str) -> (&'static str, &'static str) {
    match label {
        "beacon" => ("trust_lead", "clerk"),
        ORG => ("member", "org_staff"),
        _ => ("governor", "associate"),
    }
}

/// What a question is about: somebody new each time, and nobody's earlier tries, so that no answer depends on the one before.
pub struct Fresh {
    pub id: String,
    pub email: String,
    /// A link that works: of an invitation, or to choose a password.
    pub link: String,
    pub ticket: String,
    /// Another name for them, or for a committee.
    pub name: String,
    pub board: Board,
    pub shelf: Shelf,
    pub roll: Roll,
}

/// Keys of what the board has to do with them; empty where the question is of something else.
#[derive(Default)]
pub struct Board {
    /// A seat that nobody holds.
    pub seat: String,
    /// Their term on another one.
    pub term: String,
    pub committee: String,
    /// Their place on it.
    pub place: String,
    /// A rule that is not the one in force.
    pub rule: &'static str,
}

/// Makes a part of the board about somebody, behind everybody's back.
async fn board(served: &mut Served, label: &str, who: uuid::Uuid, address: &str) -> Board {
    static NUMBER: AtomicI32 = AtomicI32::new(10_000);
    let number = NUMBER.fetch_add(2, Ordering::Relaxed);
    let today = served.day(0);
    let day = |later: i64| domain::day::field(today + time::Duration::days(later));
    let mut made = async |statement: &str| {
        sqlx::query_scalar::<_, uuid::Uuid>(sqlx::AssertSqlSafe(statement.to_owned()))
            .bind(label)
            .bind(who)
            .bind(number)
            .fetch_one(&mut *served.behind)
            .await
            .unwrap_or_else(|error| panic!("{statement}: {error}"))
            .to_string()
    };
    let seat = "insert into seat (tenant_id, category, number, appointed_by, opened_on)
        select t.id, 'co_opted', $3 + ";
    let from = ", 'The governing board', '2020-01-01' from tenant t where t.label = $1 and $2::uuid is not null returning id";
    let vacant = made(&format!("{seat} 0 {from}")).await;
    let mut board = Board {
        seat: vacant,
        ..Board::default()
    };
    let days = match address.rsplit('/').next().unwrap_or_default() {
        "drop-term" => Some((30, 90)),
        "end-term" | "suspend-from-meetings" | "reinstate" => Some((-30, 90)),
        _ => None,
    };
    if let Some((from_day, to_day)) = days {
        let held = made(&format!("{seat} 1 {from}")).await;
        board.term = made(&format!(
            "insert into term (tenant_id, seat_id, membership_id, during, suspended_on, suspended_until)
             select t.id, '{held}', $2, daterange('{}', '{}'), case when {lifted} then date '{}' end, case when {lifted} then date '{}' end
             from tenant t where t.label = $1 and $3 > 0 returning id",
            day(from_day),
            day(to_day),
            day(0),
            day(9),
            lifted = address.ends_with("/reinstate")
        ))
        .await;
    }
    board.committee = made(
        "insert into committee (tenant_id, name, quorum) select t.id, 'Of ' || $2 || $3, 3 from tenant t where t.label = $1 returning id",
    )
    .await;
    if !address.ends_with("/join-committee") {
        board.place = made(&format!(
            "insert into committee_place (tenant_id, committee_id, membership_id, during)
             select t.id, '{}', $2, daterange('{}', null) from tenant t where t.label = $1 and $3 > 0 returning id",
            board.committee,
            day(-30)
        ))
        .await;
    }
    board
}

/// What an address is asked about: something of its own for everybody who may do something, and one thing for all of a tenant who
/// may nothing; whatever they did all the same would be another line in the file. A link works once, so each has their own.
#[derive(Default)]
pub struct About(HashMap<&'static str, Rc<Fresh>>);

impl About {
    pub async fn for_who(&mut self, served: &mut Served, who: &Who, address: &str) -> Rc<Fresh> {
        let own = ["{working}", "{ticket}", "accept", "reset", "invit"]
            .iter()
            .any(|part| address.contains(part));
        if own || !who.name.contains(':') {
            return Rc::new(fresh(served, who.asks, address).await);
        }
        if let Some(known) = self.0.get(who.asks) {
            return known.clone();
        }
        let new = Rc::new(fresh(served, who.asks, address).await);
        self.0.insert(who.asks, new.clone());
        new
    }
}

async fn fresh(served: &mut Served, label: &str, address: &str) -> Fresh {
    sqlx::raw_sql("update sec.attempt set recent = '{}', locked_until = null, lock_level = 0; delete from sec.factor where pending")
        .execute(&mut *served.behind)
        .await
        .unwrap();
    let label = if label.is_empty() { "oakfield" } else { label };
    let email = format!("target{}@oakfield.example", uuid::Uuid::new_v4().simple());
    let of_library = ["/library/", "/papers/", "/approvals/", "/questions/"]
        .iter()
        .any(|part| address.contains(part));
    let about = [
        "{",
        "/people/",
        "/board/",
        "/accept",
        "/reset",
        "/invit",
        "/library/",
        "/papers/",
        "/approvals/",
        "/questions/",
        "/pupils/",
        "/groups/",
        "/caseloads/",
        "/records/",
        "/roster/",
        "/children/",
    ];
    let rule = if address.ends_with("/set-rule") {
        sqlx::query("update tenant set board_rule = 'maintained'")
            .execute(&mut *served.behind)
            .await
            .unwrap();
        "academy"
    } else if address.ends_with("/approvals/ask") {
        "majority"
    } else {
        "officers"
    };
    let name = format!("Amara {}", uuid::Uuid::new_v4().simple());
    if !about.iter().any(|part| address.contains(part)) {
        return Fresh {
            id: uuid::Uuid::new_v4().to_string(),
            email,
            link: String::new(),
            ticket: String::new(),
            name,
            board: Board {
                rule,
                ..Board::default()
            },
            shelf: Shelf::default(),
            roll: Roll::default(),
        };
    }
    let (role, other) = roles_at(label);
    let mut link = String::new();
    if ["invit", "accept"]
        .iter()
        .any(|part| address.contains(part))
        || address.ends_with("address")
    {
        let roles = [Role::from_code(role).unwrap()];
        let token = operator::invite(&mut served.behind, label, &email, "Tamsin Target", &roles);
        link = URL_SAFE_NO_PAD.encode(token.await.unwrap().unwrap().bytes());
    } else {
        let behind = &mut served.behind;
        // Only one of two roles can be taken away.
        let roles: &[&str] = if address.ends_with("/drop-role") {
            &[role, other]
        } else {
            &[role]
        };
        behind.join(label, &email, "Tamsin Target", roles).await;
    }
    let id = served.behind.membership(label, &email).await;
    if address.ends_with("/people/restore") {
        sqlx::query("update membership set state = 'suspended' where id = $1")
            .bind(id)
            .execute(&mut *served.behind)
            .await
            .unwrap();
    }
    if address.contains("reset") {
        let token = LinkToken::random().unwrap();
        sqlx::query("insert into sec.reset (account_id, tenant_id, token_hash, expires_at) select m.account_id, m.tenant_id, sec.token_hash($2), now() + interval '30 minutes' from membership m where m.id = $1")
            .bind(id)
            .bind(token.bytes().as_slice())
            .execute(&mut *served.behind)
            .await
            .unwrap();
        link = token.text();
    }
    let ticket = if address.contains("{ticket}") {
        ticket(served, label, &email).await
    } else {
        String::new()
    };
    let board = if address.contains("/board/") {
        board(served, label, id, address).await
    } else {
        Board::default()
    };
    let shelf = if of_library {
        shelf(served, label, id, address).await
    } else {
        Shelf::default()
    };
    let of_roll = [
        "/pupils/",
        "/groups/",
        "/caseloads/",
        "/records/",
        "/roster/",
        "/children/",
    ]
    .iter()
    .any(|part| address.contains(part));
    let roll = if of_roll {
        roll(served, label, id, address).await
    } else {
        Roll::default()
    };
    Fresh {
        id: id.to_string(),
        email,
        link,
        ticket,
        name,
        board: Board { rule, ..board },
        shelf,
        roll,
    }
}

/// A way to the school that works, of somebody who is signed in elsewhere.
async fn ticket(served: &mut Served, label: &str, email: &str) -> String {
    served
        .behind
        .join("northgate", email, "Tamsin Target", &["governor"])
        .await;
    let _ = served
        .behind
        .session(Some("northgate"), email, Stand::Full)
        .await;
    let token = LinkToken::random().unwrap();
    sqlx::query("insert into sec.ticket (token_hash, account_id, from_session, tenant_id) select sec.token_hash($1), s.account_id, s.id, t.id from sec.session s join account a on a.id = s.account_id, tenant t where a.email = $2 and t.label = $3")
        .bind(token.bytes().as_slice())
        .bind(email)
        .bind(label)
        .execute(&mut *served.behind)
        .await
        .unwrap();
    token.text()
}
