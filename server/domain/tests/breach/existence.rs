//! That something exists elsewhere is never shown: not by an answer, an error, a constraint or a plan.

use crate::{
    attack::{Scene, enter_with, hex},
    trial::{Try, run, strings},
};
use testing::Stand;
use uuid::Uuid;

#[tokio::test]
async fn an_error_in_a_condition_tells_nothing_of_hidden_rows() {
    let Scene {
        fresh: _fresh,
        mut behind,
        mut web,
        ..
    } = Scene::new().await;
    let people: i64 =
        sqlx::query_scalar("select count(*) from membership where name = 'Joan Whitlock'")
            .fetch_one(&mut *behind)
            .await
            .unwrap();
    assert!(people > 0);
    for oracle in [
        "select 1 from membership where name::int = 1",
        "select 1 from membership where 1 / (case when name = 'Joan Whitlock' then 0 else 1 end) = 1",
        "select 1 from event where (detail ->> 'label')::int = 1",
        "select 1 from account where email::uuid is not null",
        "select 1 from tenant where name::date > now()",
        "select 1 from membership order by name::int",
        "select sum(name::int) from membership",
        "update membership set name = name where name::int = 1",
    ] {
        // Nobody is sealed, so every row is hidden: the condition must not even be asked about one.
        let seen = strings(&mut web, oracle)
            .await
            .unwrap_or_else(|error| panic!("{oracle}: {error}"));
        assert!(seen.iter().all(String::is_empty), "{oracle}: {seen:?}");
    }
}

/// What a clerk of Oakfield learns by trying ids and addresses of another school: the same as by trying unknown ones.
#[tokio::test]
async fn existence_elsewhere_is_never_shown_by_an_answer() {
    let Scene {
        fresh: _fresh,
        mut behind,
        mut web,
        ..
    } = Scene::new().await;
    let clerk = behind
        .session(Some("oakfield"), "clerk@oakfield.example", Stand::SteppedUp)
        .await;
    let begins = [enter_with(clerk.bytes())];
    let token = hex(clerk.bytes());
    let tenant = behind.tenant("oakfield").await;
    let (place, their_tenant) = (
        behind
            .membership("northgate", "chair@northgate.example")
            .await,
        behind.tenant("northgate").await,
    );
    let their_account = behind.account("chair@northgate.example").await;
    behind
        .session(
            Some("northgate"),
            "chair@northgate.example",
            Stand::SteppedUp,
        )
        .await;
    let their_session: Uuid = sqlx::query_scalar(
        "select id from sec.session where account_id = $1 and ended_at is null limit 1",
    )
    .bind(their_account)
    .fetch_one(&mut *behind)
    .await
    .unwrap();
    let never = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001);
    let an_account = behind.account("governor1@oakfield.example").await;

    // Each question with `$` for the id: theirs, and one that never was.
    for (question, theirs) in [
        (
            "select count(*)::text from membership where id = '$'",
            place,
        ),
        (
            "select count(*)::text from membership where tenant_id = '$'",
            their_tenant,
        ),
        (
            "select count(*)::text from account where id = '$'",
            their_account,
        ),
        (
            "select count(*)::text from tenant where id = '$'",
            their_tenant,
        ),
        (
            "select count(*)::text from event where tenant_id = '$'",
            their_tenant,
        ),
        (
            "update membership set name = 'x' where id = '$' returning 'changed'",
            place,
        ),
        ("select sec.invite('$')::text", place),
        ("select sec.revoke('$', 'x')::text", their_account),
        ("select sec.end_session('\\x%', '$')::text", their_session),
        (
            "select sec.ticket_issue('\\x%', '$', decode(repeat('01', 32), 'hex'))::text",
            their_tenant,
        ),
        (
            "insert into membership (tenant_id, account_id, name, roles) values ('$', '~', 'x', array['governor']) returning 'made'",
            their_tenant,
        ),
        (
            "insert into membership (tenant_id, account_id, name, roles) values ('$', '~', 'x', array['governor']) on conflict do nothing returning 'made'",
            their_tenant,
        ),
        (
            "select name from sec.invitation_open(sha256('$'), '@')",
            place,
        ),
        ("select sec.invitation_accept(sha256('$'), '@', 'x')", place),
    ] {
        let mut answers = Vec::new();
        for id in [theirs, never] {
            let sql = question
                .replace('$', &id.to_string())
                .replace('%', &token)
                .replace('~', &an_account.to_string())
                .replace('@', &tenant.to_string());
            let answer = run(&mut web, &begins, &Try::Rows(sql)).await;
            answers.push(match answer {
                Ok((rows, _)) => rows.join(","),
                Err(error) => error.to_string().replace(&id.to_string(), "$"),
            });
        }
        assert_eq!(answers[0], answers[1], "{question}");
    }

    // By address: somebody known elsewhere, and somebody unknown. The ids say nothing of their age either.
    let mut added = Vec::new();
    for email in ["chair@northgate.example", "nobody.at.all@elsewhere.example"] {
        let (ids, _) = run(
            &mut web,
            &begins,
            &Try::Rows(format!("select sec.account_for('{email}')::text")),
        )
        .await
        .unwrap();
        let insert = format!(
            "insert into membership (tenant_id, account_id, name, roles) values ('{tenant}', '{}', 'x', array['governor']) returning 'made'",
            ids[0]
        );
        let (made, _) = run(&mut web, &begins, &Try::Rows(insert)).await.unwrap();
        let (seen, _) = run(
            &mut web,
            &begins,
            &Try::Rows(format!(
                "select email || (created_at is null)::text from account where id = '{}'",
                ids[0]
            )),
        )
        .await
        .unwrap_or_default();
        let version = Uuid::parse_str(&ids[0]).unwrap().get_version_num();
        added.push((ids.len(), version, made, seen));
    }
    assert_eq!(added[0], added[1]);
    assert_eq!(added[0].1, 4, "an account's id tells no time");
    let age = run(
        &mut web,
        &begins,
        &Try::Rows("select created_at::text from account".to_owned()),
    )
    .await;
    assert!(
        age.is_err(),
        "when an account was made says whether it was known before"
    );
}
