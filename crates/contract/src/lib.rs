//! The contract in `wit/`, as `wit-bindgen` generates it for a component that exports the world `queue`: the types, one
//! trait for each interface and resource, and the macro `export!`, which a component calls with its implementation.
//!
//! The generated code is a crate of its own because it converts raw pointers of the canonical ABI: the crate that uses it
//! forbids code of that kind.
#![no_std]
#![allow(missing_docs, unreachable_pub, clippy::undocumented_unsafe_blocks, reason = "generated")]

wit_bindgen::generate!({
    path: "../../wit",
    world: "queue",
    pub_export_macro: true,
});
