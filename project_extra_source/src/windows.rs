//! A file in windows of complete records, so that memory is bounded whatever the file, and every record has its line.

use crate::error::ExtraError;
use crate::input::Input;
use crate::source_file::SourceFile;
use anyhow::Result;
use std::ops::Range;

/// Bytes that are read at once.
const WINDOW: usize = 2 << 20;
/// The longest record. A quote that is never closed makes one of all that follows.
const LONGEST_RECORD: usize = 32 << 20;
/// What some editors begin UTF-8 with.
pub(crate) const BOM: &[u8] = b"\xef\xbb\xbf";
/// Bytes of a bad line that are kept, at most; a character has up to four.
const MOST_BYTES: usize = 40_000;
/// Characters of it.
const MOST_CHARACTERS: usize = 10_000;

/// A record of a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// Its bytes in the window, with the line break that ends it.
    pub(crate) bytes: Range<usize>,
    /// The line in which it begins, from 1.
    pub(crate) line: u64,
    /// Why it cannot be read, if so.
    pub(crate) fault: Option<Fault>,
}

/// Why a record cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) reason: String,
    /// The column, when it is known.
    pub(crate) column: Option<String>,
}

impl Fault {
    pub(crate) fn of_line(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), column: None }
    }

    /// A record that is wrong and long has probably swallowed others.
    fn over_lines(mut self, first: u64, lines: u64) -> Self {
        if lines > 1 {
            self.reason = format!("{} (in the lines {first} to {})", self.reason, first + lines - 1);
        }
        self
    }
}

/// Finds the records of a format.
pub(crate) trait FindRecords {
    /// The next record at or after `from` and where it ends; nothing when the bytes do not hold all of it. At the `last`
    /// window the bytes end with a line break, and what does not end there never will.
    fn next(&mut self, bytes: &[u8], from: usize, last: bool) -> Option<Found>;
}

/// A record, or blank lines.
pub(crate) struct Found {
    pub(crate) bytes: Range<usize>,
    pub(crate) blank: bool,
    pub(crate) fault: Option<Fault>,
    /// A quote opens in it that is never closed: how many records it has swallowed is not known.
    pub(crate) open: bool,
}

/// Complete records and their bytes.
pub(crate) struct Window<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) records: Vec<Record>,
}

impl Window<'_> {
    /// A record as it was, as far as it is kept.
    pub(crate) fn text(&self, record: &Record) -> String {
        kept_text(&self.bytes[record.bytes.clone()])
    }

    /// Marks every record that is no text.
    pub(crate) fn check_text(&mut self) {
        if std::str::from_utf8(self.bytes).is_ok() {
            return;
        }
        for record in &mut self.records {
            if record.fault.is_none() && std::str::from_utf8(&self.bytes[record.bytes.clone()]).is_err() {
                record.fault = Some(Fault::of_line("is not UTF-8"));
            }
        }
    }

    /// The records that can be read.
    pub(crate) fn good(&self) -> impl Iterator<Item = &Record> {
        self.records.iter().filter(|record| record.fault.is_none())
    }
}

fn kept_text(bytes: &[u8]) -> String {
    let end = bytes.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n')).map_or(0, |last| last + 1);
    let text = String::from_utf8_lossy(&bytes[..end.min(MOST_BYTES)]);
    text.chars().take(MOST_CHARACTERS).collect()
}

/// Reads a file window by window.
pub(crate) struct Windows {
    source: SourceFile,
    input: Input,
    buffer: Vec<u8>,
    /// Bytes of the buffer that were handed out.
    done: usize,
    line: u64,
    begun: bool,
    ended: bool,
}

impl Windows {
    pub(crate) fn open(source: &SourceFile) -> Result<Self> {
        let input = Input::open(source)?;
        Ok(Self { source: source.clone(), input, buffer: Vec::new(), done: 0, line: 1, begun: false, ended: false })
    }

    /// The next records, at most `most` of them; nothing at the end of the file.
    pub(crate) fn next(&mut self, finder: &mut impl FindRecords, most: usize) -> Result<Option<Window<'_>>> {
        loop {
            if self.ended && self.done == self.buffer.len() {
                return Ok(None);
            }
            let start = self.done;
            let records = self.records(finder, most)?;
            if !records.is_empty() {
                let bytes = &self.buffer[start..self.done];
                let shift =
                    |record: Record| Record { bytes: record.bytes.start - start..record.bytes.end - start, ..record };
                return Ok(Some(Window { bytes, records: records.into_iter().map(shift).collect() }));
            }
            if !self.ended {
                self.fill()?;
            }
        }
    }

    fn records(&mut self, finder: &mut impl FindRecords, most: usize) -> Result<Vec<Record>> {
        let mut records = Vec::new();
        while self.done < self.buffer.len() && records.len() < most {
            let Some(found) = finder.next(&self.buffer, self.done, self.ended) else { break };
            let lines = line_breaks(&self.buffer[found.bytes.clone()]);
            if found.open && lines > 1 {
                let what = format!("a quote that opens in line {} is not closed before the end of the file", self.line);
                return Err(ExtraError::file(&self.source, what));
            }
            if !found.blank {
                let fault = found.fault.map(|fault| fault.over_lines(self.line, lines));
                records.push(Record { bytes: found.bytes.clone(), line: self.line, fault });
            }
            self.line += lines;
            self.done = found.bytes.end;
        }
        Ok(records)
    }

    fn fill(&mut self) -> Result<()> {
        self.buffer.drain(..self.done);
        self.done = 0;
        let held = self.buffer.len();
        if held >= LONGEST_RECORD {
            let what = format!(
                "the record that begins in line {} is longer than {} MiB; is a quote not closed there?",
                self.line,
                LONGEST_RECORD >> 20
            );
            return Err(ExtraError::file(&self.source, what));
        }
        // Twice as much each time, so that a long record is not looked at again and again.
        let more = WINDOW.max(held).min(LONGEST_RECORD - held);
        self.buffer.resize(held + more, 0);
        let read = self.input.fill(&self.source, &mut self.buffer[held..])?;
        self.buffer.truncate(held + read);
        if !self.begun {
            self.begun = true;
            self.begin()?;
        }
        if read < more {
            self.ended = true;
            if !self.buffer.is_empty() && !self.buffer.ends_with(b"\n") && !self.buffer.ends_with(b"\r") {
                self.buffer.push(b'\n');
            }
        }
        Ok(())
    }

    fn begin(&mut self) -> Result<()> {
        if self.buffer.is_empty() {
            return Err(ExtraError::file(&self.source, "the file is empty; not even its columns are known"));
        }
        if self.buffer.starts_with(BOM) {
            self.buffer.drain(..BOM.len());
        }
        if self.buffer.starts_with(b"\xff\xfe") || self.buffer.starts_with(b"\xfe\xff") {
            return Err(ExtraError::file(
                &self.source,
                "the file is UTF-16; convert it to UTF-8 (iconv -f UTF-16 -t UTF-8)",
            ));
        }
        Ok(())
    }
}

/// Line breaks as editors count them: CR LF is one.
fn line_breaks(bytes: &[u8]) -> u64 {
    let feeds = bytes.iter().filter(|byte| **byte == b'\n').count();
    if !bytes.contains(&b'\r') {
        return feeds as u64;
    }
    let returns = (0..bytes.len()).filter(|at| bytes[*at] == b'\r' && bytes.get(at + 1) != Some(&b'\n')).count();
    (feeds + returns) as u64
}
