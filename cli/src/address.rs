//! The addresses of arguments and of headers, which have the same check.

use crate::failure::Cause;
use crate::json;
use crate::names::OpenEnum;
use mail_address::Address;
use queue_store_host::types::Recipient;
use std::collections::HashSet;

/// Checks an address of an argument.
pub(crate) fn check(argument: &'static str, address: &str) -> Result<(), Cause> {
    let parsed = Address::parse(address).map(drop);
    parsed.map_err(|reason| Cause::Address { argument, address: address.to_string(), reason })
}

/// Checks a reverse-path of an argument, which may be null, and returns it with the null one empty.
pub(crate) fn reverse_path<'a>(argument: &'static str, address: &'a str) -> Result<&'a str, Cause> {
    if matches!(address, "" | "<>") {
        return Ok("");
    }
    check(argument, address).map(|()| address)
}

/// Checks the addresses of an argument that may be given several times, and returns each once.
pub(crate) fn recipients(argument: &'static str, addresses: &[String]) -> Result<Vec<String>, Cause> {
    addresses.iter().try_for_each(|address| check(argument, address))?;
    Ok(distinct(addresses.to_vec()))
}

/// Returns each address once, where it is first. Domains have no case.
pub(crate) fn distinct(mut addresses: Vec<String>) -> Vec<String> {
    let mut seen = HashSet::new();
    addresses.retain(|address| seen.insert(without_case_of_domain(address)));
    addresses
}

/// Returns the deliveries of arguments: addresses, or JSON as `show --json` prints it. Of several with the same address and
/// type it returns the first.
pub(crate) fn deliveries(arguments: &[String]) -> Result<Vec<Recipient>, Cause> {
    let mut deliveries = arguments.iter().map(|argument| delivery(argument)).collect::<Result<Vec<_>, _>>()?;
    let mut seen = HashSet::new();
    deliveries.retain(|delivery| seen.insert((delivery.kind, without_case_of_domain(&delivery.address))));
    Ok(deliveries)
}

fn delivery(argument: &str) -> Result<Recipient, Cause> {
    if !argument.trim_start().starts_with('{') {
        check("--rcpt", argument)?;
        return Ok(Recipient { address: argument.to_string(), ..Recipient::default() });
    }
    let parsed = serde_json::from_str::<json::Recipient>(argument).map_err(|error| error.to_string());
    let delivery = parsed
        .and_then(json::Recipient::into_contract)
        .map_err(|problem| Cause::Delivery { argument: argument.to_string(), problem })?;
    // The address of a PIPE delivery is a command.
    if OpenEnum::Kind.name(delivery.kind) != Some("PIPE") {
        check("--rcpt", &delivery.address)?;
    }
    Ok(delivery)
}

/// Returns whether two addresses are the same: a domain is compared without regard to case.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    without_case_of_domain(one) == without_case_of_domain(other)
}

fn without_case_of_domain(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((local, domain)) => format!("{local}@{}", domain.to_lowercase()),
        None => address.to_string(),
    }
}
