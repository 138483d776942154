//! The marks of failed fsyncs: empty files in the subdirectory [`MARKS`] of the queue, which outlive the process that made
//! the failed call.
//!
//! The system reports a failed fsync once. A later fsync of the same file has nothing left to write and succeeds, although
//! the device has other data, so that a process without this knowledge takes the item for durable. A queue with a mark
//! refuses changes until a recovery has written the marked items anew.
//!
//! The name of a mark is its whole content: see [`Subject`]. No mark is fsynced: after power loss, the cache that the
//! failed fsync left is gone, and recovery reads what the device has.

use super::handle::Queue;
use super::unsynced::Subject;
use crate::error::{Cause, Error, Operation, Result};
use crate::storage::errno::Errno;
use crate::storage::file_name::MARKS;
use crate::storage::filesystem::{Directory, DirectoryEntries, FileType, System};
use alloc::string::String;
use alloc::vec::Vec;

/// Directories and marks that are tried while a recovery removes the directory, or randomness repeats.
const ATTEMPTS: usize = 8;

impl<S: System> Queue<S> {
    /// Whether the queue has a mark. Marks that cannot be read count as some.
    pub(super) fn is_marked(&self) -> Result<bool> {
        if self.file_type(MARKS)?.is_none() {
            return Ok(false);
        }
        Ok(self.first_marks(1).map_or(true, |names| !names.is_empty()))
    }

    /// Returns the names of the marks; an empty one for a name that is not UTF-8.
    pub(super) fn marks(&self) -> Result<Vec<String>> {
        self.first_marks(usize::MAX)
    }

    fn first_marks(&self, most: usize) -> Result<Vec<String>> {
        match self.file_type(MARKS)? {
            None => return Ok(Vec::new()),
            Some(FileType::Directory) => {}
            Some(_) => return Err(Error::new(Cause::MarksNotDirectory, Operation::Stat, MARKS)),
        }
        let failed = |operation| move |errno| Error::new(errno, operation, MARKS);
        let directory = match self.directory.open_directory(MARKS) {
            Err(Errno::NoEntry) => return Ok(Vec::new()),
            opened => opened.map_err(failed(Operation::Open))?,
        };
        let mut entries = directory.entries().map_err(failed(Operation::ReadDirectory))?;
        let mut names = Vec::new();
        while names.len() < most {
            match entries.next() {
                Ok(Some(entry)) => names.push(entry.name),
                Ok(None) => break,
                Err(Errno::NoEntry) => {}
                Err(Errno::NotUtf8) => names.push(String::new()),
                Err(errno) => return Err(failed(Operation::ReadDirectory)(errno)),
            }
        }
        Ok(names)
    }

    /// Adds a mark, and returns its name.
    pub(super) fn mark(&self, subject: Subject<'_>) -> core::result::Result<String, Errno> {
        let mut last = Errno::Busy;
        for _ in 0..ATTEMPTS {
            match self.directory.create_directory(MARKS) {
                Ok(()) | Err(Errno::Exist) => {}
                Err(errno) => return Err(errno),
            }
            let name = subject.name(self.system.random());
            match self.directory.open_directory(MARKS).and_then(|marks| marks.create(&name)) {
                Ok(_) => return Ok(name),
                Err(errno @ (Errno::NoEntry | Errno::Exist)) => last = errno,
                Err(errno) => return Err(errno),
            }
        }
        Err(last)
    }

    /// Removes the marks that have these names, except for those whose subject is still unsynced.
    pub(super) fn remove_marks(&self, names: &[String]) -> Result<()> {
        if names.is_empty() {
            return Ok(());
        }
        let failed = |name: &str, errno| Error::new(errno, Operation::Unlink, &[MARKS, "/", name].concat());
        let marks = match self.directory.open_directory(MARKS) {
            Err(Errno::NoEntry) => return Ok(()),
            opened => opened.map_err(|errno| failed("", errno))?,
        };
        let unsynced = self.unsynced.borrow();
        for name in names {
            let is_unsynced = match Subject::of(name) {
                Subject::Item(id) => unsynced.contains(id),
                Subject::Entries => false,
                Subject::Everything => !unsynced.is_empty(),
            };
            if is_unsynced {
                continue;
            }
            match if name.is_empty() { Err(Errno::NotUtf8) } else { marks.unlink(name) } {
                Ok(()) | Err(Errno::NoEntry) => {}
                Err(errno) => return Err(failed(name, errno)),
            }
        }
        Ok(())
    }
}
