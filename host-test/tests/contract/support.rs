//! Helpers that all tests of the contract use.

use queue_store_host_test::bindings::{ErrorCode, Format, Outcome, WriteOptions, ids, mail, stored_as};
use queue_store_host_test::instance::{Instance, Result};
use std::fmt::Debug;
use std::fs;
use std::path::Path;

/// Every format, each as the options of a put.
pub(crate) fn formats() -> [WriteOptions; 2] {
    [stored_as(Format::Text), stored_as(Format::Binary)]
}

/// Puts a mail under `id`, which must be free.
#[track_caller]
pub(crate) fn put<T>(queue: &mut Instance<T>, id: &str, body: &[u8]) {
    put_as(queue, id, body, None);
}

/// Puts a mail under `id`, which must be free, with these options.
#[track_caller]
pub(crate) fn put_as<T>(queue: &mut Instance<T>, id: &str, body: &[u8], options: Option<WriteOptions>) {
    let stored = queue.put(Some(id), &mail(body), options).expect("a valid mail under a free id is accepted");
    assert_eq!(stored, id);
}

/// Returns the body of the item `id`, which must be intact.
#[track_caller]
pub(crate) fn body<T>(queue: &mut Instance<T>, id: &str) -> Vec<u8> {
    queue.get(id).expect("the item is intact").body
}

/// Returns the code with which a call failed.
#[track_caller]
pub(crate) fn code<T: Debug>(result: Result<T>) -> ErrorCode {
    result.expect_err("the call must be refused").code
}

/// Returns the code of each outcome, or none where it succeeded.
#[track_caller]
pub(crate) fn codes(outcomes: Result<Vec<Outcome>>) -> Vec<Option<ErrorCode>> {
    outcomes.expect("the call has an outcome for each item").iter().map(Outcome::code).collect()
}

/// Returns the code of the only outcome, or none where it succeeded.
#[track_caller]
pub(crate) fn only_code(outcomes: Result<Vec<Outcome>>) -> Option<ErrorCode> {
    let codes = codes(outcomes);
    assert_eq!(codes.len(), 1, "the call was for one item");
    codes[0]
}

/// Asserts that the call succeeded for every item.
#[track_caller]
pub(crate) fn done(outcomes: Result<Vec<Outcome>>) {
    for outcome in outcomes.expect("the call has an outcome for each item") {
        assert_eq!(outcome.problem, None, "{:?}", outcome.id);
    }
}

/// Returns the list of one id.
pub(crate) fn one(id: &str) -> Vec<String> {
    ids(&[id])
}

/// Replaces the first `from` in a file, which must be there, by `to`.
#[track_caller]
pub(crate) fn edit(path: &Path, from: &[u8], to: &[u8]) {
    let bytes = fs::read(path).expect("the file exists");
    let at = bytes.windows(from.len()).position(|window| window == from).expect("the file contains what is replaced");
    fs::write(path, [&bytes[..at], to, &bytes[at + from.len()..]].concat()).expect("the file can be written");
}
