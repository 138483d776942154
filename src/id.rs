//! Ids of items: what an id may be, and how one is drawn.

use crate::limits::MAX_ID_BYTES;
use crate::list::Text;
use queue_store_literal::utf8;

/// Characters of a drawn id: 8 bytes in base64url without padding (RFC 4648 section 5), as chasquid's are.
pub const DRAWN_ID_BYTES: usize = 11;

/// Why a string is not an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidId {
    /// It has no characters.
    Empty,
    /// It does not fit a file name.
    TooLong,
    /// It would leave the directory.
    Dots,
    /// It would leave the directory, or end the name.
    Separator,
}

impl InvalidId {
    /// For people.
    pub const fn text(self) -> &'static str {
        match self {
            InvalidId::Empty => "the id is empty",
            InvalidId::TooLong => "the id is longer than `max-id-bytes`",
            InvalidId::Dots => "the id is `.` or `..`",
            InvalidId::Separator => "the id has a `/`, a `\\` or a NUL",
        }
    }
}

/// Whether `id` can be an item's id: it must be one file name after a prefix of two bytes, on every host.
pub fn check(id: &str) -> Result<(), InvalidId> {
    if id.is_empty() {
        Err(InvalidId::Empty)
    } else if id.len() > MAX_ID_BYTES {
        Err(InvalidId::TooLong)
    } else if is_file_name(id) {
        Ok(())
    } else if id.starts_with('.') && id.len() <= 2 {
        Err(InvalidId::Dots)
    } else {
        Err(InvalidId::Separator)
    }
}

/// Whether a string is one file name, on every host.
pub fn is_file_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.bytes().any(|byte| matches!(byte, b'/' | b'\\' | 0))
}

/// Who an id is drawn for. The two never draw the same: an id that the caller of `new-id` will give to a put must not be
/// one that another instance, whose randomness repeats this one's, draws and publishes by rename.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrawnFor {
    /// A put that was given no id.
    Put,
    /// The caller of `new-id`.
    Caller,
}

/// The id that `random` stands for: the highest bit says whom it is for, the other 63 are random.
pub fn draw(random: u64, drawn_for: DrawnFor) -> Text {
    base64url(match drawn_for {
        DrawnFor::Put => random & !(1 << 63),
        DrawnFor::Caller => random | 1 << 63,
    })
}

/// Base64url, without padding, of the eight bytes of `value`, most significant first.
pub fn base64url(value: u64) -> Text {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    // Ten digits of six bits, and one of the last four and two that are zero.
    let mut digits = [0; DRAWN_ID_BYTES];
    let (mut digit_bits, mut rest) = (value << 2, value >> 4);
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[digit_bits as usize & 63];
        (digit_bits, rest) = (rest, rest >> 6);
    }
    utf8::string(&digits).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64url_is_that_of_rfc_4648() {
        assert_eq!(&*base64url(0), "AAAAAAAAAAA");
        assert_eq!(&*base64url(u64::MAX), "__________8");
        // printf 'test-id1' | basenc --base64url
        assert_eq!(&*base64url(u64::from_be_bytes(*b"test-id1")), "dGVzdC1pZDE");
    }

    #[test]
    fn ids_for_puts_and_for_callers_differ_whatever_is_drawn() {
        for random in [0, 1, 1 << 63, u64::MAX] {
            let put = draw(random, DrawnFor::Put);
            let caller = draw(random, DrawnFor::Caller);
            assert_ne!(put, caller);
            assert!(matches!(put.as_bytes()[0], b'A'..=b'Z' | b'a'..=b'f'));
            assert!(!matches!(caller.as_bytes()[0], b'A'..=b'Z' | b'a'..=b'f'));
            assert_eq!(check(&put), Ok(()));
        }
    }

    #[test]
    fn an_id_that_leaves_the_directory_is_refused() {
        for (id, refused) in [
            ("", InvalidId::Empty),
            (".", InvalidId::Dots),
            ("..", InvalidId::Dots),
            ("../x", InvalidId::Separator),
            ("a/b", InvalidId::Separator),
            ("a\\b", InvalidId::Separator),
            ("a\0b", InvalidId::Separator),
        ] {
            assert_eq!(check(id), Err(refused), "{id:?}");
        }
        assert_eq!(check(&"x".repeat(254)), Err(InvalidId::TooLong));
        assert_eq!(check(&"x".repeat(253)), Ok(()));
        assert_eq!(check("...."), Ok(()));
    }
}
