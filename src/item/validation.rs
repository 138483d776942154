//! The mails that a put accepts: those on which a mail server can act and, from a plugin, none that could act on the
//! server.
//!
//! Reading is more tolerant: an item that chasquid accepts is shown as it is.

use super::envelope::{Envelope, PIPE, Recipient};
use crate::limits::{MAX_ENVELOPE_ENTRIES, MAX_INTAKE_RECIPIENTS};
use alloc::string::{String, ToString};
use mail_address::{Address, InvalidAddress};
use thiserror::Error as ThisError;

/// The null reverse-path (RFC 5321 section 4.5.5).
pub const NULL_REVERSE_PATH: &str = "<>";

const REVERSE_PATH: &str = "the reverse-path";
const TO: &str = "an address of `to`";

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
    /// A domain of which chasquid makes a path.
    #[error("the domain of {0} has a `/`, at which chasquid stops at its start")]
    SlashInDomain(&'static str),
    /// An address that a plugin may not use.
    #[error("a plugin may not use {part}: {reason}")]
    NotAllowed {
        /// The part of the mail that has the address.
        part: &'static str,
        /// The reason.
        reason: InvalidAddress,
    },
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
    acceptable(REVERSE_PATH, reverse_path)?;
    if reverse_path.is_empty() {
        *reverse_path = NULL_REVERSE_PATH.to_string();
    }
    Ok(())
}

/// Checks the addresses that the client gave.
pub fn accept_to(to: &[String]) -> Result<(), InvalidMail> {
    to.iter().try_for_each(|address| acceptable(TO, address))
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
        // The address of another kind may be a command.
        let accept_address = if recipient.kind == PIPE { one_line } else { acceptable };
        accept_address("the address of a recipient", &recipient.address)?;
        acceptable("the original address of a recipient", &recipient.original_address)?;
        recipient.via.iter().try_for_each(|via| one_line("a server of `via`", via))?;
        if recipient.original_address.is_empty() {
            recipient.original_address.clone_from(&recipient.address);
        }
    }
    Ok(())
}

/// Checks an address that a mail server splits at its `@`.
fn acceptable(part: &'static str, address: &str) -> Result<(), InvalidMail> {
    one_line(part, address)?;
    match address.split_once('@') {
        Some((_, domain)) if domain.contains('/') => Err(InvalidMail::SlashInDomain(part)),
        Some(_) | None => Ok(()),
    }
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
        allowed(REVERSE_PATH, reverse_path)?;
    }
    to.iter().try_for_each(|address| allowed(TO, address))
}

/// Checks that every mail server takes an address for an address.
fn allowed(part: &'static str, address: &str) -> Result<(), InvalidMail> {
    Address::parse(address).map(drop).map_err(|reason| InvalidMail::NotAllowed { part, reason })
}
