//! Rosters: what a school's own system exports is compared with the roll, taken in by one person, and taken back.

use crate::{
    change::change,
    scene::{ADMIN, CHAIR, CLERK, GOVERNOR, PARENT, Scene, TEACHER},
};
use domain::{
    Refusal,
    db::{Caller, MailDb},
    pupil::{
        self, Typed,
        duty::switch_on,
        field::{Field, Switch, TagKind},
        tag::{self, Change, Why},
        year::SchoolYear,
    },
    roster::{
        column::{self, Column},
        difference::{self, Page, Row},
        fault::{Code, Severity},
        import::{self, Fault, State, Verdict},
        line::Against,
        plan::{self, Fate},
        repair, staging,
        taking::{self, Taken},
        undo::{self, Undoing},
    },
};
use std::collections::{BTreeMap, BTreeSet};
use testing::{Role, Stand, secrets};
use time::macros::date;
use uuid::Uuid;

const HEADER: [&str; 10] = [
    "UPN", "Adno", "Forename", "Surname", "DOB", "Sex", "Year", "Reg", "Class", "Teacher",
];

fn at(place: u32) -> usize {
    usize::try_from(place).unwrap()
}

/// A number that the school of 801/2000 gave, which has room for ten thousand.
fn upn(serial: u32) -> String {
    upn_of(&format!("801{}", 2000 + serial / 10_000), serial % 10_000)
}

/// With its check letter (Unique Pupil Number 2.0).
fn upn_of(school: &str, serial: u32) -> String {
    let rest = format!("{school}{:02}{:03}", 10 + serial / 1000, serial % 1000);
    let sum: u32 = rest
        .chars()
        .zip(2..)
        .map(|(digit, place)| digit.to_digit(10).unwrap() * place)
        .sum();
    let letter = "ABCDEFGHJKLMNPQRTUVWXYZ".chars().nth(at(sum % 23));
    format!("{}{rest}", letter.unwrap())
}

/// One pupil's line, in the order of [`HEADER`].
fn line(serial: u32) -> Vec<String> {
    let first = ["Aisha", "Ben", "Chidi", "Dominika", "Elliot", "Siân", "Zoë"];
    let form = ["4W", "4K", "5B", "5M"][at(serial % 4)];
    let sex = if serial.is_multiple_of(2) { "F" } else { "M" };
    let (upn, number) = (upn(serial), format!("{:06}", 1000 + serial));
    let (last, born) = (
        format!("Family{serial}"),
        format!("{:02}/03/2017", 1 + serial % 28),
    );
    let first = first[at(serial % 7)];
    [
        &*upn, &*number, first, &*last, &*born, sex, "5", form, "", "",
    ]
    .map(str::to_owned)
    .to_vec()
}

fn lines(serials: std::ops::Range<u32>) -> Vec<Vec<String>> {
    serials.map(line).collect()
}

fn with(mut line: Vec<String>, cells: &[(usize, &str)]) -> Vec<String> {
    for (place, cell) in cells {
        (*cell).clone_into(&mut line[*place]);
    }
    line
}

impl Scene {
    async fn stages(&self, by: &Caller, rows: Vec<Vec<String>>) -> Result<Uuid, Refusal> {
        self.stages_as(by, &HEADER, ("", ""), rows).await
    }

    async fn stages_as(
        &self,
        by: &Caller,
        header: &[&str],
        source: (&str, &str),
        rows: Vec<Vec<String>>,
    ) -> Result<Uuid, Refusal> {
        let header: Vec<String> = header.iter().map(|name| (*name).to_owned()).collect();
        let day = date!(2026 - 11 - 22);
        let against = Against {
            today: day,
            school_year: SchoolYear::of(day),
            ethnicities: BTreeMap::new(),
            day_first: true,
        };
        let mut write = self.db.write(by).await?;
        let file = staging::File {
            name: "roster.csv",
            sha256: &[7; 32],
            source,
        };
        let none = BTreeMap::new();
        let mut staging =
            staging::begin(&mut write, file, &header, &none, against, secrets()).await?;
        let id = staging.id();
        // The header is line 1.
        let mut rows = (2..).zip(rows);
        loop {
            let batch: Vec<_> = rows.by_ref().take(700).collect();
            if batch.is_empty() {
                break;
            }
            staging.take(&mut write, batch).await?;
        }
        let act = staging.finish(&mut write).await?;
        write.commit(act).await?;
        Ok(id)
    }

    async fn takes(&self, by: &Caller, import: Uuid) -> Result<Taken, Refusal> {
        change(&self.db, by, async |write| {
            taking::take_in(write, &secrets(), import).await
        })
        .await
    }

    async fn undoes(&self, by: &Caller, import: Uuid) -> Result<Undoing, Refusal> {
        change(&self.db, by, async |write| undo::undo(write, import).await).await
    }

    async fn confirms(&self, by: &Caller, import: Uuid, line: u32, same: bool) {
        change(&self.db, by, async |write| {
            Ok(((), difference::confirm(write, import, line, same).await?))
        })
        .await
        .unwrap();
    }

    async fn counted(&self, by: &Caller, import: Uuid) -> Vec<(Verdict, usize)> {
        let mut read = self.db.read(by).await.unwrap();
        let counts = difference::counts(&mut read, import).await.unwrap();
        counts.into_iter().collect()
    }

    async fn page(&self, by: &Caller, import: Uuid) -> Page {
        let mut read = self.db.look(by).await.unwrap();
        let page = difference::difference(&mut read, &secrets(), import, None, 0)
            .await
            .unwrap();
        read.end().await.unwrap();
        page
    }

    async fn row(&self, by: &Caller, import: Uuid, line: u32) -> Row {
        let rows = self.page(by, import).await.rows;
        rows.into_iter().find(|row| row.line == line).unwrap()
    }

    /// The roll of Oakfield, whole: pupils, groups in use, who is in which and when.
    async fn whole_roll(&mut self) -> String {
        self.text(
            "select (select coalesce(string_agg(p::text, chr(10) order by id), '') from pupil p)
               || (select coalesce(string_agg(g::text, chr(10) order by id), '') from teaching_group g where closed_on is null)
               || (select coalesce(string_agg(x::text, chr(10) order by id), '') from group_pupil x)",
        )
        .await
    }

    pub async fn name_of(&mut self, email: &str) -> String {
        let place = self.place(email).await;
        self.text(&format!("select name from membership where id = '{place}'"))
            .await
    }

    /// The tables in which a text stands anywhere, as a superuser sees them; bytes as hexadecimal and as what they spell.
    async fn tables_with(&mut self, text: &str) -> BTreeSet<String> {
        let tables = self
            .text(
                "select string_agg(format('%I.%I', n.nspname, c.relname), ' ') from pg_class c join pg_namespace n on n.oid = c.relnamespace
                 where c.relkind = 'r' and n.nspname in ('public', 'sec')",
            )
            .await;
        let hex = crate::scene::hex(text.as_bytes());
        let mut found = BTreeSet::new();
        for table in tables.split(' ') {
            let sql = format!(
                "select exists (select from {table} t where t::text ilike '%{text}%' or t::text like '%{hex}%')::text"
            );
            if self.text(&sql).await == "true" {
                found.insert(table.to_owned());
            }
        }
        found
    }

    async fn corrects(&mut self, by: &Caller, pupil: Uuid, serial: u32, last_name: &str) {
        let today = self.today().await;
        let cells = line(serial);
        let typed = Typed {
            upn: cells[0].clone(),
            admission_number: cells[1].clone(),
            first_name: cells[2].clone(),
            last_name: last_name.to_owned(),
            born: cells[4].clone(),
            sex: cells[5].clone(),
            year: cells[6].clone(),
            ..Typed::default()
        };
        change(&self.db, by, async |write| {
            Ok(((), pupil::correct(write, pupil, &typed, today).await?))
        })
        .await
        .unwrap();
    }

    async fn several(&mut self, statements: &str) {
        for statement in statements.split(';') {
            self.sql(statement).await;
        }
    }

    async fn pupil_of(&mut self, serial: u32) -> Uuid {
        let upn = upn(serial);
        let id = self
            .text(&format!("select id::text from pupil where upn = '{upn}'"))
            .await;
        id.parse().unwrap()
    }
}

#[tokio::test]
async fn the_office_takes_in_twelve_hundred_pupils_again_to_no_effect_and_undoes_it() {
    let (mut scene, roll) = Scene::with_roll().await;
    let admin = scene.caller(ADMIN).await;
    let before = scene.whole_roll().await;
    let imran = scene.name_of(TEACHER).await;
    let mut rows = lines(0..1200);
    for row in &mut rows[..30] {
        *row = with(row.clone(), &[(8, "5x/Ma1"), (9, &imran)]);
    }
    rows[30] = with(rows[30].clone(), &[(8, "5x/Ma2"), (9, "Nobody Here")]);
    let began = std::time::Instant::now();
    let first = scene.stages(&admin, rows.clone()).await.unwrap();
    assert_eq!(scene.counted(&admin, first).await, [(Verdict::New, 1200)]);
    let taken = scene.takes(&admin, first).await.unwrap();
    assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
    assert_eq!((taken.added, taken.changed, taken.not_taken), (1200, 0, 0));
    assert_eq!(taken.moved, Vec::<u32>::new());
    // Before anybody reads it, the planner knows how much there is; it finds out by itself within a minute.
    let known = scene
        .text("select string_agg(relname || case when reltuples >= 1200 then '' else ' not' end, ' ' order by relname)
            from pg_class where oid = any (array['pupil', 'group_pupil']::regclass[])")
        .await;
    assert_eq!(known, "group_pupil pupil");
    // 4W and 5B are there already.
    assert_eq!((taken.groups, taken.caseloads), (4, 1));
    assert_eq!(taken.teachers_unknown, ["Nobody Here"]);
    let someone = scene.pupil_of(7).await;
    let seen = scene.sees(TEACHER).await;
    assert!(seen.contains(&someone) && seen.is_superset(&roll.of_w()));
    assert_eq!(
        scene.text("select count(*)::text from roster_row").await,
        "0"
    );
    let after = scene.whole_roll().await;
    assert_ne!(after, before);

    let again = scene.stages(&admin, rows).await.unwrap();
    assert_eq!(scene.counted(&admin, again).await, [(Verdict::Same, 1200)]);
    let taken = scene.takes(&admin, again).await.unwrap();
    assert!(taken.is_nothing(), "{taken:?}");
    assert_eq!(scene.whole_roll().await, after);

    let undone = scene.undoes(&admin, first).await.unwrap();
    assert_eq!((undone.removed, undone.restored.len()), (1200, 0));
    assert_eq!((undone.stays, undone.conflicts), (vec![], vec![]));
    assert_eq!(scene.whole_roll().await, before);
    assert_eq!(scene.sees(TEACHER).await, roll.of_w());
    assert_eq!(
        scene.undoes(&admin, first).await.unwrap_err(),
        Refusal::Stale
    );
    assert_eq!(
        scene.text("select count(*)::text from roster_change").await,
        "0"
    );
}

#[tokio::test]
async fn twenty_thousand_lines_are_read_and_compared_in_seconds() {
    let (scene, admin) = Scene::with_admin().await;
    let many = 20_000;
    let began = std::time::Instant::now();
    let import = scene.stages(&admin, lines(0..many)).await.unwrap();
    let read = began.elapsed();
    assert_eq!(
        scene.counted(&admin, import).await,
        [(Verdict::New, at(many))]
    );
    let taking = std::time::Instant::now();
    let taken = scene.takes(&admin, import).await.unwrap();
    assert_eq!(taken.added, at(many));
    let took = taking.elapsed();
    let again = scene.stages(&admin, lines(0..many)).await.unwrap();
    assert_eq!(
        scene.counted(&admin, again).await,
        [(Verdict::Same, at(many))]
    );
    println!(
        "{many} lines: read in {read:?}, taken in {took:?}, all in {:?}",
        began.elapsed()
    );
    assert!(read.as_secs() < 30, "{read:?}");
}

#[tokio::test]
async fn what_is_off_or_unknown_is_found_nowhere_and_a_tag_never_in_plain() {
    let (mut scene, admin) = Scene::with_admin().await;
    change(&scene.db, &admin, async |write| {
        let purpose = "To greet families in their language";
        Ok(((), switch_on(write, Field::HomeLanguage, purpose).await?))
    })
    .await
    .unwrap();
    let header = [&HEADER[..], &["Home language", "Ethnicity", "Shoe colour"]].concat();
    let mut row = with(line(1), &[(3, "Canaryfamily")]);
    row.extend(["Zyrqish", "Canaryoff", "Canaryunknown"].map(str::to_owned));
    // The same of a line that is bad, whose cells are kept for its repair.
    let mut bad = with(line(2), &[(6, "99")]);
    bad.extend(["Zyrqish", "Canaryoff", "Canaryunknown"].map(str::to_owned));
    let import = scene
        .stages_as(&admin, &header, ("", ""), vec![row, bad])
        .await
        .unwrap();
    // A canary that is to be found is found.
    assert_eq!(
        scene.tables_with("Canaryfamily").await,
        BTreeSet::from(["public.roster_row".to_owned()])
    );
    for canary in ["Canaryoff", "Canaryunknown", "Zyrqish"] {
        assert_eq!(scene.tables_with(canary).await, BTreeSet::new(), "{canary}");
    }
    let mut read = scene.db.read(&admin).await.unwrap();
    let csv = repair::faults_csv(&mut read, &secrets(), import)
        .await
        .unwrap();
    let csv = String::from_utf8(csv).unwrap();
    assert!(csv.contains("Zyrqish") && !csv.contains("Canary"), "{csv}");
    // What became of each column is told, those that were left out among them; these have no place in the file to put right.
    let columns = plan::columns(&mut read, import).await.unwrap();
    assert_eq!(columns.len(), header.len());
    let fate = |name: &str| {
        let found = columns.iter().find(|(known, _)| known == name);
        found.map(|(_, fate)| *fate)
    };
    let language = Column::Field(Field::HomeLanguage);
    assert_eq!(fate("Home language"), Some(Fate::Kept(language)));
    let ethnicity = Switch::from_code("ethnicity").map(Fate::Off);
    assert!(ethnicity.is_some() && fate("Ethnicity") == ethnicity);
    assert_eq!(
        fate("Shoe colour"),
        Some(Fate::Unknown(column::Why::NotAField))
    );
    let head = csv.lines().next().unwrap();
    assert!(
        !head.contains("Ethnicity") && !head.contains("Shoe"),
        "{head}"
    );
    assert_eq!(
        plan::columns(&mut read, Uuid::nil()).await.unwrap_err(),
        Refusal::NotFound
    );
    read.end().await.unwrap();
    scene.takes(&admin, import).await.unwrap();
    for canary in ["Canaryoff", "Canaryunknown", "Zyrqish"] {
        assert_eq!(scene.tables_with(canary).await, BTreeSet::new(), "{canary}");
    }
}

#[tokio::test]
async fn a_field_that_is_switched_off_drops_the_rosters_that_wait() {
    let (mut scene, admin) = Scene::with_admin().await;
    change(&scene.db, &admin, async |write| {
        let purpose = "To call children as they wish";
        Ok(((), switch_on(write, Field::PreferredName, purpose).await?))
    })
    .await
    .unwrap();
    let header = [&HEADER[..], &["Known as"]].concat();
    let row = [line(1), vec!["Canaryname".to_owned()]].concat();
    let read = async |scene: &Scene| {
        scene
            .stages_as(&admin, &header, ("", ""), vec![row.clone()])
            .await
            .unwrap()
    };
    scene.takes(&admin, read(&scene).await).await.unwrap();
    let waiting = read(&scene).await;
    assert!(!scene.tables_with("Canaryname").await.is_empty());
    change(&scene.db, &admin, async |write| {
        let field = Field::PreferredName;
        Ok(((), pupil::duty::switch_off(write, field).await?))
    })
    .await
    .unwrap();
    assert_eq!(scene.tables_with("Canaryname").await, BTreeSet::new());
    let mut read = scene.db.read(&admin).await.unwrap();
    let one = import::one(&mut read, waiting).await.unwrap();
    assert_eq!(one.state, State::Dropped);
}

#[tokio::test]
async fn each_change_is_shown_and_what_somebody_edits_later_is_left_when_it_is_undone() {
    let (mut scene, admin) = Scene::with_admin().await;
    let first = scene.stages(&admin, lines(0..8)).await.unwrap();
    scene.takes(&admin, first).await.unwrap();
    let before = scene.whole_roll().await;
    // Two marry into another name, one of them moves to another form, and one is new.
    let mut rows = lines(0..9);
    rows[1] = with(rows[1].clone(), &[(3, "Okafor")]);
    rows[2] = with(rows[2].clone(), &[(3, "Eze"), (7, "6A")]);
    let second = scene.stages(&admin, rows).await.unwrap();
    assert_eq!(
        scene.counted(&admin, second).await,
        [(Verdict::New, 1), (Verdict::Changed, 2), (Verdict::Same, 6)]
    );
    let shown: Vec<(Field, Option<String>, String)> = scene
        .row(&admin, second, 4)
        .await
        .changes
        .into_iter()
        .map(|change| (change.field, change.was, change.becomes))
        .collect();
    assert_eq!(
        shown,
        [
            (
                Field::LastName,
                Some("Family2".to_owned()),
                "Eze".to_owned()
            ),
            (
                Field::RegistrationGroup,
                Some("5B".to_owned()),
                "6A".to_owned()
            ),
        ]
    );
    let taken = scene.takes(&admin, second).await.unwrap();
    assert_eq!((taken.added, taken.changed, taken.groups), (1, 2, 1));
    let (one, two, new) = (
        scene.pupil_of(1).await,
        scene.pupil_of(2).await,
        scene.pupil_of(8).await,
    );
    // Meanwhile the first has yet another name, and the new one is looked at.
    scene.corrects(&admin, one, 1, "Okafor-Lee").await;
    let mut read = scene.db.look(&admin).await.unwrap();
    pupil::look(&mut read, new, &["sheet"]).await.unwrap();
    read.end().await.unwrap();
    let mut read = scene.db.read(&admin).await.unwrap();
    let preview = undo::undo_preview(&mut read, second).await.unwrap();
    read.end().await.unwrap();
    let undone = scene.undoes(&admin, second).await.unwrap();
    assert_eq!(undone, preview);
    assert_eq!(undone.conflicts.len(), 1);
    let conflict = &undone.conflicts[0];
    assert_eq!((conflict.pupil, conflict.field), (one, Field::LastName));
    assert_eq!(conflict.set.as_deref(), Some("Okafor"));
    assert_eq!(conflict.now.as_deref(), Some("Okafor-Lee"));
    assert_eq!(undone.restored, [two]);
    assert_eq!(undone.removed, 0);
    assert_eq!(undone.stays[0].pupil, new);
    // But for those two all is as before.
    scene.corrects(&admin, one, 1, "Family1").await;
    scene
        .sql(&format!("delete from pupil where id = '{new}'"))
        .await;
    assert_eq!(scene.whole_roll().await, before);
}

#[tokio::test]
async fn whoever_sees_what_would_change_has_looked_at_those_pupils_and_an_overview_keeps_nobody_on_the_roll()
 {
    let mut scene = Scene::new().await;
    let admin = scene.caller(ADMIN).await;
    let first = scene.stages(&admin, lines(0..5)).await.unwrap();
    scene.page(&admin, first).await;
    let looked = "select string_agg(concat_ws(' ', p.last_name, r.basis, r.parts::text), ', ' order by p.last_name)
                  from pupil_read r join pupil p on p.id = r.pupil_id";
    assert_eq!(scene.text(looked).await, "", "nobody is on the roll yet");
    scene.takes(&admin, first).await.unwrap();
    let mut rows = lines(0..7);
    rows[1] = with(rows[1].clone(), &[(3, "Okafor")]);
    rows[2] = with(rows[2].clone(), &[(7, "6A")]);
    let second = scene.stages(&admin, rows).await.unwrap();
    for _ in 0..2 {
        scene.page(&admin, second).await;
    }
    let changed = "Family1 role {roster}, Family2 role {roster}";
    assert_eq!(scene.text(looked).await, changed);
    let mut plain = scene.db.read(&admin).await.unwrap();
    let none = difference::difference(&mut plain, &secrets(), second, None, 0).await;
    assert!(none.is_err());
    drop(plain);
    // A pupil who is taken off the roll meanwhile is no pupil that anybody looks at.
    let one = scene.pupil_of(1).await;
    scene
        .sql(&format!("delete from pupil where id = '{one}'"))
        .await;
    let row = scene.row(&admin, second, 3).await;
    assert_eq!(row.pupil, None);

    // Being in somebody's overview keeps no pupil on the roll who came by mistake; being looked at does.
    let all = "select sec.look_over(array(select id from pupil), 'levels')";
    scene.raw(ADMIN, all).await.unwrap();
    let two = scene.pupil_of(2).await;
    let look = format!("select sec.look_at('{two}', '{{details}}')");
    scene.raw(ADMIN, &look).await.unwrap();
    let undone = scene.undoes(&admin, first).await.unwrap();
    let stays: Vec<_> = undone.stays.iter().map(|one| one.pupil).collect();
    assert_eq!((undone.removed, stays), (3, vec![two]));
}

#[tokio::test]
async fn of_two_rosters_at_once_the_second_leaves_out_what_the_first_has_changed() {
    let (scene, admin) = Scene::with_admin().await;
    let one = scene.stages(&admin, lines(0..5)).await.unwrap();
    let two = scene.stages(&admin, lines(3..8)).await.unwrap();
    assert_eq!(scene.counted(&admin, two).await, [(Verdict::New, 5)]);
    assert_eq!(scene.takes(&admin, one).await.unwrap().added, 5);
    let taken = scene.takes(&admin, two).await.unwrap();
    assert_eq!(taken.added, 3);
    assert_eq!(taken.moved, [2, 3]);
    assert_eq!(scene.takes(&admin, two).await.unwrap_err(), Refusal::Stale);
    // At the very same time neither breaks the other.
    let three = scene.stages(&admin, lines(10..20)).await.unwrap();
    let four = scene.stages(&admin, lines(10..20)).await.unwrap();
    let (left, right) = tokio::join!(scene.takes(&admin, three), scene.takes(&admin, four));
    let (left, right) = (left.unwrap(), right.unwrap());
    assert_eq!(left.added + right.added, 10);
    assert_eq!(left.moved.len() + right.moved.len(), 10);
}

#[tokio::test]
async fn bad_lines_leave_with_their_reasons_and_come_back_put_right() {
    let (mut scene, admin) = Scene::with_admin().await;
    let mut rows = lines(0..4);
    rows[1] = with(
        rows[1].clone(),
        &[(4, "31/02/2017"), (3, "=HYPERLINK(\"x\")")],
    );
    rows[2] = with(rows[2].clone(), &[(0, &upn(3))]);
    let import = scene.stages(&admin, rows).await.unwrap();
    assert_eq!(
        scene.counted(&admin, import).await,
        [(Verdict::New, 1), (Verdict::Bad, 3)]
    );
    let mut read = scene.db.read(&admin).await.unwrap();
    let csv = repair::faults_csv(&mut read, &secrets(), import)
        .await
        .unwrap();
    read.end().await.unwrap();
    assert!(csv.starts_with("\u{feff}UPN,".as_bytes()));
    let mut reader = csv::Reader::from_reader(&csv[3..]);
    let header: Vec<String> = reader
        .headers()
        .unwrap()
        .iter()
        .map(str::to_owned)
        .collect();
    let mut bad: Vec<Vec<String>> = reader
        .records()
        .map(|record| record.unwrap().iter().map(str::to_owned).collect())
        .collect();
    assert_eq!(bad.len(), 3);
    assert_eq!(bad[0][3], "'=HYPERLINK(\"x\")");
    assert!(bad[1][10].contains("same UPN"), "{:?}", bad[1]);
    scene.takes(&admin, import).await.unwrap();
    // Put right in the file that came out, and read again.
    bad[0][4] = "28/02/2017".to_owned();
    bad[1][0] = upn(2);
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let again = scene
        .stages_as(&admin, &header, ("", ""), bad)
        .await
        .unwrap();
    assert_eq!(scene.counted(&admin, again).await, [(Verdict::New, 3)]);
    scene.takes(&admin, again).await.unwrap();
    let name = format!("select last_name from pupil where upn = '{}'", upn(1));
    assert_eq!(scene.text(&name).await, "=HYPERLINK(\"x\")");
}

#[tokio::test]
async fn twins_are_two_a_name_is_confirmed_and_a_number_of_somebody_else_is_refused() {
    let (mut scene, admin) = Scene::with_admin().await;
    let base = with(line(50), &[(0, ""), (1, "9050")]);
    let import = scene
        .stages(&admin, vec![line(1), line(2), line(3), base.clone()])
        .await
        .unwrap();
    scene.takes(&admin, import).await.unwrap();
    let (today, left) = (scene.today().await, scene.pupil_of(3).await);
    change(&scene.db, &admin, async |write| {
        Ok(((), pupil::leave(write, left, today, today).await?))
    })
    .await
    .unwrap();
    let twin = |serial, first| {
        with(
            line(serial),
            &[(2, first), (3, "Okafor"), (4, "09/05/2016")],
        )
    };
    let rows = vec![
        twin(60, "Amara"),
        twin(61, "Chidi"),
        // By name and birthday one who is here without a UPN, under another admission number.
        with(line(50), &[(1, "9051")]),
        // The number of one who left, of one who is somebody else, and two numbers of two pupils.
        line(3),
        with(line(70), &[(0, &upn(1)), (1, "9052")]),
        with(line(2), &[(1, &base[1])]),
    ];
    let import = scene.stages(&admin, rows).await.unwrap();
    let verdicts = async |scene: &Scene| -> Vec<Verdict> {
        let rows = scene.page(&admin, import).await.rows;
        rows.iter().map(|row| row.verdict).collect()
    };
    let code = async |scene: &Scene, line| -> Vec<Code> {
        let row = scene.row(&admin, import, line).await;
        let errors = row
            .faults
            .iter()
            .filter(|fault| fault.severity == Severity::Error);
        errors.map(|fault| fault.code).collect()
    };
    // Whom a number is of already nobody is by name: the last line has the number of the third one's pupil.
    assert_eq!(
        verdicts(&scene).await,
        [
            Verdict::New,
            Verdict::New,
            Verdict::Unsure,
            Verdict::Bad,
            Verdict::Bad,
            Verdict::Bad
        ]
    );
    assert_eq!(code(&scene, 5).await, [Code::PupilLeft]);
    assert_eq!(code(&scene, 6).await, [Code::NumberTaken]);
    assert_eq!(code(&scene, 7).await, [Code::NumberTaken]);
    scene.confirms(&admin, import, 4, true).await;
    assert_eq!(verdicts(&scene).await[2], Verdict::Changed);
    scene.confirms(&admin, import, 4, false).await;
    assert_eq!(verdicts(&scene).await[2], Verdict::New);
    scene.confirms(&admin, import, 4, true).await;
    let taken = scene.takes(&admin, import).await.unwrap();
    assert_eq!((taken.added, taken.changed, taken.not_taken), (2, 1, 3));
    assert_eq!(
        scene
            .text("select upn from pupil where admission_number = '9051'")
            .await,
        upn(50)
    );
}

#[tokio::test]
async fn another_schools_file_is_warned_of_and_can_be_taken_in() {
    let (scene, admin) = Scene::with_admin().await;
    let import = scene.stages(&admin, lines(0..9)).await.unwrap();
    scene.takes(&admin, import).await.unwrap();
    let warned = async |scene: &Scene, import| {
        let mut read = scene.db.read(&admin).await.unwrap();
        difference::other_school(&mut read, import).await.unwrap()
    };
    let own = scene.stages(&admin, lines(0..9)).await.unwrap();
    assert_eq!(warned(&scene, own).await, None);
    let rows = (20..25)
        .map(|serial| with(line(serial), &[(0, &upn_of("9384000", serial))]))
        .collect();
    let other = scene.stages(&admin, rows).await.unwrap();
    let warning = warned(&scene, other).await.unwrap();
    assert_eq!((&*warning.file, &*warning.here), ("938/4000", "801/2000"));
    let said = scene
        .stages_as(&admin, &HEADER, ("207", "0000"), lines(0..9))
        .await
        .unwrap();
    assert_eq!(warned(&scene, said).await.unwrap().file, "207/0000");
    assert_eq!(scene.takes(&admin, other).await.unwrap().added, 5);
}

#[tokio::test]
async fn a_reading_or_taking_that_breaks_off_was_never_there() {
    let (mut scene, admin) = Scene::with_admin().await;
    let import = scene.stages(&admin, lines(0..20)).await.unwrap();
    let before = scene.whole_roll().await;
    let mut write = scene.db.write(&admin).await.unwrap();
    let (taken, _) = taking::take_in(&mut write, &secrets(), import)
        .await
        .unwrap();
    assert_eq!(taken.added, 20);
    drop(write);
    assert_eq!(scene.whole_roll().await, before);
    assert_eq!(scene.takes(&admin, import).await.unwrap().added, 20);
}

#[tokio::test]
async fn nobody_reads_a_roster_but_who_keeps_the_roll() {
    let mut scene = Scene::new().await;
    scene.roll().await;
    let admin = scene.caller(ADMIN).await;
    let first = scene.stages(&admin, lines(0..3)).await.unwrap();
    scene.takes(&admin, first).await.unwrap();
    let import = scene.stages(&admin, lines(2..6)).await.unwrap();
    let tables = ["roster_import", "roster_row", "roster_change"];
    for table in tables {
        let sql = format!("select id::text from {table}");
        assert!(!scene.raw_texts(ADMIN, &sql).await.is_empty(), "{table}");
        for email in [
            TEACHER,
            CLERK,
            CHAIR,
            GOVERNOR,
            PARENT,
            crate::pupil::HEAD,
            crate::pupil::SENCO,
            crate::pupil::ASSISTANT,
        ] {
            let seen = scene.raw_texts(email, &sql).await;
            assert_eq!(seen, Vec::<String>::new(), "{email} {table}");
        }
    }
    for email in [TEACHER, CLERK, crate::pupil::HEAD] {
        let caller = scene.caller(email).await;
        let refused = [
            scene.stages(&caller, lines(0..1)).await.unwrap_err(),
            scene.takes(&caller, import).await.unwrap_err(),
            scene.undoes(&caller, first).await.unwrap_err(),
        ];
        assert_eq!(refused, [const { Refusal::NotAllowed }; 3], "{email}");
    }
    let token = scene
        .behind
        .session(Some("oakfield"), ADMIN, Stand::Full)
        .await;
    let long_ago = scene.at_oakfield(token);
    assert_eq!(
        scene.takes(&long_ago, import).await.unwrap_err(),
        Refusal::StepUpNeeded
    );
    assert_eq!(
        scene.undoes(&long_ago, first).await.unwrap_err(),
        Refusal::StepUpNeeded
    );
}

#[tokio::test]
async fn a_roster_waits_for_seven_days_and_is_undone_within_thirty_one() {
    let (mut scene, admin) = Scene::with_admin().await;
    let first = scene.stages(&admin, lines(0..3)).await.unwrap();
    scene.takes(&admin, first).await.unwrap();
    let waiting = scene.stages(&admin, lines(5..9)).await.unwrap();
    let worker = MailDb::new(scene.fresh.options(Role::Worker), 1);
    let old = |days: &str, hours: &str| {
        format!(
            "update roster_import set made_at = now() - interval '{days} days' + interval '{hours} hours' where state = 'read';
             update roster_import set committed_at = now() - interval '31 days' + interval '{hours} hours' where state = 'committed'"
        )
    };
    let text = "select count(*) || ' ' || (select count(*) from roster_change) from roster_row";
    scene.several(&old("7", "1")).await;
    assert_eq!(worker.rosters_end().await.unwrap(), 0);
    assert_eq!(scene.text(text).await, "4 9");
    let mut read = scene.db.read(&admin).await.unwrap();
    assert!(undo::undo_preview(&mut read, first).await.is_ok());
    read.end().await.unwrap();
    scene.several(&old("7", "0")).await;
    assert_eq!(worker.rosters_end().await.unwrap(), 1);
    assert_eq!(scene.text(text).await, "0 0");
    worker.close().await;
    assert_eq!(
        scene.undoes(&admin, first).await.unwrap_err(),
        Refusal::Roster(Fault::TooLate)
    );
    assert_eq!(
        scene.takes(&admin, waiting).await.unwrap_err(),
        Refusal::Stale
    );
}

/// Numbers that look random and are the same in each run (Marsaglia, Xorshift RNGs, 2003).
struct Random(u64);

impl Random {
    fn below(&mut self, most: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from(self.0 % u64::from(most)).unwrap()
    }
}

#[tokio::test]
async fn whatever_a_roster_says_taking_it_in_and_undoing_it_leaves_all_as_it_was() {
    let mut scene = Scene::new().await;
    scene.roll().await;
    let admin = scene.caller(ADMIN).await;
    let mut random = Random(0x5eed_2026);
    let mut changed = 0;
    for round in 0..12 {
        let mut rows = Vec::new();
        for serial in 0..40 {
            if random.below(4) == 0 {
                continue;
            }
            let form = ["4W", "4K", "5B", "5M", "9Z", ""][at(random.below(6))];
            let class = ["", "Ma1", "Ma2", "En3"][at(random.below(4))];
            let name = format!("Family{}", random.below(3) * 100 + serial);
            let mut row = with(line(serial), &[(3, &name), (7, form), (8, class)]);
            match random.below(12) {
                0 => row[0] = String::new(),
                1 => row[0] = upn(random.below(40)),
                2 => row[1] = format!("{:06}", 1000 + random.below(40)),
                3 => row[4] = "31/02/2017".to_owned(),
                _ => {}
            }
            rows.push(row);
        }
        let before = scene.whole_roll().await;
        let import = scene.stages(&admin, rows.clone()).await.unwrap();
        for row in scene.page(&admin, import).await.rows {
            if row.verdict == Verdict::Unsure {
                let same = random.below(2) == 0;
                scene.confirms(&admin, import, row.line, same).await;
            }
        }
        let taken = scene.takes(&admin, import).await.unwrap();
        assert_eq!(taken.moved, Vec::<u32>::new(), "round {round}");
        changed += taken.added + taken.changed;
        let after = scene.whole_roll().await;
        let again = scene.stages(&admin, rows.clone()).await.unwrap();
        let taken = scene.takes(&admin, again).await.unwrap();
        assert!(taken.is_nothing(), "round {round}: {taken:?}");
        assert_eq!(scene.whole_roll().await, after, "round {round}");
        let undone = scene.undoes(&admin, import).await.unwrap();
        assert_eq!(
            (undone.stays, undone.conflicts),
            (vec![], vec![]),
            "round {round}"
        );
        assert_eq!(scene.whole_roll().await, before, "round {round}");
        // The next one meets what this one left.
        if round % 3 == 0 {
            let import = scene.stages(&admin, rows).await.unwrap();
            scene.takes(&admin, import).await.unwrap();
        }
    }
    assert!(changed > 100, "{changed}");
}

/// A line with what it says of circumstances.
fn told(serial: u32, said: [&str; 3]) -> Vec<String> {
    let mut line = line(serial);
    line.extend(said.map(str::to_owned));
    line
}

impl Scene {
    async fn takes_told(&self, by: &Caller, rows: Vec<Vec<String>>) -> (Uuid, Taken) {
        let header = [&HEADER[..], &["FSM", "SEN", "Home language"]].concat();
        let import = self.stages_as(by, &header, ("", ""), rows).await.unwrap();
        let taken = self.takes(by, import).await.unwrap();
        (import, taken)
    }

    async fn all_tags(&mut self) -> String {
        self.text("select string_agg(t::text, chr(10) order by id) from tag t")
            .await
    }

    async fn trail_of(&self, by: &Caller, pupil: Uuid) -> Vec<Change> {
        let mut read = self.db.read(by).await.unwrap();
        tag::trail(&mut read, &secrets(), pupil).await.unwrap()
    }
}

#[tokio::test]
async fn a_roster_sets_the_circumstances_that_are_switched_on_and_undoing_it_puts_them_back() {
    let (mut scene, admin) = Scene::with_admin().await;
    let today = scene.today().await;
    scene
        .switches_on(&[Field::Fsm, Field::Sen, Field::HomeLanguage])
        .await;
    let first = scene.stages(&admin, lines(0..3)).await.unwrap();
    assert_eq!(scene.takes(&admin, first).await.unwrap().tags, 0);
    let (zero, one, two) = (
        scene.pupil_of(0).await,
        scene.pupil_of(1).await,
        scene.pupil_of(2).await,
    );
    scene
        .tags(&admin, one, TagKind::Sen, "N", today)
        .await
        .unwrap();
    let before = scene.known(&admin, one).await;

    let rows = vec![
        told(0, ["Y", "K", "Zyrqish"]),
        // Silence of the home language changes nothing.
        told(1, ["N", "E", ""]),
        // An empty SEN provision is none, as the census has it.
        told(2, ["", "", ""]),
        told(3, ["Y", "K", "Polish"]),
    ];
    let (second, taken) = scene.takes_told(&admin, rows.clone()).await;
    assert_eq!((taken.added, taken.changed, taken.tags), (1, 3, 9));
    let kinds = |said: &[(TagKind, &str)]| {
        said.iter()
            .map(|(kind, value)| (*kind, (*value).to_owned()))
            .collect::<Vec<_>>()
    };
    let (fsm, sen, language) = (TagKind::Fsm, TagKind::Sen, TagKind::HomeLanguage);
    let three = scene.pupil_of(3).await;
    for (pupil, said) in [
        (zero, &[(fsm, "yes"), (sen, "K"), (language, "Zyrqish")][..]),
        (one, &[(fsm, "no"), (sen, "E")][..]),
        (two, &[(sen, "N")][..]),
        (three, &[(fsm, "yes"), (sen, "K"), (language, "Polish")][..]),
    ] {
        assert_eq!(scene.known(&admin, pupil).await, kinds(said));
    }
    assert_eq!(scene.tables_with("Zyrqish").await, BTreeSet::new());
    let ends = scene
        .text("select string_agg(distinct expires_on::text, ' ') from tag")
        .await;
    assert_eq!(ends, SchoolYear::of(today).last_day().to_string());
    let trail = scene.trail_of(&admin, one).await;
    let line = trail.iter().find(|line| line.kind == sen).unwrap();
    assert_eq!(
        (line.why, line.was.as_deref(), line.became.as_deref()),
        (Why::Set, Some("N"), Some("E"))
    );
    assert_eq!(line.by, Some(scene.name_of(ADMIN).await));

    // The same file again changes nothing, and neither does one that says nothing of it.
    let (tags, lines_of_trail) = (
        scene.all_tags().await,
        "select count(*)::text from tag_change",
    );
    let lines_before = scene.text(lines_of_trail).await;
    let (_, again) = scene.takes_told(&admin, rows).await;
    assert!(again.is_nothing(), "{again:?}");
    let silent = scene.stages(&admin, lines(0..4)).await.unwrap();
    assert!(scene.takes(&admin, silent).await.unwrap().is_nothing());
    assert_eq!(scene.all_tags().await, tags);
    assert_eq!(scene.text(lines_of_trail).await, lines_before);

    let undone = scene.undoes(&admin, second).await.unwrap();
    assert_eq!((undone.removed, undone.restored.len()), (1, 3));
    assert_eq!((undone.stays, undone.conflicts), (vec![], vec![]));
    assert_eq!(scene.known(&admin, one).await, before);
    for pupil in [zero, two] {
        assert_eq!(scene.known(&admin, pupil).await, []);
    }
    assert_eq!(scene.text("select count(*)::text from tag").await, "1");
    let trail = scene.trail_of(&admin, one).await;
    let line = trail.iter().find(|line| line.kind == sen).unwrap();
    assert_eq!(
        (line.why, line.was.as_deref(), line.became.as_deref()),
        (Why::Set, Some("E"), Some("N"))
    );
    let trail = scene.trail_of(&admin, zero).await;
    assert_eq!(
        trail.iter().filter(|line| line.why == Why::Removed).count(),
        3
    );
    assert_eq!(scene.tables_with("Zyrqish").await, BTreeSet::new());
}

#[tokio::test]
async fn a_roster_sets_what_is_so_in_the_place_of_what_was_over_with_the_school_year() {
    let mut scene = Scene::new().await;
    let admin = scene.caller(ADMIN).await;
    scene.switches_on(&[Field::Sen]).await;
    let first: Vec<_> = (0..2).map(|n| told(n, ["", "K", ""])).collect();
    scene.takes_told(&admin, first.clone()).await;
    scene
        .sql("update tag set expires_on = sec.today() - 1")
        .await;
    let (import, taken) = scene.takes_told(&admin, first).await;
    assert_eq!(taken.tags, 2);
    let one = scene.pupil_of(1).await;
    let k = [(TagKind::Sen, "K".to_owned())];
    assert_eq!(scene.known(&admin, one).await, k);
    let trail = scene.trail_of(&admin, one).await;
    let whys: Vec<_> = trail.iter().map(|line| line.why).collect();
    assert_eq!(whys, [Why::Set, Why::Expired, Why::Set]);
    // What was over is not back when it is undone.
    scene.undoes(&admin, import).await.unwrap();
    assert_eq!(scene.text("select count(*)::text from tag").await, "0");
}

#[tokio::test]
async fn of_circumstances_what_somebody_changed_since_stays_and_so_does_the_pupil() {
    let (mut scene, admin) = Scene::with_admin().await;
    let today = scene.today().await;
    scene.switches_on(&[Field::Sen]).await;
    let first = scene.stages(&admin, lines(0..2)).await.unwrap();
    scene.takes(&admin, first).await.unwrap();
    let rows: Vec<_> = (0..4).map(|n| told(n, ["", "K", ""])).collect();
    let (import, taken) = scene.takes_told(&admin, rows).await;
    assert_eq!((taken.added, taken.changed, taken.tags), (2, 2, 4));
    // Of one who was there and of one who is new somebody knows better; the other two are as they were.
    let (was_there, new) = (scene.pupil_of(0).await, scene.pupil_of(2).await);
    for pupil in [was_there, new] {
        scene
            .tags(&admin, pupil, TagKind::Sen, "E", today)
            .await
            .unwrap();
    }
    let mut read = scene.db.read(&admin).await.unwrap();
    let preview = undo::undo_preview(&mut read, import).await.unwrap();
    read.end().await.unwrap();
    let undone = scene.undoes(&admin, import).await.unwrap();
    assert_eq!(undone, preview);
    assert_eq!(undone.restored, [scene.pupil_of(1).await]);
    assert_eq!(undone.removed, 1);
    let stays: Vec<_> = undone.stays.iter().map(|one| one.pupil).collect();
    assert_eq!(stays, [new]);
    let conflicts: Vec<_> = undone
        .conflicts
        .iter()
        .map(|one| (one.pupil, one.field, one.set.clone(), one.now.clone()))
        .collect();
    assert_eq!(conflicts, [(was_there, Field::Sen, None, None)]);
    for pupil in [was_there, new] {
        let known = scene.known(&admin, pupil).await;
        assert_eq!(known, [(TagKind::Sen, "E".to_owned())]);
    }
    assert_eq!(scene.text("select count(*)::text from tag").await, "2");
}

#[tokio::test]
async fn of_circumstances_that_are_switched_off_a_roster_sets_none() {
    let (mut scene, admin) = Scene::with_admin().await;
    scene.switches_on(&[Field::Fsm]).await;
    let (_, taken) = scene
        .takes_told(&admin, vec![told(0, ["", "K", "Zyrqish"])])
        .await;
    assert_eq!((taken.added, taken.tags), (1, 0));
    for table in ["tag", "tag_change", "tenant_key"] {
        let rows = scene
            .text(&format!("select count(*)::text from {table}"))
            .await;
        assert_eq!(rows, "0", "{table}");
    }
    assert_eq!(scene.tables_with("Zyrqish").await, BTreeSet::new());
}

#[tokio::test]
async fn twelve_hundred_pupils_are_taken_in_with_their_circumstances_in_seconds() {
    let (mut scene, admin) = Scene::with_admin().await;
    scene
        .switches_on(&[Field::Fsm, Field::Sen, Field::HomeLanguage])
        .await;
    let rows: Vec<_> = (0..1200)
        .map(|n| {
            told(
                n,
                [["Y", "N"][at(n % 2)], ["K", "N", "E"][at(n % 3)], "Polish"],
            )
        })
        .collect();
    let began = std::time::Instant::now();
    let (import, taken) = scene.takes_told(&admin, rows.clone()).await;
    let took = began.elapsed();
    assert_eq!((taken.added, taken.changed, taken.tags), (1200, 0, 3600));
    assert!(took.as_secs() < 10, "{took:?}");
    let (_, again) = scene.takes_told(&admin, rows).await;
    assert!(again.is_nothing(), "{again:?}");
    let undone = scene.undoes(&admin, import).await.unwrap();
    assert_eq!((undone.removed, undone.stays.len()), (1200, 0));
    println!("1200 lines with circumstances in {took:?}");
    for table in ["tag", "tag_change"] {
        let rows = scene
            .text(&format!("select count(*)::text from {table}"))
            .await;
        assert_eq!(rows, "0", "{table}");
    }
}
