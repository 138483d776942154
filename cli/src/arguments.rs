//! The arguments of the command.

use clap::{Args, Parser, ValueEnum};
use queue_store_host::types::{Durability, Format};
use std::ffi::OsString;
use std::path::PathBuf;

/// A durable mail queue: one directory, one file for each item, and no acknowledged mail is ever lost.
///
/// The files are those of the SMTP server chasquid. Stop it before any change but `put`: it keeps items in memory, and
/// writes them back.
#[derive(Parser)]
#[command(name = "queue-store", version, arg_required_else_help = false, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) subcommand: Subcommand,
}

const EXIT_CODES: &str = "\
Exit codes (sysexits.h): 0 done, 64 usage, 65 damaged or bad data, 66 no such item or directory, 69 unavailable, \
70 internal error, 73 cannot create, 74 input/output error, 75 try again later (queue full, disk full), 77 permission. \
One line on standard error tells the place, the cause and the remedy.";

#[derive(clap::Subcommand)]
pub(crate) enum Subcommand {
    /// Queue a mail durably and print its id
    Put(Put),
    /// List the items
    List(Listing),
    /// Show an item without its body
    Show(Show),
    /// Write the body of an item to standard output, byte for byte
    Cat(Item),
    /// Change the status of a delivery
    Update(Update),
    /// Remove items
    Remove(Remove),
    /// Keep items from being delivered
    Hold(Items),
    /// Make held items ready again, and quarantined ones if they are intact
    Release(Items),
    /// Set items aside, damaged or not
    Quarantine(Items),
    /// Make quarantined items ready again, if they are intact
    Restore(Items),
    /// Write new checksums for items that were edited by hand
    Seal(Items),
    /// Make the state of the queue definite after a crash, and remove stale temporary files
    Recover(Recover),
    /// Verify every item whole
    Verify(Listing),
    /// Queue the mails of mbox files, maildirs and single files
    Import(Import),
    /// Check, compose or run a plugin: a component that submits mail, and reaches nothing else
    #[command(subcommand, arg_required_else_help = false)]
    Plugin(Plugin),
    /// Write the WebAssembly component that this command contains
    Component(Component),
    /// Print the contract in WIT, as one file
    Wit(Wit),
}

#[derive(Args)]
pub(crate) struct QueueDirectory {
    /// The directory of the queue
    #[arg(long, value_name = "DIR", env = "QUEUE_STORE_DIR")]
    pub(crate) queue: PathBuf,
}

#[derive(Args)]
#[command(override_usage = "queue-store put [OPTIONS] --queue <DIR> --from <ADDR> --to <ADDR> [FILE]")]
pub(crate) struct Put {
    #[command(flatten)]
    pub(crate) queue: QueueDirectory,
    /// The reverse-path: where a bounce goes. `<>` or empty for a bounce
    #[arg(long, value_name = "ADDR", allow_hyphen_values = true)]
    pub(crate) from: String,
    /// An address that the mail is for; once for each
    #[arg(long, value_name = "ADDR", allow_hyphen_values = true, required_unless_present = "rcpt")]
    pub(crate) to: Vec<String>,
    /// A delivery to make, instead of an EMAIL delivery for each `--to`: an address, or JSON as `show --json` prints
    /// it, such as {"address":"b@example.com","type":"FORWARD","via":["mx.example.com"]}
    #[arg(long, value_name = "ADDR|JSON", allow_hyphen_values = true)]
    pub(crate) rcpt: Vec<String>,
    /// The id of the item, instead of a generated one. An item that exists is never replaced
    #[arg(long, allow_hyphen_values = true)]
    pub(crate) id: Option<String>,
    #[command(flatten)]
    pub(crate) writing: Writing,
    /// Refuse the mail if the queue has this many items already
    #[arg(long, value_name = "N")]
    pub(crate) max_items: Option<u64>,
    /// Refuse a body of more bytes
    #[arg(long, value_name = "BYTES")]
    pub(crate) max_size: Option<u64>,
    /// The file that has the mail; standard input if it is left out or `-`
    pub(crate) file: Option<PathBuf>,
}

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
pub(crate) struct Listing {
    #[command(flatten)]
    pub(crate) queue: QueueDirectory,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct Show {
    #[command(flatten)]
    pub(crate) queue: QueueDirectory,
    /// The id of the item; `--` goes before one that begins with `-`
    pub(crate) id: String,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct Item {
    #[command(flatten)]
    pub(crate) queue: QueueDirectory,
    /// The id of the item; `--` goes before one that begins with `-`
    pub(crate) id: String,
}

#[derive(Args)]
pub(crate) struct Items {
    #[command(flatten)]
    pub(crate) queue: QueueDirectory,
    /// The ids of the items; `--` goes before one that begins with `-`
    #[arg(required = true, value_name = "ID")]
    pub(crate) ids: Vec<String>,
}

#[derive(Args)]
pub(crate) struct Update {
    #[command(flatten)]
    pub(crate) queue: QueueDirectory,
    /// The id of the item; `--` goes before one that begins with `-`
    pub(crate) id: String,
    /// The address of the delivery
    #[arg(long, value_name = "ADDR", allow_hyphen_values = true)]
    pub(crate) rcpt: String,
    /// The status of the delivery
    #[arg(long, value_enum)]
    pub(crate) status: StatusChoice,
    /// The message of the last attempt. Bytes that are not UTF-8 become U+FFFD
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) failure: Option<OsString>,
    /// When the update returns
    #[arg(long, value_enum, default_value_t)]
    pub(crate) durability: DurabilityChoice,
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
            StatusChoice::Pending => 0,
            StatusChoice::Sent => 1,
            StatusChoice::Failed => 2,
        }
    }
}

#[derive(Args)]
pub(crate) struct Remove {
    #[command(flatten)]
    pub(crate) items: Items,
    /// Remove quarantined items, instead of those that are ready or held
    #[arg(long)]
    pub(crate) quarantined: bool,
    /// When the removal returns
    #[arg(long, value_enum, default_value_t)]
    pub(crate) durability: DurabilityChoice,
}

#[derive(Args)]
pub(crate) struct Recover {
    #[command(flatten)]
    pub(crate) queue: QueueDirectory,
    /// Remove temporary files that are at least this old; 0 only if no other process writes
    #[arg(long, value_name = "SECONDS", default_value_t = 36 * 3600)]
    pub(crate) grace: u64,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct Import {
    #[command(flatten)]
    pub(crate) queue: QueueDirectory,
    /// The reverse-path of every mail; without it, that of the mbox file or of `Return-Path`, or else the null one
    #[arg(long, value_name = "ADDR", allow_hyphen_values = true)]
    pub(crate) from: Option<String>,
    /// An address that every mail is for; once for each. Without it, those in `To` and `Cc` of the mail
    #[arg(long, value_name = "ADDR", allow_hyphen_values = true)]
    pub(crate) to: Vec<String>,
    #[command(flatten)]
    pub(crate) writing: Writing,
    /// Stop when the queue has this many items
    #[arg(long, value_name = "N")]
    pub(crate) max_items: Option<u64>,
    /// mbox files, maildirs, and files of one mail each. As root they are read as the owner of the queue
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Component {
    /// The file to write, instead of standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(clap::Subcommand)]
pub(crate) enum Plugin {
    /// List the imports of a plugin, and what it gets for each
    Check(PluginCheck),
    /// Compose a plugin with the queue and an empty file system, for any host
    Compose(PluginCompose),
    /// Run a plugin that is a command, with the mail on standard input
    Run(PluginRun),
}

#[derive(Args)]
pub(crate) struct PluginCheck {
    #[command(flatten)]
    pub(crate) plugin: PluginFile,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct PluginFile {
    /// The plugin: a component that imports `mail:queue/intake`
    #[arg(value_name = "PLUGIN")]
    pub(crate) path: PathBuf,
    /// An interface or a package that the plugin may import although it would be refused, such as `wasi:sockets`. It gets
    /// what the host grants
    #[arg(long, value_name = "NAME")]
    pub(crate) allow: Vec<String>,
}

#[derive(Args)]
pub(crate) struct PluginCompose {
    #[command(flatten)]
    pub(crate) plugin: PluginFile,
    /// The file to write, instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Args)]
#[command(override_usage = "queue-store plugin run [OPTIONS] --queue <DIR> <PLUGIN> [ARGUMENT]... < MAIL")]
pub(crate) struct PluginRun {
    #[command(flatten)]
    pub(crate) queue: QueueDirectory,
    /// How many mails it may submit
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub(crate) max_mails: u64,
    /// How many bytes its mails may have in all
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 30)]
    pub(crate) max_bytes: u64,
    /// How much memory it may have
    #[arg(long, value_name = "BYTES", default_value_t = 256 << 20)]
    pub(crate) max_memory: usize,
    /// How long it may take
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) max_seconds: u64,
    /// The plugin, a component that imports `mail:queue/intake` and exports `wasi:cli/run`, and its arguments. Options
    /// of `run` go before it
    #[arg(value_names = ["PLUGIN", "ARGUMENT"], required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) command: Vec<String>,
}

#[derive(Args)]
pub(crate) struct Wit {
    /// Print this world alone, and the interfaces that it needs: `plugin` for a plugin
    #[arg(long, value_name = "NAME")]
    pub(crate) world: Option<String>,
}
