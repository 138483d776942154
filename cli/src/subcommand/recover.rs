//! `recover`: makes the state of the queue definite.

use crate::failure::{Failure, Failures};
use crate::json;
use crate::options::duration;
use crate::output::{print_json, print_line};
use crate::queue_directory;
use clap::Args;
use queue_store_host::Error;
use queue_store_host::types::{self, Recovery};
use std::path::Path;
use std::time::Duration;
use sysexits::ExitCode as Sysexit;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Remove temporary files that are at least this old; 0 only if no other process writes
    #[arg(long, value_name = "DURATION", default_value = "36h", value_parser = duration)]
    pub(crate) grace: Duration,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Makes the state of the queue definite, and prints the report.
pub(crate) fn run(queue: &Path, arguments: &Arguments) -> Result<Sysexit, Failure> {
    let queue = queue_directory::open(queue)?;
    let recovery = queue.recover(arguments.grace)?;
    if arguments.json {
        print_json(&json::recovery(&recovery))?;
    } else {
        print_line(&summary(&recovery))?;
    }
    let mut failures = Failures::none();
    operations_before_damage(recovery.problems).iter().for_each(|problem| failures.report(problem));
    Ok(failures.code())
}

/// Returns the problems of a recovery, operations that failed before damaged items: the first problem decides the exit
/// code, and after an operation that failed the queue may be indefinite.
fn operations_before_damage(problems: Vec<types::Error>) -> Vec<Failure> {
    let mut problems: Vec<Failure> = problems.into_iter().map(|problem| Error::from(problem).into()).collect();
    problems.sort_by_key(|problem| problem.code() == Sysexit::DataErr);
    problems
}

fn summary(recovery: &Recovery) -> String {
    let Recovery { durable_items, damaged_items, temporary_removed, temporary_kept, rewritten, .. } = recovery;
    format!(
        "{durable_items} items are durable, {damaged_items} are damaged, {rewritten} were rewritten; \
         {temporary_removed} temporary files were removed, {temporary_kept} were kept"
    )
}

#[cfg(test)]
mod tests {
    use super::{Sysexit, operations_before_damage, types};
    use queue_store_host::types::ErrorCode;

    #[test]
    fn failed_operations_precede_damaged_items() {
        let problem = |code, path: &str| types::Error {
            code,
            operation: String::new(),
            path: path.to_string(),
            detail: String::new(),
            position: None,
        };
        let problems = vec![
            problem(ErrorCode::Corrupt, "q/m:a"),
            problem(ErrorCode::Io, "q/m:b"),
            problem(ErrorCode::IdMismatch, "q/m:c"),
            problem(ErrorCode::Access, "q/.m:d"),
        ];
        let codes: Vec<Sysexit> = operations_before_damage(problems).iter().map(super::Failure::code).collect();
        assert_eq!(codes, [Sysexit::IoErr, Sysexit::NoPerm, Sysexit::DataErr, Sysexit::DataErr]);
    }
}
