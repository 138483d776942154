//! The contract, as wasmtime generates it from `wit/`.

#![allow(missing_docs, reason = "documented in `wit/`")]

wasmtime::component::bindgen!({
    path: "wit",
    world: "queue",
    additional_derives: [PartialEq, Eq],
});
