//! The interface `queue-store`, for the stores of operators' plugins.

use super::bindings::mail::queue::queue_store::{Host, HostBodyReader, HostDraft, HostListing, HostQueue};
use super::resources::{OpenBodyReader, OpenDraft, OpenListing, OpenQueue};
use super::state::{NAME, OperatorState, no_such_queue};
use crate::contract_limits::check_chunk;
use crate::plugin::answer::Answer;
use crate::types::{
    Attempt, Counts, Detail, Durability, Entry, Envelope, EnvelopeChange, IdentifiedMail, Item, ItemInfo, Mail,
    Outcome, Recovery, State, WriteOptions,
};
use std::time::Duration;
use wasmtime::component::Resource;

impl Host for OperatorState {
    fn new_id(&mut self) -> wasmtime::Result<String> {
        Ok(self.queue.new_id()?)
    }
}

impl HostQueue for OperatorState {
    fn open(&mut self, path: String) -> Answer<Resource<OpenQueue>> {
        if path != NAME {
            return Ok(Err(no_such_queue(path)));
        }
        match self.answer(self.queues.check_room())? {
            Ok(()) => Ok(Ok(self.queues.push(OpenQueue::default())?)),
            Err(error) => Ok(Err(error)),
        }
    }

    fn put(
        &mut self,
        this: Resource<OpenQueue>,
        id: Option<String>,
        mail: Mail,
        options: Option<WriteOptions>,
    ) -> Answer<String> {
        let intake = self.intake.clone();
        let put = self.for_change(&this)?.and_then(|queue| {
            intake.take(1, mail.body.len())?;
            queue.put_with(id.as_deref(), &mail, &options.unwrap_or_default())
        });
        self.answer(put)
    }

    fn put_many(
        &mut self,
        this: Resource<OpenQueue>,
        mails: Vec<IdentifiedMail>,
        options: Option<WriteOptions>,
    ) -> Answer<Vec<Outcome>> {
        let intake = self.intake.clone();
        let put = self.for_change(&this)?.and_then(|queue| {
            intake.take(mails.len() as u64, mails.iter().map(|identified| identified.mail.body.len()).sum())?;
            queue.put_many(&mails, &options.unwrap_or_default())
        });
        self.answer_batch(put)
    }

    fn begin(
        &mut self,
        this: Resource<OpenQueue>,
        id: Option<String>,
        envelope: Envelope,
        options: Option<WriteOptions>,
    ) -> Answer<Resource<OpenDraft>> {
        let (intake, room) = (self.intake.clone(), self.drafts.check_room());
        let begun = self.for_change(&this)?.and_then(|queue| {
            room?;
            intake.take(1, 0)?;
            queue.draft(id.as_deref(), &envelope, &options.unwrap_or_default())
        });
        match self.answer(begun)? {
            Ok(draft) => {
                let queue = self.queues.get_mut(&this)?.clone();
                Ok(Ok(self.drafts.push(OpenDraft::new(draft, queue))?))
            }
            Err(error) => Ok(Err(error)),
        }
    }

    fn get(&mut self, _: Resource<OpenQueue>, id: String) -> Answer<Item> {
        self.answer(self.queue.get(id))
    }

    fn info(&mut self, _: Resource<OpenQueue>, id: String) -> Answer<ItemInfo> {
        self.answer(self.queue.info(id))
    }

    fn read(&mut self, _: Resource<OpenQueue>, id: String, offset: u64) -> Answer<Resource<OpenBodyReader>> {
        let opened = self.readers.check_room().and_then(|()| self.queue.read(id, offset));
        match self.answer(opened)? {
            Ok(reader) => Ok(Ok(self.readers.push(OpenBodyReader::new(reader))?)),
            Err(error) => Ok(Err(error)),
        }
    }

    fn items(&mut self, _: Resource<OpenQueue>, states: Vec<State>, detail: Detail) -> Answer<Resource<OpenListing>> {
        let begun = self.listings.check_room().and_then(|()| self.queue.items(&states, detail));
        match self.answer(begun)? {
            Ok(listing) => {
                let listing = OpenListing::new(listing, self.bounds.page_items(detail));
                Ok(Ok(self.listings.push(listing)?))
            }
            Err(error) => Ok(Err(error)),
        }
    }

    fn count(&mut self, _: Resource<OpenQueue>) -> Answer<Counts> {
        self.answer(self.queue.count())
    }

    fn verify(&mut self, _: Resource<OpenQueue>, ids: Vec<String>) -> Answer<Vec<Outcome>> {
        self.answer_batch(self.queue.verify(&ids))
    }

    fn update(
        &mut self,
        this: Resource<OpenQueue>,
        id: String,
        change: EnvelopeChange,
        durability: Option<Durability>,
    ) -> Answer<String> {
        let durability = durability.unwrap_or(Durability::Full);
        let updated = self.for_change(&this)?.and_then(|queue| queue.update(id, &change, durability));
        self.answer(updated)
    }

    fn record_attempts(
        &mut self,
        this: Resource<OpenQueue>,
        id: String,
        attempts: Vec<Attempt>,
        if_revision: Option<String>,
        durability: Option<Durability>,
    ) -> Answer<String> {
        let durability = durability.unwrap_or(Durability::Full);
        let recorded = self
            .for_change(&this)?
            .and_then(|queue| queue.record_attempts(id, &attempts, if_revision.as_deref(), durability));
        self.answer(recorded)
    }

    fn set_state(&mut self, this: Resource<OpenQueue>, ids: Vec<String>, state: State) -> Answer<Vec<Outcome>> {
        let moved = self.for_change(&this)?.and_then(|queue| queue.set_state(&ids, state));
        self.answer_batch(moved)
    }

    fn remove(
        &mut self,
        this: Resource<OpenQueue>,
        ids: Vec<String>,
        states: Vec<State>,
        durability: Option<Durability>,
    ) -> Answer<Vec<Outcome>> {
        let durability = durability.unwrap_or(Durability::Full);
        let removed = self.for_change(&this)?.and_then(|queue| queue.remove(&ids, &states, durability));
        self.answer_batch(removed)
    }

    fn seal(&mut self, this: Resource<OpenQueue>, ids: Vec<String>) -> Answer<Vec<Outcome>> {
        let sealed = self.for_change(&this)?.and_then(|queue| queue.seal(&ids));
        self.answer_batch(sealed)
    }

    fn recover(&mut self, this: Resource<OpenQueue>, grace_seconds: u32) -> Answer<Recovery> {
        let recovered = self.queue.recover(Duration::from_secs(grace_seconds.into()));
        if recovered.is_ok() {
            self.queues.get_mut(&this)?.set_closed(false);
        }
        let answer = self.answer(recovered)?;
        Ok(answer.map(|recovery| {
            let problems = recovery.problems.into_iter().map(|problem| self.with_path(problem)).collect();
            Recovery { problems, ..recovery }
        }))
    }

    fn needs_recovery(&mut self, this: Resource<OpenQueue>) -> wasmtime::Result<bool> {
        Ok(self.queues.get_mut(&this)?.is_closed() || self.queue.needs_recovery())
    }

    fn require_recovery(&mut self, this: Resource<OpenQueue>) -> wasmtime::Result<()> {
        self.queues.get_mut(&this)?.set_closed(true);
        Ok(())
    }

    fn drop(&mut self, this: Resource<OpenQueue>) -> wasmtime::Result<()> {
        self.queues.delete(this).map(drop)
    }
}

impl HostDraft for OperatorState {
    fn write(&mut self, this: Resource<OpenDraft>, chunk: Vec<u8>) -> Answer<()> {
        let written = self.drafts.get_mut(&this)?.draft.call(|draft| {
            check_chunk(&chunk)?;
            self.intake.take(0, chunk.len())?;
            draft.append(&chunk)
        });
        self.answer(written)
    }

    fn commit(&mut self, this: Resource<OpenDraft>) -> Answer<String> {
        let committed = self.drafts.delete(this)?.commit();
        self.answer(committed)
    }

    fn abandon(&mut self, this: Resource<OpenDraft>) -> Answer<()> {
        let abandoned = self.drafts.delete(this)?.abandon();
        self.answer(abandoned)
    }

    fn drop(&mut self, this: Resource<OpenDraft>) -> wasmtime::Result<()> {
        self.drafts.delete(this).map(drop)
    }
}

impl HostBodyReader for OperatorState {
    fn info(&mut self, this: Resource<OpenBodyReader>) -> wasmtime::Result<ItemInfo> {
        Ok(self.readers.get_mut(&this)?.info().clone())
    }

    fn read(&mut self, this: Resource<OpenBodyReader>, max: u32) -> Answer<Option<Vec<u8>>> {
        let max = (max as usize).min(self.bounds.chunk_bytes);
        let read = self.readers.get_mut(&this)?.read(max);
        self.answer(read)
    }

    fn drop(&mut self, this: Resource<OpenBodyReader>) -> wasmtime::Result<()> {
        self.readers.delete(this).map(drop)
    }
}

impl HostListing for OperatorState {
    fn next(&mut self, this: Resource<OpenListing>, limit: u32) -> Answer<Option<Vec<Entry>>> {
        let page = self.listings.get_mut(&this)?.next(limit as usize);
        let mut answer = self.answer(page)?;
        answer.iter_mut().flatten().flatten().for_each(|entry| self.set_path(&mut entry.problem));
        Ok(answer)
    }

    fn drop(&mut self, this: Resource<OpenListing>) -> wasmtime::Result<()> {
        self.listings.delete(this).map(drop)
    }
}
