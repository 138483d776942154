//! The ways in which a text is not an item.

use thiserror::Error as ThisError;

/// A fault in a text, apart from the inside of its string literals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ThisError)]
pub enum SyntaxError {
    /// The text ends where something must follow.
    #[error("the text ends too early")]
    UnexpectedEnd,
    /// A field begins with a character that no name has.
    #[error("a field name is missing, or has characters that no name has")]
    InvalidName,
    /// A name that the message does not have. Upper and lower case differ.
    #[error("this message has no field of this name")]
    UnknownField,
    /// A field given by its number.
    #[error("a field is given by its number")]
    FieldNumber,
    /// A `:` is missing.
    #[error("`:` is missing after the field name")]
    MissingColon,
    /// A field that is not a list occurs twice.
    #[error("a field that is not a list is there twice")]
    Repeated,
    /// Another token stands where a string must.
    #[error("a string is needed here")]
    NotAString,
    /// Another token stands where a whole number must.
    #[error("a whole number is needed here")]
    NotAnInteger,
    /// The number does not fit its type.
    #[error("the number is out of range")]
    OutOfRange,
    /// A name that the enum does not have.
    #[error("a known name, or a number, is needed here")]
    NotAnEnum,
    /// Another token stands where a message must.
    #[error("`{{` or `<` is needed here")]
    NotAMessage,
    /// `>` closes `{`, or `}` closes `<`.
    #[error("the closing bracket does not match the opening one")]
    Mismatched,
    /// Another token than `,` or `]` in a list.
    #[error("`,` or `]` is needed here")]
    NotInAList,
    /// A string of characters that is not UTF-8 after its escapes are undone.
    #[error("a string of characters is not UTF-8")]
    NotUtf8,
}

/// A fault inside a string literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ThisError)]
pub enum LiteralError {
    /// The text ends before the closing quote.
    #[error("the text ends within a string")]
    Unterminated,
    /// A NUL that is not escaped.
    #[error("a string has a NUL byte")]
    Nul,
    /// A line feed that is not escaped.
    #[error("a string has a line break, or its closing quote is missing")]
    LineFeed,
    /// Bytes that are not escaped and not UTF-8.
    #[error("a string has bytes that are not UTF-8")]
    NotUtf8,
    /// A letter after `\` without a meaning, or digits that are missing or too large.
    #[error("a string has an escape that does not exist")]
    Escape,
}
