//! `item-codec`: both formats, the refused input, and the limits.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use queue_store_host_test::bindings::{Envelope, ErrorCode, Format, Item, envelope, recipient};
use queue_store_host_test::generate;
use queue_store_host_test::instance::{Instance, State};

/// Returns an instance without a directory, since the codec needs none.
fn codec() -> Instance<State> {
    Instance::with(&[])
}

const FORMATS: [Format; 2] = [Format::Text, Format::Binary];

#[test]
fn decode_inverts_encode() {
    let codec = std::cell::RefCell::new(codec());
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(1000) });
    let round_trips = |item: Item| {
        let mut codec = codec.borrow_mut();
        for format in FORMATS {
            let bytes = codec.encode(&item, format).expect("the item is within the limits");
            let decoded = codec.decode(&bytes, format).expect("an encoded item is intact");
            prop_assert_eq!(&decoded, &item);
            if format == Format::Text {
                let text = std::str::from_utf8(&bytes).expect("a text item is UTF-8");
                prop_assert!(!text.contains('\r') && !text.contains('\0') && text.ends_with('\n'));
            }
        }
        Ok(())
    };
    runner.run(&generate::item(), round_trips).expect("every item is decoded to itself");
}

#[test]
fn text_is_written_as_documented() {
    let mut codec = codec();
    let mut envelope = envelope();
    envelope.to.push(String::new());
    envelope.recipients[0].kind = 2;
    envelope.recipients[0].status = -7;
    envelope.recipients[0].via = vec!["mx\"1\"".to_string()];
    envelope.recipients.push(recipient(""));
    let item = Item { id: "x".to_string(), envelope, body: b"a\r\n\tb\\\x01\xff\xc3\xb1\xc2\x85".to_vec() };
    let text = codec.encode(&item, Format::Text).expect("the item is within the limits");
    let text = String::from_utf8(text).expect("a text item is UTF-8");
    let (body, last_line) = text.trim_end().rsplit_once('\n').expect("a text item has several lines");
    assert_eq!(
        body,
        r##"# queue-store 1
ID: "x"
from: "a@example.com"
To: "b@example.com"
To: ""
rcpt: {
  address: "b@example.com"
  type: FORWARD
  status: -7
  original_address: "b@example.com"
  via: "mx\"1\""
}
rcpt: {}
data: "a\r\n\tb\\\x01\xffñ\u0085"
created_at_ts: {
  seconds: 1760785824
  nanos: 123456789
}"##
    );
    // `docs/format.md` has the definition of both checksums.
    let whole = xxhash_rust::xxh64::xxh64(&text.as_bytes()[..text.len() - 17], 0);
    let (head, tail) = text.split_at(text.find("a\\r").expect("the text has the body"));
    let tail = &tail[tail.find("\"\ncreated").expect("the time follows the body")..];
    let covered =
        [head, &tail[..tail.find(" envelope=").expect("the trailer has the checksum") + " envelope=".len()]].concat();
    let envelope = xxhash_rust::xxh64::xxh64(covered.as_bytes(), 0);
    assert_eq!(last_line, format!("# queue-store-end body=12 envelope={envelope:016x} all={whole:016x}"));
}

#[test]
fn empty_item_is_encoded_and_decoded() {
    let mut codec = codec();
    let nothing = Item {
        id: String::new(),
        envelope: Envelope { reverse_path: String::new(), to: Vec::new(), recipients: Vec::new(), created_at: None },
        body: Vec::new(),
    };
    for format in FORMATS {
        let bytes = codec.encode(&nothing, format).expect("the codec does not judge the mail");
        assert_eq!(codec.decode(&bytes, format).expect("an encoded item is intact"), nothing);
    }
    assert_eq!(codec.decode(b"", Format::Text).expect("an empty text has no error"), nothing);
    assert_eq!(codec.decode(b"# a comment", Format::Text).expect("an empty text has no error"), nothing);
}

#[test]
fn malformed_items_are_refused_with_their_codes() {
    let mut codec = codec();
    let item = Item { id: "x".to_string(), envelope: envelope(), body: b"body".to_vec() };
    let text = codec.encode(&item, Format::Text).expect("the item is within the limits");
    let binary = codec.encode(&item, Format::Binary).expect("the item is within the limits");
    let replaced = |bytes: &[u8], from: &[u8], to: &[u8]| {
        let at =
            bytes.windows(from.len()).position(|window| window == from).expect("the item contains what is replaced");
        [&bytes[..at], to, &bytes[at + from.len()..]].concat()
    };
    for (bytes, format, code) in [
        (b"nonsense".to_vec(), Format::Text, ErrorCode::Corrupt),
        (b"nonsense".to_vec(), Format::Binary, ErrorCode::Corrupt),
        (Vec::new(), Format::Binary, ErrorCode::Corrupt),
        (text[..text.len() - 60].to_vec(), Format::Text, ErrorCode::Corrupt),
        (binary[..binary.len() - 1].to_vec(), Format::Binary, ErrorCode::Corrupt),
        (replaced(&text, b"body\"", b"BODY\""), Format::Text, ErrorCode::ChecksumMismatch),
        (replaced(&binary, b"body", b"BODY"), Format::Binary, ErrorCode::ChecksumMismatch),
        (replaced(&text, b"store 1", b"store 2"), Format::Text, ErrorCode::Unsupported),
        (replaced(&binary, b"store 1", b"store 2"), Format::Binary, ErrorCode::Unsupported),
    ] {
        let error = codec.decode(&bytes, format).expect_err("the item is malformed");
        assert_eq!(error.code, code, "{}", bytes.escape_ascii());
    }
}

#[test]
fn codec_obeys_its_limits() {
    let mut codec = codec();
    let item = |envelope, body| Item { id: "x".to_string(), envelope, body };
    for format in FORMATS {
        let large = item(envelope(), vec![b'x'; (64 << 20) + 1]);
        assert_eq!(codec.encode(&large, format).expect_err("the body is too long").code, ErrorCode::TooLarge);
        let mut long = envelope();
        long.reverse_path = "a".repeat((4 << 20) + 1);
        assert_eq!(
            codec.encode(&item(long, Vec::new()), format).expect_err("the envelope is too long").code,
            ErrorCode::TooLarge
        );
        let largest = item(envelope(), vec![b'x'; 64 << 20]);
        let bytes = codec.encode(&largest, format).expect("the item is within the limits");
        assert!(codec.decode(&bytes, format).expect("the item is within the limits") == largest);
    }
    for format in FORMATS {
        let with_sender = |length| item(Envelope { reverse_path: "a".repeat(length), ..envelope() }, b"x".to_vec());
        let lengths: Vec<usize> = ((4 << 20) - 1024..=4 << 20).collect();
        let accepted = lengths.partition_point(|&length| codec.encode(&with_sender(length), format).is_ok());
        let longest = with_sender(lengths[accepted - 1]);
        let bytes = codec.encode(&longest, format).expect("the item is within the limits");
        assert!(codec.decode(&bytes, format).expect("what is encoded is decoded") == longest, "{format:?}");
    }
    let many = [&b"To: \"\" "[..]; 65_537].concat();
    assert_eq!(
        codec.decode(&many, Format::Text).expect_err("the envelope has too many entries").code,
        ErrorCode::TooLarge
    );
    let long = [b"from: \"", "a".repeat((4 << 20) + 1).as_bytes(), b"\""].concat();
    assert_eq!(codec.decode(&long, Format::Text).expect_err("the envelope is too long").code, ErrorCode::TooLarge);
}
