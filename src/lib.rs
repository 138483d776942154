//! A durable mail queue as a WebAssembly component.
#![cfg_attr(target_family = "wasm", no_std)]

extern crate alloc;

pub mod acceptance;
#[cfg(any(test, target_family = "wasm"))]
mod allocator;
mod binary;
pub mod codec;
#[cfg(target_family = "wasm")]
mod component;
#[cfg(target_family = "wasm")]
use component::abi::begin as begin_call;
pub mod counters;
mod durable_write;
mod encoder;
pub mod error;
pub mod file;
pub mod filesystem;
pub mod id;
mod input;
mod integrity;
pub mod limits;
pub mod list;
pub mod message;
pub mod mutant;
pub mod name;
pub mod queue;
mod reader;
#[cfg(target_family = "wasm")]
mod runtime;
mod split;
mod text;
mod zeros;
