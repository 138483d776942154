//! Items, problems and reports as JSON. The names of the fields are those of the format and the contract.

use crate::names::{self, OpenEnum};
use queue_store_host::types::{self, Entry, ItemInfo, Recovery};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A delivery, as it is printed and as `--rcpt` takes it.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recipient {
    address: String,
    #[serde(default, rename = "type")]
    kind: OpenNumber,
    #[serde(default)]
    status: OpenNumber,
    #[serde(default)]
    last_failure_message: String,
    #[serde(default)]
    original_address: String,
    #[serde(default)]
    via: Vec<String>,
}

/// A value of an open enum, by its name or its number. The default is the number 0, which every such enum has.
#[derive(Deserialize, Serialize)]
#[serde(transparent)]
struct OpenNumber(Value);

impl Default for OpenNumber {
    fn default() -> OpenNumber {
        OpenNumber(0.into())
    }
}

impl OpenNumber {
    fn new(number: i32, of: OpenEnum) -> OpenNumber {
        OpenNumber(of.name(number).map_or(number.into(), Value::from))
    }

    fn number(&self, of: OpenEnum) -> Option<i32> {
        match &self.0 {
            Value::String(name) => of.number(name),
            number => number.as_i64()?.try_into().ok(),
        }
    }
}

impl Recipient {
    fn new(recipient: &types::Recipient) -> Recipient {
        Recipient {
            address: recipient.address.clone(),
            kind: OpenNumber::new(recipient.kind, OpenEnum::Kind),
            status: OpenNumber::new(recipient.status, OpenEnum::Status),
            last_failure_message: recipient.last_failure_message.clone(),
            original_address: recipient.original_address.clone(),
            via: recipient.via.clone(),
        }
    }

    /// Converts to the record of the contract. The error names the value that has no number.
    pub(crate) fn into_contract(self) -> Result<types::Recipient, String> {
        let kind = self.kind.number(OpenEnum::Kind).ok_or_else(|| format!("{} is no type", self.kind.0))?;
        let status = self.status.number(OpenEnum::Status).ok_or_else(|| format!("{} is no status", self.status.0))?;
        Ok(types::Recipient {
            address: self.address,
            kind,
            status,
            last_failure_message: self.last_failure_message,
            original_address: self.original_address,
            via: self.via,
        })
    }
}

/// Returns an item. `size` is in bytes of the body, and null where only reading all of it could tell; `recorded_id` is
/// there only where the field `ID` is not the id of the file name.
pub(crate) fn item(info: &ItemInfo) -> Value {
    let mut item = json!({
        "id": info.id,
        "from": info.envelope.reverse_path,
        "to": info.envelope.to,
        "rcpt": info.envelope.recipients.iter().map(Recipient::new).collect::<Vec<_>>(),
        "created_at_ts": info.envelope.created_at.map(|at| json!({"seconds": at.seconds, "nanos": at.nanos})),
        "size": info.body_size,
        "format": names::format(info.format),
        "state": names::state(info.state),
    });
    if let Some(recorded_id) = &info.recorded_id {
        item["recorded_id"] = recorded_id.as_str().into();
    }
    item
}

/// Returns an item of a listing. A damaged one has a `problem`, and null for the fields that could not be read.
pub(crate) fn entry(entry: &Entry) -> Value {
    let mut value = entry.info.as_ref().map_or_else(
        || {
            json!({
                "id": entry.id, "from": null, "to": [], "rcpt": [], "created_at_ts": null, "size": null, "format": null,
                "state": names::state(entry.state),
            })
        },
        item,
    );
    if let Some(error) = &entry.problem {
        value["problem"] = problem(error);
    }
    value
}

/// Returns an item of a verification: an item of a listing, and its integrity.
pub(crate) fn verified_entry(verified: &Entry) -> Value {
    let mut value = entry(verified);
    value["integrity"] = verified.info.as_ref().map(|info| names::integrity(info.integrity)).into();
    value
}

/// Returns the report of a recovery.
pub(crate) fn recovery(recovery: &Recovery) -> Value {
    json!({
        "durable_items": recovery.durable_items,
        "damaged_items": recovery.damaged_items,
        "temporary_removed": recovery.temporary_removed,
        "temporary_kept": recovery.temporary_kept,
        "rewritten": recovery.rewritten,
        "problems": recovery.problems.iter().map(problem).collect::<Vec<_>>(),
        "truncated": recovery.truncated,
    })
}

fn problem(error: &types::Error) -> Value {
    let position = error.position.map(|at| json!({"offset": at.offset, "line": at.line, "column": at.column}));
    json!({
        "code": names::error_code(error.code),
        "operation": error.operation,
        "path": error.path,
        "detail": error.detail,
        "position": position,
    })
}
