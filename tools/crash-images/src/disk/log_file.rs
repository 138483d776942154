//! Logs as files, so that an image can be looked at later.
//!
//! A file has a line that says what it is, a line of the caller's, and then the events: a letter, numbers (64 bits, least byte
//! first) and bytes.

use super::{Event, Log};
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;

const FIRST_LINE: &str = "queue-store crash log 1";

/// Bytes of one event, at most: more means that the file is damaged. A loop device writes a few MiB at a time.
const MAX_EVENT_BYTES: u64 = 1 << 28;

/// Writes a log to a file. `line` is a line about it.
pub fn save(path: &Path, line: &str, log: &Log) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(file, "{FIRST_LINE}\n{line}")?;
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

/// Reads a log from a file, and the line about it.
pub fn load(path: &Path) -> io::Result<(String, Log)> {
    let mut file = BufReader::new(File::open(path)?);
    let mut line = || {
        let mut line = String::new();
        file.read_line(&mut line).map(|_| line.trim_end().to_string())
    };
    if line()? != FIRST_LINE {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is not a log of this version"));
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
            _ => return Err(io::Error::new(io::ErrorKind::InvalidData, "it has an event that does not exist")),
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
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it has an event of an impossible size"));
    }
    let mut bytes = vec![0; length as usize];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_read_as_it_was_written_and_a_cut_one_is_refused() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("log");
        let log = vec![
            Event::Write { offset: 4096, bytes: b"f\nw".to_vec() },
            Event::Flush,
            Event::Zero { offset: 1 << 40, bytes: 512 },
            Event::Mark("ñ".to_string()),
            Event::Write { offset: 0, bytes: Vec::new() },
        ];
        save(&path, "{\"a\":1}", &log).expect("it is written");
        assert_eq!(load(&path).expect("it is read"), ("{\"a\":1}".to_string(), log));

        let bytes = std::fs::read(&path).expect("it is there");
        std::fs::write(&path, &bytes[..bytes.len() - 1]).expect("it is cut");
        assert_eq!(load(&path).expect_err("it is cut").kind(), io::ErrorKind::UnexpectedEof);
        std::fs::write(&path, b"something else\n").expect("it is replaced");
        assert_eq!(load(&path).expect_err("it is no log").kind(), io::ErrorKind::InvalidData);
    }
}
