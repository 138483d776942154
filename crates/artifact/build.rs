//! Builds the component for `wasm32-wasip2`, or takes the one that the package contains, and compiles it ahead of time.

#[path = "src/engine.rs"]
mod engine;

use engine::AddressSpace::{self, Limited, Unlimited};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use wasm_encoder::{CustomSection, Encode, Section};
use wasmtime::{Engine, OptLevel};

const TARGET: &str = "wasm32-wasip2";

/// The cargo profile of the component, which also names its directory.
const PROFILE: &str = "component";

/// The built component in the package, which has no workspace to build it from.
const PACKAGED: &str = "component/queue_store.wasm";

/// The files of the workspace from which the component is built.
const SOURCES: [&str; 9] = [
    "src",
    "wit",
    "crates/component-rt",
    "crates/contract",
    "crates/mail-address",
    "Cargo.toml",
    "Cargo.lock",
    ".cargo/config.toml",
    "rust-toolchain.toml",
];

/// The package of the component.
const COMPONENT: &str = "queue-store";

/// The custom sections that annotate the component, and the keys of its package with their content. Registries show them
/// as the annotations `org.opencontainers.image.*`.
const ANNOTATIONS: [(&str, &str); 4] =
    [("description", "description"), ("licenses", "license"), ("source", "repository"), ("version", "version")];

/// The custom section of the component that holds the contract.
const CONTRACT_SECTION: &str = "wit";

/// The line that names the package at the beginning of each file of the contract.
const PACKAGE: &str = "package mail:queue@0.1.0;\n";

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("cargo::error={}", error.to_string().replace('\n', " "));
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), Box<dyn Error>> {
    let package = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let packaged = package.join(PACKAGED);
    let component = if packaged.exists() {
        println!("cargo::rerun-if-changed={PACKAGED}");
        fs::read(packaged)?
    } else {
        let workspace = package.join("../..");
        for source in SOURCES {
            println!("cargo::rerun-if-changed={}", workspace.join(source).display());
        }
        install_target()?;
        let linked = fs::read(build_component(&workspace, &out)?)?;
        with_metadata(&linked, &manifest(&workspace)?, &contract(&workspace.join("wit"))?)?
    };
    fs::write(out.join("queue_store.wasm"), &component)?;
    fs::write(out.join("queue_store.sha256"), format!("{:x}", Sha256::digest(&component)))?;
    let precompiled = thread::scope(|scope| {
        let checked = scope.spawn(|| precompile(&component, Limited));
        [
            ("queue_store.cwasm", precompile(&component, Unlimited)),
            ("queue_store_checked.cwasm", checked.join().expect("it does not panic")),
        ]
    });
    for (name, precompiled) in precompiled {
        fs::write(out.join(name), precompiled?)?;
    }
    Ok(())
}

/// Compiles the component to machine code of the target.
fn precompile(component: &[u8], address_space: AddressSpace) -> wasmtime::Result<Vec<u8>> {
    let mut config = engine::config(Some(&env::var("TARGET")?), address_space)?;
    // Optimized in a program that is optimized, and in no other: that takes the compiler long.
    if env::var("OPT_LEVEL")? == "0" {
        config.cranelift_opt_level(OptLevel::None);
    }
    Engine::new(&config)?.precompile_component(component)
}

/// Adds the component's name and annotations, and the contract with its documentation, which the linker keeps out of the
/// types.
fn with_metadata(component: &[u8], manifest: &Value, contract: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut metadata = wasm_metadata::AddMetadata::default();
    metadata.name = wasm_metadata::AddMetadataField::Set(COMPONENT.to_string());
    let mut component = metadata.to_wasm(component)?;
    // The package has no `repository` as long as it has no public one.
    let annotations = ANNOTATIONS.iter().filter_map(|(section, key)| Some((*section, manifest[key].as_str()?)));
    for (name, text) in annotations.chain([(CONTRACT_SECTION, contract)]) {
        let section = CustomSection { name: name.into(), data: text.as_bytes().into() };
        component.push(section.id());
        section.encode(&mut component);
    }
    Ok(component)
}

/// Returns the manifest of the component's package, as cargo describes it.
fn manifest(workspace: &Path) -> Result<Value, Box<dyn Error>> {
    let output = Command::new(env::var("CARGO")?)
        .current_dir(workspace)
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .output()?;
    if !output.status.success() {
        return Err(format!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let mut metadata: Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"].as_array_mut().ok_or("cargo metadata lists no packages")?;
    let package = packages.iter_mut().find(|package| package["name"] == COMPONENT);
    Ok(package.ok_or("cargo metadata lists no package of the component")?.take())
}

/// Joins the files of the contract to one. The documentation of the package is in `types.wit`.
fn contract(directory: &Path) -> Result<String, Box<dyn Error>> {
    let entries: Result<Vec<_>, _> = fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut others: Vec<PathBuf> = entries?.into_iter().filter(|path| !path.ends_with("types.wit")).collect();
    others.sort();
    let mut contract = fs::read_to_string(directory.join("types.wit"))?;
    for file in others {
        let text = fs::read_to_string(&file)?;
        let text = text.strip_prefix(PACKAGE).ok_or_else(|| format!("{} names another package", file.display()))?;
        contract.push_str(text);
    }
    Ok(contract)
}

/// Installs the standard library of the component's target, unless it is installed.
fn install_target() -> Result<(), Box<dyn Error>> {
    let rustc = env::var("RUSTC")?;
    let libraries = Command::new(rustc).args(["--print", "target-libdir", "--target", TARGET]).output()?;
    if Path::new(String::from_utf8(libraries.stdout)?.trim()).is_dir() {
        return Ok(());
    }
    let added = Command::new("rustup").args(["target", "add", TARGET]).stdin(Stdio::null()).output();
    match added {
        Ok(added) if added.status.success() => Ok(()),
        _ => {
            Err(format!("the Rust target of the component is missing; install it with: rustup target add {TARGET}")
                .into())
        }
    }
}

/// Builds the component's package and returns the path of the component. The target directory is one of its own,
/// because the cargo that runs this script has locked its own.
fn build_component(workspace: &Path, out: &Path) -> Result<PathBuf, Box<dyn Error>> {
    // OUT_DIR is `<target>/<profile>/build/<package>/out`: every variant of this script shares one directory.
    let directory = out.ancestors().nth(4).unwrap_or(out).join("component");
    // The component has the paths of source files, for its panics. Those of the workspace are relative; those of
    // dependencies must not depend on where cargo keeps them, so that every build has the same bytes.
    let remap = format!("--remap-path-prefix={}=/cargo", home::cargo_home()?.display());
    let output = Command::new(env::var("CARGO")?)
        .current_dir(workspace)
        .args(["build", "--profile", PROFILE, "--package", COMPONENT, "--lib", "--target", TARGET, "--target-dir"])
        .arg(&directory)
        // Adds to the flags of .cargo/config.toml. A string of JSON is one of TOML.
        .args(["--config", &format!("target.{TARGET}.rustflags=[{}]", Value::from(remap))])
        // Flags and wrappers are meant for the machine that cargo builds for, and would replace those of the component.
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET")
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .stdin(Stdio::null())
        .output()?;
    if !output.status.success() {
        return Err(format!("the component does not build: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(directory.join(TARGET).join(PROFILE).join("queue_store.wasm"))
}
