//! Builds the command `queue-store`, whose start is measured.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Builds the command with cargo, in the target directory and profile of this program; `None` if that fails.
pub(crate) fn build() -> Option<PathBuf> {
    let directory = env::current_exe().ok()?.parent()?.to_path_buf();
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Building both packages together selects the dependency features that this program was built with, so that cargo
    // compiles no dependency again.
    cargo.args(["build", "--quiet", "--package", "queue-store-cli", "--package", "queue-store-bench"]);
    // This program, which runs itself anew later, must not be replaced.
    cargo.args(["--bin", "queue-store"]);
    cargo.args(["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"), "--target-dir"]);
    cargo.arg(directory.parent()?);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    let built = cargo.stdin(Stdio::null()).status().is_ok_and(|status| status.success());
    built.then(|| directory.join("queue-store"))
}
