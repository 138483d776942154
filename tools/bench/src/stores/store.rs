//! The trait of all stores.

/// A store of mails, shared by threads.
pub(crate) trait Store: Send + Sync {
    /// Stores a mail durably and returns its id.
    fn put(&self, body: &[u8]) -> String;

    /// Stores a mail for each body, without waiting for the disk, and returns the ids.
    fn load(&self, bodies: &mut dyn Iterator<Item = Vec<u8>>) -> Vec<String>;

    /// Records the number of delivery attempts of a mail durably. The number must differ from the recorded one: a store
    /// that finds no change syncs nothing.
    fn update(&self, id: &str, attempts: u64);

    /// Reads the id and the envelope of every mail and returns the number of mails.
    fn list(&self) -> usize;

    /// Returns the body of a mail; `None` if the mail is missing or the store detects that it is damaged.
    fn get(&self, id: &str) -> Option<Vec<u8>>;

    /// Removes a mail durably.
    fn remove(&self, id: &str);
}
