//! Puts: one, or several with one sync of the directory.

use super::draft::Draft;
use super::{Durability, Outcome, Queue, check_batch, check_id, problem};
use crate::error::{Code, Error, Operation, Result};
use crate::filesystem::System;
use crate::id::{self, DrawnFor};
use crate::limits::{MAX_BODY_BYTES, MAX_LIST_BODY_BYTES};
use crate::list::{List, Maybe, Text};
use crate::message::{Envelope, Header};
use crate::mutant::{Safeguard, removed};
use crate::name::{FORMATS, Format, STATES, item};
use alloc::boxed::Box;
use alloc::rc::Rc;

/// Files that are written before the first of them is synced: each is open until then, and a process may have few.
const MAX_OPEN_FILES: usize = 32;

/// How to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteOptions {
    /// When to answer.
    pub durability: Durability,
    /// How to store; none: as text, or as the item is stored.
    pub format: Option<Format>,
    /// How many items the queue may hold before; none: any number.
    pub max_items: Option<u64>,
    /// Bytes of the body, at most.
    pub max_body_bytes: u64,
}

impl WriteOptions {
    /// Durable, as text, and without a limit that is not the component's.
    pub const DEFAULT: WriteOptions =
        WriteOptions { durability: Durability::Full, format: None, max_items: None, max_body_bytes: MAX_BODY_BYTES };
}

/// `types.mail`, and the id that it is to have.
#[derive(Default)]
#[repr(C)]
pub struct Given {
    /// The id; none: one that is drawn.
    pub id: Maybe<Text>,
    /// Who sent it, to whom.
    pub envelope: Envelope,
    /// The message.
    pub body: List<u8>,
}

/// What becomes an item's header: the id that was given, or an empty one where it is to be drawn.
/// Both are taken.
pub fn header(id: &mut Maybe<Text>, envelope: &mut Envelope) -> Result<Header> {
    let mut header = Header::default();
    if let Maybe::Some(id) = id {
        check_id(id)?;
        core::mem::swap(id, &mut header.id);
    }
    core::mem::swap(envelope, &mut header.envelope);
    Ok(header)
}

impl<S: System> Queue<S> {
    /// Queues a mail under an id, or under one that is drawn. Returns the id.
    pub fn put(self: &Rc<Self>, mail: &mut Given, options: &WriteOptions) -> Result<Text> {
        self.write(mail, options, &mut Text::default())?.finish()
    }

    /// Queues several mails with one sync of the directory.
    pub fn put_many(self: &Rc<Self>, mails: &mut [Given], options: &WriteOptions) -> Result<List<Outcome>> {
        check_batch(mails.len())?;
        self.writable()?;
        let mut room = match options.max_items {
            Some(most) => most.saturating_sub(self.count_live()?),
            None => u64::MAX,
        };
        let options = WriteOptions { max_items: None, ..*options };
        let mut outcomes = List::new();
        let mut written: List<(usize, Box<Draft<S>>)> = List::new();
        for mails in mails.chunks_mut(MAX_OPEN_FILES) {
            let begin = written.len();
            for mail in mails {
                let mut id = Text::default();
                let draft = if room == 0 { Err(self.full()) } else { self.write(mail, &options, &mut id) };
                let draft = draft.map(|draft| {
                    room -= 1;
                    draft.start_writeback();
                    written.push((outcomes.len(), draft));
                });
                outcomes.push(Outcome::of(&id, draft));
            }
            // The first sync commits what the file system knows of all of them.
            for (place, draft) in written.iter_mut().skip(begin) {
                if let Some(outcome) = outcomes.get_mut(*place) {
                    outcome.problem = problem(draft.prepare().err());
                }
            }
        }
        for (place, draft) in written.iter_mut() {
            if let Some(outcome) = outcomes.get_mut(*place).filter(|outcome| outcome.problem.is_none()) {
                outcome.problem = problem(draft.publish().err());
            }
        }
        self.sync_outcomes(options.durability, &mut outcomes, Code::NeedsRecovery);
        self.counters.puts.add(outcomes.iter().filter(|outcome| outcome.problem.is_none()).count() as u64);
        Ok(outcomes)
    }

    /// Writes a mail to a temporary file. Says in `id` which one it has, as soon as that is known.
    fn write(self: &Rc<Self>, mail: &mut Given, options: &WriteOptions, id: &mut Text) -> Result<Box<Draft<S>>> {
        let mut header = header(&mut mail.id, &mut mail.envelope)?;
        let body = core::mem::take(&mut mail.body);
        if body.len() as u64 > options.max_body_bytes.min(MAX_LIST_BODY_BYTES) {
            return Err(too_large());
        }
        let begun = Draft::begin(self, &mut header, options, Some(body.len() as u64));
        *id = header.id;
        let mut draft = begun?;
        draft.write(&body)?;
        draft.complete()?;
        Ok(draft)
    }

    /// Refuses a put into a queue that is full.
    pub(super) fn check_room(&self, max_items: Option<u64>) -> Result<()> {
        match max_items {
            Some(most) if self.count_live()? >= most => Err(self.full()),
            _ => Ok(()),
        }
    }

    fn full(&self) -> Error {
        let detail = "the queue holds as many items as it may: try again later";
        Error::of(Code::QueueFull, Operation::None, &self.path, detail)
    }

    /// A name under which an item has this id, in whatever state and format.
    pub(super) fn taken(&self, id: &str) -> Result<Option<Text>> {
        for state in STATES {
            for format in FORMATS {
                let name = item(id, state, format);
                if self.kind(&name)?.is_some() {
                    return Ok(Some(name));
                }
            }
        }
        Ok(None)
    }

    /// The answer `exists`, once what it says survives power loss: the item, and its name.
    pub(super) fn exists(&self, id: &str, name: &str) -> Error {
        let settle = || {
            if removed(Safeguard::ExistsSync) {
                return Ok(());
            }
            for file in &self.files(id, &STATES)? {
                self.sync_or_doubt(id, file)?;
            }
            self.sync_directory().map_err(|error| {
                self.doubt(id);
                error.at_path(name)
            })
        };
        match settle() {
            Ok(()) => Error::of(Code::Exists, Operation::Link, name, "an item of this id exists, and is safe"),
            Err(error) => error,
        }
    }

    /// Draws an id for a caller that will put under it.
    pub fn new_id(system: &S) -> Text {
        id::draw(system.random(), DrawnFor::Caller)
    }
}

/// The error for a body that is longer than it may be.
#[cold]
pub(super) fn too_large() -> Error {
    let detail = "the body is larger than `max-body-bytes`, or than `max-list-body-bytes` where it comes in one piece";
    Error::refused(Code::TooLarge, detail)
}
