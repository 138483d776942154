//! The guests in `guests/`, built for `wasm32-wasip2`.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

/// The component of a guest.
///
/// # Panics
///
/// If it does not build.
pub fn component(name: &str) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let directory = crate::requirement::target_directory().join("component");
    let package = format!("queue-store-guest-{name}");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root).args(["build", "--release", "--quiet", "--target", "wasm32-wasip2", "--package", &package]);
    // Flags are meant for the machine that cargo builds for, and would replace those of components.
    cargo.arg("--target-dir").arg(&directory).env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    assert!(cargo.status().expect("cargo runs").success(), "the guest {name} does not build");
    let file = format!("{}.wasm", package.replace('-', "_"));
    fs::read(directory.join("wasm32-wasip2/release").join(file)).expect("cargo built it")
}
