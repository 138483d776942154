//! `summary`: counts the ready and held mail that is not delivered, by domain.

use crate::age;
use crate::columns::{Column, Columns};
use crate::display::{body_or_file_size, bytes, counted, items};
use crate::escape::escape;
use crate::failure::{Failure, Failures};
use crate::location::Location;
use crate::open_queue::{self, foreign_files};
use crate::output::{print_json, print_line, print_lines};
use crate::selection::{LIVE, Selection};
use crate::summary::{BUCKET_MINUTES, Group, Side, Summary};
use clap::Args;
use queue_store_host::types::{Detail, Timestamp};
use serde_json::{Value, json};
use sysexits::ExitCode as Sysexit;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    selection: Selection,
    /// Count by the domain of the sender
    #[arg(long)]
    by_sender: bool,
    /// Print the numbers of items by their age in minutes, as qshape of Postfix does
    #[arg(long, conflicts_with = "json")]
    ages: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The sums of the queue.
#[derive(Default)]
struct Totals {
    items: u64,
    bytes: u64,
    /// Items that could not be read.
    unread: u64,
}

/// Counts the mail that is not delivered, by domain.
pub(crate) fn run(queue: &Location, arguments: &Arguments) -> Result<Sysexit, Failure> {
    let queue = open_queue::open(queue)?;
    let (failures, mut summary, mut totals, now) =
        (Failures::none(), Summary::default(), Totals::default(), age::now());
    let side = if arguments.by_sender { Side::Sender } else { Side::Recipient };
    for entry in arguments.selection.entries(&queue, &LIVE, Detail::Envelope, &failures)? {
        totals.items += 1;
        match entry?.info {
            Some(info) => {
                totals.bytes += body_or_file_size(&info);
                summary.add(&info, side, now);
            }
            None => totals.unread += 1,
        }
    }
    let groups = summary.into_groups();
    if arguments.json {
        print_json(&json_summary(&groups, &totals))?;
        return Ok(failures.code());
    }
    if !groups.is_empty() {
        if arguments.ages { print_ages(&groups) } else { print_groups(&groups, now) }?;
    }
    print_line(&footer(&totals, foreign_files(&queue)?))?;
    Ok(failures.code())
}

/// Returns a name for the domain of a null sender, and of an address without one.
fn domain_text(domain: &str) -> String {
    if domain.is_empty() { "(none)".to_string() } else { escape(domain) }
}

fn print_groups(groups: &[(String, Group)], now: Timestamp) -> Result<(), Failure> {
    let columns = Columns::for_stdout([
        Column::flexible("DOMAIN", 20, 2),
        Column::number("ITEMS", 7),
        Column::number("SIZE", 6),
        Column::number("OLDEST", 6),
        Column::number("NEWEST", 6),
        Column::flexible("MOST FREQUENT FAILURE", 24, 3),
    ]);
    let age = |time: Option<Timestamp>| time.map(|time| age::text(age::since(time, now))).unwrap_or_default();
    let rows = groups.iter().map(|(domain, group)| {
        let failure = group.failure().map(|(failure, count)| format!("{count}: {}", escape(failure)));
        Ok(columns.row([
            domain_text(domain),
            group.items.to_string(),
            bytes(group.bytes),
            age(group.oldest),
            age(group.newest),
            failure.unwrap_or_default(),
        ]))
    });
    print_lines([Ok(columns.header())].into_iter().chain(rows))
}

fn print_ages(groups: &[(String, Group)]) -> Result<(), Failure> {
    let columns = Columns::for_stdout([
        Column::flexible("DOMAIN", 11, 1),
        Column::number("T", 6),
        Column::number("5", 4),
        Column::number("10", 4),
        Column::number("20", 4),
        Column::number("40", 4),
        Column::number("80", 4),
        Column::number("160", 4),
        Column::number("320", 4),
        Column::number("640", 4),
        Column::number("1280", 4),
        Column::number("1280+", 5),
    ]);
    let rows = groups.iter().map(|(domain, Group { items, buckets, .. })| {
        let [a, b, c, d, e, f, g, h, i, j] = buckets.map(|count| count.to_string());
        Ok(columns.row([domain_text(domain), items.to_string(), a, b, c, d, e, f, g, h, i, j]))
    });
    print_lines([Ok(columns.header())].into_iter().chain(rows))
}

fn footer(totals: &Totals, foreign: Option<String>) -> String {
    let mut footer = match totals.items {
        0 => "no items".to_string(),
        count => format!("{}, {}", items(count), bytes(totals.bytes)),
    };
    if totals.unread > 0 {
        let unread = counted(totals.unread, "item is damaged or unreadable", "items are damaged or unreadable");
        footer = format!("{footer}; {unread}, and in no domain");
    }
    foreign.map_or(footer.clone(), |foreign| format!("{footer}; {foreign}"))
}

fn json_summary(groups: &[(String, Group)], totals: &Totals) -> Value {
    let time = |time: Option<Timestamp>| time.map(|at| json!({"seconds": at.seconds, "nanos": at.nanos}));
    let domains = groups.iter().map(|(domain, group)| {
        json!({
            "domain": domain,
            "items": group.items,
            "bytes": group.bytes,
            "oldest": time(group.oldest),
            "newest": time(group.newest),
            "failure": group.failure().map(|(message, items)| json!({"message": message, "items": items})),
            "ages": group.buckets,
        })
    });
    json!({
        "items": totals.items,
        "bytes": totals.bytes,
        "unreadable_items": totals.unread,
        "age_minutes": BUCKET_MINUTES,
        "domains": domains.collect::<Vec<_>>(),
    })
}
