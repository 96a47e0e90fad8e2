//! What a parent may watch, and what of the log their socket hears.

use super::{PARENTS, Wrong, world::World};
use domain::live::{self, Event, Topic, name_of};
use std::collections::BTreeSet;

impl World {
    /// What a parent may watch of pupils, and what of all that happened since this was asked last their socket would have heard
    /// beside a word that something of their own changed.
    pub async fn watches(&mut self, who: usize) -> Wrong {
        let mut wrong = Wrong::default();
        let mut topics: Vec<Topic> = [Topic::Caseload, Topic::SchoolPicture, Topic::People]
            .into_iter()
            .chain([Topic::Settings, Topic::Here])
            .chain(self.children.iter().copied().map(Topic::Pupil))
            .chain([Topic::Pupil(self.elsewhere.child)])
            .collect();
        // Whatever the log names, whoever it was said for.
        let keys: BTreeSet<String> = self.heard.iter().cloned().collect();
        self.heard.clear();
        topics.extend(keys.iter().filter_map(|key| Topic::from_name(key)));
        let account = self.parents[who].account;
        let mut read = self.scene.reading(&self.parents[who].caller).await;
        for topic in topics {
            let may = live::may_watch(&mut read, topic).await;
            wrong.unless_same(&format!("watches {}", topic.name()), &may, &Ok(false));
        }
        let own = live::may_watch(&mut read, Topic::Me).await;
        wrong.unless_same("watches their own place", &own, &Ok(true));
        // The key of somebody's own place is no name that a client can send, and says nothing but "me" where it is delivered.
        for key in keys.iter().filter(|key| key.starts_with("me/")) {
            wrong.unless_same("topic of a name", &Topic::from_name(key), &None);
            wrong.unless_same("name of a key", &name_of(key), &"me");
        }
        let key = Topic::Me.key(account);
        wrong.unless(key == format!("me/{account}"), || key.clone());
        wrong
    }

    /// What the log told the hub since it was asked last.
    pub async fn tail(&mut self) -> Vec<Event> {
        let cursors = [(self.scene.oakfield, self.seq)];
        let events = live::tail(&self.live, &cursors).await.unwrap();
        let events: Vec<_> = events.into_iter().map(|(_, event)| event).collect();
        if let Some(last) = events.last() {
            self.seq = last.seq;
        }
        let topics = events.iter().flat_map(|event| event.topics.clone());
        self.heard.extend(topics);
        events
    }

    /// Of the parents: whose pages an event closes, and whose open page asks again.
    pub fn addressed(&self, event: &Event) -> (BTreeSet<usize>, BTreeSet<usize>) {
        let parents = || 0..PARENTS;
        let closes = parents()
            .filter(|who| {
                let account = self.parents[*who].account;
                event
                    .closes
                    .as_ref()
                    .is_some_and(|kick| kick.accounts.contains(&account))
            })
            .collect();
        let asks = parents()
            .filter(|who| {
                let key = Topic::Me.key(self.parents[*who].account);
                event.topics.contains(&key)
            })
            .collect();
        (closes, asks)
    }
}
