//! Approvals: whose answer counts, when it is decided, and that nobody decides it alone, twice, or about other bytes.

use crate::{
    change::{self, change},
    scene::{ADMIN, CHAIR, CLERK, GOVERNOR, PARENT, Scene, TEACHER, hex},
};
use domain::{
    MembershipId, Refusal,
    approval::{
        self, Answer, Approval, Last, Own, Rule, State,
        answering::{self, agree_from_list, take_back},
        asking::{self, Of, Question},
        known::{Known, known},
    },
    audit::{self, Filter},
    db::{Caller, MailDb},
    document::{self, filing},
    folder::readers::Who,
    notice::Hears,
    role::Role as Held,
};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _};
use testing::{Role, Stand};
use time::{Date, Duration, OffsetDateTime};
use uuid::Uuid;

const SIAN: &str = "governor2@oakfield.example";
const THOMAS: &str = "governor3@oakfield.example";
const RUKHSANA: &str = "governor4@oakfield.example";

#[allow(
    clippy::disallowed_methods,
    reason = "the database has a clock of its own, and tests share its day"
)]
fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

fn today() -> Date {
    domain::day::today(u64::try_from(now().unix_timestamp()).unwrap())
}

fn tomorrow() -> Date {
    today() + Duration::DAY
}

/// A SHA-256 that is written in hexadecimal.
fn bytes(sum: &str) -> [u8; 32] {
    std::array::from_fn(|n| u8::from_str_radix(&sum[2 * n..2 * n + 2], 16).unwrap())
}

fn question(of: Of, rule: Rule) -> Question {
    Question {
        of,
        rule,
        reason: "The law has changed.".to_owned(),
        routine: false,
        due: today() + Duration::days(14),
        stand_in: None,
    }
}

/// A policy in a folder that all governors and the chair read, and that the clerk files in.
struct Paper {
    scene: Scene,
    clerk: Caller,

    document: Uuid,
    worker: MailDb,
}

impl Paper {
    async fn new() -> Self {
        let mut scene = Scene::new().await;
        let clerk = scene.caller(CLERK).await;
        let readers = [
            (Who::Role(Held::Governor), false),
            (Who::Role(Held::Chair), false),
        ];
        let folder = scene
            .folder(&clerk, "Policies", false, &readers)
            .await
            .unwrap();
        let filed = scene
            .file(&clerk, folder, "Behaviour policy", "Five days")
            .await
            .unwrap();
        let worker = MailDb::new(scene.fresh.options(Role::Worker), 1);
        Self {
            scene,
            clerk,

            document: filed.document,
            worker,
        }
    }

    async fn places(&mut self, emails: &[&str]) -> Vec<MembershipId> {
        let mut places = Vec::new();
        for email in emails {
            places.push(self.scene.place(email).await);
        }
        places
    }

    async fn ask(&mut self, emails: &[&str], rule: Rule) -> Result<Uuid, Refusal> {
        let people = self.places(emails).await;
        self.put(&question(Of::People(people), rule)).await
    }

    async fn put(&self, question: &Question) -> Result<Uuid, Refusal> {
        self.ask_about(1, question).await.map(|asked| asked.id)
    }

    async fn ask_about(&self, version: u32, question: &Question) -> Result<asking::Asked, Refusal> {
        change(&self.scene.db, &self.clerk, async |write| {
            asking::ask(write, self.document, version, question).await
        })
        .await
    }

    async fn answers(
        &mut self,
        email: &str,
        id: Uuid,
        answer: Answer,
        reason: &str,
    ) -> Result<(), Refusal> {
        self.answers_for(email, id, None, answer, reason).await
    }

    async fn answers_for(
        &mut self,
        email: &str,
        id: Uuid,
        place: Option<MembershipId>,
        answer: Answer,
        reason: &str,
    ) -> Result<(), Refusal> {
        let caller = self.scene.caller(email).await;
        let mut write = self.scene.db.write(&caller).await?;
        let acts = answering::answer(&mut write, id, place, answer, reason).await?;
        write.commit_all(acts).await
    }

    async fn agrees(&mut self, email: &str, id: Uuid) -> Result<(), Refusal> {
        self.answers(email, id, Answer::Agree, "").await
    }

    async fn seen_by(&mut self, email: &str, id: Uuid) -> Result<Approval, Refusal> {
        let caller = self.scene.caller(email).await;
        approval::one(&mut self.scene.reading(&caller).await, id).await
    }

    /// How lists say that it stands with its approval, in the folder and where it is found by its title.
    async fn listed(&self) -> Option<Last> {
        let mut read = self.scene.reading(&self.clerk).await;
        let all = document::list(&mut read, None, document::State::Current)
            .await
            .unwrap();
        drop(read);
        let listed = all.iter().find(|one| one.id == self.document).unwrap();
        let found = self.scene.found(&self.clerk, "behaviour").await;
        let found = found
            .iter()
            .find(|one| one.document == self.document)
            .unwrap();
        assert_eq!(found.state, document::State::Current);
        assert_eq!(found.approval, listed.approval);
        listed.approval
    }

    async fn restored(&self, number: u32) -> u32 {
        change(&self.scene.db, &self.clerk, async |write| {
            filing::restore(write, self.document, number).await
        })
        .await
        .unwrap()
    }

    async fn state(&mut self, id: Uuid) -> State {
        self.seen_by(CLERK, id).await.unwrap().state
    }

    /// Lets so many days pass, by making everything so much older.
    async fn later(&mut self, days: i32) {
        self.scene
            .sql(&format!(
                "update approval set asked_at = asked_at - interval '{days} days', due = due - {days}, stand_in_on = stand_in_on - {days}"
            ))
            .await;
    }

    async fn goes_on(&self) -> u32 {
        self.worker.approvals_go_on(now()).await.unwrap()
    }

    async fn acts(&mut self) -> String {
        self.scene
            .text(&format!(
                "select string_agg(act, ' ' order by seq) from event where about = '{}' and act like 'approval.%'",
                self.document
            ))
            .await
    }
}

#[tokio::test]
async fn four_of_six_adopt_a_policy_and_the_log_says_so_with_the_bytes() {
    let mut paper = Paper::new().await;
    let six = [
        CHAIR,
        GOVERNOR,
        SIAN,
        THOMAS,
        RUKHSANA,
        "governor5@oakfield.example",
    ];
    let id = paper.ask(&six, Rule::AtLeast(4)).await.unwrap();
    let seen = paper.seen_by(GOVERNOR, id).await.unwrap();
    assert_eq!(
        (
            seen.state,
            seen.own.clone(),
            seen.standing.needed,
            seen.standing.waiting
        ),
        (State::Open, Own::Asked, 4, 6)
    );
    // An outsider who reads it and is not asked.
    let zofia = paper
        .seen_by("governor9@oakfield.example", id)
        .await
        .unwrap();
    assert_eq!(zofia.own, Own::Nothing);

    paper.agrees(GOVERNOR, id).await.unwrap();
    assert_eq!(
        paper.agrees(GOVERNOR, id).await,
        Err(Refusal::ApprovalAnswered)
    );
    paper
        .answers(SIAN, id, Answer::Object, "Page 4 says ten")
        .await
        .unwrap();
    paper.agrees(CHAIR, id).await.unwrap();
    paper.agrees(THOMAS, id).await.unwrap();
    assert_eq!(paper.state(id).await, State::Open);
    paper.agrees(RUKHSANA, id).await.unwrap();
    assert_eq!(paper.state(id).await, State::Adopted);
    assert_eq!(
        paper.agrees("governor5@oakfield.example", id).await,
        Err(Refusal::ApprovalClosed)
    );
    assert_eq!(
        paper.acts().await,
        "approval.asked approval.agreed approval.objected approval.agreed approval.agreed approval.agreed approval.closed"
    );
    let bytes = paper
        .scene
        .text(&format!("select string_agg(distinct detail ->> 'sha256', ' ') from event where detail ->> 'approval' = '{id}'"))
        .await;
    assert_eq!(bytes, paper.seen_by(CLERK, id).await.unwrap().sha256);
    // Nothing of the reason stands in the log.
    assert_eq!(
        paper
            .scene
            .text("select count(*)::text from event where detail::text like '%Page 4%'")
            .await,
        "0"
    );

    let caller = paper.scene.caller(SIAN).await;
    let mut read = paper.scene.reading(&caller).await;
    let lines = approval::lines(&mut read, id).await.unwrap();
    let written = paper
        .scene
        .text(&format!("select string_agg(seq || ' ' || encode(hash, 'hex'), ' ' order by seq) from event where detail ->> 'approval' = '{id}'"))
        .await;
    let told: Vec<_> = lines
        .iter()
        .map(|line| format!("{} {}", line.seq, hex(&line.hash)))
        .collect();
    assert_eq!(told.join(" "), written);
    let places = approval::places(&mut read, id).await.unwrap();
    let objection = places
        .iter()
        .filter_map(|place| place.given.as_ref())
        .find(|given| given.answer == Answer::Object);
    assert_eq!(objection.unwrap().reason, "Page 4 says ten");
}

#[tokio::test]
async fn everyone_means_everyone_who_may_decide() {
    let mut paper = Paper::new().await;
    let id = paper
        .ask(&[CHAIR, GOVERNOR, SIAN], Rule::Everyone)
        .await
        .unwrap();
    paper.agrees(CHAIR, id).await.unwrap();
    assert_eq!(
        paper.answers(SIAN, id, Answer::Abstain, " ").await,
        Err(Refusal::ApprovalInterest)
    );
    paper
        .answers(SIAN, id, Answer::Abstain, "My sister runs the firm")
        .await
        .unwrap();
    assert_eq!(paper.state(id).await, State::Open);
    paper.agrees(GOVERNOR, id).await.unwrap();
    assert_eq!(paper.state(id).await, State::Adopted);

    // One objection, and it cannot be everyone any more.
    paper
        .scene
        .version(&paper.clerk, paper.document, "Six days")
        .await
        .unwrap();
    let people = paper.places(&[CHAIR, GOVERNOR, SIAN]).await;
    let id = paper
        .ask_about(2, &question(Of::People(people), Rule::Everyone))
        .await
        .unwrap()
        .id;
    assert_eq!(
        paper.answers(SIAN, id, Answer::Object, "").await,
        Err(Refusal::ApprovalReason)
    );
    paper
        .answers(SIAN, id, Answer::Object, "Six is too many")
        .await
        .unwrap();
    assert_eq!(paper.state(id).await, State::Rejected);
}

#[tokio::test]
async fn a_majority_is_of_those_who_count_and_nobody_left_is_no_majority() {
    let mut paper = Paper::new().await;
    let four = [CHAIR, GOVERNOR, SIAN, THOMAS];
    let id = paper.ask(&four, Rule::Majority).await.unwrap();
    assert_eq!(paper.seen_by(CLERK, id).await.unwrap().standing.needed, 3);
    paper.agrees(CHAIR, id).await.unwrap();
    paper.agrees(GOVERNOR, id).await.unwrap();
    assert_eq!(paper.state(id).await, State::Open, "two of four are half");
    paper
        .answers(SIAN, id, Answer::Abstain, "My firm")
        .await
        .unwrap();
    assert_eq!(
        paper.state(id).await,
        State::Adopted,
        "two of three are more than half"
    );

    paper
        .scene
        .version(&paper.clerk, paper.document, "Six days")
        .await
        .unwrap();
    let people = paper.places(&[SIAN]).await;
    let id = paper
        .ask_about(2, &question(Of::People(people), Rule::Majority))
        .await
        .unwrap()
        .id;
    paper
        .answers(SIAN, id, Answer::Abstain, "My firm")
        .await
        .unwrap();
    assert_eq!(
        paper.state(id).await,
        State::Lapsed,
        "nobody was left to decide"
    );
}

#[tokio::test]
async fn an_answer_can_be_taken_back_while_it_is_open_and_only_ones_own() {
    let mut paper = Paper::new().await;
    let id = paper
        .ask(&[CHAIR, GOVERNOR, SIAN], Rule::AtLeast(2))
        .await
        .unwrap();
    paper.agrees(GOVERNOR, id).await.unwrap();
    let back = async |paper: &mut Paper, email: &str| {
        let caller = paper.scene.caller(email).await;
        change(&paper.scene.db, &caller, async |write| {
            Ok(((), take_back(write, id).await?))
        })
        .await
    };
    assert_eq!(back(&mut paper, CHAIR).await, Err(Refusal::Stale));
    back(&mut paper, GOVERNOR).await.unwrap();
    assert_eq!(paper.seen_by(GOVERNOR, id).await.unwrap().own, Own::Asked);
    paper.agrees(GOVERNOR, id).await.unwrap();
    paper.agrees(CHAIR, id).await.unwrap();
    assert_eq!(paper.state(id).await, State::Adopted);
    assert_eq!(
        back(&mut paper, GOVERNOR).await,
        Err(Refusal::ApprovalClosed)
    );
    assert_eq!(
        paper.acts().await,
        "approval.asked approval.agreed approval.answer_withdrawn approval.agreed approval.agreed approval.closed"
    );
}

#[tokio::test]
async fn two_last_answers_at_once_close_it_exactly_once() {
    for _ in 0..10 {
        let mut paper = Paper::new().await;
        let id = paper
            .ask(&[CHAIR, GOVERNOR, SIAN], Rule::AtLeast(2))
            .await
            .unwrap();
        paper.agrees(CHAIR, id).await.unwrap();
        let (dilip, sian) = (
            paper.scene.caller(GOVERNOR).await,
            paper.scene.caller(SIAN).await,
        );
        let one = async |caller: Caller| {
            let mut write = paper.scene.db.write(&caller).await?;
            let acts = answering::answer(&mut write, id, None, Answer::Agree, "").await?;
            write.commit_all(acts).await
        };
        let (first, second) = tokio::join!(one(dilip), one(sian));
        assert_ne!(first.is_ok(), second.is_ok(), "{first:?} {second:?}");
        assert!([first, second].contains(&Err(Refusal::ApprovalClosed)));
        assert_eq!(
            paper.acts().await,
            "approval.asked approval.agreed approval.agreed approval.closed"
        );
    }
}

#[tokio::test]
async fn a_newer_version_makes_what_was_asked_stale_and_what_was_adopted_visibly_old() {
    let mut paper = Paper::new().await;
    let open = paper.ask(&[CHAIR, GOVERNOR], Rule::Everyone).await.unwrap();
    paper.agrees(CHAIR, open).await.unwrap();
    paper
        .scene
        .version(&paper.clerk, paper.document, "Six days")
        .await
        .unwrap();
    assert_eq!(paper.state(open).await, State::Stale);
    assert_eq!(
        paper.agrees(GOVERNOR, open).await,
        Err(Refusal::ApprovalClosed)
    );
    let of_old = paper.places(&[CHAIR]).await;
    assert_eq!(
        paper
            .ask_about(1, &question(Of::People(of_old), Rule::Everyone))
            .await,
        Err(Refusal::ApprovalNotNewest)
    );

    let people = paper.places(&[CHAIR]).await;
    let adopted = paper
        .ask_about(2, &question(Of::People(people), Rule::Everyone))
        .await
        .unwrap()
        .id;
    paper.agrees(CHAIR, adopted).await.unwrap();
    assert!(!paper.seen_by(CLERK, adopted).await.unwrap().is_stale());
    paper
        .scene
        .version(&paper.clerk, paper.document, "Seven days")
        .await
        .unwrap();
    let seen = paper.seen_by(CLERK, adopted).await.unwrap();
    assert_eq!(
        (seen.state, seen.is_stale()),
        (State::Adopted, true),
        "it was adopted, and is not what is read now"
    );
}

#[tokio::test]
async fn a_version_that_brings_the_adopted_bytes_back_is_what_was_adopted() {
    let mut paper = Paper::new().await;
    let adopted = paper.ask(&[CHAIR], Rule::Everyone).await.unwrap();
    paper.agrees(CHAIR, adopted).await.unwrap();
    paper
        .scene
        .version(&paper.clerk, paper.document, "Six days")
        .await
        .unwrap();
    let of = |same_bytes| Last {
        state: State::Adopted,
        version: 1,
        same_bytes,
    };
    let seen = paper.seen_by(GOVERNOR, adopted).await.unwrap();
    assert!(seen.is_stale());
    assert_eq!((seen.newest, seen.same_bytes), (2, false));
    assert_eq!(paper.listed().await, Some(of(false)));
    let people = paper.places(&[CHAIR]).await;
    let second = paper
        .ask_about(2, &question(Of::People(people), Rule::Everyone))
        .await
        .unwrap()
        .id;
    let sums = [
        seen.sha256,
        paper.seen_by(CLERK, second).await.unwrap().sha256,
    ]
    .map(|sum| bytes(&sum));

    assert_eq!(paper.restored(1).await, 3);
    let seen = paper.seen_by(GOVERNOR, adopted).await.unwrap();
    assert_eq!((seen.newest, seen.version, seen.same_bytes), (3, 1, true));
    assert!(!seen.is_stale());
    let broken_off = paper.seen_by(GOVERNOR, second).await.unwrap();
    assert_eq!(broken_off.state, State::Stale);
    assert!(broken_off.is_stale());
    // What was asked last was about other bytes.
    assert_eq!(paper.listed().await, Some(of(true)));
    let newest = async |paper: &Paper, id: Uuid, sum: &[u8; 32]| {
        known(&paper.scene.db, id, sum).await.unwrap()
    };
    assert_eq!(newest(&paper, adopted, &sums[0]).await.newest, Some(true));
    assert_eq!(newest(&paper, second, &sums[1]).await.newest, Some(false));

    // What was not decided is not decided by its bytes coming back.
    assert_eq!(paper.restored(2).await, 4);
    assert!(paper.seen_by(GOVERNOR, second).await.unwrap().is_stale());
    assert!(paper.seen_by(GOVERNOR, adopted).await.unwrap().is_stale());
    assert_eq!(newest(&paper, second, &sums[1]).await.newest, Some(false));
    assert_eq!(newest(&paper, adopted, &sums[0]).await.newest, Some(false));
}

#[tokio::test]
async fn a_request_that_was_withdrawn_hides_nothing_that_was_adopted_from_a_list_or_a_search() {
    let mut paper = Paper::new().await;
    assert_eq!(paper.listed().await, None);
    let of = |state, same_bytes| {
        Some(Last {
            state,
            version: 1,
            same_bytes,
        })
    };
    let first = paper.ask(&[CHAIR], Rule::Everyone).await.unwrap();
    assert_eq!(paper.listed().await, of(State::Open, true));
    paper.agrees(CHAIR, first).await.unwrap();
    assert_eq!(paper.listed().await, of(State::Adopted, true));
    let again = paper.ask(&[GOVERNOR], Rule::Everyone).await.unwrap();
    assert_eq!(paper.listed().await, of(State::Open, true));
    change(&paper.scene.db, &paper.clerk, async |write| {
        Ok(((), asking::withdraw(write, again).await?))
    })
    .await
    .unwrap();
    assert_eq!(paper.state(again).await, State::Withdrawn);
    assert_eq!(paper.listed().await, of(State::Adopted, true));
    paper
        .scene
        .version(&paper.clerk, paper.document, "Six days")
        .await
        .unwrap();
    assert_eq!(paper.listed().await, of(State::Adopted, false));

    // Out of use it is found as such, with the same; and by nobody who does not read it.
    change(&paper.scene.db, &paper.clerk, async |write| {
        Ok(((), filing::archive(write, paper.document).await?))
    })
    .await
    .unwrap();
    let dilip = paper.scene.caller(GOVERNOR).await;
    let parent = paper.scene.caller(PARENT).await;
    let of_it = async |by: &Caller| {
        let found = paper.scene.found(by, "behaviour").await;
        let of_it = found.iter().find(|one| one.document == paper.document);
        of_it.map(|one| (one.state, one.approval))
    };
    let out_of_use = (document::State::Archived, of(State::Adopted, false));
    assert_eq!(of_it(&dilip).await, Some(out_of_use));
    assert_eq!(of_it(&parent).await, None);
}

#[tokio::test]
async fn who_knows_an_earlier_version_is_led_to_what_is_different() {
    let mut paper = Paper::new().await;
    let first = paper
        .ask(&[CHAIR, GOVERNOR, SIAN, THOMAS], Rule::Everyone)
        .await
        .unwrap();
    assert_eq!(paper.seen_by(CHAIR, first).await.unwrap().earlier, None);
    // One answered, one opened it, and two did neither.
    paper.agrees(CHAIR, first).await.unwrap();
    let dilip = paper.scene.place(GOVERNOR).await;
    paper
        .scene
        .sql(&format!(
            "insert into opening (tenant_id, version_id, membership_id)
             select tenant_id, version_id, '{dilip}' from approval where id = '{first}'"
        ))
        .await;
    paper
        .scene
        .version(&paper.clerk, paper.document, "Six days")
        .await
        .unwrap();
    let people = paper.places(&[CHAIR, GOVERNOR, SIAN]).await;
    let second = paper
        .ask_about(2, &question(Of::People(people), Rule::Everyone))
        .await
        .unwrap()
        .id;
    for (email, earlier) in [
        (CHAIR, Some(1)),
        (GOVERNOR, Some(1)),
        (SIAN, None),
        (THOMAS, None),
    ] {
        let seen = paper.seen_by(email, second).await.unwrap();
        assert_eq!(seen.earlier, earlier, "{email}");
    }
    // Of the first version there is still nothing before it.
    assert_eq!(paper.seen_by(CHAIR, first).await.unwrap().earlier, None);
}

#[tokio::test]
async fn whoever_holds_a_certificate_learns_whether_a_newer_version_came_and_nothing_else() {
    let mut paper = Paper::new().await;
    let id = paper.ask(&[CHAIR], Rule::Everyone).await.unwrap();
    let sha256 = bytes(&paper.seen_by(CLERK, id).await.unwrap().sha256);
    let says = |state, newest| {
        Ok(Known {
            state: Some(state),
            newest: Some(newest),
        })
    };
    // No seal, and so no school: whoever asks at Northgate's host hears the same, and no more.
    assert_eq!(
        known(&paper.scene.db, id, &sha256).await,
        says(State::Open, true)
    );
    paper.agrees(CHAIR, id).await.unwrap();
    assert_eq!(
        known(&paper.scene.db, id, &sha256).await,
        says(State::Adopted, true)
    );
    // What is not on record, other bytes, and the id of something else are told apart by nobody.
    let mut other = sha256;
    other[31] ^= 1;
    for (id, sha256) in [
        (Uuid::from_u128(7), sha256),
        (id, other),
        (paper.document, sha256),
    ] {
        assert_eq!(
            known(&paper.scene.db, id, &sha256).await,
            Err(Refusal::NotFound)
        );
    }
    paper
        .scene
        .version(&paper.clerk, paper.document, "Six days")
        .await
        .unwrap();
    assert_eq!(
        known(&paper.scene.db, id, &sha256).await,
        says(State::Adopted, false)
    );

    // Nobody without a seal gets at the row itself, and the function gives two columns.
    let mut web = paper
        .scene
        .fresh
        .options(Role::Web)
        .connect()
        .await
        .unwrap();
    let rows: i64 = sqlx::query_scalar("select count(*) from approval")
        .fetch_one(&mut web)
        .await
        .unwrap();
    assert_eq!(rows, 0);
    let told: String =
        sqlx::query_scalar("select to_jsonb(k)::text from sec.approval_known($1, $2) k")
            .bind(id)
            .bind(sha256.as_slice())
            .fetch_one(&mut web)
            .await
            .unwrap();
    assert_eq!(told, r#"{"state": "adopted", "newest": false}"#);

    let bin = |days: i32| {
        format!(
            "update document set state = 'binned', binned_by = made_by, bin_reason = 'Over',
               binned_at = now() - interval '{days} days' where id = '{}'",
            paper.document
        )
    };
    let (today, long_ago) = (bin(0), bin(31));
    paper.scene.sql(&today).await;
    assert_eq!(
        known(&paper.scene.db, id, &sha256).await,
        Ok(Known {
            state: None,
            newest: None
        })
    );
    paper.scene.sql(&long_ago).await;
    assert_eq!(paper.worker.purge_binned().await.unwrap().len(), 1);
    assert_eq!(
        known(&paper.scene.db, id, &sha256).await,
        Err(Refusal::NotFound)
    );
}

#[tokio::test]
async fn the_outcome_is_nobodys_to_set_not_even_with_sql() {
    let mut paper = Paper::new().await;
    let id = paper.ask(&[CHAIR, GOVERNOR], Rule::Everyone).await.unwrap();
    let (sian, dilip) = (
        paper.scene.place(SIAN).await,
        paper.scene.place(GOVERNOR).await,
    );
    let clerk = paper.clerk.clone();
    let mut web = paper
        .scene
        .fresh
        .options(Role::Web)
        .connect()
        .await
        .unwrap();
    let mut tries = async |caller: &Caller, sql: &str| {
        let mut tx = sqlx::Connection::begin(&mut web).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(format!(
            "select sec.enter('\\x{}')",
            hex(caller.token.bytes())
        )))
        .execute(&mut *tx)
        .await
        .unwrap();
        let done = tx
            .execute(AssertSqlSafe(sql.to_owned()))
            .await
            .map(|done| done.rows_affected());
        tx.rollback().await.unwrap();
        done.ok().filter(|rows| *rows > 0)
    };
    let chair = paper.scene.caller(CHAIR).await;
    let outsider = paper.scene.caller(SIAN).await;
    // That this way in works at all.
    assert_eq!(tries(&chair, &format!("insert into approval_answer (tenant_id, approval_id, membership_id, by_id, answer) select tenant_id, id, sec.membership(), sec.membership(), 'agree' from approval where id = '{id}'")).await, Some(1));
    assert_eq!(
        tries(
            &clerk,
            &format!("update approval set state = 'withdrawn' where id = '{id}'")
        )
        .await,
        Some(1)
    );
    for (who, sql) in [
        (
            &clerk,
            format!("update approval set state = 'adopted' where id = '{id}'"),
        ),
        (
            &clerk,
            format!("update approval set rule = 'majority' where id = '{id}'"),
        ),
        (
            &clerk,
            format!("update approval set due = due + 1 where id = '{id}'"),
        ),
        (
            &chair,
            format!("update approval set state = 'withdrawn' where id = '{id}'"),
        ),
        (
            &clerk,
            format!(
                "insert into approval_place (tenant_id, approval_id, membership_id) select tenant_id, id, '{sian}' from approval where id = '{id}'"
            ),
        ),
        (
            &clerk,
            format!("delete from approval_place where approval_id = '{id}'"),
        ),
        // In another's name, in another's place, or in one that nobody was given.
        (
            &chair,
            format!(
                "insert into approval_answer (tenant_id, approval_id, membership_id, by_id, answer) select tenant_id, id, '{dilip}', '{dilip}', 'agree' from approval where id = '{id}'"
            ),
        ),
        (
            &chair,
            format!(
                "insert into approval_answer (tenant_id, approval_id, membership_id, by_id, answer) select tenant_id, id, '{dilip}', sec.membership(), 'agree' from approval where id = '{id}'"
            ),
        ),
        (
            &outsider,
            format!(
                "insert into approval_answer (tenant_id, approval_id, membership_id, by_id, answer) select tenant_id, id, sec.membership(), sec.membership(), 'agree' from approval where id = '{id}'"
            ),
        ),
    ] {
        assert_eq!(tries(who, &sql).await, None, "{sql}");
    }
    paper.agrees(GOVERNOR, id).await.unwrap();
    assert_eq!(
        tries(
            &chair,
            &format!("delete from approval_answer where approval_id = '{id}'")
        )
        .await,
        None
    );
    assert_eq!(tries(&chair, &format!("update approval_answer set answer = 'object', reason = 'no' where approval_id = '{id}'")).await, None);
}

#[tokio::test]
async fn an_approval_in_a_restricted_folder_is_nowhere_for_who_does_not_read_it() {
    let mut scene = Scene::new().await;
    let (clerk, chair, admin) = (
        scene.caller(CLERK).await,
        scene.caller(CHAIR).await,
        scene.caller(ADMIN).await,
    );
    let (margaret, dilip, sian) = (
        scene.place(CHAIR).await,
        scene.place(GOVERNOR).await,
        scene.place(SIAN).await,
    );
    let readers = [(Who::Person(margaret), true), (Who::Person(dilip), false)];
    let folder = scene
        .folder(&clerk, "Complaint", true, &readers)
        .await
        .unwrap();
    let filed = scene
        .file(&chair, folder, "Letter", "Dear chair")
        .await
        .unwrap();
    let ask = async |people: Vec<MembershipId>| {
        change(&scene.db, &chair, async |write| {
            asking::ask(
                write,
                filed.document,
                1,
                &question(Of::People(people), Rule::Everyone),
            )
            .await
        })
        .await
    };
    assert_eq!(ask(vec![dilip, sian]).await, Err(Refusal::ApprovalReads));
    let id = ask(vec![dilip]).await.unwrap().id;
    for outsider in [&clerk, &admin] {
        let mut read = scene.reading(outsider).await;
        assert_eq!(approval::one(&mut read, id).await, Err(Refusal::NotFound));
        let queue = approval::queue(&mut read, 200).await.unwrap();
        assert_eq!((queue.open, queue.decided), (vec![], vec![]));
        assert_eq!(approval::waiting(&mut read).await.unwrap(), []);
        assert_eq!(approval::places(&mut read, id).await.unwrap(), []);
        assert_eq!(approval::lines(&mut read, id).await.unwrap(), []);
        let log = audit::timeline(&mut read, &Filter::default(), None)
            .await
            .unwrap();
        assert!(
            log.entries
                .iter()
                .all(|entry| !entry.act.starts_with("approval."))
        );
        assert!(
            asking::audience(&mut read, folder)
                .await
                .unwrap()
                .is_empty()
        );
        drop(read);
        assert!(
            !scene
                .news(outsider)
                .await
                .iter()
                .any(|act| act.starts_with("approval."))
        );
    }
    // Who is asked sees it, in the notices too.
    let dilip = scene.caller(GOVERNOR).await;
    let mut read = scene.reading(&dilip).await;
    assert_eq!(approval::queue(&mut read, 200).await.unwrap().open.len(), 1);
    assert_eq!(approval::waiting(&mut read).await.unwrap().len(), 1);
    drop(read);
    assert!(
        scene
            .news(&dilip)
            .await
            .contains(&"approval.asked".to_owned())
    );
}

#[tokio::test]
async fn a_role_and_a_committee_are_the_people_in_them_who_read_it() {
    let mut paper = Paper::new().await;
    let asked = paper
        .ask_about(1, &question(Of::Role(Held::Governor), Rule::Majority))
        .await
        .unwrap();
    assert_eq!((asked.people, asked.left_out), (11, 0));
    let again = question(Of::Role(Held::Governor), Rule::Majority);
    assert_eq!(paper.put(&again).await, Err(Refusal::ApprovalRuns));
    paper
        .scene
        .version(&paper.clerk, paper.document, "Six days")
        .await
        .unwrap();
    let asked = paper
        .ask_about(2, &question(Of::Role(Held::Teacher), Rule::Majority))
        .await;
    assert_eq!(
        asked,
        Err(Refusal::ApprovalNobody),
        "teachers do not read it"
    );
    let teacher = paper.places(&[TEACHER]).await;
    assert_eq!(
        paper
            .ask_about(2, &question(Of::People(teacher), Rule::Majority))
            .await,
        Err(Refusal::ApprovalReads)
    );

    let committee: Uuid = paper
        .scene
        .text("select committee_id::text from committee_place where during @> current_date group by committee_id order by count(*) desc limit 1")
        .await
        .parse()
        .unwrap();
    let asked = paper
        .ask_about(2, &question(Of::Committee(committee), Rule::AtLeast(1)))
        .await
        .unwrap();
    let sits: usize = paper
        .scene
        .text(&format!("select count(distinct membership_id)::text from committee_place where committee_id = '{committee}' and during @> current_date"))
        .await
        .parse()
        .unwrap();
    assert!(asked.people > 1);
    assert_eq!(asked.people + asked.left_out, sits);
    let seen = paper.seen_by(CLERK, asked.id).await.unwrap();
    assert!(
        matches!(seen.whom, approval::Whom::Committee(id, ref name) if id == committee && !name.is_empty())
    );
}

#[tokio::test]
async fn what_cannot_be_decided_is_not_asked() {
    let mut paper = Paper::new().await;
    let two = paper.places(&[CHAIR, GOVERNOR]).await;
    let parent = paper.places(&[PARENT]).await;
    let (clerk, sian) = (paper.places(&[CLERK]).await, paper.places(&[SIAN]).await);
    let with = |change: &dyn Fn(&mut Question)| {
        let mut one = question(Of::People(two.clone()), Rule::Majority);
        change(&mut one);
        one
    };
    for (question, refusal) in [
        (
            with(&|one| one.of = Of::People(vec![])),
            Refusal::ApprovalNobody,
        ),
        (
            with(&|one| one.rule = Rule::AtLeast(3)),
            Refusal::ApprovalLeast,
        ),
        (
            with(&|one| one.rule = Rule::AtLeast(0)),
            Refusal::ApprovalLeast,
        ),
        (
            with(&|one| one.rule = Rule::AtLeast(u32::MAX)),
            Refusal::ApprovalLeast,
        ),
        (
            with(&|one| one.due = today() - Duration::DAY),
            Refusal::ApprovalDue,
        ),
        (
            with(&|one| one.due = today() + Duration::days(400)),
            Refusal::ApprovalDue,
        ),
        (
            with(&|one| one.stand_in = Some((two[0], tomorrow()))),
            Refusal::StandInAsked,
        ),
        (
            with(&|one| one.stand_in = Some((parent[0], tomorrow()))),
            Refusal::ApprovalReads,
        ),
        (
            with(&|one| one.stand_in = Some((clerk[0], tomorrow()))),
            Refusal::StandInAsker,
        ),
        (
            with(&|one| one.stand_in = Some((sian[0], today()))),
            Refusal::StandInDay,
        ),
        (
            with(&|one| one.stand_in = Some((two[0], today() + Duration::days(30)))),
            Refusal::StandInDay,
        ),
        (
            with(&|one| one.reason = "x".repeat(1001)),
            Refusal::TextFormat(1000),
        ),
        (
            with(&|one| one.reason = "a\u{202e}b".to_owned()),
            Refusal::TextFormat(1000),
        ),
    ] {
        assert_eq!(paper.put(&question).await, Err(refusal), "{question:?}");
    }
    let governor = paper.scene.caller(GOVERNOR).await;
    let asked = change(&paper.scene.db, &governor, async |write| {
        asking::ask(write, paper.document, 1, &with(&|_| {})).await
    });
    assert_eq!(asked.await, Err(Refusal::FolderNotFiled));
    assert_eq!(paper.acts().await, "", "nothing of it was done");
}

#[tokio::test]
async fn a_stand_in_answers_from_their_day_on_for_one_who_has_not() {
    let mut paper = Paper::new().await;
    let two = paper.places(&[CHAIR, GOVERNOR]).await;
    let sian = paper.scene.place(SIAN).await;
    let id = paper
        .put(&Question {
            stand_in: Some((sian, today() + Duration::days(5))),
            ..question(Of::People(two.clone()), Rule::Everyone)
        })
        .await
        .unwrap();
    paper.agrees(CHAIR, id).await.unwrap();
    assert_eq!(
        paper
            .answers_for(SIAN, id, Some(two[1]), Answer::Agree, "")
            .await,
        Err(Refusal::NotFound),
        "not before the day"
    );
    assert_eq!(paper.goes_on().await, 0);
    paper.later(5).await;
    paper.scene.quiet().await;
    assert_eq!(
        paper.goes_on().await,
        2,
        "the stand-in, and Dilip is reminded"
    );
    assert_eq!(paper.goes_on().await, 0, "each once");
    assert_eq!(
        paper.scene.hears(SIAN).await,
        [("approval.stand_in_called".to_owned(), Hears::Person)]
    );
    let seen = paper.seen_by(SIAN, id).await.unwrap();
    assert!(
        matches!(&seen.own, Own::StandsIn(people) if people.iter().map(|one| one.id).eq([two[1]]))
    );
    assert_eq!(
        paper
            .answers_for(SIAN, id, Some(two[0]), Answer::Agree, "")
            .await,
        Err(Refusal::ApprovalAnswered),
        "the chair has answered herself"
    );
    paper
        .answers_for(SIAN, id, Some(two[1]), Answer::Agree, "")
        .await
        .unwrap();
    assert_eq!(paper.state(id).await, State::Adopted);
    let caller = paper.clerk.clone();
    let places = approval::places(&mut paper.scene.reading(&caller).await, id)
        .await
        .unwrap();
    let dilip = places
        .iter()
        .find(|place| place.person.id == two[1])
        .unwrap();
    assert_eq!(
        dilip
            .given
            .as_ref()
            .unwrap()
            .stand_in
            .as_ref()
            .unwrap()
            .0
            .id,
        sian
    );
}

#[tokio::test]
async fn nothing_waits_for_ever() {
    let mut paper = Paper::new().await;
    let id = paper.ask(&[CHAIR, GOVERNOR], Rule::Everyone).await.unwrap();
    paper.agrees(CHAIR, id).await.unwrap();
    paper.later(2).await;
    assert_eq!(paper.goes_on().await, 0);
    paper.later(1).await;
    assert_eq!(
        paper.goes_on().await,
        1,
        "Dilip after three days, and not the chair"
    );
    paper.later(3).await;
    assert_eq!(paper.goes_on().await, 0);
    paper.later(1).await;
    assert_eq!(paper.goes_on().await, 1, "and after seven");
    paper.later(7).await;
    assert_eq!(paper.goes_on().await, 0, "the last day is a day to answer");
    paper.agrees(GOVERNOR, id).await.unwrap();
    assert_eq!(paper.state(id).await, State::Adopted);

    paper
        .scene
        .version(&paper.clerk, paper.document, "Six days")
        .await
        .unwrap();
    let people = paper.places(&[CHAIR, GOVERNOR]).await;
    let id = paper
        .ask_about(2, &question(Of::People(people), Rule::Everyone))
        .await
        .unwrap()
        .id;
    paper.later(15).await;
    assert_eq!(
        paper.agrees(GOVERNOR, id).await,
        Err(Refusal::ApprovalClosed),
        "the time is up, whoever has noticed"
    );
    paper.scene.quiet().await;
    assert_eq!(paper.goes_on().await, 1);
    assert_eq!(paper.state(id).await, State::Lapsed);
    assert_eq!(
        paper.scene.hears(GOVERNOR).await,
        [("approval.closed".to_owned(), Hears::Asked)]
    );
    assert_eq!(
        paper.scene.hears(CLERK).await,
        [("approval.closed".to_owned(), Hears::Asker)]
    );
}

#[tokio::test]
async fn who_leaves_before_they_answer_is_not_waited_for() {
    let mut paper = Paper::new().await;
    let id = paper.ask(&[CHAIR, GOVERNOR], Rule::Everyone).await.unwrap();
    paper.agrees(CHAIR, id).await.unwrap();
    let (dilip, clerk) = (paper.scene.place(GOVERNOR).await, paper.clerk.clone());
    change::remove(&paper.scene.db, &clerk, dilip)
        .await
        .unwrap();
    let standing = paper.seen_by(CLERK, id).await.unwrap().standing;
    assert_eq!(
        (standing.asked, standing.counted, standing.waiting),
        (2, 1, 0)
    );
    assert_eq!(paper.goes_on().await, 1);
    assert_eq!(paper.state(id).await, State::Adopted, "by all who are left");
}

#[tokio::test]
async fn nobody_decides_for_others_by_taking_the_paper_from_them() {
    let mut paper = Paper::new().await;
    let id = paper.ask(&[CHAIR, GOVERNOR], Rule::Everyone).await.unwrap();
    paper.agrees(CHAIR, id).await.unwrap();
    let clerk = paper.clerk.clone();
    // The paper goes where Dilip does not read it, and comes back when it is decided.
    let chair = [(Who::Role(Held::Chair), false)];
    let elsewhere = paper
        .scene
        .folder(&clerk, "Chair only", false, &chair)
        .await
        .unwrap();
    change(&paper.scene.db, &clerk, async |write| {
        Ok((
            (),
            domain::document::filing::move_to(write, paper.document, elsewhere).await?,
        ))
    })
    .await
    .unwrap();
    assert_eq!(paper.goes_on().await, 0);
    assert_eq!(
        paper.state(id).await,
        State::Open,
        "Dilip has not been heard"
    );
    let dilip = paper.scene.place(GOVERNOR).await;
    change::suspend(&paper.scene.db, &clerk, dilip)
        .await
        .unwrap();
    assert_eq!(paper.goes_on().await, 0);
    let standing = paper.seen_by(CLERK, id).await.unwrap().standing;
    assert_eq!((standing.counted, standing.waiting), (2, 1));
}

#[tokio::test]
async fn who_leaves_afterwards_is_counted_as_they_were_when_it_closed() {
    let mut paper = Paper::new().await;
    let id = paper
        .ask(&[CHAIR, GOVERNOR, SIAN], Rule::AtLeast(2))
        .await
        .unwrap();
    paper.agrees(CHAIR, id).await.unwrap();
    paper.agrees(SIAN, id).await.unwrap();
    assert_eq!(paper.state(id).await, State::Adopted);
    let before = paper.seen_by(CLERK, id).await.unwrap().standing;
    let (dilip, clerk) = (paper.scene.place(GOVERNOR).await, paper.clerk.clone());
    change::remove(&paper.scene.db, &clerk, dilip)
        .await
        .unwrap();
    assert_eq!(paper.seen_by(CLERK, id).await.unwrap().standing, before);
    assert_eq!(before.counted, 3);
}

#[tokio::test]
async fn nobody_answers_in_the_place_of_somebody_who_left_not_even_who_has_their_membership_now() {
    let mut paper = Paper::new().await;
    let three = [CHAIR, GOVERNOR, THOMAS];
    let id = paper.ask(&three, Rule::Everyone).await.unwrap();
    paper.agrees(GOVERNOR, id).await.unwrap();
    let clerk = paper.clerk.clone();
    for email in [GOVERNOR, THOMAS] {
        let place = paper.scene.place(email).await;
        change::remove(&paper.scene.db, &clerk, place)
            .await
            .unwrap();
        // They come back under the same membership.
        paper
            .scene
            .sql(&format!(
                "alter table membership disable trigger user;
                 update membership set state = 'active', ended_at = null where id = '{place}';
                 alter table membership enable trigger user"
            ))
            .await;
    }
    let standing = paper.seen_by(CLERK, id).await.unwrap().standing;
    assert_eq!(
        (standing.counted, standing.agreed, standing.waiting),
        (2, 1, 1),
        "what Dilip answered stays, and Thomas is not waited for"
    );
    assert_eq!(paper.agrees(THOMAS, id).await, Err(Refusal::NotFound));
    let caller = paper.scene.caller(GOVERNOR).await;
    let taken = change(&paper.scene.db, &caller, async |write| {
        Ok(((), take_back(write, id).await?))
    });
    assert_eq!(taken.await, Err(Refusal::NotFound));
    assert_eq!(paper.seen_by(THOMAS, id).await.unwrap().own, Own::Nothing);
    paper.agrees(CHAIR, id).await.unwrap();
    let standing = paper.seen_by(CLERK, id).await.unwrap().standing;
    assert_eq!(
        (paper.state(id).await, standing.counted, standing.agreed),
        (State::Adopted, 2, 2)
    );
}

#[tokio::test]
async fn touching_a_document_makes_nothing_stale() {
    let mut paper = Paper::new().await;
    let id = paper.ask(&[CHAIR], Rule::Everyone).await.unwrap();
    let token = hex(paper.clerk.token.bytes());
    let mut web = paper
        .scene
        .fresh
        .options(Role::Web)
        .connect()
        .await
        .unwrap();
    let sql = format!(
        "begin; select sec.enter('\\x{token}'); update document set newest = newest where id = '{}'; commit",
        paper.document
    );
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut web)
        .await
        .unwrap();
    assert_eq!(paper.state(id).await, State::Open);
}

#[tokio::test]
async fn nobody_is_asked_once_somebody_has_answered() {
    let mut paper = Paper::new().await;
    let readers = [(Who::Person(paper.scene.place(CHAIR).await), true)];
    let chair = paper.scene.caller(CHAIR).await;
    let folder = paper
        .scene
        .folder(&paper.clerk, "The chair’s", false, &readers)
        .await
        .unwrap();
    let filed = paper
        .scene
        .file(&chair, folder, "Pay", "Twice as much")
        .await
        .unwrap();
    let own = paper.scene.place(CHAIR).await;
    let clerk = paper.scene.place(CLERK).await;
    let ask = |answered: bool| {
        let answer = "insert into approval_answer (tenant_id, approval_id, membership_id, by_id, answer)
            select tenant_id, id, sec.membership(), sec.membership(), 'agree' from approval where document_id = $paper;";
        format!(
            "begin; select sec.enter('\\x{}');
             insert into approval (tenant_id, document_id, version_id, sha256, rule, least, asked_by, due)
             select tenant_id, document_id, id, sha256, 'at_least', 1, '{own}', current_date + 3 from version where document_id = $paper;
             insert into approval_place (tenant_id, approval_id, membership_id)
             select tenant_id, id, '{own}' from approval where document_id = $paper;
             {}
             insert into approval_place (tenant_id, approval_id, membership_id)
             select tenant_id, id, '{clerk}' from approval where document_id = $paper; rollback",
            hex(chair.token.bytes()),
            if answered { answer } else { "" }
        )
        .replace("$paper", &format!("'{}'", filed.document))
    };
    for (answered, may) in [(false, true), (true, false)] {
        let mut web = paper
            .scene
            .fresh
            .options(Role::Web)
            .connect()
            .await
            .unwrap();
        let done = sqlx::raw_sql(AssertSqlSafe(ask(answered)))
            .execute(&mut web)
            .await;
        assert_eq!(done.is_ok(), may, "{done:?}");
    }
}

#[tokio::test]
async fn whoever_was_stood_in_for_hears_of_it_and_may_answer_themselves() {
    let mut paper = Paper::new().await;
    let three = paper.places(&[CHAIR, GOVERNOR, THOMAS]).await;
    let sian = paper.scene.place(SIAN).await;
    let id = paper
        .put(&Question {
            stand_in: Some((sian, tomorrow())),
            ..question(Of::People(three.clone()), Rule::Everyone)
        })
        .await
        .unwrap();
    paper.later(1).await;
    paper.scene.quiet().await;
    paper
        .answers_for(SIAN, id, Some(three[1]), Answer::Agree, "")
        .await
        .unwrap();
    assert_eq!(
        paper.scene.hears(GOVERNOR).await,
        [("approval.agreed".to_owned(), Hears::Person)]
    );
    assert_eq!(
        paper.scene.hears(THOMAS).await,
        [],
        "nobody stood in for Thomas"
    );
    let seen = paper.seen_by(GOVERNOR, id).await.unwrap();
    assert!(
        matches!(&seen.own, Own::Answered { answer: Answer::Agree, by: Some(who) } if who.id == sian)
    );
    let takes_back = async |paper: &mut Paper, email: &str| {
        let caller = paper.scene.caller(email).await;
        change(&paper.scene.db, &caller, async |write| {
            Ok(((), take_back(write, id).await?))
        })
        .await
    };
    assert_eq!(takes_back(&mut paper, THOMAS).await, Err(Refusal::Stale));
    takes_back(&mut paper, GOVERNOR).await.unwrap();
    paper
        .answers(GOVERNOR, id, Answer::Object, "Not in my name")
        .await
        .unwrap();
    assert_eq!(paper.state(id).await, State::Rejected);
}

#[tokio::test]
async fn from_the_list_only_what_is_routine_and_opened_can_be_agreed_to() {
    let mut paper = Paper::new().await;
    let agree = async |paper: &mut Paper, id: Uuid| {
        let caller = paper.scene.caller(GOVERNOR).await;
        let mut write = paper.scene.db.write(&caller).await?;
        let acts = agree_from_list(&mut write, id).await?;
        write.commit_all(acts).await
    };
    let people = paper.places(&[CHAIR, GOVERNOR]).await;
    let id = paper
        .put(&question(Of::People(people.clone()), Rule::Everyone))
        .await
        .unwrap();
    assert_eq!(
        agree(&mut paper, id).await,
        Err(Refusal::ApprovalNotRoutine)
    );
    let clerk = paper.clerk.clone();
    change(&paper.scene.db, &clerk, async |write| {
        Ok(((), asking::withdraw(write, id).await?))
    })
    .await
    .unwrap();
    assert_eq!(paper.state(id).await, State::Withdrawn);
    let again = change(&paper.scene.db, &clerk, async |write| {
        Ok(((), asking::withdraw(write, id).await?))
    });
    assert_eq!(again.await, Err(Refusal::ApprovalClosed), "once");
    let id = paper
        .put(&Question {
            routine: true,
            ..question(Of::People(people), Rule::Everyone)
        })
        .await
        .unwrap();
    assert_eq!(agree(&mut paper, id).await, Err(Refusal::ApprovalUnread));
    let caller = paper.scene.caller(GOVERNOR).await;
    let version = domain::document::one(&mut paper.scene.reading(&caller).await, paper.document)
        .await
        .unwrap()
        .versions[0]
        .id;
    change(&paper.scene.db, &caller, async |write| {
        Ok((
            (),
            domain::document::filing::open(write, paper.document, version).await?,
        ))
    })
    .await
    .unwrap();
    agree(&mut paper, id).await.unwrap();
    assert_eq!(
        paper.seen_by(GOVERNOR, id).await.unwrap().own,
        Own::Answered {
            answer: Answer::Agree,
            by: None
        }
    );
}

#[tokio::test]
async fn an_answer_is_a_signature_and_needs_a_fresh_proof() {
    let mut paper = Paper::new().await;
    let id = paper.ask(&[GOVERNOR, SIAN], Rule::Everyone).await.unwrap();
    let caller = paper.scene.caller(GOVERNOR).await;
    paper.scene.sql("update sec.session set stepped_up_at = now() - interval '10 minutes' where ended_at is null").await;
    let mut write = paper.scene.db.write(&caller).await.unwrap();
    assert_eq!(
        answering::answer(&mut write, id, None, Answer::Agree, "")
            .await
            .err(),
        Some(Refusal::StepUpNeeded)
    );
    drop(write);
    // Nor does the database take it without, whatever the code above it asks.
    let token = hex(caller.token.bytes());
    let agree = format!(
        "insert into approval_answer (tenant_id, approval_id, membership_id, by_id, answer)
         select tenant_id, id, sec.membership(), sec.membership(), 'agree' from approval where id = '{id}'"
    );
    let take_back = format!("delete from approval_answer where approval_id = '{id}'");
    for (statement, fresh) in [
        (&agree, false),
        (&agree, true),
        (&take_back, false),
        (&take_back, true),
    ] {
        let proved = if fresh { "1 minute" } else { "10 minutes" };
        paper
            .scene
            .sql(&format!(
                "update sec.session set stepped_up_at = now() - interval '{proved}' where ended_at is null"
            ))
            .await;
        let mut web = paper
            .scene
            .fresh
            .options(Role::Web)
            .connect()
            .await
            .unwrap();
        let sql = format!("begin; select sec.enter('\\x{token}'); {statement}; commit");
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut web).await;
        assert_eq!(done.is_ok(), fresh, "{statement}: {done:?}");
    }
}

#[tokio::test]
async fn what_waits_for_somebody_is_a_duty_until_they_answer() {
    let mut paper = Paper::new().await;
    let duties = async |paper: &mut Paper, email: &str| {
        let (place, tenant) = (paper.scene.place(email).await, paper.scene.oakfield);
        paper
            .scene
            .text(&format!("select count(*)::text from sec.duties('{tenant}', current_date) where membership_id = '{place}' and duty = 'approval'"))
            .await
    };
    let id = paper
        .ask(&[CHAIR, GOVERNOR], Rule::AtLeast(1))
        .await
        .unwrap();
    assert_eq!(
        (
            duties(&mut paper, GOVERNOR).await,
            duties(&mut paper, SIAN).await
        ),
        ("1".into(), "0".into())
    );
    paper.agrees(CHAIR, id).await.unwrap();
    assert_eq!(duties(&mut paper, GOVERNOR).await, "0", "it is decided");
}

#[tokio::test]
async fn how_an_approval_stands_is_told_to_its_readers_alone_whoever_asks_the_database() {
    let mut scene = Scene::new().await;
    let (clerk, chair) = (scene.caller(CLERK).await, scene.caller(CHAIR).await);
    let (margaret, dilip) = (scene.place(CHAIR).await, scene.place(GOVERNOR).await);
    let readers = [(Who::Person(margaret), true), (Who::Person(dilip), false)];
    let folder = scene
        .folder(&clerk, "Complaint", true, &readers)
        .await
        .unwrap();
    let filed = scene
        .file(&chair, folder, "Letter", "Dear chair")
        .await
        .unwrap();
    let asked = change(&scene.db, &chair, async |write| {
        let of = question(Of::People(vec![dilip]), Rule::Everyone);
        asking::ask(write, filed.document, 1, &of).await
    })
    .await
    .unwrap();
    let mut web = scene.fresh.options(Role::Web).connect().await.unwrap();
    let mut told = async |scene: &mut Scene, email: &str, tenant: &str| {
        let token = scene
            .behind
            .session(Some(tenant), email, Stand::SteppedUp)
            .await;
        let enter = format!("begin; select sec.enter('\\x{}')", hex(token.bytes()));
        sqlx::raw_sql(AssertSqlSafe(enter))
            .execute(&mut web)
            .await
            .unwrap();
        let counts: (i64, i32) = sqlx::query_as(
            "select (select count(*) from sec.approval_standings(array[$1::uuid])), cardinality(sec.approvals_asked())",
        )
        .bind(asked.id)
        .fetch_one(&mut web)
        .await
        .unwrap();
        sqlx::raw_sql("rollback").execute(&mut web).await.unwrap();
        counts
    };
    for (email, tenant, counts) in [
        (CHAIR, "oakfield", (1, 0)),
        (GOVERNOR, "oakfield", (1, 1)),
        (SIAN, "oakfield", (0, 0)),
        (CLERK, "oakfield", (0, 0)),
        (ADMIN, "oakfield", (0, 0)),
        ("clerk@northgate.example", "northgate", (0, 0)),
    ] {
        assert_eq!(told(&mut scene, email, tenant).await, counts, "{email}");
    }
    // In the bin it is there for who could take it out again.
    let bin = format!(
        "update document set state = 'binned', binned_by = made_by, bin_reason = 'Over', binned_at = now() where id = '{}'",
        filed.document
    );
    scene.sql(&bin).await;
    for (email, counts) in [(CHAIR, (1, 0)), (GOVERNOR, (0, 1))] {
        assert_eq!(told(&mut scene, email, "oakfield").await, counts, "{email}");
    }
}
