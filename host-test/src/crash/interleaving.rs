//! Two puts at once, in every order of their operations.

use crate::bindings::{ErrorCode, mail};
use crate::simulator::gate::{Gate, each_order};
use crate::simulator::host::{ComponentUnderTest, Simulated};
use crate::simulator::lie::Lie;
use crate::simulator::world::World;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Runs two puts under these ids, generated ones where there is none, from the same randomness, in every order in which one
/// interrupts the other at most three times. Returns the broken promise, in words: an acknowledged mail that is lost.
pub(super) fn interleave_puts(
    component: &ComponentUnderTest,
    ids: [Option<&str>; 2],
    lie: Option<Lie>,
) -> Option<String> {
    let mut violation = None;
    each_order(3, &mut |order| {
        if violation.is_some() {
            return order;
        }
        let gate = Arc::new(Gate::new(2, order));
        let mut world = World::new();
        (world.random, world.lie) = (vec![3, 3, 9, 10, 11, 12, 13, 14], lie);
        let world = Arc::new(Mutex::new(world));
        let put = |actor: usize| {
            let mut instance = Simulated::of(component, world.clone());
            instance.take_turns(gate.clone(), actor);
            let put = instance.put(ids[actor], &mail(&body(actor)), None);
            gate.end(actor);
            put.map_err(|error| error.code)
        };
        let puts = thread::scope(|scope| {
            let threads = [0, 1].map(|actor| scope.spawn(move || put(actor)));
            threads.map(|thread| thread.join().expect("a put must not trap"))
        });
        world.lock().unwrap_or_else(PoisonError::into_inner).lie = None;
        violation = lost(&mut Simulated::of(component, world), &puts);
        gate.taken()
    });
    violation
}

/// Returns a violation where an acknowledged mail cannot be read.
fn lost(reader: &mut Simulated, puts: &[Result<String, ErrorCode>]) -> Option<String> {
    for (actor, put) in puts.iter().enumerate() {
        let Ok(id) = put else {
            continue;
        };
        match reader.get(id) {
            Ok(item) if item.body == body(actor) => {}
            Ok(_) => return Some(format!("`{id}` was replaced")),
            Err(error) => return Some(format!("`{id}` cannot be read: {}", error.detail)),
        }
    }
    None
}

fn body(actor: usize) -> Vec<u8> {
    format!("body {actor}").into_bytes()
}
