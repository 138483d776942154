//! The queue of this project, through the host library.

use super::store::Store;
use crate::mail::mail;
use crate::settings::HOST;
use queue_store_host::Queue;
use queue_store_host::types::{Detail, Durability, EnvelopeChange, Recipient, WriteOptions};
use std::path::Path;

pub(crate) struct Component(Queue);

impl Component {
    pub(crate) fn open(path: &Path) -> Component {
        Component(HOST.open(path).expect("the queue opens"))
    }
}

impl Store for Component {
    fn put(&self, body: &[u8]) -> String {
        self.0.put(&mail(body.to_vec())).expect("a put succeeds")
    }

    fn load(&self, bodies: &mut dyn Iterator<Item = Vec<u8>>) -> Vec<String> {
        let options = WriteOptions { durability: Some(Durability::None), ..WriteOptions::default() };
        bodies.map(|body| self.0.put_with(None, &mail(body), &options).expect("a put succeeds")).collect()
    }

    fn update(&self, id: &str, attempts: u64) {
        let last_failure_message = format!("{attempts} attempts");
        let tried = Recipient { address: "b@example.org".into(), last_failure_message, ..Recipient::default() };
        let change = EnvelopeChange { recipients: Some(vec![tried]), ..EnvelopeChange::default() };
        self.0.update(id, &change, Durability::Full).expect("an update of an existing item succeeds");
    }

    fn list(&self) -> usize {
        self.0.items(&[], Detail::Envelope).expect("a listing starts").filter(|entry| entry.is_ok()).count()
    }

    fn get(&self, id: &str) -> Option<Vec<u8>> {
        self.0.get(id).ok().map(|item| item.body)
    }

    fn remove(&self, id: &str) {
        let outcomes = self.0.remove(&[id], &[], Durability::Full).expect("remove returns the outcomes");
        assert!(outcomes.iter().all(|outcome| outcome.problem.is_none()));
    }
}
