//! One instance of the component, with one directory and nothing else.

use crate::bindings;
use crate::directory_sync;
use crate::error::Error;
use crate::host::{Limits, Shared};
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::runtime::Runtime;
use wasmtime::component::{Linker, ResourceAny, ResourceTable};
use wasmtime::{ResourceLimiter, Store, UpdateDeadline};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView};
use wasmtime_wasi::p2::bindings as wasi;
use wasmtime_wasi::random::{WasiRandom, WasiRandomView};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxView, WasiView};

/// What WASI runs on: nothing but the thread that calls. Outside of a runtime `wasmtime-wasi` would start one with a thread
/// for each processor, for calls that never leave this one. It is never dropped, which panics in a task of another runtime.
/// None if the system refuses it, which leaves the choice to `wasmtime-wasi`.
static RUNTIME: LazyLock<Option<Runtime>> =
    LazyLock::new(|| tokio::runtime::Builder::new_current_thread().build().ok());

/// What an instance has on this side.
pub(crate) struct State {
    wasi: WasiCtx,
    table: ResourceTable,
    limits: Limits,
    memory_bytes: usize,
    /// Whether the instance asked for more memory than it may have.
    out_of_memory: bool,
    /// Time that this thread had computed when the current call was first looked at.
    began: Option<Duration>,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl ResourceLimiter for State {
    fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        if desired > self.limits.memory_bytes {
            self.out_of_memory = true;
            return Ok(false);
        }
        self.memory_bytes = desired;
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(true)
    }
}

/// Gives the component what it imports: files, the time of day, randomness.
pub(crate) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    wasi::sync::filesystem::types::add_to_linker::<State, WasiFilesystem>(linker, State::filesystem)?;
    directory_sync::link(linker)?;
    wasi::filesystem::preopens::add_to_linker::<State, WasiFilesystem>(linker, State::filesystem)?;
    wasi::clocks::wall_clock::add_to_linker::<State, WasiClocks>(linker, State::clocks)?;
    wasi::random::random::add_to_linker::<State, WasiRandom>(linker, State::random)
}

/// One instance of the component.
pub(crate) struct Instance {
    store: Store<State>,
    exports: bindings::Queue,
    limits: Limits,
    /// What the queue was called for the instance, which is what it calls the queue.
    queue: Arc<str>,
    shared: Arc<Shared>,
}

/// The exports of an instance, to be called.
pub(crate) struct Call<'a> {
    pub(crate) store: &'a mut Store<State>,
    pub(crate) exports: &'a bindings::Queue,
    pub(crate) queue: &'a str,
}

/// A guest worked for longer than it may.
#[derive(Debug, thiserror::Error)]
#[error("the time of the guest is over")]
struct OutOfTime;

impl Instance {
    /// Makes an instance that has the directory at `path`, and calls it `queue`.
    pub(crate) fn new(shared: &Arc<Shared>, path: &Path, queue: &Arc<str>) -> Result<Instance, Error> {
        let limits = shared.limits;
        let mut wasi = WasiCtx::builder();
        // A call would otherwise pass every operation on a file to another thread and back.
        wasi.allow_blocking_current_thread(true);
        wasi.preopened_dir(path, queue, FsPerms::ReadWrite).map_err(|error| {
            match error.downcast::<std::io::Error>() {
                Ok(source) => Error::Directory { path: path.to_path_buf(), source },
                Err(error) => Error::Component(error),
            }
        })?;
        let state = State {
            wasi: wasi.build(),
            table: ResourceTable::new(),
            limits,
            memory_bytes: 0,
            out_of_memory: false,
            began: None,
        };
        let mut store = Store::new(&shared.engine, state);
        store.limiter(|state| state);
        store.epoch_deadline_callback(|mut store| {
            let state = store.data_mut();
            let now = computing_time();
            let began = *state.began.get_or_insert(now);
            if now.saturating_sub(began) > state.limits.time {
                return Err(OutOfTime.into());
            }
            Ok(UpdateDeadline::Continue(1))
        });
        store.set_epoch_deadline(1);
        let exports = shared.component.instantiate(&mut store).map_err(Error::Component)?;
        Ok(Instance { store, exports, limits, queue: queue.clone(), shared: shared.clone() })
    }

    /// Calls the instance. One that fails with anything but what the queue says must not be called again.
    pub(crate) fn call<T>(
        &mut self,
        call: impl FnOnce(Call<'_>) -> wasmtime::Result<Result<T, crate::types::Error>>,
    ) -> Result<T, Error> {
        let _running = self.shared.run_clock();
        let _entered = RUNTIME.as_ref().map(Runtime::enter);
        self.store.data_mut().began = None;
        self.store.set_epoch_deadline(1);
        let result = call(Call { store: &mut self.store, exports: &self.exports, queue: &self.queue });
        match result {
            Ok(result) => Ok(result?),
            Err(error) if error.downcast_ref::<OutOfTime>().is_some() => Err(Error::OutOfTime(self.limits.time)),
            Err(_) if self.store.data().out_of_memory => Err(Error::OutOfMemory(self.limits.memory_bytes)),
            Err(error) => Err(Error::Component(error)),
        }
    }

    /// Drops a resource of the instance.
    pub(crate) fn drop_resource(&mut self, resource: ResourceAny) -> Result<(), Error> {
        self.call(|call| resource.resource_drop(call.store).map(Ok))
    }

    /// Whether the instance has little enough memory to be kept.
    pub(crate) fn is_small(&self) -> bool {
        self.store.data().memory_bytes <= self.limits.kept_memory_bytes
    }
}

/// The time that this thread spent computing outside of the system, so that waiting for a disk does not count.
fn computing_time() -> Duration {
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
    let who = nix::sys::resource::UsageWho::RUSAGE_THREAD;
    #[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
    let who = nix::sys::resource::UsageWho::RUSAGE_SELF;
    match nix::sys::resource::getrusage(who) {
        Ok(usage) => {
            let time = usage.user_time();
            Duration::from_secs(time.tv_sec().try_into().unwrap_or(0))
                + Duration::from_micros(time.tv_usec().try_into().unwrap_or(0))
        }
        Err(_) => Duration::ZERO,
    }
}
