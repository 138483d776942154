//! Bounds on the resources of a plugin.

use std::time::Duration;

/// Bounds on one call of a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PluginLimits {
    /// Bytes of its memories and tables together.
    pub memory_bytes: usize,
    /// Time from its instantiation to its return, whether it computes, sleeps or reads. A call of the intake that has
    /// begun is finished first.
    pub time: Duration,
}

impl Default for PluginLimits {
    /// 256 MiB, and 60 seconds.
    fn default() -> PluginLimits {
        PluginLimits { memory_bytes: 256 << 20, time: Duration::from_secs(60) }
    }
}
