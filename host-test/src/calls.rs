//! One method of [`Instance`] for each function of the contract, and a few that read to the end.

use crate::bindings::{
    Attempt, Counts, Detail, Durability, Entry, Envelope, EnvelopeChange, FileOperation, Format, IdentifiedMail, Item,
    ItemInfo, Mail, Outcome, Publish, Recovery, State, WriteOptions,
};
use crate::instance::{Instance, Result};
use wasmtime::component::ResourceAny;

/// Declares a method that calls a function of the contract, which must not trap.
/// A `queue` function is called on the open queue, and opens it first where none is open.
macro_rules! function {
    (queue $function:ident => $name:ident($($argument:ident: $type:ty),*) -> $result:ty) => {
        #[allow(missing_docs, reason = "documented in `wit/`")]
        pub fn $name(&mut self $(, $argument: $type)*) -> Result<$result> {
            let queue = self.queue()?;
            let exports = self.exports.mail_queue_queue_store();
            let result = exports.queue().$function(&mut self.store, queue $(, $argument)*);
            result.expect(concat!(stringify!($name), " must not trap"))
        }
    };
    ($path:ident $($resource:ident)?, $function:ident => $name:ident($($argument:ident: $type:ty),*) -> $result:ty) => {
        #[allow(missing_docs, reason = "documented in `wit/`")]
        pub fn $name(&mut self $(, $argument: $type)*) -> $result {
            let exports = self.exports.$path();
            let result = exports $(.$resource())? .$function(&mut self.store $(, $argument)*);
            result.expect(concat!(stringify!($name), " must not trap"))
        }
    };
}

impl<T: 'static> Instance<T> {
    function!(mail_queue_queue_store, call_new_id => new_id() -> String);
    function!(queue call_put => put(id: Option<&str>, mail: &Mail, options: Option<WriteOptions>) -> String);
    function!(queue call_put_many => put_many(
        mails: &[IdentifiedMail], options: Option<WriteOptions>) -> Vec<Outcome>);
    function!(queue call_begin => begin(
        id: Option<&str>, envelope: &Envelope, options: Option<WriteOptions>) -> ResourceAny);
    function!(queue call_get => get(id: &str) -> Item);
    function!(queue call_info => info(id: &str) -> ItemInfo);
    function!(queue call_read => read(id: &str, offset: u64) -> ResourceAny);
    function!(queue call_items => items(states: &[State], detail: Detail) -> ResourceAny);
    function!(queue call_count => count() -> Counts);
    function!(queue call_verify => verify(ids: &[String]) -> Vec<Outcome>);
    function!(queue call_update => update(
        id: &str, change: &EnvelopeChange, durability: Option<Durability>) -> String);
    function!(queue call_record_attempts => record_attempts(
        id: &str, attempts: &[Attempt], if_revision: Option<&str>, durability: Option<Durability>) -> String);
    function!(queue call_set_state => set_state(ids: &[String], state: State) -> Vec<Outcome>);
    function!(queue call_remove => remove(
        ids: &[String], states: &[State], durability: Option<Durability>) -> Vec<Outcome>);
    function!(queue call_seal => seal(ids: &[String]) -> Vec<Outcome>);
    function!(queue call_recover => recover(grace_seconds: u32) -> Recovery);

    /// Whether the queue refuses changes until it is recovered.
    pub fn needs_recovery(&mut self) -> Result<bool> {
        let queue = self.queue()?;
        let result = self.exports.mail_queue_queue_store().queue().call_needs_recovery(&mut self.store, queue);
        Ok(result.expect("needs_recovery must not trap"))
    }

    /// Closes the queue for changes until it is recovered.
    pub fn require_recovery(&mut self) -> Result<()> {
        let queue = self.queue()?;
        let result = self.exports.mail_queue_queue_store().queue().call_require_recovery(&mut self.store, queue);
        result.expect("require_recovery must not trap");
        Ok(())
    }

    function!(mail_queue_queue_store draft, call_write => draft_write(draft: ResourceAny, chunk: &[u8]) -> Result<()>);
    function!(mail_queue_queue_store draft, call_commit => draft_commit(draft: ResourceAny) -> Result<String>);
    function!(mail_queue_queue_store draft, call_abandon => draft_abandon(draft: ResourceAny) -> Result<()>);
    function!(mail_queue_queue_store body_reader, call_info => reader_info(reader: ResourceAny) -> ItemInfo);
    function!(mail_queue_queue_store body_reader, call_read => reader_read(
        reader: ResourceAny, max: u32) -> Result<Option<Vec<u8>>>);
    function!(mail_queue_queue_store listing, call_next => listing_next(
        listing: ResourceAny, limit: u32) -> Result<Option<Vec<Entry>>>);

    function!(mail_queue_intake, call_submit => submit(
        reverse_path: &str, to: &[String], body: &[u8]) -> Result<String>);
    function!(mail_queue_intake submission, call_begin => submission_begin(
        reverse_path: &str, to: &[String]) -> Result<ResourceAny>);
    function!(mail_queue_intake submission, call_write => submission_write(
        submission: ResourceAny, chunk: &[u8]) -> Result<()>);
    function!(mail_queue_intake submission, call_commit => submission_commit(
        submission: ResourceAny) -> Result<String>);

    function!(mail_queue_item_codec, call_encode => encode(item: &Item, format: Format) -> Result<Vec<u8>>);
    function!(mail_queue_item_codec, call_decode => decode(bytes: &[u8], format: Format) -> Result<Item>);

    function!(mail_queue_durable_file, call_write_file => write_file(
        path: &str, data: &[u8], before_publish: &[FileOperation], publish: Publish, durability: Durability
    ) -> Result<()>);
    function!(mail_queue_durable_file, call_read_file => read_file(path: &str) -> Result<Vec<u8>>);
    function!(mail_queue_durable_file, call_sync_file => sync_file(path: &str) -> Result<()>);

    function!(mail_queue_introspection, call_counters => counters() -> Vec<(String, u64)>);
    function!(mail_queue_introspection, call_limits => limits() -> Vec<(String, u64)>);
    function!(mail_queue_introspection, call_about => about() -> Vec<(String, String)>);

    /// Holds items.
    pub fn hold(&mut self, ids: &[String]) -> Result<Vec<Outcome>> {
        self.set_state(ids, State::Held)
    }

    /// Releases items, or restores them from quarantine.
    pub fn release(&mut self, ids: &[String]) -> Result<Vec<Outcome>> {
        self.set_state(ids, State::Ready)
    }

    /// Quarantines items.
    pub fn quarantine(&mut self, ids: &[String]) -> Result<Vec<Outcome>> {
        self.set_state(ids, State::Quarantined)
    }

    /// Reads a body to its end, `max` bytes at a time.
    pub fn read_body(&mut self, id: &str, offset: u64, max: u32) -> Result<Vec<u8>> {
        let reader = self.read(id, offset)?;
        let mut bytes = Vec::new();
        let result = loop {
            match self.reader_read(reader, max) {
                Ok(Some(more)) => bytes.extend(more),
                Ok(None) => break Ok(bytes),
                Err(error) => break Err(error),
            }
        };
        self.drop_resource(reader);
        result
    }

    /// Reads a listing to its end, `limit` items at a time.
    pub fn list(&mut self, states: &[State], detail: Detail, limit: u32) -> Result<Vec<Entry>> {
        let listing = self.items(states, detail)?;
        let mut entries = Vec::new();
        let result = loop {
            match self.listing_next(listing, limit) {
                Ok(Some(more)) => entries.extend(more),
                Ok(None) => break Ok(entries),
                Err(error) => break Err(error),
            }
        };
        self.drop_resource(listing);
        result
    }

    /// Returns the counter `name` of the instance.
    pub fn counter(&mut self, name: &str) -> u64 {
        let counters = self.counters();
        let counter = counters.iter().find(|(known, _)| known == name);
        counter.unwrap_or_else(|| panic!("the component has no counter {name}")).1
    }

    /// Returns the limit `name` of the component.
    pub fn limit(&mut self, name: &str) -> u64 {
        let limits = self.limits();
        let limit = limits.iter().find(|(known, _)| known == name);
        limit.unwrap_or_else(|| panic!("the component has no limit {name}")).1
    }
}
