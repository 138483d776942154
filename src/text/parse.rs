//! Protocol buffer text format into an envelope, and the body aside, in one pass and any field order, accepting and
//! refusing what Go's `prototext` does for chasquid's `Message`.
//!
//! The grammar, after <https://protobuf.dev/reference/protobuf/textformat-spec/> and its Go implementation:
//!
//! ```text
//! message   = { field [ "," | ";" ] }
//! field     = name [ ":" ] value            ":" may be missing before a message and a list of messages
//! value     = scalar | "{" message "}" | "<" message ">" | "[" [ value { "," value } ] "]"
//! scalar    = string { string } | integer | name
//! ```
//!
//! White space (blank, tab, CR, LF) and comments (`#` to the next LF) may stand between tokens, and between a minus sign and
//! its digits.

use super::unescape::{self, InvalidLiteral, LOOKAHEAD, Stop};
use crate::binary::too_large;
use crate::error::{Code, Error, Operation, Position, Result};
use crate::filesystem::File;
use crate::input::{Input, READ_BYTES};
use crate::limits::{MAX_ENVELOPE_BYTES, MAX_ENVELOPE_ENTRIES};
use crate::message::{Envelope, KINDS, Recipient, STATUSES, Timestamp};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use thiserror::Error as ThisError;

/// What is wrong with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ThisError)]
pub(crate) enum Syntax {
    /// It ends where something must follow.
    #[error("the text ends too early")]
    UnexpectedEnd,
    /// A field begins with something that no name has.
    #[error("a field name is missing, or has characters that no name has")]
    InvalidName,
    /// A name that the message does not have. Upper and lower case differ.
    #[error("this message has no field of this name")]
    UnknownField,
    /// A field given by number.
    #[error("a field is given by its number")]
    FieldNumber,
    /// A `:` is missing.
    #[error("`:` is missing after the field name")]
    MissingColon,
    /// A field that is not a list is there twice.
    #[error("a field that is not a list is there twice")]
    Repeated,
    /// Something else stands where a string must.
    #[error("a string is needed here")]
    NotAString,
    /// Something else stands where a whole number must.
    #[error("a whole number is needed here")]
    NotAnInteger,
    /// The number does not fit.
    #[error("the number is out of range")]
    OutOfRange,
    /// A name that the enum does not have.
    #[error("a known name, or a number, is needed here")]
    NotAnEnum,
    /// Something else stands where a message must.
    #[error("`{{` or `<` is needed here")]
    NotAMessage,
    /// `>` closes `{`, or `}` closes `<`.
    #[error("this does not close what was opened")]
    Mismatched,
    /// Something else than `,` or `]` in a list.
    #[error("`,` or `]` is needed here")]
    NotInAList,
    /// A string that is not one.
    #[error(transparent)]
    Literal(#[from] InvalidLiteral),
    /// A string of text that is not UTF-8 after its escapes are undone.
    #[error("a string of characters is not UTF-8")]
    NotUtf8,
}

/// Where a parser stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// At the value of `data`, which `body` reads.
    Body,
    /// At the end of the text.
    End,
}

/// Names as long as these exist; a longer one is unknown anyway.
const MAX_NAME_BYTES: usize = 64;

/// A text being parsed.
pub(crate) struct Parser<F> {
    pub(crate) input: Input<F>,
    seen: Seen,
    /// Addresses, recipients and servers so far.
    entries: usize,
    /// Where `data` was, and how many bytes of the text it took.
    body_bytes: u64,
    body: Body,
}

/// The singular fields of the message that were there.
#[derive(Clone, Copy, Default)]
struct Seen {
    id: bool,
    reverse_path: bool,
    body: bool,
    created_at: bool,
}

/// How far the value of `data` was read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Body {
    /// It was not reached, or is done.
    No,
    /// Before a literal.
    Between,
    /// Within a literal that this quote closes.
    Within(u8),
}

/// What is wrong at `offset`. The line is for whoever has all of the text to say.
#[cold]
#[inline(never)]
fn wrong(what: Syntax, offset: u64) -> Error {
    let mut error = Error::of(Code::Corrupt, Operation::Decode, "", &what.to_string());
    error.at = Some(Position { offset, line: 0, column: 0 });
    error
}

/// A mark in `seen` of the field that is being parsed.
fn mark(seen: &mut bool, offset: u64) -> Result<()> {
    if core::mem::replace(seen, true) { Err(wrong(Syntax::Repeated, offset)) } else { Ok(()) }
}

impl<F: File> Parser<F> {
    /// A parser at the beginning of `input`.
    pub(crate) fn new(input: Input<F>) -> Parser<F> {
        Parser { input, seen: Seen::default(), entries: 0, body_bytes: 0, body: Body::No }
    }

    /// Goes back to the beginning.
    pub(crate) fn restart(&mut self) {
        self.input.seek(0);
        (self.seen, self.entries, self.body_bytes, self.body) = (Seen::default(), 0, 0, Body::No);
    }

    /// A parser of what follows the value of `data`, after this one parsed what precedes it.
    pub(crate) fn after_body(&self, rest: Input<F>) -> Parser<F> {
        Parser { input: rest, seen: self.seen, entries: self.entries, body_bytes: 0, body: Body::No }
    }

    /// Parses fields into `envelope` up to the value of `data` or the end.
    pub(crate) fn next(&mut self, envelope: &mut Envelope) -> Result<Step> {
        loop {
            self.blank()?;
            if self.input.peek()?.is_none() {
                return Ok(Step::End);
            }
            let offset = self.input.offset();
            match self.name()?.as_slice() {
                b"ID" => {
                    mark(&mut self.seen.id, offset)?;
                    envelope.id = self.string_field()?;
                }
                b"from" => {
                    mark(&mut self.seen.reverse_path, offset)?;
                    envelope.reverse_path = self.string_field()?;
                }
                b"To" => self.strings_field(&mut envelope.to)?,
                b"rcpt" => {
                    self.optional_colon()?;
                    self.list(&mut |parser| {
                        envelope.recipients.push(parser.recipient()?);
                        Ok(())
                    })?;
                }
                b"created_at_ts" => {
                    mark(&mut self.seen.created_at, offset)?;
                    self.optional_colon()?;
                    envelope.created_at = Some(self.timestamp()?);
                }
                b"data" => {
                    mark(&mut self.seen.body, offset)?;
                    self.colon()?;
                    if !matches!(self.input.peek()?, Some(b'"' | b'\'')) {
                        return Err(self.wrong(Syntax::NotAString));
                    }
                    self.body = Body::Between;
                    return Ok(Step::Body);
                }
                _ => return Err(wrong(Syntax::UnknownField, offset)),
            }
            self.separator()?;
        }
    }

    /// Reads the next bytes of the body into `output`, which has room for more than a block; none at its end.
    pub(crate) fn body(&mut self, output: &mut [u8]) -> Result<Option<usize>> {
        let mut produced = 0;
        loop {
            let begin = self.input.offset();
            match self.body {
                Body::No => return Ok(if produced > 0 { Some(produced) } else { None }),
                Body::Between => match self.input.peek()? {
                    Some(quote @ (b'"' | b'\'')) => {
                        self.input.consume(1);
                        self.body = Body::Within(quote);
                    }
                    _ => {
                        self.body = Body::No;
                        self.separator()?;
                        continue;
                    }
                },
                Body::Within(quote) => {
                    let room = output.get_mut(produced..).unwrap_or_default();
                    let (more, stop) = self.unescape(room, quote)?;
                    produced += more;
                    if stop == Stop::Quote {
                        self.body = Body::Between;
                    }
                    self.body_bytes += self.input.offset() - begin;
                    match stop {
                        Stop::Quote => self.blank()?,
                        Stop::Output => return Ok(Some(produced)),
                        Stop::Input | Stop::Invalid(_) => {}
                    }
                    continue;
                }
            }
            self.body_bytes += self.input.offset() - begin;
        }
    }

    /// Takes the body as it is written, from its quote, which is a double one, to its quote at `until`. The caller
    /// knows where that is, and checks what it takes. Returns the next bytes; none at the end.
    pub(crate) fn encoded_body(&mut self, until: u64) -> Result<Option<&[u8]>> {
        if self.body == Body::Between {
            self.input.consume(1);
            self.body = Body::Within(b'"');
        }
        let left = until.saturating_sub(self.input.offset());
        if left == 0 || self.input.peek()?.is_none() {
            return Ok(None);
        }
        let bytes = usize::try_from(left).unwrap_or(usize::MAX).min(self.input.window().len());
        self.body_bytes += bytes as u64;
        Ok(Some(self.input.take(bytes)))
    }

    /// Unescapes what follows in a literal, and the quote that closes it. Says how many bytes that is, and why not more;
    /// input that was missing is there then.
    fn unescape(&mut self, output: &mut [u8], quote: u8) -> Result<(usize, Stop)> {
        let last = self.input.is_last();
        let progress = unescape::unescape(self.input.window(), output, quote, last);
        self.input.consume(progress.consumed);
        match progress.stop {
            Stop::Quote => self.input.consume(1),
            Stop::Input => {
                self.input.more(READ_BYTES)?;
            }
            Stop::Output => {}
            Stop::Invalid(invalid) => return Err(self.wrong(invalid.into())),
        }
        Ok((progress.produced, progress.stop))
    }

    #[cold]
    fn wrong(&self, what: Syntax) -> Error {
        wrong(what, self.input.offset())
    }

    /// Refuses an envelope that takes more than its bound, the body aside.
    fn bounded(&self) -> Result<()> {
        if self.input.offset() - self.body_bytes > MAX_ENVELOPE_BYTES as u64 {
            return Err(too_large("max-envelope-bytes"));
        }
        Ok(())
    }

    /// Skips white space and comments.
    fn blank(&mut self) -> Result<()> {
        let mut comment = false;
        loop {
            let mut skipped = 0;
            for &byte in self.input.window() {
                match byte {
                    b'\n' => comment = false,
                    _ if comment => {}
                    b' ' | b'\t' | b'\r' => {}
                    b'#' => comment = true,
                    _ => break,
                }
                skipped += 1;
            }
            self.input.consume(skipped);
            self.bounded()?;
            if !self.input.window().is_empty() || self.input.peek()?.is_none() {
                return Ok(());
            }
        }
    }

    /// The separator that may follow a field.
    fn separator(&mut self) -> Result<()> {
        self.blank()?;
        if matches!(self.input.peek()?, Some(b',' | b';')) {
            self.step()?;
        }
        Ok(())
    }

    /// Takes one byte, and the blank after it.
    fn step(&mut self) -> Result<()> {
        self.input.consume(1);
        self.blank()
    }

    /// An identifier, and the blank after it. It must end where a token ends.
    fn name(&mut self) -> Result<Vec<u8>> {
        match self.input.peek()? {
            Some(b'a'..=b'z' | b'A'..=b'Z' | b'_') => {}
            Some(b'0'..=b'9') => return Err(self.wrong(Syntax::FieldNumber)),
            Some(b'[') => return Err(self.wrong(Syntax::UnknownField)),
            _ => return Err(self.wrong(Syntax::InvalidName)),
        }
        let offset = self.input.offset();
        let mut name = Vec::new();
        while let Some(byte @ (b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_')) = self.input.peek()? {
            if name.len() >= MAX_NAME_BYTES {
                return Err(wrong(Syntax::UnknownField, offset));
            }
            name.push(byte);
            self.input.consume(1);
        }
        if !self.at_delimiter()? {
            return Err(wrong(Syntax::InvalidName, offset));
        }
        self.blank()?;
        Ok(name)
    }

    /// Whether a name or a number ends here.
    fn at_delimiter(&mut self) -> Result<bool> {
        let byte = self.input.peek()?;
        Ok(!byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.' | b'_')))
    }

    fn colon(&mut self) -> Result<()> {
        if self.optional_colon()? { Ok(()) } else { Err(self.wrong(Syntax::MissingColon)) }
    }

    fn optional_colon(&mut self) -> Result<bool> {
        let there = self.input.peek()? == Some(b':');
        if there {
            self.step()?;
        }
        Ok(there)
    }

    /// One value, or a list of them in brackets.
    fn list(&mut self, value: &mut dyn FnMut(&mut Self) -> Result<()>) -> Result<()> {
        let brackets = self.input.peek()? == Some(b'[');
        if brackets {
            self.step()?;
            if self.input.peek()? == Some(b']') {
                return self.step();
            }
        }
        loop {
            self.entries += 1;
            if self.entries > MAX_ENVELOPE_ENTRIES {
                return Err(too_large("max-envelope-entries"));
            }
            value(self)?;
            if !brackets {
                return Ok(());
            }
            match self.input.peek()? {
                Some(b',') => self.step()?,
                Some(b']') => return self.step(),
                Some(_) => return Err(self.wrong(Syntax::NotInAList)),
                None => return Err(self.wrong(Syntax::UnexpectedEnd)),
            }
        }
    }

    fn string_field(&mut self) -> Result<String> {
        self.colon()?;
        self.string()
    }

    fn strings_field(&mut self, strings: &mut Vec<String>) -> Result<()> {
        self.colon()?;
        self.list(&mut |parser| {
            strings.push(parser.string()?);
            Ok(())
        })
    }

    /// A string of characters, and the blank after it.
    fn string(&mut self) -> Result<String> {
        let offset = self.input.offset();
        let mut bytes = Vec::new();
        while let Some(quote @ (b'"' | b'\'')) = self.input.peek()? {
            self.input.consume(1);
            loop {
                let mut output = [0; 256];
                let (more, stop) = self.unescape(&mut output, quote)?;
                bytes.extend_from_slice(output.get(..more).unwrap_or_default());
                self.bounded()?;
                if stop == Stop::Quote {
                    break;
                }
            }
            self.blank()?;
            if !matches!(self.input.peek()?, Some(b'"' | b'\'')) {
                return String::from_utf8(bytes).map_err(|_| wrong(Syntax::NotUtf8, offset));
            }
        }
        Err(wrong(Syntax::NotAString, offset))
    }

    /// The fields of a message in its brackets, and the blank after it. `field` parses one of this name, and says whether
    /// there is one.
    fn message(&mut self, field: &mut dyn FnMut(&mut Self, &[u8], u64) -> Result<bool>) -> Result<()> {
        let close = match self.input.peek()? {
            Some(b'{') => b'}',
            Some(b'<') => b'>',
            Some(_) => return Err(self.wrong(Syntax::NotAMessage)),
            None => return Err(self.wrong(Syntax::UnexpectedEnd)),
        };
        self.step()?;
        loop {
            match self.input.peek()? {
                Some(byte) if byte == close => return self.step(),
                Some(b'}' | b'>') => return Err(self.wrong(Syntax::Mismatched)),
                Some(_) => {}
                None => return Err(self.wrong(Syntax::UnexpectedEnd)),
            }
            let offset = self.input.offset();
            let name = self.name()?;
            if !field(self, &name, offset)? {
                return Err(wrong(Syntax::UnknownField, offset));
            }
            self.separator()?;
        }
    }

    fn recipient(&mut self) -> Result<Recipient> {
        let mut recipient = Recipient::default();
        let mut seen = [false; 5];
        self.message(&mut |parser, name, offset| {
            match name {
                b"address" => {
                    mark(&mut seen[0], offset)?;
                    recipient.address = parser.string_field()?;
                }
                b"type" => {
                    mark(&mut seen[1], offset)?;
                    recipient.kind = parser.enumeration(&KINDS)?;
                }
                b"status" => {
                    mark(&mut seen[2], offset)?;
                    recipient.status = parser.enumeration(&STATUSES)?;
                }
                b"last_failure_message" => {
                    mark(&mut seen[3], offset)?;
                    recipient.last_failure_message = parser.string_field()?;
                }
                b"original_address" => {
                    mark(&mut seen[4], offset)?;
                    recipient.original_address = parser.string_field()?;
                }
                b"via" => parser.strings_field(&mut recipient.via)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(recipient)
    }

    fn timestamp(&mut self) -> Result<Timestamp> {
        let mut timestamp = Timestamp::default();
        let mut seen = [false; 2];
        self.message(&mut |parser, name, offset| {
            match name {
                b"seconds" => {
                    mark(&mut seen[0], offset)?;
                    parser.colon()?;
                    timestamp.seconds = parser.integer()?;
                }
                b"nanos" => {
                    mark(&mut seen[1], offset)?;
                    parser.colon()?;
                    timestamp.nanos = parser.integer32()?;
                }
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(timestamp)
    }

    /// A value of an open enum: one of its names, or any number.
    fn enumeration(&mut self, names: &[&str]) -> Result<i32> {
        self.colon()?;
        let offset = self.input.offset();
        match self.input.peek()? {
            Some(b'a'..=b'z' | b'A'..=b'Z' | b'_') => {
                let name = self.name()?;
                let number = names.iter().position(|known| known.as_bytes() == name);
                number.map(|number| number as i32).ok_or_else(|| wrong(Syntax::NotAnEnum, offset))
            }
            Some(b'0'..=b'9' | b'-') => self.integer32(),
            _ => Err(wrong(Syntax::NotAnEnum, offset)),
        }
    }

    fn integer32(&mut self) -> Result<i32> {
        let offset = self.input.offset();
        self.integer()?.try_into().map_err(|_| wrong(Syntax::OutOfRange, offset))
    }

    /// A whole number, and the blank after it: decimal, octal after `0` or hexadecimal after `0x`.
    fn integer(&mut self) -> Result<i64> {
        let offset = self.input.offset();
        let negative = self.input.peek()? == Some(b'-');
        if negative {
            self.step()?;
        }
        let mut radix = 10;
        let mut digits = 0;
        if self.input.peek()? == Some(b'0') {
            self.input.consume(1);
            if matches!(self.input.peek()?, Some(b'x' | b'X')) {
                self.input.consume(1);
                radix = 16;
            } else {
                radix = 8;
                digits = 1;
            }
        }
        // Counted downwards, since there is one negative number more. None once it is beyond every range.
        let mut number = Some(0_i64);
        while let Some(byte) = self.input.peek()?
            && let Some(digit) = char::from(byte).to_digit(radix)
        {
            self.input.consume(1);
            self.bounded()?;
            digits += 1;
            number = number.and_then(|number| number.checked_mul(radix.into())?.checked_sub(digit.into()));
        }
        if digits == 0 || !self.at_delimiter()? {
            return Err(wrong(Syntax::NotAnInteger, offset));
        }
        self.blank()?;
        let number = if negative { number } else { number.and_then(i64::checked_neg) };
        number.ok_or_else(|| wrong(Syntax::OutOfRange, offset))
    }
}

// A step of `unescape` that lacks input holds less than this back, so that reading more always moves it on.
const _: () = assert!(LOOKAHEAD < READ_BYTES);
