//! The names of the enums of the contract: those of `wit/types.wit`.

use crate::types::{Detail, Durability, ErrorCode, Format, Integrity, State};
use std::fmt;
use std::str::FromStr;
use thiserror::Error as ThisError;

/// A name that no case of an enum has. The text lists the names that there are.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
#[error("{found:?} is none of {}", known.join(", "))]
pub struct UnknownName {
    found: String,
    known: &'static [&'static str],
}

/// Names the cases of an enum.
macro_rules! names {
    ($type:ident: $($case:ident = $name:literal),+ $(,)?) => {
        impl $type {
            /// Returns the name of the case in the contract.
            pub fn name(self) -> &'static str {
                match self {
                    $($type::$case => $name,)+
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.pad(self.name())
            }
        }

        impl FromStr for $type {
            type Err = UnknownName;

            fn from_str(name: &str) -> Result<$type, UnknownName> {
                match name {
                    $($name => Ok($type::$case),)+
                    _ => Err(UnknownName { found: name.to_string(), known: &[$($name),+] }),
                }
            }
        }
    };
}

names!(Durability: Full = "full", ContentOnly = "content-only", None = "none");
names!(Format: Text = "text", Binary = "binary");
names!(State: Ready = "ready", Held = "held", Quarantined = "quarantined");
names!(Detail: Name = "name", Envelope = "envelope", Whole = "whole");
names!(Integrity: Unchecked = "unchecked", Envelope = "envelope", Whole = "whole");
names!(ErrorCode:
    InvalidArgument = "invalid-argument",
    NotFound = "not-found",
    Exists = "exists",
    Conflict = "conflict",
    Corrupt = "corrupt",
    ChecksumMismatch = "checksum-mismatch",
    IdMismatch = "id-mismatch",
    TooLarge = "too-large",
    QueueFull = "queue-full",
    NoSpace = "no-space",
    Quota = "quota",
    ReadOnly = "read-only",
    Access = "access",
    Unsupported = "unsupported",
    Busy = "busy",
    Io = "io",
    Aborted = "aborted",
    Indeterminate = "indeterminate",
    NeedsRecovery = "needs-recovery",
    Other = "other",
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_parsed_and_others_are_refused_with_the_list() {
        assert_eq!("content-only".parse(), Ok(Durability::ContentOnly));
        assert_eq!(format!("{:>6}", State::Held), "  held");
        let error = State::from_str("Held").expect_err("names have small letters");
        assert_eq!(error.to_string(), r#""Held" is none of ready, held, quarantined"#);
    }
}
