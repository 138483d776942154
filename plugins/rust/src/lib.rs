//! A plugin: checks a mail, adds a Received field, and queues it.

#![cfg(target_family = "wasm")]

#[allow(missing_docs, unreachable_pub, clippy::undocumented_unsafe_blocks, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({ path: "../wit", world: "plugin", generate_all });
}

use bindings::exports::example::filter::filter::{Guest, Session};
use bindings::mail::queue::intake;
use std::time::SystemTime;

struct Filter;

bindings::export!(Filter with_types_in bindings);

impl Guest for Filter {
    fn receive(
        Session { helo, ip }: Session,
        reverse_path: String,
        to: Vec<String>,
        message: Vec<u8>,
    ) -> Result<String, String> {
        if to.is_empty() {
            return Err("554 no valid recipients".to_string());
        }
        let end = message.windows(4).position(|window| window == b"\r\n\r\n").ok_or("554 no header")?;
        let header = String::from_utf8_lossy(&message[..end]).to_ascii_lowercase();
        if !header.lines().any(|line| line.starts_with("from:")) {
            return Err("554 no From field".to_string());
        }
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let received = format!("Received: from {helo} ([{ip}])\r\n\tby mx.example.com; {}\r\n", rfc5322(now));
        intake::submit(&reverse_path, &to, &[received.as_bytes(), &message].concat())
            .map_err(|error| format!("451 {:?}: {}", error.code, error.detail))
    }
}

/// Returns a time, in seconds since 1970, as RFC 5322 writes dates.
fn rfc5322(seconds: u64) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    // The civil calendar of days, in years that begin in March, so that a leap day is the last.
    let days = seconds / 86400 + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (day, month) = (day - (153 * month + 2) / 5 + 1, (month + 2) % 12);
    let year = era * 400 + year + u64::from(month < 2);
    format!("{day} {} {year} {hour:02}:{minute:02}:{second:02} +0000", MONTHS[month as usize])
}
