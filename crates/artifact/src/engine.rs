// How the component is compiled. The build script compiles it with these settings, and whoever loads it must have the
// same, so this file is part of both.

/// The settings of an engine for the component. `target` is the machine to compile for; none is this one.
pub(crate) fn config(target: Option<&str>) -> wasmtime::Result<wasmtime::Config> {
    let mut config = wasmtime::Config::new();
    // What bounds the time that a guest may take: see `queue_store_host::Limits`.
    config.epoch_interruption(true);
    if let Some(target) = target {
        config.target(target)?;
    }
    Ok(config)
}
