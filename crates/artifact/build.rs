//! Builds the component for `wasm32-wasip2`, and compiles that ahead of time.

#[path = "src/engine.rs"]
mod engine;

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

const TARGET: &str = "wasm32-wasip2";

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
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../..");
    for source in
        ["src", "literal", "wit", "build.rs", "Cargo.toml", "Cargo.lock", ".cargo/config.toml", "rust-toolchain.toml"]
    {
        println!("cargo::rerun-if-changed={}", root.join(source).display());
    }
    let out = PathBuf::from(env::var("OUT_DIR")?);
    install_target()?;
    let component = fs::read(build_component(&root, &out)?)?;
    fs::write(out.join("queue_store.wasm"), &component)?;
    let engine = wasmtime::Engine::new(&engine::config(Some(&env::var("TARGET")?))?)?;
    fs::write(out.join("queue_store.cwasm"), engine.precompile_component(&component)?)?;
    Ok(())
}

/// Installs the standard library of the component's target, if it is not there.
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

/// Runs cargo for the component's package alone. It has a target directory of its own: the one of the cargo that runs this
/// is locked.
fn build_component(root: &Path, out: &Path) -> Result<PathBuf, Box<dyn Error>> {
    // OUT_DIR is `<target>/<profile>/build/<package>/out`, or with `--target` one directory deeper.
    let directory = out.ancestors().find(|directory| directory.join("CACHEDIR.TAG").exists());
    let directory = directory.unwrap_or(out).join("component");
    let output = Command::new(env::var("CARGO")?)
        .current_dir(root)
        .args(["build", "--release", "--package", "queue-store", "--lib", "--target", TARGET, "--target-dir"])
        .arg(&directory)
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
    Ok(directory.join(TARGET).join("release").join("queue_store.wasm"))
}
