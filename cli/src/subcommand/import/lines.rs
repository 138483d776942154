//! The lines of a file, in constant memory.

use super::source::{Part, Source};
use crate::mbox::HEAD_BYTES;
use std::io::{self, BufRead, BufReader, Read};

/// A line.
#[derive(Debug)]
pub(super) struct Line {
    /// The place of its first byte in the file.
    pub(super) start: u64,
    /// The place after its line end.
    pub(super) end: u64,
    /// Its number in the file.
    pub(super) number: u64,
    /// Its beginning; with its end, unless it is long.
    pub(super) head: Vec<u8>,
}

/// The lines from an offset to the end of a file.
pub(super) struct Lines<'a> {
    reader: BufReader<Part<'a>>,
    /// The next line, where it was looked at.
    peeked: Option<Line>,
    /// The place and the number of the line after that.
    offset: u64,
    number: u64,
}

impl<'a> Lines<'a> {
    /// Begins at an offset.
    pub(super) fn at(source: &'a Source<'a>, offset: u64) -> Lines<'a> {
        Lines { reader: BufReader::with_capacity(64 << 10, source.from(offset)), peeked: None, offset, number: 1 }
    }

    /// Returns the next line, and consumes it.
    pub(super) fn next(&mut self) -> io::Result<Option<Line>> {
        match self.peeked.take() {
            Some(line) => Ok(Some(line)),
            None => self.read(),
        }
    }

    /// Returns the next line.
    pub(super) fn peek(&mut self) -> io::Result<Option<&Line>> {
        if self.peeked.is_none() {
            self.peeked = self.read()?;
        }
        Ok(self.peeked.as_ref())
    }

    /// Returns the place of the next line.
    pub(super) fn offset(&self) -> u64 {
        self.peeked.as_ref().map_or(self.offset, |line| line.start)
    }

    fn read(&mut self) -> io::Result<Option<Line>> {
        let mut head = Vec::new();
        let mut bytes = self.reader.by_ref().take(HEAD_BYTES as u64).read_until(b'\n', &mut head)?;
        if bytes == 0 {
            return Ok(None);
        }
        if !head.ends_with(b"\n") {
            bytes += self.reader.skip_until(b'\n')?;
        }
        let line = Line { start: self.offset, end: self.offset + bytes as u64, number: self.number, head };
        self.offset = line.end;
        self.number += 1;
        Ok(Some(line))
    }
}
