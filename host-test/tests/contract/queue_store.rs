//! Every function of `queue-store`, on a real directory.

use queue_store_host_test::bindings::{
    Durability, EnvelopeChange, ErrorCode, Format, Integrity, Mail, State, WriteOptions, envelope, mail, no_change,
    options, recipient,
};
use queue_store_host_test::instance::{QUEUE, TestQueue, ids};
use queue_store_host_test::simulator::host::Simulated;
use queue_store_host_test::simulator::world;
use std::fs;

fn binary() -> WriteOptions {
    WriteOptions { format: Some(Format::Binary), ..options() }
}

#[test]
fn what_is_put_is_got_byte_for_byte() {
    let every_byte: Vec<u8> = (0..=u8::MAX).collect();
    let bodies =
        [Vec::new(), vec![0], every_byte.clone(), every_byte.repeat(5000), b"Subject: x\r\n\r\nx\r\n".repeat(9999)];
    for options in [options(), binary()] {
        let mut queue = TestQueue::new();
        for body in &bodies {
            let id = queue.put(None, &mail(body), Some(&options)).expect("a put");
            let item = queue.get(&id).expect("the item");
            assert_eq!((&item.id, &item.envelope), (&id, &envelope()));
            assert!(item.body == *body, "the body of {} bytes is another", body.len());
            let info = queue.info(&id).expect("the item");
            assert_eq!(info.body_size, Some(body.len() as u64));
            assert_eq!(
                info.integrity,
                if body.is_empty() && options.format.is_none() { Integrity::Whole } else { Integrity::Envelope }
            );
            assert!(queue.read_body(&id, 0, 65536).expect("the body") == *body);
        }
        assert_eq!(queue.count().expect("counts").ready, bodies.len() as u64);
        assert_eq!(queue.names().len(), bodies.len(), "nothing else is left in the directory");
    }
}

#[test]
fn a_put_completes_the_envelope() {
    let mut queue = TestQueue::new();
    let mut mail = mail(b"x");
    mail.envelope.reverse_path = String::new();
    mail.envelope.created_at = None;
    mail.envelope.recipients[0].original_address = String::new();
    let id = queue.put(None, &mail, None).expect("a put");
    let item = queue.get(&id).expect("the item").envelope;
    assert_eq!(item.reverse_path, "<>");
    assert_eq!(item.recipients[0].original_address, "b@example.com");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock").as_secs();
    assert!(item.created_at.is_some_and(|created_at| now.abs_diff(created_at.seconds as u64) < 60));
}

#[test]
fn a_drawn_id_is_eleven_characters_of_base64url() {
    let mut queue = TestQueue::new();
    let drawn = queue.put(None, &mail(b"x"), None).expect("a put");
    for id in [drawn, queue.new_id()] {
        assert_eq!(id.len(), 11);
        assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')), "{id}");
    }
}

#[test]
fn an_id_that_exists_in_any_state_is_never_replaced() {
    type Prepare = fn(&mut TestQueue);
    let states: [(&str, Prepare); 4] = [
        ("ready", |_| {}),
        ("held", |queue| assert_eq!(queue.hold(&ids(&["x"])).expect("a hold")[0].problem, None)),
        ("quarantined", |queue| assert_eq!(queue.quarantine(&ids(&["x"])).expect("a move")[0].problem, None)),
        ("damaged", |queue| {
            let name = queue.names().remove(0);
            fs::write(queue.file(&name), b"damaged").expect("a write");
        }),
    ];
    for first in [options(), binary()] {
        for second in [options(), binary()] {
            for (state, prepare) in states {
                let mut queue = TestQueue::new();
                queue.put(Some("x"), &mail(b"first"), Some(&first)).expect("a put");
                prepare(&mut queue);
                let before = (queue.names(), fs::read(queue.file(&queue.names()[0])).expect("a file"));
                let error = queue.put(Some("x"), &mail(b"second"), Some(&second)).expect_err("the id is taken");
                assert_eq!(error.code, ErrorCode::Exists, "{state}");
                let draft = queue.draft_begin(Some("x"), &envelope(), Some(&second)).expect_err("the id is taken");
                assert_eq!(draft.code, ErrorCode::Exists, "{state}");
                let outcomes =
                    queue.put_many(&[(Some("x".to_string()), mail(b"third"))], Some(&second)).expect("a batch");
                assert_eq!(outcomes[0].code(), Some(ErrorCode::Exists), "{state}");
                let after = (queue.names(), fs::read(queue.file(&queue.names()[0])).expect("a file"));
                assert_eq!(before, after, "{state}");
            }
        }
    }
}

#[test]
fn a_mail_that_no_server_can_act_on_is_refused() {
    let mut queue = TestQueue::new();
    let changes: [fn(&mut Mail); 9] = [
        |mail| mail.envelope.recipients.clear(),
        |mail| mail.envelope.recipients[0].address.clear(),
        |mail| mail.envelope.recipients[0].address = "b@x\r".to_string(),
        |mail| mail.envelope.recipients[0].address = "b@x\n".to_string(),
        |mail| mail.envelope.recipients[0].address = "b@\0x".to_string(),
        |mail| mail.envelope.recipients[0].original_address = "b\n@x".to_string(),
        |mail| mail.envelope.recipients[0].via = vec!["mx\r\n".to_string()],
        |mail| mail.envelope.reverse_path = "a@x\n".to_string(),
        |mail| mail.envelope.to[0] = "b@x\n".to_string(),
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut mail = mail(b"x");
        change(&mut mail);
        for id in [None, Some("x")] {
            let error = queue.put(id, &mail, None).expect_err("a mail that must be refused");
            assert_eq!(error.code, ErrorCode::InvalidArgument, "{number}");
        }
        let outcomes = queue.put_many(&[(None, mail.clone())], None).expect("a batch");
        assert_eq!(outcomes[0].code(), Some(ErrorCode::InvalidArgument), "{number}");
        let error = queue.draft_begin(None, &mail.envelope, None).expect_err("a mail that must be refused");
        assert_eq!(error.code, ErrorCode::InvalidArgument, "{number}");
    }
    assert_eq!(queue.names(), [""; 0]);
}

#[test]
fn put_many_writes_before_it_syncs_and_has_few_files_open() {
    use world::Operation::{Create, Rename, SyncDirectory, SyncFile};
    let mut system = Simulated::new();
    system.put_many(&vec![(None, mail(b"x")); 40], None).expect("a batch");
    let mut operations = system.world().operations();
    operations.retain(|operation| matches!(operation, Create | SyncFile | Rename | SyncDirectory));
    let runs: Vec<_> = operations.chunk_by(PartialEq::eq).map(|run| (run[0], run.len())).collect();
    let expected = [(Create, 32), (SyncFile, 32), (Create, 8), (SyncFile, 8), (Rename, 40), (SyncDirectory, 1)];
    assert_eq!(runs, expected);
}

#[test]
fn put_many_publishes_nothing_whose_sync_failed() {
    let mut system = Simulated::new();
    system.world().fail(world::Operation::SyncFile, "io");
    let mails = ["x", "y", "z"].map(|id| (Some(id.to_string()), mail(b"body")));
    let outcomes = system.put_many(&mails, None).expect("a batch");
    let codes: Vec<_> = outcomes.iter().map(|outcome| outcome.problem.as_ref().map(|problem| problem.code)).collect();
    assert_eq!(codes, [Some(ErrorCode::Io), None, None]);
    assert_eq!(system.world().names.keys().collect::<Vec<_>>(), ["m:y", "m:z"]);
}

#[test]
fn put_many_has_an_outcome_for_each_and_one_failure_keeps_nobody_from_being_queued() {
    let mut queue = TestQueue::new();
    queue.put(Some("taken"), &mail(b"0"), None).expect("a put");
    let mut unacceptable = mail(b"3");
    unacceptable.envelope.recipients.clear();
    let mails = [
        (None, mail(b"1")),
        (Some("taken".to_string()), mail(b"2")),
        (None, unacceptable),
        (Some("../escape".to_string()), mail(b"4")),
        (Some("free".to_string()), mail(b"5")),
        (Some("free".to_string()), mail(b"6")),
        (Some(String::new()), mail(b"7")),
    ];
    let syncs = queue.counter("directory-syncs");
    let outcomes = queue.put_many(&mails, None).expect("a batch");
    let codes: Vec<_> = outcomes.iter().map(|outcome| outcome.code()).collect();
    let (exists, invalid) = (Some(ErrorCode::Exists), Some(ErrorCode::InvalidArgument));
    assert_eq!(codes, [None, exists, invalid, invalid, None, exists, invalid]);
    assert_eq!(queue.get(&outcomes[0].id).expect("the item").body, b"1");
    assert_eq!(queue.get("taken").expect("the item").body, b"0");
    assert_eq!(queue.get("free").expect("the item").body, b"5");
    assert_eq!(queue.names().len(), 3, "no temporary file is left");
    // One for all that were published, and one for each answer that something exists.
    assert_eq!(queue.counter("directory-syncs") - syncs, 3);
    assert_eq!(queue.counter("puts"), 3);
}

#[test]
fn a_full_queue_takes_no_more() {
    let mut queue = TestQueue::new();
    let full = WriteOptions { max_items: Some(2), ..options() };
    queue.put(None, &mail(b"1"), Some(&full)).expect("a put");
    let second = queue.put(None, &mail(b"2"), Some(&full)).expect("a put");
    let error = queue.put(None, &mail(b"3"), Some(&full)).expect_err("it is full");
    assert_eq!((error.code, error.path.as_str()), (ErrorCode::QueueFull, QUEUE));
    queue.hold(&ids(&[&second])).expect("a hold");
    assert_eq!(queue.put(None, &mail(b"3"), Some(&full)).expect_err("it is full").code, ErrorCode::QueueFull);
    // What is quarantined waits for nobody.
    queue.quarantine(&ids(&[&second])).expect("a move");
    let outcomes = queue.put_many(&[(None, mail(b"3")), (None, mail(b"4"))], Some(&full)).expect("a batch");
    assert_eq!(outcomes[0].code(), None);
    assert_eq!(outcomes[1].code(), Some(ErrorCode::QueueFull));
    assert_eq!(queue.count().expect("counts").ready, 2);
}

#[test]
fn settings_are_obeyed_and_unknown_ones_refused() {
    let mut queue = TestQueue::new();
    let limited = WriteOptions { settings: vec![("max-body-bytes".to_string(), "3".to_string())], ..options() };
    queue.put(None, &mail(b"123"), Some(&limited)).expect("a put");
    assert_eq!(queue.put(None, &mail(b"1234"), Some(&limited)).expect_err("too long").code, ErrorCode::TooLarge);
    for (name, value, code) in [
        ("max-body-bytes", "many", ErrorCode::InvalidArgument),
        ("max-body-bytes", "-1", ErrorCode::InvalidArgument),
        ("no-such-setting", "1", ErrorCode::Unsupported),
    ] {
        let options = WriteOptions { settings: vec![(name.to_string(), value.to_string())], ..options() };
        assert_eq!(queue.put(None, &mail(b"1"), Some(&options)).expect_err("refused").code, code, "{name}={value}");
    }
    assert_eq!(queue.names().len(), 1);
}

#[test]
fn items_of_many_empty_addresses_fill_a_page_before_a_host_refuses_it() {
    let mut queue = TestQueue::new();
    for id in 0..10 {
        let text = format!("ID: \"{id}\" {} created_at_ts {{}}", "To: \"\" ".repeat(65_536));
        fs::write(queue.file(&format!("m:{id}")), text).expect("an item");
    }
    let (mut after, mut pages) = (None, Vec::new());
    loop {
        let page = queue.list_items(&[], after.as_deref(), 1000).expect("a page");
        pages.push(page.entries.len());
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    // Beside its content a string takes 48 bytes in wasmtime, where the types of a call are not known beforehand.
    assert!(pages.iter().all(|entries| entries * 65_536 * 48 < 20 << 20), "{pages:?}");
    assert_eq!(pages.iter().sum::<usize>(), 10);
}

#[test]
fn ids_are_listed_in_pages_and_in_order() {
    let mut queue = TestQueue::new();
    let mut all: Vec<String> = (0..25).map(|number| format!("id{number:02}")).collect();
    for id in &all {
        queue.put(Some(id), &mail(b"x"), None).expect("a put");
    }
    queue.hold(&ids(&["id03", "id04"])).expect("a hold");
    queue.quarantine(&ids(&["id05"])).expect("a move");
    for limit in [1, 7, 25, 1000] {
        let mut listed = Vec::new();
        let mut after = None;
        loop {
            let page = queue.list_ids(&[], after.as_deref(), limit).expect("a page");
            assert!(page.ids.len() <= limit as usize && !page.ids.is_empty());
            listed.extend(page.ids);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(listed, all, "pages of {limit}");
    }
    assert_eq!(queue.list_ids(&[State::Held], None, 10).expect("a page").ids, ["id03", "id04"]);
    assert_eq!(
        queue.list_ids(&[State::Quarantined, State::Held], None, 10).expect("a page").ids,
        ["id03", "id04", "id05"]
    );
    all.drain(3..6);
    assert_eq!(queue.list_ids(&[State::Ready], None, 100).expect("a page").ids, all);
    assert_eq!(queue.list_ids(&[], None, 0).expect_err("no limit").code, ErrorCode::InvalidArgument);
    assert_eq!(queue.list_ids(&[], Some("zzz"), 10).expect("a page").ids, [""; 0]);
}

#[test]
fn items_are_listed_with_what_they_are_and_damage_is_an_entry() {
    let mut queue = TestQueue::new();
    queue.put(Some("a"), &mail(b"1"), None).expect("a put");
    queue.put(Some("b"), &mail(b"22"), Some(&binary())).expect("a put");
    fs::write(queue.file("m:c"), b"ID: \"c\"\nnonsense").expect("a write");
    queue.put(Some("d"), &mail(b"4444"), None).expect("a put");
    let first = queue.list_items(&[], None, 3).expect("a page");
    assert_eq!(first.next.as_deref(), Some("c"));
    let second = queue.list_items(&[], first.next.as_deref(), 3).expect("a page");
    assert_eq!(second.next, None);
    let entries: Vec<_> = first.entries.into_iter().chain(second.entries).collect();
    let sizes: Vec<_> = entries.iter().map(|entry| entry.info.as_ref().and_then(|info| info.body_size)).collect();
    assert_eq!(sizes, [Some(1), Some(2), None, Some(4)]);
    let problem = entries[2].problem.as_ref().expect("a problem");
    assert_eq!((problem.code, problem.path.as_str()), (ErrorCode::Corrupt, "queue/m:c"));
    assert_eq!(problem.at.map(|at| (at.line, at.column)), Some((2, 1)));
}

#[test]
fn an_update_replaces_the_envelope_and_keeps_the_body() {
    for options in [options(), binary()] {
        let mut queue = TestQueue::new();
        let body: Vec<u8> = (0..=u8::MAX).cycle().take(300_000).collect();
        let id = queue.put(None, &mail(&body), Some(&options)).expect("a put");
        let before = queue.info(&id).expect("the item");
        let mut sent = recipient("b@example.com");
        sent.status = 1;
        sent.kind = 77;
        sent.last_failure_message = "250 \"ok\"\r\n".to_string();
        let change = EnvelopeChange {
            reverse_path: Some(String::new()),
            to: Some(vec!["x@example.com".to_string()]),
            recipients: Some(vec![sent.clone(), recipient("c@example.com")]),
            if_revision: Some(before.revision.clone()),
        };
        let revision = queue.update(&id, &change, None).expect("an update");
        let after = queue.info(&id).expect("the item");
        assert_eq!(after.revision, revision);
        assert_ne!(after.revision, before.revision);
        assert_eq!(after.envelope.reverse_path, "<>");
        assert_eq!(after.envelope.to, ["x@example.com"]);
        assert_eq!(after.envelope.recipients, [sent, recipient("c@example.com")]);
        assert_eq!(after.envelope.created_at, before.envelope.created_at);
        assert!(queue.get(&id).expect("the item").body == body);
        assert_eq!(queue.names().len(), 1);
        let stale = queue.update(&id, &change, None).expect_err("the revision is an old one");
        assert_eq!(stale.code, ErrorCode::Conflict);
        assert_eq!(queue.info(&id).expect("the item").revision, revision);
    }
}

#[test]
fn an_update_gives_checksums_to_what_chasquid_wrote_and_keeps_unknown_numbers() {
    let mut queue = TestQueue::new();
    for size in [10, 100_000] {
        let id = format!("x{size}");
        let body = "line\\r\\n".repeat(size / 8);
        let text = format!(
            "ID:  \"{id}\"\nfrom: \"a@b\"\nrcpt: {{\n  address: \"c@d\"\n  type: 9\n  status: -3\n}}\ndata: \"{body}\"\n\
             created_at_ts: {{\n  seconds: 5\n}}\n"
        );
        fs::write(queue.file(&format!("m:{id}")), text).expect("a write");
        assert_eq!(queue.info(&id).expect("the item").integrity, Integrity::Unchecked);
        let change = EnvelopeChange { to: Some(vec!["e@f".to_string()]), ..no_change() };
        queue.update(&id, &change, None).expect("an update");
        let info = queue.info(&id).expect("the item");
        assert_eq!(info.integrity, Integrity::Envelope);
        assert_eq!((info.envelope.recipients[0].kind, info.envelope.recipients[0].status), (9, -3));
        assert_eq!(queue.get(&id).expect("the item").body, "line\r\n".repeat(size / 8).into_bytes());
    }
}

#[test]
fn an_update_refuses_what_a_put_refuses_and_changes_nothing() {
    let mut queue = TestQueue::new();
    queue.put(Some("x"), &mail(b"body"), None).expect("a put");
    let before = fs::read(queue.file("m:x")).expect("the file");
    let change = |change: fn(&mut EnvelopeChange)| {
        let mut made = no_change();
        change(&mut made);
        made
    };
    for (number, change) in [
        change(|change| change.recipients = Some(Vec::new())),
        change(|change| change.recipients = Some(vec![recipient("")])),
        change(|change| change.to = Some(vec!["a\n".to_string()])),
        change(|change| change.reverse_path = Some("a\0".to_string())),
    ]
    .iter()
    .enumerate()
    {
        let error = queue.update("x", change, None).expect_err("refused");
        assert_eq!(error.code, ErrorCode::InvalidArgument, "{number}");
    }
    assert_eq!(queue.update("x", &no_change(), Some(&binary())).expect_err("refused").code, ErrorCode::Unsupported);
    assert_eq!(queue.update("y", &no_change(), None).expect_err("refused").code, ErrorCode::NotFound);
    assert_eq!(fs::read(queue.file("m:x")).expect("the file"), before);
    assert_eq!(queue.names(), ["m:x"]);
}

#[test]
fn an_item_whose_own_id_is_another_is_shown_and_not_written() {
    let mut queue = TestQueue::new();
    queue.put(Some("x"), &mail(b"body"), None).expect("a put");
    fs::rename(queue.file("m:x"), queue.file("m:y")).expect("a rename");
    let info = queue.info("y").expect("the item");
    assert_eq!((info.id.as_str(), info.attributes), ("y", vec![("item-id".to_string(), "x".to_string())]));
    assert_eq!(queue.update("y", &no_change(), None).expect_err("refused").code, ErrorCode::InvalidArgument);
    assert_eq!(queue.seal(&ids(&["y"])).expect("a batch")[0].code(), Some(ErrorCode::InvalidArgument));
    assert_eq!(queue.names(), ["m:y"]);
}

#[test]
fn items_move_between_their_states() {
    for options in [options(), binary()] {
        let mut queue = TestQueue::new();
        queue.put(Some("x"), &mail(b"body"), Some(&options)).expect("a put");
        let x = ids(&["x"]);
        let state = |queue: &mut TestQueue| queue.info("x").expect("the item").state;
        assert_eq!(queue.hold(&x).expect("a hold")[0].problem, None);
        assert_eq!(state(&mut queue), State::Held);
        assert_eq!(queue.hold(&x).expect("a hold")[0].problem, None, "it is held already");
        assert_eq!(queue.release(&x).expect("a release")[0].problem, None);
        assert_eq!(state(&mut queue), State::Ready);
        assert_eq!(queue.release(&x).expect("a release")[0].problem, None, "it is ready already");
        assert_eq!(queue.restore(&x).expect("a restore")[0].code(), Some(ErrorCode::Exists));
        assert_eq!(queue.quarantine(&x).expect("a move")[0].problem, None);
        assert_eq!(state(&mut queue), State::Quarantined);
        for refused in [queue.hold(&x), queue.release(&x), queue.quarantine(&x)] {
            assert_eq!(refused.expect("a batch")[0].code(), Some(ErrorCode::Conflict));
        }
        assert_eq!(queue.update("x", &no_change(), None).expect_err("refused").code, ErrorCode::Conflict);
        assert_eq!(queue.remove(&x, None).expect("a removal")[0].code(), Some(ErrorCode::NotFound));
        assert_eq!(queue.restore(&x).expect("a restore")[0].problem, None);
        assert_eq!(state(&mut queue), State::Ready);
        assert_eq!(queue.get("x").expect("the item").body, b"body");
        let missing = ids(&["y", "../x"]);
        for outcomes in
            [queue.hold(&missing), queue.release(&missing), queue.quarantine(&missing), queue.restore(&missing)]
        {
            let outcomes = outcomes.expect("a batch");
            assert_eq!(outcomes[0].code(), Some(ErrorCode::NotFound));
            assert_eq!(outcomes[1].code(), Some(ErrorCode::InvalidArgument));
        }
    }
}

#[test]
fn an_id_can_be_quarantined_again() {
    let mut queue = TestQueue::new();
    let x = ids(&["x"]);
    for body in [b"1", b"2", b"3"] {
        if !queue.names().is_empty() {
            // A put would be refused, so this comes from a backup.
            queue.put(Some("y"), &mail(body), None).expect("a put");
            let text = fs::read_to_string(queue.file("m:y")).expect("the file").replace("ID: \"y\"", "ID: \"x\"");
            fs::remove_file(queue.file("m:y")).expect("a removal");
            fs::write(queue.file("m:x"), text).expect("a write");
        } else {
            queue.put(Some("x"), &mail(body), None).expect("a put");
        }
        assert_eq!(queue.quarantine(&x).expect("a move")[0].problem, None);
    }
    assert_eq!(queue.count().expect("counts").quarantined, 3);
    assert_eq!(queue.list_ids(&[], None, 10).expect("a page").ids, ["x"]);
    assert_eq!(queue.list_items(&[], None, 10).expect("a page").entries.len(), 3);
    assert_eq!(queue.restore(&x).expect("a restore")[0].code(), Some(ErrorCode::Conflict));
    assert_eq!(queue.discard(&x, None).expect("a removal")[0].problem, None);
    assert_eq!(queue.names(), [""; 0]);
    assert_eq!(queue.discard(&x, None).expect("a removal")[0].code(), Some(ErrorCode::NotFound));
}

#[test]
fn removals_remove_and_say_what_was_not_there() {
    let mut queue = TestQueue::new();
    queue.put(Some("a"), &mail(b"1"), None).expect("a put");
    queue.put(Some("b"), &mail(b"2"), Some(&binary())).expect("a put");
    queue.put(Some("c"), &mail(b"3"), None).expect("a put");
    queue.hold(&ids(&["b"])).expect("a hold");
    let syncs = queue.counter("directory-syncs");
    let outcomes = queue.remove(&ids(&["a", "b", "nobody", "a"]), None).expect("a removal");
    let codes: Vec<_> = outcomes.iter().map(|outcome| outcome.code()).collect();
    assert_eq!(codes, [None, None, Some(ErrorCode::NotFound), Some(ErrorCode::NotFound)]);
    assert_eq!(queue.counter("directory-syncs") - syncs, 1, "one sync for all");
    assert_eq!(queue.names(), ["m:c"]);
}

#[test]
fn two_files_of_one_id_with_different_content_are_a_conflict_that_nothing_resolves() {
    let mut queue = TestQueue::new();
    queue.put(Some("x"), &mail(b"1"), None).expect("a put");
    queue.hold(&ids(&["x"])).expect("a hold");
    fs::write(queue.file("m:x"), "ID: \"x\"\ncreated_at_ts: {}\n").expect("a write");
    let x = ids(&["x"]);
    let conflict = Some(ErrorCode::Conflict);
    assert_eq!(queue.get("x").expect_err("a conflict").code, ErrorCode::Conflict);
    assert_eq!(queue.info("x").expect_err("a conflict").code, ErrorCode::Conflict);
    assert_eq!(queue.body_open("x", 0).expect_err("a conflict").code, ErrorCode::Conflict);
    assert_eq!(queue.update("x", &no_change(), None).expect_err("a conflict").code, ErrorCode::Conflict);
    for outcomes in [
        queue.hold(&x),
        queue.release(&x),
        queue.quarantine(&x),
        queue.seal(&x),
        queue.verify(&x),
        queue.remove(&x, None),
    ] {
        assert_eq!(outcomes.expect("a batch")[0].code(), conflict);
    }
    let recovery = queue.recover(0).expect("a recovery");
    assert_eq!(recovery.problems.iter().map(|problem| problem.code).collect::<Vec<_>>(), [ErrorCode::Conflict]);
    assert_eq!(queue.names(), ["h:x", "m:x"], "both are still there");
    assert_eq!(queue.list_items(&[], None, 10).expect("a page").entries.len(), 2);
}

#[test]
fn a_second_name_that_a_crash_left_is_settled_by_recovery() {
    for (operation, first, second, kept) in
        [("a hard link", "m:x", "h:x", "h:x"), ("a hard link", "m:x", "q:x", "q:x"), ("a copy", "m:x", "h:x", "h:x")]
    {
        let mut queue = TestQueue::new();
        queue.put(Some("x"), &mail(b"1"), None).expect("a put");
        if operation == "a copy" {
            fs::copy(queue.file(first), queue.file(second)).expect("a copy");
        } else {
            fs::hard_link(queue.file(first), queue.file(second)).expect("a link");
        }
        assert_eq!(queue.get("x").expect("the item").body, b"1");
        let recovery = queue.recover(0).expect("a recovery");
        assert_eq!((recovery.settled, recovery.problems), (1, Vec::new()), "{operation}");
        assert_eq!(queue.names(), [kept], "{operation}");
        let again = queue.recover(0).expect("a recovery");
        assert_eq!((again.settled, again.items), (0, 1));
    }
}

#[test]
fn a_hold_of_an_item_with_two_names_leaves_one() {
    for (call, kept) in [("hold", "h:x"), ("release", "m:x")] {
        let mut queue = TestQueue::new();
        queue.put(Some("x"), &mail(b"1"), None).expect("a put");
        fs::hard_link(queue.file("m:x"), queue.file("h:x")).expect("a link");
        let x = ids(&["x"]);
        let outcomes = if call == "hold" { queue.hold(&x) } else { queue.release(&x) };
        assert_eq!(outcomes.expect("a batch")[0].problem, None);
        assert_eq!(queue.names(), [kept], "{call}");
    }
}

#[test]
fn damage_is_told_from_edits_and_is_in_nobodys_way() {
    for options in [options(), binary()] {
        let mut queue = TestQueue::new();
        queue.put(Some("good"), &mail(b"good"), Some(&options)).expect("a put");
        queue.put(Some("edited"), &mail(b"Subject: hello\r\n"), Some(&options)).expect("a put");
        queue.put(Some("cut"), &mail(&b"x".repeat(20_000)), Some(&options)).expect("a put");
        let path = |queue: &TestQueue, id: &str| {
            let sign = if options.format.is_some() { '=' } else { ':' };
            queue.file(&format!("m{sign}{id}"))
        };
        let mut edited = fs::read(path(&queue, "edited")).expect("the file");
        let at = edited.windows(5).position(|window| window == b"hello").expect("the word");
        edited[at..at + 5].copy_from_slice(b"HELLO");
        fs::write(path(&queue, "edited"), edited).expect("a write");
        let cut = fs::read(path(&queue, "cut")).expect("the file");
        fs::write(path(&queue, "cut"), &cut[..10_000]).expect("a write");

        let outcomes = queue.verify(&ids(&["good", "edited", "cut", "nobody"])).expect("a check");
        let codes: Vec<_> = outcomes.iter().map(|outcome| outcome.code()).collect();
        let (mismatch, corrupt) = (Some(ErrorCode::ChecksumMismatch), Some(ErrorCode::Corrupt));
        assert_eq!(codes, [None, mismatch, corrupt, Some(ErrorCode::NotFound)]);
        assert_eq!(queue.get("edited").expect_err("an edited item").code, ErrorCode::ChecksumMismatch);
        assert_eq!(queue.get("cut").expect_err("a cut item").code, ErrorCode::Corrupt);
        assert_eq!(queue.read_body("edited", 0, 100).expect_err("an edited item").code, ErrorCode::ChecksumMismatch);
        assert_eq!(
            queue.update("edited", &no_change(), None).expect_err("an edited item").code,
            ErrorCode::ChecksumMismatch
        );
        assert_eq!(queue.info("edited").expect("the envelope is what it was").integrity, Integrity::Envelope);

        let sealed = queue.seal(&ids(&["edited", "cut"])).expect("a seal");
        assert_eq!(sealed[0].problem, None);
        assert_eq!(sealed[1].code(), corrupt, "no checksum makes a cut item right");
        assert_eq!(queue.get("edited").expect("a sealed item").body, b"Subject: HELLO\r\n");

        assert_eq!(queue.quarantine(&ids(&["cut"])).expect("a move")[0].problem, None);
        assert_eq!(queue.restore(&ids(&["cut"])).expect("a restore")[0].code(), corrupt, "damage is not restored");
        assert_eq!(queue.list_ids(&[State::Quarantined], None, 10).expect("a page").ids, ["cut"]);
        let recovery = queue.recover(0).expect("a recovery");
        assert_eq!((recovery.items, recovery.problems), (3, Vec::new()));
        assert_eq!(queue.get("good").expect("the item").body, b"good");
    }
}

#[test]
fn an_item_without_its_last_field_or_line_is_incomplete() {
    let mut queue = TestQueue::new();
    queue.put(Some("x"), &mail(b"body"), None).expect("a put");
    let text = fs::read_to_string(queue.file("m:x")).expect("the file");
    let without_last_line = &text[..text.trim_end().rfind('\n').expect("a line") + 1];
    fs::write(queue.file("m:x"), without_last_line).expect("a write");
    assert_eq!(queue.get("x").expect_err("cut").code, ErrorCode::Corrupt);
    assert_eq!(queue.info("x").expect_err("cut").code, ErrorCode::Corrupt);
    // An operator who looked at it may say that it is all there.
    assert_eq!(queue.seal(&ids(&["x"])).expect("a seal")[0].problem, None);
    assert_eq!(queue.get("x").expect("the item").body, b"body");
    // A file that chasquid left when it was cut at a field boundary.
    fs::write(queue.file("m:y"), "ID: \"y\"\nfrom: \"a@b\"\n").expect("a write");
    for code in [
        queue.get("y").expect_err("incomplete").code,
        queue.info("y").expect_err("incomplete").code,
        queue.seal(&ids(&["y"])).expect("a seal")[0].code().expect("incomplete"),
    ] {
        assert_eq!(code, ErrorCode::Corrupt);
    }
    fs::write(queue.file("m:z"), "").expect("a write");
    assert_eq!(queue.get("z").expect_err("empty").code, ErrorCode::Corrupt);
}

#[test]
fn another_version_of_the_format_is_not_guessed_at() {
    let mut queue = TestQueue::new();
    queue.put(Some("t"), &mail(b"body"), None).expect("a put");
    queue.put(Some("b"), &mail(b"body"), Some(&binary())).expect("a put");
    for (name, from, to) in [("m:t", "# queue-store 1", "# queue-store 2"), ("m=b", "queue-store 1", "queue-store 2")] {
        let mut bytes = fs::read(queue.file(name)).expect("the file");
        let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).expect("the opening");
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        fs::write(queue.file(name), bytes).expect("a write");
        assert_eq!(queue.get(&name[2..]).expect_err("a later version").code, ErrorCode::Unsupported);
        assert_eq!(queue.info(&name[2..]).expect_err("a later version").code, ErrorCode::Unsupported);
    }
}

#[test]
fn recovery_sweeps_temporary_files_by_their_age() {
    let mut queue = TestQueue::new();
    queue.put(Some("x"), &mail(b"body"), None).expect("a put");
    fs::create_dir(queue.file(".m:directory")).expect("a directory");
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(37 * 3600);
    for (name, modified) in [(".m:old", Some(old)), (".m:x123456", Some(old)), (".m:young", None)] {
        let file = fs::File::create(queue.file(name)).expect("a file");
        if let Some(modified) = modified {
            file.set_modified(modified).expect("a time");
        }
    }
    let future = std::time::SystemTime::now() + std::time::Duration::from_secs(37 * 3600);
    fs::File::create(queue.file(".m:future")).and_then(|file| file.set_modified(future)).expect("a time");
    let recovery = queue.recover(36 * 3600).expect("a recovery");
    assert_eq!((recovery.swept, recovery.kept, recovery.items), (2, 2, 1));
    assert_eq!(recovery.problems, Vec::new());
    assert_eq!(queue.names(), [".m:directory", ".m:future", ".m:young", "m:x"]);
    let recovery = queue.recover(0).expect("a recovery");
    assert_eq!((recovery.swept, recovery.kept), (2, 0));
    assert_eq!(queue.names(), [".m:directory", "m:x"]);
}

#[test]
fn files_of_others_are_counted_and_left_alone() {
    let mut queue = TestQueue::new();
    queue.put(Some("x"), &mail(b"body"), None).expect("a put");
    for name in [".DS_Store", "m:x~backup", "backup~", "M:x", "#m:x#", "x"] {
        fs::write(queue.file(name), b"foreign").expect("a write");
    }
    fs::create_dir(queue.file("directory")).expect("a directory");
    let counts = queue.count().expect("counts");
    // An editor's backup that keeps the prefix is an item of another id.
    assert_eq!((counts.ready, counts.foreign), (2, 6));
    let names = queue.names();
    queue.recover(0).expect("a recovery");
    queue.remove(&ids(&["x"]), None).expect("a removal");
    let left: Vec<String> = names.into_iter().filter(|name| name != "m:x").collect();
    assert_eq!(queue.names(), left);
}

#[test]
fn a_queue_that_must_be_recovered_refuses_changes_and_not_reads() {
    let mut queue = TestQueue::new();
    queue.put(Some("x"), &mail(b"body"), None).expect("a put");
    queue.require_recovery().expect("a mark");
    let x = ids(&["x"]);
    assert_eq!(queue.put(None, &mail(b"y"), None).expect_err("closed").code, ErrorCode::NeedsRecovery);
    assert_eq!(queue.put_many(&[(None, mail(b"y"))], None).expect_err("closed").code, ErrorCode::NeedsRecovery);
    assert_eq!(queue.draft_begin(None, &envelope(), None).expect_err("closed").code, ErrorCode::NeedsRecovery);
    assert_eq!(
        queue.submit(&Mail { envelope: envelope_of_plugin(), body: Vec::new() }).expect_err("closed").code,
        ErrorCode::NeedsRecovery
    );
    assert_eq!(queue.update("x", &no_change(), None).expect_err("closed").code, ErrorCode::NeedsRecovery);
    for error in [
        queue.remove(&x, None),
        queue.discard(&x, None),
        queue.hold(&x),
        queue.release(&x),
        queue.quarantine(&x),
        queue.restore(&x),
        queue.seal(&x),
    ] {
        assert_eq!(error.expect_err("closed").code, ErrorCode::NeedsRecovery);
    }
    assert_eq!(queue.get("x").expect("the item").body, b"body");
    assert_eq!(queue.verify(&x).expect("a check")[0].problem, None);
    queue.recover(0).expect("a recovery");
    queue.put(None, &mail(b"y"), None).expect("a put");
}

fn envelope_of_plugin() -> queue_store_host_test::bindings::Envelope {
    queue_store_host_test::bindings::Envelope { created_at: None, ..envelope() }
}

#[test]
fn the_weaker_durabilities_sync_less() {
    let syncs = |durability| {
        let mut queue = TestQueue::new();
        let options = WriteOptions { durability, ..options() };
        queue.put(Some("x"), &mail(b"body"), Some(&options)).expect("a put");
        queue.update("x", &no_change(), Some(&options)).expect("an update");
        queue.remove(&ids(&["x"]), durability).expect("a removal");
        (queue.counter("file-syncs"), queue.counter("directory-syncs"))
    };
    // One for each, and one for the names that were there before the id was given.
    assert_eq!(syncs(None), (2, 4));
    assert_eq!(syncs(Some(Durability::Full)), (2, 4));
    assert_eq!(syncs(Some(Durability::File)), (2, 0));
    assert_eq!(syncs(Some(Durability::None)), (0, 0));
}

#[test]
fn an_instance_says_what_it_is_and_what_it_has_done() {
    let mut queue = TestQueue::new();
    let about = queue.about();
    assert!(about.contains(&("name".to_string(), "queue-store".to_string())));
    assert!(about.contains(&("version".to_string(), env!("CARGO_PKG_VERSION").to_string())));
    assert!(about.contains(&("contract".to_string(), "mail:queue@0.1.0".to_string())));
    assert!(about.contains(&("format-version".to_string(), "1".to_string())));
    assert!(queue.limits().contains(&("max-chunk-bytes".to_string(), 65536)));
    let id = queue.put(None, &mail(b"body"), None).expect("a put");
    queue.update(&id, &no_change(), None).expect("an update");
    queue.hold(&ids(&[&id])).expect("a hold");
    queue.remove(&ids(&[&id]), None).expect("a removal");
    for (name, expected) in
        [("puts", 1), ("updates", 1), ("moves", 1), ("removals", 1), ("file-syncs", 2), ("directory-syncs", 4)]
    {
        assert_eq!(queue.counter(name), expected, "{name}");
    }
    assert!(queue.counter("bytes-written") > 0 && queue.counter("bytes-read") > 0);
}
