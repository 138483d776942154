//! Several instances on one directory, at once.

use queue_store_host_test::bindings::{ErrorCode, mail};
use queue_store_host_test::instance::{Instance, TestQueue};
use queue_store_host_test::simulator::gate::{Gate, each_order};
use queue_store_host_test::simulator::host::Simulated;
use queue_store_host_test::simulator::world::World;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::thread;

const THREADS: usize = 8;
const PUTS: usize = 1000;

#[test]
fn eight_instances_put_a_thousand_mails_each_and_none_is_lost_or_mixed() {
    let mut queue = TestQueue::new();
    let path = queue.path().to_path_buf();
    let writer = |thread: usize| {
        let mut instance = Instance::over(&path);
        let put = |number: usize| {
            let body = format!("mail {number} of thread {thread}\r\n").repeat(1 + number % 50).into_bytes();
            (instance.put(None, &mail(&body), None).expect("a put"), body)
        };
        (0..PUTS).map(put).collect::<Vec<_>>()
    };
    let put: Vec<(String, Vec<u8>)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(move || writer(thread))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a thread that did not fail")).collect()
    });
    let put: BTreeMap<String, Vec<u8>> = put.into_iter().collect();
    assert_eq!(put.len(), THREADS * PUTS, "every id is another");
    assert_eq!(queue.names().len(), THREADS * PUTS, "and nothing else is there");
    for (id, body) in &put {
        assert!(queue.get(id).expect("the item").body == *body, "{id} has another body");
    }
}

#[test]
fn of_many_puts_of_one_id_exactly_one_succeeds() {
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
            threads.into_iter().map(|thread| thread.join().expect("a thread that did not fail")).collect()
        });
        let winners: Vec<&Vec<u8>> = results.iter().filter_map(|result| result.as_ref().ok()).collect();
        assert_eq!(winners.len(), 1, "{results:?}");
        assert!(results.iter().filter_map(|result| result.as_ref().err()).all(|code| *code == ErrorCode::Exists));
        assert_eq!(queue.get(&id).expect("the item").body, *winners[0]);
    }
    assert_eq!(queue.names().len(), 50, "no temporary file is left");
}

#[test]
fn instances_whose_randomness_repeats_overwrite_nothing() {
    let mut first = Simulated::new();
    let mut second = first.sibling();
    let mut ids = Vec::new();
    for number in 0..20_u64 {
        // Both draw the same, the second one while the first one writes and after it is done.
        let repeated = vec![number, number];
        first.world().random.extend(&repeated);
        let draft = first.draft_begin(None, &mail(b"").envelope, None).expect("a draft");
        assert_eq!(first.world().random.len(), 1);
        let meanwhile = second.put(None, &mail(b"second"), None).expect("a put");
        first.draft_write(draft, b"first").expect("a chunk");
        let id = first.draft_commit(draft).expect("a commit");
        first.world().random.push(number);
        let after = second.put(None, &mail(b"third"), None).expect("a put");
        for (id, body) in [(id, "first"), (meanwhile, "second"), (after, "third")] {
            assert_eq!(first.get(&id).expect("the item").body, body.as_bytes());
            ids.push((id, body));
        }
    }
    for (id, body) in &ids {
        assert_eq!(first.get(id).expect("the item").body, body.as_bytes(), "a later put replaced {id}");
    }
    assert_eq!(first.world().names.len(), 60);
}

#[test]
fn randomness_that_repeats_at_another_time_draws_another_id() {
    let mut system = Simulated::new();
    system.world().random = vec![7, 7, 8];
    let first = system.put(None, &mail(b"first"), None).expect("a put");
    system.hold(std::slice::from_ref(&first)).expect("a hold");
    system.world().now += 1;
    let second = system.put(None, &mail(b"second"), None).expect("a put");
    assert_ne!(first, second);
    assert_eq!(system.world().random, [8], "nothing was drawn twice");
}

#[test]
fn randomness_that_repeats_for_ever_is_noticed() {
    let mut system = Simulated::new();
    system.world().random = vec![7; 100];
    let id = system.put(None, &mail(b"first"), None).expect("a put");
    let error = system.put(None, &mail(b"second"), None).expect_err("every id that is drawn is taken");
    assert_eq!(error.code, ErrorCode::Busy);
    assert_eq!(system.get(&id).expect("the item").body, b"first");
    assert_eq!(system.world().names.len(), 1);
}

/// Two puts at once, their operations interleaved in every order in which one interrupts the other at most three times.
/// Each draws the same random numbers as the other.
fn each_interleaving(ids: [Option<&str>; 2], check: impl Fn(&mut Simulated, [Result<String, ErrorCode>; 2])) {
    let mut orders = 0;
    each_order(3, &mut |order| {
        orders += 1;
        let gate = Arc::new(Gate::new(2, order));
        let world = Arc::new(Mutex::new(World::new()));
        let random = [3, 3, 9, 10, 11, 12, 13, 14];
        world.lock().expect("a world").random = random.into();
        let put = |actor: usize| {
            let mut instance = Simulated::over(world.clone());
            instance.take_turns(gate.clone(), actor);
            let body = format!("body {actor}").into_bytes();
            let put = instance.put(ids[actor], &mail(&body), None);
            gate.end(actor);
            put.map_err(|error| error.code)
        };
        let put = thread::scope(|scope| {
            let threads = [0, 1].map(|actor| scope.spawn(move || put(actor)));
            threads.map(|thread| thread.join().expect("a put does not trap"))
        });
        let mut reader = Simulated::over(world.clone());
        check(&mut reader, put);
        assert_eq!(
            reader.world().names.keys().filter(|name| name.starts_with(".m:")).count(),
            0,
            "no temporary file is left"
        );
        gate.taken()
    });
    assert!(orders > 100, "only {orders} orders were tried");
}

#[test]
fn two_puts_that_draw_the_same_randomness_never_replace_each_other_in_any_order() {
    each_interleaving([None, None], |reader, put| {
        let ids = put.map(|put| put.expect("a put"));
        assert_ne!(ids[0], ids[1]);
        for (actor, id) in ids.iter().enumerate() {
            assert_eq!(reader.get(id).expect("an item").body, format!("body {actor}").into_bytes());
        }
    });
}

#[test]
fn of_two_puts_under_one_id_one_wins_in_any_order_and_the_other_one_is_told() {
    each_interleaving([Some("x"), Some("x")], |reader, put| {
        let winner = put.iter().position(Result::is_ok).expect("one wins");
        assert_eq!(put[1 - winner], Err(ErrorCode::Exists));
        assert_eq!(reader.get("x").expect("the item").body, format!("body {winner}").into_bytes());
    });
}

#[test]
fn a_put_that_draws_its_id_and_one_that_was_given_one_do_not_meet_in_any_order() {
    each_interleaving([Some("x"), None], |reader, put| {
        for (actor, id) in put.map(|put| put.expect("a put")).iter().enumerate() {
            assert_eq!(reader.get(id).expect("an item").body, format!("body {actor}").into_bytes());
        }
    });
}
