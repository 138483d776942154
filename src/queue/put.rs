//! Puts: one, or several with one fsync of the directory.

use super::batch::{Outcome, check_batch};
use super::draft::{Draft, SyncedMail, WrittenMail, body_too_large};
use super::handle::Queue;
use super::write_options::WriteOptions;
use crate::error::{Cause, Error, Operation, Result};
use crate::item::envelope::Envelope;
use crate::item::id::{GeneratedFor, ItemId};
use crate::limits::MAX_LIST_BODY_BYTES;
use crate::storage::file_name::{FORMATS, STATES, item};
use crate::storage::filesystem::System;
use alloc::rc::Rc;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Files that are written before the first of them is fsynced: each is open until then, and a process may have few.
const MAX_OPEN_FILES: usize = 32;

/// `types.identified-mail`: a mail, and the id that the caller chose for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewMail {
    /// The id; none: a generated one.
    pub id: Option<String>,
    /// Sender and recipients. Its field `id` is not used.
    pub envelope: Envelope,
    /// The message.
    pub body: Vec<u8>,
}

impl<S: System> Queue<S> {
    /// Queues a mail and returns its id.
    pub fn put(self: &Rc<Self>, mail: NewMail, options: &WriteOptions) -> Result<String> {
        self.write_draft(mail, options)?.finish()?.commit()
    }

    /// Queues several mails with one fsync of the directory.
    pub fn put_many(self: &Rc<Self>, mails: Vec<NewMail>, options: &WriteOptions) -> Result<Vec<Outcome>> {
        check_batch(mails.len())?;
        self.check_open()?;
        self.sync_preexisting_entries(options.durability).map_err(|error| self.error(error))?;
        let mut room = match options.max_items {
            Some(max_items) => max_items.saturating_sub(self.count_live()?),
            None => u64::MAX,
        };
        let options = WriteOptions { max_items: None, ..*options };
        let mut outcomes = Vec::with_capacity(mails.len());
        let mut synced: Vec<(usize, SyncedMail<S>)> = Vec::new();
        let mut mails = mails.into_iter().peekable();
        while mails.peek().is_some() {
            let mut written: Vec<(usize, WrittenMail<S>)> = Vec::new();
            for mail in mails.by_ref().take(MAX_OPEN_FILES) {
                let mut id = mail.id.clone();
                let result =
                    if room == 0 { Err(self.full()) } else { self.write_draft(mail, &options).and_then(Draft::finish) };
                let problem = result.map(|mail| {
                    room -= 1;
                    mail.start_writeback();
                    id = Some(mail.id().to_string());
                    written.push((outcomes.len(), mail));
                });
                outcomes.push(Outcome { id, problem: problem.err() });
            }
            // The first fsync commits the file system's journal for all of them.
            for (place, mail) in written {
                match mail.sync() {
                    Ok(mail) => synced.push((place, mail)),
                    Err(error) => outcomes[place].problem = Some(error),
                }
            }
        }
        for (place, mail) in synced {
            // An earlier mail may have closed the queue.
            outcomes[place].problem = self.check_open().and_then(|()| mail.publish_one_of_many()).err();
        }
        self.sync_outcomes(options.durability, &mut outcomes, |code| code.is_none());
        self.counters.puts.add(outcomes.iter().filter(|outcome| outcome.problem.is_none()).count() as u64);
        Ok(outcomes)
    }

    /// Generates an id for a caller that will put under it.
    pub fn new_id(system: &S) -> String {
        ItemId::generate(system.random(), GeneratedFor::Caller).into_string()
    }

    /// Writes a mail that comes in one piece to a draft.
    fn write_draft(self: &Rc<Self>, mail: NewMail, options: &WriteOptions) -> Result<Draft<S>> {
        let NewMail { id, envelope, body } = mail;
        let length = body.len() as u64;
        if length > options.max_body_bytes.min(MAX_LIST_BODY_BYTES) {
            return Err(body_too_large());
        }
        let mut draft = Draft::begin(self, id.as_deref(), envelope, options, Some(length))?;
        draft.write(&body)?;
        Ok(draft)
    }

    /// Refuses a put into a queue that is full.
    pub(super) fn check_room(&self, max_items: Option<u64>) -> Result<()> {
        match max_items {
            Some(max_items) if self.count_live()? >= max_items => Err(self.full()),
            _ => Ok(()),
        }
    }

    fn full(&self) -> Error {
        Error::new(Cause::QueueFull, Operation::None, self.path())
    }

    /// Returns a name under which an item has this id, in any state and format.
    pub(super) fn taken(&self, id: &str) -> Result<Option<String>> {
        for state in STATES {
            for format in FORMATS {
                let name = item(id, state, format);
                if self.file_type(&name)?.is_some() {
                    return Ok(Some(name));
                }
            }
        }
        Ok(None)
    }

    /// Returns the error `exists`, once the item and its name survive power loss, or the error that keeps them from it.
    pub(super) fn exists(&self, id: &str, name: &str) -> Error {
        match self.sync_found(id) {
            Ok(()) => Error::new(Cause::Exists, Operation::Link, name),
            Err(error) => error.at_path(name),
        }
    }

    /// Fsyncs every file of an id, and the directory.
    fn sync_found(&self, id: &str) -> Result<()> {
        self.check_no_mark("")?;
        for file in self.files(id, &STATES)? {
            self.sync_existing(id, &file)?;
        }
        self.sync_directory().map_err(|error| match error.cause {
            Cause::NoDirectorySync => error,
            _ => self.close_for(id, error).needs_recovery(),
        })
    }
}
