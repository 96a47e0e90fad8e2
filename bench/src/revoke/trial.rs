//! The removals at one place: people are taken out and let in by turns, and the end of each socket is held against the log.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use tokio::sync::mpsc;
use uuid::Uuid;

use super::{CHANGES, VICTIMS};
use crate::{
    clock::{self, Micros},
    crowd::{Crowd, Stage},
    fault::{Result, said},
    quorate::{
        Door, Quorate, SCHOOL,
        seed::{Person, School, cookie, open_session},
        writer::Writer,
    },
    stats::{many, whole},
    window::Publisher as _,
    workload::Bench,
};

/// How long somebody is in before they are taken out; by turns, so that the moment is never the same.
const STAY: [u64; 5] = [20, 35, 55, 80, 110];
/// Longest that the trials of one place may take.
const MOST: Duration = Duration::from_secs(900);

/// The school's other business: changes, and those who hear of them.
pub struct Busy {
    writer: Writer,
    crowd: Crowd,
    since: Instant,
    made: u64,
}

impl Busy {
    /// Not yet under way.
    pub fn new(writer: Writer, crowd: Crowd) -> Self {
        Self {
            writer,
            crowd,
            since: Instant::now(),
            made: 0,
        }
    }

    fn start(&mut self) -> Result<()> {
        self.writer.made()?;
        self.crowd.heard();
        (self.since, self.made) = (Instant::now(), 0);
        Ok(())
    }

    fn go_on(&mut self) -> Result<()> {
        let due = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(0) * CHANGES / 1_000;
        while self.made < due {
            self.writer.publish(&[clock::now()])?;
            self.made += 1;
        }
        self.crowd.poll(Duration::ZERO)
    }
}

/// Who takes out whom, and where.
pub struct Trial<'a> {
    /// What a workload is given.
    pub bench: &'a Bench,
    /// Where the clerk is signed in.
    pub node: &'a Quorate,
    /// Of which school.
    pub school: &'a School,
    /// The clerk's cookie.
    pub clerk: &'a str,
    /// Those who are taken out.
    pub victims: &'a [Person],
}

/// What came of it.
pub struct Found {
    /// Milliseconds from each removal to the end of the socket.
    pub times: Vec<f64>,
    /// Who heard of something later.
    pub late: usize,
    /// Deliveries a second meanwhile.
    pub load: f64,
    /// What was wrong.
    pub faults: Vec<String>,
}

/// What somebody's turn is just now.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    In(Instant),
    Removed,
    Gone,
    Restored,
}

/// What a task has come to tell: whose turn it is, and the cookie of a new session where one was opened.
type News = (usize, Result<Option<String>>);

impl Trial<'_> {
    /// So many removals of people who are connected to that node.
    pub fn run(&self, at: &Quorate, trials: usize, busy: &mut Busy) -> Result<Found> {
        let mut crowd = Crowd::new()?;
        let mut sessions = Vec::new();
        for person in self.victims {
            let token = self
                .bench
                .hands
                .block_on(self.node.open_session(self.school, person.membership))?;
            sessions.push(cookie(token));
        }
        for session in &sessions {
            crowd.add(at.place(&self.school.label, session, 0));
        }
        crowd.connect(0..crowd.len(), VICTIMS, Duration::from_secs(60))?;
        let from = self.head()?;
        busy.start()?;
        let (tell, mut news) = mpsc::unbounded_channel::<News>();
        let mut turns = vec![Turn::In(Instant::now()); crowd.len()];
        // Of each person, how each of their sockets ended: when, and up to where it had heard.
        let mut ends: Vec<Vec<(Micros, u64)>> = vec![Vec::new(); crowd.len()];
        let (mut begun, mut faults) = (0, Vec::new());
        let start = Instant::now();
        while ends.iter().map(Vec::len).sum::<usize>() < trials {
            if start.elapsed() > MOST {
                return Err(said("The removals took longer than a quarter of an hour."));
            }
            busy.go_on()?;
            crowd.poll(Duration::from_millis(1))?;
            while let Ok((who, told)) = news.try_recv() {
                // None: removed, and the answer is there. Some: let in again, with a new session.
                if let (Some(session), Some(turn)) = (told?, turns.get_mut(who)) {
                    *turn = Turn::Restored;
                    crowd.renew(who, session);
                    crowd.begin(who)?;
                }
            }
            for (who, (turn, ends)) in turns.iter_mut().zip(&mut ends).enumerate() {
                let stay = Duration::from_millis(
                    STAY.get((who + ends.len()) % STAY.len())
                        .copied()
                        .unwrap_or(50),
                );
                match *turn {
                    Turn::In(since) if since.elapsed() >= stay && begun < trials => {
                        begun += 1;
                        *turn = Turn::Removed;
                        self.spawn(who, false, &tell);
                    }
                    Turn::Removed => {
                        if let Some(end) = crowd.end(who) {
                            if end.code != Some(4403) {
                                faults.push(format!("somebody who was removed: {end}"));
                            }
                            ends.push((end.at, crowd.last(who)));
                            *turn = Turn::Gone;
                            self.spawn(who, true, &tell);
                        }
                    }
                    Turn::Restored if crowd.stage(who) == Stage::Live => {
                        *turn = Turn::In(Instant::now());
                    }
                    Turn::In(_) | Turn::Restored => {
                        if let Some(end) = crowd.end(who) {
                            return Err(said(format!("Somebody who was not removed: {end}.")));
                        }
                    }
                    Turn::Gone => {}
                }
            }
        }
        let seconds = start.elapsed().as_secs_f64();
        // Whoever was just let go is let in again before somebody else counts on it.
        while turns.iter().any(|turn| matches!(turn, Turn::Gone)) && start.elapsed() < MOST {
            busy.go_on()?;
            if let Ok((who, told)) = news.try_recv()
                && told?.is_some()
                && let Some(turn) = turns.get_mut(who)
            {
                *turn = Turn::Restored;
            }
        }
        faults.extend(crowd.faults());
        faults.extend(busy.crowd.faults());
        let load = many(busy.crowd.heard().len()) / seconds;
        self.judge(from, &ends, load, faults)
    }

    /// Takes somebody out, or lets them in again with a new session; over HTTP, as the clerk does it.
    fn spawn(&self, who: usize, restore: bool, tell: &mpsc::UnboundedSender<News>) {
        let Some(person) = self.victims.get(who) else {
            return;
        };
        let (membership, tell) = (person.membership, tell.clone());
        let (door, clerk) = (self.node.door(SCHOOL), self.clerk.to_owned());
        let (behind, school) = (self.node.behind.clone(), self.school.clone());
        self.bench.hands.spawn(async move {
            let done = if restore {
                restored(&door, &clerk, &behind, &school, membership)
                    .await
                    .map(Some)
            } else {
                act(&door, &clerk, "people/suspend", membership)
                    .await
                    .map(|()| None)
            };
            let _ = tell.send((who, done));
        });
    }

    /// Where the log stands.
    fn head(&self) -> Result<i64> {
        Ok(self.bench.hands.block_on(
            sqlx::query_scalar("select seq from sec.event_head where tenant_id = $1")
                .bind(self.school.id)
                .fetch_one(&self.node.behind),
        )?)
    }

    /// Holds each end against the removal that it followed: the first of a person's ends against the first of their removals.
    fn judge(
        &self,
        from: i64,
        ends: &[Vec<(Micros, u64)>],
        load: f64,
        mut faults: Vec<String>,
    ) -> Result<Found> {
        let rows: Vec<(Uuid, i64, f64)> = self.bench.hands.block_on(
            sqlx::query_as(
                "select about, seq, (extract(epoch from at) * 1000000)::float8 from event
                 where tenant_id = $1 and seq > $2 and act = 'membership.suspended' order by seq",
            )
            .bind(self.school.id)
            .bind(from)
            .fetch_all(&self.node.behind),
        )?;
        let mut removals: HashMap<Uuid, Vec<(u64, Micros)>> = HashMap::new();
        for (about, seq, at) in rows {
            removals
                .entry(about)
                .or_default()
                .push((u64::try_from(seq).unwrap_or(0), whole(at)));
        }
        let (mut times, mut late) = (Vec::new(), 0);
        for (person, ends) in self.victims.iter().zip(ends) {
            let of_person = removals.remove(&person.membership).unwrap_or_default();
            if of_person.len() < ends.len() {
                faults.push("a socket ended and nobody had been removed".to_owned());
            }
            for ((closed, heard), (seq, at)) in ends.iter().zip(of_person) {
                late += usize::from(*heard >= seq);
                times.push(
                    many(usize::try_from(closed.saturating_sub(at)).unwrap_or(usize::MAX))
                        / 1_000.0,
                );
            }
        }
        if late > 0 {
            faults.push(format!("{late} heard of something after their removal"));
        }
        Ok(Found {
            times,
            late,
            load,
            faults,
        })
    }
}

async fn act(door: &Door, clerk: &str, name: &str, membership: Uuid) -> Result<()> {
    door.act(name, clerk, &[("id", &membership.to_string())])
        .await
}

async fn restored(
    door: &Door,
    clerk: &str,
    behind: &sqlx::PgPool,
    school: &School,
    membership: Uuid,
) -> Result<String> {
    act(door, clerk, "people/restore", membership).await?;
    open_session(behind, school, membership).await.map(cookie)
}
