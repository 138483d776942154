//! The place of a queue: a directory, or a database.

use crate::database;
use crate::failure::Cause;
use std::ffi::OsString;
use std::fmt::{self, Display, Formatter};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The place of a queue, as the command line names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Location {
    /// A directory.
    Directory(PathBuf),
    /// A URL, which may have a password.
    Database(String),
}

impl Location {
    /// Returns the directory, if it is one.
    pub(crate) fn directory(&self) -> Option<&Path> {
        match self {
            Location::Directory(directory) => Some(directory),
            Location::Database(_) => None,
        }
    }

    /// Whether both name one queue: one directory, or the same URL.
    pub(crate) fn is_same(&self, other: &Location) -> bool {
        let identity = |location: &Location| {
            let metadata = location.directory().and_then(|directory| directory.metadata().ok());
            metadata.map(|metadata| (metadata.dev(), metadata.ino()))
        };
        self == other || identity(self).is_some_and(|one| identity(other) == Some(one))
    }

    /// Returns the directory, or refuses to do what needs the files of a queue.
    pub(crate) fn require_directory(&self) -> Result<&Path, Cause> {
        self.directory().ok_or(Cause::NoFiles)
    }
}

impl From<OsString> for Location {
    fn from(text: OsString) -> Location {
        match text.into_string() {
            Ok(text) if database::is_url(&text) => Location::Database(text),
            Ok(text) => Location::Directory(text.into()),
            Err(text) => Location::Directory(text.into()),
        }
    }
}

impl Display for Location {
    /// Writes the path, or the URL without its password.
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Location::Directory(directory) => formatter.write_str(&directory.to_string_lossy()),
            Location::Database(url) => formatter.write_str(&database::without_password(url)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Location;
    use std::path::Path;

    fn location(text: &str) -> Location {
        Location::from(std::ffi::OsString::from(text))
    }

    #[test]
    fn url_is_a_database_and_everything_else_a_directory() {
        assert_eq!(location("postgres://db/mail").directory(), None);
        assert_eq!(location("./postgres://db/mail").directory(), Some(Path::new("./postgres://db/mail")));
        assert_eq!(location("queue").directory(), Some(Path::new("queue")));
    }

    #[test]
    fn password_is_not_shown() {
        let shown = location("postgres://q:secret@db1,db2/mail?queue=x&password=secret").to_string();
        assert_eq!(shown, "postgres://q:***@db1,db2/mail?queue=x&password=***");
    }
}
