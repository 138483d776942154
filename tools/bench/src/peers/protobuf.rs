//! The text format of the crate `protobuf`.

use super::definition::definition;
use super::item::Item;
use protobuf::MessageDyn;
use protobuf::reflect::{FileDescriptor, MessageDescriptor};

/// An item as a dynamic message.
pub(crate) struct Protobuf {
    descriptor: MessageDescriptor,
    message: Box<dyn MessageDyn>,
}

impl Protobuf {
    pub(crate) fn new(item: &Item) -> Protobuf {
        let file = FileDescriptor::new_dynamic(definition(), &[]).expect("the definition is valid");
        let descriptor = file.message_by_package_relative_name("Message").expect("the definition has the message");
        let message = descriptor.parse_from_bytes(&item.encode()).expect("the input is an encoded item");
        Protobuf { descriptor, message }
    }

    pub(crate) fn encode(&self) -> String {
        protobuf::text_format::print_to_string_pretty(&*self.message)
    }

    pub(crate) fn decode(&self, text: &str) -> Box<dyn MessageDyn> {
        let mut message = self.descriptor.new_instance();
        protobuf::text_format::merge_from_str(&mut *message, text).expect("the input is a text item");
        message
    }
}
