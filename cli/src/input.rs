//! A file that is read as mail, in chunks, until a signal comes.

use crate::failure::{Cause, Failure};
use crate::interruption::{Interrupted, InterruptibleFile, Interruption};
use std::io::{self, BufReader, Read};
use std::path::Path;
use sysexits::ExitCode as Sysexit;

const STANDARD_INPUT: &str = "standard input";

/// A file or standard input.
pub(crate) struct Input<'a> {
    name: String,
    reader: BufReader<Box<dyn Read + 'a>>,
    /// Bytes that [`Input::read_chunk`] returned.
    bytes_read: u64,
}

impl<'a> Input<'a> {
    /// Opens the file of an argument: standard input if there is none, or if it is `-`.
    pub(crate) fn of_argument(path: Option<&Path>, interruption: &'a Interruption) -> Result<Input<'a>, Failure> {
        if let Some(path) = path.filter(|path| *path != Path::new("-")) {
            let file = InterruptibleFile::open(path, interruption);
            let file = file.map_err(|error| Failure::file(path, error, Sysexit::NoInput))?;
            return Ok(Input::new(path.to_string_lossy().into_owned(), file));
        }
        let file = InterruptibleFile::stdin(interruption);
        let file = file.map_err(|error| Failure::file(Path::new(STANDARD_INPUT), error, Sysexit::NoInput))?;
        Ok(Input::new(STANDARD_INPUT.to_string(), file))
    }

    fn new(name: String, reader: impl Read + 'a) -> Input<'a> {
        Input { name, reader: BufReader::new(Box::new(reader)), bytes_read: 0 }
    }

    /// Returns the name for people.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the number of bytes that [`Input::read_chunk`] returned.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// Returns the next `bytes` bytes, or fewer at the end.
    pub(crate) fn read_chunk(&mut self, bytes: usize) -> Result<Vec<u8>, Failure> {
        let mut chunk = Vec::with_capacity(bytes);
        let read = self.reader.by_ref().take(bytes as u64).read_to_end(&mut chunk);
        self.bytes_read += read.map_err(|error| read_failure(&self.name, error))? as u64;
        Ok(chunk)
    }
}

/// Reads the lines of standard input that are not empty.
pub(crate) fn stdin_lines() -> Result<Vec<String>, Failure> {
    let lines = io::stdin().lines().filter(|line| line.as_ref().map_or(true, |line| !line.is_empty()));
    lines.map(|line| line.map_err(|error| read_failure(STANDARD_INPUT, error))).collect()
}

/// Returns the failure to read the input `name`.
pub(crate) fn read_failure(name: &str, error: io::Error) -> Failure {
    let was_interrupted = error.get_ref().is_some_and(|inner| inner.is::<Interrupted>());
    let cause = if was_interrupted { Cause::Interrupted } else { Cause::Read(error) };
    Failure::from(cause).at(name)
}
