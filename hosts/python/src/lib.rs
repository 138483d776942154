//! The extension module `queue_store._native`: the Rust library for Python.
//!
//! It has the calls of the contract alone. What Python users see is in `python/queue_store`, on this module or on the
//! component in a stock runtime. Every call releases the interpreter's lock.

#![forbid(unsafe_code)]

mod arguments;
mod errors;
mod opened;
mod queue;
mod resources;
mod results;

use pyo3::prelude::*;

/// The calls of the contract on the Rust library.
#[pymodule(name = "_native")]
mod queue_store_native {
    #[pymodule_export]
    use super::queue::NativeQueue;
    #[pymodule_export]
    use super::resources::{NativeBody, NativeDraft, NativeListing};
}
