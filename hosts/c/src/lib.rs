//! The C library: the functions of `include/queue_store.h`, where they are documented, on the Rust library.
//!
//! Every function that is exported is unsafe to call with other pointers than the header asks for.

mod arguments;
mod errors;
mod queue;
mod resources;
