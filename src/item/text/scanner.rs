//! The tokens of protocol buffer text format.
//!
//! White space (blank, tab, CR, LF) and comments (`#` to the next LF) may stand between tokens, and between a minus
//! sign and its digits.

use super::syntax::SyntaxError;
use super::unescape::{LOOKAHEAD, Progress, Stop, unescape};
use crate::error::{Error, Result};
use crate::item::bounds::check_envelope_bytes;
use crate::item::source::{READ_BYTES, Source};
use alloc::string::String;
use alloc::vec::Vec;

/// Bytes of the longest name that is read: longer than every known one.
const MAX_NAME_BYTES: usize = 64;

/// Bytes of a string that are unescaped at a time.
const PIECE_BYTES: usize = 256;

// A step of `unescape` that lacks input leaves less than this unconsumed, so that reading more always moves it on.
const _: () = assert!(LOOKAHEAD < READ_BYTES);

/// Creates an error at `offset`.
#[cold]
pub(super) fn syntax_error(cause: SyntaxError, offset: u64) -> Error {
    Error::in_text(cause, offset)
}

/// Takes tokens from a text.
pub(crate) struct Scanner {
    pub(crate) source: Source,
    /// Bytes of the text that belong to the body, and not to the envelope.
    pub(super) body_bytes: u64,
}

impl Scanner {
    pub(super) fn new(source: Source) -> Scanner {
        Scanner { source, body_bytes: 0 }
    }

    /// Creates an error at the next byte.
    #[cold]
    pub(super) fn error(&self, cause: SyntaxError) -> Error {
        syntax_error(cause, self.source.offset())
    }

    /// Checks the size of the envelope so far.
    fn check_bounds(&self) -> Result<()> {
        check_envelope_bytes(self.source.offset() - self.body_bytes)
    }

    /// Skips white space and comments.
    pub(super) fn blank(&mut self) -> Result<()> {
        let mut in_comment = false;
        loop {
            let is_blank = |byte: &u8| {
                in_comment = *byte != b'\n' && (in_comment || *byte == b'#');
                in_comment || matches!(byte, b'\n' | b' ' | b'\t' | b'\r')
            };
            let skipped = self.source.window().iter().copied().take_while(is_blank).count();
            self.source.consume(skipped);
            self.check_bounds()?;
            if !self.source.window().is_empty() || self.source.peek()?.is_none() {
                return Ok(());
            }
        }
    }

    /// Skips the separator that may follow a field.
    pub(super) fn separator(&mut self) -> Result<()> {
        self.blank()?;
        if matches!(self.source.peek()?, Some(b',' | b';')) {
            self.skip()?;
        }
        Ok(())
    }

    /// Skips one byte, and the white space after it.
    pub(super) fn skip(&mut self) -> Result<()> {
        self.source.consume(1);
        self.blank()
    }

    /// Takes a name and the white space after it, and returns the result of `resolve` for the name. The name must end
    /// at a token boundary.
    pub(super) fn name<N>(&mut self, resolve: impl FnOnce(&[u8]) -> Option<N>) -> Result<Option<N>> {
        match self.source.peek()? {
            Some(b'a'..=b'z' | b'A'..=b'Z' | b'_') => {}
            Some(b'0'..=b'9') => return Err(self.error(SyntaxError::FieldNumber)),
            Some(b'[') => return Err(self.error(SyntaxError::UnknownField)),
            _ => return Err(self.error(SyntaxError::InvalidName)),
        }
        let offset = self.source.offset();
        let mut length = 0;
        loop {
            let rest = &self.source.window()[length..];
            length += rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
            if length > MAX_NAME_BYTES {
                return Err(syntax_error(SyntaxError::UnknownField, offset));
            }
            if length < self.source.window().len() || !self.source.more(READ_BYTES)? {
                break;
            }
        }
        let resolved = resolve(self.source.take(length));
        if !self.at_delimiter()? {
            return Err(syntax_error(SyntaxError::InvalidName, offset));
        }
        self.blank()?;
        Ok(resolved)
    }

    /// Whether a name or a number ends here.
    fn at_delimiter(&mut self) -> Result<bool> {
        let byte = self.source.peek()?;
        Ok(!byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.' | b'_')))
    }

    /// Whether a string begins here.
    pub(super) fn at_quote(&mut self) -> Result<bool> {
        Ok(matches!(self.source.peek()?, Some(b'"' | b'\'')))
    }

    /// Takes a string of characters, which may consist of several literals, and the white space after it.
    pub(super) fn string(&mut self) -> Result<String> {
        let offset = self.source.offset();
        if !self.at_quote()? {
            return Err(syntax_error(SyntaxError::NotAString, offset));
        }
        let mut bytes = Vec::new();
        while let Some(quote @ (b'"' | b'\'')) = self.source.peek()? {
            self.source.consume(1);
            let mut output = [0; PIECE_BYTES];
            loop {
                let (produced, stop) = self.unescape(&mut output, quote)?;
                // Before the string grows beyond its bound.
                self.check_bounds()?;
                bytes.extend_from_slice(&output[..produced]);
                if stop == Stop::Quote {
                    break;
                }
            }
            self.blank()?;
        }
        String::from_utf8(bytes).map_err(|_| syntax_error(SyntaxError::NotUtf8, offset))
    }

    /// Unescapes the next bytes of a literal, and takes the quote that closes it. Returns their number and
    /// the reason for stopping, after reading missing input.
    pub(super) fn unescape(&mut self, output: &mut [u8], quote: u8) -> Result<(usize, Stop)> {
        let last = self.source.is_last();
        let Progress { consumed, produced, stop } = unescape(self.source.window(), output, quote, last);
        self.source.consume(consumed);
        match stop {
            Stop::Quote => self.source.consume(1),
            Stop::Input => {
                self.source.more(READ_BYTES)?;
            }
            Stop::Output => {}
            Stop::Invalid(literal) => return Err(Error::in_text(literal, self.source.offset())),
        }
        Ok((produced, stop))
    }

    /// Takes the value of an open enum, one of its names or any number, and the white space after it.
    pub(super) fn enumeration(&mut self, names: &[&str]) -> Result<i32> {
        let offset = self.source.offset();
        match self.source.peek()? {
            Some(b'a'..=b'z' | b'A'..=b'Z' | b'_') => {
                let number = self.name(|name| names.iter().position(|known| known.as_bytes() == name))?;
                number.map(|number| number as i32).ok_or_else(|| syntax_error(SyntaxError::NotAnEnum, offset))
            }
            Some(b'0'..=b'9' | b'-') => self.integer32(),
            _ => Err(syntax_error(SyntaxError::NotAnEnum, offset)),
        }
    }

    /// Takes a whole number of 32 bits, and the white space after it.
    pub(super) fn integer32(&mut self) -> Result<i32> {
        let offset = self.source.offset();
        self.integer()?.try_into().map_err(|_| syntax_error(SyntaxError::OutOfRange, offset))
    }

    /// Takes a whole number, decimal, octal after `0` or hexadecimal after `0x`, and the white space after it.
    pub(super) fn integer(&mut self) -> Result<i64> {
        let offset = self.source.offset();
        let negative = self.source.peek()? == Some(b'-');
        if negative {
            self.skip()?;
        }
        let (mut radix, mut digits) = (10, 0);
        if self.source.peek()? == Some(b'0') {
            self.source.consume(1);
            if matches!(self.source.peek()?, Some(b'x' | b'X')) {
                self.source.consume(1);
                radix = 16;
            } else {
                (radix, digits) = (8, 1);
            }
        }
        // none once it does not fit; wide enough that one digit more never overflows.
        let mut magnitude = Some(0_u64);
        while let Some(digit) = self.source.peek()?.and_then(|byte| char::from(byte).to_digit(radix)) {
            self.source.consume(1);
            self.check_bounds()?;
            digits += 1;
            let shifted = magnitude.and_then(|magnitude| magnitude.checked_mul(radix.into()));
            magnitude = shifted.and_then(|magnitude| magnitude.checked_add(digit.into()));
        }
        if digits == 0 || !self.at_delimiter()? {
            return Err(syntax_error(SyntaxError::NotAnInteger, offset));
        }
        self.blank()?;
        let number = magnitude.and_then(|magnitude| {
            if negative { 0_i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
        });
        number.ok_or_else(|| syntax_error(SyntaxError::OutOfRange, offset))
    }
}
