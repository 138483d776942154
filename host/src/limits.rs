//! Bounds on the resources of the component's instances.

use std::time::Duration;

/// Bounds on the memory, the computing time and the number of the component's instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of memory of one instance. An item of 64 MiB that is read or put in one piece (`get`, `put_many`) takes
    /// three times its size.
    pub memory_bytes: usize,
    /// Bytes of memory above which an instance is dropped after a call, since WebAssembly memory never shrinks.
    pub kept_memory_bytes: usize,
    /// Time that one call may compute, but for a recovery. Time in the operating system does not count: giving up a call after a slow fsync
    /// that succeeded would make its caller send the mail twice.
    pub time: Duration,
    /// Idle instances that each queue keeps for later calls. Any number of threads may call at once.
    pub kept_instances: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            memory_bytes: 256 << 20,
            kept_memory_bytes: 16 << 20,
            time: Duration::from_secs(60),
            kept_instances: 64,
        }
    }
}
