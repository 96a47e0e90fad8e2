//! Every fault, at every step of an upload and of a download.

use std::{fmt::Write as _, time::Duration};

use axum::http::Method;
use secrecy::SecretString;
use server::storage::{Storage, StorageConfig};
use testing::Stand;

use crate::{
    other::Other,
    proxy::{Fault, Proxy},
    site::{Answer, Served},
};

const CLERK: &str = "clerk@oakfield.example";
const EDGE: &str = "a line that no file of these has";
/// Longer than what a connection takes at once, so that there is a middle.
const SIZE: usize = 300_000;

pub struct Scene {
    pub served: Served,
    pub proxy: Proxy,
    pub clerk: String,
    pub folder: String,
    /// What was acknowledged: the document's address, and its text.
    pub filed: Vec<(String, String)>,
    /// Of our own store, which must outlive its clients.
    _own: Option<(Storage, tempfile::TempDir)>,
}

impl Scene {
    /// With our own store behind the proxy.
    pub async fn own() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let secret = SecretString::from("quiet otter");
        let own = Storage::start_embedded(folder.path(), "quorate", &secret)
            .await
            .unwrap();
        let proxy = Proxy::before(own.address().unwrap()).await;
        let config = StorageConfig {
            bucket: "quorate".to_owned(),
            unversioned: true,
            ..Other::config(proxy.address)
        };
        Self::over(proxy, &config, Some((own, folder))).await
    }

    /// With another.
    pub async fn other(other: &Other) -> Self {
        other.with_versions().await;
        let proxy = Proxy::before(other.address).await;
        let config = Other::config(proxy.address);
        Self::over(proxy, &config, None).await
    }

    async fn over(
        proxy: Proxy,
        config: &StorageConfig,
        own: Option<(Storage, tempfile::TempDir)>,
    ) -> Self {
        let store = Storage::connect(config);
        store.check().await.unwrap();
        let mut served = Served::over(store).await;
        let clerk = served.cookie(Some("oakfield"), CLERK, Stand::Full).await;
        let made = served
            .post(
                "oakfield",
                "/library/add",
                &clerk,
                &[
                    ("act", "library/open-folder"),
                    ("name", "Policies"),
                    ("roles[0]", "governor"),
                ],
            )
            .await;
        let folder = made.location().split('?').next().unwrap().to_owned();
        Self {
            served,
            proxy,
            clerk,
            folder,
            filed: Vec::new(),
            _own: own,
        }
    }

    fn text(n: usize) -> String {
        let mut text = format!("Paper {n}\n");
        while text.len() < SIZE {
            let at = text.len();
            writeln!(text, "{n} line {at} of it, as somebody wrote it.").unwrap();
        }
        text
    }

    async fn send(&self, title: &str, text: &str) -> Answer {
        let body = format!(
            "--{EDGE}\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\n{title}\r\n\
             --{EDGE}\r\nContent-Disposition: form-data; name=\"tags\"\r\n\r\nwhat was typed\r\n\
             --{EDGE}\r\nContent-Disposition: form-data; name=\"files\"; filename=\"paper.txt\"\r\n\r\n{text}\r\n--{EDGE}--\r\n"
        );
        self.served
            .ask(Method::POST, "oakfield", &format!("{}/add", self.folder))
            .cookie(&self.clerk)
            .header(
                "content-type",
                &format!("multipart/form-data; boundary=\"{EDGE}\""),
            )
            .body(body.into_bytes())
            .send()
            .await
    }

    /// Adds a document; whether it was acknowledged. Where it was not, one sentence says so and what was typed is there.
    pub async fn add(&mut self, n: usize) -> bool {
        let (title, text) = (format!("Title {n}"), Self::text(n));
        let answer = self.send(&title, &text).await;
        if answer.status.as_u16() == 303 {
            let document = answer.location().split('?').next().unwrap().to_owned();
            self.filed.push((document, text));
            return true;
        }
        let page = answer.text();
        assert_eq!(answer.status.as_u16(), 503, "{page}");
        assert!(
            page.contains(&format!("value=\"{title}\"")),
            "what was typed is gone: {page}"
        );
        assert!(page.contains("what was typed"), "the tags are gone");
        assert_eq!(page.matches("role=\"alert\"").count(), 1, "{page}");
        false
    }

    pub async fn fetch(&self, document: &str, range: &str) -> Answer {
        self.served
            .ask(
                Method::GET,
                "oakfield",
                &format!("{document}/versions/1/file"),
            )
            .cookie(&self.clerk)
            .header("range", range)
            .send()
            .await
    }

    /// Whatever was acknowledged is there, and is what was sent; every row points at an object, and nothing else lies there but
    /// `orphans`.
    pub async fn check(&mut self, orphans: usize) {
        for (document, text) in self.filed.clone() {
            let answer = self.fetch(&document, "").await;
            assert_eq!(answer.status.as_u16(), 200, "{document}");
            assert!(answer.body == text.as_bytes(), "{document} is another");
        }
        let keys: Vec<(String, i64, Vec<u8>)> = sqlx::query_as(
            "select key, size, sha256 from version where key like 't/%' order by key",
        )
        .fetch_all(&mut *self.served.behind)
        .await
        .unwrap();
        let lying = self.lying().await;
        for (key, size, sum) in &keys {
            assert!(lying.contains(key), "{key} is not there");
            let mut bytes = self.served.files.store.get(key, None, None).await.unwrap();
            let mut found = <sha2::Sha256 as sha2::Digest>::new();
            let mut length = 0;
            while let Some(piece) = bytes.next().await {
                let piece = piece.unwrap();
                length += piece.len();
                sha2::Digest::update(&mut found, &piece);
            }
            assert_eq!(
                (
                    i64::try_from(length).unwrap(),
                    sha2::Digest::finalize(found).to_vec()
                ),
                (*size, sum.clone())
            );
        }
        assert_eq!(lying.len() - keys.len(), orphans, "{lying:?}");
    }

    pub async fn lying(&self) -> Vec<String> {
        let later = time::OffsetDateTime::now_utc() + time::Duration::DAY;
        let (keys, _) = self
            .served
            .files
            .store
            .lying(later, server::storage::Cursor::Start)
            .await
            .unwrap();
        keys
    }
}

/// Nobody may have to wait longer than this for a sentence.
const PATIENCE: Duration = Duration::from_secs(100);

async fn the_store_fails_at_each_step_of_an_upload(
    mut scene: Scene,
    rounds: &[(&'static str, usize, Fault)],
) {
    assert!(scene.add(0).await);
    for (n, (method, times, fault)) in (1..).zip(rounds) {
        println!("{method} {times} times: {fault:?}");
        scene.proxy.next(method, *times, *fault);
        let before = scene.filed.len();
        let acknowledged = tokio::time::timeout(PATIENCE, scene.add(n))
            .await
            .unwrap_or_else(|_| panic!("nobody is told: {method} {fault:?}"));
        let met = scene.proxy.well();
        assert!(met > 0, "{method} {fault:?} has met nothing");
        println!("  met {met}, acknowledged: {acknowledged}");
        // Once is tried again and nobody notices; always is told.
        assert_eq!(acknowledged, *times == 1, "{method} {times} {fault:?}");
        assert_eq!(scene.filed.len() - before, usize::from(acknowledged));
        // What it left behind is swept.
        let known: Vec<String> = sqlx::query_scalar("select key from version")
            .fetch_all(&mut *scene.served.behind)
            .await
            .unwrap();
        for key in scene.lying().await {
            if !known.contains(&key) {
                scene.served.files.store.remove(&key).await.unwrap();
            }
        }
        scene.check(0).await;
    }
    // And it goes on without a start.
    assert!(scene.add(100).await);
    scene.check(0).await;
}

pub const ALWAYS: usize = 1_000;

const ROUNDS: [(&str, usize, Fault); 16] = [
    ("PUT", 1, Fault::Cut),
    ("PUT", ALWAYS, Fault::Cut),
    ("PUT", 1, Fault::CutAfter(100_000)),
    ("PUT", ALWAYS, Fault::CutAfter(100_000)),
    ("PUT", 1, Fault::ResetAfter(10)),
    ("PUT", 1, Fault::LoseReply),
    ("PUT", 1, Fault::Busy),
    ("PUT", ALWAYS, Fault::Busy),
    ("PUT", 1, Fault::Slow(Duration::from_secs(2))),
    ("HEAD", 1, Fault::Cut),
    ("HEAD", ALWAYS, Fault::Cut),
    ("HEAD", 1, Fault::LoseReply),
    ("HEAD", 1, Fault::Busy),
    ("HEAD", ALWAYS, Fault::Busy),
    ("HEAD", 1, Fault::Slow(Duration::from_secs(2))),
    ("HEAD", ALWAYS, Fault::ResetAfter(10)),
];

#[tokio::test(flavor = "multi_thread")]
async fn our_own_store_fails_at_each_step_of_an_upload() {
    the_store_fails_at_each_step_of_an_upload(Scene::own().await, &ROUNDS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_store_fails_at_each_step_of_an_upload() {
    let Some(other) = Other::start().await else {
        return;
    };
    the_store_fails_at_each_step_of_an_upload(Scene::other(&other).await, &ROUNDS).await;
}

/// A reply that is always lost: the object is there, and is found by asking after it.
#[tokio::test(flavor = "multi_thread")]
async fn an_object_whose_reply_is_lost_each_time_is_asked_after_and_filed_once() {
    let mut scene = Scene::own().await;
    scene.proxy.next("PUT", ALWAYS, Fault::LoseReply);
    assert!(scene.add(1).await, "it is there all the same");
    assert!(scene.proxy.well() >= 2);
    scene.check(0).await;
    assert_eq!(scene.filed.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_change_on_their_way_in_are_not_filed() {
    let mut scene = Scene::own().await;
    scene.proxy.next("PUT", ALWAYS, Fault::FlipRequest(5_000));
    assert!(!scene.add(1).await);
    assert!(scene.proxy.well() > 0);
    scene.check(0).await;
    scene.proxy.next("PUT", 1, Fault::FlipRequest(5_000));
    scene.add(2).await;
    scene.proxy.well();
    scene.check(0).await;
    assert!(scene.add(3).await);
    scene.check(0).await;
}

/// The store takes nothing more and says nothing: the silence is not waited out for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_hangs_is_given_up_and_told_in_a_sentence() {
    let mut scene = Scene::own().await;
    scene.proxy.next("PUT", ALWAYS, Fault::Hang);
    let added = tokio::time::timeout(PATIENCE, scene.add(1)).await;
    assert!(!added.expect("somebody waits for ever"));
    scene.proxy.well();
    scene.check(0).await;
    assert!(scene.add(2).await);
    scene.check(0).await;
}

/// The object is stored, and then the row is refused.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_stored_and_not_filed_is_taken_back_or_swept() {
    let mut scene = Scene::own().await;
    assert!(scene.add(0).await);
    let fail = "create function public.fail() returns trigger language plpgsql as $$ begin raise exception using errcode = '53100'; end $$;
         create trigger fail before insert on version for each row execute function public.fail();";
    sqlx::Executor::execute(&mut *scene.served.behind, sqlx::raw_sql(fail))
        .await
        .unwrap();
    assert!(!scene.add(1).await);
    scene.check(0).await;
    scene.proxy.next("DELETE", ALWAYS, Fault::Cut);
    assert!(!scene.add(2).await);
    assert!(scene.proxy.well() > 0);
    scene.check(1).await;
    let mend = "drop trigger fail on version; drop function public.fail()";
    sqlx::Executor::execute(&mut *scene.served.behind, sqlx::raw_sql(mend))
        .await
        .unwrap();
    assert!(scene.add(3).await);
    scene.check(1).await;
}

/// A download that breaks is not taken for a whole one, and the next is.
async fn the_store_fails_in_the_middle_of_a_download(mut scene: Scene) {
    assert!(scene.add(0).await);
    let (document, text) = scene.filed[0].clone();
    let whole = scene.fetch(&document, "").await;
    assert!(whole.body == text.as_bytes());
    for fault in [
        Fault::Cut,
        Fault::Busy,
        Fault::LoseReply,
        Fault::ResetAfter(0),
    ] {
        scene.proxy.next("GET", ALWAYS, fault);
        let answer = scene.fetch(&document, "bytes=100-199").await;
        assert!(scene.proxy.well() > 0, "{fault:?}");
        assert_eq!(answer.status.as_u16(), 503, "{fault:?}");
        scene.proxy.next("GET", 1, fault);
        let answer = scene.fetch(&document, "bytes=100-199").await;
        assert_eq!(answer.status.as_u16(), 206, "{fault:?} once is tried again");
        assert!(answer.body == text.as_bytes()[100..200]);
    }
    for fault in [Fault::ResetAfter(100_000), Fault::FlipAnswer(1_000)] {
        scene.proxy.next("GET", ALWAYS, fault);
        let broken = scene.served.ask(
            Method::GET,
            "oakfield",
            &format!("{document}/versions/1/file"),
        );
        let length = broken.cookie(&scene.clerk).taken().await;
        assert!(scene.proxy.well() > 0, "{fault:?}");
        assert!(
            length.is_err(),
            "{fault:?}: {length:?} bytes are taken for the whole"
        );
        let again = scene.fetch(&document, "").await;
        assert!(again.body == text.as_bytes(), "{fault:?}");
    }
    scene.check(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_store_fails_in_the_middle_of_a_download() {
    the_store_fails_in_the_middle_of_a_download(Scene::own().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_store_fails_in_the_middle_of_a_download() {
    let Some(other) = Other::start().await else {
        return;
    };
    the_store_fails_in_the_middle_of_a_download(Scene::other(&other).await).await;
}
