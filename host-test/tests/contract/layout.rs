//! The files of the item `x`, as a list of their names and contents.

use crate::support::{edit, put_as};
use queue_store_host_test::bindings::{Format, WriteOptions};
use queue_store_host_test::test_queue::TestQueue;
use std::collections::BTreeMap;
use std::fs;

/// The content of a file of the item `x`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Content {
    /// An intact item.
    A,
    /// Another intact item.
    B,
    /// Another intact item.
    C,
    /// `A` without its end.
    Truncated,
    /// `A` with another word in its body.
    Edited,
}

/// The prefix of a file name without its second character, and the content. `d` stands for `d` and random characters.
pub(crate) type Layout = [(char, Content)];

/// The bytes of each content, in one format.
pub(crate) struct Contents {
    sign: char,
    bytes: BTreeMap<Content, Vec<u8>>,
}

impl Contents {
    pub(crate) fn new(options: WriteOptions) -> Contents {
        let mut bytes = BTreeMap::new();
        for content in [Content::A, Content::B, Content::C, Content::Truncated, Content::Edited] {
            let mut queue = TestQueue::new();
            let body = match content {
                Content::B => &b"Subject: second\r\n"[..],
                Content::C => b"Subject: third\r\n",
                Content::A | Content::Truncated | Content::Edited => b"Subject: first\r\n",
            };
            put_as(&mut queue, "x", body, Some(options));
            let file = queue.file(&queue.names()[0]);
            if content == Content::Edited {
                edit(&file, b"first", b"FIRST");
            }
            let mut stored = fs::read(file).expect("the file exists");
            if content == Content::Truncated {
                stored.truncate(stored.len() / 2);
            }
            bytes.insert(content, stored);
        }
        let sign = if options.format == Some(Format::Binary) { '=' } else { ':' };
        Contents { sign, bytes }
    }

    /// Returns a queue that has these files.
    pub(crate) fn queue(&self, layout: &Layout) -> TestQueue {
        let queue = TestQueue::new();
        for (number, (prefix, content)) in layout.iter().enumerate() {
            let sign = self.sign;
            let name = match prefix {
                'd' => format!("d{sign}AAAAAAAAAA{number}:x"),
                prefix => format!("{prefix}{sign}x"),
            };
            fs::write(queue.file(&name), &self.bytes[content]).expect("the file can be written");
        }
        queue
    }

    /// Returns the files of a queue, sorted.
    pub(crate) fn layout(&self, queue: &TestQueue) -> Vec<(char, Content)> {
        let file = |name: String| {
            assert_eq!(name.chars().nth(1), Some(self.sign), "a change of state keeps the format: {name}");
            let prefix = name.chars().next().expect("a file name is not empty");
            let expected = if prefix == 'd' { 15 } else { 3 };
            assert!(name.len() == expected && name.ends_with('x'), "{name} is no file name of the item");
            let stored = fs::read(queue.file(&name)).expect("the file exists");
            let content = self.bytes.iter().find(|(_, bytes)| **bytes == stored);
            (prefix, *content.unwrap_or_else(|| panic!("the content of {name} was changed")).0)
        };
        let mut files: Vec<(char, Content)> = queue.names().into_iter().map(file).collect();
        files.sort();
        files
    }
}
