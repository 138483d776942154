//! `list`: lists items.

use crate::display::body_or_file_size;
use crate::entries::{self, Key};
use crate::escape::escape;
use crate::failure::{Failure, Failures};
use crate::item_table::ItemTable;
use crate::json;
use crate::location::Location;
use crate::open_queue::{self, foreign_files};
use crate::output::{json_line, json_text, print_json_array, print_line, print_lines};
use crate::selection::Selection;
use clap::{Args, ValueEnum};
use queue_store_host::Queue;
use queue_store_host::types::{Detail, Entry};
use std::cmp::Reverse;
use sysexits::ExitCode as Sysexit;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    selection: Selection,
    /// The order
    #[arg(long, value_enum, default_value_t)]
    sort: Order,
    /// Reverse the order
    #[arg(long)]
    reverse: bool,
    /// Print in the order of the directory, as the items are read
    #[arg(long, conflicts_with_all = ["sort", "reverse"])]
    unsorted: bool,
    /// Print this many items, and count all
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Print the ids alone, one a line
    #[arg(long = "ids", group = "form")]
    only_ids: bool,
    /// Print a JSON array
    #[arg(long, group = "form")]
    json: bool,
    /// Print a line of JSON for each item
    #[arg(long, group = "form")]
    json_lines: bool,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum Order {
    /// The oldest first
    #[default]
    Age,
    /// The largest first
    Size,
    /// By sender
    Sender,
    /// By id
    Id,
}

impl Order {
    /// Returns the key of an item.
    fn key(self, entry: &Entry) -> Key {
        match self {
            Order::Age => Key::age(entry),
            Order::Size => Key::Size(Reverse(entry.info.as_ref().map_or(0, body_or_file_size))),
            Order::Sender => {
                let sender = entry.info.as_ref().map_or("", |info| &info.envelope.reverse_path);
                Key::Text(sender.to_lowercase().into())
            }
            Order::Id => Key::Text(entry.id.as_str().into()),
        }
    }
}

/// Lists items.
pub(crate) fn run(queue: &Location, arguments: &Arguments) -> Result<Sysexit, Failure> {
    let queue = open_queue::open(queue)?;
    let failures = Failures::none();
    let entries = arguments.selection.entries(&queue, &[], Detail::Envelope, &failures)?;
    let limit = arguments.limit.unwrap_or(usize::MAX);
    if arguments.json {
        let rows = rows(arguments, entries, |entry| json_text(&json::Item::of_entry(entry)))?;
        print_json_array(rows.take(limit))?;
    } else if arguments.json_lines {
        let rows = rows(arguments, entries, |entry| json_line(&json::Item::of_entry(entry)))?;
        print_lines(rows.take(limit))?;
    } else if arguments.only_ids {
        print_lines(rows(arguments, entries, |entry| escape(&entry.id))?.take(limit))?;
    } else {
        print_table(&queue, arguments, entries, limit)?;
    }
    Ok(failures.code())
}

/// Makes a row of each item, in the order of the arguments.
fn rows<'a>(
    arguments: &Arguments,
    entries: impl Iterator<Item = Result<Entry, Failure>> + 'a,
    mut row: impl FnMut(&Entry) -> String + 'a,
) -> Result<Box<dyn Iterator<Item = Result<String, Failure>> + 'a>, Failure> {
    if arguments.unsorted {
        return Ok(Box::new(entries.map(move |entry| entry.map(|entry| row(&entry)))));
    }
    let mut rows = entries::sorted(entries, |entry| arguments.sort.key(entry), |entry| Some(row(entry)))?;
    if arguments.reverse {
        rows.reverse();
    }
    Ok(Box::new(rows.into_iter()))
}

fn print_table(
    queue: &Queue,
    arguments: &Arguments,
    entries: impl Iterator<Item = Result<Entry, Failure>>,
    limit: usize,
) -> Result<(), Failure> {
    let mut table = ItemTable::new();
    let header = table.header();
    let mut rows = rows(arguments, entries, |entry| table.row(entry))?.peekable();
    if rows.peek().is_some() {
        print_lines([Ok(header)].into_iter().chain(rows.by_ref().take(limit)))?;
    }
    // The rest is counted.
    rows.try_for_each(|row| row.map(drop))?;
    drop(rows);
    print_footer(queue, arguments, &table)
}

/// Prints the sums, and the number of files that are not the queue's: where all are, it is the wrong directory.
fn print_footer(queue: &Queue, arguments: &Arguments, table: &ItemTable) -> Result<(), Failure> {
    let mut footer = match table.count() {
        0 if arguments.selection.is_everything() => "the queue is empty".to_string(),
        0 => "no item matches".to_string(),
        count if arguments.limit.is_some_and(|limit| (limit as u64) < count) => {
            format!("{}, not all shown", table.footer())
        }
        _ => table.footer(),
    };
    if let Some(note) = foreign_files(queue)? {
        footer = format!("{footer}; {note}");
    }
    print_line(&footer)?;
    if let Some(warning) = table.warning() {
        print_line(&warning)?;
    }
    Ok(())
}
