//! The host's side of an instance of a plugin.

use crate::intake::Intake;
use crate::plugin::PluginIntake;
use std::fmt;
use wasmtime::ResourceLimiter;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

/// Streams, timers and the like that an instance may have open at once.
const MAX_RESOURCES: usize = 1_000;

/// Bytes that an element of a table takes in the host.
const ELEMENT_BYTES: usize = 16;

/// The host's side of an instance of a plugin: its view of WASI, its intake and its use of memory.
pub struct PluginState {
    wasi: WasiCtx,
    table: ResourceTable,
    intake: PluginIntake,
    /// Bytes that the memories and tables of the instance may still grow by.
    remaining_bytes: usize,
    is_out_of_memory: bool,
}

impl PluginState {
    pub(crate) fn new(wasi: WasiCtx, intake: &Intake, memory_bytes: usize) -> PluginState {
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_RESOURCES);
        let intake = PluginIntake::new(intake.clone());
        PluginState { wasi, table, intake, remaining_bytes: memory_bytes, is_out_of_memory: false }
    }

    pub(crate) fn intake(&mut self) -> &mut PluginIntake {
        &mut self.intake
    }

    /// Whether the instance asked for more memory than it may have.
    pub(crate) fn is_out_of_memory(&self) -> bool {
        self.is_out_of_memory
    }

    /// Takes bytes from those that remain. Returns false if there are too few.
    fn take(&mut self, bytes: usize) -> bool {
        match self.remaining_bytes.checked_sub(bytes) {
            Some(remaining) => self.remaining_bytes = remaining,
            None => self.is_out_of_memory = true,
        }
        !self.is_out_of_memory
    }
}

impl fmt::Debug for PluginState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PluginState").field("remaining_bytes", &self.remaining_bytes).finish_non_exhaustive()
    }
}

impl WasiView for PluginState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl ResourceLimiter for PluginState {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.take(desired - current))
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.take((desired - current).saturating_mul(ELEMENT_BYTES)))
    }
}
