//! The headers of an item's message, decoded (RFC 2047).

use mail_parser::{HeaderName, HeaderValue, MessageParser};
use queue_store_host::{Error, Queue};

/// Bytes of a message after which its headers are not read further.
const MAX_BYTES: usize = 1 << 20;

/// A header field.
pub(crate) struct Header {
    pub(crate) name: String,
    /// The value in one line, with its encoded words decoded.
    pub(crate) value: String,
}

/// Reads the headers of an item's message.
pub(crate) fn read(queue: &Queue, id: &str) -> Result<Vec<Header>, Error> {
    let mut body = queue.read(id, 0)?;
    let mut start = Vec::new();
    while start.len() < MAX_BYTES && !has_end(&start) {
        match body.next_chunk()? {
            Some(chunk) => start.extend_from_slice(&chunk),
            None => break,
        }
    }
    Ok(decode(&start))
}

/// Returns the value of a header field, by its name in lower case.
pub(crate) fn find<'a>(headers: &'a [Header], name: &str) -> Option<&'a str> {
    headers.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value.as_str())
}

/// Decodes the headers at the beginning of a message.
pub(crate) fn decode(message: &[u8]) -> Vec<Header> {
    // Without a header that is named, the parser takes each field by its own grammar, and the rest as it is.
    let parser = MessageParser::new().header_text(HeaderName::Subject).default_header_text();
    let parsed = parser.parse_headers(message);
    let headers = parsed.map(|message| message.parts.into_iter().next().map(|part| part.headers));
    headers
        .flatten()
        .unwrap_or_default()
        .into_iter()
        .map(|header| {
            let value = match header.value {
                HeaderValue::Text(value) => value.into_owned(),
                _ => String::new(),
            };
            let name = match header.name {
                HeaderName::Other(name) => name.into_owned(),
                name => name.as_str().to_string(),
            };
            Header { name, value }
        })
        .collect()
}

/// Returns whether a message has the blank line that ends its headers.
fn has_end(message: &[u8]) -> bool {
    message.starts_with(b"\n")
        || message.starts_with(b"\r\n")
        || message.windows(2).any(|pair| pair == b"\n\n")
        || message.windows(3).any(|three| three == b"\n\r\n")
}
