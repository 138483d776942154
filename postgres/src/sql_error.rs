//! Errors of the client and of the server as errors of the contract.

use queue_store_host::Error;
use queue_store_host::types::{self, ErrorCode};
use tokio_postgres::Row;
use tokio_postgres::error::{DbError, Severity, SqlState};

/// Makes an error of the contract without operation and path.
pub(crate) fn error(code: ErrorCode, detail: impl Into<String>) -> Error {
    record(code, detail).into()
}

/// Makes the record of an error of the contract without operation and path.
pub(crate) fn record(code: ErrorCode, detail: impl Into<String>) -> types::Error {
    types::Error { code, operation: String::new(), path: String::new(), detail: detail.into(), position: None }
}

/// The ways in which a statement fails.
#[derive(Debug)]
pub(crate) enum SqlError {
    /// The server refused it, and it had no effect.
    Refused(types::Error),
    /// As `Refused`, since it met another one: the same statement may succeed.
    Again(types::Error),
    /// As `Refused`, since an earlier statement of the transaction had failed.
    Aborted(types::Error),
    /// The session was gone before the statement was sent.
    Unsent(String),
    /// The session is gone, or the server did not answer: whether the statement had an effect is not known.
    Lost(String),
}

impl SqlError {
    /// The server did not answer in time.
    pub(crate) fn timed_out() -> SqlError {
        SqlError::Lost("the server did not answer within the time that a call may take".to_string())
    }

    /// The same failure of what follows a statement that changed something.
    pub(crate) fn after_change(self) -> SqlError {
        match self {
            SqlError::Refused(error) | SqlError::Again(error) | SqlError::Aborted(error) => {
                SqlError::Lost(error.detail)
            }
            SqlError::Unsent(detail) | SqlError::Lost(detail) => SqlError::Lost(detail),
        }
    }

    /// The same failure of what precedes a statement that changes something.
    pub(crate) fn before_change(self) -> SqlError {
        match self {
            SqlError::Lost(detail) => SqlError::Unsent(detail),
            failure => failure,
        }
    }
}

impl From<tokio_postgres::Error> for SqlError {
    fn from(cause: tokio_postgres::Error) -> SqlError {
        let Some(database) = cause.as_db_error() else {
            // No answer, or one that was not understood.
            return SqlError::Lost(with_sources(&cause));
        };
        // The server ends the session, which may have committed before.
        if !matches!(database.parsed_severity(), Some(Severity::Error)) {
            return SqlError::Lost(text(database));
        }
        let code = code(database.code());
        let error = types::Error { operation: "sql".to_string(), ..record(code, text(database)) };
        if is_met_by_others(database.code()) {
            SqlError::Again(error)
        } else if *database.code() == SqlState::IN_FAILED_SQL_TRANSACTION {
            SqlError::Aborted(error)
        } else {
            SqlError::Refused(error)
        }
    }
}

/// The failure of a statement that changes nothing.
impl From<SqlError> for Error {
    fn from(cause: SqlError) -> Error {
        match cause {
            SqlError::Refused(error) | SqlError::Again(error) | SqlError::Aborted(error) => error.into(),
            SqlError::Unsent(detail) | SqlError::Lost(detail) => error(ErrorCode::Io, detail),
        }
    }
}

/// Returns the row of a statement that returns one.
pub(crate) fn only(rows: Vec<Row>) -> Result<Row, SqlError> {
    let unexpected = || SqlError::Lost("the server answered with another number of rows than one".to_string());
    <[Row; 1]>::try_from(rows).map(|[row]| row).map_err(|_| unexpected())
}

/// Returns a text with those of all causes, since the outermost one says little.
pub(crate) fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let more = cause.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = cause.source();
    }
    text.replace('\n', " ")
}

fn text(error: &DbError) -> String {
    let detail = error.detail().map(|detail| format!(" ({detail})")).unwrap_or_default();
    format!("PostgreSQL: {}{detail} [{}]", error.message(), error.code().code()).replace('\n', " ")
}

fn is_met_by_others(state: &SqlState) -> bool {
    [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED, SqlState::LOCK_NOT_AVAILABLE].contains(state)
}

/// Returns the contract's code for an SQLSTATE (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).
pub(crate) fn code(state: &SqlState) -> ErrorCode {
    let of_class = match &state.code()[..2] {
        // Connection exceptions, cancelled by an operator, errors of the system.
        "08" | "57" | "58" => ErrorCode::Io,
        // Who may connect.
        "28" => ErrorCode::Access,
        // A conflict with another transaction; too little of memory, sessions or locks.
        "40" | "53" | "54" | "55" => ErrorCode::Busy,
        // The database is damaged.
        "XX" => ErrorCode::Io,
        _ => ErrorCode::Other,
    };
    if *state == SqlState::DISK_FULL {
        ErrorCode::NoSpace
    } else if *state == SqlState::INSUFFICIENT_PRIVILEGE {
        ErrorCode::Access
    } else if *state == SqlState::INVALID_CATALOG_NAME {
        ErrorCode::NotFound
    } else if *state == SqlState::READ_ONLY_SQL_TRANSACTION {
        ErrorCode::Io
    } else {
        of_class
    }
}
