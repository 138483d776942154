//! Makes, mounts and, where necessary, repairs the file systems under test.

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

/// Blocks of a group of ext4, which is also the number of the block with the second superblock.
const EXT4_GROUP_BLOCKS: &str = "8192";

/// A file system in one of its modes.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum FileSystem {
    /// ext4 by default: a journal of the metadata, data written before the metadata that refers to it
    Ext4,
    /// ext4 with a journal of the data too
    Ext4DataJournal,
    /// ext4 with data written in no order with the metadata
    Ext4DataWriteback,
    /// ext4 without a journal, repaired by e2fsck before it is mounted
    Ext4NoJournal,
    /// XFS
    Xfs,
    /// btrfs
    Btrfs,
}

impl FileSystem {
    /// Returns every file system, in the order of the report.
    pub fn all() -> &'static [FileSystem] {
        FileSystem::value_variants()
    }

    /// Returns the size of the device: little more than the minimum of the file system's mkfs.
    pub fn bytes(self) -> u64 {
        match self {
            FileSystem::Xfs => 300 * MIB,
            FileSystem::Btrfs => 128 * MIB,
            _ => 64 * MIB,
        }
    }

    /// Returns the part of the disk whose writes may be torn between sectors, for the file system on `image`: all of
    /// ext4, which replays whole blocks from its journal and has a second superblock; none of btrfs, which never
    /// overwrites a block in place except its superblock of 4096 bytes; and the log of XFS, which does not mount if a
    /// block that log recovery changes is torn.
    pub fn tearing(self, image: &Image) -> Tearing {
        let sectors = match self {
            FileSystem::Btrfs => 0..0,
            FileSystem::Xfs => xfs_log(image),
            _ => 0..self.bytes(),
        };
        Tearing { sectors }
    }

    /// Returns whether a rename, a link and the fsync of a directory are atomic, as the queue assumes.
    pub fn keeps_assumptions(self) -> bool {
        self != FileSystem::Ext4NoJournal
    }

    /// Returns the kernel's name of the file system, as for `mount -t`.
    fn kind(self) -> &'static str {
        match self {
            FileSystem::Xfs => "xfs",
            FileSystem::Btrfs => "btrfs",
            _ => "ext4",
        }
    }

    /// Returns the mount options. `nodiscard` is the default of all file systems except btrfs; discards would add
    /// images that test nothing.
    fn options(self) -> &'static str {
        match self {
            FileSystem::Ext4DataJournal => "nodiscard,data=journal",
            FileSystem::Ext4DataWriteback => "nodiscard,data=writeback",
            _ => "nodiscard",
        }
    }

    /// Returns the mkfs command without the device.
    fn maker(self) -> Command {
        let mut command = Command::new(format!("mkfs.{}", self.kind()));
        match self {
            // Blocks of the size that mkfs chooses for larger disks, two block groups so that there is a second
            // superblock as on larger disks, and no initialization that is left to the first mount.
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

    /// Makes the file system on a drive.
    ///
    /// # Errors
    ///
    /// Fails if mkfs fails.
    pub fn make(self, drive: &Drive) -> Result<(), Error> {
        run(self.maker().arg(drive.device())).map(drop)
    }

    /// Mounts the file system, which replays its journal or log. ext4 is repaired by `e2fsck` as at the start of a
    /// machine: without a journal always, and with a journal if it does not mount, for example with a torn superblock.
    /// Returns also whether the first mount failed.
    ///
    /// # Errors
    ///
    /// Fails if the file system does not mount.
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

    /// Returns the version of the file system's mkfs.
    pub fn version(self) -> String {
        let output = Command::new(format!("mkfs.{}", self.kind())).arg("-V").output();
        let Ok(output) = output else {
            return format!("mkfs.{}: missing", self.kind());
        };
        // mke2fs prints its version on standard error.
        let printed = if output.stdout.is_empty() { output.stderr } else { output.stdout };
        String::from_utf8_lossy(&printed).lines().next().unwrap_or_default().to_string()
    }

    /// Returns the programs that make and repair the file system.
    pub(crate) fn programs(self) -> Vec<String> {
        let mut programs = vec![format!("mkfs.{}", self.kind())];
        if self.kind() == "ext4" {
            programs.push("e2fsck".to_string());
        }
        programs
    }

    /// Returns whether the kernel supports the file system, after it tried to load the module.
    pub(crate) fn is_in_kernel(self) -> bool {
        let known = || {
            let list = std::fs::read_to_string("/proc/filesystems").unwrap_or_default();
            list.lines().any(|line| line.split_whitespace().next_back() == Some(self.kind()))
        };
        known() || {
            // A failure to load the module shows in the list.
            let _ = Command::new("modprobe").args(["--quiet", self.kind()]).status();
            known()
        }
    }

    /// Returns the name of the file system in the report.
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

/// Returns the byte range of the XFS log, read from the superblock.
fn xfs_log(image: &Image) -> Range<u64> {
    let mut superblock = [0; 128];
    image.read(0, &mut superblock);
    let number = |offset: usize, bytes: usize| {
        superblock[offset..][..bytes].iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte))
    };
    let (start, blocks) = (number(48, 8), number(96, 4));
    let (group_blocks, group_bits, block_bits) = (number(84, 4), number(124, 1), number(120, 1));
    // A block number has the number of its allocation group in the high bits and the block's index in the group below.
    let start = (start >> group_bits) * group_blocks + (start & ((1 << group_bits) - 1));
    start << block_bits..(start + blocks) << block_bits
}

/// Repairs an ext4 file system with `e2fsck`, and with the second superblock if that fails, as with a torn first one.
fn repair(drive: &Drive) -> Result<(), Error> {
    let check = |more: &[&str]| {
        let mut command = Command::new("e2fsck");
        command.args(["-f", "-y"]).args(more).arg(drive.device());
        let output = command.output().map_err(Error::system("e2fsck"))?;
        // 1: errors were corrected; 2: errors were corrected, and the machine must restart if the file system was
        // mounted.
        match output.status.code() {
            Some(0..=2) => Ok(()),
            _ => Err(Error::program(&command, &output)),
        }
    };
    check(&[]).or_else(|_| check(&["-b", EXT4_GROUP_BLOCKS, "-B", "4096"]))
}
