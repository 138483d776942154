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

use crate::binary::too_large;
use crate::error::{Code, Error, Operation, Position, Result};
use crate::filesystem::File;
use crate::input::{Input, READ_BYTES};
use crate::limits::{MAX_ENVELOPE_BYTES, MAX_ENVELOPE_ENTRIES};
use crate::list::{Maybe, Text};
use crate::message::{CREATED_AT_FIELD, Message, Place, Recipient, Timestamp};
use alloc::vec::Vec;
use queue_store_literal::unescape::{self, LOOKAHEAD, Stop};
use queue_store_literal::utf8;

/// What is wrong with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Syntax {
    /// It ends where something must follow.
    UnexpectedEnd,
    /// A field begins with something that no name has.
    InvalidName,
    /// A name that the message does not have. Upper and lower case differ.
    UnknownField,
    /// A field given by number.
    FieldNumber,
    /// A `:` is missing.
    MissingColon,
    /// A field that is not a list is there twice.
    Repeated,
    /// Something else stands where a string must.
    NotAString,
    /// Something else stands where a whole number must.
    NotAnInteger,
    /// The number does not fit.
    OutOfRange,
    /// A name that the enum does not have.
    NotAnEnum,
    /// Something else stands where a message must.
    NotAMessage,
    /// `>` closes `{`, or `}` closes `<`.
    Mismatched,
    /// Something else than `,` or `]` in a list.
    NotInAList,
    /// A string of text that is not UTF-8 after its escapes are undone.
    NotUtf8,
}

/// The same for people, in their order.
const SYNTAX: [&str; 14] = [
    "the text ends too early",
    "a field name is missing, or has characters that no name has",
    "this message has no field of this name",
    "a field is given by its number",
    "`:` is missing after the field name",
    "a field that is not a list is there twice",
    "a string is needed here",
    "a whole number is needed here",
    "the number is out of range",
    "a known name, or a number, is needed here",
    "`{` or `<` is needed here",
    "this does not close what was opened",
    "`,` or `]` is needed here",
    "a string of characters is not UTF-8",
];

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
    /// The fields of the outermost message that were there, a bit for each number.
    seen: u32,
    /// Addresses, recipients and servers so far.
    entries: usize,
    /// Where `data` was, and how many bytes of the text it took.
    body_bytes: u64,
    body: Body,
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
    invalid(SYNTAX[what as usize], offset)
}

fn invalid(text: &str, offset: u64) -> Error {
    let mut error = Error::of(Code::Corrupt, Operation::Decode, "", text);
    error.at = Maybe::Some(Position { offset, line: 0, column: 0 });
    error
}

impl<F: File> Parser<F> {
    /// A parser at the beginning of `input`.
    pub(crate) fn new(input: Input<F>) -> Parser<F> {
        Parser { input, seen: 0, entries: 0, body_bytes: 0, body: Body::No }
    }

    /// Goes back to the beginning.
    pub(crate) fn restart(&mut self) {
        self.input.seek(0);
        (self.seen, self.entries, self.body_bytes, self.body) = (0, 0, 0, Body::No);
    }

    /// A parser of what follows the value of `data`, after this one parsed what precedes it.
    pub(crate) fn after_body(&self, rest: Input<F>) -> Parser<F> {
        Parser { input: rest, seen: self.seen, entries: self.entries, body_bytes: 0, body: Body::No }
    }

    /// Parses fields of the outermost message, up to the value of `data` or the end.
    pub(crate) fn next(&mut self, message: &mut dyn Message) -> Result<Step> {
        self.blank()?;
        let mut seen = self.seen;
        let step = self.fields(message, None, &mut seen);
        self.seen = seen;
        step
    }

    /// Whether the outermost message had `created_at_ts` and nothing else.
    pub(crate) fn had_creation_only(&self, before: &Parser<F>) -> bool {
        self.seen == before.seen | 1 << CREATED_AT_FIELD && self.entries == before.entries
    }

    /// Reads the next bytes of the body into `output`, which has room for `unescape::MARGIN` and more; none at its
    /// end.
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
            Stop::Invalid(literal) => return Err(invalid(literal.text(), self.input.offset())),
        }
        Ok((progress.produced, progress.stop))
    }

    #[cold]
    #[inline(never)]
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

    /// An identifier, and the blank after it: which of `known` it is. It must end where a token ends.
    fn name(&mut self, known: &[&str]) -> Result<Option<usize>> {
        match self.input.peek()? {
            Some(b'a'..=b'z' | b'A'..=b'Z' | b'_') => {}
            Some(b'0'..=b'9') => return Err(self.wrong(Syntax::FieldNumber)),
            Some(b'[') => return Err(self.wrong(Syntax::UnknownField)),
            _ => return Err(self.wrong(Syntax::InvalidName)),
        }
        let mut length = 0;
        loop {
            let window = self.input.window();
            while window.get(length).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') {
                length += 1;
            }
            if length > MAX_NAME_BYTES {
                return Err(self.wrong(Syntax::UnknownField));
            }
            if length < window.len() || !self.input.more(READ_BYTES)? {
                break;
            }
        }
        let offset = self.input.offset();
        let name = self.input.take(length);
        let known = known.iter().position(|known| known.as_bytes() == name);
        if !self.at_delimiter()? {
            return Err(wrong(Syntax::InvalidName, offset));
        }
        self.blank()?;
        Ok(known)
    }

    /// Whether a name or a number ends here.
    fn at_delimiter(&mut self) -> Result<bool> {
        let byte = self.input.peek()?;
        Ok(!byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.' | b'_')))
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

    /// A string of characters, and the blank after it.
    fn string(&mut self) -> Result<Text> {
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
                return utf8::string(&bytes).map(Text::from).ok_or_else(|| wrong(Syntax::NotUtf8, offset));
            }
        }
        Err(wrong(Syntax::NotAString, offset))
    }

    /// A message in its brackets, and the blank after it.
    fn message(&mut self, message: &mut dyn Message) -> Result<()> {
        let close = match self.input.peek()? {
            Some(b'{') => b'}',
            Some(b'<') => b'>',
            Some(_) => return Err(self.wrong(Syntax::NotAMessage)),
            None => return Err(self.wrong(Syntax::UnexpectedEnd)),
        };
        self.step()?;
        self.fields(message, Some(close), &mut 0)?;
        self.step()
    }

    /// The fields of a message, up to what closes it, to the end where nothing does, or to the body.
    fn fields(&mut self, message: &mut dyn Message, close: Option<u8>, seen: &mut u32) -> Result<Step> {
        loop {
            let next = self.input.peek()?;
            if next == close {
                return Ok(Step::End);
            }
            match next {
                Some(b'}' | b'>') if close.is_some() => return Err(self.wrong(Syntax::Mismatched)),
                Some(_) => {}
                None => return Err(self.wrong(Syntax::UnexpectedEnd)),
            }
            let offset = self.input.offset();
            let number = self.name(message.names())?.map_or(0, |at| at + 1);
            let Some(place) = message.place(number) else {
                return Err(wrong(Syntax::UnknownField, offset));
            };
            if !matches!(place, Place::Texts(_) | Place::Recipients(_)) && *seen & 1 << number != 0 {
                return Err(wrong(Syntax::Repeated, offset));
            }
            *seen |= 1 << number;
            if self.input.peek()? == Some(b':') {
                self.step()?;
            } else if !matches!(place, Place::Recipients(_) | Place::Timestamp(_)) {
                return Err(self.wrong(Syntax::MissingColon));
            }
            match place {
                Place::Text(text) => *text = self.string()?,
                Place::Texts(texts) => self.list(&mut |parser| {
                    texts.push(parser.string()?);
                    Ok(())
                })?,
                Place::Enumeration(number, names) => *number = self.enumeration(names)?,
                Place::Short(number) => *number = self.integer32()?,
                Place::Long(number) => *number = self.integer()?,
                Place::Recipients(recipients) => self.list(&mut |parser| {
                    let mut recipient = Recipient::default();
                    parser.message(&mut recipient)?;
                    recipients.push(recipient);
                    Ok(())
                })?,
                Place::Timestamp(place) => {
                    let mut timestamp = Timestamp::default();
                    self.message(&mut timestamp)?;
                    *place = Maybe::Some(timestamp);
                }
                Place::Body => {
                    if !matches!(self.input.peek()?, Some(b'"' | b'\'')) {
                        return Err(self.wrong(Syntax::NotAString));
                    }
                    self.body = Body::Between;
                    return Ok(Step::Body);
                }
            }
            self.separator()?;
        }
    }

    /// A value of an open enum: one of its names, or any number.
    fn enumeration(&mut self, names: &[&str]) -> Result<i32> {
        let offset = self.input.offset();
        match self.input.peek()? {
            Some(b'a'..=b'z' | b'A'..=b'Z' | b'_') => {
                let number = self.name(names)?;
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
        // There is one negative number more, which is where both ranges end.
        let (most, mut number, mut fits) = (1_u64 << 63, 0, true);
        while let Some(byte) = self.input.peek()?
            && let Some(digit) = char::from(byte).to_digit(radix)
        {
            self.input.consume(1);
            self.bounded()?;
            digits += 1;
            fits &= number <= most / u64::from(radix);
            number = number.wrapping_mul(radix.into()).wrapping_add(digit.into());
        }
        if digits == 0 || !self.at_delimiter()? {
            return Err(wrong(Syntax::NotAnInteger, offset));
        }
        self.blank()?;
        if !fits || number >= most + u64::from(negative) {
            return Err(wrong(Syntax::OutOfRange, offset));
        }
        Ok(if negative { number.cast_signed().wrapping_neg() } else { number.cast_signed() })
    }
}

// A step of `unescape` that lacks input holds less than this back, so that reading more always moves it on.
const _: () = assert!(LOOKAHEAD < READ_BYTES);
