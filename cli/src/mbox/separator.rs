//! The line before each mail of an mbox file: `From `, a sender and a date.

use jiff::Timestamp;

/// The beginning of the line.
pub(crate) const FROM: &[u8] = b"From ";

/// Follows the date where the mail does not end with a line feed, which the file cannot show otherwise. Other programs
/// ignore it.
const UNTERMINATED: &str = " (no newline at end)";

/// A line before a mail.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Separator {
    /// The sender, or a placeholder.
    pub(crate) sender: String,
    /// Whether the line feed before the blank line is not part of the mail.
    pub(crate) is_unterminated: bool,
}

impl Separator {
    /// Parses a line. The sender may have blanks, as a quoted local part and `a at example.com` do.
    pub(crate) fn parse(line: &[u8]) -> Option<Separator> {
        let text = str::from_utf8(line.strip_prefix(FROM)?).ok()?.trim_end_matches(['\n', '\r']);
        if text.contains(char::is_control) {
            return None;
        }
        let (text, is_unterminated) = match text.strip_suffix(UNTERMINATED) {
            Some(text) => (text, true),
            None => (text, false),
        };
        let mut splits = text.match_indices(' ').map(|(blank, _)| (text[..blank].trim(), &text[blank..]));
        let (sender, _) = splits.find(|(sender, date)| !sender.is_empty() && is_date(date))?;
        Some(Separator { sender: sender.to_string(), is_unterminated })
    }

    /// Returns the line with a date in UTC.
    pub(crate) fn line(&self, date: Timestamp) -> String {
        let date = date.strftime("%a %b %e %H:%M:%S %Y");
        format!("From {} {date}{}\n", self.sender, if self.is_unterminated { UNTERMINATED } else { "" })
    }
}

/// Returns whether text is a date as mail programs write it: a day of the week, and then in some order a month, a day, a
/// year, a time, and perhaps zones.
fn is_date(text: &str) -> bool {
    let mut parts = text.split_ascii_whitespace();
    let begins_with_weekday = parts.next().is_some_and(|day| WEEKDAYS.contains(&day.strip_suffix(',').unwrap_or(day)));
    let (mut month, mut day, mut year, mut time) = (0, 0, 0, 0);
    let all_known = parts.all(|part| {
        let number = part.parse::<u32>().ok().filter(|_| !part.starts_with('+'));
        match number {
            Some(1..=31) if part.len() <= 2 => day += 1,
            Some(1970..=9999) => year += 1,
            Some(_) => return false,
            None if MONTHS.contains(&part) => month += 1,
            None if is_time(part) => time += 1,
            None => return is_zone(part),
        }
        true
    });
    begins_with_weekday && all_known && (month, day, year, time) == (1, 1, 1, 1)
}

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Returns whether text is a time of day, with or without seconds.
fn is_time(text: &str) -> bool {
    let is_number = |part: &str| part.len() <= 2 && part.parse::<u32>().is_ok_and(|number| number <= 60);
    matches!(text.split(':').count(), 2 | 3) && text.split(':').all(is_number)
}

/// Returns whether text is a time zone: `+0100`, `CEST`, or either in parentheses.
fn is_zone(text: &str) -> bool {
    let text = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')).unwrap_or(text);
    match text.strip_prefix(['+', '-']) {
        Some(digits) => digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit()),
        None => (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_uppercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::Separator;

    fn sender(line: &str) -> Option<String> {
        Separator::parse(line.as_bytes()).map(|separator| separator.sender)
    }

    #[test]
    fn dates_of_mail_programs_make_separators() {
        for (line, expected) in [
            ("From alice@example.com Sat Jan  3 01:05:34 2026", "alice@example.com"),
            ("From alice@example.com  Sat Jan 03 01:05 2026\r\n", "alice@example.com"),
            ("From 1545668983435175434@xxx Fri Sep 16 22:26:51 +0000 2016\n", "1545668983435175434@xxx"),
            ("From - Sat Jan  3 01:05:34 2026", "-"),
            ("From ???@??? Sat Jan  3 01:05:34 2026 -0500", "???@???"),
            ("From MAILER-DAEMON Sat Jan  3 01:05:34 CET 2026", "MAILER-DAEMON"),
            ("From a@example.com Sat, 3 Jan 2026 01:05:34 +0100 (CET)", "a@example.com"),
            ("From \"bob builder\"@example.com Sat Jan  3 01:05:34 2026", "\"bob builder\"@example.com"),
            ("From alice at example.com Sat Jan  3 01:05:34 2026", "alice at example.com"),
        ] {
            assert_eq!(sender(line).as_deref(), Some(expected), "{line}");
        }
    }

    #[test]
    fn sentences_are_no_separators() {
        for line in [
            "From my side there are two questions;",
            "From alice@example.com",
            "From Sat Jan  3 01:05:34 2026",
            "From Monday on, 3 Jan 2026 at 01:05:34 we meet",
            "From alice@example.com Sat Jan  3 2026",
            "From alice@example.com Sat Jan 32 01:05:34 2026",
            "From alice@example.com Sat Jan  3 01:05:34 2026 in the morning",
            "From alice@example.com Sat Jan  3 01:05:34 2026\rTo: b@example.com",
            ">From alice@example.com Sat Jan  3 01:05:34 2026",
            "from alice@example.com Sat Jan  3 01:05:34 2026",
            "From: alice@example.com Sat Jan  3 01:05:34 2026",
        ] {
            assert_eq!(sender(line), None, "{line}");
        }
    }

    #[test]
    fn missing_line_feed_is_marked() {
        let line = b"From a@example.com Sat Jan  3 01:05:34 2026 (no newline at end)\n";
        let separator = Separator { sender: "a@example.com".to_string(), is_unterminated: true };
        let time = jiff::Timestamp::from_second(1_767_402_334).expect("it is in the year 2026");
        assert_eq!(separator.line(time).as_bytes(), line);
        assert_eq!(Separator::parse(line), Some(separator));
    }
}
