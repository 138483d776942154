//! Protocol buffer text format into an envelope, with the body aside, in one pass and any field order, accepting and
//! rejecting the same texts as Go's `prototext` for chasquid's `Message`.
//!
//! The grammar, after <https://protobuf.dev/reference/protobuf/textformat-spec/> and its Go implementation:
//!
//! ```text
//! message   = { field [ "," | ";" ] }
//! field     = name [ ":" ] value            ":" may be missing before a message and a list of messages
//! value     = scalar | "{" message "}" | "<" message ">" | "[" [ value { "," value } ] "]"
//! scalar    = string { string } | integer | name
//! ```

use super::fields::{FieldName, ItemField, RecipientField, Seen, TimestampField};
use super::scanner::{Scanner, syntax_error};
use super::syntax::SyntaxError;
use super::unescape::Stop;
use crate::error::Result;
use crate::item::bounds::EntryCount;
use crate::item::envelope::{Envelope, KINDS, Recipient, STATUSES, Timestamp};
use crate::item::source::Source;

/// The place where a parser stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// At the value of `data`, which `body` reads.
    Body,
    /// At the end of the text.
    End,
}

/// A text that is being parsed.
pub(crate) struct Parser {
    scanner: Scanner,
    /// The fields of the item that occurred.
    seen: Seen,
    entries: EntryCount,
    body: Body,
}

/// The progress in the value of `data`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Body {
    /// It was not reached, or is done.
    NotStarted,
    /// Before a literal.
    BetweenLiterals,
    /// In a literal that this quote closes.
    InLiteral(u8),
}

impl Parser {
    /// Creates a parser at the beginning of `source`.
    pub(crate) fn new(source: Source) -> Parser {
        let scanner = Scanner::new(source);
        Parser { scanner, seen: Seen::default(), entries: EntryCount::default(), body: Body::NotStarted }
    }

    /// Returns the source of the text.
    pub(crate) fn source(&mut self) -> &mut Source {
        &mut self.scanner.source
    }

    /// Goes back to the beginning.
    pub(crate) fn restart(&mut self) {
        self.scanner.source.seek(0);
        self.scanner.body_bytes = 0;
        (self.seen, self.entries, self.body) = (Seen::default(), EntryCount::default(), Body::NotStarted);
    }

    /// Creates a parser of the text that follows the value of `data`, after this one parsed the text that precedes it.
    pub(crate) fn after_body(&self, rest: Source) -> Parser {
        Parser { scanner: Scanner::new(rest), seen: self.seen, entries: self.entries, body: Body::NotStarted }
    }

    /// Whether this parser, which `before` made by `after_body`, parsed `created_at_ts` and nothing else.
    pub(crate) fn parsed_creation_only(&self, before: &Parser) -> bool {
        let mut expected = before.seen;
        expected.insert(ItemField::CreatedAt) && self.seen == expected && self.entries == before.entries
    }

    /// Parses fields of the item, up to the value of `data` or the end.
    pub(crate) fn next(&mut self, envelope: &mut Envelope) -> Result<Step> {
        self.scanner.blank()?;
        let mut seen = self.seen;
        while let Some(field) = self.field(None, &mut seen)? {
            self.seen = seen;
            match field {
                ItemField::Id => envelope.id = self.scanner.string()?,
                ItemField::From => envelope.reverse_path = self.scanner.string()?,
                ItemField::To => self.list(|parser| {
                    envelope.to.push(parser.scanner.string()?);
                    Ok(())
                })?,
                ItemField::Rcpt => self.list(|parser| {
                    envelope.recipients.push(parser.recipient()?);
                    Ok(())
                })?,
                ItemField::Data => {
                    if !self.scanner.at_quote()? {
                        return Err(self.scanner.error(SyntaxError::NotAString));
                    }
                    self.body = Body::BetweenLiterals;
                    return Ok(Step::Body);
                }
                ItemField::CreatedAt => envelope.created_at = Some(self.timestamp()?),
            }
            self.scanner.separator()?;
        }
        Ok(Step::End)
    }

    /// Reads the next bytes of the body into `output`, which has room for `unescape::MARGIN` and more; none at its end.
    pub(crate) fn body(&mut self, output: &mut [u8]) -> Result<Option<usize>> {
        let mut produced = 0;
        loop {
            let begin = self.scanner.source.offset();
            match self.body {
                Body::NotStarted => return Ok(if produced > 0 { Some(produced) } else { None }),
                Body::BetweenLiterals => {
                    if let Some(quote @ (b'"' | b'\'')) = self.scanner.source.peek()? {
                        self.scanner.source.consume(1);
                        self.scanner.body_bytes += 1;
                        self.body = Body::InLiteral(quote);
                    } else {
                        self.body = Body::NotStarted;
                        self.scanner.separator()?;
                    }
                }
                Body::InLiteral(quote) => {
                    let (more, stop) = self.scanner.unescape(&mut output[produced..], quote)?;
                    produced += more;
                    self.scanner.body_bytes += self.scanner.source.offset() - begin;
                    match stop {
                        Stop::Quote => {
                            self.body = Body::BetweenLiterals;
                            self.scanner.blank()?;
                        }
                        Stop::Output => return Ok(Some(produced)),
                        Stop::Input | Stop::Invalid(_) => {}
                    }
                }
            }
        }
    }

    /// Takes the body as it is written, from its quote, which is a double one, to its quote at `until`. The caller
    /// knows where that is, and verifies the bytes. Returns the next bytes; none at the end.
    pub(crate) fn encoded_body(&mut self, until: u64) -> Result<Option<&[u8]>> {
        let source = &mut self.scanner.source;
        if self.body == Body::BetweenLiterals {
            source.consume(1);
            self.body = Body::InLiteral(b'"');
        }
        let left = until - source.offset();
        if left == 0 || source.peek()?.is_none() {
            return Ok(None);
        }
        let length = source.window().len();
        let length = usize::try_from(left).map_or(length, |left| left.min(length));
        self.scanner.body_bytes += length as u64;
        Ok(Some(source.take(length)))
    }

    /// Takes the name of the next field and its colon; none at `close`, which is none for the end of the text.
    fn field<N: FieldName>(&mut self, close: Option<u8>, seen: &mut Seen) -> Result<Option<N>> {
        let next = self.scanner.source.peek()?;
        if next == close {
            return Ok(None);
        }
        match next {
            Some(b'}' | b'>') if close.is_some() => return Err(self.scanner.error(SyntaxError::Mismatched)),
            Some(_) => {}
            None => return Err(self.scanner.error(SyntaxError::UnexpectedEnd)),
        }
        let offset = self.scanner.source.offset();
        let Some(field) = self.scanner.name(N::named)? else {
            return Err(syntax_error(SyntaxError::UnknownField, offset));
        };
        if !seen.insert(field) && !field.is_list() {
            return Err(syntax_error(SyntaxError::Repeated, offset));
        }
        if self.scanner.source.peek()? == Some(b':') {
            self.scanner.skip()?;
        } else if !field.is_message() {
            return Err(self.scanner.error(SyntaxError::MissingColon));
        }
        Ok(Some(field))
    }

    /// Parses one value, or a list of them in brackets.
    fn list(&mut self, mut value: impl FnMut(&mut Parser) -> Result<()>) -> Result<()> {
        let in_brackets = self.scanner.source.peek()? == Some(b'[');
        if in_brackets {
            self.scanner.skip()?;
            if self.scanner.source.peek()? == Some(b']') {
                return self.scanner.skip();
            }
        }
        loop {
            self.entries.add()?;
            value(self)?;
            if !in_brackets {
                return Ok(());
            }
            match self.scanner.source.peek()? {
                Some(b',') => self.scanner.skip()?,
                Some(b']') => return self.scanner.skip(),
                Some(_) => return Err(self.scanner.error(SyntaxError::NotInAList)),
                None => return Err(self.scanner.error(SyntaxError::UnexpectedEnd)),
            }
        }
    }

    /// Parses a message in its brackets, and the white space after it: passes each of its fields to `value`.
    fn message<N: FieldName>(&mut self, mut value: impl FnMut(&mut Parser, N) -> Result<()>) -> Result<()> {
        let close = match self.scanner.source.peek()? {
            Some(b'{') => b'}',
            Some(b'<') => b'>',
            Some(_) => return Err(self.scanner.error(SyntaxError::NotAMessage)),
            None => return Err(self.scanner.error(SyntaxError::UnexpectedEnd)),
        };
        self.scanner.skip()?;
        let mut seen = Seen::default();
        while let Some(field) = self.field(Some(close), &mut seen)? {
            value(self, field)?;
            self.scanner.separator()?;
        }
        self.scanner.skip()
    }

    fn recipient(&mut self) -> Result<Recipient> {
        let mut recipient = Recipient::default();
        self.message(|parser, field| {
            match field {
                RecipientField::Address => recipient.address = parser.scanner.string()?,
                RecipientField::Type => recipient.kind = parser.scanner.enumeration(&KINDS)?,
                RecipientField::Status => recipient.status = parser.scanner.enumeration(&STATUSES)?,
                RecipientField::LastFailureMessage => recipient.last_failure_message = parser.scanner.string()?,
                RecipientField::OriginalAddress => recipient.original_address = parser.scanner.string()?,
                RecipientField::Via => parser.list(|parser| {
                    recipient.via.push(parser.scanner.string()?);
                    Ok(())
                })?,
            }
            Ok(())
        })?;
        Ok(recipient)
    }

    fn timestamp(&mut self) -> Result<Timestamp> {
        let mut timestamp = Timestamp::default();
        self.message(|parser, field| {
            match field {
                TimestampField::Seconds => timestamp.seconds = parser.scanner.integer()?,
                TimestampField::Nanos => timestamp.nanos = parser.scanner.integer32()?,
            }
            Ok(())
        })?;
        Ok(timestamp)
    }
}
