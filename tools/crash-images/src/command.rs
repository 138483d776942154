//! The shipping command, built like this program.

use crate::error::{Error, run};
use serde::Deserialize;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What cargo says of what it built, as far as it is needed.
#[derive(Deserialize)]
struct Built {
    executable: Option<PathBuf>,
}

/// The command: what the environment variable `QUEUE_STORE_COMMAND` names, or else one that is built with the profile of this
/// program.
///
/// # Errors
///
/// If it does not build.
pub fn build() -> Result<PathBuf, Error> {
    if let Some(command) = env::var_os("QUEUE_STORE_COMMAND") {
        return Ok(PathBuf::from(command));
    }
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
    cargo.args(["build", "--quiet", "--bin", "queue-store", "--message-format=json"]);
    // With the packages that this program is built with, the command shares the features of its dependencies, and what is
    // built of them already: those of the whole workspace in tests, this one alone when it is run.
    if cfg!(debug_assertions) {
        cargo.arg("--workspace");
    } else {
        cargo.args(["--release", "--package", "queue-store-cli", "--package", env!("CARGO_PKG_NAME")]);
    }
    let messages = run(&mut cargo)?;
    let built = messages.lines().filter_map(|line| serde_json::from_str::<Built>(line).ok());
    built.filter_map(|built| built.executable).next_back().ok_or_else(|| Error::Program {
        program: "cargo".to_string(),
        why: "it did not say where the command is".to_string(),
    })
}

/// Where cargo builds; logs of broken images are put beside that.
pub fn target_directory() -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    env::var_os("CARGO_TARGET_DIR").map_or_else(default, PathBuf::from)
}
