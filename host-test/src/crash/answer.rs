//! Checks the answer of a call against the rule for error codes, the promises, and the disk.

use super::action::{Action, Call, Stamp};
use super::observation::{contents, count_temporary};
use super::promise::{Answer, Promises};
use super::scenario::Step;
use crate::bindings::ErrorCode;
use crate::simulator::disk::Disk;
use crate::simulator::fault::{FaultAt, FaultKind};
use crate::simulator::lie::is_temporary;
use crate::simulator::operation::Operation;
use std::collections::BTreeMap;

/// The circumstances of a call that returned.
pub(super) struct Returned<'a> {
    /// The call, and the fault in it.
    pub(super) step: &'a Step,
    /// Its number.
    pub(super) stamp: Stamp,
    /// The disk before it.
    pub(super) before: &'a Disk,
    /// The disk after it.
    pub(super) after: &'a Disk,
    /// Whether the queue refused changes before it.
    pub(super) was_closed: bool,
    /// Whether the queue refuses changes after it.
    pub(super) is_closed: bool,
    /// The operations of the system in it.
    pub(super) operations: &'a [Operation],
}

/// Whether the queue refuses changes after an answer with this code.
fn closes(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::Indeterminate | ErrorCode::NeedsRecovery)
}

impl Returned<'_> {
    /// Checks the answers of an action, and records them in the promises.
    pub(super) fn check_items(
        &self,
        action: Action,
        answers: &[Answer],
        promises: &mut Promises,
    ) -> Result<(), String> {
        let codes: Vec<Option<ErrorCode>> = answers.iter().map(|answer| answer.code).collect();
        self.check_closed(&codes)?;
        if self.was_closed && !action.is_chasquid() {
            self.check_refused(&codes)?;
        }
        for answer in answers {
            if self.repeats_no_entry(action, answer) {
                continue;
            }
            promises.record(action, self.stamp, answer)?;
        }
        // An fsync that fails can revert data that another program did not fsync.
        if !action.is_chasquid() && !promises.is_unsafe() {
            self.check_unchanged(answers, promises)?;
        }
        self.check_no_temporary(action, &codes)
    }

    /// Whether the answer `not-found` repeats the error of a faulty operation, and does not come from a lookup of the item. It
    /// promises that the item is as it was.
    fn repeats_no_entry(&self, action: Action, answer: &Answer) -> bool {
        let no_entry = |kind| matches!(kind, FaultKind::Fails("no-entry") | FaultKind::HappensAndFails("no-entry"));
        !action.is_removal()
            && answer.code == Some(ErrorCode::NotFound)
            && self.step.fault.is_some_and(|fault| no_entry(fault.kind))
    }

    /// Checks the rule for error codes: an answer after which the queue refuses changes has the code `indeterminate` or
    /// `needs-recovery`, and after every other answer the queue is as open as before.
    pub(super) fn check_closed(&self, codes: &[Option<ErrorCode>]) -> Result<(), String> {
        let expected = self.was_closed || codes.iter().flatten().any(|code| closes(*code));
        if self.is_closed != expected {
            let (was, is) = (self.was_closed, self.is_closed);
            return Err(format!("answered {codes:?}, and needs-recovery went from {was} to {is}"));
        }
        Ok(())
    }

    /// Checks that a queue in need of recovery refuses a change.
    fn check_refused(&self, codes: &[Option<ErrorCode>]) -> Result<(), String> {
        let is_refusal = |code: &Option<ErrorCode>| match self.step.fault {
            None => *code == Some(ErrorCode::NeedsRecovery),
            Some(_) => code.is_some(),
        };
        if !codes.iter().all(is_refusal) {
            return Err(format!("a queue in need of recovery answered {codes:?}"));
        }
        if self.after != self.before {
            return Err("a queue in need of recovery was changed".to_string());
        }
        Ok(())
    }

    /// Checks the rule for error codes: an item whose code is not `indeterminate` is unchanged.
    fn check_unchanged(&self, answers: &[Answer], promises: &Promises) -> Result<(), String> {
        let kind = self.step.fault.map(|fault| fault.kind);
        let failed = |answer: &&Answer| match answer.code {
            None | Some(ErrorCode::Indeterminate) => false,
            // The system returns that a name does not exist, and removed it just before.
            Some(ErrorCode::NotFound) => kind != Some(FaultKind::HappensAndFails("no-entry")),
            Some(_) => true,
        };
        let (before, after) = (items(self.before), items(self.after));
        for answer in answers.iter().filter(failed) {
            let Some(id) = promises.id(&answer.item) else {
                continue;
            };
            if files_of(&before, &id) != files_of(&after, &id) {
                return Err(format!("failed for `{id}` with {:?}, and changed it", answer.code));
            }
        }
        if answers.iter().all(|answer| failed(&answer)) && before != after {
            let codes: Vec<Option<ErrorCode>> = answers.iter().map(|answer| answer.code).collect();
            return Err(format!("failed with {codes:?}, and changed the queue"));
        }
        Ok(())
    }

    /// Checks that the call left no temporary file, unless its removal failed.
    fn check_no_temporary(&self, action: Action, codes: &[Option<ErrorCode>]) -> Result<(), String> {
        let removal_failed = self.step.fault.is_some_and(|FaultAt { operation, kind }| {
            self.operations.get(operation) == Some(&Operation::Unlink)
                || matches!(kind, FaultKind::StaysBroken("read-only" | "io"))
        });
        if !removal_failed && !action.is_chasquid() && count_temporary(self.after) > count_temporary(self.before) {
            return Err(format!("answered {codes:?}, and left a temporary file"));
        }
        Ok(())
    }

    /// Whether longer scenarios can show more than this one did: the call changed something, in the queue or in the
    /// process.
    pub(super) fn is_extensible(&self) -> bool {
        self.after != self.before || matches!(self.step.call, Call::Recover | Call::Restart)
    }
}

/// Returns the names on a disk except for temporary files, and their contents.
fn items(disk: &Disk) -> BTreeMap<&str, &[u8]> {
    let mut items = contents(disk);
    items.retain(|name, _| !is_temporary(name));
    items
}

/// Returns the files of an id.
fn files_of<'a>(items: &BTreeMap<&'a str, &'a [u8]>, id: &str) -> Vec<(&'a str, &'a [u8])> {
    let is_of_id = |name: &str| name.split_once([':', '=']).is_some_and(|(_, rest)| rest.ends_with(id));
    items.iter().filter(|(name, _)| is_of_id(name)).map(|(name, content)| (*name, *content)).collect()
}
