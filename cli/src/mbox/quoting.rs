//! The quoting of mboxrd: a line of any number of `>` and then `From ` gets one more `>`. In the header so does a field
//! `Content-Length`, by which other programs would find the end of the mail, wherever its author wants that.

use super::separator::FROM;
use std::io::{self, Read};

/// The name of the field that is quoted, in any case.
const CONTENT_LENGTH: &[u8] = b"Content-Length";

/// The direction of a conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Quote,
    Unquote,
}

/// Converts a mail that comes in pieces.
pub(crate) struct Converter {
    direction: Direction,
    in_header: bool,
    line: Line,
    /// The bytes of the current line that are not written yet, after its last `>`.
    held: Vec<u8>,
}

/// The part of the current line that was seen.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    /// It may be one that is converted. Its last `>`, if it has one, is not written yet.
    Beginning { caret: bool },
    /// A carriage return.
    Return,
    /// Any other.
    Middle,
}

const START: Line = Line::Beginning { caret: false };

impl Converter {
    /// Creates a converter at the beginning of a mail.
    pub(crate) fn new(direction: Direction) -> Converter {
        Converter { direction, in_header: true, line: START, held: Vec::new() }
    }

    /// Converts the next piece, and appends it to `output`.
    pub(crate) fn convert(&mut self, piece: &[u8], output: &mut Vec<u8>) {
        let mut rest = piece;
        loop {
            if self.line == Line::Middle {
                let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
                output.extend_from_slice(&rest[..end]);
                rest = &rest[end..];
            }
            let Some((byte, after)) = rest.split_first() else { return };
            self.convert_byte(*byte, output);
            rest = after;
        }
    }

    /// Appends the bytes of an unfinished line that were held back.
    pub(crate) fn finish(mut self, output: &mut Vec<u8>) {
        if let Line::Beginning { caret } = self.line {
            self.release(usize::from(caret), output);
        }
    }

    fn convert_byte(&mut self, byte: u8, output: &mut Vec<u8>) {
        let is_blank = self.held.is_empty() && matches!(self.line, START | Line::Return);
        match self.line {
            Line::Beginning { caret } if byte == b'>' && self.held.is_empty() => {
                self.release(usize::from(caret), output);
                self.line = Line::Beginning { caret: true };
                return;
            }
            Line::Beginning { caret } => {
                self.held.push(byte);
                let carets = match (self.is_quotable(), self.direction) {
                    (None, _) => return,
                    (Some(true), Direction::Quote) => usize::from(caret) + 1,
                    (Some(true), Direction::Unquote) => 0,
                    (Some(false), _) => usize::from(caret),
                };
                self.release(carets, output);
            }
            Line::Return | Line::Middle => output.push(byte),
        }
        self.line = match byte {
            b'\n' => {
                self.in_header &= !is_blank;
                START
            }
            b'\r' if is_blank && self.line != Line::Return => Line::Return,
            _ => Line::Middle,
        };
    }

    /// Returns whether the line is one that is quoted; none where the bytes to come decide.
    fn is_quotable(&self) -> Option<bool> {
        let held = &self.held;
        let is_field = |part: &[u8]| self.in_header && held.eq_ignore_ascii_case(part);
        if *held == FROM || is_field(CONTENT_LENGTH) {
            return Some(true);
        }
        let is_part = FROM.starts_with(held) || CONTENT_LENGTH.get(..held.len()).is_some_and(is_field);
        if is_part { None } else { Some(false) }
    }

    /// Appends carets and the bytes that were held back.
    fn release(&mut self, carets: usize, output: &mut Vec<u8>) {
        output.resize(output.len() + carets, b'>');
        output.append(&mut self.held);
    }
}

/// A reader of a mail without its quoting.
pub(crate) struct Unquoted<R> {
    quoted: R,
    /// None after the end.
    converter: Option<Converter>,
    converted: Vec<u8>,
    /// Bytes of `converted` that were returned.
    returned: usize,
}

impl<R: Read> Unquoted<R> {
    /// Creates a reader at the beginning of a mail.
    pub(crate) fn new(quoted: R) -> Unquoted<R> {
        let converter = Some(Converter::new(Direction::Unquote));
        Unquoted { quoted, converter, converted: Vec::new(), returned: 0 }
    }
}

impl<R: Read> Read for Unquoted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.returned == self.converted.len() {
            let Some(converter) = &mut self.converter else { return Ok(0) };
            self.converted.clear();
            self.returned = 0;
            let mut piece = [0; 16 << 10];
            match self.quoted.read(&mut piece)? {
                0 => self.converter.take().into_iter().for_each(|rest| rest.finish(&mut self.converted)),
                bytes => converter.convert(&piece[..bytes], &mut self.converted),
            }
        }
        let bytes = (&self.converted[self.returned..]).read(buffer)?;
        self.returned += bytes;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::{Converter, Direction, Unquoted};
    use std::io::Read;

    fn convert(direction: Direction, mail: &[u8]) -> Vec<u8> {
        let (mut converter, mut output) = (Converter::new(direction), Vec::new());
        converter.convert(mail, &mut output);
        converter.finish(&mut output);
        output
    }

    #[test]
    fn from_lines_and_lengths_of_header_are_quoted() {
        for (mail, quoted) in [
            ("A: b\n\nFrom x", "A: b\n\n>From x"),
            ("A: b\r\n\r\nx\r\n>>From x\r\n", "A: b\r\n\r\nx\r\n>>>From x\r\n"),
            (
                "From: b\n\nFrom\n>Fro\n> From x\nx From y\rFrom z\n>",
                "From: b\n\nFrom\n>Fro\n> From x\nx From y\rFrom z\n>",
            ),
            ("A: b\nFrom x\n>From y\n\n", "A: b\n>From x\n>>From y\n\n"),
            (
                "Content-Length: 1\nCONTENT-length : 2\n>Content-Length: 3\nX-Content-Length: 4\nContent-Lengt",
                ">Content-Length: 1\n>CONTENT-length : 2\n>>Content-Length: 3\nX-Content-Length: 4\nContent-Lengt",
            ),
            ("A: b\n\nContent-Length: 1\n>Content-Length: 1\n", "A: b\n\nContent-Length: 1\n>Content-Length: 1\n"),
            ("A: b\n\r\r\nContent-Length: 1\n\n", "A: b\n\r\r\n>Content-Length: 1\n\n"),
            ("\nFrom ", "\n>From "),
            ("\n\0>From x\nFrom", "\n\0>From x\nFrom"),
        ] {
            let printed = String::from_utf8(convert(Direction::Quote, mail.as_bytes())).expect("it was text");
            assert_eq!(printed, quoted);
            assert_eq!(convert(Direction::Unquote, quoted.as_bytes()), mail.as_bytes());
        }
        for unquoted in [&b"\nFrom x"[..], b"Content-Length: 1\n\n"] {
            assert_eq!(convert(Direction::Unquote, unquoted), unquoted);
        }
    }

    #[test]
    fn pieces_are_converted_as_whole() {
        let random = &mut fastrand::Rng::with_seed(14);
        for _ in 0..2000 {
            let parts = [">", ">", "F", "rom ", "From ", "\n", "\n", "\r", "Content-", "length"];
            let mail: String = (0..random.usize(..40)).map(|_| random.choice(parts).expect("some")).collect();
            let mail = mail.into_bytes();
            let quoted = convert(Direction::Quote, &mail);
            let mut unquoted = Vec::new();
            let (first, rest) = quoted.split_at(random.usize(..=quoted.len()));
            Unquoted::new(first.chain(rest)).read_to_end(&mut unquoted).expect("slices can be read");
            assert_eq!(unquoted, mail, "{}", quoted.escape_ascii());
        }
    }
}
