//! Splits a text that the component accepts into pieces, which changes to the text replace as a whole.

/// The kind of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A run of white space and comments.
    Blank,
    /// A string with its quotes.
    Literal,
    /// A name, or a number without its sign.
    Word,
    /// Any other byte.
    Mark,
}

/// A piece of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    pub kind: Kind,
    pub bytes: &'a [u8],
}

impl<'a> Piece<'a> {
    fn first(text: &'a [u8]) -> Option<Piece<'a>> {
        let (kind, length) = match *text.first()? {
            b' ' | b'\t' | b'\r' | b'\n' | b'#' => (Kind::Blank, blank(text)),
            quote @ (b'"' | b'\'') => (Kind::Literal, literal(text, quote)),
            byte if is_of_word(byte) => (Kind::Word, text.iter().take_while(|&&byte| is_of_word(byte)).count()),
            _ => (Kind::Mark, 1),
        };
        Some(Piece { kind, bytes: &text[..length] })
    }

    pub fn is(&self, mark: u8) -> bool {
        self.bytes == [mark]
    }
}

/// Splits a text into pieces. Their concatenation is the text.
pub fn pieces(text: &[u8]) -> Vec<Piece<'_>> {
    let mut rest = text;
    let mut pieces = Vec::new();
    while let Some(piece) = Piece::first(rest) {
        rest = &rest[piece.bytes.len()..];
        pieces.push(piece);
    }
    pieces
}

/// Replaces each word for which `change` returns another one.
pub fn change_words(text: &[u8], change: impl Fn(&str) -> Option<String>) -> Vec<u8> {
    let changed = |piece: &Piece<'_>| match piece.kind {
        Kind::Word => str::from_utf8(piece.bytes).ok().and_then(&change).map(String::into_bytes),
        _ => None,
    };
    pieces(text).iter().flat_map(|piece| changed(piece).unwrap_or_else(|| piece.bytes.to_vec())).collect()
}

/// Replaces escapes in the strings of a text. `change` gets the rest of a literal, from a backslash on, and returns the
/// replacement and the number of bytes that it replaces.
pub fn change_escapes(text: &[u8], change: impl Fn(&[u8]) -> Option<(String, usize)>) -> Vec<u8> {
    let mut changed = Vec::new();
    for piece in pieces(text) {
        let mut rest = piece.bytes;
        while let Some(&byte) = rest.first() {
            let escape = piece.kind == Kind::Literal && byte == b'\\';
            let length = match escape.then(|| change(rest)).flatten() {
                Some((replacement, length)) => {
                    changed.extend_from_slice(replacement.as_bytes());
                    length
                }
                None => {
                    let length = rest.len().min(1 + usize::from(escape));
                    changed.extend_from_slice(&rest[..length]);
                    length
                }
            };
            rest = &rest[length..];
        }
    }
    changed
}

fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn blank(text: &[u8]) -> usize {
    let mut comment = false;
    let is_blank = |&&byte: &&u8| {
        comment = byte != b'\n' && (comment || byte == b'#');
        comment || matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
    };
    text.iter().take_while(is_blank).count()
}

fn literal(text: &[u8], quote: u8) -> usize {
    let mut length = 1;
    while let Some(&byte) = text.get(length) {
        length += if byte == b'\\' { 2 } else { 1 };
        if byte == quote {
            break;
        }
    }
    length.min(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_end_at_token_boundaries() {
        let expected: [&[u8]; 14] = [
            b"ID",
            b":",
            b"\"a\\\"#\"",
            b" # \"x\"\n  ",
            b"'b'",
            b" ",
            b"t",
            b"{",
            b"1",
            b":",
            b"-",
            b" ",
            b"0x2",
            b"}",
        ];
        let text = expected.concat();
        let found: Vec<&[u8]> = pieces(&text).iter().map(|piece| piece.bytes).collect();
        assert_eq!(found, expected);
    }
}
