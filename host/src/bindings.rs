//! The contract, as wasmtime generates it from `wit/`.

#![allow(missing_docs, reason = "documented in `wit/`")]

wasmtime::component::bindgen!({
    path: "../wit",
    world: "queue",
    with: { "wasi": wasmtime_wasi::p2::bindings::sync },
    additional_derives: [PartialEq, Eq],
});
