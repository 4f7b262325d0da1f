//! Where the records of a CSV file end, and how many fields they have: by csv-core, which arrow-csv reads with too, so
//! that both agree. A record of too few or too many fields is found here and arrow-csv, which gives a whole file up for
//! it, never sees it.

use crate::windows::{Fault, FindRecords, Found};
use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

/// Finds records; of the right number of fields once that is known.
pub(crate) struct CsvRecords {
    reader: Reader,
    delimiter: u8,
    expected: Option<usize>,
    fields: usize,
    /// Nobody looks at the values here.
    values: Vec<u8>,
    ends: Vec<usize>,
}

impl CsvRecords {
    pub(crate) fn new(delimiter: u8) -> Self {
        let reader = ReaderBuilder::new().delimiter(delimiter).build();
        Self { reader, delimiter, expected: None, fields: 0, values: vec![0; 1 << 16], ends: vec![0; 1 << 10] }
    }

    /// From now on a record with another number of fields is bad.
    pub(crate) fn expect_fields(&mut self, fields: usize) {
        self.expected = Some(fields);
    }

    /// The fields of the record that was found last.
    pub(crate) fn fields(&self) -> usize {
        self.fields
    }

    /// A line without quotes is a record, and far cheaper to look at.
    fn line(&self, bytes: &[u8], from: usize) -> Option<(usize, usize)> {
        let length = bytes[from..].iter().position(|byte| matches!(byte, b'\n' | b'\r' | b'"'))?;
        let end = from + length;
        let length = match (bytes[end], bytes.get(end + 1)) {
            (b'\n', _) => 1,
            (b'\r', Some(b'\n')) => 2,
            _ => return None,
        };
        let delimiters = bytes[from..end].iter().filter(|byte| **byte == self.delimiter).count();
        Some((end + length, delimiters + 1))
    }

    /// The end of the record and the number of its fields.
    fn record(&mut self, bytes: &[u8], from: usize) -> Option<(usize, usize)> {
        if let Some(line) = self.line(bytes, from) {
            return Some(line);
        }
        self.reader.reset();
        // A line break, so that it does not look for a mark of the byte order.
        self.reader.read_record(b"\n", &mut self.values, &mut self.ends);
        let (mut at, mut fields) = (from, 0);
        while at < bytes.len() {
            let (result, read, _, ends) = self.reader.read_record(&bytes[at..], &mut self.values, &mut self.ends);
            at += read;
            fields += ends;
            match result {
                ReadRecordResult::Record => return Some((at, fields)),
                ReadRecordResult::InputEmpty | ReadRecordResult::End => return None,
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {}
            }
        }
        None
    }

    fn fault(&self, record: &[u8], fields: usize) -> Option<Fault> {
        if self.text_follows_quote(record) {
            return Some(Fault::of_line("has text after a closing quote"));
        }
        let expected = self.expected.filter(|expected| *expected != fields)?;
        Some(Fault::of_line(format!("has {} instead of {expected}", counted(fields, "field"))))
    }

    /// csv-core takes such text into the value, and with it the lines that a stray quote has swallowed.
    fn text_follows_quote(&self, record: &[u8]) -> bool {
        let mut at = 0;
        while let Some(byte) = record.get(at) {
            if *byte == b'"' {
                at = end_of_quotes(record, at + 1);
                if record.get(at).is_some_and(|next| *next != self.delimiter && !matches!(next, b'\r' | b'\n')) {
                    return true;
                }
            }
            // On to the next field: a quote within one means nothing.
            match record[at.min(record.len())..].iter().position(|byte| *byte == self.delimiter) {
                Some(delimiter) => at += delimiter + 1,
                None => return false,
            }
        }
        false
    }
}

/// What follows the quote that closes a value; two quotes are one of the value.
fn end_of_quotes(record: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(quote) = record[at..].iter().position(|byte| *byte == b'"') {
        at += quote + 1;
        if record.get(at) != Some(&b'"') {
            return at;
        }
        at += 1;
    }
    record.len()
}

impl FindRecords for CsvRecords {
    fn next(&mut self, bytes: &[u8], from: usize, last: bool) -> Option<Found> {
        let start = from + bytes[from..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        if start > from {
            return Some(Found { bytes: from..start, blank: true, fault: None, open: false });
        }
        match self.record(bytes, from) {
            Some((end, fields)) => {
                self.fields = fields;
                let end = end_of_line(bytes, end, last)?;
                Some(Found {
                    bytes: from..end,
                    blank: false,
                    fault: self.fault(&bytes[from..end], fields),
                    open: false,
                })
            }
            None if last => {
                let fault = Some(Fault::of_line("a quote is not closed"));
                Some(Found { bytes: from..bytes.len(), blank: false, fault, open: true })
            }
            None => None,
        }
    }
}

/// CR LF is one end; whether LF follows is not known before the next bytes are.
fn end_of_line(bytes: &[u8], end: usize, last: bool) -> Option<usize> {
    match (bytes.get(end - 1), bytes.get(end)) {
        (Some(b'\r'), Some(b'\n')) => Some(end + 1),
        (Some(b'\r'), None) if !last => None,
        _ => Some(end),
    }
}

/// A number with its noun.
pub(crate) fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

#[cfg(test)]
mod tests {
    use super::CsvRecords;
    use crate::windows::FindRecords;

    fn records(text: &str) -> Vec<(String, bool, bool)> {
        let mut finder = CsvRecords::new(b',');
        finder.expect_fields(2);
        let (mut from, mut found) = (0, Vec::new());
        while from < text.len() {
            let next = finder.next(text.as_bytes(), from, true).unwrap();
            from = next.bytes.end;
            found.push((text[next.bytes].to_owned(), next.blank, next.fault.is_some()));
        }
        found
    }

    #[test]
    fn every_byte_is_in_one_record() {
        let good = |text: &str| (text.to_owned(), false, false);
        let bad = |text: &str| (text.to_owned(), false, true);
        let blank = |text: &str| (text.to_owned(), true, false);
        assert_eq!(records("a,b\nc,d\n"), [good("a,b\n"), good("c,d\n")]);
        assert_eq!(records("a,b\r\n\r\nc,d\r\n"), [good("a,b\r\n"), blank("\r\n"), good("c,d\r\n")]);
        assert_eq!(records("a,b\rc,d\r"), [good("a,b\r"), good("c,d\r")]);
        assert_eq!(records("\"a\n\"\"\",b\nc\nd,e,f\n"), [good("\"a\n\"\"\",b\n"), bad("c\n"), bad("d,e,f\n")]);
        assert_eq!(records("a,5\" pipe\nb,c\n"), [good("a,5\" pipe\n"), good("b,c\n")]);
        assert_eq!(records("\"a\"x,b\n\"\",\"\"\"\"\n"), [bad("\"a\"x,b\n"), good("\"\",\"\"\"\"\n")]);
        assert_eq!(records("a,b\n\"c,d\n"), [good("a,b\n"), bad("\"c,d\n")]);
    }
}
