//! The subcommands, and the options that precede them.

use crate::bulk::Bulk;
use crate::location::Location;
use crate::options::Items;
use crate::subcommand::{
    cat, change, check, completions, component, copy, edit, export, headers, import, list, man, plugin, put, recover,
    release, resolve, show, stats, summary, update, verify, wit,
};
use clap::Parser;
use std::path::PathBuf;

/// A durable mail queue: one directory, one file for each item, and no acknowledged mail is ever lost.
///
/// The files are those of the SMTP server chasquid. Stop it before a change: it keeps items in memory, and writes them
/// back. While it runs, what changes items is refused without --while-running, and new items wait for its next start.
#[derive(Parser)]
#[command(name = "queue-store", version, arg_required_else_help = false, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    /// The directory of the queue, or the URL of a database: postgres://USER@HOST/DATABASE?queue=NAME
    #[arg(long, value_name = "DIR|URL", env = "QUEUE_STORE_DIR", hide_env_values = true, global = true)]
    pub(crate) queue: Option<Location>,
    /// Tell on standard error what is opened, and the time that it takes
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
    /// Log each change with its time, user and outcome: to the end of a file, or to `syslog`
    #[arg(long, value_name = "FILE|syslog", env = "QUEUE_STORE_LOG", global = true)]
    pub(crate) log: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) subcommand: Subcommand,
}

const EXIT_CODES: &str = "\
Exit codes (sysexits.h):
   0  done
  64  usage
  65  damaged or bad data
  66  no such item or directory
  69  unavailable
  70  internal error
  73  cannot create
  74  input/output error
  75  try again later (queue full, disk full)
  77  permission
One line on standard error tells the place, the cause and the remedy.";

#[derive(clap::Subcommand)]
pub(crate) enum Subcommand {
    /// Queue a mail durably and print its id
    Put(put::Arguments),
    /// List items
    List(list::Arguments),
    /// Count the mail that is not delivered, by domain
    Summary(summary::Arguments),
    /// Show an item without its body
    Show(show::Arguments),
    /// Print the headers of an item's message, decoded
    Headers(headers::Arguments),
    /// Write the body of an item to standard output, byte for byte
    Cat(cat::Arguments),
    /// Change the status of a delivery
    Update(update::Arguments),
    /// Change the sender and the recipients of an item
    Edit(edit::Arguments),
    /// Remove items
    Remove(change::Remove),
    /// Keep items from being delivered
    Hold(Bulk),
    /// Make held items ready again, and quarantined ones that are named, if they are intact
    Release(release::Arguments),
    /// Have every delivery tried again that was not made
    Requeue(release::Arguments),
    /// Set items aside, damaged or not
    Quarantine(Bulk),
    /// Make quarantined items ready again, if they are intact
    Restore(release::Arguments),
    /// Show the files that have one id, and set aside all but one
    Resolve(resolve::Arguments),
    /// Write new checksums for items that were edited by hand
    Seal(Items),
    /// Make the state of the queue definite after a crash, and remove stale temporary files
    Recover(recover::Arguments),
    /// Verify every item whole
    Verify(verify::Arguments),
    /// Check the number, the age and the damage of items, as a plugin of Nagios does
    Check(check::Arguments),
    /// Print the numbers of the queue, for people or for Prometheus
    Stats(stats::Arguments),
    /// Queue the mails of mbox files, maildirs and single files
    Import(import::Arguments),
    /// Write mails to an mbox file, a maildir or `.eml` files
    Export(export::Arguments),
    /// Copy the items of a queue into another one, between directories and databases
    ///
    /// Nothing may deliver from either queue meanwhile. The copy can be interrupted and repeated: an item that is there with the
    /// same content is done, and gets the state that it has in the first queue where it is held or quarantined there. Another
    /// mail of the same id, damaged items and several items of one id are named and left.
    Copy(copy::Arguments),
    /// Check, compose or run a plugin: a component that submits mail, and reaches nothing else
    #[command(subcommand, arg_required_else_help = false)]
    Plugin(plugin::Subcommand),
    /// Write the WebAssembly component that this command contains
    Component(component::Arguments),
    /// Print the contract in WIT, as one file
    Wit(wit::Arguments),
    /// Write the manual pages
    Man(man::Arguments),
    /// Print the completions of a shell
    Completions(completions::Arguments),
}
