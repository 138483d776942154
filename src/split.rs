//! Strings in two, at an ASCII character.

/// What precedes the first one, and what follows it.
#[cfg(target_family = "wasm")]
pub(crate) fn at_first(text: &str, character: u8) -> Option<(&str, &str)> {
    at(text, text.bytes().position(|byte| byte == character)?)
}

/// What precedes the last one, and what follows it.
pub(crate) fn at_last(text: &str, character: u8) -> Option<(&str, &str)> {
    at(text, text.bytes().rposition(|byte| byte == character)?)
}

fn at(text: &str, place: usize) -> Option<(&str, &str)> {
    Some((text.get(..place)?, text.get(place + 1..)?))
}
