//! Sums of the mail that is not delivered, by domain.

use crate::age;
use crate::display::body_or_file_size;
use crate::filter::domain_of;
use crate::names::SENT;
use queue_store_host::types::{ItemInfo, Timestamp};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// The minutes below which an item is in a bucket, as qshape of Postfix has them; the last bucket has the older ones.
pub(crate) const BUCKET_MINUTES: [u64; 9] = [5, 10, 20, 40, 80, 160, 320, 640, 1280];

/// Bytes of a failure that tell it from others. The rest often names the mail.
const FAILURE_BYTES: usize = 100;

/// The domain whose mail is counted together.
#[derive(Clone, Copy)]
pub(crate) enum Side {
    /// That of each recipient to whom the mail is not sent.
    Recipient,
    /// That of the sender.
    Sender,
}

/// The items of a domain.
#[derive(Default)]
pub(crate) struct Group {
    pub(crate) items: u64,
    pub(crate) bytes: u64,
    pub(crate) oldest: Option<Timestamp>,
    pub(crate) newest: Option<Timestamp>,
    pub(crate) buckets: [u64; BUCKET_MINUTES.len() + 1],
    failures: BTreeMap<Box<str>, u64>,
}

/// The groups of a queue.
#[derive(Default)]
pub(crate) struct Summary {
    groups: BTreeMap<String, Group>,
}

impl Summary {
    /// Adds an item to each group that it belongs to.
    pub(crate) fn add(&mut self, info: &ItemInfo, side: Side, now: Timestamp) {
        // The first failure of each domain.
        let mut domains = BTreeMap::<String, &str>::new();
        for delivery in info.envelope.recipients.iter().filter(|delivery| delivery.status != SENT) {
            let address = match side {
                Side::Recipient => &delivery.address,
                Side::Sender => &info.envelope.reverse_path,
            };
            let failure = domains.entry(domain_of(address).to_lowercase()).or_default();
            if failure.is_empty() {
                *failure = &delivery.last_failure_message;
            }
        }
        for (domain, failure) in domains {
            self.groups.entry(domain).or_default().add(info, failure, now);
        }
    }

    /// Returns the groups with the names of their domains, the largest first.
    pub(crate) fn into_groups(self) -> Vec<(String, Group)> {
        let mut groups: Vec<(String, Group)> = self.groups.into_iter().collect();
        groups.sort_by_key(|(_, group)| Reverse(group.items));
        groups
    }
}

impl Group {
    fn add(&mut self, info: &ItemInfo, failure: &str, now: Timestamp) {
        self.items += 1;
        self.bytes += body_or_file_size(info);
        if let Some(at) = info.envelope.created_at {
            let seconds = |time: Option<Timestamp>| time.map(|time| time.seconds);
            if seconds(self.oldest).is_none_or(|oldest| at.seconds < oldest) {
                self.oldest = Some(at);
            }
            if seconds(self.newest).is_none_or(|newest| at.seconds > newest) {
                self.newest = Some(at);
            }
            let minutes = age::since(at, now).as_secs() / 60;
            self.buckets[BUCKET_MINUTES.partition_point(|&end| end <= minutes)] += 1;
        }
        if !failure.is_empty() {
            let failure = &failure[..failure.floor_char_boundary(FAILURE_BYTES)];
            *self.failures.entry(failure.into()).or_default() += 1;
        }
    }

    /// Returns the most frequent failure, and the number of items that have it.
    pub(crate) fn failure(&self) -> Option<(&str, u64)> {
        self.failures.iter().max_by_key(|(_, count)| **count).map(|(failure, count)| (&**failure, *count))
    }
}
