//! The trait of all stores.

/// A store of mails. Threads share it.
pub(crate) trait Store: Send + Sync {
    /// Keeps a mail durably and returns its id.
    fn put(&self, body: &[u8]) -> String;

    /// Keeps so many mails, each with another body, as fast as it can, without waiting for the disk.
    fn load(&self, bodies: &mut dyn Iterator<Item = Vec<u8>>) -> Vec<String>;

    /// Notes of a mail that so many deliveries of it were tried, durably. One number is another one than before: a store that
    /// finds that nothing changed has nothing to sync.
    fn update(&self, id: &str, attempts: u64);

    /// Reads the id and the envelope of every mail, and says how many there are.
    fn list(&self) -> usize;

    /// Returns the body of a mail; none if it is not there, or the store knows that it is damaged.
    fn get(&self, id: &str) -> Option<Vec<u8>>;

    /// Removes a mail durably.
    fn remove(&self, id: &str);
}
