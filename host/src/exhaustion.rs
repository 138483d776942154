//! Descriptors, threads, memory and file size that a process has none of for now, which is no failure of a device or of the
//! component.

use nix::errno::Errno;
use std::fs::File;
use std::io;

/// Whether an error of the system tells that a resource is used up for now.
pub(crate) fn is_exhaustion(error: &io::Error) -> bool {
    let errno = error.raw_os_error().map(Errno::from_raw);
    matches!(errno, Some(Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM | Errno::EAGAIN | Errno::EFBIG))
}

/// Returns the error of the system in a chain of errors that tells that a resource is used up for now.
pub(crate) fn find(error: &wasmtime::Error) -> Option<String> {
    let is_exhaustion =
        |cause: &&(dyn std::error::Error + 'static)| cause.downcast_ref::<io::Error>().is_some_and(is_exhaustion);
    let found = error.chain().find(is_exhaustion).map(ToString::to_string);
    // Not every library below keeps the error of the system in the chain.
    found.or_else(|| descriptors().err().map(|error| error.to_string()))
}

/// Returns an error if fewer descriptors are left than one operation on a file takes.
pub(crate) fn descriptors() -> io::Result<()> {
    const DESCRIPTORS_OF_AN_OPERATION: usize = 2;
    let opened: io::Result<Vec<File>> = (0..DESCRIPTORS_OF_AN_OPERATION).map(|_| File::open("/")).collect();
    match opened {
        Err(error) if is_exhaustion(&error) => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}
