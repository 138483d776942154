//! Tests with the real PostgreSQL: a primary and two standbys.

mod contract;
mod faults;
mod group_commit;
mod plugins;
mod replication;
mod support;

use libtest_mimic::{Arguments, Trial};
use queue_store_host_test::requirement::{Requirement, trial};
use std::process::ExitCode;

fn main() -> ExitCode {
    let tests =
        [contract::tests(), faults::tests(), group_commit::tests(), plugins::tests(), replication::tests()].concat();
    let trials: Vec<Trial> = tests
        .into_iter()
        .map(|(name, test)| {
            trial(name.to_string(), vec![Requirement::Postgres], move || {
                test();
                Ok(())
            })
        })
        .collect();
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials);
    support::end();
    faults::end();
    conclusion.exit_code()
}
