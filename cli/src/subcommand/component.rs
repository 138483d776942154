//! `component`: writes the WebAssembly component that the command contains.

use crate::failure::Failure;
use crate::output_file;
use clap::Args;
use queue_store_host::COMPONENT;
use std::path::PathBuf;
use sysexits::ExitCode as Sysexit;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The file to write, instead of standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// Writes the component to a file or to standard output.
pub(crate) fn run(arguments: &Arguments) -> Result<Sysexit, Failure> {
    output_file::write(arguments.output.as_deref(), COMPONENT)?;
    Ok(Sysexit::Ok)
}
