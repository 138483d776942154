//! The file systems: how each is made, mounted and, where it has no journal, repaired.

use crate::crash::Tearing;
use crate::disk::Image;
use crate::drive::{Drive, Mounted};
use crate::error::{Error, run};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use std::fmt::{self, Display};
use std::ops::Range;
use std::process::Command;

const MIB: u64 = 1 << 20;

/// Blocks of a group of ext4, and so the number of the block that has the second superblock.
const EXT4_GROUP_BLOCKS: &str = "8192";

/// A file system in one of its modes.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum FileSystem {
    /// ext4 as it comes: a journal of the metadata, data written before the metadata that names it
    Ext4,
    /// ext4 whose journal has the data too
    Ext4DataJournal,
    /// ext4 that writes data whenever it likes
    Ext4DataWriteback,
    /// ext4 without a journal, repaired by e2fsck before it is mounted
    Ext4NoJournal,
    /// XFS
    Xfs,
    /// btrfs
    Btrfs,
}

impl FileSystem {
    /// Every file system, in the order of the report.
    pub fn all() -> &'static [FileSystem] {
        FileSystem::value_variants()
    }

    /// Bytes of the device: little more than the least that its mkfs takes.
    pub fn bytes(self) -> u64 {
        match self {
            FileSystem::Xfs => 300 * MIB,
            FileSystem::Btrfs => 128 * MIB,
            _ => 64 * MIB,
        }
    }

    /// Where a disk may tear this file system, which is on `image`: anywhere in ext4, which writes again what its journal has, and
    /// has a second superblock; nowhere in btrfs, whose blocks are written once, but for a superblock of 4096 bytes; and in the
    /// log of XFS, which does not mount where a block is torn that its log is to change.
    pub fn tearing(self, image: &Image) -> Tearing {
        let sectors = match self {
            FileSystem::Btrfs => 0..0,
            FileSystem::Xfs => xfs_log(image),
            _ => 0..self.bytes(),
        };
        Tearing { sectors }
    }

    /// Whether a rename, a link and the sync of a directory are atomic, which the queue assumes.
    pub fn keeps_assumptions(self) -> bool {
        self != FileSystem::Ext4NoJournal
    }

    /// What the kernel calls it.
    fn kind(self) -> &'static str {
        match self {
            FileSystem::Xfs => "xfs",
            FileSystem::Btrfs => "btrfs",
            _ => "ext4",
        }
    }

    /// The options of a mount. What nobody needs any more is not given back to the disk, which is the default of all but
    /// btrfs: it would make images of no interest.
    fn options(self) -> &'static str {
        match self {
            FileSystem::Ext4DataJournal => "nodiscard,data=journal",
            FileSystem::Ext4DataWriteback => "nodiscard,data=writeback",
            _ => "nodiscard",
        }
    }

    /// The program that makes it, with its arguments but for the device.
    fn maker(self) -> Command {
        let mut command = Command::new(format!("mkfs.{}", self.kind()));
        match self {
            // Blocks as on a disk of a usual size, two block groups so that there is a second superblock as there is on every such
            // disk, and nothing that is left to the first mount.
            FileSystem::Ext4
            | FileSystem::Ext4DataJournal
            | FileSystem::Ext4DataWriteback
            | FileSystem::Ext4NoJournal => {
                let extended = "nodiscard,lazy_itable_init=0,lazy_journal_init=0";
                command.args(["-q", "-F", "-b", "4096", "-g", EXT4_GROUP_BLOCKS, "-E", extended]);
            }
            FileSystem::Xfs => {
                command.args(["-q", "-f", "-K"]);
            }
            FileSystem::Btrfs => {
                command.args(["-q", "-f", "-K"]);
            }
        }
        if self == FileSystem::Ext4NoJournal {
            command.args(["-O", "^has_journal"]);
        }
        command
    }

    /// Makes it on a drive.
    ///
    /// # Errors
    ///
    /// If its mkfs fails.
    pub fn make(self, drive: &Drive) -> Result<(), Error> {
        run(self.maker().arg(drive.device())).map(drop)
    }

    /// Mounts it, which recovers it as far as it does so by itself. ext4 is repaired by `e2fsck` as it is when a machine starts:
    /// without a journal always, and with one if it does not mount, as with a torn superblock. Says, too, whether it did not
    /// mount.
    ///
    /// # Errors
    ///
    /// If it does not mount.
    pub fn mount(self, drive: &Drive) -> Result<(Mounted<'_>, bool), Error> {
        let mount = || drive.mount(self.kind(), self.options());
        if self == FileSystem::Ext4NoJournal {
            repair(drive)?;
        }
        match mount() {
            Ok(mounted) => Ok((mounted, false)),
            Err(_) if self.kind() == "ext4" => {
                repair(drive)?;
                Ok((mount()?, true))
            }
            Err(error) => Err(error),
        }
    }

    /// The version of its mkfs.
    pub fn version(self) -> String {
        let output = Command::new(format!("mkfs.{}", self.kind())).arg("-V").output();
        let Ok(output) = output else {
            return format!("mkfs.{}: missing", self.kind());
        };
        // mke2fs says it on standard error.
        let said = if output.stdout.is_empty() { output.stderr } else { output.stdout };
        String::from_utf8_lossy(&said).lines().next().unwrap_or_default().to_string()
    }

    /// The programs that are needed for it.
    pub(crate) fn programs(self) -> Vec<String> {
        let mut programs = vec![format!("mkfs.{}", self.kind())];
        if self.kind() == "ext4" {
            programs.push("e2fsck".to_string());
        }
        programs
    }

    /// Whether the kernel has it, or can load it.
    pub(crate) fn is_in_kernel(self) -> bool {
        let known = || {
            let list = std::fs::read_to_string("/proc/filesystems").unwrap_or_default();
            list.lines().any(|line| line.split_whitespace().next_back() == Some(self.kind()))
        };
        known() || {
            // Where there is no such module, the list says so.
            let _ = Command::new("modprobe").args(["--quiet", self.kind()]).status();
            known()
        }
    }

    /// What it is called in the report.
    pub fn title(self) -> &'static str {
        match self {
            FileSystem::Ext4 => "ext4",
            FileSystem::Ext4DataJournal => "ext4 data=journal",
            FileSystem::Ext4DataWriteback => "ext4 data=writeback",
            FileSystem::Ext4NoJournal => "ext4 without a journal",
            FileSystem::Xfs => "XFS",
            FileSystem::Btrfs => "btrfs",
        }
    }
}

impl Display for FileSystem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value();
        formatter.write_str(value.as_ref().map_or("", |value| value.get_name()))
    }
}

/// Where XFS has its log, as its superblock says.
fn xfs_log(image: &Image) -> Range<u64> {
    let mut superblock = [0; 128];
    image.read(0, &mut superblock);
    let number = |offset: usize, bytes: usize| {
        superblock[offset..][..bytes].iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte))
    };
    let (start, blocks) = (number(48, 8), number(96, 4));
    let (group_blocks, group_bits, block_bits) = (number(84, 4), number(124, 1), number(120, 1));
    // A block's number has that of its group above its number there.
    let start = (start >> group_bits) * group_blocks + (start & ((1 << group_bits) - 1));
    start << block_bits..(start + blocks) << block_bits
}

/// Repairs an ext4 file system: if its superblock is torn, which `e2fsck` does not get over by itself, with the second one.
fn repair(drive: &Drive) -> Result<(), Error> {
    let check = |more: &[&str]| {
        let mut command = Command::new("e2fsck");
        command.args(["-f", "-y"]).args(more).arg(drive.device());
        let output = command.output().map_err(Error::system("e2fsck"))?;
        // 1 is a repair, 2 one after which the machine is to be restarted if it was mounted.
        match output.status.code() {
            Some(0..=2) => Ok(()),
            _ => Err(Error::program(&command, &output)),
        }
    };
    check(&[]).or_else(|_| check(&["-b", EXT4_GROUP_BLOCKS, "-B", "4096"]))
}
