//! CSV: the header, and the rows as texts, decoded by arrow-csv.

use crate::csv_records::{CsvRecords, counted};
use crate::error::ExtraError;
use crate::source_file::SourceFile;
use crate::windows::{Record, Window, Windows};
use anyhow::{Context, Result};
use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_csv::ReaderBuilder;
use arrow_schema::{DataType, Field, Schema};
use std::sync::Arc;

/// Rows that are decoded at once, at most.
const MOST_ROWS: usize = 1 << 16;

/// Files of one header.
pub(crate) struct CsvSource<'a> {
    pub(crate) files: &'a [SourceFile],
    pub(crate) delimiter: u8,
    pub(crate) header: bool,
    pub(crate) null: Option<&'a str>,
    pub(crate) stop: &'a (dyn Fn() -> bool + Sync),
}

/// Gets a window of a file and the texts of its good rows, a column each.
pub(crate) type TakeTexts<'t> = dyn FnMut(&SourceFile, &Window<'_>, Vec<ArrayRef>) -> Result<bool> + 't;

impl CsvSource<'_> {
    /// The names of the columns; those of the schema file when no line has them.
    pub(crate) fn column_names(&self, named: &[String]) -> Result<Vec<String>> {
        let mut columns: Option<(&SourceFile, Vec<String>)> = None;
        for file in self.files {
            let names = self.names_in(file, named)?;
            match &columns {
                None => columns = Some((file, names)),
                Some((first, known)) if *known != names => return Err(other_columns(file, &names, first, known)),
                Some(_) => {}
            }
        }
        columns.map(|(_, names)| names).context("there is a file")
    }

    fn names_in(&self, file: &SourceFile, named: &[String]) -> Result<Vec<String>> {
        let mut records = CsvRecords::new(self.delimiter);
        let mut windows = Windows::open(file)?;
        let Some(mut window) = windows.next(&mut records, 1)? else {
            return Err(ExtraError::file(file, "there is no line in it; not even its columns are known"));
        };
        window.check_text();
        if let Some(fault) = window.records.first().and_then(|record| record.fault.as_ref()) {
            let what =
                format!("the first line {}; is the file of another format, or has it another delimiter?", fault.reason);
            return Err(ExtraError::file(file, what));
        }
        let fields = records.fields();
        let by_position = |position: usize| format!("column_{}", position + 1);
        if !self.header {
            let by_position = (0..fields).map(by_position).collect();
            return match named.len() {
                0 => Ok(by_position),
                same if same == fields => Ok(named.to_vec()),
                other => Err(ExtraError::file(
                    file,
                    format!(
                        "the first line has {}, the schema file names {}",
                        counted(fields, "field"),
                        counted(other, "column")
                    ),
                )),
            };
        }
        let headers = decode(&window, fields, self.delimiter)?;
        let name = |(position, array): (usize, ArrayRef)| match array.as_string::<i32>().iter().next().flatten() {
            Some(name) => name.to_owned(),
            None => by_position(position),
        };
        Ok(headers.into_iter().enumerate().map(name).collect())
    }

    /// Reads all files. Ends early when nobody takes the rows any more.
    pub(crate) fn read(&self, columns: usize, take: &mut TakeTexts<'_>) -> Result<()> {
        for file in self.files {
            let mut records = CsvRecords::new(self.delimiter);
            let mut windows = Windows::open(file)?;
            if self.header {
                windows.next(&mut records, 1)?;
            }
            records.expect_fields(columns);
            while let Some(mut window) = windows.next(&mut records, MOST_ROWS)? {
                if (self.stop)() {
                    return Err(ExtraError::Stopped.into());
                }
                window.check_text();
                let mut texts = decode(&window, columns, self.delimiter)?;
                if let Some(null) = self.null {
                    for column in &mut texts {
                        *column = without(column.as_string::<i32>(), null);
                    }
                }
                if !take(file, &window, texts)? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

fn without(column: &StringArray, null: &str) -> ArrayRef {
    Arc::new(column.iter().map(|text| text.filter(|text| *text != null)).collect::<StringArray>())
}

fn other_columns(file: &SourceFile, names: &[String], first: &SourceFile, known: &[String]) -> anyhow::Error {
    let differing = names.iter().zip(known).find(|(name, known)| name != known);
    let what = match differing {
        Some((name, known)) => format!("column \"{name}\" stands where {} has \"{known}\"", first.name),
        None => format!("there are {} columns, {} has {}", names.len(), first.name, known.len()),
    };
    ExtraError::file(file, format!("{what}; all files of one table have the same columns in the same order"))
}

/// The texts of the good rows; nothing, quoted or not, is NULL, because arrow-csv does not tell them apart.
fn decode(window: &Window<'_>, columns: usize, delimiter: u8) -> Result<Vec<ArrayRef>> {
    let fields: Vec<Field> = (0..columns).map(|column| Field::new(column.to_string(), DataType::Utf8, true)).collect();
    let schema = Arc::new(Schema::new(fields));
    let rows = window.good().count();
    if rows == 0 {
        return Ok(RecordBatch::new_empty(schema).columns().to_vec());
    }
    let mut decoder = ReaderBuilder::new(schema).with_batch_size(rows).with_delimiter(delimiter).build_decoder();
    // A line break first: at its very beginning it would take the mark of the byte order out of a value.
    decoder.decode(b"\n")?;
    let mut records = window.good().peekable();
    while let Some(Record { bytes: first, .. }) = records.next() {
        let mut span = first.clone();
        while let Some(next) = records.next_if(|next| next.bytes.start == span.end) {
            span.end = next.bytes.end;
        }
        decoder.decode(&window.bytes[span])?;
    }
    let batch = decoder.flush()?.filter(|batch| batch.num_rows() == rows);
    let batch = batch.context("arrow-csv finds other records; this is a fault of the program, please report it")?;
    Ok(batch.columns().to_vec())
}
