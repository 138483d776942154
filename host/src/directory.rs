//! Durable creation of a queue's directory, which the component cannot do.

use crate::exhaustion;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::io::ErrorKind::{AlreadyExists, InvalidInput, ReadOnlyFilesystem, Unsupported};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// Creates a directory, and those above it, with mode 0700, and fsyncs each directory entry. One that exists stays as
/// it is.
pub(crate) fn create(path: &Path) -> io::Result<()> {
    if exists(path) {
        return sync_existing_entry(path);
    }
    let parent = parent(path);
    // Neither an empty path nor a working directory that cannot be entered has a parent.
    if parent != path {
        create(parent)?;
    }
    let is_new = match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => true,
        // Another process created it meanwhile, and may not have fsynced its entry yet.
        Err(error) if error.kind() == AlreadyExists => false,
        Err(error) => return Err(error),
    };
    let synced = File::open(parent).and_then(|parent| parent.sync_all());
    if synced.is_err() && is_new {
        // A later fsync could succeed without writing the entry.
        let _ = fs::remove_dir(path);
    }
    synced
}

/// Fsyncs the entry of a directory that exists: a process that was killed may have created it, and not have fsynced it. Goes on
/// where the parent cannot be opened, or takes no fsync.
fn sync_existing_entry(path: &Path) -> io::Result<()> {
    // The parent of the directory itself, where the path is a symbolic link. What is no directory has none: its opening as a
    // queue fails.
    let parent = match File::open(path.join("..")) {
        Ok(parent) => parent,
        Err(error) if exhaustion::is_exhaustion(&error) => return Err(error),
        Err(_) => return Ok(()),
    };
    match parent.sync_all() {
        Err(error) if [InvalidInput, ReadOnlyFilesystem, Unsupported].contains(&error.kind()) => Ok(()),
        synced => synced,
    }
}

/// The directory that holds the entry of `path`.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => path,
    }
}

fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
