//! `verify`: verifies every item whole, and prints those that are damaged.

use crate::arguments;
use crate::entries;
use crate::escape::escape;
use crate::failure::{Cause, Failure};
use crate::json;
use crate::names;
use crate::output::{print, print_json};
use crate::queue_directory;
use queue_store_host::types::{Detail, Entry, Integrity};
use std::io::{self, Write};
use sysexits::ExitCode as Sysexit;

/// Verifies every item whole, and prints those that are damaged.
pub(crate) fn run(arguments: &arguments::Listing) -> Result<Sysexit, Failure> {
    let queue = queue_directory::open(&arguments.queue.queue)?;
    let entries = entries::oldest_first(&queue, Detail::Whole)?;
    if arguments.json {
        print_json(&entries.iter().map(json::verified_entry).collect())?;
    } else {
        print(|output| write_report(&entries, output))?;
    }
    match entries.iter().filter(|entry| entry.problem.is_some()).count() {
        0 => Ok(Sysexit::Ok),
        damaged => Err(Cause::DamagedItems { damaged, items: entries.len() }.into()),
    }
}

fn write_report(entries: &[Entry], output: &mut dyn Write) -> io::Result<()> {
    let mut damaged = 0;
    for entry in entries {
        if let Some(problem) = &entry.problem {
            let (id, state) = (escape(&entry.id), names::state(entry.state));
            let (code, detail) = (names::error_code(problem.code), escape(&problem.detail));
            writeln!(output, "{id}  {state}  {code}: {detail}")?;
            damaged += 1;
        }
    }
    let is_unchecked = |entry: &&Entry| entry.info.as_ref().is_some_and(|info| info.integrity == Integrity::Unchecked);
    let unchecked = entries.iter().filter(is_unchecked).count();
    writeln!(output, "{} items, {damaged} damaged, {unchecked} without checksums", entries.len())
}
