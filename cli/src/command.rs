//! Parses the arguments of the process and runs the subcommand.

use crate::arguments::{Arguments, Subcommand};
use crate::change_log;
use crate::failure::{Cause, Failure};
use crate::file_size_limit;
use crate::subcommand::{
    cat, change, check, completions, component, copy, edit, export, headers, import, list, man, plugin, put, recover,
    release, requeue, resolve, show, stats, summary, update, verify, wit,
};
use crate::{verbose, version};
use clap::error::ErrorKind as ParserError;
use clap::{CommandFactory, Parser};
use signal_hook::consts::SIGPIPE;
use signal_hook::low_level::emulate_default_handler;
use std::env;
use std::io::ErrorKind;
use sysexits::ExitCode as Sysexit;

/// Runs the command with the arguments of the process, prints its failure, and returns its exit code.
pub(crate) fn run() -> u8 {
    match run_subcommand() {
        Ok(code) => code,
        Err(failure) if given_subcommand() == " check" => check::report_unknown(&failure) as u8,
        Err(failure) => {
            failure.print();
            failure.code() as u8
        }
    }
}

fn run_subcommand() -> Result<u8, Failure> {
    // Before anything is changed whose result could not be printed.
    if standard_output::was_closed() {
        return Err(Cause::StdoutClosed.into());
    }
    file_size_limit::catch_signal().map_err(Cause::Signals)?;
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() => return Err(usage(&error).into()),
        Err(version) if version.kind() == ParserError::DisplayVersion => {
            version::print_versions()?;
            return Ok(0);
        }
        Err(help) => {
            help.print().map_err(Cause::Stdout)?;
            return Ok(0);
        }
    };
    let queue = || {
        let queue = arguments.queue.as_ref().filter(|queue| !queue.is_empty());
        let queue = queue.ok_or_else(|| Cause::NoQueue { subcommand: given_subcommand() })?;
        queue.check().map(|()| queue)
    };
    if arguments.verbose {
        verbose::enable();
    }
    if let Some(log) = &arguments.log {
        change_log::ask(log, &given_subcommand());
    }
    let result = match &arguments.subcommand {
        Subcommand::Check(arguments) => {
            return Ok(check::run(queue()?, arguments)? as u8);
        }
        Subcommand::Stats(arguments) => reading(stats::run(queue()?, arguments)),
        Subcommand::Man(arguments) => man::run(Arguments::command(), arguments),
        Subcommand::Completions(arguments) => completions::run(Arguments::command(), arguments),
        Subcommand::Put(arguments) => put::run(queue()?, arguments),
        Subcommand::List(arguments) => reading(list::run(queue()?, arguments)),
        Subcommand::Summary(arguments) => reading(summary::run(queue()?, arguments)),
        Subcommand::Show(arguments) => reading(show::run(queue()?, arguments)),
        Subcommand::Headers(arguments) => reading(headers::run(queue()?, arguments)),
        Subcommand::Cat(arguments) => reading(cat::run(queue()?, arguments)),
        Subcommand::Update(arguments) => update::run(queue()?, arguments),
        Subcommand::Edit(arguments) => edit::run(queue()?, arguments),
        Subcommand::Remove(arguments) => change::remove(queue()?, arguments),
        Subcommand::Hold(bulk) => change::hold(queue()?, bulk),
        Subcommand::Release(arguments) => release::release(queue()?, arguments),
        Subcommand::Requeue(arguments) => requeue::run(queue()?, arguments),
        Subcommand::Quarantine(bulk) => change::quarantine(queue()?, bulk),
        Subcommand::Restore(arguments) => release::restore(queue()?, arguments),
        Subcommand::Resolve(arguments) => resolve::run(queue()?, arguments),
        Subcommand::Seal(items) => change::seal(queue()?, items),
        Subcommand::Recover(arguments) => recover::run(queue()?, arguments),
        Subcommand::Verify(arguments) => reading(verify::run(queue()?, arguments)),
        Subcommand::Import(arguments) => import::run(queue()?, arguments),
        Subcommand::Export(arguments) => export::run(queue()?, arguments),
        Subcommand::Copy(arguments) => copy::run(arguments),
        Subcommand::Plugin(plugin::Subcommand::Check(arguments)) => plugin::check(arguments),
        Subcommand::Plugin(plugin::Subcommand::Compose(arguments)) => plugin::compose(arguments),
        Subcommand::Plugin(plugin::Subcommand::Run(arguments)) => plugin::run(queue()?, arguments),
        Subcommand::Component(arguments) => component::run(arguments),
        Subcommand::Wit(arguments) => wit::run(arguments),
    };
    verbose::say(|| {
        let code = result.as_ref().map_or_else(Failure::code, |code| *code);
        format!("ends with exit code {}", code as u8)
    });
    Ok(result? as u8)
}

/// Ends the process by SIGPIPE where a subcommand that only reads finds that its output is read no more, as other
/// programs do: `list | head` is no failure.
fn reading(result: Result<Sysexit, Failure>) -> Result<Sysexit, Failure> {
    let is_broken_pipe = |failure: &Failure| match failure.cause() {
        Cause::Stdout(error) => error.kind() == ErrorKind::BrokenPipe,
        _ => false,
    };
    if result.as_ref().is_err_and(is_broken_pipe) {
        emulate_default_handler(SIGPIPE).map_err(Cause::Signals)?;
    }
    result
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
    let mut arguments = env::args_os().skip(1);
    while let Some(argument) = arguments.next() {
        match command.find_subcommand(&argument) {
            Some(subcommand) => {
                names.push(' ');
                names.push_str(subcommand.get_name());
                command = subcommand.clone();
            }
            None if argument == "--queue" || argument == "--log" => drop(arguments.next()),
            None if argument.as_encoded_bytes().starts_with(b"-") => {}
            None => break,
        }
    }
    names
}
