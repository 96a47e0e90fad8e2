//! What removal, suspension and the loss of a role end, at once and for good, and who must stay.

use crate::{
    change::{add, drop_role, give_role, invite_again, remove, restore, suspend},
    scene::{ADMIN, CLERK, GOVERNOR, JOAN, Scene},
};
use domain::{
    MembershipId, Refusal,
    db::{Caller, Db, MailDb},
    mailing::{LinkToken, Wanted},
    membership::{self, State},
    recovery,
    role::Role as Held,
    session,
};
use futures::future::join;
use sqlx::{AssertSqlSafe, Executor as _};
use testing::Role;

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
    let tickets = "select count(*)::text from sec.ticket where used_at is null";
    assert_eq!(scene.text(tickets).await, "1");
    let ended = remove(&scene.db, &admin, place).await.unwrap();
    assert_eq!(
        scene.text(tickets).await,
        "0",
        "not even for a place that comes back within the minute"
    );
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
        give_role(&scene.db, &clerk, place, Held::Chair).await,
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
            "roles" => {
                give_role(&scene.db, &admin, place, Held::Governor)
                    .await
                    .unwrap();
                drop_role(&scene.db, &admin, place, Held::Clerk)
                    .await
                    .unwrap();
            }
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

#[tokio::test]
async fn a_role_that_is_given_leaves_pages_open_and_one_that_is_taken_closes_them() {
    let mut scene = Scene::new().await;
    let clerk = scene.caller(CLERK).await;
    let place = scene.place(GOVERNOR).await;
    let dilip = scene.caller(GOVERNOR).await;
    let account = scene.behind.account(GOVERNOR).await;
    let last = "select coalesce(closes::text, '-') from event where act like 'membership.role\\_%' order by seq desc limit 1";
    give_role(&scene.db, &clerk, place, Held::Chair)
        .await
        .unwrap();
    assert_eq!(scene.text(last).await, "-");
    let roles = scene.db.read(&dilip).await.unwrap().standing.roles.clone();
    assert_eq!(
        roles,
        [Held::Chair, Held::Governor],
        "at the very next request"
    );
    drop_role(&scene.db, &clerk, place, Held::Chair)
        .await
        .unwrap();
    assert_eq!(
        scene
            .text(&last.replace("closes::text", "closes ->> 'accounts'"))
            .await,
        format!("[\"{account}\"]")
    );
    assert_eq!(
        drop_role(&scene.db, &clerk, place, Held::Chair).await,
        Err(Refusal::Stale),
        "nothing would change"
    );
    assert_eq!(
        give_role(&scene.db, &clerk, place, Held::Governor).await,
        Err(Refusal::Stale)
    );
}

/// Makes a governor of an administrator.
async fn demote(db: &Db, admin: &Caller, place: MembershipId) -> Result<(), Refusal> {
    match give_role(db, admin, place, Held::Governor).await {
        Ok(()) | Err(Refusal::Stale) => drop_role(db, admin, place, Held::SchoolAdmin).await,
        refused => refused,
    }
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
                demote(&scene.db, &one, second),
                demote(&scene.db, &other, first),
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
    // Nor when somebody who appends nothing writes at the same time: the second waits for the first, and then counts.
    let third = scene
        .behind
        .join(
            "oakfield",
            "third@oakfield.example",
            "Third Admin",
            &["school_admin"],
        )
        .await;
    let (mut one, mut other) = (scene.fresh.behind().await, scene.fresh.behind().await);
    let ends = |id: &str| {
        sqlx::raw_sql(AssertSqlSafe(format!(
            "begin; update membership set state = 'ended' where id = '{id}'; set constraints all immediate"
        )))
    };
    one.execute(ends(&left)).await.unwrap();
    let second = ends(&third.to_string());
    let waiting = tokio::spawn(async move { other.execute(second).await.map(drop) });
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert!(!waiting.is_finished(), "it did not wait");
    one.execute("commit").await.unwrap();
    let error = waiting.await.unwrap().unwrap_err();
    assert_eq!(
        error
            .as_database_error()
            .and_then(|error| error.constraint()),
        Some("membership_last_admin")
    );
}
