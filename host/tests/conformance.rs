//! The table of `hosts/conformance`, run with queues in directories.

use libtest_mimic::{Arguments, Trial};
use queue_store_host::{Error, Host, Queue};
use queue_store_host_test::conformance::{Kind, run_table};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let kind = Kind { name: "rust", open, has_files: true };
    let trial = Trial::test("every_row_of_the_table_has_its_results", move || run_table(kind));
    libtest_mimic::run(&Arguments::from_args(), vec![trial]).exit_code()
}

fn open(directory: &Path, arguments: &Value) -> Result<Queue, Error> {
    let path = match arguments["path"].as_str() {
        Some("") => PathBuf::new(),
        path => directory.join(path.unwrap_or("queue")),
    };
    let host = Host::shared()?;
    if arguments["create"] == json!(false) { host.open(path) } else { host.create(path) }
}
