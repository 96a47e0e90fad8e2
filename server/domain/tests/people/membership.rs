//! Who may change whom, and who sees whom.

use crate::{
    change::{EVERY_VERB, add, correct_address, drop_role, every_verb, give_role, remove, rename},
    scene::{ADMIN, CHAIR, CLERK, GOVERNOR, JOAN, PARENT, Scene, TEACHER, hex},
};
use domain::{
    Refusal,
    db::MailDb,
    membership::{self, Person},
    role::Role as Held,
};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _};
use std::collections::BTreeSet;
use uuid::Uuid;

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
            vec![Refusal::NotAllowed; EVERY_VERB],
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
            vec![Refusal::NotFound; EVERY_VERB],
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
            vec![Refusal::OwnPlace; EVERY_VERB],
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
        give_role(&scene.db, &clerk, governor, Held::Associate).await,
        Ok(())
    );
    assert_eq!(
        drop_role(&scene.db, &admin, governor, Held::Associate).await,
        Ok(())
    );
}

#[tokio::test]
async fn a_clerk_neither_touches_an_administrator_nor_makes_one() {
    let mut scene = Scene::new().await;
    let (clerk, admin) = (scene.caller(CLERK).await, scene.place(ADMIN).await);
    assert_eq!(
        every_verb(&scene.db, &clerk, admin).await,
        vec![Refusal::AdminsOnly; EVERY_VERB]
    );
    let governor = scene.place(GOVERNOR).await;
    for roles in [
        &[Held::SchoolAdmin][..],
        &[Held::Governor, Held::SchoolAdmin],
    ] {
        assert_eq!(
            give_role(&scene.db, &clerk, governor, Held::SchoolAdmin).await,
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
    // An administrator may do all of it.
    assert_eq!(
        give_role(&scene.db, &beatrice, governor, Held::SchoolAdmin).await,
        Ok(())
    );
}

/// With any SQL, as the web server's login under a genuine seal.
#[tokio::test]
async fn with_the_database_alone_in_the_way_nobody_raises_themselves_and_a_clerk_makes_no_administrator()
 {
    let mut scene = Scene::new().await;
    let mut web = scene
        .fresh
        .options(testing::Role::Web)
        .connect()
        .await
        .unwrap();
    let (governor, admin) = (scene.place(GOVERNOR).await, scene.place(ADMIN).await);
    let own = "where account_id = sec.person()";
    let insert = "insert into membership (tenant_id, account_id, name, roles) select";
    // How many rows it changes; none when it is refused.
    for (email, attack, changes) in [
        (CLERK, format!("update membership set roles = array['school_admin'] where id = '{governor}'"), None),
        (CLERK, format!("update membership set state = 'ended' where id = '{admin}'"), Some(0)),
        (CLERK, format!("update membership set roles = array['clerk'] where id = '{admin}'"), Some(0)),
        (CLERK, format!("{insert} sec.tenant(), sec.account_for('new@elsewhere.example'), 'New', array['school_admin']"), None),
        (CLERK, format!("{insert} sec.tenant(), sec.account_for('new@elsewhere.example'), 'New', array['governor', 'school_admin']"), None),
        (
            CLERK,
            format!(
                "{insert} tenant_id, account_id, name, array['school_admin'] from membership where id = '{governor}'
                 on conflict (tenant_id, account_id) do update set roles = excluded.roles"
            ),
            None,
        ),
        (CLERK, format!("select sec.revoke((select account_id from membership where id = '{admin}'), 'x')"), None),
        (CLERK, "select sec.revoke(sec.person(), 'x')".to_owned(), None),
        // Oneself: neither what one may give to others nor what one is.
        (CLERK, format!("update membership set roles = array['school_admin'] {own}"), Some(0)),
        (CLERK, format!("update membership set roles = array['chair', 'clerk'] {own}"), Some(0)),
        (CLERK, format!("update membership set name = 'Somebody' {own}"), Some(0)),
        (ADMIN, format!("update membership set roles = array['chair', 'school_admin'] {own}"), Some(0)),
        (ADMIN, format!("update membership set state = 'ended' {own}"), Some(0)),
        (GOVERNOR, format!("update membership set roles = array['chair', 'governor'] {own}"), Some(0)),
        (TEACHER, format!("update membership set roles = array['school_admin'] {own}"), Some(0)),
        (GOVERNOR, "update membership set roles = array['chair']".to_owned(), Some(0)),
        (GOVERNOR, format!("{insert} sec.tenant(), sec.person(), 'New', array['clerk'] on conflict do nothing"), None),
        (PARENT, "select sec.account_for('new@elsewhere.example')".to_owned(), None),
        // The outsiders: what they may do, they can.
        (CLERK, format!("update membership set roles = array['associate'] where id = '{governor}'"), Some(1)),
        (CLERK, format!("{insert} sec.tenant(), sec.account_for('new@elsewhere.example'), 'New', array['governor']"), Some(1)),
        (ADMIN, format!("update membership set roles = array['school_admin'] where id = '{governor}'"), Some(1)),
        (ADMIN, format!("{insert} sec.tenant(), sec.account_for('new@elsewhere.example'), 'New', array['school_admin']"), Some(1)),
        (CLERK, format!("select sec.revoke((select account_id from membership where id = '{governor}'), 'x')"), Some(1)),
    ] {
        let token = hex(scene.caller(email).await.token.bytes());
        let begin = format!("begin; select sec.enter('\\x{token}')");
        web.execute(sqlx::raw_sql(AssertSqlSafe(begin))).await.unwrap();
        let done = web.execute(AssertSqlSafe(attack.clone())).await;
        match (done, changes) {
            (Ok(done), Some(rows)) => assert_eq!(done.rows_affected(), rows, "{email}: {attack}"),
            (Err(error), None) => assert_eq!(
                error
                    .as_database_error()
                    .and_then(sqlx::error::DatabaseError::code)
                    .as_deref(),
                Some("42501"),
                "{email}: {attack}"
            ),
            (done, changes) => panic!("{email}: {attack}: {done:?} instead of {changes:?}"),
        }
        web.execute("rollback").await.unwrap();
    }
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
            give_role(&scene.db, &admin, governor, role).await.is_err(),
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
        drop_role(&scene.db, &admin, governor, Held::Governor).await,
        Err(Refusal::LastRole)
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
        vec![Refusal::NotFound; EVERY_VERB]
    );
    assert_eq!(
        every_verb(&scene.db, &admin, Uuid::nil()).await,
        vec![Refusal::NotFound; EVERY_VERB]
    );
}

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
async fn a_name_that_somebody_else_changed_meanwhile_is_not_overwritten() {
    let mut scene = Scene::new().await;
    let (clerk, admin) = (scene.caller(CLERK).await, scene.caller(ADMIN).await);
    let place = scene.place(GOVERNOR).await;
    let was = "Dilip Parmar";
    assert_eq!(
        rename(&scene.db, &clerk, place, "  Dilip   K. Parmar ", was).await,
        Ok(())
    );
    assert_eq!(
        rename(&scene.db, &admin, place, "Mr D. Parmar", was).await,
        Err(Refusal::Meanwhile)
    );
    let stands = async |scene: &mut Scene| {
        scene
            .text(&format!("select name from membership where id = '{place}'"))
            .await
    };
    assert_eq!(stands(&mut scene).await, "Dilip K. Parmar");
    assert_eq!(
        rename(&scene.db, &admin, place, "Mr D. Parmar", "Dilip K. Parmar").await,
        Ok(()),
        "who has seen it may"
    );
    // Any letters, one name or five; none that hide or turn what follows.
    for name in [
        "X",
        "O’Donnell-Ng",
        "محمد",
        "李小龍",
        "🦉 Owl",
        &"é".repeat(120),
    ] {
        let was = stands(&mut scene).await;
        assert_eq!(
            rename(&scene.db, &admin, place, name, &was).await,
            Ok(()),
            "{name}"
        );
        assert_eq!(stands(&mut scene).await, name);
    }
    for name in ["", "  ", "a\u{202e}b", &"é".repeat(121), &"x".repeat(200)] {
        let was = stands(&mut scene).await;
        assert_eq!(
            rename(&scene.db, &admin, place, name, &was).await,
            Err(Refusal::NameFormat),
            "{name:?}"
        );
    }
    let told = scene.text("select count(*)::text || coalesce(string_agg(detail::text, ''), '') from event where act = 'membership.renamed' and detail <> '{}'").await;
    assert_eq!(told, "0", "no name enters the log");
}

#[tokio::test]
async fn only_an_address_that_nobody_has_signed_in_with_is_corrected() {
    let mut scene = Scene::new().await;
    let (clerk, admin) = (scene.caller(CLERK).await, scene.caller(ADMIN).await);
    // Whoever has joined keeps theirs, here as an administrator and at another school as well.
    for (email, caller) in [(GOVERNOR, &clerk), (GOVERNOR, &admin), (JOAN, &admin)] {
        let place = scene.place(email).await;
        assert_eq!(
            correct_address(&scene.db, caller, place, "mine@elsewhere.example").await,
            Err(Refusal::AddressTheirs),
            "{email}"
        );
    }
    let wrong = "yewnade@elsewhere.example";
    let place = add(&scene.db, &clerk, "Yewande", wrong, &[Held::Governor])
        .await
        .unwrap();
    let open = format!(
        "select count(*)::text from sec.invitation where membership_id = '{place}' and used_at is null and voided_at is null"
    );
    let first = format!(
        "select (array_agg(id::text order by created_at))[1] from sec.invitation where membership_id = '{place}'"
    );
    let first = scene.text(&first).await;
    assert_eq!(
        correct_address(&scene.db, &clerk, place, " Yewande@Elsewhere.Example ").await,
        Ok(())
    );
    assert_eq!(scene.text(&open).await, "1");
    assert_eq!(
        scene
            .text(&format!(
                "select (voided_at is not null)::text from sec.invitation where id = '{first}'"
            ))
            .await,
        "true",
        "the link to the wrong address is dead"
    );
    assert_eq!(
        scene.text(&format!("select a.email from account a join membership m on m.account_id = a.id where m.id = '{place}'")).await,
        "yewande@elsewhere.example"
    );
    // The account of the wrong address is whose it was; nothing of it was changed.
    assert_eq!(
        scene
            .text(&format!(
                "select count(*)::text from account where email = '{wrong}'"
            ))
            .await,
        "1"
    );
    // To somebody who has an account elsewhere it goes without a word about that; to somebody on the list it does not.
    assert_eq!(
        correct_address(&scene.db, &clerk, place, "chair@northgate.example").await,
        Ok(())
    );
    assert_eq!(
        correct_address(&scene.db, &clerk, place, GOVERNOR).await,
        Err(Refusal::AlreadyHere)
    );
    // The letter follows from the act.
    let mail = MailDb::new(scene.fresh.options(testing::Role::Worker), 2);
    let wanted = mail.wanted().await.unwrap();
    assert_eq!(
        wanted.iter().filter(|wanted| wanted.about == place).count(),
        3,
        "invited once, corrected twice: {wanted:?}"
    );
    // In SQL alone a clerk gets no further than their own school, nor to somebody who has joined.
    let mut web = scene
        .fresh
        .options(testing::Role::Web)
        .connect()
        .await
        .unwrap();
    let token = hex(clerk.token.bytes());
    for (label, email) in [
        ("oakfield", GOVERNOR),
        ("northgate", "governor1@northgate.example"),
        ("oakfield", ADMIN),
    ] {
        let place = scene.behind.membership(label, email).await;
        let begin = format!("begin; select sec.enter('\\x{token}')");
        web.execute(sqlx::raw_sql(AssertSqlSafe(begin)))
            .await
            .unwrap();
        let attack = format!("select sec.correct_address('{place}', 'mine@elsewhere.example')");
        assert!(
            web.execute(AssertSqlSafe(attack)).await.is_err(),
            "{label} {email}"
        );
        web.execute("rollback").await.unwrap();
    }
}

#[tokio::test]
async fn the_function_of_addresses_tells_nobody_one_that_the_policy_of_accounts_keeps_from_them() {
    let mut scene = Scene::new().await;
    let mut web = scene
        .fresh
        .options(testing::Role::Web)
        .connect()
        .await
        .unwrap();
    let mut told = Vec::new();
    for email in [CLERK, ADMIN, CHAIR, GOVERNOR, TEACHER, PARENT] {
        let caller = scene.caller(email).await;
        let enter = format!(
            "begin; select sec.enter('\\x{}')",
            hex(caller.token.bytes())
        );
        sqlx::raw_sql(AssertSqlSafe(enter))
            .execute(&mut web)
            .await
            .unwrap();
        let by_function: Vec<(Uuid, String)> =
            sqlx::query_as("select account_id, email from sec.addresses() order by account_id")
                .fetch_all(&mut web)
                .await
                .unwrap();
        let by_policy: Vec<(Uuid, String)> =
            sqlx::query_as("select id, email from account order by id")
                .fetch_all(&mut web)
                .await
                .unwrap();
        sqlx::raw_sql("rollback").execute(&mut web).await.unwrap();
        assert_eq!(by_function, by_policy, "{email}");
        told.push(by_function.len());
    }
    assert!(told[0] > 2 && told[1] == told[0], "{told:?}");
    assert_eq!(told[2..], [1, 1, 1, 1]);
    let nobody: i64 = sqlx::query_scalar("select count(*) from sec.addresses()")
        .fetch_one(&mut web)
        .await
        .unwrap();
    assert_eq!(nobody, 0);
}
