//! `durable-file`.

use super::bindings::exports::mail::queue::durable_file::{
    Durability, Error, FileOperation, FileOperationKind, Guest, Publish,
};
use super::{Component, state};
use crate::file;
use crate::message::Timestamp;
use alloc::string::String;
use alloc::vec::Vec;

impl Guest for Component {
    fn write_file(
        path: String,
        data: Vec<u8>,
        before_publish: Vec<FileOperation>,
        publish: Publish,
        durability: Durability,
    ) -> Result<(), Error> {
        let operations: Result<Vec<_>, _> = before_publish.iter().map(operation).collect();
        let publish = match publish {
            Publish::Replace => file::Publish::Replace,
            Publish::CreateNew => file::Publish::CreateNew,
        };
        let state = state();
        let (system, counters) = (state.system.as_ref(), &state.counters);
        Ok(file::write(system, counters, &path, &data, &operations?, publish, durability.into())?)
    }

    fn read_file(path: String) -> Result<Vec<u8>, Error> {
        Ok(file::read(state().system.as_ref(), &path)?)
    }

    fn sync_file(path: String) -> Result<(), Error> {
        Ok(file::sync(state().system.as_ref(), &state().counters, &path)?)
    }
}

fn operation(operation: &FileOperation) -> Result<file::FileOperation, crate::error::Error> {
    match (operation.kind, operation.modified) {
        (FileOperationKind::Sync, None) => Ok(file::FileOperation::Sync),
        (FileOperationKind::SyncData, None) => Ok(file::FileOperation::SyncData),
        (FileOperationKind::SetTimes, Some(time)) if time.seconds >= 0 && (0..1_000_000_000).contains(&time.nanos) => {
            Ok(file::FileOperation::SetTimes(Timestamp::from(time)))
        }
        (FileOperationKind::SetTimes, _) => Err(crate::error::Error::invalid(
            "`set-times` needs a time of 0 or more seconds and 0 to 999999999 nanoseconds",
        )),
        (_, Some(_)) => Err(crate::error::Error::invalid("only `set-times` takes a time")),
    }
}
