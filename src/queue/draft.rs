//! A mail that is being written.

use super::put::{WriteOptions, too_large};
use super::{Durability, Queue, check_id};
use crate::acceptance;
use crate::durable_write::{Temporary, TemporaryFile, draw};
use crate::encoder::Encoder;
use crate::error::{Code, Error, Operation, Result};
use crate::filesystem::System;
use crate::id::{self, DrawnFor};
use crate::limits::MAX_CHUNK_BYTES;
use crate::list::{Maybe, Text};
use crate::message::Header;
use crate::mutant::{Safeguard, removed};
use crate::name::{Format, State, item};
use alloc::boxed::Box;
use alloc::rc::Rc;

/// A mail that is being written. Dropped, it leaves nothing.
pub struct Draft<S: System> {
    queue: Rc<Queue<S>>,
    id: Text,
    /// Whether the id was drawn, and so is nobody else's.
    drawn: bool,
    format: Format,
    durability: Durability,
    max_body_bytes: u64,
    file: Temporary<S>,
    /// None after a failure, and once everything was written.
    encoder: Option<Encoder>,
}

impl<S: System> Draft<S> {
    /// Begins a mail under the id of `header`, or where that is empty under one that is drawn, which `header` then has.
    pub fn begin(
        queue: &Rc<Queue<S>>,
        header: &mut Header,
        options: &WriteOptions,
        length: Option<u64>,
    ) -> Result<Box<Draft<S>>> {
        queue.writable()?;
        acceptance::accept(&mut header.envelope)?;
        let now = queue.system.now();
        if header.envelope.created_at.is_none() {
            header.envelope.created_at = Maybe::Some(now);
        }
        let drawn = header.id.is_empty();
        let format = options.format.unwrap_or(Format::Text);
        if !drawn {
            check_id(&header.id)?;
        }
        // Counts the queue by a public function, whose error has the path of the queue already.
        queue.check_room(options.max_items)?;
        let mut begin = || {
            if !drawn {
                queue.sync_inherited(options.durability)?;
            }
            let look = !drawn && !removed(Safeguard::LookAtGiven);
            if look && let Some(name) = queue.taken(&header.id)? {
                return Err(queue.exists(&header.id, &name));
            }
            let file = draw(queue.system, &mut |random| {
                // Where randomness repeats, as in a copy of a machine, the time does not.
                let random = random ^ now.mixed();
                let file = TemporaryFile::create(&queue.directory, queue.counters, random)?;
                if drawn {
                    // The temporary name is made of what the id is made of. While it is held, nobody else draws this id;
                    // so if the name is free now, it is until this item is published, and rename replaces nothing. Names
                    // of other states are not looked at: they are as unlikely, and would not be replaced.
                    header.id = id::draw(random, DrawnFor::Put);
                    let name = item(&header.id, State::Ready, format);
                    if !removed(Safeguard::LookAtDrawn) && queue.kind(&name)?.is_some() {
                        let detail = "the id that was drawn is taken";
                        return Err(Error::of(Code::Exists, Operation::Random, &name, detail));
                    }
                }
                Ok(file)
            })?;
            let encoder = Some(Encoder::begin(format, header, length)?);
            Ok(Box::new(Draft {
                queue: queue.clone(),
                id: header.id.clone(),
                drawn,
                format,
                durability: options.durability,
                max_body_bytes: options.max_body_bytes,
                file,
                encoder,
            }))
        };
        begin().map_err(|error| queue.error(error))
    }

    /// Appends a part of the body that came as a stream.
    pub fn write_chunk(&mut self, chunk: &[u8]) -> Result<()> {
        if chunk.len() > MAX_CHUNK_BYTES {
            return Err(self.fail(Error::refused(Code::TooLarge, "the chunk is larger than `max-chunk-bytes`")));
        }
        self.write(chunk)
    }

    /// Appends a part of the body.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let encoder = self.encoder.as_mut().ok_or_else(aborted)?;
        let written = if encoder.body_length().saturating_add(bytes.len() as u64) > self.max_body_bytes {
            Err(too_large())
        } else {
            encoder.body(bytes, &mut *self.file)
        };
        written.map_err(|error| self.fail(error))
    }

    /// Makes the mail durable, publishes it and returns its id.
    pub fn commit(mut self: Box<Self>) -> Result<Text> {
        self.queue.writable()?;
        self.complete()?;
        self.finish()
    }

    /// Gives the mail up.
    pub fn abandon(mut self: Box<Self>) -> Result<()> {
        if self.encoder.is_none() {
            return Ok(());
        }
        self.file.discard().map_err(|error| self.queue.error(error))
    }

    /// Writes what is left of the mail.
    pub(super) fn complete(&mut self) -> Result<()> {
        let encoder = self.encoder.take().ok_or_else(aborted)?;
        // What fails here drops the temporary file, which removes it.
        encoder.finish(&mut *self.file).map(drop).map_err(|error| self.queue.error(error))
    }

    /// Has the system begin with what `prepare` waits for.
    pub(super) fn start_writeback(&self) {
        if self.durability != Durability::None {
            self.file.start_writeback();
        }
    }

    /// Makes the mail, which is written, durable under its temporary name.
    pub(super) fn prepare(&mut self) -> Result<()> {
        self.file.finish(self.durability).map_err(|error| self.queue.error(error))
    }

    /// Publishes the mail, which is durable. The name is not yet.
    pub(super) fn publish(&mut self) -> Result<()> {
        let name = item(&self.id, State::Ready, self.format);
        let published = if self.drawn { self.file.publish_replacing(&name) } else { self.file.publish_new(&name) };
        published.map_err(|mut error| {
            if error.code == Code::Exists {
                error = self.queue.exists(&self.id, &name);
            }
            self.queue.note(&self.id, error)
        })
    }

    /// Makes the mail, which is written, durable, publishes it, makes the name durable, and returns the id.
    pub(super) fn finish(mut self: Box<Self>) -> Result<Text> {
        self.prepare()?;
        self.publish()?;
        self.queue.sync_names(self.durability).map_err(|error| self.queue.note(&self.id, error))?;
        self.queue.counters.puts.add(1);
        Ok(core::mem::take(&mut self.id))
    }

    /// Gives the mail up because of an error, and returns that.
    #[cold]
    fn fail(&mut self, mut error: Error) -> Error {
        if self.encoder.take().is_some() {
            error = self.file.give_up(error);
        }
        self.queue.error(error)
    }
}

#[cold]
fn aborted() -> Error {
    Error::refused(Code::Aborted, "an earlier write of this draft failed: begin a new one")
}
