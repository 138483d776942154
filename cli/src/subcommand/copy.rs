//! `copy`: copies the items of one queue into another one, between directories and databases.
//!
//! It can be run again after it ended at any moment: an item that is there already, with the same content, is done. An item
//! that is held or quarantined is put, which makes it ready, and then moved: no program may deliver meanwhile, and one that
//! is found ready or in another state is moved too.

mod comparison;

use crate::bulk::tried;
use crate::change_log;
use crate::display::items;
use crate::failure::{Cause, Failure, Failures, note};
use crate::interruption::Interruption;
use crate::invalid_names;
use crate::item_states::{self, AllStates, ItemStates};
use crate::location::Location;
use crate::open_queue;
use crate::options::Daemon;
use crate::output::print_line;
use crate::progress;
use crate::stream;
use clap::Args;
use comparison::state_of_same;
use indicatif::{HumanCount, ProgressBar};
use queue_store_host::Queue;
use queue_store_host::types::{
    Detail, Durability, Entry, Envelope, IdentifiedMail, ItemInfo, Mail, State, WriteOptions,
};
use std::ffi::OsString;
use std::mem;
use sysexits::ExitCode as Sysexit;

/// Items that are put at once.
const BATCH_ITEMS: usize = 500;

/// Bytes that are put at once, about.
const BATCH_BYTES: u64 = 8 << 20;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The queue that has the items: a directory, or the URL of a database
    from: OsString,
    /// The queue that gets them, which is created if it does not exist
    to: OsString,
    /// Remove each item from the first queue once the second one has it durably
    #[arg(long)]
    remove: bool,
    #[command(flatten)]
    daemon: Daemon,
}

/// Copies the items of one queue into another one.
pub(crate) fn run(arguments: &Arguments) -> Result<Sysexit, Failure> {
    let (from, to) = (Location::from(arguments.from.clone()), Location::from(arguments.to.clone()));
    from.check()?;
    to.check()?;
    if from.is_same(&to) || from.is_same_in_database(&to)? {
        return Err(Failure::from(Cause::SameQueue).at(&to.to_string()));
    }
    let interruption = Interruption::catch().map_err(Cause::Signals)?;
    change_log::open(&to)?;
    // A directory is opened as its owner, who may not read the password of a database.
    let (source, created) = if to.directory().is_none() {
        let created = open_queue::create(&to)?;
        (open_queue::open_for_change(&from, arguments.daemon.while_running)?, created)
    } else {
        (open_queue::open_for_change(&from, arguments.daemon.while_running)?, open_queue::create(&to)?)
    };
    let states = item_states::by_id(&source)?;
    let mut copy = Copy {
        from: &from,
        to: &to,
        states: &states,
        source: &source,
        target: &created.queue,
        removes: arguments.remove,
        progress: progress::of_items(states.values().map(ItemStates::count).sum::<usize>() as u64),
        batch: Batch::default(),
        copied: 0,
        present: 0,
        moved: 0,
        failures: Failures::none(),
    };
    if let Some(directory) = from.directory() {
        invalid_names::find(directory)?.iter().for_each(|failure| copy.leave_out(failure));
    }
    let result = copy.all(&interruption);
    copy.progress.finish_and_clear();
    let Copy { copied, present, moved, failures, .. } = copy;
    created.keep();
    let states = if moved > 0 { format!(" ({moved} moved to the state in the first queue)") } else { String::new() };
    let removed = if arguments.remove { ", and removed from the first queue" } else { "" };
    print_line(&format!("{} copied, {} there already{states}{removed}", items(copied), HumanCount(present)))?;
    result.map_err(|failure| failure.with_note(note::COPY_AGAIN))?;
    Ok(failures.code())
}

/// A copy that goes on.
struct Copy<'a> {
    from: &'a Location,
    to: &'a Location,
    /// The states of the items of the first queue.
    states: &'a AllStates,
    source: &'a Queue,
    target: &'a Queue,
    removes: bool,
    progress: ProgressBar,
    batch: Batch,
    copied: u64,
    present: u64,
    /// Items that were there in another state.
    moved: u64,
    failures: Failures,
}

/// Items that are to be put at once.
#[derive(Default)]
struct Batch {
    mails: Vec<IdentifiedMail>,
    infos: Vec<ItemInfo>,
    bytes: u64,
}

impl Copy<'_> {
    /// Copies every item.
    fn all(&mut self, interruption: &Interruption) -> Result<(), Failure> {
        for entry in self.source.items(&[], Detail::Envelope)? {
            if interruption.has_come() {
                self.put_batch()?;
                return Err(Cause::Interrupted.into());
            }
            self.take(entry?)?;
        }
        self.put_batch()
    }

    /// Takes an item, and puts a batch that is full.
    fn take(&mut self, entry: Entry) -> Result<(), Failure> {
        if self.states.get(&entry.id).is_some_and(|states| states.count() > 1) {
            self.leave_out(&Failure::from(Cause::SeveralFiles).at_item(&entry.id));
            return Ok(());
        }
        let mut info = match (entry.problem, entry.info) {
            (None, Some(info)) => info,
            (problem, _) => {
                let cause = problem
                    .map_or(Cause::NoBody.into(), |problem| Failure::from(queue_store_host::Error::from(problem)));
                self.leave_out(&cause.at_item(&entry.id));
                return Ok(());
            }
        };
        if info.envelope.recipients.is_empty() {
            self.leave_out(&Failure::from(Cause::NoDelivery).at_item(&info.id));
            return Ok(());
        }
        if info.body_size.unwrap_or(info.file_size) > BATCH_BYTES {
            return self.put_large(info);
        }
        let body = match self.source.get(&info.id) {
            Ok(item) => item.body,
            Err(error) => {
                self.leave_out(&Failure::from(error).at_item(&info.id));
                return Ok(());
            }
        };
        self.batch.bytes += info.file_size + envelope_bytes(&info.envelope);
        let mail = Mail { envelope: mem::take(&mut info.envelope), body };
        self.batch.mails.push(IdentifiedMail { id: Some(info.id.clone()), mail });
        self.batch.infos.push(info);
        let is_full = self.batch.mails.len() >= BATCH_ITEMS || self.batch.bytes > BATCH_BYTES;
        if is_full { self.put_batch() } else { Ok(()) }
    }

    /// Puts the items of the batch, one format after the other.
    fn put_batch(&mut self) -> Result<(), Failure> {
        let Batch { mails, infos, .. } = mem::take(&mut self.batch);
        let (mut texts, mut binaries) = (Vec::new(), Vec::new());
        for pair in mails.into_iter().zip(infos) {
            let is_text = pair.1.format == queue_store_host::types::Format::Text;
            if is_text { &mut texts } else { &mut binaries }.push(pair);
        }
        for pairs in [texts, binaries] {
            let (mails, infos): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
            let Some(first) = infos.first() else { continue };
            let options = WriteOptions { format: Some(first.format), ..WriteOptions::default() };
            let outcomes = self.target.put_many(&mails, &options)?;
            let put = mails.into_iter().zip(infos).zip(outcomes).map(|((mail, info), outcome)| {
                let info = ItemInfo { envelope: mail.mail.envelope, ..info };
                (info, outcome.into_result())
            });
            self.settle(put.collect())?;
        }
        Ok(())
    }

    /// Puts an item whose body is large, as a stream.
    fn put_large(&mut self, info: ItemInfo) -> Result<(), Failure> {
        let options = WriteOptions { format: Some(info.format), ..WriteOptions::default() };
        let mut body = self.source.read(&info.id, 0)?;
        let next_chunk = || Ok(body.next_chunk()?.unwrap_or_default());
        let put = stream::put(self.target, Some(&info.id), &info.envelope, &options, Vec::new(), next_chunk);
        let put = match put {
            Err(failure) => match failure.into_queue_error() {
                Ok(error) => Err(error),
                Err(failure) => return Err(failure),
            },
            Ok(_) => Ok(()),
        };
        // It holds a connection, where that is a database.
        drop(body);
        self.settle(vec![(info, put)])
    }

    /// Moves items that were put to the state of their originals, and removes these where that is wanted. A failure of one does
    /// not keep the others from it: what is to be held must not stay ready.
    fn settle(&mut self, put: Vec<(ItemInfo, queue_store_host::Result<()>)>) -> Result<(), Failure> {
        let (mut done, mut first_failure) = (Vec::new(), Ok(()));
        for (info, put) in put {
            let id = info.id.clone();
            if let Err(failure) = self.judge(info, put, &mut done) {
                first_failure = first_failure.and(Err(failure.at_item(&id)));
            }
        }
        self.move_to_states(&done)?;
        if self.removes && !done.is_empty() {
            self.remove(&done)?;
        }
        first_failure
    }

    /// Adds an item to those that the second queue has.
    fn judge(
        &mut self,
        info: ItemInfo,
        put: queue_store_host::Result<()>,
        done: &mut Vec<ItemInfo>,
    ) -> Result<(), Failure> {
        self.progress.inc(1);
        let Err(error) = put else {
            let id = info.id.clone();
            self.copied += 1;
            done.push(info);
            return change_log::record(&id, Ok(()));
        };
        let failure = Failure::from(error);
        let failure = if failure.is_existing_item() {
            match state_of_same(self.source, self.target, &info) {
                Ok(Some(state)) => {
                    self.present += 1;
                    self.moved += u64::from(state != info.state && info.state != State::Ready);
                    done.push(info);
                    return Ok(());
                }
                Ok(None) => {
                    let other = Failure::from(Cause::OtherMailOfId(self.to.to_string())).at_item(&info.id);
                    self.leave_out(&other);
                    return change_log::record(&info.id, Err(&other));
                }
                Err(failure) => failure,
            }
        } else {
            failure
        };
        // Of this item alone.
        if failure.code() == Sysexit::DataErr || failure.code() == Sysexit::Usage || failure.is_not_found() {
            self.leave_out(&failure.at_item(&info.id));
            return Ok(());
        }
        Err(failure)
    }

    fn move_to_states(&self, done: &[ItemInfo]) -> Result<(), Failure> {
        for state in [State::Held, State::Quarantined] {
            let ids: Vec<&str> = done.iter().filter(|info| info.state == state).map(|info| info.id.as_str()).collect();
            if ids.is_empty() {
                continue;
            }
            for (id, moved) in tried(self.target.set_state(&ids, state)?) {
                moved.map_err(|failure| failure.at_item(&id))?;
            }
        }
        Ok(())
    }

    /// Removes items from the first queue.
    fn remove(&self, done: &[ItemInfo]) -> Result<(), Failure> {
        let ids: Vec<&str> = done.iter().map(|info| info.id.as_str()).collect();
        let states = [State::Ready, State::Held, State::Quarantined];
        for (id, removed) in tried(self.source.remove(&ids, &states, Durability::Full)?) {
            let removed = removed.map_err(|failure| failure.at_item(&id));
            change_log::record_in(self.from, &id, removed.as_ref().copied())?;
            removed?;
        }
        Ok(())
    }

    /// Reports an item that is not copied.
    fn leave_out(&self, failure: &Failure) {
        self.progress.suspend(|| self.failures.report(failure));
    }
}

/// Returns the bytes that an envelope takes in memory beside its text, about.
fn envelope_bytes(envelope: &Envelope) -> u64 {
    const BYTES_OF_AN_ENTRY: usize = 256;
    let hops: usize = envelope.recipients.iter().map(|recipient| recipient.via.len()).sum();
    ((envelope.to.len() + envelope.recipients.len() + hops) * BYTES_OF_AN_ENTRY) as u64
}
