//! The instances that serve one queue.

use crate::counters::Counters;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::instance::{Answer, Call, Instance};
use crate::read_only;
use crate::runtime::refuse_in_task;
use crate::types::{self, ErrorCode, Outcome, Recovery};
use std::mem;
use std::os::unix::fs::MetadataExt;
use std::path::{self, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wasmtime::component::ResourceAny;

/// The instances that serve one queue.
pub(crate) struct Pool {
    engine: Arc<Engine>,
    /// The absolute path of the directory.
    directory: PathBuf,
    name: Arc<str>,
    state: Mutex<PoolState>,
}

/// The identity of a directory: two of one path differ if the first was removed.
type DirectoryIdentity = (u64, u64);

/// Pool state behind the lock.
#[derive(Default)]
struct PoolState {
    idle: Vec<Instance>,
    /// Instances in which an fsync failed. Where no mark could be left, only they know which items are unsynced, so they
    /// recover the queue.
    unsynced: Vec<Instance>,
    /// Number of leased instances in which an fsync failed.
    leased_unsynced: usize,
    /// Whether the queue refuses changes until it is recovered.
    closed: bool,
    /// The directory that the instances opened.
    identity: Option<DirectoryIdentity>,
    /// Number of directories that were replaced. The state of an instance of an earlier one means nothing.
    replacements: u64,
    /// Number of recoveries. An instance that was leased before the last one is not kept.
    recoveries: u64,
    /// Counters of the instances that are gone.
    counters: Counters,
}

impl Pool {
    /// Opens the queue in a directory, with one instance.
    pub(crate) fn open(engine: &Arc<Engine>, directory: &Path) -> Result<Pool> {
        engine.check_process()?;
        // The component names the directory in its errors, so it gets the name that the caller uses.
        let name: Arc<str> = directory.to_str().filter(|path| !path.is_empty()).unwrap_or("queue").into();
        let directory = path::absolute(directory).map_err(|source| Error::of_directory(directory, source))?;
        let identity = Some(identity(&directory)?);
        let mut instance = Instance::new(engine, &directory, &name)?;
        instance.queue()??;
        let state = PoolState { closed: instance.closed, idle: vec![instance], identity, ..PoolState::default() };
        Ok(Pool { engine: engine.clone(), directory, name, state: Mutex::new(state) })
    }

    /// The directory of the queue.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The name of the directory to the component, with which the paths in its errors begin.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether the queue refuses changes until it is recovered. In a forked process it refuses everything.
    pub(crate) fn is_closed(&self) -> bool {
        self.engine.check_process().is_err() || self.state().closed
    }

    /// Takes an idle instance, or a new one, until the lease is dropped.
    pub(crate) fn lease(self: &Arc<Pool>) -> Result<Lease> {
        self.engine.check_process()?;
        self.forget_replaced_directory()?;
        let (idle, recoveries, replacements) = {
            let mut state = self.state();
            (state.idle.pop(), state.recoveries, state.replacements)
        };
        let instance = match idle {
            Some(instance) => instance,
            None => Instance::new(&self.engine, &self.directory, &self.name)?,
        };
        Ok(Lease { pool: self.clone(), instance: Some(instance), recoveries, replacements, unsynced: false })
    }

    /// Drops the instances, and the state of the queue, if another directory has the place of the one that they opened.
    fn forget_replaced_directory(&self) -> Result<()> {
        let identity = Some(identity(&self.directory)?);
        let mut state = self.state();
        if state.identity == identity {
            return Ok(());
        }
        state.identity = identity;
        state.closed = false;
        state.recoveries += 1;
        state.replacements += 1;
        state.leased_unsynced = 0;
        let (idle, unsynced) = (mem::take(&mut state.idle), mem::take(&mut state.unsynced));
        drop(state);
        idle.into_iter().chain(unsynced).for_each(|instance| self.retire(instance));
        Ok(())
    }

    /// Recovers the queue: with every instance in which an fsync failed, or else with any.
    pub(crate) fn recover(self: &Arc<Pool>, grace_seconds: u32) -> Result<Recovery> {
        self.engine.check_process()?;
        self.forget_replaced_directory()?;
        let mut leases = self.lease_unsynced();
        let mut last = match leases.pop() {
            Some(lease) => lease,
            None => self.lease()?,
        };
        let (mut temporary_removed, mut rewritten, mut problems) = (0, 0, Vec::new());
        for lease in &mut leases {
            let recovery = lease.recover(grace_seconds)?;
            temporary_removed += recovery.temporary_removed;
            rewritten += recovery.rewritten;
            if lease.unsynced {
                problems.extend(recovery.problems);
            }
        }
        // Each recovers the whole queue, so the last one reports its state, and the others why they are closed still.
        let mut recovery = last.recover(grace_seconds)?;
        recovery.problems.extend(problems);
        recovery.temporary_removed += temporary_removed;
        recovery.rewritten += rewritten;
        leases.push(last);
        self.reopen(&leases);
        Ok(recovery)
    }

    /// Opens the queue for changes, unless an instance is closed because of an fsync that failed in it since. New
    /// instances serve the queue from then on: the old ones refuse changes, or have an intake that does.
    fn reopen(&self, recovered: &[Lease]) {
        let mut state = self.state();
        // The others are of a directory that was replaced meanwhile.
        let recovered: Vec<&Lease> =
            recovered.iter().filter(|lease| lease.replacements == state.replacements).collect();
        let others = state.leased_unsynced - recovered.iter().filter(|lease| lease.unsynced).count();
        let closed = |instance: &Instance| instance.closed;
        state.closed = others > 0
            || state.unsynced.iter().any(closed)
            || recovered.iter().filter_map(|lease| lease.instance.as_ref()).any(closed);
        state.recoveries += 1;
        let idle = mem::take(&mut state.idle);
        drop(state);
        idle.into_iter().for_each(|instance| self.retire(instance));
    }

    /// Takes the instances in which an fsync failed.
    fn lease_unsynced(self: &Arc<Pool>) -> Vec<Lease> {
        let mut state = self.state();
        let (recoveries, replacements) = (state.recoveries, state.replacements);
        let unsynced = mem::take(&mut state.unsynced);
        state.leased_unsynced += unsynced.len();
        let lease =
            |instance| Lease { pool: self.clone(), instance: Some(instance), recoveries, replacements, unsynced: true };
        unsynced.into_iter().map(lease).collect()
    }

    /// Returns the counters of all instances but those that are leased.
    pub(crate) fn counters(&self) -> Result<Vec<(String, u64)>> {
        self.engine.check_process()?;
        let PoolState { idle, unsynced, counters, .. } = &mut *self.state();
        let mut total = counters.clone();
        for instance in idle.iter_mut().chain(unsynced) {
            total.add(instance.counters()?);
        }
        Ok(total.into_list())
    }

    /// Drops an instance, and keeps its counters.
    fn retire(&self, mut instance: Instance) {
        if let Ok(counters) = instance.counters() {
            self.state().counters.add(counters);
        }
    }

    /// The answer of a closed queue to a change.
    fn refusal(&self) -> types::Error {
        types::Error {
            code: ErrorCode::NeedsRecovery,
            operation: String::new(),
            path: self.name.to_string(),
            detail: "an fsync failed before; the queue refuses changes until `recover`".to_string(),
            position: None,
        }
    }

    fn state(&self) -> MutexGuard<'_, PoolState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the identity of the directory that a path names.
fn identity(directory: &Path) -> Result<DirectoryIdentity> {
    match directory.metadata() {
        Ok(metadata) => Ok((metadata.dev(), metadata.ino())),
        Err(source) => Err(Error::of_directory(directory, source)),
    }
}

/// An instance of a pool. Dropping the lease returns it.
pub(crate) struct Lease {
    pool: Arc<Pool>,
    /// None after the instance trapped.
    instance: Option<Instance>,
    recoveries: u64,
    replacements: u64,
    /// Whether an fsync failed in the instance.
    unsynced: bool,
}

impl Lease {
    /// Calls a function of the instance that changes no queue.
    pub(crate) fn call<T>(&mut self, call: impl FnOnce(Call<'_>) -> wasmtime::Result<Answer<T>>) -> Result<T> {
        self.with_instance(|instance, _| instance.call(call))
    }

    /// Calls a function of the instance with its queue, which is closed first if the pool is.
    pub(crate) fn call_queue<T>(
        &mut self,
        call: impl FnOnce(Call<'_>, ResourceAny) -> wasmtime::Result<Answer<T>>,
    ) -> Result<T> {
        let recoveries = self.recoveries;
        self.with_instance(|instance, pool| {
            let first_use = !instance.is_open();
            let queue = match instance.queue()? {
                Ok(queue) => queue,
                Err(error) => return Ok(Err(error)),
            };
            if first_use && instance.closed {
                // A recovery since may have removed the mark that it saw.
                let mut state = pool.state();
                state.closed |= state.recoveries == recoveries;
            } else if pool.is_closed() && !instance.closed {
                instance.close(queue)?;
            }
            instance.call(|exports| call(exports, queue))
        })
    }

    /// Calls a function of `intake`, which has a queue of its own that the pool cannot close.
    pub(crate) fn call_intake<T>(&mut self, call: impl FnOnce(Call<'_>) -> wasmtime::Result<Answer<T>>) -> Result<T> {
        refuse_in_task()?;
        self.pool.engine.check_process()?;
        if self.pool.is_closed() {
            return Err(self.pool.refusal().into());
        }
        self.call(call)
    }

    /// Calls a function for several items.
    pub(crate) fn call_batch(
        &mut self,
        call: impl FnOnce(Call<'_>, ResourceAny) -> wasmtime::Result<Answer<Vec<Outcome>>>,
    ) -> Result<Vec<Outcome>> {
        let mut outcomes = self.call_queue(call)?;
        outcomes.iter_mut().filter_map(|outcome| outcome.problem.as_mut()).for_each(|problem| self.note(problem));
        Ok(outcomes)
    }

    /// Drops a resource of the instance. This is no call, so it is done in a task of an async runtime too.
    pub(crate) fn drop_resource(&mut self, resource: ResourceAny) {
        if self.pool.engine.check_process().is_err() {
            // A draft of the parent's, whose temporary file stays.
            return;
        }
        if let Some(instance) = &mut self.instance
            && instance.drop_resource(resource).is_err()
        {
            self.instance = None;
        }
    }

    /// Recovers the queue with the instance.
    fn recover(&mut self, grace_seconds: u32) -> Result<Recovery> {
        // It reads files that are not laid out as usual to their ends, and a recovery that is given up recovers nothing.
        self.set_unlimited(true);
        let answer = self.call_queue(|Call { store, exports }, queue| {
            let queues = exports.mail_queue_queue_store().queue();
            match queues.call_recover(&mut *store, queue, grace_seconds)? {
                Ok(recovery) => Ok(Ok((recovery, queues.call_needs_recovery(store, queue)?))),
                Err(error) => Ok(Err(error)),
            }
        });
        self.set_unlimited(false);
        match answer {
            Ok((mut recovery, needs_recovery)) => {
                recovery.problems.iter_mut().for_each(|problem| read_only::correct(problem, &self.pool.directory));
                if let Some(instance) = &mut self.instance {
                    instance.closed = needs_recovery;
                }
                self.set_unsynced(needs_recovery);
                Ok(recovery)
            }
            Err(error) => {
                // An fsync failed in this instance, also where it was closed because of another.
                self.set_unsynced(self.unsynced || matches!(error, Error::NeedsRecovery(_)));
                Err(error)
            }
        }
    }

    fn set_unlimited(&mut self, unlimited: bool) {
        if let Some(instance) = &mut self.instance {
            instance.set_unlimited(unlimited);
        }
    }

    /// Calls the instance, and notes what its answer means for the queue.
    fn with_instance<T>(&mut self, call: impl FnOnce(&mut Instance, &Pool) -> Result<Answer<T>>) -> Result<T> {
        refuse_in_task()?;
        self.pool.engine.check_process()?;
        // The resources of an instance that trapped are gone with it.
        let trapped = || Error::Component(wasmtime::Error::msg("its instance failed before"));
        let mut instance = self.instance.take().ok_or_else(trapped)?;
        let answer = call(&mut instance, &self.pool)?;
        self.instance = Some(instance);
        answer.map_err(|mut error| {
            self.note(&mut error);
            error.into()
        })
    }

    /// Notes what an error, also in an outcome of a batch, means for the queue.
    fn note(&mut self, error: &mut types::Error) {
        read_only::correct(error, &self.pool.directory);
        let Some(instance) = &mut self.instance else {
            return;
        };
        if matches!(error.code, ErrorCode::Indeterminate | ErrorCode::NeedsRecovery) && !instance.closed {
            instance.closed = true;
            self.set_unsynced(true);
        }
    }

    fn set_unsynced(&mut self, unsynced: bool) {
        let state = &mut self.pool.state();
        if self.replacements == state.replacements {
            state.closed |= unsynced;
            state.leased_unsynced -= usize::from(self.unsynced);
            state.leased_unsynced += usize::from(unsynced);
        }
        self.unsynced = unsynced;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.pool.engine.check_process().is_err() {
            // Never unlocked here, if a thread of the parent held a lock of it.
            mem::forget(self.instance.take());
            return;
        }
        let mut state = self.pool.state();
        let is_current = self.replacements == state.replacements;
        if is_current {
            state.leased_unsynced -= usize::from(self.unsynced);
        }
        let Some(instance) = self.instance.take() else {
            return;
        };
        if self.unsynced && is_current {
            state.unsynced.push(instance);
        } else if self.recoveries == state.recoveries
            && instance.is_small()
            && state.idle.len() < self.pool.engine.limits.kept_instances
        {
            state.idle.push(instance);
        } else {
            drop(state);
            self.pool.retire(instance);
        }
    }
}
