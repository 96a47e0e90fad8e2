//! What was put down about the pupils of the demo schools, as those read it who sign in there.

use crate::{
    pupil::{HEAD, OTHER_PARENT, SENCO},
    scene::{ADMIN, PARENT, Scene, TEACHER},
};
use domain::{
    Refusal,
    db::Caller,
    demo::pupils::records::{self, Loaded, PARENTS},
    password::Hasher,
    pupil::{field::TagKind, guardian, tag},
    wellbeing::{
        naming,
        onrecord::{self, State},
        timeline,
        trend::{Direction, trend},
    },
};
use sqlx::Connection as _;
use std::collections::{BTreeMap, BTreeSet};
use testing::{Role, secrets};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// What of the records follows from the seed: all but the keys.
const TOLD: &str = "select md5(string_agg(t.line, '|' order by t.line)) from (
    select concat_ws(' ', o.label, p.admission_number, r.kind, r.happened_at, r.recorded_at, l.part, v.number, v.body, v.detail - 'by',
        v.review_on, v.reason, v.withdraws, v.made_at, w.words,
        (select string_agg(s.domain || s.value, ',' order by s.domain) from score s
         where s.tenant_id = r.tenant_id and s.record_id = r.id and s.number = v.number and s.pupil_id = p.id),
        (select string_agg(concat_ws(' ', e.words, e.put_at, e.opens_at, e.off_at), ',' order by e.put_at) from on_record e
         where e.tenant_id = r.tenant_id and e.record_id = r.id and e.pupil_id = p.id)) as line
    from record r join record_pupil l on l.tenant_id = r.tenant_id and l.record_id = r.id
    join tenant o on o.id = r.tenant_id join pupil p on p.tenant_id = r.tenant_id and p.id = l.pupil_id
    join record_version v on v.tenant_id = r.tenant_id and v.record_id = r.id
    left join record_words w on w.tenant_id = r.tenant_id and w.record_id = r.id and w.number = v.number and w.pupil_id = p.id) t";

impl Scene {
    async fn load_records(&mut self) -> Result<Loaded, Refusal> {
        let now = self.now().await;
        self.load_records_at(now).await
    }

    async fn load_records_at(&mut self, now: OffsetDateTime) -> Result<Loaded, Refusal> {
        let mut migrator = sqlx::PgConnection::connect_with(&self.fresh.options(Role::Migrator))
            .await
            .unwrap();
        let hasher = Hasher::new(1).unwrap();
        let loaded = records::load(&mut migrator, &hasher, &secrets(), now).await;
        migrator.close().await.unwrap();
        loaded
    }

    /// With so many pupils in each school.
    async fn with_records(pupils: u32) -> Self {
        let mut scene = Self::new().await;
        scene.load_pupils(Some(pupils)).await.unwrap();
        scene.load_records().await.unwrap();
        scene
    }

    async fn many(&mut self, sql: &str) -> i64 {
        self.text(&format!("select ({sql})::text"))
            .await
            .parse()
            .unwrap()
    }

    async fn children_by_seal(&self, parent: &Caller) -> Vec<Uuid> {
        let mut read = self.db.read(parent).await.unwrap();
        let children = guardian::children(&mut read).await.unwrap();
        children.into_iter().map(|child| child.id).collect()
    }
}

#[tokio::test]
async fn both_schools_have_their_records_within_a_minute_and_a_second_run_changes_nothing() {
    let mut scene = Scene::new().await;
    scene.load_pupils(None).await.unwrap();
    let begun = std::time::Instant::now();
    let loaded = scene.load_records().await.unwrap();
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
    eprintln!("{loaded:?} in {:?}", begun.elapsed());
    assert!((10_000..20_000).contains(&loaded.records), "{loaded:?}");
    assert!(loaded.levels > loaded.records * 3, "{loaded:?}");
    assert!((40..400).contains(&loaded.entries), "{loaded:?}");
    assert_eq!(loaded.parents, PARENTS - 2);
    // Of everybody there is something, and of who is taught at Oakfield about two in five weeks of term.
    let silent = "select count(*) from pupil p where not exists (
        select from record_pupil l where l.tenant_id = p.tenant_id and l.pupil_id = p.id)";
    assert!(scene.many(silent).await < 40);
    let first = scene.text(TOLD).await;
    assert_eq!(scene.load_records().await, Ok(Loaded::default()));
    assert_eq!(scene.text(TOLD).await, first);
    let unread = "select count(*) from notice where seen_at is null";
    assert_eq!(scene.many(unread).await, 0);
    levels_are_plausible(&mut scene).await;
    some_go_up_some_go_down_and_most_do_neither(&mut scene).await;
    tags_have_plausible_shares(&mut scene).await;
}

async fn levels_are_plausible(scene: &mut Scene) {
    let mut of_level = BTreeMap::new();
    for level in 1..=5_i64 {
        let share =
            format!("select 10000 * count(*) filter (where value = {level}) / count(*) from score");
        of_level.insert(level, scene.many(&share).await);
    }
    assert!(of_level.values().all(|share| *share >= 5), "{of_level:?}");
    assert!(
        (6000..8500).contains(&(of_level[&4] + of_level[&5])),
        "{of_level:?}"
    );
    assert!(
        of_level[&1] < of_level[&3] && of_level[&2] < of_level[&3],
        "{of_level:?}"
    );
    let domains = "select count(distinct domain) from score";
    assert_eq!(scene.many(domains).await, 8);
}

async fn some_go_up_some_go_down_and_most_do_neither(scene: &mut Scene) {
    let (senco, today) = (scene.caller(SENCO).await, scene.today().await);
    let pupils: Vec<Uuid> = sqlx::query_scalar("select id from pupil where tenant_id = $1")
        .bind(scene.oakfield)
        .fetch_all(&mut *scene.behind)
        .await
        .unwrap();
    let mut read = scene.db.read(&senco).await.unwrap();
    let mut found: BTreeMap<&str, u32> = BTreeMap::new();
    for pupil in pupils {
        let from = today - Duration::days(365);
        for (_, points) in timeline::points(&mut read, pupil, from, today)
            .await
            .unwrap()
        {
            *found.entry(trend(&points).direction.code()).or_default() += 1;
        }
    }
    let of = |direction: Direction| found.get(direction.code()).copied().unwrap_or_default();
    assert!(
        of(Direction::Up) >= 10 && of(Direction::Down) >= 10,
        "{found:?}"
    );
    assert!(
        of(Direction::Steady) > 2 * (of(Direction::Up) + of(Direction::Down)),
        "{found:?}"
    );
}

async fn tags_have_plausible_shares(scene: &mut Scene) {
    let admin = scene.caller(ADMIN).await;
    let mut read = scene.db.read(&admin).await.unwrap();
    let all = tag::everybody(&mut read, &secrets()).await.unwrap();
    drop(read);
    assert_eq!(all.len(), 210);
    let share = |kind: TagKind, value: &str| {
        let of = all
            .values()
            .filter(|tags| tags.get(&kind).is_some_and(|is| is == value));
        of.count() * 1000 / all.len()
    };
    assert!(
        (150..300).contains(&share(TagKind::Fsm, "yes")),
        "{}",
        share(TagKind::Fsm, "yes")
    );
    assert!(
        (90..200).contains(&share(TagKind::Sen, "K")),
        "{}",
        share(TagKind::Sen, "K")
    );
    assert!(
        (15..80).contains(&share(TagKind::Sen, "E")),
        "{}",
        share(TagKind::Sen, "E")
    );
    let english = share(TagKind::HomeLanguage, "English");
    assert!((680..880).contains(&english), "{english}");
    let lines = "select count(*) from tag_change c join tag t using (tenant_id, pupil_id, kind) where c.became = t.sealed";
    assert_eq!(scene.many(lines).await, 840, "each with its line");
    let northgate = scene
        .behind
        .caller("northgate", "admin@northgate.example")
        .await;
    let mut read = scene.db.read(&northgate).await.unwrap();
    assert!(tag::on(&mut read).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_same_seed_and_moment_make_the_same_records() {
    let mut scene = Scene::new().await;
    let now = scene.now().await;
    let mut told = Vec::new();
    for at in [now, now, now - Duration::days(30)] {
        let mut scene = Scene::new().await;
        scene.load_pupils(Some(16)).await.unwrap();
        scene.load_records_at(at).await.unwrap();
        told.push(scene.text(TOLD).await);
    }
    assert_eq!(told[0], told[1]);
    assert_ne!(told[0], told[2]);
}

#[tokio::test]
async fn nothing_was_put_down_before_it_happened_nor_is_yet_to_be_and_no_right_is_left() {
    let mut scene = Scene::with_records(56).await;
    for never in [
        "select count(*) from record where recorded_at < happened_at or recorded_at > now()",
        "select count(*) from record_version where made_at > now()",
        "select count(*) from record r join record_version v on v.tenant_id = r.tenant_id and v.record_id = r.id
           and v.number = 1 where v.made_at <> r.recorded_at",
        "select count(*) from record_version v join record_version n on n.tenant_id = v.tenant_id and n.record_id = v.record_id
           and n.number = v.number + 1 where n.made_at <= v.made_at",
        "select count(*) from record where newest = 0",
        "select count(*) from score s join record r on r.tenant_id = s.tenant_id and r.id = s.record_id
           where s.happened_on <> (r.happened_at at time zone 'Europe/London')::date",
        "select count(*) from record where extract(isodow from happened_at at time zone 'Europe/London') > 5",
        "select count(*) from on_record where put_at > now() or off_at > now()",
        "select count(*) from statement s join on_record o on o.tenant_id = s.tenant_id and o.id = s.on_record_id
           where s.made_at < o.opens_at",
        "select count(*) from pg_policies where policyname = 'demo'",
    ] {
        assert_eq!(scene.many(never).await, 0, "{never}");
    }
    // Now and then somebody wrote it up a day later.
    let late = "select count(*) from record where recorded_at > happened_at + interval '12 hours'";
    assert!(scene.many(late).await > 10);
    let by_owner = "set role quorate_owner; insert into record (tenant_id, kind, happened_at, author_id)
        values ('00000000-0000-0000-0000-000000000000', 'plan', now(), '00000000-0000-0000-0000-000000000000')";
    let refused = sqlx::raw_sql(by_owner).execute(&mut *scene.behind).await;
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("row-level security")
    );
}

#[tokio::test]
async fn no_text_holds_the_name_of_a_pupil_and_only_who_is_linked_is_named_to_who_sees_them() {
    let mut scene = Scene::with_records(210).await;
    assert_eq!(names_in_texts(&mut scene).await, BTreeSet::new());
    let tokens = "select count(*) from record_version where body like '%⟦1f⟧%'";
    assert!(scene.many(tokens).await > 50);
    let named = "update record_version set body = 'Sat beside ' || (select first_name from pupil order by id limit 1)
        where ctid = (select ctid from record_version limit 1)";
    scene.sql(named).await;
    assert!(!names_in_texts(&mut scene).await.is_empty());
}

/// Names of pupils in anything that staff wrote, without their tokens.
async fn names_in_texts(scene: &mut Scene) -> BTreeSet<String> {
    let names: Vec<(String, String)> = sqlx::query_as("select first_name, last_name from pupil")
        .fetch_all(&mut *scene.behind)
        .await
        .unwrap();
    let names: BTreeSet<String> = names
        .iter()
        .flat_map(|(first, last)| [naming::words(first), naming::words(last)].concat())
        .filter(|name| name.len() > 1)
        .collect();
    let texts: Vec<String> = sqlx::query_scalar(
        "select body from record_version union select reason from record_version where reason is not null
         union select words from record_words union select detail ->> 'aim' from record_version where detail ? 'aim'
         union select detail ->> 'what' from record_version where detail ? 'what'
         union select detail ->> 'with' from record_version where detail ? 'with'",
    )
    .fetch_all(&mut *scene.behind)
    .await
    .unwrap();
    assert!(texts.len() > 50, "{}", texts.len());
    let words = texts.iter().flat_map(|text| naming::words(text));
    words.filter(|word| names.contains(word)).collect()
}

#[tokio::test]
async fn imran_has_two_reviews_this_week_and_one_that_was_forgotten() {
    let mut scene = Scene::with_records(56).await;
    let (imran, today) = (scene.caller(TEACHER).await, scene.today().await);
    let mut read = scene.db.read(&imran).await.unwrap();
    let due = timeline::reviews_due(&mut read, today + Duration::days(6))
        .await
        .unwrap();
    drop(read);
    let today = domain::day::field(today);
    assert_eq!(
        due.iter().filter(|due| due.on < today).count(),
        1,
        "{due:?}"
    );
    assert!(
        due.iter().filter(|due| due.on >= today).count() >= 2,
        "{due:?}"
    );
    let overdue = "select count(*) from record r join record_version v on v.tenant_id = r.tenant_id and v.record_id = r.id
        and v.number = r.newest join tenant t on t.id = r.tenant_id
        where t.label = 'oakfield' and r.withdrawn_at is null and v.review_on < current_date - 1";
    assert_eq!(scene.many(overdue).await, 1);
}

#[tokio::test]
async fn one_record_was_withdrawn_one_was_corrected_and_each_child_in_an_incident_has_a_part() {
    let mut scene = Scene::with_records(210).await;
    let oakfield = "from record r join tenant t on t.id = r.tenant_id and t.label = 'oakfield'";
    let withdrawn = format!("select count(*) {oakfield} where r.withdrawn_at is not null");
    assert_eq!(scene.many(&withdrawn).await, 1);
    let corrected =
        format!("select count(*) {oakfield} where r.kind = 'observation' and r.newest = 2");
    assert_eq!(scene.many(&corrected).await, 2);
    let parts = scene
        .text(&format!(
            "select string_agg(l.part || ' ' || (w.words is not null), ', ' order by r.happened_at desc, l.place) {oakfield}
             join record_pupil l on l.tenant_id = r.tenant_id and l.record_id = r.id and l.part <> 'subject'
             left join record_words w on w.tenant_id = r.tenant_id and w.record_id = r.id and w.pupil_id = l.pupil_id"
        ))
        .await;
    let three = "harmed true, caused true, witness true";
    assert_eq!(parts, format!("{three}, {three}"));
    // Of the one who is in another form Imran is told no more than the part.
    let imran = scene.caller(TEACHER).await;
    let first: Uuid = scene
        .text("select l.pupil_id::text from record_pupil l join pupil p on p.tenant_id = l.tenant_id and p.id = l.pupil_id
               join tenant t on t.id = l.tenant_id and t.label = 'oakfield'
               where l.part = 'witness' order by p.admission_number limit 1")
        .await
        .parse()
        .unwrap();
    let mut read = scene.db.read(&imran).await.unwrap();
    let entries = timeline::timeline(&mut read, first, &timeline::Filter::default(), None)
        .await
        .unwrap();
    drop(read);
    let other = entries
        .iter()
        .find(|entry| !entry.hidden.is_empty())
        .unwrap();
    assert!(other.body.contains("another pupil"), "{}", other.body);
    for kind in ["conversation", "plan", "intervention", "instrument"] {
        let some = format!("select count(*) {oakfield} where r.kind = '{kind}'");
        assert!(scene.many(&some).await >= 4, "{kind}");
    }
}

#[tokio::test]
async fn parents_read_of_their_own_children_what_has_opened_and_one_has_a_child_at_each_school() {
    let mut scene = Scene::with_records(210).await;
    let (adeyemi, goldberg) = (scene.caller(PARENT).await, scene.caller(OTHER_PARENT).await);
    for parent in [&adeyemi, &goldberg] {
        let own: BTreeSet<Uuid> = scene.children_by_seal(parent).await.into_iter().collect();
        let mut read = scene.db.read(parent).await.unwrap();
        let entries = onrecord::for_parent(&mut read, None).await.unwrap();
        assert!(!entries.is_empty());
        assert!(entries.iter().all(|entry| own.contains(&entry.pupil)));
        assert!(
            entries
                .iter()
                .all(|entry| !entry.shown.words.contains("Tuesday?"))
        );
    }
    // What cools is there for the teacher, and was put there by nobody else.
    let imran = scene.caller(TEACHER).await;
    let mut cooling = 0;
    for child in scene.children_by_seal(&adeyemi).await {
        let mut read = scene.db.read(&imran).await.unwrap();
        let put = onrecord::of_pupil(&mut read, child).await;
        let put = put.unwrap_or_default();
        cooling += put
            .iter()
            .filter(|put| matches!(put.state, State::Cooling(_)))
            .count();
    }
    assert_eq!(cooling, 1);
    let both = scene.caller("parent3@oakfield.example").await;
    assert_eq!(scene.children_by_seal(&both).await.len(), 1);
    let there = scene
        .behind
        .caller("northgate", "parent3@oakfield.example")
        .await;
    assert_eq!(scene.children_by_seal(&there).await.len(), 1);
    let last = scene
        .caller(&format!("parent{PARENTS}@oakfield.example"))
        .await;
    assert_eq!(scene.children_by_seal(&last).await.len(), 1);
    for some in [
        "select count(*) from statement where number = 1",
        "select count(*) from statement where number = 2",
        "select count(*) from on_record where off_at is not null",
        "select count(*) from contact_restriction where lifted_at is null",
    ] {
        assert!(scene.many(some).await >= 1, "{some}");
    }
}

#[tokio::test]
async fn cover_has_ended_and_runs_and_looks_beyond_a_caseload_have_their_reason() {
    let mut scene = Scene::with_records(210).await;
    let cover = "select count(*) from caseload c join tenant t on t.id = c.tenant_id and t.label = 'oakfield'
        where cover and upper(during)";
    assert_eq!(
        scene
            .many(&format!("{cover} < now() and told_at is not null"))
            .await,
        1
    );
    assert_eq!(
        scene
            .many(&format!("{cover} > now() and told_at is null"))
            .await,
        1
    );
    let reasons = "select count(distinct a.reason) from pupil_access a join pupil_read r
        on r.tenant_id = a.tenant_id and r.access_id = a.id and r.membership_id = a.membership_id and r.basis = 'reason'
        and r.at between a.opened_at and a.until";
    assert_eq!(scene.many(reasons).await, 4);
    let head = scene.place(HEAD).await;
    let by_role = format!(
        "select count(*) from pupil_read where membership_id = '{head}' and basis <> 'role'"
    );
    assert_eq!(scene.many(&by_role).await, 0);
    let senco = scene.place("senco@oakfield.example").await;
    let looked = format!(
        "select count(*) from pupil_read where membership_id = '{senco}' and basis = 'role'"
    );
    assert!(scene.many(&looked).await > 0);
}
