//! The durable write: a temporary file, its sync, and the name it is published under. The sync of the directory, which
//! makes the name durable, is the caller's, who may have published more.

use crate::counters::Counters;
use crate::encoder::Sink;
use crate::error::{Error, Operation, Result};
use crate::filesystem::{Directory, Failure, File, write_all};
use crate::id::base64url;
use crate::message::Timestamp;
use crate::name;
use alloc::rc::Rc;
use alloc::string::String;

/// `types.durability`: when a change may be answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "documented in `wit/types.wit`")]
pub enum Durability {
    #[default]
    Full,
    File,
    None,
}

/// A file that is being written, and has no name yet but a temporary one.
pub(crate) struct TemporaryFile<D: Directory> {
    name: TemporaryName<D>,
    counters: Rc<Counters>,
    file: D::File,
    length: u64,
}

impl<D: Directory> TemporaryFile<D> {
    /// Creates a file under a temporary name made of `random`. The creation is exclusive, which is also what keeps two
    /// instances apart whose randomness repeats: `exists` means that one of them is at it.
    pub(crate) fn create(directory: &D, counters: &Rc<Counters>, random: u64) -> Result<Self> {
        let name = name::temporary(&base64url(random));
        let file = directory.create(&name).map_err(|failure| Error::filesystem(failure, Operation::Create, &name))?;
        let name = TemporaryName { directory: directory.clone(), name, ours: true };
        Ok(TemporaryFile { name, counters: counters.clone(), file, length: 0 })
    }

    /// Makes the content durable (`fsync`). It fails once: a second one could lie, so the file is given up.
    pub(crate) fn sync(&self) -> Result<()> {
        self.counters.file_syncs.add(1);
        self.file.sync().map_err(|failure| self.error(failure, Operation::Sync))
    }

    /// Makes the data durable (`fdatasync`).
    pub(crate) fn sync_data(&self) -> Result<()> {
        self.counters.file_syncs.add(1);
        self.file.sync_data().map_err(|failure| self.error(failure, Operation::Sync))
    }

    /// Sets the time of the last modification.
    pub(crate) fn set_modified(&self, modified: Timestamp) -> Result<()> {
        self.file.set_modified(modified).map_err(|failure| self.error(failure, Operation::SetTimes))
    }

    /// When the file was modified last, by the clock of the file system.
    pub(crate) fn modified(&self) -> Result<Option<Timestamp>> {
        let stat = self.file.stat().map_err(|failure| self.error(failure, Operation::Stat))?;
        Ok(stat.modified)
    }

    /// Makes the content as durable as asked for, and closes the file; or removes it.
    pub(crate) fn finish(self, durability: Durability) -> Result<TemporaryName<D>> {
        if durability != Durability::None
            && let Err(error) = self.sync()
        {
            return Err(self.close().give_up(error));
        }
        Ok(self.close())
    }

    /// Closes the file, which is written.
    pub(crate) fn close(self) -> TemporaryName<D> {
        self.name
    }

    fn error(&self, failure: Failure, operation: Operation) -> Error {
        Error::filesystem(failure, operation, &self.name.name)
    }
}

impl<D: Directory> Sink for TemporaryFile<D> {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.patch(self.length, bytes)?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    fn patch(&mut self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.counters.bytes_written.add(bytes.len() as u64);
        write_all(&self.file, bytes, offset).map_err(|failure| self.error(failure, Operation::Write))
    }
}

/// The temporary name of a file. Dropped before the file is published, it is removed.
pub(crate) struct TemporaryName<D: Directory> {
    directory: D,
    name: String,
    /// Whether the name is still there, for all that is known.
    ours: bool,
}

impl<D: Directory> TemporaryName<D> {
    /// Publishes the file under a name that must be free, by link.
    pub(crate) fn publish_new(mut self, name: &str) -> Result<()> {
        let Err(failure) = self.directory.link(&self.name, name) else {
            // A temporary name that stays is a second name of a file that is safe; recovery sweeps it.
            let _ = self.unlink();
            return Ok(());
        };
        let error = Error::filesystem(failure, Operation::Link, name);
        match (failure, self.has(name)) {
            // A network file system can repeat a request that took effect, and then finds the name taken.
            (Failure::Exist, Some(true)) => {
                let _ = self.unlink();
                Ok(())
            }
            (_, Some(false)) => Err(self.give_up(error)),
            (_, Some(true) | None) => Err(self.give_up(error.indeterminate())),
        }
    }

    /// Publishes the file under a name, taking it from the file that has it, by rename.
    pub(crate) fn publish_replacing(mut self, name: &str) -> Result<()> {
        let Err(failure) = self.directory.rename(&self.name, name) else {
            self.ours = false;
            return Ok(());
        };
        let error = Error::filesystem(failure, Operation::Rename, name);
        match self.has(name) {
            Some(false) => Err(self.give_up(error)),
            Some(true) | None => Err(self.give_up(error.indeterminate())),
        }
    }

    /// Removes the file, because of `error`, and returns that.
    pub(crate) fn give_up(mut self, error: Error) -> Error {
        match self.unlink() {
            Ok(()) | Err(Failure::NoEntry) => error,
            Err(_) => error.and("and its temporary file could not be removed"),
        }
    }

    /// Removes the file.
    pub(crate) fn discard(mut self) -> Result<()> {
        self.unlink().map_err(|failure| Error::filesystem(failure, Operation::Unlink, &self.name))
    }

    fn unlink(&mut self) -> core::result::Result<(), Failure> {
        self.ours = false;
        self.directory.unlink(&self.name)
    }

    /// Whether `name` is a name of the same file; none where that cannot be seen.
    fn has(&self, name: &str) -> Option<bool> {
        match self.directory.identity(name) {
            Ok(identity) => self.directory.identity(&self.name).ok().map(|own| own == identity),
            Err(Failure::NoEntry) => Some(false),
            Err(_) => None,
        }
    }
}

impl<D: Directory> Drop for TemporaryName<D> {
    fn drop(&mut self) {
        if self.ours {
            let _ = self.unlink();
        }
    }
}
