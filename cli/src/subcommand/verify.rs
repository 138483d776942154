//! `verify`: verifies every item whole, and prints those that are damaged.

use crate::entries;
use crate::escape::escape;
use crate::failure::{Cause, Failure};
use crate::json;
use crate::output::{json_text, print_json_array, print_lines};
use crate::queue_directory;
use clap::Args;
use queue_store_host::types::{Detail, Entry, Integrity};
use std::path::Path;
use sysexits::ExitCode as Sysexit;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Verifies every item whole, and prints those that are damaged.
pub(crate) fn run(queue: &Path, arguments: &Arguments) -> Result<Sysexit, Failure> {
    let queue = queue_directory::open(queue)?;
    let (mut items, mut damaged, mut unchecked) = (0, 0, 0);
    let rows = entries::oldest_first(&queue, Detail::Whole, |entry| {
        items += 1;
        damaged += usize::from(entry.problem.is_some());
        unchecked += usize::from(entry.info.as_ref().is_some_and(|info| info.integrity == Integrity::Unchecked));
        if arguments.json { Some(json_text(&json::Item::of_verified(entry))) } else { damage(entry) }
    })?;
    if arguments.json {
        print_json_array(rows.into_iter())?;
    } else {
        let summary = format!("{items} items, {damaged} damaged, {unchecked} without checksums");
        print_lines(rows.into_iter().chain([Ok(summary)]))?;
    }
    match damaged {
        0 => Ok(Sysexit::Ok),
        damaged => Err(Cause::DamagedItems { damaged, items }.into()),
    }
}

/// Describes the damage of an item in a line.
fn damage(entry: &Entry) -> Option<String> {
    let problem = entry.problem.as_ref()?;
    let (id, state) = (escape(&entry.id), entry.state.name());
    let (code, detail) = (problem.code.name(), escape(&problem.detail));
    Some(format!("{id}  {state}  {code}: {detail}"))
}
