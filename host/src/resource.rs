//! A resource that holds its instance while it is open.

use crate::error::Result;
use crate::instance::{Answer, Call};
use crate::pool::{Lease, Pool};
use std::sync::Arc;
use wasmtime::component::ResourceAny;

/// A draft, submission, body reader or listing of the component. Dropping it closes it in the component.
pub(crate) struct Resource {
    lease: Lease,
    handle: ResourceAny,
    consumed: bool,
}

impl Resource {
    /// Opens a resource of a queue.
    pub(crate) fn open(
        pool: &Arc<Pool>,
        open: impl FnOnce(Call<'_>, ResourceAny) -> wasmtime::Result<Answer<ResourceAny>>,
    ) -> Result<Resource> {
        let mut lease = pool.lease()?;
        let handle = lease.call_queue(open)?;
        Ok(Resource { lease, handle, consumed: false })
    }

    /// Opens a resource of `intake`.
    pub(crate) fn open_intake(
        pool: &Arc<Pool>,
        open: impl FnOnce(Call<'_>) -> wasmtime::Result<Answer<ResourceAny>>,
    ) -> Result<Resource> {
        let mut lease = pool.lease()?;
        let handle = lease.call_intake(open)?;
        Ok(Resource { lease, handle, consumed: false })
    }

    /// Calls a method of the resource, which changes no queue.
    pub(crate) fn call<T>(
        &mut self,
        call: impl FnOnce(Call<'_>, ResourceAny) -> wasmtime::Result<Answer<T>>,
    ) -> Result<T> {
        let handle = self.handle;
        self.lease.call(|exports| call(exports, handle))
    }

    /// Calls a function that consumes the resource and may change its queue.
    pub(crate) fn consume<T>(
        mut self,
        call: impl FnOnce(Call<'_>, ResourceAny) -> wasmtime::Result<Answer<T>>,
    ) -> Result<T> {
        let (handle, mut consumed) = (self.handle, false);
        let result = self.lease.call_queue(|exports, _| {
            consumed = true;
            call(exports, handle)
        });
        self.consumed = consumed;
        result
    }

    /// Calls a function of `intake` that consumes the resource and may change the queue.
    pub(crate) fn consume_intake<T>(
        mut self,
        call: impl FnOnce(Call<'_>, ResourceAny) -> wasmtime::Result<Answer<T>>,
    ) -> Result<T> {
        let (handle, mut consumed) = (self.handle, false);
        let result = self.lease.call_intake(|exports| {
            consumed = true;
            call(exports, handle)
        });
        self.consumed = consumed;
        result
    }
}

impl Drop for Resource {
    fn drop(&mut self) {
        if !self.consumed {
            self.lease.drop_resource(self.handle);
        }
    }
}
