//! The known differences between Python's `text_format` and the component. The component is right in all of them.
//!
//! To show that a text has no other difference, `compare` rewrites each known one into a form that both decode alike,
//! until both decode the text alike.

use super::component::{Refusal, component};
use crate::piece::{Kind, Piece, change_escapes, change_words, pieces};
use crate::python::Python;
use crate::schema::MESSAGE;
use prost_reflect::DynamicMessage;
use std::cell::Cell;

/// A known difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Accepted by Python: any white space of Unicode, and four separators of ASCII, between tokens.
    OtherWhiteSpace,
    /// Accepted by Python: a NUL byte in a string.
    Nul,
    /// Accepted by Python: a backslash that begins no escape, as itself.
    UnknownEscape,
    /// Accepted by Python: a backslash before a character beyond U+00FF, as the text of the `\u` or `\U` escape of the
    /// character.
    EscapedCharacter,
    /// Accepted by Python: `\N` and the name of a character, up to U+00FF.
    NamedCharacter,
    /// Accepted by Python: a plus sign before a number.
    PlusSign,
    /// Accepted by Python: `_` between the digits of a number.
    DigitSeparator,
    /// Accepted by Python: a binary number after `0b`.
    BinaryNumber,
    /// Accepted by Python: an octal number after `0o`.
    OctalPrefix,
    /// Accepted by Python: a number that is one digit of another script.
    OtherDigit,
    /// Accepted by Python: a repeated singular field whose first value is the default.
    RepeatedAfterDefault,
    /// Rejected by Python: a comment that is not UTF-8.
    CommentNotUtf8,
    /// Rejected by Python: white space or a comment between a minus sign and its digits.
    MinusBlank,
    /// Rejected by Python: an octal number after `0` for an enum.
    OctalEnum,
    /// Rejected by Python: a character beyond U+FFFF as a surrogate pair of two escapes.
    SurrogatePair,
    /// Decoded by Python to both characters: `\?`.
    QuestionMark,
    /// Decoded by Python before the other escapes: `\u` or `\U` with an ASCII character, which becomes part of another
    /// escape if it is a backslash or a digit.
    UnicodeFirst,
}

impl Difference {
    /// All differences, each with an example.
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

    /// The differences in texts that the component accepts.
    const ACCEPTED_BY_COMPONENT: [Difference; 6] = [
        Difference::CommentNotUtf8,
        Difference::MinusBlank,
        Difference::OctalEnum,
        Difference::SurrogatePair,
        Difference::QuestionMark,
        Difference::UnicodeFirst,
    ];

    /// Rewrites every occurrence of the difference in a text that the component accepts. The component must decode the
    /// result to the same item.
    fn without(self, text: &[u8]) -> Vec<u8> {
        match self {
            // The component rejects invalid UTF-8 outside of comments.
            Difference::CommentNotUtf8 => String::from_utf8_lossy(text).into_owned().into_bytes(),
            Difference::MinusBlank => {
                let mut after_minus = false;
                let mut retained = pieces(text);
                retained.retain(|piece| {
                    let blank_after_minus = after_minus && piece.kind == Kind::Blank;
                    after_minus = piece.is(b'-');
                    !blank_after_minus
                });
                retained.iter().flat_map(|piece| piece.bytes).copied().collect()
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

    /// Finds the difference in a text that only Python accepts. Returns it with candidates for the text without it:
    /// Python must decode one of them to the same item.
    fn rejected_by_component(text: &[u8], refusal: &Refusal) -> Option<(Difference, Vec<Vec<u8>>)> {
        let rest = text.get(refusal.at..)?;
        let replace = |bytes: usize, by: &str| [&text[..refusal.at], by.as_bytes(), &rest[bytes..]].concat();
        let (difference, candidates) = match (&*refusal.reason, first_character(rest)?) {
            // Replaces all NUL bytes, or only the first one, since another one may follow a backslash.
            ("a string has a NUL byte", _) => {
                let all = rest.split(|&byte| byte == 0).collect::<Vec<_>>().join(&b"\\000"[..]);
                (Difference::Nul, vec![[&text[..refusal.at], &all].concat(), replace(1, "\\000")])
            }
            ("a string has an escape that does not exist", _) => {
                let escaped = first_character(rest.get(1..)?)?;
                if escaped > '\u{ff}' {
                    let code = u32::from(escaped);
                    let by = if code > 0xffff { format!("\\\\U{code:08x}") } else { format!("\\\\u{code:04x}") };
                    (Difference::EscapedCharacter, vec![replace(1 + escaped.len_utf8(), &by)])
                } else if rest.starts_with(b"\\N{") {
                    let length = 1 + rest.iter().position(|&byte| byte == b'}')?;
                    let characters = (0..=u8::MAX).map(|byte| replace(length, &format!("\\x{byte:02x}")));
                    (Difference::NamedCharacter, characters.collect())
                } else {
                    (Difference::UnknownEscape, vec![replace(0, "\\")])
                }
            }
            ("a string of characters is not UTF-8", _) => {
                // White space that ends the string for the component may separate two of its literals for Python.
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
            (_, space) if is_other_space(space) => (Difference::OtherWhiteSpace, vec![replace(space.len_utf8(), " ")]),
            ("a whole number is needed here" | "a known name, or a number, is needed here", first) => {
                if first.is_numeric() && !first.is_ascii() {
                    let digits = ('0'..='9').map(|digit| replace(first.len_utf8(), &format!("{digit} ")));
                    (Difference::OtherDigit, digits.collect())
                } else {
                    let (difference, length, number) = other_number(rest)?;
                    (difference, vec![replace(length, &number)])
                }
            }
            _ => return None,
        };
        Some((difference, candidates))
    }
}

fn first_character(text: &[u8]) -> Option<char> {
    text.utf8_chunks().next()?.valid().chars().next()
}

/// Returns whether a character is white space to Python. Callers pass only characters that are not white space to the
/// component.
fn is_other_space(character: char) -> bool {
    character.is_whitespace() || ('\x1c'..='\x1f').contains(&character)
}

/// Finds the first difference in a number that only Python accepts. Returns it with the length of the number and the
/// number without the difference.
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

/// Decodes a `\u` or `\U` escape. Returns its code and its length.
fn unicode(escape: &[u8]) -> Option<(u32, usize)> {
    let length = match escape.get(..2)? {
        b"\\u" => 6,
        b"\\U" => 10,
        _ => return None,
    };
    let digits = str::from_utf8(escape.get(2..length)?).ok()?;
    Some((u32::from_str_radix(digits, 16).ok()?, length))
}

/// Returns, for each `\u` or `\U` escape of a printable ASCII character, the text with this escape decoded before the
/// others.
fn unicode_first(text: &[u8]) -> Vec<Vec<u8>> {
    let decoded = |escape: &[u8]| {
        let (code, length) = unicode(escape)?;
        let character = char::from_u32(code).filter(|character| matches!(character, ' '..='~'))?;
        // The backslash may begin another such escape, whose code is a byte. Python decodes it with the other escapes,
        // as `\x` is.
        let next = [b"\\", escape.get(length..)?].concat();
        match unicode(&next).filter(|_| character == '\\') {
            Some((byte, more)) => Some((format!("\\x{:02x}", u8::try_from(byte).ok()?), length + more - 1)),
            None => Some((character.to_string(), length)),
        }
    };
    let with = |one: usize| {
        let before = Cell::new(0);
        change_escapes(text, |escape| decoded(escape).filter(|_| before.replace(before.get() + 1) == one))
    };
    (0..).map(with).take_while(|changed| changed != text).collect()
}

/// Removes the last field before `at`, in the same message, that has the name at `at`.
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
    // A value is literals, or one word, after a colon and an optional minus sign.
    let value = first + 1 + follow(first + 1, [Kind::Blank, Kind::Mark]);
    let mut end = value + follow(value, [Kind::Literal, Kind::Blank]).max(1);
    end += follow(end, [Kind::Blank; 2]);
    end += usize::from(before.get(end).is_some_and(|piece| piece.is(b',') || piece.is(b';')));
    let retained = before[..first].iter().chain(&before[end..]).flat_map(|piece| piece.bytes);
    Some(retained.chain(&text[at..]).copied().collect())
}

fn note(found: &mut Vec<Difference>, difference: Difference) {
    if !found.contains(&difference) {
        found.push(difference);
    }
}

/// Decodes a text with both and compares the results. Returns the known differences that must be rewritten until the
/// results are equal, and fails if that is not enough.
pub fn compare(text: &[u8], python: &mut Python) -> Result<Vec<Difference>, String> {
    let mut text = text.to_vec();
    let mut found = Vec::new();
    let (mut ours, mut theirs) = (component(&text), python.read(&text));
    // Each pass keeps the result of Python, until the component accepts the text as well.
    while let (Err(refusal), Ok(_)) = (&ours, &theirs) {
        let unknown = || {
            let Refusal { reason, at } = refusal;
            format!("only the component rejects the text: {reason} at {at} of \"{}\"", text.escape_ascii())
        };
        let (difference, candidates) = Difference::rejected_by_component(&text, refusal).ok_or_else(unknown)?;
        let mut same = |candidate: &Vec<u8>| *candidate != text && python.read(candidate) == theirs;
        let (difference, without) = match candidates.into_iter().find(&mut same) {
            Some(without) => (difference, without),
            // The replacement became part of another escape.
            None => (Difference::UnicodeFirst, unicode_first(&text).into_iter().find(same).ok_or_else(unknown)?),
        };
        text = without;
        ours = component(&text);
        note(&mut found, difference);
    }
    let Ok(message) = &ours else {
        return Ok(found);
    };
    // Each pass keeps the result of the component, until Python has it as well.
    for difference in Difference::ACCEPTED_BY_COMPONENT {
        if theirs.as_ref() == Ok(message) {
            break;
        }
        let without = difference.without(&text);
        if without == text {
            continue;
        }
        if component(&without) != ours {
            return Err(format!(
                "rewriting {difference:?} changes the component's result: \"{}\"",
                without.escape_ascii()
            ));
        }
        text = without;
        theirs = python.read(&text);
        note(&mut found, difference);
    }
    let shown = |message: &[u8]| DynamicMessage::decode(MESSAGE.clone(), message).map(|message| message.to_string());
    match &theirs {
        Ok(theirs) if theirs == message => Ok(found),
        Ok(theirs) => Err(format!("the items differ: {:?}, but {:?} in Python", shown(message), shown(theirs))),
        Err(reason) => Err(format!("only Python rejects the text: {reason}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Starts Python. If it is missing, returns `None`, or panics if `QUEUE_STORE_REQUIRE_ALL` is 1.
    fn python() -> Option<Python> {
        let python = Python::start();
        if let Err(missing) = &python {
            assert!(std::env::var_os("QUEUE_STORE_REQUIRE_ALL").is_none_or(|value| value != "1"), "{missing}");
            eprintln!("skipped: {missing}");
        }
        python.ok()
    }

    #[test]
    fn each_example_shows_its_difference() {
        let Some(mut python) = python() else { return };
        for (difference, text) in Difference::ALL {
            assert_eq!(compare(text, &mut python), Ok(vec![difference]), "{}", text.escape_ascii());
        }
    }

    #[test]
    fn finds_several_differences_in_one_text() {
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
