//! The entries of a queue's directory, in no order. Entries that vanish meanwhile are left out.

use super::handle::Queue;
use crate::error::{Error, Operation, Result};
use crate::storage::errno::Errno;
use crate::storage::filesystem::{Directory, DirectoryEntries, DirectoryEntry, FileType, System};

/// A pass over the entries of a directory.
pub(super) struct DirectoryScan<S: System> {
    directory: S::Directory,
    entries: <S::Directory as Directory>::Entries,
    /// Names that are not UTF-8 so far.
    pub(super) not_utf8: u64,
}

impl<S: System> Queue<S> {
    /// Begins a pass over the entries of the directory.
    pub(super) fn scan(&self) -> Result<DirectoryScan<S>> {
        let entries = self.directory.entries().map_err(read_error)?;
        Ok(DirectoryScan { directory: self.directory.clone(), entries, not_utf8: 0 })
    }
}

impl<S: System> DirectoryScan<S> {
    /// Returns the next entry, whose file type is never `Unknown`; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<DirectoryEntry>> {
        loop {
            match self.entries.next() {
                Ok(None) => return Ok(None),
                Ok(Some(mut entry)) => {
                    if entry.file_type == FileType::Unknown {
                        entry.file_type = match self.directory.stat(&entry.name) {
                            Ok(stat) => stat.file_type,
                            Err(Errno::NoEntry) => continue,
                            Err(_) => FileType::Other,
                        };
                    }
                    return Ok(Some(entry));
                }
                Err(Errno::NotUtf8) => self.not_utf8 += 1,
                Err(Errno::NoEntry) => {}
                Err(errno) => return Err(read_error(errno)),
            }
        }
    }
}

fn read_error(errno: Errno) -> Error {
    Error::new(errno, Operation::ReadDirectory, "")
}
