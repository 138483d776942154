//! The protocol buffer definition of an item.

use protobuf::descriptor::FileDescriptorProto;
use std::fs;

/// The definition from chasquid.
const DEFINITION: &str = r#"
syntax = "proto3";
package queue;

message Message {
  string ID = 1;
  string from = 2;
  repeated string To = 3;
  repeated Recipient rcpt = 4;
  bytes data = 5;
  Timestamp created_at_ts = 6;
}

message Recipient {
  enum Type { EMAIL = 0; PIPE = 1; FORWARD = 2; }
  enum Status { PENDING = 0; SENT = 1; FAILED = 2; }
  string address = 1;
  Type type = 2;
  Status status = 3;
  string last_failure_message = 4;
  string original_address = 5;
  repeated string via = 6;
}

message Timestamp {
  int64 seconds = 1;
  int32 nanos = 2;
}
"#;

/// Parses the definition into the descriptor that the crates use.
pub(super) fn definition() -> FileDescriptorProto {
    let directory = tempfile::tempdir().expect("a temporary directory can be created");
    let file = directory.path().join("queue.proto");
    fs::write(&file, DEFINITION).expect("the temporary directory is writable");
    let mut parser = protobuf_parse::Parser::new();
    let parsed = parser.pure().include(directory.path()).input(&file).parse_and_typecheck();
    let mut files = parsed.expect("the definition is valid").file_descriptors;
    files.pop().expect("the parser returns the file")
}
