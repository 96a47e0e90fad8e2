//! One tenant as the hub sees it: how far its log was read, what happened last, who is here and who listens.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use domain::{
    AccountId, Seq,
    live::{Event, HERE, Kick, Topic, name_of},
};
use tokio::time::Instant;

use super::{
    PAGES_MOST, RING,
    elsewhere::{Moved, Presence, SAID_EVERY},
    frame::Frame,
    reading::Readings,
    seat::{End, Seat},
};

/// How long after their last page a person still counts as here, so that a reload does not flicker.
const LEAVES_AFTER: Duration = Duration::from_secs(5);
/// How often at most it is told who is here.
const HERE_EVERY: Duration = Duration::from_secs(1);

/// One tenant: where its log was read to, what happened last, and who listens.
pub(super) struct Tenant {
    /// Everything up to here has been delivered; none before the log was first read.
    pub(super) cursor: Option<Seq>,
    /// The last events, each with its keys.
    pub(super) ring: VecDeque<(Seq, Arc<[String]>)>,
    /// Whose sockets those of them ended.
    kicks: VecDeque<(Seq, Kick)>,
    /// The ring holds every event after this one.
    pub(super) ring_after: Seq,
    pub(super) watchers: HashMap<String, Vec<Arc<Seat>>>,
    pub(super) people: HashMap<AccountId, Person>,
    pub(super) readings: Readings,
    /// Who has been put something that is not sent yet.
    dirty: Vec<Arc<Seat>>,
    here_changed: bool,
    here_told: Instant,
    /// What other nodes were told last, and when.
    said: Option<(Presence, Instant)>,
    pub(super) empty_since: Option<Instant>,
    /// Forgotten by the hub; whoever still holds it asks again.
    pub(super) retired: bool,
}

#[derive(Default)]
pub(super) struct Person {
    /// Oldest first.
    seats: Vec<Arc<Seat>>,
    left: Option<Instant>,
}

impl Tenant {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            cursor: None,
            ring: VecDeque::new(),
            kicks: VecDeque::new(),
            ring_after: 0,
            watchers: HashMap::new(),
            people: HashMap::new(),
            readings: Readings::default(),
            dirty: Vec::new(),
            here_changed: false,
            here_told: now.checked_sub(HERE_EVERY).unwrap_or(now),
            said: None,
            empty_since: None,
            retired: false,
        }
    }

    pub(super) fn seats(&self) -> impl Iterator<Item = &Arc<Seat>> {
        self.people.values().flat_map(|person| &person.seats)
    }

    pub(super) fn seat(&mut self, seat: &Arc<Seat>, now: Instant) {
        self.empty_since = None;
        let person = self.people.entry(seat.account).or_insert_with(|| {
            self.here_changed = true;
            Person::default()
        });
        person.left = None;
        person.seats.push(seat.clone());
        if person.seats.len() > PAGES_MOST {
            let oldest = person.seats[0].clone();
            oldest.end(End::TOO_MANY);
            self.unseat(&oldest, Some(now));
        }
    }

    /// Takes a seat out. Without `stays` a person with no other page is gone at once.
    pub(super) fn unseat(&mut self, seat: &Arc<Seat>, stays: Option<Instant>) {
        let watching = seat.watching();
        self.forget(seat, &watching);
        seat.set_watching(Vec::new());
        let Some(person) = self.people.get_mut(&seat.account) else {
            return;
        };
        let before = person.seats.len();
        person.seats.retain(|other| !Arc::ptr_eq(other, seat));
        if person.seats.len() < before && person.seats.is_empty() {
            person.left = stays;
            if stays.is_none() {
                self.people.remove(&seat.account);
                self.here_changed = true;
            }
        }
    }

    pub(super) fn forget(&mut self, seat: &Arc<Seat>, keys: &[String]) {
        // A page watches the readers of one paper at most: the one that it shows.
        if keys
            .iter()
            .any(|key| matches!(Topic::from_name(key), Some(Topic::Readers(_))))
        {
            self.readings.leave(seat);
        }
        for key in keys {
            if let Some(watchers) = self.watchers.get_mut(key) {
                if let Some(place) = watchers.iter().position(|other| Arc::ptr_eq(other, seat)) {
                    watchers.swap_remove(place);
                }
                if watchers.is_empty() {
                    self.watchers.remove(key);
                }
            }
        }
    }

    pub(super) fn remember(&mut self, event: &Event) {
        self.ring
            .push_back((event.seq, event.topics.as_slice().into()));
        if self.ring.len() > RING
            && let Some((seq, _)) = self.ring.pop_front()
        {
            self.ring_after = seq;
        }
        if let Some(kick) = &event.closes {
            self.kicks.push_back((event.seq, kick.clone()));
        }
        while self
            .kicks
            .front()
            .is_some_and(|(seq, _)| *seq <= self.ring_after)
        {
            self.kicks.pop_front();
        }
    }

    /// Whether no event since they were looked up has taken anything from whoever sits there. Not where the ring does not reach back so
    /// far.
    pub(super) fn stands(&self, seat: &Seat) -> bool {
        self.cursor.is_some()
            && seat.known >= self.ring_after
            && !self
                .kicks
                .iter()
                .any(|(at, kick)| *at > seat.known && kick.ends(seat.account, seat.session))
    }

    /// Keys that changed after a seq that the ring reaches back to.
    pub(super) fn since(&self, seq: Seq) -> impl Iterator<Item = &str> {
        let start = self.ring.partition_point(|(past, _)| *past <= seq);
        self.ring
            .range(start..)
            .flat_map(|(_, keys)| keys.iter().map(String::as_str))
    }

    /// Puts what is new into the outbox of everybody who watches something of it, for [`Self::settle`] to send: of each event the
    /// names that they watch. Those who watch the same share it, so a socket costs the same for one event as for many.
    pub(super) fn publish(&mut self, news: &[News<'_>], now: Instant) {
        let Self {
            watchers, dirty, ..
        } = self;
        for part in parts(news) {
            let watchers: Vec<_> = part
                .iter()
                .map(|(key, _)| watchers.get(*key).map_or(&[][..], Vec::as_slice))
                .collect();
            for (bit, seats) in watchers.iter().enumerate() {
                for seat in *seats {
                    seat.mask.fetch_or(1 << bit, Ordering::Relaxed);
                }
            }
            let mut frames: Vec<(u64, Arc<Frame>)> = Vec::new();
            for seat in watchers.iter().copied().flatten() {
                let mask = seat.mask.swap(0, Ordering::Relaxed);
                if mask == 0 {
                    continue;
                }
                let place = frames
                    .iter()
                    .position(|(for_mask, _)| *for_mask == mask)
                    .unwrap_or_else(|| {
                        frames.push((mask, Arc::new(frame(&part, mask))));
                        frames.len() - 1
                    });
                if seat.put(frames[place].1.clone(), now) {
                    dirty.push(seat.clone());
                }
            }
        }
    }

    /// Sends what was published: each socket once, however many frames it is.
    pub(super) fn settle(&mut self) {
        for seat in self.dirty.drain(..) {
            seat.settle();
        }
        // A school that was told something once need not keep room for all its sockets.
        self.dirty.shrink_to(64);
    }

    pub(super) fn tell_here(&mut self, now: Instant) {
        let before = self.people.len();
        self.people.retain(|_, person| {
            person
                .left
                .is_none_or(|left| now.duration_since(left) < LEAVES_AFTER)
        });
        self.here_changed |= self.people.len() != before;
        if self.here_changed && now.duration_since(self.here_told) >= HERE_EVERY {
            self.here_changed = false;
            self.here_told = now;
            if let Some(cursor) = self.cursor {
                self.publish(&[(&[HERE.to_owned()], cursor)], now);
                self.settle();
            }
        }
    }

    /// Others came, went or turned pages at another node.
    pub(super) fn stir(&mut self, moved: &Moved) {
        self.here_changed |= moved.here;
        for paper in &moved.papers {
            self.readings.ask(*paper);
        }
    }

    /// Who is here, where other nodes are to be told it now. That nobody is, is said once.
    pub(super) fn presence_due(&mut self, now: Instant) -> Option<Presence> {
        let presence = Presence::of(self.people.keys().copied(), self.readings.all());
        let due = match &self.said {
            None => !presence.is_empty(),
            Some((before, _)) if *before != presence => true,
            Some((_, at)) => !presence.is_empty() && now.duration_since(*at) >= SAID_EVERY,
        };
        due.then(|| {
            self.said = Some((presence.clone(), now));
            presence
        })
    }

    /// Tells those who watch who reads what they read.
    pub(super) fn tell_readers(&mut self, now: Instant) {
        if let Some(cursor) = self.cursor {
            let keys = self.readings.due(now);
            self.publish(&[(&keys, cursor)], now);
            self.settle();
        }
    }
}

/// Keys of what an event changed, and its seq.
pub(super) type News<'a> = (&'a [String], Seq);

/// Bits of a mask.
const MASK: usize = u64::BITS as usize;

/// Each key with its event's seq, so many at once as a mask has bits; an event's keys stay together where they can.
fn parts<'a>(news: &[News<'a>]) -> Vec<Vec<(&'a String, Seq)>> {
    let mut parts: Vec<Vec<(&String, Seq)>> = Vec::new();
    for (keys, seq) in news {
        for keys in keys.chunks(MASK) {
            match parts.last_mut() {
                Some(part) if part.len() + keys.len() <= MASK => {
                    part.extend(keys.iter().map(|key| (key, *seq)));
                }
                _ => parts.push(keys.iter().map(|key| (key, *seq)).collect()),
            }
        }
    }
    parts
}

/// What those are told who watch these keys of a part.
fn frame(part: &[(&String, Seq)], mask: u64) -> Frame {
    let mut events: Vec<(Vec<String>, Seq)> = Vec::new();
    let watched = part
        .iter()
        .enumerate()
        .filter(|(bit, _)| mask & (1 << bit) != 0);
    for (_, (key, seq)) in watched {
        let name = name_of(key).to_owned();
        match events.last_mut() {
            Some((names, of)) if of == seq => names.push(name),
            _ => events.push((vec![name], *seq)),
        }
    }
    Frame::all_changed(&events)
}
