//! What the pages of parents are drawn from: each parent's children, what is on record for them, their trend, their own words.

use super::{
    Wrong, child_of,
    world::{TALK_TO, World, level, surname, words},
};
use domain::{pupil::guardian, wellbeing::Domain, wellbeing::onrecord};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// An entry as a page has it: whom it is about, its words, and what the parent said to it.
type Read = BTreeMap<Uuid, (Uuid, String, Option<String>)>;

impl World {
    fn read_by(&self, who: usize) -> Read {
        let entries = self.model.reads(who);
        let page = |n: usize| {
            let said = self.model.said.get(&(who, n)).cloned();
            let child = self.children[child_of(n)];
            (self.entries[n].id, (child, words(n), said))
        };
        entries.into_iter().map(page).collect()
    }

    /// What of a parent's pages is not what the model says.
    pub async fn page(&mut self, who: usize) -> Wrong {
        let mut wrong = Wrong::default();
        let caller = &self.parents[who].caller;
        let mut read = self.scene.reading(caller).await;
        let own = self.model.children(who);
        let children = guardian::children(&mut read).await.unwrap();
        let called: BTreeSet<_> = children
            .into_iter()
            .map(|child| (child.id, child.last_name))
            .collect();
        let expected = own.iter().map(|n| (self.children[*n], surname(*n)));
        wrong.unless_same("children", &called, &expected.collect());
        let all = self.read_by(who);
        let page = of(onrecord::for_parent(&mut read, None).await.unwrap());
        wrong.unless_same("page of all children", &page, &all);
        for (n, child) in self.children.iter().enumerate() {
            let page = of(onrecord::for_parent(&mut read, Some(*child)).await.unwrap());
            let mut expected = all.clone();
            expected.retain(|_, (of, ..)| of == child);
            wrong.unless_same(&format!("page of child {n}"), &page, &expected);
            let trend = onrecord::child_trend(&mut read, *child).await.unwrap();
            let levels: Vec<_> = trend
                .domains
                .into_iter()
                .map(|(domain, weeks)| (domain, weeks.into_iter().map(|week| week.1).collect()))
                .collect();
            let expected: Vec<(Domain, Vec<f64>)> = if self.model.trend && own.contains(&n) {
                let level = u8::try_from(level(n)).unwrap();
                vec![(Domain::Settled, vec![f64::from(level); 3])]
            } else {
                vec![]
            };
            wrong.unless_same(&format!("trend of child {n}"), &levels, &expected);
        }
        let talk_to = onrecord::who_to_talk_to(&mut read).await.unwrap();
        let expected = if self.model.parent[who] { TALK_TO } else { "" };
        wrong.unless_same("whom to talk to", &talk_to.as_str(), &expected);
        let elsewhere = onrecord::for_parent(&mut read, Some(self.elsewhere.child)).await;
        wrong.unless_same("page of Northgate's child", &elsewhere, &Ok(vec![]));
        drop(read);
        if who == 0 {
            let mut read = self.scene.reading(&self.elsewhere.caller).await;
            let there = of(onrecord::for_parent(&mut read, None).await.unwrap());
            let ids: Vec<_> = there.keys().copied().collect();
            wrong.unless_same("page at Northgate", &ids, &vec![self.elsewhere.entry]);
        }
        wrong
    }
}

fn of(entries: Vec<onrecord::Entry>) -> Read {
    entries
        .into_iter()
        .map(|one| (one.id, (one.pupil, one.shown.words, one.statement)))
        .collect()
}
