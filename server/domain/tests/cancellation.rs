//! Requests that are given up at any moment: the client is gone, the time is over. What they held must not reach the next.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use domain::{
    Refusal,
    db::{Caller, Db},
    membership,
    role::Role as Held,
    session,
};
use std::{collections::BTreeSet, future::poll_fn, pin::pin, task::Poll, time::Duration};
use testing::{Behind, Fresh, Role};
use uuid::Uuid;

/// A future that is dropped after so many polls. None when it was.
async fn given_up_after<T>(polls: u32, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let mut left = polls;
    poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        work.as_mut().poll(context).map(Some)
    })
    .await
}

/// Numbers that are the same in every run (Knuth's MMIX).
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// What a request does, as one of a school.
#[derive(Clone)]
struct School {
    caller: Caller,
    people: BTreeSet<Uuid>,
    governor: Uuid,
}

impl School {
    async fn of(behind: &mut Behind, label: &str) -> Self {
        let caller = behind
            .caller(label, &format!("clerk@{label}.example"))
            .await;
        let people: Vec<Uuid> =
            sqlx::query_scalar("select id from membership where tenant_id = $1")
                .bind(caller.tenant)
                .fetch_all(&mut **behind)
                .await
                .unwrap();
        let governor = behind
            .membership(label, &format!("governor1@{label}.example"))
            .await;
        Self {
            caller,
            people: people.into_iter().collect(),
            governor,
        }
    }

    /// Reads the people; whose they are is checked by the caller of this.
    async fn read(&self, db: &Db) -> Result<i64, Refusal> {
        let mut read = db.read(&self.caller).await?;
        assert_eq!(
            read.standing.tenant, self.caller.tenant,
            "somebody else's seal"
        );
        let seen: BTreeSet<Uuid> = membership::list(&mut read)
            .await?
            .iter()
            .map(|person| person.id)
            .collect();
        assert_eq!(seen, self.people, "somebody else's people");
        Ok(read.standing.seq)
    }

    /// Gives a governor another role, or takes it.
    async fn write(&self, db: &Db) -> Result<i64, Refusal> {
        let mut write = db.write(&self.caller).await?;
        assert_eq!(
            write.standing.tenant, self.caller.tenant,
            "somebody else's seal"
        );
        let plain = membership::give_role(&mut write, self.governor, Held::Associate).await;
        let act = match plain {
            Err(Refusal::Stale) => {
                membership::drop_role(&mut write, self.governor, Held::Associate).await?
            }
            other => other?,
        };
        write.commit(act).await
    }
}

async fn head(behind: &mut Behind, school: &School) -> i64 {
    sqlx::query_scalar("select seq from sec.event_head where tenant_id = $1")
        .bind(school.caller.tenant)
        .fetch_one(&mut **behind)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_given_up_at_any_moment_leave_no_open_transaction_and_no_seal_behind() {
    let fresh = Fresh::demo().await;
    let mut behind = fresh.behind().await;
    let db = Db::new(fresh.options(Role::Web), 2);
    let schools = [
        School::of(&mut behind, "oakfield").await,
        School::of(&mut behind, "northgate").await,
    ];
    let mut dice = Dice(26);
    let (mut finished, mut given_up) = (0, 0);

    for round in 0..150 {
        let mut requests = Vec::new();
        for _ in 0..4 {
            let (db, school) = (db.clone(), schools[usize::from(dice.below(2) == 1)].clone());
            let (kind, polls, abort) = (
                dice.below(5),
                u32::try_from(dice.below(24)).unwrap(),
                dice.below(2) == 1,
            );
            let work = async move {
                match kind {
                    0 | 1 => school.read(&db).await.map(drop),
                    2 | 3 => school.write(&db).await.map(drop),
                    _ => session::live(&db, school.caller.token)
                        .await
                        .map(|live| assert_eq!(live.unwrap().tenant, Some(school.caller.tenant))),
                }
            };
            let task = tokio::spawn(async move {
                if abort {
                    Some(work.await)
                } else {
                    given_up_after(polls, work).await
                }
            });
            if abort {
                let handle = task.abort_handle();
                let after = Duration::from_micros(dice.below(4000));
                tokio::spawn(async move {
                    tokio::time::sleep(after).await;
                    handle.abort();
                });
            }
            requests.push(task);
        }
        for request in requests {
            match request.await {
                Ok(Some(done)) => {
                    // Two at once may find that the other was first; nothing else may go wrong.
                    assert!(matches!(done, Ok(()) | Err(Refusal::Stale)), "{done:?}");
                    finished += 1;
                }
                Ok(None) => given_up += 1,
                Err(error) if error.is_cancelled() => given_up += 1,
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            }
        }
        // Whoever comes next is served, as themselves, and sees the newest state: not a snapshot that was left open.
        for school in &schools {
            let newest = head(&mut behind, school).await;
            let seen = tokio::time::timeout(Duration::from_secs(5), school.read(&db))
                .await
                .expect("the pool serves")
                .unwrap();
            assert!(
                seen >= newest,
                "round {round}: an old snapshot, {seen} of {newest}"
            );
        }
    }
    assert!(
        finished > 100 && given_up > 100,
        "{finished} finished, {given_up} given up"
    );

    // When all is quiet no connection is inside a transaction.
    let mut patience = 100;
    loop {
        let open: i64 = sqlx::query_scalar(
            "select count(*) from pg_locks l join pg_stat_activity a on a.pid = l.pid
             where a.usename = 'quorate_web' and a.datname = current_database() and l.locktype = 'virtualxid'",
        )
        .fetch_one(&mut *behind)
        .await
        .unwrap();
        if open == 0 {
            break;
        }
        patience -= 1;
        assert!(patience > 0, "{open} transactions stay open");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    // A change without its event, or an event without its change, would be half a request that another one committed.
    for school in &schools {
        let (changes, events): (i64, i64) = sqlx::query_as(
            "select m.version - 1, (select count(*) from event e where e.tenant_id = m.tenant_id and e.about = m.id and e.act like 'membership.role\\_%')
             from membership m where m.tenant_id = $1 and m.id = $2",
        )
        .bind(school.caller.tenant)
        .bind(school.governor)
        .fetch_one(&mut *behind)
        .await
        .unwrap();
        assert_eq!(changes, events);
        assert!(changes > 10, "{changes}");
    }
}

#[tokio::test]
async fn a_connection_serves_many_requests() {
    let fresh = Fresh::demo().await;
    let mut behind = fresh.behind().await;
    let db = Db::new(fresh.options(Role::Web), 2);
    let school = School::of(&mut behind, "oakfield").await;
    let mut connections: BTreeSet<i32> = BTreeSet::new();
    for _ in 0..40 {
        school.read(&db).await.unwrap();
        session::live(&db, school.caller.token).await.unwrap();
        let now: Vec<i32> = sqlx::query_scalar("select pid from pg_stat_activity where usename = 'quorate_web' and datname = current_database()")
            .fetch_all(&mut *behind)
            .await
            .unwrap();
        connections.extend(now);
    }
    // Two for sealed transactions, and one for what is asked without a seal.
    assert!(
        !connections.is_empty() && connections.len() <= 3,
        "{} connections for 80 requests",
        connections.len()
    );
}
