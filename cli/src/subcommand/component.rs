//! `component`: writes the WebAssembly component that the command contains.

use crate::arguments;
use crate::failure::Failure;
use crate::output_file;
use queue_store_host::COMPONENT;
use sysexits::ExitCode as Sysexit;

/// Writes the component to a file or to standard output.
pub(crate) fn run(arguments: &arguments::Component) -> Result<Sysexit, Failure> {
    output_file::write(arguments.output.as_deref(), COMPONENT)?;
    Ok(Sysexit::Ok)
}
