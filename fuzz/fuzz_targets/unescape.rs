//! Decodes any literal as the body and as a string of an item, with reads of any length. The result must equal that of
//! the naive decoder.
#![no_main]

use libfuzzer_sys::fuzz_target;
use queue_store::item::Format;
use queue_store::item::codec::decode;
use queue_store_fuzz::memory::Memory;
use queue_store_fuzz::naive;

const AFTER: &[u8] = b"\ncreated_at_ts: {}\n";

fuzz_target!(|input: &[u8]| {
    let Some((&seed, inside)) = input.split_first() else {
        return;
    };
    let quote = if seed & 1 == 0 { b'"' } else { b'\'' };
    let literal = [inside, &[quote], AFTER].concat();
    let value = naive::unescape(&literal, quote);
    // The literal ends before its first unescaped quote.
    let inside = value.as_ref().map_or(inside, |(_, end)| &literal[..*end]);
    let value = value.map(|(value, _)| value);
    let text = |field: &[u8]| [field, &[quote], inside, &[quote], AFTER].concat();

    let body = text(b"data: ");
    let decoded = decode(body.clone(), Format::Text).ok();
    assert_eq!(decoded.map(|(_, body)| body), value, "the body differs");

    let (memory, queue) = Memory::queue([("m:x".to_string(), body)]);
    memory.read_short(u64::from(seed) | 1);
    assert_eq!(queue.get("x").ok().map(|item| item.body), value, "the body read with short reads differs");

    let decoded = decode(text(b"from: "), Format::Text).ok();
    let string = value.and_then(|value| String::from_utf8(value).ok());
    assert_eq!(
        decoded.as_ref().map(|(envelope, _)| envelope.reverse_path.as_str()),
        string.as_deref(),
        "the string differs"
    );
});
