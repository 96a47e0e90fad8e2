//! The fields of an intervention: what stands in them, and what they mean.

use domain::{
    Refusal, day,
    wellbeing::{
        Fault,
        record::{self, Intervention, LINE_MOST, SESSIONS_MOST},
    },
};
use leptos::prelude::*;
use time::Date;
use uuid::Uuid;

use super::{entry::Staff, sent::Course};
use crate::{
    door,
    form::{Choice, Field},
};

impl Course {
    /// As it is kept.
    pub(super) fn of(kept: &Intervention) -> Self {
        let sessions = kept.sessions.map(|many| many.to_string());
        Self {
            aim: kept.aim.clone(),
            what: kept.what.clone(),
            by: kept.by.map(|by| by.to_string()).unwrap_or_default(),
            sessions: sessions.unwrap_or_default(),
            starts: kept.starts.clone(),
            review_on: kept.review_on.clone().unwrap_or_default(),
            ends: kept.ends.clone().unwrap_or_default(),
        }
    }

    /// With what was typed into each field: `typed` has its name, and what stands in it.
    pub(super) fn typed(&self, typed: impl Fn(&str, &str) -> String) -> Self {
        Self {
            aim: typed("aim", &self.aim),
            what: typed("what", &self.what),
            by: typed("by", &self.by),
            sessions: typed("sessions", &self.sessions),
            starts: typed("starts", &self.starts),
            review_on: typed("review_on", &self.review_on),
            ends: typed("ends", &self.ends),
        }
    }

    /// What is meant. Refuses a number of sessions that is none, nobody of the school, and days that are none.
    pub(super) fn meant(&self) -> Result<record::Course<'_>, Refusal> {
        let sessions = match self.sessions.trim() {
            "" => None,
            typed => Some(typed.parse().map_err(|_| Fault::Sessions(SESSIONS_MOST))?),
        };
        let by = match self.by.as_str() {
            "" => None,
            id => Some(Uuid::try_parse(id).map_err(|_| Fault::By)?),
        };
        Ok(record::Course {
            aim: &self.aim,
            what: &self.what,
            by,
            sessions,
            starts: maybe(&self.starts)?.unwrap_or_else(door::today),
            review_on: maybe(&self.review_on)?,
            ends: maybe(&self.ends)?,
        })
    }
}

/// A day that may be left empty.
pub(super) fn maybe(typed: &str) -> Result<Option<Date>, Refusal> {
    match typed.trim() {
        "" => Ok(None),
        typed => Ok(Some(day::parse(typed)?)),
    }
}

/// The part of the form in which it is described.
pub(super) fn fields(
    stands: &Course,
    staff: &Staff,
    refusal: Option<&Refusal>,
) -> impl IntoView + use<> {
    let wrong = || refusal.cloned();
    let people = staff.options(&stands.by);
    view! {
        <Field name="aim" label="What it is to change" most=LINE_MOST value=stands.aim.clone()
            hint="Like “Settles after break without help”." refusal=wrong() />
        <Field name="what" label="What is done" most=LINE_MOST value=stands.what.clone() refusal=wrong() />
        <Choice name="by" label="Who does it" options=people nobody="Nobody of the school, or not settled" chosen=stands.by.clone() refusal=wrong() />
        <Field name="sessions" label="How many sessions" inputmode="numeric" most=3 optional=true value=stands.sessions.clone()
            hint=format!("From 1 to {SESSIONS_MOST}. May be left empty.") refusal=wrong() />
        <Field name="starts" label="First day" kind="date" optional=true value=stands.starts.clone()
            hint="Today, if you leave it empty." refusal=wrong() />
        <Field name="review_on" label="Look at it again on" kind="date" optional=true value=stands.review_on.clone()
            hint="You are reminded of it then. May be left empty." refusal=wrong() />
        <Field name="ends" label="Last day" kind="date" optional=true value=stands.ends.clone()
            hint="Once it is known." refusal=wrong() />
    }
}
