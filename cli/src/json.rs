//! Items, problems and reports as JSON. The names of the fields are those of the format and the contract.

use crate::names::OpenEnum;
use queue_store_host::types::{self, Entry, ItemInfo, Recovery};
use serde::{Deserialize, Serialize, Serializer};
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

/// An item as it is printed. `size` is in bytes of the body, and null where only reading all of it could tell; `recorded_id` is
/// there only where the field `ID` is not the id of the file name.
#[derive(Serialize)]
pub(crate) struct Item<'a> {
    id: &'a str,
    from: Option<&'a str>,
    to: &'a [String],
    #[serde(serialize_with = "serialize_recipients")]
    rcpt: &'a [types::Recipient],
    created_at_ts: Option<Time>,
    size: Option<u64>,
    format: Option<&'static str>,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    recorded_id: Option<&'a str>,
    /// In a listing, of a damaged item.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Value>,
    /// In a verification.
    #[serde(skip_serializing_if = "Option::is_none")]
    integrity: Option<Option<&'static str>>,
}

/// A delivery as it is printed.
#[derive(Serialize)]
struct RecipientRef<'a> {
    address: &'a str,
    #[serde(rename = "type")]
    kind: OpenNumber,
    status: OpenNumber,
    last_failure_message: &'a str,
    original_address: &'a str,
    via: &'a [String],
}

/// A time as it is printed.
#[derive(Serialize)]
struct Time {
    seconds: i64,
    nanos: i32,
}

impl<'a> RecipientRef<'a> {
    fn new(recipient: &'a types::Recipient) -> RecipientRef<'a> {
        RecipientRef {
            address: &recipient.address,
            kind: OpenNumber::new(recipient.kind, OpenEnum::Kind),
            status: OpenNumber::new(recipient.status, OpenEnum::Status),
            last_failure_message: &recipient.last_failure_message,
            original_address: &recipient.original_address,
            via: &recipient.via,
        }
    }
}

fn serialize_recipients<S: Serializer>(recipients: &[types::Recipient], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(recipients.iter().map(RecipientRef::new))
}

impl<'a> Item<'a> {
    /// Makes an item of the facts about it.
    pub(crate) fn of_info(info: &'a ItemInfo) -> Item<'a> {
        Item {
            id: &info.id,
            from: Some(&info.envelope.reverse_path),
            to: &info.envelope.to,
            rcpt: &info.envelope.recipients,
            created_at_ts: info.envelope.created_at.map(|at| Time { seconds: at.seconds, nanos: at.nanos }),
            size: info.body_size,
            format: Some(info.format.name()),
            state: info.state.name(),
            recorded_id: info.recorded_id.as_deref(),
            problem: None,
            integrity: None,
        }
    }

    /// Makes an item of a listing. A damaged one has a `problem`, and null for the fields that could not be read.
    pub(crate) fn of_entry(entry: &'a Entry) -> Item<'a> {
        let problem = entry.problem.as_ref().map(problem);
        match &entry.info {
            Some(info) => Item { problem, ..Item::of_info(info) },
            None => Item {
                id: &entry.id,
                from: None,
                to: &[],
                rcpt: &[],
                created_at_ts: None,
                size: None,
                format: None,
                state: entry.state.name(),
                recorded_id: None,
                problem,
                integrity: None,
            },
        }
    }

    /// Makes an item of a verification: an item of a listing, and its integrity.
    pub(crate) fn of_verified(entry: &'a Entry) -> Item<'a> {
        let integrity = entry.info.as_ref().map(|info| info.integrity.name());
        Item { integrity: Some(integrity), ..Item::of_entry(entry) }
    }
}

/// Returns the report of a recovery. Of its damaged items, `in_quarantine` are set aside already.
pub(crate) fn recovery(recovery: &Recovery, in_quarantine: u64) -> Value {
    json!({
        "durable_items": recovery.durable_items,
        "damaged_items": recovery.damaged_items,
        "damaged_in_quarantine": in_quarantine,
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
        "code": error.code.name(),
        "operation": error.operation,
        "path": error.path,
        "detail": error.detail,
        "position": position,
    })
}
