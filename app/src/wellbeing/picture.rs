//! How a pupil has been: the eight trends beside each other or one of them large, and the interventions with what changed meanwhile.

use std::collections::HashMap;

use domain::{
    Refusal, day,
    db::Read,
    wellbeing::{
        Domain,
        effect::{self, Stretch, Verdict},
        record::{Detail, Intervention},
        timeline::{self, Entry},
        trend::{self, Point},
    },
};
use leptos::prelude::*;
use time::{Date, Duration};
use uuid::Uuid;

use super::entry::{Staff, in_words};
use crate::{
    chart::{Multiples, Span, TrendChart, Window},
    ui::Icon,
};

/// A line is straight over the whole of what is shown: half a year.
const DAYS_SHOWN: i64 = 182;
/// Interventions beside the timeline; older ones are found on it.
const LISTED_MOST: usize = 8;

/// What the pictures are of.
pub(super) struct Picture {
    points: HashMap<Domain, Vec<Point>>,
    interventions: Vec<(Uuid, Intervention)>,
    today: Date,
}

impl Picture {
    pub(super) async fn read(read: &mut Read, pupil: Uuid, today: Date) -> Result<Self, Refusal> {
        let interventions: Vec<(Uuid, Intervention)> = timeline::interventions(read, pupil)
            .await?
            .into_iter()
            .filter(|one| !one.withdrawn)
            .filter_map(|one| match one {
                Entry {
                    id,
                    detail: Detail::Intervention(one),
                    ..
                } => Some((id, one)),
                _ => None,
            })
            .collect();
        // As far back as anything that is compared reaches.
        let first = interventions
            .iter()
            .take(LISTED_MOST)
            .filter_map(|(_, one)| day::parse(&one.starts).ok())
            .map(|starts| starts.saturating_sub(Duration::days(effect::WEEKS_DAYS)))
            .chain([shown_from(today)])
            .min()
            .unwrap_or(today);
        let points = timeline::points(read, pupil, first, today).await?;
        Ok(Self {
            points: points.into_iter().collect(),
            interventions,
            today,
        })
    }

    fn trend(&self, domain: Domain) -> trend::Trend {
        let from = shown_from(self.today);
        let points = self.points.get(&domain).map_or(&[][..], Vec::as_slice);
        let shown: Vec<Point> = points
            .iter()
            .copied()
            .filter(|point| point.on >= from)
            .collect();
        trend::trend(&shown)
    }

    /// The trends; large is the one that was asked for.
    pub(super) fn trends(&self, pupil: Uuid, large: Option<Domain>) -> impl IntoView + use<> {
        let trends: Vec<_> = Domain::ALL
            .into_iter()
            .map(|domain| (domain, self.trend(domain)))
            .collect();
        let window = Window {
            from: shown_from(self.today),
            to: self.today,
        };
        let none = trends.iter().all(|(_, trend)| trend.runs.is_empty());
        let links: Vec<_> = Domain::ALL
            .into_iter()
            .map(|domain| {
                let href = format!("/pupils/{pupil}?domain={}#trends", domain.code());
                view! { <li><a href=href aria-current=(large == Some(domain)).then_some("true")>{domain.name()}</a></li> }
            })
            .collect();
        let large = large.and_then(|domain| {
            let trend = trends.iter().find(|(one, _)| *one == domain)?.1.clone();
            let spans = self.spans(window);
            Some(view! {
                <h3>{domain.name()}</h3>
                <TrendChart domain=domain trend=trend window=window spans=spans id="large" />
            })
        });
        view! {
            <section class="card" aria-labelledby="trends">
                <header><h2 id="trends">"How they have been"</h2><p>"Check-ins of the last half year"</p></header>
                <div class="body">
                    {if none {
                        view! { <p class="muted">"Nobody has checked in with them in the last half year. A line is drawn from three days with a check-in on."</p> }.into_any()
                    } else {
                        view! {
                            {large}
                            <Multiples trends=trends window=window id="small" />
                            <nav class="one-large" aria-label="One of them large, with its own table"><p>"One of them large, with what ran meanwhile:"</p><ul role="list">{links}</ul></nav>
                        }.into_any()
                    }}
                </div>
            </section>
        }
    }

    fn spans(&self, window: Window) -> Vec<Span> {
        self.interventions
            .iter()
            .filter_map(|(_, one)| {
                let to = one.ends.as_deref().and_then(|ends| day::parse(ends).ok());
                let from = day::parse(&one.starts).ok()?;
                let there = from <= window.to && to.is_none_or(|to| to >= window.from);
                there.then(|| Span {
                    name: one.aim.clone(),
                    from,
                    to,
                })
            })
            .collect()
    }

    /// The interventions, the newest first, each with what changed while it ran.
    pub(super) fn interventions(&self, pupil: Uuid, staff: &Staff) -> impl IntoView + use<> {
        let lines: Vec<_> = self
            .interventions
            .iter()
            .take(LISTED_MOST)
            .map(|(id, one)| self.intervention(pupil, *id, one, staff))
            .collect();
        let none = lines.is_empty();
        let more = self.interventions.len() > LISTED_MOST;
        view! {
            <section class="card" aria-labelledby="interventions">
                <header><h2 id="interventions">"Interventions"</h2></header>
                <div class="body">
                    {none.then(|| view! { <p class="muted">"None so far. One says what it is to change, who does it and when you look at it again."</p> })}
                    <ul role="list" class="interventions">{lines}</ul>
                    {more.then(|| view! { <p><a href=format!("/pupils/{pupil}?kind=intervention#timeline")>"All of them, on the timeline"</a></p> })}
                </div>
            </section>
        }
    }

    fn intervention(
        &self,
        pupil: Uuid,
        id: Uuid,
        one: &Intervention,
        staff: &Staff,
    ) -> impl IntoView + use<> {
        let by = one.by.map(|by| format!("By {}. ", staff.name(by)));
        let ran = match &one.ends {
            Some(ends) => format!("{} to {}", in_words(&one.starts), in_words(ends)),
            None => format!("Since {}", in_words(&one.starts)),
        };
        let review = one.review_on.as_deref().map(|on| {
            let due = one.ends.is_none() && day::parse(on).is_ok_and(|on| on <= self.today);
            (in_words(on), due)
        });
        let said: Vec<_> = self
            .changes(one)
            .into_iter()
            .map(|sentence| view! { <li>{sentence}</li> })
            .collect();
        view! {
            <li>
                <a href=format!("/pupils/{pupil}/records/{id}")><b>{one.aim.clone()}</b></a>
                <p>{one.what.clone()}</p>
                <p class="muted">{by}{ran}</p>
                {review.map(|(on, due)| view! { <p>{if due {
                    view! { <span class="tag wait"><Icon name="warning" class="icon small" />"Review due since " {on}</span> }.into_any()
                } else {
                    view! { <span class="muted">"Review on " {on}</span> }.into_any()
                }}</p> })}
                <ul class="changes">{said}</ul>
            </li>
        }
    }

    /// What the check-ins before and since allow one to say, in every domain that has enough of them.
    fn changes(&self, one: &Intervention) -> Vec<String> {
        let Ok(starts) = day::parse(&one.starts) else {
            return vec![];
        };
        let ends = one.ends.as_deref().and_then(|ends| day::parse(ends).ok());
        let mut said = Vec::new();
        for domain in Domain::ALL {
            let points = self.points.get(&domain).map_or(&[][..], Vec::as_slice);
            for stretch in [Stretch::While, Stretch::After] {
                let change = effect::effect(points, starts, ends, stretch);
                if change.verdict != Verdict::TooFew {
                    said.push(change.sentence(domain, stretch));
                }
            }
        }
        if said.is_empty() {
            said.push(
                "There are too few check-ins before and since to say whether anything changed."
                    .to_owned(),
            );
        }
        said
    }
}

fn shown_from(today: Date) -> Date {
    today.saturating_sub(Duration::days(DAYS_SHOWN))
}
