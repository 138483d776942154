// The settings of wasmtime's engine. The build script compiles the component with them and the library loads it with
// them, and wasmtime refuses a component that was compiled with others, so this file is part of both.

/// Returns the settings. `target` is the machine to compile for; none is the one that this runs on.
pub(crate) fn config(target: Option<&str>) -> wasmtime::Result<wasmtime::Config> {
    let mut config = wasmtime::Config::new();
    // Lets a host bound the computing time of a call: see `queue_store_host::Limits`.
    config.epoch_interruption(true);
    if let Some(target) = target {
        config.target(target)?;
    }
    Ok(config)
}
