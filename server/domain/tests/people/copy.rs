//! Copies for reading of office files: who sees that there is one, who makes it, and that it goes with its document.

use domain::{
    Refusal,
    db::Caller,
    document::{
        self,
        copy::{self, Claim, Copied, Made, Why},
        filing::{self, Filed, Stored},
    },
    file::Kind,
    folder::readers::Who,
    role::Role as Held,
};
use testing::Stand;
use uuid::Uuid;

use crate::{
    change::change,
    library::{called, fresh, stored},
    scene::{CHAIR, CLERK, GOVERNOR, Scene, TEACHER},
};

impl Scene {
    /// A letter as Word keeps it, in a folder that the board reads.
    async fn letter(&self, by: &Caller) -> (Uuid, Filed) {
        let readers = [(Who::Role(Held::Governor), false)];
        let folder = self.folder(by, "Letters", false, &readers).await.unwrap();
        (folder, self.word(by, folder).await)
    }

    async fn word(&self, by: &Caller, folder: Uuid) -> Filed {
        let stored = Stored {
            format: Kind::Docx,
            name: "Letter.docx".to_owned(),
            pages: None,
            ..stored(None, "Dear parents")
        };
        change(&self.db, by, async |write| {
            filing::add(write, folder, &called("Letter"), "", &stored).await
        })
        .await
        .unwrap()
    }

    async fn copied(&self, by: &Caller, document: Uuid) -> Option<Copied> {
        let mut read = self.reading(by).await;
        let version = document::one(&mut read, document).await.unwrap().versions[0].id;
        copy::of(&mut read, version).await.unwrap()
    }

    /// The ten minutes of every claim are over, and so is every rest.
    async fn claims_end(&mut self) {
        self.sql("update reading_copy set claimed_at = claimed_at - interval '11 minutes', next_at = next_at - interval '11 minutes'")
            .await;
    }
}

fn made(claim: &Claim) -> Made {
    Made {
        key: claim.key(fresh()),
        store_version: None,
        size: 8256,
        sha256: [7; 32],
        pages: Some(2),
    }
}

#[tokio::test]
async fn an_office_file_wants_a_copy_which_the_worker_makes_and_its_readers_see() {
    let mut scene = Scene::new().await;
    let (clerk, dilip) = (scene.caller(CLERK).await, scene.caller(GOVERNOR).await);
    let (folder, filed) = scene.letter(&clerk).await;
    let pdf = scene
        .file(&clerk, folder, "Minutes", "A PDF")
        .await
        .unwrap();
    assert_eq!(
        scene.copied(&dilip, filed.document).await,
        Some(Copied::Wanted)
    );
    assert_eq!(scene.copied(&dilip, pdf.document).await, None);
    let none = copy::lies(&mut scene.reading(&dilip).await, filed.document, 1).await;
    assert_eq!(none.err(), Some(Refusal::NotFound), "before it is made");

    let worker = scene.worker();
    let claim = worker.claim_copy().await.unwrap().unwrap();
    assert_eq!((claim.document, claim.format), (filed.document, Kind::Docx));
    let file = document::lies(&mut scene.reading(&dilip).await, filed.document, 1)
        .await
        .unwrap();
    assert_eq!((&claim.key, claim.sha256), (&file.key, file.sha256));
    assert_eq!(worker.claim_copy().await, Ok(None), "it is somebody's");

    let made = made(&claim);
    assert_eq!(worker.copy_made(&claim, &made).await, Ok(true));
    assert_eq!(worker.copy_made(&claim, &made).await, Ok(false), "once");
    assert_eq!(
        scene.copied(&dilip, filed.document).await,
        Some(Copied::Made { size: 8256 })
    );
    let lies = copy::lies(&mut scene.reading(&dilip).await, filed.document, 1)
        .await
        .unwrap();
    assert_eq!((lies.key, lies.format), (made.key.clone(), Kind::Pdf));
    assert_eq!(lies.file_name, "Letter.docx.pdf");
    let gone = "t/nothing".to_owned();
    let known = worker.unknown_keys(&[made.key.clone(), gone.clone()]).await;
    assert_eq!(known, Ok(vec![gone]), "what points there stays");
    let line = scene
        .text("select act || ' ' || (detail ->> 'version') || ' ' || topics::text from event where act like 'document.copy%'")
        .await;
    assert_eq!(
        line,
        format!("document.copy_made 1 {{paper/{}}}", filed.document)
    );
}

#[tokio::test]
async fn who_does_not_read_the_folder_sees_no_copy_and_nobody_writes_one() {
    let mut scene = Scene::new().await;
    let (clerk, margaret) = (scene.caller(CLERK).await, scene.place(CHAIR).await);
    let dilip = scene.place(GOVERNOR).await;
    let readers = [(Who::Person(margaret), true), (Who::Person(dilip), false)];
    let folder = scene
        .folder(&clerk, "Complaint", true, &readers)
        .await
        .unwrap();
    let chair = scene.caller(CHAIR).await;
    let filed = scene.word(&chair, folder).await;
    let worker = scene.worker();
    let claim = worker.claim_copy().await.unwrap().unwrap();
    assert!(worker.copy_made(&claim, &made(&claim)).await.unwrap());
    let all = "select from reading_copy";
    for (email, rows) in [(CHAIR, 1), (GOVERNOR, 1), (CLERK, 0), (TEACHER, 0)] {
        assert_eq!(scene.raw(email, all).await, Ok(rows), "{email}");
    }
    for email in [CLERK, TEACHER] {
        let caller = scene.caller(email).await;
        let refused = copy::lies(&mut scene.reading(&caller).await, filed.document, 1).await;
        assert_eq!(refused.err(), Some(Refusal::NotFound), "{email}");
    }
    for sql in [
        "update reading_copy set state = 'failed'",
        "delete from reading_copy",
        "insert into reading_copy (tenant_id, version_id) select tenant_id, id from version",
        "select * from sec.copy_claim()",
    ] {
        assert_eq!(scene.raw(CHAIR, sql).await.unwrap_err(), "42501", "{sql}");
    }
}

#[tokio::test]
async fn after_three_tries_a_copy_is_given_up_and_what_was_not_the_files_fault_does_not_count() {
    let mut scene = Scene::new().await;
    let clerk = scene.caller(CLERK).await;
    let (_, filed) = scene.letter(&clerk).await;
    let worker = scene.worker();
    // The store was away.
    for _ in 0..4 {
        let claim = worker.claim_copy().await.unwrap().unwrap();
        worker.copy_put_back(&claim, 5).await.unwrap();
        assert_eq!(worker.claim_copy().await, Ok(None), "not at once again");
        scene.claims_end().await;
    }
    for _ in 0..2 {
        let claim = worker.claim_copy().await.unwrap().unwrap();
        worker.copy_failed(&claim, Why::Slow).await.unwrap();
        assert_eq!(
            scene.copied(&clerk, filed.document).await,
            Some(Copied::Wanted)
        );
        assert_eq!(worker.claim_copy().await, Ok(None), "not at once again");
        scene.claims_end().await;
    }
    // The third is lost with its server; what it says afterwards comes too late.
    let lost = worker.claim_copy().await.unwrap().unwrap();
    assert_eq!(worker.claim_copy().await, Ok(None));
    assert_eq!(
        scene.copied(&clerk, filed.document).await,
        Some(Copied::Wanted)
    );
    scene.claims_end().await;
    assert_eq!(worker.claim_copy().await, Ok(None));
    assert_eq!(
        scene.copied(&clerk, filed.document).await,
        Some(Copied::Failed)
    );
    assert_eq!(worker.copy_made(&lost, &made(&lost)).await, Ok(false));
    let lines = scene
        .text("select string_agg(act || ' ' || (detail ->> 'why'), ', ') from event where act like 'document.copy%'")
        .await;
    assert_eq!(lines, "document.copy_failed lost");
}

#[tokio::test]
async fn a_claim_that_was_given_up_ends_no_later_one() {
    let mut scene = Scene::new().await;
    let clerk = scene.caller(CLERK).await;
    let (_, filed) = scene.letter(&clerk).await;
    let worker = scene.worker();
    let first = worker.claim_copy().await.unwrap().unwrap();
    scene.claims_end().await;
    let second = worker.claim_copy().await.unwrap().unwrap();
    assert_eq!(first.version, second.version);
    worker.copy_failed(&first, Why::Ended).await.unwrap();
    worker.copy_put_back(&first, 0).await.unwrap();
    assert_eq!(worker.copy_made(&first, &made(&first)).await, Ok(false));
    assert_eq!(worker.claim_copy().await, Ok(None));
    assert_eq!(worker.copy_made(&second, &made(&second)).await, Ok(true));
    assert!(matches!(
        scene.copied(&clerk, filed.document).await,
        Some(Copied::Made { .. })
    ));
}

#[tokio::test]
async fn a_copy_goes_with_its_document_and_a_version_that_is_brought_back_gets_its_own() {
    let mut scene = Scene::new().await;
    let clerk = scene.caller(CLERK).await;
    let (_, filed) = scene.letter(&clerk).await;
    scene
        .version(&clerk, filed.document, "As a PDF")
        .await
        .unwrap();
    change(&scene.db, &clerk, async |write| {
        filing::restore(write, filed.document, 1).await
    })
    .await
    .unwrap();
    let worker = scene.worker();
    let mut keys = Vec::new();
    while let Some(claim) = worker.claim_copy().await.unwrap() {
        let made = made(&claim);
        assert!(worker.copy_made(&claim, &made).await.unwrap());
        keys.push(made.key);
        keys.push(claim.key);
    }
    assert_eq!(keys.len(), 4, "of the first version and of the third");

    let token = scene
        .behind
        .session(Some("oakfield"), CLERK, Stand::SteppedUp)
        .await;
    let proved = scene.at_oakfield(token);
    change(&scene.db, &proved, async |write| {
        Ok(((), filing::bin(write, filed.document, "Over").await?))
    })
    .await
    .unwrap();
    scene
        .sql("update document set binned_at = now() - interval '31 days' where state = 'binned'")
        .await;
    let gone = worker.purge_binned().await.unwrap().concat();
    for key in &keys {
        assert!(gone.contains(key), "{key} stays in the store");
    }
    assert_eq!(
        scene.text("select count(*)::text from reading_copy").await,
        "0"
    );
    assert_eq!(worker.unknown_keys(&keys).await, Ok(keys.clone()));
}
