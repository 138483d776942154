//! Cases in which one safeguard alone keeps a promise: what breaks it, if anything does.

use super::explore::{Explorer, Search};
use crate::bindings::{Durability, ErrorCode, Format, Item, Outcome, mail};
use crate::instance::ids;
use crate::simulator::disk::Disk;
use crate::simulator::host::{Simulated, Subject};
use crate::simulator::power::{Choice, Profile, cuts};
use crate::simulator::world::{Operation, World};
use std::sync::{Arc, Mutex};

/// Operations of a call, more than there are.
const OPERATIONS: usize = 24;

fn system(subject: &Subject) -> Simulated {
    Simulated::of(subject, Arc::new(Mutex::new(World::new())))
}

/// A system that has the item `x`.
fn with_x(subject: &Subject) -> Simulated {
    let mut system = system(subject);
    system.put(Some("x"), &mail(b"the first body"), None).expect("a put");
    system
}

fn done(outcomes: Result<Vec<Outcome>, crate::bindings::Error>) -> bool {
    outcomes.is_ok_and(|outcomes| outcomes.iter().all(|outcome| outcome.problem.is_none()))
}

/// What breaks when this trouble befalls the last call, at any of its operations.
fn anywhere(subject: &Subject, calls: &str, trouble: &str) -> Option<String> {
    let search = Search { profile: Profile::Posix, durability: Durability::Full, mishaps: false, choices: 4096 };
    let explorer = Explorer::new(subject, search, 1);
    let scenario = |operation| format!("{calls} !{operation} {trouble}").parse().expect("a scenario");
    explorer.replay(&(0..OPERATIONS).map(scenario).collect::<Vec<_>>(), &|_| true);
    explorer.violations().first().map(|violation| violation.wrong.clone())
}

pub(super) fn hold_that_happened(subject: &Subject) -> Option<String> {
    anywhere(subject, "put 1; hold 1", "happens and fails io")
}

pub(super) fn removal_that_happened(subject: &Subject) -> Option<String> {
    anywhere(subject, "put 1; remove 1", "happens and fails io")
}

/// A call, wherever the power is cut in it, on an item that somebody gave a second name and synced neither.
fn of_a_second_name(subject: &Subject, call: fn(&mut Simulated)) -> Option<String> {
    let mut system = with_x(subject);
    system.world().link("m:x", "h:x").expect("a second name");
    system.world().snapshots = Some(Vec::new());
    call(&mut system);
    let snapshots = system.world().snapshots.take().unwrap_or_default();
    let mut draw = |_| 0;
    let mut choice = Choice { most: usize::MAX, draw: &mut draw };
    let mut left = snapshots.iter().flat_map(|(_, disk)| cuts(disk, Profile::Posix, &mut choice));
    let is_gone = |disk: &Disk| !disk.names.contains_key("m:x") && !disk.names.contains_key("h:x");
    left.any(|disk| is_gone(&disk)).then(|| "a power cut takes both names of `x`".to_string())
}

pub(super) fn hold_of_a_second_name(subject: &Subject) -> Option<String> {
    of_a_second_name(subject, |system| assert!(done(system.hold(&ids(&["x"]))), "a hold"))
}

pub(super) fn recovery_of_a_second_name(subject: &Subject) -> Option<String> {
    of_a_second_name(subject, |system| drop(system.recover(0).expect("a recovery")))
}

/// A system in which `x` is quarantined, and an item that chasquid put since has the same id: the files of the two.
fn with_two(subject: &Subject) -> (Simulated, [Vec<u8>; 2]) {
    let mut system = with_x(subject);
    let first = system.world().content("m:x").expect("the file").to_vec();
    assert!(done(system.quarantine(&ids(&["x"]))), "a quarantine");
    let item = Item { id: "x".to_string(), envelope: mail(b"").envelope, body: b"the second body".to_vec() };
    let second = system.encode(&item, Format::Text).expect("an item is encoded");
    let mut world = system.world();
    let inode = world.create("m:x").expect("the name is free");
    world.write(inode, 0, &second).expect("a write");
    drop(world);
    (system, [first, second])
}

fn lost(system: &Simulated, files: &[Vec<u8>]) -> Option<String> {
    let world = system.world();
    let names: Vec<String> = world.names.keys().cloned().collect();
    let is_there = |file: &&Vec<u8>| names.iter().any(|name| world.content(name) == Some(file.as_slice()));
    (!files.iter().all(|file| is_there(&file))).then(|| format!("one of two items of one id is gone: {names:?}"))
}

pub(super) fn quarantined_twice(subject: &Subject) -> Option<String> {
    let (mut system, files) = with_two(subject);
    assert!(done(system.quarantine(&ids(&["x"]))), "a quarantine");
    lost(&system, &files)
}

pub(super) fn restored_over_another(subject: &Subject) -> Option<String> {
    let (mut system, files) = with_two(subject);
    let restored = done(system.restore(&ids(&["x"])));
    lost(&system, &files).or_else(|| restored.then(|| "two items of one id are one".to_string()))
}

pub(super) fn restored_damage(subject: &Subject) -> Option<String> {
    let mut system = with_x(subject);
    assert!(done(system.quarantine(&ids(&["x"]))), "a quarantine");
    {
        let mut world = system.world();
        let content = world.content_mut("q:x").expect("the file");
        let half = content.len() / 2;
        content.truncate(half);
    }
    done(system.restore(&ids(&["x"]))).then(|| "half of an item was restored".to_string())
}

/// A sync fails on a disk that has only the room that a temporary file takes up: there is no other for a new file.
pub(super) fn full_disk(subject: &Subject) -> Option<String> {
    let mut system = with_x(subject);
    {
        let mut world = system.world();
        let used = world.content("m:x").map_or(0, <[u8]>::len);
        let inode = world.create(".m:AAAAAAAAAAA").expect("the name is free");
        world.write(inode, 0, &vec![b'x'; used]).expect("a write");
        world.capacity = Some(2 * used);
        world.fail(Operation::SyncFile, "io");
    }
    let recovery = system.recover(0);
    let whole = recovery.as_ref().is_ok_and(|report| report.problems.is_empty() && report.settled == 1);
    (!whole).then(|| format!("recovery says {recovery:?}"))
}

/// A temporary file that is being written, by the clock of the file system: it stays, whatever another clock says.
pub(super) fn other_clock(subject: &Subject) -> Option<String> {
    let mut system = system(subject);
    let inode = system.world().create(".m:AAAAAAAAAAA").expect("the name is free");
    system.world().write(inode, 0, b"half a mail").expect("a write");
    system.world().clock_ahead = 40 * 3600;
    let recovery = system.recover(36 * 3600).expect("a recovery");
    (recovery.kept != 1).then(|| format!("a temporary file that is new was removed: {recovery:?}"))
}

/// A put through an instance that was told that a sync failed in another one.
pub(super) fn sibling(subject: &Subject) -> Option<String> {
    let system = with_x(subject);
    let mut sibling = Simulated::of(subject, Arc::new(Mutex::new(World::new())));
    std::mem::swap(&mut *system.world(), &mut *sibling.world());
    sibling.require_recovery().expect("it is told");
    let refused = |result: Result<String, crate::bindings::Error>| {
        result.is_err_and(|error| error.code == ErrorCode::NeedsRecovery)
    };
    if !refused(sibling.put(None, &mail(b"another"), None)) {
        return Some("a queue in need of recovery took a put".to_string());
    }
    sibling.recover(0).expect("a recovery");
    sibling.put(None, &mail(b"another"), None).err().map(|error| format!("after recovery: {error:?}"))
}
