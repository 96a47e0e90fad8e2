//! Questions on a sentence, what is replied, and notes: who reads them, who hears of them, and what a new version does to them.

use crate::{
    change::change,
    library::{called, stored},
    scene::{ADMIN, CHAIR, CLERK, GOVERNOR, PARENT, Scene, TEACHER, hex},
};
use domain::{
    Refusal,
    anchor::Quotation,
    audit::{self, Filter},
    db::{Caller, MailDb},
    document::{
        self,
        changes::{self, Tag},
        filing::{self, Stored},
        parts,
    },
    file::{self, Division},
    folder::readers::{self, Who},
    notice,
    question::{
        self, Audience, Kind, Margin, Stands, State,
        asking::{self, Chosen},
    },
    role::Role as Held,
    trail::shown,
};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _, Row as _};
use testing::{Role, Stand};
use uuid::Uuid;

const AIMS: &str =
    "Every pupil has the right to learn. The governing board reviews this policy each year.";
const SUSPENSION: &str = "The head teacher may suspend a pupil for a fixed period. A suspension of more than five school days is reported to the governing board without delay. Parents are told in writing on the same day.";
const FIVE_DAYS: &str = "A suspension of more than five school days is reported";
const PARENTS: &str = "Parents are told in writing on the same day";

fn paged(document: Option<Uuid>, pages: &[&str]) -> Stored {
    Stored {
        text: pages.iter().map(|page| (*page).to_owned()).collect(),
        pages: u32::try_from(pages.len()).ok(),
        ..stored(document, &pages.concat())
    }
}

/// A sentence of a handbook.
fn rule(number: usize) -> String {
    const SAID: [&str; 8] = [
        "pupil", "school", "board", "policy", "teacher", "parent", "record", "report",
    ];
    let word = |place: usize| SAID[(number * 7 + place * 13 + number / (place + 3)) % 8];
    format!(
        "Rule {number} says that the {} and the {} tell the {} of every {} before the {} meets.",
        word(1),
        word(2),
        word(3),
        word(4),
        word(5)
    )
}

/// A handbook of more than twelve thousand words.
fn handbook() -> Vec<String> {
    let mut rules: Vec<String> = (1..=700).map(rule).collect();
    rules.push("The quokka is fed by the caretaker on each Friday of the term.".to_owned());
    rules
}

/// A document of Word, as the inspection tells its text.
fn worded(document: Option<Uuid>, paragraphs: &[String]) -> Stored {
    let text = paragraphs.join("\n");
    Stored {
        format: file::Kind::Docx,
        name: "Handbook.docx".to_owned(),
        pages: None,
        text: parts::split(&text),
        ..stored(document, &text)
    }
}

fn chosen(exact: &str, page: u32) -> Chosen {
    Chosen {
        quotation: Quotation {
            exact: exact.to_owned(),
            ..Quotation::default()
        },
        page: Some(page),
        start: 0,
    }
}

impl Scene {
    /// Read by governors, the chair and Dilip's committee; kept by the clerk.
    async fn policy(&mut self) -> (Uuid, Uuid) {
        let clerk = self.caller(CLERK).await;
        let readers = [
            (Who::Role(Held::Governor), false),
            (Who::Role(Held::Chair), false),
            (Who::Role(Held::Clerk), false),
        ];
        let folder = self
            .folder(&clerk, "Policies", false, &readers)
            .await
            .unwrap();
        let document = change(&self.db, &clerk, async |write| {
            let stored = paged(None, &[AIMS, SUSPENSION]);
            filing::add(write, folder, &called("Behaviour policy"), "", &stored).await
        })
        .await
        .unwrap()
        .document;
        (folder, document)
    }

    async fn ask(
        &self,
        by: &Caller,
        document: Uuid,
        audience: &Audience,
        text: &str,
        chosen: &Chosen,
    ) -> Result<Uuid, Refusal> {
        change(&self.db, by, async |write| {
            asking::ask(write, document, 1, Kind::Question, audience, text, chosen).await
        })
        .await
    }

    async fn reply(&self, by: &Caller, question: Uuid, text: &str) -> Result<(), Refusal> {
        change(&self.db, by, async |write| {
            Ok(((), asking::reply(write, question, text).await?))
        })
        .await
    }

    async fn answer(&self, by: &Caller, question: Uuid, text: &str) -> Result<(), Refusal> {
        change(&self.db, by, async |write| {
            Ok(((), asking::answer(write, question, text).await?))
        })
        .await
    }

    async fn withdraw(&self, by: &Caller, question: Uuid) -> Result<(), Refusal> {
        change(&self.db, by, async |write| {
            Ok(((), asking::withdraw(write, question).await?))
        })
        .await
    }

    async fn note(&self, by: &Caller, document: Uuid, text: &str) -> Result<Uuid, Refusal> {
        change(&self.db, by, async |write| {
            asking::keep_note(write, document, 1, text, &chosen(PARENTS, 2)).await
        })
        .await
    }

    async fn pages(&self, by: &Caller, document: Uuid, pages: &[&str]) -> u32 {
        change(&self.db, by, async |write| {
            let stored = paged(Some(document), pages);
            let (filed, act) = filing::add_version(write, "", &stored).await?;
            Ok((filed.number, act))
        })
        .await
        .unwrap()
    }

    async fn margin(
        &self,
        by: &Caller,
        document: Uuid,
        version: Option<u32>,
    ) -> Result<Margin, Refusal> {
        let mut read = self.reading(by).await;
        let whole = document::one(&mut read, document).await?;
        let version = whole.version(version).unwrap();
        question::list(&mut read, &whole, version).await
    }

    /// The words of the questions that somebody reads.
    async fn asked(&self, by: &Caller, document: Uuid) -> Vec<String> {
        match self.margin(by, document, None).await {
            Ok(margin) => margin.threads.into_iter().map(|one| one.text).collect(),
            Err(Refusal::NotFound) => vec![],
            Err(other) => panic!("{other:?}"),
        }
    }

    async fn told(&self, by: &Caller) -> Vec<String> {
        let news = notice::unseen(&mut self.reading(by).await).await.unwrap();
        let acts = news.notices.into_iter().map(|one| one.act);
        acts.filter(|act| act.starts_with("question") || act.starts_with("note"))
            .collect()
    }
}

#[tokio::test]
async fn a_question_on_a_sentence_is_answered_and_each_hears_of_it() {
    let mut scene = Scene::new().await;
    let (_, document) = scene.policy().await;
    let (clerk, dilip, margaret) = (
        scene.caller(CLERK).await,
        scene.caller(GOVERNOR).await,
        scene.caller(CHAIR).await,
    );
    let teacher = scene.caller(TEACHER).await;
    let id = scene
        .ask(
            &dilip,
            document,
            &Audience::Readers,
            "Does this include managed moves?",
            &chosen(FIVE_DAYS, 2),
        )
        .await
        .unwrap();
    let seen = scene.margin(&margaret, document, None).await.unwrap();
    let [thread] = &seen.threads[..] else {
        panic!("{seen:?}")
    };
    assert_eq!(
        (thread.id, thread.asked_on, &thread.state),
        (id, 1, &State::Open)
    );
    let Stands::Here(place) = &thread.stands else {
        panic!("{thread:?}")
    };
    assert_eq!((place.page, place.quotation.exact.as_str()), (2, FIVE_DAYS));
    assert!(!thread.may_answer && !thread.may_withdraw);
    assert_eq!(scene.asked(&teacher, document).await, Vec::<String>::new());
    assert_eq!(scene.told(&clerk).await, ["question.asked"]);
    assert_eq!(scene.told(&dilip).await, Vec::<String>::new());
    assert_eq!(scene.told(&margaret).await, Vec::<String>::new());

    assert_eq!(
        scene.reply(&teacher, id, "I know").await,
        Err(Refusal::NotFound)
    );
    scene.reply(&margaret, id, "I think so.").await.unwrap();
    assert_eq!(
        scene.answer(&margaret, id, "").await,
        Err(Refusal::NotAnswerer)
    );
    assert_eq!(
        scene.withdraw(&margaret, id).await,
        Err(Refusal::NotAllowed)
    );
    assert_eq!(scene.withdraw(&dilip, id).await, Err(Refusal::Replied));
    scene
        .answer(&clerk, id, "No; the next version will say so.")
        .await
        .unwrap();
    assert_eq!(scene.answer(&clerk, id, "").await, Err(Refusal::Stale));
    assert_eq!(
        scene.told(&dilip).await,
        ["question.answered", "question.replied"]
    );
    let seen = scene.margin(&dilip, document, None).await.unwrap();
    let thread = &seen.threads[0];
    let own = scene.place(CLERK).await;
    assert!(matches!(&thread.state, State::Answered(who, _) if who.id == own));
    assert_eq!(
        thread
            .replies
            .iter()
            .map(|one| one.text.as_str())
            .collect::<Vec<_>>(),
        ["I think so.", "No; the next version will say so."]
    );
    change(&scene.db, &dilip, async |write| {
        Ok(((), asking::reopen(write, id).await?))
    })
    .await
    .unwrap();
    assert_eq!(
        scene.margin(&dilip, document, None).await.unwrap().threads[0].state,
        State::Open
    );
    assert_eq!(
        scene.told(&clerk).await,
        ["question.reopened", "question.asked"]
    );
    let letters = scene
        .text("select string_agg(distinct hears, ' ') from notice where kind like 'question.%'")
        .await;
    assert_eq!(letters, "reader");
}

#[tokio::test]
async fn on_a_new_version_a_question_is_on_its_sentence_and_one_whose_sentence_went_says_so() {
    let mut scene = Scene::new().await;
    let (_, document) = scene.policy().await;
    let (clerk, dilip) = (scene.caller(CLERK).await, scene.caller(GOVERNOR).await);
    for (text, sentence) in [("Moves?", FIVE_DAYS), ("By letter?", PARENTS)] {
        scene
            .ask(
                &dilip,
                document,
                &Audience::Readers,
                text,
                &chosen(sentence, 2),
            )
            .await
            .unwrap();
    }
    scene
        .ask(
            &dilip,
            document,
            &Audience::Readers,
            "Who wrote it?",
            &Chosen::default(),
        )
        .await
        .unwrap();
    let own = scene.place(CHAIR).await;
    let margaret = scene.caller(CHAIR).await;
    // The clerk does not read this one, and adds the version all the same.
    scene
        .ask(
            &dilip,
            document,
            &Audience::Named(vec![own]),
            "Between us",
            &chosen(FIVE_DAYS, 2),
        )
        .await
        .unwrap();
    scene.note(&dilip, document, "Ask the clerk").await.unwrap();
    let now = SUSPENSION
        .replace("five school days", "ten whole school days")
        .replace(" Parents are told in writing on the same day.", "");
    assert_eq!(
        scene
            .pages(&clerk, document, &["A new cover.", AIMS, &now])
            .await,
        2
    );
    let where_ = async |scene: &Scene, by: &Caller, version| -> Vec<(String, Option<u32>)> {
        let margin = scene.margin(by, document, version).await.unwrap();
        let threads = margin.threads.into_iter().map(|one| (one.text, one.stands));
        threads
            .chain(margin.notes.into_iter().map(|one| (one.text, one.stands)))
            .map(|(text, stands)| match stands {
                Stands::Here(place) => (text, Some(place.page)),
                Stands::Whole => (text, Some(0)),
                Stands::Gone => (text, None),
                Stands::Unknown => panic!("nobody looked for {text}"),
            })
            .collect()
    };
    let said = |text: &str, page| (text.to_owned(), page);
    assert_eq!(
        where_(&scene, &dilip, None).await,
        [
            said("Moves?", Some(3)),
            said("Between us", Some(3)),
            said("Who wrote it?", Some(0)),
            said("By letter?", None),
            said("Ask the clerk", None)
        ]
    );
    assert_eq!(
        where_(&scene, &margaret, None).await[1],
        said("Between us", Some(3))
    );
    let moves = scene
        .margin(&dilip, document, None)
        .await
        .unwrap()
        .threads
        .remove(0);
    assert!(
        matches!(moves.stands, Stands::Here(place) if place.quotation.exact.contains("ten whole school days"))
    );
    // On the old version all stand as they stood, and who brings it back finds them again.
    assert_eq!(
        where_(&scene, &dilip, Some(1)).await[0],
        said("Moves?", Some(2))
    );
    let gone = scene
        .margin(&dilip, document, None)
        .await
        .unwrap()
        .threads
        .remove(3);
    assert_eq!((gone.asked_on, gone.quoted.unwrap().page), (1, 2));
    change(&scene.db, &clerk, async |write| {
        filing::restore(write, document, 1).await
    })
    .await
    .unwrap();
    let back = where_(&scene, &dilip, None).await;
    assert!(
        back.contains(&said("By letter?", Some(2)))
            && back.contains(&said("Ask the clerk", Some(2))),
        "{back:?}"
    );
    // What was found is kept, so that reading a long document does not look for it again.
    let kept = scene.text("select count(*)::text from question_place p join question q on q.id = p.question_id where q.audience = 'readers'").await;
    assert_eq!(kept, "6");
}

#[tokio::test]
async fn what_is_put_to_named_people_is_theirs_as_long_as_they_read_the_folder() {
    let mut scene = Scene::new().await;
    let (folder, document) = scene.policy().await;
    let (clerk, dilip, margaret, admin) = (
        scene.caller(CLERK).await,
        scene.caller(GOVERNOR).await,
        scene.caller(CHAIR).await,
        scene.caller(ADMIN).await,
    );
    let other = scene.caller("governor2@oakfield.example").await;
    let (chair, teacher) = (scene.place(CHAIR).await, scene.place(TEACHER).await);
    let put = Audience::Named(vec![chair]);
    let text = "Is this about the wombat?";
    let id = scene
        .ask(&dilip, document, &put, text, &chosen(FIVE_DAYS, 2))
        .await
        .unwrap();
    for who in [&dilip, &margaret] {
        assert_eq!(scene.asked(who, document).await, [text]);
    }
    for who in [&clerk, &admin, &other] {
        assert!(scene.reads(who, document).await, "the outsider exists");
        assert_eq!(scene.asked(who, document).await, Vec::<String>::new());
        assert_eq!(scene.told(who).await, Vec::<String>::new());
        assert_eq!(scene.reply(who, id, "What?").await, Err(Refusal::NotFound));
        assert_eq!(scene.answer(who, id, "").await, Err(Refusal::NotFound));
    }
    assert_eq!(scene.told(&margaret).await, ["question.put"]);
    scene.reply(&margaret, id, "Yes").await.unwrap();
    for who in [&clerk, &admin] {
        let told = audit::timeline(&mut scene.reading(who).await, &Filter::default(), None)
            .await
            .unwrap();
        assert!(
            told.entries
                .iter()
                .all(|entry| !entry.act.starts_with("question")),
            "the log tells"
        );
    }
    // In a copy of the log the place of the lines is kept, and nothing else of them.
    let until: i64 = scene.text("select max(seq)::text from event e join tenant t on t.id = e.tenant_id and t.label = 'oakfield'").await.parse().unwrap();
    let rows = shown::next(&mut scene.reading(&clerk).await, until - 2, until, 10)
        .await
        .unwrap();
    assert!(
        rows.len() == 2
            && rows
                .iter()
                .all(|row| matches!(row, shown::Row::Withheld(_))),
        "{rows:?}"
    );

    assert_eq!(
        scene
            .ask(
                &dilip,
                document,
                &Audience::Named(vec![]),
                "x",
                &Chosen::default()
            )
            .await,
        Err(Refusal::NobodyNamed)
    );
    let own = scene.place(GOVERNOR).await;
    assert_eq!(
        scene
            .ask(
                &dilip,
                document,
                &Audience::Named(vec![own]),
                "x",
                &Chosen::default()
            )
            .await,
        Err(Refusal::NobodyNamed)
    );
    let astray = Audience::Named(vec![chair, teacher]);
    assert_eq!(
        scene
            .ask(&dilip, document, &astray, "x", &Chosen::default())
            .await,
        Err(Refusal::HearerReads)
    );
    let may = question::hearers(&mut scene.reading(&dilip).await, folder)
        .await
        .unwrap();
    assert!(
        may.iter().any(|one| one.id == chair)
            && may.iter().all(|one| one.id != teacher && one.id != own)
    );

    // Whoever loses the folder reads nothing of it, not even what they were asked.
    for role in ["chair", "governor"] {
        let line: Uuid = scene
            .text(&format!("select id::text from folder_reader where folder_id = '{folder}' and role = '{role}'"))
            .await
            .parse()
            .unwrap();
        change(&scene.db, &clerk, async |write| {
            Ok(((), readers::remove(write, folder, line).await?))
        })
        .await
        .unwrap();
    }
    let margaret = scene.caller(CHAIR).await;
    assert!(!scene.reads(&margaret, document).await);
    assert_eq!(
        scene.reply(&margaret, id, "More").await,
        Err(Refusal::NotFound)
    );
    assert_eq!(scene.told(&margaret).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_question_in_a_restricted_folder_is_nowhere_for_an_administrator() {
    let mut scene = Scene::new().await;
    let (_, filed) = scene.complaint().await;
    let (dilip, margaret) = (scene.caller(GOVERNOR).await, scene.caller(CHAIR).await);
    let id = scene
        .ask(
            &dilip,
            filed.document,
            &Audience::Readers,
            "Which wombat?",
            &chosen("wombat was unkind", 1),
        )
        .await
        .unwrap();
    scene.note(&dilip, filed.document, "Hm").await.unwrap_err();
    change(&scene.db, &dilip, async |write| {
        asking::keep_note(write, filed.document, 1, "My own", &Chosen::default()).await
    })
    .await
    .unwrap();
    scene.reply(&margaret, id, "The grey one").await.unwrap();
    let put = Audience::Named(vec![scene.place(CHAIR).await]);
    scene
        .ask(
            &dilip,
            filed.document,
            &put,
            "And when?",
            &Chosen::default(),
        )
        .await
        .unwrap();
    assert_eq!(
        scene.told(&margaret).await,
        ["question.put", "question.asked"],
        "she files there"
    );
    for email in [ADMIN, CLERK] {
        let caller = scene.caller(email).await;
        assert_eq!(
            scene.margin(&caller, filed.document, None).await,
            Err(Refusal::NotFound)
        );
        assert_eq!(scene.reply(&caller, id, "x").await, Err(Refusal::NotFound));
        assert_eq!(
            scene
                .ask(
                    &caller,
                    filed.document,
                    &Audience::Readers,
                    "x",
                    &Chosen::default()
                )
                .await,
            Err(Refusal::NotFound)
        );
        assert_eq!(scene.told(&caller).await, Vec::<String>::new());
        let told = audit::timeline(&mut scene.reading(&caller).await, &Filter::default(), None)
            .await
            .unwrap();
        assert!(
            told.entries
                .iter()
                .all(|entry| !entry.act.starts_with("question") && !entry.act.starts_with("note"))
        );
    }
    let counts = [
        "select count(*) from question",
        "select count(*) from question_reply",
        "select count(*) from question_place",
        "select count(*) from question_hearer",
        "select count(*) from note",
        "select cardinality(sec.questions_heard())::bigint",
        "select count(*) from event where act like 'question.%' or act like 'note.%'",
    ];
    let writes = [
        format!("update question set state = 'withdrawn' where id = '{id}'"),
        "delete from note".to_owned(),
    ];
    for (email, sees) in [
        (ADMIN, [false; 7]),
        (CHAIR, [true, true, true, true, false, true, false]),
        (GOVERNOR, [true, true, true, true, true, false, false]),
    ] {
        let token = scene
            .behind
            .session(Some("oakfield"), email, Stand::SteppedUp)
            .await;
        let mut web = scene.fresh.options(Role::Web).connect().await.unwrap();
        let enter = format!("begin; select sec.enter('\\x{}')", hex(token.bytes()));
        for (count, sees) in counts.iter().zip(sees) {
            sqlx::raw_sql(AssertSqlSafe(enter.clone()))
                .execute(&mut web)
                .await
                .unwrap();
            let found: i64 = web.fetch_one(*count).await.unwrap().get(0);
            sqlx::raw_sql("rollback").execute(&mut web).await.unwrap();
            assert_eq!(found > 0, sees, "{email}: {count}");
        }
        if email == GOVERNOR {
            continue;
        }
        for write in &writes {
            sqlx::raw_sql(AssertSqlSafe(enter.clone()))
                .execute(&mut web)
                .await
                .unwrap();
            let touched = web
                .execute(AssertSqlSafe(write.clone()))
                .await
                .map(|done| done.rows_affected());
            sqlx::raw_sql("rollback").execute(&mut web).await.unwrap();
            assert!(!matches!(touched, Ok(1..)), "{email}: {write}");
        }
    }
}

#[tokio::test]
async fn a_note_is_read_by_whoever_keeps_it_and_by_nobody_else() {
    let mut scene = Scene::new().await;
    let (_, document) = scene.policy().await;
    let (clerk, admin, dilip) = (
        scene.caller(CLERK).await,
        scene.caller(ADMIN).await,
        scene.caller(GOVERNOR).await,
    );
    // The administrator keeps one too, so that there is something to see.
    let own = scene
        .note(&admin, document, "Look at this again")
        .await
        .unwrap();
    scene
        .note(&dilip, document, "The clerk should know")
        .await
        .unwrap();
    for (who, text) in [
        (&admin, "Look at this again"),
        (&dilip, "The clerk should know"),
    ] {
        let margin = scene.margin(who, document, None).await.unwrap();
        assert_eq!(
            margin
                .notes
                .iter()
                .map(|one| one.text.as_str())
                .collect::<Vec<_>>(),
            [text]
        );
        assert!(matches!(margin.notes[0].stands, Stands::Here(_)));
    }
    assert_eq!(
        scene.margin(&clerk, document, None).await.unwrap().notes,
        []
    );
    let kept = async |scene: &Scene, who: &Caller| {
        let told = audit::timeline(&mut scene.reading(who).await, &Filter::default(), None)
            .await
            .unwrap();
        told.entries
            .iter()
            .filter(|one| one.act.starts_with("note"))
            .count()
    };
    assert_eq!(
        (kept(&scene, &clerk).await, kept(&scene, &admin).await),
        (0, 1),
        "one's own, in the log too"
    );
    let said = scene.text("select string_agg(distinct topics::text || detail::text || coalesce(about::text, ''), ' ') from event where act = 'note.kept'").await;
    assert!(
        !said.contains(&document.to_string()) && !said.contains("paper"),
        "{said}"
    );
    assert_eq!(
        scene
            .text("select count(*)::text from notice where kind like 'note%'")
            .await,
        "0"
    );
    let drop = async |who: &Caller| {
        change(&scene.db, who, async |write| {
            asking::drop_note(write, own).await
        })
        .await
    };
    assert_eq!(drop(&dilip).await, Err(Refusal::NotFound));
    assert_eq!(drop(&clerk).await, Err(Refusal::NotFound));
    assert_eq!(drop(&admin).await, Ok(document));
    // Nobody makes one for somebody else, with whatever SQL.
    let place = scene.place(CLERK).await;
    let token = scene
        .behind
        .session(Some("oakfield"), ADMIN, Stand::SteppedUp)
        .await;
    let mut web = scene.fresh.options(Role::Web).connect().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(format!(
        "begin; select sec.enter('\\x{}')",
        hex(token.bytes())
    )))
    .execute(&mut web)
    .await
    .unwrap();
    let forged = web
        .execute(AssertSqlSafe(format!(
            "insert into note (tenant_id, document_id, kept_on, membership_id, body) values ('{}', '{document}', 1, '{place}', 'x')",
            scene.oakfield
        )))
        .await;
    assert!(forged.is_err());
}

#[tokio::test]
async fn what_was_taken_back_is_gone_and_the_log_keeps_that_it_was() {
    let mut scene = Scene::new().await;
    let (_, document) = scene.policy().await;
    let (clerk, dilip) = (scene.caller(CLERK).await, scene.caller(GOVERNOR).await);
    let id = scene
        .ask(
            &dilip,
            document,
            &Audience::Readers,
            "A quokka?",
            &chosen(FIVE_DAYS, 2),
        )
        .await
        .unwrap();
    assert_eq!(scene.withdraw(&clerk, id).await, Err(Refusal::NotAllowed));
    scene.withdraw(&dilip, id).await.unwrap();
    assert_eq!(scene.asked(&dilip, document).await, Vec::<String>::new());
    assert_eq!(scene.reply(&clerk, id, "x").await, Err(Refusal::NotFound));
    assert_eq!(scene.withdraw(&dilip, id).await, Err(Refusal::NotFound));
    assert_eq!(
        scene
            .text("select count(*)::text from question where body <> '' or exact is not null")
            .await,
        "0"
    );
    assert_eq!(
        scene
            .text("select count(*)::text from question_place")
            .await,
        "0"
    );
    let acts = scene.text(&format!("select string_agg(act, ' ' order by seq) from event where detail ->> 'question' = '{id}'")).await;
    assert_eq!(acts, "question.asked question.withdrawn");
    // Words that were said stay as they were said.
    let other = scene
        .ask(
            &dilip,
            document,
            &Audience::Readers,
            "Why?",
            &Chosen::default(),
        )
        .await
        .unwrap();
    let token = scene
        .behind
        .session(Some("oakfield"), GOVERNOR, Stand::SteppedUp)
        .await;
    let mut web = scene.fresh.options(Role::Web).connect().await.unwrap();
    for write in [
        format!("update question set body = 'x' where id = '{other}'"),
        format!("delete from question where id = '{other}'"),
        "update question_reply set body = 'x'".to_owned(),
    ] {
        sqlx::raw_sql(AssertSqlSafe(format!(
            "begin; select sec.enter('\\x{}')",
            hex(token.bytes())
        )))
        .execute(&mut web)
        .await
        .unwrap();
        assert!(
            web.execute(AssertSqlSafe(write.clone())).await.is_err(),
            "{write}"
        );
        sqlx::raw_sql("rollback").execute(&mut web).await.unwrap();
    }
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_in_a_sentence() {
    let mut scene = Scene::new().await;
    let (_, document) = scene.policy().await;
    let (clerk, dilip) = (scene.caller(CLERK).await, scene.caller(GOVERNOR).await);
    let all = Audience::Readers;
    for (text, chosen, why) in [
        ("", Chosen::default(), Refusal::QuestionText),
        (&*"x".repeat(2001), Chosen::default(), Refusal::QuestionText),
        ("a\u{202e}b", Chosen::default(), Refusal::QuestionText),
        (
            "Where?",
            chosen("The wombat sleeps in the cloakroom", 2),
            Refusal::SentenceNotFound,
        ),
        ("Long?", chosen(&"word ".repeat(150), 1), Refusal::Quotation),
    ] {
        assert_eq!(
            scene.ask(&dilip, document, &all, text, &chosen).await,
            Err(why),
            "{text:.20}"
        );
    }
    let parent = scene.caller(PARENT).await;
    assert_eq!(
        scene
            .ask(&parent, document, &all, "x", &Chosen::default())
            .await,
        Err(Refusal::NotFound)
    );
    // A scan that nobody read: about the whole one may ask.
    scene.pages(&clerk, document, &["", " "]).await;
    let on = async |chosen: &Chosen| {
        change(&scene.db, &dilip, async |write| {
            asking::ask(write, document, 2, Kind::Comment, &all, "Hm", chosen).await
        })
        .await
    };
    assert_eq!(on(&chosen(FIVE_DAYS, 2)).await, Err(Refusal::NoText));
    let comment = on(&Chosen::default()).await.unwrap();
    // A comment waits for no answer.
    assert_eq!(scene.answer(&clerk, comment, "").await, Err(Refusal::Stale));
    change(&scene.db, &clerk, async |write| {
        Ok(((), filing::bin(write, document, "Schedule 3").await?))
    })
    .await
    .unwrap();
    assert_eq!(
        scene
            .ask(&clerk, document, &all, "x", &Chosen::default())
            .await,
        Err(Refusal::Binned)
    );
}

#[tokio::test]
async fn with_the_document_all_that_was_asked_about_it_goes() {
    let mut scene = Scene::new().await;
    let (_, document) = scene.policy().await;
    let (clerk, dilip) = (scene.caller(CLERK).await, scene.caller(GOVERNOR).await);
    let put = Audience::Named(vec![scene.place(CHAIR).await]);
    let id = scene
        .ask(&dilip, document, &put, "Why?", &chosen(FIVE_DAYS, 2))
        .await
        .unwrap();
    scene.reply(&dilip, id, "So").await.unwrap();
    scene.note(&dilip, document, "Mine").await.unwrap();
    let rows = "select ((select count(*) from question) + (select count(*) from question_reply) + (select count(*) from question_hearer)
      + (select count(*) from question_place) + (select count(*) from note))::text";
    assert_eq!(scene.text(rows).await, "5");
    change(&scene.db, &clerk, async |write| {
        Ok(((), filing::bin(write, document, "Schedule 3").await?))
    })
    .await
    .unwrap();
    scene
        .sql("update document set binned_at = now() - interval '31 days' where state = 'binned'")
        .await;
    let worker = MailDb::new(scene.fresh.options(Role::Worker), 2);
    assert_eq!(worker.purge_binned().await.unwrap().len(), 1);
    assert_eq!(scene.text(rows).await, "0");
}

#[tokio::test]
async fn notes_go_with_whoever_is_removed() {
    let mut scene = Scene::new().await;
    let (_, document) = scene.policy().await;
    let dilip = scene.caller(GOVERNOR).await;
    scene.note(&dilip, document, "Mine").await.unwrap();
    assert_eq!(scene.text("select count(*)::text from note").await, "1");
    let own = scene.place(GOVERNOR).await;
    scene
        .sql(&format!(
            "update membership set state = 'ended' where id = '{own}'"
        ))
        .await;
    assert_eq!(scene.text("select count(*)::text from note").await, "0");
}

#[tokio::test]
async fn what_changed_is_told_to_who_reads_the_document_and_to_nobody_else() {
    let mut scene = Scene::new().await;
    let (_, document) = scene.policy().await;
    let (clerk, dilip, teacher) = (
        scene.caller(CLERK).await,
        scene.caller(GOVERNOR).await,
        scene.caller(TEACHER).await,
    );
    let now = SUSPENSION.replace("five school days", "ten school days");
    scene
        .pages(&clerk, document, &["A new cover.", AIMS, &now])
        .await;
    let changes = changes::between(&mut scene.reading(&dilip).await, document, 1, 2)
        .await
        .unwrap();
    assert_eq!(changes.numbers(), [1, 3]);
    assert_eq!(changes.pages[1].only(Tag::Removed), ["five"]);
    assert_eq!(changes.pages[1].only(Tag::Added), ["ten"]);
    let mut read = scene.reading(&teacher).await;
    assert_eq!(
        document::one(&mut read, document).await,
        Err(Refusal::NotFound)
    );
    let nothing = changes::between(&mut read, document, 1, 2).await.unwrap();
    assert_eq!(nothing.pages, []);
}

#[tokio::test]
async fn a_long_text_of_word_is_searched_compared_and_asked_about_part_by_part() {
    let mut scene = Scene::new().await;
    let (folder, _) = scene.policy().await;
    let (clerk, dilip, teacher) = (
        scene.caller(CLERK).await,
        scene.caller(GOVERNOR).await,
        scene.caller(TEACHER).await,
    );
    let first = worded(None, &handbook());
    let parts = first.text.len();
    assert!(parts > 15, "{parts}");
    let document = change(&scene.db, &clerk, async |write| {
        filing::add(write, folder, &called("Handbook"), "", &first).await
    })
    .await
    .unwrap()
    .document;

    // What stands in the last paragraph is found, and told in its own words.
    let found = scene.found(&dilip, "quokka caretaker").await;
    let [one] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(
        (one.page, one.division),
        (u32::try_from(parts).ok(), Division::Part)
    );
    let hits: Vec<&str> = one
        .snippet
        .iter()
        .filter(|part| part.hit)
        .map(|part| part.text.as_str())
        .collect();
    assert_eq!(hits, ["quokka", "caretaker"]);
    assert_eq!(scene.found(&teacher, "quokka").await, []);

    let asked = rule(400);
    scene
        .ask(
            &dilip,
            document,
            &Audience::Readers,
            "Each of them?",
            &chosen(&asked, 1),
        )
        .await
        .unwrap();
    let stands = async |scene: &Scene| {
        let margin = scene.margin(&dilip, document, None).await.unwrap();
        match margin.threads.into_iter().next().map(|one| one.stands) {
            Some(Stands::Here(place)) => place,
            other => panic!("{other:?}"),
        }
    };
    let before = stands(&scene).await;
    assert!(before.page > 5, "{}", before.page);

    // Eighty paragraphs before it: its sentence stands in a later part, and nothing else has changed.
    let preface: Vec<String> = (1001..=1080).map(rule).collect();
    let second = worded(Some(document), &[preface.clone(), handbook()].concat());
    change(&scene.db, &clerk, async |write| {
        filing::add_version(write, "", &second).await
    })
    .await
    .unwrap();
    let after = stands(&scene).await;
    assert!(after.page > before.page, "{} {}", after.page, before.page);
    assert_eq!(after.quotation.exact, asked);
    let kept = scene
        .text(&format!("select count(*)::text from question_place p join version v on v.id = p.version_id and v.number = 2 where v.document_id = '{document}'"))
        .await;
    assert_eq!(kept, "1", "it was found when the version came");
    let changes = changes::between(&mut scene.reading(&dilip).await, document, 1, 2)
        .await
        .unwrap();
    assert_eq!((changes.division, changes.unknown), (Division::Part, false));
    assert!(changes.numbers().len() <= 9, "{:?}", changes.numbers());
    let said = |tag| -> String {
        let pages = changes.pages.iter();
        pages
            .flat_map(|page| page.only(tag))
            .collect::<Vec<_>>()
            .join(" ")
            .replace('\n', " ")
    };
    assert_eq!(said(Tag::Added), preface.join(" "));
    assert_eq!(said(Tag::Removed), "");
}

#[tokio::test]
async fn what_was_kept_in_one_piece_is_compared_with_what_is_kept_in_parts() {
    let mut scene = Scene::new().await;
    let (folder, _) = scene.policy().await;
    let (clerk, dilip) = (scene.caller(CLERK).await, scene.caller(GOVERNOR).await);
    let whole = handbook().join("\n");
    let first = Stored {
        text: vec![whole],
        ..worded(None, &handbook())
    };
    let document = change(&scene.db, &clerk, async |write| {
        filing::add(write, folder, &called("Handbook"), "", &first).await
    })
    .await
    .unwrap()
    .document;
    let mut now = handbook();
    now[500] = now[500].replace("before the", "long before the");
    change(&scene.db, &clerk, async |write| {
        filing::add_version(write, "", &worded(Some(document), &now)).await
    })
    .await
    .unwrap();
    let mut read = scene.reading(&dilip).await;
    for (since, to, tag) in [(1, 2, Tag::Added), (2, 1, Tag::Removed)] {
        let changes = changes::between(&mut read, document, since, to)
            .await
            .unwrap();
        let [page] = &changes.pages[..] else {
            panic!("{:?}", changes.numbers())
        };
        assert!(page.new > Some(5));
        assert_eq!(page.only(tag), ["long"]);
    }
}

#[tokio::test]
async fn a_file_with_more_text_than_is_kept_says_so_in_each_version() {
    let mut scene = Scene::new().await;
    let (folder, policy) = scene.policy().await;
    let (clerk, dilip) = (scene.caller(CLERK).await, scene.caller(GOVERNOR).await);
    let cut = async |scene: &Scene, document: Uuid| -> Vec<bool> {
        let whole = document::one(&mut scene.reading(&dilip).await, document)
            .await
            .unwrap();
        whole.versions.iter().map(|one| one.cut).collect()
    };
    assert_eq!(cut(&scene, policy).await, [false]);
    // A page of a PDF is one, however long; of another file the inspection has said it.
    let long = "wombat ".repeat(70_000);
    scene.pages(&clerk, policy, &[&long]).await;
    assert_eq!(cut(&scene, policy).await, [true, false]);
    let stored = Stored {
        cut: true,
        ..worded(None, &handbook())
    };
    let document = change(&scene.db, &clerk, async |write| {
        filing::add(write, folder, &called("Handbook"), "", &stored).await
    })
    .await
    .unwrap()
    .document;
    scene.version(&clerk, document, "Short now").await.unwrap();
    change(&scene.db, &clerk, async |write| {
        filing::restore(write, document, 1).await
    })
    .await
    .unwrap();
    assert_eq!(cut(&scene, document).await, [true, false, true]);
}

#[tokio::test]
async fn one_person_has_two_hundred_questions_open_on_a_document_and_others_their_own() {
    let mut scene = Scene::new().await;
    let (_, document) = scene.policy().await;
    let (clerk, dilip, margaret) = (
        scene.caller(CLERK).await,
        scene.caller(GOVERNOR).await,
        scene.caller(CHAIR).await,
    );
    let own = scene.place(GOVERNOR).await;
    scene
        .sql(&format!(
            "insert into question (tenant_id, document_id, asked_on, kind, audience, body, asked_by)
             select d.tenant_id, d.id, 1, 'question', 'readers', 'Why ' || n || '?', '{own}'
             from document d, generate_series(1, 199) n where d.id = '{document}'"
        ))
        .await;
    let ask = async |scene: &Scene, by: &Caller| {
        scene
            .ask(
                by,
                document,
                &Audience::Readers,
                "And why?",
                &Chosen::default(),
            )
            .await
    };
    let last = ask(&scene, &dilip).await.unwrap();
    assert_eq!(ask(&scene, &dilip).await, Err(Refusal::ManyQuestions));
    ask(&scene, &margaret).await.unwrap();
    // One that is answered makes room, and is not opened again where there is none.
    scene.answer(&clerk, last, "So.").await.unwrap();
    ask(&scene, &dilip).await.unwrap();
    let again = change(&scene.db, &dilip, async |write| {
        Ok(((), asking::reopen(write, last).await?))
    })
    .await;
    assert_eq!(again, Err(Refusal::ManyQuestions));
    let open = scene
        .text(&format!(
            "select count(*)::text from question where asked_by = '{own}' and state = 'open'"
        ))
        .await;
    assert_eq!(open, "200");
}

#[tokio::test]
async fn one_person_has_two_hundred_notes_on_a_document_and_others_their_own() {
    let mut scene = Scene::new().await;
    let (_, document) = scene.policy().await;
    let (dilip, margaret) = (scene.caller(GOVERNOR).await, scene.caller(CHAIR).await);
    let own = scene.place(GOVERNOR).await;
    scene
        .sql(&format!(
            "insert into note (tenant_id, document_id, kept_on, membership_id, body)
             select d.tenant_id, d.id, 1, '{own}', 'Note ' || n
             from document d, generate_series(1, 199) n where d.id = '{document}'"
        ))
        .await;
    let last = scene.note(&dilip, document, "The last").await.unwrap();
    assert_eq!(
        scene.note(&dilip, document, "One more").await,
        Err(Refusal::ManyNotes)
    );
    scene.note(&margaret, document, "Mine").await.unwrap();
    change(&scene.db, &dilip, async |write| {
        asking::drop_note(write, last).await
    })
    .await
    .unwrap();
    scene.note(&dilip, document, "One more").await.unwrap();
}

#[tokio::test]
async fn when_a_version_comes_five_hundred_questions_are_looked_for_and_the_others_when_they_are_read()
 {
    let mut scene = Scene::new().await;
    let (_, document) = scene.policy().await;
    let (clerk, dilip) = (scene.caller(CLERK).await, scene.caller(GOVERNOR).await);
    // The oldest is open, and comes first all the same.
    let open = scene
        .ask(
            &dilip,
            document,
            &Audience::Readers,
            "Moves?",
            &chosen(FIVE_DAYS, 2),
        )
        .await
        .unwrap();
    let own = scene.place(GOVERNOR).await;
    scene
        .sql(&format!(
            "insert into question (tenant_id, document_id, asked_on, kind, audience, body, exact, prefix, suffix, page, asked_by,
               state, answered_by, answered_at)
             select d.tenant_id, d.id, 1, 'question', 'readers', 'Why ' || n || '?', '{FIVE_DAYS}', '', '', 2, '{own}',
               'answered', '{own}', now()
             from document d, generate_series(1, 520) n where d.id = '{document}'"
        ))
        .await;
    scene
        .pages(&clerk, document, &["A new cover.", AIMS, SUSPENSION])
        .await;
    let kept = |what: &str| {
        format!(
            "select count(*)::text from question_place p join version v on v.id = p.version_id and v.number = 2
             where v.document_id = '{document}' and {what}"
        )
    };
    assert_eq!(scene.text(&kept("true")).await, "500");
    let first = kept(&format!("p.question_id = '{open}'"));
    assert_eq!(scene.text(&first).await, "1");
    let margin = scene.margin(&dilip, document, None).await.unwrap();
    assert_eq!(margin.threads.len(), 521);
    for thread in &margin.threads {
        assert!(
            matches!(&thread.stands, Stands::Here(place) if place.page == 3),
            "{thread:?}"
        );
    }
}
