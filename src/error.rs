//! The errors of the component: one type, whose texts are in the `Display` of its parts.

mod cause;

pub use cause::{Cause, Code};

use crate::storage::errno::Errno;
use alloc::boxed::Box;
use alloc::string::String;
use core::ops::{Deref, DerefMut};
use thiserror::Error as ThisError;

/// The result of most operations.
pub type Result<T> = core::result::Result<T, Error>;

/// The operation that failed; its `Display` is the name in `types.error.operation`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ThisError)]
#[allow(missing_docs, reason = "the names are those of the operations")]
pub enum Operation {
    #[error("")]
    None,
    #[error("resolve")]
    Resolve,
    #[error("open")]
    Open,
    #[error("stat")]
    Stat,
    #[error("read")]
    Read,
    #[error("decode")]
    Decode,
    #[error("encode")]
    Encode,
    #[error("create")]
    Create,
    #[error("write")]
    Write,
    #[error("set-times")]
    SetTimes,
    #[error("sync")]
    Sync,
    #[error("link")]
    Link,
    #[error("rename")]
    Rename,
    #[error("unlink")]
    Unlink,
    #[error("sync-directory")]
    SyncDirectory,
    #[error("read-directory")]
    ReadDirectory,
    #[error("random")]
    Random,
}

/// `types.position`: a place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Bytes from the beginning, from 0.
    pub offset: u64,
    /// Lines, from 1.
    pub line: u64,
    /// Characters in the line, from 1.
    pub column: u64,
}

/// The consequence of an error beyond the failure of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ThisError)]
pub enum Consequence {
    /// Nothing was changed, and the queue is as open as it was.
    #[error("")]
    None,
    /// The effect may be visible, and may not survive power loss.
    #[error("; the effect is visible, or may be, and may not survive power loss: recover the queue, then look")]
    Indeterminate,
    /// Nothing was changed, and the queue refuses changes.
    #[error("; nothing was changed, and the queue refuses changes until it is recovered")]
    NeedsRecovery,
    /// The effect of a write without a queue is visible and may not survive power loss.
    #[error("; the file has its name, which may not survive power loss: write it again")]
    WriteAgain,
}

/// A remark for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ThisError)]
pub enum Remark {
    /// Nothing to add.
    #[error("")]
    None,
    /// A temporary file is left.
    #[error("; its temporary file could not be removed")]
    TemporaryFileLeft,
    /// Recovery could not fsync an item.
    #[error("; the item may not survive power loss")]
    MayNotSurvive,
    /// Recovery could not rewrite an item whose fsync failed.
    #[error("; the item may not survive power loss, and the queue stays closed for changes: recover again")]
    StaysClosed,
    /// The failure could not be marked in the directory.
    #[error("; no mark could be left in the directory: other processes do not know of this failure")]
    NotMarked,
    /// Recovery could not find out the time of the file system.
    #[error("; temporary files that are just old enough may be left")]
    AgeUnknown,
}

/// The parts of an [`Error`].
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
#[error("{cause}{consequence}{remark}")]
pub struct Failure {
    /// The cause.
    pub cause: Cause,
    /// The operation that failed.
    pub operation: Operation,
    /// The file or directory that the operation was for: a name within the queue's directory until the error leaves the
    /// queue.
    pub path: String,
    /// Where a text stopped making sense.
    pub position: Option<Position>,
    /// The consequence beyond the failure of the call.
    pub consequence: Consequence,
    /// A remark for people.
    pub remark: Remark,
}

/// A failure. It is boxed so that a successful result stays small.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
#[error(transparent)]
pub struct Error(Box<Failure>);

impl Deref for Error {
    type Target = Failure;

    fn deref(&self) -> &Failure {
        &self.0
    }
}

impl DerefMut for Error {
    fn deref_mut(&mut self) -> &mut Failure {
        &mut self.0
    }
}

/// An error without a file: of an argument, or of the state of the queue.
impl<C: Into<Cause>> From<C> for Error {
    fn from(cause: C) -> Error {
        Error::new(cause, Operation::None, "")
    }
}

impl Error {
    /// Creates an error of an operation on a file.
    #[cold]
    pub fn new(cause: impl Into<Cause>, operation: Operation, path: &str) -> Error {
        Error(Box::new(Failure {
            cause: cause.into(),
            operation,
            path: path.into(),
            position: None,
            consequence: Consequence::None,
            remark: Remark::None,
        }))
    }

    /// Creates an error of an item that was read.
    #[cold]
    pub(crate) fn decode(cause: impl Into<Cause>) -> Error {
        Error::new(cause, Operation::Decode, "")
    }

    /// Creates an error in a text. The line is filled in by the reader that has the whole text.
    #[cold]
    pub(crate) fn in_text(cause: impl Into<Cause>, offset: u64) -> Error {
        let mut error = Error::decode(cause);
        error.position = Some(Position { offset, line: 0, column: 0 });
        error
    }

    /// Marks that the effect may be visible and may not survive power loss.
    #[must_use]
    pub(crate) fn indeterminate(mut self) -> Error {
        self.consequence = Consequence::Indeterminate;
        self
    }

    /// Marks that nothing was changed, and that the queue refuses changes from here on.
    #[must_use]
    pub(crate) fn needs_recovery(mut self) -> Error {
        self.consequence = Consequence::NeedsRecovery;
        self
    }

    /// Adds a remark.
    #[must_use]
    pub(crate) fn remark(mut self, remark: Remark) -> Error {
        self.remark = remark;
        self
    }

    /// Sets the path, if the error has none.
    #[must_use]
    pub(crate) fn at_path(mut self, path: &str) -> Error {
        if self.path.is_empty() {
            self.path = path.into();
        }
        self
    }

    /// Whether the cause is this error number.
    pub(crate) fn is(&self, errno: Errno) -> bool {
        self.cause == Cause::System(errno)
    }

    /// Takes the parts out.
    pub fn into_failure(self) -> Failure {
        *self.0
    }

    /// Returns the contract's code.
    pub fn code(&self) -> Code {
        match self.consequence {
            Consequence::Indeterminate | Consequence::WriteAgain => Code::Indeterminate,
            Consequence::NeedsRecovery => Code::NeedsRecovery,
            Consequence::None => self.cause.code(),
        }
    }
}
