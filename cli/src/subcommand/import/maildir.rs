//! The mails of a maildir.

use crate::failure::{Cause, Failure};
use std::collections::HashMap;
use std::fs::{self, DirEntry};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use sysexits::ExitCode as Sysexit;

/// The directories of mails, in the order in which they are read: a mail that is renamed meanwhile goes from the first to the
/// second.
const DIRECTORIES: [&str; 2] = ["new", "cur"];

/// The contents of a maildir.
#[derive(Default)]
pub(super) struct Maildir {
    /// The files of the mails, sorted.
    pub(super) mails: Vec<PathBuf>,
    /// Mails with the flag T: their user threw them away.
    pub(super) trashed: u64,
    /// Mails with the flag D: their user did not finish them.
    pub(super) drafts: u64,
    /// Maildirs below it.
    pub(super) folders: Vec<PathBuf>,
    /// Entries that are no mails and should be.
    pub(super) failures: Vec<Failure>,
}

/// Reads the directories of a maildir.
pub(super) fn read(path: &Path) -> Result<Maildir, Failure> {
    let mut maildir = Maildir::default();
    let mut seen = HashMap::new();
    for directory in DIRECTORIES {
        let directory = path.join(directory);
        let entries = entries(&directory).map_err(|error| match error.kind() {
            ErrorKind::NotFound => Failure::from(Cause::NotMaildir).at(&path.to_string_lossy()),
            _ => Failure::file(&directory, error, Sysexit::NoInput),
        })?;
        for entry in entries {
            // A name that begins with a dot is not a mail (maildir(5)).
            if entry.file_name().as_bytes().starts_with(b".") {
                continue;
            }
            // A mail that was renamed between the two directories, or is linked in both, is read once, and two mails of one
            // name twice.
            let path = entry.path();
            let inode_here = inode(&path);
            let before = seen.insert(unique_name(&path).to_vec(), path).map(|path| inode(&path));
            if before.is_none_or(|inode_before| inode_before.is_some() && inode_before != inode_here) {
                maildir.add(&entry);
            }
        }
    }
    maildir.mails.sort();
    let entries = entries(path).map_err(|error| Failure::file(path, error, Sysexit::NoInput))?;
    entries.iter().for_each(|entry| maildir.add_folder(entry.path()));
    maildir.folders.sort();
    Ok(maildir)
}

impl Maildir {
    fn add(&mut self, entry: &DirEntry) {
        let path = entry.path();
        let flags = flags(&path);
        if flags.contains(&b'T') {
            self.trashed += 1;
        } else if flags.contains(&b'D') {
            self.drafts += 1;
        } else {
            match find(&path).and_then(|path| Ok((path.metadata()?.is_file(), path))) {
                Ok((true, path)) => self.mails.push(path),
                Ok((false, path)) => self.failures.push(Failure::from(Cause::NotFile).at(&path.to_string_lossy())),
                Err(error) => self.failures.push(Failure::file(&path, error, Sysexit::NoInput)),
            }
        }
    }

    /// Adds a directory in a maildir if it is a maildir.
    fn add_folder(&mut self, path: PathBuf) {
        match path.join("cur").metadata() {
            Ok(found) if found.is_dir() => self.folders.push(path),
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(error) => self.failures.push(Failure::file(&path, error, Sysexit::NoInput)),
        }
    }
}

/// Returns the path that a mail has now: a mail program renames it when it was seen, and when its flags change.
pub(super) fn find(path: &Path) -> io::Result<PathBuf> {
    let Err(error) = path.symlink_metadata() else { return Ok(path.to_path_buf()) };
    let Some(maildir) = path.parent().and_then(Path::parent) else { return Err(error) };
    for directory in DIRECTORIES {
        for entry in entries(&maildir.join(directory))? {
            if unique_name(&entry.path()) == unique_name(path) {
                return Ok(entry.path());
            }
        }
    }
    Err(error)
}

/// Returns the part of the name that a mail keeps.
fn unique_name(path: &Path) -> &[u8] {
    let name = path.file_name().unwrap_or_default().as_bytes();
    let info = name.windows(3).rposition(|window| matches!(window, b":1," | b":2,"));
    &name[..info.unwrap_or(name.len())]
}

/// Returns the flags in the name of a mail.
fn flags(path: &Path) -> &[u8] {
    let name = path.file_name().unwrap_or_default().as_bytes();
    let at = name.windows(3).rposition(|window| window == b":2,");
    at.map_or(b"", |at| &name[at + 3..])
}

/// Returns the numbers of a file that all its links have; none where it vanished.
fn inode(path: &Path) -> Option<(u64, u64)> {
    path.symlink_metadata().ok().map(|found| (found.dev(), found.ino()))
}

fn entries(directory: &Path) -> io::Result<Vec<DirEntry>> {
    fs::read_dir(directory)?.collect()
}
