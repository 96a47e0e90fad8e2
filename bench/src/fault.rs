//! Why a workload, or the harness itself, stops: one sentence.

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Said by the harness itself.
    #[error("{0}")]
    Said(String),
    /// A file, a socket or a process.
    #[error("{0}: {1}")]
    Io(&'static str, std::io::Error),
    /// The database.
    #[error("the database: {0}")]
    Sql(#[from] sqlx::Error),
    /// An answer over HTTP.
    #[error("over HTTP: {0}")]
    Http(#[from] reqwest::Error),
    /// What was to be written down.
    #[error("the results: {0}")]
    Json(#[from] serde_json::Error),
}

/// What a step of the harness comes to.
pub type Result<T> = std::result::Result<T, Fault>;

/// A sentence of the harness's own.
pub fn said(sentence: impl Into<String>) -> Fault {
    Fault::Said(sentence.into())
}

/// For `map_err`: what was being done when a file, a socket or a process failed.
pub fn io(doing: &'static str) -> impl FnOnce(std::io::Error) -> Fault {
    move |error| Fault::Io(doing, error)
}
