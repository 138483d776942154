//! What a run found: rows of the tables, and points of the plots.

use crate::measure::{Samples, Spread};
use serde::{Deserialize, Serialize};

/// What was measured, of what, and whether that is as it must be.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    /// The benchmark that it is of.
    pub(crate) benchmark: String,
    /// What was measured.
    pub(crate) what: String,
    /// The unit of `value` and of `there`.
    pub(crate) unit: String,
    pub(crate) value: Spread,
    /// Beside what it was measured.
    pub(crate) against: Option<String>,
    /// The value of that.
    pub(crate) there: Option<Spread>,
    /// The value divided by that, round by round.
    pub(crate) ratio: Option<Spread>,
    pub(crate) bound: Option<Bound>,
    /// Whether the bound holds.
    pub(crate) holds: Option<bool>,
}

/// What is promised.
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
    /// A value on its own.
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

    /// What an operation takes, beside what another one does.
    pub(crate) fn times(what: impl Into<String>, of: &Samples, against: &str, other: &Samples) -> Row {
        let row = Row::alone(what, "µs", of.microseconds());
        row.beside(against, other.microseconds(), of.over(other))
    }

    /// How fast bytes are processed, beside how fast another one does it.
    pub(crate) fn speeds(what: impl Into<String>, bytes: usize, of: &Samples, against: &str, other: &Samples) -> Row {
        let row = Row::alone(what, "GB/s", of.gigabytes_per_second(bytes));
        // Times and speeds are inverse to each other.
        row.beside(against, other.gigabytes_per_second(bytes), other.over(of))
    }

    /// Beside another value.
    pub(crate) fn beside(self, against: &str, there: Spread, ratio: Spread) -> Row {
        Row { against: Some(against.to_string()), there: Some(there), ratio: Some(ratio), ..self }
    }

    /// With what is promised.
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
    /// The line that it is of.
    pub(crate) line: String,
    pub(crate) x: f64,
    pub(crate) y: Spread,
}

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Plot {
    /// What a durable put takes, over the size of the body.
    PutLatency,
    /// Bytes that are put durably a second, over the size of the body.
    PutThroughput,
    /// How fast mail text is encoded, over its size.
    EncodeThroughput,
    /// How fast mail text is decoded, over its size.
    DecodeThroughput,
    /// What an item costs a listing, over the items of the queue.
    ListItems,
    /// What a call costs, over the items of the queue.
    CallItems,
    /// Durable puts a second, over threads.
    Threads,
    /// Memory of the guest, over the size of the body.
    Memory,
    /// What a durable put takes in each store, over the size of the body.
    Stores,
}

/// A run.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Report {
    /// How large the run was, and where, in words.
    pub(crate) setting: Vec<(String, String)>,
    pub(crate) rows: Vec<Row>,
    pub(crate) points: Vec<Point>,
    /// What could not be measured as it should be, and why.
    pub(crate) notes: Vec<String>,
    #[serde(skip)]
    benchmark: &'static str,
}

impl Report {
    /// What is added from here on is of this benchmark.
    pub(crate) fn begin(&mut self, benchmark: &'static str) {
        self.benchmark = benchmark;
    }

    pub(crate) fn row(&mut self, row: Row) {
        let verdict = match row.holds {
            Some(false) => "  MISSED",
            _ => "",
        };
        let ratio = row.ratio.map(|ratio| format!(", ratio {:.2}", ratio.median)).unwrap_or_default();
        eprintln!("  {}: {:.2} {}{ratio}{verdict}", row.what, row.value.median, row.unit);
        self.rows.push(Row { benchmark: self.benchmark.to_string(), ..row });
    }

    pub(crate) fn point(&mut self, plot: Plot, line: &str, x: f64, y: Spread) {
        self.points.push(Point { plot, line: line.to_string(), x, y });
    }

    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// How many bounds there are, and the rows of those that do not hold.
    pub(crate) fn verdict(&self) -> (usize, Vec<&Row>) {
        let bounded = self.rows.iter().filter(|row| row.holds.is_some());
        (bounded.clone().count(), bounded.filter(|row| row.holds == Some(false)).collect())
    }
}
