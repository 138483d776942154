//! Every limit, with its reason. `introspection.limits` lists them, `docs/format.md` explains them.

/// Bytes of an id that is written: the longest file name made of it has at most 255 (NAME_MAX), of which a prefix, a
/// generated id and a colon take 14.
pub const MAX_ID_BYTES: usize = 241;

/// Bytes of an id that another program wrote: a file name has at most 255 (NAME_MAX), two of which are the prefix.
pub const MAX_FOUND_ID_BYTES: usize = 253;

/// Bytes of a body that passes as one list: a host refuses lists above 128 MiB, and an encoded body can be four times
/// its size.
pub const MAX_LIST_BODY_BYTES: u64 = 64 << 20;

/// Bytes of a body at all: protocol buffer parsers refuse messages above 2 GiB.
pub const MAX_BODY_BYTES: u64 = (1 << 31) - 1 - MAX_ENVELOPE_BYTES as u64;

/// Bytes of an envelope as it is stored. The envelope is held in memory, and 4 MiB are 10,000 recipients with addresses
/// as long as they get in practice.
pub const MAX_ENVELOPE_BYTES: usize = 4 << 20;

/// Addresses, recipients and servers in an envelope, counted together: each takes memory beyond its bytes.
pub const MAX_ENVELOPE_ENTRIES: usize = 1 << 16;

/// Bytes of a chunk of a stream: the size that every host passes well.
pub const MAX_CHUNK_BYTES: usize = 64 << 10;

/// Mails or ids in a call that takes several: bounds the time until the shared fsync.
pub const MAX_BATCH: usize = 10_000;

/// Names on a page of a listing: bounds the memory that they take.
pub const MAX_PAGE: usize = 100_000;

/// Items on a page of a listing that reads envelopes: bounds the memory that these take.
pub const MAX_ITEM_PAGE: usize = 1_000;

/// Bytes of envelopes on a page, with [`VALUE_BYTES`] for each value: a host refuses lists above 128 MiB. A page ends
/// when it is reached.
pub const MAX_PAGE_BYTES: usize = 4 << 20;

/// Bytes of item files after which a page ends, so that one call stays within a host's time limit.
pub const MAX_PAGE_READ_BYTES: u64 = 256 << 20;

/// Bytes that a value takes in a host beside its content: an item of empty addresses is small on disk, but not in a
/// list. (wasmtime counts 24 for a string of a known type, and 48 where types are not known beforehand.)
pub const VALUE_BYTES: usize = 64;

/// Drafts open at once: each holds a file open and a buffer.
pub const MAX_DRAFTS: usize = 64;

/// Body readers open at once: each holds a file open and a buffer.
pub const MAX_READERS: usize = 64;

/// Listings open at once: a host holds the whole directory for each.
pub const MAX_LISTINGS: usize = 16;

/// Problems in the report of a recovery.
pub const MAX_PROBLEMS: usize = 1_000;

/// Ids that a queue remembers because an fsync of theirs failed. Beyond it, recovery rewrites every item.
pub const MAX_UNSYNCED: usize = 4_096;

/// Ids generated before a put gives up: one collision is a miracle, eight are a host whose randomness repeats.
pub const MAX_DRAWS: usize = 8;

/// Recipients of a mail that a plugin submits: as many as SMTP servers accept in one transaction (RFC 5321 section
/// 4.5.3.1.8 asks for 100 at least).
pub const MAX_INTAKE_RECIPIENTS: usize = 1_000;

/// Bytes of an address that a plugin submits: a local part of 64, an `@` and a domain of 255 (RFC 5321 section
/// 4.5.3.1).
pub const MAX_INTAKE_ADDRESS_BYTES: usize = mail_address::MAX_ADDRESS_BYTES;

/// The limits by their names in the contract.
pub const ALL: [(&str, u64); 17] = [
    ("max-id-bytes", MAX_ID_BYTES as u64),
    ("max-list-body-bytes", MAX_LIST_BODY_BYTES),
    ("max-body-bytes", MAX_BODY_BYTES),
    ("max-envelope-bytes", MAX_ENVELOPE_BYTES as u64),
    ("max-envelope-entries", MAX_ENVELOPE_ENTRIES as u64),
    ("max-chunk-bytes", MAX_CHUNK_BYTES as u64),
    ("max-batch", MAX_BATCH as u64),
    ("max-page", MAX_PAGE as u64),
    ("max-item-page", MAX_ITEM_PAGE as u64),
    ("max-page-bytes", MAX_PAGE_BYTES as u64),
    ("max-drafts", MAX_DRAFTS as u64),
    ("max-readers", MAX_READERS as u64),
    ("max-listings", MAX_LISTINGS as u64),
    ("max-problems", MAX_PROBLEMS as u64),
    ("max-unsynced", MAX_UNSYNCED as u64),
    ("max-intake-recipients", MAX_INTAKE_RECIPIENTS as u64),
    ("max-intake-address-bytes", MAX_INTAKE_ADDRESS_BYTES as u64),
];
