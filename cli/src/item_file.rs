//! The files of an item in the directory of a queue, for what the contract does not do: show a path, read a damaged item,
//! and tell the files of one id apart. `docs/format.md` has the names.

use crate::failure::{Cause, Failure};
use queue_store_host::types::{Format, State};
use std::fs;
use std::path::{Path, PathBuf};
use sysexits::ExitCode as Sysexit;

/// A file that has the name of an item.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ItemFile {
    pub(crate) path: PathBuf,
    /// The name of the file.
    pub(crate) name: String,
}

impl ItemFile {
    /// Returns the state that the name has.
    pub(crate) fn state(&self) -> State {
        match self.name.as_bytes()[0] {
            b'm' => State::Ready,
            b'h' => State::Held,
            _ => State::Quarantined,
        }
    }

    /// Returns the format that the name has.
    pub(crate) fn format(&self) -> Format {
        if self.name.as_bytes()[1] == b':' { Format::Text } else { Format::Binary }
    }

    /// Reads the file whole.
    pub(crate) fn read(&self) -> Result<Vec<u8>, Failure> {
        fs::read(&self.path).map_err(|error| Failure::file(&self.path, error, Sysexit::IoErr))
    }
}

/// Finds the files of an id, in any state, by a pass over the directory.
pub(crate) fn find(queue: &Path, id: &str) -> Result<Vec<ItemFile>, Failure> {
    let failed = |error| Failure::file(queue, error, Sysexit::NoInput);
    let mut files = Vec::new();
    for entry in fs::read_dir(queue).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if let Ok(name) = entry.file_name().into_string()
            && id_of(&name) == Some(id)
        {
            files.push(ItemFile { path: entry.path(), name });
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// Finds the file of an id: the live one, or else the quarantined one.
pub(crate) fn find_one(queue: &Path, id: &str) -> Result<ItemFile, Failure> {
    let files = find(queue, id)?;
    let (live, quarantined): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| file.state() != State::Quarantined);
    let mut files = if live.is_empty() { quarantined } else { live };
    match (files.pop(), files.is_empty()) {
        (Some(file), true) => Ok(file),
        (Some(_), false) => Err(Failure::from(Cause::SeveralFiles).at(id)),
        (None, _) => Err(Failure::from(Cause::NoFile).at(id)),
    }
}

/// Returns the id in the name of an item.
fn id_of(name: &str) -> Option<&str> {
    let (prefix, id) = name.split_at_checked(2)?;
    match prefix {
        "m:" | "m=" | "h:" | "h=" | "q:" | "q=" => Some(id),
        // 11 random characters, a colon, and the id.
        "d:" | "d=" => id.split_at_checked(11)?.1.strip_prefix(':'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::id_of;

    #[test]
    fn names_of_items_have_ids() {
        for name in ["m:x", "m=x", "h:x", "h=x", "q:x", "q=x", "d:AAAAAAAAAAA:x", "d=AAAAAAAAAAA:x"] {
            assert_eq!(id_of(name), Some("x"), "{name}");
        }
        for name in ["x", "m", "M:x", ".m:x", "m-x", "d:x", "d:AAAAAAAAAAAx", "ñx"] {
            assert_eq!(id_of(name), None, "{name}");
        }
    }
}
