//! The age of an item, by which chasquid gives up.

use crate::names::PENDING;
use indicatif::HumanDuration;
use queue_store_host::types::{Format, ItemInfo, State, Timestamp};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The age from which chasquid bounces an item without another attempt: `giveUpAfter` of its queue.
pub(crate) const GIVE_UP_AFTER: Duration = Duration::from_secs(20 * 3600);

/// Returns the time now.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is set to a time after 1970");
    let seconds = i64::try_from(since.as_secs()).expect("the clock is set to a time before the year 292277026596");
    let nanos = i32::try_from(since.subsec_nanos()).expect("a second has fewer nanoseconds than 2^31");
    Timestamp { seconds, nanos }
}

/// Returns the time from `earlier` to `now` in whole seconds, and none where `earlier` is in the future.
pub(crate) fn since(earlier: Timestamp, now: Timestamp) -> Duration {
    Duration::from_secs(u64::try_from(now.seconds.saturating_sub(earlier.seconds)).unwrap_or(0))
}

/// Returns the age of an item; none for one without a time.
pub(crate) fn of(info: &ItemInfo, now: Timestamp) -> Option<Duration> {
    info.envelope.created_at.map(|created_at| since(created_at, now))
}

/// Returns an age in its largest unit, such as `21h`.
pub(crate) fn text(age: Duration) -> String {
    format!("{:#}", HumanDuration(age))
}

/// Returns whether chasquid would bounce an item at its next start, without an attempt to deliver it.
pub(crate) fn is_given_up(info: &ItemInfo, now: Timestamp) -> bool {
    let is_seen = info.state == State::Ready && info.format == Format::Text;
    let is_pending = info.envelope.recipients.iter().any(|recipient| recipient.status == PENDING);
    is_seen && is_pending && of(info, now).is_none_or(|age| age >= GIVE_UP_AFTER)
}
