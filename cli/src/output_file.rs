//! A component as output: to a file, which is replaced as a whole, or to standard output.

use crate::failure::{Cause, Failure};
use std::fs::{self, File};
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use sysexits::ExitCode as Sysexit;
use tempfile::NamedTempFile;

/// Writes a component to the file of an argument, or to standard output without one.
pub(crate) fn write(path: Option<&Path>, component: &[u8]) -> Result<(), Failure> {
    let Some(path) = path else {
        if io::stdout().is_terminal() {
            return Err(Cause::BinaryToTerminal.into());
        }
        let mut output = io::stdout().lock();
        return Ok(output.write_all(component).and_then(|()| output.flush()).map_err(Cause::Stdout)?);
    };
    write_file(path, component).map_err(|error| Failure::file(path, error, Sysexit::CantCreat))
}

fn write_file(path: &Path, component: &[u8]) -> io::Result<()> {
    // A device or a pipe is not to be replaced.
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return File::options().write(true).open(path)?.write_all(component);
    }
    // A symbolic link stays, and its target is replaced.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let directory = path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
    let mut file = NamedTempFile::new_in(directory)?;
    file.write_all(component)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
