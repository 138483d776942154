//! Notes that a subcommand appends to a failure: the state that it leaves, and advice.

/// For a malformed id.
pub(crate) const MALFORMED_ID: &str = "an id is 1 to 241 bytes that a file name may have";

/// For a put whose mail could not be read to its end.
pub(crate) const NOTHING_QUEUED: &str = "nothing was queued";

/// For a change that could not be logged.
pub(crate) const CHANGE_MADE: &str = "the change was made";

/// For a put that could not print the id.
pub(crate) const TAKEN_BACK: &str = "the mail was taken back, since its id could not be printed";

/// For a quarantined item that could not be made ready.
pub(crate) const IS_HELD: &str = "the item is held now";

/// For a damaged item that is not shown.
pub(crate) const DAMAGED_IS_SHOWN: &str = "--damaged shows what can be read";

/// For a `cat` that fails midway.
pub(crate) const UNVERIFIED_OUTPUT: &str = "the output so far is not to be trusted";

/// For an import that ends early.
pub(crate) const REST_NOT_QUEUED: &str =
    "only the mails whose ids were printed are queued: the same import again queues the rest, and none twice";

/// For an import that ends with mails that may be queued.
pub(crate) const REST_INDETERMINATE: &str =
    "the mails whose ids were printed are queued, others may be: the same import again queues the rest, and none twice";

/// For an import that could not print an id.
pub(crate) const IMPORTED_STAY: &str = "the mails that were queued stay queued; list shows them";

/// For a copy that ended early.
pub(crate) const COPY_AGAIN: &str = "the same copy again goes on, and copies no item twice";

/// For a plugin that failed.
pub(crate) const SUBMITTED_STAY: &str = "the mails that it submitted before stay queued";

/// For a plugin that does not get every import.
pub(crate) const SEE_IMPORTS: &str = "queue-store plugin check lists its imports, and what it gets for each";

/// For a put that could neither print the id nor remove the mail.
pub(crate) fn stays_queued(id: &str) -> String {
    format!("the mail stays queued as {id}")
}
