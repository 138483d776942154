//! A file that mails are read from, at any place of it.

use crate::failure::Failure;
use crate::input::read_failure;
use crate::interruption::{Interrupted, InterruptibleFile, Interruption};
use std::env;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use sysexits::ExitCode as Sysexit;

/// Bytes of a pipe that are read at a time.
const CHUNK_BYTES: usize = 64 << 10;

/// A file that is read until a signal comes.
pub(super) struct Source<'a> {
    name: String,
    file: File,
    interruption: &'a Interruption,
}

impl<'a> Source<'a> {
    /// Opens a file. A pipe, which cannot be read at any place, is copied to a temporary file; `-` is standard input.
    pub(super) fn open(path: &Path, interruption: &'a Interruption) -> Result<Source<'a>, Failure> {
        let failed = |error| Failure::file(path, error, Sysexit::NoInput);
        let name = path.to_string_lossy().into_owned();
        let is_stdin = path == Path::new("-");
        let file = if !is_stdin && fs::metadata(path).map_err(failed)?.is_file() {
            File::open(path).map_err(failed)?
        } else {
            let pipe = if is_stdin {
                InterruptibleFile::stdin(interruption)
            } else {
                InterruptibleFile::open(path, interruption)
            };
            copy(pipe.map_err(failed)?, &name)?
        };
        Ok(Source { name, file, interruption })
    }

    /// Returns the name for people.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns a reader of a part of the file.
    pub(super) fn part(&self, range: Range<u64>) -> Part<'_> {
        Part { source: self, range }
    }

    /// Returns a reader of the file from an offset to its end.
    pub(super) fn from(&self, offset: u64) -> Part<'_> {
        self.part(offset..u64::MAX)
    }

    /// Returns the failure to read the file.
    pub(super) fn failure(&self, error: io::Error) -> Failure {
        read_failure(&self.name, error)
    }
}

/// Copies a pipe to a file that has no name.
fn copy(mut pipe: InterruptibleFile<'_>, name: &str) -> Result<File, Failure> {
    let failed = |error| Failure::file(&env::temp_dir(), error, Sysexit::CantCreat);
    let mut copy = tempfile::tempfile().map_err(failed)?;
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        match pipe.read(&mut chunk).map_err(|error| read_failure(name, error))? {
            0 => return Ok(copy),
            bytes => copy.write_all(&chunk[..bytes]).map_err(failed)?,
        }
    }
}

/// A part of a file. A read fails with [`Interrupted`] after a signal.
pub(super) struct Part<'a> {
    source: &'a Source<'a>,
    range: Range<u64>,
}

impl Read for Part<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.source.interruption.has_come() {
            return Err(io::Error::other(Interrupted));
        }
        let rest = self.range.end.saturating_sub(self.range.start);
        let room = usize::try_from(rest).map_or(buffer.len(), |rest| rest.min(buffer.len()));
        let bytes = self.source.file.read_at(&mut buffer[..room], self.range.start)?;
        self.range.start += bytes as u64;
        Ok(bytes)
    }
}
