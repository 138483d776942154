//! Every function of `queue-stream`, on a real directory.

use queue_store_host_test::bindings::{
    Detail, ErrorCode, Format, Integrity, Operation, State, WriteOptions, envelope, mail, no_change, options,
};
use queue_store_host_test::instance::{TestQueue, ids};
use std::fs;

fn binary() -> WriteOptions {
    WriteOptions { format: Some(Format::Binary), ..options() }
}

/// A body of a megabyte in which every byte value is.
fn megabyte() -> Vec<u8> {
    (0..=u8::MAX).cycle().take(1 << 20).collect()
}

#[test]
fn a_draft_becomes_the_item_that_a_put_would_have_made() {
    let body = megabyte();
    for options in [options(), binary()] {
        let mut queue = TestQueue::new();
        queue.put(Some("put"), &mail(&body), Some(&options)).expect("a put");
        for chunk in [1 << 16, 4096, 1000, 333] {
            let id = format!("draft{chunk}");
            let draft = queue.draft_begin(Some(&id), &envelope(), Some(&options)).expect("a draft");
            for chunk in body.chunks(chunk) {
                queue.draft_write(draft, chunk).expect("a chunk");
            }
            assert_eq!(queue.get(&id).expect_err("it is not committed").code, ErrorCode::NotFound);
            assert_eq!(queue.draft_commit(draft).expect("a commit"), id);
            let item = queue.get(&id).expect("the item");
            assert!(item.body == body, "chunks of {chunk}");
            assert_eq!(item.envelope, envelope());
            queue.remove(&ids(&[&id]), None).expect("a removal");
        }
        assert_eq!(queue.names().len(), 1, "nothing is left of the drafts");
    }
}

#[test]
fn a_character_that_chunks_split_stays_one() {
    let mut queue = TestQueue::new();
    let body = "ñ😀\u{80}€ Ünïcödé".as_bytes();
    for split in 0..=body.len() {
        let draft = queue.draft_begin(None, &envelope(), None).expect("a draft");
        for part in [&body[..split], &[], &body[split..]] {
            queue.draft_write(draft, part).expect("a chunk");
        }
        let id = queue.draft_commit(draft).expect("a commit");
        assert_eq!(queue.get(&id).expect("the item").body, body);
        let text = fs::read_to_string(queue.file(&format!("m:{id}"))).expect("text");
        assert!(text.contains(r#"data: "ñ😀\u0080€ Ünïcödé""#), "{text}");
    }
}

#[test]
fn a_draft_that_is_dropped_or_abandoned_leaves_nothing() {
    let mut queue = TestQueue::new();
    let draft = queue.draft_begin(None, &envelope(), None).expect("a draft");
    queue.draft_write(draft, b"x").expect("a chunk");
    assert_eq!(queue.names().len(), 1, "the temporary file is there");
    queue.drop_resource(draft);
    assert_eq!(queue.names(), [""; 0]);
    let draft = queue.draft_begin(Some("x"), &envelope(), None).expect("a draft");
    queue.draft_write(draft, &megabyte()[..65536]).expect("a chunk");
    queue.draft_abandon(draft).expect("it is given up");
    assert_eq!(queue.names(), [""; 0]);
}

#[test]
fn a_draft_whose_temporary_file_was_removed_says_so() {
    let mut queue = TestQueue::new();
    for options in [options(), binary()] {
        let draft = queue.draft_begin(None, &envelope(), Some(&options)).expect("a draft");
        queue.draft_write(draft, b"x").expect("a chunk");
        // What a recovery with a grace of 0 does, against its documentation, while somebody writes.
        queue.sibling().recover(0).expect("a recovery");
        let error = queue.draft_commit(draft).expect_err("the file is gone");
        assert_eq!((error.code, error.operation), (ErrorCode::NotFound, Operation::Rename));
        assert_eq!(queue.names(), [""; 0]);
    }
}

#[test]
fn a_draft_that_failed_is_aborted() {
    let mut queue = TestQueue::new();
    let limited = WriteOptions { settings: vec![("max-body-bytes".to_string(), "10".to_string())], ..options() };
    let too_long: [(&[u8], Option<&WriteOptions>); 2] = [(&[b'x'; 65537], None), (&[b'x'; 11], Some(&limited))];
    for (chunk, options) in too_long {
        let draft = queue.draft_begin(None, &envelope(), options).expect("a draft");
        assert_eq!(queue.draft_write(draft, chunk).expect_err("too large").code, ErrorCode::TooLarge);
        assert_eq!(queue.names(), [""; 0], "its file is gone already");
        assert_eq!(queue.draft_write(draft, b"x").expect_err("it failed").code, ErrorCode::Aborted);
        assert_eq!(queue.draft_commit(draft).expect_err("it failed").code, ErrorCode::Aborted);
    }
    let draft = queue.draft_begin(None, &envelope(), Some(&limited)).expect("a draft");
    queue.draft_write(draft, &[b'x'; 11]).expect_err("too large");
    queue.draft_abandon(draft).expect("there is nothing to give up");
}

#[test]
fn an_id_that_is_taken_meanwhile_is_kept_by_its_item() {
    let mut queue = TestQueue::new();
    for (first, second) in [(options(), options()), (binary(), binary())] {
        let draft = queue.draft_begin(Some("x"), &envelope(), Some(&first)).expect("a draft");
        queue.draft_write(draft, b"draft").expect("a chunk");
        queue.sibling().put(Some("x"), &mail(b"put"), Some(&second)).expect("a put");
        assert_eq!(queue.draft_commit(draft).expect_err("it is taken").code, ErrorCode::Exists);
        assert_eq!(queue.get("x").expect("the item").body, b"put");
        assert_eq!(queue.names().len(), 1);
        queue.remove(&ids(&["x"]), None).expect("a removal");
    }
}

#[test]
fn only_so_many_are_open_at_once() {
    let mut queue = TestQueue::new();
    queue.put(Some("x"), &mail(b"body"), None).expect("a put");
    let limits = queue.limits();
    let limit = |name: &str| limits.iter().find(|(known, _)| known == name).expect("a limit").1 as usize;
    let (drafts, readers, listings) = (limit("max-drafts"), limit("max-readers"), limit("max-listings"));
    let open: Vec<_> = (0..drafts).map(|_| queue.draft_begin(None, &envelope(), None).expect("a draft")).collect();
    assert_eq!(queue.draft_begin(None, &envelope(), None).expect_err("too many").code, ErrorCode::Busy);
    queue.drop_resource(open[0]);
    let one = queue.draft_begin(None, &envelope(), None).expect("there is room again");
    queue.draft_commit(one).expect("a commit");
    let another = queue.draft_begin(None, &envelope(), None).expect("a commit makes room");
    queue.draft_abandon(another).expect("it is given up");
    queue.draft_begin(None, &envelope(), None).expect("giving up makes room");

    let open: Vec<_> = (0..readers).map(|_| queue.body_open("x", 0).expect("a reader")).collect();
    assert_eq!(queue.body_open("x", 0).expect_err("too many").code, ErrorCode::Busy);
    queue.drop_resource(open[0]);
    queue.body_open("x", 0).expect("there is room again");

    let open: Vec<_> = (0..listings).map(|_| queue.listing_open(&[], Detail::Name).expect("a listing")).collect();
    assert_eq!(queue.listing_open(&[], Detail::Name).expect_err("too many").code, ErrorCode::Busy);
    queue.drop_resource(open[0]);
    queue.listing_open(&[], Detail::Name).expect("there is room again");
}

#[test]
fn a_body_is_read_in_pieces_of_any_size_from_any_offset() {
    let body = megabyte();
    for options in [options(), binary()] {
        let mut queue = TestQueue::new();
        let id = queue.put(None, &mail(&body), Some(&options)).expect("a put");
        for max in [1 << 16, u32::MAX, 1000] {
            assert!(queue.read_body(&id, 0, max).expect("the body") == body, "pieces of {max}");
        }
        for offset in [1, 255, 65535, 65536, 65537, 300_000, body.len() as u64 - 1, body.len() as u64] {
            let rest = queue.read_body(&id, offset, 50_000).expect("the body");
            assert!(rest == body[offset as usize..], "from {offset}");
        }
        let beyond = queue.body_open(&id, body.len() as u64 + 1).expect_err("the body ends before");
        assert_eq!(beyond.code, ErrorCode::InvalidArgument);
        let reader = queue.body_open(&id, 0).expect("a reader");
        assert_eq!(queue.body_read(reader, 0).expect_err("nothing is asked for").code, ErrorCode::InvalidArgument);
        assert_eq!(queue.body_read(reader, 3).expect("that does not end it").as_deref(), Some(&body[..3]));
        let info = queue.body_info(reader);
        assert_eq!((info.id, info.body_size, info.integrity), (id, Some(1 << 20), Integrity::Envelope));
    }
}

#[test]
fn a_reader_reads_what_it_opened() {
    let mut queue = TestQueue::new();
    let body = megabyte();
    queue.put(Some("x"), &mail(&body), None).expect("a put");
    let reader = queue.body_open("x", 0).expect("a reader");
    let mut read = queue.body_read(reader, 10).expect("bytes").expect("not the end");
    let change = queue_store_host_test::bindings::EnvelopeChange { to: Some(Vec::new()), ..no_change() };
    queue.update("x", &change, None).expect("an update");
    queue.remove(&ids(&["x"]), None).expect("a removal");
    while let Some(more) = queue.body_read(reader, 65536).expect("bytes") {
        read.extend(more);
    }
    assert!(read == body);
}

#[test]
fn damage_ends_a_reader_before_it_says_that_all_is_well() {
    for options in [options(), binary()] {
        let mut queue = TestQueue::new();
        queue.put(Some("x"), &mail(&b"plain text ".repeat(20_000)), Some(&options)).expect("a put");
        let path = queue.file(&queue.names()[0]);
        let mut bytes = fs::read(&path).expect("the file");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&path, bytes).expect("a write");
        let reader = queue.body_open("x", 0).expect("the envelope is well");
        let error = loop {
            match queue.body_read(reader, 65536) {
                Ok(Some(_)) => {}
                Ok(None) => panic!("the end says that the checksum matched"),
                Err(error) => break error,
            }
        };
        assert_eq!((error.code, error.operation), (ErrorCode::ChecksumMismatch, Operation::Decode));
        assert_eq!(queue.body_read(reader, 1).expect_err("it failed").code, ErrorCode::Aborted);
    }
}

#[test]
fn a_listing_is_one_pass_in_pages() {
    let mut queue = TestQueue::new();
    for number in 0..50 {
        queue.put(Some(&format!("id{number:02}")), &mail(b"body"), None).expect("a put");
    }
    queue.hold(&ids(&["id03"])).expect("a hold");
    fs::write(queue.file("m:damaged"), b"damaged").expect("a write");
    fs::write(queue.file("foreign"), b"").expect("a write");
    for (detail, limit) in [(Detail::Name, 7), (Detail::Envelope, 1), (Detail::Whole, 1000), (Detail::Whole, u32::MAX)]
    {
        let entries = queue.list(&[], detail, limit).expect("a listing");
        assert_eq!(entries.len(), 51);
        for entry in entries {
            let damaged = entry.id == "damaged";
            assert_eq!(entry.state, if entry.id == "id03" { State::Held } else { State::Ready });
            assert_eq!(entry.info.is_some(), detail != Detail::Name && !damaged);
            assert_eq!(entry.problem.is_some(), detail != Detail::Name && damaged);
        }
    }
    let held = queue.list(&[State::Held], Detail::Whole, 10).expect("a listing");
    assert_eq!((held.len(), held[0].id.as_str()), (1, "id03"));
    assert_eq!(held[0].info.as_ref().expect("what it is").integrity, Integrity::Whole);
    let listing = queue.listing_open(&[], Detail::Name).expect("a listing");
    assert_eq!(queue.listing_next(listing, 0).expect_err("no limit").code, ErrorCode::InvalidArgument);
    assert_eq!(queue.listing_next(listing, 100).expect("that does not end it").len(), 51);
}

#[test]
fn what_vanishes_during_a_listing_is_left_out() {
    let mut queue = TestQueue::new();
    for number in 0..10 {
        queue.put(Some(&format!("id{number}")), &mail(b"body"), None).expect("a put");
    }
    let listing = queue.listing_open(&[], Detail::Envelope).expect("a listing");
    assert_eq!(queue.listing_next(listing, 1).expect("a page").len(), 1);
    for name in queue.names() {
        fs::remove_file(queue.file(&name)).expect("a removal");
    }
    assert_eq!(queue.listing_next(listing, 100).expect("the end"), []);
}
