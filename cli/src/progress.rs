//! Progress on standard error, where that is a terminal.

use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// Returns a bar for a pass over a number of items.
pub(crate) fn of_items(items: u64) -> ProgressBar {
    ProgressBar::new(items).with_style(style("{bar:30} {human_pos}/{human_len} items {eta}"))
}

/// Returns a bar for changes of a number of items.
pub(crate) fn of_changes(items: u64) -> ProgressBar {
    ProgressBar::new(items).with_style(style("{bar:30} {human_pos}/{human_len} {eta}"))
}

/// Returns a bar for files that have a number of bytes.
pub(crate) fn of_bytes(bytes: u64) -> ProgressBar {
    ProgressBar::new(bytes).with_style(style("{bar:30} {bytes}/{total_bytes} {eta}"))
}

/// Returns a spinner that shows the time of one long call.
pub(crate) fn of_call(message: String) -> ProgressBar {
    let spinner = ProgressBar::new_spinner().with_style(style("{spinner} {msg} {elapsed}")).with_message(message);
    // The thread that this starts is only of use on a terminal.
    if !spinner.is_hidden() {
        // Drawn at once: the thread may first run when a short call is over.
        spinner.tick();
        spinner.enable_steady_tick(Duration::from_millis(100));
    }
    spinner
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is constant and valid")
}
