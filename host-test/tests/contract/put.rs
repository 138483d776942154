//! `queue.put`: the stored item, the refused mails, and the steps of the write.

use crate::support::{body, code, codes, done, formats, one, only_code, put, put_as};
use queue_store_host_test::bindings::{
    Durability, ErrorCode, Format, Integrity, Mail, WriteOptions, envelope, identified, mail, no_change, options,
    recipient,
};
use queue_store_host_test::instance::QUEUE;
use queue_store_host_test::simulator::host::Simulated;
use queue_store_host_test::simulator::world::{Fault, Operation};
use queue_store_host_test::test_queue::TestQueue;
use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

#[test]
fn put_keeps_every_byte_of_the_body() {
    let every_byte: Vec<u8> = (0..=u8::MAX).collect();
    let bodies =
        [Vec::new(), vec![0], every_byte.clone(), every_byte.repeat(5000), b"Subject: x\r\n\r\nx\r\n".repeat(9999)];
    for options in formats() {
        let mut queue = TestQueue::new();
        for stored in &bodies {
            let id = queue.put(None, &mail(stored), Some(options)).expect("a valid mail is accepted");
            let item = queue.get(&id).expect("an acknowledged item is intact");
            assert_eq!((&item.id, &item.envelope), (&id, &envelope()));
            assert!(item.body == *stored, "the body of {} bytes came back changed", stored.len());
            let info = queue.info(&id).expect("an acknowledged item is intact");
            assert_eq!(info.body_size, Some(stored.len() as u64));
            // The head and the tail of a short text item are all of it.
            let whole = stored.is_empty() && options.format == Some(Format::Text);
            assert_eq!(info.integrity, if whole { Integrity::Whole } else { Integrity::Envelope });
            assert!(queue.read_body(&id, 0, 65536).expect("an acknowledged item is intact") == *stored);
        }
        assert_eq!(queue.count().expect("the directory can be read").ready, bodies.len() as u64);
        assert_eq!(queue.names().len(), bodies.len(), "a put leaves no other file");
    }
}

#[test]
fn put_completes_the_envelope() {
    let mut queue = TestQueue::new();
    let mut mail = mail(b"x");
    mail.envelope.reverse_path = String::new();
    mail.envelope.created_at = None;
    mail.envelope.recipients[0].original_address = String::new();
    let id = queue.put(None, &mail, None).expect("a valid mail is accepted");
    let stored = queue.get(&id).expect("an acknowledged item is intact").envelope;
    assert_eq!(stored.reverse_path, "<>");
    assert_eq!(stored.recipients[0].original_address, "b@example.com");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is after 1970").as_secs();
    assert!(stored.created_at.is_some_and(|created_at| now.abs_diff(created_at.seconds as u64) < 60));
}

#[test]
fn empty_recipients_become_one_delivery_per_address() {
    let mut queue = TestQueue::new();
    let mut mail = mail(b"body");
    mail.envelope.recipients.clear();
    mail.envelope.to = ["b@example.com", "c@example.com", "b@example.com"].map(String::from).to_vec();
    let put = queue.put(None, &mail, None).expect("the addresses become deliveries");
    let many = queue.put_many(&[identified(Some("many"), mail.clone())], None);
    done(many);
    let draft = queue.begin(Some("draft"), &mail.envelope, None).expect("the addresses become deliveries");
    queue.draft_commit(draft).expect("a draft in an intact directory is committed");
    for id in [put.as_str(), "many", "draft"] {
        let stored = queue.get(id).expect("an acknowledged item is intact").envelope;
        assert_eq!(stored.to, mail.envelope.to);
        assert_eq!(stored.recipients, ["b@example.com", "c@example.com", "b@example.com"].map(recipient), "{id}");
    }
}

#[test]
fn recipients_that_are_given_are_kept() {
    let mut queue = TestQueue::new();
    let mut mail = mail(b"body");
    mail.envelope.to = vec!["alias@example.com".to_string()];
    let mut forwarded = recipient("c@example.com");
    (forwarded.kind, forwarded.via) = (2, vec!["mx.example.com".to_string()]);
    forwarded.original_address = "alias@example.com".to_string();
    mail.envelope.recipients = vec![forwarded];
    let id = queue.put(None, &mail, None).expect("a valid mail is accepted");
    assert_eq!(queue.get(&id).expect("an acknowledged item is intact").envelope, mail.envelope);
}

#[test]
fn generated_ids_are_eleven_characters_of_base64url() {
    let mut queue = TestQueue::new();
    let generated = queue.put(None, &mail(b"x"), None).expect("a valid mail is accepted");
    for id in [generated, queue.new_id()] {
        assert_eq!(id.len(), 11);
        assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')), "{id}");
    }
}

#[test]
fn put_under_existing_id_keeps_first_content() {
    type Prepare = fn(&mut TestQueue);
    let states: [(&str, Prepare); 4] = [
        ("ready", |_| {}),
        ("held", |queue| done(queue.hold(&one("x")))),
        ("quarantined", |queue| done(queue.quarantine(&one("x")))),
        ("damaged", |queue| {
            let name = queue.names().remove(0);
            fs::write(queue.file(&name), b"damaged").expect("the file can be written");
        }),
    ];
    let file = |queue: &TestQueue| (queue.names(), fs::read(queue.file(&queue.names()[0])).expect("the file exists"));
    for first in formats() {
        for second in formats() {
            for (state, prepare) in states {
                let mut queue = TestQueue::new();
                put_as(&mut queue, "x", b"first", Some(first));
                prepare(&mut queue);
                let before = file(&queue);
                assert_eq!(code(queue.put(Some("x"), &mail(b"second"), Some(second))), ErrorCode::Exists, "{state}");
                assert_eq!(code(queue.begin(Some("x"), &envelope(), Some(second))), ErrorCode::Exists, "{state}");
                let batch = queue.put_many(&[identified(Some("x"), mail(b"third"))], Some(second));
                assert_eq!(only_code(batch), Some(ErrorCode::Exists), "{state}");
                assert_eq!(before, file(&queue), "{state}");
            }
        }
    }
}

/// Makes a mail undeliverable.
type Damage = fn(&mut Mail);

#[test]
fn mails_that_no_server_can_deliver_are_refused() {
    let mut queue = TestQueue::new();
    let changes: [(&str, Damage); 10] = [
        ("no recipient and no address", |mail| {
            mail.envelope.recipients.clear();
            mail.envelope.to.clear();
        }),
        ("no recipient and an empty address", |mail| {
            mail.envelope.recipients.clear();
            mail.envelope.to[0].clear();
        }),
        ("an empty address", |mail| mail.envelope.recipients[0].address.clear()),
        ("CR in an address", |mail| mail.envelope.recipients[0].address = "b@x\r".to_string()),
        ("LF in an address", |mail| mail.envelope.recipients[0].address = "b@x\n".to_string()),
        ("NUL in an address", |mail| mail.envelope.recipients[0].address = "b@\0x".to_string()),
        ("LF in an original address", |mail| mail.envelope.recipients[0].original_address = "b\n@x".to_string()),
        ("CR in a relay", |mail| mail.envelope.recipients[0].via = vec!["mx\r\n".to_string()]),
        ("LF in the reverse-path", |mail| mail.envelope.reverse_path = "a@x\n".to_string()),
        ("LF in `to`", |mail| mail.envelope.to[0] = "b@x\n".to_string()),
    ];
    for (what, change) in changes {
        let mut mail = mail(b"x");
        change(&mut mail);
        for id in [None, Some("x")] {
            assert_eq!(code(queue.put(id, &mail, None)), ErrorCode::InvalidArgument, "{what}");
        }
        let batch = queue.put_many(&[identified(None, mail.clone())], None);
        assert_eq!(only_code(batch), Some(ErrorCode::InvalidArgument), "{what}");
        assert_eq!(code(queue.begin(None, &mail.envelope, None)), ErrorCode::InvalidArgument, "{what}");
    }
    assert_eq!(queue.names(), [""; 0], "a mail that is refused leaves no file");
}

#[test]
fn full_queue_accepts_no_more() {
    let mut queue = TestQueue::new();
    let full = WriteOptions { max_items: Some(2), ..options() };
    put_as(&mut queue, "1", b"1", Some(full));
    put_as(&mut queue, "2", b"2", Some(full));
    let error = queue.put(None, &mail(b"3"), Some(full)).expect_err("the queue holds two items already");
    assert_eq!((error.code, error.path.as_str()), (ErrorCode::QueueFull, QUEUE));
    assert_eq!(code(queue.begin(None, &envelope(), Some(full))), ErrorCode::QueueFull);
    done(queue.hold(&one("2")));
    assert_eq!(code(queue.put(None, &mail(b"3"), Some(full))), ErrorCode::QueueFull, "held items count");
    done(queue.quarantine(&one("2")));
    let batch = queue.put_many(&[identified(None, mail(b"3")), identified(None, mail(b"4"))], Some(full));
    assert_eq!(codes(batch), [None, Some(ErrorCode::QueueFull)], "quarantined items do not count");
    assert_eq!(queue.count().expect("the directory can be read").ready, 2);
}

#[test]
fn max_body_bytes_bounds_each_way_to_put() {
    let mut queue = TestQueue::new();
    let limited = WriteOptions { max_body_bytes: Some(3), ..options() };
    put_as(&mut queue, "x", b"123", Some(limited));
    assert_eq!(code(queue.put(None, &mail(b"1234"), Some(limited))), ErrorCode::TooLarge);
    let batch = queue.put_many(&[identified(None, mail(b"123")), identified(None, mail(b"1234"))], Some(limited));
    assert_eq!(codes(batch), [None, Some(ErrorCode::TooLarge)]);
    let draft = queue.begin(None, &envelope(), Some(limited)).expect("an empty draft is within the limit");
    queue.draft_write(draft, b"123").expect("the body is within the limit");
    assert_eq!(code(queue.draft_write(draft, b"4")), ErrorCode::TooLarge);
    queue.drop_resource(draft);
    assert_eq!(queue.names().len(), 2, "a body that is refused leaves no file");
    let nothing = WriteOptions { max_body_bytes: Some(0), ..options() };
    put_as(&mut queue, "empty", b"", Some(nothing));
    assert_eq!(code(queue.put(None, &mail(b"1"), Some(nothing))), ErrorCode::TooLarge);
}

#[test]
fn max_body_bytes_does_not_raise_the_limit() {
    let mut queue = TestQueue::new();
    let raised = WriteOptions { max_body_bytes: Some(u64::MAX), ..options() };
    let longer = vec![b'x'; queue.limit("max-list-body-bytes") as usize + 1];
    assert_eq!(code(queue.put(None, &mail(&longer), Some(raised))), ErrorCode::TooLarge);
    assert_eq!(code(queue.put(None, &mail(&longer), None)), ErrorCode::TooLarge);
    assert_eq!(queue.names(), [""; 0], "a body that is refused leaves no file");
}

#[test]
fn weaker_durabilities_fsync_less() {
    let syncs = |durability| {
        let mut queue = TestQueue::new();
        let options = WriteOptions { durability, ..options() };
        put_as(&mut queue, "x", b"body", Some(options));
        queue.update("x", &no_change(), durability).expect("an intact item is updated");
        done(queue.remove(&one("x"), &[], durability));
        (queue.counter("file-syncs"), queue.counter("directory-syncs"))
    };
    // One fsync of the directory for each call, and one for the entries that were there before the caller's id.
    assert_eq!(syncs(None), (2, 4));
    assert_eq!(syncs(Some(Durability::Full)), (2, 4));
    assert_eq!(syncs(Some(Durability::ContentOnly)), (2, 0));
    assert_eq!(syncs(Some(Durability::None)), (0, 0));
}

#[test]
fn default_options_equal_no_options() {
    let mut queue = TestQueue::new();
    put(&mut queue, "none", b"body");
    put_as(&mut queue, "default", b"body", Some(options()));
    let [default, none] = ["m:default", "m:none"].map(|name| {
        let text = fs::read_to_string(queue.file(name)).expect("the default format is text");
        text.lines().filter(|line| !line.starts_with("ID:") && !line.starts_with('#')).collect::<String>()
    });
    assert_eq!(default, none);
    assert_eq!(body(&mut queue, "default"), b"body");
}

#[test]
fn link_that_took_effect_twice_is_one() {
    let mut system = Simulated::new();
    let repeated = Fault { operation: Operation::Link, skip: 0, times: 1, error: "exist", takes_effect: true };
    system.world().faults.push(repeated);
    put(&mut system, "x", b"body");
    assert_eq!(body(&mut system, "x"), b"body");
}

#[test]
fn given_id_without_hard_links_is_unsupported() {
    let mut system = Simulated::new();
    system.world().fail(Operation::Link, "not-permitted");
    assert_eq!(code(system.put(Some("x"), &mail(b"body"), None)), ErrorCode::Unsupported);
}
