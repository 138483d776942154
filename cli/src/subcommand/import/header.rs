//! The header of a mail: its fields, without an interpretation of their values.

use crate::failure::Cause;
use crate::field::split_field;
use std::ops::Range;

/// The fields at the beginning of a mail.
#[derive(Debug)]
pub(super) struct Header<'a> {
    mail: &'a [u8],
    fields: Vec<Field<'a>>,
    /// The number of the first line that is neither a field nor the continuation of one.
    pub(super) broken_line: Option<usize>,
    /// Whether the header ends before the bytes that it was parsed from do.
    pub(super) is_complete: bool,
}

/// A field.
#[derive(Debug)]
pub(super) struct Field<'a> {
    pub(super) name: &'a str,
    /// The place of the whole field in the mail.
    pub(super) range: Range<usize>,
    /// The beginning of its value, after the colon.
    value: usize,
}

impl<'a> Header<'a> {
    /// Parses the header of a mail, which begins with a field.
    pub(super) fn parse(mail: &'a [u8]) -> Result<Header<'a>, Cause> {
        let mut header = Header { mail, fields: Vec::new(), broken_line: None, is_complete: true };
        let mut end = 0;
        for (line, number) in mail.split_inclusive(|byte| *byte == b'\n').zip(1..) {
            let start = end;
            end += line.len();
            if is_blank(line) {
                return header.checked();
            }
            if let Some((name, value)) = split_field(line) {
                header.fields.push(Field { name, range: start..end, value: end - value.len() });
            } else if let Some(field) = header.fields.last_mut().filter(|field| continues(line, start, field)) {
                field.range.end = end;
            } else {
                // The fields after it are looked at still: `Bcc` is no less private there.
                header.broken_line.get_or_insert(number);
            }
        }
        header.is_complete = false;
        header.checked()
    }

    fn checked(self) -> Result<Header<'a>, Cause> {
        let end = self.fields.last().ok_or(Cause::NoHeader)?.range.end;
        let mut lines = self.mail[..end].split(|byte| *byte == b'\n');
        let has_bare_return = lines.any(|line| line.strip_suffix(b"\r").unwrap_or(line).contains(&b'\r'));
        if has_bare_return { Err(Cause::BareCarriageReturn) } else { Ok(self) }
    }

    /// Returns the fields.
    pub(super) fn fields(&self) -> &[Field<'a>] {
        &self.fields
    }

    /// Returns the value of a field, with its line ends, and a replacement for each byte that is not UTF-8.
    pub(super) fn value(&self, field: &Field<'_>) -> String {
        String::from_utf8_lossy(&self.mail[field.value..field.range.end]).into_owned()
    }
}

/// Returns whether a line that begins at `start` continues a field.
fn continues(line: &[u8], start: usize, field: &Field<'_>) -> bool {
    field.range.end == start && (line.starts_with(b" ") || line.starts_with(b"\t"))
}

impl Field<'_> {
    /// Returns whether the field has one of these names, without regard to case.
    pub(super) fn is_one_of(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.name.eq_ignore_ascii_case(name))
    }
}

/// Returns whether a line is empty but for its end.
pub(super) fn is_blank(line: &[u8]) -> bool {
    matches!(line, b"\n" | b"\r\n")
}
