//! The addon of the npm package `queue-store`: the Rust library for Node.js.
//!
//! It has the calls of the contract alone; what users see is in `package`. Every call is made on a thread of the pool
//! that Node.js has for blocking work, and answers with a promise.

// The generated code is unsafe, and has its own allowance.
#![deny(unsafe_code)]
// For a test build `napi` exports nothing.
#![cfg_attr(test, allow(dead_code, unreachable_pub, reason = "there are no exports"))]

mod queue;
mod resources;
mod task;
mod values;
