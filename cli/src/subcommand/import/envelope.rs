//! The envelope of a mail: from the arguments, and else from its header.

use super::header::{Field, Header};
use crate::address;
use crate::address_list;
use crate::failure::Cause;
use mail_address::Address;
use queue_store_host::types::Envelope;
use std::collections::HashSet;
use std::ops::Range;

/// The fields that name the recipients, in the order of the deliveries.
const RECIPIENTS: [&str; 3] = ["To", "Cc", "Bcc"];

/// The same fields of a mail that was sent again (RFC 5322 section 3.6.6).
const RESENT_RECIPIENTS: [&str; 3] = ["Resent-To", "Resent-Cc", "Resent-Bcc"];

/// The fields that no recipient is to see (RFC 5322 section 3.6.3).
const BLIND: [&str; 2] = ["Bcc", "Resent-Bcc"];

/// The parts of an envelope that arguments give for every mail.
pub(super) struct GivenEnvelope {
    reverse_path: Option<String>,
    /// None: the recipients are those of the header.
    to: Vec<String>,
}

impl GivenEnvelope {
    /// Checks the addresses of `--from` and `--to`.
    pub(super) fn new(from: Option<&str>, to: &[String]) -> Result<GivenEnvelope, Cause> {
        let reverse_path = from.map(|from| address::reverse_path("--from", from)).transpose()?;
        Ok(GivenEnvelope { reverse_path: reverse_path.map(str::to_string), to: address::recipients("--to", to)? })
    }

    /// Returns the envelope of a mail. `sender` is that of the line before the mail in an mbox file.
    pub(super) fn complete(&self, sender: Option<&str>, header: &Header<'_>) -> Result<Envelope, Cause> {
        let to = if self.to.is_empty() { recipients(header)? } else { self.to.clone() };
        let reverse_path = match &self.reverse_path {
            Some(reverse_path) => reverse_path.clone(),
            None => reverse_path(sender, header)?,
        };
        Ok(Envelope { reverse_path, to, recipients: Vec::new(), created_at: None })
    }
}

/// Returns the places of the fields that no recipient is to see.
pub(super) fn blind_fields(header: &Header<'_>) -> Vec<Range<usize>> {
    header.fields().iter().filter(|field| field.is_one_of(&BLIND)).map(|field| field.range.clone()).collect()
}

/// Returns the recipients that the header names: of a mail that was sent again, those of the last time.
fn recipients(header: &Header<'_>) -> Result<Vec<String>, Cause> {
    if let Some(line) = header.broken_line {
        return Err(Cause::BrokenHeader { line });
    }
    let resent = last_resent(header);
    let is_resent = resent.iter().any(|field| field.is_one_of(&RESENT_RECIPIENTS));
    let (fields, names) =
        if is_resent { (resent, RESENT_RECIPIENTS) } else { (header.fields().iter().collect(), RECIPIENTS) };
    let mut recipients = Vec::new();
    for name in names {
        for field in fields.iter().filter(|field| field.is_one_of(&[name])) {
            recipients.extend(addresses(name, &header.value(field))?);
        }
    }
    if recipients.is_empty() { Err(Cause::NoRecipient) } else { Ok(address::distinct(recipients)) }
}

/// Returns the first block of `Resent-` fields: each sending adds one, before the others, and has each name at most once.
fn last_resent<'a>(header: &'a Header<'a>) -> Vec<&'a Field<'a>> {
    let mut seen = HashSet::new();
    let resent = header.fields().iter().map(|field| (field.name.to_ascii_lowercase(), field));
    let resent = resent.filter(|(name, _)| name.starts_with("resent-"));
    resent.take_while(|(name, _)| seen.insert(name.clone())).map(|(_, field)| field).collect()
}

/// Returns the addresses of a field that names recipients.
fn addresses(field: &'static str, value: &str) -> Result<Vec<String>, Cause> {
    const OPTION: &str = "--to";
    let list = address_list::parse(value).map_err(|problem| Cause::AddressList { field, problem, option: OPTION })?;
    list.into_iter().map(|address| check(field, address, OPTION)).collect()
}

/// Checks an address. `option` is the one that replaces it.
fn check(field: &'static str, address: &str, option: &'static str) -> Result<String, Cause> {
    let checked = Address::parse(address).map(|_| address.to_string());
    checked.map_err(|reason| Cause::HeaderAddress { field, address: address.to_string(), reason, option })
}

/// Returns the reverse-path: the sender, unless it is a placeholder, or the address of `Return-Path`, or else the null one.
fn reverse_path(sender: Option<&str>, header: &Header<'_>) -> Result<String, Cause> {
    const FIELD: &str = "Return-Path";
    const OPTION: &str = "--from";
    if let Some(sender) = sender.filter(|sender| !is_placeholder(sender)) {
        return check("the line before it", sender, OPTION);
    }
    // Each mail server that delivers puts its field before the others.
    let Some(field) = header.fields().iter().find(|field| field.is_one_of(&[FIELD])) else {
        return Ok(String::new());
    };
    let value = header.value(field);
    let list = address_list::parse(&value);
    let list = list.map_err(|problem| Cause::AddressList { field: FIELD, problem, option: OPTION })?;
    match list[..] {
        [] => Ok(String::new()),
        [address] if is_placeholder(address) => Ok(String::new()),
        [address] => check(FIELD, address, OPTION),
        _ => Err(Cause::SeveralAddresses { field: FIELD, option: OPTION }),
    }
}

/// Returns whether the line before a mail, or its `Return-Path`, has this where it has no address: the name of a user, or
/// what Gmail, public-inbox and Eudora write.
fn is_placeholder(sender: &str) -> bool {
    !sender.contains('@') || sender.ends_with("@xxx") || matches!(sender, "mboxrd@z" | "???@???")
}
