//! The names in the directory of a queue, being read as they are: what vanished meanwhile, and what is not UTF-8, is
//! left out.

use super::Queue;
use crate::error::{Error, Operation, Result};
use crate::filesystem::{Directory, Entries, Failure, Kind, System};
use crate::list::Text;
use crate::name::{self, Name};

/// The names in a directory, being read.
pub(super) struct Names<S: System> {
    directory: S::Directory,
    entries: <S::Directory as Directory>::Entries,
    /// Names that cannot be read so far.
    pub(super) unreadable: u64,
}

/// A name, and what kind of file has it.
pub(super) struct Found {
    pub(super) name: Text,
    /// Never `Unknown`.
    pub(super) kind: Kind,
}

impl Found {
    /// What the name means.
    pub(super) fn meaning(&self) -> Name<'_> {
        name::parse(&self.name)
    }
}

impl<S: System> Queue<S> {
    /// Begins to read the names in the directory.
    pub(super) fn names(&self) -> Result<Names<S>> {
        let entries = self.directory.entries().map_err(error)?;
        Ok(Names { directory: self.directory.clone(), entries, unreadable: 0 })
    }
}

impl<S: System> Names<S> {
    /// The next name; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<Found>> {
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
                    return Ok(Some(Found { name: entry.name, kind: entry.kind }));
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
