//! Who makes changes in Quorate: the clerk over HTTP, or another node as its statements reach the database.

use std::{
    fmt::Write as _,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use sqlx::{AssertSqlSafe, PgPool};
use tokio::sync::{Mutex as Turn, Notify, mpsc};
use uuid::Uuid;

use super::{
    Door, Quorate,
    seed::{Person, School},
};
use crate::{
    clock::Micros,
    fault::{Fault, Result, said},
    stats::whole,
    window::{Made, Publisher},
    workload::Bench,
};

/// How changes are written.
pub enum Way {
    /// Clerks rename people through the page's own server function; nobody is renamed twice at once.
    Clerks(Vec<Clerk>),
    /// Another node commits. Its statements are those of `domain::db::Write`, sealed as the clerk, and it rings the bus. A school's
    /// log is written by one at a time and each commit waits for the disk, so what has become due meanwhile goes into the
    /// next one together (`commit_all`): else this would be a question to the disk.
    OtherNode {
        /// The clerk's token.
        token: [u8; 16],
        /// Changes of one moment that are one job.
        batch: usize,
    },
    /// Another node commits for one school, and what is due goes in by one statement of the log's own function. Sealed and said event
    /// by event, as [`Self::OtherNode`] does it, a thousand events a second take half of the core that reads their frames.
    Log,
    /// Other nodes commit for many schools at once: ten thousand commits a second are a question to the database, and not to
    /// the hub. The log's own function appends one event for each school of the batch in one transaction; then the bus is rung.
    ManySchools {
        /// How many schools in one commit.
        batch: usize,
        /// Whom beside all others, and how many events for each of theirs: the noisy school.
        noisy: Option<(usize, u64)>,
    },
}

/// Longest that the database may take to say what it does.
const PATIENCE: Duration = Duration::from_secs(10);
/// Events in one commit, or a few more.
const TOGETHER: usize = 64;

/// Who renames whom.
#[derive(Clone)]
pub struct Clerk {
    /// Where the clerk is signed in.
    pub door: Door,
    /// As whom.
    pub cookie: String,
    /// Who is renamed, to and fro.
    pub person: Person,
}

impl Clerk {
    async fn write(self, taken: Arc<Turn<mpsc::UnboundedReceiver<usize>>>, state: Arc<State>) {
        let Self {
            door,
            cookie,
            person,
        } = self;
        let id = person.membership.to_string();
        let mut was = person.name.clone();
        let mut name = format!("{was} Renamed");
        while let Some(many) = next(&taken).await {
            for _ in 0..many {
                let form = [("id", id.as_str()), ("name", &name), ("was", &was)];
                let done = door.act("people/rename", &cookie, &form).await;
                if done.is_ok() {
                    std::mem::swap(&mut was, &mut name);
                }
                state.finish(1, done);
            }
        }
    }
}

/// Makes changes on the harness's own threads, while the load reads.
pub struct Writer {
    jobs: mpsc::UnboundedSender<usize>,
    asked: u64,
    state: Arc<State>,
    behind: PgPool,
    superuser: PgPool,
    schools: Vec<School>,
    topic: Arc<str>,
    /// Where the log of each school stood when it was last read.
    seen: Vec<i64>,
    hands: tokio::runtime::Handle,
    per_job: usize,
}

#[derive(Default)]
struct State {
    done: AtomicU64,
    failed: Mutex<Option<Fault>>,
}

impl State {
    fn finish(&self, many: usize, result: Result<()>) {
        if let Err(fault) = result {
            self.failed
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get_or_insert(fault);
        }
        self.done
            .fetch_add(u64::try_from(many).unwrap_or(0), Ordering::SeqCst);
    }
}

impl Writer {
    /// Of changes in these schools; their number in the list is the number of their sockets' group.
    pub fn new(bench: &Bench, node: &Quorate, schools: Vec<School>, way: Way) -> Result<Self> {
        Self::about(bench, node, schools, way, "people")
    }

    /// Of changes to something else than the people, which clerks do not make.
    pub fn about(
        bench: &Bench,
        node: &Quorate,
        schools: Vec<School>,
        way: Way,
        topic: &str,
    ) -> Result<Self> {
        let topic: Arc<str> = topic.into();
        let (jobs, taken) = mpsc::unbounded_channel();
        let taken = Arc::new(Turn::new(taken));
        let state = Arc::new(State::default());
        let ring = Arc::new(Notify::new());
        let _inside = bench.hands.enter();
        let per_job = match &way {
            Way::Clerks(_) => 1,
            Way::Log => TOGETHER,
            Way::OtherNode { batch, .. } | Way::ManySchools { batch, .. } => *batch,
        };
        match way {
            Way::Clerks(clerks) => {
                for clerk in clerks {
                    tokio::spawn(clerk.write(taken.clone(), state.clone()));
                }
            }
            Way::OtherNode { token, .. } => {
                let (taken, state, bell) = (taken.clone(), state.clone(), ring.clone());
                let (web, topic) = (node.web.clone(), topic.clone());
                tokio::spawn(async move {
                    while let Some(many) = all_due(&taken).await {
                        let done = commit(&web, token, many, &topic).await;
                        bell.notify_one();
                        state.finish(many, done);
                    }
                });
                tokio::spawn(ring_bus(node.bus.clone(), ring));
            }
            Way::Log => {
                let (taken, state, bell) = (taken.clone(), state.clone(), ring.clone());
                let (behind, topic) = (node.behind.clone(), topic.clone());
                let only: Vec<Uuid> = schools.iter().take(1).map(|school| school.id).collect();
                tokio::spawn(async move {
                    while let Some(many) = all_due(&taken).await {
                        let more = u64::try_from(many.saturating_sub(1)).unwrap_or(0);
                        let loud = only.first().map(|school| (*school, more));
                        let done = append(&behind, &only, loud, &topic).await;
                        bell.notify_one();
                        state.finish(many, done);
                    }
                });
                tokio::spawn(ring_bus(node.bus.clone(), ring));
            }
            Way::ManySchools { batch, noisy } => {
                let parts: Vec<Vec<Uuid>> = schools
                    .chunks(batch)
                    .map(|part| part.iter().map(|school| school.id).collect())
                    .collect();
                let loud = noisy.and_then(|(school, times)| {
                    Some((schools.get(school)?.id, times.saturating_sub(1)))
                });
                let (behind, topic) = (node.behind.clone(), topic.clone());
                let (taken, state, bell) = (taken.clone(), state.clone(), ring.clone());
                tokio::spawn(async move {
                    let mut turn = 0;
                    while let Some(many) = next(&taken).await {
                        let part = parts
                            .get(turn % parts.len().max(1))
                            .cloned()
                            .unwrap_or_default();
                        turn += 1;
                        let done = append(&behind, &part, loud, &topic).await;
                        bell.notify_one();
                        state.finish(many, done);
                    }
                });
                tokio::spawn(ring_bus(node.bus.clone(), ring));
            }
        }
        let tenants: Vec<Uuid> = schools.iter().map(|school| school.id).collect();
        let seen = bench.hands.block_on(
            sqlx::query_scalar(
                "select h.seq from unnest($1::uuid[]) with ordinality as w (tenant, place)
                 join sec.event_head h on h.tenant_id = w.tenant order by w.place",
            )
            .bind(&tenants)
            .fetch_all(&node.behind),
        )?;
        Ok(Self {
            jobs,
            asked: 0,
            state,
            behind: node.behind.clone(),
            superuser: node.superuser(bench)?,
            seen,
            schools,
            topic,
            hands: bench.hands.handle().clone(),
            per_job,
        })
    }
}

async fn next(taken: &Turn<mpsc::UnboundedReceiver<usize>>) -> Option<usize> {
    taken.lock().await.recv().await
}

/// What has become due until now.
async fn all_due(taken: &Turn<mpsc::UnboundedReceiver<usize>>) -> Option<usize> {
    let mut taken = taken.lock().await;
    let mut many = taken.recv().await?;
    while let (true, Ok(more)) = (many < TOGETHER, taken.try_recv()) {
        many += more;
    }
    Some(many)
}

/// Begins, seals, appends and commits in one round trip.
async fn commit(web: &PgPool, token: [u8; 16], events: usize, topic: &str) -> Result<()> {
    let hex = token.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    let mut statement = format!("begin; select sec.enter('\\x{hex}'); ");
    for _ in 0..events {
        let _ = write!(
            statement,
            "select sec.append('membership.renamed', null, '{{}}', array['{topic}'], null); "
        );
    }
    statement.push_str("commit");
    // Sixteen bytes in hexadecimal and the name of a topic, and nothing else of anybody's.
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(web).await?;
    Ok(())
}

async fn append(
    behind: &PgPool,
    schools: &[Uuid],
    loud: Option<(Uuid, u64)>,
    topic: &str,
) -> Result<()> {
    let (loud, times) = loud.map_or((None, 0), |(school, times)| (Some(school), times));
    let times = i32::try_from(times).unwrap_or(i32::MAX);
    // In the order of their ids, as `sec.append_for` asks of whoever writes to several logs.
    sqlx::query(
        "select sec.append_for(t, null, 'membership.renamed', null, '{}', array[$4], null)
         from (select t from unnest($1::uuid[]) t
               cross join lateral generate_series(0, case when t = $2 then $3 else 0 end) order by t) all_of_them",
    )
    .bind(schools)
    .bind(loud)
    .bind(times)
    .bind(topic)
    .execute(behind)
    .await?;
    Ok(())
}

/// As `server/src/bus.rs` does it: rings within five milliseconds are one.
async fn ring_bus(bus: PgPool, ring: Arc<Notify>) {
    let node = Uuid::new_v4().to_string();
    loop {
        ring.notified().await;
        // A ring that is lost costs the relay its polling interval, which is what would be seen.
        let _ = sqlx::query("select pg_notify('quorate', $1)")
            .bind(&node)
            .execute(&bus)
            .await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

impl Publisher for Writer {
    /// What is due at one moment goes into one commit, as far as the way has it; what is due at another is another change.
    fn publish(&mut self, due: &[Micros]) -> Result<()> {
        self.asked += u64::try_from(due.len()).unwrap_or(0);
        let moments = due.chunk_by(|one, other| one == other);
        for part in moments.flat_map(|moment| moment.chunks(self.per_job)) {
            self.jobs
                .send(part.len())
                .map_err(|_| said("Nobody makes changes any more."))?;
        }
        Ok(())
    }

    fn done(&mut self) -> Result<bool> {
        let failed = self
            .state
            .failed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match failed {
            Some(fault) => Err(fault),
            None => Ok(self.state.done.load(Ordering::SeqCst) >= self.asked),
        }
    }

    /// What the log says, which is what everybody must have been told: also a change that nobody asked for.
    fn made(&mut self) -> Result<Vec<Made>> {
        self.done()?;
        let tenants: Vec<Uuid> = self.schools.iter().map(|school| school.id).collect();
        let rows: Vec<(i32, i64, f64, bool)> = self.hands.block_on(
            sqlx::query_as(
                "select w.place::integer - 1, e.seq, (extract(epoch from e.at) * 1000000)::float8, $3 = any (e.topics)
                 from unnest($1::uuid[], $2::bigint[]) with ordinality as w (tenant, seen, place)
                 join event e on e.tenant_id = w.tenant and e.seq > w.seen order by 1, 2",
            )
            .bind(&tenants)
            .bind(&self.seen)
            .bind(self.topic.as_ref())
            .fetch_all(&self.behind),
        )?;
        let mut made = Vec::with_capacity(rows.len());
        for (place, seq, at, watched) in rows {
            let group = u32::try_from(place).unwrap_or(u32::MAX);
            if let Some(seen) = usize::try_from(place)
                .ok()
                .and_then(|place| self.seen.get_mut(place))
            {
                *seen = (*seen).max(seq);
            }
            if watched {
                made.push(Made {
                    group,
                    seq: u64::try_from(seq).unwrap_or(0),
                    at: whole(at),
                });
            }
        }
        Ok(made)
    }

    /// How far it is, what the database's connections wait for, and how long all had to wait for the disk of late.
    fn waits_for(&mut self) -> String {
        let asked = self.hands.block_on(async {
            // What they ask is kept from the database's own statistics, and so from here.
            let activity = sqlx::query_scalar::<_, String>(
                "select coalesce(string_agg(concat_ws(' ', backend_type, pid, usename, wait_event_type, wait_event,
                   'behind ' || nullif(pg_blocking_pids(pid), '{}')::text, 'keeps ' || age(backend_xmin)), '; ' order by pid), 'nobody')
                 from pg_stat_activity where pid <> pg_backend_pid() and wait_event_type is distinct from 'Activity'
                   and (wait_event is distinct from 'ClientRead' or backend_xid is not null or backend_xmin is not null)",
            )
            .fetch_one(&self.superuser);
            tokio::time::timeout(PATIENCE, activity).await
        });
        let activity = match asked {
            Ok(Ok(activity)) => activity,
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {} seconds", PATIENCE.as_secs()),
        };
        let done = self.state.done.load(Ordering::SeqCst);
        // Where the kernel does not count it, nothing is said of it.
        let disk = std::fs::read_to_string("/proc/pressure/io").unwrap_or_default();
        format!(
            "{done} of {} are made. At work in the database: {activity}. Waits for the disk: {}.",
            self.asked,
            disk.lines().last().unwrap_or("not counted")
        )
    }
}
