//! The queue of a command: a directory, opened or created as its owner, or a database.

use crate::change_log;
use crate::chasquid_process;
use crate::database;
use crate::display::counted;
use crate::failure::Failure;
use crate::location::Location;
use crate::owner;
use crate::report;
use crate::verbose;
use nix::sys::stat::{Mode, umask};
use nix::unistd::geteuid;
use queue_store_host::{Error, Host, Queue};
use std::fs;
use std::path::{Path, PathBuf};
use sysexits::ExitCode as Sysexit;

/// Opens a queue that exists, as its owner.
pub(crate) fn open(location: &Location) -> Result<Queue, Failure> {
    match location {
        Location::Directory(directory) => prepare(directory)?,
        Location::Database(_) => {}
    }
    open_as_caller(location)
}

/// Opens a queue that exists, as the user who calls.
pub(crate) fn open_as_caller(location: &Location) -> Result<Queue, Failure> {
    match location {
        Location::Directory(directory) => Ok(Host::new()?.open(directory)?),
        Location::Database(url) => open_database(location, url),
    }
}

fn open_database(location: &Location, url: &str) -> Result<Queue, Failure> {
    verbose::say(|| format!("opens {location}"));
    database::open(url).map_err(|error| Failure::of_database(error).at(&location.to_string()))
}

/// Opens a queue that exists, as its owner, to change its items: not while a chasquid uses it, unless the operator knows.
pub(crate) fn open_for_change(location: &Location, while_running: bool) -> Result<Queue, Failure> {
    // Before root becomes the owner: it may look at every process, and append to every log.
    if !while_running && let Some(directory) = location.directory() {
        chasquid_process::check_none_uses(directory)?;
    }
    change_log::open(location)?;
    open(location)
}

/// Opens a queue to add items, as the owner of its directory, and creates the directory if it does not exist. Refuses to do
/// it as a user whose mails the owner could not read.
pub(crate) fn create(location: &Location) -> Result<CreatedQueue, Failure> {
    let directory = match location {
        Location::Directory(directory) => directory,
        Location::Database(url) => {
            change_log::open(location)?;
            return Ok(CreatedQueue { queue: open_database(location, url)?, created: NewDirectories(Vec::new()) });
        }
    };
    if let Some(process) = chasquid_process::of_queue(directory) {
        report::line(&format!(
            "{}: warning: chasquid (process {process}) uses this queue, and sees new items only when it starts again",
            directory.display()
        ));
    }
    change_log::open(location)?;
    prepare(directory)?;
    owner::check_is_owner_or_root(directory)?;
    let host = Host::new()?;
    let missing = directory.ancestors().take_while(|path| path.symlink_metadata().is_err());
    let created = NewDirectories(missing.map(Path::to_path_buf).collect());
    match host.create(directory) {
        Ok(queue) => Ok(CreatedQueue { queue, created }),
        // A directory that cannot be created is not a missing input.
        Err(Error::Directory { path, source }) => Err(Failure::file(&path, source, Sysexit::CantCreat)),
        Err(error) => Err(error.into()),
    }
}

/// Returns the number of files in a queue's directory that are not the queue's, in words, where there are some: an
/// operator who named the wrong directory must not take it for an empty queue.
pub(crate) fn foreign_files(queue: &Queue) -> Result<Option<String>, Failure> {
    let foreign = queue.count()?.foreign;
    let files = counted(foreign, "file of the directory is not an item", "files of the directory are not items");
    Ok((foreign > 0).then_some(files))
}

/// Becomes the owner of a queue, for whom alone new files are, even in a directory that others may enter.
fn prepare(directory: &Path) -> Result<(), Failure> {
    umask(Mode::S_IRWXG | Mode::S_IRWXO);
    owner::become_owner_of(directory)?;
    verbose::say(|| format!("opens {} as user {}", directory.display(), geteuid()));
    Ok(())
}

/// A queue whose directory was created if it did not exist. Dropped without [`CreatedQueue::keep`], it removes the
/// directories that were created for it, unless they are in use meanwhile.
pub(crate) struct CreatedQueue {
    /// The queue.
    pub(crate) queue: Queue,
    created: NewDirectories,
}

impl CreatedQueue {
    /// Keeps the directory, although it may be empty, and reports that it is new: its name may be a slip.
    pub(crate) fn keep(mut self) {
        if let Some(directory) = self.created.0.first() {
            report::line(&format!("{}: the directory did not exist, and was created", directory.display()));
        }
        self.created.0.clear();
    }
}

/// Directories that did not exist before, the deepest first. Dropped, they are removed as far as they are empty.
struct NewDirectories(Vec<PathBuf>);

impl Drop for NewDirectories {
    fn drop(&mut self) {
        // The first one that is not empty keeps those above it.
        let _ = self.0.iter().try_for_each(fs::remove_dir);
    }
}
