//! `component`: writes the WebAssembly component that the command contains.

use crate::arguments;
use crate::failure::{Cause, Failure};
use queue_store_host::COMPONENT;
use std::fs;
use std::io::{self, IsTerminal, Write};
use sysexits::ExitCode as Sysexit;

/// Writes the component to a file or to standard output.
pub(crate) fn run(arguments: &arguments::Component) -> Result<Sysexit, Failure> {
    if let Some(path) = &arguments.output {
        fs::write(path, COMPONENT).map_err(|error| Failure::file(path, error, Sysexit::CantCreat))?;
    } else if io::stdout().is_terminal() {
        return Err(Cause::BinaryToTerminal.into());
    } else {
        let mut output = io::stdout().lock();
        output.write_all(COMPONENT).and_then(|()| output.flush()).map_err(Cause::Stdout)?;
    }
    Ok(Sysexit::Ok)
}
