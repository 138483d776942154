//! `introspection`.

use super::convert;
use super::exports::Component;
use super::state::state;
use crate::item::VERSION;
use crate::limits;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use queue_store_contract::exports::mail::queue::introspection::Guest;

impl Guest for Component {
    fn counters() -> Vec<(String, u64)> {
        convert::named(state().counters.all())
    }

    fn limits() -> Vec<(String, u64)> {
        convert::named(limits::ALL)
    }

    fn about() -> Vec<(String, String)> {
        let about = [
            ("name", env!("CARGO_PKG_NAME")),
            ("version", env!("CARGO_PKG_VERSION")),
            ("contract", "mail:queue@0.1.0"),
            ("format-version", VERSION),
        ];
        convert::named(about.map(|(name, fact)| (name, fact.to_string())))
    }
}
