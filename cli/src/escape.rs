//! Escapes for text that is printed: an item must not drive the operator's terminal.

/// Returns whether a terminal may obey a character, show nothing for it, or reorder others because of it.
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

/// Escapes hidden characters, line feeds among them.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            _ if is_hidden(character) => escaped.extend(character.escape_unicode()),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// Escapes hidden characters, except for tabs and the ends of lines.
pub(crate) fn escape_lines(text: &str) -> String {
    let line = |line: &str| line.split('\t').map(escape).collect::<Vec<_>>().join("\t");
    text.replace("\r\n", "\n").split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// Escapes hidden characters in JSON, which keeps its value: outside of strings only line feeds are hidden, and those
/// stay.
pub(crate) fn escape_json(json: String) -> String {
    let is_escaped = |character: char| character != '\n' && is_hidden(character);
    if !json.contains(is_escaped) {
        return json;
    }
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        if is_escaped(character) {
            let units =
                character.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect::<String>();
            escaped.push_str(&units);
        } else {
            escaped.push(character);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::{escape, escape_json, escape_lines, is_hidden};

    const HOSTILE: &str = "\u{1b}[2J\u{7}\u{7f}\u{9b}1m\r\n\u{61c}\u{202e}\u{e0041}";

    #[test]
    fn escaped_text_has_no_hidden_characters() {
        assert_eq!(escape(HOSTILE), r"\u{1b}[2J\u{7}\u{7f}\u{9b}1m\r\n\u{61c}\u{202e}\u{e0041}");
        assert_eq!(escape("ñandú 用户 😀"), "ñandú 用户 😀");
    }

    #[test]
    fn escaped_lines_keep_tabs_and_line_feeds() {
        assert_eq!(escape_lines("a\tb\r\n\u{1b}[2J\rc\n"), "a\tb\n\\u{1b}[2J\\rc\n");
    }

    #[test]
    fn escaped_json_keeps_its_value() {
        let value = serde_json::json!([HOSTILE, {"ñandú 用户 😀": "\\u009b"}]);
        let json = serde_json::to_string_pretty(&value).expect("a JSON value can always be written");
        let escaped = escape_json(json);
        assert!(!escaped.chars().any(|character| character != '\n' && is_hidden(character)), "{escaped}");
        let read: serde_json::Value = serde_json::from_str(&escaped).expect("escaped JSON is still JSON");
        assert_eq!(read, value);
        assert!(escaped.contains("ñandú 用户 😀"));
    }
}
