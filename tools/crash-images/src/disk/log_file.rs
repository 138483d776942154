//! Saves logs to files and loads them, so that an image can be checked again later.
//!
//! A file has a header line with the version, a line of the caller's, and then the events: each is a letter, then
//! numbers (64 bits, little-endian) and bytes.

use super::{Event, Log};
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;

const HEADER_LINE: &str = "queue-store crash log 1";

/// Maximum bytes of one event: a larger length means that the file is damaged. A loop device writes a few MiB at a
/// time.
const MAX_EVENT_BYTES: u64 = 1 << 28;

/// Writes a log to a file, after `line`, which describes it.
pub fn save(path: &Path, line: &str, log: &Log) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(file, "{HEADER_LINE}\n{line}")?;
    for event in log {
        match event {
            Event::Write { offset, bytes } => {
                file.write_all(b"w")?;
                file.write_all(&offset.to_le_bytes())?;
                write_bytes(&mut file, bytes)?;
            }
            Event::Zero { offset, bytes } => {
                file.write_all(b"z")?;
                file.write_all(&offset.to_le_bytes())?;
                file.write_all(&bytes.to_le_bytes())?;
            }
            Event::Flush => file.write_all(b"f")?,
            Event::Mark(text) => {
                file.write_all(b"m")?;
                write_bytes(&mut file, text.as_bytes())?;
            }
        }
    }
    file.flush()
}

/// Reads a log from a file, and the line that describes it.
pub fn load(path: &Path) -> io::Result<(String, Log)> {
    let mut file = BufReader::new(File::open(path)?);
    let mut line = || {
        let mut line = String::new();
        file.read_line(&mut line).map(|_| line.trim_end().to_string())
    };
    if line()? != HEADER_LINE {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "not a crash log of this version"));
    }
    let line = line()?;
    let mut log = Log::new();
    let mut letter = [0];
    while file.read(&mut letter)? > 0 {
        log.push(match letter[0] {
            b'w' => Event::Write { offset: read_number(&mut file)?, bytes: read_bytes(&mut file)? },
            b'z' => Event::Zero { offset: read_number(&mut file)?, bytes: read_number(&mut file)? },
            b'f' => Event::Flush,
            b'm' => Event::Mark(String::from_utf8(read_bytes(&mut file)?).map_err(io::Error::other)?),
            _ => return Err(io::Error::new(io::ErrorKind::InvalidData, "unknown event")),
        });
    }
    Ok((line, log))
}

fn write_bytes(file: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    file.write_all(&(bytes.len() as u64).to_le_bytes())?;
    file.write_all(bytes)
}

fn read_number(file: &mut impl Read) -> io::Result<u64> {
    let mut number = [0; 8];
    file.read_exact(&mut number)?;
    Ok(u64::from_le_bytes(number))
}

fn read_bytes(file: &mut impl Read) -> io::Result<Vec<u8>> {
    let length = read_number(file)?;
    if length > MAX_EVENT_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "event exceeds the maximum size"));
    }
    let mut bytes = vec![0; length as usize];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_round_trips_and_truncated_log_is_rejected() {
        let directory = tempfile::tempdir().expect("a temporary directory can be created");
        let path = directory.path().join("log");
        let log = vec![
            Event::Write { offset: 4096, bytes: b"f\nw".to_vec() },
            Event::Flush,
            Event::Zero { offset: 1 << 40, bytes: 512 },
            Event::Mark("ñ".to_string()),
            Event::Write { offset: 0, bytes: Vec::new() },
        ];
        save(&path, "{\"a\":1}", &log).expect("the log can be saved");
        assert_eq!(load(&path).expect("the saved log is valid"), ("{\"a\":1}".to_string(), log));

        let bytes = std::fs::read(&path).expect("the saved log exists");
        std::fs::write(&path, &bytes[..bytes.len() - 1]).expect("the log can be truncated");
        assert_eq!(load(&path).expect_err("the log is truncated").kind(), io::ErrorKind::UnexpectedEof);
        std::fs::write(&path, b"something else\n").expect("the log can be replaced");
        assert_eq!(load(&path).expect_err("the header line is wrong").kind(), io::ErrorKind::InvalidData);
    }
}
