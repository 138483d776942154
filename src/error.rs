//! The errors of the component: one type, whose texts are in the `Display` of its parts, and one mapping to the codes of
//! the contract.

use crate::item::damage::Damage;
use crate::item::id::InvalidId;
use crate::item::text::syntax::{LiteralError, SyntaxError};
use crate::item::validation::InvalidMail;
use crate::storage::errno::Errno;
use alloc::boxed::Box;
use alloc::string::String;
use core::ops::{Deref, DerefMut};
use thiserror::Error as ThisError;

/// The result of most operations.
pub type Result<T> = core::result::Result<T, Error>;

/// `types.error-code`: the kinds of failure, told apart by what a caller would do about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "documented in `wit/types.wit`")]
pub enum Code {
    InvalidArgument,
    NotFound,
    Exists,
    Conflict,
    Corrupt,
    ChecksumMismatch,
    IdMismatch,
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

/// The cause of an error.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
pub enum Cause {
    /// An operation of the system failed.
    #[error(transparent)]
    System(#[from] Errno),
    /// An id is malformed.
    #[error(transparent)]
    Id(#[from] InvalidId),
    /// A mail is not acceptable.
    #[error(transparent)]
    Mail(#[from] InvalidMail),
    /// An item is damaged.
    #[error(transparent)]
    Damage(#[from] Damage),
    /// The text of an item does not parse.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// A string in the text of an item does not parse.
    #[error(transparent)]
    Literal(#[from] LiteralError),
    /// A path is not that of a directory or a file.
    #[error("{0}")]
    Path(&'static str),
    /// No preopen has the name.
    #[error("the host opened no directory under this name; it opened: {0}")]
    NoPreopen(String),
    /// An argument is out of its range.
    #[error("{0}")]
    Argument(&'static str),
    /// A quantity exceeds a limit.
    #[error("{0}")]
    TooLarge(&'static str),
    /// As many resources of a kind are open as the limit allows.
    #[error("as many are open as `{0}` allows: close one first")]
    TooManyOpen(&'static str),
    /// Every generated id was taken.
    #[error("{GENERATED_ID_TAKEN}; the host's randomness repeats")]
    RandomnessRepeats,
    /// A generated id is taken.
    #[error("{GENERATED_ID_TAKEN}")]
    GeneratedIdTaken,
    /// No item has the id.
    #[error("there is no item of this id")]
    NoItem,
    /// An item has the id.
    #[error("an item of this id exists, and survives power loss")]
    Exists,
    /// A live item has the id.
    #[error("an item of this id is ready or held")]
    LiveItemExists,
    /// Another file has the same id and other content.
    #[error("`{0}` has the same id and other content: move one of the two away")]
    TwoFiles(String),
    /// Several quarantined files have the id.
    #[error("several items of this id are quarantined: look at them, and move all but one away by hand")]
    SeveralQuarantined,
    /// The item is quarantined.
    #[error("the item is quarantined: restore it first")]
    Quarantined,
    /// The item was replaced since the caller read it.
    #[error("the item was replaced since: its revision is another")]
    OtherRevision,
    /// The instance has several preopens.
    #[error("the host opened several directories for this instance, and none of them is named `queue`")]
    SeveralPreopens,
    /// The instance has no preopen.
    #[error("the host opened no directory for this instance")]
    NoPreopens,
    /// The field `ID` of an item differs from the id of its file name.
    #[error(
        "the field `ID` of the item is `{0}`, which is not the id of its file name: correct one of them by hand, or \
         quarantine the item"
    )]
    IdMismatch(String),
    /// A name of an item is taken by something else.
    #[error("the name of an item is taken by something that is not a regular file: move it away by hand")]
    NotRegular,
    /// A file is not a regular one.
    #[error("it is not a regular file")]
    NotRegularFile,
    /// The queue holds as many items as it may.
    #[error("the queue holds as many items as it may: try again later")]
    QueueFull,
    /// An earlier call of the draft, the reader or the listing failed.
    #[error("{0}")]
    Aborted(&'static str),
    /// The queue refuses changes.
    #[error("an fsync failed earlier, and its data may not survive power loss: recover the queue first")]
    Closed,
}

const GENERATED_ID_TAKEN: &str = "the id that was generated is taken";

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
    /// Recovery could not make an item durable.
    #[error("; the item may not survive power loss")]
    MayNotSurvive,
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

impl Cause {
    fn code(&self) -> Code {
        match self {
            Cause::System(errno) => errno_code(*errno),
            Cause::Damage(damage) => damage_code(*damage),
            Cause::Mail(InvalidMail::TooManyEntries | InvalidMail::TooManyRecipients) | Cause::TooLarge(_) => {
                Code::TooLarge
            }
            Cause::Id(_) | Cause::Mail(_) | Cause::Path(_) | Cause::Argument(_) => Code::InvalidArgument,
            Cause::Syntax(_) | Cause::Literal(_) => Code::Corrupt,
            Cause::NoPreopen(_) | Cause::NoItem | Cause::NoPreopens => Code::NotFound,
            Cause::TooManyOpen(_) | Cause::RandomnessRepeats => Code::Busy,
            Cause::Exists | Cause::LiveItemExists | Cause::GeneratedIdTaken => Code::Exists,
            Cause::TwoFiles(_)
            | Cause::SeveralQuarantined
            | Cause::Quarantined
            | Cause::OtherRevision
            | Cause::SeveralPreopens => Code::Conflict,
            Cause::IdMismatch(_) => Code::IdMismatch,
            Cause::NotRegular | Cause::NotRegularFile => Code::Unsupported,
            Cause::QueueFull => Code::QueueFull,
            Cause::Aborted(_) => Code::Aborted,
            Cause::Closed => Code::NeedsRecovery,
        }
    }
}

fn damage_code(damage: Damage) -> Code {
    match damage {
        Damage::Truncated | Damage::Incomplete | Damage::Layout | Damage::Changed => Code::Corrupt,
        Damage::Mismatch => Code::ChecksumMismatch,
        Damage::Version => Code::Unsupported,
    }
}

fn errno_code(errno: Errno) -> Code {
    match errno {
        Errno::NoEntry => Code::NotFound,
        Errno::Exist => Code::Exists,
        Errno::NoSpace => Code::NoSpace,
        Errno::Quota => Code::Quota,
        Errno::ReadOnly => Code::ReadOnly,
        Errno::Access | Errno::NotPermitted => Code::Access,
        Errno::Io => Code::Io,
        Errno::FileTooLarge => Code::TooLarge,
        Errno::WrongFileType | Errno::Unsupported => Code::Unsupported,
        Errno::NameTooLong | Errno::Invalid | Errno::NotUtf8 => Code::InvalidArgument,
        Errno::Busy => Code::Busy,
        Errno::Already
        | Errno::BadDescriptor
        | Errno::Deadlock
        | Errno::InProgress
        | Errno::MessageSize
        | Errno::NoDevice
        | Errno::NoLock
        | Errno::NotEmpty
        | Errno::NotRecoverable
        | Errno::NoTty
        | Errno::NoSuchDevice
        | Errno::Overflow
        | Errno::Pipe
        | Errno::InvalidSeek
        | Errno::TextFileBusy => Code::Other,
    }
}
