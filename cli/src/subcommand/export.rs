//! `export`: writes mails to an mbox file, a maildir or `.eml` files, which `import` reads byte for byte.

mod files;
mod mbox;

use crate::display;
use crate::failure::{Cause, Failure, Failures};
use crate::interruption::Interruption;
use crate::item_states;
use crate::location::Location;
use crate::open_queue;
use crate::options::MailFormat;
use crate::output::print_line;
use crate::report;
use crate::selection::{LIVE, SelectedIds, Selection};
use clap::Args;
use files::Files;
use mbox::MboxFile;
use queue_store_host::Queue;
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

impl Arguments {
    /// Refuses an output that would not be a file, or that would be among the items of the queue.
    fn check_output(&self, queue: &Location) -> Result<(), Cause> {
        if self.output == Path::new("-") {
            return Err(Cause::ExportToStdout);
        }
        let existing = self.output.ancestors().find_map(|ancestor| {
            let is_here = ancestor.as_os_str().is_empty();
            if is_here { Path::new(".") } else { ancestor }.canonicalize().ok()
        });
        let is_within = |output: PathBuf| {
            let queue = queue.directory().map(Path::canonicalize);
            queue.is_some_and(|queue| queue.is_ok_and(|queue| output.starts_with(queue)))
        };
        if existing.is_some_and(is_within) { Err(Cause::ExportIntoQueue) } else { Ok(()) }
    }
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
pub(crate) fn run(location: &Location, arguments: &Arguments) -> Result<Sysexit, Failure> {
    let interruption = Interruption::catch().map_err(Cause::Signals)?;
    let queue = open_queue::open(location)?;
    arguments.check_output(location)?;
    let failures = Failures::none();
    let SelectedIds { mut ids, named } = arguments.selection.ids(&queue, &LIVE, &failures)?;
    let selected = if named { None } else { Some(arguments.selection.states(&LIVE)) };
    let mut seen = HashSet::new();
    ids.retain(|id| seen.insert(id.clone()));
    let states = item_states::by_id(&queue)?;
    let replaces_mails = matches!(arguments.format, MailFormat::Mbox) && arguments.output.exists();
    let mut destination = Destination::open(arguments)?;
    let mut exported = 0;
    for id in ids {
        if interruption.has_come() {
            return Err(Cause::Interrupted.into());
        }
        let states = states.get(&id).cloned().unwrap_or_default();
        let added = states.ambiguity(selected.as_deref()).map_or(Ok(()), |cause| Err(Failure::from(cause)));
        match added.and_then(|()| destination.add(&queue, &id)) {
            Ok(()) => {
                exported += 1;
                if named && states.live().is_some() && states.quarantined() > 0 {
                    report::line(&format!("{id}: warning: an item of this id is quarantined, and is not exported"));
                }
            }
            // An item that cannot be read, or a file that exists, does not keep the others from being exported.
            Err(failure) if is_of_item(&failure, location) => failures.report(&failure.at_item(&id)),
            Err(failure) => return Err(failure.at_item(&id)),
        }
    }
    if exported == 0 && failures.code() != Sysexit::Ok {
        return Ok(failures.code());
    }
    // An older export may have what this one lacks.
    if replaces_mails && (exported == 0 || failures.code() != Sysexit::Ok) {
        failures.report(&Failure::from(Cause::OlderExportKept).at(&arguments.output.to_string_lossy()));
        return Ok(failures.code());
    }
    destination.finish()?;
    print_line(&format!("exported {}", display::counted(exported, "mail", "mails")))?;
    Ok(failures.code())
}

/// Whether a failure is of one item. What a database answers no more, it does not answer for the next item either.
fn is_of_item(failure: &Failure, location: &Location) -> bool {
    match failure.code() {
        Sysexit::TempFail => false,
        Sysexit::IoErr => matches!(failure.cause(), Cause::Queue(_)) && location.directory().is_some(),
        _ => true,
    }
}
