//! Who attacks: what each has beside the web server's own login, and whose rows are no secret to them.

use crate::trial::{Table, strings};
use sqlx::{ConnectOptions as _, Executor as _, PgConnection, postgres::PgConnectOptions};
use std::{
    collections::BTreeSet,
    ops::{Deref, DerefMut},
};
use testing::{Behind, Fresh, Role, Stand};
use uuid::Uuid;

pub const OAKFIELD_ADMIN: &str = "admin@oakfield.example";
pub const NORTHGATE_ADMIN: &str = "admin@northgate.example";

/// A connection as the web server's login, which can be made anew.
pub struct Web {
    options: PgConnectOptions,
    connection: PgConnection,
}

impl Web {
    pub async fn new(fresh: &Fresh) -> Self {
        let options = fresh.options(Role::Web);
        let connection = options.connect().await.unwrap();
        Self {
            options,
            connection,
        }
    }

    /// Leaves a connection that is of no use any more.
    pub async fn anew(&mut self) {
        self.connection = self.options.connect().await.unwrap();
    }
}

impl Deref for Web {
    type Target = PgConnection;
    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Web {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

/// A demo installation with something in every table that an attacker might want.
pub struct Scene {
    /// Kept: the database goes with it.
    pub fresh: Fresh,
    pub behind: Behind,
    pub web: Web,
    pub other: Web,
}

impl Scene {
    pub async fn new() -> Self {
        let fresh = Fresh::demo().await;
        let mut behind = fresh.behind().await;
        behind
            .execute(
                "insert into sec.recovery_code select id, sha256('a') from account limit 3;
                 insert into sec.invitation (tenant_id, membership_id, token_hash, expires_at)
                   select tenant_id, id, sha256(id::text::bytea), now() + interval '7 days' from membership limit 3;
                 insert into sec.reset (account_id, tenant_id) select account_id, tenant_id from membership limit 3;
                 insert into sec.session (token_hash, account_id, assurance, shared, idle)
                   select sha256('b'), id, 'full', false, '20 minutes' from account limit 1;
                 insert into sec.ticket (token_hash, account_id, from_session, tenant_id)
                   select sha256('c'), s.account_id, s.id, t.id from sec.session s, tenant t limit 1;
                 insert into sec.attempt (who, kind) values (sha256('a'), 'password');
                 insert into sec.relay_cursor select 'mail', id, 1 from tenant;
                 insert into notice (tenant_id, membership_id, seq, at, kind, hears)
                   select tenant_id, id, 1000, now(), 'membership.renamed', 'person' from membership;
                 insert into notice_choice (tenant_id, membership_id, mail) select tenant_id, id, 'weekly' from membership;
                 insert into reading_choice (tenant_id, membership_id, shown) select tenant_id, id, false from membership;
                 insert into bounce (tenant_id, membership_id, at) select tenant_id, id, now() from membership;
                 insert into sec.letter (tenant_id, membership_id) select tenant_id, id from membership limit 3;
                 insert into sec.reminder (tenant_id, membership_id, duty, subject_id, last_on)
                   select tenant_id, id, 'declare', id, '2026-01-01' from membership limit 3;
                 insert into sec.morning (at) values (now());
                 insert into folder (tenant_id, name, restricted, made_by)
                   select distinct on (tenant_id) tenant_id, 'Complaint', false, id from membership;
                 insert into folder_reader (tenant_id, folder_id, role) select tenant_id, id, 'governor' from folder;
                 insert into folder_change (tenant_id, folder_id, adds, membership_id, asked_by)
                   select tenant_id, id, true, made_by, made_by from folder;
                 with one as (
                   insert into document (tenant_id, folder_id, title, kind, newest, made_by)
                   select tenant_id, id, 'Letter', 'other', 1, made_by from folder returning tenant_id, id, made_by
                 )
                 insert into version (tenant_id, document_id, number, file_name, format, size, sha256, key, made_by)
                 select tenant_id, id, 1, 'letter.pdf', 'pdf', 1, sha256('a'),
                   't/' || tenant_id || '/d/' || id || '/v/' || id, made_by from one;
                 insert into page (tenant_id, version_id, number, body)
                   select tenant_id, id, 1, 'Dear chair' from version;
                 insert into opening (tenant_id, version_id, membership_id) select tenant_id, id, made_by from version;
                 insert into reading_copy (tenant_id, version_id, state, key, size, sha256)
                   select tenant_id, id, 'made', 't/' || tenant_id || '/d/' || document_id || '/c/' || id, 1, sha256('b') from version;
                 update document set newest = 1;
                 with one as (
                   insert into approval (tenant_id, document_id, version_id, sha256, rule, asked_by, due)
                   select tenant_id, document_id, id, sha256, 'everyone', made_by, current_date + 7 from version
                   returning tenant_id, id, asked_by
                 ), two as (
                   insert into approval_place (tenant_id, approval_id, membership_id)
                   select o.tenant_id, o.id, m.id from one o join membership m on m.tenant_id = o.tenant_id
                     and (m.id = o.asked_by or (m.state = 'active' and 'governor' = any (m.roles)))
                   returning tenant_id, approval_id, membership_id
                 )
                 insert into approval_answer (tenant_id, approval_id, membership_id, by_id, answer)
                 select t.tenant_id, t.approval_id, t.membership_id, t.membership_id, 'agree'
                 from two t join one o on o.tenant_id = t.tenant_id and o.id = t.approval_id and o.asked_by = t.membership_id;
                 with asked as (
                   insert into question (tenant_id, document_id, asked_on, kind, audience, body, exact, prefix, suffix, page, asked_by)
                   select tenant_id, document_id, 1, 'question', 'readers', 'Why?', 'Dear', '', 'chair', 1, made_by from version
                   returning tenant_id, id, document_id, asked_by
                 ), heard as (
                   insert into question_hearer (tenant_id, question_id, membership_id) select tenant_id, id, asked_by from asked
                 ), replied as (
                   insert into question_reply (tenant_id, question_id, body, by_id) select tenant_id, id, 'So', asked_by from asked
                 )
                 insert into question_place (tenant_id, question_id, version_id)
                 select a.tenant_id, a.id, v.id from asked a join version v on v.tenant_id = a.tenant_id and v.document_id = a.document_id;
                 insert into note (tenant_id, document_id, kept_on, membership_id, body)
                   select v.tenant_id, v.document_id, 1, m.id, 'Mine' from version v
                   join membership m on m.tenant_id = v.tenant_id join account a on a.id = m.account_id and a.email like 'admin@%';
                 insert into pupil (tenant_id, first_name, last_name, born, year_group, upn)
                   select tenant_id, 'Aisha', 'Khan', '2016-05-09', '5', 'B801200005001' from folder;
                 with one as (
                   insert into teaching_group (tenant_id, kind, name) select tenant_id, 'class', '5B' from folder returning tenant_id, id
                 )
                 insert into group_pupil (tenant_id, group_id, kind, pupil_id, during)
                   select o.tenant_id, o.id, 'class', p.id, '[2026-01-01,)' from one o join pupil p on p.tenant_id = o.tenant_id;
                 insert into caseload (tenant_id, membership_id, pupil_id, during, given_by)
                   select p.tenant_id, m.id, p.id, '[2026-01-01,)', f.made_by from pupil p join folder f on f.tenant_id = p.tenant_id
                   join membership m on m.tenant_id = p.tenant_id join account a on a.id = m.account_id and a.email like 'teacher1@%';
                 with one as (
                   insert into pupil_access (tenant_id, membership_id, pupil_id, reason, words, until)
                   select tenant_id, membership_id, pupil_id, 'other', 'Asked at the gate', now() + interval '1 hour' from caseload
                   returning tenant_id, id, membership_id, pupil_id
                 )
                 insert into pupil_read (tenant_id, membership_id, pupil_id, basis, access_id, parts)
                   select tenant_id, membership_id, pupil_id, 'reason', id, '{timeline}' from one;
                 insert into guardian_link (tenant_id, membership_id, pupil_id, relation, linked_by)
                   select p.tenant_id, m.id, p.id, 'mother', f.made_by from pupil p join folder f on f.tenant_id = p.tenant_id
                   join membership m on m.tenant_id = p.tenant_id join account a on a.id = m.account_id and a.email like 'parent1@%';
                 insert into contact_restriction (tenant_id, membership_id, pupil_id, words, made_by)
                   select g.tenant_id, g.membership_id, g.pupil_id, 'Order of a court', g.linked_by from guardian_link g;
                 insert into field_switch (tenant_id, field, purpose, on_by)
                   select tenant_id, 'sen', 'To plan support in lessons', made_by from folder;
                 insert into tenant_key (tenant_id, number, wrapped)
                   select tenant_id, 1, substr(sha512('a') || sha512('b'), 1, 61) from folder;
                 insert into tag (tenant_id, pupil_id, kind, sealed, expires_on)
                   select tenant_id, id, 'sen', substr(sha512('a') || sha512('b'), 1, 93), current_date + 100 from pupil;
                 insert into tag_change (tenant_id, pupil_id, kind, why) select tenant_id, id, 'sen', 'set' from pupil;
                 insert into year_change (tenant_id, pupil_id, was) select tenant_id, id, '4' from pupil;
                 insert into duty_holder (tenant_id, duty, membership_id, reached)
                   select tenant_id, 'safeguarding', made_by, 'Room 4' from folder;
                 insert into roster_column (tenant_id, key, means) select tenant_id, 'shoe', 'ignore' from folder;
                 with one as (
                   insert into roster_import (tenant_id, file_name, sha256, columns, made_by)
                   select tenant_id, 'roster.csv', sha256('a'), '[]', made_by from folder returning tenant_id, id
                 ), two as (
                   insert into roster_row (tenant_id, import_id, line, sealed, wrong, faults)
                   select tenant_id, id, 2, 'a', false, '[]' from one
                 )
                 insert into roster_change (tenant_id, import_id, what, pupil_id, field, becomes)
                   select o.tenant_id, o.id, 'field', p.id, 'last_name', 'Khan' from one o join pupil p on p.tenant_id = o.tenant_id;
                 with one as (
                   insert into access_week (tenant_id, monday, looks)
                   select tenant_id, date '2026-11-16', 3 from folder returning tenant_id, id
                 ), two as (
                   insert into access_finding (tenant_id, week_id, rule, pupil_id, at, many)
                   select o.tenant_id, o.id, 'crowd', p.id, now(), 5 from one o join pupil p on p.tenant_id = o.tenant_id
                   returning tenant_id, week_id, id
                 ), three as (
                   insert into access_review (tenant_id, week_id, by_id)
                   select o.tenant_id, o.id, f.made_by from one o join folder f on f.tenant_id = o.tenant_id
                   returning tenant_id, week_id, by_id
                 )
                 insert into access_statement (tenant_id, week_id, finding_id, follow_up, words, by_id)
                   select t.tenant_id, t.week_id, t.id, true, 'Asked why', r.by_id from two t
                   join three r on r.tenant_id = t.tenant_id;
                 with one as (
                   insert into rollover (tenant_id, school_year, last_day, made_by, moved_up, leavers)
                   select tenant_id, 2026, '2026-07-22', made_by, 1, 0 from folder returning tenant_id, id
                 )
                 insert into rollover_change (tenant_id, rollover_id, what, pupil_id, was, becomes)
                   select o.tenant_id, o.id, 'year', p.id, '4', '5' from one o join pupil p on p.tenant_id = o.tenant_id;
                 insert into record (tenant_id, kind, happened_at, author_id) select tenant_id, 'check_in', now(), made_by from folder;
                 insert into record_pupil (tenant_id, record_id, pupil_id, place, part)
                   select r.tenant_id, r.id, p.id, 1, 'subject' from record r join pupil p on p.tenant_id = r.tenant_id;
                 insert into record_version (tenant_id, record_id, number, body, detail, made_by)
                   select tenant_id, id, 1, 'Quiet', '{}', author_id from record;
                 insert into record_words (tenant_id, record_id, number, pupil_id, words)
                   select tenant_id, record_id, 1, pupil_id, 'Tired' from record_pupil;
                 insert into score (tenant_id, record_id, number, pupil_id, domain, value, happened_on)
                   select tenant_id, record_id, 1, pupil_id, 'safe', 2, sec.today() from record_pupil;
                 insert into record_rule (tenant_id, talk_to) select tenant_id, 'Room 4' from folder;
                 insert into on_record (tenant_id, record_id, number, pupil_id, kind, happened_at, words, put_by)
                   select r.tenant_id, r.id, 1, p.pupil_id, r.kind, r.happened_at, 'Settled', r.author_id
                   from record r join record_pupil p on p.tenant_id = r.tenant_id and p.record_id = r.id;
                 insert into statement (tenant_id, on_record_id, author_id, number, pupil_id, words)
                   select tenant_id, id, put_by, 1, pupil_id, 'Thank you' from on_record;
                 with one as (
                   insert into picture (tenant_id, day, made_by, counted) select tenant_id, sec.today() - 1, made_by, '{}' from folder
                   returning tenant_id, id
                 )
                 insert into picture_table (tenant_id, picture_id, place, by_what, domain, released)
                   select tenant_id, id, 1, 'year_group', 'safe', jsonb_build_object('total', 12) from one;
                 -- A pupil with a record stays on the roll, which would hide whether the policy keeps them there.
                 alter table record_pupil drop constraint record_pupil_pupil_fkey",
            )
            .await
            .unwrap();
        let (web, other) = (Web::new(&fresh).await, Web::new(&fresh).await);
        Self {
            fresh,
            behind,
            web,
            other,
        }
    }
}

/// What an attacker has: the statements with which each transaction begins, and what may rightly be seen then.
pub struct Attacker {
    pub name: &'static str,
    /// What goes before each transaction, on the same connection.
    pub before: Vec<String>,
    pub begins: Vec<String>,
    pub home: Home,
}

/// Whose rows are no secret to the attacker.
pub enum Home {
    Nobody,
    /// Those of a tenant, whose administrator the attacker is.
    Tenant(Uuid),
    /// One's own account and the names of one's own tenants: the bare host.
    Person(Uuid),
}

impl Home {
    /// The keys of a table's rows that may be seen.
    pub async fn keys(&self, behind: &mut Behind, table: &Table) -> BTreeSet<String> {
        let of = |tenant: &str, person: &str| match self {
            Self::Nobody => "false".to_owned(),
            Self::Tenant(id) => tenant.replace('$', &format!("'{id}'")),
            Self::Person(id) => person.replace('$', &format!("'{id}'")),
        };
        let whose = match table.name.as_str() {
            "tenant" => of(
                "t.id = $",
                "t.id in (select tenant_id from membership where account_id = $ and state = 'active')",
            ),
            "account" => of(
                "t.id in (select account_id from membership where tenant_id = $)",
                "t.id = $",
            ),
            name if name.starts_with("sec.") || name.starts_with('_') => "false".to_owned(),
            _ => of("t.tenant_id = $", "false"),
        };
        let query = format!(
            "select {} from {} t where {whose}",
            table.key("t."),
            table.name
        );
        strings(behind, &query).await.unwrap().into_iter().collect()
    }
}

/// Everybody of the matrix but the one with a genuine seal of Oakfield, whose rows the others are after.
pub async fn attackers(behind: &mut Behind, other: &mut PgConnection) -> Vec<Attacker> {
    let northgate = behind.tenant("northgate").await;
    let oakfield = behind.tenant("oakfield").await;
    let mut attackers = vec![Attacker {
        name: "no seal",
        before: vec![],
        begins: vec![],
        home: Home::Nobody,
    }];
    let mut add = |name, begins: &[String]| {
        attackers.push(Attacker {
            name,
            before: vec![],
            begins: begins.to_vec(),
            home: Home::Nobody,
        });
    };

    let genuine = enter(behind, OAKFIELD_ADMIN, Stand::SteppedUp).await;
    let theirs = enter(behind, NORTHGATE_ADMIN, Stand::SteppedUp).await;

    // Forged: with no key, a made-up one, and another tenant's genuine seal with Oakfield written over its own.
    let account = behind.account(OAKFIELD_ADMIN).await;
    let body = format!("{oakfield}|{account}|||school_admin|1");
    for (name, mac) in [
        ("a seal without a mac", String::new()),
        ("a seal with a made-up mac", "0f".repeat(32)),
    ] {
        add(name, &[set(&format!("{mac}|{body}"))]);
    }
    add(
        "a seal of nothing but Oakfield",
        &[set(&oakfield.to_string())],
    );
    add(
        "a session-wide forged seal",
        &[set(&format!("{}|{body}", "0f".repeat(32))).replace("true)", "false)")],
    );
    let rewrite = format!(
        "select set_config('sec.caller', replace(current_setting('sec.caller'), '{northgate}', '{oakfield}'), true)"
    );
    add(
        "Northgate's own seal with Oakfield written over it",
        &[theirs.clone(), rewrite],
    );
    // Between the mac and the tenant stands a line, and where there is none the account would be read as the tenant.
    let shift = "select set_config('sec.caller', regexp_replace(current_setting('sec.caller'), '^(.{64}).', '\\1x'), true)";
    add(
        "Northgate's own seal with its parts moved by one",
        &[theirs.clone(), shift.to_owned()],
    );

    // Replayed: taken from a transaction that is open on another connection.
    other.execute("begin").await.unwrap();
    let elsewhere = sealed(other, &genuine).await;
    add("Oakfield's seal of another connection", &[set(&elsewhere)]);

    // Sessions that were Oakfield's administrator's.
    for (name, stand) in [
        ("a session that was quiet too long", Stand::Idle),
        ("a session ten hours old", Stand::Expired),
        ("a session that was signed out", Stand::Ended),
        ("a session with a password and no factor", Stand::Password),
    ] {
        let begin = enter(behind, OAKFIELD_ADMIN, stand).await;
        add(name, &[begin]);
    }
    add(
        "a token that never was",
        &["select sec.enter(decode(repeat('5a', 16), 'hex'))".to_owned()],
    );
    for (name, email, change) in [
        (
            "a suspended head",
            "head@oakfield.example",
            "update membership set state = 'suspended' where id = $1",
        ),
        (
            "a removed clerk",
            "clerk@oakfield.example",
            "update membership set state = 'ended' where id = $1",
        ),
        (
            "a senior whose account is closed",
            "senco@oakfield.example",
            "update account set closed_at = now() where id = (select account_id from membership where id = $1)",
        ),
    ] {
        let begin = enter(behind, email, Stand::SteppedUp).await;
        let membership = behind.membership("oakfield", email).await;
        sqlx::query(change)
            .bind(membership)
            .execute(&mut **behind)
            .await
            .unwrap();
        add(name, &[begin]);
    }

    // Replayed: kept from the transaction just before, on the same connection.
    attackers.push(Attacker {
        name: "Oakfield's seal of an earlier transaction",
        before: vec![
            "begin".to_owned(),
            genuine,
            "select set_config('loot.seal', current_setting('sec.caller'), false)".to_owned(),
            "commit".to_owned(),
        ],
        begins: vec![
            "select set_config('sec.caller', current_setting('loot.seal'), true)".to_owned(),
        ],
        home: Home::Nobody,
    });
    attackers.push(Attacker {
        name: "Northgate's administrator",
        before: vec![],
        begins: vec![theirs],
        home: Home::Tenant(northgate),
    });
    let joan = behind
        .session(None, "clerk@beacon.example", Stand::SteppedUp)
        .await;
    let begins = vec![enter_with(joan.bytes())];
    let home = Home::Person(behind.account("clerk@beacon.example").await);
    attackers.push(Attacker {
        name: "Joan on the bare host",
        before: vec![],
        begins,
        home,
    });
    attackers
}

pub async fn enter(behind: &mut Behind, email: &str, stand: Stand) -> String {
    let label = email.split(['@', '.']).nth(1).unwrap();
    enter_with(behind.session(Some(label), email, stand).await.bytes())
}

pub fn enter_with(token: &[u8]) -> String {
    format!("select sec.enter('\\x{}')", hex(token))
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn set(seal: &str) -> String {
    format!("select set_config('sec.caller', '{seal}', true)")
}

async fn sealed(web: &mut PgConnection, enter: &str) -> String {
    strings(web, enter).await.unwrap();
    strings(web, "select current_setting('sec.caller')")
        .await
        .unwrap()
        .remove(0)
}
