//! Who reads a page: as the domain does it, and the same statements said again without the one thing or the other.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use domain::{
    db::{Caller, Db, Read},
    membership, notice, reading,
    session::Token,
};
use sqlx::{
    AssertSqlSafe, PgPool, Row as _, ValueRef as _,
    postgres::{PgConnectOptions, PgPoolOptions, PgRow},
};
use uuid::Uuid;

use super::{
    BEGIN, COUNTED, PAGE, READERS, READS, Scene, Tally, database,
    wire::{Statement, Value, Wire},
};
use crate::{
    fault::{Fault, Result, said},
    machine::Watch,
    quorate::Quorate,
    stats::{float, many},
    workload::Bench,
};

/// Who reads a page through the application's own library.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Without row security and without a seal.
    Open,
    /// The same statements under a seal, and nothing else that the domain does.
    Sealed,
    /// As the pages do it.
    Domain,
}

/// All of them.
pub const WAYS: [Way; 3] = [Way::Open, Way::Sealed, Way::Domain];

/// Round trips of one page.
#[derive(Clone, Copy, Default)]
pub struct Turns {
    /// Until it has its data.
    pub inside: f64,
    /// Before and after.
    pub around: f64,
}

impl Turns {
    /// Both.
    pub const fn all(self) -> f64 {
        self.inside + self.around
    }
}

/// The page's five reads, by the functions that pages call.
async fn read_page(read: &mut Read, person: Uuid) -> Result<()> {
    membership::find(read, person).await.map_err(refused)?;
    membership::invited(read).await.map_err(refused)?;
    notice::mail(read).await.map_err(refused)?;
    notice::bounces(read).await.map_err(refused)?;
    reading::shown(read).await.map_err(refused)?;
    Ok(())
}

#[allow(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn refused(refusal: domain::Refusal) -> Fault {
    said(format!("The domain refused: {refusal:?}"))
}

/// Hears what the domain asks, and how often each of the ways waits for an answer in a page.
pub fn listen(bench: &Bench, scene: &Scene) -> Result<(Vec<Statement>, [Turns; 3])> {
    let sealed = Wire::between(bench, "wire-sealed", &scene.web)?;
    let open = Wire::between(bench, "wire-open", &scene.open)?;
    let caller = scene.caller();
    bench.hands.block_on(async {
        let db = Db::new(sealed.options(), 1);
        let mut read = db.read(&caller).await.map_err(refused)?;
        sealed.take();
        read_page(&mut read, scene.person).await?;
        membership::list(&mut read).await.map_err(refused)?;
        let reads = sealed.take().asked;
        drop(read);
        if reads.len() != READS.len() {
            return Err(said(format!(
                "{} reads were {} statements.",
                READS.len(),
                reads.len()
            )));
        }
        let mut turns = [Turns::default(); 3];
        for (way, turns) in WAYS.into_iter().zip(&mut turns) {
            let wire = if way == Way::Open { &open } else { &sealed };
            let reader = Reader::new(way, scene, &reads, wire.options(), 1);
            // The first prepares the statements.
            reader.page().await?;
            reader.settle().await;
            wire.take();
            for _ in 0..COUNTED {
                reader.page().await?;
            }
            reader.settle().await;
            let heard = wire.take();
            turns.inside = float(heard.inside) / float(COUNTED);
            turns.around = float(heard.around) / float(COUNTED);
            reader.close().await;
        }
        db.close().await;
        Ok((reads, turns))
    })
}

impl Scene {
    fn caller(&self) -> Caller {
        Caller {
            token: Token::from_bytes(self.token),
            tenant: self.tenant,
        }
    }
}

/// One of the ways, with connections.
#[derive(Clone)]
struct Reader {
    way: Way,
    pool: PgPool,
    db: Db,
    caller: Caller,
    person: Uuid,
    begin: Arc<str>,
    reads: Arc<[Statement]>,
}

impl Reader {
    fn new(
        way: Way,
        scene: &Scene,
        reads: &[Statement],
        options: PgConnectOptions,
        connections: u32,
    ) -> Self {
        let begin = match way {
            Way::Open => BEGIN.to_owned(),
            Way::Sealed | Way::Domain => {
                format!("{BEGIN}; select sec.enter('\\x{}')", hex(&scene.token))
            }
        };
        Self {
            way,
            pool: PgPoolOptions::new()
                .max_connections(connections)
                .connect_lazy_with(options.clone()),
            db: Db::new(options, connections),
            caller: scene.caller(),
            person: scene.person,
            begin: begin.into(),
            reads: reads.iter().take(PAGE).cloned().collect(),
        }
    }

    async fn page(&self) -> Result<()> {
        if self.way == Way::Domain {
            let mut read = self.db.read(&self.caller).await.map_err(refused)?;
            return read_page(&mut read, self.person).await;
        }
        self.rows(&self.reads).await.map(drop)
    }

    /// What each statement answers: every value of every row, as bytes.
    async fn rows(&self, reads: &[Statement]) -> Result<Vec<Vec<Vec<u8>>>> {
        #[allow(
            clippy::disallowed_methods,
            reason = "the same without the domain is what it is compared with"
        )]
        let mut transaction = self
            .pool
            .begin_with(AssertSqlSafe(self.begin.clone()))
            .await?;
        let mut answers = Vec::with_capacity(reads.len());
        for read in reads {
            let asked = match self.way {
                Way::Open => read.open(),
                Way::Sealed | Way::Domain => read.clone(),
            };
            let mut query = sqlx::query(AssertSqlSafe(asked.text));
            for value in values(read)? {
                query = match value {
                    Value::Uuid(id) => query.bind(id),
                    Value::Whole(number) => query.bind(number),
                };
            }
            let rows = query.fetch_all(&mut *transaction).await?;
            let bytes = |row: &PgRow| {
                (0..row.len())
                    .filter_map(|place| {
                        let value = row.try_get_raw(place).ok()?;
                        (!value.is_null()).then(|| value.as_bytes().map(<[u8]>::to_vec).ok())?
                    })
                    .collect::<Vec<_>>()
                    .concat()
            };
            answers.push(rows.iter().map(bytes).collect());
        }
        Ok(answers)
    }

    /// A connection that was given back is looked at by itself, a moment later.
    async fn settle(&self) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    async fn close(&self) {
        self.pool.close().await;
        self.db.close().await;
    }
}

/// Its values; refuses where one is of a kind that is not known.
pub fn values(read: &Statement) -> Result<&[Value]> {
    read.values.as_deref().ok_or_else(|| {
        said(format!(
            "A value of this statement is of a kind that the harness does not know: {}",
            read.text
        ))
    })
}

/// As SQL writes bytes.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The statements that do not answer both sides with the same: a caller who may see less would be served sooner.
pub fn compare(bench: &Bench, scene: &Scene, reads: &[Statement]) -> Result<Vec<String>> {
    bench.hands.block_on(async {
        let sealed = Reader::new(Way::Sealed, scene, reads, scene.web.clone(), 1);
        let open = Reader::new(Way::Open, scene, reads, scene.open.clone(), 1);
        let (ours, theirs) = (sealed.rows(reads).await?, open.rows(reads).await?);
        let mut differing = Vec::new();
        for ((name, ours), theirs) in READS.iter().zip(&ours).zip(&theirs) {
            if ours != theirs {
                differing.push(format!(
                    "{name}: {} rows under the seal and {} without row security, or not the same",
                    ours.len(),
                    theirs.len()
                ));
            }
        }
        sealed.close().await;
        open.close().await;
        Ok(differing)
    })
}

/// Reads pages for a window with several readers, and for another with one. Returns how busy the server's core was.
pub fn page(
    bench: &Bench,
    node: &Quorate,
    scene: &Scene,
    reads: &[Statement],
    way: Way,
    tally: &mut Tally,
) -> Result<f64> {
    let options = if way == Way::Open {
        &scene.open
    } else {
        &scene.web
    };
    let connections = u32::try_from(READERS).unwrap_or(1);
    let reader = {
        let _inside = bench.hands.enter();
        Reader::new(way, scene, reads, options.clone(), connections)
    };
    let mut busy = 0.0;
    for readers in [READERS, 1] {
        let ended = Arc::new(AtomicBool::new(false));
        let times = Arc::new(Mutex::new(Vec::new()));
        let tasks: Vec<_> = (0..readers)
            .map(|_| {
                let (reader, ended, times) = (reader.clone(), ended.clone(), times.clone());
                bench.hands.spawn(async move {
                    while !ended.load(Ordering::Relaxed) {
                        let from = Instant::now();
                        reader.page().await?;
                        let took = from.elapsed().as_secs_f64() * 1e6;
                        times
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .push(took);
                    }
                    Ok::<_, Fault>(())
                })
            })
            .collect();
        // The first connections and plans are not what is measured.
        std::thread::sleep(bench.window() / 3);
        let taken = || std::mem::take(&mut *times.lock().unwrap_or_else(PoisonError::into_inner));
        taken();
        let (from, cpu) = (Instant::now(), database(node)?);
        let watch = Watch::start(bench.cores.server)?;
        std::thread::sleep(bench.window());
        let mut took = taken();
        let (seconds, share) = (from.elapsed().as_secs_f64(), watch.busy()?);
        let used = database(node)? - cpu;
        ended.store(true, Ordering::Relaxed);
        for task in tasks {
            bench
                .hands
                .block_on(task)
                .map_err(|error| said(error.to_string()))??;
        }
        if readers == 1 {
            took.sort_by(f64::total_cmp);
            tally.alone.extend(took.get(took.len() / 2));
        } else {
            busy = share;
            tally.time.push(seconds * 1e6 / many(took.len()));
            tally.cpu.push(used * 1e6 / many(took.len()));
        }
    }
    bench.hands.block_on(reader.close());
    Ok(busy)
}
