//! Opens the queue of a directory or of a database, for the packages for other languages: each takes one string for both.

#![forbid(unsafe_code)]
#![warn(missing_debug_implementations)]

use queue_store_host::types::{self, ErrorCode};
use queue_store_host::{Error, Host, Queue, Result};
use std::ffi::OsStr;
use std::fmt;
use std::path::PathBuf;

/// The schemes of the URLs of PostgreSQL. Text that begins with one is taken for a URL with any number of slashes: path
/// objects and functions that join paths make one slash of two, and the directory that would be created has the password in
/// its name.
const SCHEMES: [&str; 2] = ["postgres", "postgresql"];

/// The place of a queue.
#[derive(Debug)]
pub enum Place {
    /// A directory.
    Directory(PathBuf),
    /// A database.
    Database(DatabaseUrl),
}

impl Place {
    /// Parses the argument of a caller.
    ///
    /// # Errors
    ///
    /// `invalid-argument` where it begins like a URL of a database and is none.
    pub fn parse(text: impl AsRef<OsStr>) -> Result<Place> {
        let text = text.as_ref();
        let Some(scheme) = scheme(text) else {
            return Ok(Place::Directory(PathBuf::from(text)));
        };
        let url = text.to_str().ok_or_else(|| invalid("is not UTF-8: write the bytes of other encodings as %XX"))?;
        if !SCHEMES.contains(&scheme) || !url[scheme.len()..].starts_with("://") {
            return Err(invalid(&format!(
                "begins neither with postgres:// nor with postgresql://; a directory of that name is ./{scheme}:"
            )));
        }
        Ok(Place::Database(DatabaseUrl(url.to_string())))
    }

    /// Opens the queue. Where `create` is true, a missing directory is created durably; a database has to exist, and gets
    /// its tables.
    ///
    /// # Errors
    ///
    /// Those of [`Host::create`] and of [`DatabaseUrl::open`].
    pub fn open(&self, create: bool) -> Result<Queue> {
        match self {
            Place::Directory(path) if create => Host::shared()?.create(path),
            Place::Directory(path) => Host::shared()?.open(path),
            Place::Database(url) => url.open(),
        }
    }
}

/// Returns the scheme (RFC 3986, section 3.1) of text that is taken for the URL of a database. A directory of that name is
/// written with `./`.
fn scheme(text: &OsStr) -> Option<&str> {
    let bytes = text.as_encoded_bytes();
    let colon = bytes.iter().position(|byte| *byte == b':')?;
    let scheme = str::from_utf8(&bytes[..colon]).ok()?;
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.chars().all(|character| character.is_ascii_alphanumeric() || "+-.".contains(character));
    let is_meant = bytes[colon..].starts_with(b"://") || SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme));
    (is_scheme && is_meant).then_some(scheme)
}

/// The URL of a queue in a database. It is displayed without its password.
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// Opens the queue.
    ///
    /// # Errors
    ///
    /// Those of `queue_store_postgres::open`; `unsupported` where this package was built without the feature `postgres`.
    pub fn open(&self) -> Result<Queue> {
        #[cfg(feature = "postgres")]
        return queue_store_postgres::open(&self.0);
        #[cfg(not(feature = "postgres"))]
        Err(error(
            ErrorCode::Unsupported,
            "this package was built without PostgreSQL: build it with the feature `postgres` of cargo, or name a directory",
        ))
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = self.0.split_once("//").expect("`Place::parse` checked the beginning");
        let (base, options) = rest.split_once('?').unwrap_or((rest, ""));
        // A `@` in a password is an error, which must not show it either: the last one ends the credentials.
        let base = match base.rsplit_once('@') {
            Some((credentials, hosts)) => {
                format!("{}@{hosts}", credentials.split_once(':').map_or(credentials, |(user, _)| user))
            }
            None => base.to_string(),
        };
        let options: Vec<&str> = options.split('&').filter(|option| is_shown(option)).collect();
        let separator = if options.is_empty() { "" } else { "?" };
        write!(formatter, "{scheme}//{base}{separator}{}", options.join("&"))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "DatabaseUrl({self})")
    }
}

/// Whether an option of a URL is no password. An escaped name could be one.
fn is_shown(option: &str) -> bool {
    let name = option.split('=').next().unwrap_or_default();
    !option.is_empty() && name != "password" && !name.contains(['%', '@'])
}

fn invalid(reason: &str) -> Error {
    error(ErrorCode::InvalidArgument, &format!("the URL of the database {reason}"))
}

fn error(code: ErrorCode, detail: &str) -> Error {
    let detail = detail.to_string();
    types::Error { code, operation: "open".to_string(), path: String::new(), detail, position: None }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(url: &str) -> String {
        match Place::parse(url).expect("it is a URL") {
            Place::Database(url) => {
                assert_eq!(format!("{url:?}"), format!("DatabaseUrl({url})"));
                url.to_string()
            }
            Place::Directory(path) => panic!("{path:?} is taken for a directory"),
        }
    }

    #[test]
    fn password_is_never_displayed() {
        for (url, expected) in [
            ("postgres://q:secret@db1,db2:5433/mail?queue=out", "postgres://q@db1,db2:5433/mail?queue=out"),
            ("postgresql://q:se:cr/et@db", "postgresql://q@db"),
            ("postgres://q:se@cret@db/mail", "postgres://q@db/mail"),
            ("postgres://q@db/mail?password=secret", "postgres://q@db/mail"),
            ("postgres://q@db/mail?password=secret&queue=out&p%61ssword=secret", "postgres://q@db/mail?queue=out"),
            ("postgres://db/mail", "postgres://db/mail"),
            ("postgres://", "postgres://"),
        ] {
            assert_eq!(shown(url), expected);
        }
    }

    #[test]
    fn path_that_begins_with_a_dot_or_a_slash_is_a_directory() {
        for path in [
            "./postgres://db/mail",
            "/postgres://db",
            "postgres",
            "postgres/x",
            "mails",
            "",
            "postgresq:x",
            "mysql:x",
            "a/b://c",
            "1://x",
            "://x",
        ] {
            assert!(matches!(Place::parse(path), Ok(Place::Directory(directory)) if directory.to_str() == Some(path)));
        }
    }

    #[test]
    fn url_of_another_kind_is_refused() {
        for (url, directory) in [
            ("postgres:", "./postgres:"),
            ("postgres:/q:secret@db/mail", "./postgres:"),
            ("POSTGRES://q:secret@db/mail", "./POSTGRES:"),
            ("postgresql:mail", "./postgresql:"),
            ("postgress://q:secret@db/mail", "./postgress:"),
            ("mysql+ssl://q:secret@db/mail", "./mysql+ssl:"),
        ] {
            let error = Place::parse(url).expect_err("it is no URL");
            assert_eq!(error.code(), Some(ErrorCode::InvalidArgument));
            assert!(error.to_string().contains(directory) && !error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn url_that_is_not_utf8_is_refused_unseen() {
        use std::os::unix::ffi::OsStrExt;
        let error = Place::parse(OsStr::from_bytes(b"postgres://q:secret\xff@db/mail")).expect_err("it is no URL");
        assert_eq!(error.code(), Some(ErrorCode::InvalidArgument));
        assert!(!error.to_string().contains("secret"), "{error}");
    }

    #[test]
    #[cfg(not(feature = "postgres"))]
    fn package_without_postgres_tells_what_to_do() {
        let error =
            Place::parse("postgres://q:secret@db/mail").expect("it is a URL").open(true).expect_err("no database");
        assert_eq!(error.code(), Some(ErrorCode::Unsupported));
        assert!(error.to_string().contains("the feature `postgres`"), "{error}");
    }
}
