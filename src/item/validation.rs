//! The mails that a put accepts: those on which a mail server can act and, from a plugin, none that could act on the
//! server.
//!
//! Reading is more tolerant: an item that chasquid accepts is shown as it is.

use super::envelope::{Envelope, Recipient};
use crate::limits::{MAX_ENVELOPE_ENTRIES, MAX_INTAKE_ADDRESS_BYTES, MAX_INTAKE_RECIPIENTS};
use alloc::string::{String, ToString};
use thiserror::Error as ThisError;

/// The null reverse-path (RFC 5321 section 4.5.5).
pub const NULL_REVERSE_PATH: &str = "<>";

/// The reason why a mail is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ThisError)]
pub enum InvalidMail {
    /// It would be deleted by the mail server.
    #[error("the mail has no recipient: a mail server deletes such an item without a word")]
    NoRecipient,
    /// A delivery goes nowhere.
    #[error("a recipient has an empty address")]
    EmptyAddress,
    /// A part of it is not one line.
    #[error("{0} has a CR, LF or NUL")]
    LineBreak(&'static str),
    /// A failure message has a NUL, which chasquid cannot parse back.
    #[error("a message has a NUL")]
    Nul,
    /// Too many addresses, recipients and servers.
    #[error("the envelope is larger than `max-envelope-entries`")]
    TooManyEntries,
    /// More recipients than a plugin may name.
    #[error("the mail has more recipients than `max-intake-recipients`")]
    TooManyRecipients,
    /// An address that a plugin may not use.
    #[error(
        "a plugin may only use addresses with an `@`, without white space and control characters, that do not begin \
         with `-` or `|` and are not longer than `max-intake-address-bytes`"
    )]
    NotPlain,
}

/// Checks an envelope, and completes it: one delivery for each address in `to` where there are no recipients, the null
/// reverse-path for an empty one, the address for an empty original address.
pub fn accept(envelope: &mut Envelope) -> Result<(), InvalidMail> {
    if envelope.recipients.is_empty() {
        envelope.recipients =
            envelope.to.iter().map(|address| Recipient { address: address.clone(), ..Recipient::default() }).collect();
    }
    accept_size(envelope)?;
    accept_reverse_path(&mut envelope.reverse_path)?;
    accept_to(&envelope.to)?;
    accept_recipients(&mut envelope.recipients)
}

/// Checks how many parts an envelope has.
pub fn accept_size(envelope: &Envelope) -> Result<(), InvalidMail> {
    if envelope.entries() > MAX_ENVELOPE_ENTRIES { Err(InvalidMail::TooManyEntries) } else { Ok(()) }
}

/// Checks and completes a reverse-path.
pub fn accept_reverse_path(reverse_path: &mut String) -> Result<(), InvalidMail> {
    one_line("the reverse-path", reverse_path)?;
    if reverse_path.is_empty() {
        *reverse_path = NULL_REVERSE_PATH.to_string();
    }
    Ok(())
}

/// Checks the addresses that the client gave.
pub fn accept_to(to: &[String]) -> Result<(), InvalidMail> {
    to.iter().try_for_each(|address| one_line("an address of `to`", address))
}

/// Checks and completes recipients.
pub fn accept_recipients(recipients: &mut [Recipient]) -> Result<(), InvalidMail> {
    if recipients.is_empty() {
        return Err(InvalidMail::NoRecipient);
    }
    for recipient in recipients {
        if recipient.address.is_empty() {
            return Err(InvalidMail::EmptyAddress);
        }
        one_line("the address of a recipient", &recipient.address)?;
        one_line("the original address of a recipient", &recipient.original_address)?;
        recipient.via.iter().try_for_each(|via| one_line("a server of `via`", via))?;
        if recipient.original_address.is_empty() {
            recipient.original_address.clone_from(&recipient.address);
        }
    }
    Ok(())
}

fn one_line(part: &'static str, text: &str) -> Result<(), InvalidMail> {
    if text.bytes().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) { Err(InvalidMail::LineBreak(part)) } else { Ok(()) }
}

/// Checks sender and recipients of a mail that a plugin submits. An address that passes cannot make a mail server run a
/// command.
pub fn accept_from_plugin(reverse_path: &str, to: &[String]) -> Result<(), InvalidMail> {
    if to.len() > MAX_INTAKE_RECIPIENTS {
        return Err(InvalidMail::TooManyRecipients);
    }
    if !matches!(reverse_path, "" | NULL_REVERSE_PATH) {
        plain_address(reverse_path)?;
    }
    to.iter().try_for_each(|address| plain_address(address))
}

/// Checks that no mail server takes an address for anything else.
fn plain_address(address: &str) -> Result<(), InvalidMail> {
    let has_two_parts =
        || address.rsplit_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
    let is_plain = address.len() <= MAX_INTAKE_ADDRESS_BYTES
        && !address.starts_with(['-', '|'])
        && !address.contains(|character: char| character.is_control() || character.is_whitespace())
        && has_two_parts();
    if is_plain { Ok(()) } else { Err(InvalidMail::NotPlain) }
}
