//! The command `queue-store`: see `queue-store --help` and `README.md`.

#![forbid(unsafe_code)]

mod address;
mod arguments;
mod command;
mod display;
mod entries;
mod escape;
mod failure;
mod file_size_limit;
mod input;
mod interruption;
mod json;
mod names;
mod options;
mod output;
mod output_file;
mod owner;
mod queue_directory;
mod stream;
mod subcommand;

use std::process::ExitCode;

fn main() -> ExitCode {
    let code = command::run().unwrap_or_else(|failure| {
        failure.print();
        failure.code()
    });
    ExitCode::from(code as u8)
}
