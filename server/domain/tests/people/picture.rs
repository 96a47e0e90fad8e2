//! The school's picture: made once a day, of numbers that an independent count finds too, with nothing small in it anywhere,
//! and read by nobody but those who see every pupil of the school in any case.

use crate::{
    change::change,
    pupil::{ASSISTANT, HEAD, OTHER_TEACHER, SENCO},
    scene::{ADMIN, CHAIR, CLERK, GOVERNOR, JOAN, PARENT, Scene, TEACHER, hex},
};
use domain::{
    Refusal,
    audit::{self, Filter as LogFilter},
    db::{Caller, MailDb},
    live::{Topic, may_watch},
    pupil::{
        duty,
        field::{Field, TagKind},
        tag,
    },
    suppression::Cell,
    wellbeing::{
        Domain, Level,
        picture::{self, Band, By, Frozen, School},
        record::{self, Checked},
    },
};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _, Row as _};
use testing::{Role, secrets};
use time::Duration;
use uuid::Uuid;

const FOLASADE: &str = "admin@beacon.example";
const CATRIONA: &str = "lead@beacon.example";
const HANA: &str = "hana@harbour.example";

/// In no dictionary, so that it is found wherever it stands.
const CANARY: &str = "Xylophonian";

impl Scene {
    /// Thirty pupils in each of two years, the first of whom were checked in with.
    async fn sixty(&mut self) -> Vec<Uuid> {
        let tenant = self.oakfield;
        let mut pupils = Vec::new();
        for year in ["4", "5"] {
            let sql = format!(
                "with made as (
                   insert into pupil (tenant_id, first_name, last_name, born, year_group)
                   select '{tenant}', '{CANARY}', 'Child ' || lpad(n::text, 3, '0'), '2016-05-09', '{year}'
                   from generate_series(1, 30) n returning id, last_name
                 ) select string_agg(id::text, ' ' order by last_name) from made"
            );
            let ids = self.text(&sql).await;
            pupils.extend(ids.split(' ').map(|id| Uuid::try_parse(id).unwrap()));
        }
        // Of each year eight are in difficulty, three are mixed, fourteen are well, and five were not seen.
        for year in pupils.chunks(30) {
            self.check_in(&year[..8], 2, 2).await;
            self.check_in(&year[8..11], 3, 2).await;
            self.check_in(&year[11..25], 5, 2).await;
        }
        pupils
    }

    /// The SENCO checks in with them, some days ago.
    async fn check_in(&mut self, pupils: &[Uuid], level: u8, days: i64) {
        let (harriet, now) = (self.caller(SENCO).await, self.now().await);
        let levels = [(Domain::Safe, Level::try_from(level).unwrap())];
        let row: Vec<Checked<'_>> = (pupils.iter())
            .map(|pupil| Checked {
                pupil: *pupil,
                levels: &levels,
                note: "",
            })
            .collect();
        change(&self.db, &harriet, async |write| {
            record::check_in(write, &row, now - Duration::days(days)).await
        })
        .await
        .unwrap();
    }

    async fn makes(&self, caller: &Caller) -> Result<bool, Refusal> {
        picture::make(&self.db, caller, &secrets()).await
    }

    async fn newest(&self, caller: &Caller) -> Result<Option<Frozen>, Refusal> {
        picture::newest(&mut self.db.read(caller).await?).await
    }

    /// Today's, as the SENCO reads it.
    async fn today_made(&mut self) -> Frozen {
        let harriet = self.caller(SENCO).await;
        assert_eq!(self.makes(&harriet).await, Ok(true));
        let made = self.newest(&harriet).await.unwrap().unwrap();
        assert!(made.today);
        made
    }

    /// What was made is so many days old.
    async fn days_pass(&mut self, days: u16) {
        // In two steps: one picture's day may be another's for a moment.
        for by in [i32::from(days) + 10_000, -10_000] {
            self.sql(&format!("update picture set day = day - ({by})"))
                .await;
        }
    }

    async fn tags_sen(&mut self, pupils: &[Uuid]) {
        let (admin, today) = (self.caller(ADMIN).await, self.today().await);
        for pupil in pupils {
            change(&self.db, &admin, async |write| {
                let kind = TagKind::Sen;
                let act = tag::set(write, &secrets(), *pupil, kind, "K", today).await?;
                Ok(((), act))
            })
            .await
            .unwrap();
        }
    }

    async fn switches(&mut self, field: Field) {
        let admin = self.caller(ADMIN).await;
        change(&self.db, &admin, async |write| {
            let purpose = "To see how they are as a group.";
            Ok(((), duty::switch_on(write, field, purpose).await?))
        })
        .await
        .unwrap();
    }

    /// What any SQL of somebody's own shows them at a tenant, as text.
    async fn sql_of(&mut self, label: &str, email: &str, sql: &str) -> Vec<String> {
        let token = hex(self.behind.caller(label, email).await.token.bytes());
        let mut web = self.fresh.options(Role::Web).connect().await.unwrap();
        let begin = format!("begin; select sec.enter('\\x{token}')");
        web.execute(sqlx::raw_sql(AssertSqlSafe(begin)))
            .await
            .unwrap();
        let rows = web
            .fetch_all(sqlx::raw_sql(AssertSqlSafe(sql.to_owned())))
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        rows.iter().map(|row| row.get(0)).collect()
    }

    async fn of_trust(&mut self, label: &str, email: &str) -> Result<Vec<School>, Refusal> {
        let caller = self.behind.caller(label, email).await;
        picture::of_trust(&mut self.db.read(&caller).await?).await
    }

    /// Pupils of a year whose newest level is one of these, counted without any code of the picture.
    async fn levels_of(&mut self, year: &str, levels: &str) -> u32 {
        let sql = format!(
            "select count(*)::text from pupil p where p.year_group = '{year}' and (
               select s.value from score s join record r on r.id = s.record_id
               where s.pupil_id = p.id and s.domain = 'safe' order by r.happened_at desc limit 1) in ({levels})"
        );
        self.text(&sql).await.parse().unwrap()
    }
}

fn safe(picture: &Frozen) -> &picture::Told {
    picture.table(By::Year, Domain::Safe).unwrap()
}

#[tokio::test]
async fn the_numbers_are_those_of_an_independent_count_and_nothing_small_is_in_the_database() {
    let mut scene = Scene::new().await;
    let pupils = scene.sixty().await;
    // Only the newest counts, and only of the last six weeks.
    scene.check_in(&pupils[..1], 5, 3).await;
    scene.check_in(&pupils[25..28], 1, 50).await;
    let made = scene.today_made().await;
    let table = &safe(&made).released;
    assert_eq!(table.rows.values, ["Year 4", "Year 5"]);
    for (row, year) in ["4", "5"].into_iter().enumerate() {
        let low = scene.levels_of(year, "1, 2").await - if year == "4" { 3 } else { 0 };
        assert_eq!(low, 8);
        let high = scene.levels_of(year, "4, 5").await;
        for (band, count) in [(0, low), (2, high)] {
            let cell = table.cells[row][band];
            assert!(cell == Cell::Shown(count) || cell == Cell::Hidden, "{band}");
        }
        // Three are mixed.
        assert_eq!(table.cells[row][1], Cell::Hidden);
        assert_eq!(table.row_totals[row], Cell::Shown(30));
    }
    assert_eq!(table.total, Cell::Shown(60));
    assert_eq!(table.cells[0][2], Cell::Shown(14));
    let bands = Band::ALL.map(|band| band.name().to_owned());
    assert_eq!(table.columns.as_ref().unwrap().values, bands);

    let kept = scene
        .text("select string_agg(t.released::text || p.counted::text, ' ') from picture_table t join picture p on p.id = t.picture_id")
        .await;
    assert!(kept.contains("null") && !kept.contains(CANARY), "{kept}");
    assert!(
        pupils
            .iter()
            .all(|pupil| !kept.contains(&pupil.to_string()))
    );
    let small = made
        .tables
        .iter()
        .flat_map(|told| told.released.every())
        .filter(|cell| cell.count().is_some_and(|count| count < 5))
        .count();
    assert_eq!(small, 0);
}

#[tokio::test]
async fn two_who_look_first_at_once_make_one_and_who_looks_later_makes_none() {
    let mut scene = Scene::new().await;
    scene.sixty().await;
    let (harriet, head) = (scene.caller(SENCO).await, scene.caller(HEAD).await);
    let (one, other) = tokio::join!(scene.makes(&harriet), scene.makes(&head));
    let made = [one.unwrap(), other.unwrap()];
    assert_eq!(made.iter().filter(|made| **made).count(), 1, "{made:?}");
    assert_eq!(scene.makes(&harriet).await, Ok(false));
    assert_eq!(scene.text("select count(*)::text from picture").await, "1");
    let events = "select count(*) || ' ' || max(detail::text) || ' ' || max(topics::text) from event where act = 'picture.released'";
    let told = scene.text(events).await;
    let today = scene.today().await;
    assert!(told.starts_with("1 "), "{told}");
    assert!(told.contains(&today.to_string()), "{told}");
    assert!(told.ends_with("{school-picture}"), "{told}");
    assert!(told.contains("\"pupils\": null"), "{told}");
    // A number made during the day waits for tomorrow.
    assert_eq!(
        scene.newest(&harriet).await,
        scene.newest(&head).await,
        "two readers"
    );
}

#[tokio::test]
async fn a_school_without_pupils_has_no_picture() {
    let mut scene = Scene::new().await;
    scene.sql("delete from pupil").await;
    let harriet = scene.caller(SENCO).await;
    assert_eq!(scene.makes(&harriet).await, Ok(false));
    assert_eq!(scene.newest(&harriet).await, Ok(None));
}

#[tokio::test]
async fn who_compares_two_days_between_which_one_child_moved_learns_nothing() {
    let mut scene = Scene::new().await;
    let pupils = scene.sixty().await;
    scene.switches(Field::Sen).await;
    scene.tags_sen(&pupils[..12]).await;
    let first = scene.today_made().await;
    assert_eq!(first.rows(), [By::Year, By::Tag(TagKind::Sen)]);
    scene.days_pass(1).await;

    // The last of eight is well now, and somebody who was not seen is in difficulty: counted as they are, it would be told.
    scene.check_in(&pupils[7..8], 5, 1).await;
    scene.tags_sen(&pupils[12..13]).await;
    let second = scene.today_made().await;
    assert_eq!(second.tables, first.tables);
    let pictures = "select count(*)::text from picture";
    assert_eq!(scene.raw_texts(SENCO, pictures).await, ["2"]);

    // With four others it is told how many, and nothing that was hidden.
    scene.days_pass(1).await;
    scene.check_in(&pupils[12..16], 1, 0).await;
    let third = scene.today_made().await;
    assert_ne!(third.tables, second.tables);
    let (was, is) = (&safe(&second).released, &safe(&third).released);
    for (was, is) in was.every().zip(is.every()) {
        assert!(is.count().is_none_or(|count| count >= 5));
        assert!(
            was != Cell::Hidden || is == Cell::Hidden,
            "{was:?} is told of as {is:?}"
        );
    }
    // Who has special needs is counted as it was: one more of them is one child.
    assert_eq!(
        third.table(By::Tag(TagKind::Sen), Domain::Active),
        first.table(By::Tag(TagKind::Sen), Domain::Active)
    );
}

#[tokio::test]
async fn who_compares_two_days_between_which_one_child_changed_year_group_learns_nothing() {
    let mut scene = Scene::new().await;
    let pupils = scene.sixty().await;
    let first = scene.today_made().await;
    assert_eq!(safe(&first).released.row_totals, [Cell::Shown(30); 2]);
    let up = |pupils: &[Uuid]| {
        let ids: Vec<String> = pupils.iter().map(|id| format!("'{id}'")).collect();
        format!(
            "update pupil set year_group = '5' where id in ({})",
            ids.join(", ")
        )
    };
    for pupil in &pupils[..4] {
        scene.days_pass(1).await;
        scene.sql(&up(std::slice::from_ref(pupil))).await;
        assert_eq!(scene.today_made().await.tables, first.tables);
    }
    // What else is saved of a pupil leaves no line, and only who sees the school reads one.
    scene
        .sql("update pupil set year_group = year_group, sex = 'F'")
        .await;
    for (email, rows) in [
        (SENCO, 4),
        (ADMIN, 4),
        (TEACHER, 0),
        (CLERK, 0),
        (PARENT, 0),
    ] {
        let sql = "select from year_change";
        assert_eq!(scene.raw(email, sql).await, Ok(rows), "{email}");
    }
    for sql in [
        "update year_change set was = '5'",
        "delete from year_change",
        "insert into year_change (tenant_id, pupil_id, was) select tenant_id, pupil_id, was from year_change",
    ] {
        assert_eq!(scene.raw(ADMIN, sql).await.unwrap_err(), "42501", "{sql}");
    }
    // With a fifth it is told how many.
    scene.days_pass(1).await;
    scene.sql(&up(&pupils[4..5])).await;
    let five = scene.today_made().await;
    let totals = [Cell::Shown(25), Cell::Shown(35)];
    assert_eq!(safe(&five).released.row_totals, totals);
    // The outsider: without their trail one child is told of.
    scene
        .sql("alter table pupil disable trigger year_leaves_trail")
        .await;
    scene.days_pass(1).await;
    scene.sql(&up(&pupils[5..6])).await;
    let told = scene.today_made().await;
    assert_eq!(
        safe(&told).released.row_totals,
        [Cell::Shown(24), Cell::Shown(36)]
    );
    // The lines go when no picture is held against one of their time any more.
    let worker = MailDb::new(scene.fresh.options(Role::Worker), 1);
    assert_eq!(worker.years_forgotten().await, Ok(0));
    scene
        .sql(&format!(
            "update year_change set at = at - interval '50 days' where pupil_id = '{}'",
            pupils[0]
        ))
        .await;
    assert_eq!(worker.years_forgotten().await, Ok(1));
    worker.close().await;
}

#[tokio::test]
async fn a_circumstance_is_counted_while_it_is_kept_and_looked_after_never() {
    let mut scene = Scene::new().await;
    let pupils = scene.sixty().await;
    for field in [Field::Sen, Field::LookedAfter] {
        scene.switches(field).await;
    }
    scene.tags_sen(&pupils[..12]).await;
    let made = scene.today_made().await;
    assert_eq!(made.rows(), [By::Year, By::Tag(TagKind::Sen)]);
    let sen = made.table(By::Tag(TagKind::Sen), Domain::Safe).unwrap();
    assert_eq!(sen.released.row_totals, [Cell::Shown(12), Cell::Shown(48)]);
    let admin = scene.caller(ADMIN).await;
    change(&scene.db, &admin, async |write| {
        Ok(((), duty::switch_off(write, Field::Sen).await?))
    })
    .await
    .unwrap();
    scene.days_pass(1).await;
    assert_eq!(scene.today_made().await.rows(), [By::Year]);
}

#[tokio::test]
async fn nobody_reads_it_but_who_sees_the_school_whatever_sql_they_write() {
    let mut scene = Scene::new().await;
    scene.sixty().await;
    let made = scene.today_made().await;
    let all = made.tables.len().to_string();
    let count = "select count(*)::text from picture_table";
    for email in [SENCO, HEAD, ADMIN] {
        let caller = scene.caller(email).await;
        assert_eq!(scene.newest(&caller).await.unwrap().as_ref(), Some(&made));
        assert_eq!(
            scene.raw_texts(email, count).await,
            std::slice::from_ref(&all)
        );
    }
    for email in [
        TEACHER,
        ASSISTANT,
        OTHER_TEACHER,
        CLERK,
        CHAIR,
        GOVERNOR,
        PARENT,
    ] {
        let caller = scene.caller(email).await;
        assert_eq!(scene.newest(&caller).await, Err(Refusal::NotFound));
        assert_eq!(scene.makes(&caller).await, Err(Refusal::NotFound));
        for table in ["picture", "picture_table"] {
            let sql = format!("select from {table}");
            assert_eq!(scene.raw(email, &sql).await, Ok(0), "{email} in {table}");
        }
        let sql = "select from sec.trust_pictures()";
        assert_eq!(scene.raw(email, sql).await, Ok(0), "{email}");
        let watches = may_watch(&mut scene.reading(&caller).await, Topic::SchoolPicture).await;
        assert_eq!(watches, Ok(false), "{email}");
    }
    assert_eq!(
        scene.sql_of("northgate", JOAN, count).await,
        ["0".to_owned()]
    );
    // A clerk reads the log, and nothing of this in it.
    let (clerk, admin) = (scene.caller(CLERK).await, scene.caller(ADMIN).await);
    for (caller, seen) in [(clerk, 0), (admin, 1)] {
        let mut read = scene.reading(&caller).await;
        let page = audit::timeline(&mut read, &LogFilter::default(), None)
            .await
            .unwrap();
        let acts = page
            .entries
            .iter()
            .filter(|one| one.act == "picture.released");
        assert_eq!(acts.count(), seen);
    }
    // The outsider: if teachers were among those who see the school, he would read it.
    scene
        .rewrite("sec.sees_school()", "'senco'", "'senco', 'teacher'")
        .await;
    assert_eq!(scene.raw_texts(TEACHER, count).await, [all]);
}

#[tokio::test]
async fn nobody_writes_a_small_number_nor_into_a_picture_that_is_made() {
    let mut scene = Scene::new().await;
    scene.sixty().await;
    scene.today_made().await;
    let add = |number: u32| {
        format!(
            "insert into picture_table (tenant_id, picture_id, place, by_what, domain, released)
             select sec.tenant(), id, 90, 'fsm', 'safe', '{{\"cells\": [[{number}]]}}' from picture"
        )
    };
    assert_eq!(scene.raw(SENCO, &add(12)).await.unwrap_err(), "42501");
    for sql in [
        "update picture set day = day",
        "delete from picture",
        "update picture_table set place = place",
        "delete from picture_table",
        "insert into picture (tenant_id, day, made_by, counted) values (sec.tenant(), sec.today() + 1, sec.membership(), '{}')",
    ] {
        assert_eq!(scene.raw(SENCO, sql).await.unwrap_err(), "42501", "{sql}");
    }
    scene.days_pass(1).await;
    let make = |number: u32| {
        format!(
            "insert into picture (tenant_id, day, made_by, counted) values (sec.tenant(), sec.today(), sec.membership(), '{{}}');
             insert into picture_table (tenant_id, picture_id, place, by_what, domain, released)
             select sec.tenant(), id, 90, 'fsm', 'safe', '{{\"cells\": [[{number}, null]]}}' from picture where day = sec.today()"
        )
    };
    for number in [0, 4] {
        assert_eq!(
            scene.raw(SENCO, &make(number)).await.unwrap_err(),
            "23514 picture_table_small_hidden"
        );
    }
    assert_eq!(scene.raw(TEACHER, &make(12)).await.unwrap_err(), "42501");
    scene.raw(SENCO, &make(5)).await.unwrap();
    // The outsider: without the rule that it is being made, anybody who sees the school adds to what was told.
    assert_eq!(
        scene
            .raw(SENCO, &add(12).replace("90", "91").replace("fsm", "sen"))
            .await
            .unwrap_err(),
        "42501"
    );
    scene
        .rewrite("sec.makes_picture(uuid)", " and p.made_at = now()", "")
        .await;
    let sql = add(12).replace("90", "91").replace("fsm", "sen");
    assert!(scene.raw(SENCO, &sql).await.is_ok());
}

#[tokio::test]
async fn a_trusts_leaders_see_whole_schools_of_their_own_and_nobody_else_of_another() {
    let mut scene = Scene::new().await;
    let pupils = scene.sixty().await;
    scene.switches(Field::Sen).await;
    scene.tags_sen(&pupils[..12]).await;
    let made = scene.today_made().await;
    scene.behind.open("harbour", "Harbour Trust", "trust").await;
    scene.sql("select sec.make_tenant('quay', 'Quay School', 'school', trust => (select id from tenant where label = 'harbour'))").await;
    scene
        .behind
        .join("harbour", HANA, "Hana Novak", &["trust_lead"])
        .await;
    scene
        .behind
        .join("beacon", "uma@beacon.example", "Uma Sharpe", &["clerk"])
        .await;
    for email in [FOLASADE, CATRIONA] {
        let schools = scene.of_trust("beacon", email).await.unwrap();
        let oakfield = schools.iter().find(|one| one.label == "oakfield").unwrap();
        assert_eq!(oakfield.day.as_ref(), Some(&made.day));
        let table = &safe(&made).released;
        let (domain, cells, total) = &oakfield.levels[0];
        assert_eq!((*domain, *total), (Domain::Safe, Cell::Shown(60)));
        assert_eq!(cells[..], table.column_totals);
        assert_eq!(oakfield.levels.len(), Domain::ALL.len());
        let northgate = schools.iter().find(|one| one.label == "northgate").unwrap();
        assert_eq!((&northgate.day, northgate.levels.len()), (&None, 0));
    }
    let whole = "select to_jsonb(s)::text from sec.trust_pictures() s";
    for row in scene.sql_of("beacon", CATRIONA, whole).await {
        for never in ["Year 4", "SEN", "special", CANARY] {
            assert!(!row.contains(never), "{row}");
        }
    }
    for table in ["picture", "picture_table", "pupil", "score"] {
        let sql = format!("select count(*)::text from {table}");
        let seen = scene.sql_of("beacon", CATRIONA, &sql).await;
        assert_eq!(seen, ["0".to_owned()], "{table}");
    }
    let other = scene.of_trust("harbour", HANA).await.unwrap();
    assert_eq!(other.len(), 1);
    assert_eq!(
        (other[0].label.as_str(), other[0].levels.len()),
        ("quay", 0)
    );
    for (label, email) in [
        ("beacon", "uma@beacon.example"),
        ("oakfield", SENCO),
        ("oakfield", GOVERNOR),
    ] {
        assert_eq!(
            scene.of_trust(label, email).await,
            Err(Refusal::NotFound),
            "{email}"
        );
        assert_eq!(scene.sql_of(label, email, whole).await, [] as [&str; 0]);
    }
    // The outsider: without her trust's name in it she would be told of Oakfield.
    scene
        .rewrite("sec.trust_pictures()", "t.trust_id = sec.tenant()", "true")
        .await;
    let told = scene.sql_of("harbour", HANA, whole).await;
    assert!(told.iter().any(|row| row.contains("oakfield")));
}
