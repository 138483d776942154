//! Items of a known age, as chasquid writes them.

use std::time::{SystemTime, UNIX_EPOCH};

/// An item that was accepted some hours ago.
pub(crate) struct Aged {
    pub(crate) hours: u64,
    pub(crate) from: &'static str,
    pub(crate) to: &'static str,
    pub(crate) status: &'static str,
    pub(crate) failure: &'static str,
    pub(crate) subject: &'static str,
}

impl Default for Aged {
    fn default() -> Aged {
        Aged { hours: 1, from: "a@example.com", to: "b@example.com", status: "PENDING", failure: "", subject: "hello" }
    }
}

impl Aged {
    /// Returns the text of the item.
    pub(crate) fn text(&self, id: &str) -> String {
        let Aged { hours, from, to, status, failure, subject } = self;
        let seconds = now() - hours * 3600;
        format!(
            r#"ID: "{id}"
from: "{from}"
To: "{to}"
rcpt: {{
  address: "{to}"
  status: {status}
  last_failure_message: "{failure}"
  original_address: "{to}"
}}
data: "Subject: {subject}\r\n\r\nbody\r\n"
created_at_ts: {{
  seconds: {seconds}
}}
"#
        )
    }
}

/// Returns the seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is set").as_secs()
}
