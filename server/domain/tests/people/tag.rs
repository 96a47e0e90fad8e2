//! Context tags: off until they are for something, read by few, unreadable to the database, and never changed without a trail.

use crate::{
    change::change,
    pupil::{HEAD, OTHER_TEACHER, SENCO},
    scene::{ADMIN, CHAIR, CLERK, PARENT, Scene, TEACHER},
};
use domain::{
    Refusal,
    db::{Caller, MailDb},
    pupil::{
        Fault,
        duty::{self, Duty},
        field::{Field, TagKind},
        tag::{self, Why, ending},
    },
};
use testing::{Role, secrets};
use time::Date;
use uuid::Uuid;

/// In no dictionary, so that it is found wherever it stands in plain.
const CANARY: &str = "Xylophonian";

impl Scene {
    pub async fn switches_on(&mut self, fields: &[Field]) {
        let admin = self.caller(ADMIN).await;
        for field in fields {
            change(&self.db, &admin, async |write| {
                let purpose = "To plan support in lessons and to report on it.";
                Ok(((), duty::switch_on(write, *field, purpose).await?))
            })
            .await
            .unwrap();
        }
    }

    pub async fn tags(
        &self,
        by: &Caller,
        pupil: Uuid,
        kind: TagKind,
        value: &str,
        today: Date,
    ) -> Result<(), Refusal> {
        change(&self.db, by, async |write| {
            let act = tag::set(write, &secrets(), pupil, kind, value, today).await?;
            Ok(((), act))
        })
        .await
    }

    pub async fn known(&self, by: &Caller, pupil: Uuid) -> Vec<(TagKind, String)> {
        let mut read = self.reading(by).await;
        let tags = tag::of_pupil(&mut read, &secrets(), pupil).await.unwrap();
        tags.into_iter().map(|tag| (tag.kind, tag.value)).collect()
    }
}

#[tokio::test]
async fn a_tag_is_off_until_it_is_for_something_and_gone_with_its_trail_when_it_is_off_again() {
    let mut scene = Scene::new().await;
    let roll = scene.roll().await;
    let (admin, today) = (scene.caller(ADMIN).await, scene.today().await);
    let set = scene
        .tags(&admin, roll.aisha, TagKind::Sen, "K", today)
        .await;
    assert_eq!(set, Err(Refusal::Pupil(Fault::TagOff)));
    scene.switches_on(&[Field::Sen, Field::Fsm]).await;
    scene
        .tags(&admin, roll.aisha, TagKind::Sen, "K", today)
        .await
        .unwrap();
    scene
        .tags(&admin, roll.aisha, TagKind::Fsm, "Y", today)
        .await
        .unwrap();
    let again = scene
        .tags(&admin, roll.aisha, TagKind::Sen, "K", today)
        .await;
    assert_eq!(again, Err(Refusal::Stale));
    for (kind, wrong) in [
        (TagKind::Sen, "S"),
        (TagKind::Sen, ""),
        (TagKind::Fsm, "perhaps"),
    ] {
        let set = scene.tags(&admin, roll.aisha, kind, wrong, today).await;
        assert_eq!(set, Err(Refusal::Pupil(Fault::TagValue)), "{wrong}");
    }
    let both = [
        (TagKind::Fsm, "yes".to_owned()),
        (TagKind::Sen, "K".to_owned()),
    ];
    assert_eq!(scene.known(&admin, roll.aisha).await, both);
    change(&scene.db, &admin, async |write| {
        Ok(((), duty::switch_off(write, Field::Sen).await?))
    })
    .await
    .unwrap();
    assert_eq!(scene.known(&admin, roll.aisha).await, both[..1]);
    let left = scene
        .text("select count(*)::text from tag_change where kind = 'sen' and (was is not null or became is not null)")
        .await;
    assert_eq!(left, "0");
    // Switched on again, what was is not back.
    scene.switches_on(&[Field::Sen]).await;
    assert_eq!(scene.known(&admin, roll.aisha).await, both[..1]);
}

#[tokio::test]
async fn the_trail_says_who_tagged_whom_when_and_from_what_to_what() {
    let mut scene = Scene::new().await;
    let roll = scene.roll().await;
    let today = scene.today().await;
    scene.switches_on(&[Field::Sen]).await;
    let (admin, harriet) = (scene.caller(ADMIN).await, scene.caller(SENCO).await);
    scene
        .tags(&admin, roll.aisha, TagKind::Sen, "N", today)
        .await
        .unwrap();
    scene
        .tags(&harriet, roll.aisha, TagKind::Sen, "E", today)
        .await
        .unwrap();
    change(&scene.db, &harriet, async |write| {
        Ok(((), tag::remove(write, roll.aisha, TagKind::Sen).await?))
    })
    .await
    .unwrap();
    let trail = tag::trail(&mut scene.reading(&harriet).await, &secrets(), roll.aisha)
        .await
        .unwrap();
    let told: Vec<_> = trail
        .iter()
        .map(|line| {
            (
                line.why,
                line.was.as_deref(),
                line.became.as_deref(),
                line.by.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (Why::Removed, Some("E"), None, Some("Harriet Beaumont")),
            (Why::Set, Some("N"), Some("E"), Some("Harriet Beaumont")),
            (Why::Set, None, Some("N"), Some("Beatrice Lim")),
        ]
    );
    // By any SQL too: no tag changes without its line, and nobody writes or changes a line.
    scene
        .tags(&admin, roll.aisha, TagKind::Sen, "K", today)
        .await
        .unwrap();
    let before: i64 = scene
        .text("select count(*)::text from tag_change")
        .await
        .parse()
        .unwrap();
    assert_eq!(
        scene
            .raw(ADMIN, "update tag set expires_on = expires_on")
            .await,
        Ok(1)
    );
    assert_eq!(scene.raw(ADMIN, "delete from tag").await, Ok(1));
    let after: i64 = scene
        .text("select count(*)::text from tag_change")
        .await
        .parse()
        .unwrap();
    assert_eq!(after - before, 2);
    for sql in [
        "update tag_change set by_id = null",
        "delete from tag_change",
        "insert into tag_change (tenant_id, pupil_id, kind, why) select tenant_id, pupil_id, kind, why from tag_change",
    ] {
        assert_eq!(scene.raw(ADMIN, sql).await.unwrap_err(), "42501", "{sql}");
    }
}

#[tokio::test]
async fn tags_are_read_by_those_who_lead_and_whether_a_child_is_looked_after_by_fewer() {
    let mut scene = Scene::new().await;
    let roll = scene.roll().await;
    let today = scene.today().await;
    scene.switches_on(&[Field::Sen, Field::LookedAfter]).await;
    let admin = scene.caller(ADMIN).await;
    scene
        .tags(&admin, roll.aisha, TagKind::Sen, "K", today)
        .await
        .unwrap();
    scene
        .tags(&admin, roll.aisha, TagKind::LookedAfter, "yes", today)
        .await
        .unwrap();
    for (email, rows) in [
        (ADMIN, 2),
        (HEAD, 1),
        (SENCO, 1),
        (TEACHER, 0),
        (OTHER_TEACHER, 0),
        (CLERK, 0),
        (CHAIR, 0),
        (PARENT, 0),
    ] {
        for table in ["tag", "tag_change"] {
            let sql = format!("select from {table}");
            assert_eq!(scene.raw(email, &sql).await, Ok(rows), "{email} in {table}");
        }
        let caller = scene.caller(email).await;
        let known = scene.known(&caller, roll.aisha).await;
        assert_eq!(u64::try_from(known.len()).unwrap(), rows, "{email}");
        let keys = u64::from(matches!(email, ADMIN | HEAD | SENCO));
        assert_eq!(
            scene.raw(email, "select from tenant_key").await,
            Ok(keys),
            "{email}"
        );
    }
    let harriet = scene.caller(SENCO).await;
    let set = scene
        .tags(&harriet, roll.benedict, TagKind::LookedAfter, "yes", today)
        .await;
    assert_eq!(set, Err(Refusal::Pupil(Fault::TagOff)));
    let place = scene.place(SENCO).await;
    change(&scene.db, &admin, async |write| {
        let act = duty::give(write, Duty::Safeguarding, place, "Extension 12", "").await?;
        Ok(((), act))
    })
    .await
    .unwrap();
    assert_eq!(scene.raw(SENCO, "select from tag").await, Ok(2));
    scene
        .tags(&harriet, roll.benedict, TagKind::LookedAfter, "yes", today)
        .await
        .unwrap();
}

#[tokio::test]
async fn no_value_stands_in_any_table_in_plain_and_none_opens_elsewhere() {
    let mut scene = Scene::new().await;
    let roll = scene.roll().await;
    let today = scene.today().await;
    scene.switches_on(&[Field::HomeLanguage, Field::Fsm]).await;
    let admin = scene.caller(ADMIN).await;
    for (pupil, language) in [(roll.aisha, CANARY), (roll.benedict, "Polish")] {
        scene
            .tags(&admin, pupil, TagKind::HomeLanguage, language, today)
            .await
            .unwrap();
    }
    scene
        .tags(&admin, roll.aisha, TagKind::Fsm, "yes", today)
        .await
        .unwrap();
    let tables = scene
        .text("select string_agg(oid::regclass::text, ' ') from pg_class where relkind in ('r', 'p') and relnamespace in ('public'::regnamespace, 'sec'::regnamespace)")
        .await;
    let mut looked = 0;
    for table in tables.split(' ') {
        let found = scene
            .text(&format!(
                "select count(*)::text from {table} t where t::text ilike '%{CANARY}%' or t::text like '%' || encode('{CANARY}', 'hex') || '%'"
            ))
            .await;
        assert_eq!(found, "0", "{table}");
        looked += 1;
    }
    assert!(looked > 60);
    // It is there all the same.
    assert_eq!(scene.known(&admin, roll.aisha).await[1].1, CANARY);
    let lengths = scene
        .text("select string_agg(distinct octet_length(sealed)::text, ' ') from tag")
        .await;
    assert_eq!(lengths, "93");
    // Put into another's row, or under another kind, it does not open; nor without the tenant's key.
    for swap in [
        format!("update tag t set sealed = (select x.sealed from tag x where x.pupil_id = '{}' and x.kind = 'home_language')
                 where t.pupil_id = '{}'", roll.aisha, roll.benedict),
        format!("update tag t set sealed = (select x.sealed from tag x where x.pupil_id = '{0}' and x.kind = 'home_language')
                 where t.pupil_id = '{0}' and t.kind = 'fsm'", roll.aisha),
    ] {
        scene.sql(&swap).await;
    }
    for pupil in [roll.aisha, roll.benedict] {
        let opened = tag::of_pupil(&mut scene.reading(&admin).await, &secrets(), pupil).await;
        assert_eq!(opened.unwrap_err(), Refusal::Broken);
    }
    scene.sql("delete from tag where kind = 'fsm'").await;
    assert_eq!(scene.known(&admin, roll.aisha).await.len(), 1);
    scene
        .sql("update tenant_key set wrapped = substr(sha512('gone') || sha512('for good'), 1, 61)")
        .await;
    let opened = tag::of_pupil(&mut scene.reading(&admin).await, &secrets(), roll.aisha).await;
    assert_eq!(opened.unwrap_err(), Refusal::Broken);
}

#[tokio::test]
async fn a_tag_ends_with_the_school_year_unless_it_is_renewed_in_the_summer_before() {
    let mut scene = Scene::new().await;
    let roll = scene.roll().await;
    let today = scene.today().await;
    scene.switches_on(&[Field::Sen, Field::Fsm]).await;
    let admin = scene.caller(ADMIN).await;
    for kind in [TagKind::Sen, TagKind::Fsm] {
        let value = if kind == TagKind::Sen { "K" } else { "yes" };
        scene
            .tags(&admin, roll.aisha, kind, value, today)
            .await
            .unwrap();
    }
    let renew = async |kind, today| {
        change(&scene.db, &admin, async |write| {
            Ok(((), tag::renew(write, kind, today).await?))
        })
        .await
    };
    let year = domain::pupil::year::SchoolYear::of(today);
    let spring = Date::from_calendar_date(year.begins() + 1, time::Month::May, 31).unwrap();
    assert_eq!(
        renew(TagKind::Sen, spring).await,
        Err(Refusal::Pupil(Fault::RenewEarly))
    );
    let june = spring.next_day().unwrap();
    renew(TagKind::Sen, june).await.unwrap();
    assert_eq!(renew(TagKind::Sen, june).await, Err(Refusal::Stale));
    let ends = scene
        .text("select string_agg(kind || ' ' || expires_on, ', ' order by kind) from tag")
        .await;
    let (this, next) = (year.last_day(), year.next().last_day());
    assert_eq!(ends, format!("fsm {this}, sen {next}"));

    // When its last day is over it is seen no more, and then it is gone; the trail says what it was.
    scene
        .sql("update tag set expires_on = current_date - 2 where kind = 'fsm'")
        .await;
    assert_eq!(scene.known(&admin, roll.aisha).await.len(), 1);
    let worker = MailDb::new(scene.fresh.options(Role::Worker), 1);
    assert_eq!(worker.tags_expire().await, Ok(1));
    assert_eq!(worker.tags_expire().await, Ok(0));
    worker.close().await;
    let trail = tag::trail(&mut scene.reading(&admin).await, &secrets(), roll.aisha)
        .await
        .unwrap();
    let line = trail.iter().find(|line| line.why == Why::Expired).unwrap();
    assert_eq!(
        (line.kind, line.was.as_deref(), line.by.as_deref()),
        (TagKind::Fsm, Some("yes"), None)
    );
}

#[tokio::test]
async fn what_is_over_gives_way_at_once_to_what_is_so_now_and_leaves_its_line() {
    let mut scene = Scene::new().await;
    let roll = scene.roll().await;
    let today = scene.today().await;
    scene.switches_on(&[Field::Sen, Field::LookedAfter]).await;
    let (admin, harriet) = (scene.caller(ADMIN).await, scene.caller(SENCO).await);
    for (pupil, kind, value) in [
        (roll.aisha, TagKind::Sen, "K"),
        (roll.aisha, TagKind::LookedAfter, "yes"),
        (roll.benedict, TagKind::Sen, "E"),
    ] {
        scene.tags(&admin, pupil, kind, value, today).await.unwrap();
    }
    scene
        .sql("update tag set expires_on = sec.today() - 1")
        .await;
    assert_eq!(scene.known(&admin, roll.aisha).await, []);
    // The outsider: where nothing gives way, it is refused until the next upkeep.
    let over = "t.expires_on < sec.today()";
    scene
        .rewrite("sec.tags_give_way(uuid[])", over, "t.expires_on is null")
        .await;
    let set = async |scene: &Scene| {
        let sen = TagKind::Sen;
        scene.tags(&harriet, roll.aisha, sen, "K", today).await
    };
    assert!(set(&scene).await.is_err());
    scene
        .rewrite("sec.tags_give_way(uuid[])", "t.expires_on is null", over)
        .await;
    set(&scene).await.unwrap();
    let known = scene.known(&admin, roll.aisha).await;
    assert_eq!(known, [(TagKind::Sen, "K".to_owned())]);
    // The clock ended it, not she; and what is not hers to set or of another pupil lies where it lay.
    let trail = tag::trail(&mut scene.reading(&harriet).await, &secrets(), roll.aisha)
        .await
        .unwrap();
    let told: Vec<_> = trail
        .iter()
        .map(|line| {
            let by = line.by.as_deref();
            (line.why, line.was.as_deref(), line.became.as_deref(), by)
        })
        .collect();
    assert_eq!(
        told,
        [
            (Why::Set, None, Some("K"), Some("Harriet Beaumont")),
            (Why::Expired, Some("K"), None, None),
            (Why::Set, None, Some("K"), Some("Beatrice Lim")),
        ]
    );
    let lie = "select count(*)::text from tag where expires_on < sec.today()";
    assert_eq!(scene.text(lie).await, "2");
    // By any SQL nobody ends more than that, and what holds still stays.
    let all = "select sec.tags_give_way(array(select id from pupil))::text";
    for (email, gone) in [(TEACHER, "0"), (CLERK, "0"), (SENCO, "1"), (ADMIN, "1")] {
        assert_eq!(scene.raw_texts(email, all).await, [gone], "{email}");
    }
    assert_eq!(scene.known(&admin, roll.aisha).await, known);
    let worker = MailDb::new(scene.fresh.options(Role::Worker), 1);
    assert_eq!(worker.tags_expire().await, Ok(0));
    worker.close().await;
}

#[tokio::test]
async fn what_ends_within_thirty_days_is_listed_without_its_value_and_renewed_together() {
    let mut scene = Scene::new().await;
    let roll = scene.roll().await;
    let today = scene.today().await;
    scene
        .switches_on(&[Field::Sen, Field::Fsm, Field::LookedAfter])
        .await;
    let (admin, harriet) = (scene.caller(ADMIN).await, scene.caller(SENCO).await);
    let teacher = scene.caller(TEACHER).await;
    for (pupil, kind, value) in [
        (roll.aisha, TagKind::Sen, "K"),
        (roll.aisha, TagKind::LookedAfter, "yes"),
        (roll.benedict, TagKind::Sen, "E"),
        (roll.chidi, TagKind::Fsm, "yes"),
    ] {
        scene.tags(&admin, pupil, kind, value, today).await.unwrap();
    }
    let year = domain::pupil::year::SchoolYear::of(today);
    let listed = async |by: &Caller, day| {
        let soon = ending::ending(&mut scene.reading(by).await, day)
            .await
            .unwrap();
        soon.into_iter()
            .map(|one| (one.called, one.kind))
            .collect::<Vec<_>>()
    };
    let (august, before) = (
        year.last_day() - time::Duration::days(30),
        year.last_day() - time::Duration::days(31),
    );
    assert_eq!(listed(&admin, before).await, []);
    let name = |text: &str| text.to_owned();
    // By surname; and to the SENCO without whether a child is looked after.
    let all = [
        (name("Chidi Eze"), TagKind::Fsm),
        (name("Aisha Khan"), TagKind::LookedAfter),
        (name("Aisha Khan"), TagKind::Sen),
        (name("Benedict O’Rourke-Mensah"), TagKind::Sen),
    ];
    assert_eq!(listed(&admin, august).await, all);
    let fewer = [all[0].clone(), all[2].clone(), all[3].clone()];
    assert_eq!(listed(&harriet, august).await, fewer);
    assert_eq!(listed(&teacher, august).await, []);

    let renews = async |by: &Caller, these: &[(Uuid, TagKind)], day| {
        change(&scene.db, by, async |write| {
            Ok(((), ending::renew_these(write, these, day).await?))
        })
        .await
    };
    let these = [(roll.aisha, TagKind::Sen), (roll.chidi, TagKind::Fsm)];
    let refused = |fault| Err(Refusal::Pupil(fault));
    let none = renews(&admin, &[], august).await;
    assert_eq!(none, refused(Fault::NothingGiven));
    let may = Date::from_calendar_date(year.begins() + 1, time::Month::May, 31).unwrap();
    let early = renews(&admin, &these, may).await;
    assert_eq!(early, refused(Fault::RenewEarly));
    let secret = [(roll.aisha, TagKind::LookedAfter)];
    let narrow = renews(&harriet, &secret, august).await;
    assert_eq!(narrow, refused(Fault::TagOff));
    let not_hers = renews(&teacher, &these, august).await;
    assert_eq!(not_hers, refused(Fault::TagOff));
    renews(&harriet, &these, august).await.unwrap();
    assert_eq!(renews(&admin, &these, august).await, Err(Refusal::Stale));
    assert_eq!(
        listed(&admin, august).await,
        [all[1].clone(), all[3].clone()]
    );
    // It says since when it is so, which renewing does not change; and the trail says who renewed it.
    let tags = tag::of_pupil(&mut scene.reading(&admin).await, &secrets(), roll.chidi)
        .await
        .unwrap();
    let trail = tag::trail(&mut scene.reading(&admin).await, &secrets(), roll.chidi)
        .await
        .unwrap();
    let whys: Vec<_> = trail
        .iter()
        .map(|line| (line.why, line.by.as_deref()))
        .collect();
    assert_eq!(
        whys,
        [
            (Why::Renewed, Some("Harriet Beaumont")),
            (Why::Set, Some("Beatrice Lim"))
        ]
    );
    assert_eq!(tags[0].since.as_ref(), Some(&trail[1].at));
}
