//! `stats`: the numbers of a queue, for people and for Prometheus.

mod prometheus;

use crate::display::time;
use crate::failure::Failure;
use crate::location::Location;
use crate::open_queue;
use crate::output::print;
use crate::output_file;
use crate::statistics::{Items, Statistics};
use clap::Args;
use queue_store_host::types::Timestamp;
use std::path::PathBuf;
use sysexits::ExitCode as Sysexit;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Print metrics for the textfile collector of Prometheus' node_exporter
    #[arg(long)]
    pub(crate) prometheus: bool,
    /// The file to replace atomically, instead of standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// Prints the numbers of a queue. Root stays root: the directory of the collector is another user's than the queue.
pub(crate) fn run(queue: &Location, arguments: &Arguments) -> Result<Sysexit, Failure> {
    let statistics = Statistics::read(&open_queue::open_as_caller(queue)?, queue)?;
    let text = if arguments.prometheus { prometheus::text(queue, &statistics) } else { text(&statistics) };
    match &arguments.output {
        Some(output) => output_file::replace(output, text.as_bytes())?,
        None => print(|output| output.write_all(text.as_bytes()))?,
    }
    Ok(Sysexit::Ok)
}

fn text(statistics: &Statistics) -> String {
    let Statistics { ready, held, quarantined, temporary_files, foreign_files, needs_recovery } = statistics;
    let items = [("ready", ready), ("held", held), ("quarantined", quarantined)].map(|(name, items)| line(name, items));
    let files = format!("temporary files: {temporary_files}; files that are not the queue's: {foreign_files}\n");
    let closed = if *needs_recovery { "changes are refused until `queue-store recover`\n" } else { "" };
    [items.concat().as_str(), files.as_str(), closed].concat()
}

fn line(name: &str, items: &Items) -> String {
    let Items { count, bytes, damaged, pending_deliveries, failed_deliveries, oldest } = items;
    let oldest = oldest.map(|seconds| format!(", oldest {}", time(Timestamp { seconds, nanos: 0 })));
    let deliveries = format!("deliveries: {pending_deliveries} pending, {failed_deliveries} failed");
    format!("{name}: {count}, {damaged} damaged, {bytes} bytes; {deliveries}{}\n", oldest.unwrap_or_default())
}
