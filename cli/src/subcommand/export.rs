//! `export`: writes mails to an mbox file, a maildir or `.eml` files, which `import` reads byte for byte.

mod files;
mod mbox;

use crate::display;
use crate::failure::{Cause, Failure, Failures};
use crate::interruption::Interruption;
use crate::options::MailFormat;
use crate::output::print_line;
use crate::queue_directory;
use crate::selection::{LIVE, SelectedIds, Selection};
use clap::Args;
use files::Files;
use mbox::MboxFile;
use queue_store_host::Queue;
use queue_store_host::types::State;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use sysexits::ExitCode as Sysexit;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The format to write
    #[arg(long, value_enum)]
    format: MailFormat,
    /// The mbox file, the maildir, or the directory of `.eml` files; directories are created. As root it is written as the
    /// owner of the queue
    #[arg(long, value_name = "PATH")]
    output: PathBuf,
    /// Replace files that exist
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    selection: Selection,
}

/// The place that mails are written to.
enum Destination {
    Mbox(MboxFile),
    Files(Files),
}

impl Destination {
    fn open(arguments: &Arguments) -> Result<Destination, Failure> {
        let (path, force) = (&arguments.output, arguments.force);
        Ok(match arguments.format {
            MailFormat::Mbox => Destination::Mbox(MboxFile::create(path, force)?),
            MailFormat::Maildir => Destination::Files(Files::maildir(path, force)?),
            MailFormat::Eml => Destination::Files(Files::eml(path, force)?),
        })
    }

    fn add(&mut self, queue: &Queue, id: &str) -> Result<(), Failure> {
        match self {
            Destination::Mbox(mbox) => mbox.add(queue, id),
            Destination::Files(files) => files.add(queue, id),
        }
    }

    /// Makes what was written durable.
    fn finish(self) -> Result<(), Failure> {
        match self {
            Destination::Mbox(mbox) => mbox.finish(),
            Destination::Files(files) => files.finish(),
        }
    }
}

/// Exports items.
pub(crate) fn run(queue: &Path, arguments: &Arguments) -> Result<Sysexit, Failure> {
    let interruption = Interruption::catch().map_err(Cause::Signals)?;
    let queue = queue_directory::open(queue)?;
    let failures = Failures::none();
    let SelectedIds { mut ids, named } = arguments.selection.ids(&queue, &LIVE, &failures)?;
    let states = arguments.selection.states(&LIVE);
    let mut seen = HashSet::new();
    ids.retain(|id| seen.insert(id.clone()));
    let mut destination = Destination::open(arguments)?;
    let mut exported = 0;
    for id in ids {
        if interruption.has_come() {
            return Err(Cause::Interrupted.into());
        }
        let added = check_state(&queue, &id, (!named).then_some(&states)).and_then(|()| destination.add(&queue, &id));
        match added {
            Ok(()) => exported += 1,
            // A damaged item, or a file that exists, does not keep the others from being exported.
            Err(failure) if !matches!(failure.code(), Sysexit::TempFail | Sysexit::IoErr) => {
                failures.report(&failure.at_item(&id));
            }
            Err(failure) => return Err(failure.at_item(&id)),
        }
    }
    // An older export is worth more than an empty one.
    if exported == 0 && failures.code() != Sysexit::Ok {
        return Ok(failures.code());
    }
    destination.finish()?;
    print_line(&format!("exported {}", display::counted(exported, "mail", "mails")))?;
    Ok(failures.code())
}

/// Refuses an id of which a filter selected an item that the queue does not read, since another one of the id is read.
fn check_state(queue: &Queue, id: &str, selected: Option<&Vec<State>>) -> Result<(), Failure> {
    let Some(states) = selected else { return Ok(()) };
    let state = queue.info(id)?.state;
    if states.contains(&state) { Ok(()) } else { Err(Cause::OtherItemOfId(state).into()) }
}
