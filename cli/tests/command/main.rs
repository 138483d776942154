//! The command as its users run it: its output, its exit codes, and the files that it leaves.
//!
//! A test whose requirements are not met is shown as ignored; `QUEUE_STORE_REQUIRE_ALL=1` makes it fail.

#![forbid(unsafe_code)]

mod aged;
mod mounts;
mod process;
mod queue;
mod strace;
mod terminal;
mod trial;

mod bulk;
mod change_log;
mod chasquid;
mod concurrency;
mod copy;
mod damaged;
mod database;
mod descriptors;
mod edit;
mod exit_codes;
mod export;
mod gates;
mod import;
mod installation;
mod interruptions;
mod kill;
mod monitoring;
mod operator_plugin;
mod output;
mod plugin;
mod privileges;
mod readme;
mod release;
mod resolve;
mod round_trip;
mod selection;
mod session;
mod summary;
mod system_calls;

use libtest_mimic::Arguments;
use std::process::ExitCode;

fn main() -> ExitCode {
    let trials = [
        bulk::trials(),
        change_log::trials(),
        chasquid::trials(),
        concurrency::trials(),
        copy::trials(),
        damaged::trials(),
        database::trials(),
        descriptors::trials(),
        edit::trials(),
        exit_codes::trials(),
        export::trials(),
        gates::trials(),
        import::trials(),
        installation::trials(),
        interruptions::trials(),
        kill::trials(),
        monitoring::trials(),
        operator_plugin::trials(),
        output::trials(),
        plugin::trials(),
        privileges::trials(),
        readme::trials(),
        release::trials(),
        resolve::trials(),
        round_trip::trials(),
        selection::trials(),
        session::trials(),
        summary::trials(),
        system_calls::trials(),
    ];
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials.into_iter().flatten().collect());
    database::end();
    conclusion.exit_code()
}
