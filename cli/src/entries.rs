//! The items of a queue in the order in which they are printed. Memory holds only the keys: the printed rows are kept in a
//! temporary file.

use crate::failure::Failure;
use queue_store_host::Queue;
use queue_store_host::types::{Detail, Entry};
use std::cmp::Reverse;
use std::env;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use sysexits::ExitCode as Sysexit;
use tempfile::SpooledTempFile;

/// Bytes of rows up to which no file is needed.
const MEMORY_BYTES: usize = 4 << 20;

/// Rows of text about items, in an order.
pub(crate) struct Rows {
    file: SpooledTempFile,
    places: Vec<Place>,
}

/// The key of an item by which rows are sorted; the smaller one is first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    /// The time of acceptance: the oldest first, and those without a time last.
    Time(i64, i32),
    /// The size: the largest first.
    Size(Reverse<u64>),
    /// A text, in the order of its bytes.
    Text(Box<str>),
}

/// The place of a row, after the key by which it is sorted, and the id, which decides between equal keys.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    key: Key,
    id: Box<str>,
    offset: u64,
    bytes: usize,
}

impl Key {
    /// Returns the key of an item by its age.
    pub(crate) fn age(entry: &Entry) -> Key {
        let created_at = entry.info.as_ref().and_then(|info| info.envelope.created_at);
        created_at.map_or(Key::Time(i64::MAX, i32::MAX), |at| Key::Time(at.seconds, at.nanos))
    }
}

/// Reads the items of a queue, and makes a row of each for which `row` returns one; from the oldest item to the newest.
pub(crate) fn oldest_first(
    queue: &Queue,
    detail: Detail,
    row: impl FnMut(&Entry) -> Option<String>,
) -> Result<Rows, Failure> {
    let entries = queue.items(&[], detail)?.map(|entry| entry.map_err(Failure::from));
    sorted(entries, Key::age, row)
}

/// Makes a row of each item for which `row` returns one, and sorts them by the keys of the items.
pub(crate) fn sorted(
    entries: impl Iterator<Item = Result<Entry, Failure>>,
    key: impl Fn(&Entry) -> Key,
    mut row: impl FnMut(&Entry) -> Option<String>,
) -> Result<Rows, Failure> {
    let (mut file, mut places, mut offset) = (SpooledTempFile::new(MEMORY_BYTES), Vec::new(), 0);
    for entry in entries {
        let entry = entry?;
        if let Some(row) = row(&entry) {
            file.write_all(row.as_bytes()).map_err(failed)?;
            places.push(Place { key: key(&entry), id: entry.id.into(), offset, bytes: row.len() });
            offset += row.len() as u64;
        }
    }
    places.sort_unstable();
    Ok(Rows { file, places })
}

impl Rows {
    /// Reverses the order.
    pub(crate) fn reverse(&mut self) {
        self.places.reverse();
    }

    /// Returns the rows.
    pub(crate) fn into_iter(self) -> impl Iterator<Item = Result<String, Failure>> {
        let mut file = BufReader::new(self.file);
        // The rows of a queue that was filled in order follow each other, and the first one begins the file.
        let mut position = u64::MAX;
        self.places.into_iter().map(move |Place { offset, bytes, .. }| {
            let mut read = || -> io::Result<String> {
                if position != offset {
                    file.seek(SeekFrom::Start(offset))?;
                }
                let mut row = vec![0; bytes];
                file.read_exact(&mut row)?;
                position = offset + bytes as u64;
                Ok(String::from_utf8(row).expect("a row is text"))
            };
            read().map_err(failed)
        })
    }
}

fn failed(error: io::Error) -> Failure {
    Failure::file(&env::temp_dir(), error, Sysexit::CantCreat)
}
