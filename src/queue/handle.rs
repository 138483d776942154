//! An open queue: a directory, and the knowledge about it.
//!
//! Every change ends in [`Queue::sync_directory`], where it becomes durable, or the queue refuses further changes.

use super::unsynced::{Subject, Unsynced};
use crate::counters::Counters;
use crate::error::{Cause, Code, Error, Operation, Remark, Result};
use crate::storage::errno::Errno;
use crate::storage::file_name::MARKS;
use crate::storage::filesystem::{Directory, System};
use crate::storage::temporary_file::{Durability, TemporaryFile};
use alloc::string::String;
use core::cell::{Cell, RefCell};

/// A directory that holds items.
pub struct Queue<S: System> {
    pub(super) system: &'static S,
    pub(super) counters: &'static Counters,
    /// The guest path, for errors.
    path: String,
    pub(super) directory: S::Directory,
    /// Whether the queue refuses changes until it is recovered.
    needs_recovery: Cell<bool>,
    /// Whether the directory entries that existed when the queue was opened are durable, and so whether the directory can be
    /// fsynced.
    preexisting_entries_synced: Cell<bool>,
    pub(super) unsynced: RefCell<Unsynced>,
    /// Whether an fsync of the directory failed since the last recovery.
    directory_sync_failed: Cell<bool>,
}

impl<S: System> Queue<S> {
    /// Opens the queue in the directory that `path` names.
    pub fn open(system: &'static S, counters: &'static Counters, path: &str) -> Result<Queue<S>> {
        let queue = Queue {
            directory: system.open_directory(path)?,
            system,
            counters,
            path: path.into(),
            needs_recovery: Cell::default(),
            preexisting_entries_synced: Cell::default(),
            unsynced: RefCell::default(),
            directory_sync_failed: Cell::default(),
        };
        let is_marked = queue.is_marked().map_err(|error| queue.error(error))?;
        queue.needs_recovery.set(is_marked);
        Ok(queue)
    }

    /// Closes the queue for changes until it is recovered.
    pub fn require_recovery(&self) {
        self.needs_recovery.set(true);
    }

    /// Whether the queue refuses changes until it is recovered.
    pub fn needs_recovery(&self) -> bool {
        self.needs_recovery.get()
    }

    /// Takes over the unsynced items of another queue of the same directory, so that a recovery of this one is one of both.
    pub fn adopt_unsynced(&self, other: &Queue<S>) {
        self.restore_unsynced(other.take_unsynced());
    }

    /// Removes the marks that a recovery acted on, and opens the queue for changes if no item is unsynced any more. A mark that
    /// another call left meanwhile may be of an item that the recovery took for durable, so it fails then.
    pub(super) fn reopen(&self, marks: &[String]) -> Result<()> {
        let is_known = |name: &String| {
            let unsynced = self.unsynced.borrow();
            let is_retained = match Subject::of(name) {
                Subject::Item(id) => unsynced.contains(id),
                Subject::Entries => false,
                // The mark of an item of this recovery, and if it is another one, the queue stays closed as well.
                Subject::Everything => unsynced.has_everything_for_mark(),
            };
            is_retained || marks.contains(name)
        };
        if !self.marks()?.iter().all(is_known) {
            self.require_recovery();
            return Err(Cause::FailedMeanwhile.into());
        }
        self.remove_marks(marks)?;
        // It fails where there is a mark, and an empty directory has no meaning.
        let _ = self.directory.remove_directory(MARKS);
        self.directory_sync_failed.set(false);
        self.needs_recovery.set(self.is_marked()? || !self.unsynced.borrow().is_empty());
        Ok(())
    }

    /// Returns the guest path.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Refuses a change of a queue that must be recovered first.
    pub(super) fn check_open(&self) -> Result<()> {
        if self.needs_recovery() {
            return Err(Error::new(Cause::Closed, Operation::None, &self.path));
        }
        Ok(())
    }

    /// As `check_open`, for a change of an item that exists: another process may have failed to fsync it since the queue was
    /// opened.
    pub(super) fn check_unmarked(&self) -> Result<()> {
        if !self.needs_recovery() && self.is_marked().map_err(|error| self.error(error))? {
            self.require_recovery();
        }
        self.check_open()
    }

    /// Closes the queue, and refuses to vouch for the file `name`, if another process left a mark.
    pub(super) fn check_no_mark(&self, name: &str) -> Result<()> {
        if !self.is_marked()? {
            return Ok(());
        }
        self.require_recovery();
        Err(Error::new(Cause::Closed, Operation::None, name))
    }

    /// Notes that an item may not survive power loss because of `error`, and closes the queue.
    #[cold]
    pub(super) fn close_for(&self, id: &str, error: Error) -> Error {
        if self.unsynced.borrow().is_everything() {
            // A mark of every item was left before.
            self.require_recovery();
            return error;
        }
        self.retain_unsynced(id);
        let subject = if self.unsynced.borrow().is_everything() { Subject::Everything } else { Subject::Item(id) };
        self.close(subject, error)
    }

    /// Closes the queue because of `error`, the failure of an fsync, in every process.
    #[cold]
    fn close(&self, subject: Subject<'_>, error: Error) -> Error {
        self.require_recovery();
        match self.mark(subject) {
            Ok(_) => error,
            Err(_) => error.remark(Remark::NotMarked),
        }
    }

    /// Notes that the item of an id may not survive power loss, for the next recovery.
    pub(super) fn retain_unsynced(&self, id: &str) {
        self.unsynced.borrow_mut().insert(id);
    }

    /// Takes the set of items that may not survive power loss.
    pub(super) fn take_unsynced(&self) -> Unsynced {
        self.unsynced.take()
    }

    /// Puts a set of items back that may still not survive power loss.
    pub(super) fn restore_unsynced(&self, unsynced: Unsynced) {
        self.unsynced.borrow_mut().merge(unsynced);
    }

    /// Prefixes the path of an error, a name in the directory, with the queue's path. Public functions do it, once.
    #[cold]
    pub(super) fn error(&self, mut error: Error) -> Error {
        if error.operation != Operation::None || !error.path.is_empty() {
            let separator = if error.path.is_empty() || self.path.ends_with('/') { "" } else { "/" };
            error.path = [&self.path, separator, &error.path].concat();
        }
        error
    }

    /// As `error`, and notes the consequence of the error of one item for the queue.
    #[cold]
    pub(super) fn item_error(&self, id: &str, error: Error) -> Error {
        let is_unsynced = error.code() == Code::Indeterminate;
        self.error(if is_unsynced { self.close_for(id, error) } else { error })
    }

    /// Fsyncs the directory after a change. If that fails, the queue is closed, and the change is indeterminate. A failed
    /// fsync is never repeated.
    pub(super) fn sync_change(&self, durability: Durability) -> Result<()> {
        match durability {
            Durability::Full if self.directory_sync_failed.get() => Err(Error::from(Cause::Closed).indeterminate()),
            Durability::Full => self.sync_directory().map_err(Error::indeterminate),
            Durability::ContentOnly | Durability::None => Ok(()),
        }
    }

    /// Fsyncs, once, the directory entries that existed when the queue was opened: a process that was killed may have left
    /// changes that are visible and not durable. A new item must not survive a crash that one of those does not. It also
    /// shows, before the first change, whether the directory can be fsynced.
    pub(super) fn sync_preexisting_entries(&self, durability: Durability) -> Result<()> {
        if durability != Durability::Full || self.preexisting_entries_synced.get() {
            return Ok(());
        }
        self.sync_directory().map_err(|error| match error.cause {
            Cause::NoDirectorySync => error,
            _ => error.needs_recovery(),
        })
    }

    /// Fsyncs the directory, or closes the queue.
    pub(super) fn sync_directory(&self) -> Result<()> {
        self.counters.directory_syncs.add(1);
        self.directory.sync().map_err(|errno| {
            let is_unsupported = matches!(errno, Errno::Unsupported | Errno::Invalid | Errno::BadDescriptor);
            if is_unsupported && !self.preexisting_entries_synced.get() {
                return Error::new(Cause::NoDirectorySync, Operation::SyncDirectory, "");
            }
            self.directory_sync_failed.set(true);
            self.close(Subject::Entries, Error::new(errno, Operation::SyncDirectory, ""))
        })?;
        self.preexisting_entries_synced.set(true);
        Ok(())
    }

    /// Creates a temporary file.
    pub(super) fn create_temporary(&self) -> Result<TemporaryFile<S::Directory>> {
        TemporaryFile::create(self.system, &self.directory, self.counters)
    }
}
