//! Thirty sudden deaths, of the server and of its database, while people work.

use std::{
    collections::BTreeMap,
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::task::block_in_place;

use crate::{
    crowd::{Browser, Clerk, Dice},
    house::{House, PATIENCE, as_login, words},
};

const ROUNDS: usize = 30;
/// As in the world: an answer waits for the disk.
const SAFE: (&str, &str) = ("QUORATE_TEST_FAST", "0");
/// What is promised, on a machine that does nothing else. A busy one is only held to [`PATIENCE`].
const PROMISED: Duration = Duration::from_secs(10);

/// Who is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Death {
    /// The process that serves.
    Server,
    /// The parent of the database's processes; its children end by themselves, some of them a little later.
    Postmaster,
    /// All processes of the database at once, as when the machine goes.
    Database,
    /// One process of the database, as when memory runs out: the others end, and it recovers by itself.
    Backend,
}

impl Death {
    /// Each block of three has a death of the server, since one whose database dies over and over gives up.
    fn thirty(dice: &mut Dice) -> Vec<Self> {
        let mut deaths = Vec::new();
        for block in 0..ROUNDS / 3 {
            let last = if block % 2 == 0 {
                Self::Database
            } else {
                Self::Backend
            };
            let mut three = [Self::Server, Self::Postmaster, last];
            for place in [2, 1] {
                three.swap(
                    place,
                    usize::try_from(dice.below(place as u64 + 1)).unwrap(),
                );
            }
            deaths.extend(three);
        }
        deaths
    }
}

/// The processes that another started, with their titles.
fn children(parent: Pid) -> Vec<(Pid, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|pid| pid.parse().ok()) else {
            continue;
        };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let of = stat.rsplit(')').next().unwrap().split_whitespace().nth(1);
        if of == Some(&parent.to_string()) {
            let title = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            found.push((
                Pid::from_raw(pid),
                String::from_utf8_lossy(&title).into_owned(),
            ));
        }
    }
    found
}

/// Waits until the database that died is another one.
async fn replaced(house: &House, before: Pid) {
    let started = Instant::now();
    while house.postgres().is_none_or(|pid| pid == before) {
        assert!(started.elapsed() < PATIENCE, "{}", house.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn after_thirty_deaths_all_that_was_acknowledged_is_there_once() {
    let mut dice = Dice::of_today();
    let house = House::new();
    let mut server = Some(block_in_place(|| {
        house.serve_with(&[SAFE, ("QUORATE_DEMO", "1")])
    }));
    let behind = house.url("backup");
    let mut database = as_login(&behind).await;
    let mut clerks = Vec::new();
    for (number, who) in [
        (
            "oakfield",
            "clerk@beacon.example",
            "teacher1@oakfield.example",
        ),
        (
            "oakfield",
            "clerk@oakfield.example",
            "teacher3@oakfield.example",
        ),
        (
            "northgate",
            "clerk@northgate.example",
            "teacher1@northgate.example",
        ),
        (
            "northgate",
            "admin@northgate.example",
            "teacher2@northgate.example",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        clerks.push(Clerk::at(&house, &mut database, number, who).await);
    }
    let mut reader = Browser::at(&house, "oakfield")
        .sign_in("head@oakfield.example")
        .await;
    let mut stranger = Browser::at(&house, "northgate");

    let (mut done, mut undone, mut hit) = (0, 0, 0);
    let mut times: BTreeMap<Death, Vec<Duration>> = BTreeMap::new();
    for (round, death) in Death::thirty(&mut dice).into_iter().enumerate() {
        let stop = Arc::new(AtomicBool::new(false));
        let working: Vec<_> = clerks
            .into_iter()
            .map(|mut clerk: Clerk| {
                let stop = stop.clone();
                tokio::spawn(async move {
                    let back = clerk.work(&stop).await;
                    (clerk, back)
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(150 + dice.below(600))).await;

        let postgres = house.postgres().unwrap();
        let mut died = Instant::now();
        match death {
            Death::Server => {
                server = block_in_place(|| {
                    server.take().unwrap().kill();
                    died = Instant::now();
                    Some(house.serve_with(&[SAFE]))
                });
            }
            Death::Postmaster => {
                kill(postgres, Signal::SIGKILL).unwrap();
                replaced(&house, postgres).await;
            }
            Death::Database => {
                let family = children(postgres);
                assert!(family.len() > 5, "{family:?}");
                kill(postgres, Signal::SIGKILL).unwrap();
                for (child, _) in family {
                    let _ = kill(child, Signal::SIGKILL);
                }
                replaced(&house, postgres).await;
            }
            Death::Backend => {
                let serving: Vec<Pid> = children(postgres)
                    .into_iter()
                    .filter(|(_, title)| title.contains("quorate_web"))
                    .map(|(pid, _)| pid)
                    .collect();
                let one = usize::try_from(dice.below(serving.len() as u64)).unwrap();
                kill(serving[one], Signal::SIGKILL).unwrap();
                // The others are told to end, and the first answer must not come from one that was not told yet.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        let mut back = stranger.until_served("/sign-in").await;
        back = back.max(reader.until_served("/people").await);
        stop.store(true, Ordering::Relaxed);
        clerks = Vec::new();
        let mut interrupted = false;
        for working in working {
            let (clerk, served) = working.await.unwrap();
            interrupted |= served.is_some();
            back = served.map_or(back, |served| back.max(served));
            clerks.push(clerk);
        }
        hit += usize::from(interrupted);
        times.entry(death).or_default().push(back - died);

        database = as_login(&behind).await;
        for clerk in &mut clerks {
            let found = clerk.check(&mut database).await;
            (done, undone) = (done + found.0, undone + found.1);
        }
        let verified = block_in_place(|| house.run(&["audit", "verify"]));
        assert_eq!(
            verified.status.code(),
            Some(0),
            "round {round}, {death:?}: {}{}",
            String::from_utf8_lossy(&verified.stdout),
            words(&verified)
        );
    }

    let acknowledged: usize = clerks.iter().map(Clerk::acknowledged).sum();
    println!(
        "{acknowledged} changes acknowledged and {hit} deaths among them; of those that were never answered {done} were done and {undone} were not"
    );
    for (death, times) in &times {
        let worst = times.iter().max().unwrap();
        let mean = times.iter().sum::<Duration>() / u32::try_from(times.len()).unwrap();
        println!(
            "{death:?}: served again after {mean:.1?}, at worst {worst:.1?} of {PROMISED:?}, {} times",
            times.len()
        );
        assert!(*worst < PATIENCE);
    }
    assert!(
        hit >= ROUNDS / 2 && acknowledged > 4 * ROUNDS,
        "only {hit} deaths fell into work, and only {acknowledged} changes were acknowledged: the test proves too little"
    );
    assert_eq!(block_in_place(|| server.take().unwrap().stop()), Some(0));
}
