//! The files that the paths of an import name, and the format of each.

use super::maildir;
use crate::failure::{Cause, Failure};
use crate::options::MailFormat;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use sysexits::ExitCode as Sysexit;

/// A file of mails.
pub(super) struct MailFile {
    pub(super) path: PathBuf,
    pub(super) kind: Kind,
}

/// The kind of a file of mails.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Mbox,
    /// A mail.
    Mail,
    /// A mail that a mail program may rename.
    MaildirMail,
    /// An mbox file if its first line separates mails, and else a mail.
    ToldByFirstLine,
}

/// The contents of paths.
#[derive(Default)]
pub(super) struct Contents {
    pub(super) files: Vec<MailFile>,
    /// Bytes of the files.
    pub(super) bytes: u64,
    pub(super) trashed: u64,
    pub(super) drafts: u64,
    /// Directories of mails below the paths.
    pub(super) folders: Vec<PathBuf>,
    /// Files in directories of `.eml` files that have another name.
    pub(super) other_files: u64,
    pub(super) failures: Vec<Failure>,
}

/// Returns the contents of paths, in their order.
pub(super) fn contents(paths: &[PathBuf], format: Option<MailFormat>) -> Result<Contents, Failure> {
    let mut contents = Contents::default();
    paths.iter().try_for_each(|path| contents.add(path, format))?;
    Ok(contents)
}

impl Contents {
    fn add(&mut self, path: &Path, format: Option<MailFormat>) -> Result<(), Failure> {
        let failed = |error| Failure::file(path, error, Sysexit::NoInput);
        if path == Path::new("-") {
            self.files.push(MailFile { path: path.to_path_buf(), kind: file_kind(path, format) });
            return Ok(());
        }
        let is_directory = path.metadata().map_err(failed)?.is_dir();
        match format {
            _ if !is_directory => self.push(path.to_path_buf(), file_kind(path, format)),
            None | Some(MailFormat::Maildir) => {
                let maildir = maildir::read(path)?;
                maildir.mails.into_iter().for_each(|path| self.push(path, Kind::MaildirMail));
                self.trashed += maildir.trashed;
                self.drafts += maildir.drafts;
                self.folders.extend(maildir.folders);
                self.failures.extend(maildir.failures);
            }
            Some(MailFormat::Eml) => {
                let entries = fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
                let mut paths: Vec<PathBuf> = entries.map_err(failed)?.iter().map(fs::DirEntry::path).collect();
                paths.sort();
                for path in paths {
                    if path.is_dir() {
                        self.folders.push(path);
                    } else if is_eml(&path) {
                        self.push(path, Kind::Mail);
                    } else {
                        self.other_files += 1;
                    }
                }
            }
            Some(MailFormat::Mbox) => return Err(Failure::from(Cause::NotMbox).at(&path.to_string_lossy())),
        }
        Ok(())
    }

    fn push(&mut self, path: PathBuf, kind: Kind) {
        self.bytes += path.metadata().as_ref().map_or(0, Metadata::len);
        self.files.push(MailFile { path, kind });
    }
}

/// Returns whether the name of a file ends in `.eml`, in any case.
fn is_eml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("eml"))
}

/// Returns what a file is: by its format, or by its name.
fn file_kind(path: &Path, format: Option<MailFormat>) -> Kind {
    let directory = path.parent().and_then(Path::file_name).unwrap_or_default();
    match format {
        Some(MailFormat::Mbox) => Kind::Mbox,
        Some(MailFormat::Eml) => Kind::Mail,
        Some(MailFormat::Maildir) => Kind::MaildirMail,
        None if is_eml(path) => Kind::Mail,
        None if directory == "new" || directory == "cur" => Kind::MaildirMail,
        None => Kind::ToldByFirstLine,
    }
}
