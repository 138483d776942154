//! The world, as `wit-bindgen` generates it from `wit/`.

#![allow(missing_docs, unreachable_pub, clippy::undocumented_unsafe_blocks, reason = "generated")]

wit_bindgen::generate!({ path: "../../../wit", world: "operator-plugin" });
