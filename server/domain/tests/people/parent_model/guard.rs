//! The model can fail: with each guard taken away, the part of the model that it keeps notices.

use super::{
    Wrong,
    acts::Act,
    change::{Change, Order, Stage},
    world::World,
};

impl World {
    /// The first parent has the second child, is kept from the first, and of each there is something that is open, something
    /// that was taken back and something that is cooling; the second parent has the first child, and the third the third.
    async fn known(&mut self) {
        self.apply(&[
            Change::Link(0, 0, true),
            Change::Order(0, 0, Order::Stands),
            Change::Link(0, 1, true),
            Change::Link(1, 0, true),
            Change::Link(2, 2, true),
            Change::Trend(true),
        ])
        .await;
        for child in 0..3 {
            self.apply(&[
                Change::Entry(child, Stage::Open),
                Change::Entry(child + 8, Stage::TakenBackLongAgo),
                Change::Entry(child + 16, Stage::Off),
                Change::Entry(child + 24, Stage::Cooling),
            ])
            .await;
        }
    }

    /// What a policy lets through, otherwise. Returns what it was.
    async fn policy(&mut self, policy: &str, from: &str, to: &str) -> String {
        let table = policy.strip_suffix("_select").unwrap();
        let was = self
            .scene
            .text(&format!(
                "select pg_get_expr(polqual, polrelid) from pg_policy where polname = '{policy}'"
            ))
            .await;
        assert!(was.contains(from), "{policy} does not say {from}: {was}");
        let now = was.replace(from, to);
        self.put_policy(policy, table, &now).await;
        was
    }

    async fn put_policy(&mut self, policy: &str, table: &str, says: &str) {
        let sql = format!("alter policy {policy} on {table} using ({says})");
        self.scene.sql(&sql).await;
    }

    /// Nothing waits to be seen or sent, for a model that was told otherwise.
    async fn forgets(&mut self) {
        self.scene.quiet().await;
        self.scene.letters().await;
        self.model.fresh = Default::default();
        self.model.lettered = Default::default();
        self.model.sent = Default::default();
    }

    /// Entries of three children open anew, and what was taken back comes of the age at which it would have.
    async fn opens_anew(&mut self) {
        for child in 0..3 {
            self.apply(&[
                Change::Entry(child, Stage::Cooling),
                Change::Entry(child, Stage::Open),
                Change::Entry(child + 8, Stage::TakenBackLongAgo),
            ])
            .await;
        }
    }
}

#[tokio::test]
async fn a_page_that_forgets_a_link_an_order_a_role_or_the_schools_choice_is_noticed() {
    let mut world = World::new().await;
    world.known().await;
    let nothing = [];
    let choice = [Change::Trend(false)];
    let role = [Change::Role(0, false)];
    for (function, from, to, changes) in [
        (
            "sec.children()",
            "r.lifted_at is null",
            "r.lifted_at is null and false",
            &nothing[..],
        ),
        (
            "sec.children()",
            "g.ended_at is null",
            "coalesce(g.ended_at <= now(), true)",
            &nothing[..],
        ),
        (
            "sec.children_called()",
            "p.id = any (sec.children())",
            "p.id is not null",
            &nothing[..],
        ),
        (
            "sec.child_trend(uuid)",
            "sec.tenant() and r.trend)",
            "sec.tenant() and r.trend is not null)",
            &choice[..],
        ),
        (
            "sec.children()",
            "not sec.has_role('parent')",
            "not sec.has_role('parent', 'member')",
            &role[..],
        ),
    ] {
        world.apply(changes).await;
        world.page(0).await.none("before");
        world.scene.rewrite(function, from, to).await;
        let but = format!("{function} with {to}");
        world.page(0).await.some(&but);
        world.scene.rewrite(function, to, from).await;
        world.page(0).await.none(&but);
    }
}

#[tokio::test]
async fn a_table_a_policy_or_a_list_that_shows_a_parent_more_is_noticed() {
    let mut world = World::new().await;
    world.known().await;
    // Something for the log to hide.
    world.act(Act::Entry(24)).await.none("before");
    let (found, wrong) = world.sweep(0).await;
    wrong.none("before");
    assert_eq!(found, 1);
    world.asks(0).await.none("before");
    for (policy, from) in [
        ("on_record_select", "(opens_at <= now())"),
        ("on_record_select", "(taken_back_at IS NULL)"),
        ("on_record_select", "(off_at IS NULL)"),
        ("record_select", ""),
        ("record_version_select", ""),
        ("record_pupil_select", ""),
        ("pupil_select", ""),
        ("score_select", ""),
        ("contact_restriction_select", ""),
        ("guardian_link_select", ""),
        ("statement_select", ""),
        ("event_select", ""),
    ] {
        world
            .apply(&[Change::Says(1, 0, 7), Change::Says(0, 8, 8)])
            .await;
        let table = policy.strip_suffix("_select").unwrap();
        let was = if from.is_empty() {
            let was = world.policy(policy, from, "").await;
            world.put_policy(policy, table, "true").await;
            was
        } else {
            world.policy(policy, from, "true").await
        };
        let but = format!("{policy} without {from}");
        world.sweep(0).await.1.some(&but);
        if policy == "pupil_select" {
            world.asks(0).await.some(&but);
        }
        world.put_policy(policy, table, &was).await;
        world.sweep(0).await.1.none(&but);
    }
    let (from, to) = ("o.pupil_id = any (sec.children())", "o.id is not null");
    world.calls(0).await.1.none("before");
    world.scene.rewrite("sec.entry_authors()", from, to).await;
    world.calls(0).await.1.some("a function that answers more");
    world.scene.rewrite("sec.entry_authors()", to, from).await;
    // A table that somebody adds one day, and whose rows nobody keeps from anybody.
    let child = world.children[0];
    world
        .scene
        .sql("create table visit (note jsonb not null); grant select on visit to quorate_web")
        .await;
    world.sweep(0).await.1.none("an empty table");
    world
        .scene
        .sql(&format!(
            "insert into visit values (jsonb_build_object('whom', '{child}'))"
        ))
        .await;
    world.sweep(0).await.1.some("a new table");
}

#[tokio::test]
async fn news_of_a_child_that_reach_anybody_but_its_parents_are_noticed() {
    let mut world = World::new().await;
    world.known().await;
    world.opens().await.none("before");
    world.notices().await.none("before");
    let nothing = [];
    let role = [Change::Role(0, false)];
    for (from, to, changes) in [
        (
            "r.lifted_at is null",
            "r.lifted_at is null and false",
            &nothing[..],
        ),
        ("o.taken_back_at is null", "o.id is not null", &nothing[..]),
        ("o.opens_at <= now()", "o.put_at <= now()", &nothing[..]),
        ("g.ended_at is null", "g.id is not null", &nothing[..]),
        (
            "'parent' = any (m.roles)",
            "'member' = any (m.roles)",
            &role[..],
        ),
    ] {
        world.apply(changes).await;
        world.opens_anew().await;
        world.scene.rewrite("sec.records_open()", from, to).await;
        let but = format!("records that open with {to}");
        world.opens().await.some(&but);
        world.scene.rewrite("sec.records_open()", to, from).await;
        world.forgets().await;
        world.known().await;
        world.opens().await.none(&but);
        world.forgets().await;
    }
    // What waits to be told goes with the child or with the role, from the page and from a letter that is written already; and with
    // one child of two.
    world.apply(&[Change::Link(2, 1, true)]).await;
    for (table, trigger, back, taken) in [
        (
            "contact_restriction",
            "child_taken",
            Change::Order(2, 2, Order::Lifted),
            Change::Order(2, 2, Order::Stands),
        ),
        (
            "guardian_link",
            "child_taken",
            Change::Link(2, 2, true),
            Change::Link(2, 2, false),
        ),
        (
            "membership",
            "parent_no_more",
            Change::Role(2, true),
            Change::Role(2, false),
        ),
    ] {
        for enabled in [true, false] {
            world
                .apply(&[Change::Order(2, 2, Order::Lifted), back])
                .await;
            world.opens_anew().await;
            world.opens().await.none("again");
            assert!(world.model.unseen(2) > 0);
            world.digest().await;
            let able = if enabled { "enable" } else { "disable" };
            world
                .scene
                .sql(&format!("alter table {table} {able} trigger {trigger}"))
                .await;
            world.apply(&[taken]).await;
            let (notices, letters) = (world.notices().await, world.letters().await.1);
            if enabled {
                notices.none("taken");
                letters.none("taken");
            } else {
                notices.some("a notice that stayed");
                letters.some("a letter that left");
                world.forgets().await;
                world
                    .scene
                    .sql(&format!("alter table {table} enable trigger {trigger}"))
                    .await;
            }
        }
        world.apply(&[back]).await;
    }
}

#[tokio::test]
async fn a_socket_that_hears_of_a_child_or_of_what_is_not_theirs_is_noticed() {
    let mut world = World::new().await;
    world.known().await;
    world.watches(0).await.none("before");
    let was = world.policy("pupil_select", "", "").await;
    world.put_policy("pupil_select", "pupil", "true").await;
    world.watches(0).await.some("a pupil to watch");
    world.put_policy("pupil_select", "pupil", &was).await;
    world.watches(0).await.none("after");
    for (from, to) in [
        ("r.lifted_at is null", "r.lifted_at is null and false"),
        ("g.ended_at is null", "g.id is not null"),
        ("g.pupil_id = any (parents_of.pupils)", "false"),
    ] {
        world.opens_anew().await;
        world.act(Act::Entry(0)).await.none("before");
        world.opens_anew().await;
        world
            .scene
            .rewrite("sec.parents_of(uuid[])", from, to)
            .await;
        let but = format!("parents of a child with {to}");
        world.act(Act::Entry(0)).await.some(&but);
        world
            .scene
            .rewrite("sec.parents_of(uuid[])", to, from)
            .await;
    }
    // A line that closes nothing, or that nobody's page asks about.
    let append = "sec.append(text, uuid, jsonb, text[], jsonb)";
    for (to, acts) in [
        (
            "detail, topics, null)",
            [Act::Link(0, 1), Act::Order(1, 0), Act::Role(2)],
        ),
        (
            "detail, '{}', closes)",
            [Act::Entry(1), Act::Says(0, 1), Act::Role(2)],
        ),
    ] {
        let from = "detail, topics, closes)";
        for act in acts {
            world.known().await;
            world.apply(&[Change::Role(2, true)]).await;
            world.scene.rewrite(append, from, to).await;
            let wrong = world.act(act).await;
            wrong.some(&format!("{act:?} with {to}"));
            world.scene.rewrite(append, to, from).await;
        }
    }
}

/// Whoever leads the school finds everything by the sweep that finds nothing for parents.
#[tokio::test]
async fn the_senco_finds_every_child_and_entry_where_a_parent_finds_their_own() {
    let mut world = World::new().await;
    world.known().await;
    let rows: String = world.every_row(crate::pupil::SENCO).await.concat();
    let here = |id: &&uuid::Uuid| **id != world.elsewhere.child && **id != world.elsewhere.entry;
    for id in world.kept.iter().filter(here) {
        assert!(rows.contains(&id.to_string()), "{id}");
    }
    let mut wrong = Wrong::default();
    wrong.unless_same("a word", &rows.contains("Withheld"), &true);
    wrong.none("the SENCO");
}
