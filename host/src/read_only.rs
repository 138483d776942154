//! The code `read-only`, which WASI as wasmtime implements it cannot pass on.

use crate::types::{Error, ErrorCode};
use nix::sys::statvfs::{FsFlags, statvfs};
use std::path::Path;

/// Corrects the code of an operation that failed because the file system of `directory` is read-only: `wasmtime-wasi`
/// reports a device that failed.
pub(crate) fn correct(error: &mut Error, directory: &Path) {
    if error.code == ErrorCode::Io
        && matches!(error.operation.as_str(), "create" | "link" | "rename" | "unlink")
        && statvfs(directory).is_ok_and(|found| found.flags().contains(FsFlags::ST_RDONLY))
    {
        error.code = ErrorCode::ReadOnly;
        error.detail = "the file system is read-only".to_string();
    }
}
