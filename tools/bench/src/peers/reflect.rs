//! The text format of `prost-reflect`.

use super::definition::definition;
use super::item::Item;
use prost_reflect::text_format::FormatOptions;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};
use protobuf::Message;

/// An item that is ready to be encoded.
pub(crate) struct Reflect {
    descriptor: MessageDescriptor,
    message: DynamicMessage,
}

impl Reflect {
    pub(crate) fn new(item: &Item) -> Reflect {
        let mut set = protobuf::descriptor::FileDescriptorSet::new();
        set.file.push(definition());
        let set = set.write_to_bytes().expect("a definition");
        let pool = DescriptorPool::decode(set.as_slice()).expect("the definition is valid");
        let descriptor = pool.get_message_by_name("queue.Message").expect("it is there");
        let message = DynamicMessage::decode(descriptor.clone(), item.encode().as_slice()).expect("an item");
        Reflect { descriptor, message }
    }

    pub(crate) fn encode(&self) -> String {
        self.message.to_text_format_with_options(&FormatOptions::new().pretty(true))
    }

    pub(crate) fn decode(&self, text: &str) -> DynamicMessage {
        DynamicMessage::parse_text_format(self.descriptor.clone(), text).expect("an item")
    }
}
