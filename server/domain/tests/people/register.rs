//! Policies that somebody answers for: who is reminded of a review, what the register tells and to whom, from when until when one
//! holds, and what is out of use.

use domain::{
    MembershipId, Refusal,
    approval::{
        Rule,
        asking::{self, Of, Question},
    },
    db::Caller,
    document::{self, About, Kind, State, filing},
    folder::readers::Who,
    notice::{
        Mail,
        letter::{Digest, Duty},
    },
    role::Role as Held,
    waiting::{What, at_my_places},
};
use testing::Stand;
use time::Date;
use uuid::Uuid;

use crate::{
    change::change,
    digest::{news, of},
    library::{called, stored},
    office::days,
    scene::{CHAIR, CLERK, GOVERNOR, Scene, TEACHER},
};

fn policy(title: &str, owner: Option<MembershipId>, review_by: Option<Date>) -> About {
    About {
        kind: Kind::Policy,
        owner,
        review_by,
        ..called(title)
    }
}

impl Scene {
    /// A folder that the governors and their chair read.
    async fn board_folder(&self, by: &Caller) -> Uuid {
        let readers = [
            (Who::Role(Held::Governor), false),
            (Who::Role(Held::Chair), false),
        ];
        self.folder(by, "Policies", false, &readers).await.unwrap()
    }

    async fn file_as(&self, by: &Caller, folder: Uuid, about: &About) -> Uuid {
        change(&self.db, by, async |write| {
            filing::add(write, folder, about, "", &stored(None, &about.title)).await
        })
        .await
        .unwrap()
        .document
    }

    async fn describe(&self, by: &Caller, document: Uuid, about: &About) -> Result<(), Refusal> {
        change(&self.db, by, async |write| {
            Ok(((), filing::describe(write, document, about).await?))
        })
        .await
    }

    /// How many reviews are somebody's duty, and what the bare host tells them of reviews.
    async fn reviews(&mut self, email: &str) -> (String, Vec<What>) {
        let (oakfield, place) = (self.oakfield, self.place(email).await);
        let duties = self
            .text(&format!(
                "select count(*)::text from sec.duties('{oakfield}', sec.today()) where membership_id = '{place}' and duty = 'review'"
            ))
            .await;
        let outside = self.behind.session(None, email, Stand::SteppedUp).await;
        let mut told: Vec<What> = at_my_places(&self.db, outside)
            .await
            .unwrap()
            .into_iter()
            .map(|one| one.what)
            .collect();
        told.retain(|what| matches!(what, What::Reviews { .. }));
        (duties, told)
    }

    /// The titles that somebody is listed.
    async fn titles(&self, by: &Caller, folder: Uuid, state: State) -> Vec<String> {
        let mut read = self.reading(by).await;
        let listed = document::list(&mut read, Some(folder), state).await;
        listed.unwrap().into_iter().map(|one| one.title).collect()
    }
}

fn none() -> (String, Vec<What>) {
    ("0".to_owned(), vec![])
}

#[tokio::test]
async fn an_owner_is_reminded_of_a_review_from_thirty_days_before_as_long_as_they_read_the_document()
 {
    let mut scene = Scene::new().await;
    let (clerk, today) = (scene.caller(CLERK).await, scene.today().await);
    let dilip = scene.place(GOVERNOR).await;
    let folder = scene.board_folder(&clerk).await;
    let lettings = |review_by: Date| policy("Lettings", Some(dilip), Some(review_by));
    let document = scene
        .file_as(&clerk, folder, &lettings(today + days(31)))
        .await;
    assert_eq!(scene.reviews(GOVERNOR).await, none(), "31 days before");
    let due = |many: u32, by: Date| {
        let told = What::Reviews {
            many,
            since: by - days(30),
            first: by,
        };
        (many.to_string(), vec![told])
    };
    for ahead in [30, 29] {
        let by = today + days(ahead);
        scene
            .describe(&clerk, document, &lettings(by))
            .await
            .unwrap();
        assert_eq!(scene.reviews(GOVERNOR).await, due(1, by), "{ahead} days");
    }
    // A second one, which is over: they are counted together, and the first day is told.
    let over = today - days(2);
    let second = policy("Charging", Some(dilip), Some(over));
    scene.file_as(&clerk, folder, &second).await;
    assert_eq!(scene.reviews(GOVERNOR).await, due(2, over));
    // Whoever reads them and answers for none has nothing to do, nor has who files them.
    for email in [CHAIR, CLERK] {
        assert_eq!(scene.reviews(email).await, none(), "{email}");
    }

    // An owner who does not read the folder any more is told of nothing in it.
    let roles = scene
        .text(&format!(
            "select roles::text from membership where id = '{dilip}'"
        ))
        .await;
    let holds =
        |roles: &str| format!("update membership set roles = '{roles}' where id = '{dilip}'");
    scene.sql(&holds("{associate}")).await;
    assert_eq!(scene.reviews(GOVERNOR).await, none(), "who cannot read it");
    scene.sql(&holds(&roles)).await;
    assert_eq!(scene.reviews(GOVERNOR).await, due(2, over));
    // What is out of use is not reviewed.
    change(&scene.db, &clerk, async |write| {
        Ok(((), filing::archive(write, document).await?))
    })
    .await
    .unwrap();
    assert_eq!(scene.reviews(GOVERNOR).await, due(1, over));
}

#[tokio::test]
async fn a_review_is_told_by_letter_and_weekly_then_even_to_who_wants_no_letters() {
    let mut scene = Scene::new().await;
    scene.quiet().await;
    let monday = scene.monday().await;
    scene.no_board().await;
    let (clerk, today) = (scene.caller(CLERK).await, scene.today().await);
    let dilip = scene.place(GOVERNOR).await;
    let folder = scene.board_folder(&clerk).await;
    let about = policy("Lettings", Some(dilip), Some(today + days(29)));
    let document = scene.file_as(&clerk, folder, &about).await;
    scene.choose(GOVERNOR, Mail::Never).await.unwrap();
    scene.quiet().await;
    let waits = |letter: &Digest| -> Vec<(Duty, usize)> {
        let duties = letter.duties.iter();
        duties
            .map(|waiting| (waiting.duty, waiting.count))
            .collect()
    };
    let first = scene.morning(monday).await;
    let letter = of(&first, GOVERNOR).unwrap();
    assert_eq!(waits(letter), [(Duty::Review, 1)]);
    assert_eq!((news(letter), letter.mail), (vec![], Mail::Never));
    assert!(
        of(&first, CHAIR).is_none(),
        "she reads it and does not answer for it"
    );
    for day in 1..7 {
        let sent = scene.morning(monday + days(day)).await;
        assert!(of(&sent, GOVERNOR).is_none(), "day {day}");
    }
    let again = scene.morning(monday + days(7)).await;
    assert_eq!(waits(of(&again, GOVERNOR).unwrap()), [(Duty::Review, 1)]);
    // Reviewed, with a new day: no more of it.
    let about = policy("Lettings", Some(dilip), Some(today + days(365)));
    scene.describe(&clerk, document, &about).await.unwrap();
    let done = scene.morning(monday + days(14)).await;
    assert!(of(&done, GOVERNOR).is_none());
}

#[tokio::test]
async fn the_register_lists_the_policies_in_use_that_one_reads_the_next_review_first() {
    let mut scene = Scene::new().await;
    let (clerk, today) = (scene.caller(CLERK).await, scene.today().await);
    let (dilip, margaret) = (scene.caller(GOVERNOR).await, scene.caller(CHAIR).await);
    let owner = Some(scene.place(CHAIR).await);
    let folder = scene.board_folder(&clerk).await;
    let on = |ahead: i64| Some(today + days(ahead));
    for about in [
        policy("Without a date", owner, None),
        policy("Without an owner", None, on(200)),
        policy("Due", owner, on(30)),
        policy("Overdue", owner, on(-1)),
        About {
            kind: Kind::Report,
            ..policy("No policy", owner, on(1))
        },
    ] {
        scene.file_as(&clerk, folder, &about).await;
    }
    let old = scene
        .file_as(&clerk, folder, &policy("Out of use", owner, on(1)))
        .await;
    change(&scene.db, &clerk, async |write| {
        Ok(((), filing::archive(write, old).await?))
    })
    .await
    .unwrap();
    for reader in [&dilip, &margaret, &clerk] {
        let mut read = scene.reading(reader).await;
        let register = document::register(&mut read).await.unwrap();
        let lines: Vec<_> = register
            .iter()
            .map(|one| {
                let owner = one.owner.as_ref().map(|owner| owner.id);
                (one.title.as_str(), one.review_by, owner)
            })
            .collect();
        assert_eq!(
            lines,
            [
                ("Overdue", on(-1), owner),
                ("Due", on(30), owner),
                ("Without an owner", on(200), None),
                ("Without a date", None, owner),
            ]
        );
    }
    // Imran teaches at the same school, is signed in, and reads none of them.
    let imran = scene.caller(TEACHER).await;
    let mut read = scene.reading(&imran).await;
    assert_eq!(document::register(&mut read).await.unwrap(), []);
}

#[tokio::test]
async fn the_days_on_which_a_document_holds_are_kept_and_stand_in_their_order() {
    let mut scene = Scene::new().await;
    let (clerk, today) = (scene.caller(CLERK).await, scene.today().await);
    let folder = scene.board_folder(&clerk).await;
    let held = |from: Option<Date>, to: Option<Date>| About {
        from,
        to,
        ..policy("Lettings", None, None)
    };
    let (first, last) = (Some(today - days(400)), Some(today - days(35)));
    let document = scene.file_as(&clerk, folder, &held(first, last)).await;
    let dilip = scene.caller(GOVERNOR).await;
    let kept = async |scene: &Scene| {
        let mut read = scene.reading(&dilip).await;
        let about = document::one(&mut read, document).await.unwrap().about;
        (about.from, about.to)
    };
    assert_eq!(kept(&scene).await, (first, last));
    // One day is the first and the last; either end may be open.
    for (from, to) in [
        (Some(today), Some(today)),
        (Some(today), None),
        (None, Some(today)),
        (None, None),
    ] {
        let about = held(from, to);
        scene.describe(&clerk, document, &about).await.unwrap();
        assert_eq!(kept(&scene).await, (from, to));
    }
    assert_eq!(
        scene.describe(&clerk, document, &held(last, first)).await,
        Err(Refusal::DatesOrder)
    );
    assert_eq!(kept(&scene).await, (None, None));
}

#[tokio::test]
async fn what_is_out_of_use_is_listed_apart_stays_readable_and_is_put_before_nobody() {
    let mut scene = Scene::new().await;
    let (clerk, today) = (scene.caller(CLERK).await, scene.today().await);
    let dilip = scene.caller(GOVERNOR).await;
    let imran = scene.caller(TEACHER).await;
    let own = scene.place(GOVERNOR).await;
    let folder = scene.board_folder(&clerk).await;
    let document = scene
        .file_as(&clerk, folder, &policy("Lettings", None, None))
        .await;
    let question = Question {
        of: Of::People(vec![own]),
        rule: Rule::Everyone,
        reason: String::new(),
        routine: false,
        due: today + days(14),
        stand_in: None,
    };
    let db = scene.db.clone();
    let ask = async || {
        change(&db, &clerk, async |write| {
            asking::ask(write, document, 1, &question).await
        })
        .await
        .map(|asked| asked.people)
    };
    let archive = async |by: &Caller| {
        change(&db, by, async |write| {
            Ok(((), filing::archive(write, document).await?))
        })
        .await
    };
    assert!(archive(&dilip).await.is_err(), "he files nothing here");
    archive(&clerk).await.unwrap();
    for reader in [&clerk, &dilip] {
        assert!(
            scene
                .titles(reader, folder, State::Current)
                .await
                .is_empty()
        );
        assert_eq!(
            scene.titles(reader, folder, State::Archived).await,
            ["Lettings"]
        );
        assert!(scene.reads(reader, document).await, "it stays readable");
        let mut read = scene.reading(reader).await;
        assert!(document::lies(&mut read, document, 1).await.is_ok());
    }
    assert!(
        scene
            .titles(&imran, folder, State::Archived)
            .await
            .is_empty(),
        "who does not read the folder is listed nothing"
    );
    assert_eq!(ask().await, Err(Refusal::ApprovalNotNewest));
    assert!(archive(&clerk).await.is_err(), "once");

    change(&scene.db, &clerk, async |write| {
        Ok(((), filing::reinstate(write, document).await?))
    })
    .await
    .unwrap();
    assert_eq!(
        scene.titles(&dilip, folder, State::Current).await,
        ["Lettings"]
    );
    assert!(
        scene
            .titles(&dilip, folder, State::Archived)
            .await
            .is_empty()
    );
    assert_eq!(ask().await, Ok(1), "in use again, it can be asked");
}
