//! The command `queue-store`: see `queue-store --help` and `README.md`.

#![forbid(unsafe_code)]

mod acting_user;
mod address;
mod address_list;
mod age;
mod arguments;
mod bulk;
mod change_log;
mod chasquid_process;
mod columns;
mod command;
mod damage;
mod database;
mod display;
mod durable_file;
mod entries;
mod escape;
mod failure;
mod field;
mod file_size_limit;
mod filter;
mod headers;
mod input;
mod interruption;
mod invalid_names;
mod item_file;
mod item_states;
mod item_table;
mod json;
mod location;
mod mbox;
mod names;
mod open_queue;
mod options;
mod output;
mod output_file;
mod owner;
mod progress;
mod report;
mod salvage;
mod selection;
mod statistics;
mod stream;
mod subcommand;
mod summary;
mod verbose;
mod version;

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(command::run())
}
