//! Where Python's `text_format` is of another opinion on a text. The component is right in all of them.
//!
//! What shows that a text differs in nothing else: with each difference changed into what both read alike, it is read alike.

use super::component::{Refusal, component};
use crate::piece::{Kind, Piece, change_escapes, change_words, pieces};
use crate::python::Python;
use crate::schema::MESSAGE;
use prost_reflect::DynamicMessage;
use std::cell::Cell;

/// A known difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Taken by Python: any white space that Unicode has, and four separators of ASCII, between tokens.
    OtherWhiteSpace,
    /// Taken by Python: a NUL byte in a string.
    Nul,
    /// Taken by Python: a backslash before what makes no escape, as itself.
    UnknownEscape,
    /// Taken by Python: a backslash before a character beyond U+00FF, as an escape of it that is not undone.
    EscapedCharacter,
    /// Taken by Python: `\N` and the name of a character, up to U+00FF.
    NamedCharacter,
    /// Taken by Python: a plus sign before a number.
    PlusSign,
    /// Taken by Python: `_` between the digits of a number.
    DigitSeparator,
    /// Taken by Python: a binary number after `0b`.
    BinaryNumber,
    /// Taken by Python: an octal number after `0o`.
    OctalPrefix,
    /// Taken by Python: a number that is one digit of another script.
    OtherDigit,
    /// Taken by Python: a field twice, where the first one says what it would be without.
    RepeatedAfterDefault,
    /// Refused by Python: a comment that is not UTF-8.
    CommentNotUtf8,
    /// Refused by Python: white space or a comment between a minus sign and its digits.
    MinusBlank,
    /// Refused by Python: an octal number after `0` for an enum.
    OctalEnum,
    /// Refused by Python: a character beyond U+FFFF as two halves, each one an escape.
    SurrogatePair,
    /// Read by Python as both characters: `\?`.
    QuestionMark,
    /// Read by Python before the other escapes are: an ASCII character after `\u` or `\U`, which becomes part of one if it
    /// is a backslash or a digit.
    UnicodeFirst,
}

impl Difference {
    /// All of them, each with a text that shows it.
    pub const ALL: [(Difference, &[u8]); 17] = [
        (Difference::OtherWhiteSpace, "ID:\u{a0}\"a\"".as_bytes()),
        (Difference::Nul, b"data: \"a\0b\""),
        (Difference::UnknownEscape, br#"data: "\X41""#),
        (Difference::EscapedCharacter, r#"data: "\ℵ""#.as_bytes()),
        (Difference::NamedCharacter, br#"data: "\N{LF}""#),
        (Difference::PlusSign, b"created_at_ts { seconds: +1 }"),
        (Difference::DigitSeparator, b"created_at_ts { seconds: 1_0 }"),
        (Difference::BinaryNumber, b"created_at_ts { seconds: 0b11 }"),
        (Difference::OctalPrefix, b"created_at_ts { seconds: -0o17 }"),
        (Difference::OtherDigit, "rcpt { type: ٣ }".as_bytes()),
        (Difference::RepeatedAfterDefault, b"created_at_ts { seconds: 0 seconds: 1 }"),
        (Difference::CommentNotUtf8, b"# \xff"),
        (Difference::MinusBlank, b"created_at_ts { seconds: - 1 }"),
        (Difference::OctalEnum, b"rcpt { type: 017 }"),
        (Difference::SurrogatePair, br#"data: "\ud83d\ude00""#),
        (Difference::QuestionMark, br#"data: "\?""#),
        (Difference::UnicodeFirst, br#"data: "\u005cn""#),
    ];

    /// The differences in what both take, or only the component.
    const OF_TAKEN: [Difference; 6] = [
        Difference::CommentNotUtf8,
        Difference::MinusBlank,
        Difference::OctalEnum,
        Difference::SurrogatePair,
        Difference::QuestionMark,
        Difference::UnicodeFirst,
    ];

    /// What a text that the component takes is without the difference, if it has it. The component must read the same.
    fn without(self, text: &[u8]) -> Vec<u8> {
        match self {
            // Anywhere else the component refuses it.
            Difference::CommentNotUtf8 => String::from_utf8_lossy(text).into_owned().into_bytes(),
            Difference::MinusBlank => {
                let mut after_minus = false;
                let mut kept = pieces(text);
                kept.retain(|piece| {
                    let blank_after_minus = after_minus && piece.kind == Kind::Blank;
                    after_minus = piece.is(b'-');
                    !blank_after_minus
                });
                kept.iter().flat_map(|piece| piece.bytes).copied().collect()
            }
            Difference::OctalEnum => change_words(text, |word| {
                let digits = word.strip_prefix('0').filter(|digits| !digits.is_empty())?;
                Some(u128::from_str_radix(digits, 8).ok()?.to_string())
            }),
            Difference::SurrogatePair => change_escapes(text, |escape| {
                let (high, length) = unicode(escape)?;
                let (low, more) = unicode(escape.get(length..)?)?;
                let pair = char::decode_utf16([high, low].map(|half| half as u16)).next()?.ok()?;
                let is_pair = (0xd800..0xdc00).contains(&high) && (0xdc00..0xe000).contains(&low);
                is_pair.then(|| (format!("\\U{:08x}", u32::from(pair)), length + more))
            }),
            Difference::QuestionMark => {
                change_escapes(text, |escape| escape.starts_with(b"\\?").then(|| ("?".to_string(), 2)))
            }
            Difference::UnicodeFirst => change_escapes(text, |escape| {
                let (code, length) = unicode(escape)?;
                (code < 0x80).then(|| (format!("\\x{code:02x}"), length))
            }),
            _ => text.to_vec(),
        }
    }

    /// Which one it is that Python takes a text which the component refuses. With it, what the text may be without it:
    /// Python must read the same of one of them.
    fn of_refused(text: &[u8], refusal: &Refusal) -> Option<(Difference, Vec<Vec<u8>>)> {
        let rest = text.get(refusal.at..)?;
        // What is to be there instead of the next bytes.
        let instead = |bytes: usize, by: &str| [&text[..refusal.at], by.as_bytes(), &rest[bytes..]].concat();
        let (difference, without) = match (&*refusal.reason, first_character(rest)?) {
            // A text has many, of which one may be after a backslash.
            ("a string has a NUL byte", _) => {
                let all = rest.split(|&byte| byte == 0).collect::<Vec<_>>().join(&b"\\000"[..]);
                (Difference::Nul, vec![[&text[..refusal.at], &all].concat(), instead(1, "\\000")])
            }
            ("a string has an escape that does not exist", _) => {
                let escaped = first_character(rest.get(1..)?)?;
                if escaped > '\u{ff}' {
                    let code = u32::from(escaped);
                    let by = if code > 0xffff { format!("\\\\U{code:08x}") } else { format!("\\\\u{code:04x}") };
                    (Difference::EscapedCharacter, vec![instead(1 + escaped.len_utf8(), &by)])
                } else if rest.starts_with(b"\\N{") {
                    let length = 1 + rest.iter().position(|&byte| byte == b'}')?;
                    let characters = (0..=u8::MAX).map(|byte| instead(length, &format!("\\x{byte:02x}")));
                    (Difference::NamedCharacter, characters.collect())
                } else {
                    (Difference::UnknownEscape, vec![instead(0, "\\")])
                }
            }
            ("a string of characters is not UTF-8", _) => {
                // For Python the string may go on, after white space that ends it for the component.
                let of_string = |piece: &&Piece<'_>| matches!(piece.kind, Kind::Literal | Kind::Blank);
                let length = pieces(rest).iter().take_while(of_string).map(|piece| piece.bytes.len()).sum();
                match first_character(&rest[length..]).filter(|&character| is_other_space(character)) {
                    Some(space) => {
                        let without = [&text[..refusal.at + length], b" ", &rest[length + space.len_utf8()..]];
                        (Difference::OtherWhiteSpace, vec![without.concat()])
                    }
                    None => (Difference::UnicodeFirst, unicode_first(text)),
                }
            }
            ("a field that is not a list is there twice", _) => {
                (Difference::RepeatedAfterDefault, vec![without_first(text, refusal.at)?])
            }
            (_, space) if is_other_space(space) => (Difference::OtherWhiteSpace, vec![instead(space.len_utf8(), " ")]),
            ("a whole number is needed here" | "a known name, or a number, is needed here", first) => {
                if first.is_numeric() && !first.is_ascii() {
                    let digits = ('0'..='9').map(|digit| instead(first.len_utf8(), &format!("{digit} ")));
                    (Difference::OtherDigit, digits.collect())
                } else {
                    let (difference, length, number) = other_number(rest)?;
                    (difference, vec![instead(length, &number)])
                }
            }
            _ => return None,
        };
        Some((difference, without))
    }
}

fn first_character(text: &[u8]) -> Option<char> {
    text.utf8_chunks().next()?.valid().chars().next()
}

/// Whether it is white space to Python; what is white space to the component is never in question.
fn is_other_space(character: char) -> bool {
    character.is_whitespace() || ('\x1c'..='\x1f').contains(&character)
}

/// What a number that only Python takes is without the first thing that is other in it, and how long it was.
fn other_number(rest: &[u8]) -> Option<(Difference, usize, String)> {
    let is_of_number = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.+-".contains(byte);
    let length = rest.iter().position(|byte| !is_of_number(byte)).unwrap_or(rest.len());
    let number = str::from_utf8(&rest[..length]).ok()?;
    if let Some(number) = number.strip_prefix('+') {
        return Some((Difference::PlusSign, length, number.to_string()));
    }
    if number.contains('_') {
        return Some((Difference::DigitSeparator, length, number.replace('_', "")));
    }
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |digits| ("-", digits));
    let (prefix, digits) = digits.split_at_checked(2)?;
    let (difference, radix) = match prefix {
        "0b" | "0B" => (Difference::BinaryNumber, 2),
        "0o" | "0O" => (Difference::OctalPrefix, 8),
        _ => return None,
    };
    let value = u128::from_str_radix(digits, radix).ok()?;
    Some((difference, length, format!("{sign}{value}")))
}

/// The code that `\u` or `\U` has, and how long the escape is.
fn unicode(escape: &[u8]) -> Option<(u32, usize)> {
    let length = match escape.get(..2)? {
        b"\\u" => 6,
        b"\\U" => 10,
        _ => return None,
    };
    let digits = str::from_utf8(escape.get(2..length)?).ok()?;
    Some((u32::from_str_radix(digits, 16).ok()?, length))
}

/// What a text may be with one `\u` or `\U` undone before the other escapes: each time another one that is printable.
fn unicode_first(text: &[u8]) -> Vec<Vec<u8>> {
    let undone = |escape: &[u8]| {
        let (code, length) = unicode(escape)?;
        let character = char::from_u32(code).filter(|character| matches!(character, ' '..='~'))?;
        // A backslash with what follows may be another one, of a byte, which is undone with the other escapes.
        let next = [b"\\", escape.get(length..)?].concat();
        match unicode(&next).filter(|_| character == '\\') {
            Some((byte, more)) => Some((format!("\\x{:02x}", u8::try_from(byte).ok()?), length + more - 1)),
            None => Some((character.to_string(), length)),
        }
    };
    let with = |one: usize| {
        let before = Cell::new(0);
        change_escapes(text, |escape| undone(escape).filter(|_| before.replace(before.get() + 1) == one))
    };
    (0..).map(with).take_while(|changed| changed != text).collect()
}

/// The text without the last field of the name at `at` that the same message has before it.
fn without_first(text: &[u8], at: usize) -> Option<Vec<u8>> {
    let name = pieces(&text[at..]).first()?.bytes;
    let before = pieces(&text[..at]);
    let mut depth = 0;
    let first = before.iter().rposition(|piece| {
        match piece.bytes {
            b"}" | b">" => depth += 1,
            b"{" | b"<" => depth -= 1,
            _ => {}
        }
        depth == 0 && piece.bytes == name
    })?;
    let follow =
        |from: usize, kinds: [Kind; 2]| before[from..].iter().take_while(|piece| kinds.contains(&piece.kind)).count();
    // A value is literals, or one word after a colon and perhaps a minus sign.
    let value = first + 1 + follow(first + 1, [Kind::Blank, Kind::Mark]);
    let mut end = value + follow(value, [Kind::Literal, Kind::Blank]).max(1);
    end += follow(end, [Kind::Blank; 2]);
    end += usize::from(before.get(end).is_some_and(|piece| piece.is(b',') || piece.is(b';')));
    let kept = before[..first].iter().chain(&before[end..]).flat_map(|piece| piece.bytes);
    Some(kept.chain(&text[at..]).copied().collect())
}

fn note(found: &mut Vec<Difference>, difference: Difference) {
    if !found.contains(&difference) {
        found.push(difference);
    }
}

/// Compares the verdicts and the items. Returns the known differences that were to be changed until both are the same, and
/// fails where that is not enough.
pub fn compare(text: &[u8], python: &mut Python) -> Result<Vec<Difference>, String> {
    let mut text = text.to_vec();
    let mut found = Vec::new();
    let (mut ours, mut theirs) = (component(&text), python.read(&text));
    // Python reads the same from here on, until the component takes the text as well.
    while let (Err(refusal), Ok(_)) = (&ours, &theirs) {
        let unnamed =
            || format!("Python takes it: {} at {} of \"{}\"", refusal.reason, refusal.at, text.escape_ascii());
        let (difference, without) = Difference::of_refused(&text, refusal).ok_or_else(unnamed)?;
        let mut same = |without: &Vec<u8>| *without != text && python.read(without) == theirs;
        let (difference, without) = match without.into_iter().find(&mut same) {
            Some(without) => (difference, without),
            // What it was changed into became part of an escape.
            None => (Difference::UnicodeFirst, unicode_first(&text).into_iter().find(same).ok_or_else(unnamed)?),
        };
        text = without;
        ours = component(&text);
        note(&mut found, difference);
    }
    let Ok(message) = &ours else {
        return Ok(found);
    };
    // The component reads the same from here on, until Python does as well.
    for difference in Difference::OF_TAKEN {
        if theirs.as_ref() == Ok(message) {
            break;
        }
        let without = difference.without(&text);
        if without == text {
            continue;
        }
        if component(&without) != ours {
            return Err(format!("it is something else without {difference:?}: \"{}\"", without.escape_ascii()));
        }
        text = without;
        theirs = python.read(&text);
        note(&mut found, difference);
    }
    let shown = |message: &[u8]| DynamicMessage::decode(MESSAGE.clone(), message).map(|message| message.to_string());
    match &theirs {
        Ok(theirs) if theirs == message => Ok(found),
        Ok(theirs) => Err(format!("the items differ: {:?}, Python's is {:?}", shown(message), shown(theirs))),
        Err(reason) => Err(format!("Python refuses it: {reason}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nothing, where Python is missing and may be.
    fn python() -> Option<Python> {
        let python = Python::start();
        if let Err(missing) = &python {
            assert!(std::env::var_os("QUEUE_STORE_REQUIRE_ALL").is_none_or(|value| value != "1"), "{missing}");
            eprintln!("skipped: {missing}");
        }
        python.ok()
    }

    #[test]
    fn every_known_difference_is_shown_by_its_example() {
        let Some(mut python) = python() else { return };
        for (difference, text) in Difference::ALL {
            assert_eq!(compare(text, &mut python), Ok(vec![difference]), "{}", text.escape_ascii());
        }
    }

    #[test]
    fn differences_are_seen_beside_each_other() {
        use Difference::*;
        let Some(mut python) = python() else { return };
        for (text, differences) in [
            (&b"ID: \"a\" # b"[..], &[][..]),
            (b"ID: a", &[]),
            (b"rcpt { type: +0o_7 }", &[PlusSign, DigitSeparator, OctalPrefix]),
            (b"rcpt { type: - 07 }", &[MinusBlank, OctalEnum]),
            (br#"ID: "\u005c\xb1""#, &[UnicodeFirst]),
            (b"data: \"\\u005cu005c\\u005c\0\"", &[UnicodeFirst, UnknownEscape, Nul]),
            (b"data: \"\\u005c\0\\?\"", &[UnicodeFirst, UnknownEscape, Nul, QuestionMark]),
            (b"ID: \"\" # a\nrcpt {}; ID: '' 'b',\x0bTo: 'c'", &[RepeatedAfterDefault, OtherWhiteSpace]),
            (b"ID: '\\xc3'\x1e'\\xb1'", &[OtherWhiteSpace]),
            (b"rcpt { status: 0, address: 'a' status: 00; status: 1 }", &[RepeatedAfterDefault]),
        ] {
            assert_eq!(compare(text, &mut python).as_deref(), Ok(differences), "{}", text.escape_ascii());
        }
    }
}
