//! The runner's protocol, of `conformance.proto`: each message after its length, four bytes, little-endian.

use prost::Message;
use std::io::{self, ErrorKind, Read, Write};

/// The message type of the cases that are answered. The runner repeats them with the same type as an edition declares
/// it.
const MESSAGE_TYPE: &str = "protobuf_test_messages.proto3.TestAllTypesProto3";

/// A message to be parsed, and the format to be written. Of `ConformanceRequest`, the fields that decide here.
#[derive(Message)]
pub(crate) struct Request {
    #[prost(string, optional, tag = "8")]
    text_payload: Option<String>,
    #[prost(enumeration = "WireFormat", tag = "3")]
    requested_output_format: i32,
    #[prost(string, tag = "4")]
    message_type: String,
}

impl Request {
    /// Returns the text of a message of the type that is answered.
    pub(crate) fn text(&self) -> Option<&str> {
        self.text_payload.as_deref().filter(|_| self.message_type == MESSAGE_TYPE)
    }

    /// Tells whether the message is to be written as text, and not in wire format. No case reads text and writes JSON.
    pub(crate) fn wants_text(&self) -> bool {
        self.requested_output_format() == WireFormat::TextFormat
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
enum WireFormat {
    Unspecified = 0,
    Protobuf = 1,
    TextFormat = 4,
}

#[derive(Message)]
struct Response {
    #[prost(oneof = "Answer", tags = "1, 3, 5, 6, 8")]
    answer: Option<Answer>,
}

/// The answer to a request.
#[derive(prost::Oneof)]
pub(crate) enum Answer {
    /// The message does not parse.
    #[prost(string, tag = "1")]
    ParseError(String),
    /// The message in wire format.
    #[prost(bytes = "vec", tag = "3")]
    Protobuf(Vec<u8>),
    /// The case is not for this program.
    #[prost(string, tag = "5")]
    Skipped(String),
    /// The message parses and cannot be written.
    #[prost(string, tag = "6")]
    SerializeError(String),
    /// The message as text.
    #[prost(string, tag = "8")]
    Text(String),
}

/// Reads a request, or nothing at the end of the input.
pub(crate) fn read(mut input: impl Read) -> io::Result<Option<Request>> {
    let mut length = [0; 4];
    match input.read_exact(&mut length) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        result => result?,
    }
    let mut request = vec![0; u32::from_le_bytes(length) as usize];
    input.read_exact(&mut request)?;
    Ok(Some(Request::decode(&request[..])?))
}

/// Writes a response.
pub(crate) fn write(mut output: impl Write, answer: Answer) -> io::Result<()> {
    let response = Response { answer: Some(answer) }.encode_to_vec();
    let length = u32::try_from(response.len()).expect("the messages of the runner's cases are short");
    output.write_all(&length.to_le_bytes())?;
    output.write_all(&response)?;
    output.flush()
}
