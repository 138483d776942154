//! `intake`: the accepted and refused submissions of a plugin (P13), and the queue that gets them.

use crate::support::{code, done, one};
use queue_store_host_test::bindings::{ErrorCode, Format, recipient};
use queue_store_host_test::instance::{Instance, Preopen, State};
use queue_store_host_test::simulator::host::Simulated;
use queue_store_host_test::simulator::world::Operation;
use queue_store_host_test::test_queue::{TestQueue, names};
use std::time::{SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

const FROM: &str = "a@example.com";
const BODY: &[u8] = b"Subject: x\r\n\r\nx\r\n";

fn to() -> Vec<String> {
    one("b@example.com")
}

/// Submits a mail with every function of the interface. Returns the ids.
fn submit_both_ways(queue: &mut Instance<State>, from: &str, to: &[String], body: &[u8]) -> [String; 2] {
    let whole = queue.submit(from, to, body).expect("a plugin may submit the mail");
    let submission = queue.submission_begin(from, to).expect("a plugin may submit the mail");
    for chunk in body.chunks(5) {
        queue.submission_write(submission, chunk).expect("the chunk is within the limits");
    }
    let streamed = queue.submission_commit(submission).expect("a plugin may submit the mail");
    assert_ne!(whole, streamed);
    [whole, streamed]
}

#[test]
fn submitted_mail_has_one_delivery_per_address() {
    let mut queue = TestQueue::new();
    let to: Vec<String> = ["b@example.com", "c@example.com"].map(String::from).to_vec();
    for id in submit_both_ways(&mut queue, FROM, &to, BODY) {
        let item = queue.get(&id).expect("an acknowledged item is intact");
        assert_eq!((item.envelope.reverse_path.as_str(), &item.envelope.to), (FROM, &to));
        assert_eq!(item.envelope.recipients, ["b@example.com", "c@example.com"].map(recipient));
        assert_eq!(item.body, BODY);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is after 1970").as_secs();
        assert!(item.envelope.created_at.is_some_and(|time| now.abs_diff(time.seconds as u64) < 60));
        assert_eq!(queue.info(&id).expect("an acknowledged item is intact").format, Format::Text);
    }
    // Durability `full`: one fsync of the file and one of the directory for each, and one of the directory as it was.
    assert_eq!((queue.counter("file-syncs"), queue.counter("directory-syncs")), (2, 3));
    assert_eq!(queue.names().len(), 2);
}

#[test]
fn addresses_that_act_on_servers_are_refused() {
    let mut queue = TestQueue::new();
    let long = format!("{}@x", "b".repeat(319));
    let addresses = [
        "",
        "root",
        "|/bin/sh@x",
        "|reboot",
        "-f@x",
        "-oQ/tmp",
        "b x@y",
        "b\tx@y",
        "b@x\nrcpt: {}",
        "b@x\r",
        "a\0@b",
        "a\u{7f}@b",
        "a\u{a0}@b",
        "a\u{85}@b",
        long.as_str(),
    ];
    for address in addresses {
        for to in [one(address), vec!["b@x".to_string(), address.to_string()]] {
            assert_eq!(code(queue.submit(FROM, &to, BODY)), ErrorCode::InvalidArgument, "{address:?}");
            assert_eq!(code(queue.submission_begin(FROM, &to)), ErrorCode::InvalidArgument, "{address:?}");
        }
        if !address.is_empty() {
            assert_eq!(code(queue.submit(address, &to(), BODY)), ErrorCode::InvalidArgument, "{address:?}");
            assert_eq!(code(queue.submission_begin(address, &to())), ErrorCode::InvalidArgument, "{address:?}");
        }
    }
    assert_eq!(code(queue.submit(FROM, &one("<>"), BODY)), ErrorCode::InvalidArgument, "`<>` is no recipient");
    assert_eq!(code(queue.submit(FROM, &[], BODY)), ErrorCode::InvalidArgument, "a mail has a recipient");
    assert_eq!(code(queue.submission_begin(FROM, &[])), ErrorCode::InvalidArgument, "a mail has a recipient");
    assert_eq!(queue.names(), [""; 0]);
}

#[test]
fn null_reverse_path_and_utf8_addresses_are_accepted() {
    let mut queue = TestQueue::new();
    for (from, stored) in [("", "<>"), ("<>", "<>"), ("ñandú@ñoño.example", "ñandú@ñoño.example")] {
        let to: Vec<String> = ["o'neil+tag@example.com", "ñ@例え.jp"].map(String::from).to_vec();
        for id in submit_both_ways(&mut queue, from, &to, BODY) {
            let envelope = queue.get(&id).expect("an acknowledged item is intact").envelope;
            assert_eq!((envelope.reverse_path.as_str(), &envelope.to), (stored, &to));
        }
    }
}

#[test]
fn plugins_have_limits_of_their_own() {
    let mut queue = TestQueue::new();
    let (recipients, bytes) = (queue.limit("max-intake-recipients"), queue.limit("max-intake-address-bytes"));
    let most: Vec<String> = (0..recipients).map(|number| format!("b{number}@x")).collect();
    let more: Vec<String> = (0..=recipients).map(|number| format!("b{number}@x")).collect();
    assert_eq!(code(queue.submit(FROM, &more, BODY)), ErrorCode::TooLarge);
    assert_eq!(code(queue.submission_begin(FROM, &more)), ErrorCode::TooLarge);
    queue.submit(FROM, &most, BODY).expect("the mail is within the limits");
    let longest = format!("{}@x", "b".repeat(bytes as usize - 2));
    queue.submit(&longest, &one(&longest), BODY).expect("the address is within the limits");
    assert_eq!(queue.names().len(), 2);
}

#[test]
fn submitted_body_is_bounded() {
    let mut queue = TestQueue::new();
    let limit = queue.limit("max-list-body-bytes") as usize;
    let chunk = vec![b'x'; 65536];
    assert_eq!(code(queue.submit(FROM, &to(), &vec![b'x'; limit + 1])), ErrorCode::TooLarge);
    let submission = queue.submission_begin(FROM, &to()).expect("a plugin may submit the mail");
    for _ in 0..limit / chunk.len() {
        queue.submission_write(submission, &chunk).expect("the body is within the limits");
    }
    assert_eq!(code(queue.submission_write(submission, b"x")), ErrorCode::TooLarge);
    assert_eq!(code(queue.submission_write(submission, b"x")), ErrorCode::Aborted);
    assert_eq!(code(queue.submission_commit(submission)), ErrorCode::Aborted);
    let submission = queue.submission_begin(FROM, &to()).expect("a plugin may submit the mail");
    assert_eq!(code(queue.submission_write(submission, &vec![b'x'; 65537])), ErrorCode::TooLarge);
    queue.drop_resource(submission);
    assert_eq!(queue.names(), [""; 0], "a body that is refused leaves no file");
}

#[test]
fn submissions_and_drafts_share_one_bound() {
    let mut queue = TestQueue::new();
    let limit = queue.limit("max-drafts");
    let submissions: Vec<_> =
        (0..limit).map(|_| queue.submission_begin(FROM, &to()).expect("fewer are open than may be")).collect();
    assert_eq!(code(queue.submission_begin(FROM, &to())), ErrorCode::Busy);
    for submission in submissions {
        queue.drop_resource(submission);
    }
    assert_eq!(queue.names(), [""; 0], "a dropped submission leaves nothing");
    let submission = queue.submission_begin(FROM, &to()).expect("a drop makes room");
    queue.submission_commit(submission).expect("a plugin may submit an empty body");
    assert_eq!(queue.names().len(), 1);
}

/// Three directories, and an instance that has some of them.
struct Host {
    directories: Vec<TempDir>,
    instance: Instance<State>,
}

impl Host {
    /// Creates an instance whose preopens have these names and directories.
    fn new(preopens: &[(&'static str, usize)]) -> Host {
        let directories: Vec<TempDir> =
            (0..3).map(|_| tempfile::tempdir().expect("a test can create a temporary directory")).collect();
        let preopen = |&(name, number): &(&'static str, usize)| Preopen {
            path: directories[number].path(),
            name,
            read_only: false,
        };
        let instance = Instance::with(&preopens.iter().map(preopen).collect::<Vec<_>>());
        Host { directories, instance }
    }

    /// Submits in both ways, and returns the number of the directory that got the mails.
    fn chosen(&mut self) -> usize {
        submit_both_ways(&mut self.instance, FROM, &to(), BODY);
        let counts: Vec<usize> = self.directories.iter().map(|directory| names(directory.path()).len()).collect();
        assert_eq!(counts.iter().sum::<usize>(), 2, "{counts:?}");
        counts.iter().position(|count| *count == 2).expect("one queue gets both mails")
    }

    fn refused(&mut self) -> ErrorCode {
        let error = self.instance.submit(FROM, &to(), BODY).expect_err("no queue can be chosen");
        let begun = self.instance.submission_begin(FROM, &to()).expect_err("no queue can be chosen");
        assert_eq!((error.operation.as_str(), begun.operation.as_str()), ("resolve", "resolve"));
        assert_eq!(error.code, begun.code);
        error.code
    }
}

#[test]
fn only_preopen_gets_the_mail() {
    for name in ["queue", "any name", "/", "."] {
        assert_eq!(Host::new(&[(name, 0)]).chosen(), 0, "{name}");
    }
}

#[test]
fn preopen_named_queue_is_preferred() {
    assert_eq!(Host::new(&[("spool", 0), ("queue", 1), ("logs", 2)]).chosen(), 1);
    assert_eq!(Host::new(&[("queue", 2), ("queue2", 0)]).chosen(), 2);
}

#[test]
fn names_of_one_directory_count_once() {
    assert_eq!(Host::new(&[("spool", 0), ("alias", 0)]).chosen(), 0);
}

#[test]
fn several_preopens_without_queue_are_a_conflict() {
    assert_eq!(Host::new(&[("one", 0), ("two", 1)]).refused(), ErrorCode::Conflict);
    assert_eq!(Host::new(&[("one", 0), ("alias", 0), ("two", 1)]).refused(), ErrorCode::Conflict);
}

#[test]
fn no_preopen_is_not_found() {
    assert_eq!(Host::new(&[]).refused(), ErrorCode::NotFound);
}

#[test]
fn read_only_preopen_is_access() {
    let directory = tempfile::tempdir().expect("a test can create a temporary directory");
    let mut instance = Instance::with(&[Preopen { path: directory.path(), name: "queue", read_only: true }]);
    let error = instance.submit(FROM, &to(), BODY).expect_err("the preopen cannot be written");
    assert_eq!((error.code, error.operation.as_str()), (ErrorCode::Access, "create"));
}

#[test]
fn recovery_reopens_the_intake() {
    let mut system = Simulated::new();
    system.world().fail_after(1, Operation::SyncDirectory, "io");
    assert_eq!(code(system.submit(FROM, &to(), BODY)), ErrorCode::Indeterminate);
    assert_eq!(code(system.submit(FROM, &to(), BODY)), ErrorCode::NeedsRecovery);
    assert_eq!(code(system.submission_begin(FROM, &to())), ErrorCode::NeedsRecovery);
    let recovery = system.recover(0).expect("the directory works again");
    assert_eq!(recovery.problems, []);
    system.submit(FROM, &to(), BODY).expect("the queue was recovered");
}

#[test]
fn submitted_mail_is_an_item_like_any_other() {
    let mut queue = TestQueue::new();
    let id = queue.submit(FROM, &to(), BODY).expect("a plugin may submit the mail");
    done(queue.verify(&one(&id)));
    done(queue.hold(&one(&id)));
    done(queue.remove(&one(&id), &[], None));
    assert_eq!(queue.names(), [""; 0]);
}
