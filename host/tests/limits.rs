//! The limits of an instance, within them and beyond.

use nix::sys::resource::{UsageWho, getrusage};
use queue_store_host::types::{ErrorCode, Mail, State, WriteOptions};
use queue_store_host::{Error, Host, Limits, Queue};
use std::io::Read;
use std::path::Path;
use std::time::Duration;

/// Bytes of memory of an instance: less than any body here.
const MEMORY_BYTES: usize = 2 << 20;

fn directory() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("queue-store-").tempdir().expect("a temporary directory")
}

fn open(directory: &Path, limits: Limits) -> Queue {
    Host::with_limits(limits).expect("the component loads").open(directory).expect("the queue opens")
}

fn body(bytes: usize) -> Vec<u8> {
    b"A line of mail text.\r\n".iter().copied().cycle().take(bytes).collect()
}

fn mail(body: Vec<u8>) -> Mail {
    Mail::new("a@example.com", ["b@example.com"], body)
}

#[test]
fn component_that_does_not_fit_its_memory_is_out_of_memory() {
    let directory = directory();
    let mut limits = Limits::default();
    limits.memory_bytes = 64 << 10;
    let host = Host::with_limits(limits).expect("the component loads");
    let error = host.open(directory.path()).expect_err("it needs more");
    assert!(matches!(error, Error::OutOfMemory(bytes) if bytes == 64 << 10), "{error}");
}

#[test]
fn body_beyond_the_limit_of_one_piece_is_too_large() {
    let directory = directory();
    let queue = open(directory.path(), Limits::default());
    let limits = queue.limits().expect("they are told");
    for (name, limit) in [("max-list-body-bytes", 64 << 20), ("max-chunk-bytes", 64 << 10)] {
        assert!(limits.contains(&(name.to_string(), limit)), "the library has this one of its own: {limits:?}");
    }
    let mut mail = mail(body(64 << 20));
    let id = queue.put(&mail).expect("it is within the limit");
    assert!(queue.get(&id).expect("it is within the limit").body == mail.body);
    mail.body.push(b'x');
    assert_eq!(queue.put(&mail).expect_err("a draft takes it").code(), Some(ErrorCode::TooLarge));
    assert_eq!(directory.path().read_dir().expect("it can be read").count(), 1);
}

#[test]
fn body_larger_than_the_memory_passes_in_chunks() {
    let directory = directory();
    let mut limits = Limits::default();
    limits.memory_bytes = MEMORY_BYTES;
    let queue = open(directory.path(), limits);
    let mail = mail(body(16 << 20));
    let id = queue.put(&mail).expect("a put in chunks succeeds");
    let mut read = Vec::new();
    queue.read(&id, 0).expect("the body opens").read_to_end(&mut read).expect("the body is intact");
    assert!(read == mail.body);
}

#[test]
fn call_beyond_the_memory_fails_and_the_queue_goes_on() {
    let directory = directory();
    let mut limits = Limits::default();
    limits.memory_bytes = MEMORY_BYTES;
    let queue = open(directory.path(), limits);
    let id = queue.put(&mail(body(16 << 20))).expect("a put in chunks succeeds");
    let got = queue.get(&id);
    assert!(matches!(got, Err(Error::TooLarge(_))), "{:?}", got.err());
    let put = queue.put_many(&[mail(body(16 << 20)).into()], &WriteOptions::default());
    assert!(matches!(put, Err(Error::OutOfMemory(MEMORY_BYTES))), "{put:?}");
    assert!(!queue.needs_recovery());
    assert_eq!(queue.count().expect("another instance serves the call").ready, 1);
    queue.put(&mail(body(100))).expect("another instance serves the call");
}

/// Computing time of this thread.
fn computed() -> Duration {
    let time = getrusage(UsageWho::RUSAGE_THREAD).expect("the kernel counts threads").user_time();
    Duration::new(time.tv_sec() as u64, time.tv_usec() as u32 * 1000)
}

#[test]
fn call_beyond_the_time_fails_after_a_few_ticks_and_the_queue_goes_on() {
    const TIME: Duration = Duration::from_millis(50);
    let directory = directory();
    let unlimited = open(directory.path(), Limits::default());
    let id = unlimited.put(&mail(body(64 << 20))).expect("a put succeeds");
    let mut limits = Limits::default();
    limits.time = TIME;
    let queue = open(directory.path(), limits);
    let before = computed();
    // Seconds of work in one call.
    let verified = queue.verify(&vec![&id; 100]);
    let took = computed() - before;
    assert!(matches!(verified, Err(Error::OutOfTime(TIME))), "{verified:?}");
    assert!(took >= TIME, "the call computed for {took:?} only");
    assert!(took < 6 * TIME, "the call computed for {took:?}");
    assert!(!queue.needs_recovery());
    let held = queue.set_state(&[&id], State::Held).expect("another instance serves the call");
    assert_eq!(held[0].problem, None);
}
