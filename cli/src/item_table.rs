//! Items as a table for people.

use crate::age::{self, GIVE_UP_AFTER};
use crate::columns::{Column, Columns};
use crate::damage;
use crate::display::{body_or_file_size, bytes, counted, items, short_size};
use crate::escape::escape;
use crate::names::{OpenEnum, PENDING, SENT};
use queue_store_host::types::{Entry, ItemInfo, Recipient, Timestamp};
use std::collections::BTreeMap;

/// Addresses of an item that are shown.
const SHOWN_ADDRESSES: usize = 3;

/// A table of items, and the sums of those that it has a row of.
pub(crate) struct ItemTable {
    columns: Columns<7>,
    now: Timestamp,
    count: u64,
    bytes: u64,
    given_up: u64,
}

impl ItemTable {
    /// Begins a table on standard output.
    pub(crate) fn new() -> ItemTable {
        let columns = [
            Column::fixed("ID", 11),
            Column::fixed("STATE", 11),
            Column::number("AGE", 4),
            Column::number("SIZE", 6),
            Column::flexible("SENDER", 8, 3),
            Column::flexible("RECIPIENTS", 8, 4),
            Column::flexible("LAST FAILURE", 8, 4),
        ];
        ItemTable { columns: Columns::for_stdout(columns), now: age::now(), count: 0, bytes: 0, given_up: 0 }
    }

    /// Returns the line of titles.
    pub(crate) fn header(&self) -> String {
        self.columns.header()
    }

    /// Returns the row of an item.
    pub(crate) fn row(&mut self, entry: &Entry) -> String {
        self.count += 1;
        let problem = entry.problem.as_ref().map(|problem| escape(&problem.detail));
        let (id, state) = (escape(&entry.id), damage::state(entry).to_string());
        let Some(info) = &entry.info else {
            let empty = String::new;
            return self.columns.row([id, state, empty(), empty(), empty(), empty(), problem.unwrap_or_default()]);
        };
        self.bytes += body_or_file_size(info);
        self.given_up += u64::from(age::is_given_up(info, self.now));
        let age = age::of(info, self.now).map(age::text).unwrap_or_default();
        let failure = problem.unwrap_or_else(|| escape(last_failure(info)));
        let sender = escape(&info.envelope.reverse_path);
        self.columns.row([id, state, age, short_size(info), sender, recipients(info), failure])
    }

    /// Returns the number of rows.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Returns the sums.
    pub(crate) fn footer(&self) -> String {
        format!("{}, {}", items(self.count), bytes(self.bytes))
    }

    /// Returns the warning of items that chasquid would give up, where there are some.
    pub(crate) fn warning(&self) -> Option<String> {
        let pronoun = if self.given_up == 1 { "it" } else { "them" };
        let items = counted(self.given_up, "item is", "items are");
        (self.given_up > 0).then(|| format!("{items} {}", given_up(pronoun)))
    }
}

/// Returns the words for items that chasquid would give up, and the remedy.
pub(crate) fn given_up(pronoun: &str) -> String {
    format!("older than {}: chasquid bounces {pronoun} at once, unless requeued", age::text(GIVE_UP_AFTER))
}

/// Returns the last failure of the first delivery that has one and is still to be made, or of the first that has one.
fn last_failure(info: &ItemInfo) -> &str {
    let failed = |delivery: &&Recipient| !delivery.last_failure_message.is_empty();
    let recipients = &info.envelope.recipients;
    let unsent = recipients.iter().filter(|delivery| delivery.status != SENT).find(failed);
    unsent.or_else(|| recipients.iter().find(failed)).map_or("", |delivery| &delivery.last_failure_message)
}

/// Returns the recipients, those first to which the mail was not sent, after the numbers of each status where one is not
/// pending.
fn recipients(info: &ItemInfo) -> String {
    let mut recipients: Vec<&Recipient> = info.envelope.recipients.iter().collect();
    recipients.sort_by_key(|recipient| recipient.status == SENT);
    let shown = recipients.iter().take(SHOWN_ADDRESSES).map(|recipient| escape(&recipient.address));
    let mut text = shown.collect::<Vec<_>>().join(", ");
    if let more @ 1.. = recipients.len().saturating_sub(SHOWN_ADDRESSES) {
        text.push_str(&format!(" and {more} more"));
    }
    let mut statuses = BTreeMap::new();
    recipients.iter().for_each(|recipient| *statuses.entry(recipient.status).or_insert(0_usize) += 1);
    if statuses.keys().all(|status| *status == PENDING) {
        return text;
    }
    let name = |status: i32| OpenEnum::Status.text(status).to_lowercase();
    let statuses = match &*statuses.into_iter().collect::<Vec<_>>() {
        [(status, 1)] => name(*status),
        statuses => {
            statuses.iter().map(|(status, count)| format!("{count} {}", name(*status))).collect::<Vec<_>>().join(", ")
        }
    };
    format!("{statuses}: {text}")
}
