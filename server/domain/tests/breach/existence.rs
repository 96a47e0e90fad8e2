//! That something exists elsewhere is never shown: not by an answer, an error, a constraint or a plan.

use crate::{
    attack::{OAKFIELD_ADMIN, Scene, enter, enter_with, hex},
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
        // The outsider: whoever sees the rows is told.
        assert!(strings(&mut behind, oracle).await.is_err(), "{oracle}");
    }
    // Under a seal, the rows of one's own school are judged and those of the other are not.
    let begins = [enter(&mut behind, OAKFIELD_ADMIN, Stand::SteppedUp).await];
    for (name, told) in [("Winston Clarke", false), ("Margaret Oyelaran", true)] {
        for condition in [
            format!("1 / (case when name = '{name}' then 0 else 1 end) = 1"),
            format!("(case when name = '{name}' then name else '1' end)::int = 1"),
        ] {
            for oracle in [
                format!("select id::text from membership where {condition}"),
                format!("update membership set name = name where {condition}"),
            ] {
                let answer = run(&mut web, &begins, &Try::Rows(oracle.clone())).await;
                assert_eq!(answer.is_err(), told, "{oracle}");
            }
        }
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
    let (tenant, their_tenant) = (
        behind.tenant("oakfield").await,
        behind.tenant("northgate").await,
    );
    let (place, their_place) = (
        behind
            .membership("oakfield", "governor1@oakfield.example")
            .await,
        behind
            .membership("northgate", "chair@northgate.example")
            .await,
    );
    let (account, their_account) = (
        behind.account("governor1@oakfield.example").await,
        behind.account("chair@northgate.example").await,
    );
    let mut others = Vec::new();
    for (label, email) in [
        ("oakfield", "clerk@oakfield.example"),
        ("northgate", "chair@northgate.example"),
    ] {
        behind.session(Some(label), email, Stand::SteppedUp).await;
        let id: Uuid = sqlx::query_scalar(
            "select id from sec.session where account_id = $1 order by id desc limit 1",
        )
        .bind(behind.account(email).await)
        .fetch_one(&mut *behind)
        .await
        .unwrap();
        others.push(id);
    }
    let (session, their_session) = (others[0], others[1]);
    // Somebody invited, whose link carries the id of their place.
    let mut invited = Vec::new();
    for tenant in [tenant, their_tenant] {
        let id: Uuid = sqlx::query_scalar(
            "with someone as (insert into account (email) values ($1 || '@elsewhere.example') returning id),
               place as (insert into membership (tenant_id, account_id, name, roles)
                 select $2, id, 'Amara Bello', array['governor'] from someone returning tenant_id, id)
             insert into sec.invitation (tenant_id, membership_id, token_hash, expires_at)
             select tenant_id, id, sha256(id::text::bytea), now() + interval '7 days' from place returning membership_id",
        )
        .bind(tenant.to_string())
        .bind(tenant)
        .fetch_one(&mut *behind)
        .await
        .unwrap();
        invited.push(id);
    }
    let (link, their_link) = (invited[0], invited[1]);
    // A seat that nobody holds, a committee, and somebody's term.
    let mut boards = Vec::new();
    for tenant in [tenant, their_tenant] {
        let mut found = Vec::new();
        for sql in [
            "select s.id from seat s where s.tenant_id = $1 and s.category = 'co_opted'
               and not exists (select from term t where t.tenant_id = s.tenant_id and t.seat_id = s.id)",
            "select id from committee where tenant_id = $1 order by id limit 1",
            "select t.id from term t join seat s on s.tenant_id = t.tenant_id and s.id = t.seat_id
             where t.tenant_id = $1 and s.category = 'ex_officio'",
        ] {
            let id: Uuid = sqlx::query_scalar(sql)
                .bind(tenant)
                .fetch_one(&mut *behind)
                .await
                .unwrap();
            found.push(id);
        }
        boards.push(found);
    }
    let (board, their_board) = (&boards[0], &boards[1]);
    let never = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001);

    // Each question with `$` for the id: theirs, one that never was, and one of Oakfield's own. `#` is its vacant seat.
    for (question, theirs, ours) in [
        (
            "select count(*)::text from membership where id = '$'",
            their_place,
            place,
        ),
        (
            "select count(*)::text from membership where tenant_id = '$'",
            their_tenant,
            tenant,
        ),
        (
            "select count(*)::text from account where id = '$'",
            their_account,
            account,
        ),
        (
            "select count(*)::text from tenant where id = '$'",
            their_tenant,
            tenant,
        ),
        (
            "select count(*)::text from event where tenant_id = '$'",
            their_tenant,
            tenant,
        ),
        (
            "update membership set name = 'x' where id = '$' returning 'changed'",
            their_place,
            place,
        ),
        ("select sec.invite('$')::text", their_place, place),
        ("select sec.revoke('$', 'x')::text", their_account, account),
        (
            "select sec.end_session('\\x%', '$')::text",
            their_session,
            session,
        ),
        (
            "select sec.ticket_issue('\\x%', '$', sha256(uuid_send(gen_random_uuid())))::text",
            their_tenant,
            tenant,
        ),
        (
            "insert into membership (tenant_id, account_id, name, roles) values ('$', '~', 'x', array['governor']) returning 'made'",
            their_tenant,
            tenant,
        ),
        (
            "insert into membership (tenant_id, account_id, name, roles) values ('$', '~', 'x', array['governor']) on conflict do nothing returning 'made'",
            their_tenant,
            tenant,
        ),
        (
            "select count(*)::text from seat where id = '$'",
            their_board[0],
            board[0],
        ),
        (
            "update seat set closed_on = '2100-01-01' where id = '$' returning 'closed'",
            their_board[0],
            board[0],
        ),
        (
            "insert into term (tenant_id, seat_id, membership_id, during)
             select '@', '$', membership_id, '[2100-01-01,2101-01-01)' from committee_place limit 1 returning 'made'",
            their_board[0],
            board[0],
        ),
        (
            "insert into term (tenant_id, seat_id, membership_id, during)
             values ('@', '#', '$', '[2100-01-01,2101-01-01)') returning 'made'",
            their_place,
            place,
        ),
        (
            "update term set ended_why = 'other', during = daterange(lower(during), '2090-01-01') where id = '$' returning 'ended'",
            their_board[2],
            board[2],
        ),
        (
            "update committee set name = 'x' where id = '$' returning 'renamed'",
            their_board[1],
            board[1],
        ),
        (
            "insert into committee_place (tenant_id, committee_id, membership_id, during)
             select '@', '$', id, '[2010-01-01,2010-02-01)' from membership where roles && array['teacher'] limit 1 returning 'made'",
            their_board[1],
            board[1],
        ),
        (
            "insert into dbs_check (tenant_id, membership_id, checked_on) values ('@', '$', '2010-01-01') returning 'made'",
            their_place,
            place,
        ),
        (
            "insert into contact (tenant_id, membership_id, phone) values ('@', '$', '01632 960999')
             on conflict (tenant_id, membership_id) do update set phone = excluded.phone returning 'made'",
            their_place,
            place,
        ),
        (
            "select name from sec.invitation_open('$', '@')",
            their_link,
            link,
        ),
        (
            "select sec.invitation_accept('$', '@', 'x')",
            their_link,
            link,
        ),
    ] {
        let mut answers = Vec::new();
        for id in [theirs, never, ours] {
            let sql = question
                .replace('$', &id.to_string())
                .replace('%', &token)
                .replace('~', &account.to_string())
                .replace('@', &tenant.to_string())
                .replace('#', &board[0].to_string());
            let answer = run(&mut web, &begins, &Try::Rows(sql)).await;
            answers.push(match answer {
                Ok((rows, _)) => rows.join(","),
                Err(error) => error.to_string().replace(&id.to_string(), "$"),
            });
        }
        assert_eq!(answers[0], answers[1], "{question}");
        assert_ne!(
            answers[0], answers[2],
            "it tells nothing of ours: {question}"
        );
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
