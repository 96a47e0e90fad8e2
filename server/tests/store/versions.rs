//! A bucket that keeps versions: what somebody else does in it changes nothing of what is filed, and is told.

use aws_sdk_s3::{primitives::ByteStream, types::ServerSideEncryption};
use server::storage::{Cursor, Storage, StorageConfig};

use crate::{
    faults::Scene,
    house::{House, words},
    other::{BUCKET, Other},
};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_overwritten_or_deleted_behind_our_back_is_read_by_its_version_and_told() {
    let Some(other) = Other::start().await else {
        return;
    };
    let mut scene = Scene::other(&other).await;
    assert!(scene.add(0).await && scene.add(1).await);
    let rows: Vec<(String, String)> =
        sqlx::query_as("select key, store_version from version order by id")
            .fetch_all(&mut *scene.served.behind)
            .await
            .unwrap();
    let store = scene.served.files.store.clone();
    let intruder = other.client();
    for (key, version) in &rows {
        assert!(store.look_after(key, version).await.unwrap());
    }
    let (overwritten, deleted) = (&rows[0], &rows[1]);
    intruder
        .put_object()
        .bucket(BUCKET)
        .key(&overwritten.0)
        .body(ByteStream::from_static(b"another paper"))
        .send()
        .await
        .unwrap();
    intruder
        .delete_object()
        .bucket(BUCKET)
        .key(&deleted.0)
        .send()
        .await
        .unwrap();
    for (key, version) in &rows {
        assert!(!store.look_after(key, version).await.unwrap(), "{key}");
    }
    // Without its version it would be gone, so the reading below could fail.
    let latest = store.get(&overwritten.0, None, None).await.unwrap();
    assert_eq!(
        latest.collect().await.unwrap().into_bytes().as_ref(),
        b"another paper"
    );
    assert!(store.get(&deleted.0, None, None).await.is_err());
    for (document, text) in scene.filed.clone() {
        assert!(scene.fetch(&document, "").await.body == text.as_bytes());
    }

    // The sweep sees also what lies under a mark that it was deleted, as after a removal that the store broke off.
    let later = server::clock::now() + time::Duration::hours(1);
    let (lying, next) = store.lying(later, Cursor::Start).await.unwrap();
    assert!(lying.contains(&deleted.0) && next.is_none(), "{lying:?}");

    // And what is removed is gone with all its versions.
    for (key, version) in [overwritten, deleted] {
        store.remove(key).await.unwrap();
        assert!(store.get(key, Some(version), None).await.is_err());
        let left = intruder
            .list_object_versions()
            .bucket(BUCKET)
            .prefix(key)
            .send()
            .await
            .unwrap();
        assert!(left.versions().is_empty() && left.delete_markers().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_object_is_asked_to_be_encrypted() {
    let Some(other) = Other::start().await else {
        return;
    };
    other.with_versions().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "minutes").unwrap();
    let sum = <sha2::Sha256 as sha2::Digest>::digest("minutes").into();
    let config = Other::config(other.address);
    for (key, kms_key) in [("t/plain", None), ("t/kms", Some("papers-key".to_owned()))] {
        let store = Storage::connect(&StorageConfig {
            kms_key: kms_key.clone(),
            ..config.clone()
        });
        store.put(key, file.path(), 7, &sum).await.unwrap();
        let head = other
            .client()
            .head_object()
            .bucket(BUCKET)
            .key(key)
            .send()
            .await
            .unwrap();
        let expected = match kms_key {
            None => ServerSideEncryption::Aes256,
            Some(_) => ServerSideEncryption::AwsKms,
        };
        assert_eq!(head.server_side_encryption(), Some(&expected));
        assert_eq!(head.ssekms_key_id(), kms_key.as_deref());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_without_versions_is_refused_at_the_start_unless_it_is_accepted() {
    let Some(other) = Other::start().await else {
        return;
    };
    let house = House::new();
    let endpoint = format!("http://{}", other.address);
    let environment = [
        ("QUORATE_S3_ENDPOINT", endpoint.as_str()),
        ("QUORATE_S3_BUCKET", BUCKET),
        ("QUORATE_S3_ACCESS_KEY", "quorate"),
        ("QUORATE_S3_SECRET_KEY", "quiet otter"),
    ];
    let refused = tokio::task::block_in_place(|| {
        house
            .command(&["serve"])
            .envs(environment)
            .output()
            .unwrap()
    });
    assert_eq!(refused.status.code(), Some(2), "{}", words(&refused));
    assert!(
        words(&refused).contains("keeps no versions"),
        "{}",
        words(&refused)
    );
    let accepted = [&environment[..], &[("QUORATE_S3_UNVERSIONED", "accept")]].concat();
    let server = tokio::task::block_in_place(|| house.serve_with(&accepted));
    assert_eq!(tokio::task::block_in_place(|| server.stop()), Some(0));
    other.with_versions_on().await;
    let server = tokio::task::block_in_place(|| house.serve_with(&environment));
    assert_eq!(tokio::task::block_in_place(|| server.stop()), Some(0));
}
