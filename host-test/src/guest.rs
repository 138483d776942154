//! Components that only tests need, built for `wasm32-wasip2`: the guests in `guests/`, and others.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

/// The component of a guest.
///
/// # Panics
///
/// If it does not build.
pub fn component(name: &str) -> Vec<u8> {
    let package = format!("queue-store-guest-{name}");
    build(&package, &[], &format!("{}.wasm", package.replace('-', "_")), "component")
}

/// A component of the workspace, built with these options of cargo in a directory below the one of all builds.
///
/// # Panics
///
/// If it does not build.
pub fn build(package: &str, options: &[&str], file: &str, directory: &str) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let directory = crate::requirement::target_directory().join(directory);
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root).args(["build", "--release", "--quiet", "--target", "wasm32-wasip2", "--package", package]);
    // Flags are meant for the machine that cargo builds for, and would replace those of components.
    cargo.args(options).arg("--target-dir").arg(&directory);
    cargo.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    assert!(cargo.status().expect("cargo runs").success(), "{package} does not build");
    fs::read(directory.join("wasm32-wasip2/release").join(file)).expect("cargo built it")
}
