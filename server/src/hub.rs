//! Who is connected and what they watch. Each tenant is an actor whose mailbox is a lock: events, arrivals and departures
//! take their turn, and none of them waits for a socket or for the database.

mod elsewhere;
pub mod frame;
mod reading;
pub mod seat;
mod tenant;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use domain::{
    AccountId, Seq, TenantId,
    live::{Event, Topic, name_of, who_chose_reading},
};
use tokio::{sync::Notify, time::Instant};
use uuid::Uuid;

pub use elsewhere::Presence;
use elsewhere::{Elsewhere, Moved};
use frame::Frame;
use seat::{End, Seat};
use tenant::{News, Tenant};

/// Events that a tenant remembers for those who reconnect.
pub const RING: usize = 512;
/// Sockets of one person in one tenant. The sixth takes the place of the oldest, which is told so and comes back when its
/// page is looked at again: the page in front of the person is always the newest, and a connection that died unnoticed must
/// not keep them out until it is found dead.
pub const PAGES_MOST: usize = 5;
/// Topics of one socket.
pub const TOPICS_MOST: usize = 50;
/// How long a tenant without sockets keeps its ring, so that a reload finds it.
const EMPTY_FOR: Duration = Duration::from_mins(1);

/// All sockets of this process.
#[derive(Clone, Default)]
pub struct Hub(Arc<Shared>);

#[derive(Default)]
struct Shared {
    tenants: RwLock<HashMap<TenantId, Arc<Mutex<Tenant>>>>,
    /// Whoever holds it asks for no tenant's lock.
    elsewhere: Mutex<Elsewhere>,
    arrivals: Mutex<Vec<Arc<Seat>>>,
    arrived: Notify,
    epoch: Mutex<Option<Uuid>>,
    seats: AtomicUsize,
    leaving: AtomicBool,
}

/// A subscription: keys that were allowed, and what the client says it has heard.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// Keys, each allowed to this caller after the seat was admitted.
    pub keys: &'a [String],
    /// The client has heard everything up to here; without it, up to its hello.
    pub since: Option<Seq>,
    /// The history that `since` belongs to.
    pub epoch: Option<Uuid>,
}

/// What the log says of events that the ring no longer holds.
#[derive(Clone, Debug)]
pub enum Past {
    /// Not asked yet.
    Unasked,
    /// All that changed after the client's `since` and up to this seq.
    Known(Seq, HashSet<String>),
    /// Too long ago to be told.
    Lost,
}

/// What became of a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Watched {
    /// Active, and everything missed has been queued. The names were too many.
    Now(Vec<String>),
    /// Not active: the log must be asked for what happened in between.
    Behind {
        /// The client has heard up to here.
        after: Seq,
        /// The ring knows what came after this.
        until: Seq,
    },
    /// The socket has ended.
    Over,
}

/// How the hub is doing, for `/health`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Count {
    /// Open sockets.
    pub sockets: usize,
    /// Tenants whose log is followed.
    pub tenants: usize,
}

impl Hub {
    // ── Arriving and leaving ──

    /// Takes a place. Nothing is said on it before [`Hub::admit`], but from now on an event that ends it does: one that came after
    /// `known`, where the tenant's log stood when the session was found to be live. What was before it was seen then.
    pub fn join(
        &self,
        tenant: TenantId,
        account: AccountId,
        session: Uuid,
        known: Seq,
        now: Instant,
    ) -> Result<Arc<Seat>, End> {
        if self.0.leaving.load(Ordering::SeqCst) {
            return Err(End::RESTART);
        }
        let seat = Arc::new(Seat::new(tenant, account, session, known, now));
        self.with(tenant, now, |state| state.seat(&seat, now));
        self.0.seats.fetch_add(1, Ordering::SeqCst);
        lock(&self.0.arrivals).push(seat.clone());
        self.0.arrived.notify_one();
        Ok(seat)
    }

    /// The socket is gone. Its person counts as here a little longer.
    pub fn leave(&self, seat: &Arc<Seat>, now: Instant) {
        seat.end(End::SILENT);
        if let Some(tenant) = self.find(seat.tenant) {
            lock(&tenant).unseat(seat, Some(now));
        }
        self.0.seats.fetch_sub(1, Ordering::SeqCst);
    }

    /// Returns when somebody arrived since the last call.
    pub async fn arrived(&self) {
        self.0.arrived.notified().await;
    }

    /// Those who arrived since the last call.
    pub fn arrivals(&self) -> Vec<Arc<Seat>> {
        std::mem::take(&mut lock(&self.0.arrivals))
    }

    /// Says hello to those whose session is still live and closes the others. The sessions must have been looked up after
    /// [`Hub::join`] and after the tenant's log was first read: an event that ended one of them before is then seen in the
    /// session, and one that ends it after meets the seat. There is no moment between.
    pub fn admit(&self, seats: Vec<Arc<Seat>>, dead: &HashSet<Uuid>, now: Instant) {
        let Some(epoch) = *lock(&self.0.epoch) else {
            return self.put_back(seats);
        };
        for seat in seats {
            if dead.contains(&seat.session) {
                self.end(&seat, End::SIGNED_OUT, now);
                continue;
            }
            let Some(tenant) = self.find(seat.tenant) else {
                continue;
            };
            // Under the tenant's lock, so that no event falls between the seq of the hello and the cursor.
            let state = lock(&tenant);
            match state.cursor {
                // Found in a history that is not this one: where it stood tells nothing here.
                Some(cursor) if cursor < seat.known => seat.end(End::RESTART),
                Some(cursor) => seat.greet(cursor, epoch, now),
                None => self.put_back(vec![seat]),
            }
        }
    }

    /// For the next round.
    pub fn put_back(&self, seats: Vec<Arc<Seat>>) {
        lock(&self.0.arrivals).extend(seats);
    }

    /// Ends one socket outside the sequence of events. Its person is still here for a moment.
    pub fn end(&self, seat: &Arc<Seat>, end: End, now: Instant) {
        seat.end(end);
        if let Some(tenant) = self.find(seat.tenant) {
            lock(&tenant).unseat(seat, Some(now));
        }
    }

    // ── Watching ──

    /// Whether what somebody was found to be still holds: the log was followed from where it stood then, and no event ended sockets of
    /// theirs. One that ends this seat later, ends it.
    pub fn stands(&self, seat: &Seat) -> bool {
        self.find(seat.tenant)
            .is_some_and(|tenant| lock(&tenant).stands(seat))
    }

    /// Makes a subscription active, at one point of the sequence, with everything missed before that point queued in one frame.
    ///
    /// Why nothing is lost: the seat is registered before its rights are looked up, and what is returned by that look-up is used
    /// only here. Under the tenant's lock the cursor stands still; events up to it are looked for in the ring (from the log,
    /// where the ring is too short), and events after it are delivered by [`Hub::deliver`], which finds the seat among the
    /// watchers. Why nothing is told too much: an event that takes the right away closes the seat, if it came after the
    /// look-up, and else the look-up saw it.
    pub fn watch(&self, seat: &Arc<Seat>, ask: Ask<'_>, past: &Past, now: Instant) -> Watched {
        let Some(tenant) = self.find(seat.tenant) else {
            return Watched::Over;
        };
        let mut state = lock(&tenant);
        let (Some(cursor), Some(hello), false) = (state.cursor, seat.hello(), seat.is_over())
        else {
            return Watched::Over;
        };
        let heard = ask.since.unwrap_or(hello);
        let foreign = ask.epoch.is_some() && ask.epoch != *lock(&self.0.epoch);
        let missed: Option<HashSet<&str>> = match past {
            _ if foreign => None,
            Past::Lost => None,
            Past::Known(until, keys) if *until >= state.ring_after => Some(
                keys.iter()
                    .map(String::as_str)
                    .chain(state.since(*until))
                    .collect(),
            ),
            _ if heard >= state.ring_after => Some(state.since(heard).collect()),
            _ => {
                return Watched::Behind {
                    after: heard,
                    until: state.ring_after,
                };
            }
        };
        let mut watching = seat.watching();
        let room = TOPICS_MOST.saturating_sub(watching.len());
        let (mut fresh, known): (Vec<_>, Vec<_>) =
            ask.keys.iter().partition(|key| !watching.contains(key));
        fresh.sort_unstable();
        fresh.dedup();
        let surplus = fresh.split_off(fresh.len().min(room));
        let frame = match missed {
            None => Some(Frame::resync(ask.since.map(|since| (cursor, since)))),
            Some(missed) => {
                let names: Vec<String> = known
                    .iter()
                    .chain(&fresh)
                    .filter(|key| missed.contains(key.as_str()))
                    .map(|key| name_of(key).to_owned())
                    .collect();
                match ask.since {
                    Some(since) => Some(Frame::caught_up(&names, cursor, since)),
                    None => (!names.is_empty()).then(|| Frame::changed(names, cursor)),
                }
            }
        };
        if let Some(frame) = frame {
            seat.push(Arc::new(frame), now);
        }
        let surplus = surplus
            .into_iter()
            .map(|key| name_of(key).to_owned())
            .collect();
        let fresh: Vec<String> = fresh.into_iter().cloned().collect();
        for key in &fresh {
            state
                .watchers
                .entry(key.clone())
                .or_default()
                .push(seat.clone());
        }
        watching.extend(fresh.iter().cloned());
        seat.set_watching(watching);
        for key in &fresh {
            if let Some(Topic::Readers(paper)) = Topic::from_name(key) {
                state.readings.ask(paper);
            }
        }
        state.tell_readers(now);
        Watched::Now(surplus)
    }

    /// Ends subscriptions.
    pub fn unwatch(&self, seat: &Arc<Seat>, keys: &[String]) {
        let Some(tenant) = self.find(seat.tenant) else {
            return;
        };
        let mut state = lock(&tenant);
        let (gone, kept): (Vec<_>, Vec<_>) = seat
            .watching()
            .into_iter()
            .partition(|key| keys.contains(key));
        state.forget(seat, &gone);
        seat.set_watching(kept);
    }

    /// Tells one socket what it may not watch.
    pub fn refuse(&self, seat: &Seat, names: &[String], now: Instant) {
        seat.push(Arc::new(Frame::refused(names)), now);
    }

    /// Somebody turned to a page of a paper, or, without one, looks away from it. Counts only where the seat watches who reads it:
    /// then it was looked up that they may.
    pub fn turn(&self, seat: &Arc<Seat>, paper: Uuid, page: Option<u32>, now: Instant) {
        let Some(tenant) = self.find(seat.tenant) else {
            return;
        };
        let mut state = lock(&tenant);
        if !seat.is_over() && seat.watching().contains(&Topic::Readers(paper).name()) {
            state.readings.turn(seat, paper, page);
            state.tell_readers(now);
        }
    }

    /// Who has a paper open, here or at another node, each person once, with the page they turned to last; of somebody who has it
    /// open here too, the page here. Whoever asks must have seen to it that the one who is told may open the paper.
    pub fn readers(&self, tenant: TenantId, paper: Uuid) -> Vec<(AccountId, u32)> {
        let mut readers: BTreeMap<_, _> = lock(&self.0.elsewhere)
            .readers(tenant, paper)
            .into_iter()
            .collect();
        if let Some(tenant) = self.find(tenant) {
            readers.extend(lock(&tenant).readings.of(paper));
        }
        readers.into_iter().collect()
    }

    /// Who is here now, or at another node, each person once.
    pub fn here(&self, tenant: TenantId) -> Vec<AccountId> {
        let mut people: BTreeSet<_> = lock(&self.0.elsewhere).here(tenant).collect();
        if let Some(tenant) = self.find(tenant) {
            people.extend(lock(&tenant).people.keys().copied());
        }
        people.into_iter().collect()
    }

    // ── What the log says ──

    /// Tenants whose log has not been read yet.
    pub fn unread(&self) -> Vec<TenantId> {
        self.all()
            .into_iter()
            .filter(|(_, tenant)| lock(tenant).cursor.is_none())
            .map(|(id, _)| id)
            .collect()
    }

    /// Tenants with where their log was read to.
    pub fn cursors(&self) -> Vec<(TenantId, Seq)> {
        self.all()
            .into_iter()
            .filter_map(|(id, tenant)| Some((id, lock(&tenant).cursor?)))
            .collect()
    }

    /// Where a tenant's log was read to; none where it has no sockets here, or was not read yet.
    pub fn cursor(&self, tenant: TenantId) -> Option<Seq> {
        let tenant = self.find(tenant)?;
        lock(&tenant).cursor
    }

    /// Whether a seq of a tenant's log is news here: it has sockets here, and its log was not read so far.
    pub fn is_behind(&self, tenant: TenantId, seq: Seq) -> bool {
        self.cursor(tenant).is_some_and(|cursor| cursor < seq)
    }

    /// Starts a tenant: `events` are those after `after`, told to nobody, since everybody there came later. They fill the ring, so
    /// that one question to the log serves all who reconnect after a restart.
    pub fn start(&self, tenant: TenantId, after: Seq, events: &[Event]) {
        let Some(tenant) = self.find(tenant) else {
            return;
        };
        let mut state = lock(&tenant);
        if state.cursor.is_some() {
            return;
        }
        state.cursor = Some(after);
        state.ring_after = after;
        for event in events {
            state.cursor = Some(event.seq);
            state.remember(event);
        }
    }

    /// Tells everybody who watches, event by event in their order. An event that ends sockets ends them first: they do not
    /// get the event itself, and nothing after it.
    pub fn deliver(&self, tenant: TenantId, events: &[Event], now: Instant) {
        let id = tenant;
        let Some(tenant) = self.find(id) else {
            return;
        };
        let mut state = lock(&tenant);
        // What is to be told together: everything up to an event that ends sockets or has a word for the hub itself.
        let mut news: Vec<News<'_>> = Vec::new();
        for event in events {
            let Some(cursor) = state.cursor else { return };
            if event.seq <= cursor {
                continue;
            }
            if event.seq != cursor + 1 {
                // Cannot be: a seq becomes visible only after every smaller one. If it is, nobody may go on unaware.
                tracing::error!(
                    expected = cursor + 1,
                    found = event.seq,
                    "the log has a gap"
                );
                state.publish(&std::mem::take(&mut news), now);
                state.ring.clear();
                state.ring_after = event.seq - 1;
                let resync = Arc::new(Frame::resync(None));
                state
                    .seats()
                    .for_each(|seat| seat.push(resync.clone(), now));
            }
            state.cursor = Some(event.seq);
            state.remember(event);
            if let Some(kick) = &event.closes {
                state.publish(&std::mem::take(&mut news), now);
                let ended: Vec<_> = state
                    .seats()
                    .filter(|seat| event.seq > seat.known && kick.ends(seat.account, seat.session))
                    .cloned()
                    .collect();
                for seat in ended {
                    seat.end(End::kick(kick.code));
                    state.unseat(&seat, None);
                }
            }
            news.push((&event.topics, event.seq));
            for account in event.topics.iter().filter_map(|key| who_chose_reading(key)) {
                state.publish(&std::mem::take(&mut news), now);
                let papers = lock(&self.0.elsewhere).papers_of(id, account);
                state.readings.stir(account);
                state.stir(&Moved {
                    here: false,
                    papers,
                });
                state.tell_readers(now);
            }
        }
        state.publish(&news, now);
        state.settle();
    }

    /// Which history the log is. Another one than before means that the database was restored: every seq has lost its meaning,
    /// so everybody comes back and says what they know of.
    pub fn set_epoch(&self, epoch: Uuid, now: Instant) {
        let before = lock(&self.0.epoch).replace(epoch);
        if before.is_some_and(|before| before != epoch) {
            for (_, tenant) in self.all() {
                let mut state = lock(&tenant);
                state.cursor = None;
                state.ring.clear();
                let seats: Vec<_> = state.seats().cloned().collect();
                for seat in seats {
                    seat.end(End::RESTART);
                    state.unseat(&seat, Some(now));
                }
            }
        }
    }

    /// The sessions behind all sockets, each once.
    pub fn sessions(&self) -> Vec<Uuid> {
        let all = self.all();
        let sessions: HashSet<Uuid> = all
            .iter()
            .flat_map(|(_, tenant)| {
                lock(tenant)
                    .seats()
                    .map(|seat| seat.session)
                    .collect::<Vec<_>>()
            })
            .collect();
        sessions.into_iter().collect()
    }

    /// Ends the sockets of sessions that died quietly: idle, or over their limit.
    pub fn end_sessions(&self, dead: &HashSet<Uuid>) {
        for (_, tenant) in self.all() {
            let mut state = lock(&tenant);
            let ended: Vec<_> = state
                .seats()
                .filter(|seat| dead.contains(&seat.session))
                .cloned()
                .collect();
            for seat in ended {
                seat.end(End::SIGNED_OUT);
                state.unseat(&seat, None);
            }
        }
    }

    // ── Time ──

    /// Looks after everything that follows from time alone. One caller for all sockets: none has a timer of its own.
    pub fn sweep(&self, now: Instant) {
        let forgotten = lock(&self.0.elsewhere).forget(now);
        for (tenant, moved) in forgotten {
            self.tell_on(tenant, &moved, now);
        }
        for (id, tenant) in self.all() {
            let mut state = lock(&tenant);
            let mut beat = None;
            let mut ended = Vec::new();
            for seat in state.seats() {
                match (seat.tick(now), state.cursor) {
                    (Err(end), _) => ended.push((seat.clone(), end)),
                    (Ok(true), Some(cursor)) => {
                        seat.beat(
                            beat.get_or_insert_with(|| Arc::new(Frame::beat(cursor)))
                                .clone(),
                            now,
                        );
                    }
                    (Ok(_), _) => {}
                }
            }
            for (seat, end) in ended {
                seat.end(end);
                state.unseat(&seat, Some(now));
            }
            state.tell_here(now);
            state.tell_readers(now);
            if state.people.is_empty()
                && now.duration_since(*state.empty_since.get_or_insert(now)) >= EMPTY_FOR
            {
                state.retired = true;
                drop(state);
                write(&self.0.tenants).remove(&id);
            }
        }
    }

    /// Closes every socket with 1012, spread over the window so that not all come back at once, and takes no new ones. Returns
    /// when all have gone, or soon after the window.
    pub async fn drain(&self, window: Duration) {
        self.0.leaving.store(true, Ordering::SeqCst);
        let seats: Vec<_> = self
            .all()
            .into_iter()
            .flat_map(|(_, tenant)| lock(&tenant).seats().cloned().collect::<Vec<_>>())
            .collect();
        let start = Instant::now();
        let count = u32::try_from(seats.len()).unwrap_or(u32::MAX).max(1);
        for (place, seat) in (0_u32..).zip(seats) {
            let moment = start + window * place / count;
            if moment > Instant::now() {
                tokio::time::sleep_until(moment).await;
            }
            self.end(&seat, End::RESTART, Instant::now());
        }
        let last = Instant::now() + Duration::from_secs(3);
        while self.count().sockets > 0 && Instant::now() < last {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// How many.
    pub fn count(&self) -> Count {
        Count {
            sockets: self.0.seats.load(Ordering::SeqCst),
            tenants: read(&self.0.tenants).len(),
        }
    }

    fn find(&self, tenant: TenantId) -> Option<Arc<Mutex<Tenant>>> {
        read(&self.0.tenants).get(&tenant).cloned()
    }

    fn all(&self) -> Vec<(TenantId, Arc<Mutex<Tenant>>)> {
        read(&self.0.tenants)
            .iter()
            .map(|(id, tenant)| (*id, tenant.clone()))
            .collect()
    }

    fn with(&self, id: TenantId, now: Instant, act: impl FnOnce(&mut Tenant)) {
        loop {
            let found = self.find(id);
            let tenant = found.unwrap_or_else(|| {
                write(&self.0.tenants)
                    .entry(id)
                    .or_insert_with(|| Arc::new(Mutex::new(Tenant::new(now))))
                    .clone()
            });
            let mut state = lock(&tenant);
            if !state.retired {
                return act(&mut state);
            }
            drop(state);
            std::thread::yield_now();
        }
    }
}

impl domain::reading::Readings for Hub {
    fn of(&self, tenant: TenantId, paper: Uuid) -> Vec<(AccountId, u32)> {
        self.readers(tenant, paper)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
