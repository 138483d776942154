//! The run time of a WebAssembly component without `std`: an allocator, a panic handler, `cabi_realloc`, and a cell for
//! the state of an instance. It saves the 12 imports that `std` adds to a component for `wasm32-wasip2`.
//!
//! A component depends on this crate, is `#![no_std]`, and writes `use component_rt as _;` if it names nothing of it. On
//! other targets only [`InstanceState`] is there, and `std` provides the rest.
#![no_std]

extern crate alloc;

#[cfg(target_family = "wasm")]
mod wasm;

use core::cell::OnceCell;

/// The state of a component instance: a value that is initialized at its first use and lives as long as the instance.
///
/// A static of this type may hold values that are not [`Sync`], such as `Rc` and `RefCell`: without the threads proposal,
/// which this crate refuses to be compiled with, an instance has one thread.
#[derive(Debug, Default)]
pub struct InstanceState<T>(OnceCell<T>);

#[cfg(all(target_family = "wasm", target_feature = "atomics"))]
compile_error!("`InstanceState` requires an instance with one thread");

// SAFETY: `Sync` requires that a shared reference is sound on several threads. There is one: WebAssembly without the
// threads proposal has no others, and on other targets `get_or_init` is not there.
unsafe impl<T> Sync for InstanceState<T> {}

impl<T> InstanceState<T> {
    /// Creates a state that is not initialized.
    #[must_use]
    pub const fn new() -> InstanceState<T> {
        InstanceState(OnceCell::new())
    }

    /// Returns the state, and initializes it first if this is the first call.
    #[cfg(target_family = "wasm")]
    pub fn get_or_init(&self, initialize: impl FnOnce() -> T) -> &T {
        self.0.get_or_init(initialize)
    }
}
