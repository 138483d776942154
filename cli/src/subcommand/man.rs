//! `man`: the manual pages, from the definitions of the arguments.

use crate::failure::Failure;
use clap::{Args, Command};
use std::fs;
use std::path::PathBuf;
use sysexits::ExitCode as Sysexit;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The directory to write a page for each subcommand to, such as /usr/local/share/man/man1
    #[arg(long, value_name = "DIR")]
    pub(crate) output: PathBuf,
}

/// Writes a manual page for the command and for each subcommand.
pub(crate) fn run(command: Command, arguments: &Arguments) -> Result<Sysexit, Failure> {
    let directory = &arguments.output;
    fs::create_dir_all(directory)
        .and_then(|()| clap_mangen::generate_to(command, directory))
        .map_err(|error| Failure::file(directory, error, Sysexit::CantCreat))?;
    Ok(Sysexit::Ok)
}
