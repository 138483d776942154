//! Mails, made up.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;

/// What every mail begins with, before its number, so that one that turns up under an unknown id can be named.
pub(crate) const NUMBER_HEADER: &str = "X-Crash-Image: ";

/// How large a mail may be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Size {
    /// A file system block or less.
    Small,
    /// Anything, seldom a mail that the command streams.
    Any,
}

/// A mail to be put.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mail {
    /// Its number.
    pub number: usize,
    /// The id to put it under; none: a random one.
    pub id: Option<String>,
    /// Whom it is for.
    pub to: Vec<String>,
    /// Its bytes.
    pub body: Vec<u8>,
}

impl Mail {
    /// The reverse-path of all mails.
    pub const FROM: &str = "from@example.com";

    pub(super) fn draw(number: usize, size: Size, random: &mut ChaCha8Rng) -> Mail {
        let bytes = match (size, random.random_range(0..100)) {
            (Size::Small, _) | (_, 0..50) => random.random_range(0..3000),
            (_, 50..80) => random.random_range(3000..20_000),
            (_, 80..97) => random.random_range(20_000..80_000),
            // The command puts a mail in one piece up to 1 MiB.
            _ => random.random_range(1_100_000..1_300_000),
        };
        let mut body = format!("{NUMBER_HEADER}{number}\r\n\r\n").into_bytes();
        // Lines of text as in any mail, or any bytes at all, which are stored with escapes.
        let is_text = random.random_bool(0.8);
        let mut line = [0; 72];
        while body.len() < bytes {
            random.fill(&mut line);
            let byte = |byte: u8| if is_text { b' ' + byte % 95 } else { byte };
            body.extend(line.map(byte));
            body.extend(b"\r\n");
        }
        let to = (0..random.random_range(1..=3)).map(|recipient| format!("to{recipient}@example.com")).collect();
        let mut mail = Mail { number, id: None, to, body };
        if size == Size::Any && random.random_bool(0.3) {
            mail.choose_id();
        }
        mail
    }

    /// Has it put under an id that is known before.
    pub(super) fn choose_id(&mut self) {
        self.id = Some(format!("mail-{}", self.number));
    }

    /// The number of the mail that has this body, as it says itself.
    pub(crate) fn number_in(body: &[u8]) -> Option<usize> {
        let rest = body.strip_prefix(NUMBER_HEADER.as_bytes())?;
        let digits = rest.split(|byte| !byte.is_ascii_digit()).next()?;
        std::str::from_utf8(digits).ok()?.parse().ok()
    }
}
