//! The program that protobuf's conformance runner tests: the component's `item-codec`, behind the runner's protocol.
//!
//! The runner's messages are of its own type, `TestAllTypesProto3`. Where a case uses only types that an item has, the
//! field is renamed to one of an item, the component decodes and encodes that, and the answer is renamed back. Every other
//! case is skipped.

mod protocol;
mod renaming;

use protocol::{Answer, Request};
use queue_store_host_test::bindings::Format;
use queue_store_host_test::instance::{Instance, State};
use renaming::Renaming;
use std::io;

fn main() -> io::Result<()> {
    let mut codec: Instance<State> = Instance::with(&[]);
    while let Some(request) = protocol::read(io::stdin().lock())? {
        protocol::write(io::stdout().lock(), answer(&mut codec, &request))?;
    }
    Ok(())
}

/// Answers a request, with `skipped` where it is about more than text of an item's types.
fn answer(codec: &mut Instance<State>, request: &Request) -> Answer {
    let Some((renaming, text)) = request.text().and_then(renaming::of) else {
        return Answer::Skipped("not text whose only field has a type of an item".into());
    };
    let item = match codec.decode(text.as_bytes(), Format::Text) {
        Ok(item) => item,
        Err(error) => return Answer::ParseError(error.detail),
    };
    let output = if request.wants_text() { Format::Text } else { Format::Binary };
    match codec.encode(&item, output) {
        Ok(encoded) if request.wants_text() => Answer::Text(as_text(renaming, encoded)),
        Ok(encoded) => Answer::Protobuf(renaming.binary_back(&encoded)),
        Err(error) => Answer::SerializeError(error.detail),
    }
}

/// Renames an item that the component wrote as text.
fn as_text(renaming: &Renaming, encoded: Vec<u8>) -> String {
    let encoded = String::from_utf8(encoded).expect("text items are UTF-8, since other bytes are escaped");
    renaming.text_back(&encoded)
}
