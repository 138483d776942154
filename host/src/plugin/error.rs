//! The errors of plugins.

use crate::error::Error;
use std::io;
use std::time::Duration;

/// The reason why a plugin cannot be called, or a call failed. The mails that the plugin submitted before stay in the queue.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PluginError {
    /// The bytes are no component that can run here, or the component imports interfaces that a plugin does not get.
    #[error("it is no plugin: {0:#}")]
    Component(wasmtime::Error),
    /// The component would take more of the host than a plugin may, for the reason that is given here.
    #[error("it is no plugin: {0}")]
    TooComplex(&'static str),
    /// The plugin imports interfaces, named here, that only an
    /// [`OperatorPlugin`](crate::plugin::OperatorPlugin) gets.
    #[error("it imports {}, which no plugin gets without an operator's rights", .0.join(", "))]
    OperatorOnly(Vec<String>),
    /// The limits of the queue could not be read, so that the plugin did not begin.
    #[error("{0}")]
    Queue(Error),
    /// A plugin to be run is no command.
    #[error("it exports no `wasi:cli/run`, so it is no command")]
    NotACommand,
    /// The plugin needed more than [`PluginLimits::memory_bytes`](crate::plugin::PluginLimits), which is given here.
    #[error("the plugin needs more than the {0} bytes of memory that it may have")]
    OutOfMemory(usize),
    /// The plugin took longer than [`PluginLimits::time`](crate::plugin::PluginLimits), which is given here.
    #[error("the plugin took longer than the {0:?} that it may")]
    OutOfTime(Duration),
    /// The plugin trapped or exited, it lacks the export, or the embedder's closure failed.
    #[error("the plugin failed: {}", .0.root_cause())]
    Failed(wasmtime::Error),
    /// The call would block a task of an async runtime: call from `tokio::task::spawn_blocking`.
    #[error("a call of a plugin blocks its thread, so a task of an async runtime must not make it")]
    InAsyncRuntime,
    /// The plugin was compiled in the process from which this one was forked: compile it anew.
    #[error("it was compiled in the process from which this one was forked: compile it anew")]
    Forked,
    /// The closure of a call called a plugin: call it when the first call has returned.
    #[error("a plugin is called within the call of another one: call it after that")]
    Nested,
    /// The system refused a thread or a timer.
    #[error("the system is out of threads or descriptors: {0}")]
    System(io::Error),
}
