//! The command `queue-store`, whose start is measured.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Has cargo build the command where it built this program, with the same settings; none if that fails.
pub(crate) fn build() -> Option<PathBuf> {
    let directory = env::current_exe().ok()?.parent()?.to_path_buf();
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Named together, the two packages have the features of dependencies that this program was built with.
    cargo.args(["build", "--quiet", "--package", "queue-store-cli", "--package", "queue-store-bench", "--bins"]);
    cargo.args(["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"), "--target-dir"]);
    cargo.arg(directory.parent()?);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    let built = cargo.stdin(Stdio::null()).status().is_ok_and(|status| status.success());
    built.then(|| directory.join("queue-store"))
}
