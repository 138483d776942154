//! The mails of an mbox file.
//!
//! A line separates two mails if it has a sender and a date, follows a blank line and is followed by a header; or if the
//! `Content-Length` of the mail before leads to such a line. A line that has some of these marks and not all may separate
//! mails or be part of one, so that the mail is not to be queued.

use super::header::is_blank;
use super::lines::{Line, Lines};
use super::source::Source;
use crate::field::split_field;
use crate::mbox::separator::{FROM, Separator};
use std::io::{self, Read};
use std::ops::Range;

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The mails of a file, in order.
pub(super) struct Mbox<'a> {
    source: &'a Source<'a>,
    /// The lines after `separator`.
    lines: Lines<'a>,
    /// The line before the next mail.
    separator: Option<Separator>,
}

/// The place of a mail in a file.
pub(super) struct Mail {
    pub(super) sender: String,
    pub(super) range: Range<u64>,
    /// Whether lines of the body have a `>` before their `From `.
    pub(super) is_quoted: bool,
    /// The number of a line that may begin another mail.
    pub(super) ambiguous_line: Option<u64>,
}

/// The end of a mail's content.
struct End {
    at: u64,
    is_quoted: bool,
    ambiguous_line: Option<u64>,
}

impl<'a> Mbox<'a> {
    /// Opens an mbox file. Returns none where the first line, after a byte order mark and blank lines, does not begin a mail.
    pub(super) fn open(source: &'a Source<'a>) -> io::Result<Option<Mbox<'a>>> {
        let mut lines = Lines::at(source, 0);
        while let Some(mut line) = lines.next()? {
            if line.start == 0 && line.head.starts_with(BYTE_ORDER_MARK) {
                line.head.drain(..BYTE_ORDER_MARK.len());
            }
            if !line.head.is_empty() && !is_blank(&line.head) {
                let separator = Separator::parse(&line.head);
                return Ok(separator.map(|separator| Mbox { source, lines, separator: Some(separator) }));
            }
        }
        Ok(Some(Mbox { source, lines, separator: None }))
    }

    /// Returns the next mail.
    pub(super) fn next(&mut self) -> io::Result<Option<Mail>> {
        let Some(Separator { sender, is_unterminated }) = self.separator.take() else { return Ok(None) };
        let start = self.lines.offset();
        let End { at, is_quoted, ambiguous_line } = self.find_end(start)?;
        let end = if is_unterminated { at.saturating_sub(1).max(start) } else { at };
        Ok(Some(Mail { sender, range: start..end, is_quoted, ambiguous_line }))
    }

    /// Reads the lines of a mail, and the separator after it.
    fn find_end(&mut self, start: u64) -> io::Result<End> {
        let mut end = End { at: start, is_quoted: true, ambiguous_line: None };
        let (mut in_header, mut content_length) = (true, None);
        let mut line_before_is_blank = false;
        while let Some(line) = self.lines.next()? {
            if is_blank(&line.head) {
                // The blank line before a separator is not part of the mail.
                end.at = line.start;
                line_before_is_blank = true;
                if in_header
                    && let Some(length) = content_length
                    && let Some(at) = end_by_length(self.source, line.end + length)?
                {
                    return self.skip_content(at);
                }
                in_header = false;
                continue;
            }
            if in_header {
                content_length = content_length.or(parse_content_length(&line));
            }
            match self.classify(&line, line_before_is_blank)? {
                Kind::Content => {}
                Kind::Ambiguous => {
                    end.ambiguous_line.get_or_insert(line.number);
                }
                Kind::Separator(separator) => {
                    self.separator = Some(separator);
                    return Ok(end);
                }
            }
            end.at = line.end;
            line_before_is_blank = false;
        }
        Ok(end)
    }

    /// Skips content whose end is known, and the separator after it.
    fn skip_content(&mut self, at: u64) -> io::Result<End> {
        let mut end = End { at, is_quoted: true, ambiguous_line: None };
        while let Some(line) = self.lines.next()? {
            if line.start < at {
                // Its writer relies on the length alone.
                end.is_quoted &= !line.head.starts_with(FROM);
            } else if !is_blank(&line.head) {
                self.separator = Separator::parse(&line.head);
                break;
            }
        }
        Ok(end)
    }

    /// Tells what a line in a mail is.
    fn classify(&mut self, line: &Line, line_before_is_blank: bool) -> io::Result<Kind> {
        if !line.head.starts_with(FROM) {
            return Ok(Kind::Content);
        }
        let header_follows = header_begins(self.lines.peek()?);
        Ok(match (Separator::parse(&line.head), line_before_is_blank, header_follows) {
            (Some(separator), true, true) => Kind::Separator(separator),
            (Some(_), true, false) | (Some(_), false, true) => Kind::Ambiguous,
            // Another date, or none: it may separate mails nevertheless.
            (None, true, true) => Kind::Ambiguous,
            _ => Kind::Content,
        })
    }
}

/// The role of a line in an mbox file.
enum Kind {
    Content,
    Ambiguous,
    Separator(Separator),
}

/// Returns the number of bytes in the body that a field tells.
fn parse_content_length(line: &Line) -> Option<u64> {
    let (_, value) = split_field(&line.head).filter(|(name, _)| name.eq_ignore_ascii_case("Content-Length"))?;
    // No body has more bytes than a number of 32 bits counts.
    str::from_utf8(value.trim_ascii()).ok()?.parse::<u32>().ok().map(u64::from)
}

/// Returns the end of a mail whose `Content-Length` tells an offset, if that is right: the separator of another mail, or
/// nothing, follows. The length may leave out the last line end, and only the blank line before the separator.
fn end_by_length(source: &Source<'_>, offset: u64) -> io::Result<Option<u64>> {
    let mut before = Vec::new();
    source.part(offset.saturating_sub(3)..offset).read_to_end(&mut before)?;
    let mut lines = Lines::at(source, offset);
    let (end, last_line_is_blank) = match before[..] {
        [.., b'\n', b'\n'] | [b'\n', b'\r', b'\n'] => (offset, true),
        [_, _, b'\n'] => (offset, false),
        [_, _, _] => match lines.next()? {
            Some(line) if is_blank(&line.head) => (line.end, false),
            _ => return Ok(None),
        },
        // The file is shorter.
        _ => return Ok(None),
    };
    let mut blank_lines = 0;
    while lines.peek()?.is_some_and(|line| is_blank(&line.head)) {
        lines.next()?;
        blank_lines += 1;
    }
    let is_separated = match lines.next()? {
        Some(line) => Separator::parse(&line.head).is_some() && header_begins(lines.peek()?),
        None => true,
    };
    let is_whole = blank_lines == 1 || blank_lines == 0 && !last_line_is_blank;
    Ok(Some(end).filter(|_| is_separated && is_whole))
}

/// Returns whether a line is the first of a header.
fn header_begins(line: Option<&Line>) -> bool {
    line.is_some_and(|line| split_field(&line.head).is_some())
}
