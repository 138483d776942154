//! The command: its arguments, and what it does with them.

mod address;
mod arguments;
mod failure;
mod import;
mod interrupt;
mod json;
mod owner;
mod put;
mod read;
mod text;

use arguments::{Arguments, Item, Show, Subcommand};
use clap::Parser;
use failure::Failure;
use nix::sys::stat::{Mode, umask};
use queue_store_host::types::{Durability, Format, Outcome};
use queue_store_host::{Error, Host, Queue};
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use sysexits::ExitCode as Sysexit;

/// Runs the command with the arguments of the process.
pub(crate) fn run() -> ExitCode {
    // What the queue has is nobody else's to read, whatever the directory allows.
    umask(Mode::from_bits_truncate(0o077));
    interrupt::ignore_file_size_limit();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) if !error.use_stderr() => {
            // Help and version, which somebody asked for.
            return match error.print() {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => Failure::stdout(&error).report(),
            };
        }
        Err(error) => return Failure::usage(&error).report(),
    };
    match execute(arguments) {
        Ok(code) => ExitCode::from(code as u8),
        Err(failure) => failure.report(),
    }
}

fn execute(arguments: Arguments) -> Result<Sysexit, Failure> {
    match arguments.subcommand {
        Subcommand::Put(arguments) => put::put(&arguments),
        Subcommand::List(arguments) => read::list(&open(&arguments.queue.queue)?, arguments.json),
        Subcommand::Show(Show { queue, id, json }) => {
            read::show(&open(&queue.queue)?, &id, json).map_err(|failure| failure.at(&id))
        }
        Subcommand::Cat(Item { queue, id }) => read::cat(&open(&queue.queue)?, &id).map_err(|failure| failure.at(&id)),
        Subcommand::Verify(arguments) => read::verify(&open(&arguments.queue.queue)?, arguments.json),
        Subcommand::Update(arguments) => {
            put::update(&open(&arguments.queue.queue)?, &arguments).map_err(|failure| failure.at(&arguments.id))
        }
        Subcommand::Remove(arguments) => {
            let queue = open(&arguments.items.queue.queue)?;
            let durability = arguments.durability.into();
            let remove = if arguments.quarantined { Queue::discard } else { Queue::remove };
            each(&arguments.items.ids, |ids| remove(&queue, ids, durability))
        }
        Subcommand::Hold(items) => each_of(&items, Queue::hold),
        Subcommand::Release(items) => each_of(&items, Queue::release),
        Subcommand::Quarantine(items) => each_of(&items, Queue::quarantine),
        Subcommand::Restore(items) => each_of(&items, Queue::restore),
        Subcommand::Seal(items) => each_of(&items, Queue::seal),
        Subcommand::Recover(arguments) => {
            read::recover(&open(&arguments.queue.queue)?, arguments.grace, arguments.json)
        }
        Subcommand::Import(arguments) => import::import(&arguments),
        Subcommand::Component(arguments) => component(arguments.output.as_deref()),
    }
}

/// Opens a queue that exists, as its owner.
fn open(directory: &Path) -> Result<Queue, Failure> {
    owner::become_owner_of(directory)?;
    Ok(Host::new()?.open(directory)?)
}

/// Opens a queue as the owner of its directory, which is created if it does not exist, and uses it. Where that fails, no
/// directory stays that was created for it and is empty.
fn create<T>(directory: &Path, use_it: impl FnOnce(&Queue) -> Result<T, Failure>) -> Result<T, Failure> {
    owner::become_owner_of(directory)?;
    let missing: Vec<&Path> = directory.ancestors().take_while(|path| path.symlink_metadata().is_err()).collect();
    let queue = Host::new()?.create(directory).map_err(|error| match &error {
        // A directory that cannot be created is not one that is missing.
        Error::Directory { path, source } => Failure::file(path, source, Sysexit::CantCreat),
        _ => error.into(),
    });
    queue.and_then(|queue| use_it(&queue)).inspect_err(|_| {
        // The first that is not empty keeps those above it.
        let _ = missing.iter().try_for_each(fs::remove_dir);
    })
}

fn each_of(
    items: &arguments::Items,
    change: fn(&Queue, &[String]) -> Result<Vec<Outcome>, Error>,
) -> Result<Sysexit, Failure> {
    let queue = open(&items.queue.queue)?;
    each(&items.ids, |ids| change(&queue, ids))
}

/// Changes items, a batch at a time, and reports those that were not.
fn each(ids: &[String], change: impl Fn(&[String]) -> Result<Vec<Outcome>, Error>) -> Result<Sysexit, Failure> {
    let mut code = Sysexit::Ok;
    for batch in ids.chunks(1000) {
        for Outcome { id, problem } in change(batch)? {
            let Some(problem) = problem else {
                continue;
            };
            let failure = Failure::from(Error::from(problem)).at(&id);
            failure.print();
            if code == Sysexit::Ok {
                code = failure.code();
            }
        }
    }
    Ok(code)
}

/// Writes the component to a file or to standard output.
fn component(output: Option<&Path>) -> Result<Sysexit, Failure> {
    let component = queue_store_host::COMPONENT;
    match output {
        Some(path) => {
            fs::write(path, component).map_err(|error| Failure::file(path, &error, Sysexit::CantCreat))?;
        }
        None if io::stdout().is_terminal() => {
            let advice = "standard output is a terminal, and the component is binary: name a file with --output";
            return Err(Failure::new(Sysexit::Usage, advice));
        }
        None => {
            let mut output = io::stdout().lock();
            output.write_all(component).and_then(|()| output.flush()).map_err(|error| Failure::stdout(&error))?;
        }
    }
    Ok(Sysexit::Ok)
}

impl From<arguments::FormatChoice> for Format {
    fn from(choice: arguments::FormatChoice) -> Format {
        match choice {
            arguments::FormatChoice::Text => Format::Text,
            arguments::FormatChoice::Binary => Format::Binary,
        }
    }
}

impl From<arguments::DurabilityChoice> for Durability {
    fn from(choice: arguments::DurabilityChoice) -> Durability {
        match choice {
            arguments::DurabilityChoice::Full => Durability::Full,
            arguments::DurabilityChoice::File => Durability::File,
            arguments::DurabilityChoice::None => Durability::None,
        }
    }
}
