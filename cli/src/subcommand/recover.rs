//! `recover`: makes the state of the queue definite.

use crate::arguments;
use crate::failure::{Failure, Failures};
use crate::json;
use crate::output::{print_json, print_line};
use crate::queue_directory;
use queue_store_host::Error;
use queue_store_host::types::Recovery;
use std::time::Duration;
use sysexits::ExitCode as Sysexit;

/// Makes the state of the queue definite, and prints the report.
pub(crate) fn run(arguments: &arguments::Recover) -> Result<Sysexit, Failure> {
    let queue = queue_directory::open(&arguments.queue.queue)?;
    let recovery = queue.recover(Duration::from_secs(arguments.grace))?;
    if arguments.json {
        print_json(&json::recovery(&recovery))?;
    } else {
        print_line(&summary(&recovery))?;
    }
    let problems = recovery.problems.into_iter().map(|problem| Failure::from(Error::from(problem)));
    let mut problems: Vec<Failure> = problems.collect();
    // Operations that failed come before damaged items, and so decide the exit code: after them the queue may be
    // indefinite.
    problems.sort_by_key(|problem| problem.code() == Sysexit::DataErr);
    let mut failures = Failures::none();
    problems.iter().for_each(|problem| failures.report(problem));
    Ok(failures.code())
}

fn summary(recovery: &Recovery) -> String {
    let Recovery { durable_items, damaged_items, temporary_removed, temporary_kept, rewritten, .. } = recovery;
    format!(
        "{durable_items} items are durable, {damaged_items} are damaged, {rewritten} were rewritten; \
         {temporary_removed} temporary files were removed, {temporary_kept} were kept"
    )
}
