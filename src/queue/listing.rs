//! Listings: names, envelopes, or everything checked; in one pass and no order, or in pages and in order.

use super::names::Names;
use super::read::info;
use super::smallest::Smallest;
use super::{Info, ItemFile, LIVE, Outcome, Queue, check_batch, check_id, not_regular};
use crate::error::{Code, Error, Fields, Result};
use crate::filesystem::{Kind, System};
use crate::limits::{MAX_ITEM_PAGE, MAX_PAGE, MAX_PAGE_BYTES, VALUE_BYTES};
use crate::list::{List, Maybe, Text};
use crate::name::{Name, STATES, State};
use crate::reader::Judgement;
use alloc::boxed::Box;
use alloc::rc::Rc;
use core::cmp::Ordering;

/// `types.detail`: what a listing says of each item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "documented in `wit/types.wit`")]
#[repr(u8)]
pub enum Detail {
    Name,
    Envelope,
    Whole,
}

/// `types.entry`: one item of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Entry {
    /// Its id, of its file name.
    pub id: Text,
    /// Where it stands.
    pub state: State,
    /// What it is, as far as that was asked for and could be read.
    pub info: Maybe<Info>,
    /// What is wrong with it.
    pub problem: Maybe<Fields>,
}

/// `types.page`: some items, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Page {
    /// The items.
    pub entries: List<Entry>,
    /// After which id the next page begins; none at the end.
    pub next: Maybe<Text>,
}

/// `types.id-page`: some ids, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct IdPage {
    /// The ids.
    pub ids: List<Text>,
    /// After which id the next page begins; none at the end.
    pub next: Maybe<Text>,
}

/// `types.counts`: how many files of each kind there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
#[allow(missing_docs, reason = "documented in `wit/types.wit`")]
pub struct Counts {
    pub ready: u64,
    pub held: u64,
    pub quarantined: u64,
    pub temporary: u64,
    pub foreign: u64,
}

/// A file that has the name of an item.
#[derive(PartialEq, Eq)]
struct Named {
    file: ItemFile,
    kind: Kind,
}

impl Named {
    /// The order of a listing: by id, then by name.
    fn key(&self) -> (&str, &str) {
        (self.file.id(), &self.file.name)
    }
}

impl Ord for Named {
    fn cmp(&self, other: &Named) -> Ordering {
        self.key().cmp(&other.key())
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
    pub fn list_ids(&self, states: &[State], after: Option<&Text>, limit: usize) -> Result<IdPage> {
        let limit = check_limit(limit)?.min(MAX_PAGE);
        let list = || {
            let mut page = IdPage { ids: List::new(), next: Maybe::None };
            // One more than the page has says whether there is a next one. The same id can be there twice.
            for named in &self.smallest(states, after, limit + MAX_NAMES)? {
                let id = named.file.id();
                if page.ids.last().is_some_and(|last| **last == *id) {
                    continue;
                }
                if page.ids.len() >= limit {
                    page.next = page.ids.last().cloned().into();
                    break;
                }
                page.ids.push(id.into());
            }
            Ok(page)
        };
        list().map_err(|error| self.error(error))
    }

    /// The items with these ids.
    pub fn list_items(&self, states: &[State], after: Option<&Text>, limit: usize) -> Result<Page> {
        let limit = check_limit(limit)?.min(MAX_ITEM_PAGE);
        let list = || {
            let mut page = Page { entries: List::new(), next: Maybe::None };
            let mut last = Text::default();
            let (mut listed, mut bytes) = (0, 0);
            for named in &self.smallest(states, after, limit + MAX_NAMES)? {
                if *last != *named.file.id() {
                    if listed >= limit || bytes > MAX_PAGE_BYTES {
                        page.next = Maybe::Some(last);
                        break;
                    }
                    last = named.file.id().into();
                }
                listed += 1;
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
    fn smallest(&self, states: &[State], after: Option<&Text>, most: usize) -> Result<List<Named>> {
        let mut smallest = Smallest::new(most);
        let mut names = self.names()?;
        while let Some(named) = next_named(&mut names, states)? {
            if after.is_none_or(|after| *named.file.id() > **after) {
                smallest.push(named);
            }
        }
        Ok(smallest.into_sorted())
    }

    /// Checks items whole, in whatever state.
    pub fn verify(&self, ids: &[Text]) -> Result<List<Outcome>> {
        check_batch(ids.len())?;
        let mut outcomes = List::new();
        for id in ids {
            let verified = check_id(id).and_then(|()| self.checked(&self.any_file(id)?));
            outcomes.push(Outcome::of(id, verified.map_err(|error| self.error(error))));
        }
        Ok(outcomes)
    }

    /// What a listing says of a file; none if it vanished.
    fn entry(&self, named: &Named, detail: Detail) -> Option<Entry> {
        let Named { file, kind } = named;
        let (id, state) = (file.id(), file.state());
        let info = || {
            check_id(id).map_err(|error| error.at_path(&file.name))?;
            if *kind != Kind::Regular {
                return Err(not_regular(&file.name));
            }
            if detail == Detail::Whole && LIVE.contains(&state) {
                self.file(id, &LIVE)?;
            }
            match detail {
                Detail::Name => Ok(None),
                Detail::Envelope => Ok(Some(info(id, file, &mut *self.reader(file, Judgement::Item)?))),
                Detail::Whole => Ok(Some(info(id, file, &mut *self.checked(file)?))),
            }
        };
        let (info, problem) = match info() {
            Ok(info) => (info, None),
            Err(error) if error.code == Code::NotFound => return None,
            Err(error) => (None, Some(self.error(error))),
        };
        Some(Entry { id: id.into(), state, info: info.map(|info| *info).into(), problem: super::problem(problem) })
    }
}

/// What an entry takes where a host holds it.
fn size_of_entry(entry: &Entry) -> usize {
    // The fields of a recipient, and the recipient itself.
    const VALUES_OF_A_RECIPIENT: usize = 8;
    let Some(Info { envelope, .. }) = entry.info.as_ref() else {
        return 0;
    };
    let recipients = envelope.recipients.iter().map(|recipient| VALUES_OF_A_RECIPIENT + recipient.via.len());
    envelope.size() + (envelope.to.len() + recipients.sum::<usize>()) * VALUE_BYTES
}

/// The next file that has the name of an item in one of these states.
fn next_named<S: System>(names: &mut Names<S>, states: &[State]) -> Result<Option<Named>> {
    let states = if states.is_empty() { &STATES } else { states };
    while let Some(found) = names.next()? {
        if let Name::Item { state, .. } = found.meaning()
            && states.contains(&state)
        {
            return Ok(Some(Named { kind: found.kind, file: ItemFile { name: found.name } }));
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
    names: Option<Box<Names<S>>>,
    states: List<State>,
    detail: Detail,
}

impl<S: System> Listing<S> {
    /// Begins a listing of the items in these states; none given: all.
    pub fn open(queue: &Rc<Queue<S>>, states: List<State>, detail: Detail) -> Result<Listing<S>> {
        let names = queue.names().map_err(|error| queue.error(error))?;
        Ok(Listing { queue: queue.clone(), names: Some(names), states, detail })
    }

    /// The next items; none at the end.
    pub fn next(&mut self, limit: usize) -> Result<List<Entry>> {
        let most = if self.detail == Detail::Name { MAX_PAGE } else { MAX_ITEM_PAGE };
        let limit = check_limit(limit)?.min(most);
        let Some(mut names) = self.names.take() else {
            return Err(Error::refused(Code::Aborted, "an earlier call of this listing failed: begin a new one"));
        };
        let (mut entries, mut bytes) = (List::new(), 0);
        while entries.len() < limit && bytes <= MAX_PAGE_BYTES {
            let named = next_named(&mut names, &self.states).map_err(|error| self.queue.error(error))?;
            let Some(named) = named else {
                break;
            };
            if let Some(entry) = self.queue.entry(&named, self.detail) {
                bytes += size_of_entry(&entry);
                entries.push(entry);
            }
        }
        self.names = Some(names);
        Ok(entries)
    }
}
