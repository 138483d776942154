//! The filter of a selection: the options that an item must match.

use crate::age;
use crate::damage::{is_damage, is_unreadable};
use crate::display::body_or_file_size;
use crate::headers;
use crate::options::{StatusChoice, duration, size};
use bytesize::ByteSize;
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};
use queue_store_host::types::{Detail, Entry, Recipient, State, Timestamp};
use queue_store_host::{Error, Queue};
use std::time::Duration;

/// Options of which an item must match all. Of one that is repeated, it must match one; and one delivery must match all
/// those that are about deliveries.
#[derive(Args)]
#[command(next_help_heading = "Selection")]
pub(crate) struct Filter {
    /// Items of this sender; `<>` for bounces
    #[arg(long, value_name = "ADDR", allow_hyphen_values = true, value_parser = NonEmptyStringValueParser::new())]
    from: Vec<String>,
    /// Items with a delivery to this address, as it is or as the client gave it
    #[arg(long, value_name = "ADDR", allow_hyphen_values = true, value_parser = NonEmptyStringValueParser::new())]
    to: Vec<String>,
    /// Items with a delivery to an address of this domain
    #[arg(long, value_name = "DOMAIN", value_parser = NonEmptyStringValueParser::new())]
    domain: Vec<String>,
    /// Items in this state
    #[arg(long, value_enum)]
    state: Vec<StateChoice>,
    /// Items with a delivery in this status
    #[arg(long, value_enum)]
    status: Vec<StatusChoice>,
    /// Items with a delivery whose last failure contains this text
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, value_parser = NonEmptyStringValueParser::new())]
    failure: Vec<String>,
    /// Items that are at least this old, such as 90s, 36h or 3d
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = duration)]
    older_than: Option<Duration>,
    /// Items that are larger, such as 100kB, 10MB or 1GiB
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true, value_parser = size)]
    larger_than: Option<ByteSize>,
    /// Items whose subject, decoded, contains this text
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, value_parser = NonEmptyStringValueParser::new())]
    subject: Vec<String>,
    /// Damaged items; reads every item whole
    #[arg(long)]
    damaged: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum StateChoice {
    /// To be delivered
    Ready,
    /// Kept from delivery
    Held,
    /// Set aside
    Quarantined,
}

impl From<StateChoice> for State {
    fn from(choice: StateChoice) -> State {
        match choice {
            StateChoice::Ready => State::Ready,
            StateChoice::Held => State::Held,
            StateChoice::Quarantined => State::Quarantined,
        }
    }
}

impl Filter {
    /// Returns the states of the items to be listed; none given: those that `default` has.
    pub(crate) fn states(&self, default: &[State]) -> Vec<State> {
        if self.state.is_empty() {
            return default.to_vec();
        }
        self.state.iter().map(|&state| state.into()).collect()
    }

    /// Returns the part of each item that has to be read.
    pub(crate) fn detail(&self) -> Detail {
        if self.damaged { Detail::Whole } else { Detail::Envelope }
    }

    /// Returns whether an item matches.
    ///
    /// # Errors
    ///
    /// That of reading an item which may match.
    pub(crate) fn matches(&self, entry: &Entry, queue: &Queue, now: Timestamp) -> Result<bool, Error> {
        let reads_items = self.damaged || self.is_about_envelope() || !self.subject.is_empty();
        if let Some(problem) = entry.problem.as_ref().filter(|problem| reads_items && is_unreadable(problem)) {
            return Err(problem.clone().into());
        }
        let matches = self.matches_integrity(entry) && self.matches_envelope(entry, now);
        if matches && !self.subject.is_empty() { self.matches_subject(entry, queue) } else { Ok(matches) }
    }

    fn matches_integrity(&self, entry: &Entry) -> bool {
        !self.damaged || entry.problem.as_ref().is_some_and(is_damage)
    }

    /// Matches the options about the envelope. A damaged item matches none.
    fn matches_envelope(&self, entry: &Entry, now: Timestamp) -> bool {
        let Some(info) = &entry.info else { return !self.is_about_envelope() };
        let envelope = &info.envelope;
        let size = body_or_file_size(info);
        is_any(&self.from, |from| is_same_sender(from, &envelope.reverse_path))
            && (!self.is_about_deliveries()
                || envelope.recipients.iter().any(|delivery| self.matches_delivery(delivery)))
            && self.older_than.is_none_or(|least| age::of(info, now).is_some_and(|age| age >= least))
            && self.larger_than.is_none_or(|limit| size > limit.as_u64())
    }

    fn is_about_envelope(&self) -> bool {
        let is_about_item = self.older_than.is_some() || self.larger_than.is_some() || !self.from.is_empty();
        is_about_item || self.is_about_deliveries()
    }

    fn is_about_deliveries(&self) -> bool {
        !(self.to.is_empty() && self.domain.is_empty() && self.status.is_empty() && self.failure.is_empty())
    }

    fn matches_delivery(&self, delivery: &Recipient) -> bool {
        let Recipient { address, original_address, .. } = delivery;
        is_any(&self.to, |to| is_same(to, address) || is_same(to, original_address))
            && is_any(&self.domain, |domain| is_same(domain.trim_start_matches('@'), domain_of(address)))
            && is_any(&self.status, |status| status.number() == delivery.status)
            && is_any(&self.failure, |text| contains(&delivery.last_failure_message, text))
    }

    /// Matches the subject, which is in the body. A damaged item has none, and so has a quarantined one whose id reads another
    /// item.
    fn matches_subject(&self, entry: &Entry, queue: &Queue) -> Result<bool, Error> {
        let read = || {
            let is_quarantined = entry.state == State::Quarantined;
            if is_quarantined && queue.info(&entry.id)?.state != State::Quarantined {
                Ok(None)
            } else {
                headers::read(queue, &entry.id).map(Some)
            }
        };
        let headers = match read() {
            Err(error) if error.record().as_ref().is_none_or(is_unreadable) => return Err(error),
            read => read.ok().flatten().unwrap_or_default(),
        };
        let subject = headers::find(&headers, "subject");
        Ok(subject.is_some_and(|subject| is_any(&self.subject, |text| contains(subject, text))))
    }
}

/// Returns the domain of an address; empty where it has none.
pub(crate) fn domain_of(address: &str) -> &str {
    address.rsplit_once('@').map_or("", |(_, domain)| domain)
}

/// Returns whether an option is not given, or one of its values matches.
fn is_any<T>(values: &[T], matches: impl FnMut(&T) -> bool) -> bool {
    values.is_empty() || values.iter().any(matches)
}

/// Compares addresses, or domains, without regard to case.
fn is_same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

fn is_same_sender(argument: &str, reverse_path: &str) -> bool {
    is_same(argument, if reverse_path.is_empty() { "<>" } else { reverse_path })
}

fn contains(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(&part.to_lowercase())
}
