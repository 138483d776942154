//! The known differences between `prost-reflect` and the component. The component is right in all of them.

use super::component::{Refusal, component};
use crate::schema::MESSAGE;
use prost_reflect::DynamicMessage;
use prost_reflect::prost::Message as _;

/// A known difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Rejected by `prost-reflect`: a character beyond U+FFFF as a surrogate pair of two escapes.
    SurrogatePair,
    /// Accepted by `prost-reflect`: `\X` for `\x`.
    UpperCaseX,
    /// Accepted by `prost-reflect`: a repeated singular field whose first value is the default.
    RepeatedAfterZero,
    /// Accepted by `prost-reflect`: a form feed or a vertical tab as white space.
    OtherWhiteSpace,
    /// Rejected by `prost-reflect`: a list of messages without a colon before it.
    ListWithoutColon,
}

impl Difference {
    /// All differences, each with an example.
    pub const ALL: [(Difference, &str); 6] = [
        (Difference::SurrogatePair, r#"data: "\ud83d\ude00""#),
        (Difference::UpperCaseX, r#"data: "\X41""#),
        (Difference::RepeatedAfterZero, "created_at_ts { seconds: 0 seconds: 1 }"),
        (Difference::OtherWhiteSpace, "\x0cdata: \"\""),
        (Difference::OtherWhiteSpace, "ID: \"\\xc3\"\x0c\"\\xb1\""),
        (Difference::ListWithoutColon, "rcpt [{}]"),
    ];

    /// Finds the difference in a text that only `prost-reflect` accepts. The component rejects it at `rest` for
    /// `reason`.
    fn accepted_by_peer(reason: &str, rest: &str) -> Option<Difference> {
        match reason {
            "a string has an escape that does not exist" if rest.starts_with("\\X") => Some(Difference::UpperCaseX),
            "a field that is not a list is there twice" => Some(Difference::RepeatedAfterZero),
            // The component rejects a number at its minus sign, which blanks may follow.
            _ if rest.trim_start_matches(['-', ' ', '\t', '\r', '\n']).starts_with(['\x0b', '\x0c']) => {
                Some(Difference::OtherWhiteSpace)
            }
            // `prost-reflect` concatenates the literals around the white space, and the result is UTF-8.
            "a string of characters is not UTF-8" if rest.contains(['\x0b', '\x0c']) => {
                Some(Difference::OtherWhiteSpace)
            }
            _ => None,
        }
    }

    /// Finds the difference in a text that only the component accepts. `prost-reflect` rejects it for `reason`.
    fn rejected_by_peer(reason: &str, text: &str) -> Option<Difference> {
        if reason == "expected ':' or a message value, but found '['" {
            return Some(Difference::ListWithoutColon);
        }
        let text = text.to_ascii_lowercase();
        let half = |escape: &str| ["d8", "d9", "da", "db"].iter().any(|half| text.contains(&[escape, half].concat()));
        (reason == "invalid string escape" && (half("\\u") || half("\\u0000"))).then_some(Difference::SurrogatePair)
    }
}

/// Decodes a text with both and compares the results. Returns the known difference, if there is one, and fails at an
/// unknown one.
pub fn compare(text: &str) -> Result<Option<Difference>, String> {
    let ours = component(text.as_bytes());
    let theirs = DynamicMessage::parse_text_format(MESSAGE.clone(), text);
    let (known, unknown) = match (ours, theirs) {
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
            (Difference::rejected_by_peer(&reason, text), format!("only `prost-reflect` rejects the text: {reason}"))
        }
        (Err(Refusal { reason, at }), Ok(_)) => {
            let rest = String::from_utf8_lossy(text.as_bytes().get(at..).unwrap_or_default());
            (
                Difference::accepted_by_peer(&reason, &rest),
                format!("only the component rejects the text: {reason} at {at}"),
            )
        }
    };
    known.map(Some).ok_or(unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_example_shows_its_difference() {
        for (difference, text) in Difference::ALL {
            assert_eq!(compare(text), Ok(Some(difference)), "{text}");
        }
    }
}
