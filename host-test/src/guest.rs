//! Components that only tests need, built for `wasm32-wasip2`: the guests in `guests/`, and others.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

/// Builds a guest and returns its component.
///
/// # Panics
///
/// If it does not build.
pub fn component(name: &str) -> Vec<u8> {
    let package = format!("queue-store-guest-{name}");
    build(&package, &[], &format!("{}.wasm", package.replace('-', "_")), "component")
}

/// Builds a component of the workspace with these options of cargo, in a directory below the target directory.
///
/// # Panics
///
/// If it does not build.
pub fn build(package: &str, options: &[&str], file: &str, directory: &str) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let directory = crate::requirement::target_directory().join(directory);
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root).args(["build", "--release", "--quiet", "--target", "wasm32-wasip2", "--package", package]);
    // Flags in the environment are meant for the machine that runs the tests, and would replace those of the component.
    cargo.args(options).arg("--target-dir").arg(&directory);
    cargo.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    assert!(cargo.status().expect("cargo can be run").success(), "{package} does not build");
    fs::read(directory.join("wasm32-wasip2/release").join(file)).expect("cargo wrote the component")
}
