//! What waits for somebody at each of their places, told on the bare host: theirs alone, and in numbers.

use crate::{
    office::days,
    scene::{ADMIN, CHAIR, CLERK, GOVERNOR, JOAN, PARENT, Scene},
};
use domain::{
    TenantId,
    membership::State,
    session::Token,
    waiting::{What, at_my_places},
};
use testing::Stand;
use time::Date;

impl Scene {
    /// Somebody on the bare host.
    async fn outside(&mut self, email: &str) -> Token {
        self.behind.session(None, email, Stand::SteppedUp).await
    }

    async fn waiting(&self, token: Token) -> Vec<(TenantId, What)> {
        let all = at_my_places(&self.db, token).await.unwrap();
        all.into_iter().map(|one| (one.tenant, one.what)).collect()
    }

    /// What waits at one of the two schools.
    async fn waiting_at(&self, token: Token, school: TenantId) -> Vec<What> {
        let all = self.waiting(token).await.into_iter();
        all.filter(|(tenant, _)| *tenant == school)
            .map(|(_, what)| what)
            .collect()
    }

    /// Puts somebody on a committee of Oakfield, who never declared anything.
    async fn sits(&mut self, email: &str) {
        let (place, oakfield) = (self.place(email).await, self.oakfield);
        self.sql(&format!(
            "delete from interest where declaration_id in (select id from declaration where membership_id = '{place}')"
        ))
        .await;
        self.sql(&format!(
            "delete from declaration where membership_id = '{place}'"
        ))
        .await;
        let joined = self
            .sql(&format!(
                "insert into committee_place (tenant_id, committee_id, membership_id, during)
                 select tenant_id, id, '{place}', daterange(sec.today(), null) from committee
                 where tenant_id = '{oakfield}' limit 1"
            ))
            .await;
        assert_eq!(joined, 1);
    }

    /// The same from what their home at the school reads.
    async fn at_home(&mut self, label: &str, email: &str, today: Date) -> Vec<What> {
        let caller = self.behind.caller(label, email).await;
        let own = self.behind.membership(label, email).await;
        let count = |many: usize| u32::try_from(many).unwrap();
        let register = self.register(&caller, today).await;
        let mut all = Vec::new();
        if let Some(entry) = register.due().find(|entry| entry.person.id == own) {
            let since = entry
                .declaration
                .as_ref()
                .map(domain::board::Declaration::due);
            all.push(What::Declare { since });
        }
        let people = self.people(&caller).await;
        let invited: Vec<_> = people
            .iter()
            .filter(|person| person.state == State::Invited)
            .collect();
        if !invited.is_empty() {
            all.push(What::Invitations {
                many: count(invited.len()),
                since: today,
            });
        }
        let board = self.board(&caller, today).await;
        let ending = board.ending();
        if let Some(first) = ending.first() {
            let first = first.holder.as_ref().unwrap().to.unwrap();
            all.push(What::Terms {
                many: count(ending.len()),
                since: first - days(domain::board::SOON),
                first,
            });
        }
        if board.vacancies() > 0 {
            all.push(What::Seats {
                many: board.vacancies(),
                since: today,
            });
        }
        let others = register.due().filter(|entry| entry.person.id != own);
        let others = others.count();
        if others > 0 {
            all.push(What::Declarations {
                many: count(others),
                since: today,
            });
        }
        all.sort_by_key(What::since);
        all
    }
}

#[tokio::test]
async fn the_clerk_of_two_schools_sees_what_their_home_at_each_would_say() {
    let mut scene = Scene::new().await;
    let today = scene.today().await;
    scene.invite("Amara Diallo", "amara@oakfield.example").await;
    let joan = scene.outside(JOAN).await;
    for (label, school) in [("oakfield", scene.oakfield), ("northgate", scene.northgate)] {
        let told = scene.waiting_at(joan, school).await;
        assert_eq!(told, scene.at_home(label, JOAN, today).await, "{label}");
        assert!(told.len() >= 2, "{label}: {told:?}");
    }
    assert_eq!(
        scene.waiting_at(joan, scene.oakfield).await.len(),
        4,
        "an invitation, terms, seats and declarations"
    );
    let places: Vec<_> = at_my_places(&scene.db, joan).await.unwrap();
    assert!(places.iter().all(|one| one.name
        == if one.tenant == scene.oakfield {
            "Oakfield Primary School"
        } else {
            "Northgate Academy"
        }));
}

#[tokio::test]
async fn a_governor_is_asked_for_their_own_declaration_and_for_nothing_that_others_do() {
    let mut scene = Scene::new().await;
    let today = scene.today().await;
    let place = scene.place(GOVERNOR).await;
    let forget = format!(
        "delete from interest where declaration_id in (select id from declaration where membership_id = '{place}')"
    );
    scene.sql(&forget).await;
    let dilip = scene.outside(GOVERNOR).await;
    let mut asked = async |declared: Option<Date>| {
        scene
            .sql(&format!(
                "delete from declaration where membership_id = '{place}'"
            ))
            .await;
        if let Some(day) = declared {
            scene
                .sql(&format!(
                    "insert into declaration (tenant_id, membership_id, nothing, declared_on)
                     select tenant_id, id, true, '{day}' from membership where id = '{place}'"
                ))
                .await;
        }
        let oakfield = scene.oakfield;
        let all = scene.waiting(dilip).await;
        assert!(all.iter().all(|(tenant, _)| *tenant == oakfield));
        all.into_iter().map(|(_, what)| what).collect::<Vec<_>>()
    };
    assert_eq!(asked(None).await, [What::Declare { since: None }]);
    assert_eq!(asked(Some(today - days(360))).await, []);
    let due = domain::day::months_after(today - days(400), 12);
    assert_eq!(
        asked(Some(today - days(400))).await,
        [What::Declare { since: Some(due) }]
    );
}

#[tokio::test]
async fn a_parent_is_asked_for_nothing_and_an_administrator_for_what_the_clerk_is() {
    let mut scene = Scene::new().await;
    // Even a parent who sits on a committee sees nothing of the board.
    scene.sits(PARENT).await;
    let outside = scene.outside(PARENT).await;
    assert_eq!(scene.waiting(outside).await, []);
    let (admin, clerk) = (scene.outside(ADMIN).await, scene.outside(CLERK).await);
    let told = scene.waiting(admin).await;
    assert_eq!(told, scene.waiting(clerk).await);
    assert!(told.len() >= 3);
}

#[tokio::test]
async fn the_oldest_comes_first_and_what_was_never_done_before_it() {
    let mut scene = Scene::new().await;
    let today = scene.today().await;
    scene.invite("Amara Diallo", "amara@oakfield.example").await;
    // Nasreen, the clerk, sits on a committee and never declared.
    scene.sits(CLERK).await;
    scene
        .sql("update membership set invited_at = now() - interval '300 days' where state = 'invited'")
        .await;
    let nasreen = scene.outside(CLERK).await;
    let told = scene.waiting_at(nasreen, scene.oakfield).await;
    assert_eq!(told[0], What::Declare { since: None });
    assert_eq!(
        told[1],
        What::Invitations {
            many: 1,
            since: today - days(300)
        }
    );
    assert!(matches!(told[2], What::Terms { .. }), "{told:?}");
}

#[tokio::test]
async fn of_a_place_where_one_is_suspended_one_is_told_that_and_of_one_that_ended_nothing() {
    let mut scene = Scene::new().await;
    let today = scene.today().await;
    let joan = scene.outside(JOAN).await;
    let at_northgate = scene.waiting_at(joan, scene.northgate).await;
    let place = scene.place(JOAN).await;
    scene
        .sql(&format!(
            "update membership set state = 'suspended' where id = '{place}'"
        ))
        .await;
    assert_eq!(
        scene.waiting_at(joan, scene.oakfield).await,
        [What::Suspended { since: today }]
    );
    scene
        .sql(&format!(
            "update membership set state = 'ended' where id = '{place}'"
        ))
        .await;
    assert_eq!(scene.waiting_at(joan, scene.oakfield).await, []);
    assert_eq!(scene.waiting_at(joan, scene.northgate).await, at_northgate);
}

/// Who is told something, and what, that they should not be.
async fn told_too_much(scene: &mut Scene) -> Vec<String> {
    let mut told = Vec::new();
    scene.sits(PARENT).await;
    let suspended = scene.place(CLERK).await;
    scene
        .sql(&format!(
            "update membership set state = 'suspended' where id = '{suspended}'"
        ))
        .await;
    for (label, email, stand) in [
        (Some("oakfield"), JOAN, Stand::SteppedUp),
        (None, JOAN, Stand::Password),
        (None, JOAN, Stand::Idle),
        (None, JOAN, Stand::Ended),
        (None, PARENT, Stand::SteppedUp),
        (None, CLERK, Stand::SteppedUp),
        (None, "teacher1@northgate.example", Stand::SteppedUp),
    ] {
        let token = scene.behind.session(label, email, stand).await;
        let mut waiting = scene.waiting(token).await;
        // That much they are told.
        waiting.retain(|(_, what)| email != CLERK || !matches!(what, What::Suspended { .. }));
        if !waiting.is_empty() {
            told.push(format!("{email} {stand:?} {label:?}: {waiting:?}"));
        }
    }
    // Signed in without a second step, as parents may, and then made a governor: nothing before the second step.
    let parent = scene
        .behind
        .session(None, "parent2@oakfield.example", Stand::SteppedUp)
        .await;
    scene
        .sql("update sec.session set factor_at = null where account_id = (select id from account where email = 'parent2@oakfield.example')")
        .await;
    let place = scene.place("parent2@oakfield.example").await;
    scene
        .sql(&format!(
            "update membership set roles = '{{school_admin}}' where id = '{place}'"
        ))
        .await;
    let waiting = scene.waiting(parent).await;
    if !waiting.is_empty() {
        told.push(format!("without the second step: {waiting:?}"));
    }
    // And with it, something.
    scene
        .sql("update sec.session set factor_at = now() where assurance = 'full'")
        .await;
    assert!(!scene.waiting(parent).await.is_empty());
    told
}

#[tokio::test]
async fn a_session_of_a_school_is_told_nothing_nor_one_that_is_not_complete() {
    let mut scene = Scene::new().await;
    assert_eq!(told_too_much(&mut scene).await, Vec::<String>::new());
    let chair = scene.outside(CHAIR).await;
    let northgate = scene.northgate;
    let all = scene.waiting(chair).await;
    assert!(all.iter().all(|(tenant, _)| *tenant != northgate));
}

#[tokio::test]
async fn without_any_one_of_its_guards_somebody_is_told_what_is_not_theirs() {
    for (from, to) in [
        ("s.tenant_id is not null", "false"),
        ("sec.session_needs(s) <> 'none'", "false"),
        ("m.account_id = s.account_id and", ""),
        ("p.state = 'active' and p.keeps", "p.state = 'active'"),
        ("p.state = 'active' and p.keeps", "p.keeps"),
        ("p.state = 'active' and p.sees", "p.state = 'active'"),
    ] {
        let mut scene = Scene::new().await;
        scene.rewrite("sec.my_waiting(bytea)", from, to).await;
        assert_ne!(
            told_too_much(&mut scene).await,
            Vec::<String>::new(),
            "without {from}"
        );
    }
}
