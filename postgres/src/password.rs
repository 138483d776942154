//! The password file of libpq: <https://www.postgresql.org/docs/current/libpq-pgpass.html>.

use crate::sql_error::error;
use queue_store_host::Result;
use queue_store_host::types::ErrorCode;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::{env, fs};

/// Looks up the password for a server, a database and a user in the file that `PGPASSFILE` names, or in `~/.pgpass`.
pub(crate) fn find(host: &str, port: u16, database: &str, user: &str) -> Result<Option<String>> {
    let (path, is_named) = match env::var_os("PGPASSFILE").filter(|path| !path.is_empty()) {
        Some(path) => (PathBuf::from(path), true),
        None => match env::home_dir() {
            Some(home) => (home.join(".pgpass"), false),
            None => return Ok(None),
        },
    };
    let access = |cause: String| error(ErrorCode::Access, format!("the password file {}: {cause}", path.display()));
    let metadata = match fs::metadata(&path) {
        Ok(metadata) => metadata,
        // As libpq does: another user's home may be where this one may not look.
        Err(_) if !is_named => return Ok(None),
        Err(cause) => return Err(access(cause.to_string())),
    };
    if metadata.mode() & 0o077 != 0 {
        return Err(access("others than its owner may read it: change its mode to 0600".to_string()));
    }
    let text = fs::read_to_string(&path).map_err(|cause| access(cause.to_string()))?;
    Ok(text.lines().find_map(|line| password(line, &[host, &port.to_string(), database, user])))
}

/// Returns the password of a line whose fields match.
fn password(line: &str, wanted: &[&str; 4]) -> Option<String> {
    if line.starts_with('#') {
        return None;
    }
    let fields = fields(line);
    let (found, password) = fields.split_first_chunk::<4>()?;
    let matches = found.iter().zip(wanted).all(|(found, wanted)| found == "*" || found == wanted);
    matches.then(|| password.first().cloned())?
}

/// Splits a line at its colons; a backslash takes the special meaning of the character that follows it.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        let last = fields.last_mut().expect("there is a field");
        match character {
            ':' => fields.push(String::new()),
            '\\' => last.extend(characters.next()),
            _ => last.push(character),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::password;

    #[test]
    fn line_matches_by_its_fields_and_stars() {
        let wanted = ["db1", "5432", "mail", "q"];
        assert_eq!(password("db1:5432:mail:q:secret", &wanted), Some("secret".to_string()));
        assert_eq!(password("*:*:*:q:a\\:b\\\\c", &wanted), Some("a:b\\c".to_string()));
        assert_eq!(password("db2:5432:mail:q:secret", &wanted), None);
        assert_eq!(password("#db1:5432:mail:q:secret", &wanted), None);
        assert_eq!(password("db1:5432", &wanted), None);
    }
}
