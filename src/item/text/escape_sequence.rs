//! One character of a text literal at a time, raw or escaped.

use super::syntax::LiteralError;
use super::utf8::{Sequence, sequence};

/// Bytes that one step looks at, at most: `\U` and eight digits, then `\u` and four.
pub const LOOKAHEAD: usize = 16;

/// The reason why unescaping stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// At the closing quote, which is not consumed.
    Quote,
    /// More input is needed to go on.
    Input,
    /// More output is needed to go on.
    Output,
    /// At a fault in the literal.
    Invalid(LiteralError),
}

/// For each byte, the byte that it stands for after a `\`; 0 where it stands for none by itself.
pub(super) const SIMPLE: [u8; 256] = {
    let mut table = [0; 256];
    let letters = b"\"'\\?abfnrtv";
    let values = b"\"'\\?\x07\x08\x0c\n\r\t\x0b";
    let mut place = 0;
    while place < letters.len() {
        table[letters[place] as usize] = values[place];
        place += 1;
    }
    table
};

/// One character.
pub(super) struct Step {
    pub(super) bytes: [u8; 4],
    pub(super) length: usize,
    pub(super) consumed: usize,
}

/// Takes one character from `rest`, the inside of a literal that `quote` closes. `last`: no input follows.
pub(super) fn step(rest: &[u8], quote: u8, last: bool) -> Result<Step, Stop> {
    let missing = if last { Stop::Invalid(LiteralError::Unterminated) } else { Stop::Input };
    match *rest.first().ok_or(missing)? {
        byte if byte == quote => Err(Stop::Quote),
        0 => Err(Stop::Invalid(LiteralError::Nul)),
        b'\n' => Err(Stop::Invalid(LiteralError::LineFeed)),
        b'\\' => escape(rest, missing),
        _ => match sequence(rest) {
            Sequence::Valid(length) => {
                let mut bytes = [0; 4];
                bytes[..length].copy_from_slice(&rest[..length]);
                Ok(Step { bytes, length, consumed: length })
            }
            Sequence::Incomplete if !last => Err(Stop::Input),
            Sequence::Incomplete | Sequence::Invalid => Err(Stop::Invalid(LiteralError::NotUtf8)),
        },
    }
}

fn escape(rest: &[u8], missing: Stop) -> Result<Step, Stop> {
    let invalid = Stop::Invalid(LiteralError::Escape);
    let letter = *rest.get(1).ok_or(missing)?;
    let simple = SIMPLE[usize::from(letter)];
    if simple != 0 {
        return Ok(Step { bytes: [simple, 0, 0, 0], length: 1, consumed: 2 });
    }
    match letter {
        b'0'..=b'7' => byte(rest, 1, 3, 8, missing),
        b'x' => byte(rest, 2, 2, 16, missing),
        b'u' | b'U' => {
            let mut consumed = if letter == b'u' { 6 } else { 10 };
            let mut code = number(rest.get(2..consumed).ok_or(missing)?).ok_or(invalid)?;
            if (0xd800..0xe000).contains(&code) {
                // A surrogate is the first half of a pair, and the other half follows as `\u`.
                let pair = rest.get(consumed..consumed + 6).ok_or(missing)?;
                let low = pair.strip_prefix(b"\\u").and_then(number).ok_or(invalid)?;
                if code >= 0xdc00 || !(0xdc00..0xe000).contains(&low) {
                    return Err(invalid);
                }
                code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                consumed += 6;
            }
            let character = char::from_u32(code).ok_or(invalid)?;
            let mut bytes = [0; 4];
            let length = character.encode_utf8(&mut bytes).len();
            Ok(Step { bytes, length, consumed })
        }
        _ => Err(invalid),
    }
}

/// Takes a byte of one to `max_digits` digits, which begin at `begin`.
fn byte(rest: &[u8], begin: usize, max_digits: usize, radix: u32, missing: Stop) -> Result<Step, Stop> {
    let invalid = Stop::Invalid(LiteralError::Escape);
    let mut value = 0;
    let mut consumed = begin;
    while consumed < begin + max_digits {
        // Where the input ends, more of it could hold another digit.
        let Some(digit) = char::from(*rest.get(consumed).ok_or(missing)?).to_digit(radix) else {
            break;
        };
        value = value * radix + digit;
        consumed += 1;
    }
    match u8::try_from(value) {
        Ok(byte) if consumed > begin => Ok(Step { bytes: [byte, 0, 0, 0], length: 1, consumed }),
        _ => Err(invalid),
    }
}

/// Returns the number that hexadecimal digits, at most eight, stand for.
fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number, &digit| Some(number << 4 | char::from(digit).to_digit(16)?))
}
