//! Addresses as arguments: what is plainly not one is refused before it is queued.

use super::failure::Failure;
use super::json;
use queue_store_host::types::Recipient;
use sysexits::ExitCode as Sysexit;

/// Checks the address of an argument: a local part, an `@` and a domain, in one line.
pub(crate) fn check(argument: &str, address: &str) -> Result<(), Failure> {
    let has_both = address.rsplit_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
    // A quoted local part may have blanks and commas (RFC 5321 section 4.1.2).
    let quoted = address.starts_with('"');
    let listed = !quoted && address.contains([' ', ',', ';', '<', '>']);
    if !has_both || listed || address.contains(char::is_control) {
        let line = format!("{argument} {address:?} is not one address: give it as local-part@domain, once for each");
        return Err(Failure::new(Sysexit::Usage, line));
    }
    Ok(())
}

/// A delivery: an address, or JSON as `show --json` prints it.
pub(crate) fn recipient(argument: &str) -> Result<Recipient, Failure> {
    if !argument.trim_start().starts_with('{') {
        check("--rcpt", argument)?;
        return Ok(Recipient { address: argument.to_string(), ..Recipient::default() });
    }
    let recipient = serde_json::from_str::<json::Recipient>(argument).map_err(|error| error.to_string());
    recipient.and_then(json::Recipient::into_contract).map_err(|error| {
        Failure::new(Sysexit::Usage, format!("--rcpt {argument}: {error}: write it as `show --json` prints it"))
    })
}
