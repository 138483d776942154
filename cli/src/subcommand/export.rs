//! `export`: writes mails to an mbox file, a maildir or `.eml` files, which `import` reads byte for byte.

mod files;
mod mbox;

use crate::display;
use crate::failure::{Cause, Failure, Failures};
use crate::interruption::Interruption;
use crate::options::MailFormat;
use crate::output::print_line;
use crate::queue_directory;
use crate::selection::Selection;
use clap::Args;
use files::Files;
use mbox::MboxFile;
use queue_store_host::Queue;
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
    let ids = arguments.selection.ids(&queue, &[])?.ids;
    let mut destination = Destination::open(arguments)?;
    let mut failures = Failures::none();
    let mut exported = 0;
    for id in ids {
        if interruption.has_come() {
            return Err(Cause::Interrupted.into());
        }
        match destination.add(&queue, &id) {
            Ok(()) => exported += 1,
            // A damaged item, or a file that exists, does not keep the others from being exported.
            Err(failure) if !matches!(failure.code(), Sysexit::TempFail | Sysexit::IoErr) => {
                failures.report(&failure.at_item(&id));
            }
            Err(failure) => return Err(failure.at_item(&id)),
        }
    }
    destination.finish()?;
    print_line(&format!("exported {}", display::counted(exported, "mail", "mails")))?;
    Ok(failures.code())
}
