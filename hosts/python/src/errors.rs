//! Errors of the library as Python's exceptions.

use crate::results;
use pyo3::exceptions::{PyOSError, PyRuntimeError};
use pyo3::prelude::*;
use queue_store_host::Error;
use std::io;
use std::path::Path;

/// The number of [`io::ErrorKind::NotADirectory`] in Linux, which the library reports without a number.
const ENOTDIR: i32 = 20;

/// Makes the exception of an error.
pub(crate) fn raise(py: Python<'_>, error: Error) -> PyErr {
    let exception = match (&error, error.record()) {
        (Error::Directory { path, source }, _) => return directory(path, source),
        (Error::Forked, _) => {
            return PyRuntimeError::new_err(
                "it was begun before this process was forked, and is the parent's: begin a new one",
            );
        }
        (_, Some(record)) => results::error(py, record),
        (_, None) => results::make(py, "ComponentError", (error.to_string(),)),
    };
    exception.map_or_else(|failure| failure, PyErr::from_value)
}

/// Makes the exception that `os.mkdir` would raise.
fn directory(path: &Path, source: &io::Error) -> PyErr {
    let words = source.to_string();
    let words = words.split(" (os error").next().unwrap_or_default().to_string();
    let not_a_directory = || (source.kind() == io::ErrorKind::NotADirectory).then_some(ENOTDIR);
    match source.raw_os_error().or_else(not_a_directory) {
        Some(errno) => PyOSError::new_err((errno, words, path.as_os_str().to_os_string())),
        None => PyOSError::new_err(format!("{}: {words}", path.display())),
    }
}
