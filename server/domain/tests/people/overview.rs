//! A trust's schools side by side: each number is the one on the school's own pages, and nobody else gets it.

use crate::{
    office::days,
    scene::{ADMIN, CLERK, GOVERNOR, JOAN, PARENT, Scene, hex},
};
use domain::{
    Refusal,
    board::Category,
    db::Caller,
    membership::State,
    overview::{self, Figures, School},
};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, Row as _};
use testing::Role;
use time::Date;

const FOLASADE: &str = "admin@beacon.example";
const CATRIONA: &str = "lead@beacon.example";
const UMA: &str = "uma@beacon.example";
const GIL: &str = "gil@beacon.example";
const HANA: &str = "hana@harbour.example";

impl Scene {
    async fn schools(&self, caller: &Caller) -> Result<Vec<School>, Refusal> {
        let mut read = self.db.read(caller).await?;
        overview::schools(&mut read).await
    }

    /// Oakfield's numbers, as the leader of its trust sees them.
    async fn figures(&mut self) -> Figures {
        let lead = self.behind.caller("beacon", CATRIONA).await;
        let schools = self.schools(&lead).await.unwrap();
        let oakfield = schools
            .into_iter()
            .find(|school| school.label == "oakfield");
        oakfield.unwrap().figures
    }

    /// The same numbers from a school's own pages, as its administrator reads them.
    async fn own(&mut self, label: &str, today: Date) -> Figures {
        let admin = self
            .behind
            .caller(label, &format!("admin@{label}.example"))
            .await;
        let board = self.board(&admin, today).await;
        let people = self.people(&admin).await;
        let count = |many: usize| u32::try_from(many).unwrap();
        let in_state = |state| count(people.iter().filter(|p| p.state == state).count());
        Figures {
            people: count(people.len()) - in_state(State::Ended),
            invited: in_state(State::Invited),
            never_in: in_state(State::Active),
            vacant: board.vacancies(),
            ending: count(board.ending().len()),
            undeclared: count(self.register(&admin, today).await.due().count()),
        }
    }

    /// Another trust with a school of its own, and two more people at Beacon: its clerk, and somebody who is nothing to this.
    async fn more(&mut self) {
        self.behind.open("harbour", "Harbour Trust", "trust").await;
        self.sql("select sec.make_tenant('quay', 'Quay School', 'school', trust => (select id from tenant where label = 'harbour'))").await;
        let behind = &mut self.behind;
        behind
            .join("harbour", HANA, "Hana Novak", &["trust_lead"])
            .await;
        behind
            .join("quay", "admin@quay.example", "Pia Roth", &["school_admin"])
            .await;
        behind.join("beacon", UMA, "Uma Sharpe", &["clerk"]).await;
        behind
            .join("beacon", GIL, "Gil Moreau", &["governor", "school_admin"])
            .await;
    }

    /// What the function itself says to somebody who holds the web server's login and a session, as text; `then` comes between.
    async fn said(&mut self, label: &str, email: &str, then: &str) -> Vec<String> {
        let token = hex(self.behind.caller(label, email).await.token.bytes());
        let mut web = self.fresh.options(Role::Web).connect().await.unwrap();
        web.execute(sqlx::raw_sql(AssertSqlSafe(format!(
            "begin; select sec.enter('\\x{token}'); {then}"
        ))))
        .await
        .unwrap();
        let rows = web
            .fetch_all("select to_jsonb(s)::text from sec.trust_schools() s")
            .await
            .unwrap();
        web.close().await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Who is told of a school that is not their trust's to be told of.
    async fn leaks(&mut self) -> Vec<String> {
        let northgate = self.northgate;
        let own = self
            .text("select id::text from tenant where label = 'beacon'")
            .await;
        let forged = format!(
            "select set_config('sec.caller', replace(current_setting('sec.caller'), '{northgate}', '{own}'), true)"
        );
        let mut leaks = Vec::new();
        for (label, email, then, few) in [
            ("oakfield", ADMIN, "", &[][..]),
            ("oakfield", CLERK, "", &[]),
            ("oakfield", GOVERNOR, "", &[]),
            ("oakfield", PARENT, "", &[]),
            ("northgate", JOAN, "", &[]),
            ("northgate", JOAN, forged.as_str(), &[]),
            ("beacon", FOLASADE, "commit; begin", &[]),
            (
                "beacon",
                FOLASADE,
                "select set_config('sec.caller', '', true)",
                &[],
            ),
            ("beacon", GIL, "", &[]),
            ("quay", "admin@quay.example", "", &[]),
            ("harbour", HANA, "", &["\"quay\""]),
            ("beacon", FOLASADE, "", &["\"oakfield\"", "\"northgate\""]),
            ("beacon", CATRIONA, "", &["\"oakfield\"", "\"northgate\""]),
            ("beacon", UMA, "", &["\"oakfield\"", "\"northgate\""]),
        ] {
            let said = self.said(label, email, then).await;
            let expected = said.len() == few.len()
                && few
                    .iter()
                    .all(|school| said.iter().any(|row| row.contains(school)));
            if !expected {
                leaks.push(format!("{email} at {label} {then}: {said:?}"));
            }
        }
        leaks
    }
}

#[tokio::test]
async fn each_number_is_the_one_on_the_schools_own_pages() {
    let mut scene = Scene::new().await;
    let today = scene.today().await;
    scene.invite("Amara Diallo", "amara@oakfield.example").await;
    let lead = scene.behind.caller("beacon", CATRIONA).await;
    let schools = scene.schools(&lead).await.unwrap();
    assert_eq!(schools.len(), 2);
    for school in &schools {
        // Nobody of the demo has signed in yet.
        assert_eq!(school.figures, scene.own(&school.label, today).await);
        assert!(!school.mine);
    }
    let oakfield = scene.figures().await;
    assert_eq!((oakfield.people, oakfield.vacant), (23, 3));
    assert_eq!((oakfield.invited, oakfield.never_in), (1, 22));
    assert!(oakfield.ending > 0 && oakfield.undeclared > 0);
    assert!(
        schools[0].figures.of_board() >= schools[1].figures.of_board(),
        "the worst first"
    );
}

#[tokio::test]
async fn a_term_counts_as_ending_from_ninety_days_before_its_last_day_to_that_day() {
    let mut scene = Scene::new().await;
    let today = scene.today().await;
    let term = scene.term(GOVERNOR).await;
    let mut ending = async |last: Date| {
        scene
            .sql(&format!("update term set during = daterange(lower(during), '{last}', '[]') where id = '{term}'"))
            .await;
        let figures = scene.figures().await;
        assert_eq!(figures, scene.own("oakfield", today).await, "until {last}");
        (figures.ending, figures.vacant)
    };
    let (far, vacant) = ending(today + days(400)).await;
    assert_eq!(ending(today + days(91)).await, (far, vacant));
    assert_eq!(ending(today + days(90)).await, (far + 1, vacant));
    assert_eq!(ending(today).await, (far + 1, vacant), "it ends today");
    assert_eq!(
        ending(today - days(1)).await,
        (far, vacant + 1),
        "it ended, and the seat is vacant"
    );
}

#[tokio::test]
async fn a_seat_with_somebody_to_follow_does_not_end_and_one_of_an_associate_is_not_vacant() {
    let mut scene = Scene::new().await;
    let today = scene.today().await;
    let term = scene.term(GOVERNOR).await;
    scene
        .sql(&format!(
            "update term set during = daterange(lower(during), '{}', '[]') where id = '{term}'",
            today + days(20)
        ))
        .await;
    let before = scene.figures().await;
    let follower = scene.place("ta1@oakfield.example").await;
    scene
        .sql(&format!(
            "insert into term (tenant_id, seat_id, membership_id, during)
             select tenant_id, seat_id, '{follower}', daterange('{}', '{}') from term where id = '{term}'",
            today + days(21),
            today + days(800)
        ))
        .await;
    let after = scene.figures().await;
    assert_eq!(after.ending, before.ending - 1);
    assert_eq!(after.vacant, before.vacant);
    let oakfield = scene.oakfield;
    let open = |category: Category, from: Date, to: &str| {
        format!("insert into seat (tenant_id, category, number, appointed_by, opened_on, closed_on)
                 values ('{oakfield}', '{}', 90 + (select count(*) from seat), 'The board', '{from}', {to})", category.code())
    };
    for (statement, more) in [
        (open(Category::Associate, today, "null"), 0),
        (open(Category::CoOpted, today + days(1), "null"), 0),
        (
            open(Category::CoOpted, today - days(9), &format!("'{today}'")),
            0,
        ),
        (
            open(
                Category::CoOpted,
                today - days(9),
                &format!("'{}'", today + days(1)),
            ),
            1,
        ),
        (open(Category::CoOpted, today, "null"), 1),
    ] {
        let before = scene.figures().await.vacant;
        scene.sql(&statement).await;
        assert_eq!(scene.figures().await.vacant, before + more, "{statement}");
    }
    assert_eq!(scene.figures().await, scene.own("oakfield", today).await);
}

#[tokio::test]
async fn a_declaration_is_due_on_the_day_twelve_months_after_it() {
    let mut scene = Scene::new().await;
    let today = scene.today().await;
    let place = scene.place(GOVERNOR).await;
    // Interests go with their declaration, which nobody but the test can take away.
    let forget = format!(
        "delete from interest where declaration_id in (select id from declaration where membership_id = '{place}');
         delete from declaration where membership_id = '{place}'"
    );
    scene.behind.execute(AssertSqlSafe(forget)).await.unwrap();
    let without = scene.figures().await.undeclared;
    let mut due = async |ago: &str| {
        scene
            .sql(&format!(
                "insert into declaration (tenant_id, membership_id, nothing, declared_on)
                 select tenant_id, id, true, {ago} from membership where id = '{place}'"
            ))
            .await;
        let figures = scene.figures().await;
        assert_eq!(figures, scene.own("oakfield", today).await, "{ago}");
        figures.undeclared
    };
    // The newest day counts, whatever was written first.
    assert_eq!(due("sec.today() - interval '13 months'").await, without);
    assert_eq!(due("sec.today() - interval '12 months'").await, without);
    assert_eq!(
        due("sec.today() - interval '12 months' + interval '1 day'").await,
        without - 1
    );
}

#[tokio::test]
async fn who_never_signed_in_is_known_after_the_sessions_are_swept_away() {
    let mut scene = Scene::new().await;
    let before = scene.figures().await;
    scene.sign_in(GOVERNOR).await;
    let signed_in = scene.figures().await;
    assert_eq!(signed_in.never_in, before.never_in - 1);
    scene.sql("delete from sec.session").await;
    assert_eq!(scene.figures().await, signed_in);
    // At this school: Joan of both schools is in at Oakfield and not at Northgate.
    scene.sign_in(JOAN).await;
    assert_eq!(scene.figures().await.never_in, before.never_in - 2);
    let lead = scene.behind.caller("beacon", CATRIONA).await;
    let schools = scene.schools(&lead).await.unwrap();
    let northgate = schools.iter().find(|school| school.label == "northgate");
    assert_eq!(northgate.unwrap().figures.never_in, 22);
}

#[tokio::test]
async fn who_is_suspended_has_a_place_and_who_was_removed_has_none() {
    let mut scene = Scene::new().await;
    let (before, teacher) = (
        scene.figures().await,
        scene.place("teacher1@oakfield.example").await,
    );
    scene
        .sql(&format!(
            "update membership set state = 'suspended' where id = '{teacher}'"
        ))
        .await;
    let suspended = scene.figures().await;
    assert_eq!(suspended.people, before.people);
    assert_eq!(suspended.never_in, before.never_in - 1, "they may not");
    scene
        .sql(&format!(
            "update membership set state = 'ended' where id = '{teacher}'"
        ))
        .await;
    let removed = scene.figures().await;
    assert_eq!(removed.people, before.people - 1);
    assert_eq!(removed.never_in, before.never_in - 1);
}

#[tokio::test]
async fn only_who_runs_leads_or_clerks_the_trust_is_told_and_of_its_own_schools_alone() {
    let mut scene = Scene::new().await;
    scene.more().await;
    for (label, email) in [
        ("oakfield", ADMIN),
        ("oakfield", CLERK),
        ("northgate", JOAN),
        ("beacon", GIL),
    ] {
        let caller = scene.behind.caller(label, email).await;
        assert_eq!(
            scene.schools(&caller).await,
            Err(Refusal::NotFound),
            "{email}"
        );
    }
    let hana = scene.behind.caller("harbour", HANA).await;
    assert_eq!(scene.schools(&hana).await.unwrap().len(), 1);
    assert_eq!(scene.leaks().await, Vec::<String>::new());
    // A removed leader has no seal to be told under.
    let catriona = scene.behind.caller("beacon", CATRIONA).await;
    let place = scene.behind.membership("beacon", CATRIONA).await;
    scene
        .sql(&format!(
            "update membership set state = 'suspended' where id = '{place}'"
        ))
        .await;
    assert_eq!(scene.schools(&catriona).await, Err(Refusal::SignedOut));
}

#[tokio::test]
async fn without_any_one_of_its_guards_somebody_is_told_too_much() {
    for (from, to) in [
        (
            "not sec.has_role('trust_admin', 'trust_lead', 'clerk')",
            "false",
        ),
        ("t.trust_id = sec.tenant()", "t.trust_id is not null"),
    ] {
        let mut scene = Scene::new().await;
        scene.more().await;
        scene.rewrite("sec.trust_schools()", from, to).await;
        assert_ne!(scene.leaks().await, Vec::<String>::new(), "without {from}");
    }
}

#[tokio::test]
async fn nobody_is_named_and_no_key_of_anybody_is_told() {
    let mut scene = Scene::new().await;
    let said = scene.said("beacon", FOLASADE, "").await.join("\n");
    let people = scene
        .behind
        .fetch_all("select m.name, a.email, m.id::text, a.id::text from membership m join account a on a.id = m.account_id")
        .await
        .unwrap();
    assert!(people.len() > 40 && said.contains("Oakfield"));
    for person in people {
        for n in 0..4 {
            let known: String = person.get(n);
            assert!(!said.contains(&known), "{known}: {said}");
        }
    }
}

#[tokio::test]
async fn a_school_is_marked_where_the_reader_has_a_place_too() {
    let mut scene = Scene::new().await;
    scene
        .behind
        .join("beacon", JOAN, "Joan Whitlock", &["clerk"])
        .await;
    let joan = scene.behind.caller("beacon", JOAN).await;
    let mine = async |scene: &Scene| {
        let schools = scene.schools(&joan).await.unwrap();
        let mine = schools.iter().filter(|school| school.mine);
        mine.map(|school| school.label.clone()).collect::<Vec<_>>()
    };
    assert_eq!(mine(&scene).await.len(), 2);
    let place = scene.place(JOAN).await;
    scene
        .sql(&format!(
            "update membership set state = 'suspended' where id = '{place}'"
        ))
        .await;
    assert_eq!(mine(&scene).await, ["northgate"]);
}

#[tokio::test]
async fn a_school_is_told_which_trust_sees_its_numbers() {
    let mut scene = Scene::new().await;
    scene.behind.open("solo", "Solo School", "school").await;
    scene
        .behind
        .join("solo", "admin@solo.example", "Ada Solo", &["school_admin"])
        .await;
    for (label, email, trust) in [
        ("oakfield", GOVERNOR, Some("Beacon Learning Trust")),
        ("solo", "admin@solo.example", None),
        ("beacon", FOLASADE, None),
    ] {
        let caller = scene.behind.caller(label, email).await;
        let mut read = scene.db.read(&caller).await.unwrap();
        let told = overview::trust(&mut read).await.unwrap();
        assert_eq!(told.as_deref(), trust, "{label}");
    }
}
