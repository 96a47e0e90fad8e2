//! How a refusal crosses between server function and page.

use domain::Refusal;
use leptos::server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};
use serde::{Deserialize, Serialize};

/// A [`Refusal`] as the error of a server function; a type of this crate only because the trait is leptos's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(transparent)]
#[error("{0}")]
pub struct Refused(#[from] pub Refusal);

/// What every server function answers.
pub type Result<T> = std::result::Result<T, Refused>;

impl FromServerFnError for Refused {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        Self(match error {
            ServerFnErrorErr::Request(_) => Refusal::Offline,
            // What a browser of ours never sends.
            ServerFnErrorErr::Args(_)
            | ServerFnErrorErr::MissingArg(_)
            | ServerFnErrorErr::Deserialization(_) => Refusal::Stale,
            _ => Refusal::Broken,
        })
    }
}
