//! The command `queue-store`: see `queue-store --help` and `README.md`.

#![forbid(unsafe_code)]

mod address;
mod address_list;
mod arguments;
mod command;
mod display;
mod durable_file;
mod entries;
mod escape;
mod failure;
mod file_size_limit;
mod input;
mod interruption;
mod json;
mod mbox;
mod names;
mod options;
mod output;
mod output_file;
mod owner;
mod queue_directory;
mod report;
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
