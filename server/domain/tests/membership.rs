//! Who belongs to a school, who may change that, and who sees it.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use domain::{
    MembershipId, Refusal,
    db::{Caller, Db, MailDb},
    event::Act,
    mailing::{LinkToken, Wanted},
    membership::{self, Person, State},
    recovery,
    role::Role as Held,
    session, tenancy,
};
use futures::future::{join, join_all};
use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, Executor as _, Row as _};
use std::collections::BTreeSet;
use testing::{Behind, Fresh, Role, Stand};
use uuid::Uuid;

const ADMIN: &str = "admin@oakfield.example";
const CLERK: &str = "clerk@oakfield.example";
const JOAN: &str = "clerk@beacon.example";
const CHAIR: &str = "chair@oakfield.example";
const GOVERNOR: &str = "governor1@oakfield.example";
const TEACHER: &str = "teacher1@oakfield.example";
const PARENT: &str = "parent1@oakfield.example";

struct Scene {
    fresh: Fresh,
    behind: Behind,
    db: Db,
}

impl Scene {
    async fn new() -> Self {
        let fresh = Fresh::demo().await;
        let behind = fresh.behind().await;
        let db = Db::new(fresh.options(Role::Web), 6);
        Self { fresh, behind, db }
    }

    async fn caller(&mut self, email: &str) -> Caller {
        self.behind.caller("oakfield", email).await
    }

    async fn place(&mut self, email: &str) -> MembershipId {
        self.behind.membership("oakfield", email).await
    }

    async fn text(&mut self, sql: &str) -> String {
        let row = self
            .behind
            .fetch_one(AssertSqlSafe(sql.to_owned()))
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        row.get::<Option<String>, _>(0).unwrap_or_default()
    }

    async fn people(&self, caller: &Caller) -> Vec<Person> {
        let mut read = self.db.read(caller).await.unwrap();
        membership::list(&mut read).await.unwrap()
    }

    async fn state(&mut self, email: &str) -> String {
        let place = self.place(email).await;
        self.text(&format!(
            "select state from membership where id = '{place}'"
        ))
        .await
    }
}

/// One change by one person, all the way.
async fn change<T>(
    db: &Db,
    caller: &Caller,
    verb: impl AsyncFnOnce(&mut domain::db::Write) -> Result<(T, Act), Refusal>,
) -> Result<T, Refusal> {
    let mut write = db.write(caller).await?;
    let (done, act) = verb(&mut write).await?;
    write.commit(act).await?;
    Ok(done)
}

async fn add(
    db: &Db,
    caller: &Caller,
    name: &str,
    email: &str,
    roles: &[Held],
) -> Result<MembershipId, Refusal> {
    change(db, caller, async |write| {
        membership::add(write, name, email, roles).await
    })
    .await
}

async fn set_roles(
    db: &Db,
    caller: &Caller,
    id: MembershipId,
    roles: &[Held],
) -> Result<(), Refusal> {
    change(db, caller, async |write| {
        Ok(((), membership::change_roles(write, id, roles).await?))
    })
    .await
}

async fn suspend(db: &Db, caller: &Caller, id: MembershipId) -> Result<membership::Ended, Refusal> {
    change(db, caller, async |write| {
        membership::suspend(write, id).await
    })
    .await
}

async fn restore(db: &Db, caller: &Caller, id: MembershipId) -> Result<(), Refusal> {
    change(db, caller, async |write| {
        Ok(((), membership::restore(write, id).await?))
    })
    .await
}

async fn remove(db: &Db, caller: &Caller, id: MembershipId) -> Result<membership::Ended, Refusal> {
    change(db, caller, async |write| {
        membership::remove(write, id).await
    })
    .await
}

async fn invite_again(db: &Db, caller: &Caller, id: MembershipId) -> Result<(), Refusal> {
    change(db, caller, async |write| {
        Ok(((), membership::invite_again(write, id).await?))
    })
    .await
}

/// Tries every verb on one place; what each answered.
async fn every_verb(db: &Db, caller: &Caller, id: MembershipId) -> Vec<Refusal> {
    [
        set_roles(db, caller, id, &[Held::Associate]).await.err(),
        suspend(db, caller, id).await.err(),
        restore(db, caller, id).await.err(),
        remove(db, caller, id).await.err(),
        invite_again(db, caller, id).await.err(),
    ]
    .into_iter()
    .map(|refusal| refusal.expect("every verb is refused"))
    .collect()
}

// ── Who may change whom ───────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn only_clerks_and_administrators_change_people_and_nobody_changes_themselves() {
    let mut scene = Scene::new().await;
    scene
        .behind
        .join(
            "oakfield",
            "associate@oakfield.example",
            "Ines Duarte",
            &["associate"],
        )
        .await;
    scene
        .behind
        .join(
            "oakfield",
            "member@oakfield.example",
            "Leo Okonkwo",
            &["member"],
        )
        .await;
    let (governor, parent) = (
        scene.place("governor2@oakfield.example").await,
        scene.place("parent2@oakfield.example").await,
    );
    for email in [
        "head@oakfield.example",
        CHAIR,
        GOVERNOR,
        "senco@oakfield.example",
        TEACHER,
        "ta1@oakfield.example",
        "associate@oakfield.example",
    ] {
        let caller = scene.caller(email).await;
        assert_eq!(
            every_verb(&scene.db, &caller, governor).await,
            vec![Refusal::NotAllowed; 5],
            "{email}"
        );
        assert_eq!(
            add(
                &scene.db,
                &caller,
                "New",
                "new@elsewhere.example",
                &[Held::Governor]
            )
            .await,
            Err(Refusal::NotAllowed),
            "{email}"
        );
    }
    for email in [PARENT, "member@oakfield.example"] {
        let caller = scene.caller(email).await;
        assert_eq!(
            every_verb(&scene.db, &caller, parent).await,
            vec![Refusal::NotFound; 5],
            "{email} does not even see them"
        );
        assert_eq!(
            add(
                &scene.db,
                &caller,
                "New",
                "new@elsewhere.example",
                &[Held::Parent]
            )
            .await,
            Err(Refusal::NotAllowed)
        );
    }
    for email in [ADMIN, CLERK] {
        let (caller, own) = (scene.caller(email).await, scene.place(email).await);
        assert_eq!(
            every_verb(&scene.db, &caller, own).await,
            vec![Refusal::OwnPlace; 5],
            "{email}"
        );
        assert_eq!(
            add(&scene.db, &caller, "Myself", email, &[Held::Governor]).await,
            Err(Refusal::AlreadyHere)
        );
    }
    // The outsiders: both may, for others.
    let (admin, clerk) = (scene.caller(ADMIN).await, scene.caller(CLERK).await);
    assert_eq!(
        set_roles(
            &scene.db,
            &clerk,
            governor,
            &[Held::Governor, Held::Associate]
        )
        .await,
        Ok(())
    );
    assert_eq!(
        set_roles(&scene.db, &admin, governor, &[Held::Governor]).await,
        Ok(())
    );
}

#[tokio::test]
async fn a_clerk_neither_touches_an_administrator_nor_makes_one() {
    let mut scene = Scene::new().await;
    let (clerk, admin) = (scene.caller(CLERK).await, scene.place(ADMIN).await);
    assert_eq!(
        every_verb(&scene.db, &clerk, admin).await,
        vec![Refusal::AdminsOnly; 5]
    );
    let governor = scene.place(GOVERNOR).await;
    for roles in [
        &[Held::SchoolAdmin][..],
        &[Held::Governor, Held::SchoolAdmin],
    ] {
        assert_eq!(
            set_roles(&scene.db, &clerk, governor, roles).await,
            Err(Refusal::AdminsOnly)
        );
        assert_eq!(
            add(&scene.db, &clerk, "New", "new@elsewhere.example", roles).await,
            Err(Refusal::AdminsOnly)
        );
    }
    // Nor by bringing back somebody who was one, nor with the database alone in the way.
    let second = scene
        .behind
        .join(
            "oakfield",
            "second@oakfield.example",
            "Second Admin",
            &["school_admin"],
        )
        .await;
    let beatrice = scene.caller(ADMIN).await;
    remove(&scene.db, &beatrice, second).await.unwrap();
    assert!(
        add(
            &scene.db,
            &clerk,
            "Second Admin",
            "second@oakfield.example",
            &[Held::Governor]
        )
        .await
        .is_err(),
        "an ended administrator is one still to the clerk"
    );
    assert_eq!(scene.state("second@oakfield.example").await, "ended");
    let mut web = sqlx::ConnectOptions::connect(&scene.fresh.options(Role::Web))
        .await
        .unwrap();
    let token: String = clerk
        .token
        .bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    for (attack, refused) in [
        (
            format!("update membership set roles = array['school_admin'] where id = '{governor}'"),
            true,
        ),
        (
            format!("update membership set state = 'ended' where id = '{admin}'"),
            false,
        ),
        (
            format!(
                "insert into membership (tenant_id, account_id, name, roles) select tenant_id, account_id, name, array['school_admin'] from membership where id = '{governor}' on conflict (tenant_id, account_id) do update set roles = excluded.roles"
            ),
            true,
        ),
        (
            format!(
                "select sec.revoke((select account_id from membership where id = '{admin}'), 'x')"
            ),
            true,
        ),
        (
            "update membership set roles = array['school_admin'] where account_id = sec.person()"
                .to_owned(),
            false,
        ),
    ] {
        web.execute("begin").await.unwrap();
        web.execute(AssertSqlSafe(format!("select sec.enter('\\x{token}')")))
            .await
            .unwrap();
        let done = web.execute(AssertSqlSafe(attack.clone())).await;
        match done {
            Ok(done) => assert!(!refused && done.rows_affected() == 0, "{attack}"),
            Err(error) => assert_eq!(
                error
                    .as_database_error()
                    .and_then(|error| error.code())
                    .as_deref(),
                Some("42501"),
                "{attack}"
            ),
        }
        web.execute("rollback").await.unwrap();
    }
    // An administrator may do all of it.
    assert_eq!(
        set_roles(
            &scene.db,
            &beatrice,
            governor,
            &[Held::Governor, Held::SchoolAdmin]
        )
        .await,
        Ok(())
    );
}

#[tokio::test]
async fn a_role_of_another_kind_of_tenant_and_no_role_at_all_are_refused() {
    let mut scene = Scene::new().await;
    let (admin, governor) = (scene.caller(ADMIN).await, scene.place(GOVERNOR).await);
    for role in [
        Held::TrustAdmin,
        Held::TrustLead,
        Held::OrgAdmin,
        Held::OrgStaff,
    ] {
        assert!(
            set_roles(&scene.db, &admin, governor, &[role])
                .await
                .is_err(),
            "{role:?}"
        );
        assert!(
            add(&scene.db, &admin, "New", "new@elsewhere.example", &[role])
                .await
                .is_err(),
            "{role:?}"
        );
    }
    assert_eq!(
        set_roles(&scene.db, &admin, governor, &[]).await,
        Err(Refusal::NoRole)
    );
    assert_eq!(
        add(&scene.db, &admin, "New", "new@elsewhere.example", &[]).await,
        Err(Refusal::NoRole)
    );
    assert_eq!(
        add(
            &scene.db,
            &admin,
            "",
            "new@elsewhere.example",
            &[Held::Governor]
        )
        .await,
        Err(Refusal::NameFormat)
    );
    assert_eq!(
        add(
            &scene.db,
            &admin,
            "New",
            "not an address",
            &[Held::Governor]
        )
        .await,
        Err(Refusal::EmailFormat)
    );
    assert_eq!(
        add(&scene.db, &admin, "Dilip", GOVERNOR, &[Held::Governor]).await,
        Err(Refusal::AlreadyHere)
    );
    // Of another school: there is nothing to change.
    let theirs = scene
        .behind
        .membership("northgate", "governor1@northgate.example")
        .await;
    assert_eq!(
        every_verb(&scene.db, &admin, theirs).await,
        vec![Refusal::NotFound; 5]
    );
    assert_eq!(
        every_verb(&scene.db, &admin, Uuid::nil()).await,
        vec![Refusal::NotFound; 5]
    );
}

#[tokio::test]
async fn the_last_administrator_stays_also_when_two_remove_each_other_at_once() {
    let mut scene = Scene::new().await;
    let trials = 8;
    for trial in 0..trials {
        let email = format!("second{trial}@oakfield.example");
        let second = scene
            .behind
            .join("oakfield", &email, "Second Admin", &["school_admin"])
            .await;
        let admins = scene.text("select count(*)::text from membership m join tenant t on t.id = m.tenant_id where t.label = 'oakfield' and state = 'active' and 'school_admin' = any (roles)").await;
        assert_eq!(admins, "2");
        let first_email = scene.text("select a.email from membership m join account a on a.id = m.account_id join tenant t on t.id = m.tenant_id
            where t.label = 'oakfield' and m.state = 'active' and 'school_admin' = any (m.roles) order by m.id limit 1").await;
        let (one, other) = (scene.caller(&first_email).await, scene.caller(&email).await);
        let first = scene.place(&first_email).await;
        let (a, b) = if trial % 2 == 0 {
            let (a, b) = join(
                remove(&scene.db, &one, second),
                remove(&scene.db, &other, first),
            )
            .await;
            (a.map(drop), b.map(drop))
        } else {
            join(
                set_roles(&scene.db, &one, second, &[Held::Governor]),
                set_roles(&scene.db, &other, first, &[Held::Governor]),
            )
            .await
        };
        assert!(a.is_ok() != b.is_ok(), "one of them wins: {a:?} {b:?}");
        let lost = a.err().or(b.err()).unwrap();
        assert!(
            matches!(
                lost,
                Refusal::SignedOut | Refusal::LastAdmin | Refusal::Stale | Refusal::NotAllowed
            ),
            "{lost:?}"
        );
    }
    // The one who is left cannot be left out, by a second administrator who loses the role meanwhile, nor behind the back.
    let left = scene.text("select m.id::text from membership m join tenant t on t.id = m.tenant_id where t.label = 'oakfield' and state = 'active' and 'school_admin' = any (roles)").await;
    for change in [
        "state = 'ended'",
        "state = 'suspended'",
        "roles = array['governor']",
    ] {
        let error = scene
            .behind
            .execute(AssertSqlSafe(format!(
                "update membership set {change} where id = '{left}'"
            )))
            .await
            .unwrap_err();
        assert_eq!(
            error
                .as_database_error()
                .and_then(|error| error.constraint()),
            Some("membership_last_admin"),
            "{change}"
        );
    }
}

// ── Who sees whom ─────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn parents_see_themselves_the_board_and_staff_each_other_and_the_clerk_everybody() {
    let mut scene = Scene::new().await;
    scene
        .behind
        .join(
            "oakfield",
            "associate@oakfield.example",
            "Ines Duarte",
            &["associate"],
        )
        .await;
    scene
        .behind
        .join(
            "oakfield",
            "member@oakfield.example",
            "Leo Okonkwo",
            &["member"],
        )
        .await;
    // A parent who also teaches is staff.
    scene
        .behind
        .join(
            "oakfield",
            "both@oakfield.example",
            "Carys Vaughan",
            &["parent", "teacher"],
        )
        .await;
    let all = scene.text("select count(*)::text from membership m join tenant t on t.id = m.tenant_id where t.label = 'oakfield'").await.parse::<usize>().unwrap();
    let families = 3;
    let names = |people: &[Person]| {
        people
            .iter()
            .map(|person| person.name.clone())
            .collect::<BTreeSet<_>>()
    };
    for (email, wanted) in [
        (ADMIN, all),
        (CLERK, all),
        (JOAN, all),
        ("head@oakfield.example", all),
        (CHAIR, all - families),
        (GOVERNOR, all - families),
        ("associate@oakfield.example", all - families),
        ("senco@oakfield.example", all - families),
        (TEACHER, all - families),
        ("ta1@oakfield.example", all - families),
        ("both@oakfield.example", all - families),
        (PARENT, 1),
        ("member@oakfield.example", 1),
    ] {
        let caller = scene.caller(email).await;
        let people = scene.people(&caller).await;
        assert_eq!(people.len(), wanted, "{email}");
        assert_eq!(
            names(&people).contains("Rachel Goldberg"),
            wanted == all,
            "{email}"
        );
        assert!(
            !names(&people).contains("Winston Clarke"),
            "{email} sees Northgate's chair"
        );
        assert!(
            people
                .iter()
                .any(|person| person.email.as_deref() == Some(email)),
            "{email} sees their own address"
        );
        // Addresses are for those who manage people, and the head.
        let addresses = people
            .iter()
            .filter(|person| person.email.is_some())
            .count();
        let sees_addresses = [ADMIN, CLERK, JOAN, "head@oakfield.example"].contains(&email);
        assert_eq!(addresses, if sees_addresses { all } else { 1 }, "{email}");
        // And one at a time as in the list.
        let other = scene.place("parent2@oakfield.example").await;
        let theirs = scene
            .behind
            .membership("northgate", "chair@northgate.example")
            .await;
        let mut read = scene.db.read(&caller).await.unwrap();
        assert_eq!(
            membership::find(&mut read, other).await.is_ok(),
            wanted == all,
            "{email}"
        );
        assert_eq!(
            membership::find(&mut read, theirs).await.err(),
            Some(Refusal::NotFound)
        );
    }
}

#[tokio::test]
async fn the_log_is_read_by_clerks_and_administrators_and_shows_no_other_school() {
    let mut scene = Scene::new().await;
    let clerk = scene.caller(CLERK).await;
    add(
        &scene.db,
        &clerk,
        "Amara Bello",
        "amara.bello@elsewhere.example",
        &[Held::Governor],
    )
    .await
    .unwrap();
    for (email, reads) in [
        (ADMIN, true),
        (CLERK, true),
        ("head@oakfield.example", false),
        (CHAIR, false),
        (TEACHER, false),
        (PARENT, false),
    ] {
        let caller = scene.caller(email).await;
        let mut read = scene.db.read(&caller).await.unwrap();
        let changes = tenancy::changes(&mut read, None, 8).await.unwrap();
        assert_eq!(!changes.is_empty(), reads, "{email}");
        if reads {
            assert_eq!(
                (changes[0].by.as_deref(), changes[0].about.as_deref()),
                (Some("Nasreen Choudhury"), Some("Amara Bello"))
            );
        }
        drop(read);
        let settings = tenancy::settings(&mut scene.db.read(&caller).await.unwrap()).await;
        assert_eq!(settings.is_ok(), email == ADMIN, "{email}");
    }
    let northgate = scene
        .behind
        .caller("northgate", "clerk@northgate.example")
        .await;
    let mut read = scene.db.read(&northgate).await.unwrap();
    let changes = tenancy::changes(&mut read, None, 100).await.unwrap();
    assert!(
        !changes.is_empty()
            && changes
                .iter()
                .all(|change| change.about.as_deref() != Some("Amara Bello"))
    );
    // No name and no address is in the log itself.
    let named = scene.text("select count(*)::text from event where detail::text ilike '%amara%' or detail::text ilike '%@%' or topics::text ilike '%amara%'").await;
    assert_eq!(named, "0");
}

// ── What removal and suspension end ───────────────────────────────────────────────────────────

#[tokio::test]
async fn removal_ends_sessions_tickets_invitations_and_resets_of_this_school_in_one_event() {
    let mut scene = Scene::new().await;
    let admin = scene.caller(ADMIN).await;
    let joan_here = scene.caller(JOAN).await;
    let joan_there = scene.behind.caller("northgate", JOAN).await;
    let other_tab = scene.caller(JOAN).await;
    let ticket = session::ticket_issue(&scene.db, joan_there.token, admin.tenant)
        .await
        .unwrap();
    recovery::ask_reset(&scene.db, JOAN, Some(admin.tenant))
        .await
        .unwrap();
    let mail = MailDb::new(scene.fresh.options(Role::Worker), 1);
    let wanted: Vec<Wanted> = mail.wanted().await.unwrap();
    let link = LinkToken::random().unwrap();
    assert!(mail.issue(&wanted[0], &link).await.unwrap().is_some());
    assert!(recovery::reset_link(&scene.db, link.bytes()).await.is_ok());
    let place = scene.place(JOAN).await;
    let account = scene.behind.account(JOAN).await;

    let before = scene.text("select h.seq::text from sec.event_head h join tenant t on t.id = h.tenant_id where t.label = 'oakfield'").await;
    let ended = remove(&scene.db, &admin, place).await.unwrap();
    assert_eq!((ended.sessions, ended.invitations, ended.resets), (2, 0, 1));
    let events = scene.text(&format!("select string_agg(act || ' ' || (closes -> 'accounts' ->> 0) || ' ' || (closes ->> 'code'), ',') from event e join tenant t on t.id = e.tenant_id where t.label = 'oakfield' and seq > {before}")).await;
    assert_eq!(
        events,
        format!("membership.removed {account} 4403"),
        "one event ends it all"
    );
    for gone in [&joan_here, &other_tab] {
        assert_eq!(scene.db.read(gone).await.err(), Some(Refusal::SignedOut));
        assert!(
            session::live(&scene.db, gone.token)
                .await
                .unwrap()
                .is_none()
        );
    }
    assert!(
        scene.db.read(&joan_there).await.is_ok(),
        "at Northgate she goes on"
    );
    assert!(
        session::ticket_use(&scene.db, &ticket, admin.tenant, "Firefox")
            .await
            .is_err()
    );
    assert!(
        session::ticket_issue(&scene.db, joan_there.token, admin.tenant)
            .await
            .is_err()
    );
    assert_eq!(
        recovery::reset_link(&scene.db, link.bytes()).await.err(),
        Some(Refusal::LinkGone)
    );
    assert_eq!(
        remove(&scene.db, &admin, place).await.err(),
        Some(Refusal::Stale)
    );

    // An invitation that is open ends with the place as well.
    let amara = add(
        &scene.db,
        &admin,
        "Amara Bello",
        "amara.bello@elsewhere.example",
        &[Held::Governor],
    )
    .await
    .unwrap();
    assert_eq!(
        remove(&scene.db, &admin, amara).await.unwrap().invitations,
        1
    );
}

#[tokio::test]
async fn who_was_suspended_comes_back_by_restoring_and_who_was_removed_by_adding() {
    let mut scene = Scene::new().await;
    let clerk = scene.caller(CLERK).await;
    let place = scene.place(GOVERNOR).await;
    let dilip = scene.caller(GOVERNOR).await;
    assert_eq!(suspend(&scene.db, &clerk, place).await.unwrap().sessions, 1);
    assert!(scene.db.read(&dilip).await.is_err());
    assert_eq!(
        suspend(&scene.db, &clerk, place).await.err(),
        Some(Refusal::Stale)
    );
    restore(&scene.db, &clerk, place).await.unwrap();
    assert!(
        scene.db.read(&dilip).await.is_err(),
        "the session that was ended stays ended"
    );
    assert!(
        scene
            .db
            .read(&scene.behind.caller("oakfield", GOVERNOR).await)
            .await
            .is_ok()
    );
    assert_eq!(
        restore(&scene.db, &clerk, place).await.err(),
        Some(Refusal::Stale)
    );

    remove(&scene.db, &clerk, place).await.unwrap();
    assert_eq!(
        set_roles(&scene.db, &clerk, place, &[Held::Chair]).await,
        Err(Refusal::Stale)
    );
    assert_eq!(
        restore(&scene.db, &clerk, place).await.err(),
        Some(Refusal::Stale)
    );
    assert_eq!(
        invite_again(&scene.db, &clerk, place).await.err(),
        Some(Refusal::Stale)
    );
    let again = add(
        &scene.db,
        &clerk,
        "Dilip Parmar-Shah",
        GOVERNOR,
        &[Held::Associate],
    )
    .await
    .unwrap();
    assert_eq!(
        again, place,
        "in the old place, so that what he did stays his"
    );
    let seen = scene
        .people(&clerk)
        .await
        .into_iter()
        .find(|person| person.id == place)
        .unwrap();
    assert_eq!(
        (seen.name.as_str(), seen.state, seen.roles.as_slice()),
        ("Dilip Parmar-Shah", State::Invited, &[Held::Associate][..])
    );
    assert!(
        scene.db.read(&dilip).await.is_err(),
        "and no old session comes back with it"
    );
    // The database itself lets nobody skip the invitation.
    let error = scene
        .behind
        .execute(AssertSqlSafe(format!(
            "update membership set state = 'active' where id = '{place}'"
        )))
        .await
        .unwrap_err();
    assert_eq!(
        error
            .as_database_error()
            .and_then(|error| error.constraint()),
        Some("membership_step")
    );
}

#[tokio::test]
async fn what_a_removed_clerk_had_half_done_is_refused() {
    let mut scene = Scene::new().await;
    let (admin, nasreen) = (scene.caller(ADMIN).await, scene.caller(CLERK).await);
    let place = scene.place(CLERK).await;
    let ends: [(&str, &[&str]); 4] = [
        ("removed", &[]),
        ("suspended", &[]),
        ("roles", &[]),
        ("signed out", &[]),
    ];
    for (n, (how, _)) in ends.into_iter().enumerate() {
        // Anew each time: her place as it was.
        scene
            .behind
            .execute(AssertSqlSafe(format!(
                "update membership set state = 'invited' where id = '{place}' and state = 'ended'"
            )))
            .await
            .unwrap();
        scene
            .behind
            .execute("update tenant set accent = accent")
            .await
            .unwrap();
        let clerk = if n == 0 {
            nasreen.clone()
        } else {
            scene.behind_clerk(place).await
        };
        let mut half = scene.db.write(&clerk).await.unwrap();
        let email = format!("late{n}@elsewhere.example");
        let (_, act) = membership::add(&mut half, "Too Late", &email, &[Held::Governor])
            .await
            .unwrap();
        match how {
            "removed" => drop(remove(&scene.db, &admin, place).await.unwrap()),
            "suspended" => drop(suspend(&scene.db, &admin, place).await.unwrap()),
            "roles" => set_roles(&scene.db, &admin, place, &[Held::Governor])
                .await
                .unwrap(),
            _ => session::sign_out(&scene.db, clerk.token).await.unwrap(),
        }
        assert_eq!(
            half.commit(act).await.err(),
            Some(Refusal::SignedOut),
            "{how}"
        );
        let made = scene.text(&format!("select count(*)::text from account a join membership m on m.account_id = a.id where a.email = '{email}'")).await;
        assert_eq!(made, "0", "{how}");
    }
    // The outsider: nobody in the way, and it is done.
    let clerk = scene.behind_clerk(place).await;
    assert!(
        add(
            &scene.db,
            &clerk,
            "In Time",
            "late9@elsewhere.example",
            &[Held::Governor]
        )
        .await
        .is_ok()
    );
}

impl Scene {
    /// Nasreen as an active clerk again, whatever became of her, with a new session.
    async fn behind_clerk(&mut self, place: MembershipId) -> Caller {
        // Triggers hold the steps of a membership also for a superuser.
        self.behind
            .execute(AssertSqlSafe(format!(
                "set session_replication_role = replica;
                 update membership set state = 'active', roles = '{{clerk}}', joined_at = coalesce(joined_at, now()), suspended_at = null, ended_at = null,
                   version = version + 1 where id = '{place}';
                 set session_replication_role = origin"
            )))
            .await
            .unwrap();
        self.caller(CLERK).await
    }
}

#[tokio::test]
async fn a_role_that_is_given_leaves_pages_open_and_one_that_is_taken_closes_them() {
    let mut scene = Scene::new().await;
    let clerk = scene.caller(CLERK).await;
    let place = scene.place(GOVERNOR).await;
    let dilip = scene.caller(GOVERNOR).await;
    let account = scene.behind.account(GOVERNOR).await;
    let last = "select coalesce(closes::text, '-') from event where act = 'membership.roles_changed' order by at desc limit 1";
    set_roles(&scene.db, &clerk, place, &[Held::Chair, Held::Governor])
        .await
        .unwrap();
    assert_eq!(scene.text(last).await, "-");
    let roles = scene.db.read(&dilip).await.unwrap().standing.roles.clone();
    assert_eq!(
        roles,
        [Held::Chair, Held::Governor],
        "at the very next request"
    );
    set_roles(&scene.db, &clerk, place, &[Held::Governor])
        .await
        .unwrap();
    assert_eq!(
        scene
            .text(&last.replace("closes::text", "closes ->> 'accounts'"))
            .await,
        format!("[\"{account}\"]")
    );
    set_roles(&scene.db, &clerk, place, &[Held::Associate])
        .await
        .unwrap();
    assert_ne!(scene.text(last).await, "-", "one for another is one lost");
    assert_eq!(
        set_roles(&scene.db, &clerk, place, &[Held::Associate]).await,
        Err(Refusal::Stale),
        "nothing would change"
    );
}

// ── The log ───────────────────────────────────────────────────────────────────────────────────

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_chain_of_every_log_is_whole_and_any_touch_breaks_it() {
    let mut scene = Scene::new().await;
    let (clerk, joan) = (scene.caller(CLERK).await, scene.caller(JOAN).await);
    let northgate = scene.behind.caller("northgate", JOAN).await;
    let adds = (0..30).map(|n| {
        let (db, caller) = (scene.db.clone(), [&clerk, &joan, &northgate][n % 3].clone());
        async move {
            add(
                &db,
                &caller,
                "Somebody",
                &format!("somebody{n}@elsewhere.example"),
                &[Held::Governor],
            )
            .await
        }
    });
    let done = join_all(adds).await;
    assert!(done.iter().all(Result::is_ok), "{done:?}");
    session::sign_out(&scene.db, joan.token).await.unwrap();
    assert_eq!(chain(&mut scene.behind).await, Ok(()));
    // What the recipe covers: each field of a row, and that no row is missing.
    for touch in [
        "update event set act = 'membership.added' where seq = 30",
        "update event set actor = gen_random_uuid() where seq = 30",
        "update event set about = null where seq = 30",
        "update event set detail = '{\"roles\": [\"chair\"]}' where seq = 30",
        "update event set at = at + interval '1 microsecond' where seq = 30",
        "update event set topics = '{}' where seq = 30",
        "update event set closes = '{}' where seq = 30",
        "delete from event where seq = 30",
        "delete from event e where seq = (select max(seq) from event x where x.tenant_id = e.tenant_id)",
        "update event set tenant_id = (select id from tenant where label = 'beacon') where seq = 30",
    ] {
        use sqlx::Connection as _;
        let mut trial = scene.behind.begin().await.unwrap();
        let touched = trial.execute(touch).await.unwrap().rows_affected();
        assert!(touched > 0, "{touch}");
        assert!(chain(&mut trial).await.is_err(), "nobody noticed: {touch}");
        trial.rollback().await.unwrap();
    }
}

/// Recomputes every tenant's chain from its rows, with nothing of the database but their text (`sec.event_hash` has the recipe).
async fn chain(connection: &mut sqlx::PgConnection) -> Result<(), String> {
    let heads = connection
        .fetch_all("select tenant_id, seq, hash from sec.event_head")
        .await
        .unwrap();
    let mut length = 0;
    for head in heads {
        let (tenant, last, hash): (Uuid, i64, Vec<u8>) = (head.get(0), head.get(1), head.get(2));
        let rows = sqlx::query(
            "select seq, (extract(epoch from at) * 1000000)::bigint as at, act, actor, about, detail::text, topics::text, closes::text, prev, hash
             from event where tenant_id = $1 order by seq",
        )
        .bind(tenant)
        .fetch_all(&mut *connection)
        .await
        .unwrap();
        let mut before = vec![0; 32];
        for (n, row) in rows.iter().enumerate() {
            let or_dash = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
            let seq: i64 = row.get("seq");
            let text = [
                tenant.to_string(),
                seq.to_string(),
                row.get::<i64, _>("at").to_string(),
                row.get("act"),
                or_dash(row.get::<Option<Uuid>, _>("actor").map(|id| id.to_string())),
                or_dash(row.get::<Option<Uuid>, _>("about").map(|id| id.to_string())),
                row.get("detail"),
                row.get("topics"),
                or_dash(row.get("closes")),
            ]
            .join("\n");
            let computed = Sha256::new()
                .chain_update(&before)
                .chain_update(text)
                .finalize()
                .to_vec();
            let (prev, stored): (Vec<u8>, Vec<u8>) = (row.get("prev"), row.get("hash"));
            if usize::try_from(seq) != Ok(n + 1) || prev != before || stored != computed {
                return Err(format!("{tenant} at {seq}"));
            }
            before = computed;
            length += 1;
        }
        if i64::try_from(rows.len()) != Ok(last) || before != hash {
            return Err(format!("{tenant} ends at {} and not at {last}", rows.len()));
        }
    }
    if length < 60 {
        Err(format!("only {length} rows"))
    } else {
        Ok(())
    }
}

#[tokio::test]
async fn nobody_writes_the_log_but_by_acting() {
    let mut scene = Scene::new().await;
    let before = scene.text("select count(*)::text from event").await;
    for role in Role::ALL
        .into_iter()
        .filter(|role| role.database() == testing::Database::Application)
    {
        let mut login = sqlx::ConnectOptions::connect(&scene.fresh.options(role))
            .await
            .unwrap();
        for attack in [
            "insert into public.event select * from public.event limit 1",
            "update public.event set act = act",
            "delete from public.event",
            "truncate public.event",
            "truncate public.event cascade",
            "drop table public.event",
            "alter table public.event disable trigger all",
            "alter table public.event detach partition sec.event_default",
            "insert into sec.event_default select * from public.event limit 1",
            "update sec.event_head set seq = 0",
            "select sec.append_for(null, null, 'a.b', null, '{}', '{}', null)",
            "merge into public.event using (select 1) s on true when matched then delete",
        ] {
            // The backup and the auditor are read only by default; whoever is in may turn that off.
            let _ = login
                .execute("set default_transaction_read_only = off")
                .await;
            let error = login.execute(attack).await.err();
            let code = error
                .as_ref()
                .and_then(|error| error.as_database_error())
                .and_then(|error| error.code().map(|code| code.to_string()));
            assert!(
                matches!(code.as_deref(), Some("42501")),
                "{} {attack}: {error:?}",
                role.name()
            );
        }
    }
    assert_eq!(scene.text("select count(*)::text from event").await, before);
    // Without a seal, under a forged one and outside a school nothing is appended either.
    let mut web = sqlx::ConnectOptions::connect(&scene.fresh.options(Role::Web))
        .await
        .unwrap();
    let bare = scene.behind.session(None, JOAN, Stand::SteppedUp).await;
    let token: String = bare
        .bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    for begin in [
        "select 1".to_owned(),
        format!(
            "select set_config('sec.caller', '{}|||||1|{}', true)",
            Uuid::nil(),
            "0".repeat(64)
        ),
        format!("select sec.enter('\\x{token}')"),
    ] {
        web.execute("begin").await.unwrap();
        web.execute(AssertSqlSafe(begin.clone())).await.unwrap();
        let error = web
            .execute("select sec.append('a.b', null, '{}', '{}', null)")
            .await
            .unwrap_err();
        assert_eq!(
            error
                .as_database_error()
                .and_then(|error| error.code())
                .as_deref(),
            Some("QR401"),
            "{begin}"
        );
        web.execute("rollback").await.unwrap();
    }
}
