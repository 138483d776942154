//! Plugins with an operator's rights on one queue.

mod bindings;
mod bounds;
mod other_interfaces;
mod queue_store;
mod resources;
pub(super) mod state;
mod table;

use super::compiled::Plugin;
use super::error::PluginError;
use super::imports::{imports, interface};
use super::limits::PluginLimits;
use super::state::PluginState;
use crate::intake::Intake;
use crate::queue::Queue;
use bindings::mail::queue as interfaces;
use state::OperatorState;
use wasmtime::Store;
use wasmtime::component::{Instance, Linker};
use wasmtime_wasi::WasiCtx;

/// Defines the interfaces of an operator for plugins whose stores have an [`OperatorState`].
fn add_to_linker(linker: &mut Linker<PluginState>) -> wasmtime::Result<()> {
    interfaces::queue_store::add_to_linker::<PluginState, OperatorState>(linker, PluginState::operator)?;
    interfaces::item_codec::add_to_linker::<PluginState, OperatorState>(linker, PluginState::operator)?;
    interfaces::durable_file::add_to_linker::<PluginState, OperatorState>(linker, PluginState::operator)?;
    interfaces::introspection::add_to_linker::<PluginState, OperatorState>(linker, PluginState::operator)
}

/// A compiled plugin of the world `operator-plugin`: it has an operator's rights on the queue that it is called with, so
/// it **can list, read, change and remove every mail of it**, and queue a delivery of the kind PIPE, which is a command line
/// that a mail server executes. A [`Plugin`] cannot. Threads may share it, and call it at the same time.
///
/// ```no_run
/// use queue_store_host::plugin::wasmtime_wasi::WasiCtx;
/// use queue_store_host::plugin::{OperatorPlugin, PluginLimits};
/// use queue_store_host::Host;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let queue = Host::new()?.open("/var/spool/q")?;
/// let plugin = OperatorPlugin::new(&std::fs::read("cleaner.wasm")?, PluginLimits::default())?;
/// let exit_code = plugin.run(&queue, WasiCtx::builder().inherit_stdio().build())?;
/// # Ok(())
/// # }
/// ```
///
/// The queue is a [`Queue`] of any store: a plugin runs unchanged on a directory and on a database.
///
/// # Guarantees
///
/// - Those of a [`Plugin`](crate::plugin): an instance for each call, and no more of the host than the `WasiCtx` has.
/// - The plugin reaches one queue, by the path `queue`; any other path is `not-found`. The paths in errors begin with that
///   name, and name no directory of the host.
/// - [`PluginLimits`] bound its memory and its time, and the mails that it puts or submits, and their bytes: a mail counts
///   once its put begins, also where it fails, and a put beyond the limit is `queue-full`.
/// - It has at most as many drafts, body readers and listings open as `introspection.limits` names, gets no longer chunk
///   and no longer page than those, and passes no longer chunk.
/// - `require-recovery` closes the plugin's own resource, and the queue of no other caller.
///
/// # Not guaranteed
///
/// - A call of the queue that has begun when the time is over is finished first. A recovery, or a call on many items, takes
///   as long as the queue does.
/// - The changes of a plugin that fails stay.
/// - `durable-file` is answered `unsupported`: a plugin has no files of its own.
/// - `introspection.counters` are those of the queue since the host opened it, other callers included.
/// - Two callers that change one item at once must agree among themselves, as the contract tells; so must a plugin and a
///   mail server.
#[derive(Debug)]
pub struct OperatorPlugin {
    plugin: Plugin,
}

impl OperatorPlugin {
    /// Compiles a plugin, and starts a thread that increments the epoch of its engine during calls.
    ///
    /// # Errors
    ///
    /// [`PluginError::Component`] if it is no component, or imports anything but WASI 0.2, the world `operator-plugin` and
    /// `mail:queue/intake`; [`PluginError::TooComplex`].
    pub fn new(component: &[u8], limits: PluginLimits) -> Result<OperatorPlugin, PluginError> {
        Ok(OperatorPlugin { plugin: Plugin::compile(component, limits, |_| Ok(()), add_to_linker)? })
    }

    /// Makes an instance, gives it the queue, and has `call` call its exports, as [`Plugin::call`] does.
    ///
    /// # Errors
    ///
    /// Those of [`Plugin::call`]; [`PluginError::Queue`] if the queue does not answer.
    pub fn call<T>(
        &self,
        queue: &Queue,
        wasi: WasiCtx,
        call: impl AsyncFnOnce(&mut Store<PluginState>, &Instance) -> wasmtime::Result<T>,
    ) -> Result<T, PluginError> {
        self.plugin.call_in(|| self.state(queue, wasi), call)
    }

    /// Runs a plugin that is a command, as [`Plugin::run`] does.
    ///
    /// # Errors
    ///
    /// Those of [`OperatorPlugin::call`]; [`PluginError::NotACommand`].
    pub fn run(&self, queue: &Queue, wasi: WasiCtx) -> Result<i32, PluginError> {
        self.plugin.run_in(|| self.state(queue, wasi))
    }

    /// Whether the plugin imports a queue: `mail:queue/queue-store` or `mail:queue/intake`.
    pub fn imports_queue(&self) -> bool {
        let is_queue = |name: &str| matches!(interface(name), "mail:queue/queue-store" | "mail:queue/intake");
        imports(self.plugin.component.component()).any(|name| is_queue(&name))
    }

    fn state(&self, queue: &Queue, wasi: WasiCtx) -> Result<PluginState, PluginError> {
        let limits = self.plugin.limits;
        let intake = Intake::new(queue, limits.intake);
        let operator = OperatorState::new(queue, intake.clone()).map_err(PluginError::Queue)?;
        Ok(PluginState::with_operator(wasi, intake, operator, limits, self.plugin.max_instances))
    }
}
