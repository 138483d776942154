//! The built component under other hosts: Python and Node.js by the scripts in `interop/`, the command `wasmtime` by the
//! commands in `docs/hosts/component-hosts.md` and as an HTTP server; Python's `protobuf` on the items that the component
//! writes, and the conformance suite of protobuf on the items that it reads.
//!
//! `interop/install` installs the requirements. Without them the tests are shown as ignored, with the missing ones.

mod conformance;
mod documentation;
mod exchange;
mod http_endpoint;
mod protobuf;
mod scripts;

use libtest_mimic::Arguments;
use std::process::ExitCode;
use std::sync::Arc;

fn main() -> ExitCode {
    let workshop = Arc::new(scripts::Workshop::default());
    let mut trials = scripts::trials(&workshop);
    trials.extend(exchange::trials(&workshop));
    trials.extend(http_endpoint::trials());
    trials.extend(protobuf::trials(&workshop));
    trials.extend(conformance::trials());
    trials.extend(documentation::trials(&workshop));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
