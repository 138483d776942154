//! The queue in a database as a [`Store`], whose calls block.

use crate::address::Address;
use crate::blocking::{Core, Open};
use crate::convert::{self, failure, native_format};
use crate::database::Database;
use crate::draft::Draft;
use crate::item::generate_id;
use crate::listing::Listing;
use crate::read::OpenItem;
use queue_store::item::id::GeneratedFor;
use queue_store::item::parts::Strictness;
use queue_store::item::{VERSION, codec, validation};
use queue_store::limits::{self, MAX_LIST_BODY_BYTES};
use queue_store_host::types::{
    Attempt, Counts, Detail, Durability, Entry, Envelope, EnvelopeChange, Format, IdentifiedMail, Item, ItemInfo, Mail,
    Outcome, Recovery, State, WriteOptions,
};
use queue_store_host::{OpenBody, OpenDraft, OpenListing, Result, Store, refuse_in_task};
use std::fmt;
use std::sync::Arc;

/// A queue in a database.
pub(crate) struct PostgresStore {
    core: Arc<Core>,
}

impl PostgresStore {
    /// Opens the queue that a URL names.
    pub(crate) fn open(url: &str) -> Result<PostgresStore> {
        refuse_in_task()?;
        let address = Address::parse(url)?;
        let core = Core::new(|runtime| Database::new(address, runtime))?;
        core.block(core.database().migrate(core.database().deadline()))?;
        Ok(PostgresStore { core: Arc::new(core) })
    }

    /// Returns what tells the queue from others, on all servers of its cluster.
    pub(crate) fn identity(&self) -> Result<(String, String)> {
        self.core.block(self.database().identity())
    }

    /// Commits a change of nothing.
    pub(crate) fn check_commit(&self) -> Result<()> {
        self.core.block(self.database().settle(self.database().deadline()))
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
        let permit = self.core.permit(&self.core.drafts)?;
        let draft = self.core.block(async {
            let deadline = self.database().deadline();
            let draft = self.database().begin(deadline, id, envelope, options).await?;
            draft.check_free(deadline).await?;
            Ok(draft)
        })?;
        Ok(Box::new(Open::new(&self.core, draft, permit)))
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
        let permit = self.core.permit(&self.core.readers)?;
        let mut item = self.core.block(self.database().open(self.database().deadline(), id, Strictness::Full))?;
        item.seek(offset)?;
        Ok((item.info(), Box::new(Open::new(&self.core, item, permit))))
    }

    fn items(&self, states: &[State], detail: Detail) -> Result<Box<dyn OpenListing>> {
        let permit = self.core.permit(&self.core.listings)?;
        let listing = self.core.block(self.database().items(states, detail))?;
        Ok(Box::new(Open::new(&self.core, listing, permit)))
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
