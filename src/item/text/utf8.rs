//! Decodes one UTF-8 sequence at a time, as Go's `utf8.DecodeRune` does (Unicode 3.9, table 3-7).

/// The sequence at the beginning of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sequence {
    /// A character of this many bytes.
    Valid(usize),
    /// A byte that begins no character.
    Invalid,
    /// The beginning of a character, whose other bytes are missing.
    Incomplete,
}

/// Classifies the sequence at the beginning of `bytes`, which must not be empty.
#[inline]
pub fn sequence(bytes: &[u8]) -> Sequence {
    let Some(&first) = bytes.first() else {
        return Sequence::Incomplete;
    };
    // The bounds of the second byte exclude overlong forms, surrogates and code points above U+10FFFF.
    let (length, low, high) = match first {
        0..=0x7f => return Sequence::Valid(1),
        0xc2..=0xdf => (2, 0x80, 0xbf),
        0xe0 => (3, 0xa0, 0xbf),
        0xed => (3, 0x80, 0x9f),
        0xe1..=0xef => (3, 0x80, 0xbf),
        0xf0 => (4, 0x90, 0xbf),
        0xf1..=0xf3 => (4, 0x80, 0xbf),
        0xf4 => (4, 0x80, 0x8f),
        _ => return Sequence::Invalid,
    };
    for place in 1..length {
        let (low, high) = if place == 1 { (low, high) } else { (0x80, 0xbf) };
        match bytes.get(place) {
            None => return Sequence::Incomplete,
            Some(byte) if *byte < low || *byte > high => return Sequence::Invalid,
            Some(_) => {}
        }
    }
    Sequence::Valid(length)
}
