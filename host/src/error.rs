//! What a call can fail with.

use crate::types;
use std::path::PathBuf;
use std::time::Duration;
use thiserror::Error as ThisError;

/// Why a call failed.
#[derive(Debug, ThisError)]
pub enum Error {
    /// The queue refused it, or could not do it: see [`types::ErrorCode`] for what to do.
    #[error("{}", describe(.0))]
    Queue(Box<types::Error>),
    /// The directory of a queue could not be opened or created.
    #[error("{}: {source}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The component took more memory than [`crate::Limits::memory_bytes`]. Its instance is gone; what the call did is
    /// whole or not there.
    #[error("the queue component needs more than the {0} bytes of memory that it may have")]
    OutOfMemory(usize),
    /// The component worked for longer than [`crate::Limits::time`]. Its instance is gone; what the call did is whole
    /// or not there.
    #[error("the queue component worked for longer than the {0:?} that it may")]
    OutOfTime(Duration),
    /// The component trapped, which is a bug in it, or could not be loaded. Its instance is gone; what the call did is
    /// whole or not there.
    #[error("the queue component failed: {0:#}")]
    Component(wasmtime::Error),
}

impl Error {
    /// The code of the contract, if the queue itself said it.
    pub fn code(&self) -> Option<types::ErrorCode> {
        match self {
            Error::Queue(error) => Some(error.code),
            _ => None,
        }
    }
}

impl From<types::Error> for Error {
    fn from(error: types::Error) -> Error {
        Error::Queue(Box::new(error))
    }
}

fn describe(error: &types::Error) -> String {
    let at = error.at.map(|at| format!(" (line {}, column {})", at.line, at.column)).unwrap_or_default();
    let separator = if error.path.is_empty() { "" } else { ": " };
    format!("{}{separator}{}{at}", error.path, error.detail)
}
