//! The files in `reference/`: items that chasquid's own code wrote, and texts with the verdict of Go's `prototext`.

use crate::bindings::{Envelope, Item, Recipient, Timestamp};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// A file that chasquid wrote.
pub struct ReferenceItem {
    /// The file's name, such as `m:minimal0001`.
    pub name: String,
    /// The file's path.
    pub path: PathBuf,
    /// The item that it holds.
    pub item: Item,
    /// The item in protocol buffer wire format, as Go writes it.
    pub wire: Vec<u8>,
}

/// A text, and the verdict of Go's `prototext`.
pub struct TextCase {
    /// The name of the case.
    pub name: String,
    /// The text.
    pub text: Vec<u8>,
    /// The item that Go decodes, if it accepts the text.
    pub item: Option<Item>,
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("reference")
}

/// Returns every reference item, sorted by name.
pub fn items() -> Vec<ReferenceItem> {
    let mut items = Vec::new();
    for case in fs::read_dir(directory().join("items")).expect("the repository has the reference items") {
        for file in
            fs::read_dir(case.expect("the directory can be read").path()).expect("each reference item has a directory")
        {
            let path = file.expect("the directory can be read").path();
            let name = path.file_name().expect("an entry has a name").to_string_lossy().into_owned();
            if let Some(id) = name.strip_prefix("m:") {
                let expected = path.with_file_name(format!("expect-{id}.json"));
                let expected = fs::read(expected).expect("each reference item has its expected values");
                let expected: Value = serde_json::from_slice(&expected).expect("the expected values are JSON");
                let item = item(&expected["message"]);
                let wire = bytes(&expected["wire_base64"]);
                items.push(ReferenceItem { name, path, item, wire });
            }
        }
    }
    items.sort_by(|one, other| one.name.cmp(&other.name));
    items
}

/// Returns every text case.
pub fn text_cases() -> Vec<TextCase> {
    let cases = fs::read(directory().join("text-format-cases.json")).expect("the repository has the text cases");
    let cases: Vec<Value> = serde_json::from_slice(&cases).expect("the text cases are JSON");
    let case = |case: &Value| TextCase {
        name: string(&case["name"]),
        text: bytes(&case["input_base64"]),
        item: case["go_accepts"].as_bool().expect("each text case has a verdict").then(|| item(&case["decoded"])),
    };
    cases.iter().map(case).collect()
}

fn item(message: &Value) -> Item {
    let recipient = |recipient: &Value| Recipient {
        address: string(&recipient["address"]),
        kind: integer(&recipient["type"]),
        status: integer(&recipient["status"]),
        last_failure_message: string(&recipient["last_failure_message"]),
        original_address: string(&recipient["original_address"]),
        via: list(&recipient["via"], string),
    };
    let created_at = Some(&message["created_at_ts"]).filter(|created_at| !created_at.is_null());
    Item {
        id: string(&message["ID"]),
        envelope: Envelope {
            reverse_path: string(&message["from"]),
            to: list(&message["To"], string),
            recipients: list(&message["rcpt"], recipient),
            created_at: created_at.map(|created_at| Timestamp {
                seconds: created_at["seconds"].as_i64().expect("seconds are an integer"),
                nanos: integer(&created_at["nanos"]),
            }),
        },
        body: bytes(&message["data_base64"]),
    }
}

fn list<T>(values: &Value, value: impl Fn(&Value) -> T) -> Vec<T> {
    values.as_array().expect("the value is a list").iter().map(value).collect()
}

fn string(value: &Value) -> String {
    value.as_str().expect("the value is a string").to_string()
}

fn integer(value: &Value) -> i32 {
    value.as_i64().and_then(|value| value.try_into().ok()).expect("the value is an integer of 32 bits")
}

fn bytes(value: &Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().expect("the value is a string")).expect("the value is base64")
}
