//! Sizes, times and numbers as text.

use bytesize::ByteSize;
use indicatif::HumanCount;
use queue_store_host::types::{ItemInfo, Timestamp};

/// Returns the size of the body, or `~` and the size of the file where only reading all of it could tell.
pub(crate) fn size(info: &ItemInfo) -> String {
    info.body_size.map_or_else(|| format!("~{}", info.file_size), |size| size.to_string())
}

/// Returns the size of the body in its largest unit, or `~` and the size of the file where only reading all of it could
/// tell.
pub(crate) fn short_size(info: &ItemInfo) -> String {
    let approximate = if info.body_size.is_none() { "~" } else { "" };
    format!("{approximate}{}", bytes(body_or_file_size(info)))
}

/// Returns the size of the body, or that of the file where only reading all of it could tell.
pub(crate) fn body_or_file_size(info: &ItemInfo) -> u64 {
    info.body_size.unwrap_or(info.file_size)
}

/// Returns a number of bytes in its largest unit, such as `1.5K`, in powers of 1024.
pub(crate) fn bytes(bytes: u64) -> String {
    ByteSize(bytes).display().iec_short().to_string()
}

/// Returns a number of items, such as `1 item` and `7,072 items`.
pub(crate) fn items(count: u64) -> String {
    counted(count, "item", "items")
}

/// Returns a number and its noun, in the singular or the plural.
pub(crate) fn counted(count: u64, singular: &str, plural: &str) -> String {
    format!("{} {}", HumanCount(count), if count == 1 { singular } else { plural })
}

/// Returns a point in time in UTC (RFC 3339), or its seconds where the year has more than four digits.
pub(crate) fn time(timestamp: Timestamp) -> String {
    match jiff::Timestamp::from_second(timestamp.seconds) {
        Ok(time) => time.to_string(),
        Err(_) => format!("{}s", timestamp.seconds),
    }
}

#[cfg(test)]
mod tests {
    use super::{Timestamp, items, time};

    #[test]
    fn numbers_have_nouns_in_singular_and_plural() {
        assert_eq!([0, 1, 7072].map(items), ["0 items", "1 item", "7,072 items"]);
    }

    #[test]
    fn times_of_reference_items_are_utc() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (1_760_785_824, "2025-10-18T11:10:24Z"),
            (2_147_483_648, "2038-01-19T03:14:08Z"),
            (-62_135_596_800, "0001-01-01T00:00:00Z"),
            (i64::MAX, "9223372036854775807s"),
            (i64::MIN, "-9223372036854775808s"),
        ] {
            assert_eq!(time(Timestamp { seconds, nanos: 0 }), expected);
        }
    }
}
