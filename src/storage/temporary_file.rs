//! The durable write: a temporary file, its fsync, and the name under which it is published. The fsync of the directory,
//! which makes the name durable, is the caller's, who may have published more.

use super::errno::Errno;
use super::file_name;
use super::filesystem::{Directory, File, System, write_all};
use crate::counters::Counters;
use crate::error::{Cause, Error, Operation, Remark, Result};
use crate::item::envelope::Timestamp;
use crate::limits::MAX_DRAWS;
use alloc::string::String;

/// `types.durability`: when a change may be acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "documented in `wit/types.wit`")]
pub enum Durability {
    #[default]
    Full,
    ContentOnly,
    None,
}

/// Retries `attempt` with new random numbers while the name that it makes of one is taken.
pub(crate) fn with_random<S: System, T>(system: &S, mut attempt: impl FnMut(u64) -> Result<T>) -> Result<T> {
    for _ in 1..MAX_DRAWS {
        match attempt(system.random()) {
            Err(error) if is_taken(&error) => {}
            result => return result,
        }
    }
    attempt(system.random()).map_err(|mut error| {
        if is_taken(&error) {
            error.cause = Cause::RandomnessRepeats;
        }
        error
    })
}

fn is_taken(error: &Error) -> bool {
    error.is(Errno::Exist) || error.cause == Cause::GeneratedIdTaken
}

/// A temporary name. Dropped before it is published, it removes its file.
struct TemporaryName<D: Directory> {
    directory: D,
    name: String,
    /// Whether the file is still to be removed.
    armed: bool,
}

impl<D: Directory> TemporaryName<D> {
    /// Removes the file.
    fn remove(&mut self) -> core::result::Result<(), Errno> {
        self.armed = false;
        self.directory.unlink(&self.name)
    }

    /// Removes the file because of `error`, and returns the error.
    #[cold]
    fn give_up(mut self, error: Error) -> Error {
        match self.remove() {
            Ok(()) | Err(Errno::NoEntry) => error,
            Err(_) => error.remark(Remark::TemporaryFileLeft),
        }
    }
}

impl<D: Directory> Drop for TemporaryName<D> {
    fn drop(&mut self) {
        if self.armed {
            // Recovery removes a temporary file that is left.
            let _ = self.remove();
        }
    }
}

/// A temporary file that is being written. Dropped, it leaves nothing.
pub(crate) struct TemporaryFile<D: Directory> {
    name: TemporaryName<D>,
    file: D::File,
    length: u64,
    counters: &'static Counters,
}

impl<D: Directory> TemporaryFile<D> {
    /// Creates a file under a temporary name.
    pub(crate) fn create<S>(system: &S, directory: &D, counters: &'static Counters) -> Result<TemporaryFile<D>>
    where
        S: System<Directory = D>,
    {
        with_random(system, |random| TemporaryFile::create_from(directory, counters, random))
    }

    /// Creates a file under a temporary name made of `random`. The creation is exclusive, which also keeps two instances
    /// apart whose randomness repeats: of two that are given one name, the second fails with `exists`.
    pub(crate) fn create_from(directory: &D, counters: &'static Counters, random: u64) -> Result<TemporaryFile<D>> {
        let name = file_name::temporary(random);
        let file = directory.create(&name).map_err(|errno| Error::new(errno, Operation::Create, &name))?;
        let name = TemporaryName { directory: directory.clone(), name, armed: true };
        Ok(TemporaryFile { name, file, length: 0, counters })
    }

    /// Appends bytes.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.overwrite(self.length, bytes)?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Writes bytes at `offset`.
    pub(crate) fn overwrite(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.counters.bytes_written.add(bytes.len() as u64);
        self.during(Operation::Write, write_all(&self.file, bytes, offset))
    }

    /// Asks the system to begin to write the content to the device, so that the fsync to come waits for less.
    pub(crate) fn start_writeback(&self) {
        self.file.start_writeback();
    }

    /// Fsyncs the file. A failed fsync is never repeated, since the second one could succeed without having written: the
    /// caller gives the file up.
    pub(crate) fn sync(&self) -> Result<()> {
        self.counters.file_syncs.add(1);
        self.during(Operation::Sync, self.file.sync())
    }

    /// Fsyncs the data of the file (`fdatasync`).
    pub(crate) fn sync_data(&self) -> Result<()> {
        self.counters.file_syncs.add(1);
        self.during(Operation::Sync, self.file.sync_data())
    }

    /// Sets the time of the last modification.
    pub(crate) fn set_modified(&self, modified: Timestamp) -> Result<()> {
        self.during(Operation::SetTimes, self.file.set_modified(modified))
    }

    /// Returns the time of the last modification, by the clock of the file system.
    pub(crate) fn modified(&self) -> Result<Option<Timestamp>> {
        Ok(self.during(Operation::Stat, self.file.stat())?.modified)
    }

    /// Fsyncs the file as `durability` requires, and closes it; or removes it.
    pub(crate) fn finish(self, durability: Durability) -> Result<CompleteFile<D>> {
        let synced = match durability {
            Durability::Full | Durability::ContentOnly => self.sync(),
            Durability::None => Ok(()),
        };
        match synced {
            Ok(()) => Ok(CompleteFile { name: self.name }),
            Err(error) => Err(self.give_up(error)),
        }
    }

    /// Removes the file because of `error`, and returns the error.
    #[cold]
    pub(crate) fn give_up(self, error: Error) -> Error {
        let TemporaryFile { name, file, .. } = self;
        drop(file);
        name.give_up(error)
    }

    /// Removes the file, and reports a failure.
    pub(crate) fn discard(self) -> Result<()> {
        let TemporaryFile { mut name, file, .. } = self;
        drop(file);
        name.remove().map_err(|errno| Error::new(errno, Operation::Unlink, &name.name))
    }

    fn during<T>(&self, operation: Operation, result: core::result::Result<T, Errno>) -> Result<T> {
        result.map_err(|errno| Error::new(errno, operation, &self.name.name))
    }
}

/// A temporary file that is written, fsynced as far as asked for, and closed. Dropped before it is published, it is removed.
pub(crate) struct CompleteFile<D: Directory> {
    name: TemporaryName<D>,
}

impl<D: Directory> CompleteFile<D> {
    /// Publishes the file under a name that must be free, by link.
    pub(crate) fn publish_new(self, name: &str) -> Result<()> {
        // Dropped, `self` removes the temporary name, whether the file has another one or not.
        let Err(errno) = self.name.directory.link(&self.name.name, name) else { return Ok(()) };
        let published = self.has(name);
        match (errno, published) {
            // A network file system can repeat a request that took effect, and then finds the name taken.
            (Errno::Exist, Some(true)) => Ok(()),
            // A link to a file of one's own is refused only by a file system that has none.
            (Errno::NotPermitted, _) => Err(self.not_published(Errno::Unsupported, Operation::Link, name, published)),
            _ => Err(self.not_published(errno, Operation::Link, name, published)),
        }
    }

    /// Publishes the file under a name, by rename, and replaces the file that has the name.
    pub(crate) fn publish_replacing(mut self, name: &str) -> Result<()> {
        let Err(errno) = self.name.directory.rename(&self.name.name, name) else {
            self.name.armed = false;
            return Ok(());
        };
        let published = self.has(name);
        Err(self.not_published(errno, Operation::Rename, name, published))
    }

    /// Removes the file after a failed publication. `published` tells whether it took effect, none where that is unknown.
    #[cold]
    fn not_published(self, errno: Errno, operation: Operation, name: &str, published: Option<bool>) -> Error {
        let error = Error::new(errno, operation, name);
        let certain = published == Some(false) || errno == Errno::NameTooLong;
        self.name.give_up(if certain { error } else { error.indeterminate() })
    }

    /// Whether `name` is a name of the same file; none where that cannot be seen.
    fn has(&self, name: &str) -> Option<bool> {
        let TemporaryName { directory, name: own, .. } = &self.name;
        match directory.identity(name) {
            Ok(identity) => directory.identity(own).ok().map(|own| own == identity),
            Err(Errno::NoEntry) => Some(false),
            Err(_) => None,
        }
    }
}
