//! Why the process ends before its time: one sentence for whoever started it, and an exit code for their scripts.

use std::process::ExitCode;

/// The end of the process.
#[derive(Debug, thiserror::Error)]
#[error("{sentence}")]
pub struct Stop {
    sentence: String,
    code: u8,
}

impl Stop {
    /// A value that is missing, impossible or unsafe: starting again changes nothing. Exit code 2.
    pub fn config(sentence: impl Into<String>) -> Self {
        Self {
            sentence: sentence.into(),
            code: 2,
        }
    }

    /// Something did not work this time. Exit code 1.
    pub fn failed(sentence: impl Into<String>) -> Self {
        Self {
            sentence: sentence.into(),
            code: 1,
        }
    }

    /// What the shell sees.
    pub fn code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

impl From<cluster::Error> for Stop {
    fn from(error: cluster::Error) -> Self {
        match error {
            cluster::Error::Refused(sentence) => Self::config(sentence),
            other => Self::failed(other.to_string()),
        }
    }
}
