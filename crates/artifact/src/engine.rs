// The settings of wasmtime's engine. The build script compiles the component with them and the library loads it with
// them, and wasmtime refuses a component that was compiled with others, so this file is part of both.

/// How much address space a process may reserve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(unreachable_pub, reason = "the library exports it, and the build script does not")]
pub enum AddressSpace {
    /// No limit: each instance reserves 4 GiB, so that its code needs no checks of bounds.
    Unlimited,
    /// A limited amount (`ulimit -v`): an instance reserves what it uses, and its code checks bounds.
    Limited,
}

/// Returns the settings. `target` is the machine to compile for; none is the one that this runs on.
pub(crate) fn config(target: Option<&str>, address_space: AddressSpace) -> wasmtime::Result<wasmtime::Config> {
    /// Bytes by which the reservation of a growing memory exceeds its size.
    const GROWTH_BYTES: u64 = 1 << 20;
    let mut config = wasmtime::Config::new();
    // Lets a host bound the computing time of a call: see `queue_store_host::Limits`.
    config.epoch_interruption(true);
    if address_space == AddressSpace::Limited {
        config.memory_reservation(0).memory_guard_size(0).memory_reservation_for_growth(GROWTH_BYTES);
    }
    if let Some(target) = target {
        config.target(target)?;
    }
    Ok(config)
}
