//! The host's side of an instance of a plugin.

use crate::intake::Intake;
use crate::plugin::deadline::Deadline;
use crate::plugin::intake::PluginIntake;
use crate::plugin::limits::PluginLimits;
use crate::plugin::operator::state::OperatorState;
use std::fmt;
use wasmtime::ResourceLimiter;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

/// Streams, timers and the like that an instance may have open at once.
const MAX_RESOURCES: usize = 1_000;

/// Bytes that an element of a table takes in the host.
const ELEMENT_BYTES: usize = 16;

/// Memories and tables that an instance of a plugin may have, each.
const MAX_MEMORIES: usize = 500;

/// The host's side of an instance of a plugin: its view of WASI, its intake or queue, and its use of memory.
pub struct PluginState {
    wasi: WasiCtx,
    table: ResourceTable,
    /// In place of the other after the deadline: a plugin has no resources, and gets none, so that it traps at its next call
    /// for one.
    no_resources: ResourceTable,
    deadline: Deadline,
    intake: PluginIntake,
    /// The queue, for an operator's plugin.
    operator: Option<OperatorState>,
    /// Instances of modules that it may have.
    max_instances: usize,
    /// Bytes that the memories and tables of the instance may still grow by.
    remaining_bytes: usize,
    is_out_of_memory: bool,
}

impl PluginState {
    /// Makes the state of a plugin that submits mail to an intake.
    pub(super) fn new(wasi: WasiCtx, intake: Intake, limits: PluginLimits, max_instances: usize) -> PluginState {
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_RESOURCES);
        let mut no_resources = ResourceTable::new();
        no_resources.set_max_capacity(0);
        let deadline = Deadline::after(limits.time);
        PluginState {
            wasi,
            table,
            no_resources,
            deadline,
            intake: PluginIntake::until(deadline, intake),
            operator: None,
            max_instances,
            remaining_bytes: limits.memory_bytes,
            is_out_of_memory: false,
        }
    }

    /// Makes the state of an operator's plugin.
    pub(super) fn with_operator(
        wasi: WasiCtx,
        intake: Intake,
        operator: OperatorState,
        limits: PluginLimits,
        max_instances: usize,
    ) -> PluginState {
        let state = PluginState::new(wasi, intake, limits, max_instances);
        PluginState { operator: Some(operator.until(state.deadline)), ..state }
    }

    pub(super) fn intake(&mut self) -> &mut PluginIntake {
        &mut self.intake
    }

    /// Invariant: only an [`OperatorPlugin`](crate::plugin::OperatorPlugin) is linked with the interfaces that call this,
    /// and each of its calls has the queue.
    pub(super) fn operator(&mut self) -> &mut OperatorState {
        self.operator.as_mut().expect("the state of an operator's plugin has its queue")
    }

    /// Whether a growth was refused, after which a plugin may go on with less.
    pub(crate) fn is_out_of_memory(&self) -> bool {
        self.is_out_of_memory
    }

    /// Whether the time of the call is over.
    pub(super) fn is_out_of_time(&self) -> bool {
        self.deadline.is_over()
    }

    /// Takes bytes from those that remain. Returns false if there are too few.
    fn take(&mut self, bytes: usize) -> bool {
        let remaining = self.remaining_bytes.checked_sub(bytes);
        self.is_out_of_memory |= remaining.is_none();
        self.remaining_bytes = remaining.unwrap_or(self.remaining_bytes);
        remaining.is_some()
    }
}

impl fmt::Debug for PluginState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PluginState").field("remaining_bytes", &self.remaining_bytes).finish_non_exhaustive()
    }
}

impl WasiView for PluginState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let table = if self.deadline.is_over() { &mut self.no_resources } else { &mut self.table };
        WasiCtxView { ctx: &mut self.wasi, table }
    }
}

impl ResourceLimiter for PluginState {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(exceeds(desired, maximum) || self.take(desired - current))
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(exceeds(desired, maximum) || self.take((desired - current).saturating_mul(ELEMENT_BYTES)))
    }

    fn instances(&self) -> usize {
        self.max_instances
    }

    fn memories(&self) -> usize {
        MAX_MEMORIES
    }

    fn tables(&self) -> usize {
        MAX_MEMORIES
    }
}

/// Whether wasmtime refuses a growth itself after it asked the limiter. Such a growth takes nothing.
fn exceeds(desired: usize, maximum: Option<usize>) -> bool {
    maximum.is_some_and(|maximum| desired > maximum)
}
