//! The page's side of `/live`: which of its topics changed, and whether it hears of changes at all.
//!
//! On the server everything here is still; a page without JavaScript says truthfully that it is not live.

#[cfg(any(feature = "hydrate", test))]
mod follow;
#[cfg(any(feature = "hydrate", test))]
mod news;
#[cfg(feature = "hydrate")]
mod page;

use domain::{Seq, membership::State as Standing};
use leptos::prelude::*;
use uuid::Uuid;

/// Whether the page hears of changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Not yet, and never without JavaScript.
    #[default]
    Connecting,
    /// Changes are on the screen within a second.
    Live,
    /// The connection broke a moment ago.
    Reconnecting,
    /// It has been gone for longer; what is shown may be old.
    Offline,
    /// The session has ended; the page is about to leave.
    Ended,
}

impl State {
    /// For the style sheet.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Live => "live",
            Self::Reconnecting => "reconnecting",
            Self::Offline => "offline",
            Self::Ended => "ended",
        }
    }

    /// For people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Connecting => "Not live",
            Self::Live => "Live",
            Self::Reconnecting => "Reconnecting",
            Self::Offline => "Offline: changes are not shown",
            Self::Ended => "Ended",
        }
    }
}

#[cfg(feature = "hydrate")]
pub use page::{leave_closed, script};

/// Counts the changes to a topic while the calling component is shown. In the source of a `Resource` it makes the page fetch
/// again, under the reader's own rights.
pub fn version(topic: impl Into<String>) -> ArcSignal<u64> {
    #[cfg(feature = "hydrate")]
    return page::version(topic.into());
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = topic;
        ArcSignal::stored(0)
    }
}

/// Whether the page hears of changes. A counted reference, as is all that a page hears: while a page fetches again, what it shows
/// has lost its owner already and still listens.
pub fn state() -> ArcSignal<State> {
    #[cfg(feature = "hydrate")]
    return page::state();
    #[cfg(not(feature = "hydrate"))]
    ArcSignal::stored(State::Connecting)
}

/// Says where the log stood when the page's data was read: what happened after it is told when the connection is there.
pub fn rendered_at(seq: Seq) {
    #[cfg(feature = "hydrate")]
    page::rendered_at(seq);
    #[cfg(not(feature = "hydrate"))]
    let _ = seq;
}

/// Tells in one line what somebody else changed in a list of people, compared with the same list (same filter, same search) as
/// it was last shown.
pub fn announce_people(people: Vec<(Uuid, String, Standing)>, show: &str, search: &str) {
    #[cfg(feature = "hydrate")]
    page::announce_people(people, format!("{show}\n{search}"));
    #[cfg(not(feature = "hydrate"))]
    let _ = (people, show, search);
}

/// Live, reconnecting or offline, in words. Part of the frame of a tenant's pages, and what opens the connection: pages without
/// it have none. It is drawn anew with its page, so that it is not what is read out.
#[component]
pub fn LiveDot() -> impl IntoView {
    let state = state();
    let words = state.clone();
    // After hydration, for which the page must still be as the server sent it.
    #[cfg(feature = "hydrate")]
    Effect::new(page::connect);
    view! {
        <span class="live" data-state=move || state.get().code()>
            {move || words.get().words()}
        </span>
    }
}

/// Where news appears, and where a lost connection is read out: live regions outside of what is drawn anew, in the page before
/// there is anything to tell, so that each line is read out once.
#[component]
pub fn News() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    let line = page::news();
    #[cfg(not(feature = "hydrate"))]
    let line: ArcSignal<Option<String>> = ArcSignal::stored(None);
    let state = state();
    let lost = move || {
        let state = state.get();
        matches!(state, State::Reconnecting | State::Offline).then(|| state.words())
    };
    view! {
        <div class="news" role="status">
            {move || line.get().map(|line| view! { <p>{line}</p> })}
        </div>
        <div class="hidden-text" role="status">{lost}</div>
    }
}
