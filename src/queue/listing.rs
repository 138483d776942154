//! Listings: names, envelopes, or everything checked; in one pass and no order, or in pages and in order.

use super::names::Names;
use super::{Info, ItemFile, LIVE, Outcome, Queue, check_batch, check_id, not_regular};
use crate::error::{Code, Error, Result};
use crate::filesystem::{Kind, System};
use crate::limits::{MAX_ITEM_PAGE, MAX_PAGE, MAX_PAGE_BYTES, VALUE_BYTES};
use crate::name::{Name, STATES, State};
use alloc::collections::BinaryHeap;
use alloc::rc::Rc;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cmp::Ordering;
use prost::Message;

/// `types.detail`: what a listing says of each item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "documented in `wit/types.wit`")]
pub enum Detail {
    Name,
    Envelope,
    Whole,
}

/// One item of a listing.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its id, of its file name.
    pub id: String,
    /// Where it stands.
    pub state: State,
    /// What it is, as far as that was asked for and could be read.
    pub info: Option<Info>,
    /// What is wrong with it.
    pub problem: Option<Error>,
}

/// Some items, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The items.
    pub entries: Vec<Entry>,
    /// After which id the next page begins; none at the end.
    pub next: Option<String>,
}

/// Some ids, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdPage {
    /// The ids.
    pub ids: Vec<String>,
    /// After which id the next page begins; none at the end.
    pub next: Option<String>,
}

/// `types.counts`: how many files of each kind there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "documented in `wit/types.wit`")]
pub struct Counts {
    pub ready: u64,
    pub held: u64,
    pub quarantined: u64,
    pub temporary: u64,
    pub foreign: u64,
}

/// A file that has the name of an item. In the order of a listing: by id, then by name.
#[derive(PartialEq, Eq)]
struct Named {
    id: String,
    file: ItemFile,
    kind: Kind,
}

impl Ord for Named {
    fn cmp(&self, other: &Named) -> Ordering {
        self.id.cmp(&other.id).then_with(|| self.file.name.cmp(&other.file.name))
    }
}

impl PartialOrd for Named {
    fn partial_cmp(&self, other: &Named) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Files that one id can have, for a page that ends between two ids: six by the names that are made of it, and some that
/// were quarantined again.
const MAX_NAMES: usize = 64;

impl<S: System> Queue<S> {
    /// Counts the files by kind.
    pub fn count(&self) -> Result<Counts> {
        let count = || {
            let mut counts = Counts::default();
            let mut names = self.names()?;
            while let Some(found) = names.next()? {
                let counted = match (found.kind, found.meaning()) {
                    (Kind::Regular, Name::Item { state: State::Ready, .. }) => &mut counts.ready,
                    (Kind::Regular, Name::Item { state: State::Held, .. }) => &mut counts.held,
                    (Kind::Regular, Name::Item { state: State::Quarantined, .. }) => &mut counts.quarantined,
                    (Kind::Regular, Name::Temporary) => &mut counts.temporary,
                    _ => &mut counts.foreign,
                };
                *counted += 1;
            }
            counts.foreign += names.unreadable;
            Ok(counts)
        };
        count().map_err(|error| self.error(error))
    }

    /// How many items are ready or held.
    pub(super) fn count_live(&self) -> Result<u64> {
        let counts = self.count()?;
        Ok(counts.ready + counts.held)
    }

    /// The ids in these states that are greater than `after`, in ascending order.
    pub fn list_ids(&self, states: &[State], after: Option<&str>, limit: usize) -> Result<IdPage> {
        let limit = check_limit(limit)?.min(MAX_PAGE);
        let list = || {
            // One more than the page has says whether there is a next one. The same id can be there twice.
            let named = self.smallest(states, after, limit + MAX_NAMES)?;
            let mut ids: Vec<String> = named.into_iter().map(|named| named.id).collect();
            ids.dedup();
            let more = ids.len() > limit;
            ids.truncate(limit);
            Ok(IdPage { next: ids.last().filter(|_| more).cloned(), ids })
        };
        list().map_err(|error| self.error(error))
    }

    /// The items with these ids.
    pub fn list_items(&self, states: &[State], after: Option<&str>, limit: usize) -> Result<Page> {
        let limit = check_limit(limit)?.min(MAX_ITEM_PAGE);
        let list = || {
            let mut page = Page { entries: Vec::new(), next: None };
            let mut last = String::new();
            let (mut listed, mut bytes) = (0, 0);
            for named in self.smallest(states, after, limit + MAX_NAMES)? {
                if (listed >= limit || bytes > MAX_PAGE_BYTES) && named.id != last {
                    page.next = Some(last);
                    break;
                }
                listed += 1;
                last.clone_from(&named.id);
                if let Some(entry) = self.entry(named, Detail::Envelope) {
                    bytes += size_of_entry(&entry);
                    page.entries.push(entry);
                }
            }
            Ok(page)
        };
        list().map_err(|error| self.error(error))
    }

    /// The files in these states whose ids are greater than `after`, the first `most` of them, in order.
    fn smallest(&self, states: &[State], after: Option<&str>, most: usize) -> Result<Vec<Named>> {
        let mut smallest = BinaryHeap::new();
        let mut names = self.names()?;
        while let Some(named) = next_named(&mut names, states)? {
            if after.is_none_or(|after| named.id.as_str() > after) {
                smallest.push(named);
                if smallest.len() > most {
                    smallest.pop();
                }
            }
        }
        Ok(smallest.into_sorted_vec())
    }

    /// Checks items whole, in whatever state.
    pub fn verify(&self, ids: &[String]) -> Result<Vec<Outcome>> {
        check_batch(ids.len())?;
        let verify = |id: &String| {
            let verified = check_id(id).and_then(|()| self.info_of(id, &self.any_file(id)?, true));
            Outcome { id: id.clone(), problem: verified.err().map(|error| self.error(error)) }
        };
        Ok(ids.iter().map(verify).collect())
    }

    /// What a listing says of a file; none if it vanished.
    fn entry(&self, named: Named, detail: Detail) -> Option<Entry> {
        let Named { id, file, kind } = named;
        let state = file.state;
        let info = || {
            check_id(&id).map_err(|error| error.at_path(&file.name))?;
            if kind != Kind::Regular {
                return Err(not_regular(&file.name));
            }
            if detail == Detail::Whole && LIVE.contains(&state) {
                self.file(&id, &LIVE)?;
            }
            match detail {
                Detail::Name => Ok(None),
                _ => self.info_of(&id, &file, detail == Detail::Whole).map(Some),
            }
        };
        let (info, problem) = match info() {
            Ok(info) => (info, None),
            Err(error) if error.code == Code::NotFound => return None,
            Err(error) => (None, Some(self.error(error))),
        };
        Some(Entry { id, state, info, problem })
    }
}

/// About how much memory an entry takes.
/// What an entry takes where a host holds it.
fn size_of_entry(entry: &Entry) -> usize {
    // The fields of a recipient, and the recipient itself.
    const VALUES_OF_A_RECIPIENT: usize = 8;
    let Some(Info { envelope, .. }) = &entry.info else {
        return 0;
    };
    let recipients = envelope.recipients.iter().map(|recipient| VALUES_OF_A_RECIPIENT + recipient.via.len());
    envelope.encoded_len() + (envelope.to.len() + recipients.sum::<usize>()) * VALUE_BYTES
}

/// The next file that has the name of an item in one of these states.
fn next_named<S: System>(names: &mut Names<S>, states: &[State]) -> Result<Option<Named>> {
    let states = if states.is_empty() { &STATES } else { states };
    while let Some(found) = names.next()? {
        if let Name::Item { id, state, format } = found.meaning()
            && states.contains(&state)
        {
            let id = id.to_string();
            return Ok(Some(Named { id, kind: found.kind, file: ItemFile { name: found.name, state, format } }));
        }
    }
    Ok(None)
}

fn check_limit(limit: usize) -> Result<usize> {
    if limit == 0 {
        return Err(Error::invalid("a limit of 0 could not be told from the end of the listing"));
    }
    Ok(limit)
}

/// A listing in one pass.
pub struct Listing<S: System> {
    queue: Rc<Queue<S>>,
    /// None after a failure.
    names: Option<Names<S>>,
    states: Vec<State>,
    detail: Detail,
}

impl<S: System> Listing<S> {
    /// Begins a listing of the items in these states; none given: all.
    pub fn open(queue: &Rc<Queue<S>>, states: &[State], detail: Detail) -> Result<Listing<S>> {
        let names = queue.names().map_err(|error| queue.error(error))?;
        Ok(Listing { queue: queue.clone(), names: Some(names), states: states.to_vec(), detail })
    }

    /// The next items; none at the end.
    pub fn next(&mut self, limit: usize) -> Result<Vec<Entry>> {
        let most = if self.detail == Detail::Name { MAX_PAGE } else { MAX_ITEM_PAGE };
        let limit = check_limit(limit)?.min(most);
        let Some(mut names) = self.names.take() else {
            return Err(Error::refused(Code::Aborted, "an earlier call of this listing failed: begin a new one"));
        };
        let (mut entries, mut bytes) = (Vec::new(), 0);
        while entries.len() < limit && bytes <= MAX_PAGE_BYTES {
            let named = next_named(&mut names, &self.states).map_err(|error| self.queue.error(error))?;
            let Some(named) = named else {
                break;
            };
            if let Some(entry) = self.queue.entry(named, self.detail) {
                bytes += size_of_entry(&entry);
                entries.push(entry);
            }
        }
        self.names = Some(names);
        Ok(entries)
    }
}
