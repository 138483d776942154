//! Errors of the system that mean the same wherever they occur.

use crate::file_size_limit;
use nix::errno::Errno;
use std::io::{self, ErrorKind};
use sysexits::ExitCode as Sysexit;

/// Whether an error of the system tells that a resource is used up for now.
pub(super) fn is_exhaustion(error: &io::Error) -> bool {
    let errno = error.raw_os_error().map(Errno::from_raw);
    matches!(errno, Some(Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM | Errno::EAGAIN))
}

/// Whether an error of the system tells that a device failed.
pub(super) fn is_of_device(error: &io::Error) -> bool {
    error.raw_os_error().map(Errno::from_raw) == Some(Errno::EIO)
}

/// Returns the exit code that an error of the system has wherever it occurs.
pub(super) fn exit_code_of_system(error: &io::Error) -> Option<Sysexit> {
    match error.kind() {
        _ if is_exhaustion(error) => Some(Sysexit::TempFail),
        _ if is_of_device(error) => Some(Sysexit::IoErr),
        ErrorKind::FileTooLarge if file_size_limit::was_exceeded() => Some(Sysexit::TempFail),
        ErrorKind::PermissionDenied => Some(Sysexit::NoPerm),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Some(Sysexit::TempFail),
        _ => None,
    }
}
