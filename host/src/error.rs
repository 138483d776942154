//! The errors of the library.

use crate::exhaustion;
use crate::one_line::OneLine;
use crate::types::{self, ErrorCode, Position};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error as ThisError;

/// The result of a call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The reason why a call failed.
///
/// Each code of the contract has a variant of its name; [`types::ErrorCode`] describes the remedy. After
/// [`Error::Indeterminate`] and [`Error::NeedsRecovery`] the queue refuses changes until [`crate::Queue::recover`].
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// The call cannot succeed with these arguments.
    #[error("{0}")]
    InvalidArgument(Details),
    /// No such item or directory.
    #[error("{0}")]
    NotFound(Details),
    /// The id is taken by an item that survives power loss.
    #[error("{0}")]
    Exists(Details),
    /// The item's state forbids the call, the item was replaced meanwhile, or several files have the id.
    #[error("{0}")]
    Conflict(Details),
    /// The item is damaged.
    #[error("{0}")]
    Corrupt(Details),
    /// The item parses, and a checksum does not match.
    #[error("{0}")]
    ChecksumMismatch(Details),
    /// The item's field `ID` is not the id of its file name.
    #[error("{0}")]
    IdMismatch(Details),
    /// Larger than a limit of the component.
    #[error("{0}")]
    TooLarge(Details),
    /// The queue holds [`types::WriteOptions::max_items`] items.
    #[error("{0}")]
    QueueFull(Details),
    /// The file system has no space left.
    #[error("{0}")]
    NoSpace(Details),
    /// A disk quota is used up.
    #[error("{0}")]
    Quota(Details),
    /// The file system is read-only.
    #[error("{0}")]
    ReadOnly(Details),
    /// The operating system does not permit the operation.
    #[error("{0}")]
    Access(Details),
    /// This file system or this version of the component cannot do it.
    #[error("{0}")]
    Unsupported(Details),
    /// A resource of the system or of the instance is used up.
    #[error("{0}")]
    Busy(Details),
    /// The device or the file system failed.
    #[error("{0}")]
    Io(Details),
    /// The draft, the body reader or the listing failed before.
    #[error("{0}")]
    Aborted(Details),
    /// The effect is visible, or may be, and may not survive power loss.
    #[error("{0}")]
    Indeterminate(Details),
    /// An fsync failed, in this call or before it. This call changed nothing.
    #[error("{0}")]
    NeedsRecovery(Details),
    /// The operating system reported an error that has no code in the contract.
    #[error("{0}")]
    Other(Details),
    /// The directory of a queue could not be opened or created.
    #[error("{}: {source}", OneLine(&path.to_string_lossy()))]
    Directory {
        /// The directory.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The component needed more memory than [`crate::Limits::memory_bytes`], which is given here, or than the system had. Its
    /// instance is gone; as after the death of a process, the call's effect is complete or absent, and may not survive power loss.
    #[error("the queue component needs more than the {0} bytes of memory that it may have, or more than there is")]
    OutOfMemory(usize),
    /// The component computed for longer than [`crate::Limits::time`], which is given here. Its instance is gone; as
    /// after the death of a process, the call's effect is complete or absent, and may not survive power loss.
    #[error("the queue component computed for longer than the {0:?} that it may")]
    OutOfTime(Duration),
    /// The component could not be loaded, or trapped, which is a bug in it. Its instance is gone; as after the death of
    /// a process, the call's effect is complete or absent, and may not survive power loss.
    #[error("the queue component failed: {}", .0.root_cause())]
    Component(wasmtime::Error),
    /// The call would block a task of an async runtime, and with it the runtime's other tasks. It did nothing.
    #[error(
        "a call of the queue blocks its thread, so a task of an async runtime must not make it: use \
         `queue_store_host::tokio::AsyncQueue` (the feature `tokio`), or call from `tokio::task::spawn_blocking`"
    )]
    InAsyncRuntime,
    /// The queue, or what was opened of it, belongs to the process from which this one was forked. The call did nothing.
    #[error(
        "it belongs to the process from which this one was forked, whose threads and locks do not exist here: make a new \
         `Host`, and open the queue with that"
    )]
    Forked,
    /// The future of an earlier call was dropped before the call was over, and with it the draft, submission, body
    /// reader or listing.
    #[cfg(feature = "tokio")]
    #[error("the future of an earlier call was dropped, and with it the draft, submission, body reader or listing")]
    Interrupted,
    /// The async runtime shut down before the call began. It did nothing.
    #[cfg(feature = "tokio")]
    #[error("the async runtime shut down before the call of the queue began")]
    RuntimeShutDown,
}

/// The description of a failure, for people and logs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Details {
    /// The operation that failed, such as `open` or `sync-directory`, or empty.
    pub operation: String,
    /// The path that the operation was for, below the directory as it was named when the queue was opened. Empty where
    /// no file is involved.
    pub path: String,
    /// The cause and, unless it is obvious, the remedy.
    pub detail: String,
    /// The place where the text of an item stopped making sense.
    pub position: Option<Position>,
}

impl fmt::Display for Details {
    /// Writes one line: `path: detail (line L, column C)`, without the unknown parts. Control characters are escaped.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(formatter, "{}: ", OneLine(&self.path))?;
        }
        write!(formatter, "{}", OneLine(&self.detail))?;
        match &self.position {
            Some(position) => write!(formatter, " (line {}, column {})", position.line, position.column),
            None => Ok(()),
        }
    }
}

impl Error {
    /// Makes an error that the library itself answers with, and not the store. It concerns no file.
    pub(crate) fn of_library(code: ErrorCode, detail: impl Into<String>) -> Error {
        let (operation, path) = (String::new(), String::new());
        types::Error { code, operation, path, detail: detail.into(), position: None }.into()
    }

    /// Makes the error of a directory that cannot be opened or created: `busy` where the system had no descriptor or memory for
    /// it.
    pub(crate) fn of_directory(path: &Path, source: io::Error) -> Error {
        if exhaustion::is_exhaustion(&source) {
            return wasmtime::Error::from(source).into();
        }
        Error::Directory { path: path.to_path_buf(), source }
    }

    /// Returns the code of the contract, if the component answered the call, or `busy` if the system could not serve it.
    pub fn code(&self) -> Option<ErrorCode> {
        Some(match self {
            Error::InvalidArgument(_) => ErrorCode::InvalidArgument,
            Error::NotFound(_) => ErrorCode::NotFound,
            Error::Exists(_) => ErrorCode::Exists,
            Error::Conflict(_) => ErrorCode::Conflict,
            Error::Corrupt(_) => ErrorCode::Corrupt,
            Error::ChecksumMismatch(_) => ErrorCode::ChecksumMismatch,
            Error::IdMismatch(_) => ErrorCode::IdMismatch,
            Error::TooLarge(_) => ErrorCode::TooLarge,
            Error::QueueFull(_) => ErrorCode::QueueFull,
            Error::NoSpace(_) => ErrorCode::NoSpace,
            Error::Quota(_) => ErrorCode::Quota,
            Error::ReadOnly(_) => ErrorCode::ReadOnly,
            Error::Access(_) => ErrorCode::Access,
            Error::Unsupported(_) => ErrorCode::Unsupported,
            Error::Busy(_) => ErrorCode::Busy,
            Error::Io(_) => ErrorCode::Io,
            Error::Aborted(_) => ErrorCode::Aborted,
            Error::Indeterminate(_) => ErrorCode::Indeterminate,
            Error::NeedsRecovery(_) => ErrorCode::NeedsRecovery,
            Error::Other(_) => ErrorCode::Other,
            Error::Directory { .. }
            | Error::OutOfMemory(_)
            | Error::OutOfTime(_)
            | Error::Component(_)
            | Error::InAsyncRuntime
            | Error::Forked => return None,
            #[cfg(feature = "tokio")]
            Error::Interrupted | Error::RuntimeShutDown => return None,
        })
    }

    /// Returns the record of the contract, where the error has a code of it.
    pub fn record(&self) -> Option<types::Error> {
        let Details { operation, path, detail, position } = self.details()?.clone();
        Some(types::Error { code: self.code()?, operation, path, detail, position })
    }

    /// Returns the description of a failure that has a code of the contract.
    pub fn details(&self) -> Option<&Details> {
        match self {
            Error::InvalidArgument(details)
            | Error::NotFound(details)
            | Error::Exists(details)
            | Error::Conflict(details)
            | Error::Corrupt(details)
            | Error::ChecksumMismatch(details)
            | Error::IdMismatch(details)
            | Error::TooLarge(details)
            | Error::QueueFull(details)
            | Error::NoSpace(details)
            | Error::Quota(details)
            | Error::ReadOnly(details)
            | Error::Access(details)
            | Error::Unsupported(details)
            | Error::Busy(details)
            | Error::Io(details)
            | Error::Aborted(details)
            | Error::Indeterminate(details)
            | Error::NeedsRecovery(details)
            | Error::Other(details) => Some(details),
            Error::Directory { .. }
            | Error::OutOfMemory(_)
            | Error::OutOfTime(_)
            | Error::Component(_)
            | Error::InAsyncRuntime
            | Error::Forked => None,
            #[cfg(feature = "tokio")]
            Error::Interrupted | Error::RuntimeShutDown => None,
        }
    }
}

/// An error of the system or of the component, where there is no answer of the component.
impl From<wasmtime::Error> for Error {
    fn from(error: wasmtime::Error) -> Error {
        let Some(found) = exhaustion::find(&error) else {
            return Error::Component(error);
        };
        let detail = format!("the process is out of descriptors, threads, memory or file size: {found}");
        Error::Busy(Details { operation: String::new(), path: String::new(), detail, position: None })
    }
}

impl From<types::Error> for Error {
    fn from(error: types::Error) -> Error {
        let types::Error { code, operation, path, detail, position } = error;
        let details = Details { operation, path, detail, position };
        match code {
            ErrorCode::InvalidArgument => Error::InvalidArgument(details),
            ErrorCode::NotFound => Error::NotFound(details),
            ErrorCode::Exists => Error::Exists(details),
            ErrorCode::Conflict => Error::Conflict(details),
            ErrorCode::Corrupt => Error::Corrupt(details),
            ErrorCode::ChecksumMismatch => Error::ChecksumMismatch(details),
            ErrorCode::IdMismatch => Error::IdMismatch(details),
            ErrorCode::TooLarge => Error::TooLarge(details),
            ErrorCode::QueueFull => Error::QueueFull(details),
            ErrorCode::NoSpace => Error::NoSpace(details),
            ErrorCode::Quota => Error::Quota(details),
            ErrorCode::ReadOnly => Error::ReadOnly(details),
            ErrorCode::Access => Error::Access(details),
            ErrorCode::Unsupported => Error::Unsupported(details),
            ErrorCode::Busy => Error::Busy(details),
            ErrorCode::Io => Error::Io(details),
            ErrorCode::Aborted => Error::Aborted(details),
            ErrorCode::Indeterminate => Error::Indeterminate(details),
            ErrorCode::NeedsRecovery => Error::NeedsRecovery(details),
            ErrorCode::Other => Error::Other(details),
        }
    }
}

impl types::Outcome {
    /// Returns the problem as an error. A call on several items succeeds also where it failed for each of them.
    ///
    /// ```
    /// # use queue_store_host::{Error, Host, types::Durability};
    /// # let directory = std::env::temp_dir().join(format!("queue-store-outcome-{}", std::process::id()));
    /// # let queue = Host::new()?.create(&directory)?;
    /// for outcome in queue.remove(&["missing"], &[], Durability::Full)? {
    ///     let removed = outcome.into_result();
    ///     assert!(matches!(removed, Err(Error::NotFound(_))), "no item has this id");
    /// }
    /// # std::fs::remove_dir_all(&directory).expect("it exists");
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The problem of this item.
    pub fn into_result(self) -> Result<()> {
        self.problem.map_or(Ok(()), |problem| Err(problem.into()))
    }
}
