//! `durable-file`.

use super::exports::Component;
use super::state::state;
use crate::storage::durable_file;
use alloc::string::String;
use alloc::vec::Vec;
use queue_store_contract::exports::mail::queue::durable_file::{Durability, Error, FileOperation, Guest, Publish};

impl Guest for Component {
    fn write_file(
        path: String,
        data: Vec<u8>,
        before_publish: Vec<FileOperation>,
        publish: Publish,
        durability: Durability,
    ) -> Result<(), Error> {
        let state = state();
        let before_publish = before_publish.into_iter().map(TryInto::try_into);
        let before_publish: Vec<durable_file::FileOperation> = before_publish.collect::<crate::error::Result<_>>()?;
        Ok(durable_file::write(
            &state.system,
            &state.counters,
            &path,
            &data,
            &before_publish,
            publish.into(),
            durability.into(),
        )?)
    }

    fn read_file(path: String) -> Result<Vec<u8>, Error> {
        Ok(durable_file::read(&state().system, &path)?)
    }

    fn sync_file(path: String) -> Result<(), Error> {
        Ok(durable_file::sync(&state().system, &state().counters, &path)?)
    }
}
