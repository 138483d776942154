//! The host's side of an instance: its view of WASI, and its use of memory and time.

use crate::filesystem::{Filesystem, HasFilesystem};
use crate::limits::Limits;
use std::path::Path;
use std::time::Duration;
use wasmtime::component::{Linker, ResourceTable};
use wasmtime::{ResourceLimiter, UpdateDeadline};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView};
use wasmtime_wasi::p2::bindings as wasi;
use wasmtime_wasi::random::{WasiRandom, WasiRandomView};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxView, WasiView};

/// The host's side of an instance.
pub(crate) struct State {
    wasi: WasiCtx,
    table: ResourceTable,
    limits: Limits,
    /// Bytes of memory of the instance.
    pub(crate) memory_bytes: usize,
    /// Whether the instance asked for more memory than it may have, in the current call.
    pub(crate) out_of_memory: bool,
    /// Time that this thread had computed at the first tick of the current call.
    computed_before: Option<Duration>,
    /// Whether the current call may compute for any time.
    unlimited: bool,
}

/// The call computed for longer than it may.
#[derive(Debug, thiserror::Error)]
#[error("the time of the call is over")]
pub(crate) struct OutOfTime;

impl State {
    /// Opens `directory` for an instance, to which it is the preopen `name`.
    pub(crate) fn new(limits: Limits, directory: &Path, name: &str) -> wasmtime::Result<State> {
        let mut wasi = WasiCtx::builder();
        // Otherwise every file operation would be passed to another thread and back.
        wasi.allow_blocking_current_thread(true);
        wasi.preopened_dir(directory, name, FsPerms::ReadWrite)?;
        Ok(State {
            wasi: wasi.build(),
            table: ResourceTable::new(),
            limits,
            memory_bytes: 0,
            out_of_memory: false,
            computed_before: None,
            unlimited: false,
        })
    }

    /// Links the imports of the component: files, the time of day, randomness.
    pub(crate) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
        wasi::sync::filesystem::types::add_to_linker::<State, HasFilesystem>(linker, |state| {
            Filesystem(state.filesystem())
        })?;
        wasi::filesystem::preopens::add_to_linker::<State, WasiFilesystem>(linker, State::filesystem)?;
        wasi::clocks::wall_clock::add_to_linker::<State, WasiClocks>(linker, State::clocks)?;
        wasi::random::random::add_to_linker::<State, WasiRandom>(linker, State::random)
    }

    /// Sets whether the calls from here on may compute for any time.
    pub(crate) fn set_unlimited(&mut self, unlimited: bool) {
        self.unlimited = unlimited;
    }

    /// Begins to measure a call.
    pub(crate) fn begin_call(&mut self) {
        self.out_of_memory = false;
        self.computed_before = None;
    }

    /// Lets the call go on until the next tick, or fails if it computed for longer than it may.
    pub(crate) fn tick(&mut self) -> wasmtime::Result<UpdateDeadline> {
        let now = computing_time();
        let before = *self.computed_before.get_or_insert(now);
        if !self.unlimited && now.saturating_sub(before) > self.limits.time {
            return Err(OutOfTime.into());
        }
        Ok(UpdateDeadline::Continue(1))
    }
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

    /// The system had no memory for it.
    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.out_of_memory = true;
        Ok(())
    }

    fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(true)
    }
}

/// The time that this thread computed outside of the system, so that waiting for a disk does not count.
fn computing_time() -> Duration {
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
    let who = nix::sys::resource::UsageWho::RUSAGE_THREAD;
    #[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
    let who = nix::sys::resource::UsageWho::RUSAGE_SELF;
    let usage = nix::sys::resource::getrusage(who).expect("getrusage fails only for arguments that do not exist");
    let time = usage.user_time();
    let seconds = u64::try_from(time.tv_sec()).expect("a used time is not negative");
    let microseconds = u64::try_from(time.tv_usec()).expect("a used time is not negative");
    Duration::from_secs(seconds) + Duration::from_micros(microseconds)
}
