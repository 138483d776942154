//! The component as this workspace builds it: its bytes, and the same compiled ahead of time, so that loading it takes
//! milliseconds less than compiling it.

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
/// If the engine has other settings, or this machine lacks an instruction that the one has for which this was built.
pub fn load(engine: &Engine) -> wasmtime::Result<Component> {
    // SAFETY: the bytes are what this version of wasmtime made of the component when this crate was built.
    unsafe { Component::deserialize(engine, PRECOMPILED) }
}
