//! Text for people, in which nothing drives their terminal.

use std::fmt::Write;

/// The text with what a terminal could obey, or that could change the order of what is shown, as escapes.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for character in text.chars() {
        let hidden = character.is_control()
            || matches!(
                character,
                '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            );
        let written = match character {
            '\n' => write!(quoted, "\\n"),
            '\r' => write!(quoted, "\\r"),
            '\t' => write!(quoted, "\\t"),
            _ if hidden => write!(quoted, "\\u{{{:x}}}", u32::from(character)),
            _ => write!(quoted, "{character}"),
        };
        debug_assert!(written.is_ok(), "writing to memory does not fail");
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn nothing_of_an_item_drives_the_terminal() {
        assert_eq!(quoted("\u{1b}[2J\u{7}\u{9b}1m\r\n\u{202e}"), r"\u{1b}[2J\u{7}\u{9b}1m\r\n\u{202e}");
        assert_eq!(quoted("ñandú 用户 😀"), "ñandú 用户 😀");
    }
}
