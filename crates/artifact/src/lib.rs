//! The built component: its bytes, and its machine code, compiled ahead of time, since compiling it takes a tenth of a
//! second and loading it less than a millisecond.

mod engine;

pub use engine::AddressSpace;

use wasmtime::component::Component;
use wasmtime::{Config, Engine};

/// The component: a `.wasm` file.
pub const COMPONENT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/queue_store.wasm"));

/// The SHA-256 of [`COMPONENT`], in lower-case hexadecimal digits.
pub const COMPONENT_SHA256: &str = include_str!(concat!(env!("OUT_DIR"), "/queue_store.sha256"));

/// The component, compiled for the machine that this crate is built for and an unlimited address space.
static PRECOMPILED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/queue_store.cwasm"));

/// The component, compiled for the machine that this crate is built for and a limited address space.
static PRECOMPILED_CHECKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/queue_store_checked.cwasm"));

/// Returns the settings of an engine that can [`load`] the component for such an address space.
pub fn config(address_space: AddressSpace) -> Config {
    match engine::config(None, address_space) {
        Ok(config) => config,
        Err(error) => unreachable!("only naming a target can fail: {error}"),
    }
}

/// Loads the precompiled component into an engine that has the settings of [`config`] for the same address space.
///
/// # Errors
///
/// If the engine has other settings, or this machine lacks an instruction of the one that this crate was built for.
pub fn load(engine: &Engine, address_space: AddressSpace) -> wasmtime::Result<Component> {
    let precompiled = match address_space {
        AddressSpace::Unlimited => PRECOMPILED,
        AddressSpace::Limited => PRECOMPILED_CHECKED,
    };
    // SAFETY: `Component::deserialize` requires bytes that `Engine::precompile_component` returned and that were not
    // modified. The build script of this crate wrote them from there, with the version of wasmtime that this crate is
    // linked with (cargo resolves both dependencies to one version, and wasmtime refuses another).
    unsafe { Component::deserialize(engine, precompiled) }
}
