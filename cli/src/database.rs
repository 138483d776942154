//! Queues in databases, where the command is built with the feature `postgres`.

#[cfg(feature = "postgres")]
pub(crate) use queue_store_postgres::{check_commit, is_same_queue, is_url, open, without_password};

#[cfg(not(feature = "postgres"))]
pub(crate) use absent::{check_commit, is_same_queue, is_url, open, without_password};

#[cfg(not(feature = "postgres"))]
mod absent {
    use queue_store_host::types::{self, ErrorCode};
    use queue_store_host::{Error, Queue, Result};

    /// Whether a text is the URL of a queue in a database.
    pub(crate) fn is_url(text: &str) -> bool {
        text.starts_with("postgres://") || text.starts_with("postgresql://")
    }

    /// Refuses to open a queue in a database.
    pub(crate) fn open(_url: &str) -> Result<Queue> {
        Err(not_built())
    }

    pub(crate) fn is_same_queue(_one: &str, _other: &str) -> Result<bool> {
        Err(not_built())
    }

    pub(crate) fn check_commit(_url: &str) -> Result<()> {
        Err(not_built())
    }

    fn not_built() -> Error {
        let detail = "this command was built without PostgreSQL: build it with `--features postgres`".to_string();
        let (operation, path) = (String::new(), String::new());
        types::Error { code: ErrorCode::Unsupported, operation, path, detail, position: None }.into()
    }

    /// Returns what may be shown of a URL, which may have a password.
    pub(crate) fn without_password(url: &str) -> String {
        url.split_once("://").map_or(url, |(scheme, _)| scheme).to_string()
    }
}
