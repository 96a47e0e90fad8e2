//! The library of the demo school. It is made as people make it: they sign in, file what is set in type, ask for approval and answer,
//! through the same doors as everybody, so that each step is inspected, stored, sealed and in the log.

use std::{collections::HashMap, time::Instant};

use bytes::Bytes;
use domain::{
    Refusal, TenantId,
    approval::{
        Answer, Rule, answering,
        asking::{self, Of, Question},
    },
    day,
    db::{Caller, Write},
    demo,
    event::Act,
    factor, folder,
    folder::readers::Who,
    membership,
    role::Role,
    session::{self, SignIn},
    tenancy,
};
use futures::stream;
use print::paper::{self, Kind, Paper};
use time::{Date, Duration};
use uuid::Uuid;

use crate::{clock, router::Site};

/// The school that has them.
pub(super) const SCHOOL: &str = "oakfield";

/// Who does something in it.
const ACTORS: [&str; 6] = [
    "clerk",
    "chair",
    "governor1",
    "governor2",
    "governor3",
    "governor4",
];

/// What becomes of the approval of a paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Becomes {
    /// Two of four have answered, and two are waited for.
    Open,
    Adopted,
    Rejected,
    /// All abstain, so that nobody is left to decide.
    Lapsed,
    /// Asked of the version before the last.
    Stale,
    /// Adopted before the last version came.
    Outdated,
    Withdrawn,
}

/// By the paper's place among those with more than one version, so that every state is there.
const ORDER: [Becomes; 7] = [
    Becomes::Open,
    Becomes::Outdated,
    Becomes::Adopted,
    Becomes::Stale,
    Becomes::Rejected,
    Becomes::Lapsed,
    Becomes::Withdrawn,
];

/// Files the papers where the school has none yet, and returns how many. What fails is told in the log too; the school is as usable
/// without them.
pub async fn load(site: Site) -> Result<usize, Refusal> {
    let begun = Instant::now();
    let filed = (Loader { site }).load().await;
    match &filed {
        Ok(0) => {}
        Ok(papers) => tracing::info!(
            papers,
            seconds = begun.elapsed().as_secs(),
            "the demo school has its papers"
        ),
        Err(refusal) => tracing::error!(%refusal, "the demo school has not all of its papers"),
    }
    filed
}

/// Files them, as people do.
pub(super) struct Loader {
    site: Site,
}

impl Loader {
    async fn load(&self) -> Result<usize, Refusal> {
        let Some(school) = tenancy::by_label(&self.site.services.db, SCHOOL).await? else {
            return Ok(0);
        };
        let clerk = self.sign_in(school.id, ACTORS[0]).await?;
        let mut read = self.site.services.db.read(&clerk).await?;
        if !folder::all(&mut read).await?.is_empty() {
            return Ok(0);
        }
        let people = membership::list(&mut read).await?;
        drop(read);
        let mut actors = HashMap::from([(ACTORS[0], clerk)]);
        for name in &ACTORS[1..] {
            actors.insert(*name, self.sign_in(school.id, name).await?);
        }
        let asked: Vec<Uuid> = ACTORS[1..5]
            .iter()
            .filter_map(|name| {
                let email = format!("{name}@{SCHOOL}.example");
                people
                    .iter()
                    .find(|person| person.email.as_deref() == Some(email.as_str()))
                    .map(|person| person.id)
            })
            .collect();
        let owner = |role: &str| {
            let role = Role::from_code(role)?;
            people
                .iter()
                .find(|person| person.roles.contains(&role))
                .map(|person| person.id)
        };
        let today = day::today(clock::unix_seconds());
        let mut folders: HashMap<&str, Uuid> = HashMap::new();
        let mut several = 0;
        for paper in paper::all() {
            let folder = match folders.get(paper.folder) {
                Some(folder) => *folder,
                None => {
                    let folder = self.folder(&actors[ACTORS[0]], paper.folder).await?;
                    folders.insert(paper.folder, folder);
                    folder
                }
            };
            let becomes = (paper.versions.len() > 1).then(|| {
                several += 1;
                ORDER[(several - 1) % ORDER.len()]
            });
            self.file(
                paper,
                folder,
                owner(paper.owner),
                today,
                becomes,
                &actors,
                &asked,
            )
            .await?;
        }
        Ok(paper::all().len())
    }

    /// By password and code, as everybody. The code of the step before: the one of now is the visitor's.
    async fn sign_in(&self, tenant: TenantId, name: &str) -> Result<Caller, Refusal> {
        let services = &self.site.services;
        let ask = SignIn {
            email: &format!("{name}@{SCHOOL}.example"),
            password: demo::PASSWORD,
            tenant: Some(tenant),
            shared: true,
            agent: "The demo",
            known: None,
        };
        let (token, _) = session::sign_in(&services.db, &services.hasher, ask).await?;
        let live = session::live(&services.db, token)
            .await?
            .ok_or(Refusal::SignedOut)?;
        let now = clock::unix_seconds();
        let code = demo::code(now.saturating_sub(30)).ok_or(Refusal::Broken)?;
        let token = factor::pass(&services.db, &services.secrets, token, &live, &code, now).await?;
        Ok(Caller { token, tenant })
    }

    async fn folder(&self, clerk: &Caller, name: &str) -> Result<Uuid, Refusal> {
        let readers = [
            (Who::Role(Role::Governor), false),
            (Who::Role(Role::Chair), false),
            (Who::Role(Role::Associate), false),
            (Who::Role(Role::SeniorLeader), false),
            (Who::Role(Role::Teacher), false),
            (Who::Role(Role::Senco), false),
        ];
        self.change(clerk, async |write| {
            folder::open(write, name, "", false, &readers).await
        })
        .await
    }

    pub(super) async fn change<T>(
        &self,
        caller: &Caller,
        verb: impl AsyncFnOnce(&mut Write) -> Result<(T, Act), Refusal>,
    ) -> Result<T, Refusal> {
        let mut write = self.site.services.db.write(caller).await?;
        let (done, act) = verb(&mut write).await?;
        write.commit(act).await?;
        Ok(done)
    }

    #[allow(clippy::too_many_arguments, reason = "one paper, and all it needs")]
    async fn file(
        &self,
        paper: &'static Paper,
        folder: Uuid,
        owner: Option<Uuid>,
        today: Date,
        becomes: Option<Becomes>,
        actors: &HashMap<&str, Caller>,
        asked: &[Uuid],
    ) -> Result<(), Refusal> {
        let clerk = &actors[ACTORS[0]];
        let name = format!("{}.pdf", paper.title.replace('/', "-"));
        let kind = match paper.kind {
            Kind::Policy => "policy",
            Kind::Minutes => "minutes",
            Kind::Report => "report",
            Kind::Other => "other",
        };
        let mut document = None;
        let versions = paper.versions.len();
        for (number, version) in paper.versions.iter().enumerate() {
            let bytes = tokio::task::spawn_blocking(move || paper::set(paper, number + 1, today))
                .await
                .map_err(|_| Refusal::Broken)?
                .map_err(|error| {
                    tracing::error!(%error, paper = paper.slug, "a paper cannot be set");
                    Refusal::Broken
                })?;
            let mut fields = vec![("note".to_owned(), version.note.to_owned())];
            match document {
                Some(document) => fields.push(("document".to_owned(), Uuid::to_string(&document))),
                None => {
                    let review = paper.review_months.map(|months| {
                        day::months_after(today, u16::from(months)) - Duration::days(300)
                    });
                    fields.extend([
                        ("folder".to_owned(), folder.to_string()),
                        ("title".to_owned(), paper.title.to_owned()),
                        ("kind".to_owned(), kind.to_owned()),
                        ("tags".to_owned(), paper.tags.join(", ")),
                        (
                            "owner".to_owned(),
                            owner.map(|id| id.to_string()).unwrap_or_default(),
                        ),
                        (
                            "review_by".to_owned(),
                            review.map(day::field).unwrap_or_default(),
                        ),
                    ]);
                }
            }
            let stream = stream::iter([Ok::<_, std::convert::Infallible>(Bytes::from(bytes))]);
            let taken = self
                .site
                .files
                .take_whole(&self.site, clerk, &name, &fields, stream)
                .await?;
            document = Some(taken.filed.document);
            self.talk(paper.slug, taken.filed.document, taken.filed.number, actors)
                .await?;
            let last = number + 1 == versions;
            let now = match becomes {
                Some(Becomes::Stale | Becomes::Outdated) => number + 2 == versions,
                Some(_) => last,
                None => false,
            };
            if let (Some(becomes), true) = (becomes, now) {
                let what = (taken.filed.document, taken.filed.number);
                self.approve(what, becomes, today, actors, asked).await?;
            }
        }
        Ok(())
    }

    async fn approve(
        &self,
        (document, version): (Uuid, u32),
        becomes: Becomes,
        today: Date,
        actors: &HashMap<&str, Caller>,
        asked: &[Uuid],
    ) -> Result<(), Refusal> {
        let clerk = &actors[ACTORS[0]];
        let question = Question {
            of: Of::People(asked.to_vec()),
            rule: Rule::Majority,
            reason: "For the next meeting of the board.".to_owned(),
            routine: matches!(becomes, Becomes::Open),
            due: today + Duration::days(14),
            stand_in: None,
        };
        let id = self
            .change(clerk, async |write| {
                asking::ask(write, document, version, &question).await
            })
            .await?
            .id;
        let (agree, object) = (
            (Answer::Agree, ""),
            (
                Answer::Object,
                "The figures on the second page do not add up.",
            ),
        );
        let abstain = (Answer::Abstain, "I work for the firm that is named in it.");
        let answers = match becomes {
            Becomes::Open => vec![Some(agree), None, None, Some(object)],
            Becomes::Stale => vec![Some(agree), Some(object)],
            Becomes::Adopted | Becomes::Outdated => {
                vec![Some(agree), Some(object), Some(agree), Some(agree)]
            }
            Becomes::Rejected => vec![Some(object), Some(agree), Some(object)],
            Becomes::Lapsed => vec![Some(abstain); 4],
            Becomes::Withdrawn => vec![Some(agree)],
        };
        for (name, answer) in ACTORS[1..].iter().zip(answers) {
            let Some((answer, reason)) = answer else {
                continue;
            };
            let mut write = self.site.services.db.write(&actors[name]).await?;
            let acts = answering::answer(&mut write, id, None, answer, reason).await?;
            write.commit_all(acts).await?;
        }
        if becomes == Becomes::Withdrawn {
            self.change(clerk, async |write| {
                Ok(((), asking::withdraw(write, id).await?))
            })
            .await?;
        }
        Ok(())
    }
}
