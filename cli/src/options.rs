//! Options and arguments that several subcommands have.

use crate::names::{FAILED, PENDING, SENT};
use bytesize::ByteSize;
use clap::{Args, ValueEnum};
use queue_store_host::types::{Durability, Format};
use std::time::Duration;

#[derive(Args)]
pub(crate) struct Writing {
    /// When the put returns
    #[arg(long, value_enum, default_value_t)]
    pub(crate) durability: DurabilityChoice,
    /// The format of the item
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: FormatChoice,
}

#[derive(Clone, Copy, Default, ValueEnum)]
pub(crate) enum DurabilityChoice {
    /// After the file and the directory were fsynced: the effect survives power loss
    #[default]
    Full,
    /// After the file was fsynced: power loss may undo the effect, and leaves every item intact
    ContentOnly,
    /// At once: power loss may undo the effect, or damage the item
    None,
}

impl From<DurabilityChoice> for Durability {
    fn from(choice: DurabilityChoice) -> Durability {
        match choice {
            DurabilityChoice::Full => Durability::Full,
            DurabilityChoice::ContentOnly => Durability::ContentOnly,
            DurabilityChoice::None => Durability::None,
        }
    }
}

#[derive(Clone, Copy, Default, ValueEnum)]
pub(crate) enum FormatChoice {
    /// Protocol buffer text, which chasquid reads
    #[default]
    Text,
    /// Protocol buffer binary, which chasquid does not see
    Binary,
}

impl From<FormatChoice> for Format {
    fn from(choice: FormatChoice) -> Format {
        match choice {
            FormatChoice::Text => Format::Text,
            FormatChoice::Binary => Format::Binary,
        }
    }
}

#[derive(Args)]
pub(crate) struct Daemon {
    /// Change the queue although a chasquid uses it, which may undo the change or deliver a mail twice
    #[arg(long)]
    pub(crate) while_running: bool,
}

/// The format of mails outside of the queue.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum MailFormat {
    /// A file of mails, each after a line that begins with `From `
    Mbox,
    /// A directory with directories `new` and `cur`, and in those a file for each mail
    Maildir,
    /// A file that is one mail, or a directory of such files
    Eml,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum StatusChoice {
    /// Still to be made
    Pending,
    /// Made
    Sent,
    /// Given up
    Failed,
}

impl StatusChoice {
    /// Returns the number of the status in the format.
    pub(crate) fn number(self) -> i32 {
        match self {
            StatusChoice::Pending => PENDING,
            StatusChoice::Sent => SENT,
            StatusChoice::Failed => FAILED,
        }
    }
}

#[derive(Args)]
pub(crate) struct Items {
    /// The ids of the items; `--` goes before one that begins with `-`
    #[arg(required = true, value_name = "ID")]
    pub(crate) ids: Vec<String>,
    #[command(flatten)]
    pub(crate) daemon: Daemon,
}

/// Parses a duration such as `90s`, `36h` or `3d`; a number alone is seconds.
pub(crate) fn duration(argument: &str) -> Result<Duration, &'static str> {
    let seconds = argument.parse().map(Duration::from_secs);
    seconds.or_else(|_| humantime::parse_duration(argument)).map_err(|_| "a time such as 90s, 36h or 3d is expected")
}

/// Parses a size such as `100kB`, `10MB` or `1GiB`; a number alone is bytes.
pub(crate) fn size(argument: &str) -> Result<ByteSize, &'static str> {
    argument.parse().map_err(|_| "a size such as 100kB, 10MB or 1GiB is expected")
}
