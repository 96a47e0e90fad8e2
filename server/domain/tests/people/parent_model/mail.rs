//! What parents are told: the lines of the log of what opened, the notices, and the letters that tell of them.

use super::{PARENTS, Stage, Wrong, child_of, world::World};
use std::collections::BTreeSet;
use time::Duration;

/// What a letter says when something is on record.
const OPENED: &str = "record.opened";

impl World {
    /// The worker's turn: what has cooled is told. What was told is what the model says, of so many entries and children, on
    /// the topic of the one who is told, and nobody else was.
    pub async fn opens(&mut self) -> Wrong {
        let mut wrong = Wrong::default();
        let before = self.scene.log_at().await;
        let due: Vec<usize> = (0..self.entries.len())
            .filter(|n| {
                !self.model.told[*n] && matches!(self.model.stage[*n], Stage::Open | Stage::Off)
            })
            .collect();
        let opened = self.worker.records_open().await.unwrap();
        let many = i32::try_from(due.len()).unwrap();
        wrong.unless_same("entries that opened", &opened, &many);
        let mut expected = BTreeSet::new();
        for who in 0..PARENTS {
            let reads = self.model.reads(who);
            let news: Vec<_> = due.iter().filter(|n| reads.contains(n)).collect();
            let children: BTreeSet<_> = news.iter().map(|n| child_of(**n)).collect();
            if news.is_empty() {
                continue;
            }
            let parent = &self.parents[who];
            expected.insert(format!(
                "{} {{me/{}}} {{\"by\": \"clock\", \"pupils\": {}, \"entries\": {}}}",
                parent.place,
                parent.account,
                children.len(),
                news.len()
            ));
            if parent.at_once {
                self.model.lettered[who] += 1;
            } else {
                self.model.fresh[who] += 1;
            }
        }
        for n in due {
            self.model.told[n] = true;
        }
        let tenant = self.scene.oakfield;
        let told = self
            .scene
            .text(&format!(
                "select string_agg(about || ' ' || topics::text || ' ' || detail::text, e'\\n') from event
                 where tenant_id = '{tenant}' and act = '{OPENED}' and seq > {before}"
            ))
            .await;
        let told = told.lines().map(str::to_owned).collect();
        wrong.unless_same("told", &told, &expected);
        wrong
    }

    /// Whoever has a notice of something on record that they have not seen is who the model says, and has a child here.
    pub async fn notices(&mut self) -> Wrong {
        let mut wrong = Wrong::default();
        let found = self
            .scene
            .text(&format!(
                "select string_agg(membership_id || ' ' || many, e'\\n') from (
                   select membership_id, count(*) as many from notice where seen_at is null and kind = '{OPENED}' group by 1)"
            ))
            .await;
        let found: BTreeSet<_> = found.lines().map(str::to_owned).collect();
        let mut expected = BTreeSet::new();
        for who in 0..PARENTS {
            let many = self.model.unseen(who);
            if many > 0 {
                expected.insert(format!("{} {many}", self.parents[who].place));
            }
            let none = self.model.children(who).is_empty();
            wrong.unless(many == 0 || !none, || {
                format!("parent {who} has no child, and {many} notices of one")
            });
        }
        wrong.unless_same("notices", &found, &expected);
        wrong
    }

    /// The letters of the next morning are made, and wait.
    pub async fn digest(&mut self) {
        self.morning += Duration::DAY;
        self.worker.make_digests(self.morning).await.unwrap();
        for who in 0..PARENTS {
            self.model.lettered[who] += std::mem::take(&mut self.model.fresh[who]);
        }
    }

    /// The letters leave, whatever happened since they were made. Returns how many told a parent of something on record.
    pub async fn letters(&mut self) -> (usize, Wrong) {
        let mut wrong = Wrong::default();
        let mut found = BTreeSet::new();
        let letters = self.scene.letters().await;
        for (email, digest) in &letters {
            let many: usize = digest
                .news
                .iter()
                .filter(|news| news.act == OPENED)
                .map(|news| news.count)
                .sum();
            if many > 0 {
                found.insert((email.clone(), many));
            }
        }
        let mut expected = BTreeSet::new();
        for who in 0..PARENTS {
            let many = std::mem::take(&mut self.model.lettered[who]);
            self.model.sent[who] += many;
            let parent = &self.parents[who];
            if many > 0 {
                expected.insert((parent.email.clone(), many));
            }
        }
        wrong.unless_same("letters", &found, &expected);
        (found.len(), wrong)
    }
}
