//! `component`: writes the WebAssembly component that the command contains.

use crate::failure::Failure;
use crate::output::print_line;
use crate::output_file;
use clap::Args;
use queue_store_host::{COMPONENT, COMPONENT_SHA256};
use std::path::PathBuf;
use sysexits::ExitCode as Sysexit;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The file to write, instead of standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Print the SHA-256 of the component instead
    #[arg(long, conflicts_with = "output")]
    pub(crate) sha256: bool,
}

/// Writes the component to a file or to standard output.
pub(crate) fn run(arguments: &Arguments) -> Result<Sysexit, Failure> {
    if arguments.sha256 {
        print_line(COMPONENT_SHA256)?;
        return Ok(Sysexit::Ok);
    }
    output_file::write(arguments.output.as_deref(), COMPONENT)?;
    Ok(Sysexit::Ok)
}
