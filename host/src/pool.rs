//! The instances that serve one queue.

use crate::error::Error;
use crate::host::Shared;
use crate::instance::{Call, Instance};
use crate::types::{self, ErrorCode, Operation, Recovery};
use nix::sys::statvfs::{FsFlags, statvfs};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The instances that serve one queue.
pub(crate) struct Pool {
    shared: Arc<Shared>,
    path: PathBuf,
    queue: Arc<str>,
    kept: Mutex<Kept>,
}

/// What of a pool changes.
#[derive(Default)]
struct Kept {
    idle: Vec<Instance>,
    /// Instances that reported a failed sync. They alone know what is in doubt, so they recover it.
    doubtful: Vec<Instance>,
    /// Whether the queue is closed for writing until it is recovered.
    needs_recovery: bool,
    /// Grows with every recovery. Instances of an older one may take the queue for closed, and are not kept.
    recoveries: u64,
}

impl Pool {
    pub(crate) fn new(shared: Arc<Shared>, path: &Path) -> Pool {
        // The component names the queue in its errors, so it gets the name that the caller has for it.
        let queue = path.to_str().filter(|path| !path.is_empty()).unwrap_or("queue").into();
        Pool { shared, path: path.to_path_buf(), queue, kept: Mutex::default() }
    }

    /// Calls an instance that is idle, or a new one.
    pub(crate) fn call<T>(
        self: &Arc<Pool>,
        call: impl FnOnce(Call<'_>) -> wasmtime::Result<Result<T, types::Error>>,
    ) -> Result<T, Error> {
        self.lease()?.call(call)
    }

    /// An instance for as long as the lease lasts.
    pub(crate) fn lease(self: &Arc<Pool>) -> Result<Lease, Error> {
        let (idle, needs_recovery, recoveries) = {
            let mut kept = self.kept();
            (kept.idle.pop(), kept.needs_recovery, kept.recoveries)
        };
        let mut instance = match idle {
            Some(instance) => instance,
            None => Instance::new(&self.shared, &self.path, &self.queue)?,
        };
        if needs_recovery {
            instance.call(|Call { store, exports, queue }| {
                exports.mail_queue_queue_store().call_require_recovery(store, queue)
            })?;
        }
        Ok(Lease { pool: self.clone(), instance: Some(instance), recoveries, doubtful: false })
    }

    /// Recovers the queue: in every instance that knows of something in doubt, or else in any.
    pub(crate) fn recover(self: &Arc<Pool>, older_than_seconds: u64) -> Result<Recovery, Error> {
        let (doubtful, recoveries) = {
            let mut kept = self.kept();
            (std::mem::take(&mut kept.doubtful), kept.recoveries)
        };
        let lease = |instance| Lease { pool: self.clone(), instance: Some(instance), recoveries, doubtful: true };
        let mut leases: Vec<Lease> = doubtful.into_iter().map(lease).collect();
        if leases.is_empty() {
            leases.push(self.lease()?);
        }
        let mut total: Option<Recovery> = None;
        for lease in &mut leases {
            let mut recovery = lease.call(|Call { store, exports, queue }| {
                exports.mail_queue_queue_store().call_recover(store, queue, older_than_seconds)
            })?;
            recovery.problems.iter_mut().for_each(|problem| self.correct(problem));
            lease.doubtful = false;
            // Each recovers all of the queue; the last one says how it is.
            if let Some(before) = total.take() {
                let Recovery { swept, settled, .. } = before;
                total =
                    Some(Recovery { swept: recovery.swept + swept, settled: recovery.settled + settled, ..recovery });
            } else {
                total = Some(recovery);
            }
        }
        let mut kept = self.kept();
        kept.needs_recovery = !kept.doubtful.is_empty();
        kept.recoveries += 1;
        kept.idle.clear();
        drop(kept);
        for lease in &mut leases {
            lease.recoveries += 1;
        }
        total.ok_or_else(|| unreachable!("there is a lease"))
    }

    /// Corrects what WASI could not pass on: `wasmtime-wasi` takes a file system that is read-only for a device that failed.
    fn correct(&self, error: &mut types::Error) {
        use Operation::{Create, Link, Rename, Unlink};
        if error.code == ErrorCode::Io
            && matches!(error.operation, Create | Link | Rename | Unlink)
            && statvfs(&self.path).is_ok_and(|found| found.flags().contains(FsFlags::ST_RDONLY))
        {
            error.code = ErrorCode::ReadOnly;
            error.detail = "the file system is read-only".to_string();
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An instance of a pool, which goes back there.
pub(crate) struct Lease {
    pool: Arc<Pool>,
    /// None after it trapped.
    instance: Option<Instance>,
    recoveries: u64,
    /// Whether it reported something that only it can recover.
    doubtful: bool,
}

impl Lease {
    /// Calls the instance.
    pub(crate) fn call<T>(
        &mut self,
        call: impl FnOnce(Call<'_>) -> wasmtime::Result<Result<T, types::Error>>,
    ) -> Result<T, Error> {
        let mut instance = match self.instance.take() {
            Some(instance) => instance,
            // What was open in the old one is gone with it.
            None => return Err(Error::Component(wasmtime::Error::msg("its instance failed before"))),
        };
        let mut result = instance.call(call);
        match &mut result {
            Ok(_) => self.instance = Some(instance),
            Err(Error::Queue(error)) => {
                self.instance = Some(instance);
                self.note(error);
            }
            Err(_) => {}
        }
        result
    }

    /// Notes what an error, also in an outcome of a batch, means for the queue.
    pub(crate) fn note(&mut self, error: &mut types::Error) {
        self.pool.correct(error);
        if matches!(error.code, ErrorCode::Indeterminate | ErrorCode::NeedsRecovery)
            || error.operation == Operation::SyncDirectory
        {
            self.doubtful |= error.code == ErrorCode::Indeterminate;
            self.pool.kept().needs_recovery = true;
        }
    }

    /// Drops a resource of the instance.
    pub(crate) fn drop_resource(&mut self, resource: wasmtime::component::ResourceAny) {
        if let Some(instance) = &mut self.instance
            && instance.drop_resource(resource).is_err()
        {
            self.instance = None;
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(instance) = self.instance.take() else {
            return;
        };
        let mut kept = self.pool.kept();
        if self.doubtful {
            kept.doubtful.push(instance);
        } else if self.recoveries == kept.recoveries
            && instance.is_small()
            && kept.idle.len() < self.pool.shared.limits.kept_instances
        {
            kept.idle.push(instance);
        }
    }
}
