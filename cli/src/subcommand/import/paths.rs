//! The files that the paths of an import name.

use crate::failure::{Cause, Failure};
use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use sysexits::ExitCode as Sysexit;

/// Returns the files: the paths themselves, and the mails of those that are maildirs.
pub(super) fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        let metadata = path.metadata().map_err(|error| Failure::file(path, error, Sysexit::NoInput))?;
        if metadata.is_dir() {
            files.append(&mut maildir(path)?);
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

/// Returns the mails of a maildir, sorted.
fn maildir(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut mails = Vec::new();
    for directory in ["new", "cur"] {
        let entries = fs::read_dir(path.join(directory)).map_err(|error| match error.kind() {
            ErrorKind::NotFound => Failure::from(Cause::NotMaildir).at(&path.to_string_lossy()),
            _ => Failure::file(path, error, Sysexit::NoInput),
        })?;
        for entry in entries {
            let entry = entry.map_err(|error| Failure::file(path, error, Sysexit::NoInput))?;
            // A name that begins with a dot is not a mail (maildir(5)).
            if !entry.file_name().as_bytes().starts_with(b".") && entry.path().is_file() {
                mails.push(entry.path());
            }
        }
    }
    mails.sort();
    Ok(mails)
}
