//! The text format of Prometheus, version 0.0.4.

use crate::location::Location;
use crate::statistics::{Items, Statistics};

/// Returns the numbers of a queue as metrics. The queue is a label, since several may be on one machine.
pub(super) fn text(queue: &Location, statistics: &Statistics) -> String {
    let Statistics { ready, held, quarantined, temporary_files, foreign_files, needs_recovery } = statistics;
    let states = [("ready", ready), ("held", held), ("quarantined", quarantined)];
    let mut metrics = Metrics { queue: label_value(&queue.to_string()), text: String::new() };
    let mut by_state = |name: &str, help: &str, number: fn(&Items) -> Option<i128>| {
        let samples = states.iter().filter_map(|(state, items)| Some((Some(*state), number(items)?)));
        metrics.gauge(name, help, samples);
    };
    by_state("items", "Items.", |items| Some(items.count.into()));
    by_state("damaged_items", "Items that are damaged.", |items| Some(items.damaged.into()));
    by_state("size_bytes", "Bytes of the files of the intact items.", |items| Some(items.bytes.into()));
    by_state("pending_deliveries", "Deliveries that are still to be made.", |items| {
        Some(items.pending_deliveries.into())
    });
    by_state("failed_deliveries", "Deliveries that were given up.", |items| Some(items.failed_deliveries.into()));
    let help = "Time at which the oldest intact item was accepted, in seconds since 1970.";
    by_state("oldest_item_timestamp_seconds", help, |items| items.oldest.map(i128::from));
    let mut of_queue = |name: &str, help: &str, number: i128| metrics.gauge(name, help, [(None, number)].into_iter());
    of_queue(
        "temporary_files",
        "Files that are being written, or were when their process ended.",
        (*temporary_files).into(),
    );
    of_queue("foreign_files", "Files that are not the queue's.", (*foreign_files).into());
    of_queue("needs_recovery", "Whether changes are refused until a recovery.", (*needs_recovery).into());
    metrics.text
}

/// Metrics of a queue as text.
struct Metrics {
    queue: String,
    text: String,
}

impl Metrics {
    /// Adds a gauge with its samples, each with its state if it has one.
    fn gauge<'a>(&mut self, name: &str, help: &str, samples: impl Iterator<Item = (Option<&'a str>, i128)>) {
        let queue = &self.queue;
        self.text.push_str(&format!("# HELP queue_store_{name} {help}\n# TYPE queue_store_{name} gauge\n"));
        for (state, number) in samples {
            let state = state.map(|state| format!(",state=\"{state}\"")).unwrap_or_default();
            self.text.push_str(&format!("queue_store_{name}{{queue=\"{queue}\"{state}}} {number}\n"));
        }
    }
}

/// Escapes the value of a label.
fn label_value(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', r#"\""#).replace('\n', r"\n")
}
