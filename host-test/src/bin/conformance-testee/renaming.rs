//! Fields of the runner's message, as fields of an item that have the same type.

use prost::Message;

/// A field of `TestAllTypesProto3`, and the field of an item that stands for it. In text, both are followed by the
/// value.
pub(crate) struct Renaming {
    /// The text before the value in the runner's message.
    theirs: &'static str,
    /// The text before the value in an item, in the form that the component writes.
    ours: &'static str,
    /// The text after the value in an item, where the field of an item is in a message of its own.
    end: &'static str,
    /// The names of the values of an enum, in an item and in the runner's message.
    names: &'static [(&'static str, &'static str)],
    /// Returns the runner's message that has the value of an item.
    binary: fn(Item) -> TestAllTypesProto3,
}

const RENAMINGS: [Renaming; 7] = [
    Renaming {
        theirs: "optional_string:",
        ours: "from:",
        end: "",
        names: &[],
        binary: |item| TestAllTypesProto3 { optional_string: item.from, ..Default::default() },
    },
    Renaming {
        theirs: "repeated_string:",
        ours: "To:",
        end: "",
        names: &[],
        binary: |item| TestAllTypesProto3 { repeated_string: item.to, ..Default::default() },
    },
    Renaming {
        theirs: "optional_bytes:",
        ours: "data:",
        end: "",
        names: &[],
        binary: |item| TestAllTypesProto3 { optional_bytes: item.data, ..Default::default() },
    },
    Renaming {
        theirs: "optional_int32:",
        ours: "created_at_ts: {\n  nanos:",
        end: "\n}",
        names: &[],
        binary: |item| TestAllTypesProto3 { optional_int32: item.created_at().nanos, ..Default::default() },
    },
    Renaming {
        theirs: "optional_int64:",
        ours: "created_at_ts: {\n  seconds:",
        end: "\n}",
        names: &[],
        binary: |item| TestAllTypesProto3 { optional_int64: item.created_at().seconds, ..Default::default() },
    },
    Renaming {
        theirs: "optional_nested_enum:",
        ours: "rcpt: {\n  type:",
        end: "\n}",
        names: &[("PIPE", "BAR"), ("FORWARD", "BAZ")],
        binary: |item| TestAllTypesProto3 { optional_nested_enum: item.only_recipient().kind, ..Default::default() },
    },
    Renaming {
        theirs: "optional_nested_message: { a:",
        ours: "created_at_ts: {\n  nanos:",
        end: "",
        names: &[],
        binary: |item| TestAllTypesProto3 {
            optional_nested_message: Some(NestedMessage { a: item.created_at().nanos }),
            ..Default::default()
        },
    },
];

/// Returns the text as one of an item, and how the field was renamed. Returns nothing where a field has another type, and
/// for messages of several fields, which no case of an item's types has.
pub(crate) fn of(text: &str) -> Option<(&'static Renaming, String)> {
    RENAMINGS.iter().find_map(|renaming| {
        let value = text.trim_start().strip_prefix(renaming.theirs)?;
        let only_field = !value.contains(':');
        only_field.then(|| (renaming, [renaming.ours, value, renaming.end].concat()))
    })
}

impl Renaming {
    /// Returns the text of an item as one of the runner's message. A repeated field has a line for each value.
    pub(crate) fn text_back(&self, item: &str) -> String {
        let fields: Vec<&str> = item.lines().filter(|line| !line.starts_with('#')).collect();
        let fields = format!("\n{}", fields.join("\n"));
        let values = fields.strip_suffix(self.end).unwrap_or(&fields);
        let values = values.replace(&format!("\n{}", self.ours), &format!("\n{}", self.theirs));
        self.names.iter().fold(values, |values, (ours, theirs)| values.replace(ours, theirs))
    }

    /// Returns the wire format of an item as that of the runner's message.
    pub(crate) fn binary_back(&self, item: &[u8]) -> Vec<u8> {
        let item = Item::decode(item).expect("an item in binary is a protocol buffer message");
        (self.binary)(item).encode_to_vec()
    }
}

/// An item, with the fields that stand for others. docs/format.md has the numbers.
#[derive(Message)]
struct Item {
    #[prost(string, tag = "2")]
    from: String,
    #[prost(string, repeated, tag = "3")]
    to: Vec<String>,
    #[prost(message, repeated, tag = "4")]
    rcpt: Vec<Recipient>,
    #[prost(bytes = "vec", tag = "5")]
    data: Vec<u8>,
    #[prost(message, optional, tag = "6")]
    created_at_ts: Option<Timestamp>,
}

impl Item {
    fn created_at(&self) -> &Timestamp {
        self.created_at_ts.as_ref().expect("the item was decoded from a text with a time")
    }

    fn only_recipient(&self) -> &Recipient {
        match &self.rcpt[..] {
            [recipient] => recipient,
            recipients => panic!("the item was decoded from a text with one recipient, and has {}", recipients.len()),
        }
    }
}

#[derive(Message)]
struct Recipient {
    /// The field `type`.
    #[prost(int32, tag = "2")]
    kind: i32,
}

#[derive(Message)]
struct Timestamp {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

/// The runner's message, with the fields that are renamed.
#[derive(Message)]
struct TestAllTypesProto3 {
    #[prost(int32, tag = "1")]
    optional_int32: i32,
    #[prost(int64, tag = "2")]
    optional_int64: i64,
    #[prost(string, tag = "14")]
    optional_string: String,
    #[prost(bytes = "vec", tag = "15")]
    optional_bytes: Vec<u8>,
    #[prost(message, optional, tag = "18")]
    optional_nested_message: Option<NestedMessage>,
    #[prost(int32, tag = "21")]
    optional_nested_enum: i32,
    #[prost(string, repeated, tag = "44")]
    repeated_string: Vec<String>,
}

#[derive(Message)]
struct NestedMessage {
    #[prost(int32, tag = "1")]
    a: i32,
}
