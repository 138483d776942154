//! The built component: its bytes, and its machine code, compiled ahead of time, since compiling it takes a tenth of a
//! second and loading it less than a millisecond.

mod engine;

use wasmtime::component::Component;
use wasmtime::{Config, Engine};

/// The component: a `.wasm` file.
pub const COMPONENT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/queue_store.wasm"));

/// The component, compiled for the machine that this crate is built for, with the settings of [`config`].
static PRECOMPILED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/queue_store.cwasm"));

/// The settings of an engine that can [`load`] the component.
pub fn config() -> Config {
    match engine::config(None) {
        Ok(config) => config,
        Err(error) => unreachable!("only naming a target can fail: {error}"),
    }
}

/// Loads the precompiled component into an engine that has the settings of [`config`].
///
/// # Errors
///
/// If the engine has other settings, or this machine lacks an instruction of the one that this crate was built for.
pub fn load(engine: &Engine) -> wasmtime::Result<Component> {
    // SAFETY: `Component::deserialize` requires bytes that `Engine::precompile_component` returned and that were not
    // modified. The build script of this crate wrote them from there, with the version of wasmtime that this crate is
    // linked with (cargo resolves both dependencies to one version, and wasmtime refuses another).
    unsafe { Component::deserialize(engine, PRECOMPILED) }
}
