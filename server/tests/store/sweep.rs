//! What nothing points at is swept by the upkeep itself, and what a row points at stays: the file of a version, and its copy for
//! reading.

use domain::db::MailDb;
use server::{clock, throttle::Throttle, upkeep::Kept};
use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, Executor as _};
use testing::Role;
use time::Duration;
use uuid::Uuid;

use crate::{
    faults::{ALWAYS, Scene},
    proxy::Fault,
};

impl Scene {
    /// The real upkeep, over this store and these rows.
    fn kept(&self) -> Kept {
        let served = &self.served;
        Kept {
            db: MailDb::new(served.fresh.options(Role::Worker), 2),
            // There is no cache here, and documents have nothing in it.
            throttle: Throttle::new(served.fresh.options(Role::Web), None),
            store: served.files.store.clone(),
            staging: served.files.staging.clone(),
        }
    }

    async fn sql(&mut self, sql: &str) {
        let done = self
            .served
            .behind
            .execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned())))
            .await;
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// Where the file of a document lies.
    async fn key_of(&mut self, document: &str) -> String {
        let id: Uuid = document.rsplit('/').next().unwrap().parse().unwrap();
        sqlx::query_scalar("select key from version where document_id = $1")
            .bind(id)
            .fetch_one(&mut *self.served.behind)
            .await
            .unwrap()
    }

    /// Stores a copy for reading beside the file of a document, as the job does. Its key.
    async fn copy_of(&mut self, document: &str) -> String {
        let file = self.key_of(document).await;
        let bytes = b"%PDF-1.7 a copy for reading";
        let path = self.served.folder.path().join("copy");
        std::fs::write(&path, bytes).unwrap();
        let sum: [u8; 32] = Sha256::digest(bytes).into();
        let key = format!("{}/c/{}", file.split("/v/").next().unwrap(), Uuid::now_v7());
        let size = bytes.len() as u64;
        let store = self.served.files.store.clone();
        store.put(&key, &path, size, &sum).await.unwrap();
        self.sql(&format!(
            "insert into reading_copy (tenant_id, version_id, state, key, size, sha256, pages)
             select tenant_id, id, 'made', '{key}', {size}, '\\x{}', 1 from version where key = '{file}'
             on conflict (tenant_id, version_id) do update
               set state = 'made', key = excluded.key, size = excluded.size, sha256 = excluded.sha256, pages = 1",
            sum.map(|byte| format!("{byte:02x}")).concat()
        ))
        .await;
        key
    }

    /// An upload whose object is stored, whose row is refused, and whose object the store does not let go. Its key.
    async fn orphan(&mut self, n: usize) -> String {
        let before = self.lying().await;
        self.sql(
            "create function public.fail() returns trigger language plpgsql as $$ begin raise exception using errcode = '53100'; end $$;
             create trigger fail before insert on version for each row execute function public.fail()",
        )
        .await;
        self.proxy.next("DELETE", ALWAYS, Fault::Cut);
        assert!(!self.add(n).await);
        assert!(self.proxy.well() > 0, "nothing tried to take it back");
        self.sql("drop trigger fail on version; drop function public.fail()")
            .await;
        let mut left = self.lying().await;
        left.retain(|key| !before.contains(key));
        assert_eq!(left.len(), 1, "{left:?}");
        left.remove(0)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nothing_points_at_is_swept_after_a_day_and_what_a_row_points_at_stays() {
    let mut scene = Scene::own().await;
    assert!(scene.add(0).await && scene.add(1).await);
    let (first, second) = (scene.filed[0].0.clone(), scene.filed[1].0.clone());
    let copy = scene.copy_of(&first).await;
    let file = scene.key_of(&second).await;
    let orphan = scene.orphan(2).await;
    let before = scene.lying().await;
    assert_eq!(before.len(), 4, "two files, a copy and an orphan");

    // It may belong to an upload that is being filed just now.
    let kept = scene.kept();
    let now = clock::now();
    kept.documents(now + Duration::hours(23)).await.unwrap();
    assert_eq!(scene.lying().await, before);

    kept.documents(now + Duration::hours(25)).await.unwrap();
    let left = scene.lying().await;
    assert!(!left.contains(&orphan), "{left:?}");
    assert!(left.contains(&copy) && left.contains(&file), "{left:?}");
    assert_eq!(left.len(), 3);
    // Each file is there and is what was sent; beside them lies the copy.
    scene.check(1).await;

    // A store that does not answer is not taken for an empty one, and the sweep says that it did not go through.
    let another = scene.orphan(3).await;
    scene.proxy.next("GET", ALWAYS, Fault::Cut);
    let swept = kept.documents(now + Duration::hours(26)).await;
    assert!(scene.proxy.well() > 0);
    assert!(swept.is_none());
    assert!(scene.lying().await.contains(&another));
    kept.documents(now + Duration::hours(26)).await.unwrap();
    scene.check(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_binned_document_had_in_the_store_goes_with_it_after_thirty_days() {
    let mut scene = Scene::own().await;
    assert!(scene.add(0).await && scene.add(1).await);
    let (stays, binned) = (scene.filed[0].0.clone(), scene.filed[1].0.clone());
    let copies = (scene.copy_of(&stays).await, scene.copy_of(&binned).await);
    let files = (scene.key_of(&stays).await, scene.key_of(&binned).await);
    let id = binned.rsplit('/').next().unwrap().to_owned();
    let lies_since = |days: &str| {
        // Nobody may say that it has lain there for longer than it has.
        format!(
            "set session_replication_role = replica;
             update document set state = 'binned', bin_reason = 'Over', binned_by = made_by, binned_at = now() - interval '{days}'
             where id = '{id}';
             set session_replication_role = origin"
        )
    };
    let kept = scene.kept();
    scene.sql(&lies_since("29 days 23 hours")).await;
    kept.documents(clock::now()).await.unwrap();
    assert_eq!(scene.lying().await.len(), 4, "not before its time");

    scene.sql(&lies_since("30 days 1 minute")).await;
    kept.documents(clock::now()).await.unwrap();
    let mut left = scene.lying().await;
    left.sort_unstable();
    let mut expected = vec![copies.0, files.0];
    expected.sort_unstable();
    assert_eq!(left, expected, "{} and {} are gone", copies.1, files.1);
    let gone = scene.fetch(&binned, "").await;
    assert_eq!(gone.status.as_u16(), 404);
    scene.filed.remove(1);
    scene.check(1).await;
}
