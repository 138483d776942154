//! Every function of the contract that uses the file system, each with a call in which it does its work.

use crate::support::{one, put};
use queue_store_host_test::bindings::{
    Attempt, Detail, Durability, EnvelopeChange, ErrorCode, Format, Item, Outcome, Publish, State, WriteOptions,
    envelope, identified, mail, no_change, options,
};
use queue_store_host_test::instance::Result;
use queue_store_host_test::simulator::host::Simulated;
use queue_store_host_test::simulator::world::Operation;
use std::collections::BTreeMap;

/// Whether a call changes the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It only reads.
    Reads,
    /// It changes the queue.
    ChangesQueue,
    /// It changes a file that is no item, so that no queue is closed by its failure.
    ChangesFile,
}

/// A function of the contract.
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) prepare: fn(&mut Simulated),
    pub(crate) call: fn(&mut Simulated) -> Result<()>,
    pub(crate) effect: Effect,
}

impl Function {
    const fn reads(name: &'static str, call: fn(&mut Simulated) -> Result<()>) -> Function {
        Function { name, prepare: put_x, call, effect: Effect::Reads }
    }

    const fn changes(
        name: &'static str,
        prepare: fn(&mut Simulated),
        call: fn(&mut Simulated) -> Result<()>,
    ) -> Function {
        Function { name, prepare, call, effect: Effect::ChangesQueue }
    }

    const fn writes_file(name: &'static str, call: fn(&mut Simulated) -> Result<()>) -> Function {
        Function { name, prepare: nothing, call, effect: Effect::ChangesFile }
    }

    /// Returns the operations of the system that the call makes, and how often it makes each.
    pub(crate) fn operations(&self) -> BTreeMap<Operation, usize> {
        let mut system = Simulated::new();
        (self.prepare)(&mut system);
        system.world().log.clear();
        (self.call)(&mut system).unwrap_or_else(|error| panic!("{}: {error:?}", self.name));
        let mut operations = BTreeMap::new();
        for operation in system.world().operations() {
            *operations.entry(operation).or_default() += 1;
        }
        operations
    }
}

fn nothing(_: &mut Simulated) {}

pub(crate) fn put_x(system: &mut Simulated) {
    put(system, "x", b"body");
}

fn put_x_in(system: &mut Simulated, state: State) {
    put_x(system);
    only(system.set_state(&one("x"), state)).expect("an intact item is moved");
}

fn edit_x(system: &mut Simulated) {
    put_x(system);
    let mut world = system.world();
    let content = world.content_mut("m:x").expect("the item is ready, in text");
    let at = content.windows(4).position(|window| window == b"body").expect("the item has the body");
    content[at..at + 4].copy_from_slice(b"BODY");
}

/// Returns the result of the only item of a call for several.
fn only(outcomes: Result<Vec<Outcome>>) -> Result<()> {
    outcomes?.remove(0).problem.map_or(Ok(()), Err)
}

/// Puts a mail under an id that is taken, which must be refused as that.
fn put_of_taken_id(system: &mut Simulated) -> Result<()> {
    match system.put(Some("x"), &mail(b"other"), None) {
        Err(error) if error.code == ErrorCode::Exists => Ok(()),
        Err(error) => Err(error),
        Ok(_) => panic!("a put replaced an item"),
    }
}

fn draft(system: &mut Simulated) -> Result<()> {
    let draft = system.begin(Some("x"), &envelope(), None)?;
    if let Err(error) = system.draft_write(draft, &b"body".repeat(16_000)) {
        system.drop_resource(draft);
        return Err(error);
    }
    system.draft_commit(draft).map(|_| ())
}

fn submission(system: &mut Simulated) -> Result<()> {
    let submission = system.submission_begin("a@example.com", &one("b@example.com"))?;
    system.submission_write(submission, b"body")?;
    system.submission_commit(submission).map(|_| ())
}

fn update(system: &mut Simulated) -> Result<()> {
    let change = EnvelopeChange { to: Some(vec!["new@example.com".to_string()]), ..no_change() };
    system.update("x", &change, None).map(|_| ())
}

fn record_attempts(system: &mut Simulated) -> Result<()> {
    let attempts = [Attempt { recipient: 0, status: 1, message: String::new() }];
    system.record_attempts("x", &attempts, None, None).map(|_| ())
}

fn listing(system: &mut Simulated) -> Result<()> {
    let mut entries = system.list(&[], Detail::Whole, 10)?;
    entries.pop().and_then(|entry| entry.problem).map_or(Ok(()), Err)
}

fn write_file(system: &mut Simulated, publish: Publish) -> Result<()> {
    system.write_file("queue/file", b"data", &[], publish, Durability::Full)
}

/// Makes `x` an item that is ready beside one that is quarantined, as a restored backup can do.
fn put_x_beside_quarantined(system: &mut Simulated) {
    put_x_in(system, State::Quarantined);
    let item = Item { id: "x".to_string(), envelope: envelope(), body: b"restored".to_vec() };
    let bytes = system.encode(&item, Format::Text).expect("the item is within the limits");
    let mut world = system.world();
    let inode = world.create("m:x").expect("the name is free");
    world.write(inode, 0, &bytes).expect("the disk has space");
}

pub(crate) const FUNCTIONS: &[Function] = &[
    Function::changes("put", nothing, |system| system.put(None, &mail(b"body"), None).map(|_| ())),
    Function::changes("put under an id", nothing, |system| system.put(Some("x"), &mail(b"body"), None).map(|_| ())),
    Function::changes("put under a taken id", put_x, put_of_taken_id),
    Function::changes("put with max-items", put_x, |system| {
        let options = WriteOptions { max_items: Some(9), ..options() };
        system.put(None, &mail(b"body"), Some(options)).map(|_| ())
    }),
    Function::changes("put-many", nothing, |system| only(system.put_many(&[identified(None, mail(b"body"))], None))),
    Function::changes("draft", nothing, draft),
    Function::changes("submit", nothing, |system| {
        system.submit("a@example.com", &one("b@example.com"), b"body").map(|_| ())
    }),
    Function::changes("submission", nothing, submission),
    Function::changes("update", put_x, update),
    Function::changes("record-attempts", put_x, record_attempts),
    Function::changes("remove", put_x, |system| only(system.remove(&one("x"), &[], None))),
    Function::changes(
        "remove of a quarantined item",
        |system| put_x_in(system, State::Quarantined),
        |system| only(system.remove(&one("x"), &[State::Quarantined], None)),
    ),
    Function::changes("hold", put_x, |system| only(system.set_state(&one("x"), State::Held))),
    Function::changes(
        "hold of a held item",
        |system| put_x_in(system, State::Held),
        |system| only(system.set_state(&one("x"), State::Held)),
    ),
    Function::changes(
        "release",
        |system| put_x_in(system, State::Held),
        |system| only(system.set_state(&one("x"), State::Ready)),
    ),
    Function::changes("quarantine", put_x, |system| only(system.set_state(&one("x"), State::Quarantined))),
    Function::changes("quarantine of a second item", put_x_beside_quarantined, |system| {
        only(system.set_state(&one("x"), State::Quarantined))
    }),
    Function::changes(
        "release of a quarantined item",
        |system| put_x_in(system, State::Quarantined),
        |system| only(system.set_state(&one("x"), State::Ready)),
    ),
    Function::changes(
        "hold of a quarantined item",
        |system| put_x_in(system, State::Quarantined),
        |system| only(system.set_state(&one("x"), State::Held)),
    ),
    Function::changes("seal", edit_x, |system| only(system.seal(&one("x")))),
    Function::reads("get", |system| system.get("x").map(|_| ())),
    Function::reads("info", |system| system.info("x").map(|_| ())),
    Function::reads("read", |system| system.read_body("x", 0, 2).map(|_| ())),
    Function::reads("verify", |system| only(system.verify(&one("x")))),
    Function::reads("count", |system| system.count().map(|_| ())),
    Function::reads("items", listing),
    Function::reads("read-file", |system| system.read_file("queue/m:x").map(|_| ())),
    Function::writes_file("write-file", |system| write_file(system, Publish::Replace)),
    Function::writes_file("write-file of a new file", |system| write_file(system, Publish::CreateNew)),
    Function { prepare: put_x, ..Function::writes_file("sync-file", |system| system.sync_file("queue/m:x")) },
];
