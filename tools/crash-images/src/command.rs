//! Builds the shipping command with the profile of this program.

use crate::error::{Error, run};
use serde::Deserialize;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The fields used of a JSON message of `cargo build`.
#[derive(Deserialize)]
struct BuildMessage {
    executable: Option<PathBuf>,
}

/// Returns the path in the environment variable `QUEUE_STORE_COMMAND`, or else builds the command with the profile of
/// this program and returns its path.
///
/// # Errors
///
/// Fails if cargo cannot build the command.
pub fn build() -> Result<PathBuf, Error> {
    if let Some(command) = env::var_os("QUEUE_STORE_COMMAND") {
        return Ok(PathBuf::from(command));
    }
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
    cargo.args(["build", "--quiet", "--bin", "queue-store", "--message-format=json"]);
    // Selects the packages that this program was built with, so that cargo unifies the features of the dependencies in
    // the same way and reuses their artifacts: all packages of the workspace in tests, this package alone in a release.
    if cfg!(debug_assertions) {
        cargo.arg("--workspace");
    } else {
        cargo.args(["--release", "--package", "queue-store-cli", "--package", env!("CARGO_PKG_NAME")]);
    }
    let messages = run(&mut cargo)?;
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<BuildMessage>(line).ok());
    messages.filter_map(|message| message.executable).next_back().ok_or_else(|| Error::Program {
        program: "cargo".to_string(),
        reason: "its messages name no executable".to_string(),
    })
}

/// Returns cargo's target directory, in which the logs with unexpected violations are kept.
pub fn target_directory() -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    env::var_os("CARGO_TARGET_DIR").map_or_else(default, PathBuf::from)
}
