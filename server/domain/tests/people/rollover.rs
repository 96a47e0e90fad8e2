//! The turn of the school year: what would happen is shown, is done once and all at once, and is undone within a month.

use crate::{
    change::change,
    pupil::{ASSISTANT, COVER, HEAD, OTHER_TEACHER, SENCO},
    scene::{ADMIN, CHAIR, CLERK, GOVERNOR, PARENT, Scene, TEACHER},
};
use domain::{
    Refusal,
    db::{Caller, MailDb},
    pupil::{
        self, Fault,
        caseload::{self, Of},
        group::{self, Kind},
        rollover::{
            self, Exception, Fate, GroupWish, Wish,
            doing::{self, Done},
            plan::{self, Plan},
            undo::{self, Undoing, What},
        },
        year::YearGroup,
    },
};
use testing::{Role, Stand};
use time::{Date, Duration, Month};
use uuid::Uuid;

/// First name, year group and date of birth (its year is counted back from the year in which the school year ends),
/// registration group. Cai is a year younger than his class, and Hal's class leaves.
const SCHOOL: [(&str, &str, i32, &str); 8] = [
    ("Ada", "R", 5, "RW"),
    ("Ben", "R", 5, "RW"),
    ("Cai", "1", 5, "1W"),
    ("Dee", "1", 6, "1W"),
    ("Eve", "2", 7, "2W"),
    ("Fay", "2", 7, "2W"),
    ("Gus", "3", 8, "3W"),
    ("Hal", "3", 8, "3W"),
];

fn fault(fault: rollover::Fault) -> Refusal {
    Fault::Rollover(fault).into()
}

fn year(code: &str) -> YearGroup {
    YearGroup::from_code(code).unwrap()
}

/// The last 22 July that is over.
fn last_july(today: Date) -> Date {
    let july = |year| Date::from_calendar_date(year, Month::July, 22).unwrap();
    let this = july(today.year());
    if this < today {
        this
    } else {
        july(today.year() - 1)
    }
}

/// A small school of four year groups. Imran teaches 1W, Jasmine covers 2W for a month more, another teacher has the chess
/// class, and the assistant has Gus.
struct Small {
    admin: Caller,
    today: Date,
    last_day: Date,
}

impl Scene {
    /// The demo with it.
    async fn with_small() -> (Self, Small) {
        let mut scene = Self::new().await;
        let admin = scene.caller(ADMIN).await;
        let today = scene.today().await;
        let last_day = last_july(today);
        let began = last_day - Duration::days(300);
        for (name, year, age, form) in SCHOOL {
            let group = scene.open_once(&admin, Kind::Registration, form).await;
            let born = last_day.year() - age;
            let id = scene
                .text(&format!(
                    "insert into pupil (tenant_id, first_name, last_name, born, year_group, made_at)
                     values ('{}', '{name}', 'Family', '{born}-03-01', '{year}', '{began}') returning id::text",
                    scene.oakfield
                ))
                .await;
            scene
                .joins(&admin, group, id.parse().unwrap(), began)
                .await
                .unwrap();
        }
        let chess = scene.open_once(&admin, Kind::Class, "Chess").await;
        for name in ["Ben", "Dee", "Hal"] {
            let pupil = scene.called(name).await;
            scene.joins(&admin, chess, pupil, began).await.unwrap();
        }
        for (email, of, cover) in [
            (TEACHER, "1W", false),
            (COVER, "2W", true),
            (OTHER_TEACHER, "Chess", false),
            (ASSISTANT, "Gus", false),
        ] {
            let of = if of == "Gus" {
                Of::Pupil(scene.called(of).await)
            } else {
                Of::Group(scene.group_called(of).await)
            };
            let until = cover.then_some(Duration::days(30));
            let ago = Duration::hours(1);
            scene
                .gives_for(&admin, email, of, (ago, until), cover)
                .await;
        }
        let small = Small {
            admin,
            today,
            last_day,
        };
        (scene, small)
    }

    async fn gives_for(
        &mut self,
        by: &Caller,
        email: &str,
        of: Of,
        (ago, lasts): (Duration, Option<Duration>),
        cover: bool,
    ) {
        let (person, now) = (self.place(email).await, self.now().await);
        change(&self.db, by, async |write| {
            caseload::give(
                write,
                person,
                of,
                now - ago,
                lasts.map(|lasts| now + lasts),
                cover,
            )
            .await
        })
        .await
        .unwrap();
    }

    async fn open_once(&mut self, by: &Caller, kind: Kind, name: &str) -> Uuid {
        let found = self
            .text(&format!(
                "select max(id::text) from teaching_group where name = '{name}' and tenant_id = '{}'",
                self.oakfield
            ))
            .await;
        match found.parse() {
            Ok(id) => id,
            Err(_) => self.group(by, kind, name).await.unwrap(),
        }
    }

    async fn called(&mut self, first: &str) -> Uuid {
        self.text(&format!(
            "select id::text from pupil where first_name = '{first}' and last_name = 'Family'"
        ))
        .await
        .parse()
        .unwrap()
    }

    async fn group_called(&mut self, name: &str) -> Uuid {
        self.text(&format!(
            "select id::text from teaching_group where name = '{name}' order by closed_on nulls first limit 1"
        ))
        .await
        .parse()
        .unwrap()
    }

    /// Every row of whatever a turn of the school year changes.
    async fn whole_school(&mut self) -> String {
        self.text(
            "select (select string_agg(p::text, chr(10) order by id) from pupil p)
               || (select string_agg(g::text, chr(10) order by id) from teaching_group g)
               || (select string_agg(x::text, chr(10) order by id) from group_pupil x)
               || (select string_agg(c::text, chr(10) order by id) from caseload c)",
        )
        .await
    }

    /// The year group of each pupil, those who left without one.
    async fn years_now(&mut self) -> String {
        self.text(
            "select string_agg(first_name || ' ' || coalesce('left ' || left_on, year_group), ', ' order by first_name) from pupil
             where last_name = 'Family'",
        )
        .await
    }

    async fn groups_now(&mut self) -> String {
        self.text(
            "select string_agg(g.name || ': ' || coalesce((
               select string_agg(p.first_name, ' ' order by p.first_name) from group_pupil x
               join pupil p on p.tenant_id = x.tenant_id and p.id = x.pupil_id
               where x.group_id = g.id and x.during @> sec.today()), ''), ', ' order by g.name)
             from teaching_group g where closed_on is null",
        )
        .await
    }

    async fn dry_run(&self, by: &Caller, wish: &Wish, today: Date) -> Result<Plan, Refusal> {
        let mut read = self.db.read(by).await?;
        plan::dry_run(&mut read, wish, today).await
    }

    async fn rolls(
        &self,
        by: &Caller,
        wish: &Wish,
        shown: &str,
        today: Date,
    ) -> Result<Done, Refusal> {
        change(&self.db, by, async |write| {
            doing::roll_over(write, wish, shown, today).await
        })
        .await
    }

    async fn rolls_back(&self, by: &Caller, rollover: Uuid) -> Result<Undoing, Refusal> {
        change(&self.db, by, async |write| {
            undo::undo(write, rollover).await
        })
        .await
    }
}

impl Small {
    /// Cai repeats Year 1, Ada skips it, and the chess class goes on with its teacher.
    async fn wish(&self, scene: &mut Scene) -> Wish {
        let mut wish = Wish {
            last_day: Some(self.last_day),
            ..Wish::default()
        };
        let (cai, ada) = (scene.called("Cai").await, scene.called("Ada").await);
        wish.pupils.insert(cai, Exception::Repeats);
        wish.pupils.insert(ada, Exception::Skips);
        let chess = GroupWish {
            fate: Fate::Keep,
            name: "Chess".to_owned(),
            goes_on: true,
        };
        wish.groups.insert(scene.group_called("Chess").await, chess);
        wish
    }

    /// Worked out, looked at and done.
    async fn done(&self, scene: &mut Scene) -> Done {
        let wish = self.wish(scene).await;
        let plan = scene.dry_run(&self.admin, &wish, self.today).await.unwrap();
        scene
            .rolls(&self.admin, &plan.wish(), &plan.shown, self.today)
            .await
            .unwrap()
    }
}

fn fates(plan: &Plan) -> Vec<String> {
    plan.groups
        .iter()
        .map(|group| match group.wish.fate {
            Fate::Carry => format!("{} is {}", group.name, group.wish.name),
            fate => format!("{} {}", group.name, fate.code()),
        })
        .collect()
}

#[tokio::test]
async fn what_would_happen_is_worked_out_from_the_roll_and_changes_nothing() {
    let (mut scene, small) = Scene::with_small().await;
    let before = scene.whole_school().await;
    let wish = Wish {
        last_day: Some(small.last_day),
        ..Wish::default()
    };
    let plan = scene
        .dry_run(&small.admin, &wish, small.today)
        .await
        .unwrap();
    assert_eq!(plan.top, year("3"));
    assert_eq!(plan.school_year.begins(), small.last_day.year());
    let total = plan.total();
    assert_eq!((total.up, total.stay, total.leave), (6, 0, 2));
    assert_eq!(plan.counts[&year("3")].leave, 2);
    let becomes: Vec<_> = plan
        .pupils
        .iter()
        .map(|line| (&*line.name, line.becomes.map(YearGroup::code)))
        .collect();
    assert_eq!(
        becomes,
        [
            ("Family, Ada", Some("1")),
            ("Family, Ben", Some("1")),
            ("Family, Cai", Some("2")),
            ("Family, Dee", Some("2")),
            ("Family, Eve", Some("3")),
            ("Family, Fay", Some("3")),
            ("Family, Gus", None),
            ("Family, Hal", None),
        ]
    );
    // By age he would be a year below; it is a warning, and he goes up all the same.
    let odd: Vec<_> = plan
        .pupils
        .iter()
        .filter_map(|line| Some((&*line.name, line.by_age?.code())))
        .collect();
    assert_eq!(odd, [("Family, Cai", "1")]);
    assert_eq!(
        fates(&plan),
        ["1W is 2W", "2W is 3W", "3W close", "RW is 1W", "Chess keep"]
    );
    let ends: Vec<_> = plan
        .ends
        .iter()
        .map(|one| (&*one.called, one.cover))
        .collect();
    assert_eq!(ends.len(), 4, "{ends:?}");
    assert!(ends.contains(&("2W", true)) && ends.contains(&("Gus Family", false)));
    assert_eq!(plan.without.len(), 4, "{:?}", plan.without);
    assert_eq!(scene.whole_school().await, before);
    assert_eq!(scene.text("select count(*)::text from rollover").await, "0");
    // The same again is the same, and another choice is not.
    let again = scene
        .dry_run(&small.admin, &plan.wish(), small.today)
        .await
        .unwrap();
    assert_eq!(again, plan);
    let other = small.wish(&mut scene).await;
    let other = scene
        .dry_run(&small.admin, &other, small.today)
        .await
        .unwrap();
    assert_ne!(other.shown, plan.shown);
    assert_eq!(other.unregistered, 2);
    assert!(
        !other.ends.iter().any(|one| one.called == "Chess"),
        "{:?}",
        other.ends
    );
}

#[tokio::test]
async fn all_of_it_is_done_in_one_act_and_once() {
    let (mut scene, small) = Scene::with_small().await;
    let acts = scene.text("select count(*)::text from event").await;
    let done = small.done(&mut scene).await;
    assert_eq!((done.moved_up, done.leavers), (5, 2));
    let without = small.last_day + Duration::days(1);
    assert_eq!(
        scene.years_now().await,
        format!("Ada 2, Ben 1, Cai 1, Dee 2, Eve 3, Fay 3, Gus left {without}, Hal left {without}")
    );
    assert_eq!(
        scene.groups_now().await,
        "1W: Ben, 2W: Dee, 3W: Eve Fay, Chess: Ben Dee"
    );
    let now: i64 = scene
        .text("select count(*)::text from event")
        .await
        .parse()
        .unwrap();
    assert_eq!(now, acts.parse::<i64>().unwrap() + 1);
    let detail = scene
        .text("select detail::text from event where act = 'pupil.rolled_over'")
        .await;
    assert!(
        detail.contains("\"pupils\": 7") && detail.contains("\"leavers\": 2"),
        "{detail}"
    );
    assert!(
        !detail.contains("Family") && !detail.contains("1W"),
        "{detail}"
    );
    // Only the chess class goes on.
    let holding = scene
        .text(
            "select string_agg(coalesce(g.name, 'a pupil'), ' ') from caseload c
             left join teaching_group g on g.tenant_id = c.tenant_id and g.id = c.group_id where c.during @> now()",
        )
        .await;
    assert_eq!(holding, "Chess");
    let seen = scene
        .raw_texts(TEACHER, "select first_name from pupil")
        .await;
    assert_eq!(seen, Vec::<String>::new());
    let mut seen = scene
        .raw_texts(OTHER_TEACHER, "select first_name from pupil")
        .await;
    seen.sort();
    assert_eq!(seen, ["Ben", "Dee"]);
    let wish = small.wish(&mut scene).await;
    let plan = scene
        .dry_run(&small.admin, &wish, small.today)
        .await
        .unwrap();
    assert_eq!(
        scene
            .rolls(&small.admin, &plan.wish(), &plan.shown, small.today)
            .await
            .unwrap_err(),
        fault(rollover::Fault::Done)
    );
    // The clock's own look tells each of the three whose caseload ended.
    let worker = MailDb::new(scene.fresh.options(Role::Worker), 1);
    assert_eq!(worker.rights_end().await.unwrap(), 3);
    worker.close().await;
}

#[tokio::test]
async fn what_changed_since_it_was_shown_is_shown_again_and_not_done() {
    let (mut scene, small) = Scene::with_small().await;
    let wish = small.wish(&mut scene).await;
    let plan = scene
        .dry_run(&small.admin, &wish, small.today)
        .await
        .unwrap();
    let dee = scene.called("Dee").await;
    let before = scene.whole_school().await;
    let mut other = plan.wish();
    other.pupils.insert(dee, Exception::Leaves);
    assert_eq!(
        scene
            .rolls(&small.admin, &other, &plan.shown, small.today)
            .await
            .unwrap_err(),
        fault(rollover::Fault::FormChanged)
    );
    assert_eq!(scene.whole_school().await, before);
    // Somebody gives a caseload, or puts a pupil elsewhere, meanwhile.
    for meanwhile in [
        "update pupil set year_group = '2' where first_name = 'Dee' and last_name = 'Family'",
        "update teaching_group set name = '1X' where name = '1W'",
        "update group_pupil set during = daterange(lower(during), sec.today() + 1) where pupil_id in (
           select id from pupil where first_name = 'Dee' and last_name = 'Family') and kind = 'class'",
        "update caseload set during = tstzrange(lower(during), now() + interval '1 day') where cover",
    ] {
        let plan = scene
            .dry_run(&small.admin, &wish, small.today)
            .await
            .unwrap();
        scene.sql(meanwhile).await;
        assert_eq!(
            scene
                .rolls(&small.admin, &plan.wish(), &plan.shown, small.today)
                .await
                .unwrap_err(),
            fault(rollover::Fault::RollChanged),
            "{meanwhile}"
        );
    }
    assert_eq!(scene.text("select count(*)::text from rollover").await, "0");
}

#[tokio::test]
async fn undoing_puts_every_row_back() {
    let (mut scene, small) = Scene::with_small().await;
    // A place and a caseload that have not begun: Hal was to join a class in a week, and somebody was to have 3W.
    let (hal, maths) = (
        scene.called("Hal").await,
        scene.open_once(&small.admin, Kind::Class, "Maths").await,
    );
    scene
        .joins(&small.admin, maths, hal, small.today + Duration::days(7))
        .await
        .unwrap();
    let before = scene.whole_school().await;
    let done = small.done(&mut scene).await;
    assert_ne!(scene.whole_school().await, before);
    let mut read = scene.db.read(&small.admin).await.unwrap();
    let preview = undo::undo_preview(&mut read, done.id).await.unwrap();
    read.end().await.unwrap();
    let undone = scene.rolls_back(&small.admin, done.id).await.unwrap();
    assert_eq!(undone, preview);
    assert_eq!(undone.conflicts, vec![]);
    assert_eq!(
        (
            undone.years,
            undone.leavers,
            undone.groups,
            undone.caseloads
        ),
        (5, 2, 4, 3)
    );
    assert_eq!(scene.whole_school().await, before);
    assert_eq!(
        scene
            .text("select count(*)::text from rollover_change")
            .await,
        "0"
    );
    assert_eq!(
        scene.rolls_back(&small.admin, done.id).await.unwrap_err(),
        Refusal::Stale
    );
    // And it can be done again.
    let again = small.done(&mut scene).await;
    assert_eq!((again.moved_up, again.leavers), (5, 2));
    assert_eq!(
        scene
            .text("select count(*) || ' ' || count(undone_at) from rollover")
            .await,
        "2 1"
    );
}

#[tokio::test]
async fn what_somebody_changed_since_stays_as_they_left_it_and_is_listed() {
    let (mut scene, small) = Scene::with_small().await;
    let (cai, gus) = (scene.called("Cai").await, scene.called("Gus").await);
    let two = scene.group_called("2W").await;
    let done = small.done(&mut scene).await;
    let admin = &small.admin;
    // Ben is put into Year 2, Gus comes back, 2W (which is 3W now) gets a name of its own, Cai joins the new 1W, and Imran has
    // his class again.
    scene
        .sql("update pupil set year_group = '2' where first_name = 'Ben' and last_name = 'Family'")
        .await;
    change(&scene.db, admin, async |write| {
        Ok(((), pupil::come_back(write, gus).await?))
    })
    .await
    .unwrap();
    change(&scene.db, admin, async |write| {
        Ok(((), group::rename(write, two, "Owls").await?))
    })
    .await
    .unwrap();
    let one = scene.group_called("1W").await;
    scene
        .joins(admin, one, cai, small.last_day + Duration::days(1))
        .await
        .unwrap();
    let own = scene.group_called("2W").await;
    scene
        .gives_for(
            admin,
            TEACHER,
            Of::Group(own),
            (Duration::ZERO, None),
            false,
        )
        .await;
    let undone = scene.rolls_back(admin, done.id).await.unwrap();
    let mut conflicts: Vec<_> = undone
        .conflicts
        .iter()
        .map(|one| (one.what, &*one.called, one.now.as_deref()))
        .collect();
    conflicts.sort_by_key(|one| format!("{one:?}"));
    let teacher = scene.text("select m.name from membership m join account a on a.id = m.account_id where a.email = 'teacher1@oakfield.example'").await;
    assert_eq!(
        conflicts,
        [
            (What::Caseload, &*teacher, None),
            (What::Left, "Family, Gus", None),
            (What::Name, "Owls", None),
            (What::Place, "Family, Cai", None),
            (What::Year, "Family, Ben", Some("Year 2")),
        ]
    );
    let left = scene.years_now().await;
    assert_eq!(
        left,
        "Ada R, Ben 2, Cai 1, Dee 1, Eve 2, Fay 2, Gus 3, Hal 3"
    );
    assert_eq!(
        scene.groups_now().await,
        "1W: Dee, 3W: Gus Hal, Chess: Ben Dee Hal, Owls: Eve Fay, RW: Ada Ben Cai"
    );
}

#[tokio::test]
async fn a_name_that_another_group_has_by_now_is_not_taken_from_it() {
    let (mut scene, small) = Scene::with_small().await;
    let done = small.done(&mut scene).await;
    let admin = &small.admin;
    // New Reception: RW is free, since the old one is 1W.
    let new = scene.group(admin, Kind::Registration, "rw").await.unwrap();
    let undone = scene.rolls_back(admin, done.id).await.unwrap();
    let held: Vec<_> = undone
        .conflicts
        .iter()
        .filter(|one| one.what == What::Name)
        .map(|one| (&*one.called, one.was.as_deref()))
        .collect();
    // The old one stays 1W, so that nothing else becomes 1W, and so on up to 3W, which stays closed.
    assert_eq!(
        held,
        [("1W", Some("RW")), ("2W", Some("1W")), ("3W", Some("2W"))]
    );
    assert!(undone.conflicts.iter().any(|one| one.what == What::Closed));
    assert_eq!(
        scene
            .text(&format!(
                "select name from teaching_group where id = '{new}' and closed_on is null"
            ))
            .await,
        "rw"
    );
    // Who was in the closed one is in none, and is told of.
    let apart = undone
        .conflicts
        .iter()
        .filter(|one| one.what == What::Place && one.of.as_deref() == Some("3W"))
        .count();
    assert_eq!(apart, 2);
}

#[tokio::test]
async fn caseloads_end_with_the_last_day_when_that_is_still_to_end() {
    let (mut scene, small) = Scene::with_small().await;
    // On the last day itself: the clocks of the test say it is that day.
    let july = small
        .last_day
        .replace_year(small.last_day.year() + 1)
        .unwrap();
    // Cover that ends anyway ends when it ends.
    let wish = Wish {
        last_day: Some(july),
        ..Wish::default()
    };
    let plan = scene.dry_run(&small.admin, &wish, july).await.unwrap();
    assert!(
        !plan.ends.iter().any(|one| one.cover) || july - small.today < Duration::days(30),
        "{:?}",
        plan.ends
    );
    scene
        .rolls(&small.admin, &plan.wish(), &plan.shown, july)
        .await
        .unwrap();
    let ends = scene
        .text(
            "select string_agg(distinct (upper(during) at time zone 'Europe/London')::text, ' ') from caseload where not cover",
        )
        .await;
    assert_eq!(ends, format!("{} 00:00:00", july + Duration::days(1)));
    // Until then they are seen.
    let mut seen = scene
        .raw_texts(TEACHER, "select first_name from pupil")
        .await;
    seen.sort();
    assert_eq!(seen, ["Cai", "Dee"]);
    let (during, after) = (
        "now() - interval '1 day', now() + interval '1 second'",
        "now() - interval '1 day', now()",
    );
    for (range, sees) in [(during, 2), (after, 0)] {
        let at = format!(
            "update caseload set during = tstzrange({range}) where group_id in (select id from teaching_group where name = '2W')"
        );
        let range = at.replace("now()", "$now");
        let seen = scene
            .sees_while(TEACHER, &range, "select first_name from pupil")
            .await;
        assert_eq!(seen.len(), sees, "{at}");
    }
}

#[tokio::test]
async fn a_last_day_that_no_school_year_has_and_names_that_clash_are_refused() {
    let (mut scene, small) = Scene::with_small().await;
    for last_day in [
        small.today + Duration::days(1),
        small.last_day.replace_month(Month::April).unwrap(),
        small.last_day.replace_year(2019).unwrap(),
    ] {
        let wish = Wish {
            last_day: Some(last_day),
            ..Wish::default()
        };
        assert_eq!(
            scene
                .dry_run(&small.admin, &wish, small.today)
                .await
                .unwrap_err(),
            fault(rollover::Fault::LastDay),
            "{last_day}"
        );
    }
    for (name, wrong) in [
        ("chess", rollover::Fault::NameTaken),
        (" ", rollover::Fault::Name),
        (
            "A name of more than forty characters, which is long",
            rollover::Fault::Name,
        ),
    ] {
        let mut wish = small.wish(&mut scene).await;
        let maths = scene.open_once(&small.admin, Kind::Class, "Maths").await;
        wish.groups.insert(
            maths,
            GroupWish {
                fate: Fate::Carry,
                name: name.to_owned(),
                goes_on: false,
            },
        );
        let plan = scene
            .dry_run(&small.admin, &wish, small.today)
            .await
            .unwrap();
        let marked: Vec<_> = plan
            .groups
            .iter()
            .filter_map(|group| Some((&*group.name, group.wrong?)))
            .collect();
        assert_eq!(marked, [("Maths", wrong)], "{name}");
        assert_eq!(
            scene
                .rolls(&small.admin, &plan.wish(), &plan.shown, small.today)
                .await
                .unwrap_err(),
            fault(wrong)
        );
    }
}

#[tokio::test]
async fn who_came_after_the_last_day_in_their_new_year_group_stays_in_it() {
    let (mut scene, small) = Scene::with_small().await;
    let born = small.last_day.year() - 4;
    for (name, year) in [("Ivy", "R"), ("Jon", "N2")] {
        scene
            .sql(&format!(
                "insert into pupil (tenant_id, first_name, last_name, born, year_group)
                 values ('{}', '{name}', 'Family', '{born}-03-01', '{year}')",
                scene.oakfield
            ))
            .await;
    }
    let wish = Wish {
        last_day: Some(small.last_day),
        ..Wish::default()
    };
    let line = async |scene: &Scene, wish: &Wish, name: &str| {
        let plan = scene
            .dry_run(&small.admin, wish, small.today)
            .await
            .unwrap();
        let line = plan.pupils.iter().find(|line| line.name.ends_with(name));
        let line = line.unwrap();
        (line.new, line.becomes.map(YearGroup::code))
    };
    assert_eq!(line(&scene, &wish, "Ivy").await, (true, Some("R")));
    // His year is last year's.
    assert_eq!(line(&scene, &wish, "Jon").await, (false, Some("R")));
    let mut wish = wish;
    let ivy = scene.called("Ivy").await;
    wish.pupils.insert(ivy, Exception::GoesUp);
    assert_eq!(line(&scene, &wish, "Ivy").await, (true, Some("1")));
}

#[tokio::test]
async fn nobody_moves_the_roll_up_but_who_keeps_it() {
    let (mut scene, small) = Scene::with_small().await;
    let wish = small.wish(&mut scene).await;
    let plan = scene
        .dry_run(&small.admin, &wish, small.today)
        .await
        .unwrap();
    let wish = plan.wish();
    for email in [TEACHER, HEAD, SENCO, CLERK] {
        let caller = scene.caller(email).await;
        assert_eq!(
            scene
                .dry_run(&caller, &wish, small.today)
                .await
                .unwrap_err(),
            Refusal::NotAllowed,
            "{email}"
        );
        assert_eq!(
            scene
                .rolls(&caller, &wish, &plan.shown, small.today)
                .await
                .unwrap_err(),
            Refusal::NotAllowed,
            "{email}"
        );
    }
    let token = scene
        .behind
        .session(Some("oakfield"), ADMIN, Stand::Full)
        .await;
    let long_ago = scene.at_oakfield(token);
    assert_eq!(
        scene
            .rolls(&long_ago, &wish, &plan.shown, small.today)
            .await
            .unwrap_err(),
        Refusal::StepUpNeeded
    );
    let done = scene
        .rolls(&small.admin, &wish, &plan.shown, small.today)
        .await
        .unwrap();
    assert_eq!(
        scene.rolls_back(&long_ago, done.id).await.unwrap_err(),
        Refusal::StepUpNeeded
    );
    // The row policies alone.
    let oakfield = scene.oakfield;
    let (rows, changes) = (
        "select id::text from rollover",
        "select id::text from rollover_change",
    );
    assert_eq!(scene.raw_texts(ADMIN, rows).await.len(), 1);
    assert!(scene.raw_texts(ADMIN, changes).await.len() > 10);
    for email in [
        TEACHER, HEAD, SENCO, ASSISTANT, CLERK, CHAIR, GOVERNOR, PARENT,
    ] {
        for sql in [rows, changes] {
            assert_eq!(
                scene.raw_texts(email, sql).await,
                Vec::<String>::new(),
                "{email} {sql}"
            );
        }
        let own = scene.place(email).await;
        for (sql, told) in [
            (
                format!(
                    "insert into rollover (tenant_id, school_year, last_day, made_by, moved_up, leavers)
                     values ('{oakfield}', 2020, '2020-07-22', '{own}', 0, 0)"
                ),
                Err("42501".to_owned()),
            ),
            (
                format!(
                    "insert into rollover_change (tenant_id, rollover_id, what) values ('{oakfield}', '{}', 'year')",
                    done.id
                ),
                Err("42501".to_owned()),
            ),
            ("update rollover set undone_at = now()".to_owned(), Ok(0)),
            ("delete from rollover_change".to_owned(), Ok(0)),
        ] {
            assert_eq!(scene.raw(email, &sql).await, told, "{email} {sql}");
        }
    }
    let northgate = scene
        .behind
        .caller("northgate", "admin@northgate.example")
        .await;
    assert_eq!(
        scene.rolls_back(&northgate, done.id).await.unwrap_err(),
        Refusal::NotFound
    );
    // In somebody else's name not even an administrator.
    let head = scene.place(HEAD).await;
    let sql = format!(
        "insert into rollover (tenant_id, school_year, last_day, made_by, moved_up, leavers)
         values ('{oakfield}', 2020, '2020-07-22', '{head}', 0, 0)"
    );
    assert_eq!(
        scene.raw(ADMIN, &sql).await,
        Err("42501".to_owned()),
        "{sql}"
    );
    scene.rolls_back(&small.admin, done.id).await.unwrap();
}

#[tokio::test]
async fn it_is_undone_within_thirty_one_days_and_then_forgotten() {
    let (mut scene, small) = Scene::with_small().await;
    let done = small.done(&mut scene).await;
    let worker = MailDb::new(scene.fresh.options(Role::Worker), 1);
    let old = |hours: &str| {
        format!(
            "update rollover set made_at = now() - interval '31 days' + interval '{hours} hours'"
        )
    };
    scene.sql(&old("1")).await;
    assert_eq!(worker.rollovers_end().await.unwrap(), 0);
    let mut read = scene.db.read(&small.admin).await.unwrap();
    assert!(undo::undo_preview(&mut read, done.id).await.is_ok());
    read.end().await.unwrap();
    scene.sql(&old("0")).await;
    assert_eq!(worker.rollovers_end().await.unwrap(), 1);
    worker.close().await;
    assert_eq!(
        scene
            .text("select count(*)::text from rollover_change")
            .await,
        "0"
    );
    assert_eq!(
        scene.rolls_back(&small.admin, done.id).await.unwrap_err(),
        fault(rollover::Fault::TooLate)
    );
}

#[tokio::test]
async fn twelve_hundred_pupils_go_up_and_back_in_seconds() {
    let (mut scene, small) = Scene::with_small().await;
    let began = small.last_day - Duration::days(300);
    let oakfield = scene.oakfield;
    scene
        .sql(&format!(
            "with forms as (
               insert into teaching_group (tenant_id, kind, name)
               select '{oakfield}', 'registration', y || f from generate_series(7, 11) y, unnest(array['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H']) f
               returning id, name
             ), pupils as (
               insert into pupil (tenant_id, first_name, last_name, born, year_group, made_at)
               select '{oakfield}', f.id::text, 'Large' || n, ('{}-03-01'::date - ((regexp_replace(f.name, '[A-H]', '')::integer + 5) * 365)),
                 regexp_replace(f.name, '[A-H]', ''), '{began}'
               from forms f, generate_series(1, 30) n returning id, first_name
             )
             insert into group_pupil (tenant_id, group_id, kind, pupil_id, during)
             select '{oakfield}', first_name::uuid, 'registration', id, daterange('{began}', null) from pupils",
            small.last_day.year()
        ))
        .await;
    let before = scene.whole_school().await;
    let wish = Wish {
        last_day: Some(small.last_day),
        ..Wish::default()
    };
    let clock = std::time::Instant::now();
    let plan = scene
        .dry_run(&small.admin, &wish, small.today)
        .await
        .unwrap();
    assert_eq!(plan.top, year("11"));
    assert_eq!(plan.counts[&year("11")].leave, 240);
    assert_eq!(plan.fault(), None, "{:?}", fates(&plan));
    let done = scene
        .rolls(&small.admin, &plan.wish(), &plan.shown, small.today)
        .await
        .unwrap();
    // Those of the small school are in Year 4 at most.
    assert_eq!((done.moved_up, done.leavers), (968, 240));
    let undone = scene.rolls_back(&small.admin, done.id).await.unwrap();
    assert_eq!(undone.conflicts, vec![]);
    assert!(clock.elapsed().as_secs() < 10, "{:?}", clock.elapsed());
    assert_eq!(scene.whole_school().await, before);
}
