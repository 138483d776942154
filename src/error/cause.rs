//! The causes of errors, and the one mapping of them to the codes of the contract.

use crate::item::damage::Damage;
use crate::item::id::InvalidId;
use crate::item::text::syntax::{LiteralError, SyntaxError};
use crate::item::validation::InvalidMail;
use crate::storage::errno::Errno;
use alloc::string::String;
use thiserror::Error as ThisError;

/// `types.error-code`: the kinds of failure, distinguished by the action that a caller would take.
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
    /// The name of the directory of marks is taken.
    #[error("the name of the directory for marks of failed fsyncs is taken by something else: move it away by hand")]
    MarksNotDirectory,
    /// A file is not a regular one.
    #[error("it is not a regular file")]
    NotRegularFile,
    /// The host or the file system has no fsync for directories.
    #[error(
        "a directory cannot be fsynced on this host or file system, so that no change of its entries can be made to survive \
         power loss: use another one, or the durability `content-only`"
    )]
    NoDirectorySync,
    /// The queue holds as many items as it may.
    #[error("the queue holds as many items as it may: try again later")]
    QueueFull,
    /// An earlier call of the draft, the reader or the listing failed.
    #[error("{0}")]
    Aborted(&'static str),
    /// An fsync of another call failed during a recovery.
    #[error("an fsync of another call failed meanwhile: recover the queue again")]
    FailedMeanwhile,
    /// The queue refuses changes.
    #[error("an fsync failed earlier, and its data may not survive power loss: recover the queue first")]
    Closed,
}

const GENERATED_ID_TAKEN: &str = "the id that was generated is taken";

impl Cause {
    /// Returns the contract's code, where the error has no further consequence.
    pub fn code(&self) -> Code {
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
            Cause::NotRegular | Cause::MarksNotDirectory | Cause::NotRegularFile | Cause::NoDirectorySync => {
                Code::Unsupported
            }
            Cause::QueueFull => Code::QueueFull,
            Cause::Aborted(_) => Code::Aborted,
            Cause::Closed | Cause::FailedMeanwhile => Code::NeedsRecovery,
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
        Errno::BadDescriptor | Errno::Other(_) => Code::Other,
    }
}
