//! What a put accepts: a mail that a mail server can act on, and from a plugin nothing that could act on the server.
//!
//! Reading is more tolerant: what chasquid accepts is shown as it is.

use crate::error::{Code, Error, Result};
use crate::limits::{MAX_ENVELOPE_ENTRIES, MAX_INTAKE_ADDRESS_BYTES, MAX_INTAKE_RECIPIENTS};
use crate::list::Text;
use crate::message::{Envelope, Recipient};
use crate::split;

/// The null reverse-path (RFC 5321 section 4.5.5).
pub const NULL_REVERSE_PATH: &str = "<>";

/// Checks an envelope, and completes it: an empty reverse-path becomes the null one, an empty original address the
/// address.
pub fn accept(envelope: &mut Envelope) -> Result<()> {
    accept_size(envelope)?;
    accept_reverse_path(&mut envelope.reverse_path)?;
    accept_to(&envelope.to)?;
    accept_recipients(&mut envelope.recipients)
}

/// Checks how many parts an envelope has.
pub fn accept_size(envelope: &Envelope) -> Result<()> {
    let entries = envelope.to.len()
        + envelope.recipients.iter().map(|recipient| 1 + recipient.via.len()).fold(0, usize::saturating_add);
    if entries > MAX_ENVELOPE_ENTRIES {
        return Err(Error::refused(Code::TooLarge, "the envelope is larger than `max-envelope-entries`"));
    }
    Ok(())
}

/// Checks and completes a reverse-path.
pub fn accept_reverse_path(reverse_path: &mut Text) -> Result<()> {
    one_line("the reverse-path", reverse_path)?;
    if reverse_path.is_empty() {
        *reverse_path = NULL_REVERSE_PATH.into();
    }
    Ok(())
}

/// Checks the addresses that the client gave.
pub fn accept_to(to: &[Text]) -> Result<()> {
    to.iter().try_for_each(|address| one_line("an address of `to`", address))
}

/// Checks and completes recipients.
pub fn accept_recipients(recipients: &mut [Recipient]) -> Result<()> {
    if recipients.is_empty() {
        return Err(Error::invalid("the mail has no recipient: a mail server deletes such an item without a word"));
    }
    for recipient in recipients {
        if recipient.address.is_empty() {
            return Err(Error::invalid("a recipient has an empty address"));
        }
        one_line("the address of a recipient", &recipient.address)?;
        one_line("the original address of a recipient", &recipient.original_address)?;
        recipient.via.iter().try_for_each(|via| one_line("a server of `via`", via))?;
        if recipient.original_address.is_empty() {
            recipient.original_address = recipient.address.clone();
        }
    }
    Ok(())
}

fn one_line(what: &str, text: &str) -> Result<()> {
    if text.bytes().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
        return Err(Error::invalid(&Text::of(&[what, " has a CR, LF or NUL"])));
    }
    Ok(())
}

/// Checks an envelope that a plugin submits. What is not refused cannot make a mail server run a command (chasquid
/// executes the address of a PIPE recipient) or relay where the plugin says (`via` of a FORWARD recipient).
pub fn accept_from_plugin(envelope: &Envelope) -> Result<()> {
    if envelope.recipients.len() > MAX_INTAKE_RECIPIENTS || envelope.to.len() > MAX_INTAKE_RECIPIENTS {
        return Err(Error::refused(Code::TooLarge, "the mail has more recipients than `max-intake-recipients`"));
    }
    if !envelope.created_at.is_none() {
        return Err(Error::invalid("a plugin may not say when a mail was created"));
    }
    if !envelope.reverse_path.is_empty() && *envelope.reverse_path != *NULL_REVERSE_PATH {
        plain_address(&envelope.reverse_path)?;
    }
    envelope.to.iter().try_for_each(|address| plain_address(address))?;
    for recipient in &envelope.recipients {
        plain_address(&recipient.address)?;
        if recipient.kind != 0 {
            return Err(Error::invalid("a plugin may only name recipients of kind 0 (EMAIL)"));
        }
        if recipient.status != 0 || !recipient.last_failure_message.is_empty() {
            return Err(Error::invalid("a plugin may not say how far a delivery got"));
        }
        if !recipient.via.is_empty() {
            return Err(Error::invalid("a plugin may not name servers to relay through"));
        }
        if !recipient.original_address.is_empty() && recipient.original_address != recipient.address {
            return Err(Error::invalid("a plugin may not name an original address that is not the address"));
        }
    }
    Ok(())
}

/// An address that no mail server takes for anything else.
fn plain_address(address: &str) -> Result<()> {
    let plain = address.len() <= MAX_INTAKE_ADDRESS_BYTES
        && !matches!(address.as_bytes().first(), Some(b'-' | b'|'))
        && !address.chars().any(|character| character.is_control() || character.is_whitespace())
        && split::at_last(address, b'@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
    if plain {
        return Ok(());
    }
    Err(Error::invalid(
        "a plugin may only use addresses with an `@`, without white space and control characters, that do not begin \
         with `-` or `|` and are not longer than `max-intake-address-bytes`",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::list::List;

    fn recipient(address: &str) -> Recipient {
        Recipient { address: address.into(), ..Recipient::default() }
    }

    fn envelope(address: &str) -> Envelope {
        Envelope { recipients: List::from_iter([recipient(address)]), ..Envelope::default() }
    }

    #[test]
    fn an_accepted_envelope_is_completed() {
        let mut envelope = envelope("b@example.com");
        accept(&mut envelope).expect("acceptable");
        assert_eq!(&*envelope.reverse_path, "<>");
        assert_eq!(&*envelope.recipients[0].original_address, "b@example.com");
    }

    #[test]
    fn a_plugin_cannot_run_a_command_or_relay() {
        accept_from_plugin(&envelope("ñandú@ñoño.org")).expect("a plain address");
        for address in ["", "b", "@", "b@", "@d", "| sh@x", "|sh@x", "-f@x", "a b@x", "a\n@x", "a\u{85}@x", "a\t@x"] {
            assert!(accept_from_plugin(&envelope(address)).is_err(), "{address:?}");
        }
        for change in [
            |recipient: &mut Recipient| recipient.kind = 1,
            |recipient: &mut Recipient| recipient.kind = 2,
            |recipient: &mut Recipient| recipient.kind = -1,
            |recipient: &mut Recipient| recipient.status = 1,
            |recipient: &mut Recipient| recipient.via = List::from_iter(["mx".into()]),
            |recipient: &mut Recipient| recipient.original_address = "c@x".into(),
            |recipient: &mut Recipient| recipient.last_failure_message = "x".into(),
        ] {
            let mut envelope = envelope("b@example.com");
            change(&mut envelope.recipients[0]);
            assert!(accept_from_plugin(&envelope).is_err(), "{envelope:?}");
        }
    }
}
