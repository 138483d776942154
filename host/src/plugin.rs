//! Plugins: components that submit mail to one queue, and reach nothing else of the host. An [`OperatorPlugin`] also lists,
//! reads, changes and removes the mail of that queue; it is another type, so that a program asks for it by name.
//!
//! ```no_run
//! use queue_store_host::plugin::{Plugin, PluginLimits, wasmtime, wasmtime_wasi::WasiCtx};
//! use queue_store_host::{Host, Intake, IntakeLimits};
//!
//! // The calls of the host to its plugins.
//! wasmtime::component::bindgen!({
//!     inline: "
//!         package example:filter;
//!         world filter { export receive: func(message: list<u8>) -> result<string, string>; }
//!     ",
//!     exports: { default: async },
//!     wasmtime_crate: queue_store_host::plugin::wasmtime,
//! });
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let queue = Host::new()?.create("/var/spool/q")?;
//! let intake = Intake::new(&queue, IntakeLimits::default());
//! let plugin = Plugin::new(&std::fs::read("plugin.wasm")?, PluginLimits::default())?;
//!
//! let message = b"Subject: hello\r\n\r\nhello\r\n";
//! let answer = plugin.call(&intake, WasiCtx::builder().build(), async |store, instance| {
//!     Filter::new(&mut *store, instance)?.call_receive(store, message).await
//! })?;
//! # Ok(())
//! # }
//! ```
//!
//! # Guarantees
//!
//! - Every call has an instance of its own: nothing stays from the call before, and a trap is the end of one call.
//! - The plugin has clocks, randomness, the interface `mail:queue/intake`, and what the embedder puts into the `WasiCtx`:
//!   by default no directory, no network, no environment, an empty standard input, and a standard output that is discarded.
//! - Its memory, its time, its mails and their bytes are bounded in each call by [`PluginLimits`], and its mails and bytes
//!   in all calls by the [`IntakeLimits`](crate::IntakeLimits) of the intake.
//!
//! # Not guaranteed
//!
//! A call that fails, also by a limit, does not take back the mails that the plugin submitted before. The time and memory
//! of [`Plugin::new`] are not bounded: a component that is made for it takes minutes to compile. Compile a stranger's
//! plugin in a process that may be ended.

mod answer;
mod compiled;
mod deadline;
mod error;
mod imports;
mod intake;
mod limits;
mod operator;
mod shape;
mod state;

pub use compiled::Plugin;
pub use error::PluginError;
pub use intake::{PluginIntake, add_to_linker};
pub use limits::PluginLimits;
pub use operator::OperatorPlugin;
pub use state::PluginState;
/// The runtime, for the types of this module.
pub use {wasmtime, wasmtime_wasi};
