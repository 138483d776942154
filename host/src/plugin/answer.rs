//! The answers of the host to plugins.

use crate::error::{Error, Result};
use crate::types::{self, ErrorCode};

/// An answer for the plugin, or its trap where the contract has none.
pub(super) type Answer<T> = wasmtime::Result<Result<T, types::Error>>;

/// Makes the answer to a plugin. The path in an error is that of the store, for the caller to replace.
pub(super) fn answer<T>(result: Result<T>) -> Answer<T> {
    let error = match result {
        Ok(value) => return Ok(Ok(value)),
        Err(error) => error,
    };
    let record = match &error {
        // Its words are a path of the host.
        Error::Directory { .. } => Some(types::Error {
            code: ErrorCode::Other,
            operation: "open".to_string(),
            path: String::new(),
            detail: "the directory of the queue cannot be opened".to_string(),
            position: None,
        }),
        _ => error.record(),
    };
    match record {
        Some(record) => Ok(Err(record)),
        None => Err(error.into()),
    }
}
