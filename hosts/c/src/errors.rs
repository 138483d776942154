//! Codes of errors, and the words for the last one of each thread.

use queue_store_host::types::ErrorCode;
use queue_store_host::{Error, Result};
use std::cell::RefCell;
use std::ffi::{CString, c_char, c_int};

const OK: c_int = 0;
const INVALID_ARGUMENT: c_int = 1;
const DIRECTORY: c_int = 100;
const COMPONENT: c_int = 101;
const FORKED: c_int = 102;

thread_local! {
    static MESSAGE: RefCell<CString> = RefCell::default();
}

/// The failure of a call: its code and its words.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: c_int,
    pub(crate) message: String,
}

impl Failure {
    /// Makes the failure of a call with an argument that no call can take.
    pub(crate) fn invalid(message: &str) -> Failure {
        Failure { code: INVALID_ARGUMENT, message: message.to_string() }
    }

    /// Makes the failure of an opening whose path names no directory.
    pub(crate) fn directory(message: &str) -> Failure {
        Failure { code: DIRECTORY, message: message.to_string() }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let code = match (&error, error.code()) {
            (_, Some(code)) => self::code(code),
            (Error::Directory { .. }, None) => DIRECTORY,
            (Error::Forked, None) => FORKED,
            (_, None) => COMPONENT,
        };
        let message = match error {
            Error::Forked => {
                "it belongs to the process from which this one was forked: open the queue anew with `qs_open`"
                    .to_string()
            }
            error => error.to_string(),
        };
        Failure { code, message }
    }
}

/// Returns the number of a code in the header.
pub(crate) fn code(code: ErrorCode) -> c_int {
    match code {
        ErrorCode::InvalidArgument => INVALID_ARGUMENT,
        ErrorCode::NotFound => 2,
        ErrorCode::Exists => 3,
        ErrorCode::Conflict => 4,
        ErrorCode::Corrupt => 5,
        ErrorCode::ChecksumMismatch => 6,
        ErrorCode::IdMismatch => 7,
        ErrorCode::TooLarge => 8,
        ErrorCode::QueueFull => 9,
        ErrorCode::NoSpace => 10,
        ErrorCode::Quota => 11,
        ErrorCode::ReadOnly => 12,
        ErrorCode::Access => 13,
        ErrorCode::Unsupported => 14,
        ErrorCode::Busy => 15,
        ErrorCode::Io => 16,
        ErrorCode::Aborted => 17,
        ErrorCode::Indeterminate => 18,
        ErrorCode::NeedsRecovery => 19,
        ErrorCode::Other => 20,
    }
}

/// Makes a call, retains the words for its error, and returns its code.
pub(crate) fn answer(call: impl FnOnce() -> Result<(), Failure>) -> c_int {
    let (code, message) = match call() {
        Ok(()) => (OK, String::new()),
        Err(Failure { code, message }) => (code, message),
    };
    set_message(message);
    code
}

/// Retains words for `qs_error_message`.
pub(crate) fn set_message(message: String) {
    // Where the thread ends, its messages are gone before the last calls of others' destructors.
    let _ = MESSAGE.try_with(|retained| *retained.borrow_mut() = c_string(message));
}

/// Returns a string for C. A zero within it, which would end it there, is replaced.
pub(crate) fn c_string(string: String) -> CString {
    CString::new(string.replace('\0', "\u{fffd}")).expect("no zero is left")
}

#[unsafe(no_mangle)]
extern "C" fn qs_error_message() -> *const c_char {
    MESSAGE.try_with(|message| message.borrow().as_ptr()).unwrap_or(c"".as_ptr())
}
