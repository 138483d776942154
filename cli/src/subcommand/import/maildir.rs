//! The mails of a maildir.

use crate::failure::{Cause, Failure};
use std::collections::HashMap;
use std::fs::{self, DirEntry};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
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
            // A mail that was renamed between the two directories is read once, and two mails of one name twice.
            let path = entry.path();
            let before = seen.insert(unique_name(&path).to_vec(), path);
            if before.is_none_or(|path| path.symlink_metadata().is_ok()) {
                maildir.add(&entry);
            }
        }
    }
    maildir.mails.sort();
    maildir.folders = folders(path).map_err(|error| Failure::file(path, error, Sysexit::NoInput))?;
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

/// Returns the directories in a maildir that are maildirs, sorted.
fn folders(path: &Path) -> io::Result<Vec<PathBuf>> {
    let paths = entries(path)?.into_iter().map(|entry| entry.path());
    let mut folders: Vec<PathBuf> = paths.filter(|path| path.join("cur").is_dir()).collect();
    folders.sort();
    Ok(folders)
}

fn entries(directory: &Path) -> io::Result<Vec<DirEntry>> {
    fs::read_dir(directory)?.collect()
}
