//! Where `prost-reflect` is of another opinion on a text. The component is right in all of them.

use super::component::{Refusal, component};
use crate::schema::MESSAGE;
use prost_reflect::DynamicMessage;
use prost_reflect::prost::Message as _;

/// A known difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Refused by `prost-reflect`: a character beyond U+FFFF as two halves, each one an escape.
    SurrogatePair,
    /// Taken by `prost-reflect`: `\X` for `\x`.
    UpperCaseX,
    /// Taken by `prost-reflect`: a field twice, where the first one says what it would be without.
    RepeatedAfterZero,
    /// Taken by `prost-reflect`: a form feed or a vertical tab as white space.
    OtherWhiteSpace,
    /// Refused by `prost-reflect`: a list of messages without a colon before it.
    ListWithoutColon,
}

impl Difference {
    /// All of them, each with a text that shows it.
    pub const ALL: [(Difference, &str); 6] = [
        (Difference::SurrogatePair, r#"data: "\ud83d\ude00""#),
        (Difference::UpperCaseX, r#"data: "\X41""#),
        (Difference::RepeatedAfterZero, "created_at_ts { seconds: 0 seconds: 1 }"),
        (Difference::OtherWhiteSpace, "\x0cdata: \"\""),
        (Difference::OtherWhiteSpace, "ID: \"\\xc3\"\x0c\"\\xb1\""),
        (Difference::ListWithoutColon, "rcpt [{}]"),
    ];

    /// Which one it is that `prost-reflect` takes a text which the component refuses at `rest`, for this reason.
    fn of_taken(reason: &str, rest: &str) -> Option<Difference> {
        match reason {
            "a string has an escape that does not exist" if rest.starts_with("\\X") => Some(Difference::UpperCaseX),
            "a field that is not a list is there twice" => Some(Difference::RepeatedAfterZero),
            // A number is refused at its minus sign, which blanks may follow.
            _ if rest.trim_start_matches(['-', ' ', '\t', '\r', '\n']).starts_with(['\x0b', '\x0c']) => {
                Some(Difference::OtherWhiteSpace)
            }
            // It goes on after the white space, and is UTF-8 then.
            "a string of characters is not UTF-8" if rest.contains(['\x0b', '\x0c']) => {
                Some(Difference::OtherWhiteSpace)
            }
            _ => None,
        }
    }

    /// Which one it is that `prost-reflect` refuses a text which the component takes, for this reason.
    fn of_refused(reason: &str, text: &str) -> Option<Difference> {
        if reason == "expected ':' or a message value, but found '['" {
            return Some(Difference::ListWithoutColon);
        }
        let text = text.to_ascii_lowercase();
        let half = |escape: &str| ["d8", "d9", "da", "db"].iter().any(|half| text.contains(&[escape, half].concat()));
        (reason == "invalid string escape" && (half("\\u") || half("\\u0000"))).then_some(Difference::SurrogatePair)
    }
}

/// Compares the verdicts and the items. Returns the difference, if there is a known one, and fails at any other.
pub fn compare(text: &str) -> Result<Option<Difference>, String> {
    let ours = component(text.as_bytes());
    let theirs = DynamicMessage::parse_text_format(MESSAGE.clone(), text);
    let (known, what) = match (ours, theirs) {
        (Err(_), Err(_)) => return Ok(None),
        (Ok(ours), Ok(theirs)) => {
            if theirs.encode_to_vec() == ours {
                return Ok(None);
            }
            let ours = DynamicMessage::decode(MESSAGE.clone(), &*ours);
            (None, format!("the items differ: {ours:?}, {theirs}"))
        }
        (Ok(_), Err(theirs)) => {
            let reason = theirs.to_string();
            (Difference::of_refused(&reason, text), format!("`prost-reflect` refuses it: {reason}"))
        }
        (Err(Refusal { reason, at }), Ok(_)) => {
            let rest = String::from_utf8_lossy(text.as_bytes().get(at..).unwrap_or_default());
            (Difference::of_taken(&reason, &rest), format!("`prost-reflect` takes it: {reason} at {at}"))
        }
    };
    known.map(Some).ok_or(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_difference_is_shown_by_its_example() {
        for (difference, text) in Difference::ALL {
            assert_eq!(compare(text), Ok(Some(difference)), "{text}");
        }
    }
}
