//! Files of a queue whose names are not UTF-8: no command can name them, and chasquid reads them.

use crate::failure::{Cause, Failure};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use sysexits::ExitCode as Sysexit;

/// The beginnings of the names of items that are ready or held.
const LIVE: [&[u8]; 4] = [b"m:", b"m=", b"h:", b"h="];

/// Returns a failure for each file that would be a ready or held item if its name were UTF-8.
pub(crate) fn find(queue: &Path) -> Result<Vec<Failure>, Failure> {
    let failed = |error| Failure::file(queue, error, Sysexit::IoErr);
    let mut failures = Vec::new();
    for entry in fs::read_dir(queue).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        if name.to_str().is_none() && LIVE.iter().any(|prefix| name.as_bytes().starts_with(prefix)) {
            let place = format!("{}/{}", queue.display(), name.as_bytes().escape_ascii());
            failures.push(Failure::from(Cause::InvalidName).at(&place));
        }
    }
    Ok(failures)
}
