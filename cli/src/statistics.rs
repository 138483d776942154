//! The numbers of a queue.

use crate::age;
use crate::damage::is_unreadable;
use crate::failure::Failure;
use crate::location::Location;
use crate::names::{FAILED, PENDING};
use queue_store_host::types::{Detail, Entry, State, Timestamp};
use queue_store_host::{Error, Queue};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// The numbers of a queue.
#[derive(Debug, Default)]
pub(crate) struct Statistics {
    /// Items that are ready.
    pub(crate) ready: Items,
    /// Items that are held.
    pub(crate) held: Items,
    /// Items that are quarantined.
    pub(crate) quarantined: Items,
    /// Temporary files.
    pub(crate) temporary_files: u64,
    /// Files that are not the queue's.
    pub(crate) foreign_files: u64,
    /// Whether the queue refuses changes until a recovery.
    pub(crate) needs_recovery: bool,
}

/// The numbers of the items in a state.
#[derive(Debug, Default)]
pub(crate) struct Items {
    /// All of them.
    pub(crate) count: u64,
    /// Bytes of the files of the intact ones.
    pub(crate) bytes: u64,
    /// Those that are damaged.
    pub(crate) damaged: u64,
    /// Deliveries of the intact ones that are still to be made.
    pub(crate) pending_deliveries: u64,
    /// Deliveries of the intact ones that were given up.
    pub(crate) failed_deliveries: u64,
    /// The time of the oldest intact one, in seconds since 1970.
    pub(crate) oldest: Option<i64>,
}

impl Statistics {
    /// Reads the envelopes of all items. Fails where one cannot be read, since the numbers would be wrong.
    pub(crate) fn read(queue: &Queue, location: &Location) -> Result<Statistics, Failure> {
        let files = queue.count()?;
        let mut statistics = Statistics {
            temporary_files: files.temporary,
            foreign_files: files.foreign,
            needs_recovery: location.directory().is_some_and(has_marks),
            ..Statistics::default()
        };
        for entry in queue.items(&[], Detail::Envelope)? {
            let entry = entry?;
            statistics.of_state(entry.state).add(&entry)?;
        }
        Ok(statistics)
    }

    /// Returns the age of the oldest item that is ready; none where no item is.
    pub(crate) fn oldest_age(&self) -> Option<Duration> {
        let oldest = Timestamp { seconds: self.ready.oldest?.max(0), nanos: 0 };
        Some(age::since(oldest, age::now()))
    }

    /// Returns the number of items.
    pub(crate) fn items(&self) -> u64 {
        self.ready.count + self.held.count + self.quarantined.count
    }

    /// Returns the number of damaged items that are ready or held.
    pub(crate) fn damaged(&self) -> u64 {
        self.ready.damaged + self.held.damaged
    }

    fn of_state(&mut self, state: State) -> &mut Items {
        match state {
            State::Ready => &mut self.ready,
            State::Held => &mut self.held,
            State::Quarantined => &mut self.quarantined,
        }
    }
}

/// Returns whether the directory of a queue has a mark of a failed fsync (docs/format.md), which closes the queue.
fn has_marks(directory: &Path) -> bool {
    fs::read_dir(directory.join(".unsynced")).is_ok_and(|mut marks| marks.next().is_some())
}

impl Items {
    fn add(&mut self, entry: &Entry) -> Result<(), Failure> {
        self.count += 1;
        if let Some(problem) = &entry.problem {
            if is_unreadable(problem) {
                return Err(Error::from(problem.clone()).into());
            }
            self.damaged += 1;
            return Ok(());
        }
        let info = entry.info.as_ref().expect("a listing of envelopes has that of an item without a problem");
        self.bytes += info.file_size;
        let deliveries = |status| info.envelope.recipients.iter().filter(|to| to.status == status).count() as u64;
        self.pending_deliveries += deliveries(PENDING);
        self.failed_deliveries += deliveries(FAILED);
        let created_at = info.envelope.created_at.map(|at| at.seconds);
        self.oldest = self.oldest.into_iter().chain(created_at).min();
        Ok(())
    }
}
