//! Folders and who reads them, documents and their versions: what is a school's, what is a folder's, and what is nobody else's.

use crate::{
    change::change,
    scene::{ADMIN, CHAIR, CLERK, GOVERNOR, PARENT, Scene, TEACHER, hex},
};
use domain::{
    MembershipId, Refusal,
    audit::{self, Filter},
    db::{Caller, MailDb, Read},
    document::{
        self, About, Kind, State,
        filing::{self, Filed, Stored},
        search,
    },
    file,
    folder::{
        self,
        readers::{self, Who},
    },
    live::{Topic, may_watch},
    notice, reading as live_reading,
    role::Role as Held,
};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _, Row as _};
use std::sync::atomic::{AtomicU64, Ordering};
use testing::{Role, Stand};
use uuid::Uuid;

/// An id that nothing has.
pub fn fresh() -> Uuid {
    static MADE: AtomicU64 = AtomicU64::new(1);
    Uuid::from_u128(u128::from(MADE.fetch_add(1, Ordering::Relaxed)) << 64 | 0x4000_8000)
}

/// A file of one page.
pub fn stored(document: Option<Uuid>, text: &str) -> Stored {
    let mut sha256 = [0; 32];
    for (n, byte) in text.bytes().enumerate() {
        sha256[n % 32] ^= byte.rotate_left(u32::try_from(n % 7).unwrap());
    }
    Stored {
        document: document.unwrap_or_else(fresh),
        version: fresh(),
        format: file::Kind::Pdf,
        name: "Letter.pdf".to_owned(),
        size: text.len() as u64,
        sha256,
        pages: Some(1),
        text: vec![text.to_owned()],
        cut: false,
        store_version: None,
    }
}

pub fn called(title: &str) -> About {
    About {
        title: title.to_owned(),
        kind: Kind::Other,
        owner: None,
        review_by: None,
        from: None,
        to: None,
        tags: vec![],
    }
}

impl Scene {
    pub async fn folder(
        &self,
        by: &Caller,
        name: &str,
        restricted: bool,
        readers: &[(Who, bool)],
    ) -> Result<Uuid, Refusal> {
        change(&self.db, by, async |write| {
            folder::open(write, name, "", restricted, readers).await
        })
        .await
    }

    pub async fn file(
        &self,
        by: &Caller,
        folder: Uuid,
        title: &str,
        text: &str,
    ) -> Result<Filed, Refusal> {
        change(&self.db, by, async |write| {
            filing::add(write, folder, &called(title), "", &stored(None, text)).await
        })
        .await
    }

    pub async fn version(&self, by: &Caller, document: Uuid, text: &str) -> Result<u32, Refusal> {
        change(&self.db, by, async |write| {
            let (filed, act) =
                filing::add_version(write, "", &stored(Some(document), text)).await?;
            Ok((filed.number, act))
        })
        .await
    }

    pub async fn reading(&self, caller: &Caller) -> Read {
        self.db.read(caller).await.unwrap()
    }

    pub async fn reads(&self, caller: &Caller, document: Uuid) -> bool {
        match document::one(&mut self.reading(caller).await, document).await {
            Ok(_) => true,
            Err(Refusal::NotFound) => false,
            Err(other) => panic!("{other:?}"),
        }
    }

    pub async fn found(&self, caller: &Caller, words: &str) -> Vec<search::Found> {
        search::find(&mut self.reading(caller).await, words)
            .await
            .unwrap()
    }

    pub async fn news(&self, caller: &Caller) -> Vec<String> {
        notice::unseen(&mut self.reading(caller).await)
            .await
            .unwrap()
            .notices
            .into_iter()
            .map(|one| one.act)
            .collect()
    }

    /// Margaret who chairs the board and Dilip who governs read it; Margaret files.
    pub async fn complaint(&mut self) -> (Uuid, Filed) {
        let (clerk, chair) = (self.caller(CLERK).await, self.caller(CHAIR).await);
        let (margaret, dilip) = (self.place(CHAIR).await, self.place(GOVERNOR).await);
        let readers = [(Who::Person(margaret), true), (Who::Person(dilip), false)];
        let folder = self
            .folder(&clerk, "Complaint", true, &readers)
            .await
            .unwrap();
        let filed = self
            .file(&chair, folder, "Letter of 4 June", "The wombat was unkind")
            .await
            .unwrap();
        (folder, filed)
    }
}

#[tokio::test]
async fn a_restricted_folder_is_read_by_the_people_it_names_and_not_by_an_administrator() {
    let mut scene = Scene::new().await;
    let before = scene.text("select max(seq)::text from event e join tenant t on t.id = e.tenant_id and t.label = 'oakfield'").await;
    let (id, filed) = scene.complaint().await;
    let dilip = scene.caller(GOVERNOR).await;
    assert!(
        scene.reads(&dilip, filed.document).await,
        "the reader exists"
    );
    assert_eq!(scene.found(&dilip, "wombat").await.len(), 1);

    for email in [ADMIN, CLERK] {
        let caller = scene.caller(email).await;
        let mut read = scene.reading(&caller).await;
        let shown = folder::one(&mut read, id).await.unwrap();
        assert_eq!(
            (shown.reads, shown.files, shown.documents),
            (false, false, 0)
        );
        assert!(!scene.reads(&caller, filed.document).await, "{email}");
        for state in [State::Current, State::Archived, State::Binned] {
            let listed = document::list(&mut read, None, state).await.unwrap();
            assert!(listed.iter().all(|one| one.id != filed.document), "{email}");
        }
        assert_eq!(scene.found(&caller, "wombat").await, []);
        assert_eq!(scene.found(&caller, "Letter of 4 June").await, []);
        assert_eq!(
            document::lies(&mut read, filed.document, 1).await,
            Err(Refusal::NotFound)
        );
        assert_eq!(readers::list(&mut read, id).await.unwrap(), []);
        assert_eq!(readers::people(&mut read, id).await.unwrap(), []);
        assert!(!may_watch(&mut read, Topic::Folder(id)).await.unwrap());
        assert!(
            !may_watch(&mut read, Topic::Paper(filed.document))
                .await
                .unwrap()
        );
        let told = audit::timeline(&mut read, &Filter::default(), None)
            .await
            .unwrap();
        let newest: i64 = before.parse().unwrap();
        assert!(
            told.entries
                .iter()
                .all(|entry| entry.seq <= newest || !entry.act.starts_with("document")),
            "{email} reads in the log what happened in it"
        );
        assert_eq!(scene.news(&caller).await.len(), 0, "{email}");
    }
    let mut read = scene.reading(&dilip).await;
    assert!(
        may_watch(&mut read, Topic::Paper(filed.document))
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn raw_sql_under_an_administrators_seal_finds_nothing_of_a_restricted_folder() {
    let mut scene = Scene::new().await;
    let (id, filed) = scene.complaint().await;
    let dilip = scene.caller(GOVERNOR).await;
    change(&scene.db, &dilip, async |write| {
        let mut read = scene.reading(&dilip).await;
        let lies = document::lies(&mut read, filed.document, 1).await?;
        Ok(((), filing::open(write, filed.document, lies.version).await?))
    })
    .await
    .unwrap();
    let counts = [
        format!("select count(*) from document where folder_id = '{id}'"),
        format!(
            "select count(*) from version where document_id = '{}'",
            filed.document
        ),
        "select count(*) from page where body like '%wombat%'".to_owned(),
        "select count(*) from opening".to_owned(),
        format!("select count(*) from folder_reader where folder_id = '{id}'"),
        format!("select count(*) from event where detail ->> 'folder' = '{id}'"),
        "select count(*) from sec.search('wombat', 50)".to_owned(),
        format!("select count(*) from sec.folder_readers('{id}')"),
    ];
    let writes = [
        format!(
            "update document set title = 'x' where id = '{}'",
            filed.document
        ),
        format!("delete from folder_reader where folder_id = '{id}'"),
        format!("update folder set name = 'x' where id = '{id}'"),
    ];
    let own = scene.place(ADMIN).await;
    let inserts = [
        format!(
            "insert into folder_reader (tenant_id, folder_id, membership_id, files) values ('{}', '{id}', '{own}', true)",
            scene.oakfield
        ),
        format!(
            "insert into folder_reader (tenant_id, folder_id, role) values ('{}', '{id}', 'school_admin')",
            scene.oakfield
        ),
        format!(
            "insert into folder_change (tenant_id, folder_id, adds, membership_id, asked_by) values ('{}', '{id}', true, '{own}', '{own}')",
            scene.oakfield
        ),
        format!("update folder set restricted = false where id = '{id}'"),
    ];
    for (email, sees) in [(ADMIN, false), (GOVERNOR, true)] {
        let token = scene
            .behind
            .session(Some("oakfield"), email, Stand::SteppedUp)
            .await;
        let mut web = scene.fresh.options(Role::Web).connect().await.unwrap();
        let enter = format!("begin; select sec.enter('\\x{}')", hex(token.bytes()));
        for count in &counts {
            sqlx::raw_sql(AssertSqlSafe(enter.clone()))
                .execute(&mut web)
                .await
                .unwrap();
            let found: i64 = web
                .fetch_one(AssertSqlSafe(count.clone()))
                .await
                .unwrap()
                .get(0);
            sqlx::raw_sql("rollback").execute(&mut web).await.unwrap();
            // The log is for clerks and administrators only, so this reader sees none of it.
            let may = sees && !count.contains("from event");
            assert_eq!(found > 0, may, "{email}: {count}");
        }
        for write in &writes {
            sqlx::raw_sql(AssertSqlSafe(enter.clone()))
                .execute(&mut web)
                .await
                .unwrap();
            let touched = web
                .execute(AssertSqlSafe(write.clone()))
                .await
                .unwrap()
                .rows_affected();
            sqlx::raw_sql("rollback").execute(&mut web).await.unwrap();
            assert_eq!(touched, 0, "{email}: {write}");
        }
        if sees {
            continue;
        }
        for insert in &inserts {
            sqlx::raw_sql(AssertSqlSafe(enter.clone()))
                .execute(&mut web)
                .await
                .unwrap();
            let refused = web.execute(AssertSqlSafe(insert.clone())).await;
            sqlx::raw_sql("rollback").execute(&mut web).await.unwrap();
            assert!(refused.is_err(), "{email}: {insert}");
        }
    }
}

#[tokio::test]
async fn who_hands_out_roles_does_not_hand_out_a_restricted_folder() {
    let mut scene = Scene::new().await;
    let (id, filed) = scene.complaint().await;
    let (admin, teacher) = (scene.caller(ADMIN).await, scene.caller(TEACHER).await);
    let place = scene.place(TEACHER).await;
    crate::change::give_role(&scene.db, &admin, place, Held::Governor)
        .await
        .unwrap();
    let teacher_again = scene.caller(TEACHER).await;
    assert!(!scene.reads(&teacher_again, filed.document).await);
    let add = change(&scene.db, &admin, async |write| {
        Ok((
            (),
            readers::add(write, id, Who::Person(place), false).await?,
        ))
    })
    .await;
    assert_eq!(add, Err(Refusal::FolderTwoReaders));
    let ask = change(&scene.db, &admin, async |write| {
        Ok(((), readers::ask(write, id, true, place, false).await?))
    })
    .await;
    assert_eq!(ask, Err(Refusal::NotFound));
    let clerk = scene.caller(CLERK).await;
    let by_role = scene
        .folder(
            &clerk,
            "Another",
            true,
            &[(Who::Role(Held::Chair), true), (Who::Person(place), true)],
        )
        .await;
    assert_eq!(by_role, Err(Refusal::FolderNamesPeople));
    let alone = scene
        .folder(&clerk, "Another", true, &[(Who::Person(place), true)])
        .await;
    assert_eq!(alone, Err(Refusal::FolderReaders));
    let _ = teacher;
}

#[tokio::test]
async fn a_place_that_can_be_given_another_address_reads_no_restricted_folder() {
    let mut scene = Scene::new().await;
    let (id, _) = scene.complaint().await;
    let (clerk, chair) = (scene.caller(CLERK).await, scene.caller(CHAIR).await);
    scene
        .invite("Yewande Afolabi", "yewande@oakfield.example")
        .await;
    let (yewande, margaret) = (
        scene.place("yewande@oakfield.example").await,
        scene.place(CHAIR).await,
    );
    let readers = [(Who::Person(margaret), true), (Who::Person(yewande), false)];
    assert_eq!(
        scene.folder(&clerk, "Grievance", true, &readers).await,
        Err(Refusal::FolderJoined)
    );
    let open = scene.folder(&clerk, "Minutes", false, &readers).await;
    assert!(open.is_ok(), "an open folder may name her");
    let asked = change(&scene.db, &chair, async |write| {
        Ok(((), readers::ask(write, id, true, yewande, false).await?))
    })
    .await;
    assert_eq!(asked, Err(Refusal::FolderJoined));

    // One who was named before this was refused: whoever takes the place over finds no folder with it.
    scene
        .sql("alter table folder_reader disable trigger folder_reader_fits")
        .await;
    scene
        .sql(&format!(
            "insert into folder_reader (tenant_id, folder_id, membership_id) values ('{}', '{id}', '{yewande}')",
            scene.oakfield
        ))
        .await;
    scene
        .sql("alter table folder_reader enable trigger folder_reader_fits")
        .await;
    crate::change::correct_address(&scene.db, &clerk, yewande, "yewande@elsewhere.example")
        .await
        .unwrap();
    let named = scene
        .text(&format!(
            "select coalesce(string_agg(f.name, ' '), '-') from folder_reader r join folder f on f.id = r.folder_id
             where r.membership_id = '{yewande}'"
        ))
        .await;
    assert_eq!(named, "Minutes");
}

#[tokio::test]
async fn the_tables_know_whose_object_a_version_is_and_when_something_was_binned() {
    let mut scene = Scene::new().await;
    let (id, complaint) = scene.complaint().await;
    let clerk = scene.caller(CLERK).await;
    let readers = [(Who::Role(Held::Governor), false)];
    let open = scene
        .folder(&clerk, "Policies", false, &readers)
        .await
        .unwrap();
    let policy = scene
        .file(&clerk, open, "Behaviour policy", "Five days")
        .await
        .unwrap();
    let token = scene
        .behind
        .session(Some("oakfield"), CLERK, Stand::SteppedUp)
        .await;
    let enter = format!("begin; select sec.enter('\\x{}')", hex(token.bytes()));
    let mut web = scene.fresh.options(Role::Web).connect().await.unwrap();
    let version = |document: Uuid, sum: &str| {
        format!(
            "update document set newest = 2 where id = '{0}';
             insert into version (tenant_id, id, document_id, number, file_name, format, size, sha256, key, made_by)
             select v.tenant_id, uuidv7(), v.document_id, 2, v.file_name, v.format, v.size, {sum},
               't/' || v.tenant_id || '/d/{document}/v/' || v.id, sec.membership()
             from version v where v.document_id = '{0}'",
            policy.document
        )
    };
    let binned = |moment: &str, by: &str| {
        format!(
            "update document set state = 'binned', bin_reason = 'Over', binned_at = {moment}, binned_by = {by} where id = '{}'",
            policy.document
        )
    };
    let cases = [
        (version(policy.document, "v.sha256"), true),
        (version(complaint.document, "v.sha256"), false),
        (version(policy.document, "sha256('x')"), false),
        (binned("now()", "sec.membership()"), true),
        (
            binned("now() - interval '31 days'", "sec.membership()"),
            false,
        ),
        (
            binned("now()", &format!("'{}'", scene.place(CHAIR).await)),
            false,
        ),
        // What a restricted folder is for is for its readers.
        (format!("select name from folder where id = '{id}'"), true),
        (format!("select about from folder where id = '{id}'"), false),
    ];
    for (sql, may) in cases {
        sqlx::raw_sql(AssertSqlSafe(enter.clone()))
            .execute(&mut web)
            .await
            .unwrap();
        let done = sqlx::raw_sql(AssertSqlSafe(sql.clone()))
            .execute(&mut web)
            .await;
        sqlx::raw_sql("rollback").execute(&mut web).await.unwrap();
        assert_eq!(done.is_ok(), may, "{sql}: {done:?}");
    }
}

#[tokio::test]
async fn the_readers_of_a_restricted_folder_change_when_two_of_them_want_it() {
    let mut scene = Scene::new().await;
    let (id, filed) = scene.complaint().await;
    let (margaret, dilip) = (scene.caller(CHAIR).await, scene.caller(GOVERNOR).await);
    let (clerk, nasreen) = (scene.caller(CLERK).await, scene.place(CLERK).await);
    let db = scene.db.clone();
    let ask = async |by: &Caller, adds: bool, whom: MembershipId| {
        change(&db, by, async |write| {
            Ok(((), readers::ask(write, id, adds, whom, false).await?))
        })
        .await
    };
    let agree = async |by: &Caller| {
        let waiting = readers::changes(&mut db.read(by).await.unwrap(), id)
            .await
            .unwrap();
        let one = waiting.first().map_or_else(fresh, |one| one.id);
        change(&db, by, async |write| {
            Ok(((), readers::agree(write, id, one).await?))
        })
        .await
    };
    ask(&dilip, true, nasreen).await.unwrap();
    assert_eq!(
        ask(&margaret, true, nasreen).await,
        Err(Refusal::FolderChangeWaits)
    );
    assert_eq!(agree(&dilip).await, Err(Refusal::SecondReader));
    assert!(!scene.reads(&clerk, filed.document).await);
    agree(&margaret).await.unwrap();
    assert!(scene.reads(&clerk, filed.document).await);
    assert!(
        scene
            .news(&margaret)
            .await
            .contains(&"folder.change_asked".to_owned())
    );
    assert!(
        scene
            .news(&dilip)
            .await
            .contains(&"folder.reader_added".to_owned())
    );
    assert!(
        scene
            .news(&clerk)
            .await
            .contains(&"folder.reader_added".to_owned())
    );

    // Out again: the pages of whoever is taken out close, and they read it no more.
    ask(&dilip, false, nasreen).await.unwrap();
    agree(&margaret).await.unwrap();
    assert!(!scene.reads(&clerk, filed.document).await);
    let closes = "select closes -> 'accounts' ->> 0 from event where act = 'folder.reader_removed'";
    let account = scene.behind.account(CLERK).await;
    assert_eq!(scene.text(closes).await, account.to_string());
    let read = scene.reading(&clerk).await;
    drop(read);
    // Two stay: nobody could change who reads it otherwise.
    let place = scene.place(GOVERNOR).await;
    ask(&margaret, false, place).await.unwrap();
    assert_eq!(agree(&dilip).await, Err(Refusal::FolderReaders));
    assert!(scene.reads(&dilip, filed.document).await);
}

#[tokio::test]
async fn whoever_is_removed_from_the_school_comes_back_without_its_folders() {
    let mut scene = Scene::new().await;
    let (_, filed) = scene.complaint().await;
    let (admin, place) = (scene.caller(ADMIN).await, scene.place(GOVERNOR).await);
    crate::change::remove(&scene.db, &admin, place)
        .await
        .unwrap();
    scene
        .sql(&format!(
            "set session_replication_role = replica;
             update membership set state = 'active', joined_at = now(), ended_at = null, version = version + 1 where id = '{place}';
             set session_replication_role = origin"
        ))
        .await;
    let back = scene.caller(GOVERNOR).await;
    assert!(!scene.reads(&back, filed.document).await);
}

#[tokio::test]
async fn an_open_folder_is_read_by_its_roles_and_committees_and_kept_by_the_clerk() {
    let mut scene = Scene::new().await;
    let clerk = scene.caller(CLERK).await;
    let readers = [(Who::Role(Held::Governor), false)];
    let id = scene
        .folder(&clerk, "Policies", false, &readers)
        .await
        .unwrap();
    let filed = scene
        .file(&clerk, id, "Behaviour policy", "Good order")
        .await
        .unwrap();
    let (dilip, teacher) = (scene.caller(GOVERNOR).await, scene.caller(TEACHER).await);
    assert!(scene.reads(&dilip, filed.document).await);
    assert!(!scene.reads(&teacher, filed.document).await);
    assert_eq!(
        scene.file(&dilip, id, "Another", "x").await,
        Err(Refusal::FolderNotFiled)
    );
    assert_eq!(
        scene.file(&teacher, id, "Another", "x").await,
        Err(Refusal::NotFound)
    );
    let again = scene.folder(&clerk, "policies", false, &readers).await;
    assert_eq!(again, Err(Refusal::FolderNameTaken));
    // By committee, as long as they sit there.
    let committee: Uuid = scene
        .text(
            "select p.committee_id::text from committee_place p join membership m on m.tenant_id = p.tenant_id and m.id = p.membership_id
             join account a on a.id = m.account_id where a.email = 'governor1@oakfield.example' and p.during @> current_date limit 1",
        )
        .await
        .parse()
        .unwrap();
    let finance = scene
        .folder(
            &clerk,
            "Finance",
            false,
            &[(Who::Committee(committee), true)],
        )
        .await
        .unwrap();
    let budget = scene
        .file(&dilip, finance, "Budget", "Figures")
        .await
        .unwrap();
    let place: Uuid = scene
        .text(&format!(
            "select p.id::text from committee_place p join membership m on m.tenant_id = p.tenant_id and m.id = p.membership_id
             join account a on a.id = m.account_id where a.email = 'governor1@oakfield.example' and p.committee_id = '{committee}'"
        ))
        .await
        .parse()
        .unwrap();
    let yesterday = scene.today().await.previous_day().unwrap();
    let today = scene.today().await;
    change(&scene.db, &clerk, async |write| {
        Ok((
            (),
            domain::board::committee::leave_committee(write, place, yesterday, today).await?,
        ))
    })
    .await
    .unwrap();
    let dilip = scene.caller(GOVERNOR).await;
    assert!(!scene.reads(&dilip, budget.document).await);
    // And another school's clerk knows of none of it.
    let stranger = scene
        .behind
        .caller("northgate", "admin@northgate.example")
        .await;
    let mut read = scene.reading(&stranger).await;
    assert!(
        folder::all(&mut read)
            .await
            .unwrap()
            .iter()
            .all(|one| one.id != id)
    );
}

#[tokio::test]
async fn who_files_in_a_folder_says_whether_what_lies_in_it_is_printed() {
    let mut scene = Scene::new().await;
    let clerk = scene.caller(CLERK).await;
    let readers = [(Who::Role(Held::Governor), false)];
    let id = scene
        .folder(&clerk, "Policies", false, &readers)
        .await
        .unwrap();
    let filed = scene
        .file(&clerk, id, "Behaviour policy", "Good order")
        .await
        .unwrap();
    let (dilip, teacher) = (scene.caller(GOVERNOR).await, scene.caller(TEACHER).await);
    let db = scene.db.clone();
    let say = async |by: &Caller, prints: bool| {
        change(&db, by, async |write| {
            let act = folder::describe(write, id, "Policies", "", prints).await?;
            Ok(((), act))
        })
        .await
    };
    let printed = async || {
        let mut read = db.read(&dilip).await.unwrap();
        let document = document::one(&mut read, filed.document).await.unwrap();
        document.folder.prints
    };
    assert!(printed().await);
    // As it is already.
    assert_eq!(say(&clerk, true).await, Err(Refusal::Stale));
    assert_eq!(say(&dilip, false).await, Err(Refusal::FolderNotFiled));
    assert_eq!(say(&teacher, false).await, Err(Refusal::NotFound));
    assert!(printed().await);
    say(&clerk, false).await.unwrap();
    assert!(!printed().await);
    say(&clerk, true).await.unwrap();
    assert!(printed().await);
}

#[tokio::test]
async fn a_parent_reads_a_folder_that_names_parents_and_hears_of_what_is_new_in_it() {
    let mut scene = Scene::new().await;
    let (clerk, parent) = (scene.caller(CLERK).await, scene.caller(PARENT).await);
    let id = scene
        .folder(
            &clerk,
            "For parents",
            false,
            &[(Who::Role(Held::Parent), false)],
        )
        .await
        .unwrap();
    let filed = scene
        .file(&clerk, id, "Term dates", "Autumn")
        .await
        .unwrap();
    assert!(scene.reads(&parent, filed.document).await);
    assert_eq!(scene.news(&parent).await, ["document.added"]);
    assert_eq!(scene.found(&parent, "autumn").await.len(), 1);
}

#[tokio::test]
async fn of_two_who_add_a_version_at_once_both_get_one_in_order() {
    let mut scene = Scene::new().await;
    let (clerk, admin) = (scene.caller(CLERK).await, scene.caller(ADMIN).await);
    let id = scene
        .folder(
            &clerk,
            "Policies",
            false,
            &[(Who::Role(Held::Governor), false)],
        )
        .await
        .unwrap();
    let document = scene
        .file(&clerk, id, "Behaviour policy", "One")
        .await
        .unwrap()
        .document;
    let (a, b) = tokio::join!(
        scene.version(&clerk, document, "Two"),
        scene.version(&admin, document, "Three")
    );
    let mut numbers = [a.unwrap(), b.unwrap()];
    numbers.sort_unstable();
    assert_eq!(numbers, [2, 3]);
    assert_eq!(
        scene.version(&clerk, document, "One").await,
        Err(Refusal::SameBytes(1))
    );
    let whole = document::one(&mut scene.reading(&clerk).await, document)
        .await
        .unwrap();
    assert_eq!(
        whole
            .versions
            .iter()
            .map(|one| one.number)
            .collect::<Vec<_>>(),
        [3, 2, 1]
    );

    let number = change(&scene.db, &clerk, async |write| {
        filing::restore(write, document, 1).await
    })
    .await
    .unwrap();
    assert_eq!(number, 4);
    let whole = document::one(&mut scene.reading(&clerk).await, document)
        .await
        .unwrap();
    let (newest, first) = (&whole.versions[0], &whole.versions[3]);
    assert_eq!((newest.restores, &newest.sha256), (Some(1), &first.sha256));
    let mut read = scene.reading(&clerk).await;
    let (new, old) = (
        document::lies(&mut read, document, 4).await.unwrap(),
        document::lies(&mut read, document, 1).await.unwrap(),
    );
    assert_eq!(new.key, old.key);
}

#[tokio::test]
async fn what_is_binned_is_gone_for_good_after_thirty_days_and_stays_in_the_log() {
    let mut scene = Scene::new().await;
    let clerk = scene.caller(CLERK).await;
    let dilip = scene.caller(GOVERNOR).await;
    let id = scene
        .folder(
            &clerk,
            "Policies",
            false,
            &[(Who::Role(Held::Governor), false)],
        )
        .await
        .unwrap();
    let document = scene
        .file(&clerk, id, "Old policy", "A quokka")
        .await
        .unwrap()
        .document;
    let unproved = scene
        .behind
        .session(Some("oakfield"), CLERK, Stand::Full)
        .await;
    let unproved = scene.at_oakfield(unproved);
    let bin = async |by: &Caller, why: &str| {
        change(&scene.db, by, async |write| {
            Ok(((), filing::bin(write, document, why).await?))
        })
        .await
    };
    assert_eq!(bin(&unproved, "Over").await, Err(Refusal::StepUpNeeded));
    let token = scene
        .behind
        .session(Some("oakfield"), CLERK, Stand::SteppedUp)
        .await;
    let proved = scene.at_oakfield(token);
    let bin = async |why: &str| {
        change(&scene.db, &proved, async |write| {
            Ok(((), filing::bin(write, document, why).await?))
        })
        .await
    };
    assert_eq!(bin(" ").await, Err(Refusal::BinReason));
    bin("Superseded, six years over").await.unwrap();
    assert!(!scene.reads(&dilip, document).await);
    assert!(scene.reads(&clerk, document).await);
    assert_eq!(scene.found(&clerk, "quokka").await, []);
    assert_eq!(
        scene.version(&clerk, document, "New").await,
        Err(Refusal::Binned)
    );

    let worker = MailDb::new(scene.fresh.options(Role::Worker), 1);
    assert_eq!(filing_purge(&worker).await, 0, "not before its time");
    scene.sql("update document set binned_at = now() - interval '30 days 1 minute' where state = 'binned'").await;
    assert_eq!(filing_purge(&worker).await, 1);
    assert!(!scene.reads(&clerk, document).await);
    assert_eq!(
        scene
            .text("select count(*)::text from page where body like '%quokka%'")
            .await,
        "0"
    );
    assert_eq!(
        scene
            .text(&format!(
                "select string_agg(act, ' ' order by seq) from event where about = '{document}'"
            ))
            .await,
        "document.added document.binned document.purged"
    );
}

/// How many documents the worker ends, and that each names the one object it had.
async fn filing_purge(worker: &MailDb) -> usize {
    let gone = worker.purge_binned().await.unwrap();
    assert!(gone.iter().all(|keys| keys.len() == 1));
    gone.len()
}

#[tokio::test]
async fn who_files_sees_who_has_opened_a_version_and_a_reader_sees_only_themselves() {
    let mut scene = Scene::new().await;
    let (clerk, dilip, margaret) = (
        scene.caller(CLERK).await,
        scene.caller(GOVERNOR).await,
        scene.caller(CHAIR).await,
    );
    let readers = [
        (Who::Role(Held::Governor), false),
        (Who::Role(Held::Chair), false),
    ];
    let id = scene
        .folder(&clerk, "Policies", false, &readers)
        .await
        .unwrap();
    let document = scene
        .file(&clerk, id, "Policy", "Text")
        .await
        .unwrap()
        .document;
    let open = async |by: &Caller| {
        let lies = document::lies(&mut scene.reading(by).await, document, 1).await?;
        change(&scene.db, by, async |write| {
            Ok(((), filing::open(write, document, lies.version).await?))
        })
        .await
    };
    open(&dilip).await.unwrap();
    assert_eq!(
        open(&dilip).await,
        Err(Refusal::Stale),
        "the first time counts"
    );
    let seen = async |by: &Caller| {
        let mut read = scene.reading(by).await;
        let whole = document::one(&mut read, document).await.unwrap();
        let version = whole.versions[0].id;
        document::openings(&mut read, &whole, version)
            .await
            .unwrap()
    };
    let all = seen(&clerk).await;
    assert_eq!(all.iter().filter(|one| one.at.is_some()).count(), 1);
    assert!(all.len() > 5, "who has not opened it is named too: {all:?}");
    assert_eq!(seen(&margaret).await, []);
    assert_eq!(seen(&dilip).await.len(), 1);
}

#[tokio::test]
async fn nothing_leaves_a_restricted_folder_and_an_owner_reads_what_they_answer_for() {
    let mut scene = Scene::new().await;
    let (id, filed) = scene.complaint().await;
    let (clerk, margaret) = (scene.caller(CLERK).await, scene.caller(CHAIR).await);
    let chair = scene.place(CHAIR).await;
    let open = scene
        .folder(&clerk, "Open", false, &[(Who::Person(chair), true)])
        .await
        .unwrap();
    let moved = change(&scene.db, &margaret, async |write| {
        Ok(((), filing::move_to(write, filed.document, open).await?))
    })
    .await;
    assert_eq!(moved, Err(Refusal::DocumentStays));
    let teacher = scene.place(TEACHER).await;
    let owned = change(&scene.db, &margaret, async |write| {
        let about = About {
            owner: Some(teacher),
            ..called("Letter")
        };
        Ok(((), filing::describe(write, filed.document, &about).await?))
    })
    .await;
    assert_eq!(owned, Err(Refusal::OwnerReads));
    let _ = id;
}

#[tokio::test]
async fn who_owns_a_paper_and_reads_it_no_more_stays_its_owner_until_another_is_chosen() {
    let mut scene = Scene::new().await;
    let clerk = scene.caller(CLERK).await;
    let (chair, dilip) = (scene.place(CHAIR).await, scene.place(GOVERNOR).await);
    let nasreen = scene.place(CLERK).await;
    let readers = [(Who::Person(chair), false), (Who::Person(dilip), false)];
    let folder = scene
        .folder(&clerk, "Policies", false, &readers)
        .await
        .unwrap();
    let document = scene
        .file(&clerk, folder, "Behaviour policy", "Five days")
        .await
        .unwrap()
        .document;
    let describe = async |title: &str, owner: Option<MembershipId>| {
        let about = About {
            owner,
            ..called(title)
        };
        change(&scene.db, &clerk, async |write| {
            Ok(((), filing::describe(write, document, &about).await?))
        })
        .await
    };
    describe("Behaviour", Some(dilip)).await.unwrap();
    let mut read = scene.reading(&clerk).await;
    let line = readers::list(&mut read, folder)
        .await
        .unwrap()
        .into_iter()
        .find(|line| matches!(&line.reader, readers::Reader::Person(one) if one.id == dilip))
        .unwrap();
    drop(read);
    change(&scene.db, &clerk, async |write| {
        Ok(((), readers::remove(write, folder, line.id).await?))
    })
    .await
    .unwrap();
    describe("Behaviour of pupils", Some(dilip)).await.unwrap();
    // Who keeps the school's papers reads them all, and may own one.
    describe("Behaviour of pupils", Some(nasreen))
        .await
        .unwrap();
    assert_eq!(
        describe("Behaviour of pupils", Some(dilip)).await,
        Err(Refusal::OwnerReads),
        "newly chosen"
    );
}

#[tokio::test]
async fn whoever_reads_a_paper_sees_others_who_read_it_and_nobody_who_does_not_want_to_be_seen() {
    let mut scene = Scene::new().await;
    let (_, filed) = scene.complaint().await;
    let (clerk, admin) = (scene.caller(CLERK).await, scene.caller(ADMIN).await);
    let (margaret, dilip) = (scene.caller(CHAIR).await, scene.caller(GOVERNOR).await);
    let mut open = Vec::new();
    for (page, email) in (1..).zip([CHAIR, GOVERNOR, ADMIN, TEACHER, CLERK]) {
        open.push((scene.behind.account(email).await, page));
    }
    let seen = async |by: &Caller| {
        let mut read = scene.reading(by).await;
        let others = live_reading::others(&mut read, filed.document, &open).await?;
        let line = |one: live_reading::Reader| (one.person.name.unwrap_or_default(), one.page);
        Ok::<Vec<_>, Refusal>(others.into_iter().map(line).collect())
    };
    let (of_margaret, of_dilip) = (
        ("Dilip Parmar".to_owned(), 2),
        ("Margaret Oyelaran".to_owned(), 1),
    );
    // Not oneself; and nobody who could not open it, whatever the process believes.
    assert_eq!(
        seen(&margaret).await.unwrap(),
        std::slice::from_ref(&of_margaret)
    );
    assert_eq!(seen(&dilip).await.unwrap(), [of_dilip]);
    for outsider in [&clerk, &admin] {
        assert_eq!(seen(outsider).await, Err(Refusal::NotFound));
        let mut read = scene.reading(outsider).await;
        let topic = Topic::Readers(filed.document);
        assert!(!may_watch(&mut read, topic).await.unwrap());
    }
    let choose = async |shown: bool| {
        change(&scene.db, &dilip, async |write| {
            Ok(((), live_reading::choose(write, shown).await?))
        })
        .await
    };
    choose(false).await.unwrap();
    assert_eq!(choose(false).await, Err(Refusal::Stale));
    assert_eq!(seen(&margaret).await.unwrap(), []);
    assert!(
        !live_reading::shown(&mut scene.reading(&dilip).await)
            .await
            .unwrap()
    );
    assert!(
        live_reading::shown(&mut scene.reading(&margaret).await)
            .await
            .unwrap()
    );
    choose(true).await.unwrap();
    assert_eq!(seen(&margaret).await.unwrap(), [of_margaret]);
}

#[tokio::test]
async fn a_line_that_is_taken_out_closes_the_pages_of_who_reads_by_no_other_and_of_nobody_else() {
    let mut scene = Scene::new().await;
    let clerk = scene.caller(CLERK).await;
    let roles = "select array_to_string(array(select unnest(m.roles) order by 1), ',') from membership m join account a on a.id = m.account_id
         where a.email = 'chair@oakfield.example'";
    assert_eq!(scene.text(roles).await, "chair,governor");
    let lines = [Held::Governor, Held::Chair].map(|role| (Who::Role(role), false));
    let id = scene
        .folder(&clerk, "Policies", false, &lines)
        .await
        .unwrap();
    let filed = scene
        .file(&clerk, id, "Behaviour policy", "Good order")
        .await
        .unwrap();
    let (margaret, dilip) = (scene.caller(CHAIR).await, scene.caller(GOVERNOR).await);
    for reader in [&margaret, &dilip] {
        assert!(scene.reads(reader, filed.document).await);
    }
    let line = readers::list(&mut scene.reading(&clerk).await, id)
        .await
        .unwrap()
        .into_iter()
        .find(|line| line.reader == readers::Reader::Role(Held::Governor))
        .unwrap();
    change(&scene.db, &clerk, async |write| {
        Ok(((), readers::remove(write, id, line.id).await?))
    })
    .await
    .unwrap();
    assert!(scene.reads(&margaret, filed.document).await);
    assert!(!scene.reads(&dilip, filed.document).await);
    let closed = scene
        .text("select closes ->> 'accounts' from event where act = 'folder.reader_removed'")
        .await;
    let dilip = scene.behind.account(GOVERNOR).await.to_string();
    let margaret = scene.behind.account(CHAIR).await.to_string();
    assert!(closed.contains(&dilip), "{closed}");
    assert!(!closed.contains(&margaret), "{closed}");
}
