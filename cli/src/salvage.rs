//! The readable part of a damaged item. Nothing of it is verified.

use queue_store_host::types::Format;

/// Returns the body, as far as it can be read; none where there is no beginning of one.
pub(crate) fn body(file: &[u8], format: Format) -> Option<Vec<u8>> {
    match format {
        Format::Text => Some(unescape(&file[text_body(file)? + TEXT_BODY.len()..])),
        Format::Binary => fields(file).find(|(number, _)| *number == BODY).map(|(_, value)| value.to_vec()),
    }
}

/// Returns the text of the envelope: of a text item the lines as they are, up to the body; of a binary one its strings.
pub(crate) fn envelope(file: &[u8], format: Format) -> Vec<String> {
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match format {
        Format::Text => lossy(&file[..text_body(file).unwrap_or(file.len())]).lines().map(str::to_string).collect(),
        Format::Binary => fields(file).filter(|(number, _)| *number < BODY).map(|(_, value)| lossy(value)).collect(),
    }
}

/// The number of the field `data`.
const BODY: u64 = 5;

/// The name of the field `data` in a text item.
const TEXT_BODY: &[u8] = b"data:";

/// Returns the place of the field `data` of a text item, which is not within a string.
fn text_body(file: &[u8]) -> Option<usize> {
    let (mut quote, mut at) = (None, 0);
    while at < file.len() {
        match (quote, file[at]) {
            (Some(_), b'\\') => at += 1,
            // A string ends with its line.
            (Some(open), byte) if byte == open || byte == b'\n' => quote = None,
            (Some(_), _) => {}
            (None, byte @ (b'"' | b'\'')) => quote = Some(byte),
            (None, _)
                if file[at..].starts_with(TEXT_BODY)
                    && at.checked_sub(1).is_none_or(|before| file[before].is_ascii_whitespace()) =>
            {
                return Some(at);
            }
            (None, _) => {}
        }
        at += 1;
    }
    None
}

/// Decodes strings that follow each other, up to something else or to the end.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    let mut rest = text.trim_ascii_start();
    while let Some((&quote @ (b'"' | b'\''), mut string)) = rest.split_first() {
        loop {
            match string {
                [] => return body,
                [b'\\', escape @ ..] => string = unescape_one(escape, &mut body),
                [byte, after @ ..] => {
                    string = after;
                    if *byte == quote {
                        break;
                    }
                    body.push(*byte);
                }
            }
        }
        rest = string.trim_ascii_start();
    }
    body
}

/// Decodes an escape, without its backslash, and returns the text after it.
fn unescape_one<'a>(text: &'a [u8], body: &mut Vec<u8>) -> &'a [u8] {
    let Some((&letter, after)) = text.split_first() else { return text };
    let digits = |text: &[u8], radix: u32, longest: usize| {
        let count = text.iter().take(longest).take_while(|byte| char::from(**byte).is_digit(radix)).count();
        let number = str::from_utf8(&text[..count]).ok().and_then(|digits| u32::from_str_radix(digits, radix).ok());
        (number.unwrap_or_default(), count)
    };
    match letter {
        b'n' => body.push(b'\n'),
        b'r' => body.push(b'\r'),
        b't' => body.push(b'\t'),
        b'a' => body.push(7),
        b'b' => body.push(8),
        b'v' => body.push(11),
        b'f' => body.push(12),
        b'x' | b'X' => {
            let (byte, count) = digits(after, 16, 2);
            body.push(byte as u8);
            return &after[count..];
        }
        b'0'..=b'7' => {
            let (byte, count) = digits(text, 8, 3);
            body.push(byte as u8);
            return &text[count..];
        }
        b'u' | b'U' => {
            let (scalar, count) = digits(after, 16, if letter == b'u' { 4 } else { 8 });
            let character = char::from_u32(scalar).unwrap_or(char::REPLACEMENT_CHARACTER);
            body.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            return &after[count..];
        }
        other => body.push(other),
    }
    after
}

/// Returns the fields of a binary item that have a length, up to the first one that does not parse; the value of that is
/// the rest of the file.
fn fields(file: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let mut rest = file;
    std::iter::from_fn(move || {
        const LENGTH_DELIMITED: u64 = 2;
        let tag = varint(&mut rest)?;
        let length = varint(&mut rest).filter(|_| tag & 7 == LENGTH_DELIMITED)?;
        let (value, after) = rest.split_at(rest.len().min(usize::try_from(length).unwrap_or(usize::MAX)));
        rest = after;
        Some((tag >> 3, value))
    })
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, after) = bytes.split_first()?;
        *bytes = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{body, envelope};
    use queue_store_host::types::Format;

    #[test]
    fn body_of_truncated_text_is_read_to_its_end() {
        let text = b"ID: \"data: 'x\"\nfrom: 7\ndata: \"a\\r\\n\\\"\\x00\\377\\u00e9\" 'b\\'' \"c\\n\nlost";
        assert_eq!(body(text, Format::Text).as_deref(), Some(&b"a\r\n\"\x00\xff\xc3\xa9b'c\n\nlost"[..]));
        assert_eq!(envelope(text, Format::Text), ["ID: \"data: 'x\"", "from: 7"]);
        assert_eq!(body(b"ID: \"x\"", Format::Text), None);
        for end in 0..text.len() {
            body(&text[..end], Format::Text);
        }
    }

    #[test]
    fn body_of_truncated_binary_item_is_read_to_its_end() {
        let binary = b"\xc2\x3e\x0dqueue-store 1\x0a\x01x\x12\x02<>\x2a\x8a\x80\x80\x80\x00bod";
        assert_eq!(body(binary, Format::Binary).as_deref(), Some(&b"bod"[..]));
        assert_eq!(envelope(binary, Format::Binary), ["x", "<>"]);
        for end in 0..binary.len() {
            body(&binary[..end], Format::Binary);
        }
    }
}
