//! The interfaces `item-codec`, `durable-file` and `introspection`, for the stores of operators' plugins.

use super::bindings::mail::queue::durable_file::{FileOperation, Publish};
use super::bindings::mail::queue::{durable_file, introspection, item_codec};
use super::state::OperatorState;
use crate::plugin::answer::Answer;
use crate::types::{self, Durability, ErrorCode, Format, Item};

impl item_codec::Host for OperatorState {
    fn encode(&mut self, item: Item, format: Format) -> Answer<Vec<u8>> {
        self.answer(self.queue.store().encode(&item, format))
    }

    fn decode(&mut self, bytes: Vec<u8>, format: Format) -> Answer<Item> {
        self.answer(self.queue.store().decode(bytes, format))
    }
}

/// Every call is answered `unsupported`: a plugin has no directory.
impl durable_file::Host for OperatorState {
    fn write_file(&mut self, path: String, _: Vec<u8>, _: Vec<FileOperation>, _: Publish, _: Durability) -> Answer<()> {
        Ok(Err(no_files(path)))
    }

    fn read_file(&mut self, path: String) -> Answer<Vec<u8>> {
        Ok(Err(no_files(path)))
    }

    fn sync_file(&mut self, path: String) -> Answer<()> {
        Ok(Err(no_files(path)))
    }
}

fn no_files(path: String) -> types::Error {
    types::Error {
        code: ErrorCode::Unsupported,
        operation: "resolve".to_string(),
        path,
        detail: "a plugin has no files of its own".to_string(),
        position: None,
    }
}

impl introspection::Host for OperatorState {
    fn counters(&mut self) -> wasmtime::Result<Vec<(String, u64)>> {
        Ok(self.queue.counters()?)
    }

    fn limits(&mut self) -> wasmtime::Result<Vec<(String, u64)>> {
        Ok(self.queue.limits()?)
    }

    fn about(&mut self) -> wasmtime::Result<Vec<(String, String)>> {
        Ok(self.queue.about()?)
    }
}
