//! The queue in a database as a [`Store`], whose calls block.

use crate::address::Address;
use crate::convert::{self, failure, native_format};
use crate::database::Database;
use crate::draft::Draft;
use crate::item::generate_id;
use crate::listing::Listing;
use crate::read::OpenItem;
use crate::sql_error::error;
use queue_store::item::id::GeneratedFor;
use queue_store::item::parts::Strictness;
use queue_store::item::{VERSION, codec, validation};
use queue_store::limits::{self, MAX_LIST_BODY_BYTES};
use queue_store_host::types::{
    Attempt, Counts, Detail, Durability, Entry, Envelope, EnvelopeChange, ErrorCode, Format, IdentifiedMail, Item,
    ItemInfo, Mail, Outcome, Recovery, State, WriteOptions,
};
use queue_store_host::{Error, OpenBody, OpenDraft, OpenListing, Result, Store, refuse_in_task};
use std::fmt;
use std::mem;
use std::process;
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};

/// Threads that pass messages between sessions and servers.
const THREADS: usize = 2;

/// A queue in a database.
pub(crate) struct PostgresStore {
    core: Arc<Core>,
}

/// What calls need: the database, and the threads of its sessions.
///
/// Invariant: both are present until it is dropped.
struct Core {
    database: Option<Arc<Database>>,
    runtime: Option<Runtime>,
    process: u32,
}

impl Core {
    /// Fails in a process that was forked from the one that opened the queue, and in a task of an async runtime.
    fn check_caller(&self) -> Result<()> {
        refuse_in_task()?;
        if self.is_own_process() { Ok(()) } else { Err(Error::Forked) }
    }

    fn is_own_process(&self) -> bool {
        self.process == process::id()
    }

    /// Runs a call to its end.
    fn block<T>(&self, call: impl Future<Output = Result<T>>) -> Result<T> {
        self.check_caller()?;
        // Not `Runtime::block_on`, which panics where the caller blocks in another runtime, as the calls of plugins do.
        let _entered = self.runtime.as_ref().expect("it is present until the drop").enter();
        futures_executor::block_on(call)
    }

    fn database(&self) -> &Arc<Database> {
        self.database.as_ref().expect("it is present until the drop")
    }
}

impl Drop for Core {
    /// Ends the threads without waiting for them: a caller may drop the queue in an async task, where tokio panics instead
    /// of waiting, and a look-up of a host may take long. In a forked process there are no threads to end.
    fn drop(&mut self) {
        let (database, runtime) = (self.database.take(), self.runtime.take());
        if !self.is_own_process() {
            mem::forget((database, runtime));
        } else if let Some(runtime) = runtime {
            runtime.shutdown_background();
        }
    }
}

/// Something of a queue that is open. In a process that was forked it is never dropped: threads of the parent may hold its
/// locks, and do not exist there.
struct Open<T> {
    core: Option<Arc<Core>>,
    value: Option<T>,
}

impl<T> Open<T> {
    fn new(core: &Arc<Core>, value: T) -> Open<T> {
        Open { core: Some(core.clone()), value: Some(value) }
    }

    /// Runs a call to its end.
    fn block<R>(&mut self, call: impl AsyncFnOnce(&mut T) -> Result<R>) -> Result<R> {
        let (Some(core), Some(value)) = (&self.core, &mut self.value) else {
            return Err(Error::Forked);
        };
        core.block(call(value))
    }

    /// Runs a call that consumes it.
    fn consume<R>(mut self, call: impl AsyncFnOnce(T) -> Result<R>) -> Result<R> {
        let (Some(core), true) = (self.core.clone(), self.value.is_some()) else {
            return Err(Error::Forked);
        };
        core.check_caller()?;
        let value = self.value.take().ok_or(Error::Forked)?;
        core.block(call(value))
    }
}

impl<T> Drop for Open<T> {
    fn drop(&mut self) {
        if self.core.as_ref().is_some_and(|core| !core.is_own_process()) {
            mem::forget((self.core.take(), self.value.take()));
        }
    }
}

impl PostgresStore {
    /// Opens the queue that a URL names.
    pub(crate) fn open(url: &str) -> Result<PostgresStore> {
        refuse_in_task()?;
        let address = Address::parse(url)?;
        let runtime =
            Builder::new_multi_thread().worker_threads(THREADS).thread_name("queue-store").enable_all().build();
        let runtime = runtime.map_err(|cause| error(ErrorCode::Busy, format!("no threads: {cause}")))?;
        let database = Arc::new(Database::new(address, runtime.handle().clone())?);
        runtime.block_on(database.migrate(database.deadline()))?;
        let core = Core { database: Some(database), runtime: Some(runtime), process: process::id() };
        Ok(PostgresStore { core: Arc::new(core) })
    }

    fn database(&self) -> &Arc<Database> {
        self.core.database()
    }
}

impl Store for PostgresStore {
    fn new_id(&self) -> Result<String> {
        self.core.check_caller()?;
        generate_id(GeneratedFor::Caller)
    }

    fn put(&self, id: Option<&str>, mail: &Mail, options: &WriteOptions) -> Result<String> {
        self.core.block(self.database().put(id, mail, options))
    }

    fn put_many(&self, mails: &[IdentifiedMail], options: &WriteOptions) -> Result<Vec<Outcome>> {
        self.core.block(self.database().put_many(mails, options))
    }

    fn begin(&self, id: Option<&str>, envelope: &Envelope, options: &WriteOptions) -> Result<Box<dyn OpenDraft>> {
        let draft = self.core.block(async {
            let deadline = self.database().deadline();
            let draft = self.database().begin(deadline, id, envelope, options).await?;
            draft.check_free(deadline).await?;
            Ok(draft)
        })?;
        Ok(Box::new(Open::new(&self.core, draft)))
    }

    fn submit(&self, reverse_path: &str, to: &[String], body: &[u8]) -> Result<String> {
        let mail = Mail { envelope: plugin_envelope(reverse_path, to)?, body: body.to_vec() };
        self.put(None, &mail, &WriteOptions::default())
    }

    fn begin_submission(&self, reverse_path: &str, to: &[String]) -> Result<Box<dyn OpenDraft>> {
        let options = WriteOptions { max_body_bytes: Some(MAX_LIST_BODY_BYTES), ..WriteOptions::default() };
        self.begin(None, &plugin_envelope(reverse_path, to)?, &options)
    }

    fn get(&self, id: &str) -> Result<Item> {
        self.core.block(self.database().get(id))
    }

    fn info(&self, id: &str) -> Result<ItemInfo> {
        self.core.block(self.database().info(id))
    }

    fn read(&self, id: &str, offset: u64) -> Result<(ItemInfo, Box<dyn OpenBody>)> {
        let mut item = self.core.block(self.database().open(self.database().deadline(), id, Strictness::Full))?;
        item.seek(offset)?;
        Ok((item.info(), Box::new(Open::new(&self.core, item))))
    }

    fn items(&self, states: &[State], detail: Detail) -> Result<Box<dyn OpenListing>> {
        let listing = self.core.block(self.database().items(states, detail))?;
        Ok(Box::new(Open::new(&self.core, listing)))
    }

    fn count(&self) -> Result<Counts> {
        self.core.block(self.database().count())
    }

    fn verify(&self, ids: &[String]) -> Result<Vec<Outcome>> {
        self.core.block(self.database().verify(ids))
    }

    fn update(&self, id: &str, change: &EnvelopeChange, durability: Durability) -> Result<String> {
        self.core.block(self.database().update(id, change, durability))
    }

    fn record_attempts(
        &self,
        id: &str,
        attempts: &[Attempt],
        if_revision: Option<&str>,
        durability: Durability,
    ) -> Result<String> {
        self.core.block(self.database().record_attempts(id, attempts, if_revision, durability))
    }

    fn set_state(&self, ids: &[String], state: State) -> Result<Vec<Outcome>> {
        self.core.block(self.database().set_state(ids, state))
    }

    fn remove(&self, ids: &[String], states: &[State], durability: Durability) -> Result<Vec<Outcome>> {
        self.core.block(self.database().remove(ids, states, durability))
    }

    fn seal(&self, ids: &[String]) -> Result<Vec<Outcome>> {
        self.core.block(self.database().seal(ids))
    }

    fn recover(&self, grace_seconds: u32) -> Result<Recovery> {
        self.core.block(self.database().recover(grace_seconds))
    }

    /// Never: a change after one in doubt proves it, or is in doubt itself.
    fn needs_recovery(&self) -> bool {
        false
    }

    fn encode(&self, item: &Item, format: Format) -> Result<Vec<u8>> {
        let envelope = convert::envelope(&item.id, &item.envelope);
        codec::encode(&envelope, &item.body, native_format(format)).map_err(|cause| failure(cause, ""))
    }

    fn decode(&self, bytes: Vec<u8>, format: Format) -> Result<Item> {
        let decoded = codec::decode(bytes, native_format(format));
        let (envelope, body) = decoded.map_err(|cause| failure(cause, ""))?;
        let (id, envelope) = convert::split_envelope(envelope);
        Ok(Item { id, envelope, body })
    }

    fn limits(&self) -> Result<Vec<(String, u64)>> {
        Ok(limits::ALL.iter().map(|(name, limit)| ((*name).to_string(), *limit)).collect())
    }

    fn counters(&self) -> Result<Vec<(String, u64)>> {
        Ok(self.database().counters.all())
    }

    fn about(&self) -> Result<Vec<(String, String)>> {
        let about = [
            ("name", env!("CARGO_PKG_NAME")),
            ("version", env!("CARGO_PKG_VERSION")),
            ("contract", "mail:queue@0.1.0"),
            ("format-version", VERSION),
        ];
        Ok(about.iter().map(|(name, fact)| ((*name).to_string(), (*fact).to_string())).collect())
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PostgresStore").field("queue", &self.database().queue).finish_non_exhaustive()
    }
}

impl OpenDraft for Open<Draft> {
    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.block(async |draft| draft.append(draft.deadline(), bytes).await)
    }

    fn commit(self: Box<Self>) -> Result<String> {
        self.consume(async |draft| {
            let deadline = draft.deadline();
            draft.commit(deadline).await
        })
    }

    fn abandon(self: Box<Self>) -> Result<()> {
        self.consume(async |draft| {
            let deadline = draft.deadline();
            draft.abandon(deadline).await
        })
    }
}

impl OpenBody for Open<OpenItem> {
    fn next_chunk(&mut self) -> Result<Option<Vec<u8>>> {
        self.block(async |item| item.next_chunk(item.deadline()).await)
    }
}

impl OpenListing for Open<Listing> {
    fn next_page(&mut self) -> Result<Option<Vec<Entry>>> {
        self.block(Listing::next_page)
    }
}

/// Makes the envelope of a mail of a plugin, if it may submit it.
fn plugin_envelope(reverse_path: &str, to: &[String]) -> Result<Envelope> {
    validation::accept_from_plugin(reverse_path, to).map_err(|cause| failure(cause, ""))?;
    Ok(Envelope { reverse_path: reverse_path.to_string(), to: to.to_vec(), ..Envelope::default() })
}
