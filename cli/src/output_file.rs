//! Files as output, which are replaced atomically, and a component, which may go to standard output.

use crate::durable_file::directory_of;
use crate::failure::{Cause, Failure};
use std::fs::{self, File, Permissions};
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use sysexits::ExitCode as Sysexit;
use tempfile::Builder;

/// Writes a component to the file of an argument, or to standard output without one.
pub(crate) fn write(path: Option<&Path>, component: &[u8]) -> Result<(), Failure> {
    let Some(path) = path else {
        if io::stdout().is_terminal() {
            return Err(Cause::BinaryToTerminal.into());
        }
        let mut output = io::stdout().lock();
        return Ok(output.write_all(component).and_then(|()| output.flush()).map_err(Cause::Stdout)?);
    };
    replace(path, component)
}

/// Replaces a file atomically.
pub(crate) fn replace(path: &Path, content: &[u8]) -> Result<(), Failure> {
    write_file(path, content).map_err(|error| Failure::file(path, error, Sysexit::CantCreat))
}

fn write_file(path: &Path, content: &[u8]) -> io::Result<()> {
    // A device or a pipe is not to be replaced.
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return File::options().write(true).open(path)?.write_all(content);
    }
    // A symbolic link stays, and its target is replaced.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    // As readable as the umask permits, like any file that a command creates.
    let mut file = Builder::new().permissions(Permissions::from_mode(0o666)).tempfile_in(directory_of(path))?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
