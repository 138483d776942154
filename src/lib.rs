//! A durable mail queue as a WebAssembly component.
//!
//! - [`item`] is the format of an item: bytes to an envelope and a body, and back.
//! - [`storage`] is the seam to the system, and the durable write on it.
//! - [`queue`] is the queue: one verb a file.
//! - `component` exports them by the contract in `wit/`.
//!
//! Compiled for another target than WebAssembly, the crate has the same logic without the exports, for the fuzzers and
//! the benchmarks. Only the component ships, and the tests run it.
#![forbid(unsafe_code)]
#![cfg_attr(target_family = "wasm", no_std)]

extern crate alloc;

#[cfg(target_family = "wasm")]
mod component;
pub mod counters;
pub mod error;
pub mod item;
pub mod limits;
pub mod queue;
pub mod storage;
