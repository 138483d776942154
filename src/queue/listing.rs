//! Listings: names, envelopes, or everything verified; in one pass over the directory and no order.

use super::batch::{Outcome, check_batch};
use super::directory_scan::DirectoryScan;
use super::handle::Queue;
use super::lookup::{ItemFile, not_regular};
use super::read::{Info, check_recorded_id};
use crate::error::{Cause, Code, Error, Result};
use crate::item::decoder::{Integrity, Strictness};
use crate::item::envelope::{Envelope, Recipient};
use crate::item::id::ItemId;
use crate::limits::{MAX_ITEM_PAGE, MAX_PAGE, MAX_PAGE_BYTES, MAX_PAGE_READ_BYTES, VALUE_BYTES};
use crate::storage::file_name::{ItemName, LIVE, Meaning, STATES, State};
use crate::storage::filesystem::{Directory, FileType, System};
use alloc::rc::Rc;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// `types.detail`: how much a listing reads of each item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "documented in `wit/types.wit`")]
pub enum Detail {
    Name,
    Envelope,
    Whole,
}

/// `types.entry`: one item of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its id, of its file name.
    pub id: String,
    /// Its state.
    pub state: State,
    /// The facts about it, as far as they were asked for and could be read.
    pub info: Option<Info>,
    /// Its damage.
    pub problem: Option<Error>,
}

/// `types.counts`: the number of files of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "documented in `wit/types.wit`")]
pub struct Counts {
    pub ready: u64,
    pub held: u64,
    pub quarantined: u64,
    pub temporary: u64,
    pub foreign: u64,
}

/// A file that has the name of an item.
struct ListedFile {
    file: ItemFile,
    file_type: FileType,
}

impl<S: System> Queue<S> {
    /// Counts the files by kind.
    pub fn count(&self) -> Result<Counts> {
        let count = || {
            let mut counts = Counts::default();
            let mut scan = self.scan()?;
            while let Some(entry) = scan.next()? {
                let is_regular = entry.file_type == FileType::Regular;
                let counted = match entry.meaning() {
                    Meaning::Marks if entry.file_type == FileType::Directory => continue,
                    Meaning::Item(ItemName { state: State::Ready, .. }) if is_regular => &mut counts.ready,
                    Meaning::Item(ItemName { state: State::Held, .. }) if is_regular => &mut counts.held,
                    Meaning::Item(ItemName { state: State::Quarantined, .. }) if is_regular => &mut counts.quarantined,
                    Meaning::Temporary if is_regular => &mut counts.temporary,
                    Meaning::Item(_) | Meaning::Temporary | Meaning::Marks | Meaning::Foreign => &mut counts.foreign,
                };
                *counted += 1;
            }
            counts.foreign += scan.not_utf8;
            Ok(counts)
        };
        count().map_err(|error| self.error(error))
    }

    /// Counts the items that are ready or held.
    pub(super) fn count_live(&self) -> Result<u64> {
        let counts = self.count()?;
        Ok(counts.ready + counts.held)
    }

    /// Verifies whole items in any state.
    pub fn verify(&self, ids: &[String]) -> Result<Vec<Outcome>> {
        check_batch(ids.len())?;
        let verify = |id: &str| {
            let file = self.any_file(&ItemId::parse(id)?)?;
            check_recorded_id(self.verified(&file)?.reader.envelope(), &file)
        };
        Ok(ids.iter().map(|id| Outcome::new(id, verify(id).map_err(|error| self.error(error)))).collect())
    }

    /// Makes the entry of a file; none if it vanished.
    fn entry(&self, listed: &ListedFile, detail: Detail) -> Option<Entry> {
        let file = &listed.file;
        let mut entry = Entry { id: file.id().to_string(), state: file.state, info: None, problem: None };
        match self.entry_info(listed, detail) {
            Ok(info) => {
                let recorded = info.as_ref().map_or(Ok(()), |info| check_recorded_id(&info.envelope, file));
                entry.problem = recorded.err().map(|error| self.error(error));
                entry.info = info;
            }
            Err(error) if error.code() == Code::NotFound => return None,
            Err(error) => entry.problem = Some(self.error(error)),
        }
        Some(entry)
    }

    fn entry_info(&self, listed: &ListedFile, detail: Detail) -> Result<Option<Info>> {
        let ListedFile { file, file_type } = listed;
        let id = ItemId::parse(file.id()).map_err(|invalid| Error::from(invalid).at_path(&file.name))?;
        if *file_type != FileType::Regular {
            return Err(not_regular(&file.name));
        }
        match detail {
            Detail::Name => Ok(None),
            Detail::Envelope => Ok(Some(self.open_item(file, Strictness::Full)?.info(&id, file))),
            Detail::Whole => {
                if LIVE.contains(&file.state) {
                    // Reports two live files of one id.
                    self.names_of_one_file(&id, &LIVE)?;
                }
                Ok(Some(self.verified(file)?.info(&id, file)))
            }
        }
    }
}

/// Returns the bytes that an entry takes in a host, about.
fn entry_bytes(entry: &Entry) -> usize {
    /// The fields of a recipient, and the recipient itself.
    const VALUES_OF_A_RECIPIENT: usize = 8;
    let Some(Info { envelope, .. }) = &entry.info else {
        return 0;
    };
    let strings = |strings: &[String]| strings.iter().map(|string| string.len() + VALUE_BYTES).sum::<usize>();
    let recipient = |recipient: &Recipient| {
        let Recipient { address, kind: _, status: _, last_failure_message, original_address, via } = recipient;
        address.len()
            + last_failure_message.len()
            + original_address.len()
            + strings(via)
            + VALUES_OF_A_RECIPIENT * VALUE_BYTES
    };
    let Envelope { id, reverse_path, to, recipients, created_at: _ } = envelope;
    id.len() + reverse_path.len() + strings(to) + recipients.iter().map(recipient).sum::<usize>()
}

/// A listing in one pass over the directory.
pub struct Listing<S: System> {
    queue: Rc<Queue<S>>,
    /// none after a failure.
    scan: Option<DirectoryScan<S>>,
    states: Vec<State>,
    detail: Detail,
}

impl<S: System> Listing<S> {
    /// Begins a listing of the items in these states; none given: all.
    pub fn open(queue: &Rc<Queue<S>>, states: Vec<State>, detail: Detail) -> Result<Listing<S>> {
        let scan = queue.scan().map_err(|error| queue.error(error))?;
        let states = if states.is_empty() { STATES.to_vec() } else { states };
        Ok(Listing { queue: queue.clone(), scan: Some(scan), states, detail })
    }

    /// Returns the next items, at most `limit`; none at the end.
    pub fn next(&mut self, limit: usize) -> Result<Option<Vec<Entry>>> {
        if limit == 0 {
            return Err(Cause::Argument("a limit of 0 could not be told from the end of the listing").into());
        }
        let limit = limit.min(if self.detail == Detail::Name { MAX_PAGE } else { MAX_ITEM_PAGE });
        let Some(mut scan) = self.scan.take() else {
            return Err(Cause::Aborted("an earlier call of this listing failed: begin a new one").into());
        };
        let (mut entries, mut bytes, mut read) = (Vec::new(), 0, 0);
        while entries.len() < limit && bytes <= MAX_PAGE_BYTES && read <= MAX_PAGE_READ_BYTES {
            let Some(listed) = self.next_file(&mut scan).map_err(|error| self.queue.error(error))? else {
                break;
            };
            if let Some(entry) = self.queue.entry(&listed, self.detail) {
                bytes += entry_bytes(&entry);
                read += self.bytes_read(&listed.file, &entry);
                entries.push(entry);
            }
        }
        self.scan = Some(scan);
        Ok(if entries.is_empty() { None } else { Some(entries) })
    }

    /// Returns the number of bytes of the file of an entry that were read, at most. The envelope of a verified item is read from
    /// its head and its tail.
    fn bytes_read(&self, file: &ItemFile, entry: &Entry) -> u64 {
        match (self.detail, &entry.info) {
            (Detail::Name, _) => 0,
            (Detail::Envelope, Some(info)) if info.integrity != Integrity::Unchecked => 0,
            (Detail::Envelope | Detail::Whole, Some(info)) => info.file_size,
            (Detail::Envelope | Detail::Whole, None) => {
                self.queue.directory.stat(&file.name).map_or(0, |stat| stat.size)
            }
        }
    }

    /// Returns the next file that has the name of an item in one of the states.
    fn next_file(&self, scan: &mut DirectoryScan<S>) -> Result<Option<ListedFile>> {
        while let Some(entry) = scan.next()? {
            let file_type = entry.file_type;
            if let Some(file) = ItemFile::found(entry.name)
                && self.states.contains(&file.state)
            {
                return Ok(Some(ListedFile { file, file_type }));
            }
        }
        Ok(None)
    }
}
