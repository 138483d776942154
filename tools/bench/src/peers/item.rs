//! The message as a derived `prost` struct.

use prost::Message;

/// An item.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Item {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    from: String,
    #[prost(string, repeated, tag = "3")]
    to: Vec<String>,
    #[prost(message, repeated, tag = "4")]
    recipients: Vec<Recipient>,
    #[prost(bytes = "vec", tag = "5")]
    data: Vec<u8>,
    #[prost(message, optional, tag = "6")]
    created_at: Option<Timestamp>,
}

/// A recipient and the state of its delivery.
#[derive(Clone, PartialEq, Message)]
struct Recipient {
    #[prost(string, tag = "1")]
    address: String,
    #[prost(int32, tag = "2")]
    kind: i32,
    #[prost(int32, tag = "3")]
    status: i32,
    #[prost(string, tag = "4")]
    last_failure_message: String,
    #[prost(string, tag = "5")]
    original_address: String,
    #[prost(string, repeated, tag = "6")]
    via: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
struct Timestamp {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

impl Item {
    /// Creates an item with this body.
    pub(crate) fn with(body: &[u8]) -> Item {
        let address = || "b@example.org".to_string();
        let recipient = Recipient { address: address(), original_address: address(), ..Recipient::default() };
        Item {
            id: "x".into(),
            from: "a@example.com".into(),
            to: vec![address()],
            recipients: vec![recipient],
            data: body.to_vec(),
            created_at: Some(Timestamp { seconds: 1_760_785_824, nanos: 123_456_789 }),
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        self.encode_to_vec()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Item {
        <Item as Message>::decode(bytes).expect("the input is an encoded item")
    }
}
