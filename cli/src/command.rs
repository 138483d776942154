//! Parses the arguments of the process and runs the subcommand.

use crate::arguments::{Arguments, Plugin, Subcommand};
use crate::failure::{Cause, Failure};
use crate::file_size_limit;
use crate::subcommand::{cat, change, component, import, list, plugin, put, recover, show, update, verify, wit};
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
        Subcommand::Plugin(Plugin::Check(arguments)) => plugin::check(&arguments),
        Subcommand::Plugin(Plugin::Compose(arguments)) => plugin::compose(&arguments),
        Subcommand::Plugin(Plugin::Run(arguments)) => plugin::run(&arguments),
        Subcommand::Component(arguments) => component::run(&arguments),
        Subcommand::Wit(arguments) => wit::run(&arguments),
    }
}

/// Puts the message of the parser, which has several lines, into one.
fn usage(error: &clap::Error) -> Cause {
    let message = error.to_string();
    let before_usage = message.split("\nUsage:").next().unwrap_or(&message);
    let before_help = before_usage.split("\nFor more information").next().unwrap_or(before_usage);
    let words: Vec<&str> = before_help.split_whitespace().skip_while(|word| *word == "error:").collect();
    let message = words.join(" ").replace(" tip: ", "; ");
    Cause::Usage { message, subcommand: given_subcommand() }
}

/// Returns the subcommand, and the one below it, that the arguments begin with; each after a blank.
fn given_subcommand() -> String {
    let mut command = Arguments::command();
    let mut names = String::new();
    // No option precedes a subcommand.
    for argument in env::args_os().skip(1) {
        let Some(subcommand) = command.find_subcommand(argument) else { break };
        names.push(' ');
        names.push_str(subcommand.get_name());
        command = subcommand.clone();
    }
    names
}
