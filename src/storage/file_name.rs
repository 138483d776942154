//! File names in a queue's directory: their meaning, and the names of an item.
//!
//! A prefix of two bytes carries the state (`m`, `h`, `q`) and the format (`:` text, `=` binary); the id follows. Both
//! second bytes are outside the alphabet of base64url, and only `m:` is read by chasquid. An item that is quarantined
//! while another one of its id is quarantined already gets `d` instead of `q`, and 11 random characters and a `:` before
//! the id.

use crate::item::Format;
use crate::item::id::{GENERATED_ID_BYTES, base64url};
use alloc::string::String;

/// `types.state`: the state of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "documented in `wit/types.wit`")]
pub enum State {
    Ready,
    Held,
    Quarantined,
}

/// All states, the least restrained one first.
pub const STATES: [State; 3] = [State::Ready, State::Held, State::Quarantined];

/// The states of an item that a mail server would deliver, now or later.
pub const LIVE: [State; 2] = [State::Ready, State::Held];

/// Both formats.
pub const FORMATS: [Format; 2] = [Format::Text, Format::Binary];

/// The beginning of the name of a temporary file: chasquid's (`.m:`, the id, digits) and this component's (`.m:`, 11
/// random characters).
pub const TEMPORARY_PREFIX: &str = ".m:";

/// The name of the subdirectory that holds the marks of failed fsyncs.
pub const MARKS: &str = ".unsynced";

/// Bytes of the longest file name, on every file system in use (NAME_MAX).
pub const MAX_NAME_BYTES: usize = 255;

/// The meaning of a file name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning<'a> {
    /// An item.
    Item(ItemName<'a>),
    /// A file that is being written, or was when its process was killed.
    Temporary,
    /// The directory of the marks of failed fsyncs.
    Marks,
    /// Anything else, which no call touches.
    Foreign,
}

/// The parts of an item's file name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ItemName<'a> {
    /// The id; empty in the name `m:`, which chasquid reads and no function of the contract can name.
    pub id: &'a str,
    /// The state.
    pub state: State,
    /// The format.
    pub format: Format,
}

/// Returns the meaning of the file name `name`.
pub fn parse(name: &str) -> Meaning<'_> {
    match parse_item(name) {
        Some(item) => Meaning::Item(item),
        None if name.starts_with(TEMPORARY_PREFIX) => Meaning::Temporary,
        None if name == MARKS => Meaning::Marks,
        None => Meaning::Foreign,
    }
}

fn parse_item(name: &str) -> Option<ItemName<'_>> {
    let (prefix, rest) = name.split_at_checked(2)?;
    let [letter, sign] = *prefix.as_bytes().as_array()?;
    let format = match sign {
        b':' => Format::Text,
        b'=' => Format::Binary,
        _ => return None,
    };
    let (state, id) = match letter {
        b'm' => (State::Ready, rest),
        b'h' => (State::Held, rest),
        b'q' => (State::Quarantined, rest),
        b'd' => (State::Quarantined, rest.split_at_checked(GENERATED_ID_BYTES)?.1.strip_prefix(':')?),
        _ => return None,
    };
    Some(ItemName { id, state, format })
}

/// Returns the name of the file of an item.
pub fn item(id: &str, state: State, format: Format) -> String {
    let letter = match state {
        State::Ready => "m",
        State::Held => "h",
        State::Quarantined => "q",
    };
    [letter, sign(format), id].concat()
}

/// Returns the name of the file of an item that is quarantined beside another one of its id.
pub fn quarantined_again(id: &str, format: Format, random: u64) -> String {
    ["d", sign(format), &base64url(random), ":", id].concat()
}

/// Returns the name of a temporary file.
pub fn temporary(random: u64) -> String {
    [TEMPORARY_PREFIX, &base64url(random)].concat()
}

fn sign(format: Format) -> &'static str {
    match format {
        Format::Text => ":",
        Format::Binary => "=",
    }
}
