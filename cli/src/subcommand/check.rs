//! `check`: a check for monitoring, by the conventions of Nagios plugins.

use crate::database;
use crate::display::counted;
use crate::escape::escape;
use crate::failure::{Cause, Failure};
use crate::location::Location;
use crate::open_queue;
use crate::options;
use crate::output::print_line;
use crate::statistics::Statistics;
use clap::Args;
use indicatif::HumanDuration;
use std::time::Duration;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Warn above this number of ready items
    #[arg(long, value_name = "N")]
    pub(crate) warn_count: Option<u64>,
    /// Critical above this number of ready items
    #[arg(long, value_name = "N")]
    pub(crate) crit_count: Option<u64>,
    /// Warn if the oldest ready item is older, such as 90s, 1h30m or 2d
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = options::duration)]
    pub(crate) warn_age: Option<Duration>,
    /// Critical if the oldest ready item is older
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = options::duration)]
    pub(crate) crit_age: Option<Duration>,
    /// Warn above this number of damaged items that are ready or held
    #[arg(long, value_name = "N")]
    pub(crate) warn_damaged: Option<u64>,
    /// Critical above this number of damaged items that are ready or held
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) crit_damaged: u64,
}

/// The result of a check. Its number is the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    Ok = 0,
    Warning = 1,
    Critical = 2,
    Unknown = 3,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Status::Ok => "OK",
            Status::Warning => "WARNING",
            Status::Critical => "CRITICAL",
            Status::Unknown => "UNKNOWN",
        }
    }
}

/// A number and its thresholds.
struct Metric {
    label: &'static str,
    value: u64,
    unit: &'static str,
    warning: Option<u64>,
    critical: Option<u64>,
}

impl Metric {
    fn status(&self) -> Status {
        let exceeds = |threshold: Option<u64>| threshold.is_some_and(|threshold| self.value > threshold);
        if exceeds(self.critical) {
            Status::Critical
        } else if exceeds(self.warning) {
            Status::Warning
        } else {
            Status::Ok
        }
    }

    /// Returns the metric as performance data.
    fn data(&self) -> String {
        let threshold = |threshold: Option<u64>| threshold.map(|number| number.to_string()).unwrap_or_default();
        let (warning, critical) = (threshold(self.warning), threshold(self.critical));
        format!("{}={}{};{warning};{critical};0", self.label, self.value, self.unit)
    }
}

/// Checks a queue, and prints one line.
pub(crate) fn run(queue: &Location, arguments: &Arguments) -> Result<Status, Failure> {
    arguments.check_thresholds()?;
    if let Location::Database(url) = queue
        && let Err(error) = database::check_commit(url)
    {
        let failure = Failure::of_database(error).at(&queue.to_string());
        print(Status::Critical, &escape(&format!("nothing can be queued: {failure}")))?;
        return Ok(Status::Critical);
    }
    let statistics = Statistics::read(&open_queue::open(queue)?, queue)?;
    let (status, line) = if statistics.foreign_files > 0 && statistics.items() == 0 {
        let files = counted(statistics.foreign_files, "file is not an item", "files are not items");
        (Status::Unknown, format!("the directory has no item, and {files}: is it the queue?"))
    } else {
        assess(&statistics, arguments)
    };
    print(status, &line)?;
    Ok(status)
}

/// Prints the failure of a check where Nagios reads it. Whatever fails, its callers know four exit codes alone.
pub(crate) fn report_unknown(failure: &Failure) -> Status {
    // The run time opens /dev/null where standard output is closed.
    let is_closed = matches!(failure.cause(), Cause::StdoutClosed);
    if is_closed || print(Status::Unknown, &escape(&failure.to_string())).is_err() {
        failure.print();
    }
    Status::Unknown
}

fn print(status: Status, line: &str) -> Result<(), Cause> {
    print_line(&format!("QUEUE {} - {line}", status.name()))
}

impl Arguments {
    /// Refuses a warning that is above the critical number, since it would never be given.
    fn check_thresholds(&self) -> Result<(), Cause> {
        let is_above = |warning: Option<u64>, critical: Option<u64>| warning > critical && critical.is_some();
        let seconds = |age: Option<Duration>| age.map(|age| age.as_secs());
        let thresholds = [
            ("count", self.warn_count, self.crit_count),
            ("age", seconds(self.warn_age), seconds(self.crit_age)),
            ("damaged", self.warn_damaged, Some(self.crit_damaged)),
        ];
        match thresholds.into_iter().find(|(_, warning, critical)| is_above(*warning, *critical)) {
            Some((name, ..)) => Err(Cause::WarningAboveCritical(name)),
            None => Ok(()),
        }
    }
}

/// Compares the numbers of a queue with the thresholds, and describes them.
fn assess(statistics: &Statistics, arguments: &Arguments) -> (Status, String) {
    let age = statistics.oldest_age();
    let seconds = |duration: Option<Duration>| duration.map(|duration| duration.as_secs());
    let metric = |label, value, warning, critical| Metric { label, value, unit: "", warning, critical };
    let metrics = [
        metric("ready", statistics.ready.count, arguments.warn_count, arguments.crit_count),
        Metric {
            unit: "s",
            ..metric("oldest", seconds(age).unwrap_or(0), seconds(arguments.warn_age), seconds(arguments.crit_age))
        },
        metric("damaged", statistics.damaged(), arguments.warn_damaged, Some(arguments.crit_damaged)),
        metric("held", statistics.held.count, None, None),
        metric("quarantined", statistics.quarantined.count, None, None),
    ];
    let closed = if statistics.needs_recovery { Status::Critical } else { Status::Ok };
    let status = metrics.iter().map(Metric::status).fold(closed, Status::max);
    let oldest = age.map(|age| format!(", the oldest for {}", HumanDuration(age))).unwrap_or_default();
    let recover = if statistics.needs_recovery { ", refuses changes until `queue-store recover`" } else { "" };
    let data: Vec<String> = metrics.iter().map(Metric::data).collect();
    let line = format!(
        "{} ready{oldest}, {} damaged, {} held, {} quarantined{recover} | {}",
        statistics.ready.count,
        statistics.damaged(),
        statistics.held.count,
        statistics.quarantined.count,
        data.join(" ")
    );
    (status, line)
}
