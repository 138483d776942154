//! Broken guarantees.

use std::fmt;

/// A kind of broken guarantee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// An acknowledged mail does not exist, or a call answered that it does not.
    Lost,
    /// A mail exists whose removal was acknowledged.
    Resurrected,
    /// A mail exists whose put was refused.
    Refused,
    /// Several items are one mail that was put once.
    Doubled,
    /// A mail is damaged, or its bytes are not those of its put.
    Damaged,
    /// A mail lacks an acknowledged change, or has one that was refused.
    Change,
    /// An id is listed several times, is another one than was told, or is of no writer's mail.
    Listing,
    /// A body is left that neither an item nor a draft names.
    Leak,
    /// A call took longer than its limit.
    Slow,
    /// A call failed on healthy nodes.
    Failed,
}

impl Kind {
    /// Returns the name for people.
    pub fn title(self) -> &'static str {
        match self {
            Kind::Lost => "lost mail",
            Kind::Resurrected => "removed mail back",
            Kind::Refused => "refused mail exists",
            Kind::Doubled => "mail queued twice",
            Kind::Damaged => "damaged mail",
            Kind::Change => "wrong change",
            Kind::Listing => "wrong listing",
            Kind::Leak => "body left behind",
            Kind::Slow => "call beyond its limit",
            Kind::Failed => "failure on healthy nodes",
        }
    }
}

/// A broken guarantee.
#[derive(Clone, Debug)]
pub struct Violation {
    /// The kind.
    pub kind: Kind,
    /// The mail, the call, and the answers to the calls before it.
    pub description: String,
}

impl Violation {
    pub(crate) fn new(kind: Kind, description: impl Into<String>) -> Violation {
        Violation { kind, description: description.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.kind.title(), self.description)
    }
}
