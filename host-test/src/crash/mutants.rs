//! The component without one of its safeguards: each absence must be noticed.

use super::cases;
use super::explore::{Explorer, Search};
use crate::bindings::{Durability, EnvelopeChange, ErrorCode, mail, no_change};
use crate::guest;
use crate::instance::ENGINE;
use crate::simulator::gate::{Gate, each_order};
use crate::simulator::host::{Simulated, Subject};
use crate::simulator::power::Profile;
use crate::simulator::world::World;
use std::fmt::{self, Display};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use wasmtime::component::Component;

/// What notices that a safeguard is missing.
#[derive(Clone, Copy, Debug)]
pub enum Judge {
    /// A crash in this scenario.
    Crash(Profile, &'static str),
    /// Two puts at once, in some order of their operations.
    Interleaving([Option<&'static str>; 2]),
    /// Two puts, one after the other, that draw the same randomness.
    Repetition,
    /// A damaged item that is read, or updated.
    Damage,
    /// A case of its own, in words.
    Case(&'static str, fn(&Subject) -> Option<String>),
}

impl Display for Judge {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Judge::Crash(_, scenario) => write!(formatter, "a crash in `{scenario}`"),
            Judge::Interleaving([None, _]) => formatter.write_str("two puts at once that draw the same randomness"),
            Judge::Interleaving(_) => formatter.write_str("two puts at once under one id"),
            Judge::Repetition => formatter.write_str("two puts that draw the same randomness"),
            Judge::Damage => formatter.write_str("a damaged item"),
            Judge::Case(words, _) => formatter.write_str(words),
        }
    }
}

/// Every safeguard by its name in `src/mutant.rs`, and what notices its absence.
pub const MUTANTS: &[(&str, Judge)] = &[
    ("file-sync", Judge::Crash(Profile::Linux, "put 1")),
    ("no-retry", Judge::Crash(Profile::Posix, "put 1 !9 loses pages")),
    ("name-sync", Judge::Crash(Profile::Linux, "put 1")),
    ("not-found-sync", Judge::Crash(Profile::Posix, "put 1; remove 1 !9 killed; remove 1")),
    ("inherited-sync", Judge::Crash(Profile::Posix, "put 1; remove 1 !9 killed; put-binary 1")),
    ("exclusive-create", Judge::Interleaving([None, None])),
    ("write-loop", Judge::Crash(Profile::Posix, "put 1 !8 writes half")),
    ("no-replace", Judge::Interleaving([Some("x"), Some("x")])),
    ("look-at-given", Judge::Crash(Profile::Posix, "put 1; hold 1; put 1")),
    ("look-at-drawn", Judge::Repetition),
    ("remove-temporary", Judge::Crash(Profile::Posix, "put 1 !8 fails io")),
    ("look-after-failure", Judge::Crash(Profile::Posix, "put 1 !10 happens and fails io")),
    ("exists-sync", Judge::Crash(Profile::Posix, "put 2; chasquid 1; put 1")),
    ("close", Judge::Crash(Profile::Posix, "put 1 !12 fails io; put 2")),
    ("sweep", Judge::Crash(Profile::Posix, "put 1")),
    ("recovery-sync", Judge::Crash(Profile::Posix, "old-chasquid 1; recover")),
    ("recovery-name-sync", Judge::Crash(Profile::Posix, "chasquid 1; recover")),
    ("renew", Judge::Crash(Profile::Posix, "old-chasquid 1; put 1 !9 loses pages; recover")),
    ("settle", Judge::Crash(Profile::Hostile, "put 1; hold 1")),
    ("end-marker", Judge::Damage),
    ("checksum", Judge::Damage),
    ("update-checks", Judge::Damage),
    ("move-look", Judge::Case("a hold that fails and happened", cases::hold_that_happened)),
    ("remove-look", Judge::Case("a removal that fails and happened", cases::removal_that_happened)),
    ("move-order", Judge::Case("a hold of an item with a second name", cases::hold_of_a_second_name)),
    ("settle-order", Judge::Case("a recovery of an item with a second name", cases::recovery_of_a_second_name)),
    ("quarantine-apart", Judge::Case("two items of one id in quarantine", cases::quarantined_twice)),
    ("restore-look", Judge::Case("a restoration over an item", cases::restored_over_another)),
    ("restore-checks", Judge::Case("a restoration of a damaged item", cases::restored_damage)),
    ("sweep-first", Judge::Case("a recovery on a full disk", cases::full_disk)),
    ("file-system-age", Judge::Case("a clock that is not the file system's", cases::other_clock)),
    ("siblings", Judge::Case("a put beside an instance whose sync failed", cases::sibling)),
];

/// The component, built so that a safeguard of it can be removed.
///
/// # Panics
///
/// If it does not build.
pub fn subject() -> Subject {
    let bytes = guest::build("queue-store", &["--lib", "--features", "mutants"], "queue_store.wasm", "mutants");
    Subject::of(&Component::new(&ENGINE, bytes).expect("the component is valid"))
}

/// What a judge has to say of a component; none if it finds nothing wrong.
pub fn judge(subject: &Subject, judge: Judge) -> Option<String> {
    match judge {
        Judge::Crash(profile, scenario) => {
            let search = Search { profile, durability: Durability::Full, mishaps: false, choices: 4096 };
            let explorer = Explorer::new(subject, search, 1);
            explorer.replay(&[scenario.parse().expect("a scenario")], &|_| true);
            explorer.violations().first().map(|violation| violation.wrong.clone())
        }
        Judge::Interleaving(ids) => interleave(subject, ids),
        Judge::Repetition => repeat(subject),
        Judge::Damage => damage(subject),
        Judge::Case(_, case) => case(subject),
    }
}

/// Whether each put that was acknowledged is there.
fn all_there(reader: &mut Simulated, puts: &[Result<String, ErrorCode>]) -> Option<String> {
    for (number, put) in puts.iter().enumerate() {
        let Ok(id) = put else {
            continue;
        };
        match reader.get(id) {
            Ok(item) if item.body == body(number) => {}
            Ok(_) => return Some(format!("`{id}` was replaced")),
            Err(error) => return Some(format!("`{id}` cannot be read: {}", error.detail)),
        }
    }
    None
}

fn body(number: usize) -> Vec<u8> {
    format!("body {number}").into_bytes()
}

fn interleave(subject: &Subject, ids: [Option<&str>; 2]) -> Option<String> {
    let mut wrong = None;
    each_order(3, &mut |order| {
        if wrong.is_some() {
            return order;
        }
        let gate = Arc::new(Gate::new(2, order));
        let world = Arc::new(Mutex::new(World::new()));
        world.lock().unwrap_or_else(PoisonError::into_inner).random = vec![3, 3, 9, 10, 11, 12, 13, 14];
        let put = |actor: usize| {
            let mut instance = Simulated::of(subject, world.clone());
            instance.take_turns(gate.clone(), actor);
            let put = instance.put(ids[actor], &mail(&body(actor)), None);
            gate.end(actor);
            put.map_err(|error| error.code)
        };
        let puts = thread::scope(|scope| {
            let threads = [0, 1].map(|actor| scope.spawn(move || put(actor)));
            threads.map(|thread| thread.join().expect("a put does not trap"))
        });
        wrong = all_there(&mut Simulated::of(subject, world), &puts);
        gate.taken()
    });
    wrong
}

fn repeat(subject: &Subject) -> Option<String> {
    let world = Arc::new(Mutex::new(World::new()));
    let mut system = Simulated::of(subject, world);
    system.world().random = vec![3, 3];
    let puts = [0, 1].map(|number| system.put(None, &mail(&body(number)), None).map_err(|error| error.code));
    all_there(&mut system, &puts)
}

fn damage(subject: &Subject) -> Option<String> {
    let mut system = Simulated::of(subject, Arc::new(Mutex::new(World::new())));
    let put = |system: &mut Simulated, id: &str| {
        system.put(Some(id), &mail(b"a body that can be damaged"), None).expect("a put");
    };
    put(&mut system, "cut");
    {
        let mut world = system.world();
        let content = world.content_mut("m:cut").expect("the file");
        let end = content.windows(3).rposition(|bytes| bytes == b"\n# ").expect("the closing");
        content.truncate(end + 1);
    }
    if system.get("cut").is_ok() {
        return Some("an item without its closing was taken for whole".to_string());
    }
    put(&mut system, "flip");
    let flip = |system: &mut Simulated, id: &str| {
        let mut world = system.world();
        let content = world.content_mut(&format!("m:{id}")).expect("the file");
        let at = content.windows(6).position(|bytes| bytes == b"a body").expect("the body");
        content[at] ^= 1;
    };
    flip(&mut system, "flip");
    if system.get("flip").is_ok() {
        return Some("an item with a flipped bit was taken for whole".to_string());
    }
    put(&mut system, "update");
    flip(&mut system, "update");
    let change = EnvelopeChange { reverse_path: Some("new@example.com".to_string()), ..no_change() };
    system.update("update", &change, None).is_ok().then(|| "a damaged item was updated, and so vouched for".to_string())
}
