//! A compiled plugin, and its calls.

use super::deadline::DeadlineOver;
use super::error::PluginError;
use super::imports::{imports, interface, operator_imports};
use super::intake::add_to_linker;
use super::limits::PluginLimits;
use super::shape;
use super::state::PluginState;
use crate::engine::address_space;
use crate::intake::Intake;
use crate::process::OwnProcess;
use crate::runtime::refuse_in_task;
use crate::ticker::Ticker;
use std::cell::Cell;
use std::fmt;
use tokio::{runtime, task, time};
use wasmtime::component::{Component, Instance, InstancePre, Linker, ResourceTableError};
use wasmtime::{Engine, Store, Trap};
use wasmtime_wasi::p2::bindings::CommandIndices;
use wasmtime_wasi::{I32Exit, WasiCtx};

/// A compiled plugin. Threads may share it, and call it at the same time.
pub struct Plugin {
    engine: Engine,
    pub(super) component: InstancePre<PluginState>,
    pub(super) limits: PluginLimits,
    /// Instances of modules that an instance of it may have.
    pub(super) max_instances: usize,
    ticker: Ticker,
    process: OwnProcess,
}

thread_local! {
    /// Whether the thread runs a call of a plugin.
    static IN_CALL: Cell<bool> = const { Cell::new(false) };
}

/// The thread runs a call of a plugin until this is dropped.
struct InCall;

impl InCall {
    /// Returns nothing if the thread runs a call already.
    fn begin() -> Option<InCall> {
        // Lazily: an `InCall` that is refused must not end the call that runs.
        (!IN_CALL.replace(true)).then(|| InCall)
    }
}

impl Drop for InCall {
    fn drop(&mut self) {
        IN_CALL.set(false);
    }
}

impl Plugin {
    /// Compiles a plugin, and starts a thread that increments the epoch of its engine during calls.
    ///
    /// # Errors
    ///
    /// [`PluginError::OperatorOnly`] if it imports an interface that only an [`OperatorPlugin`](crate::plugin::OperatorPlugin) gets;
    /// [`PluginError::Component`] if it is no component, or imports anything else but WASI 0.2 and `mail:queue/intake`;
    /// [`PluginError::TooComplex`].
    pub fn new(component: &[u8], limits: PluginLimits) -> Result<Plugin, PluginError> {
        let refuse = |component: &Component| {
            let names = operator_imports(component);
            if names.is_empty() { Ok(()) } else { Err(PluginError::OperatorOnly(names)) }
        };
        Plugin::compile(component, limits, refuse, |_| Ok(()))
    }

    /// Compiles a plugin that passes `check`, and gets the interfaces of `link` with those of every plugin.
    pub(super) fn compile(
        component: &[u8],
        limits: PluginLimits,
        check: impl FnOnce(&Component) -> Result<(), PluginError>,
        link: impl FnOnce(&mut Linker<PluginState>) -> wasmtime::Result<()>,
    ) -> Result<Plugin, PluginError> {
        if let Some(bound) = shape::exceeded_bound(component) {
            return Err(PluginError::TooComplex(bound));
        }
        let max_instances = shape::max_instances(component);
        let engine = Engine::new(&queue_store_artifact::config(address_space())).map_err(PluginError::Component)?;
        let component = Component::new(&engine, component).map_err(PluginError::Component)?;
        check(&component)?;
        let mut linker = Linker::new(&engine);
        let component = wasmtime_wasi::p2::add_to_linker_async(&mut linker)
            .and_then(|()| add_to_linker(&mut linker, PluginState::intake))
            .and_then(|()| link(&mut linker))
            .and_then(|()| linker.instantiate_pre(&component))
            .map_err(PluginError::Component)?;
        let ticker = Ticker::start(&engine).map_err(PluginError::System)?;
        Ok(Plugin { engine, component, limits, max_instances, ticker, process: OwnProcess::current() })
    }

    /// Makes an instance, and has `call` call its exports, which are async as `bindgen!` generates them. Blocks the thread
    /// until then.
    ///
    /// # Errors
    ///
    /// [`PluginError`]: the plugin trapped, exited or exceeded a limit, or `call` failed.
    ///
    /// # Panics
    ///
    /// In a task of tokio that is `unconstrained`, which does not tell that it is one.
    pub fn call<T>(
        &self,
        intake: &Intake,
        wasi: WasiCtx,
        call: impl AsyncFnOnce(&mut Store<PluginState>, &Instance) -> wasmtime::Result<T>,
    ) -> Result<T, PluginError> {
        self.call_in(|| Ok(self.state(intake, wasi)), call)
    }

    fn state(&self, intake: &Intake, wasi: WasiCtx) -> PluginState {
        PluginState::new(wasi, intake.bounded(self.limits.intake), self.limits, self.max_instances)
    }

    /// Makes an instance with a state, and has `call` call its exports.
    pub(super) fn call_in<T>(
        &self,
        state: impl FnOnce() -> Result<PluginState, PluginError>,
        call: impl AsyncFnOnce(&mut Store<PluginState>, &Instance) -> wasmtime::Result<T>,
    ) -> Result<T, PluginError> {
        if !self.process.is_current() {
            return Err(PluginError::Forked);
        }
        let _in_call = InCall::begin().ok_or(PluginError::Nested)?;
        refuse_in_task().map_err(|_| PluginError::InAsyncRuntime)?;
        let mut store = Store::new(&self.engine, state()?);
        store.limiter(|state| state);
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);
        // Each call has a runtime of its own, which the calls of the queue may block.
        let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(PluginError::System)?;
        let _ticking = self.ticker.run();
        let mut is_instantiated = false;
        let called = async {
            let instance = self.component.instantiate_async(&mut store).await?;
            is_instantiated = true;
            call(&mut store, &instance).await
        };
        let bounded = async { time::timeout(self.limits.time, called).await };
        // `unconstrained`, since a queue refuses to block a task that has a budget.
        let called = runtime.block_on(task::unconstrained(bounded));
        // Reads that block a thread, of a stream or a file of the `WasiCtx`, are not waited for.
        runtime.shutdown_background();
        // An error of `call` has nothing to do with a growth that was refused before.
        let is_of_plugin = |error: &wasmtime::Error| !is_instantiated || error.is::<Trap>();
        // After its time, a plugin loses its streams, and traps at the answer of its queue.
        let is_stop = |error: &wasmtime::Error| {
            is_of_plugin(error) || error.is::<ResourceTableError>() || error.is::<DeadlineOver>()
        };
        match called {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) if store.data().is_out_of_time() && is_stop(&error) => {
                Err(PluginError::OutOfTime(self.limits.time))
            }
            Ok(Err(error)) if store.data().is_out_of_memory() && is_of_plugin(&error) => {
                Err(PluginError::OutOfMemory(self.limits.memory_bytes))
            }
            Ok(Err(error)) => Err(PluginError::Failed(error)),
            Err(_elapsed) => Err(PluginError::OutOfTime(self.limits.time)),
        }
    }

    /// Whether the plugin imports `mail:queue/intake`. A plugin that is composed with the queue does not.
    pub fn imports_intake(&self) -> bool {
        imports(self.component.component()).any(|name| interface(&name) == "mail:queue/intake")
    }

    /// Runs a plugin that is a command, which exports `wasi:cli/run`, and returns its exit code: 0 is success, and 1 is
    /// failure, whichever code the plugin exits with, since `wasi:cli/exit` has no other.
    ///
    /// # Errors
    ///
    /// Those of [`Plugin::call`]; [`PluginError::NotACommand`].
    pub fn run(&self, intake: &Intake, wasi: WasiCtx) -> Result<i32, PluginError> {
        self.run_in(|| Ok(self.state(intake, wasi)))
    }

    pub(super) fn run_in(&self, state: impl FnOnce() -> Result<PluginState, PluginError>) -> Result<i32, PluginError> {
        let command = CommandIndices::new(&self.component).map_err(|_| PluginError::NotACommand)?;
        let run = self.call_in(state, async |store, instance| {
            command.load(&mut *store, instance)?.wasi_cli_run().call_run(store).await
        });
        match run {
            Ok(result) => Ok(i32::from(result.is_err())),
            Err(PluginError::Failed(error)) => match error.downcast_ref() {
                Some(I32Exit(code)) => Ok(*code),
                None => Err(PluginError::Failed(error)),
            },
            Err(error) => Err(error),
        }
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Plugin").field("limits", &self.limits).finish_non_exhaustive()
    }
}
