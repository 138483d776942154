//! The component: the contract's exports on the modules of this crate.

mod convert;
mod durable_file;
mod exports;
mod intake;
mod introspection;
mod item_codec;
mod queue_store;
mod state;
