//! The resources of one kind that a plugin has open.

use crate::error::{Error, Result};
use crate::types::ErrorCode;
use std::marker::PhantomData;
use wasmtime::component::{Resource, ResourceTable};

/// The resources of one kind, at most as many as a limit allows.
#[derive(Debug)]
pub(super) struct Table<T> {
    table: ResourceTable,
    /// How many more may be opened.
    remaining: usize,
    /// The name of the limit.
    limit: &'static str,
    kind: PhantomData<fn(T)>,
}

impl<T: Send + 'static> Table<T> {
    pub(super) fn new(max: usize, limit: &'static str) -> Table<T> {
        Table { table: ResourceTable::new(), remaining: max, limit, kind: PhantomData }
    }

    /// Fails with `busy` if as many are open as may be. Called before the resource is made, which costs an instance or a file.
    pub(super) fn check_room(&self) -> Result<()> {
        if self.remaining > 0 {
            return Ok(());
        }
        Err(Error::of_library(ErrorCode::Busy, format!("as many are open as {} allows: drop one", self.limit)))
    }

    /// Adds a resource, after [`Table::check_room`].
    pub(super) fn push(&mut self, value: T) -> wasmtime::Result<Resource<T>> {
        let resource = self.table.push(value)?;
        self.remaining = self.remaining.checked_sub(1).expect("the caller checked that there is room");
        Ok(resource)
    }

    pub(super) fn get_mut(&mut self, resource: &Resource<T>) -> wasmtime::Result<&mut T> {
        Ok(self.table.get_mut(resource)?)
    }

    pub(super) fn delete(&mut self, resource: Resource<T>) -> wasmtime::Result<T> {
        let value = self.table.delete(resource)?;
        self.remaining += 1;
        Ok(value)
    }
}
