//! The quoting of mboxrd: in the body of a mail, a line of any number of `>` and then `From ` gets one more `>`.

use super::separator::FROM;
use std::io::{self, Read};

/// The direction of a conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Quote,
    Unquote,
}

/// Converts a mail that comes in pieces. Its header, up to the first blank line, is copied.
pub(crate) struct Converter {
    direction: Direction,
    in_header: bool,
    line: Line,
}

/// The part of the current line that was seen.
enum Line {
    /// It may be one that is converted. Not written yet are the last `>`, and so many bytes of [`FROM`].
    Beginning { caret: bool, matched: usize },
    /// A carriage return.
    Return,
    /// Any other.
    Middle,
}

const START: Line = Line::Beginning { caret: false, matched: 0 };

impl Converter {
    /// Creates a converter at the beginning of a mail.
    pub(crate) fn new(direction: Direction) -> Converter {
        Converter { direction, in_header: true, line: START }
    }

    /// Converts the next piece, and appends it to `output`.
    pub(crate) fn convert(&mut self, piece: &[u8], output: &mut Vec<u8>) {
        let mut rest = piece;
        loop {
            if matches!(self.line, Line::Middle) {
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
    pub(crate) fn finish(self, output: &mut Vec<u8>) {
        if let Line::Beginning { caret, matched } = self.line {
            append(output, usize::from(caret), matched);
        }
    }

    fn convert_byte(&mut self, byte: u8, output: &mut Vec<u8>) {
        let is_blank = matches!(self.line, Line::Beginning { caret: false, matched: 0 } | Line::Return);
        if let Line::Beginning { caret, matched } = &mut self.line {
            if byte == b'>' && *matched == 0 {
                append(output, usize::from(*caret), 0);
                *caret = true;
                return;
            }
            if byte == FROM[*matched] && *matched + 1 < FROM.len() {
                *matched += 1;
                return;
            }
            let is_from = byte == FROM[*matched] && !self.in_header;
            let carets = match self.direction {
                Direction::Quote if is_from => usize::from(*caret) + 1,
                Direction::Unquote if is_from => 0,
                _ => usize::from(*caret),
            };
            append(output, carets, *matched);
        }
        output.push(byte);
        self.line = match byte {
            b'\n' => {
                self.in_header &= !is_blank;
                START
            }
            b'\r' if is_blank && !matches!(self.line, Line::Return) => Line::Return,
            _ => Line::Middle,
        };
    }
}

fn append(output: &mut Vec<u8>, carets: usize, matched: usize) {
    output.resize(output.len() + carets, b'>');
    output.extend_from_slice(&FROM[..matched]);
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
    fn from_lines_of_body_are_quoted() {
        for (mail, quoted) in [
            ("A: b\n\nFrom x", "A: b\n\n>From x"),
            ("A: b\r\n\r\nx\r\n>>From x\r\n", "A: b\r\n\r\nx\r\n>>>From x\r\n"),
            (
                "From : b\n\nFrom\n>Fro\n> From x\nx From y\rFrom z\n>",
                "From : b\n\nFrom\n>Fro\n> From x\nx From y\rFrom z\n>",
            ),
            ("A: b\n\r\r\nFrom x\n\n", "A: b\n\r\r\nFrom x\n\n"),
            ("\nFrom ", "\n>From "),
            ("\n\0>From x\nFrom", "\n\0>From x\nFrom"),
        ] {
            let printed = String::from_utf8(convert(Direction::Quote, mail.as_bytes())).expect("it was text");
            assert_eq!(printed, quoted);
            assert_eq!(convert(Direction::Unquote, quoted.as_bytes()), mail.as_bytes());
        }
        assert_eq!(convert(Direction::Unquote, b"\nFrom x"), b"\nFrom x");
    }

    #[test]
    fn pieces_are_converted_as_whole() {
        let random = &mut fastrand::Rng::with_seed(14);
        for _ in 0..2000 {
            let mail: Vec<u8> =
                (0..random.usize(..60)).map(|_| *random.choice(b">>From \n\n\r").expect("some")).collect();
            let quoted = convert(Direction::Quote, &mail);
            let mut unquoted = Vec::new();
            let (first, rest) = quoted.split_at(random.usize(..=quoted.len()));
            Unquoted::new(first.chain(rest)).read_to_end(&mut unquoted).expect("slices can be read");
            assert_eq!(unquoted, mail, "{}", quoted.escape_ascii());
        }
    }
}
