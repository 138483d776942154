//! The built component under other hosts: Python and Node.js by the scripts in `interop/`, the command `wasmtime` by
//! what `docs/embedding.md` says; Python's `protobuf` on what the component writes, and the conformance suite of protobuf
//! on what it reads.
//!
//! `interop/install` installs what this needs. Without it the tests are shown as ignored, with what is missing.

mod conformance;
mod documentation;
mod exchange;
mod protobuf;
mod scripts;

use libtest_mimic::Arguments;
use std::process::ExitCode;
use std::sync::Arc;

fn main() -> ExitCode {
    let workshop = Arc::new(scripts::Workshop::default());
    let mut trials = scripts::trials(&workshop);
    trials.extend(exchange::trials(&workshop));
    trials.extend(protobuf::trials(&workshop));
    trials.extend(conformance::trials());
    trials.extend(documentation::trials(&workshop));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
