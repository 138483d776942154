//! Components that only tests need, built for `wasm32-wasip2`: the guests in `guests/`, and others.

use std::path::Path;
use std::process::Command;
use std::{env, fs};
use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions, plug};

/// Builds a guest and returns its component.
///
/// # Panics
///
/// If it does not build.
pub fn component(name: &str) -> Vec<u8> {
    let package = format!("queue-store-guest-{name}");
    build(&package, &[], &format!("{}.wasm", package.replace('-', "_")), "component")
}

/// Composes a plugin with other components, as `wac plug PLUGIN --plug OTHER ...` does.
///
/// # Panics
///
/// If the others export nothing that the plugin imports.
pub fn compose(plugin: &[u8], plugs: &[(&str, &[u8])]) -> Vec<u8> {
    let mut graph = CompositionGraph::new();
    let mut register = |name: &str, bytes: &[u8]| {
        let package = Package::from_bytes(name, None, bytes, graph.types_mut()).expect("the bytes are a component");
        graph.register_package(package).expect("the name is used once")
    };
    let plugs = plugs.iter().map(|(name, bytes)| register(name, bytes)).collect();
    let plugin = register("guest:plugin", plugin);
    plug(&mut graph, plugs, plugin).expect("the others export what the plugin imports");
    graph.encode(EncodeOptions::default()).expect("the composition is valid")
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
