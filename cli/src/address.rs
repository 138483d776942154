//! Addresses and deliveries as arguments.

use crate::failure::Cause;
use crate::json;
use queue_store_host::types::Recipient;

/// Checks an address of an argument: a local part, an `@` and a domain, in one line. It refuses lists and display
/// names, which a mail server would reject only when it delivers.
pub(crate) fn check(argument: &'static str, address: &str) -> Result<(), Cause> {
    let has_both = address.rsplit_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
    // A quoted local part may have blanks and commas (RFC 5321 section 4.1.2).
    let is_quoted = address.starts_with('"');
    let is_list = !is_quoted && address.contains([' ', ',', ';', '<', '>']);
    if !has_both || is_list || address.contains(char::is_control) {
        return Err(Cause::Address { argument, address: address.to_string() });
    }
    Ok(())
}

/// Checks a reverse-path of an argument, which may be null, and returns it with the null one empty.
pub(crate) fn reverse_path<'a>(argument: &'static str, address: &'a str) -> Result<&'a str, Cause> {
    if matches!(address, "" | "<>") {
        return Ok("");
    }
    check(argument, address).map(|()| address)
}

/// Returns the delivery of an argument: an address, or JSON as `show --json` prints it.
pub(crate) fn recipient(argument: &str) -> Result<Recipient, Cause> {
    if !argument.trim_start().starts_with('{') {
        check("--rcpt", argument)?;
        return Ok(Recipient { address: argument.to_string(), ..Recipient::default() });
    }
    let recipient = serde_json::from_str::<json::Recipient>(argument).map_err(|error| error.to_string());
    recipient
        .and_then(json::Recipient::into_contract)
        .map_err(|problem| Cause::Delivery { argument: argument.to_string(), problem })
}
