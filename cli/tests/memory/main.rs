//! Memory of the command: a large body passes through it without being held, and so do the envelopes of many items.
//!
//! A test executable of its own, since the resident memory of a child is counted from that of its parent at the start.

#![forbid(unsafe_code)]

mod database;
mod directory;
mod measured;
#[path = "../command/trial.rs"]
mod trial;

use libtest_mimic::Arguments;
use std::process::ExitCode;

fn main() -> ExitCode {
    let trials = directory::trials().into_iter().chain(database::trials()).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
