//! A CSV file with a header, plain or gzip. The server reads its values; here only its records are counted, so that none
//! can be lost on the way unnoticed.

use crate::InputFile;
use crate::column_match::FileColumn;
use crate::error::InsertError;
use crate::input::{PIECE, Pieces, read_some, unreadable};
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::Read;

/// A header beyond this is none.
const LONGEST_HEADER: usize = 1 << 20;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// An open file whose header is read.
pub(crate) struct CsvInput {
    name: String,
    /// What was read already, from the first byte of the header.
    begun: Vec<u8>,
    rest: Box<dyn Read + Send>,
    columns: Vec<FileColumn>,
}

impl CsvInput {
    pub(crate) fn open(file: &InputFile, opened: File, gzip: bool) -> Result<Self, InsertError> {
        let mut rest: Box<dyn Read + Send> =
            if gzip { Box::new(MultiGzDecoder::new(opened)) } else { Box::new(opened) };
        let mut begun = vec![0; LONGEST_HEADER];
        let length = read_some(&mut rest, &mut begun).map_err(|error| unreadable(&file.name, &error))?;
        begun.truncate(length);
        if begun.starts_with(BYTE_ORDER_MARK) {
            begun.drain(..BYTE_ORDER_MARK.len());
        }
        let names = header(&begun).map_err(|what| InsertError::data(format!("{}: its header {what}", file.name)))?;
        let declared = |name: &str| {
            let known = file.declared.iter().flatten().find(|(declared, _)| declared == name);
            known.map(|(_, data_type)| data_type.clone())
        };
        let columns = names.into_iter().map(|name| FileColumn { data_type: declared(&name), name }).collect();
        Ok(Self { name: file.name.clone(), begun, rest, columns })
    }

    pub(crate) fn columns(&self) -> &[FileColumn] {
        &self.columns
    }

    /// Sends the bytes as they are; returns how many records follow the header.
    pub(crate) fn send(mut self, to: &Pieces) -> Result<u64, InsertError> {
        let mut records = Records::default();
        let mut piece = std::mem::take(&mut self.begun);
        while !piece.is_empty() {
            records.count(&piece);
            // In one column it is a NULL.
            if let Some(line) = records.blank.filter(|_| self.columns.len() > 1) {
                return Err(InsertError::data(format!(
                    "line {line} of {} is blank; remove it; nothing was written",
                    self.name
                )));
            }
            to.send(piece)?;
            piece = vec![0; PIECE];
            let length = read_some(&mut self.rest, &mut piece).map_err(|error| unreadable(&self.name, &error))?;
            piece.truncate(length);
        }
        Ok(records.ended().saturating_sub(1))
    }
}

/// The names in the first record, or what is wrong with it.
fn header(bytes: &[u8]) -> Result<Vec<String>, &'static str> {
    let (mut names, mut name, mut quoted) = (Vec::new(), Vec::new(), false);
    let mut rest = bytes.iter().copied().peekable();
    let text = |name: Vec<u8>| String::from_utf8(name).map_err(|_| "is not UTF-8");
    loop {
        match rest.next() {
            Some(b'"') if quoted && rest.peek() == Some(&b'"') => {
                rest.next();
                name.push(b'"');
            }
            Some(b'"') => quoted = !quoted,
            Some(b',') if !quoted => names.push(text(std::mem::take(&mut name))?),
            Some(b'\r') if !quoted && rest.peek() == Some(&b'\n') => {}
            Some(b'\n') if !quoted => break,
            Some(byte) => name.push(byte),
            None if quoted || bytes.len() == LONGEST_HEADER => return Err("does not end"),
            None => break,
        }
    }
    names.push(text(name)?);
    if names.iter().any(String::is_empty) { Err("has a column without a name") } else { Ok(names) }
}

/// Counts records as the server does: a line that ends outside of quotes.
#[derive(Default)]
struct Records {
    ended: u64,
    quoted: bool,
    begun: bool,
    /// Whether the record has more than the first byte of a line's end.
    filled: bool,
    /// Line breaks, also those in quotes.
    lines: u64,
    /// The first line that is a record without anything.
    blank: Option<u64>,
}

impl Records {
    fn count(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.lines += u64::from(*byte == b'\n');
            match byte {
                b'"' => self.quoted = !self.quoted,
                b'\n' if !self.quoted => {
                    self.ended += 1;
                    if !self.filled && self.blank.is_none() {
                        self.blank = Some(self.lines);
                    }
                    (self.begun, self.filled) = (false, false);
                    continue;
                }
                _ => {}
            }
            self.begun = true;
            self.filled |= *byte != b'\r';
        }
    }

    /// The last line need not end.
    fn ended(&self) -> u64 {
        self.ended + u64::from(self.begun)
    }
}

#[cfg(test)]
mod tests {
    use super::{Records, header};

    #[test]
    fn names_may_be_quoted() {
        let names = |text: &str| header(text.as_bytes()).map(|names| names.join("|"));
        assert_eq!(names("id,\"a,\"\"b\"\"\nc\"\r\n1,2\n").as_deref(), Ok("id|a,\"b\"\nc"));
        assert_eq!(names("id").as_deref(), Ok("id"));
        assert_eq!(names("id,\n"), Err("has a column without a name"));
        assert_eq!(names("\"id"), Err("does not end"));
        assert_eq!(header(b"\xff\n"), Err("is not UTF-8"));
    }

    #[test]
    fn records_are_counted_across_pieces() {
        let text = "h\n1\n\"a\n\"\"\nb\"\n\n4";
        for split in 0..text.len() {
            let mut records = Records::default();
            records.count(&text.as_bytes()[..split]);
            records.count(&text.as_bytes()[split..]);
            assert_eq!((records.ended(), records.blank), (5, Some(6)), "{split}");
        }
    }
}
