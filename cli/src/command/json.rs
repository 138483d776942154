//! Items as JSON, with the names of the format.

use queue_store_host::types::{self, Entry, ItemInfo};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The names of the values of `type`, by number.
const KINDS: [&str; 3] = ["EMAIL", "PIPE", "FORWARD"];

/// The names of the values of `status`, by number.
const STATUSES: [&str; 3] = ["PENDING", "SENT", "FAILED"];

/// A delivery, as it is printed and as `--rcpt` takes it.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recipient {
    address: String,
    #[serde(default = "email", rename = "type")]
    kind: Value,
    #[serde(default = "pending")]
    status: Value,
    #[serde(default)]
    last_failure_message: String,
    #[serde(default)]
    original_address: String,
    #[serde(default)]
    via: Vec<String>,
}

fn email() -> Value {
    KINDS[0].into()
}

fn pending() -> Value {
    STATUSES[0].into()
}

/// The name of a value of an enum, or its number where it has none.
fn name_of(number: i32, names: &[&str]) -> Value {
    usize::try_from(number).ok().and_then(|number| names.get(number)).map_or(number.into(), |name| (*name).into())
}

/// The number of a value of an enum that is given by its name or its number.
fn number_of(value: &Value, names: &[&str]) -> Option<i32> {
    match value {
        Value::String(name) => names.iter().position(|known| known == name)?.try_into().ok(),
        number => number.as_i64()?.try_into().ok(),
    }
}

/// The name of a kind of delivery.
pub(crate) fn kind(number: i32) -> String {
    plain(name_of(number, &KINDS))
}

/// The name of a status of a delivery.
pub(crate) fn status(number: i32) -> String {
    plain(name_of(number, &STATUSES))
}

fn plain(value: Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_string)
}

impl Recipient {
    fn of(recipient: &types::Recipient) -> Recipient {
        Recipient {
            address: recipient.address.clone(),
            kind: name_of(recipient.kind, &KINDS),
            status: name_of(recipient.status, &STATUSES),
            last_failure_message: recipient.last_failure_message.clone(),
            original_address: recipient.original_address.clone(),
            via: recipient.via.clone(),
        }
    }

    /// The delivery of the contract; an error says which word is not known.
    pub(crate) fn into_contract(self) -> Result<types::Recipient, String> {
        let unknown = |what: &str, value: &Value| format!("{value} is no {what}");
        Ok(types::Recipient {
            kind: number_of(&self.kind, &KINDS).ok_or_else(|| unknown("type", &self.kind))?,
            status: number_of(&self.status, &STATUSES).ok_or_else(|| unknown("status", &self.status))?,
            address: self.address,
            last_failure_message: self.last_failure_message,
            original_address: self.original_address,
            via: self.via,
        })
    }
}

/// An item. `size` is in bytes of the body, and null where only reading all of it could tell.
pub(crate) fn item(info: &ItemInfo) -> Value {
    let mut item = json!({
        "id": info.id,
        "from": info.envelope.reverse_path,
        "to": info.envelope.to,
        "rcpt": info.envelope.recipients.iter().map(Recipient::of).collect::<Vec<_>>(),
        "created_at_ts": info.envelope.created_at.map(|at| json!({"seconds": at.seconds, "nanos": at.nanos})),
        "size": info.body_size,
        "format": format(info.format),
        "state": state(info.state),
    });
    for (name, value) in &info.attributes {
        item[name.replace('-', "_")] = value.as_str().into();
    }
    item
}

/// An item of a listing: one that cannot be read has a `problem`, and null for what is not known.
pub(crate) fn entry(entry: &Entry) -> Value {
    let mut value = entry.info.as_ref().map_or_else(
        || {
            json!({
                "id": entry.id, "from": null, "to": [], "rcpt": [], "created_at_ts": null, "size": null, "format": null,
                "state": state(entry.state),
            })
        },
        item,
    );
    if let Some(error) = &entry.problem {
        value["problem"] = problem(error);
    }
    value
}

/// An item of a check: an item of a listing, and what was checked of it.
pub(crate) fn checked(entry: &Entry) -> Value {
    let mut value = self::entry(entry);
    value["integrity"] = entry.info.as_ref().map(|info| integrity(info.integrity)).into();
    value
}

/// What is wrong with something.
pub(crate) fn problem(error: &types::Error) -> Value {
    json!({
        "code": name(&error.code),
        "operation": name(&error.operation),
        "path": error.path,
        "detail": error.detail,
        "at": error.at.map(|at| json!({"offset": at.offset, "line": at.line, "column": at.column})),
    })
}

/// The name of a case of an enum of the contract: `ErrorCode::NotFound` is `not-found` there.
pub(crate) fn name(case: &impl std::fmt::Debug) -> String {
    // The generated form is `ErrorCode::NotFound`.
    let case = format!("{case:?}");
    let case = case.rsplit("::").next().unwrap_or(&case);
    let mut name = String::new();
    for character in case.chars() {
        if character.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(character.to_ascii_lowercase());
    }
    name
}

/// The name of a state.
pub(crate) fn state(state: types::State) -> &'static str {
    match state {
        types::State::Ready => "ready",
        types::State::Held => "held",
        types::State::Quarantined => "quarantined",
    }
}

/// The name of a format.
pub(crate) fn format(format: types::Format) -> &'static str {
    match format {
        types::Format::Text => "text",
        types::Format::Binary => "binary",
    }
}

/// What was checked.
pub(crate) fn integrity(integrity: types::Integrity) -> &'static str {
    match integrity {
        types::Integrity::Unchecked => "unchecked",
        types::Integrity::Envelope => "envelope",
        types::Integrity::Whole => "whole",
    }
}
