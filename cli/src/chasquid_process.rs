//! A running chasquid: it keeps the items of its queue in memory, and writes them back over a change.

use crate::failure::{Cause, Failure};
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The configuration directory without the option `-config_dir`.
const CONFIG_DIRECTORY: &str = "/etc/chasquid";

/// The data directory of a configuration that does not set `data_dir`.
const DATA_DIRECTORY: &str = "/var/lib/chasquid";

/// Returns the id of a chasquid process that uses the queue in `directory`. One whose data directory this user cannot
/// find out counts as such if it runs as the owner of the queue. None where the system has no `/proc`.
pub(crate) fn of_queue(directory: &Path) -> Option<u32> {
    let queue = directory.metadata().ok()?;
    let names = fs::read_dir("/proc").ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter_map(|name| name.parse().ok()).find(|id| Process(*id).is_chasquid_of(&queue).unwrap_or(false))
}

/// Refuses a queue that a chasquid uses.
pub(crate) fn check_none_uses(directory: &Path) -> Result<(), Failure> {
    match of_queue(directory) {
        Some(process) => Err(Failure::from(Cause::ChasquidRuns(process)).at(&directory.to_string_lossy())),
        None => Ok(()),
    }
}

/// A process by its id.
struct Process(u32);

impl Process {
    /// Returns whether the process is a chasquid that uses a queue; none if it ended meanwhile.
    fn is_chasquid_of(&self, queue: &Metadata) -> Option<bool> {
        let status = fs::read_to_string(self.file("status")).ok()?;
        let mut fields = status.lines().filter_map(|line| line.split_once(":\t"));
        let mut field = |name| fields.find_map(|(key, value)| (key == name).then_some(value));
        if field("Name")? != "chasquid" || field("State")?.starts_with('Z') {
            return Some(false);
        }
        let effective_user = field("Uid")?.split('\t').nth(1)?.parse::<u32>().ok()?;
        // A process that is just being executed has no command line yet, and one that is ending none any more.
        let command_line = self.command_line()?;
        let prints_version = |argument: &[u8]| matches!(argument, b"-version" | b"--version");
        if command_line.split(|byte| *byte == 0).any(prints_version) {
            return Some(false);
        }
        let used = self.data_directory(&command_line).and_then(|directory| self.metadata(&directory.join("queue")));
        match used {
            Some(used) => Some((used.dev(), used.ino()) == (queue.dev(), queue.ino())),
            None => self.command_line().map(|_| effective_user == queue.uid()),
        }
    }

    /// Returns the command line; none where it is empty or cannot be read.
    fn command_line(&self) -> Option<Vec<u8>> {
        fs::read(self.file("cmdline")).ok().filter(|line| !line.is_empty())
    }

    fn data_directory(&self, command_line: &[u8]) -> Option<PathBuf> {
        let command_line = str::from_utf8(command_line).ok()?;
        let arguments: Vec<&str> = command_line.split('\0').collect();
        // chasquid changes to its configuration directory, a link that only its user and root may follow.
        let configured = Path::new(option(&arguments, "config_dir").unwrap_or(CONFIG_DIRECTORY));
        let directories = [self.file("cwd"), configured.to_path_buf()];
        let absolute = directories.iter().filter(|directory| directory.is_absolute());
        let configuration = absolute.map(|directory| directory.join("chasquid.conf"));
        let configuration = configuration.filter_map(|file| fs::read_to_string(file).ok()).next()?;
        let overrides = option(&arguments, "config_overrides").unwrap_or_default();
        data_directory(&format!("{configuration}\n{overrides}"))
    }

    /// Returns the metadata of a path as the process sees it: within its root, and relative to its working directory.
    fn metadata(&self, path: &Path) -> Option<Metadata> {
        match path.strip_prefix("/") {
            // Other users may not follow the link to its root, which is nearly always their own.
            Ok(below_root) => self.file("root").join(below_root).metadata().or_else(|_| path.metadata()).ok(),
            Err(_) => self.file("cwd").join(path).metadata().ok(),
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{name}", self.0))
    }
}

/// Returns the last value of an option as Go's package `flag` parses it: after `=` or in the next argument, with one hyphen or
/// two.
fn option<'a>(arguments: &[&'a str], name: &str) -> Option<&'a str> {
    arguments.iter().enumerate().rev().find_map(|(place, argument)| {
        let argument = argument.strip_prefix('-')?;
        match argument.strip_prefix('-').unwrap_or(argument).strip_prefix(name)? {
            "" => arguments.get(place + 1).copied(),
            value => value.strip_prefix('='),
        }
    })
}

/// Returns the data directory of a configuration, which is protobuf text. None if this cannot tell it for certain.
fn data_directory(configuration: &str) -> Option<PathBuf> {
    let uncommented = configuration.lines().map(without_comment).collect::<Vec<_>>().join("\n");
    let Some((before_name, after_name)) = uncommented.rsplit_once("data_dir") else {
        return Some(DATA_DIRECTORY.into());
    };
    // The name may also be a part of a value.
    if before_name.ends_with(|last: char| !last.is_whitespace()) {
        return None;
    }
    let literal = after_name.trim_start().strip_prefix(':')?.trim_start();
    let quote = literal.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let (value, _) = literal[1..].split_once(quote)?;
    (!value.contains('\\')).then(|| value.into())
}

/// Returns a line without its comment, which begins with `#` outside of a string.
fn without_comment(line: &str) -> &str {
    let mut quote = None;
    let comment = line.find(|character| match (quote, character) {
        (None, '#') => true,
        (None, '"' | '\'') => {
            quote = Some(character);
            false
        }
        (Some(opened), closing) if opened == closing => {
            quote = None;
            false
        }
        _ => false,
    });
    &line[..comment.unwrap_or(line.len())]
}

#[cfg(test)]
mod tests {
    use super::{data_directory, option};
    use std::path::Path;

    #[test]
    fn options_are_those_of_go() {
        let config_dir = |arguments: &[&'static str]| option(arguments, "config_dir");
        assert_eq!(config_dir(&["chasquid", "-config_dir", "/a"]), Some("/a"));
        assert_eq!(config_dir(&["chasquid", "-v=1", "--config_dir=/a"]), Some("/a"));
        assert_eq!(config_dir(&["chasquid", "-config_dir=/a", "-config_dir=/b"]), Some("/b"));
        assert_eq!(config_dir(&["chasquid", "-config_directory=/a"]), None);
        assert_eq!(config_dir(&["chasquid", "-config_dir"]), None);
    }

    #[test]
    fn data_directory_is_that_of_configuration() {
        for (configuration, expected) in [
            ("hostname: \"mx\"\n", Some("/var/lib/chasquid")),
            ("# data_dir: \"/commented\"\n", Some("/var/lib/chasquid")),
            ("data_dir: \"/srv/mail\"  # ours\nhostname: \"mx\"", Some("/srv/mail")),
            ("hostname: 'mx' data_dir:'data'", Some("data")),
            ("data_dir: \"/of file\"\ndata_dir: \"/of override\"", Some("/of override")),
            ("data_dir: \"/real\"\nsmtp_address: \"a#\" # moved from data_dir: \"/old\"", Some("/real")),
            ("smtp_address: \"old_data_dir: '/old'\"", None),
            ("data_dir: \"/escaped\\041\"", None),
            ("data_dir <", None),
            ("data_dir: \"/not closed", None),
        ] {
            assert_eq!(data_directory(configuration).as_deref(), expected.map(Path::new), "{configuration}");
        }
    }
}
