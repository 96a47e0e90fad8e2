//! The log: who reads it, that nobody writes it but by acting, and that no touch goes unnoticed.

use crate::{
    change::add,
    scene::{ADMIN, CHAIR, CLERK, JOAN, PARENT, Scene, TEACHER, hex},
};
use domain::{role::Role as Held, session, tenancy};
use futures::future::join_all;
use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, Executor as _, Row as _};
use testing::{Role, Stand};
use uuid::Uuid;

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
        let changes = tenancy::changes(&mut read, None, None, 8).await.unwrap();
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
    let changes = tenancy::changes(&mut read, None, None, 100).await.unwrap();
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
    let token = hex(bare.bytes());
    for begin in [
        "select 1".to_owned(),
        format!(
            "select set_config('sec.caller', '{}|{}|||||1', true)",
            "0".repeat(64),
            Uuid::nil()
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
                .and_then(sqlx::error::DatabaseError::code)
                .as_deref(),
            Some("QR401"),
            "{begin}"
        );
        web.execute("rollback").await.unwrap();
    }
}
