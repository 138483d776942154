//! Single cases in which one safeguard alone keeps a promise. Each returns the broken promise, in words, or none. The system
//! tells `lie` in the last call that changes the queue.

use crate::bindings::{EnvelopeChange, ErrorCode, Format, Item, Outcome, ids, mail, no_change};
use crate::instance::Result;
use crate::simulator::disk::Disk;
use crate::simulator::host::{ComponentUnderTest, Simulated};
use crate::simulator::lie::Lie;
use crate::simulator::power::{Profile, Sampling, cuts};
use crate::simulator::world::{Fault, Operation, World};
use std::sync::{Arc, Mutex};

fn system(component: &ComponentUnderTest) -> Simulated {
    Simulated::of(component, Arc::new(Mutex::new(World::new())))
}

/// Creates a system that has the item `x`.
fn with_x(component: &ComponentUnderTest) -> Simulated {
    let mut system = system(component);
    system.put(Some("x"), &mail(b"a body that can be damaged"), None).expect("an empty queue takes a put");
    system
}

fn done(outcomes: Result<Vec<Outcome>>) -> bool {
    outcomes.is_ok_and(|outcomes| outcomes.iter().all(|outcome| outcome.problem.is_none()))
}

/// Sets the lie that the system tells from here on.
fn tell(system: &Simulated, lie: Option<Lie>) {
    system.world().lie = lie;
}

/// A call on an item that has an unsynced second name, with a power cut anywhere in it.
fn with_second_name(
    component: &ComponentUnderTest,
    lie: Option<Lie>,
    call: impl Fn(&mut Simulated) -> bool,
) -> Option<String> {
    let mut system = with_x(component);
    system.world().disk.link("m:x", "h:x").expect("the second name is free");
    system.world().snapshots = Some(Vec::new());
    tell(&system, lie);
    assert!(call(&mut system), "the call succeeds without a fault");
    let snapshots = system.world().snapshots.take().unwrap_or_default();
    let mut first = |_| 0;
    let mut sampling = Sampling { most: usize::MAX, random: &mut first };
    let mut left = snapshots.iter().flat_map(|(_, disk)| cuts(disk, Profile::Posix, &mut sampling));
    let is_gone = |disk: &Disk| !disk.entries.contains_key("m:x") && !disk.entries.contains_key("h:x");
    left.any(|disk| is_gone(&disk)).then(|| "a power cut removes both names of `x`".to_string())
}

/// A hold of an item with a second name keeps one of the two at every moment.
pub(super) fn hold_with_second_name(component: &ComponentUnderTest, lie: Option<Lie>) -> Option<String> {
    with_second_name(component, lie, |system| done(system.hold(&ids(&["x"]))))
}

/// A recovery of an item with a second name keeps one of the two at every moment.
pub(super) fn recovery_with_second_name(component: &ComponentUnderTest, lie: Option<Lie>) -> Option<String> {
    with_second_name(component, lie, |system| system.recover(0).is_ok())
}

/// A recovery that failed to fsync an item and to rewrite it rewrites it later, although a second fsync succeeds.
pub(super) fn recovery_fsyncs_twice(component: &ComponentUnderTest, lie: Option<Lie>) -> Option<String> {
    let mut system = with_x(component);
    system.world().disk.link("m:x", "h:x").expect("the second name is free");
    tell(&system, lie);
    system.world().fail(Operation::SyncFile, "io");
    // Two creations make the mark, and the third one the new file.
    let no_space =
        Fault { operation: Operation::Create, skip: 2, times: 1, error: "insufficient-space", takes_effect: false };
    system.world().faults.push(no_space);
    let recovery = system.recover(0).expect("the directory can be read");
    (recovery.durable_items > recovery.rewritten).then(|| format!("recovery returned {recovery:?}"))
}

/// A recovery does not open the queue over a failure of another process that it did not act on.
pub(super) fn recovery_with_failure_meanwhile(component: &ComponentUnderTest, lie: Option<Lie>) -> Option<String> {
    let mut system = with_x(component);
    tell(&system, lie);
    system.world().late_mark = Some("AAAAAAAAAAA:x".to_string());
    let recovered = system.recover(0);
    recovered.is_ok().then(|| format!("a recovery over a failure meanwhile returned {recovered:?}"))
}

/// Creates a system in which `x` is quarantined, and chasquid put an item of the same id since. Returns the files of both.
fn with_quarantined_and_live(component: &ComponentUnderTest) -> (Simulated, [Vec<u8>; 2]) {
    let mut system = with_x(component);
    let first = system.world().content("m:x").expect("the put wrote the file").to_vec();
    assert!(done(system.quarantine(&ids(&["x"]))), "an intact item can be quarantined");
    let item = Item { id: "x".to_string(), envelope: mail(b"").envelope, body: b"the second body".to_vec() };
    let second = system.encode(&item, Format::Text).expect("the item is within the limits of the format");
    let mut world = system.world();
    let inode = world.create("m:x").expect("the name is free");
    world.write(inode, 0, &second).expect("the disk has space");
    drop(world);
    (system, [first, second])
}

/// Returns a violation where one of the files has no name any more.
fn lost(system: &Simulated, files: &[Vec<u8>]) -> Option<String> {
    let world = system.world();
    let exists = |file: &Vec<u8>| world.entries.keys().any(|name| world.content(name) == Some(file));
    (!files.iter().all(exists)).then(|| {
        let names: Vec<&String> = world.entries.keys().collect();
        format!("one of two items of one id is gone: {names:?}")
    })
}

/// A quarantine beside a quarantined item of the same id keeps both.
pub(super) fn quarantine_twice(component: &ComponentUnderTest, lie: Option<Lie>) -> Option<String> {
    let (mut system, files) = with_quarantined_and_live(component);
    tell(&system, lie);
    assert!(done(system.quarantine(&ids(&["x"]))), "an intact item can be quarantined");
    lost(&system, &files)
}

/// A restoration keeps a live item of the same id.
pub(super) fn restore_beside_live(component: &ComponentUnderTest, lie: Option<Lie>) -> Option<String> {
    let (mut system, files) = with_quarantined_and_live(component);
    tell(&system, lie);
    let _ = system.release(&ids(&["x"]));
    lost(&system, &files)
}

/// A damaged item is not restored.
pub(super) fn restore_damaged(component: &ComponentUnderTest, lie: Option<Lie>) -> Option<String> {
    let mut system = with_x(component);
    assert!(done(system.quarantine(&ids(&["x"]))), "an intact item can be quarantined");
    truncate(&system, "q:x");
    tell(&system, lie);
    done(system.release(&ids(&["x"]))).then(|| "a truncated item was restored".to_string())
}

/// Removes the last line of a file, which is the trailer line.
fn truncate(system: &Simulated, name: &str) {
    let mut world = system.world();
    let content = world.content_mut(name).expect("the file exists");
    let end = content.windows(3).rposition(|bytes| bytes == b"\n# ").expect("the file has a trailer line");
    content.truncate(end + 1);
}

/// Changes a bit in the body of a file.
fn flip(system: &Simulated, name: &str) {
    let mut world = system.world();
    let content = world.content_mut(name).expect("the file exists");
    let at = content.windows(6).position(|bytes| bytes == b"a body").expect("the file has the body");
    content[at] ^= 1;
}

/// A truncated item is not returned.
pub(super) fn read_truncated(component: &ComponentUnderTest, lie: Option<Lie>) -> Option<String> {
    let mut system = with_x(component);
    truncate(&system, "m:x");
    tell(&system, lie);
    system.get("x").is_ok().then(|| "an item without its trailer line was returned".to_string())
}

/// An item with a changed bit is not returned.
pub(super) fn read_flipped(component: &ComponentUnderTest, lie: Option<Lie>) -> Option<String> {
    let mut system = with_x(component);
    flip(&system, "m:x");
    tell(&system, lie);
    system.get("x").is_ok().then(|| "an item with a changed bit was returned".to_string())
}

/// A damaged item does not get new checksums by an update.
pub(super) fn update_damaged(component: &ComponentUnderTest, lie: Option<Lie>) -> Option<String> {
    let mut system = with_x(component);
    flip(&system, "m:x");
    tell(&system, lie);
    let change = EnvelopeChange { reverse_path: Some("new@example.com".to_string()), ..no_change() };
    system.update("x", &change, None).is_ok().then(|| "a damaged item was updated, and has new checksums".to_string())
}

/// A recovery rewrites an item whose fsync fails on a disk that has no more space than a temporary file takes.
pub(super) fn recover_on_full_disk(component: &ComponentUnderTest, lie: Option<Lie>) -> Option<String> {
    let mut system = with_x(component);
    {
        let mut world = system.world();
        let used = world.content("m:x").map_or(0, <[u8]>::len);
        let inode = world.create(".m:AAAAAAAAAAA").expect("the name is free");
        world.write(inode, 0, &vec![b'x'; used]).expect("the disk has space");
        world.capacity = Some(2 * used);
        world.fail(Operation::SyncFile, "io");
    }
    tell(&system, lie);
    let recovery = system.recover(0);
    let is_complete = recovery.as_ref().is_ok_and(|report| report.problems.is_empty() && report.rewritten == 1);
    (!is_complete).then(|| format!("recovery returned {recovery:?}"))
}

/// A recovery retains a temporary file that is being written, although the clock of the host is far ahead.
pub(super) fn recover_with_other_clock(component: &ComponentUnderTest, lie: Option<Lie>) -> Option<String> {
    let mut system = system(component);
    let inode = system.world().create(".m:AAAAAAAAAAA").expect("the name is free");
    system.world().write(inode, 0, b"half a mail").expect("the disk has space");
    system.world().clock_ahead = 40 * 3600;
    tell(&system, lie);
    let recovery = system.recover(36 * 3600).expect("a recovery without a fault succeeds");
    (recovery.temporary_kept != 1).then(|| format!("a new temporary file was removed: {recovery:?}"))
}

/// A queue that was told that an fsync failed in another instance refuses changes until it is recovered.
pub(super) fn put_after_require_recovery(component: &ComponentUnderTest, lie: Option<Lie>) -> Option<String> {
    let mut system = with_x(component);
    tell(&system, lie);
    system.require_recovery().expect("the queue can be opened");
    let refused = |result: Result<String>| result.is_err_and(|error| error.code == ErrorCode::NeedsRecovery);
    if !refused(system.put(None, &mail(b"another"), None)) {
        return Some("a queue in need of recovery took a put".to_string());
    }
    system.recover(0).expect("a recovery without a fault succeeds");
    system.put(None, &mail(b"another"), None).err().map(|error| format!("after recovery: {error:?}"))
}

/// Two puts with the same randomness, one after the other, are two items.
pub(super) fn puts_with_same_randomness(component: &ComponentUnderTest, lie: Option<Lie>) -> Option<String> {
    let mut system = system(component);
    system.world().random = vec![3, 3];
    let first = system.put(None, &mail(b"first"), None).expect("an empty queue takes a put");
    tell(&system, lie);
    let second = system.put(None, &mail(b"second"), None).expect("a put generates another id");
    (first == second).then(|| format!("`{first}` was replaced"))
}
