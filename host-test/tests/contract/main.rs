//! The contract, function by function, on real directories and on a simulated system.

mod concurrency;
mod damage;
mod durable_file;
mod escape;
mod failures;
mod intake;
mod item_codec;
mod queue_store;
mod queue_stream;
