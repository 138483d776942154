//! What can go wrong, in the terms of the contract: `types.error` without the binding.

use crate::filesystem::Failure;
use crate::list::{Maybe, Text};
use alloc::boxed::Box;
use core::ops::{Deref, DerefMut};
use thiserror::Error as ThisError;

/// `types.error-code`: what a caller decides by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "documented in `wit/types.wit`")]
#[repr(u8)]
pub enum Code {
    InvalidArgument,
    NotFound,
    Exists,
    Conflict,
    Corrupt,
    ChecksumMismatch,
    TooLarge,
    QueueFull,
    NoSpace,
    Quota,
    ReadOnly,
    Access,
    Unsupported,
    Busy,
    Io,
    Aborted,
    Indeterminate,
    NeedsRecovery,
    Other,
}

/// `types.operation`: what was being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "documented in `wit/types.wit`")]
#[repr(u8)]
pub enum Operation {
    None,
    Resolve,
    Open,
    Stat,
    Read,
    Decode,
    Encode,
    Create,
    Write,
    SetTimes,
    Sync,
    Link,
    Rename,
    Unlink,
    SyncDirectory,
    ReadDirectory,
    Random,
}

/// `types.position`: a place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Position {
    /// Bytes from the beginning.
    pub offset: u64,
    /// Lines, from 1.
    pub line: u64,
    /// Characters in the line, from 1.
    pub column: u64,
}

/// `types.error`. Behind a pointer, so that a result which is none stays small.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
#[error("{}: {}", &*self.0.path, &*self.0.detail)]
pub struct Error(Box<Fields>);

/// The fields of `types.error`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Fields {
    /// What a caller decides by.
    pub code: Code,
    /// What was being done.
    pub operation: Operation,
    /// The file or directory it was done to: a name within the queue's directory until it leaves the queue.
    pub path: Text,
    /// For people.
    pub detail: Text,
    /// Where a text stopped making sense.
    pub at: Maybe<Position>,
}

impl Deref for Error {
    type Target = Fields;

    fn deref(&self) -> &Fields {
        &self.0
    }
}

impl DerefMut for Error {
    fn deref_mut(&mut self) -> &mut Fields {
        &mut self.0
    }
}

impl Error {
    /// An error of an operation on a file.
    #[inline(never)]
    pub fn of(code: Code, operation: Operation, path: &str, detail: &str) -> Error {
        Error(Box::new(Fields { code, operation, path: path.into(), detail: detail.into(), at: Maybe::None }))
    }

    /// An error that no operation on a file caused.
    #[inline(never)]
    pub fn refused(code: Code, detail: &str) -> Error {
        Error::of(code, Operation::None, "", detail)
    }

    /// An argument that cannot be used.
    #[inline(never)]
    pub fn invalid(detail: &str) -> Error {
        Error::refused(Code::InvalidArgument, detail)
    }

    /// What the file system said to an operation.
    #[inline(never)]
    pub fn filesystem(failure: Failure, operation: Operation, path: &str) -> Error {
        Error::of(failure.code(), operation, path, failure.text())
    }

    /// The same failure, of which it is not known whether it took effect.
    #[inline(never)]
    #[must_use]
    pub fn indeterminate(mut self) -> Error {
        self.code = Code::Indeterminate;
        self.and("the effect is visible, or may be, and may not survive power loss: recover the queue, then look")
    }

    /// The same error with more to say.
    #[inline(never)]
    #[must_use]
    pub fn and(mut self, more: &str) -> Error {
        self.detail = Text::of(&[&self.detail, "; ", more]);
        self
    }

    /// The same error, once more.
    pub fn again(&self) -> Error {
        Error::of(self.code, self.operation, &self.path, &self.detail)
    }

    /// The fields, taken out.
    pub fn into_fields(self) -> Fields {
        *self.0
    }

    /// The same error with another code.
    #[must_use]
    pub fn with_code(mut self, code: Code) -> Error {
        self.code = code;
        self
    }

    /// The same error, of this file.
    #[inline(never)]
    #[must_use]
    pub fn at_path(mut self, path: &str) -> Error {
        if self.path.is_empty() {
            self.path = path.into();
        }
        self
    }
}

/// What most operations return.
pub type Result<T> = core::result::Result<T, Error>;
