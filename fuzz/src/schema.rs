//! The protocol buffer definition of an item for `prost-reflect`, from the table in `docs/format.md`.

use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, Value};
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
    FileDescriptorSet,
};
use queue_store::item::envelope::Envelope;
use std::sync::LazyLock;

fn field(name: &str, number: i32, label: Label, kind: Type, of: Option<&str>) -> FieldDescriptorProto {
    FieldDescriptorProto {
        name: Some(name.to_string()),
        number: Some(number),
        label: Some(label.into()),
        r#type: Some(kind.into()),
        type_name: of.map(|name| format!(".queue.{name}")),
        ..FieldDescriptorProto::default()
    }
}

fn message(name: &str, field: Vec<FieldDescriptorProto>) -> DescriptorProto {
    DescriptorProto { name: Some(name.to_string()), field, ..DescriptorProto::default() }
}

fn enumeration(name: &str, values: [&str; 3]) -> EnumDescriptorProto {
    let value = |(number, name): (i32, &&str)| EnumValueDescriptorProto {
        name: Some((*name).to_string()),
        number: Some(number),
        ..EnumValueDescriptorProto::default()
    };
    EnumDescriptorProto {
        name: Some(name.to_string()),
        value: (0..).zip(&values).map(value).collect(),
        ..EnumDescriptorProto::default()
    }
}

/// The descriptor of `Message`, the message of an item.
pub static MESSAGE: LazyLock<MessageDescriptor> = LazyLock::new(|| {
    use Label::{Optional, Repeated};
    let mut recipient = message(
        "Recipient",
        vec![
            field("address", 1, Optional, Type::String, None),
            field("type", 2, Optional, Type::Enum, Some("Recipient.Type")),
            field("status", 3, Optional, Type::Enum, Some("Recipient.Status")),
            field("last_failure_message", 4, Optional, Type::String, None),
            field("original_address", 5, Optional, Type::String, None),
            field("via", 6, Repeated, Type::String, None),
        ],
    );
    recipient.enum_type =
        vec![enumeration("Type", ["EMAIL", "PIPE", "FORWARD"]), enumeration("Status", ["PENDING", "SENT", "FAILED"])];
    let timestamp = message(
        "Timestamp",
        vec![field("seconds", 1, Optional, Type::Int64, None), field("nanos", 2, Optional, Type::Int32, None)],
    );
    let item = message(
        "Message",
        vec![
            field("ID", 1, Optional, Type::String, None),
            field("from", 2, Optional, Type::String, None),
            field("To", 3, Repeated, Type::String, None),
            field("rcpt", 4, Repeated, Type::Message, Some("Recipient")),
            field("data", 5, Optional, Type::Bytes, None),
            field("created_at_ts", 6, Optional, Type::Message, Some("Timestamp")),
        ],
    );
    let file = FileDescriptorProto {
        name: Some("queue.proto".to_string()),
        package: Some("queue".to_string()),
        message_type: vec![item, recipient, timestamp],
        syntax: Some("proto3".to_string()),
        ..FileDescriptorProto::default()
    };
    let pool = DescriptorPool::from_file_descriptor_set(FileDescriptorSet { file: vec![file] });
    pool.expect("the definition is valid").get_message_by_name("queue.Message").expect("the definition has the message")
});

/// Converts an item to a message of `prost-reflect`.
pub fn message_of(envelope: &Envelope, body: &[u8]) -> DynamicMessage {
    let kind_of = |name| match MESSAGE.get_field_by_name(name).expect("the message has the field").kind() {
        prost_reflect::Kind::Message(kind) => kind,
        _ => unreachable!("`{name}` is a message"),
    };
    let text = |text: &str| Value::String(text.to_string());
    let recipients = envelope.recipients.iter().map(|recipient| {
        let mut message = DynamicMessage::new(kind_of("rcpt"));
        message.set_field_by_number(1, text(&recipient.address));
        message.set_field_by_number(2, Value::EnumNumber(recipient.kind));
        message.set_field_by_number(3, Value::EnumNumber(recipient.status));
        message.set_field_by_number(4, text(&recipient.last_failure_message));
        message.set_field_by_number(5, text(&recipient.original_address));
        message.set_field_by_number(6, Value::List(recipient.via.iter().map(|via| text(via)).collect()));
        Value::Message(message)
    });
    let mut message = DynamicMessage::new(MESSAGE.clone());
    message.set_field_by_number(1, text(&envelope.id));
    message.set_field_by_number(2, text(&envelope.reverse_path));
    message.set_field_by_number(3, Value::List(envelope.to.iter().map(|to| text(to)).collect()));
    message.set_field_by_number(4, Value::List(recipients.collect()));
    message.set_field_by_number(5, Value::Bytes(body.to_vec().into()));
    if let Some(time) = &envelope.created_at {
        let mut created_at = DynamicMessage::new(kind_of("created_at_ts"));
        created_at.set_field_by_number(1, Value::I64(time.seconds));
        created_at.set_field_by_number(2, Value::I32(time.nanos));
        message.set_field_by_number(6, Value::Message(created_at));
    }
    message
}
