//! A naive codec of literals and items, written from `docs/format.md` a byte at a time. The component must agree with
//! it.

use queue_store::item::envelope::{Envelope, KINDS, Recipient, STATUSES, Timestamp};
use std::fmt::Write;
use xxhash_rust::xxh64::xxh64;

/// The header line of a text item.
pub const TEXT_HEADER: &str = "# queue-store 1\n";

/// Decodes the first character of `bytes`; `None` if they do not begin with UTF-8.
fn character(bytes: &[u8]) -> Option<char> {
    (1..=bytes.len().min(4)).find_map(|length| str::from_utf8(&bytes[..length]).ok()?.chars().next())
}

/// Escapes bytes for a literal. The result excludes the quotes.
pub fn escape(mut bytes: &[u8]) -> String {
    let mut text = String::new();
    while let Some(&byte) = bytes.first() {
        let mut taken = 1;
        match character(bytes) {
            Some('"') => text.push_str("\\\""),
            Some('\\') => text.push_str("\\\\"),
            Some('\n') => text.push_str("\\n"),
            Some('\r') => text.push_str("\\r"),
            Some('\t') => text.push_str("\\t"),
            None | Some('\0'..' ' | '\x7f') => write!(text, "\\x{byte:02x}").expect("writing to a string cannot fail"),
            Some(character) => {
                taken = character.len_utf8();
                match character {
                    '\u{80}'..'\u{a0}' => {
                        write!(text, "\\u{:04x}", u32::from(character)).expect("writing to a string cannot fail")
                    }
                    _ => text.push(character),
                }
            }
        }
        bytes = &bytes[taken..];
    }
    text
}

/// Decodes the literal that `text` begins with, after its opening quote. Returns its value and the offset of the
/// closing quote; `None` if the literal is invalid or unterminated.
pub fn unescape(text: &[u8], quote: u8) -> Option<(Vec<u8>, usize)> {
    let mut bytes = Vec::new();
    let mut at = 0;
    loop {
        let byte = *text.get(at)?;
        if byte == quote {
            return Some((bytes, at));
        }
        if byte != b'\\' {
            let character = character(&text[at..]).filter(|character| !matches!(character, '\0' | '\n'))?;
            bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            at += character.len_utf8();
            continue;
        }
        let letter = *text.get(at + 1)?;
        at += 2;
        match letter {
            b'"' | b'\'' | b'\\' | b'?' => bytes.push(letter),
            b'a' => bytes.push(7),
            b'b' => bytes.push(8),
            b'f' => bytes.push(12),
            b'n' => bytes.push(b'\n'),
            b'r' => bytes.push(b'\r'),
            b't' => bytes.push(b'\t'),
            b'v' => bytes.push(11),
            b'0'..=b'7' => {
                at -= 1;
                bytes.push(digits(text, &mut at, 1, 3, 8)?.try_into().ok()?);
            }
            b'x' => bytes.push(digits(text, &mut at, 1, 2, 16)?.try_into().ok()?),
            b'u' | b'U' => {
                let length = if letter == b'u' { 4 } else { 8 };
                let mut code = digits(text, &mut at, length, length, 16)?;
                if (0xd800..0xdc00).contains(&code) {
                    if text.get(at..at + 2)? != b"\\u" {
                        return None;
                    }
                    at += 2;
                    let low = digits(text, &mut at, 4, 4, 16)?;
                    code = 0x10000 + (code - 0xd800) * 0x400 + low.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
                }
                bytes.extend_from_slice(char::from_u32(code)?.encode_utf8(&mut [0; 4]).as_bytes());
            }
            _ => return None,
        }
    }
}

fn digits(text: &[u8], at: &mut usize, least: usize, most: usize, radix: u32) -> Option<u32> {
    let digit = |byte: &u8| char::from(*byte).to_digit(radix);
    let found: Vec<u32> = text.get(*at..)?.iter().take(most).map_while(digit).collect();
    *at += found.len();
    (found.len() >= least).then(|| found.iter().fold(0, |number, digit| number * radix + digit))
}

fn string(name: &str, value: &str, text: &mut String) {
    if !value.is_empty() {
        writeln!(text, "{name}: \"{}\"", escape(value.as_bytes())).expect("writing to a string cannot fail");
    }
}

fn number(name: &str, value: i64, names: &[&str], text: &mut String) {
    match usize::try_from(value).ok().and_then(|value| names.get(value)) {
        _ if value == 0 => {}
        Some(known) => writeln!(text, "{name}: {known}").expect("writing to a string cannot fail"),
        None => writeln!(text, "{name}: {value}").expect("writing to a string cannot fail"),
    }
}

fn message(name: &str, fields: &str, text: &mut String) {
    let fields: String = fields.lines().map(|line| format!("  {line}\n")).collect();
    let end = if fields.is_empty() { "" } else { "\n" };
    writeln!(text, "{name}: {{{end}{fields}}}").expect("writing to a string cannot fail");
}

fn recipient(recipient: &Recipient) -> String {
    let mut text = String::new();
    string("address", &recipient.address, &mut text);
    number("type", recipient.kind.into(), &KINDS, &mut text);
    number("status", recipient.status.into(), &STATUSES, &mut text);
    string("last_failure_message", &recipient.last_failure_message, &mut text);
    string("original_address", &recipient.original_address, &mut text);
    recipient.via.iter().for_each(|via| {
        writeln!(text, "via: \"{}\"", escape(via.as_bytes())).expect("writing to a string cannot fail")
    });
    text
}

fn timestamp(timestamp: &Timestamp) -> String {
    let mut text = String::new();
    number("seconds", timestamp.seconds, &[], &mut text);
    number("nanos", timestamp.nanos.into(), &[], &mut text);
    text
}

/// Encodes an item in the text format.
pub fn text(envelope: &Envelope, body: &[u8]) -> String {
    let mut text = TEXT_HEADER.to_string();
    string("ID", &envelope.id, &mut text);
    string("from", &envelope.reverse_path, &mut text);
    envelope
        .to
        .iter()
        .for_each(|to| writeln!(text, "To: \"{}\"", escape(to.as_bytes())).expect("writing to a string cannot fail"));
    envelope.recipients.iter().for_each(|one| message("rcpt", &recipient(one), &mut text));
    let literal = escape(body);
    let body_at = text.len() + "data: \"".len();
    string_of_body(&literal, &mut text);
    if let Some(created_at) = &envelope.created_at {
        message("created_at_ts", &timestamp(created_at), &mut text);
    }
    append_trailer(text, body_at, literal.len(), body.len())
}

fn string_of_body(literal: &str, text: &mut String) {
    if !literal.is_empty() {
        writeln!(text, "data: \"{literal}\"").expect("writing to a string cannot fail");
    }
}

/// Appends the trailer line to a text whose body, `length` bytes when decoded, takes `written` bytes at `body_at`.
pub fn append_trailer(mut text: String, body_at: usize, written: usize, length: usize) -> String {
    write!(text, "# queue-store-end body={length} envelope=").expect("writing to a string cannot fail");
    let mut envelope = text.clone().into_bytes();
    if written > 0 {
        envelope.drain(body_at..body_at + written);
    }
    write!(text, "{:016x} all=", xxh64(&envelope, 0)).expect("writing to a string cannot fail");
    let all = xxh64(text.as_bytes(), 0);
    writeln!(text, "{all:016x}").expect("writing to a string cannot fail");
    text
}

/// Encodes an item in the binary format, from fields 1 to 4 in the wire format, the body, and field 6 in the wire
/// format.
pub fn binary(envelope: &[u8], body: &[u8], after: &[u8]) -> Vec<u8> {
    let head = [b"\xc2\x3e\x0dqueue-store 1", envelope, b"\x2a"].concat();
    let length = body.len() as u64;
    let mut padded: Vec<u8> = (0..5).map(|place| (length >> (7 * place)) as u8 | 0x80).collect();
    padded[4] &= 0x7f;
    let tail = [after, b"\xca\x3e\x18", &length.to_le_bytes()].concat();
    let envelope = xxh64(&[&head[..], &tail].concat(), 0).to_le_bytes();
    let all = xxh64(&[&head[..], body, &tail, &envelope].concat(), 0).to_le_bytes();
    [&head[..], &padded, body, &tail, &envelope, &all].concat()
}
