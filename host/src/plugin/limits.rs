//! Bounds on the resources of a plugin.

use crate::intake::IntakeLimits;
use std::time::Duration;

/// Bounds on one call of a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PluginLimits {
    /// Bytes of its memories and tables together. The host takes up to 500 MB more for it: for what describes its
    /// instances, and for copies of what it passes. (An operator's plugin, which has every draft, reader and listing of the
    /// contract, may take more: a listing holds the names of the directory.)
    pub memory_bytes: usize,
    /// Time from its instantiation to its return, whether it computes, sleeps or reads. A call of the queue that has
    /// begun is finished first, and so is a write to a stream of the `WasiCtx` that blocks its thread, as an inherited
    /// standard output does while its reader is slow.
    pub time: Duration,
    /// Mails that it may submit, or put with an operator's rights, and their bytes.
    pub intake: IntakeLimits,
}

impl Default for PluginLimits {
    /// 256 MiB, 60 seconds, and 1,000 mails of 1 GiB in all.
    fn default() -> PluginLimits {
        let intake = IntakeLimits { mails: 1_000, bytes: 1 << 30 };
        PluginLimits { memory_bytes: 256 << 20, time: Duration::from_secs(60), intake }
    }
}
