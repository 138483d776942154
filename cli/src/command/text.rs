//! Text for people, in which nothing drives their terminal.

use std::fmt::Write;

/// Whether a terminal could obey a character, or show nothing of it, or something else in another order.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// The text with hidden characters as escapes.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for character in text.chars() {
        let written = match character {
            '\n' => write!(quoted, "\\n"),
            '\r' => write!(quoted, "\\r"),
            '\t' => write!(quoted, "\\t"),
            _ if is_hidden(character) => write!(quoted, "\\u{{{:x}}}", u32::from(character)),
            _ => write!(quoted, "{character}"),
        };
        debug_assert!(written.is_ok(), "writing to memory does not fail");
    }
    quoted
}

/// JSON with hidden characters as escapes, which changes nothing of what it says: outside of strings there are none but
/// line feeds.
pub(crate) fn quoted_json(json: &str) -> String {
    let mut quoted = String::with_capacity(json.len());
    for character in json.chars() {
        if character != '\n' && is_hidden(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let written = write!(quoted, "\\u{unit:04x}");
                debug_assert!(written.is_ok(), "writing to memory does not fail");
            }
        } else {
            quoted.push(character);
        }
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::{quoted, quoted_json};

    const HOSTILE: &str = "\u{1b}[2J\u{7}\u{7f}\u{9b}1m\r\n\u{61c}\u{202e}\u{e0041}";

    #[test]
    fn nothing_of_an_item_drives_the_terminal() {
        assert_eq!(quoted(HOSTILE), r"\u{1b}[2J\u{7}\u{7f}\u{9b}1m\r\n\u{61c}\u{202e}\u{e0041}");
        assert_eq!(quoted("ñandú 用户 😀"), "ñandú 用户 😀");
    }

    #[test]
    fn quoted_json_says_the_same() {
        let value = serde_json::json!([HOSTILE, {"ñandú 用户 😀": "\\u009b"}]);
        let json = serde_json::to_string_pretty(&value).expect("a value");
        let quoted = quoted_json(&json);
        assert!(!quoted.chars().any(|character| character != '\n' && super::is_hidden(character)), "{quoted}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&quoted).expect("JSON"), value);
        assert!(quoted.contains("ñandú 用户 😀"));
    }
}
