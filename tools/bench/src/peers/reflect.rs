//! The text format of the crate `prost-reflect`.

use super::definition::definition;
use super::item::Item;
use prost_reflect::text_format::FormatOptions;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};
use protobuf::Message;

/// An item as a dynamic message.
pub(crate) struct Reflect {
    descriptor: MessageDescriptor,
    message: DynamicMessage,
}

impl Reflect {
    pub(crate) fn new(item: &Item) -> Reflect {
        let mut set = protobuf::descriptor::FileDescriptorSet::new();
        set.file.push(definition());
        let set = set.write_to_bytes().expect("the definition can be encoded");
        let pool = DescriptorPool::decode(set.as_slice()).expect("the definition is valid");
        let descriptor = pool.get_message_by_name("queue.Message").expect("the definition has the message");
        let message =
            DynamicMessage::decode(descriptor.clone(), item.encode().as_slice()).expect("the input is an encoded item");
        Reflect { descriptor, message }
    }

    pub(crate) fn encode(&self) -> String {
        self.message.to_text_format_with_options(&FormatOptions::new().pretty(true))
    }

    pub(crate) fn decode(&self, text: &str) -> DynamicMessage {
        DynamicMessage::parse_text_format(self.descriptor.clone(), text).expect("the input is a text item")
    }
}
