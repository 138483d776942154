//! The limits on what a plugin submits.

use queue_store_host::{Error, Host, Intake, IntakeLimits, Queue};
use tempfile::TempDir;

fn queue() -> (TempDir, Queue) {
    let directory = tempfile::Builder::new().prefix("queue-store-").tempdir().expect("a temporary directory");
    let queue = Host::new().expect("the component loads").open(directory.path()).expect("the queue opens");
    (directory, queue)
}

fn limits(mails: u64, bytes: u64) -> IntakeLimits {
    let mut limits = IntakeLimits::default();
    (limits.mails, limits.bytes) = (mails, bytes);
    limits
}

fn submit(intake: &Intake, body: &[u8]) -> Result<String, Error> {
    intake.submit("a@example.com", &["b@example.com"], body)
}

fn assert_exceeded<T>(result: Result<T, Error>) {
    assert!(matches!(result, Err(Error::QueueFull(_))), "{:?}", result.err());
}

#[test]
fn mails_beyond_the_limit_are_refused() {
    let (_directory, queue) = queue();
    let intake = Intake::new(&queue, limits(3, u64::MAX));
    let clone = intake.clone();
    submit(&intake, b"first").expect("the mail is within the limits");
    submit(&clone, b"second").expect("the mail is within the limits");
    let submission = intake.submission("a@example.com", &["b@example.com"]).expect("the mail is within the limits");
    assert_exceeded(submit(&clone, b"fourth"));
    assert_exceeded(intake.submission("a@example.com", &["b@example.com"]));
    drop(submission);
    assert_eq!(queue.count().expect("the directory is readable").ready, 2);
    submit(&Intake::new(&queue, limits(1, 5)), b"other").expect("another plugin has limits of its own");
}

#[test]
fn bytes_beyond_the_limit_are_refused() {
    let (_directory, queue) = queue();
    let intake = Intake::new(&queue, limits(u64::MAX, 10));
    assert_exceeded(submit(&intake, b"eleven byte"));
    submit(&intake, b"four").expect("the mail is within the limits");
    let mut submission = intake.submission("a@example.com", &["b@example.com"]).expect("the mail is within the limits");
    submission.append(b"six by").expect("the bytes are within the limits");
    assert_exceeded(submission.append(b"x"));
    assert!(matches!(submission.append(b""), Err(Error::Aborted(_))), "it lacks bytes");
    assert!(matches!(submission.commit(), Err(Error::Aborted(_))), "it lacks bytes");
    assert_eq!(intake.remaining().bytes, 0);
    submit(&intake, b"").expect("no bytes are within the limits");
    assert_eq!(queue.count().expect("the directory can be read").ready, 2);
}
