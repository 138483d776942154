//! `recover`: makes the state of the queue definite.

use crate::change_log;
use crate::damage;
use crate::display;
use crate::failure::{Cause, Failure, Failures};
use crate::invalid_names;
use crate::json;
use crate::location::Location;
use crate::open_queue;
use crate::options::{Daemon, duration};
use crate::output::{print_json, print_line};
use crate::progress;
use clap::Args;
use queue_store_host::Error;
use queue_store_host::types::{self, Recovery};
use std::collections::HashSet;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;
use sysexits::ExitCode as Sysexit;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Remove temporary files that are at least this old, such as 90s or 36h; 0 only if no other process writes
    #[arg(long, value_name = "DURATION", default_value = "36h", allow_hyphen_values = true, value_parser = duration)]
    pub(crate) grace: Duration,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) daemon: Daemon,
}

/// Makes the state of the queue definite, and prints the report. Damage of an item that is ready or held makes it fail.
pub(crate) fn run(location: &Location, arguments: &Arguments) -> Result<Sysexit, Failure> {
    let queue = open_queue::open_for_change(location, arguments.daemon.while_running)?;
    let counts = queue.count()?;
    let items = display::items(counts.ready + counts.held + counts.quarantined);
    let progress = progress::of_call(format!("recovering {items}"));
    let recovery = queue.recover(arguments.grace).map_err(Failure::from);
    progress.finish_and_clear();
    let recovery = match recovery {
        Ok(recovery) => recovery,
        Err(failure) => return change_log::logged("", Err(failure)),
    };
    let logged = change_log::logged("", Ok(()));
    let invalid_names = location.directory().map_or(Ok(Vec::new()), invalid_names::find)?;
    let in_quarantine = recovery.problems.iter().filter(|problem| is_damage_in_quarantine(problem)).count() as u64;
    if arguments.json {
        print_json(&json::recovery(&recovery, in_quarantine))?;
    } else {
        print_line(&summary(&recovery, in_quarantine))?;
    }
    let failures = Failures::none();
    operations_before_damage(recovery.problems).iter().for_each(|problem| failures.report(problem));
    invalid_names.iter().for_each(|name| failures.report(name));
    if recovery.truncated {
        failures.report(&Cause::MoreProblems.into());
    }
    if let Err(failure) = logged {
        failures.report(&failure);
    }
    Ok(failures.code())
}

/// Returns the problems that are to be remedied, operations that failed before damaged items: the first problem decides
/// the exit code, and after an operation that failed the queue may be indefinite.
fn operations_before_damage(problems: Vec<types::Error>) -> Vec<Failure> {
    let remaining = problems.into_iter().filter(|problem| !is_damage_in_quarantine(problem));
    let mut problems: Vec<Failure> = remaining.map(|problem| Error::from(problem).into()).collect();
    problems.sort_by_key(|problem| problem.code() == Sysexit::DataErr);
    // A damaged directory may repeat a name.
    let mut lines = HashSet::new();
    problems.retain(|problem| lines.insert(problem.to_string()));
    problems
}

/// Returns whether a problem is the damage of an item that is set aside already.
fn is_damage_in_quarantine(problem: &types::Error) -> bool {
    let name = Path::new(&problem.path).file_name().unwrap_or_default();
    let is_quarantined = ["q:", "q=", "d:", "d="].iter().any(|prefix| name.as_bytes().starts_with(prefix.as_bytes()));
    is_quarantined && damage::is_damage(problem)
}

fn summary(recovery: &Recovery, in_quarantine: u64) -> String {
    let Recovery { durable_items, damaged_items, temporary_removed, temporary_kept, rewritten, .. } = recovery;
    let damaged = damaged_items - in_quarantine;
    let aside = if in_quarantine > 0 { format!(", {in_quarantine} damaged in quarantine") } else { String::new() };
    format!(
        "items: {durable_items} durable, {damaged} damaged{aside}, {rewritten} rewritten; temporary files: \
         {temporary_removed} removed, {temporary_kept} kept"
    )
}

#[cfg(test)]
mod tests {
    use super::{Sysexit, operations_before_damage, types};
    use queue_store_host::types::ErrorCode;

    fn codes(problems: &[(ErrorCode, &str)]) -> Vec<Sysexit> {
        let problem = |(code, path): &(ErrorCode, &str)| types::Error {
            code: *code,
            operation: String::new(),
            path: path.to_string(),
            detail: String::new(),
            position: None,
        };
        let problems = problems.iter().map(problem).collect();
        operations_before_damage(problems).iter().map(super::Failure::code).collect()
    }

    #[test]
    fn failed_operations_precede_damaged_items() {
        let problems = [
            (ErrorCode::Corrupt, "q/m:a"),
            (ErrorCode::Io, "q/m:b"),
            (ErrorCode::IdMismatch, "q/m:c"),
            (ErrorCode::Access, "q/.m:d"),
        ];
        assert_eq!(codes(&problems), [Sysexit::IoErr, Sysexit::NoPerm, Sysexit::DataErr, Sysexit::DataErr]);
    }

    #[test]
    fn damage_in_quarantine_and_repeated_names_are_left_out() {
        let problems = [
            (ErrorCode::Corrupt, "q/m:a"),
            (ErrorCode::Corrupt, "q/q:b"),
            (ErrorCode::IdMismatch, "q/d=AAAAAAAAAAA:b"),
            (ErrorCode::Io, "q/q:c"),
            (ErrorCode::Corrupt, "q/m:a"),
        ];
        assert_eq!(codes(&problems), [Sysexit::IoErr, Sysexit::DataErr]);
    }
}
