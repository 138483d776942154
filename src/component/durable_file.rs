//! `durable-file`.

use super::abi::{answer, exports};
use super::state;
use crate::durable_write::Durability;
use crate::file::{self, FileOperation, Publish};
use crate::list::List;

exports! {
    "mail:queue/durable-file@0.1.0#write-file" => (
        path: text, data: list<u8>, before_publish: list<FileOperation>, publish: case<Publish>,
        durability: case<Durability>
    ) {
        let state = state();
        let written =
            file::write(&state.system, &state.counters, &path, &data, &before_publish, publish, durability);
        answer(written)
    };
    "mail:queue/durable-file@0.1.0#read-file" => (path: text) {
        answer(file::read(&state().system, &path).map(List::from))
    };
    "mail:queue/durable-file@0.1.0#sync-file" => (path: text) {
        answer(file::sync(&state().system, &state().counters, &path))
    };
}
