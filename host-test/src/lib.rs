//! Support for the tests of the built component. They run the shipped `queue_store.wasm` under wasmtime, on real
//! directories and on a simulated file system; never a native stand-in.

/// The examples in Rust of the project's README.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

pub mod bindings;
pub mod calls;
pub mod conformance;
pub mod crash;
pub mod generate;
pub mod guest;
pub mod instance;
pub mod operator_plugin;
pub mod postgres_cluster;
pub mod reference;
pub mod requirement;
pub mod simulator;
pub mod test_queue;
