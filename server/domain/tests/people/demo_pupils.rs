//! The pupils of the demo schools, as those see them who sign in there.

use crate::{
    change::remove,
    pupil::{ASSISTANT, COVER, HEAD, OTHER_PARENT, OTHER_TEACHER, SENCO},
    scene::{ADMIN, CLERK, PARENT, Scene, TEACHER},
};
use domain::{
    Refusal,
    db::Caller,
    demo::pupils::{self, course::course, sketch},
    pupil::{self as of_pupil, Filter, Whose, caseload, duty, group, guardian},
};
use sqlx::Connection as _;
use std::collections::BTreeSet;
use testing::Role;
use time::{Duration, macros::date};
use uuid::Uuid;

impl Scene {
    pub async fn load_pupils(&mut self, most: Option<u32>) -> Result<usize, Refusal> {
        let now = self.now().await;
        let mut migrator = sqlx::PgConnection::connect_with(&self.fresh.options(Role::Migrator))
            .await
            .unwrap();
        let added = pupils::load(&mut migrator, now, most).await;
        migrator.close().await.unwrap();
        added
    }

    async fn mine(&mut self, email: &str) -> BTreeSet<Uuid> {
        let caller = self.caller(email).await;
        self.listed(&caller, Whose::Mine).await
    }

    async fn listed(&self, caller: &Caller, whose: Whose) -> BTreeSet<Uuid> {
        let mut read = self.db.read(caller).await.unwrap();
        let mut seen = BTreeSet::new();
        for page in 1..4 {
            let listed = of_pupil::list(&mut read, whose, &Filter::default(), page)
                .await
                .unwrap();
            seen.extend(listed.rows.into_iter().map(|pupil| pupil.id));
        }
        seen
    }

    /// All that was put there, in one word, so that any change shows.
    async fn all_of_pupils(&mut self) -> String {
        let mut all = String::new();
        for table in [
            "pupil",
            "teaching_group",
            "group_pupil",
            "caseload",
            "guardian_link",
            "contact_restriction",
            "duty_holder",
            "event",
            "notice",
        ] {
            let sql = format!(
                "select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from {table} t"
            );
            all += &self.text(&sql).await;
        }
        all
    }
}

#[tokio::test]
async fn imran_sees_his_form_lucy_covers_it_and_the_clerk_sees_nobody() {
    let mut scene = Scene::new().await;
    assert_eq!(scene.load_pupils(Some(56)).await, Ok(112));
    let (senco, clerk) = (scene.caller(SENCO).await, scene.caller(CLERK).await);
    let school = scene.listed(&senco, Whose::Seen).await;
    assert_eq!(school.len(), 56);
    let imran = scene.mine(TEACHER).await;
    assert_eq!(imran.len(), 7, "4W");
    assert!(imran.is_subset(&school));
    // Her own form, and his for today.
    let lucy = scene.mine(COVER).await;
    assert_eq!(lucy.len(), 14);
    assert!(imran.is_subset(&lucy));
    let kwame = scene.mine(OTHER_TEACHER).await;
    assert_eq!(kwame.len(), 7);
    assert!(kwame.is_disjoint(&lucy));
    let jasmine = scene.mine(ASSISTANT).await;
    assert_eq!(jasmine.len(), 3);
    assert!(jasmine.is_subset(&imran));
    assert!(scene.listed(&clerk, Whose::Seen).await.is_empty());
    // The cover is over by tomorrow's half past three at the latest, and is the only one with an end.
    let lucy = scene.caller(COVER).await;
    let mut read = scene.db.read(&lucy).await.unwrap();
    let given = caseload::mine(&mut read).await.unwrap();
    drop(read);
    let cover: Vec<bool> = given.iter().map(|given| given.cover).collect();
    assert_eq!(cover.iter().filter(|cover| **cover).count(), 1, "{given:?}");
    scene.sql("update caseload set during = tstzrange(lower(during) - interval '3 days', upper(during) - interval '2 days') where cover").await;
    assert_eq!(scene.mine(COVER).await.len(), 7);
}

#[tokio::test]
async fn parents_have_their_children_but_for_the_one_whom_an_order_keeps_from_them() {
    let mut scene = Scene::new().await;
    scene.load_pupils(Some(56)).await.unwrap();
    let (adeyemi, goldberg) = (scene.caller(PARENT).await, scene.caller(OTHER_PARENT).await);
    let children = async |scene: &Scene, parent: &Caller| {
        let mut read = scene.db.read(parent).await.unwrap();
        let children = guardian::children(&mut read).await.unwrap();
        children
            .into_iter()
            .map(|child| (child.id, child.last_name))
            .collect::<Vec<_>>()
    };
    let his = children(&scene, &adeyemi).await;
    assert_eq!(his.len(), 2);
    assert!(his.iter().all(|(_, name)| name == "Adeyemi"), "{his:?}");
    let hers = children(&scene, &goldberg).await;
    assert_eq!(hers.len(), 1, "and not the one in Year 5");
    assert!(his.contains(&hers[0]), "one child has both");
    // She is linked to the other, who is kept from her.
    assert_eq!(
        scene
            .sql("update contact_restriction set lifted_at = now(), lifted_by = made_by")
            .await,
        1
    );
    let both = children(&scene, &goldberg).await;
    assert!(both.iter().any(|(_, name)| name == "Goldberg"), "{both:?}");
}

#[tokio::test]
async fn everybody_who_teaches_is_told_who_leads_on_safeguarding() {
    let mut scene = Scene::new().await;
    scene.load_pupils(Some(16)).await.unwrap();
    let (head, admin) = (scene.place(HEAD).await, scene.place(ADMIN).await);
    let imran = scene.caller(TEACHER).await;
    let mut read = scene.db.read(&imran).await.unwrap();
    let holders = duty::holders(&mut read).await.unwrap();
    drop(read);
    let who: Vec<_> = holders
        .iter()
        .map(|holder| (holder.duty, holder.person))
        .collect();
    assert_eq!(
        who,
        [
            (duty::Duty::Safeguarding, head),
            (duty::Duty::DataProtection, admin)
        ]
    );
    assert!(holders[0].process.contains("Tell me in person"));
}

#[tokio::test]
async fn a_second_run_changes_nothing_and_says_so_in_the_log_as_little() {
    let mut scene = Scene::new().await;
    scene.load_pupils(Some(16)).await.unwrap();
    let first = scene.all_of_pupils().await;
    // Of the roll of the other size as little: the school has its pupils.
    assert_eq!(scene.load_pupils(Some(24)).await, Ok(0));
    assert_eq!(scene.all_of_pupils().await, first);
    let logged =
        "select string_agg(t.label || ' ' || e.detail::text, ', ' order by t.label) from event e
                  join tenant t on t.id = e.tenant_id where e.act = 'pupil.added'";
    assert_eq!(
        scene.text(logged).await,
        r#"northgate {"pupils": 16}, oakfield {"pupils": 16}"#
    );
    assert_eq!(
        scene
            .text("select count(*)::text from notice where seen_at is null")
            .await,
        "0"
    );
    scene
        .sql("update pupil set preferred_name = 'Sam' where id = (select id from pupil limit 1)")
        .await;
    assert_ne!(scene.all_of_pupils().await, first);
}

#[tokio::test]
async fn the_whole_of_both_schools_is_there_in_seconds_with_a_course_for_whom_somebody_teaches() {
    let mut scene = Scene::new().await;
    let started = std::time::Instant::now();
    assert_eq!(scene.load_pupils(None).await, Ok(1410));
    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
    let senco = scene.caller(SENCO).await;
    let mut read = scene.db.read(&senco).await.unwrap();
    let years = of_pupil::years(&mut read, Whose::Seen).await.unwrap();
    assert_eq!(years.iter().map(|(_, many)| many).sum::<usize>(), 210);
    assert_eq!(group::all(&mut read).await.unwrap().len(), 8);
    drop(read);
    let groups = "select count(*)::text from teaching_group g join tenant t on t.id = g.tenant_id where t.label = 'northgate'";
    assert_eq!(scene.text(groups).await, "168");
    let (oakfield, northgate) = (scene.oakfield, scene.northgate);
    let of_oakfield = sketch::sketches(&mut scene.behind, oakfield).await.unwrap();
    let of_northgate = sketch::sketches(&mut scene.behind, northgate)
        .await
        .unwrap();
    // Four forms of eight, and whoever is in one of the teachers' groups.
    assert!(
        (100..110).contains(&of_oakfield.len()),
        "{}",
        of_oakfield.len()
    );
    assert!(
        (300..500).contains(&of_northgate.len()),
        "{}",
        of_northgate.len()
    );
    let imran = scene.mine(TEACHER).await;
    let author = scene.place(TEACHER).await;
    let his: BTreeSet<Uuid> = of_oakfield
        .iter()
        .filter(|sketch| sketch.author == author)
        .map(|sketch| sketch.pupil)
        .collect();
    assert_eq!(his, imran);
    let (from, to) = (
        date!(2024 - 11 - 22),
        date!(2024 - 11 - 22) + Duration::days(728),
    );
    assert_eq!(
        of_oakfield[0].course(from, to),
        course(of_oakfield[0].seed, from, to)
    );
}

#[tokio::test]
async fn who_was_removed_before_has_no_caseload_and_the_rest_is_there() {
    let mut scene = Scene::new().await;
    let (admin, imran) = (scene.caller(ADMIN).await, scene.place(TEACHER).await);
    remove(&scene.db, &admin, imran).await.unwrap();
    assert_eq!(scene.load_pupils(Some(56)).await, Ok(112));
    let his = format!("select count(*)::text from caseload where membership_id = '{imran}'");
    assert_eq!(scene.text(&his).await, "0");
    assert_eq!(scene.mine(OTHER_TEACHER).await.len(), 7);
}
