//! The board as people see it: who holds what, how many make a quorum, and to whom none of it is shown.

use crate::{
    change::remove,
    office::{close_seat, days, end, open_seat, set_rule, start, suspend},
    scene::{ADMIN, CHAIR, CLERK, GOVERNOR, PARENT, Scene, TEACHER},
};
use domain::{
    Refusal,
    board::{self, Category, Rule, Why},
    day, demo,
};
use sqlx::{ConnectOptions as _, Connection as _, Row as _};
use time::Date;

#[tokio::test]
async fn oakfield_has_eleven_governors_in_post_of_fourteen_and_needs_six_of_them() {
    let mut scene = Scene::new().await;
    let (clerk, today) = (scene.caller(CLERK).await, scene.today().await);
    let board = scene.board(&clerk, today).await;
    assert_eq!(board.rule, Rule::Maintained);
    assert_eq!(board.governors().count(), 14);
    assert_eq!(
        (
            board.in_post(),
            board.vacancies(),
            board.suspended(),
            board.quorum()
        ),
        (11, 3, 0, 6)
    );
    for (category, seats, vacant) in [
        (Category::Parent, 4, 1),
        (Category::Staff, 1, 0),
        (Category::LocalAuthority, 1, 1),
        (Category::CoOpted, 7, 1),
        (Category::ExOfficio, 1, 0),
        (Category::Associate, 1, 0),
    ] {
        assert_eq!(
            (board.of(category).count(), board.vacancies_of(category)),
            (seats, vacant),
            "{category:?}"
        );
    }
    let holder = |seat: &board::Seat| seat.holder.as_ref().unwrap().person.name.clone().unwrap();
    let ending: Vec<_> = board.ending().into_iter().map(holder).collect();
    assert_eq!(ending, ["Dilip Parmar", "Rukhsana Ahmed"]);
    let head = board.of(Category::ExOfficio).next().unwrap();
    assert_eq!(
        (holder(head).as_str(), head.holder.as_ref().unwrap().to),
        ("Eleanor Hargreaves", None)
    );
    assert_eq!(head.title(), "Ex officio governor 1");
    let committees: Vec<_> = board
        .committees
        .iter()
        .map(|committee| {
            (
                committee.name.as_str(),
                committee.chair.as_ref().unwrap().name.as_deref().unwrap(),
                committee.members.len(),
                committee.governors(),
            )
        })
        .collect();
    assert_eq!(
        committees,
        [
            ("Finance and Premises", "Rukhsana Ahmed", 5, 5),
            ("Pay", "Callum Fraser", 3, 3),
            // Lucy Pemberton is an associate member. Dilip left the first one long ago.
            ("Teaching and Learning", "Siân Edwards", 5, 4),
        ]
    );
    assert_eq!((board.without_term.len(), board.without_role.len()), (0, 0));
}

#[tokio::test]
async fn who_is_a_governor_without_a_term_and_who_has_a_term_without_the_role_is_told() {
    let mut scene = Scene::new().await;
    let (clerk, today) = (scene.caller(CLERK).await, scene.today().await);
    let ines = scene
        .behind
        .join(
            "oakfield",
            "ines@oakfield.example",
            "Ines Duarte",
            &["governor"],
        )
        .await;
    let (megan, seat) = (
        scene.place("teacher4@oakfield.example").await,
        scene.seat(Category::CoOpted, 7).await,
    );
    start(&scene.db, &clerk, seat, megan, today, None)
        .await
        .unwrap();
    let associate = open_seat(&scene.db, &clerk, Category::Associate, "The board", today)
        .await
        .unwrap();
    let kwame = scene.place("teacher3@oakfield.example").await;
    start(&scene.db, &clerk, associate, kwame, today, None)
        .await
        .unwrap();
    let board = scene.board(&clerk, today).await;
    let names = |people: &[board::Named]| {
        let names = people.iter().map(|person| person.name.clone().unwrap());
        names.collect::<Vec<_>>()
    };
    assert_eq!(
        board.without_term.iter().map(|p| p.id).collect::<Vec<_>>(),
        [ines]
    );
    assert_eq!(
        names(&board.without_role),
        ["Megan Llewellyn", "Kwame Asante"]
    );
    // The associate's seat makes nobody a governor.
    assert_eq!(board.in_post(), 12);
    // Somebody with no role but a parent's: a governor sees that the seat is held, and not by whom.
    let oluwaseun = scene.place(PARENT).await;
    let vacant = scene.seat(Category::Parent, 4).await;
    start(&scene.db, &clerk, vacant, oluwaseun, today, None)
        .await
        .unwrap();
    for (email, named) in [(GOVERNOR, None), (CLERK, Some("Oluwaseun Adeyemi"))] {
        let caller = scene.caller(email).await;
        let board = scene.board(&caller, today).await;
        let seat = board.seats.iter().find(|seat| seat.id == vacant).unwrap();
        let holder = &seat.holder.as_ref().unwrap().person;
        assert_eq!(
            (holder.id, holder.name.as_deref()),
            (oluwaseun, named),
            "{email}"
        );
        assert_eq!(
            board
                .without_role
                .iter()
                .any(|person| person.id == oluwaseun),
            named.is_some(),
            "{email}"
        );
    }
}

#[tokio::test]
async fn a_seat_filled_a_suspension_and_a_term_that_ends_change_the_quorum_on_their_day() {
    let mut scene = Scene::new().await;
    let (clerk, today) = (scene.caller(CLERK).await, scene.today().await);
    let tomorrow = day::after(today);
    let imran = scene.place("teacher1@oakfield.example").await;
    let megan = scene.place("teacher4@oakfield.example").await;
    let (one, other) = (
        scene.seat(Category::LocalAuthority, 1).await,
        scene.seat(Category::CoOpted, 7).await,
    );
    start(&scene.db, &clerk, one, imran, today, None)
        .await
        .unwrap();
    start(&scene.db, &clerk, other, megan, tomorrow, None)
        .await
        .unwrap();
    let numbers = async |scene: &Scene, on: Date| {
        let board = scene.board(&clerk, on).await;
        (board.in_post(), board.suspended(), board.quorum())
    };
    assert_eq!(numbers(&scene, today).await, (12, 0, 6));
    assert_eq!(
        numbers(&scene, tomorrow).await,
        (13, 0, 7),
        "from the day, not before"
    );
    let coming = scene.board(&clerk, today).await;
    let seat = coming.seats.iter().find(|seat| seat.id == other).unwrap();
    assert!(seat.holder.is_none() && seat.next.as_ref().unwrap().person.id == megan);

    // A term that ends at midnight of the day still counts on it.
    let dilip = scene.term(GOVERNOR).await;
    end(&scene.db, &clerk, dilip, today, Why::Resigned)
        .await
        .unwrap();
    assert_eq!(numbers(&scene, today).await, (12, 0, 6));
    assert_eq!(numbers(&scene, tomorrow).await, (12, 0, 6));
    let chair = scene.term(CHAIR).await;
    suspend(&scene.db, &clerk, chair, today, today)
        .await
        .unwrap();
    assert_eq!(
        numbers(&scene, today).await,
        (12, 1, 6),
        "half of eleven, rounded up"
    );
    let term = scene.term("governor3@oakfield.example").await;
    suspend(&scene.db, &clerk, term, tomorrow, today)
        .await
        .unwrap();
    assert_eq!(numbers(&scene, today).await, (12, 2, 5));
    assert_eq!(numbers(&scene, tomorrow).await, (12, 1, 6));

    // A vacant seat that is closed is no vacancy.
    let parent = scene.seat(Category::Parent, 4).await;
    assert_eq!(scene.board(&clerk, tomorrow).await.vacancies(), 2);
    close_seat(&scene.db, &clerk, parent, tomorrow)
        .await
        .unwrap();
    assert_eq!(scene.board(&clerk, today).await.vacancies(), 2);
    assert_eq!(scene.board(&clerk, tomorrow).await.vacancies(), 1);
}

#[tokio::test]
async fn northgate_counts_as_an_academy_and_only_an_administrator_says_how_a_school_counts() {
    let mut scene = Scene::new().await;
    let today = scene.today().await;
    let there = scene
        .behind
        .caller("northgate", "clerk@northgate.example")
        .await;
    let board = scene.board(&there, today).await;
    assert_eq!(
        (
            board.rule,
            board.governors().count(),
            board.in_post(),
            board.quorum()
        ),
        (Rule::Academy, 12, 11, 4)
    );
    for email in [CLERK, CHAIR, TEACHER, PARENT] {
        let caller = scene.caller(email).await;
        assert_eq!(
            set_rule(&scene.db, &caller, Rule::Academy).await,
            Err(Refusal::NotAllowed),
            "{email}"
        );
        let raw = "update tenant set board_rule = 'academy'";
        assert_eq!(scene.raw(email, raw).await, Ok(0), "{email}");
    }
    let admin = scene.caller(ADMIN).await;
    assert_eq!(
        set_rule(&scene.db, &admin, Rule::Maintained).await,
        Err(Refusal::Stale),
        "nothing would change"
    );
    set_rule(&scene.db, &admin, Rule::Academy).await.unwrap();
    let board = scene.board(&admin, today).await;
    assert_eq!((board.rule, board.quorum()), (Rule::Academy, 4));
    let nonsense = "update tenant set board_rule = 'any'";
    assert_eq!(
        scene.raw(ADMIN, nonsense).await,
        Err("23514 tenant_board_rule_known".to_owned())
    );
}

#[tokio::test]
async fn staff_and_board_see_the_board_and_parents_and_young_people_nothing_of_it() {
    let mut scene = Scene::new().await;
    let today = scene.today().await;
    scene
        .behind
        .join(
            "oakfield",
            "member@oakfield.example",
            "Leo Okonkwo",
            &["member"],
        )
        .await;
    let tables = [
        "seat",
        "term",
        "committee",
        "committee_place",
        "declaration",
        "interest",
    ];
    for (email, sees) in [
        (ADMIN, true),
        ("head@oakfield.example", true),
        (CLERK, true),
        (CHAIR, true),
        (GOVERNOR, true),
        ("teacher2@oakfield.example", true),
        (TEACHER, true),
        ("ta1@oakfield.example", true),
        ("senco@oakfield.example", true),
        (PARENT, false),
        ("member@oakfield.example", false),
    ] {
        let caller = scene.caller(email).await;
        let mut read = scene.db.read(&caller).await.unwrap();
        let found = board::board(&mut read, today).await;
        assert_eq!(
            found.as_ref().err(),
            (!sees).then_some(&Refusal::NotFound),
            "{email}"
        );
        let register = board::register(&mut read, today).await;
        assert_eq!(
            register.as_ref().err(),
            (!sees).then_some(&Refusal::NotFound),
            "{email}"
        );
        drop(read);
        if let Ok(board) = found {
            assert_eq!(
                board.seats.len(),
                15,
                "{email} sees Oakfield's and no other's"
            );
        }
        for table in tables {
            let seen = scene
                .raw(email, &format!("select * from {table}"))
                .await
                .unwrap();
            assert_eq!(seen > 0, sees, "{email} {table}: {seen}");
        }
    }
    // The outsider: there is more than Oakfield's.
    assert_eq!(scene.text("select count(*)::text from seat").await, "27");
}

#[tokio::test]
async fn a_seat_is_opened_numbered_and_closed_by_clerks_and_administrators_alone() {
    let mut scene = Scene::new().await;
    let (clerk, today) = (scene.caller(CLERK).await, scene.today().await);
    let parent_4 = scene.seat(Category::Parent, 4).await;
    for email in ["head@oakfield.example", CHAIR, GOVERNOR, TEACHER] {
        let caller = scene.caller(email).await;
        let opened = open_seat(&scene.db, &caller, Category::Parent, "Parents", today).await;
        assert_eq!(opened, Err(Refusal::NotAllowed), "{email}");
        let closed = close_seat(&scene.db, &caller, parent_4, today).await;
        assert_eq!(closed, Err(Refusal::NotAllowed), "{email}");
    }
    let parent = scene.caller(PARENT).await;
    let closed = close_seat(&scene.db, &parent, parent_4, today).await;
    assert_eq!(closed, Err(Refusal::NotFound), "they do not even see it");
    for bad in ["", "  ", "a\u{202e}b", &"x".repeat(121)] {
        let opened = open_seat(&scene.db, &clerk, Category::Parent, bad, today).await;
        assert_eq!(opened, Err(Refusal::TextFormat(120)), "{bad:?}");
    }
    let fifth = open_seat(
        &scene.db,
        &clerk,
        Category::Parent,
        " Parents  of the school ",
        today,
    )
    .await
    .unwrap();
    assert_eq!(scene.seat(Category::Parent, 5).await, fifth);
    let body = scene
        .text(&format!(
            "select appointed_by from seat where id = '{fifth}'"
        ))
        .await;
    assert_eq!(body, "Parents of the school");
    let last = scene.text("select act || ' ' || (about = (select id from seat order by id desc limit 1))::text || ' ' || array_to_string(topics, ',') from event order by at desc limit 1").await;
    assert_eq!(last, "seat.opened true people");

    // Not while somebody holds it, nor before it was opened; a term to come is one too.
    let dilip = scene.seat(Category::Parent, 1).await;
    assert_eq!(
        close_seat(&scene.db, &clerk, dilip, today).await,
        Err(Refusal::SeatHeld)
    );
    assert_eq!(
        close_seat(&scene.db, &clerk, fifth, today - days(1)).await,
        Err(Refusal::DatesOrder)
    );
    let megan = scene.place("teacher4@oakfield.example").await;
    start(&scene.db, &clerk, fifth, megan, today + days(30), None)
        .await
        .unwrap();
    assert_eq!(
        close_seat(&scene.db, &clerk, fifth, today + days(30)).await,
        Err(Refusal::SeatHeld)
    );
    close_seat(&scene.db, &clerk, parent_4, today)
        .await
        .unwrap();
    assert_eq!(
        close_seat(&scene.db, &clerk, parent_4, today).await,
        Err(Refusal::Stale)
    );
    // A number is given once, also when its seat is closed.
    let sixth = open_seat(&scene.db, &clerk, Category::Parent, "Parents", today)
        .await
        .unwrap();
    assert_eq!(scene.seat(Category::Parent, 6).await, sixth);
    let board = scene.board(&clerk, today).await;
    let numbers: Vec<_> = board.of(Category::Parent).map(|seat| seat.number).collect();
    assert_eq!(numbers, [1, 2, 3, 5, 6]);
    // Another school's seat is not there.
    let theirs = scene.text("select s.id::text from seat s join tenant t on t.id = s.tenant_id where t.label = 'northgate' and s.category = 'co_opted' and s.number = 8").await;
    let theirs = uuid::Uuid::parse_str(&theirs).unwrap();
    assert_eq!(
        close_seat(&scene.db, &clerk, theirs, today).await,
        Err(Refusal::NotFound)
    );
    // With the database alone in the way.
    for (email, sql, done) in [
        (CLERK, format!("update seat set closed_on = sec.today() where id = '{dilip}'"), Err("23514 seat_unheld".to_owned())),
        (CLERK, format!("update seat set appointed_by = 'x' where id = '{fifth}'"), Err("42501".to_owned())),
        (CLERK, format!("delete from seat where id = '{sixth}'"), Err("42501".to_owned())),
        (CHAIR, format!("update seat set closed_on = sec.today() where id = '{sixth}'"), Ok(0)),
        (CHAIR, "insert into seat (tenant_id, category, number, appointed_by, opened_on) values (sec.tenant(), 'staff', 9, 'x', sec.today())".to_owned(), Err("42501".to_owned())),
        (CLERK, format!("update seat set closed_on = sec.today() where id = '{sixth}'"), Ok(1)),
        (ADMIN, "insert into seat (tenant_id, category, number, appointed_by, opened_on) values (sec.tenant(), 'staff', 9, 'x', sec.today())".to_owned(), Ok(1)),
    ] {
        assert_eq!(scene.raw(email, &sql).await, done, "{email}: {sql}");
    }
}

#[tokio::test]
async fn the_schools_day_is_the_databases_on_every_day_of_a_century() {
    let scene = Scene::new().await;
    let mut superuser = scene.fresh.superuser(testing::Database::Application).await;
    // Since 2002 the rule is the same. These four moments of each day meet both sides of every change.
    let rows = sqlx::query(
        "select extract(epoch from m)::bigint, (m at time zone 'Europe/London')::date
         from generate_series(timestamptz '2002-01-01 00:00Z', timestamptz '2099-12-31 00:00Z', interval '1 day') d
         cross join unnest(array[d + interval '22 hours 59 minutes 59 seconds', d + interval '23 hours', d + interval '1 hour',
           d + interval '59 minutes 59 seconds']) m",
    )
    .fetch_all(&mut superuser)
    .await
    .unwrap();
    assert!(rows.len() > 140_000);
    for row in rows {
        let (second, on): (i64, Date) = (row.get(0), row.get(1));
        assert_eq!(day::today(u64::try_from(second).unwrap()), on, "{second}");
    }
}

#[tokio::test]
async fn the_demo_makes_a_board_once_and_leaves_alone_what_became_of_it() {
    let mut scene = Scene::new().await;
    let (clerk, today) = (scene.caller(CLERK).await, scene.today().await);
    let dilip = scene.term(GOVERNOR).await;
    end(&scene.db, &clerk, dilip, today, Why::Resigned)
        .await
        .unwrap();
    let count = "select concat_ws(' ', (select count(*) from event), (select count(*) from seat), (select count(*) from term),
                   (select count(*) from declaration), (select count(*) from contact))";
    let before = scene.text(count).await;
    let mut migrator = scene
        .fresh
        .options(testing::Role::Migrator)
        .connect()
        .await
        .unwrap();
    let (hasher, secrets) = (testing::hasher(), testing::secrets());
    let made = demo::load(&mut migrator, &hasher, &secrets, 0)
        .await
        .unwrap();
    assert_eq!((made, scene.text(count).await), (0, before));
    // A school that was loaded before there were boards is given one, without those who left meanwhile.
    let zofia = scene.place("governor9@oakfield.example").await;
    remove(&scene.db, &clerk, zofia).await.unwrap();
    scene
        .sql("truncate seat, term, committee, committee_place, declaration, interest, dbs_check, training, contact, folder_reader, approval, approval_place, approval_answer")
        .await;
    demo::load(&mut migrator, &hasher, &secrets, 0)
        .await
        .unwrap();
    let board = scene.board(&clerk, today).await;
    assert_eq!((board.in_post(), board.vacancies()), (10, 4));
    migrator.close().await.unwrap();
}
