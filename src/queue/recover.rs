//! Recovery: after it, every remaining item is durable, and the queue may be changed again.

use super::handle::Queue;
use super::lookup::{FileOf, ItemFile, not_regular, read_block};
use super::read::check_recorded_id;
use super::unsynced::{Subject, Unsynced};
use crate::error::{Cause, Code, Error, Operation, Remark, Result};
use crate::item::Format;
use crate::item::decoder::Strictness;
use crate::item::envelope::Timestamp;
use crate::limits::MAX_PROBLEMS;
use crate::storage::file_name::{LIVE, Meaning, STATES, State};
use crate::storage::filesystem::{Directory, FileType, System};
use crate::storage::temporary_file::Durability;
use alloc::vec::Vec;

/// `types.recovery`: the report of a recovery.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "documented in `wit/types.wit`")]
pub struct Recovery {
    pub durable_items: u64,
    pub damaged_items: u64,
    pub temporary_removed: u64,
    pub temporary_kept: u64,
    pub rewritten: u64,
    pub problems: Vec<Error>,
    pub truncated: bool,
}

impl Recovery {
    fn problem(&mut self, error: Error) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(error);
        } else {
            self.truncated = true;
        }
    }
}

impl<S: System> Queue<S> {
    /// Makes the state of the queue definite, and removes temporary files that are at least `grace_seconds` old.
    pub fn recover(&self, grace_seconds: u32) -> Result<Recovery> {
        let mut recovery = Recovery::default();
        let was_closed = self.needs_recovery();
        let marks = self.marks().map_err(|error| self.error(error))?;
        let mut unsynced = self.take_unsynced();
        marks.iter().for_each(|name| unsynced.insert_mark(name));
        // Temporary files go first: on a full disk, their removal makes room for the rest.
        let recovered = self
            .delete_stale(grace_seconds.into(), &mut recovery)
            .and_then(|()| self.reconcile(&unsynced, &mut recovery))
            .and_then(|()| self.reopen(&marks));
        if let Err(error) = recovered {
            self.restore_unsynced(unsynced);
            let closed = error.operation == Operation::SyncDirectory || self.needs_recovery() && !was_closed;
            return Err(self.error(if closed { error.needs_recovery() } else { error }));
        }
        Ok(recovery)
    }

    /// Removes temporary files that are old enough.
    fn delete_stale(&self, grace_seconds: u64, recovery: &mut Recovery) -> Result<()> {
        let now = if grace_seconds == 0 { None } else { self.file_system_time(recovery)? };
        let mut scan = self.scan()?;
        while let Some(entry) = scan.next()? {
            if (entry.file_type, entry.meaning()) != (FileType::Regular, Meaning::Temporary) {
                continue;
            }
            // A file whose age is unknown is retained.
            let age = || Some(seconds_between(self.directory.stat(&entry.name).ok()?.modified?, now?));
            if grace_seconds > 0 && age().is_none_or(|age| age < grace_seconds) {
                recovery.temporary_kept += 1;
                continue;
            }
            match self.unlink(&entry.name) {
                Ok(()) => recovery.temporary_removed += 1,
                Err(error) if error.code() == Code::NotFound => {}
                Err(error) => recovery.problem(self.error(error)),
            }
        }
        Ok(())
    }

    /// Returns the time of the file system: the age of a file is not measured against another clock.
    fn file_system_time(&self, recovery: &mut Recovery) -> Result<Option<Timestamp>> {
        let created = self.create_temporary().and_then(|probe| {
            let modified = probe.modified()?;
            probe.discard()?;
            Ok(modified)
        });
        let error = match created {
            Ok(modified) => return Ok(modified),
            Err(error) => error,
        };
        recovery.problem(self.error(error.remark(Remark::AgeUnknown)));
        // No file was modified later than now, so the newest file makes no file look older than it is.
        let mut newest: Option<Timestamp> = None;
        let mut scan = self.scan()?;
        while let Some(entry) = scan.next()? {
            let modified = self.directory.stat(&entry.name).ok().and_then(|stat| stat.modified);
            if let Some(modified) = modified
                && newest.is_none_or(|newest| seconds_between(newest, modified) > 0)
            {
                newest = Some(modified);
            }
        }
        Ok(newest)
    }

    /// Removes second names of items, makes every item durable, and then the directory entries.
    fn reconcile(&self, unsynced: &Unsynced, recovery: &mut Recovery) -> Result<()> {
        // A rename that is not durable could leave the old name, and the old content, beside an item that is written anew.
        match self.sync_directory() {
            Err(error) if error.cause == Cause::NoDirectorySync => {}
            synced => synced?,
        }
        self.each_item(recovery, |file, file_type, recovery| {
            if file_type != FileType::Regular {
                return Err(not_regular(&file.name));
            }
            self.remove_second_names(file, unsynced, recovery)
        })?;
        self.each_item(recovery, |file, file_type, recovery| {
            if file_type != FileType::Regular {
                // The first pass reported it.
                return Ok(());
            }
            let (durable, is_new) = self.open_durable(file, unsynced, recovery)?;
            let mut item = self.read_envelope(durable, file, Strictness::Full)?;
            if is_new {
                // The page cache after a failed fsync need not have the content that was written.
                item.reader.verify().map_err(|error| error.at_path(&file.name))?;
            }
            check_recorded_id(item.reader.envelope(), file)?;
            recovery.durable_items += 1;
            Ok(())
        })?;
        match self.sync_directory() {
            Err(error) if error.cause == Cause::NoDirectorySync => recovery.problem(self.error(error)),
            synced => synced?,
        }
        Ok(())
    }

    /// Calls `visit` for the file of every item, and reports the failures. Only a failed fsync of the directory ends the pass;
    /// one that the host lacks does not.
    fn each_item(
        &self,
        recovery: &mut Recovery,
        visit: impl Fn(&ItemFile, FileType, &mut Recovery) -> Result<()>,
    ) -> Result<()> {
        let mut scan = self.scan()?;
        while let Some(entry) = scan.next()? {
            let file_type = entry.file_type;
            let Some(file) = ItemFile::found(entry.name) else {
                continue;
            };
            match visit(&file, file_type, recovery) {
                Ok(()) => {}
                Err(error) if error.code() == Code::NotFound => {}
                Err(error) if error.operation == Operation::SyncDirectory && error.cause != Cause::NoDirectorySync => {
                    return Err(error);
                }
                Err(error) => {
                    recovery.damaged_items += u64::from(is_damage(&error));
                    recovery.problem(self.error(error));
                }
            }
        }
        Ok(())
    }

    /// Opens the file of an item and makes it durable: by an fsync or, where one failed already or fails now, by writing it to a
    /// new file. Returns the file, and whether it is a new one.
    fn open_durable(&self, file: &ItemFile, unsynced: &Unsynced, recovery: &mut Recovery) -> Result<(FileOf<S>, bool)> {
        let mut mark = None;
        if !unsynced.contains(file.id()) && !self.unsynced.borrow().contains(file.id()) {
            match self.open_synced(file) {
                Ok(synced) => return Ok((synced, false)),
                // Until it is rewritten, a process that is killed leaves the mark.
                Err(error) if error.operation == Operation::Sync => mark = self.mark(Subject::Item(file.id())).ok(),
                Err(error) => return Err(error.remark(Remark::MayNotSurvive)),
            }
        }
        let copied = self.copy_to_new_file(file).map_err(|error| {
            if error.code() == Code::NotFound {
                return error;
            }
            // The queue stays closed, and the next recovery tries again.
            let error = self.close_for(file.id(), error);
            if error.remark == Remark::NotMarked { error } else { error.remark(Remark::StaysClosed) }
        });
        self.remove_marks(mark.as_slice())?;
        copied?;
        recovery.rewritten += 1;
        Ok((self.open_file(file)?, true))
    }

    /// Removes the second names of an item, if `file` is its most restrained one.
    fn remove_second_names(&self, file: &ItemFile, unsynced: &Unsynced, recovery: &mut Recovery) -> Result<()> {
        // The usual name needs no lookup of the others: each of them leads here too.
        if (file.state, file.format) == (State::Ready, Format::Text) {
            return Ok(());
        }
        // An item in quarantine can have other content than one that is live.
        let states = if LIVE.contains(&file.state) { LIVE.as_slice() } else { STATES.as_slice() };
        let mut others = self.files(file.id(), states)?;
        if others.pop().is_none_or(|last| last.name != file.name) {
            return Ok(());
        }
        for other in &others {
            if self.same_content(file, other)? {
                // The name that stays is durable before the other one goes.
                let (_, is_new) = self.open_durable(file, unsynced, recovery)?;
                if is_new && !self.same_content(file, other)? {
                    // The failed fsync reverted what was compared.
                    return Err(Error::new(Cause::TwoFiles(other.name.clone()), Operation::None, &file.name));
                }
                self.sync_directory()?;
                // Another process may have taken that name for the second one, and removed it.
                self.identity(file)?;
                self.unlink(&other.name)?;
                recovery.rewritten += 1;
            }
        }
        self.names_of_one_file(file.id(), &LIVE).map(drop)
    }

    /// Writes an item to a new file, as it is visible, and publishes that in the place of the old one.
    fn copy_to_new_file(&self, file: &ItemFile) -> Result<()> {
        let identity = self.identity(file)?;
        let old = self.open_file(file)?;
        let mut new = self.create_temporary()?;
        let mut offset = 0;
        loop {
            let copied = read_block(&old, file, offset).and_then(|bytes| {
                new.append(&bytes)?;
                Ok(bytes.len() as u64)
            });
            match copied {
                Ok(0) => break,
                Ok(length) => offset += length,
                Err(error) => return Err(new.give_up(error)),
            }
        }
        let new = new.finish(Durability::Full)?;
        if self.identity(file)? != identity {
            // Another process replaced the item meanwhile, and answers for the new one.
            return Ok(());
        }
        new.publish_replacing(&file.name)
    }
}

/// Whether an error is of an item that is damaged, and not of the system.
fn is_damage(error: &Error) -> bool {
    matches!(error.code(), Code::Corrupt | Code::ChecksumMismatch | Code::IdMismatch)
}

/// Returns the whole seconds from one time to a later one; 0 if it is not later.
fn seconds_between(earlier: Timestamp, later: Timestamp) -> u64 {
    let seconds = later.seconds.saturating_sub(earlier.seconds).saturating_sub(i64::from(later.nanos < earlier.nanos));
    u64::try_from(seconds).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_rounded_down_to_seconds() {
        let time = |seconds, nanos| Timestamp { seconds, nanos };
        assert_eq!(seconds_between(time(1, 5), time(3, 5)), 2);
        assert_eq!(seconds_between(time(1, 5), time(3, 4)), 1);
        assert_eq!(seconds_between(time(1, 5), time(3, 6)), 2);
        assert_eq!(seconds_between(time(3, 0), time(1, 0)), 0, "a time in the future counts as age 0");
        assert_eq!(seconds_between(time(1, 5), time(1, 4)), 0);
        assert_eq!(seconds_between(time(i64::MIN, 0), time(i64::MAX, 0)), i64::MAX as u64);
    }
}
