//! Several instances on one directory, at once.

use crate::support::{body, done, one};
use queue_store_host_test::bindings::{ErrorCode, envelope, mail};
use queue_store_host_test::instance::Instance;
use queue_store_host_test::simulator::gate::{Gate, each_order};
use queue_store_host_test::simulator::host::Simulated;
use queue_store_host_test::simulator::world::World;
use queue_store_host_test::test_queue::TestQueue;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::thread;

const THREADS: usize = 8;
const PUTS: usize = 1000;

#[test]
fn parallel_puts_lose_and_mix_no_mail() {
    let mut queue = TestQueue::new();
    let path = queue.path().to_path_buf();
    let writer = |thread: usize| {
        let mut instance = Instance::over(&path);
        let put = |number: usize| {
            let body = format!("mail {number} of thread {thread}\r\n").repeat(1 + number % 50).into_bytes();
            (instance.put(None, &mail(&body), None).expect("a valid mail is accepted"), body)
        };
        (0..PUTS).map(put).collect::<Vec<_>>()
    };
    let put: Vec<(String, Vec<u8>)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(move || writer(thread))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a put does not panic")).collect()
    });
    let put: BTreeMap<String, Vec<u8>> = put.into_iter().collect();
    assert_eq!(put.len(), THREADS * PUTS, "every id is unique");
    assert_eq!(queue.names().len(), THREADS * PUTS, "puts leave no other file");
    for (id, stored) in &put {
        assert!(body(&mut queue, id) == *stored, "{id} has another body");
    }
}

#[test]
fn parallel_puts_of_one_id_have_one_winner() {
    let mut queue = TestQueue::new();
    let path = queue.path().to_path_buf();
    for round in 0..50 {
        let id = format!("id{round}");
        let writer = |thread: usize| {
            let body = format!("thread {thread}").into_bytes();
            let result = Instance::over(&path).put(Some(&id), &mail(&body), None);
            result.map(|_| body).map_err(|error| error.code)
        };
        let results: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|thread| scope.spawn(move || writer(thread))).collect();
            threads.into_iter().map(|thread| thread.join().expect("a put does not panic")).collect()
        });
        let winners: Vec<&Vec<u8>> = results.iter().filter_map(|result| result.as_ref().ok()).collect();
        assert_eq!(winners.len(), 1, "{results:?}");
        assert!(results.iter().filter_map(|result| result.as_ref().err()).all(|code| *code == ErrorCode::Exists));
        assert_eq!(body(&mut queue, &id), *winners[0]);
    }
    assert_eq!(queue.names().len(), 50, "no temporary file is left");
}

#[test]
fn repeated_randomness_overwrites_no_item() {
    let mut first = Simulated::new();
    let mut second = first.sibling();
    let mut ids = Vec::new();
    for number in 0..20_u64 {
        // Both get the same numbers, the second one while the first one writes and after it has committed.
        let repeated = vec![number, number];
        first.world().random.extend(&repeated);
        let draft = first.begin(None, &envelope(), None).expect("a valid envelope is accepted");
        assert_eq!(first.world().random.len(), 1);
        let meanwhile = second.put(None, &mail(b"second"), None).expect("a valid mail is accepted");
        first.draft_write(draft, b"first").expect("the chunk is within the limits");
        let id = first.draft_commit(draft).expect("an intact draft is committed");
        first.world().random.push(number);
        let after = second.put(None, &mail(b"third"), None).expect("a valid mail is accepted");
        for (id, stored) in [(id, "first"), (meanwhile, "second"), (after, "third")] {
            assert_eq!(body(&mut first, &id), stored.as_bytes());
            ids.push((id, stored));
        }
    }
    for (id, stored) in &ids {
        assert_eq!(body(&mut first, id), stored.as_bytes(), "a later put replaced {id}");
    }
    assert_eq!(first.world().entries.len(), 60);
}

#[test]
fn generated_ids_depend_on_the_time() {
    let mut system = Simulated::new();
    system.world().random = vec![7, 7, 8];
    let first = system.put(None, &mail(b"first"), None).expect("a valid mail is accepted");
    done(system.hold(&one(&first)));
    system.world().now += 1;
    let second = system.put(None, &mail(b"second"), None).expect("a valid mail is accepted");
    assert_ne!(first, second);
    assert_eq!(system.world().random, [8], "no number is taken twice for one put");
}

#[test]
fn endlessly_repeated_randomness_is_busy() {
    let mut system = Simulated::new();
    system.world().random = vec![7; 100];
    let id = system.put(None, &mail(b"first"), None).expect("a valid mail is accepted");
    let error = system.put(None, &mail(b"second"), None).expect_err("every generated id is taken");
    assert_eq!(error.code, ErrorCode::Busy);
    assert_eq!(body(&mut system, &id), b"first");
    assert_eq!(system.world().entries.len(), 1);
}

/// Runs two puts at once, their operations interleaved in every order in which one interrupts the other at most three
/// times. Both get the same random numbers.
fn each_interleaving(ids: [Option<&str>; 2], check: impl Fn(&mut Simulated, [Result<String, ErrorCode>; 2])) {
    let mut orders = 0;
    each_order(3, &mut |order| {
        orders += 1;
        let gate = Arc::new(Gate::new(2, order));
        let world = Arc::new(Mutex::new(World::new()));
        world.lock().expect("no thread has panicked").random = vec![3, 3, 9, 10, 11, 12, 13, 14];
        let put = |actor: usize| {
            let mut instance = Simulated::over(world.clone());
            instance.take_turns(gate.clone(), actor);
            let put = instance.put(ids[actor], &mail(&body_of(actor)), None);
            gate.end(actor);
            put.map_err(|error| error.code)
        };
        let put = thread::scope(|scope| {
            let threads = [0, 1].map(|actor| scope.spawn(move || put(actor)));
            threads.map(|thread| thread.join().expect("a put does not panic"))
        });
        let mut reader = Simulated::over(world.clone());
        check(&mut reader, put);
        let temporary = reader.world().entries.keys().filter(|name| name.starts_with(".m:")).count();
        assert_eq!(temporary, 0, "no temporary file is left");
        gate.taken()
    });
    assert!(orders > 100, "only {orders} orders were tried");
}

fn body_of(actor: usize) -> Vec<u8> {
    format!("body {actor}").into_bytes()
}

#[test]
fn interleaved_generated_ids_never_collide() {
    each_interleaving([None, None], |reader, put| {
        let ids = put.map(|put| put.expect("a generated id is free"));
        assert_ne!(ids[0], ids[1]);
        for (actor, id) in ids.iter().enumerate() {
            assert_eq!(body(reader, id), body_of(actor));
        }
    });
}

#[test]
fn interleaved_puts_of_one_id_have_one_winner() {
    each_interleaving([Some("x"), Some("x")], |reader, put| {
        let winner = put.iter().position(Result::is_ok).expect("one of the puts finds the id free");
        assert_eq!(put[1 - winner], Err(ErrorCode::Exists));
        assert_eq!(body(reader, "x"), body_of(winner));
    });
}

#[test]
fn interleaved_generated_and_given_ids_never_collide() {
    each_interleaving([Some("x"), None], |reader, put| {
        for (actor, id) in put.map(|put| put.expect("both ids are free")).iter().enumerate() {
            assert_eq!(body(reader, id), body_of(actor));
        }
    });
}
