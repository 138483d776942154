//! `list`: lists the items.

use crate::arguments;
use crate::display::{size, time};
use crate::entries;
use crate::escape::escape;
use crate::failure::Failure;
use crate::json;
use crate::names;
use crate::output::{print_json, print_table};
use crate::queue_directory;
use queue_store_host::types::{Detail, Entry, ItemInfo};
use sysexits::ExitCode as Sysexit;

const COLUMNS: [&str; 6] = ["ID", "STATE", "SIZE", "CREATED", "FROM", "TO"];

/// The column of the numbers.
const SIZE: usize = 2;

/// Lists the items.
pub(crate) fn run(arguments: &arguments::Listing) -> Result<Sysexit, Failure> {
    let queue = queue_directory::open(&arguments.queue.queue)?;
    let entries = entries::oldest_first(&queue, Detail::Envelope)?;
    if arguments.json {
        print_json(&entries.iter().map(json::entry).collect())?;
    } else if !entries.is_empty() {
        print_table(COLUMNS, entries.iter().map(row), SIZE)?;
    }
    Ok(Sysexit::Ok)
}

fn row(entry: &Entry) -> [String; 6] {
    let (id, state) = (escape(&entry.id), names::state(entry.state).to_string());
    match (&entry.info, &entry.problem) {
        (Some(info), _) => {
            let created = info.envelope.created_at.map(time).unwrap_or_default();
            [id, state, size(info), created, escape(&info.envelope.reverse_path), recipients(info)]
        }
        (None, problem) => {
            let detail = problem.as_ref().map(|problem| escape(&problem.detail)).unwrap_or_default();
            [id, state, String::new(), String::new(), "damaged:".to_string(), detail]
        }
    }
}

/// Returns the first recipient, the numbers of the others and of the pending ones, and the field `ID` where it differs.
fn recipients(info: &ItemInfo) -> String {
    let recipients = &info.envelope.recipients;
    let first = recipients.first().map(|recipient| escape(&recipient.address)).unwrap_or_default();
    let more = if recipients.len() > 1 { format!(" and {} more", recipients.len() - 1) } else { String::new() };
    let pending = recipients.iter().filter(|recipient| recipient.status == 0).count();
    let done = if pending == recipients.len() { String::new() } else { format!(" ({pending} pending)") };
    let recorded = info.recorded_id.as_ref();
    let recorded = recorded.map(|id| format!(" (field ID is {})", escape(id))).unwrap_or_default();
    format!("{first}{more}{done}{recorded}")
}
