//! Every function of `intake`, and every safeguard that it has (P13), on a real directory.

use queue_store_host_test::bindings::{Envelope, ErrorCode, Format, Mail, Operation, Timestamp, mail, recipient};
use queue_store_host_test::instance::{Instance, Preopen, TestQueue};

/// What a plugin submits.
fn submission() -> Mail {
    let mut mail = mail(b"Subject: x\r\n\r\nx\r\n");
    mail.envelope.created_at = None;
    mail
}

#[test]
fn a_submitted_mail_is_queued_as_a_put_would() {
    let mut queue = TestQueue::new();
    let mail = submission();
    let whole = queue.submit(&mail).expect("a mail");
    let open = queue.submission_begin(&mail.envelope).expect("a mail");
    for chunk in mail.body.chunks(5) {
        queue.submission_write(open, chunk).expect("a chunk");
    }
    let streamed = queue.submission_commit(open).expect("a mail");
    assert_ne!(whole, streamed);
    for id in [whole, streamed] {
        let item = queue.get(&id).expect("the item");
        assert_eq!(item.body, mail.body);
        assert!(item.envelope.created_at.is_some_and(|created_at| created_at.seconds > 1_700_000_000));
        assert_eq!(Envelope { created_at: None, ..item.envelope }, mail.envelope);
        assert_eq!(queue.info(&id).expect("the item").format, Format::Text, "a mail server must see it");
    }
    assert_eq!((queue.counter("file-syncs"), queue.counter("directory-syncs")), (2, 2));
}

/// A change of an envelope, and what it is.
type Change = (&'static str, fn(&mut Envelope));

#[test]
fn what_could_act_on_the_server_is_refused() {
    let mut queue = TestQueue::new();
    let changes: [Change; 22] = [
        ("a PIPE recipient", |envelope| envelope.recipients[0].kind = 1),
        ("a FORWARD recipient", |envelope| envelope.recipients[0].kind = 2),
        ("a kind that is not known yet", |envelope| envelope.recipients[0].kind = 3),
        ("a negative kind", |envelope| envelope.recipients[0].kind = -1),
        ("a server to relay through", |envelope| envelope.recipients[0].via = vec!["mx.example.com".to_string()]),
        ("a status", |envelope| envelope.recipients[0].status = 1),
        ("a failure message", |envelope| envelope.recipients[0].last_failure_message = "x".to_string()),
        ("another original address", |envelope| envelope.recipients[0].original_address = "c@d".to_string()),
        ("a command", |envelope| envelope.recipients[0] = recipient("|/bin/sh@x")),
        ("an option", |envelope| envelope.recipients[0] = recipient("-f@x")),
        ("no domain", |envelope| envelope.recipients[0] = recipient("root")),
        ("an empty address", |envelope| envelope.recipients[0] = recipient("")),
        ("a blank", |envelope| envelope.recipients[0] = recipient("b x@y")),
        ("a line break", |envelope| envelope.recipients[0] = recipient("b@x\nrcpt: {}")),
        ("a long address", |envelope| envelope.recipients[0] = recipient(&format!("{}@x", "b".repeat(319)))),
        ("a second recipient that harms", |envelope| {
            let mut pipe = recipient("b@x");
            pipe.kind = 1;
            envelope.recipients.push(pipe);
        }),
        ("no recipient", |envelope| envelope.recipients.clear()),
        ("a reverse-path that is no address", |envelope| envelope.reverse_path = "root".to_string()),
        ("a reverse-path with a line break", |envelope| envelope.reverse_path = "a@b\r".to_string()),
        ("an address that is none", |envelope| envelope.to[0] = "-oQ/tmp".to_string()),
        ("a NUL", |envelope| envelope.to[0] = "a\0@b".to_string()),
        ("a time", |envelope| envelope.created_at = Some(Timestamp { seconds: 1, nanos: 0 })),
    ];
    for (what, change) in changes {
        let mut mail = submission();
        change(&mut mail.envelope);
        assert_eq!(queue.submit(&mail).expect_err(what).code, ErrorCode::InvalidArgument, "{what}");
        let begun = queue.submission_begin(&mail.envelope).expect_err(what);
        assert_eq!(begun.code, ErrorCode::InvalidArgument, "{what}");
    }
    assert_eq!(queue.names(), [""; 0]);
}

#[test]
fn the_null_reverse_path_and_addresses_in_utf8_are_accepted() {
    let mut queue = TestQueue::new();
    for reverse_path in ["", "<>", "ñandú@ñoño.example"] {
        let mut mail = submission();
        mail.envelope.reverse_path = reverse_path.to_string();
        mail.envelope.recipients.push(recipient("\"quoted|local\"@example.com"));
        let id = queue.submit(&mail).expect("a mail");
        let stored = queue.get(&id).expect("the item").envelope.reverse_path;
        assert_eq!(stored, if reverse_path.is_empty() { "<>" } else { reverse_path });
    }
}

#[test]
fn a_plugin_has_bounds_of_its_own() {
    let mut queue = TestQueue::new();
    let mut mail = submission();
    mail.envelope.recipients = (0..1001).map(|number| recipient(&format!("b{number}@x"))).collect();
    assert_eq!(queue.submit(&mail).expect_err("too many").code, ErrorCode::TooLarge);
    mail.envelope.recipients.pop();
    queue.submit(&mail).expect("as many as there may be");
    mail.envelope.to = vec!["b@x".to_string(); 1001];
    assert_eq!(queue.submit(&mail).expect_err("too many").code, ErrorCode::TooLarge);

    let open = queue.submission_begin(&submission().envelope).expect("a mail");
    let chunk = vec![b'x'; 65536];
    let error = (0..=1024).find_map(|_| queue.submission_write(open, &chunk).err()).expect("64 MiB are the bound");
    assert_eq!(error.code, ErrorCode::TooLarge);
    assert_eq!(queue.submission_write(open, b"x").expect_err("it failed").code, ErrorCode::Aborted);
    assert_eq!(queue.submission_commit(open).expect_err("it failed").code, ErrorCode::Aborted);
    assert_eq!(queue.names().len(), 1);

    let open: Vec<_> = (0..64).map(|_| queue.submission_begin(&submission().envelope).expect("a mail")).collect();
    assert_eq!(queue.submission_begin(&submission().envelope).expect_err("too many").code, ErrorCode::Busy);
    for submission in open {
        queue.drop_resource(submission);
    }
    assert_eq!(queue.names().len(), 1, "a dropped submission leaves nothing");
}

#[test]
fn there_must_be_one_queue_and_one_only() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut without = Instance::with(&[]);
    let error = without.submit(&submission()).expect_err("there is no queue");
    assert_eq!((error.code, error.operation), (ErrorCode::NotFound, Operation::Resolve));
    let preopen = |name| Preopen { path: directory.path(), name, read_only: false };
    let mut with_two = Instance::with(&[preopen("one"), preopen("two")]);
    let error = with_two.submission_begin(&submission().envelope).expect_err("there are two");
    assert_eq!((error.code, error.operation), (ErrorCode::Conflict, Operation::Resolve));
    let mut read_only = Instance::with(&[Preopen { path: directory.path(), name: "q", read_only: true }]);
    let error = read_only.submit(&submission()).expect_err("nothing can be written");
    assert_eq!((error.code, error.operation), (ErrorCode::Access, Operation::Create));
}
