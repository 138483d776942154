//! Generates mails.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;

/// The header with the number of the mail, which identifies an item with an unknown id. Every body begins with it.
pub(crate) const NUMBER_HEADER: &str = "X-Crash-Image: ";

/// The size class of a mail.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Size {
    /// At most one file system block.
    Small,
    /// Any size, rarely one that the command streams.
    Any,
}

/// A mail to be put.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mail {
    /// The number of the mail.
    pub number: usize,
    /// The caller-chosen id; `None` for a generated one.
    pub id: Option<String>,
    /// The addresses of the recipients.
    pub to: Vec<String>,
    /// The bytes of the mail.
    pub body: Vec<u8>,
}

impl Mail {
    /// The reverse-path of all mails.
    pub const FROM: &str = "from@example.com";

    pub(super) fn generate(number: usize, size: Size, random: &mut ChaCha8Rng) -> Mail {
        let bytes = match (size, random.random_range(0..100)) {
            (Size::Small, _) | (_, 0..50) => random.random_range(0..3000),
            (_, 50..80) => random.random_range(3000..20_000),
            (_, 80..97) => random.random_range(20_000..80_000),
            // The command streams a mail of more than 1 MiB.
            _ => random.random_range(1_100_000..1_300_000),
        };
        let mut body = format!("{NUMBER_HEADER}{number}\r\n\r\n").into_bytes();
        // Lines of printable text, or arbitrary bytes, which the text format stores with escapes.
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

    /// Sets a caller-chosen id.
    pub(super) fn choose_id(&mut self) {
        self.id = Some(format!("mail-{}", self.number));
    }

    /// Parses the number of the mail in the header of its body.
    pub(crate) fn number_in(body: &[u8]) -> Option<usize> {
        let rest = body.strip_prefix(NUMBER_HEADER.as_bytes())?;
        let digits = rest.split(|byte| !byte.is_ascii_digit()).next()?;
        std::str::from_utf8(digits).ok()?.parse().ok()
    }
}
