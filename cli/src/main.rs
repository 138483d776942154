//! The command `queue-store`: see `queue-store --help` and `README.md`.

#![forbid(unsafe_code)]

mod address;
mod arguments;
mod change_log;
mod chasquid_process;
mod command;
mod display;
mod entries;
mod escape;
mod failure;
mod file_size_limit;
mod input;
mod interruption;
mod invalid_names;
mod json;
mod names;
mod options;
mod output;
mod output_file;
mod owner;
mod progress;
mod queue_directory;
mod statistics;
mod stream;
mod subcommand;
mod unreadable;
mod verbose;
mod version;

use std::process::ExitCode;

fn main() -> ExitCode {
    let code = command::run().unwrap_or_else(|failure| {
        failure.print();
        failure.code() as u8
    });
    ExitCode::from(code)
}
