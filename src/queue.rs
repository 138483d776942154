//! A queue: a directory, and what is known of it.
//!
//! Every change ends in [`Queue::sync_names`], which is where it becomes durable, or the queue closed for writing.

mod draft;
mod listing;
mod moves;
mod names;
mod put;
mod read;
mod recover;
mod remove;
mod replace;
mod smallest;

pub use draft::Draft;
pub use listing::{Counts, Detail, Entry, IdPage, Listing, Page};
pub use put::{Given, WriteOptions, header};
pub use read::{Attribute, BodyReader, Info, Item};
pub use recover::Recovery;
pub use replace::EnvelopeChange;

pub use crate::durable_write::Durability;
pub use crate::reader::Integrity;

use crate::counters::Counters;
use crate::durable_write::{Temporary, TemporaryFile, draw};
use crate::error::{Code, Error, Fields, Operation, Result};
use crate::filesystem::{Directory, Failure, File, Kind, System};
use crate::id;
use crate::limits::{MAX_BATCH, MAX_DOUBTFUL};
use crate::list::{List, Maybe, Text};
use crate::mutant::{Safeguard, removed};
use crate::name::{self, FORMATS, Format, Name, State};
use alloc::vec::Vec;
use core::cell::Cell;

/// `types.outcome`: what became of one of several items.
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Outcome {
    /// Its id.
    pub id: Text,
    /// What went wrong; none if nothing did.
    pub problem: Maybe<Fields>,
}

impl Outcome {
    fn of<T>(id: &str, result: Result<T>) -> Outcome {
        Outcome { id: id.into(), problem: problem(result.err()) }
    }
}

/// What went wrong, if anything did.
#[inline(never)]
fn problem(error: Option<Error>) -> Maybe<Fields> {
    error.map(Error::into_fields).into()
}

/// A directory that holds items.
pub struct Queue<S: System> {
    system: &'static S,
    counters: &'static Counters,
    /// The guest path, for errors.
    path: Text,
    directory: S::Directory,
    /// Whether the directory is gone.
    gone: Cell<bool>,
    /// Whether the queue is closed for writing until it is recovered.
    needs_recovery: Cell<bool>,
    /// Whether the names that were there when it was opened are durable.
    inherited: Cell<bool>,
    doubt: Cell<Doubt>,
}

/// What a failed sync left behind.
#[derive(Default)]
struct Doubt {
    /// Ids whose items may not survive power loss, at most [`MAX_DOUBTFUL`] of them.
    ids: List<Text>,
    /// Whether there are more than `ids` holds.
    more: bool,
}

/// The file of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ItemFile {
    name: Text,
}

impl ItemFile {
    /// What the name says: whose item it is, where that stands, and how it is stored.
    fn meaning(&self) -> (&str, State, Format) {
        match name::parse(&self.name) {
            Name::Item { id, state, format } => (id, state, format),
            Name::Temporary | Name::Foreign => (&self.name, State::Ready, Format::Text),
        }
    }

    fn id(&self) -> &str {
        self.meaning().0
    }

    fn state(&self) -> State {
        self.meaning().1
    }

    fn format(&self) -> Format {
        self.meaning().2
    }
}

/// An open file of a queue over `S`.
type FileOf<S> = <<S as System>::Directory as Directory>::File;

impl<S: System> Queue<S> {
    /// Opens the queue in the directory that `path` names.
    pub fn open(system: &'static S, counters: &'static Counters, path: &str) -> Result<Queue<S>> {
        Ok(Queue {
            directory: system.directory(path)?,
            system,
            counters,
            path: path.into(),
            gone: Cell::default(),
            needs_recovery: Cell::default(),
            inherited: Cell::default(),
            doubt: Cell::default(),
        })
    }

    /// Marks the queue as in need of recovery.
    pub fn require_recovery(&self) {
        self.needs_recovery.set(true);
    }

    /// Whether the queue is closed for writing until it is recovered.
    pub fn needs_recovery(&self) -> bool {
        self.needs_recovery.get()
    }

    /// The guest path.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether the directory is gone, and nothing is lost with it that only this queue knows.
    pub fn is_gone(&self) -> bool {
        self.gone.get() && !self.needs_recovery()
    }

    /// Refuses a change of a queue that must be recovered first.
    fn writable(&self) -> Result<()> {
        if self.needs_recovery() && !removed(Safeguard::Close) {
            let detail =
                "a sync failed earlier, and what it was for may not survive power loss: recover the queue first";
            return Err(Error::of(Code::NeedsRecovery, Operation::None, &self.path, detail));
        }
        Ok(())
    }

    /// Notes that the item of an id may not survive power loss.
    fn doubt(&self, id: &str) {
        self.require_recovery();
        let mut doubt = self.doubt.take();
        if doubt.ids.len() >= MAX_DOUBTFUL {
            doubt.more = true;
        } else if !doubt.ids.iter().any(|doubtful| **doubtful == *id) {
            doubt.ids.push(id.into());
        }
        self.doubt.set(doubt);
    }

    /// Gives an error of something in the directory the path of that, and notes what it says of the directory. Functions
    /// that are public do it, once.
    #[cold]
    #[inline(never)]
    fn error(&self, mut error: Error) -> Error {
        if error.code == Code::NotFound
            && matches!(error.operation, Operation::Create | Operation::SyncDirectory | Operation::ReadDirectory)
        {
            self.gone.set(true);
        }
        if error.operation != Operation::None || !error.path.is_empty() {
            let separator = if error.path.is_empty() || self.path.ends_with('/') { "" } else { "/" };
            error.path = Text::of(&[&self.path, separator, &error.path]);
        }
        error
    }

    /// The same, and notes what the error of one item means for the queue: an indeterminate one leaves it in doubt.
    #[cold]
    #[inline(never)]
    fn note(&self, id: &str, error: Error) -> Error {
        if error.code == Code::Indeterminate {
            self.doubt(id);
        }
        self.error(error)
    }

    /// Makes durable what was done to names. If that fails, the queue is closed for writing, and the effect of the calls
    /// that wait for this is indeterminate. A failed sync is never repeated.
    fn sync_names(&self, durability: Durability) -> Result<()> {
        if durability != Durability::Full || removed(Safeguard::NameSync) {
            return Ok(());
        }
        self.sync_directory().map_err(Error::indeterminate)
    }

    /// Makes durable, once, the names that were there when the queue was opened: a process that was killed may have left changes
    /// of names that are visible and not durable. A new item must not survive a crash that one of those does not.
    fn sync_inherited(&self, durability: Durability) -> Result<()> {
        if durability != Durability::Full || self.inherited.get() || removed(Safeguard::InheritedSync) {
            return Ok(());
        }
        self.sync_directory()
    }

    /// Makes all names durable, or closes the queue for writing.
    fn sync_directory(&self) -> Result<()> {
        self.counters.directory_syncs.add(1);
        self.directory.sync().map_err(|failure| {
            self.require_recovery();
            Error::filesystem(failure, Operation::SyncDirectory, "")
        })?;
        self.inherited.set(true);
        Ok(())
    }

    /// Changes several items and then syncs the directory once for all.
    fn batch(
        &self,
        ids: &[Text],
        durability: Durability,
        change: &dyn Fn(&str) -> Result<()>,
    ) -> Result<List<Outcome>> {
        check_batch(ids.len())?;
        self.writable()?;
        let mut outcomes = List::new();
        for id in ids {
            let changed = check_id(id).and_then(|()| change(id));
            outcomes.push(Outcome::of(id, changed.map_err(|error| self.note(id, error))));
        }
        // An item that is not there may be one whose removal is not durable yet.
        let gone = if removed(Safeguard::NotFoundSync) { Code::NeedsRecovery } else { Code::NotFound };
        self.sync_outcomes(durability, &mut outcomes, gone);
        Ok(outcomes)
    }

    /// Syncs the directory for the outcomes that are done, or have the problem `done`; if that fails, they are
    /// indeterminate, and their items in doubt.
    fn sync_outcomes(&self, durability: Durability, outcomes: &mut [Outcome], done: Code) {
        let is_done = |outcome: &&mut Outcome| outcome.problem.as_ref().is_none_or(|problem| problem.code == done);
        let mut done = outcomes.iter_mut().filter(is_done).peekable();
        if done.peek().is_some()
            && let Err(error) = self.sync_names(durability)
        {
            for outcome in done {
                outcome.problem = problem(Some(self.note(&outcome.id, error.again())));
            }
        }
    }

    /// What kind of file a name has; none if it is free.
    fn kind(&self, name: &str) -> Result<Option<Kind>> {
        match self.directory.stat(name) {
            Ok(stat) => Ok(Some(stat.kind)),
            Err(Failure::NoEntry) => Ok(None),
            Err(failure) => Err(Error::filesystem(failure, Operation::Stat, name)),
        }
    }

    /// The files that an id has in these states, under the names that are made of it.
    fn files(&self, id: &str, states: &[State]) -> Result<List<ItemFile>> {
        let mut files = List::new();
        for &state in states {
            for format in FORMATS {
                let name = name::item(id, state, format);
                match self.kind(&name)? {
                    None => {}
                    Some(Kind::Regular) => files.push(ItemFile { name }),
                    Some(_) => return Err(not_regular(&name)),
                }
            }
        }
        Ok(files)
    }

    /// The one file of an id in these states: the more restrained one of two that are the same, since a crash can leave
    /// a second name.
    fn file(&self, id: &str, states: &[State]) -> Result<Option<ItemFile>> {
        let mut files = self.files(id, states)?;
        let Some(file) = files.pop() else {
            return Ok(None);
        };
        for other in &files {
            if !self.same_content(&file, other)? {
                let detail =
                    Text::of(&["`", &other.name, "` has the same id and other content: move one of the two away"]);
                return Err(Error::of(Code::Conflict, Operation::None, &file.name, &detail));
            }
        }
        Ok(Some(file))
    }

    /// The one file of an id that is ready or held.
    fn live_file(&self, id: &str) -> Result<ItemFile> {
        match self.file(id, &LIVE)? {
            Some(file) => Ok(file),
            None => match self.files(id, &[State::Quarantined])?.pop() {
                None => Err(not_found(id)),
                Some(file) => {
                    let detail = "the item is quarantined: restore it first";
                    Err(Error::of(Code::Conflict, Operation::None, &file.name, detail))
                }
            },
        }
    }

    /// The one file of an id: ready or held, or else quarantined.
    fn any_file(&self, id: &str) -> Result<ItemFile> {
        match self.file(id, &LIVE)? {
            Some(file) => Ok(file),
            None => self.file(id, &[State::Quarantined])?.ok_or_else(|| not_found(id)),
        }
    }

    /// A new temporary file.
    fn temporary(&self) -> Result<Temporary<S>> {
        draw(self.system, &mut |random| TemporaryFile::create(&self.directory, self.counters, random))
    }

    /// Whether two files are one, or have the same bytes.
    fn same_content(&self, one: &ItemFile, other: &ItemFile) -> Result<bool> {
        let identity = |file: &ItemFile| {
            let identity = self.directory.identity(&file.name);
            identity.map_err(|failure| Error::filesystem(failure, Operation::Stat, &file.name))
        };
        if identity(one)? == identity(other)? {
            return Ok(true);
        }
        let files = (self.open_file(one)?, self.open_file(other)?);
        let mut offset = 0;
        loop {
            let bytes = (read_some(&files.0, one, offset)?, read_some(&files.1, other, offset)?);
            if bytes.0 != bytes.1 {
                return Ok(false);
            }
            if bytes.0.is_empty() {
                return Ok(one.format() == other.format());
            }
            offset += bytes.0.len() as u64;
        }
    }

    fn open_file(&self, file: &ItemFile) -> Result<FileOf<S>> {
        let opened = self.directory.open(&file.name);
        opened.map_err(|failure| Error::filesystem(failure, Operation::Open, &file.name))
    }

    /// Makes the content of an item durable that somebody else wrote, or notes that it may not be.
    fn sync_or_doubt(&self, id: &str, file: &ItemFile) -> Result<()> {
        self.sync_file(file).inspect_err(|error| {
            if error.operation == Operation::Sync {
                self.doubt(id);
            }
        })
    }

    /// Makes the content of an item durable. It fails once: a second sync could lie.
    fn sync_file(&self, file: &ItemFile) -> Result<()> {
        let opened = self.open_file(file)?;
        self.counters.file_syncs.add(1);
        opened.sync().map_err(|failure| Error::filesystem(failure, Operation::Sync, &file.name))
    }
}

/// The states of an item that a mail server would deliver, now or later.
const LIVE: [State; 2] = [State::Ready, State::Held];

/// The next bytes of a file: as many as are read at a time, but at its end.
fn read_some<F: File>(file: &F, of: &ItemFile, offset: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while bytes.len() < crate::input::READ_BYTES {
        let more = file.read(crate::input::READ_BYTES - bytes.len(), offset + bytes.len() as u64);
        let more = more.map_err(|failure| Error::filesystem(failure, Operation::Read, &of.name))?;
        if more.is_empty() {
            break;
        }
        bytes.extend_from_slice(&more);
    }
    Ok(bytes)
}

fn check_id(id: &str) -> Result<()> {
    id::check(id).map_err(|invalid| Error::invalid(invalid.text()))
}

fn check_batch(length: usize) -> Result<()> {
    if length > MAX_BATCH {
        return Err(Error::refused(Code::TooLarge, "the call is for more items than `max-batch`"));
    }
    Ok(())
}

#[cold]
fn not_found(id: &str) -> Error {
    let name = name::item(id, State::Ready, Format::Text);
    Error::of(Code::NotFound, Operation::Stat, &name, "there is no item of this id")
}

#[cold]
fn not_regular(name: &str) -> Error {
    let detail = "the name of an item is taken by something that is not a regular file: move it away by hand";
    Error::of(Code::Unsupported, Operation::Stat, name, detail)
}
