//! Several commands at once on one queue.

use crate::process::{start, wait};
use crate::queue::Queue;
use crate::strace::traced;
use crate::trial::trials;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Child;
use std::thread;
use std::time::Duration;

trials![
    one_of_several_puts_of_one_id_succeeds,
    concurrent_commands_lose_and_mix_nothing,
    removal_during_a_rewriting_recovery_stays => Strace,
];

fn one_of_several_puts_of_one_id_succeeds() {
    let queue = Queue::existing();
    for round in 0..15 {
        let id = format!("id{round}");
        let put = |number: usize| start(&mut queue.put_command(&["--id", &id]), format!("mail {number}").as_bytes());
        let puts: Vec<Child> = (0..4).map(put).collect();
        let mut winners = Vec::new();
        for (number, output) in puts.into_iter().map(wait).enumerate() {
            if output.code == 0 {
                winners.push(number);
            } else {
                let line = output.failed(73);
                assert!(
                    line.ends_with(
                        "an item of this id exists, and survives power loss; if it is this mail, it is queued already"
                    ),
                    "{line}"
                );
            }
        }
        assert_eq!(winners.len(), 1, "{id}");
        assert_eq!(queue.cat(&id), format!("mail {}", winners[0]).as_bytes());
    }
    assert_eq!(queue.names().len(), 15, "a put that fails removes its temporary file");
}

fn concurrent_commands_lose_and_mix_nothing() {
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
            assert!(expected.insert(format!("m:{id}")), "{id} was generated twice");
        }
        for other in others {
            wait(other).done();
        }
    }
    assert_eq!(queue.names(), expected.into_iter().collect::<Vec<_>>());
}

fn removal_during_a_rewriting_recovery_stays() {
    let queue = Queue::existing();
    queue.put(&["--id", "x"], b"body");
    let delayed = |options: &[&str], arguments: &[&str]| {
        start(&mut traced(&queue.command(arguments), options, Path::new("/dev/null")), b"")
    };
    // The removal looks for marks, then waits; the recovery fails to fsync the item, after the directory, marks it, and waits
    // while it copies it.
    let remove = delayed(&["-e", "inject=unlinkat:delay_enter=700000:when=1"], &["remove", "x"]);
    thread::sleep(Duration::from_millis(350));
    let recover = ["-e", "inject=fsync:error=EIO:when=2", "-e", "inject=pwrite64:delay_exit=1500000:when=1"];
    let recover = delayed(&recover, &["recover"]);
    let removed = wait(remove);
    let recovered = wait(recover);
    if removed.code == 0 {
        assert_eq!(queue.names(), [""; 0], "the removal was acknowledged: {recovered:?}");
    } else {
        // On a busy machine, the mark came first.
        assert_eq!((removed.code, queue.names()), (75, vec!["m:x".to_string()]));
    }
}
