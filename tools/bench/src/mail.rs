//! Generates the mails of the benchmarks.

use queue_store_host::types::{Envelope, Mail, Recipient};

/// Words of the lines, in several languages, with quotes and encoded words. The first 16 are plain ASCII.
const WORDS: [&str; 24] = [
    "the",
    "queue",
    "of",
    "a",
    "mail",
    "server",
    "holds",
    "what",
    "it",
    "took",
    "responsibility",
    "for",
    "until",
    "somebody",
    "else",
    "does",
    "größer",
    "señal",
    "naïve",
    "\"quoted\"",
    "don't",
    "https://example.com/a/b?c=d",
    "日本語",
    "=E2=82=AC",
];

/// Generates `bytes` bytes of mail text: headers, then lines of varied length, some of them empty, quoted, or with
/// characters that are not ASCII. The text depends only on the size.
pub(crate) fn text(bytes: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(bytes as u64);
    let mut text = String::with_capacity(bytes + 200);
    for hop in 0..3 {
        text.push_str(&format!(
            "Received: from relay{hop}.example.com (relay{hop}.example.com [192.0.2.{hop}])\r\n\tby mx.example.org \
             with ESMTPS id {:016x}\r\n\tfor <b@example.org>; Sat, 18 Oct 2025 11:10:24 +0000\r\n",
            random.u64(..)
        ));
    }
    text.push_str(
        "From: \"A. Sender\" <a@example.com>\r\nTo: b@example.org\r\nSubject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=\r\n",
    );
    text.push_str("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n");
    while text.len() < bytes {
        let length = random.usize(..76);
        if random.u8(..10) == 0 {
            text.push_str("> ");
        }
        let begin = text.len();
        while text.len() - begin < length {
            // Most words are ASCII.
            let word = if random.u8(..12) == 0 { random.usize(..WORDS.len()) } else { random.usize(..16) };
            text.push_str(WORDS[word]);
            text.push(' ');
        }
        text.push_str("\r\n");
    }
    // Shifts the text until `bytes` is at a character boundary.
    while !text.is_char_boundary(bytes) {
        text.insert(0, 'X');
    }
    text.truncate(bytes);
    text.into_bytes()
}

/// Generates random bytes, which depend only on the size and the seed.
pub(crate) fn random(bytes: usize, seed: u64) -> Vec<u8> {
    let mut random = vec![0; bytes];
    fastrand::Rng::with_seed(seed).fill(&mut random);
    random
}

/// Returns the envelope of all mails.
pub(crate) fn envelope() -> Envelope {
    let recipient = Recipient { address: "b@example.org".into(), ..Recipient::default() };
    Envelope {
        reverse_path: "a@example.com".into(),
        to: vec!["b@example.org".into()],
        recipients: vec![recipient],
        created_at: None,
    }
}

/// Returns a mail with this body.
pub(crate) fn mail(body: Vec<u8>) -> Mail {
    Mail { envelope: envelope(), body }
}

/// Formats a size with its unit.
pub(crate) fn size(bytes: usize) -> String {
    match bytes {
        0..0x400 => format!("{bytes} bytes"),
        0x400..0x10_0000 => format!("{} KB", bytes >> 10),
        0x10_0000..0x4000_0000 => format!("{} MB", bytes >> 20),
        _ => format!("{} GB", bytes >> 30),
    }
}
