//! The marks of failed fsyncs: empty files in the subdirectory [`MARKS`] of the queue, which outlive the process that made
//! the failed call.
//!
//! The system reports a failed fsync once. A later fsync of the same file has nothing left to write and succeeds, although
//! the device has other data, so that a process without this knowledge takes the item for durable. A queue with a mark
//! refuses changes until a recovery has written the marked items anew.
//!
//! The name of a mark is its whole content: a random part, so that each failure has a mark of its own and a recovery removes
//! only those that it acted on; and `:` and the id of an item. No mark is fsynced: after power loss, the cache that the
//! failed fsync left is gone, and recovery reads what the device has.

use super::handle::Queue;
use super::unsynced::Unsynced;
use crate::error::{Error, Operation, Result};
use crate::item::id::base64url;
use crate::storage::errno::Errno;
use crate::storage::file_name::{MARKS, MAX_NAME_BYTES};
use crate::storage::filesystem::{Directory, DirectoryEntries, FileType, System};
use alloc::string::String;
use alloc::vec::Vec;

/// Directories and marks that are tried while a recovery removes the directory, or randomness repeats.
const ATTEMPTS: usize = 8;

/// The subject of a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject<'a> {
    /// The item that has an id.
    Item(&'a str),
    /// Directory entries, which the next fsync of the directory writes again.
    Entries,
    /// Every item.
    Everything,
}

impl<'a> Subject<'a> {
    /// Returns the subject of the mark that has a name. A name that no mark has stands for every item.
    fn of(name: &'a str) -> Subject<'a> {
        match name.split_once(':') {
            Some((_, "")) => Subject::Entries,
            Some((_, id)) => Subject::Item(id),
            None => Subject::Everything,
        }
    }

    fn name(self, random: u64) -> String {
        let random = base64url(random);
        let id = match self {
            Subject::Item(id) => id,
            Subject::Entries => "",
            Subject::Everything => return random,
        };
        let name = [&random, ":", id].concat();
        // An id that another program made may be too long for the name of a mark.
        if name.len() <= MAX_NAME_BYTES { name } else { random }
    }
}

impl<S: System> Queue<S> {
    /// Whether the queue has a mark.
    pub(super) fn is_marked(&self) -> Result<bool> {
        Ok(!self.marks()?.is_empty())
    }

    /// Returns the names of the marks.
    pub(super) fn marks(&self) -> Result<Vec<String>> {
        if self.file_type(MARKS)? != Some(FileType::Directory) {
            return Ok(Vec::new());
        }
        let failed = |operation| move |errno| Error::new(errno, operation, MARKS);
        let directory = match self.directory.open_directory(MARKS) {
            Err(Errno::NoEntry) => return Ok(Vec::new()),
            opened => opened.map_err(failed(Operation::Open))?,
        };
        let mut entries = directory.entries().map_err(failed(Operation::ReadDirectory))?;
        let mut names = Vec::new();
        loop {
            match entries.next() {
                Ok(Some(entry)) => names.push(entry.name),
                Ok(None) => return Ok(names),
                Err(Errno::NoEntry) => {}
                Err(errno) => return Err(failed(Operation::ReadDirectory)(errno)),
            }
        }
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

    /// Removes the marks that have these names, but those whose subject is still unsynced.
    pub(super) fn remove_marks(&self, names: &[String]) -> Result<()> {
        if names.is_empty() {
            return Ok(());
        }
        let failed = |errno| Error::new(errno, Operation::Unlink, MARKS);
        let marks = match self.directory.open_directory(MARKS) {
            Err(Errno::NoEntry) => return Ok(()),
            opened => opened.map_err(failed)?,
        };
        let unsynced = self.unsynced.borrow();
        for name in names {
            let is_unsynced = match Subject::of(name) {
                Subject::Item(id) => unsynced.contains(id),
                Subject::Entries => false,
                Subject::Everything => !unsynced.is_empty(),
            };
            match if is_unsynced { Ok(()) } else { marks.unlink(name) } {
                Ok(()) | Err(Errno::NoEntry) => {}
                Err(errno) => return Err(failed(errno)),
            }
        }
        Ok(())
    }
}

impl Unsynced {
    /// Adds the subject of the mark that has a name.
    pub(super) fn insert_mark(&mut self, name: &str) {
        match Subject::of(name) {
            Subject::Item(id) => self.insert(id),
            Subject::Entries => {}
            Subject::Everything => self.insert_all(),
        }
    }
}
