//! File names in a queue's directory: what each means, and what an item's is.
//!
//! A prefix of two bytes says the state (`m`, `h`, `q`) and the format (`:` text, `=` binary); the id follows. Both
//! second bytes are outside the alphabet of base64url, and only `m:` is read by chasquid. An item that is
//! quarantined while another one of its id is quarantined already gets `d` instead of `q`, and 11 random characters
//! and a `:` before the id.

use crate::id::DRAWN_ID_BYTES;
use crate::list::Text;

/// `types.state`: where an item stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "documented in `wit/types.wit`")]
#[repr(u8)]
pub enum State {
    Ready,
    Held,
    Quarantined,
}

/// `types.format`: how an item is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "documented in `wit/types.wit`")]
#[repr(u8)]
pub enum Format {
    Text,
    Binary,
}

/// All states.
pub const STATES: [State; 3] = [State::Ready, State::Held, State::Quarantined];

/// Both formats.
pub const FORMATS: [Format; 2] = [Format::Text, Format::Binary];

/// What the name of a temporary file begins with: chasquid's (`.m:`, the id, digits) and this component's (`.m:`, 11
/// random characters).
pub const TEMPORARY_PREFIX: &str = ".m:";

/// What a file name means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name<'a> {
    /// An item.
    Item {
        /// Its id; empty in the name `m:`, which chasquid reads and no function of the contract can name.
        id: &'a str,
        /// Its state.
        state: State,
        /// Its format.
        format: Format,
    },
    /// A file that was being written.
    Temporary,
    /// Anything else: left alone.
    Foreign,
}

/// What the file name `name` means.
pub fn parse(name: &str) -> Name<'_> {
    if name.starts_with(TEMPORARY_PREFIX) {
        return Name::Temporary;
    }
    let (Some(&letter), Some(&sign)) = (name.as_bytes().first(), name.as_bytes().get(1)) else {
        return Name::Foreign;
    };
    let format = match sign {
        b':' => Format::Text,
        b'=' => Format::Binary,
        _ => return Name::Foreign,
    };
    let rest = name.get(2..).unwrap_or_default();
    let (state, id) = match letter {
        b'm' => (State::Ready, Some(rest)),
        b'h' => (State::Held, Some(rest)),
        b'q' => (State::Quarantined, Some(rest)),
        b'd' if rest.as_bytes().get(DRAWN_ID_BYTES) == Some(&b':') => {
            (State::Quarantined, rest.get(DRAWN_ID_BYTES + 1..))
        }
        _ => return Name::Foreign,
    };
    match id {
        Some(id) => Name::Item { id, state, format },
        None => Name::Foreign,
    }
}

/// The name of the file of an item.
pub fn item(id: &str, state: State, format: Format) -> Text {
    let letter = match state {
        State::Ready => "m",
        State::Held => "h",
        State::Quarantined => "q",
    };
    Text::of(&[letter, sign(format), id])
}

/// The name of the file of an item that is quarantined beside another one of its id.
pub fn quarantined_again(id: &str, format: Format, random: &str) -> Text {
    Text::of(&["d", sign(format), random, ":", id])
}

/// The name of a temporary file; `random` has the length of a drawn id.
pub fn temporary(random: &str) -> Text {
    Text::of(&[TEMPORARY_PREFIX, random])
}

fn sign(format: Format) -> &'static str {
    match format {
        Format::Text => ":",
        Format::Binary => "=",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_items_name_is_parsed_back() {
        for state in STATES {
            for format in FORMATS {
                for id in ["x", "dGVzdC1pZDE", ":", "=", "a:b", "ñ", "d:AAAAAAAAAAA:x"] {
                    let name = item(id, state, format);
                    assert_eq!(parse(&name), Name::Item { id, state, format }, "{name:?}");
                }
            }
        }
        for format in FORMATS {
            let name = quarantined_again("a:b", format, "AAAAAAAAAAA");
            assert_eq!(parse(&name), Name::Item { id: "a:b", state: State::Quarantined, format });
        }
    }

    #[test]
    fn a_temporary_name_is_recognised_and_everything_else_is_foreign() {
        assert_eq!(parse(&temporary("AAAAAAAAAAA")), Name::Temporary);
        assert_eq!(parse(".m:dGVzdC1pZDE123456"), Name::Temporary);
        for name in ["", "m", "m-x", "M:x", ".DS_Store", ".m", "x:y", "d:short", "d:AAAAAAAAAAAx", "ñ:x", "mñ"] {
            assert_eq!(parse(name), Name::Foreign, "{name:?}");
        }
        assert_eq!(parse("m:"), Name::Item { id: "", state: State::Ready, format: Format::Text });
    }
}
