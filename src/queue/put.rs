//! Puts: one, or several with one sync of the directory.

use super::draft::{Draft, Prepared};
use super::{Durability, Outcome, Queue, check_batch};
use crate::error::{Code, Error, Operation, Result};
use crate::filesystem::{Directory, System};
use crate::id::{self, DrawnFor};
use crate::limits::{MAX_BODY_BYTES, MAX_DRAWS, MAX_LIST_BODY_BYTES};
use crate::message::Envelope;
use crate::name::{FORMATS, Format, STATES, item};
use alloc::rc::Rc;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// How to write.
#[derive(Clone, Debug, PartialEq, Eq)]
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

impl Default for WriteOptions {
    fn default() -> WriteOptions {
        WriteOptions { durability: Durability::Full, format: None, max_items: None, max_body_bytes: MAX_BODY_BYTES }
    }
}

impl<S: System> Queue<S> {
    /// Queues a mail under `envelope.id`, or, where that is empty, under an id that is drawn. Returns the id.
    pub fn put(self: &Rc<Self>, envelope: &mut Envelope, body: &[u8], options: &WriteOptions) -> Result<String> {
        let prepared = self.prepare(envelope, body, options)?;
        self.finish_put(prepared, options.durability)
    }

    /// Queues several mails with one sync of the directory. One that is a problem already becomes its outcome.
    pub fn put_many(
        self: &Rc<Self>,
        mails: Vec<Result<(Envelope, Vec<u8>)>>,
        options: &WriteOptions,
    ) -> Result<Vec<Outcome>> {
        check_batch(mails.len())?;
        self.writable()?;
        let mut room = match options.max_items {
            Some(most) => most.saturating_sub(self.count_live()?),
            None => u64::MAX,
        };
        let options = WriteOptions { max_items: None, ..options.clone() };
        let mut outcomes: Vec<Outcome> = Vec::with_capacity(mails.len());
        let mut prepared: Vec<Option<Prepared<S>>> = Vec::with_capacity(mails.len());
        for mail in mails {
            let mut id = String::new();
            let written = mail.and_then(|(mut envelope, body)| {
                if room == 0 {
                    return Err(full());
                }
                let written = self.prepare(&mut envelope, &body, &options);
                id = envelope.id;
                written
            });
            room -= u64::from(written.is_ok());
            let (written, problem) = match written {
                Ok(written) => (Some(written), None),
                Err(problem) => (None, Some(problem)),
            };
            outcomes.push(Outcome { id, problem });
            prepared.push(written);
        }
        for (prepared, outcome) in prepared.into_iter().zip(&mut outcomes) {
            if let Some(prepared) = prepared {
                outcome.problem = prepared.publish().err();
            }
        }
        self.sync_outcomes(options.durability, &mut outcomes, None);
        self.counters.puts.add(outcomes.iter().filter(|outcome| outcome.problem.is_none()).count() as u64);
        Ok(outcomes)
    }

    /// Writes a mail to a temporary file and makes that durable.
    fn prepare(self: &Rc<Self>, envelope: &mut Envelope, body: &[u8], options: &WriteOptions) -> Result<Prepared<S>> {
        if body.len() as u64 > options.max_body_bytes.min(MAX_LIST_BODY_BYTES) {
            return Err(too_large());
        }
        let mut draft = Draft::begin(self, envelope, options, Some(body.len() as u64))?;
        draft.write(body)?;
        draft.prepare()
    }

    /// Publishes a mail, makes the name durable, and returns the id.
    pub(super) fn finish_put(&self, prepared: Prepared<S>, durability: Durability) -> Result<String> {
        let id = prepared.id().to_string();
        prepared.publish()?;
        self.sync_names(durability).map_err(|error| self.note(&id, error))?;
        self.counters.puts.add(1);
        Ok(id)
    }

    /// Refuses a put into a queue that is full.
    pub(super) fn check_room(&self, max_items: Option<u64>) -> Result<()> {
        match max_items {
            Some(most) if self.count_live()? >= most => Err(full()),
            _ => Ok(()),
        }
    }

    /// A name under which an item has this id, in whatever state and format.
    pub(super) fn taken(&self, id: &str) -> Result<Option<String>> {
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
            for file in self.files(id, &STATES)? {
                self.sync_or_doubt(id, &file)?;
            }
            self.counters.directory_syncs.add(1);
            self.directory.sync().map_err(|failure| {
                self.doubt(id);
                Error::filesystem(failure, Operation::SyncDirectory, name)
            })
        };
        match settle() {
            Ok(()) => Error::of(Code::Exists, Operation::Link, name, "an item of this id exists, and is safe"),
            Err(error) => error,
        }
    }

    /// Draws random numbers until `attempt` says something else than that what it makes of one is taken.
    pub(super) fn draw<T>(&self, mut attempt: impl FnMut(u64) -> Result<T>) -> Result<T> {
        let mut draws = 1;
        loop {
            match attempt(self.system.random()) {
                Err(error) if error.code == Code::Exists && draws < MAX_DRAWS => draws += 1,
                Err(error) if error.code == Code::Exists => {
                    return Err(error.with_code(Code::Busy).and("the host's randomness repeats"));
                }
                other => return other,
            }
        }
    }

    /// Draws an id for a caller that will put under it.
    pub fn new_id(system: &S) -> String {
        id::draw(system.random(), DrawnFor::Caller)
    }
}

#[cold]
fn full() -> Error {
    Error::refused(Code::QueueFull, "the queue holds as many items as it may: try again later")
}

/// The error for a body that is longer than it may be.
#[cold]
pub(super) fn too_large() -> Error {
    let detail = "the body is larger than `max-body-bytes`, or than `max-list-body-bytes` where it comes in one piece";
    Error::refused(Code::TooLarge, detail)
}
