//! The headers of a mail that its envelope is made of.

use mail_parser::{Address, MessageParser};

/// The addresses of a mail's headers.
pub(super) struct Headers {
    /// The address of `Return-Path`.
    pub(super) return_path: Option<String>,
    /// The addresses of `To` and `Cc`, also those within groups.
    pub(super) recipients: Vec<String>,
}

/// Reads the headers at the beginning of `body`.
pub(super) fn read(body: &[u8]) -> Headers {
    let Some(message) = MessageParser::new().parse_headers(body) else {
        return Headers { return_path: None, recipients: Vec::new() };
    };
    Headers {
        return_path: message.return_path().as_text().map(String::from),
        recipients: [message.to(), message.cc()].into_iter().flatten().flat_map(addresses).collect(),
    }
}

fn addresses(address: &Address<'_>) -> Vec<String> {
    address.iter().filter_map(|address| address.address()).map(String::from).collect()
}
