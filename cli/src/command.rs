//! Parses the arguments of the process and runs the subcommand.

use crate::arguments::{Arguments, Subcommand};
use crate::failure::{Cause, Failure};
use crate::file_size_limit;
use crate::subcommand::{cat, change, component, import, list, put, recover, show, update, verify};
use clap::{CommandFactory, Parser};
use nix::sys::stat::{Mode, umask};
use queue_store_host::types::State;
use std::env;
use sysexits::ExitCode as Sysexit;

/// Runs the command with the arguments of the process.
pub(crate) fn run() -> Result<Sysexit, Failure> {
    // New files are for their owner alone, even in a directory that others may enter.
    umask(Mode::S_IRWXG | Mode::S_IRWXO);
    file_size_limit::catch_signal().map_err(Cause::Signals)?;
    let subcommand = match Arguments::try_parse() {
        Ok(arguments) => arguments.subcommand,
        Err(error) if error.use_stderr() => return Err(usage(&error).into()),
        Err(help_or_version) => {
            help_or_version.print().map_err(Cause::Stdout)?;
            return Ok(Sysexit::Ok);
        }
    };
    match subcommand {
        Subcommand::Put(arguments) => put::run(&arguments),
        Subcommand::List(arguments) => list::run(&arguments),
        Subcommand::Show(arguments) => show::run(&arguments),
        Subcommand::Cat(arguments) => cat::run(&arguments),
        Subcommand::Update(arguments) => update::run(&arguments),
        Subcommand::Remove(arguments) => change::remove(&arguments),
        Subcommand::Hold(items) => change::set_state(&items, State::Held),
        Subcommand::Release(items) => change::set_state(&items, State::Ready),
        Subcommand::Quarantine(items) => change::set_state(&items, State::Quarantined),
        Subcommand::Restore(items) => change::restore(&items),
        Subcommand::Seal(items) => change::seal(&items),
        Subcommand::Recover(arguments) => recover::run(&arguments),
        Subcommand::Verify(arguments) => verify::run(&arguments),
        Subcommand::Import(arguments) => import::run(&arguments),
        Subcommand::Component(arguments) => component::run(&arguments),
    }
}

/// Puts the message of the parser, which has several lines, into one.
fn usage(error: &clap::Error) -> Cause {
    let message = error.to_string();
    let before_usage = message.split("\nUsage:").next().unwrap_or(&message);
    let before_help = before_usage.split("\nFor more information").next().unwrap_or(before_usage);
    let words: Vec<&str> = before_help.split_whitespace().skip_while(|word| *word == "error:").collect();
    let message = words.join(" ").replace(" tip: ", "; ");
    // No option precedes the subcommand.
    let subcommand = env::args_os()
        .nth(1)
        .and_then(|name| name.into_string().ok())
        .filter(|name| Arguments::command().find_subcommand(name).is_some());
    let subcommand = subcommand.map(|name| format!(" {name}")).unwrap_or_default();
    Cause::Usage { message, subcommand }
}
