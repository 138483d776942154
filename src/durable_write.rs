//! The durable write: a temporary file, its sync, and the name it is published under. The sync of the directory, which
//! makes the name durable, is the caller's, who may have published more.

use crate::counters::Counters;
use crate::encoder::Sink;
use crate::error::{Code, Error, Operation, Result};
use crate::filesystem::{Directory, Failure, File, System, write_all};
use crate::id::base64url;
use crate::limits::MAX_DRAWS;
use crate::list::Text;
use crate::message::Timestamp;
use crate::mutant::{Safeguard, removed};
use crate::name;
use alloc::boxed::Box;

/// `types.durability`: when a change may be answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "documented in `wit/types.wit`")]
#[repr(u8)]
pub enum Durability {
    #[default]
    Full,
    File,
    None,
}

/// A temporary file in a directory of `S`.
pub(crate) type Temporary<S> = Box<TemporaryFile<<S as System>::Directory>>;

/// A file that has no name yet but a temporary one. Dropped before it is published, it is removed.
pub(crate) struct TemporaryFile<D: Directory> {
    directory: D,
    counters: &'static Counters,
    name: Text,
    /// Whether the name is still there, for all that is known.
    ours: bool,
    /// None once it is closed.
    file: Option<D::File>,
    length: u64,
}

/// Draws random numbers until `attempt` says something else than that what it makes of one is taken.
#[inline(never)]
pub(crate) fn draw<S: System>(
    system: &S,
    attempt: &mut dyn FnMut(u64) -> Result<Temporary<S>>,
) -> Result<Temporary<S>> {
    let mut draws = 1;
    loop {
        match attempt(system.random()) {
            Err(error) if error.code != Code::Exists => return Err(error),
            Err(error) if draws == MAX_DRAWS => {
                return Err(error.with_code(Code::Busy).and("the host's randomness repeats"));
            }
            Err(_) => draws += 1,
            created => return created,
        }
    }
}

impl<D: Directory> TemporaryFile<D> {
    /// Creates a file under a temporary name made of `random`. The creation is exclusive, which is also what keeps two
    /// instances apart whose randomness repeats: `exists` means that one of them is at it.
    pub(crate) fn create(directory: &D, counters: &'static Counters, random: u64) -> Result<Box<Self>> {
        let name = name::temporary(&base64url(random));
        let file = directory.create(&name).map_err(|failure| Error::filesystem(failure, Operation::Create, &name))?;
        let directory = directory.clone();
        Ok(Box::new(TemporaryFile { directory, counters, name, ours: true, file: Some(file), length: 0 }))
    }

    /// Has the system begin to write the content to the device, so that the sync to come waits for less.
    pub(crate) fn start_writeback(&self) {
        if let Some(file) = &self.file {
            file.start_writeback();
        }
    }

    /// Makes the content durable (`fsync`). It fails once: a second one could lie, so the file is given up.
    pub(crate) fn sync(&self) -> Result<()> {
        self.counters.file_syncs.add(1);
        self.call(Operation::Sync, D::File::sync)
    }

    /// Makes the data durable (`fdatasync`).
    pub(crate) fn sync_data(&self) -> Result<()> {
        self.counters.file_syncs.add(1);
        self.call(Operation::Sync, D::File::sync_data)
    }

    /// Sets the time of the last modification.
    pub(crate) fn set_modified(&self, modified: Timestamp) -> Result<()> {
        self.call(Operation::SetTimes, |file| file.set_modified(modified))
    }

    /// When the file was modified last, by the clock of the file system.
    pub(crate) fn modified(&self) -> Result<Option<Timestamp>> {
        self.call(Operation::Stat, |file| Ok(file.stat()?.modified))
    }

    /// Makes the content as durable as asked for, and closes the file; or removes it.
    pub(crate) fn finish(&mut self, durability: Durability) -> Result<()> {
        let mut synced = match durability {
            Durability::None => Ok(()),
            _ if removed(Safeguard::FileSync) => Ok(()),
            _ => self.sync(),
        };
        if removed(Safeguard::NoRetry) && synced.is_err() {
            synced = self.sync();
        }
        synced.map_err(|error| self.give_up(error))?;
        self.close();
        Ok(())
    }

    /// Closes the file, which is written.
    pub(crate) fn close(&mut self) {
        self.file = None;
    }

    /// Publishes the file under a name that must be free, by link.
    pub(crate) fn publish_new(&mut self, name: &str) -> Result<()> {
        if removed(Safeguard::NoReplace) {
            return self.publish_replacing(name);
        }
        let Err(failure) = self.directory.link(&self.name, name) else {
            // A temporary name that stays is a second name of a file that is safe; recovery sweeps it.
            let _ = self.unlink();
            return Ok(());
        };
        match (failure, self.has(name)) {
            // A network file system can repeat a request that took effect, and then finds the name taken.
            (Failure::Exist, Some(true)) => {
                let _ = self.unlink();
                Ok(())
            }
            (_, has) => Err(self.not_published(failure, Operation::Link, name, has)),
        }
    }

    /// Publishes the file under a name, taking it from the file that has it, by rename.
    pub(crate) fn publish_replacing(&mut self, name: &str) -> Result<()> {
        let Err(failure) = self.directory.rename(&self.name, name) else {
            self.ours = false;
            return Ok(());
        };
        let has = self.has(name);
        Err(self.not_published(failure, Operation::Rename, name, has))
    }

    /// Removes the file, because it was not published, or perhaps it was.
    #[cold]
    fn not_published(&mut self, failure: Failure, operation: Operation, name: &str, has: Option<bool>) -> Error {
        let error = Error::filesystem(failure, operation, name);
        let certain = has == Some(false) || removed(Safeguard::LookAfterFailure);
        self.give_up(if certain { error } else { error.indeterminate() })
    }

    /// Removes the file, because of `error`, and returns that.
    #[cold]
    pub(crate) fn give_up(&mut self, error: Error) -> Error {
        match self.unlink() {
            Ok(()) | Err(Failure::NoEntry) => error,
            Err(_) => error.and("and its temporary file could not be removed"),
        }
    }

    /// Removes the file.
    pub(crate) fn discard(&mut self) -> Result<()> {
        self.unlink().map_err(|failure| Error::filesystem(failure, Operation::Unlink, &self.name))
    }

    fn unlink(&mut self) -> core::result::Result<(), Failure> {
        self.close();
        self.ours = false;
        if removed(Safeguard::RemoveTemporary) {
            return Ok(());
        }
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

    fn call<T>(
        &self,
        operation: Operation,
        function: impl FnOnce(&D::File) -> core::result::Result<T, Failure>,
    ) -> Result<T> {
        let result = self.file.as_ref().ok_or(Failure::BadDescriptor).and_then(function);
        result.map_err(|failure| Error::filesystem(failure, operation, &self.name))
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
        self.call(Operation::Write, |file| write_all(file, bytes, offset))
    }
}

impl<D: Directory> Drop for TemporaryFile<D> {
    fn drop(&mut self) {
        if self.ours {
            let _ = self.unlink();
        }
    }
}
