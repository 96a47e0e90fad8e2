//! What a parent finds who searches or asks for lists: nothing of any pupil by the product's own functions, and nothing but
//! their own children and what is on record for them by any SQL at all.

use super::{
    Wrong,
    world::{Put, World, surname, words},
};
use crate::{change::change, scene::hex};
use domain::{
    Refusal, audit, document, overview,
    pupil::{
        self, Whose,
        access::{self, Sought},
        caseload, group, guardian, tag, unusual,
    },
    roster::import,
    wellbeing::{self, onrecord, picture, timeline, typed},
};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Executor as _, PgConnection, Row as _, postgres::PgRow,
};
use std::collections::BTreeSet;
use testing::{Role, secrets};
use uuid::Uuid;

impl World {
    /// Each list and search of the product that pupils are found by, for a parent: what is not empty and not refused.
    pub async fn asks(&mut self, who: usize) -> Wrong {
        let mut wrong = Wrong::default();
        let today = self.scene.today().await;
        let entry = self.random.below(self.entries.len());
        let (put, n) = (self.entries[entry], super::child_of(entry));
        let (child, name) = (self.children[n], surname(n));
        let caller = &self.parents[who].caller;
        let db = &self.scene.db;
        // Reads do what a look does, so that looking is tried too; nothing of it is kept.
        let mut look = db.look(caller).await.unwrap();
        let read = &mut look;
        let mut found: Vec<(&str, Result<usize, Refusal>)> = Vec::new();
        for typed in [name.clone(), words(entry)] {
            let documents = document::search::find(read, &typed).await;
            found.push(("documents", documents.map(|all| all.len())));
        }
        let everybody = pupil::Filter::default();
        let named = pupil::Filter {
            words: name.clone(),
            ..pupil::Filter::default()
        };
        for whose in [Whose::Mine, Whose::Seen] {
            for filter in [&everybody, &named] {
                let list = pupil::list(read, whose, filter, 1).await;
                let many = list.map(|list| list.rows.len() + list.matching);
                found.push(("pupils", many));
            }
            let years = pupil::years(read, whose).await;
            found.push(("years", years.map(|all| all.len())));
        }
        let names = pupil::names(read, &self.children).await;
        found.push(("names", names.map(|all| all.len())));
        let looked = pupil::look(read, child, &["timeline"]).await;
        found.push(("a look", looked.map(|_| 1)));
        let groups = group::all(read).await;
        found.push(("groups", groups.map(|all| all.len())));
        let guardians = guardian::of_pupil(read, child).await;
        found.push(("guardians", guardians.map(|all| all.len())));
        let given = caseload::given(read).await;
        found.push(("caseloads", given.map(|all| all.len())));
        let which = wellbeing::caseload::Which::default();
        let order = wellbeing::caseload::Order::Surname;
        let latest = wellbeing::caseload::latest(read, &which, order, 1, today).await;
        found.push((
            "side by side",
            latest.map(|all| all.rows.len() + all.matching),
        ));
        let records = timeline::timeline(read, child, &timeline::Filter::default(), None).await;
        found.push(("timeline", records.map(|all| all.len())));
        let known = timeline::as_known_on(read, child, today).await;
        found.push(("timeline as it was", known.map(|all| all.len())));
        let one = timeline::one(read, put.record, child).await;
        found.push(("a record", one.map(|_| 1)));
        let versions = timeline::versions(read, put.record, child).await;
        found.push(("versions", versions.map(|all| all.len())));
        let authors = timeline::authors(read, child).await;
        found.push(("authors", authors.map(|all| all.len())));
        let points = timeline::points(read, child, today, today).await;
        found.push(("points", points.map(|all| all.len())));
        let due = timeline::reviews_due(read, today).await;
        found.push(("reviews", due.map(|all| all.len())));
        let called = typed::pupil_called(read, &format!("Robin {name}")).await;
        found.push(("a name typed", called.map(|_| 1)));
        let put_there = onrecord::of_pupil(read, child).await;
        found.push(("what was put on record", put_there.map(|all| all.len())));
        let preview = onrecord::preview(read, put.record, child).await;
        found.push(("a preview", preview.map(|_| 1)));
        let open = access::open(read).await;
        found.push(("opened for a reason", open.map(|all| all.len())));
        let lookers = access::looked_at(read, Some(child), 10).await;
        found.push(("who looked", lookers.map(|all| all.len())));
        let lookers = access::looked_at(read, None, 10).await;
        found.push(("who looked at all", lookers.map(|all| all.len())));
        let weeks = unusual::weeks(read).await;
        found.push(("unusual looks", weeks.map(|all| all.len())));
        let tags = tag::of_pupil(read, &secrets(), child).await;
        found.push(("tags", tags.map(|all| all.len())));
        let tags = tag::everybody(read, &secrets()).await;
        found.push(("all tags", tags.map(|all| all.len())));
        let trail = tag::trail(read, &secrets(), child).await;
        found.push(("trail of tags", trail.map(|all| all.len())));
        let frozen = picture::newest(read).await;
        found.push(("picture", frozen.map(|one| one.iter().count())));
        let rosters = import::list(read).await;
        found.push(("rosters", rosters.map(|all| all.len())));
        let lines = audit::timeline(read, &audit::Filter::default(), None).await;
        found.push(("log", lines.map(|_| 1)));
        let schools = overview::schools(read).await;
        found.push(("schools", schools.map(|all| all.len())));
        drop(look);
        let sought = Sought {
            first_name: "Robin",
            last_name: &name,
            registration: "",
            reason: "incident",
            words: "He fell in the yard when I was on duty.",
        };
        let mut write = db.write(caller).await.unwrap();
        let looked_up = access::seek(&mut write, sought).await;
        found.push(("looking up", looked_up.map(|_| 1)));
        drop(write);
        let words = words(entry);
        let put_on = change(db, caller, async |write| {
            onrecord::put_on_record(write, put.record, 1, child, &words).await
        })
        .await;
        found.push(("putting on record", put_on.map(|_| 1)));
        for (what, found) in found {
            let nothing = matches!(
                found,
                Ok(0)
                    | Err(Refusal::NotFound
                        | Refusal::NotAllowed
                        | Refusal::Pupil(_)
                        | Refusal::Wellbeing(_))
            );
            wrong.unless(nothing, || format!("{what} of child {n}: {found:?}"));
        }
        wrong
    }

    /// Every row of every table that the web server's login reads, under a parent's seal. No pupil, record or entry stands in
    /// any column of any of them that is not a child of theirs or on record for one, and no name or word of these. Returns how
    /// many entries they found.
    pub async fn sweep(&mut self, who: usize) -> (usize, Wrong) {
        let mut wrong = Wrong::default();
        let email = self.parents[who].email.clone();
        let rows = self.every_row(&email).await;
        for row in &rows {
            self.theirs(who, row, &mut wrong);
        }
        let reads = self.model.reads(who);
        let may = self.may(who);
        let found: BTreeSet<Uuid> = rows.iter().flat_map(|row| ids(row)).collect();
        let seen: BTreeSet<Uuid> = found.intersection(&self.kept).copied().collect();
        let missing: Vec<_> = may.difference(&seen).collect();
        wrong.unless(missing.is_empty(), || format!("{missing:?} is not there"));
        (reads.len(), wrong)
    }

    /// Every function that the web server's login calls and that changes nothing, asked under a parent's seal for pupils,
    /// records and entries that are there: what it answers holds none that is not theirs. Returns how many functions answered.
    pub async fn calls(&mut self, who: usize) -> (usize, Wrong) {
        let mut wrong = Wrong::default();
        let functions = self
            .scene
            .text(
                "select string_agg(p.oid::regproc || '|' || array_to_string(p.proargtypes::regtype[], ','), e'\\n')
                 from pg_proc p join pg_namespace n on n.oid = p.pronamespace
                 where n.nspname in ('sec', 'public') and p.provolatile <> 'v'
                   and has_function_privilege('quorate_web', p.oid, 'execute')
                   and not exists (
                     select from unnest(p.proargtypes) t where t not in ('uuid'::regtype, 'uuid[]'::regtype))",
            )
            .await;
        let n = self.random.below(self.entries.len());
        let Put { id, record } = self.entries[n];
        let asked = [self.children[super::child_of(n)], id, record];
        let all: Vec<String> = self.kept.iter().map(Uuid::to_string).collect();
        let all = all.join(",");
        let token = hex(self.parents[who].caller.token.bytes());
        let options = self.scene.fresh.options(Role::Web);
        let mut web = options.connect().await.unwrap();
        let begin = format!("begin; select sec.enter('\\x{token}')");
        run(&mut web, &begin).await.unwrap();
        let mut answered = BTreeSet::new();
        for function in functions.lines() {
            let (name, types) = function.split_once('|').unwrap();
            for id in asked {
                let arguments: Vec<String> = types
                    .split(',')
                    .filter(|one| !one.is_empty())
                    .map(|one| match one {
                        "uuid" => format!("'{id}'::uuid"),
                        _ => format!("'{{{all}}}'::uuid[]"),
                    })
                    .collect();
                let arguments = arguments.join(", ");
                let sql = format!("select coalesce(x::text, '') from {name}({arguments}) x");
                run(&mut web, "savepoint asked").await.unwrap();
                match run(&mut web, &sql).await {
                    Ok(rows) => {
                        answered.insert(name);
                        for row in rows {
                            self.theirs(who, &format!("{name}: {row}"), &mut wrong);
                        }
                    }
                    Err(_) => drop(run(&mut web, "rollback to asked").await.unwrap()),
                }
            }
        }
        (answered.len(), wrong)
    }

    /// The pupils, entries and records that a parent may see the ids of.
    fn may(&self, who: usize) -> BTreeSet<Uuid> {
        let mut may = self.children_of(&self.model.children(who));
        for n in self.model.reads(who) {
            may.extend([self.entries[n].id, self.entries[n].record]);
        }
        may
    }

    /// That a row says nothing of what is not theirs.
    fn theirs(&self, who: usize, row: &str, wrong: &mut Wrong) {
        let (children, reads) = (self.model.children(who), self.model.reads(who));
        let may = self.may(who);
        for id in ids(row) {
            let theirs = !self.kept.contains(&id) || may.contains(&id);
            wrong.unless(theirs, || format!("{id} in {row}"));
        }
        for child in 0..self.children.len() {
            let theirs = children.contains(&child) || !row.contains(&surname(child));
            wrong.unless(theirs, || format!("child {child} in {row}"));
        }
        for entry in 0..self.entries.len() {
            let theirs = reads.contains(&entry) || !row.contains(&words(entry));
            wrong.unless(theirs, || format!("entry {entry} in {row}"));
        }
        for word in ["Withheld", "Larkspur", "Elsewhere"] {
            wrong.unless(!row.contains(word), || format!("{word} in {row}"));
        }
    }

    /// What somebody reads with any SQL: every row, as text, of every table and view, with every column that they may read at
    /// all.
    pub async fn every_row(&mut self, email: &str) -> Vec<String> {
        let sql = self
            .scene
            .text(
                "select string_agg(
                   format('select %L || row(%s)::text from %I.%I x', x.relname || ' ', x.columns, x.nspname, x.relname),
                   ' union all ' order by x.relname)
                 from (
                   select n.nspname, c.relname, string_agg(format('x.%I', a.attname), ', ' order by a.attnum) as columns
                   from pg_class c join pg_namespace n on n.oid = c.relnamespace
                   join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                   where c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition
                     and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_'
                     and has_schema_privilege('quorate_web', n.oid, 'usage')
                     and has_column_privilege('quorate_web', c.oid, a.attnum, 'select')
                   group by 1, 2) x",
            )
            .await;
        self.scene.raw_texts(email, &sql).await
    }
}

/// The first column of what an SQL statement answers.
async fn run(web: &mut PgConnection, sql: &str) -> Result<Vec<String>, sqlx::Error> {
    let rows = web
        .fetch_all(sqlx::raw_sql(AssertSqlSafe(sql.to_owned())))
        .await?;
    let first = |row: &PgRow| row.try_get::<String, _>(0).unwrap_or_default();
    Ok(rows.iter().map(first).collect())
}

/// The ids in a text.
fn ids(text: &str) -> impl Iterator<Item = Uuid> {
    text.split(|one: char| !one.is_ascii_hexdigit() && one != '-')
        .filter(|word| word.len() == 36)
        .filter_map(|word| word.parse().ok())
}
