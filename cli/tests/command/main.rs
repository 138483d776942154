//! The command as its users run it: its output, its exit codes, and the files that it leaves.
//!
//! A test whose requirements are not met is shown as ignored; `QUEUE_STORE_REQUIRE_ALL=1` makes it fail.

#![forbid(unsafe_code)]

mod mounts;
mod process;
mod queue;
mod strace;
mod trial;

mod chasquid;
mod concurrency;
mod descriptors;
mod exit_codes;
mod export;
mod import;
mod interruptions;
mod kill;
mod output;
mod plugin;
mod privileges;
mod readme;
mod round_trip;
mod system_calls;

use libtest_mimic::Arguments;
use std::process::ExitCode;

fn main() -> ExitCode {
    let trials = [
        chasquid::trials(),
        concurrency::trials(),
        descriptors::trials(),
        exit_codes::trials(),
        export::trials(),
        import::trials(),
        interruptions::trials(),
        kill::trials(),
        output::trials(),
        plugin::trials(),
        privileges::trials(),
        readme::trials(),
        round_trip::trials(),
        system_calls::trials(),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials.into_iter().flatten().collect()).exit_code()
}
