//! A mail that is being written.

use super::put::{WriteOptions, too_large};
use super::{Durability, Queue, check_id};
use crate::acceptance;
use crate::durable_write::{TemporaryFile, TemporaryName};
use crate::encoder::Encoder;
use crate::error::{Code, Error, Operation, Result};
use crate::filesystem::System;
use crate::id::{self, DrawnFor};
use crate::limits::MAX_CHUNK_BYTES;
use crate::message::Envelope;
use crate::name::{Format, State, item};
use alloc::rc::Rc;
use alloc::string::String;

/// A mail that is being written. Dropped, it leaves nothing.
pub struct Draft<S: System> {
    queue: Rc<Queue<S>>,
    target: Target,
    durability: Durability,
    max_body_bytes: u64,
    /// None after a failure.
    encoder: Option<Encoder<TemporaryFile<S::Directory>>>,
}

/// What an item will be.
struct Target {
    id: String,
    /// Whether the id was drawn, and so is nobody else's.
    drawn: bool,
    format: Format,
}

/// A mail in a durable temporary file.
pub(super) struct Prepared<S: System> {
    queue: Rc<Queue<S>>,
    target: Target,
    file: TemporaryName<S::Directory>,
}

impl<S: System> Draft<S> {
    /// Begins a mail: `envelope.id`, or where that is empty an id that is drawn, which `envelope` then has.
    pub fn begin(
        queue: &Rc<Queue<S>>,
        envelope: &mut Envelope,
        options: &WriteOptions,
        length: Option<u64>,
    ) -> Result<Draft<S>> {
        queue.writable()?;
        acceptance::accept(envelope)?;
        envelope.created_at.get_or_insert_with(|| queue.system.now());
        let drawn = envelope.id.is_empty();
        let format = options.format.unwrap_or(Format::Text);
        if !drawn {
            check_id(&envelope.id)?;
        }
        // Counts the queue by a public function, whose error has the path of the queue already.
        queue.check_room(options.max_items)?;
        let mut begin = || {
            if !drawn && let Some(name) = queue.taken(&envelope.id)? {
                return Err(queue.exists(&envelope.id, &name));
            }
            let file = queue.draw(|random| {
                let file = TemporaryFile::create(&queue.directory, &queue.counters, random)?;
                if drawn {
                    // The temporary name is made of what the id is made of. While it is held, nobody else draws this id;
                    // so if no item has the id now, none will until this one is published, and rename replaces nothing.
                    envelope.id = id::draw(random, DrawnFor::Put);
                    if let Some(name) = queue.taken(&envelope.id)? {
                        return Err(Error::of(
                            Code::Exists,
                            Operation::Random,
                            &name,
                            "the id that was drawn is taken",
                        ));
                    }
                }
                Ok(file)
            })?;
            Encoder::begin(file, format, envelope, length)
        };
        let encoder = begin().map_err(|error| queue.error(error))?;
        Ok(Draft {
            queue: queue.clone(),
            target: Target { id: envelope.id.clone(), drawn, format },
            durability: options.durability,
            max_body_bytes: options.max_body_bytes,
            encoder: Some(encoder),
        })
    }

    /// Appends a part of the body that came as a stream.
    pub fn write_chunk(&mut self, chunk: &[u8]) -> Result<()> {
        if chunk.len() > MAX_CHUNK_BYTES {
            let error = Error::refused(Code::TooLarge, "the chunk is larger than `max-chunk-bytes`");
            return Err(self.fail(error));
        }
        self.write(chunk)
    }

    /// Appends a part of the body.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let encoder = self.encoder.as_mut().ok_or_else(aborted)?;
        if encoder.body_length().saturating_add(bytes.len() as u64) > self.max_body_bytes {
            return Err(self.fail(too_large()));
        }
        encoder.body(bytes).map_err(|error| self.fail(error))
    }

    /// Makes the mail durable, publishes it and returns its id.
    pub fn commit(self) -> Result<String> {
        let (queue, durability) = (self.queue.clone(), self.durability);
        queue.writable()?;
        queue.finish_put(self.prepare()?, durability)
    }

    /// Gives the mail up.
    pub fn abandon(mut self) -> Result<()> {
        match self.encoder.take() {
            Some(encoder) => encoder.abandon().close().discard().map_err(|error| self.queue.error(error)),
            None => Ok(()),
        }
    }

    /// Makes the mail durable under its temporary name.
    pub(super) fn prepare(mut self) -> Result<Prepared<S>> {
        let queue = self.queue.clone();
        let encoder = self.encoder.take().ok_or_else(aborted)?;
        // What fails here drops the temporary file, which removes it.
        let file =
            encoder.finish().and_then(|(file, _)| file.finish(self.durability)).map_err(|error| queue.error(error))?;
        Ok(Prepared { queue, target: self.target, file })
    }

    /// Gives the mail up because of an error, and returns that.
    #[cold]
    fn fail(&mut self, error: Error) -> Error {
        let error = match self.encoder.take() {
            Some(encoder) => encoder.abandon().close().give_up(error),
            None => error,
        };
        self.queue.error(error)
    }
}

impl<S: System> Prepared<S> {
    /// The id that the mail will have.
    pub(super) fn id(&self) -> &str {
        &self.target.id
    }

    /// Publishes the mail. The name is not durable yet.
    pub(super) fn publish(self) -> Result<()> {
        let Prepared { queue, target: Target { id, drawn, format }, file } = self;
        let name = item(&id, State::Ready, format);
        let published = if drawn { file.publish_replacing(&name) } else { file.publish_new(&name) };
        published.map_err(|error| {
            let error = if error.code == Code::Exists { queue.exists(&id, &name) } else { error };
            queue.note(&id, error)
        })
    }
}

#[cold]
fn aborted() -> Error {
    Error::refused(Code::Aborted, "an earlier write of this draft failed: begin a new one")
}
