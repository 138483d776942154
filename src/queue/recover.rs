//! Recovery: after it, what is there is there for good, and the queue may be changed again.

use super::{Doubt, ItemFile, LIVE, Queue, read_some};
use crate::durable_write::Durability;
use crate::encoder::Sink;
use crate::error::{Code, Error, Fields, Operation, Result};
use crate::filesystem::{Directory, Kind, System};
use crate::limits::MAX_PROBLEMS;
use crate::list::{List, Text};
use crate::message::Timestamp;
use crate::mutant::{Safeguard, removed};
use crate::name::{Format, Name, STATES, State};

/// `types.recovery`: what was found and done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[repr(C)]
#[allow(missing_docs, reason = "documented in `wit/types.wit`")]
pub struct Recovery {
    pub items: u64,
    pub swept: u64,
    pub kept: u64,
    pub settled: u64,
    pub problems: List<Fields>,
    pub truncated: bool,
}

impl Recovery {
    fn problem(&mut self, error: Error) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(error.into_fields());
        } else {
            self.truncated = true;
        }
    }
}

impl<S: System> Queue<S> {
    /// Makes the state of the queue definite, and removes temporary files that are at least `older_than` seconds old.
    pub fn recover(&self, older_than: u64) -> Result<Recovery> {
        let mut recovery = Recovery::default();
        let doubtful = self.doubt.take();
        let recovered = if removed(Safeguard::SweepFirst) {
            self.settle(&doubtful, &mut recovery).and_then(|()| self.sweep(older_than, &mut recovery))
        } else {
            self.sweep(older_than, &mut recovery).and_then(|()| self.settle(&doubtful, &mut recovery))
        };
        if let Err(error) = recovered {
            self.still_in_doubt(doubtful);
            let closed = error.operation == Operation::SyncDirectory;
            return Err(self.error(if closed { error.with_code(Code::NeedsRecovery) } else { error }));
        }
        self.needs_recovery.set(false);
        Ok(recovery)
    }

    /// Notes again what was in doubt.
    fn still_in_doubt(&self, doubtful: Doubt) {
        doubtful.ids.iter().for_each(|id| self.doubt(id));
        let mut doubt = self.doubt.take();
        doubt.more |= doubtful.more;
        self.doubt.set(doubt);
        if doubtful.more {
            self.require_recovery();
        }
    }

    /// Removes temporary files. They go first: on a full disk, they are what makes room for the rest.
    fn sweep(&self, older_than: u64, recovery: &mut Recovery) -> Result<()> {
        let now = match older_than {
            0 => None,
            _ if removed(Safeguard::FileSystemAge) => Some(self.system.now()),
            _ => self.file_system_time(recovery)?,
        };
        let mut names = self.names()?;
        while let Some(found) = names.next()? {
            if (found.kind, found.meaning()) != (Kind::Regular, Name::Temporary) {
                continue;
            }
            // A time in the future makes a file young.
            if removed(Safeguard::Sweep) {
                continue;
            }
            let old = older_than == 0
                || now.is_some_and(|now| {
                    let modified = self.directory.stat(&found.name).ok().and_then(|stat| stat.modified);
                    modified.is_some_and(|modified| seconds_between(modified, now) >= older_than)
                });
            if !old {
                recovery.kept += 1;
                continue;
            }
            match self.unlink(&found.name) {
                Ok(()) => recovery.swept += 1,
                Err(error) if error.code == Code::NotFound => {}
                Err(error) => recovery.problem(self.error(error)),
            }
        }
        Ok(())
    }

    /// What time it is for the file system: the age of a file is not measured against another clock.
    fn file_system_time(&self, recovery: &mut Recovery) -> Result<Option<Timestamp>> {
        let created = self.temporary().and_then(|mut probe| {
            let modified = probe.modified()?;
            probe.discard()?;
            Ok(modified)
        });
        let error = match created {
            Ok(modified) => return Ok(modified),
            Err(error) => error,
        };
        recovery.problem(self.error(error.and("temporary files that are just old enough may be left")));
        // Nothing was modified later than now, so the newest file makes no file look older than it is.
        let mut newest: Option<Timestamp> = None;
        let mut names = self.names()?;
        while let Some(found) = names.next()? {
            let modified = self.directory.stat(&found.name).ok().and_then(|stat| stat.modified);
            if let Some(modified) = modified
                && newest.is_none_or(|newest| seconds_between(newest, modified) > 0)
            {
                newest = Some(modified);
            }
        }
        Ok(newest)
    }

    /// Makes every item durable, and then their names.
    fn settle(&self, doubtful: &Doubt, recovery: &mut Recovery) -> Result<()> {
        let mut names = self.names()?;
        while let Some(found) = names.next()? {
            let (Kind::Regular, Name::Item { id, .. }) = (found.kind, found.meaning()) else {
                continue;
            };
            let id = Text::from(id);
            let file = ItemFile { name: found.name };
            let renew = doubtful.more || doubtful.ids.contains(&id);
            match self.settle_item(&id, &file, renew, recovery) {
                Ok(()) => recovery.items += 1,
                Err(error) if error.code == Code::NotFound => {}
                Err(error) if error.operation == Operation::SyncDirectory => return Err(error),
                Err(error) => recovery.problem(self.error(error)),
            }
        }
        if removed(Safeguard::RecoveryNameSync) {
            return Ok(());
        }
        self.sync_names(Durability::Full)
    }

    /// Makes an item durable: by a sync, or, where one failed already or fails now, by writing it to a new file.
    fn settle_item(&self, id: &str, file: &ItemFile, renew: bool, recovery: &mut Recovery) -> Result<()> {
        let renew = renew && !removed(Safeguard::Renew);
        if renew || (!removed(Safeguard::RecoverySync) && self.sync_file(file).is_err()) {
            self.renew(file).map_err(|error| {
                if !matches!(error.code, Code::Corrupt | Code::ChecksumMismatch | Code::NotFound) {
                    // The next recovery tries again.
                    let mut doubt = self.doubt.take();
                    doubt.ids.push(id.into());
                    self.doubt.set(doubt);
                }
                error.and("the item may not survive power loss")
            })?;
            recovery.settled += 1;
        }
        if removed(Safeguard::Settle) {
            return Ok(());
        }
        // The usual name is not looked at twice: another name of the item leads here too.
        if (file.state(), file.format()) == (State::Ready, Format::Text) {
            return Ok(());
        }
        let mut files = self.files(id, &STATES)?;
        if files.pop().is_none_or(|last| last.name != file.name) {
            return Ok(());
        }
        for other in &files {
            if self.same_content(file, other)? {
                // What is kept must be durable before the other name goes.
                if !removed(Safeguard::SettleOrder) {
                    self.sync_file(file)?;
                    self.sync_names(Durability::Full)?;
                }
                self.unlink(&other.name)?;
                recovery.settled += 1;
            }
        }
        self.file(id, &LIVE).map(|_| ())
    }

    /// Writes an item to a new file and publishes that instead.
    fn renew(&self, file: &ItemFile) -> Result<()> {
        // What a failed sync left in the cache need not be what was written.
        self.checked(file)?;
        let old = self.open_file(file)?;
        let mut new = self.temporary()?;
        let mut offset = 0;
        loop {
            match read_some(&old, file, offset).and_then(|bytes| new.write(&bytes).map(|()| bytes.len() as u64)) {
                Ok(0) => {
                    new.finish(Durability::Full)?;
                    return new.publish_replacing(&file.name);
                }
                Ok(copied) => offset += copied,
                Err(error) => return Err(new.give_up(error)),
            }
        }
    }
}

/// Whole seconds from one time to a later one; 0 if it is not later.
fn seconds_between(earlier: Timestamp, later: Timestamp) -> u64 {
    let seconds = later.seconds.saturating_sub(earlier.seconds).saturating_sub(i64::from(later.nanos < earlier.nanos));
    u64::try_from(seconds).unwrap_or(0)
}
