//! `list`: lists the items.

use crate::display::{size, time};
use crate::entries;
use crate::escape::escape;
use crate::failure::Failure;
use crate::json;
use crate::output::{Table, json_text, print_json_array};
use crate::queue_directory;
use clap::Args;
use queue_store_host::types::{Detail, Entry, ItemInfo};
use std::path::Path;
use sysexits::ExitCode as Sysexit;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

const COLUMNS: [&str; 6] = ["ID", "STATE", "SIZE", "CREATED", "FROM", "TO"];

/// The column of the numbers.
const SIZE: usize = 2;

/// Lists the items.
pub(crate) fn run(queue: &Path, arguments: &Arguments) -> Result<Sysexit, Failure> {
    let queue = queue_directory::open(queue)?;
    if arguments.json {
        let rows =
            entries::oldest_first(&queue, Detail::Envelope, |entry| Some(json_text(&json::Item::of_entry(entry))))?;
        print_json_array(rows.into_iter())?;
        return Ok(Sysexit::Ok);
    }
    let mut table = Table::new(COLUMNS, SIZE);
    let rows = entries::oldest_first(&queue, Detail::Envelope, |entry| Some(table.row(cells(entry))))?;
    if !rows.is_empty() {
        table.print(rows.into_iter())?;
    }
    Ok(Sysexit::Ok)
}

fn cells(entry: &Entry) -> [String; 6] {
    let (id, state) = (escape(&entry.id), entry.state.name().to_string());
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
