//! The place of a queue: a directory, or a database.

use crate::database;
use crate::failure::{Cause, Failure};
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

    /// Whether it is empty, as the value of an unset variable of a script is.
    pub(crate) fn is_empty(&self) -> bool {
        self.directory().is_some_and(|directory| directory.as_os_str().is_empty())
    }

    /// Refuses an empty path, and the path of a directory that is meant as a URL. (`./` before it names the directory.)
    pub(crate) fn check(&self) -> Result<(), Cause> {
        if self.is_empty() {
            return Err(Cause::EmptyPath);
        }
        let text = self.directory().and_then(Path::to_str).unwrap_or_default();
        let Some((scheme, rest)) = text.split_once(':') else { return Ok(()) };
        let is_scheme = scheme.chars().all(|character| character.is_ascii_alphanumeric() || "+-.".contains(character));
        let is_meant = rest.starts_with("//") || scheme.to_ascii_lowercase().starts_with("postgre");
        if is_scheme && is_meant { Err(Cause::UnknownScheme(scheme.to_string())) } else { Ok(()) }
    }

    /// Whether both are the URLs of one queue in a database.
    pub(crate) fn is_same_in_database(&self, other: &Location) -> Result<bool, Failure> {
        match (self, other) {
            (Location::Database(one), Location::Database(other)) => {
                database::is_same_queue(one, other).map_err(Failure::of_database)
            }
            _ => Ok(false),
        }
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
    fn misspelt_url_is_no_directory() {
        for text in
            ["postgress://db/mail", "POSTGRES://db/mail", "mysql://db/mail", "postgres:/db/mail", "postgres:mail"]
        {
            location(text).check().expect_err(text);
        }
        for text in ["postgres://db/mail", "./postgres:/db", "queue", "a:b", "/var/a://b"] {
            location(text).check().expect(text);
        }
    }

    #[test]
    fn password_is_not_shown() {
        let shown = location("postgres://q:secret@db1,db2/mail?queue=x&password=secret").to_string();
        assert_eq!(shown, "postgres://q:***@db1,db2/mail?queue=x&password=***");
    }
}
