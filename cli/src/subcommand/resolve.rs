//! `resolve`: shows the files that have one id, and sets aside all live ones but one.
//!
//! The contract refuses to choose between two live files of an id, as a crash of another program or a restored backup
//! leaves them. So the operator does, by the name of a file.

use crate::change_log;
use crate::display::bytes;
use crate::escape::escape;
use crate::failure::{Cause, Failure};
use crate::item_file::{self, ItemFile};
use crate::location::Location;
use crate::open_queue;
use crate::options::Daemon;
use crate::output::print;
use crate::salvage;
use clap::Args;
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
use queue_store_host::Queue;
use queue_store_host::types::{Format, State};
use sysexits::ExitCode as Sysexit;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The id; `--` goes before one that begins with `-`
    id: String,
    /// The file that stays, such as h:ID; other ready and held files of the id are quarantined
    #[arg(long, value_name = "FILE")]
    keep: Option<String>,
    #[command(flatten)]
    daemon: Daemon,
}

/// Shows the files of an id, or keeps one of them.
pub(crate) fn run(location: &Location, Arguments { id, keep, daemon }: &Arguments) -> Result<Sysexit, Failure> {
    let directory = location.require_directory()?;
    let queue = match keep {
        None => open_queue::open(location)?,
        Some(_) => open_queue::open_for_change(location, daemon.while_running)?,
    };
    let files = item_file::find(directory, id)?;
    if files.is_empty() {
        // The queue has the words for it.
        queue.info(id).map_err(|error| Failure::from(error).at_item(id))?;
    }
    match keep {
        None => show(&files)?,
        Some(keep) => {
            let (kept, others) = choose(files, keep).map_err(|cause| Failure::from(cause).at(id))?;
            // The files are moved past the queue, which would refuse it.
            if queue.needs_recovery() {
                return Err(Failure::from(Cause::RecoverFirst).at(id));
            }
            let set_aside = others.iter().try_for_each(|other| set_aside(&queue, other, id));
            let resolved = set_aside.and_then(|()| sync(&queue, id, kept.state()));
            change_log::logged(id, resolved)?;
        }
    }
    Ok(Sysexit::Ok)
}

/// Prints each file: its name, its size, and its envelope as far as it can be read.
fn show(files: &[ItemFile]) -> Result<(), Failure> {
    for file in files {
        let content = file.read()?;
        let body = salvage::body(&content, file.format()).unwrap_or_default();
        print(|output| {
            writeln!(output, "{}", escape(&file.name))?;
            writeln!(output, "  {}, a body of {}", file.state().name(), bytes(body.len() as u64))?;
            let mut lines = salvage::envelope(&content, file.format()).into_iter();
            lines.try_for_each(|line| writeln!(output, "  | {}", escape(&line)))
        })?;
    }
    Ok(())
}

/// Returns the file of this name, and the other live ones.
fn choose(files: Vec<ItemFile>, keep: &str) -> Result<(ItemFile, Vec<ItemFile>), Cause> {
    let live = files.into_iter().filter(|file| file.state() != State::Quarantined);
    let (mut kept, others): (Vec<ItemFile>, Vec<ItemFile>) = live.partition(|file| file.name == keep);
    match kept.pop() {
        Some(kept) => Ok((kept, others)),
        None => {
            Err(Cause::NoSuchFile { name: keep.to_string(), files: others.into_iter().map(|file| file.name).collect() })
        }
    }
}

/// Renames a file to a free name in quarantine.
fn set_aside(queue: &Queue, file: &ItemFile, id: &str) -> Result<(), Failure> {
    let sign = if file.format() == Format::Text { ':' } else { '=' };
    let renamed = match rename(file, &format!("q{sign}{id}")) {
        // A generated id is as random as the second name in quarantine has to be.
        Err(Errno::EEXIST) => rename(file, &format!("d{sign}{}:{id}", queue.new_id()?)),
        renamed => renamed,
    };
    renamed.map_err(|errno| Failure::file(&file.path, errno.into(), Sysexit::IoErr))
}

/// Renames a file to a name that is free.
fn rename(file: &ItemFile, name: &str) -> nix::Result<()> {
    let target = file.path.with_file_name(name);
    renameat2(AT_FDCWD, &file.path, AT_FDCWD, &target, RenameFlags::RENAME_NOREPLACE)
}

/// Fsyncs the item that stays, and the directory: the move of an item to the state that it has.
fn sync(queue: &Queue, id: &str, state: State) -> Result<(), Failure> {
    for outcome in queue.set_state(&[id], state)? {
        outcome.into_result().map_err(|error| Failure::from(error).at_item(id))?;
    }
    Ok(())
}
