//! The results of a run: rows of the tables, and points of the plots.

use crate::measure::{Samples, Spread};
use serde::{Deserialize, Serialize};

/// A measured value, the value it is compared with, and its bound.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    /// The name of the benchmark.
    pub(crate) benchmark: String,
    /// The measurement.
    pub(crate) what: String,
    /// The unit of `value` and of `there`.
    pub(crate) unit: String,
    pub(crate) value: Spread,
    /// The alternative that the value is compared with.
    pub(crate) against: Option<String>,
    /// The value of the alternative.
    pub(crate) there: Option<Spread>,
    /// The ratio of the two, round by round.
    pub(crate) ratio: Option<Spread>,
    pub(crate) bound: Option<Bound>,
    /// Whether `bound` holds.
    pub(crate) holds: Option<bool>,
}

/// A target that the project sets itself.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum Bound {
    /// The ratio is at most this.
    RatioAtMost(f64),
    /// The ratio is at least this.
    RatioAtLeast(f64),
    /// The value is at most this.
    AtMost(f64),
    /// The value is at least this.
    AtLeast(f64),
}

impl Row {
    /// Creates a row without a comparison.
    pub(crate) fn alone(what: impl Into<String>, unit: &str, value: Spread) -> Row {
        Row {
            benchmark: String::new(),
            what: what.into(),
            unit: unit.to_string(),
            value,
            against: None,
            there: None,
            ratio: None,
            bound: None,
            holds: None,
        }
    }

    /// Compares the times of two operations.
    pub(crate) fn times(what: impl Into<String>, of: &Samples, against: &str, other: &Samples) -> Row {
        let row = Row::alone(what, "µs", of.microseconds());
        row.compared_with(against, other.microseconds(), of.over(other))
    }

    /// Compares the throughputs of two operations on `bytes` bytes.
    pub(crate) fn speeds(what: impl Into<String>, bytes: usize, of: &Samples, against: &str, other: &Samples) -> Row {
        let row = Row::alone(what, "GB/s", of.gigabytes_per_second(bytes));
        // The ratio of throughputs is the inverse of the ratio of times.
        row.compared_with(against, other.gigabytes_per_second(bytes), other.over(of))
    }

    /// Adds the value of an alternative.
    pub(crate) fn compared_with(self, against: &str, there: Spread, ratio: Spread) -> Row {
        Row { against: Some(against.to_string()), there: Some(there), ratio: Some(ratio), ..self }
    }

    /// Adds a bound, and whether it holds for the medians.
    pub(crate) fn bound(self, bound: Bound) -> Row {
        let ratio = self.ratio.map(|ratio| ratio.median);
        let holds = match bound {
            Bound::RatioAtMost(most) => ratio.is_some_and(|ratio| ratio <= most),
            Bound::RatioAtLeast(least) => ratio.is_some_and(|ratio| ratio >= least),
            Bound::AtMost(most) => self.value.median <= most,
            Bound::AtLeast(least) => self.value.median >= least,
        };
        Row { bound: Some(bound), holds: Some(holds), ..self }
    }
}

/// A point of a plot.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Point {
    pub(crate) plot: Plot,
    /// The label of the line.
    pub(crate) line: String,
    pub(crate) x: f64,
    pub(crate) y: Spread,
}

/// The plots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Plot {
    /// Time of a durable put, over the size of the body.
    PutLatency,
    /// Bytes of durable puts a second, over the size of the body.
    PutThroughput,
    /// Throughput of encoding mail text, over its size.
    EncodeThroughput,
    /// Throughput of decoding mail text, over its size.
    DecodeThroughput,
    /// Time of a listing for each item, over the items of the queue.
    ListItems,
    /// Time of a call, over the items of the queue.
    CallItems,
    /// Durable puts a second, over threads.
    Threads,
    /// Linear memory of the component, over the size of the body.
    Memory,
    /// Time of a durable put into each store, over the size of the body.
    Stores,
}

/// The results of a run.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Report {
    /// The machine and the size of the run, as names and values.
    pub(crate) setting: Vec<(String, String)>,
    pub(crate) rows: Vec<Row>,
    pub(crate) points: Vec<Point>,
    /// Measurements that were skipped or changed, with the reason.
    pub(crate) notes: Vec<String>,
    #[serde(skip)]
    benchmark: &'static str,
}

impl Report {
    /// Assigns the rows that follow to `benchmark`.
    pub(crate) fn begin(&mut self, benchmark: &'static str) {
        self.benchmark = benchmark;
    }

    pub(crate) fn row(&mut self, row: Row) {
        let missed = if row.holds == Some(false) { "  MISSED" } else { "" };
        let ratio = row.ratio.map(|ratio| format!(", ratio {:.2}", ratio.median)).unwrap_or_default();
        eprintln!("  {}: {:.2} {}{ratio}{missed}", row.what, row.value.median, row.unit);
        self.rows.push(Row { benchmark: self.benchmark.to_string(), ..row });
    }

    pub(crate) fn point(&mut self, plot: Plot, line: &str, x: f64, y: Spread) {
        self.points.push(Point { plot, line: line.to_string(), x, y });
    }

    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Counts the bounds that hold, and all bounds.
    pub(crate) fn bounds_held(&self) -> (usize, usize) {
        let bounded = || self.rows.iter().filter_map(|row| row.holds);
        (bounded().filter(|holds| *holds).count(), bounded().count())
    }
}
