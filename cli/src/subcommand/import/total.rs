//! The last line of an import: the number of mails for each outcome.

use crate::display::counted;
use indicatif::HumanCount;
use std::fmt::{self, Display, Formatter};

/// Mails by outcome.
#[derive(Debug, Default)]
pub(super) struct Total {
    pub(super) queued: u64,
    /// Mails that were queued by the same import before.
    pub(super) queued_before: u64,
    pub(super) refused: u64,
    pub(super) trashed: u64,
    pub(super) drafts: u64,
    /// Files in directories of `.eml` files that have another name.
    pub(super) other_files: u64,
}

impl Total {
    /// Returns whether a mail is in the queue.
    pub(super) fn has_items(&self) -> bool {
        self.queued + self.queued_before > 0
    }
}

impl Display for Total {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} queued", counted(self.queued, "mail", "mails"))?;
        for (number, outcome) in [
            (self.queued_before, "queued already"),
            (self.refused, "refused"),
            (self.trashed, "left out as trashed"),
            (self.drafts, "left out as drafts"),
            (self.other_files, "left out without `.eml` in the name"),
        ] {
            if number > 0 {
                write!(formatter, ", {} {outcome}", HumanCount(number))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Total;

    #[test]
    fn outcomes_without_mails_are_left_out() {
        assert_eq!(Total { queued: 1, ..Total::default() }.to_string(), "1 mail queued");
        let total = Total { queued_before: 1, refused: 2, trashed: 3, drafts: 4, other_files: 5, ..Total::default() };
        let text = "0 mails queued, 1 queued already, 2 refused, 3 left out as trashed, 4 left out as drafts, 5 left out \
                    without `.eml` in the name";
        assert_eq!(total.to_string(), text);
    }
}
