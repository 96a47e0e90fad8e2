//! What parents read: what was put on record for their own child, once nobody can take it back unseen, and never anything else.

use crate::{
    change::change,
    pupil::{OTHER_PARENT, OTHER_TEACHER, Roll, SENCO},
    record::about,
    scene::{ADMIN, CLERK, GOVERNOR, PARENT, Scene, TEACHER},
};
use domain::{
    Refusal,
    db::{Caller, MailDb},
    pupil::guardian::{self, Relation},
    wellbeing::{
        Fault, naming,
        onrecord::{self, Entry, Rule, State},
        record::{self, Part},
    },
};
use testing::Role;
use time::Duration;
use uuid::Uuid;

const WORDS: &str = "Aisha settled quickly after lunch.";

impl Scene {
    pub async fn parent_of(&mut self, email: &str, pupil: Uuid) {
        let (admin, person) = (self.caller(ADMIN).await, self.place(email).await);
        change(&self.db, &admin, async |write| {
            let relation = Relation::Mother;
            Ok(((), guardian::link(write, pupil, person, relation).await?))
        })
        .await
        .unwrap();
    }

    pub async fn puts(
        &self,
        by: &Caller,
        record: Uuid,
        pupil: Uuid,
        words: &str,
    ) -> Result<Uuid, Refusal> {
        change(&self.db, by, async |write| {
            onrecord::put_on_record(write, record, 1, pupil, words).await
        })
        .await
    }

    async fn parent_reads(&mut self, email: &str) -> Vec<Entry> {
        let caller = self.caller(email).await;
        onrecord::for_parent(&mut self.db.read(&caller).await.unwrap(), None)
            .await
            .unwrap()
    }

    /// The cooling time of every entry is over.
    pub async fn cooled(&mut self) {
        self.sql("update on_record set put_at = now() - interval '2 hours', opens_at = now() - interval '1 second'
                  where taken_back_at is null and off_at is null")
            .await;
    }

    pub async fn records_open(&self) -> i32 {
        let worker = MailDb::new(self.fresh.options(Role::Worker), 1);
        let opened = worker.records_open().await.unwrap();
        worker.close().await;
        opened
    }

    /// Imran's observation of Aisha, who is Oluwaseun's child.
    pub async fn seen_by_imran(&mut self, roll: &Roll) -> (Caller, Uuid) {
        self.parent_of(PARENT, roll.aisha).await;
        let imran = self.caller(TEACHER).await;
        let linked = [about(roll.aisha, Part::Subject, "STAFFONLY")];
        let record = self.observes(&imran, WORDS, &linked).await.unwrap();
        (imran, record)
    }
}

#[tokio::test]
async fn the_author_sees_what_the_parent_will_read_and_the_parent_reads_it_when_it_has_cooled() {
    let mut scene = Scene::new().await;
    let roll = scene.roll().await;
    let (imran, record) = scene.seen_by_imran(&roll).await;
    let preview = onrecord::preview(&mut scene.reading(&imran).await, record, roll.aisha)
        .await
        .unwrap();
    assert_eq!(preview.cooling, 30);
    assert_eq!(preview.shown.words, WORDS);
    let entry = scene
        .puts(&imran, record, roll.aisha, &preview.shown.words)
        .await
        .unwrap();
    let again = scene.puts(&imran, record, roll.aisha, WORDS).await;
    assert_eq!(again, Err(Refusal::Wellbeing(Fault::OnRecordAlready)));
    assert_eq!(scene.parent_reads(PARENT).await, []);
    assert_eq!(scene.raw(PARENT, "select from on_record").await, Ok(0));
    assert_eq!(scene.records_open().await, 0);
    // The outsider: without the cooling time in the policy it is there.
    let policy = "alter policy on_record_select on on_record using (tenant_id = (select sec.tenant()) and ((select sec.sees_school())
        or pupil_id = any ((select sec.pupils_seen())::uuid[]) or (pupil_id = any ((select sec.children())::uuid[])
        and $ and taken_back_at is null and off_at is null)))";
    scene.sql(&policy.replace('$', "true")).await;
    assert_eq!(scene.raw(PARENT, "select from on_record").await, Ok(1));
    scene.sql(&policy.replace('$', "opens_at <= now()")).await;
    assert_eq!(scene.raw(PARENT, "select from on_record").await, Ok(0));

    scene.cooled().await;
    let read = scene.parent_reads(PARENT).await;
    assert_eq!(read.len(), 1);
    assert_eq!((read[0].id, read[0].pupil), (entry, roll.aisha));
    assert_eq!(read[0].shown, preview.shown);
    assert_eq!(read[0].shown.by, "Imran Siddiqui");
    // Nobody else's parent, and no other role.
    for email in [OTHER_PARENT, OTHER_TEACHER, CLERK, GOVERNOR] {
        for table in ["on_record", "statement", "record_rule"] {
            let sql = format!("select from {table}");
            let seen = scene.raw(email, &sql).await;
            assert_eq!(seen, Ok(0), "{email} in {table}");
        }
        assert_eq!(scene.parent_reads(email).await, [], "{email}");
    }
    // The page that is open hears of it, once, with a number and nothing else.
    assert_eq!(scene.records_open().await, 1);
    assert_eq!(scene.records_open().await, 0);
    let account = scene.behind.account(PARENT).await;
    let tenant = scene.oakfield;
    let told = scene
        .text(&format!(
            "select act || ' ' || topics::text || ' ' || detail::text from event where tenant_id = '{tenant}' order by seq desc limit 1"
        ))
        .await;
    assert_eq!(
        told,
        format!(
            "record.opened {{me/{account}}} {{\"by\": \"clock\", \"pupils\": 1, \"entries\": 1}}"
        )
    );
    let mother = scene.caller(PARENT).await;
    assert_eq!(
        scene.news(&mother).await,
        ["record.opened", "guardian.linked"]
    );
}

#[tokio::test]
async fn what_is_taken_back_was_never_there_and_what_is_taken_off_is_gone_for_parents_alone() {
    let mut scene = Scene::new().await;
    let roll = scene.roll().await;
    let (imran, record) = scene.seen_by_imran(&roll).await;
    let back = async |scene: &Scene, by: &Caller, entry| {
        change(&scene.db, by, async |write| {
            Ok(((), onrecord::take_back(write, entry).await?))
        })
        .await
    };
    let off = async |scene: &Scene, by: &Caller, entry, why: &str| {
        change(&scene.db, by, async |write| {
            Ok(((), onrecord::take_off_record(write, entry, why).await?))
        })
        .await
    };
    let entry = scene.puts(&imran, record, roll.aisha, WORDS).await.unwrap();
    let (mother, kwame) = (
        scene.caller(PARENT).await,
        scene.caller(OTHER_TEACHER).await,
    );
    assert_eq!(back(&scene, &mother, entry).await, Err(Refusal::NotAllowed));
    assert_eq!(back(&scene, &kwame, entry).await, Err(Refusal::NotFound));
    assert_eq!(
        off(&scene, &imran, entry, "Wrong child").await,
        Err(Refusal::Wellbeing(Fault::NotOpened))
    );
    back(&scene, &imran, entry).await.unwrap();
    assert_eq!(back(&scene, &imran, entry).await, Err(Refusal::Stale));
    scene
        .sql("update on_record set put_at = now() - interval '2 hours', opens_at = now() - interval '1 hour',
              taken_back_at = now() - interval '90 minutes'")
        .await;
    assert_eq!(scene.parent_reads(PARENT).await, []);
    assert_eq!(scene.raw(PARENT, "select from on_record").await, Ok(0));
    assert_eq!(scene.records_open().await, 0);
    assert_eq!(scene.news(&mother).await, ["guardian.linked"]);
    // Nothing brings it back, and nobody says that it was taken back at another time.
    assert_eq!(
        scene
            .raw(TEACHER, "update on_record set taken_back_at = null")
            .await,
        Ok(0)
    );

    let entry = scene.puts(&imran, record, roll.aisha, WORDS).await.unwrap();
    let earlier = "update on_record set taken_back_at = put_at - interval '1 minute' where taken_back_at is null";
    assert_eq!(scene.raw(TEACHER, earlier).await.unwrap_err(), "42501");
    scene.cooled().await;
    assert_eq!(
        back(&scene, &imran, entry).await,
        Err(Refusal::Wellbeing(Fault::Opened))
    );
    assert_eq!(scene.parent_reads(PARENT).await.len(), 1);
    assert_eq!(
        off(&scene, &imran, entry, " ").await,
        Err(Refusal::Wellbeing(Fault::Reason))
    );
    off(&scene, &imran, entry, "It was Sana").await.unwrap();
    assert_eq!(scene.parent_reads(PARENT).await, []);
    assert_eq!(scene.raw(PARENT, "select from on_record").await, Ok(0));
    let (tenant, account) = (scene.oakfield, scene.behind.account(PARENT).await);
    let topics = scene
        .text(&format!(
            "select topics::text from event where tenant_id = '{tenant}' order by seq desc limit 1"
        ))
        .await;
    assert!(topics.contains(&format!("me/{account}")), "{topics}");
    let put = onrecord::of_pupil(&mut scene.reading(&imran).await, roll.aisha)
        .await
        .unwrap();
    assert!(matches!(&put[0].state, State::Off { why, .. } if why == "It was Sana"));
    assert!(matches!(&put[1].state, State::TakenBack(_)));
    assert_eq!(
        onrecord::of_pupil(&mut scene.reading(&mother).await, roll.aisha).await,
        Ok(vec![])
    );

    // A record that is withdrawn takes what parents read of it with it.
    scene.puts(&imran, record, roll.aisha, WORDS).await.unwrap();
    scene.cooled().await;
    assert_eq!(scene.parent_reads(PARENT).await.len(), 1);
    change(&scene.db, &imran, async |write| {
        Ok(((), record::withdraw(write, record, 1, "It was Sana").await?))
    })
    .await
    .unwrap();
    assert_eq!(scene.parent_reads(PARENT).await, []);
    let late = scene.puts(&imran, record, roll.aisha, WORDS).await;
    assert_eq!(late, Err(Refusal::NotFound));
}

#[tokio::test]
async fn the_name_of_another_pupil_is_refused_however_it_is_spelt_and_the_childs_own_is_not() {
    let mut scene = Scene::new().await;
    let roll = scene.roll().await;
    let admin = scene.caller(ADMIN).await;
    scene
        .pupil(&admin, ("Zoë", "Wiśniewska"), Some(roll.b))
        .await
        .unwrap();
    let quarrel = scene.quarrel(&roll).await;
    let harriet = scene.caller(SENCO).await;
    for (words, named) in [
        (
            "She sat with Benedict O’Rourke-Mensah.",
            "Benedict O’Rourke-Mensah",
        ),
        (
            "She sat with BENEDICT O'ROURKE MENSAH'S sister.",
            "BENEDICT O'ROURKE MENSAH",
        ),
        ("zoe wisniewska was kind", "zoe wisniewska"),
        (
            "Zoe\u{308} Wis\u{301}niewska",
            "Zoe\u{308} Wis\u{301}niewska",
        ),
        ("Farah\nNazari’s bag", "Farah\nNazari"),
        // Linked to the record: one name is enough.
        ("Elliot was sorry.", "Elliot"),
        ("ELLIOT’s mother", "ELLIOT"),
        ("The Price boy", "Price"),
        ("Chidis friend", "Chidi"),
    ] {
        let put = scene.puts(&harriet, quarrel, roll.aisha, words).await;
        assert_eq!(
            put,
            Err(Refusal::Wellbeing(Fault::NamesOther(named.to_owned()))),
            "{words}"
        );
    }
    // The schema holds the rule, whatever the application says.
    let raw = format!(
        "insert into on_record (tenant_id, record_id, number, pupil_id, kind, happened_at, words, put_by)
         select tenant_id, id, 1, '{}', kind, happened_at, 'Elliot was sorry.', sec.membership() from record",
        roll.aisha
    );
    assert_eq!(
        scene.raw(SENCO, &raw).await.unwrap_err(),
        "23514 on_record_names_nobody"
    );
    // Her own, which a girl of another class bears too; and one name of somebody who has nothing to do with it.
    let words = "Aisha Khan and another pupil made up. Khan means leader; Farah is a name too.";
    scene
        .puts(&harriet, quarrel, roll.aisha, words)
        .await
        .unwrap();
    // The function tells nobody but staff of that pupil, and what it tells was typed.
    let ask = format!(
        "select sec.other_named('Farah Nazari', '{}', '{quarrel}')",
        roll.aisha
    );
    assert_eq!(scene.raw_texts(TEACHER, &ask).await, ["farah nazari"]);
    for email in [OTHER_TEACHER, PARENT, CLERK] {
        assert_eq!(
            scene.raw(email, &ask).await.unwrap_err(),
            "42501",
            "{email}"
        );
    }
    // Both sides fold alike.
    for name in [
        "O’Rourke-Mensah",
        "D'Arcy",
        "Zoë",
        "ŁUKASZ",
        "Þór Æsa",
        "Straße",
        "Núñez‐López",
        "İpek",
        "Chris’ bag",
        "Aisha’S",
        "李 小龙",
        "Søren Ðorđe",
        "‘Ben’",
        "x2 y_z",
        "",
    ] {
        let folded: String = sqlx::query_scalar("select sec.folded($1)")
            .bind(name)
            .fetch_one(&mut *scene.behind)
            .await
            .unwrap();
        assert_eq!(naming::words(name).join(" "), folded, "{name}");
    }
}

#[tokio::test]
async fn a_parent_speaks_to_what_they_read_and_sees_a_trend_only_where_the_school_wants_it() {
    let mut scene = Scene::new().await;
    let roll = scene.roll().await;
    let (imran, record) = scene.seen_by_imran(&roll).await;
    scene.parent_of(OTHER_PARENT, roll.aisha).await;
    let entry = scene.puts(&imran, record, roll.aisha, WORDS).await.unwrap();
    let (mother, father) = (scene.caller(PARENT).await, scene.caller(OTHER_PARENT).await);
    let says = async |scene: &Scene, by: &Caller, words: &str| {
        change(&scene.db, by, async |write| {
            Ok(((), onrecord::state_to(write, entry, words).await?))
        })
        .await
    };
    assert_eq!(
        says(&scene, &mother, "Thank you").await,
        Err(Refusal::NotFound)
    );
    scene.cooled().await;
    says(&scene, &mother, "Thank you").await.unwrap();
    says(&scene, &mother, "Thank you all").await.unwrap();
    assert_eq!(
        says(&scene, &imran, "Welcome").await,
        Err(Refusal::NotFound)
    );
    assert_eq!(
        says(&scene, &father, " ").await,
        Err(Refusal::Wellbeing(Fault::Statement(2000)))
    );
    let read = scene.parent_reads(PARENT).await.remove(0);
    assert_eq!(read.statement.as_deref(), Some("Thank you all"));
    let newest = scene
        .text("select to_char(made_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS') from statement order by number desc limit 1")
        .await;
    let stated_at = read.stated_at.unwrap();
    assert!(stated_at.starts_with(&newest), "{stated_at}, not {newest}");
    let read = scene.parent_reads(OTHER_PARENT).await.remove(0);
    assert_eq!((read.statement, read.stated_at), (None, None));
    for (email, seen) in [
        (PARENT, 2),
        (OTHER_PARENT, 0),
        (TEACHER, 2),
        (SENCO, 2),
        (OTHER_TEACHER, 0),
        (CLERK, 0),
    ] {
        let rows = scene.raw(email, "select from statement").await;
        assert_eq!(rows, Ok(seen), "{email}");
        if email != SENCO {
            let sql = "update statement set words = 'x'";
            assert_eq!(scene.raw(email, sql).await.unwrap_err(), "42501", "{email}");
        }
    }
    let put = onrecord::of_pupil(&mut scene.reading(&imran).await, roll.aisha)
        .await
        .unwrap();
    assert_eq!(put[0].statements.len(), 1);
    assert_eq!(put[0].statements[0].1, "Thank you all");

    let now = scene.now().await;
    for weeks in 0..2 {
        let then = now - Duration::weeks(weeks) - Duration::hours(1);
        scene.checks_in(&imran, roll.aisha, 2, then).await.unwrap();
    }
    let rule = Rule {
        cooling: 60,
        trend: true,
        talk_to: "Mrs Beaumont, room 4".to_owned(),
    };
    let trend = async |scene: &Scene, caller: &Caller| {
        onrecord::child_trend(&mut scene.reading(caller).await, roll.aisha)
            .await
            .unwrap()
            .domains
    };
    assert_eq!(trend(&scene, &mother).await, []);
    let sets = async |scene: &Scene, by: &Caller, rule: &Rule| {
        change(&scene.db, by, async |write| {
            Ok(((), onrecord::set_rule(write, rule).await?))
        })
        .await
    };
    assert_eq!(sets(&scene, &imran, &rule).await, Err(Refusal::NotAllowed));
    let admin = scene.caller(ADMIN).await;
    let long = Rule {
        cooling: 7 * 24 * 60 + 1,
        ..rule.clone()
    };
    assert_eq!(
        sets(&scene, &admin, &long).await,
        Err(Refusal::Wellbeing(Fault::Cooling))
    );
    sets(&scene, &admin, &rule).await.unwrap();
    assert_eq!(trend(&scene, &mother).await, [], "two weeks are no trend");
    let then = now - Duration::weeks(2) - Duration::hours(1);
    let third = scene.checks_in(&imran, roll.aisha, 4, then).await.unwrap();
    let seen = trend(&scene, &mother).await;
    assert_eq!(seen.len(), 2);
    assert_eq!(
        seen[1].1.iter().map(|week| week.1).collect::<Vec<_>>(),
        [4.0, 2.0, 2.0]
    );
    // Not for staff by this way, nor for another child.
    assert_eq!(trend(&scene, &imran).await, []);
    let sql = format!("select domain from sec.child_trend('{}')", roll.benedict);
    assert_eq!(scene.raw_texts(PARENT, &sql).await, Vec::<String>::new());
    change(&scene.db, &imran, async |write| {
        Ok((
            (),
            record::withdraw(write, third, 1, "Another child").await?,
        ))
    })
    .await
    .unwrap();
    assert_eq!(trend(&scene, &mother).await, []);
    let words = onrecord::who_to_talk_to(&mut scene.reading(&mother).await)
        .await
        .unwrap();
    assert_eq!(words, "Mrs Beaumont, room 4");
    let again = onrecord::preview(&mut scene.reading(&imran).await, record, roll.aisha)
        .await
        .unwrap();
    assert_eq!(again.cooling, 60);
    scene.sql("delete from statement").await;
    scene.sql("delete from on_record").await;
    scene.puts(&imran, record, roll.aisha, WORDS).await.unwrap();
    assert_eq!(
        scene
            .text("select (opens_at - put_at)::text from on_record")
            .await,
        "01:00:00"
    );
}
