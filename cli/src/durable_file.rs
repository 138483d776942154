//! New files that appear under their names whole, and survive power loss.

use crate::failure::{Cause, Failure};
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use sysexits::ExitCode as Sysexit;
use tempfile::NamedTempFile;

/// A file under a temporary name, which is removed unless the file is published.
pub(crate) struct NewFile {
    file: BufWriter<NamedTempFile>,
    path: PathBuf,
    force: bool,
}

impl NewFile {
    /// Creates a file in `directory` that will be moved to `path`. With `force` it replaces another file there.
    pub(crate) fn create(directory: &Path, path: &Path, force: bool) -> Result<NewFile, Failure> {
        match path.symlink_metadata() {
            Ok(_) if !force => return Err(exists(path)),
            Ok(found) if !found.is_file() => {
                return Err(Failure::from(Cause::OutputNotFile).at(&path.to_string_lossy()));
            }
            _ => {}
        }
        let file = NamedTempFile::new_in(directory).map_err(|error| cannot_create(path, error))?;
        Ok(NewFile { file: BufWriter::new(file), path: path.to_path_buf(), force })
    }

    /// Returns the number of bytes that were written.
    pub(crate) fn position(&mut self) -> Result<u64, Failure> {
        self.file.stream_position().map_err(|error| cannot_create(&self.path, error))
    }

    /// Appends bytes.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.file.write_all(bytes).map_err(|error| cannot_create(&self.path, error))
    }

    /// Removes what was written after `position`.
    pub(crate) fn truncate(&mut self, position: u64) -> Result<(), Failure> {
        let truncated = self.file.seek(SeekFrom::Start(position));
        let truncated = truncated.and_then(|_| self.file.get_ref().as_file().set_len(position));
        truncated.map_err(|error| cannot_create(&self.path, error))
    }

    /// Fsyncs the file and moves it to its path. [`sync_directory`] makes that durable.
    pub(crate) fn publish(self) -> Result<(), Failure> {
        let NewFile { file, path, force } = self;
        let file = file.into_inner().map_err(|error| cannot_create(&path, error.into_error()))?;
        file.as_file().sync_all().map_err(|error| cannot_create(&path, error))?;
        let published = if force { file.persist(&path) } else { file.persist_noclobber(&path) };
        match published {
            Ok(_) => Ok(()),
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Err(exists(&path)),
            Err(error) => Err(cannot_create(&path, error.error)),
        }
    }
}

/// Returns the directory that a path is in.
pub(crate) fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."))
}

/// Fsyncs a directory.
pub(crate) fn sync_directory(directory: &Path) -> Result<(), Failure> {
    File::open(directory).and_then(|file| file.sync_all()).map_err(|error| cannot_create(directory, error))
}

/// Returns the failure to create a file or a directory.
pub(crate) fn cannot_create(path: &Path, error: io::Error) -> Failure {
    Failure::file(path, error, Sysexit::CantCreat)
}

fn exists(path: &Path) -> Failure {
    Failure::from(Cause::OutputExists).at(&path.to_string_lossy())
}
