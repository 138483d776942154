//! The built component under other hosts: Python and Node.js by the scripts in `interop/`, the command `wasmtime` by
//! what `docs/embedding.md` says, and Python's `protobuf` on what the component writes.
//!
//! `interop/install` installs what this needs. Without it the tests are shown as ignored, with what is missing.

mod documentation;
mod exchange;
mod protobuf;
mod scripts;

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use queue_store_host_test::requirement::{self, Requirement};
use std::process::ExitCode;
use std::sync::Arc;

fn main() -> ExitCode {
    let workshop = Arc::new(scripts::Workshop::default());
    let mut trials = scripts::trials(&workshop);
    trials.extend(exchange::trials(&workshop));
    trials.extend(protobuf::trials(&workshop));
    trials.extend(documentation::trials(&workshop));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A test that is ignored, or fails if everything is required, where something is missing.
fn trial<F>(name: String, needs: Vec<Requirement>, test: F) -> Trial
where
    F: FnOnce() -> Result<(), Failed> + Send + 'static,
{
    Trial::ignorable_test(name, move || match requirement::missing(&needs) {
        None => test().map(|()| Completion::Completed),
        // The command takes ten minutes to build, and what it shows is shown by the other hosts as well.
        Some(missing) if requirement::require_all() && !needs.contains(&Requirement::WasmtimeCli) => {
            Err(format!("missing: {missing}").into())
        }
        Some(missing) => Ok(Completion::ignored_with(format!("missing: {missing}"))),
    })
}
