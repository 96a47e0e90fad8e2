//! What looks over the border between tenants tells numbers alone, and them to nobody but whose they are.

use crate::{
    attack::{Scene, attackers, enter, enter_with, hex},
    trial::strings,
};
use sqlx::{AssertSqlSafe, Executor as _};
use testing::Stand;

/// Calls that may say something of more than one tenant.
fn calls(token: &str) -> [String; 4] {
    [
        "select to_jsonb(s)::text from sec.trust_schools() s".to_owned(),
        format!("select to_jsonb(w)::text from sec.my_waiting('\\x{token}') w"),
        "select sec.trust_name() where sec.trust_name() is not null".to_owned(),
        "select to_jsonb(s)::text from sec.trust_pictures() s".to_owned(),
    ]
}

#[tokio::test]
async fn no_attacker_is_told_a_number_of_another_school() {
    let mut scene = Scene::new().await;
    let attackers = attackers(&mut scene.behind, &mut scene.other).await;
    assert!(attackers.len() > 10);
    // A token of somebody's at a school, which is all that an attacker inside one could have.
    let inside = scene
        .behind
        .session(Some("northgate"), "clerk@beacon.example", Stand::SteppedUp)
        .await;
    for attacker in &attackers {
        for call in calls(&hex(inside.bytes())) {
            for before in &attacker.before {
                strings(&mut scene.web, before).await.unwrap();
            }
            let begin = format!("begin; {}", attacker.begins.join("; "));
            scene
                .web
                .execute(sqlx::raw_sql(AssertSqlSafe(begin)))
                .await
                .unwrap();
            let mut told = strings(&mut scene.web, &call).await.unwrap();
            scene.web.execute("rollback").await.unwrap();
            // That a school belongs to its own trust is no secret to whoever runs it.
            if attacker.name == "Northgate's administrator" && call.contains("trust_name") {
                assert_eq!(told.pop().as_deref(), Some("Beacon Learning Trust"));
            }
            assert_eq!(told, Vec::<String>::new(), "{}: {call}", attacker.name);
        }
    }
    // Whose they are, they are told.
    let lead = enter(&mut scene.behind, "lead@beacon.example", Stand::SteppedUp).await;
    let outside = scene
        .behind
        .session(None, "clerk@beacon.example", Stand::SteppedUp)
        .await;
    let [schools, waiting, _, pictures] = calls(&hex(outside.bytes()));
    for (begin, call) in [
        (lead.clone(), schools),
        (lead, pictures),
        (enter_with(outside.bytes()), waiting),
    ] {
        scene
            .web
            .execute(sqlx::raw_sql(AssertSqlSafe(format!("begin; {begin}"))))
            .await
            .unwrap();
        let told = strings(&mut scene.web, &call).await.unwrap();
        scene.web.execute("rollback").await.unwrap();
        assert!(told.len() >= 2, "{call}: {told:?}");
    }
}
