//! The names of the fields of an item's messages, with their numbers in `queue.proto`.

/// The fields of a message that occurred, a bit for each.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Seen(u32);

impl Seen {
    /// Notes a field; false if it was seen before.
    pub(super) fn insert<N: FieldName>(&mut self, field: N) -> bool {
        let before = self.0;
        self.0 |= 1 << field.number();
        self.0 != before
    }
}

/// The fields of a message.
pub(super) trait FieldName: Copy {
    /// Returns the field that has this name.
    fn named(name: &[u8]) -> Option<Self>;

    /// Returns the number of the field.
    fn number(self) -> u32;

    /// Whether the field is a list.
    fn is_list(self) -> bool;

    /// Whether the values of the field are messages.
    fn is_message(self) -> bool;
}

/// Declares the fields of a message: name, number, and whether the field is a list and has messages as values.
macro_rules! fields {
    ($message:ident { $($field:ident $name:literal $number:literal list: $list:literal, message: $is_message:literal;)+ }) => {
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub(super) enum $message {
            $($field,)+
        }

        impl FieldName for $message {
            fn named(name: &[u8]) -> Option<$message> {
                $(if name == $name {
                    return Some($message::$field);
                })+
                None
            }

            fn number(self) -> u32 {
                match self {
                    $($message::$field => $number,)+
                }
            }

            fn is_list(self) -> bool {
                match self {
                    $($message::$field => $list,)+
                }
            }

            fn is_message(self) -> bool {
                match self {
                    $($message::$field => $is_message,)+
                }
            }
        }
    };
}

fields! {
    ItemField {
        Id b"ID" 1 list: false, message: false;
        From b"from" 2 list: false, message: false;
        To b"To" 3 list: true, message: false;
        Rcpt b"rcpt" 4 list: true, message: true;
        Data b"data" 5 list: false, message: false;
        CreatedAt b"created_at_ts" 6 list: false, message: true;
    }
}

fields! {
    RecipientField {
        Address b"address" 1 list: false, message: false;
        Type b"type" 2 list: false, message: false;
        Status b"status" 3 list: false, message: false;
        LastFailureMessage b"last_failure_message" 4 list: false, message: false;
        OriginalAddress b"original_address" 5 list: false, message: false;
        Via b"via" 6 list: true, message: false;
    }
}

fields! {
    TimestampField {
        Seconds b"seconds" 1 list: false, message: false;
        Nanos b"nanos" 2 list: false, message: false;
    }
}
