//! `verify`: verifies every item whole, and prints those that are damaged.

mod tally;

use crate::display;
use crate::entries;
use crate::escape::escape;
use crate::failure::{Cause, Failure, Failures};
use crate::invalid_names;
use crate::json;
use crate::location::Location;
use crate::open_queue;
use crate::output::{json_text, print_json_array, print_line, print_lines};
use crate::progress;
use clap::Args;
use queue_store_host::types::{Detail, Entry};
use sysexits::ExitCode as Sysexit;
use tally::Tally;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Verifies every item whole, and prints those that are damaged. Damage of an item that is ready or held makes it fail.
pub(crate) fn run(location: &Location, arguments: &Arguments) -> Result<Sysexit, Failure> {
    let queue = open_queue::open(location)?;
    let counts = queue.count()?;
    let progress = progress::of_items(counts.ready + counts.held + counts.quarantined);
    let mut tally = Tally::default();
    let rows = entries::oldest_first(&queue, Detail::Whole, |entry| {
        progress.inc(1);
        if !tally.add(entry) {
            return None;
        }
        if arguments.json { Some(json_text(&json::Item::of_verified(entry))) } else { problem(entry) }
    })?;
    progress.finish_and_clear();
    let invalid_names = location.directory().map_or(Ok(Vec::new()), invalid_names::find)?;
    if arguments.json {
        print_json_array(rows.into_iter())?;
    } else {
        print_lines(rows.into_iter().chain([Ok(summary(&tally, invalid_names.len() as u64))]))?;
        if tally.items == 0
            && let Some(foreign) = open_queue::foreign_files(&queue)?
        {
            print_line(&foreign)?;
        }
    }
    let failures = Failures::none();
    invalid_names.iter().for_each(|name| failures.report(name));
    if tally.damaged > 0 {
        failures.report(&Cause::DamagedItems { damaged: tally.damaged, items: tally.items }.into());
    }
    if let Some(code) = tally.unreadable_code {
        failures.report(&Cause::UnreadableItems { unreadable: tally.unreadable, items: tally.items, code }.into());
    }
    Ok(failures.code())
}

/// Describes the problem of an item in a line.
fn problem(entry: &Entry) -> Option<String> {
    let problem = entry.problem.as_ref()?;
    let (id, state) = (escape(&entry.id), entry.state.name());
    let (code, detail) = (problem.code.name(), escape(&problem.detail));
    Some(format!("{id}  {state}  {code}: {detail}"))
}

fn summary(tally: &Tally, invalid_names: u64) -> String {
    let Tally { items, damaged, damaged_in_quarantine, unreadable, unchecked, .. } = tally;
    let mut summary = format!("{}, {damaged} damaged, {unchecked} without checksums", display::items(*items));
    for (number, meaning) in [
        (*damaged_in_quarantine, "damaged in quarantine"),
        (*unreadable, "that could not be read"),
        (invalid_names, "beside them with names that are not UTF-8"),
    ] {
        if number > 0 {
            summary.push_str(&format!(", {number} {meaning}"));
        }
    }
    summary
}
