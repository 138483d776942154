//! The items of a queue in the order in which they are printed. Memory holds only the keys: the printed rows are kept in a
//! temporary file.

use crate::failure::Failure;
use queue_store_host::Queue;
use queue_store_host::types::{Detail, Entry};
use std::env;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use sysexits::ExitCode as Sysexit;
use tempfile::SpooledTempFile;

/// Bytes of rows up to which no file is needed.
const MEMORY_BYTES: usize = 4 << 20;

/// Rows of text about items, sorted from the oldest item to the newest, those without a time last.
pub(crate) struct Rows {
    file: SpooledTempFile,
    places: Vec<Place>,
}

/// The place of a row, after the key by which it is sorted.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    created_at: (i64, i32),
    id: Box<str>,
    offset: u64,
    bytes: usize,
}

/// Reads the items of a queue, and makes a row of each for which `row` returns one.
pub(crate) fn oldest_first(
    queue: &Queue,
    detail: Detail,
    mut row: impl FnMut(&Entry) -> Option<String>,
) -> Result<Rows, Failure> {
    let (mut file, mut places, mut offset) = (SpooledTempFile::new(MEMORY_BYTES), Vec::new(), 0);
    for entry in queue.items(&[], detail)? {
        let entry = entry?;
        if let Some(row) = row(&entry) {
            file.write_all(row.as_bytes()).map_err(failed)?;
            let created_at = entry.info.as_ref().and_then(|info| info.envelope.created_at);
            let created_at = created_at.map_or((i64::MAX, i32::MAX), |at| (at.seconds, at.nanos));
            places.push(Place { created_at, id: entry.id.into(), offset, bytes: row.len() });
            offset += row.len() as u64;
        }
    }
    places.sort_unstable();
    Ok(Rows { file, places })
}

impl Rows {
    /// Whether there is no row.
    pub(crate) fn is_empty(&self) -> bool {
        self.places.is_empty()
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
