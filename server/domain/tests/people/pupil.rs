//! Pupils: who sees whom, by what right, from when and until when, and what is put down of it.

use crate::{
    change::{change, drop_role, give_role, remove},
    scene::{ADMIN, CHAIR, CLERK, GOVERNOR, PARENT, Scene, TEACHER},
};
use domain::{
    MembershipId, Refusal,
    audit::{self, Filter as LogFilter},
    db::{Caller, MailDb},
    live::{Topic, may_watch},
    pupil::{
        self, Basis, Fault, Filter, Typed, Whose,
        access::{self, Found, Reason, Sought},
        caseload::{self, Of},
        duty::{self, Duty},
        field::Field,
        group::{self, Kind},
        guardian::{self, Relation},
    },
    role::Role as Held,
};
use std::collections::BTreeSet;
use testing::{Role, Stand};
use time::{Date, Duration, OffsetDateTime};
use uuid::Uuid;

pub const COVER: &str = "teacher2@oakfield.example";
pub const ASSISTANT: &str = "ta1@oakfield.example";
pub const OTHER_TEACHER: &str = "teacher3@oakfield.example";
pub const SENCO: &str = "senco@oakfield.example";
pub const HEAD: &str = "head@oakfield.example";
pub const OTHER_PARENT: &str = "parent2@oakfield.example";

/// The roll of a small school: Imran teaches 4W, Jasmine looks after Chidi, and nobody has 5B yet.
pub struct Roll {
    pub w: Uuid,
    pub b: Uuid,
    pub aisha: Uuid,
    pub benedict: Uuid,
    pub chidi: Uuid,
    /// In 5B, as her sister in 4W is called Aisha too.
    pub other_aisha: Uuid,
    pub elliot: Uuid,
    /// In no group.
    pub farah: Uuid,
}

impl Roll {
    pub fn of_w(&self) -> BTreeSet<Uuid> {
        BTreeSet::from([self.aisha, self.benedict, self.chidi])
    }

    pub fn of_b(&self) -> BTreeSet<Uuid> {
        BTreeSet::from([self.other_aisha, self.elliot])
    }

    pub fn all(&self) -> BTreeSet<Uuid> {
        let mut all = &self.of_w() | &self.of_b();
        all.insert(self.farah);
        all
    }
}

fn typed(first: &str, last: &str, born: &str, year: &str) -> Typed {
    Typed {
        first_name: first.to_owned(),
        last_name: last.to_owned(),
        born: born.to_owned(),
        year: year.to_owned(),
        ..Typed::default()
    }
}

impl Scene {
    pub async fn pupil(
        &mut self,
        by: &Caller,
        name: (&str, &str),
        group: Option<Uuid>,
    ) -> Result<Uuid, Refusal> {
        let today = self.today().await;
        let id = change(&self.db, by, async |write| {
            let typed = typed(name.0, name.1, "9 May 2016", "5");
            pupil::add(write, &typed, today).await
        })
        .await?;
        if let Some(group) = group {
            self.joins(by, group, id, today - Duration::days(100))
                .await?;
        }
        Ok(id)
    }

    pub async fn joins(
        &self,
        by: &Caller,
        group: Uuid,
        pupil: Uuid,
        from: Date,
    ) -> Result<(), Refusal> {
        change(&self.db, by, async |write| {
            Ok(((), group::join(write, group, pupil, from).await?))
        })
        .await
    }

    pub async fn group(&self, by: &Caller, kind: Kind, name: &str) -> Result<Uuid, Refusal> {
        change(&self.db, by, async |write| {
            group::open(write, kind, name).await
        })
        .await
    }

    /// As the database has it.
    pub async fn now(&mut self) -> OffsetDateTime {
        sqlx::query_scalar("select now()")
            .fetch_one(&mut *self.behind)
            .await
            .unwrap()
    }

    pub async fn gives(
        &mut self,
        by: &Caller,
        person: MembershipId,
        of: Of,
        until: Option<OffsetDateTime>,
    ) -> Result<Uuid, Refusal> {
        let from = self.now().await - Duration::hours(1);
        change(&self.db, by, async |write| {
            caseload::give(write, person, of, from, until, until.is_some()).await
        })
        .await
    }

    pub async fn roll(&mut self) -> Roll {
        let admin = self.caller(ADMIN).await;
        let w = self.group(&admin, Kind::Registration, "4W").await.unwrap();
        let b = self.group(&admin, Kind::Registration, "5B").await.unwrap();
        let mut ids = Vec::new();
        for (name, group) in [
            (("Aisha", "Khan"), Some(w)),
            (("Benedict", "O’Rourke-Mensah"), Some(w)),
            (("Chidi", "Eze"), Some(w)),
            (("Aisha", "Khan"), Some(b)),
            (("Elliot", "Price"), Some(b)),
            (("Farah", "Nazari"), None),
        ] {
            ids.push(self.pupil(&admin, name, group).await.unwrap());
        }
        let (imran, jasmine) = (self.place(TEACHER).await, self.place(ASSISTANT).await);
        self.gives(&admin, imran, Of::Group(w), None).await.unwrap();
        self.gives(&admin, jasmine, Of::Pupil(ids[2]), None)
            .await
            .unwrap();
        Roll {
            w,
            b,
            aisha: ids[0],
            benedict: ids[1],
            chidi: ids[2],
            other_aisha: ids[3],
            elliot: ids[4],
            farah: ids[5],
        }
    }

    /// Whom somebody sees with any SQL they like, in a table with a column that names pupils.
    pub async fn sees_in(&mut self, email: &str, table: &str, column: &str) -> BTreeSet<Uuid> {
        self.ids(email, &format!("select {column}::text from {table}"))
            .await
    }

    pub async fn sees(&mut self, email: &str) -> BTreeSet<Uuid> {
        self.sees_in(email, "pupil", "id").await
    }

    async fn ids(&mut self, email: &str, sql: &str) -> BTreeSet<Uuid> {
        let rows = self.raw_texts(email, sql).await;
        rows.iter().map(|id| id.parse().unwrap()).collect()
    }

    async fn looks(
        &self,
        caller: &Caller,
        pupil: Uuid,
        parts: &[&str],
    ) -> Result<(pupil::Whole, Basis), Refusal> {
        let mut read = self.db.look(caller).await?;
        let seen = pupil::look(&mut read, pupil, parts).await?;
        read.end().await?;
        Ok(seen)
    }

    async fn seeks(&self, caller: &Caller, sought: Sought<'_>) -> Result<Found, Refusal> {
        let mut write = self.db.write(caller).await?;
        let (found, acts) = access::seek(&mut write, sought).await?;
        write.commit_all(acts).await?;
        Ok(found)
    }

    async fn rights_end(&self) -> i32 {
        let worker = MailDb::new(self.fresh.options(Role::Worker), 1);
        let ended = worker.rights_end().await.unwrap();
        worker.close().await;
        ended
    }

    /// The acts of the log after a place in it, as a superuser reads them.
    pub async fn acts_after(&mut self, seq: &str) -> String {
        let tenant = self.oakfield;
        self.text(&format!(
            "select string_agg(act || coalesce(' ' || (closes ->> 'code'), ''), ', ' order by seq) from event
             where tenant_id = '{tenant}' and seq > {seq}"
        ))
        .await
    }

    pub async fn log_at(&mut self) -> String {
        let tenant = self.oakfield;
        self.text(&format!(
            "select seq::text from sec.event_head where tenant_id = '{tenant}'"
        ))
        .await
    }
}

const REASON: Sought<'static> = Sought {
    first_name: "Elliot",
    last_name: "Price",
    registration: "",
    reason: "incident",
    words: "He fell in the yard when I was on duty.",
};

#[tokio::test]
async fn with_any_sql_a_teacher_sees_exactly_their_caseload_and_a_cover_teacher_only_for_its_time()
{
    let (mut scene, roll) = Scene::with_roll().await;
    assert_eq!(scene.sees(TEACHER).await, roll.of_w());
    assert_eq!(scene.sees(ASSISTANT).await, BTreeSet::from([roll.chidi]));
    assert_eq!(scene.sees(OTHER_TEACHER).await, BTreeSet::new());
    assert_eq!(
        scene.sees_in(TEACHER, "group_pupil", "pupil_id").await,
        roll.of_w()
    );

    // Lucy covers 5B: before its time nothing, during it the class, after it nothing.
    let (admin, lucy) = (scene.caller(ADMIN).await, scene.place(COVER).await);
    let until = scene.now().await + Duration::hours(6);
    let cover = scene
        .gives(&admin, lucy, Of::Group(roll.b), Some(until))
        .await
        .unwrap();
    for (from, to, sees) in [
        ("1 hour", "6 hours", false),
        ("-1 hour", "6 hours", true),
        ("-1 hour", "1 millisecond", true),
        ("-6 hours", "0 seconds", false),
        ("-6 hours", "-1 second", false),
    ] {
        // Measured from the moment at which Lucy's transaction began, so that its last moment can be met.
        let during = format!(
            "update caseload set during = tstzrange($now + interval '{from}', $now + interval '{to}') where id = '{cover}'"
        );
        let rows = scene
            .sees_while(
                COVER,
                &during,
                "select id::text from pupil union all select pupil_id::text from group_pupil",
            )
            .await;
        let rows: BTreeSet<Uuid> = rows.iter().map(|id| id.parse().unwrap()).collect();
        let expected = if sees { roll.of_b() } else { BTreeSet::new() };
        assert_eq!(rows, expected, "from {from} to {to}");
    }
    // Who joins the class during it is seen, and who leaves it is not.
    scene
        .sql(&format!(
            "update caseload set during = tstzrange(now() - interval '1 hour', now() + interval '1 hour') where id = '{cover}'"
        ))
        .await;
    let today = scene.today().await;
    scene
        .joins(&admin, roll.b, roll.farah, today)
        .await
        .unwrap();
    change(&scene.db, &admin, async |write| {
        Ok(((), group::leave(write, roll.b, roll.elliot, today).await?))
    })
    .await
    .unwrap();
    assert_eq!(
        scene.sees(COVER).await,
        BTreeSet::from([roll.other_aisha, roll.farah])
    );
}

#[tokio::test]
async fn the_school_is_seen_by_those_who_lead_it_and_by_nobody_else_beside_teachers() {
    let (mut scene, roll) = Scene::with_roll().await;
    for email in [ADMIN, HEAD, SENCO] {
        assert_eq!(scene.sees(email).await, roll.all(), "{email}");
    }
    let tables = [
        ("pupil", "id"),
        ("group_pupil", "pupil_id"),
        ("caseload", "coalesce(pupil_id, group_id)"),
        ("pupil_read", "pupil_id"),
        ("pupil_access", "pupil_id"),
        ("guardian_link", "pupil_id"),
        ("contact_restriction", "pupil_id"),
        ("teaching_group", "id"),
    ];
    let (admin, oluwaseun) = (scene.caller(ADMIN).await, scene.place(PARENT).await);
    change(&scene.db, &admin, async |write| {
        let relation = Relation::Mother;
        Ok((
            (),
            guardian::link(write, roll.aisha, oluwaseun, relation).await?,
        ))
    })
    .await
    .unwrap();
    for (table, column) in tables {
        for email in [CLERK, CHAIR, GOVERNOR, OTHER_PARENT] {
            let seen = scene.sees_in(email, table, column).await;
            assert_eq!(seen, BTreeSet::new(), "{email} in {table}");
        }
    }
    // A mother reads that she is one, and no pupil.
    assert_eq!(scene.sees(PARENT).await, BTreeSet::new());
    assert_eq!(
        scene.sees_in(PARENT, "guardian_link", "pupil_id").await,
        BTreeSet::from([roll.aisha])
    );
}

#[tokio::test]
async fn whose_role_or_place_ends_sees_no_pupil_whatever_their_caseload_says() {
    let (mut scene, roll) = Scene::with_roll().await;
    let (admin, imran) = (scene.caller(ADMIN).await, scene.place(TEACHER).await);
    give_role(&scene.db, &admin, imran, Held::Governor)
        .await
        .unwrap();
    drop_role(&scene.db, &admin, imran, Held::Teacher)
        .await
        .unwrap();
    assert_eq!(scene.sees(TEACHER).await, BTreeSet::new());
    give_role(&scene.db, &admin, imran, Held::Teacher)
        .await
        .unwrap();
    assert_eq!(scene.sees(TEACHER).await, roll.of_w());
    // Who was removed and comes back begins without a caseload.
    let stepped = scene.caller(ADMIN).await;
    remove(&scene.db, &stepped, imran).await.unwrap();
    assert_eq!(
        scene
            .text("select count(*)::text from caseload where during @> now()")
            .await,
        "1"
    );
}

#[tokio::test]
async fn without_the_condition_of_time_the_matrix_of_a_cover_teacher_is_another() {
    let (mut scene, roll) = Scene::with_roll().await;
    let (admin, lucy) = (scene.caller(ADMIN).await, scene.place(COVER).await);
    let until = scene.now().await + Duration::hours(6);
    scene
        .gives(&admin, lucy, Of::Group(roll.b), Some(until))
        .await
        .unwrap();
    scene
        .sql("update caseload set during = tstzrange(now() - interval '2 hours', now() - interval '1 hour') where cover")
        .await;
    assert_eq!(scene.sees(COVER).await, BTreeSet::new());
    scene
        .rewrite(
            "sec.pupils_of(uuid, uuid, timestamptz)",
            "c.membership_id = pupils_of.membership and c.during @> moment",
            "c.membership_id = pupils_of.membership",
        )
        .await;
    assert_eq!(scene.sees(COVER).await, roll.of_b());
}

#[tokio::test]
async fn beyond_the_caseload_nothing_is_seen_without_a_reason_and_for_one_hour_with_it() {
    let (mut scene, roll) = Scene::with_roll().await;
    let imran = scene.caller(TEACHER).await;
    let before = scene.log_at().await;
    assert_eq!(
        scene
            .looks(&imran, roll.elliot, &["timeline"])
            .await
            .unwrap_err(),
        Refusal::NotFound
    );
    for (sought, fault) in [
        (
            Sought {
                reason: "",
                ..REASON
            },
            Fault::Reason,
        ),
        (
            Sought {
                reason: "curious",
                ..REASON
            },
            Fault::Reason,
        ),
        (
            Sought {
                words: "",
                ..REASON
            },
            Fault::Words,
        ),
        (
            Sought {
                words: "because",
                ..REASON
            },
            Fault::Words,
        ),
    ] {
        assert_eq!(
            scene.seeks(&imran, sought).await.unwrap_err(),
            Refusal::Pupil(fault)
        );
    }
    assert_eq!(scene.acts_after(&before).await, "");
    assert_eq!(scene.sees(TEACHER).await, roll.of_w());

    // A name that nobody bears is asked all the same, and stands in the log without the name.
    let nobody = Sought {
        first_name: "Elliott",
        ..REASON
    };
    assert_eq!(
        scene.seeks(&imran, nobody).await,
        Ok(Found::Other(Fault::NobodyCalled))
    );
    assert_eq!(scene.acts_after(&before).await, "pupil.sought");
    assert_eq!(scene.sees(TEACHER).await, roll.of_w());

    assert_eq!(
        scene.seeks(&imran, REASON).await,
        Ok(Found::One(roll.elliot))
    );
    let mut with = roll.of_w();
    with.insert(roll.elliot);
    assert_eq!(scene.sees(TEACHER).await, with);
    let (whole, basis) = scene
        .looks(&imran, roll.elliot, &["timeline"])
        .await
        .unwrap();
    assert_eq!(
        (whole.pupil.called().as_str(), basis),
        ("Elliot Price", Basis::Reason)
    );
    let open = access::open(&mut scene.reading(&imran).await)
        .await
        .unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!(
        (open[0].pupil, open[0].reason),
        (roll.elliot, Reason::Incident)
    );
    // Whoever goes through it reads the reason beside what was looked at.
    let admin = scene.caller(ADMIN).await;
    let looked = access::looked_at(&mut scene.reading(&admin).await, Some(roll.elliot), 10)
        .await
        .unwrap();
    assert_eq!(looked.len(), 1);
    assert_eq!(looked[0].by, "Imran Siddiqui");
    assert_eq!(
        looked[0].reason,
        Some((Reason::Incident, REASON.words.to_owned()))
    );
    // The hour ends by the clock, in the log and for the pages that are open.
    let before = scene.log_at().await;
    scene
        .sql("update pupil_access set opened_at = now() - interval '1 hour', until = now() - interval '1 second'")
        .await;
    assert_eq!(scene.sees(TEACHER).await, roll.of_w());
    assert_eq!(scene.rights_end().await, 1);
    assert_eq!(scene.acts_after(&before).await, "pupil.closed 4403");
    assert_eq!(scene.rights_end().await, 0);
}

#[tokio::test]
async fn two_of_one_name_are_told_apart_by_their_group_and_neither_is_shown_before() {
    let (mut scene, roll) = Scene::with_roll().await;
    let kwame = scene.caller(OTHER_TEACHER).await;
    let aisha = Sought {
        first_name: "aisha ",
        last_name: "KHAN",
        ..REASON
    };
    assert_eq!(
        scene.seeks(&kwame, aisha).await,
        Ok(Found::Other(Fault::SeveralCalled(2)))
    );
    assert_eq!(scene.sees(OTHER_TEACHER).await, BTreeSet::new());
    let of_b = Sought {
        registration: "5b",
        ..aisha
    };
    assert_eq!(
        scene.seeks(&kwame, of_b).await,
        Ok(Found::One(roll.other_aisha))
    );
    assert_eq!(
        scene.sees(OTHER_TEACHER).await,
        BTreeSet::from([roll.other_aisha])
    );
    // Only who has a caseload may look beyond it: not a clerk, a governor, a parent, and none of them by SQL.
    for email in [CLERK, GOVERNOR, PARENT] {
        let caller = scene.caller(email).await;
        assert_eq!(
            scene.seeks(&caller, REASON).await.unwrap_err(),
            Refusal::NotAllowed,
            "{email}"
        );
        let sql = "select many from sec.seek_pupil('Elliot', 'Price', '', 'incident', 'He fell in the yard.')";
        assert_eq!(scene.raw(email, sql).await.unwrap_err(), "42501", "{email}");
    }
}

#[tokio::test]
async fn looking_is_put_down_with_its_right_and_parts_once_in_ten_minutes_and_read_by_few() {
    let (mut scene, roll) = Scene::with_roll().await;
    let (imran, harriet) = (scene.caller(TEACHER).await, scene.caller(SENCO).await);
    for _ in 0..3 {
        scene
            .looks(&imran, roll.aisha, &["timeline"])
            .await
            .unwrap();
    }
    scene.looks(&imran, roll.aisha, &["trend"]).await.unwrap();
    scene
        .looks(&harriet, roll.aisha, &["timeline"])
        .await
        .unwrap();
    let admin = scene.caller(ADMIN).await;
    let looked = access::looked_at(&mut scene.reading(&admin).await, None, 10)
        .await
        .unwrap();
    let told: Vec<_> = looked
        .iter()
        .map(|looked| (looked.by.as_str(), looked.basis, looked.parts.join(" ")))
        .collect();
    assert_eq!(
        told,
        [
            ("Harriet Beaumont", Basis::Role, "timeline".to_owned()),
            ("Imran Siddiqui", Basis::Caseload, "trend".to_owned()),
            ("Imran Siddiqui", Basis::Caseload, "timeline".to_owned()),
        ]
    );
    scene
        .sql("update pupil_read set at = at - interval '11 minutes'")
        .await;
    scene
        .looks(&imran, roll.aisha, &["timeline"])
        .await
        .unwrap();
    assert_eq!(
        scene.text("select count(*)::text from pupil_read").await,
        "4"
    );

    // A look that is given up shows nothing and is not put down.
    let mut given_up = scene.db.look(&imran).await.unwrap();
    pupil::look(&mut given_up, roll.benedict, &["timeline"])
        .await
        .unwrap();
    drop(given_up);
    // And in a plain snapshot nobody looks at all.
    let mut plain = scene.reading(&imran).await;
    assert!(
        pupil::look(&mut plain, roll.benedict, &["timeline"])
            .await
            .is_err()
    );
    drop(plain);
    assert_eq!(
        scene.text("select count(*)::text from pupil_read").await,
        "4"
    );

    // The data protection lead reads it, and those who were looked for do not.
    let kwame = scene.place(OTHER_TEACHER).await;
    change(&scene.db, &admin, async |write| {
        let act = duty::give(write, Duty::DataProtection, kwame, "Room 2", "").await?;
        Ok(((), act))
    })
    .await
    .unwrap();
    let reader = scene.caller(OTHER_TEACHER).await;
    let looked = access::looked_at(&mut scene.reading(&reader).await, None, 10)
        .await
        .unwrap();
    assert_eq!(looked.len(), 4);
    assert!(looked.iter().all(|looked| looked.pupil.is_none()));
    for email in [TEACHER, SENCO, HEAD, CLERK, PARENT] {
        let caller = scene.caller(email).await;
        assert_eq!(
            access::looked_at(&mut scene.reading(&caller).await, None, 10)
                .await
                .unwrap_err(),
            Refusal::NotFound,
            "{email}"
        );
        assert_eq!(
            scene.raw(email, "select from pupil_read").await,
            Ok(0),
            "{email}"
        );
    }
    for sql in [
        "delete from pupil_read",
        "update pupil_read set basis = 'role'",
        "insert into pupil_read (tenant_id, membership_id, pupil_id, basis, parts)
           select tenant_id, membership_id, pupil_id, 'role', '{x}' from pupil_read",
    ] {
        assert_eq!(scene.raw(ADMIN, sql).await.unwrap_err(), "42501", "{sql}");
    }
}

#[tokio::test]
async fn what_is_done_about_pupils_is_in_the_log_of_those_who_see_them_and_no_name_is() {
    let mut scene = Scene::new().await;
    let before = scene.log_at().await;
    scene.roll().await;
    let imran = scene.caller(TEACHER).await;
    scene.seeks(&imran, REASON).await.unwrap();
    let after = scene.log_at().await;
    let (before, after): (i64, i64) = (before.parse().unwrap(), after.parse().unwrap());
    assert!(after - before > 15);
    let admin = scene.caller(ADMIN).await;
    let clerk = scene.caller(CLERK).await;
    let mut seen = Vec::new();
    for caller in [&admin, &clerk] {
        let lines = audit::timeline(
            &mut scene.reading(caller).await,
            &LogFilter::default(),
            None,
        )
        .await
        .unwrap()
        .entries;
        seen.push(lines.iter().filter(|line| line.seq > before).count());
    }
    assert_eq!(i64::try_from(seen[0]).unwrap(), after - before);
    assert_eq!(seen[1], 0);
    // To the clerk they are places and hashes, so that their copy of the log is a chain all the same.
    let withheld = format!("select from sec.withheld({before}, {after})");
    assert_eq!(
        scene.raw(CLERK, &withheld).await,
        Ok(u64::try_from(after - before).unwrap())
    );
    assert_eq!(scene.raw(ADMIN, &withheld).await, Ok(0));
    let tenant = scene.oakfield;
    for name in [
        "Aisha",
        "Khan",
        "Price",
        "fell in the yard",
        "4W",
        "2016-05-09",
    ] {
        let found = scene
            .text(&format!(
                "select count(*)::text from event where tenant_id = '{tenant}' and detail::text like '%{name}%'"
            ))
            .await;
        assert_eq!(found, "0", "{name}");
    }
}

#[tokio::test]
async fn a_contact_restriction_takes_a_child_from_the_page_at_once_and_tells_nothing() {
    let (mut scene, roll) = Scene::with_roll().await;
    let admin = scene.caller(ADMIN).await;
    let (mother, father) = (scene.place(PARENT).await, scene.place(OTHER_PARENT).await);
    for (person, relation) in [(mother, Relation::Mother), (father, Relation::Father)] {
        change(&scene.db, &admin, async |write| {
            Ok((
                (),
                guardian::link(write, roll.aisha, person, relation).await?,
            ))
        })
        .await
        .unwrap();
    }
    let callers = [scene.caller(PARENT).await, scene.caller(OTHER_PARENT).await];
    for caller in &callers {
        let children = guardian::children(&mut scene.reading(caller).await)
            .await
            .unwrap();
        assert_eq!(children.len(), 1);
        assert_eq!(children[0].called, "Aisha");
    }
    let before = scene.log_at().await;
    change(&scene.db, &admin, async |write| {
        let words = "Order of the family court at Leeds, 2 March 2026";
        Ok((
            (),
            guardian::restrict(write, roll.aisha, father, words, None).await?,
        ))
    })
    .await
    .unwrap();
    assert_eq!(scene.acts_after(&before).await, "restriction.made 4403");
    let children = [
        guardian::children(&mut scene.reading(&callers[0]).await)
            .await
            .unwrap(),
        guardian::children(&mut scene.reading(&callers[1]).await)
            .await
            .unwrap(),
    ];
    assert_eq!((children[0].len(), children[1].len()), (1, 0));
    for table in [
        "guardian_link",
        "contact_restriction",
        "pupil",
        "pupil_read",
    ] {
        let sql = format!("select from {table}");
        assert_eq!(scene.raw(OTHER_PARENT, &sql).await, Ok(0), "{table}");
    }
    assert_eq!(scene.news(&callers[1]).await, Vec::<String>::new());
    // The school still sees the link, with what is in its way; a restriction whose last day is over is in nobody's.
    let links = guardian::of_pupil(&mut scene.reading(&admin).await, roll.aisha)
        .await
        .unwrap();
    assert_eq!(links.len(), 2);
    let restricted: Vec<_> = links
        .iter()
        .filter(|link| link.restricted.is_some())
        .collect();
    assert_eq!((restricted.len(), restricted[0].person), (1, father));
    // So does the SENCO, who does not otherwise see who the parents are.
    let harriet = scene.caller(SENCO).await;
    let seen = guardian::of_pupil(&mut scene.reading(&harriet).await, roll.aisha)
        .await
        .unwrap();
    assert_eq!(seen, links);
    let sql = format!("select from sec.guardians_called('{}')", roll.aisha);
    for email in [TEACHER, CLERK, PARENT] {
        assert_eq!(scene.raw(email, &sql).await, Ok(0), "{email}");
    }
    scene
        .sql("update contact_restriction set until = current_date - 2")
        .await;
    assert_eq!(
        guardian::children(&mut scene.reading(&callers[1]).await)
            .await
            .unwrap()
            .len(),
        1
    );
    scene
        .sql("update contact_restriction set until = null")
        .await;
    let id = restricted[0].restricted.as_ref().unwrap().id;
    // Nobody lifts one in a session that proved nothing lately.
    let stale = Caller {
        token: scene
            .behind
            .session(Some("oakfield"), ADMIN, Stand::Full)
            .await,
        tenant: scene.oakfield,
    };
    let lifted = change(&scene.db, &stale, async |write| {
        Ok(((), guardian::lift(write, id).await?))
    })
    .await;
    assert_eq!(lifted, Err(Refusal::StepUpNeeded));
    change(&scene.db, &admin, async |write| {
        Ok(((), guardian::lift(write, id).await?))
    })
    .await
    .unwrap();
    assert_eq!(
        guardian::children(&mut scene.reading(&callers[1]).await)
            .await
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn only_teachers_have_a_caseload_only_parents_children_and_only_those_who_lead_give_them() {
    let (mut scene, roll) = Scene::with_roll().await;
    let admin = scene.caller(ADMIN).await;
    let (dilip, imran) = (scene.place(GOVERNOR).await, scene.place(TEACHER).await);
    let refused = |fault| Err(Refusal::Pupil(fault));
    assert_eq!(
        scene.gives(&admin, dilip, Of::Group(roll.b), None).await,
        refused(Fault::NotTeacher)
    );
    assert_eq!(
        scene.gives(&admin, imran, Of::Group(roll.w), None).await,
        refused(Fault::CaseloadTwice)
    );
    let linked = change(&scene.db, &admin, async |write| {
        Ok((
            (),
            guardian::link(write, roll.aisha, dilip, Relation::Other).await?,
        ))
    })
    .await;
    assert_eq!(linked, Err(Refusal::Pupil(Fault::NotParent)));
    let from = scene.now().await;
    let no_end = change(&scene.db, &admin, async |write| {
        caseload::give(write, imran, Of::Group(roll.b), from, None, true).await
    })
    .await;
    assert_eq!(no_end.unwrap_err(), Refusal::Pupil(Fault::CoverEnds));
    for email in [TEACHER, CLERK, GOVERNOR, PARENT] {
        let caller = scene.caller(email).await;
        let given = scene.gives(&caller, imran, Of::Group(roll.b), None).await;
        assert!(
            matches!(given, Err(Refusal::NotAllowed | Refusal::NotFound)),
            "{email}: {given:?}"
        );
        let sql = format!(
            "insert into caseload (tenant_id, membership_id, group_id, during, given_by)
             select sec.tenant(), '{imran}', '{}', tstzrange(now(), null), sec.membership()",
            roll.b
        );
        assert_eq!(
            scene.raw(email, &sql).await.unwrap_err(),
            "42501",
            "{email}"
        );
        let stretched = scene
            .raw(
                email,
                "update caseload set during = tstzrange('2020-01-01', null)",
            )
            .await;
        assert!(
            matches!(stretched, Ok(0) | Err(_)),
            "{email}: {stretched:?}"
        );
    }
    // The SENCO gives one, and ends it: the pages that show it close.
    let harriet = scene.caller(SENCO).await;
    let kwame = scene.place(OTHER_TEACHER).await;
    let given = scene
        .gives(&harriet, kwame, Of::Pupil(roll.farah), None)
        .await
        .unwrap();
    assert_eq!(
        scene.sees(OTHER_TEACHER).await,
        BTreeSet::from([roll.farah])
    );
    let before = scene.log_at().await;
    change(&scene.db, &harriet, async |write| {
        Ok(((), caseload::end(write, given).await?))
    })
    .await
    .unwrap();
    assert_eq!(scene.acts_after(&before).await, "caseload.ended 4403");
    assert_eq!(scene.sees(OTHER_TEACHER).await, BTreeSet::new());
    let again = change(&scene.db, &harriet, async |write| {
        Ok(((), caseload::end(write, given).await?))
    })
    .await;
    assert_eq!(again, Err(Refusal::Stale));
    assert_eq!(scene.rights_end().await, 0, "it was told already");
}

#[tokio::test]
async fn cover_that_runs_out_is_told_once_and_closes_the_pages_of_its_holder_alone() {
    let (mut scene, roll) = Scene::with_roll().await;
    let (admin, lucy) = (scene.caller(ADMIN).await, scene.place(COVER).await);
    let until = scene.now().await + Duration::hours(6);
    scene
        .gives(&admin, lucy, Of::Group(roll.b), Some(until))
        .await
        .unwrap();
    assert_eq!(scene.rights_end().await, 0);
    let before = scene.log_at().await;
    scene
        .sql("update caseload set during = tstzrange(lower(during), now()) where cover")
        .await;
    assert_eq!(scene.rights_end().await, 1);
    assert_eq!(scene.rights_end().await, 0);
    assert_eq!(scene.acts_after(&before).await, "caseload.ended 4403");
    let account = scene.behind.account(COVER).await;
    let tenant = scene.oakfield;
    let closes = scene
        .text(&format!(
            "select closes ->> 'accounts' from event where tenant_id = '{tenant}' order by seq desc limit 1"
        ))
        .await;
    assert_eq!(closes, format!("[\"{account}\"]"));
}

#[tokio::test]
async fn the_roll_is_kept_by_administrators_and_says_what_is_wrong_with_what_was_typed() {
    let mut scene = Scene::new().await;
    scene.roll().await;
    let admin = scene.caller(ADMIN).await;
    let today = scene.today().await;
    let good = Typed {
        upn: "b801200005001".to_owned(),
        admission_number: "0042".to_owned(),
        sex: "F".to_owned(),
        ..typed("Dominika", "Wiśniewska", "31 August 2016", "Year 5")
    };
    let add = async |typed: &Typed| {
        change(&scene.db, &admin, async |write| {
            pupil::add(write, typed, today).await
        })
        .await
    };
    for (wrong, field) in [
        (
            Typed {
                upn: "A801200005001".to_owned(),
                ..good.clone()
            },
            "upn",
        ),
        (
            Typed {
                born: "31 February 2016".to_owned(),
                ..good.clone()
            },
            "born",
        ),
        (
            Typed {
                born: "1 May 2062".to_owned(),
                ..good.clone()
            },
            "born",
        ),
        (
            Typed {
                first_name: " ".to_owned(),
                ..good.clone()
            },
            "first_name",
        ),
        (
            Typed {
                last_name: "a\u{202e}b".to_owned(),
                ..good.clone()
            },
            "last_name",
        ),
        (
            Typed {
                year: "Year 31".to_owned(),
                ..good.clone()
            },
            "year",
        ),
        (
            Typed {
                preferred_name: "Nika".to_owned(),
                ..good.clone()
            },
            "preferred_name",
        ),
        (
            Typed {
                admission_number: "4".repeat(21),
                ..good.clone()
            },
            "admission_number",
        ),
    ] {
        let refusal = add(&wrong).await.unwrap_err();
        assert_eq!(refusal.field(), Some(field), "{refusal}");
    }
    let dominika = add(&good).await.unwrap();
    let twin = Typed {
        first_name: "Kasia".to_owned(),
        admission_number: String::new(),
        ..good.clone()
    };
    assert_eq!(add(&twin).await, Err(Refusal::Pupil(Fault::UpnTaken)));
    let twin = Typed {
        upn: String::new(),
        admission_number: "0042".to_owned(),
        ..twin
    };
    assert_eq!(add(&twin).await, Err(Refusal::Pupil(Fault::AdmissionTaken)));
    add(&Typed {
        admission_number: String::new(),
        ..twin
    })
    .await
    .unwrap();

    let corrected = async |typed: &Typed| {
        change(&scene.db, &admin, async |write| {
            Ok(((), pupil::correct(write, dominika, typed, today).await?))
        })
        .await
    };
    assert_eq!(corrected(&good).await, Err(Refusal::Stale));
    corrected(&Typed {
        year: "6".to_owned(),
        ..good.clone()
    })
    .await
    .unwrap();
    for email in [HEAD, SENCO, TEACHER, CLERK] {
        let caller = scene.caller(email).await;
        let added = change(&scene.db, &caller, async |write| {
            pupil::add(write, &good, today).await
        })
        .await;
        assert_eq!(added.unwrap_err(), Refusal::NotAllowed, "{email}");
    }
    // The schema holds the rule of the number, whatever the application says.
    for wrong in [
        "A801200005001",
        "B80120000500",
        "I801200005001",
        "B801200005002",
    ] {
        let sql = format!("update pupil set upn = '{wrong}' where id = '{dominika}'");
        let told = scene.raw(ADMIN, &sql).await.unwrap_err();
        assert!(told.starts_with("23514 pupil_upn_"), "{wrong}: {told}");
    }
    for good in [
        "P207000016049",
        "M80120000500A",
        "Y80120000500Z",
        "N938400024001",
        "G940200025001",
    ] {
        let sql = format!("update pupil set upn = '{good}' where id = '{dominika}'");
        assert_eq!(scene.raw(ADMIN, &sql).await, Ok(1), "{good}");
    }
}

#[tokio::test]
async fn who_leaves_is_in_no_group_and_on_nobodys_caseload_and_stays_on_record() {
    let (mut scene, roll) = Scene::with_roll().await;
    let admin = scene.caller(ADMIN).await;
    let today = scene.today().await;
    let leave = async |last: Date| {
        change(&scene.db, &admin, async |write| {
            Ok(((), pupil::leave(write, roll.chidi, last, today).await?))
        })
        .await
    };
    assert_eq!(
        leave(today + Duration::days(1)).await,
        Err(Refusal::DayAhead)
    );
    leave(today - Duration::days(1)).await.unwrap();
    assert_eq!(leave(today).await, Err(Refusal::Stale));
    assert_eq!(
        scene.sees(TEACHER).await,
        BTreeSet::from([roll.aisha, roll.benedict])
    );
    assert_eq!(scene.sees(ASSISTANT).await, BTreeSet::new());
    assert_eq!(scene.sees(SENCO).await, roll.all());
    let listed = pupil::list(
        &mut scene.reading(&admin).await,
        Whose::Seen,
        &Filter {
            left: true,
            ..Filter::default()
        },
        1,
    )
    .await
    .unwrap();
    assert_eq!(listed.rows.len(), 1);
    assert_eq!(listed.rows[0].left_on, Some(today));
    change(&scene.db, &admin, async |write| {
        Ok(((), pupil::come_back(write, roll.chidi).await?))
    })
    .await
    .unwrap();
    assert_eq!(scene.sees(TEACHER).await.len(), 2);
}

#[tokio::test]
async fn a_list_is_of_the_caseload_or_of_what_is_seen_and_counts_nobody_else() {
    let (mut scene, roll) = Scene::with_roll().await;
    let (imran, admin) = (scene.caller(TEACHER).await, scene.caller(ADMIN).await);
    let list = async |caller: &Caller, whose, filter: Filter| {
        pupil::list(&mut scene.reading(caller).await, whose, &filter, 1)
            .await
            .unwrap()
    };
    let mine = list(&imran, Whose::Mine, Filter::default()).await;
    let names: Vec<_> = mine.rows.iter().map(pupil::Pupil::called).collect();
    assert_eq!(
        names,
        ["Chidi Eze", "Aisha Khan", "Benedict O’Rourke-Mensah"]
    );
    assert_eq!(mine.matching, 3);
    assert_eq!(mine.rows[0].registration.as_deref(), Some("4W"));
    let words = Filter {
        words: "ben ROUR".to_owned(),
        ..Filter::default()
    };
    assert_eq!(list(&imran, Whose::Seen, words).await.matching, 1);
    let other = Filter {
        group: Some(roll.b),
        ..Filter::default()
    };
    assert_eq!(list(&imran, Whose::Seen, other.clone()).await.matching, 0);
    assert_eq!(list(&admin, Whose::Seen, other).await.matching, 2);
    assert_eq!(
        list(&admin, Whose::Mine, Filter::default()).await.matching,
        0
    );
    let groups = group::all(&mut scene.reading(&imran).await).await.unwrap();
    let told: Vec<_> = groups
        .iter()
        .map(|group| (group.group.name.as_str(), group.pupils))
        .collect();
    assert_eq!(told, [("4W", 3), ("5B", 0)], "as far as Imran sees");
}

#[tokio::test]
async fn an_optional_field_is_off_until_somebody_says_what_it_is_for_and_off_means_gone() {
    let (mut scene, roll) = Scene::with_roll().await;
    let admin = scene.caller(ADMIN).await;
    let today = scene.today().await;
    let called = Typed {
        preferred_name: "Ben".to_owned(),
        ..typed("Benedict", "O’Rourke-Mensah", "9 May 2016", "5")
    };
    let on = async |purpose: &str| {
        change(&scene.db, &admin, async |write| {
            Ok((
                (),
                duty::switch_on(write, Field::PreferredName, purpose).await?,
            ))
        })
        .await
    };
    assert_eq!(on("names").await, Err(Refusal::Pupil(Fault::Purpose)));
    on("So that everybody calls a pupil what they want to be called.")
        .await
        .unwrap();
    change(&scene.db, &admin, async |write| {
        Ok((
            (),
            pupil::correct(write, roll.benedict, &called, today).await?,
        ))
    })
    .await
    .unwrap();
    assert_eq!(
        scene
            .text("select preferred_name from pupil where preferred_name is not null")
            .await,
        "Ben"
    );
    change(&scene.db, &admin, async |write| {
        Ok(((), duty::switch_off(write, Field::PreferredName).await?))
    })
    .await
    .unwrap();
    assert_eq!(
        scene
            .text("select count(*)::text from pupil where preferred_name is not null")
            .await,
        "0"
    );
    let always = change(&scene.db, &admin, async |write| {
        Ok((
            (),
            duty::switch_on(write, Field::Upn, "It is on in any case.").await?,
        ))
    })
    .await;
    assert_eq!(always, Err(Refusal::Stale));
}

#[tokio::test]
async fn a_topic_of_a_pupil_is_for_who_sees_them_and_none_is_for_parents() {
    let (mut scene, roll) = Scene::with_roll().await;
    for (email, topic, may) in [
        (TEACHER, Topic::Pupil(roll.aisha), true),
        (TEACHER, Topic::Pupil(roll.elliot), false),
        (SENCO, Topic::Pupil(roll.elliot), true),
        (CLERK, Topic::Pupil(roll.aisha), false),
        (PARENT, Topic::Pupil(roll.aisha), false),
        (TEACHER, Topic::Caseload, true),
        (CLERK, Topic::Caseload, false),
        (GOVERNOR, Topic::Caseload, false),
        (PARENT, Topic::Caseload, false),
    ] {
        let caller = scene.caller(email).await;
        let watches = may_watch(&mut scene.reading(&caller).await, topic).await;
        assert_eq!(watches, Ok(may), "{email}: {topic:?}");
    }
}
