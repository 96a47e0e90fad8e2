//! How parents come in, by which address and for which child, and what they are told of a child and of one that was taken from them.

use crate::{
    change::{change, drop_role, give_role, remove},
    digest::{news, of},
    pupil::{OTHER_PARENT, OTHER_TEACHER, SENCO},
    scene::{ADMIN, CLERK, NEW_PASSWORD, PARENT, PLACE, Scene, TEACHER},
};
use domain::{
    Refusal,
    mailing::{Kind, Letter, LinkToken},
    membership,
    pupil::{
        Fault,
        guardian::{self, Asked, Relation},
    },
    recovery,
    role::Role as Held,
    session::Needs,
};
use uuid::Uuid;

const MOTHER: &str = "rachel.obi@home.example";
const AT_WORK: &str = "r.obi@works.example";

impl Scene {
    async fn asks_in(&mut self, by: &str, pupil: Uuid, email: &str) -> Result<Asked, Refusal> {
        let by = self.caller(by).await;
        let mut write = self.db.write(&by).await?;
        let (name, relation) = ("Rachel Obi", Relation::Mother);
        let (asked, acts) = guardian::ask_in(&mut write, pupil, name, email, relation).await?;
        write.commit_all(acts).await?;
        Ok(asked)
    }

    /// How somebody's own children are called.
    async fn children_of(&mut self, email: &str) -> Vec<String> {
        let caller = self.caller(email).await;
        let children = guardian::children(&mut self.reading(&caller).await).await;
        let children = children.unwrap();
        children.into_iter().map(|child| child.called).collect()
    }

    async fn news_of(&mut self, email: &str) -> Vec<String> {
        let caller = self.caller(email).await;
        self.news(&caller).await
    }

    /// What the worker mails next, with the links' tokens.
    async fn letters_with_links(&self) -> Vec<(Letter, LinkToken)> {
        let worker = self.worker();
        let mut letters = Vec::new();
        for wanted in worker.wanted().await.unwrap() {
            worker.queued(wanted.tenant, wanted.seq).await.unwrap();
            assert_eq!(wanted.kind, Kind::Invitation);
            let token = LinkToken::random().unwrap();
            if let Some(letter) = worker.issue(&wanted, &token).await.unwrap() {
                letters.push((letter, token));
            }
        }
        worker.close().await;
        letters
    }

    async fn restricts(&mut self, email: &str, pupil: Uuid) {
        let (admin, person) = (self.caller(ADMIN).await, self.place(email).await);
        change(&self.db, &admin, async |write| {
            let words = "Order of the family court at Leeds, 2 March 2026";
            Ok((
                (),
                guardian::restrict(write, pupil, person, words, None).await?,
            ))
        })
        .await
        .unwrap();
    }
}

#[tokio::test]
async fn a_parent_is_asked_in_by_mail_for_a_child_and_sees_that_child_without_a_second_factor() {
    let mut scene = Scene::new().await;
    let roll = scene.roll().await;
    let _ = scene.letters_with_links().await;
    let before = scene.log_at().await;
    let asked = scene
        .asks_in(ADMIN, roll.aisha, " Rachel.Obi@Home.example ")
        .await;
    assert_eq!(asked, Ok(Asked::Invited));
    assert_eq!(
        scene.acts_after(&before).await,
        "membership.invited, guardian.linked"
    );
    // Whoever else is asked in gets the letter that everybody gets.
    let clerk = scene.caller(CLERK).await;
    change(&scene.db, &clerk, async |write| {
        let roles = [Held::Governor, Held::Parent];
        membership::add(write, "Joan Whitlock", "joan@home.example", &roles).await
    })
    .await
    .unwrap();
    let letters = scene.letters_with_links().await;
    let said: Vec<_> = letters
        .iter()
        .map(|(letter, _)| (letter.email.as_str(), letter.as_parent))
        .collect();
    assert_eq!(said, [(MOTHER, true), ("joan@home.example", false)]);

    let link = letters[0].1;
    let tenant = scene.oakfield;
    recovery::accept(
        &scene.db,
        &scene.hasher,
        link.bytes(),
        tenant,
        PLACE,
        Some(NEW_PASSWORD),
    )
    .await
    .unwrap();
    let (token, needs) = scene.try_password(MOTHER, NEW_PASSWORD).await.unwrap();
    assert_eq!(needs, Needs::Nothing);
    let live = scene.live(token).await.unwrap();
    assert_eq!(live.roles, [Held::Parent]);
    assert_eq!(scene.children_of(MOTHER).await, ["Aisha"]);
    assert_eq!(
        scene.news_of(MOTHER).await,
        Vec::<String>::new(),
        "the letter told her"
    );
}

#[tokio::test]
async fn one_parent_with_two_addresses_and_one_who_teaches_here_are_each_asked_in_once() {
    let mut scene = Scene::new().await;
    let roll = scene.roll().await;
    for email in [MOTHER, AT_WORK] {
        let asked = scene.asks_in(ADMIN, roll.aisha, email).await;
        assert_eq!(asked, Ok(Asked::Invited), "{email}");
    }
    let asked = scene.asks_in(ADMIN, roll.benedict, MOTHER).await;
    assert_eq!(asked, Ok(Asked::Waiting));
    let asked = scene.asks_in(ADMIN, roll.aisha, PARENT).await;
    assert_eq!(asked, Ok(Asked::Linked));
    assert_eq!(scene.news_of(PARENT).await, ["guardian.linked"]);
    assert_eq!(scene.children_of(PARENT).await, ["Aisha"]);
    assert_eq!(
        scene.asks_in(ADMIN, roll.aisha, PARENT).await,
        Err(Refusal::Pupil(Fault::GuardianTwice))
    );
    // A teacher keeps what they are, and what they are called.
    let before = scene.log_at().await;
    let asked = scene.asks_in(ADMIN, roll.elliot, TEACHER).await;
    assert_eq!(asked, Ok(Asked::AlsoParent));
    assert_eq!(
        scene.acts_after(&before).await,
        "membership.role_given, guardian.linked"
    );
    assert_eq!(scene.children_of(TEACHER).await, ["Elliot"]);
    let admin = scene.caller(ADMIN).await;
    let people = scene.people(&admin).await;
    let imran = people
        .iter()
        .find(|person| person.email.as_deref() == Some(TEACHER))
        .unwrap();
    assert_eq!(imran.name, "Imran Siddiqui");
    assert_eq!(imran.roles, [Held::Teacher, Held::Parent]);
    let named = people
        .iter()
        .filter(|person| person.name == "Rachel Obi")
        .count();
    assert_eq!(named, 2);
}

#[tokio::test]
async fn only_the_office_asks_parents_in_and_what_is_refused_leaves_nobody_behind() {
    let mut scene = Scene::new().await;
    let roll = scene.roll().await;
    let admin = scene.caller(ADMIN).await;
    let before = scene.people(&admin).await.len();
    for by in [CLERK, SENCO, TEACHER, PARENT] {
        let asked = scene.asks_in(by, roll.aisha, MOTHER).await;
        assert_eq!(asked, Err(Refusal::NotAllowed), "{by}");
    }
    let nobody = scene.asks_in(ADMIN, Uuid::from_u128(7), MOTHER).await;
    assert_eq!(nobody, Err(Refusal::NotFound));
    let none = scene.asks_in(ADMIN, roll.aisha, "rachel").await;
    assert_eq!(none, Err(Refusal::EmailFormat));
    let own = scene.asks_in(ADMIN, roll.aisha, ADMIN).await;
    assert_eq!(own, Err(Refusal::OwnPlace));
    assert_eq!(scene.people(&admin).await.len(), before);
    scene.asks_in(ADMIN, roll.aisha, MOTHER).await.unwrap();
    assert_eq!(scene.people(&admin).await.len(), before + 1);
}

#[tokio::test]
async fn what_was_to_be_told_of_a_child_is_not_told_to_whom_the_child_was_taken_from() {
    let mut scene = Scene::new().await;
    let roll = scene.roll().await;
    let monday = scene.monday().await;
    scene.no_board().await;
    scene.quiet().await;
    let (imran, record) = scene.seen_by_imran(&roll).await;
    scene.parent_of(OTHER_PARENT, roll.aisha).await;
    let words = "Aisha settled quickly after lunch.";
    scene.puts(&imran, record, roll.aisha, words).await.unwrap();
    scene.cooled().await;
    assert_eq!(scene.records_open().await, 1);
    let both = ["record.opened", "guardian.linked"];
    assert_eq!(scene.news_of(OTHER_PARENT).await, both);
    // The outsider: without the trigger what was to be told is told.
    scene
        .sql("alter table contact_restriction disable trigger child_taken")
        .await;
    scene.restricts(OTHER_PARENT, roll.aisha).await;
    assert_eq!(scene.news_of(OTHER_PARENT).await, both);
    scene
        .sql("alter table contact_restriction enable trigger child_taken")
        .await;
    scene.sql("delete from contact_restriction").await;
    scene.restricts(OTHER_PARENT, roll.aisha).await;
    assert_eq!(scene.news_of(OTHER_PARENT).await, Vec::<String>::new());
    assert_eq!(scene.news_of(PARENT).await, both);
    // A letter tells the one, without a word of what it is, and not the other.
    let sent = scene.morning(monday).await;
    assert_eq!(
        news(of(&sent, PARENT).unwrap()),
        [("guardian.linked", 1), ("record.opened", 1)]
    );
    assert!(of(&sent, OTHER_PARENT).is_none());
    // Linked anew while the order stands they hear of nothing; of another child they do.
    let admin = scene.caller(ADMIN).await;
    let links = guardian::of_pupil(&mut scene.reading(&admin).await, roll.aisha)
        .await
        .unwrap();
    let father = links.iter().find(|link| link.restricted.is_some()).unwrap();
    change(&scene.db, &admin, async |write| {
        Ok(((), guardian::unlink(write, father.id).await?))
    })
    .await
    .unwrap();
    scene.parent_of(OTHER_PARENT, roll.aisha).await;
    assert_eq!(scene.news_of(OTHER_PARENT).await, Vec::<String>::new());
    scene.parent_of(OTHER_PARENT, roll.benedict).await;
    assert_eq!(scene.news_of(OTHER_PARENT).await, ["guardian.linked"]);
    assert_eq!(scene.children_of(OTHER_PARENT).await, ["Benedict"]);
}

#[tokio::test]
async fn who_is_no_parent_here_any_more_is_not_told_what_was_to_be_told_of_a_child() {
    let mut scene = Scene::new().await;
    let roll = scene.roll().await;
    let monday = scene.monday().await;
    scene.no_board().await;
    scene.quiet().await;
    let admin = scene.caller(ADMIN).await;
    let (imran, record) = scene.seen_by_imran(&roll).await;
    scene.parent_of(OTHER_PARENT, roll.aisha).await;
    let kwame = scene.place(OTHER_TEACHER).await;
    give_role(&scene.db, &admin, kwame, Held::Parent)
        .await
        .unwrap();
    scene.parent_of(OTHER_TEACHER, roll.aisha).await;
    let words = "Aisha settled quickly after lunch.";
    scene.puts(&imran, record, roll.aisha, words).await.unwrap();
    scene.cooled().await;
    assert_eq!(scene.records_open().await, 1);
    let both = ["record.opened", "guardian.linked"];
    let of_child = |news: Vec<String>| -> Vec<String> {
        let of_child = news.into_iter();
        of_child
            .filter(|act| both.contains(&act.as_str()))
            .collect()
    };
    let heard = scene.news_of(OTHER_TEACHER).await;
    assert_eq!(of_child(heard), both);
    // The outsider: without the trigger what was to be told is told.
    let drop = async |scene: &Scene| drop_role(&scene.db, &admin, kwame, Held::Parent).await;
    scene
        .sql("alter table membership disable trigger parent_no_more")
        .await;
    drop(&scene).await.unwrap();
    assert_eq!(of_child(scene.news_of(OTHER_TEACHER).await), both);
    scene
        .sql("alter table membership enable trigger parent_no_more")
        .await;
    give_role(&scene.db, &admin, kwame, Held::Parent)
        .await
        .unwrap();
    // Another role that goes takes nothing away, and that of a parent what is of children.
    let others = scene.news_of(OTHER_TEACHER).await.len() - both.len();
    give_role(&scene.db, &admin, kwame, Held::Associate)
        .await
        .unwrap();
    drop_role(&scene.db, &admin, kwame, Held::Associate)
        .await
        .unwrap();
    assert_eq!(of_child(scene.news_of(OTHER_TEACHER).await), both);
    drop(&scene).await.unwrap();
    let heard = scene.news_of(OTHER_TEACHER).await;
    assert_eq!(of_child(heard.clone()), Vec::<String>::new());
    assert!(heard.len() >= others);
    // Whose place ends hears of nothing, and whoever is a parent still of both.
    let father = scene.place(OTHER_PARENT).await;
    assert_eq!(scene.news_of(OTHER_PARENT).await, both);
    remove(&scene.db, &admin, father).await.unwrap();
    let untold = |place| {
        format!(
            "select count(*)::text from notice where membership_id = '{place}' and seen_at is null"
        )
    };
    assert_eq!(scene.text(&untold(father)).await, "0");
    let sent = scene.morning(monday).await;
    assert_eq!(
        news(of(&sent, PARENT).unwrap()),
        [("guardian.linked", 1), ("record.opened", 1)]
    );
    assert!(of(&sent, OTHER_PARENT).is_none());
    if let Some(letter) = of(&sent, OTHER_TEACHER) {
        assert!(news(letter).iter().all(|(act, _)| !both.contains(act)));
    }
}
