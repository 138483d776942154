//! Several commands at once on one queue.

use crate::support::{self, Queue, start, wait};
use std::collections::BTreeSet;
use std::process::Child;

support::trials![of_several_puts_of_one_id_one_succeeds, commands_at_once_lose_nothing_and_mix_nothing];

fn of_several_puts_of_one_id_one_succeeds() {
    let queue = Queue::new();
    for round in 0..15 {
        let id = format!("id{round}");
        let put = |number: usize| start(&mut queue.put_command(&["--id", &id]), format!("mail {number}").as_bytes());
        let puts: Vec<Child> = (0..4).map(put).collect();
        let mut winners = Vec::new();
        for (number, output) in puts.into_iter().map(wait).enumerate() {
            if output.code == 0 {
                winners.push(number);
            } else {
                assert!(
                    output.failed(73).ends_with("an item of this id exists, and is safe; give another id, or none")
                );
            }
        }
        assert_eq!(winners.len(), 1, "{id}");
        assert_eq!(queue.cat(&id), format!("mail {}", winners[0]).as_bytes());
    }
    assert_eq!(queue.names().len(), 15, "no temporary file is left");
}

fn commands_at_once_lose_nothing_and_mix_nothing() {
    let queue = Queue::existing();
    let mut expected = BTreeSet::new();
    for round in 0..5 {
        let bodies: Vec<Vec<u8>> =
            (0..6).map(|number| format!("mail {number} of {round}").repeat(1 + number * 40_000).into_bytes()).collect();
        let puts: Vec<Child> = bodies.iter().map(|body| start(&mut queue.put_command(&[]), body)).collect();
        let others = [&["list"][..], &["verify"], &["recover"], &["list", "--json"]]
            .map(|arguments| start(&mut queue.command(arguments), b""));
        for (put, body) in puts.into_iter().zip(&bodies) {
            let id = wait(put).done().trim_end().to_string();
            assert!(queue.cat(&id) == *body, "{id}");
            assert!(expected.insert(format!("m:{id}")), "every id is another");
        }
        for other in others {
            wait(other).done();
        }
    }
    assert_eq!(queue.names(), expected.into_iter().collect::<Vec<_>>());
}
