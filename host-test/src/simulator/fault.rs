//! Faults: errors of the system, lost data, a killed process.

use super::disk::{ErrorName, FailedSync};
use super::operation::Operation;

/// A fault of operations of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The kind.
    pub operation: Operation,
    /// The number of operations of the kind that succeed before it, counted from when the fault is set.
    pub skip: usize,
    /// The number of operations that fail; `usize::MAX` for a system that stays broken.
    pub times: usize,
    /// The error that they return.
    pub error: ErrorName,
    /// Whether they take effect nevertheless.
    pub takes_effect: bool,
}

/// A fault of one operation, of any kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultKind {
    /// The operation fails and has no effect.
    Fails(ErrorName),
    /// The operation fails and has taken effect.
    HappensAndFails(ErrorName),
    /// The fsync of a file fails with `io`, and the dirty pages are lost.
    LosesPages(FailedSync),
    /// The write stores half of the bytes.
    WritesHalf,
    /// The operation fails, and so does every later one that would change the disk; on a full disk, fsync and unlink still
    /// succeed.
    StaysBroken(ErrorName),
    /// The process is killed before the operation, which and all later ones have no effect.
    Killed,
}

/// A fault at a place of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FaultAt {
    /// The number of the operation in the log, from 0.
    pub operation: usize,
    /// The fault.
    pub kind: FaultKind,
}

/// The effects of faults on one operation.
pub(super) struct Effects {
    /// The result that the operation returns.
    pub(super) result: Result<(), ErrorName>,
    /// Whether it takes effect.
    pub(super) takes_effect: bool,
    /// The content of the cache, where it is a failed fsync of a file.
    pub(super) failed_sync: FailedSync,
    /// Whether it stores half of the bytes, where it is a write.
    pub(super) half: bool,
}

impl Effects {
    /// No fault.
    pub(super) const NONE: Effects =
        Effects { result: Ok(()), takes_effect: true, failed_sync: FailedSync::Kept, half: false };

    /// The operation fails with `error`.
    pub(super) fn failure(error: ErrorName, takes_effect: bool) -> Effects {
        Effects { result: Err(error), takes_effect, ..Effects::NONE }
    }
}

impl FaultKind {
    /// Whether the fault can happen to an operation of this kind. An operation that changes nothing either fails or tells the
    /// truth.
    pub(super) fn applies_to(self, operation: Operation) -> bool {
        operation.changes() || matches!(self, FaultKind::Fails("io") | FaultKind::Killed)
    }
}

/// Returns the faults that a search tries at an operation.
pub fn faults_of(operation: Operation) -> &'static [FaultKind] {
    use FaultKind::{Fails, HappensAndFails, Killed, LosesPages, StaysBroken, WritesHalf};
    const FULL: ErrorName = "insufficient-space";
    const READ_ONLY: ErrorName = "read-only";
    match operation {
        Operation::Create => &[
            Fails("io"),
            Fails(FULL),
            Fails("quota"),
            Fails(READ_ONLY),
            StaysBroken(FULL),
            StaysBroken(READ_ONLY),
            Killed,
        ],
        Operation::Write => {
            &[Fails("io"), Fails(FULL), Fails("quota"), WritesHalf, StaysBroken(FULL), StaysBroken(READ_ONLY), Killed]
        }
        Operation::SyncFile => &[
            LosesPages(FailedSync::Kept),
            LosesPages(FailedSync::Reverted),
            Fails(FULL),
            Fails("quota"),
            StaysBroken("io"),
            StaysBroken(READ_ONLY),
            Killed,
        ],
        Operation::Link => &[
            Fails("io"),
            Fails(FULL),
            Fails("quota"),
            Fails(READ_ONLY),
            HappensAndFails("io"),
            HappensAndFails("exist"),
            StaysBroken(FULL),
            StaysBroken(READ_ONLY),
            Killed,
        ],
        Operation::Rename => &[
            Fails("io"),
            Fails(FULL),
            Fails("quota"),
            Fails(READ_ONLY),
            HappensAndFails("io"),
            HappensAndFails("no-entry"),
            StaysBroken(FULL),
            StaysBroken(READ_ONLY),
            Killed,
        ],
        Operation::Unlink => &[
            Fails("io"),
            Fails(READ_ONLY),
            HappensAndFails("io"),
            HappensAndFails("no-entry"),
            StaysBroken(READ_ONLY),
            Killed,
        ],
        Operation::SyncDirectory => {
            &[Fails("io"), Fails(FULL), Fails("quota"), StaysBroken("io"), StaysBroken(READ_ONLY), Killed]
        }
        Operation::SetTimes => &[Fails("io"), Killed],
        Operation::Open
        | Operation::Stat
        | Operation::Read
        | Operation::ReadDirectory
        | Operation::ReadEntry
        | Operation::Identity => &[Fails("io")],
    }
}
