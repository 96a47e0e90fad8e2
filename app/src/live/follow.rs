//! What a page has heard and what it still has to ask: the protocol of `/live` without the connection, so that it can be tested.
//!
//! The rule behind it: `heard` moves on only over what was certainly told. A subscription is answered in its own place in the
//! stream, and until its answer is there, a reconnect asks again from where that subscription began.

use std::collections::{BTreeMap, VecDeque};

use domain::Seq;
use serde::{Deserialize, Serialize};

/// See the module.
#[derive(Debug, Default)]
pub struct Follow {
    topics: BTreeMap<String, Topic>,
    /// Everything that was asked for has been told up to here; none before the first hello.
    heard: Option<Seq>,
    epoch: Option<String>,
    /// The oldest page shown before the first hello; none when one of them did not say.
    rendered: Option<Seq>,
    /// Where subscriptions began that have no answer yet, oldest first.
    unanswered: VecDeque<Seq>,
    connected: bool,
}

#[derive(Debug, Default)]
struct Topic {
    /// How many places of the page show it.
    shown: usize,
    asked: bool,
    /// What had been heard when it was first shown; its data was fetched later than that.
    from: Option<Seq>,
}

/// What a frame means to the page.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// To be fetched again.
    pub changed: Vec<String>,
    /// To be sent.
    pub say: Option<String>,
    /// It was the hello: the page is live.
    pub hello: bool,
}

#[derive(Deserialize)]
struct Frame {
    hello: Option<Hello>,
    beat: Option<Beat>,
    changed: Option<Vec<String>>,
    #[serde(default)]
    resync: bool,
    seq: Option<Seq>,
    since: Option<Seq>,
}

#[derive(Deserialize)]
struct Hello {
    seq: Seq,
    epoch: String,
}

#[derive(Deserialize)]
struct Beat {
    seq: Seq,
}

#[derive(Serialize)]
struct Say<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    subscribe: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unsubscribe: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Seq>,
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<&'a str>,
}

impl Follow {
    /// A place of the page shows the topic.
    pub fn show(&mut self, name: &str) {
        let topic = self.topics.entry(name.to_owned()).or_default();
        if topic.shown == 0 && !topic.asked {
            topic.from = self.heard;
        }
        topic.shown += 1;
    }

    /// A place of the page shows it no longer.
    pub fn hide(&mut self, name: &str) {
        if let Some(topic) = self.topics.get_mut(name) {
            topic.shown = topic.shown.saturating_sub(1);
        }
    }

    /// The page's data was read when the log stood there. Counts before the first hello, which may be later than the data.
    pub fn rendered_at(&mut self, seq: Seq) {
        if self.heard.is_none() {
            self.rendered = Some(self.rendered.map_or(seq, |before| before.min(seq)));
        }
    }

    /// What is to be said since topics were shown or hidden. Nothing while not connected: the hello says it all.
    pub fn due(&mut self) -> Option<String> {
        if !self.connected {
            return None;
        }
        let gone: Vec<String> = self
            .topics
            .iter()
            .filter(|(_, topic)| topic.shown == 0)
            .map(|(name, _)| name.clone())
            .collect();
        let gone: Vec<String> = gone
            .into_iter()
            .filter(|name| self.topics.remove(name).is_some_and(|topic| topic.asked))
            .collect();
        let mut since = None;
        let mut fresh = Vec::new();
        for (name, topic) in self.topics.iter_mut().filter(|(_, topic)| !topic.asked) {
            topic.asked = true;
            fresh.push(name.as_str());
            let from = topic.from.or(self.heard);
            since = since.map_or(from, |before: Seq| from.map(|from| from.min(before)));
        }
        if fresh.is_empty() && gone.is_empty() {
            return None;
        }
        let since = since.filter(|_| !fresh.is_empty());
        self.unanswered.extend(since);
        let say = Say {
            epoch: self.epoch.as_deref().filter(|_| since.is_some()),
            subscribe: fresh,
            unsubscribe: gone.iter().map(String::as_str).collect(),
            since,
        };
        serde_json::to_string(&say).ok()
    }

    /// What a frame means. Words that are not known are ignored: the server may be newer than the page.
    pub fn hear(&mut self, text: &str) -> Told {
        let Ok(frame) = serde_json::from_str::<Frame>(text) else {
            return Told::default();
        };
        if let Some(hello) = frame.hello {
            return self.greeted(hello);
        }
        if let Some(beat) = frame.beat {
            self.advance(beat.seq);
        }
        if frame.since.is_some() {
            self.unanswered.pop_front();
        }
        if frame.resync {
            // Everything is fetched now, after whatever happened up to this seq.
            if let Some(seq) = frame.seq {
                self.advance(seq);
            }
            return Told {
                changed: self.shown(),
                ..Told::default()
            };
        }
        let (Some(changed), Some(seq)) = (frame.changed, frame.seq) else {
            return Told::default();
        };
        self.advance(seq);
        Told {
            changed: changed
                .into_iter()
                .filter(|name| self.topics.get(name).is_some_and(|topic| topic.shown > 0))
                .collect(),
            ..Told::default()
        }
    }

    /// The connection is gone. What is still unanswered will be asked again from where it began.
    pub fn lost(&mut self) {
        self.connected = false;
        self.heard = self
            .heard
            .map(|heard| self.unanswered.drain(..).fold(heard, Seq::min));
        self.unanswered.clear();
        for topic in self.topics.values_mut() {
            topic.asked = false;
            // What was answered goes on from what was heard, and not from where it once began.
            topic.from = None;
        }
    }

    fn greeted(&mut self, hello: Hello) -> Told {
        self.connected = true;
        let same = self
            .epoch
            .as_ref()
            .is_none_or(|epoch| *epoch == hello.epoch);
        self.epoch = Some(hello.epoch);
        let from = if self.heard.is_some() {
            self.heard.filter(|_| same)
        } else {
            self.rendered
        };
        // Without a place to go on from, everything is fetched anew, and the hello is such a place.
        let changed = if from.is_none() {
            self.shown()
        } else {
            Vec::new()
        };
        self.heard = Some(from.unwrap_or(hello.seq));
        for topic in self.topics.values_mut() {
            // Shown while the connection was gone: not earlier than what had been heard then, and not of another history.
            topic.from = topic.from.filter(|_| same).or(self.heard);
        }
        Told {
            changed,
            say: self.due(),
            hello: true,
        }
    }

    fn advance(&mut self, seq: Seq) {
        self.heard = self.heard.map(|heard| heard.max(seq));
    }

    fn shown(&self) -> Vec<String> {
        self.topics
            .iter()
            .filter(|(_, topic)| topic.shown > 0)
            .map(|(name, _)| name.clone())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const EPOCH: &str = "00000000-0000-0000-0000-000000000001";

    fn hello(seq: Seq) -> String {
        json!({ "hello": { "seq": seq, "epoch": EPOCH } }).to_string()
    }

    fn said(say: Option<String>) -> Value {
        say.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap())
    }

    fn changed(follow: &mut Follow, frame: Value) -> Vec<String> {
        let told = follow.hear(&frame.to_string());
        assert_eq!(told.say, None);
        told.changed
    }

    #[test]
    fn a_page_goes_on_from_where_it_was_rendered() {
        let mut follow = Follow::default();
        follow.show("people");
        follow.rendered_at(12);
        assert_eq!(follow.due(), None, "nothing is said before the hello");
        let told = follow.hear(&hello(15));
        assert!(told.hello && told.changed.is_empty());
        assert_eq!(
            said(told.say),
            json!({ "subscribe": ["people"], "since": 12, "epoch": EPOCH })
        );
        assert_eq!(
            changed(
                &mut follow,
                json!({ "changed": ["people"], "seq": 15, "since": 12 })
            ),
            ["people"]
        );
        assert_eq!(
            changed(&mut follow, json!({ "changed": ["people"], "seq": 16 })),
            ["people"]
        );
        follow.lost();
        assert_eq!(
            said(follow.hear(&hello(20)).say),
            json!({ "subscribe": ["people"], "since": 16, "epoch": EPOCH })
        );
    }

    #[test]
    fn a_page_that_does_not_say_when_it_was_rendered_is_fetched_again() {
        let mut follow = Follow::default();
        follow.show("people");
        assert_eq!(follow.hear(&hello(15)).changed, ["people"]);
    }

    #[test]
    fn places_that_show_the_same_ask_once_and_leave_last() {
        let mut follow = Follow::default();
        follow.rendered_at(3);
        follow.show("people");
        follow.show("people");
        assert_eq!(
            said(follow.hear(&hello(3)).say)["subscribe"],
            json!(["people"])
        );
        follow.hide("people");
        assert_eq!(follow.due(), None);
        follow.hide("people");
        follow.show("people");
        assert_eq!(follow.due(), None, "the next page shows it too");
        follow.hide("people");
        follow.show("settings");
        assert_eq!(
            said(follow.due()),
            json!({ "subscribe": ["settings"], "unsubscribe": ["people"], "since": 3, "epoch": EPOCH })
        );
        assert_eq!(
            changed(&mut follow, json!({ "changed": ["people"], "seq": 9 })),
            [] as [&str; 0]
        );
    }

    #[test]
    fn a_topic_counts_from_when_it_was_first_shown_not_from_when_it_was_asked() {
        let mut follow = Follow::default();
        follow.rendered_at(3);
        follow.show("people");
        follow.hear(&hello(3));
        follow.show("settings");
        changed(&mut follow, json!({ "changed": ["people"], "seq": 8 }));
        assert_eq!(said(follow.due())["since"], 3);
    }

    /// `settings` was asked for from 3 on; `people` moves `heard` to 20 before the answer; the connection breaks. A reconnect
    /// from 20 would never tell what happened to `settings` in between.
    #[test]
    fn what_is_unanswered_when_the_connection_breaks_is_asked_again_from_its_beginning() {
        let mut follow = Follow::default();
        follow.rendered_at(3);
        follow.show("people");
        follow.hear(&hello(3));
        changed(&mut follow, json!({ "changed": [], "seq": 3, "since": 3 }));
        follow.show("settings");
        assert_eq!(said(follow.due())["since"], 3);
        changed(&mut follow, json!({ "changed": ["people"], "seq": 20 }));
        follow.lost();
        assert_eq!(
            said(follow.hear(&hello(25)).say),
            json!({ "subscribe": ["people", "settings"], "since": 3, "epoch": EPOCH })
        );
    }

    #[test]
    fn a_hello_alone_does_not_count_as_heard() {
        let mut follow = Follow::default();
        follow.rendered_at(3);
        follow.show("people");
        follow.hear(&hello(9));
        follow.lost();
        assert_eq!(said(follow.hear(&hello(12)).say)["since"], 3);
    }

    #[test]
    fn a_beat_moves_a_quiet_page_on() {
        let mut follow = Follow::default();
        follow.rendered_at(3);
        follow.show("people");
        follow.hear(&hello(3));
        changed(&mut follow, json!({ "changed": [], "seq": 3, "since": 3 }));
        changed(&mut follow, json!({ "beat": { "seq": 900 } }));
        follow.lost();
        assert_eq!(said(follow.hear(&hello(950)).say)["since"], 900);
    }

    #[test]
    fn a_resync_and_another_history_fetch_everything_that_is_shown() {
        let mut follow = Follow::default();
        follow.rendered_at(3);
        follow.show("people");
        follow.show("settings");
        follow.hear(&hello(900));
        assert_eq!(
            changed(
                &mut follow,
                json!({ "resync": true, "seq": 900, "since": 3 })
            ),
            ["people", "settings"]
        );
        follow.lost();
        let told = follow.hear(&json!({ "hello": { "seq": 40, "epoch": "other" } }).to_string());
        assert_eq!(told.changed, ["people", "settings"]);
        assert_eq!(
            said(told.say)["since"],
            40,
            "a seq of the old history means nothing in the new one"
        );
    }

    #[test]
    fn unknown_words_are_ignored() {
        let mut follow = Follow::default();
        for text in [
            "",
            "[]",
            "{\"weather\":\"rain\"}",
            "{\"refused\":[\"x\"]}",
            "not json",
        ] {
            assert_eq!(follow.hear(text), Told::default(), "{text}");
        }
    }
}
