//! The breach matrix: whoever holds the web server's own login, and any SQL they like, still reads and changes nothing of
//! another school. Tables come from the catalog, so one that is added tomorrow is in it.

use crate::{
    attack::{Attacker, Home, NORTHGATE_ADMIN, OAKFIELD_ADMIN, Scene, Web, attackers, enter},
    trial::{Table, Try, run, strings, tries},
};
use sqlx::{AssertSqlSafe, Executor as _, Row as _};
use std::collections::{BTreeMap, BTreeSet};
use testing::{Behind, Stand};

/// What the matrix found, one line for each.
#[derive(Debug, Default)]
struct Found {
    /// Rows of others were seen or changed.
    breaches: Vec<String>,
    /// Answers other than "not allowed", which say something of the rows.
    answers: Vec<String>,
    /// How much was tried, and how much of it was let through, to nothing or to the attacker's own rows.
    tried: usize,
    let_through: usize,
}

async fn breaches(
    behind: &mut Behind,
    web: &mut Web,
    attackers: &[Attacker],
    tables: &[Table],
) -> Found {
    let (oakfield, northgate) = (
        behind.tenant("oakfield").await,
        behind.tenant("northgate").await,
    );
    let stranger = behind.account(NORTHGATE_ADMIN).await;
    let mut found = Found::default();
    for attacker in attackers {
        let before = snapshot(behind, tables, &attacker.home).await;
        for table in tables {
            let home = attacker.home.keys(behind, table).await;
            let whose = if table.columns.iter().any(|column| column == "tenant_id") {
                format!("where tenant_id = '{oakfield}'")
            } else {
                String::new()
            };
            let rows = behind
                .fetch_optional(AssertSqlSafe(format!(
                    "select to_jsonb(t)::text, (to_jsonb(t)
                       || case when to_jsonb(t) ? 'id' then jsonb_build_object('id', uuidv7()) else '{{}}' end
                       || case when to_jsonb(t) ? 'account_id' then jsonb_build_object('account_id', '{stranger}') else '{{}}' end
                       || case when to_jsonb(t) ? 'number' then jsonb_build_object('number', 1000) else '{{}}' end
                       || case when to_jsonb(t) ? 'during' then jsonb_build_object('during', '[2001-01-01,2001-02-01)') else '{{}}' end)::text
                     from {} t {whose} limit 1",
                    table.name
                )))
                .await
                .unwrap()
                .map(|row| [0, 1].map(|n| row.get::<String, _>(n).replace('\'', "''")));
            let row = rows.as_ref().map(|[row, new]| (row.as_str(), new.as_str()));
            for what in tries(table, row, northgate) {
                let (Try::Rows(sql) | Try::Count(sql) | Try::CopyOut(sql) | Try::CopyIn(sql)) =
                    &what;
                let told = format!(
                    "{}: {}",
                    attacker.name,
                    sql.chars().take(140).collect::<String>()
                );
                for before in &attacker.before {
                    strings(web, before).await.unwrap();
                }
                found.tried += 1;
                match run(web, &attacker.begins, &what).await {
                    Ok((seen, touched)) => {
                        found.let_through += 1;
                        let foreign = seen
                            .iter()
                            .filter(|row| !home.contains(*row) && !is_whole_row_of(row, &home))
                            .count();
                        if foreign > 0 || (touched > 0 && home.is_empty()) {
                            found.breaches.push(format!(
                                "{told} → {foreign} foreign rows seen, {touched} touched"
                            ));
                        }
                    }
                    Err(error) => {
                        let code = error
                            .as_database_error()
                            .and_then(sqlx::error::DatabaseError::code)
                            .unwrap_or_default()
                            .to_string();
                        // Whoever takes all readers out of their own school's folders is told that a folder needs some.
                        let own = !home.is_empty()
                            && error
                                .as_database_error()
                                .and_then(|error| error.constraint())
                                == Some("folder_read_by_some");
                        // Not allowed; or a copy into a table with row security. Any other answer says something of the rows.
                        if !own && !matches!(code.as_str(), "42501" | "0A000") {
                            found.answers.push(format!("{told} → {error} ({code})"));
                        }
                    }
                }
            }
        }
        let after = snapshot(behind, tables, &attacker.home).await;
        for (table, rows) in &before {
            if after[table] != *rows {
                found.breaches.push(format!(
                    "{}: rows of others changed in {table}",
                    attacker.name
                ));
            }
        }
    }
    found
}

/// `select t::text` and `copy t` show whole rows: those of home hold a key of home.
fn is_whole_row_of(row: &str, home: &BTreeSet<String>) -> bool {
    home.iter()
        .any(|key| key.split('\t').all(|part| row.contains(part)))
}

/// Every row that is not the attacker's own, as text.
async fn snapshot(behind: &mut Behind, tables: &[Table], home: &Home) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for table in tables {
        let whose = match home {
            Home::Tenant(id) if table.columns.iter().any(|column| column == "tenant_id") => {
                format!("where tenant_id is distinct from '{id}'")
            }
            Home::Tenant(id) if table.name == "tenant" => format!("where id <> '{id}'"),
            _ => String::new(),
        };
        let sum = format!(
            "select count(*) || ' ' || coalesce(md5(string_agg(t::text, E'\n' order by t::text)), '') from (select * from {} {whose}) t",
            table.name
        );
        all.insert(
            table.name.clone(),
            strings(behind, &sum).await.unwrap().remove(0),
        );
    }
    all
}

#[tokio::test]
async fn raw_sql_of_the_web_login_sees_and_changes_no_row_of_another_school() {
    let Scene {
        fresh: _fresh,
        mut behind,
        mut web,
        mut other,
    } = Scene::new().await;
    let tables = Table::all(&mut behind).await;
    // The outsider: the same statements under Oakfield's own seal show Oakfield's rows, so there is something to see.
    let genuine = enter(&mut behind, OAKFIELD_ADMIN, Stand::SteppedUp).await;
    let oakfield = Home::Tenant(behind.tenant("oakfield").await);
    for (name, least) in [
        ("membership", 22),
        ("event", 22),
        ("account", 22),
        ("tenant", 1),
        ("seat", 15),
        ("term", 18),
        ("committee", 3),
        ("committee_place", 14),
        ("declaration", 12),
        ("interest", 4),
        ("dbs_check", 11),
        ("training", 10),
        ("contact", 4),
        ("pupil", 1),
        ("group_pupil", 1),
        ("caseload", 1),
        ("pupil_read", 1),
        ("guardian_link", 1),
        ("tag", 1),
        ("tag_change", 1),
        ("year_change", 1),
    ] {
        let table = tables.iter().find(|table| table.name == name).unwrap();
        let (seen, _) = run(
            &mut web,
            std::slice::from_ref(&genuine),
            &Try::Rows(format!("select {} from {name} t", table.key("t."))),
        )
        .await
        .unwrap();
        assert!(seen.len() >= least, "{name}: {}", seen.len());
        assert_eq!(
            seen.into_iter().collect::<BTreeSet<_>>(),
            oakfield.keys(&mut behind, table).await,
            "{name}"
        );
    }
    // And in every table stands something that an attacker could be after.
    assert!(tables.len() > 15, "{}", tables.len());
    for table in tables.iter().filter(|table| !table.partition) {
        let rows = strings(
            &mut behind,
            &format!("select 'x' from {} limit 1", table.name),
        )
        .await
        .unwrap();
        assert_eq!(rows.len(), 1, "nothing in {}", table.name);
    }

    let attackers = attackers(&mut behind, &mut other).await;
    let found = breaches(&mut behind, &mut web, &attackers, &tables).await;
    assert!(
        found.breaches.is_empty() && found.answers.is_empty(),
        "{found:#?}"
    );
    assert!(
        found.tried > 10_000 && found.let_through > 500,
        "{} tried, {} let through",
        found.tried,
        found.let_through
    );
}

/// A table of every tenant that nobody has thought of yet.
const PAPER: &str = "create table paper (tenant_id uuid not null, id uuid not null default uuidv7(), title text not null,
    constraint paper_pkey primary key (tenant_id, id));
  insert into paper (tenant_id, title) select id, 'Minutes' from tenant";

/// Each guard of the database taken away, and who must then get in. `function: from → to` rewrites a function's text.
const GUARDS: &[(&str, &str)] = &[
    ("alter table membership disable row level security", "no seal"),
    ("alter policy membership_select on membership using (true)", "no seal"),
    ("alter policy account_select on account using (true)", "no seal"),
    ("alter policy event_select on event using (true)", "no seal"),
    ("alter policy tenant_select on tenant using (true)", "no seal"),
    ("alter policy event_select on event using (sec.has_role('school_admin'))", "Northgate's administrator"),
    ("alter policy membership_insert on membership with check (state = 'invited')", "Northgate's administrator"),
    ("alter policy membership_update on membership using (true) with check (true)", "no seal"),
    ("alter policy membership_update on membership using (true) with check (true)", "Northgate's administrator"),
    ("alter policy term_select on term using (true)", "no seal"),
    ("alter policy seat_insert on seat with check (sec.keeps_board())", "Northgate's administrator"),
    ("alter policy term_update on term using (true) with check (true)", "Northgate's administrator"),
    ("alter policy term_delete on term using (true)", "no seal"),
    ("alter policy committee_update on committee using (sec.keeps_board()) with check (true)", "Northgate's administrator"),
    ("alter policy committee_place_insert on committee_place with check (sec.keeps_board())", "Northgate's administrator"),
    ("alter policy declaration_insert on declaration with check (sec.sees_board())", "Northgate's administrator"),
    ("alter policy interest_select on interest using (sec.sees_board())", "Northgate's administrator"),
    ("alter policy dbs_check_select on dbs_check using (sec.keeps_board())", "Northgate's administrator"),
    ("alter policy training_insert on training with check (true)", "no seal"),
    ("alter policy contact_select on contact using (sec.keeps_board())", "Northgate's administrator"),
    ("alter policy pupil_select on pupil using (true)", "no seal"),
    ("alter policy pupil_select on pupil using (sec.sees_school())", "Northgate's administrator"),
    ("alter policy pupil_delete on pupil using (sec.keeps_pupils())", "Northgate's administrator"),
    ("alter policy caseload_select on caseload using (sec.sees_school())", "Northgate's administrator"),
    ("alter policy caseload_delete on caseload using (sec.sees_school())", "Northgate's administrator"),
    ("alter policy pupil_read_select on pupil_read using (sec.reviews_access())", "Northgate's administrator"),
    ("alter policy guardian_link_select on guardian_link using (true)", "no seal"),
    ("alter policy tag_select on tag using (true)", "no seal"),
    ("grant select on sec.session to quorate_web", "no seal"),
    ("grant truncate on event to quorate_web", "no seal"),
    // Tables that are added tomorrow.
    ("$paper; grant select on paper to quorate_web", "no seal"),
    ("$paper; grant insert on paper to quorate_web", "no seal"),
    ("$paper; alter table paper enable row level security; grant delete on paper to quorate_web;
      create policy paper_delete on paper for delete to quorate_web using (true)", "no seal"),
    ("$paper; alter table paper enable row level security; grant select, insert, update on paper to quorate_web;
      create policy paper_select on paper for select to quorate_web using (tenant_id = (select sec.tenant()));
      create policy paper_insert on paper for insert to quorate_web with check (title <> '')", "Northgate's administrator"),
    ("$paper; alter table paper enable row level security; grant select, update on paper to quorate_web;
      create policy paper_select on paper for select to quorate_web using (tenant_id = (select sec.tenant()));
      create policy paper_update on paper for update to quorate_web using (tenant_id = (select sec.tenant())) with check (true)", "Northgate's administrator"),
    ("sec.genuine(): if starts_with(sealed, sec.mac(substring(convert_to(sealed, 'UTF8') from 65))) → if true", "a seal with a made-up mac"),
    ("sec.genuine(): if starts_with(sealed, sec.mac(substring(convert_to(sealed, 'UTF8') from 65))) → if true", "Northgate's own seal with Oakfield written over it"),
    ("sec.genuine(): if starts_with(sealed, sec.mac(substring(convert_to(sealed, 'UTF8') from 65))) → if true", "a session-wide forged seal"),
    ("sec.mac(bytea): || timestamptz_send(now()) → ", "Oakfield's seal of an earlier transaction"),
    ("sec.mac(bytea): int4send(pg_backend_pid()) || timestamptz_send(now()) → ''::bytea", "Oakfield's seal of another connection"),
    ("sec.live_session(bytea): or m.state = 'active' → or m.state is not null", "a suspended head"),
    ("sec.live_session(bytea): or m.state = 'active' → or m.state is not null", "a removed clerk"),
    ("sec.live_session(bytea): and a.closed_at is null → ", "a senior whose account is closed"),
    ("sec.is_live(sec.session, timestamptz): s.seen_at + s.idle > moment → true", "a session that was quiet too long"),
    ("sec.is_live(sec.session, timestamptz): s.expires_at > moment → true", "a session ten hours old"),
    ("sec.is_live(sec.session, timestamptz): s.ended_at is null → true", "a session that was signed out"),
    ("sec.seal_caller(bytea): needs <> 'none' → false", "a session with a password and no factor"),
    ("sec.my_tenants(): m.account_id = sec.person() and → ", "Joan on the bare host"),
];

#[tokio::test]
async fn with_any_guard_taken_away_the_matrix_finds_the_breach() {
    for (guard, who) in GUARDS {
        let Scene {
            fresh: _fresh,
            mut behind,
            mut web,
            mut other,
        } = Scene::new().await;
        take_away(&mut behind, &guard.replace("$paper", PAPER)).await;
        let mut tables = Table::all(&mut behind).await;
        tables.retain(|table| {
            !table.name.starts_with('_')
                && (!table.name.starts_with("sec.") || table.name == "sec.session")
        });
        let mut attackers = attackers(&mut behind, &mut other).await;
        attackers.retain(|attacker| attacker.name == *who);
        assert_eq!(attackers.len(), 1, "{who}");
        let found = breaches(&mut behind, &mut web, &attackers, &tables).await;
        assert!(
            !found.breaches.is_empty(),
            "{who} was not noticed after: {guard}"
        );
    }
}

async fn take_away(behind: &mut Behind, guard: &str) {
    let sql = match guard.split_once(": ").zip(guard.split_once(" → ")) {
        Some(((function, rest), _)) => {
            let (from, to) = rest.split_once(" → ").unwrap();
            let text = strings(
                behind,
                &format!("select pg_get_functiondef('{function}'::regprocedure)"),
            )
            .await
            .unwrap()
            .remove(0);
            assert!(
                text.contains(from),
                "{function} does not say {from}: {text}"
            );
            text.replace(from, to)
        }
        None => guard.to_owned(),
    };
    behind
        .execute(sqlx::raw_sql(AssertSqlSafe(sql)))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_seal_ends_with_its_transaction_and_a_plan_kept_from_one_caller_serves_the_next_alone() {
    let Scene {
        fresh: _fresh,
        mut behind,
        mut web,
        ..
    } = Scene::new().await;
    let ours = enter(&mut behind, OAKFIELD_ADMIN, Stand::SteppedUp).await;
    let theirs = enter(&mut behind, NORTHGATE_ADMIN, Stand::SteppedUp).await;
    let northgate = behind.tenant("northgate").await;
    web.execute("prepare loot as select distinct tenant_id::text from membership")
        .await
        .unwrap();
    // Six executions: from the sixth on a generic plan is used.
    for _ in 0..7 {
        web.execute("begin").await.unwrap();
        strings(&mut web, &ours).await.unwrap();
        let seen = web.fetch_all(sqlx::raw_sql("execute loot")).await.unwrap();
        assert_eq!(seen.len(), 1);
        assert_ne!(seen[0].get::<String, _>(0), northgate.to_string());
        web.execute("commit").await.unwrap();
        assert_eq!(
            web.fetch_all(sqlx::raw_sql("execute loot"))
                .await
                .unwrap()
                .len(),
            0,
            "the seal outlived its transaction"
        );
        web.execute("begin").await.unwrap();
        strings(&mut web, &theirs).await.unwrap();
        let seen = web.fetch_all(sqlx::raw_sql("execute loot")).await.unwrap();
        assert_eq!(
            seen.iter()
                .map(|row| row.get::<String, _>(0))
                .collect::<Vec<_>>(),
            [northgate.to_string()]
        );
        // A seal that is made in a savepoint and given up leaves the one before it.
        strings(&mut web, "savepoint a").await.unwrap();
        strings(&mut web, &ours).await.unwrap();
        web.execute("rollback to savepoint a").await.unwrap();
        let seen = web.fetch_all(sqlx::raw_sql("execute loot")).await.unwrap();
        assert_eq!(
            seen.iter()
                .map(|row| row.get::<String, _>(0))
                .collect::<Vec<_>>(),
            [northgate.to_string()]
        );
        web.execute("rollback").await.unwrap();
    }
}
