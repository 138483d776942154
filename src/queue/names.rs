//! The names in the directory of a queue, being read as they are: what vanished meanwhile, and what is not UTF-8, is
//! left out.

use super::Queue;
use crate::error::{Error, Operation, Result};
use crate::filesystem::{Directory, DirectoryEntry, Entries, Failure, Kind, System};
use alloc::boxed::Box;

/// The names in a directory, being read.
pub(super) struct Names<S: System> {
    directory: S::Directory,
    entries: <S::Directory as Directory>::Entries,
    /// Names that cannot be read so far.
    pub(super) unreadable: u64,
}

impl<S: System> Queue<S> {
    /// Begins to read the names in the directory.
    pub(super) fn names(&self) -> Result<Box<Names<S>>> {
        let entries = self.directory.entries().map_err(error)?;
        Ok(Box::new(Names { directory: self.directory.clone(), entries, unreadable: 0 }))
    }
}

impl<S: System> Names<S> {
    /// The next name, and what kind of file has it, which is never `Unknown`; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<DirectoryEntry>> {
        loop {
            match self.entries.next() {
                Ok(None) => return Ok(None),
                Ok(Some(mut entry)) => {
                    if entry.kind == Kind::Unknown {
                        entry.kind = match self.directory.stat(&entry.name) {
                            Ok(stat) => stat.kind,
                            Err(Failure::NoEntry) => continue,
                            Err(_) => Kind::Other,
                        };
                    }
                    return Ok(Some(entry));
                }
                Err(Failure::NotUtf8) => self.unreadable += 1,
                Err(Failure::NoEntry) => {}
                Err(failure) => return Err(error(failure)),
            }
        }
    }
}

fn error(failure: Failure) -> Error {
    Error::filesystem(failure, Operation::ReadDirectory, "")
}
