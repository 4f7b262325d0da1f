//! The stream of `COPY ... (FORMAT binary)`, decoded row by row into column builders.
//!
//! Layout (PostgreSQL manual, COPY, "Binary Format"): a header, then for each row an `i16` field count and for each
//! field an `i32` length (-1 for NULL) and its bytes; an `i16` of -1 ends the data. The server sends each row in a
//! message of its own (manual, "COPY Operations"), so a row never continues in the next message.

use crate::column_builder::{ColumnBuilder, ValueError};
use crate::policy::{InvalidText, Policies};
use crate::rejects::{Aside, RejectLimit};
use crate::slices::Slice;
use crate::source_error::{SourceError, SourceErrorKind};
use crate::table_plan::TablePlan;
use crate::value::{NumericError, TimestampError};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";
/// Flag bits that a reader must understand; none is defined that we could meet.
const CRITICAL_FLAGS: u32 = 0xffff_0000;

/// Rows after which a batch is handed to the writer.
const BATCH_ROWS: usize = 16_384;

/// Decodes the messages of one or more COPY streams of the same table into batches.
#[derive(Debug)]
pub struct CopyDecoder<'a> {
    plan: &'a TablePlan,
    schema: SchemaRef,
    columns: Vec<ColumnBuilder>,
    state: State,
    rows: usize,
    bytes: usize,
    batch_bytes: usize,
    /// What is being read, for messages.
    place: String,
    rows_before: u64,
    /// Where rows go that the lake cannot hold; without it they fail the table.
    aside: Option<Aside>,
    /// In all batches that were taken, of all streams.
    rows_taken: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Header,
    Rows,
    Ended,
}

impl<'a> CopyDecoder<'a> {
    /// A decoder whose batches have at most about `batch_bytes` bytes.
    pub fn new(plan: &'a TablePlan, batch_bytes: usize) -> Self {
        let columns = plan
            .columns
            .iter()
            .map(|column| ColumnBuilder::new(&column.decoding, column.policies, BATCH_ROWS))
            .collect();
        let (schema, place) = (plan.schema(), plan.table.to_string());
        let (state, aside) = (State::Header, None);
        let (rows, bytes, rows_before, rows_taken) = (0, 0, 0, 0);
        Self { plan, schema, columns, state, rows, bytes, batch_bytes, place, rows_before, rows_taken, aside }
    }

    /// Puts rows aside that the lake cannot hold, instead of failing.
    pub(crate) fn putting_aside(mut self, limit: Option<RejectLimit>) -> Self {
        self.aside = limit.map(Aside::new);
        self
    }

    /// Call before each stream.
    pub fn begin(&mut self, slice: &Slice) {
        self.place = format!("{}, {slice}", self.plan.table);
        self.rows_before = 0;
    }

    /// Decodes one message; afterwards [`is_full`](Self::is_full) says whether a batch is due.
    pub fn push(&mut self, message: &[u8]) -> Result<(), SourceError> {
        let mut rest = message;
        if self.state == State::Header {
            rest = header(rest).ok_or_else(|| self.malformed("its header is not that of a binary COPY"))?;
            self.state = State::Rows;
        }
        while !rest.is_empty() {
            if self.state == State::Ended {
                return Err(self.malformed("data follows its end"));
            }
            let fields = i16::from_be_bytes(take(&mut rest).ok_or_else(|| self.malformed("a row is cut off"))?);
            if fields == -1 {
                self.state = State::Ended;
            } else if usize::try_from(fields) == Ok(self.columns.len() + self.aside.as_ref().map_or(0, Aside::fields)) {
                self.row(&mut rest)?;
            } else {
                return Err(self.malformed("a row has another number of fields than was asked for"));
            }
        }
        self.bytes += message.len();
        Ok(())
    }

    fn row(&mut self, rest: &mut &[u8]) -> Result<(), SourceError> {
        for index in 0..self.columns.len() {
            match field(rest).ok_or_else(|| self.malformed("a value is cut off"))? {
                Some(value) => {
                    if let Err(error) = self.columns[index].append(value) {
                        self.put_aside(index, self.rows, &error)?;
                    }
                }
                None if self.plan.columns[index].not_null => {
                    return Err(self.malformed("a NULL stands in a column that is declared NOT NULL"));
                }
                None => self.columns[index].append_null(),
            }
        }
        if self.aside.is_some() {
            self.row_id(rest)?;
        }
        self.rows += 1;
        Ok(())
    }

    /// The fields that say where the row lies, for the case that it is put aside.
    fn row_id(&mut self, rest: &mut &[u8]) -> Result<(), SourceError> {
        if let Some(fields) = self.aside.as_ref().map(Aside::fields) {
            let mut row_id = Vec::with_capacity(fields);
            for _ in 0..fields {
                row_id.push(field(rest).flatten().unwrap_or_default());
            }
            if !self.aside.as_mut().is_some_and(|aside| aside.end_row(&row_id)) {
                return Err(self.malformed("a row does not say where it lies"));
            }
        }
        Ok(())
    }

    /// A value that the lake cannot hold: its row is put aside, or fails the table.
    #[cold]
    fn put_aside(&mut self, column: usize, row: usize, error: &ValueError) -> Result<(), SourceError> {
        let aside = self.aside.as_mut().is_some_and(|aside| aside.take(row, column, error));
        if aside { Ok(()) } else { Err(self.refuse(column, row, error)) }
    }

    /// Whether a batch should be taken before more is pushed.
    pub fn is_full(&self) -> bool {
        self.rows >= BATCH_ROWS || self.bytes >= self.batch_bytes
    }

    /// The rows decoded since the last batch.
    pub fn take_batch(&mut self) -> Result<RecordBatch, SourceError> {
        let mut arrays = Vec::with_capacity(self.columns.len());
        for index in 0..self.columns.len() {
            let (array, invalid) = self.columns[index].finish().map_err(|error| self.malformed(&error.to_string()))?;
            for row in invalid.0 {
                self.put_aside(index, row, &ValueError::Text)?;
            }
            arrays.push(array);
        }
        if let Some(aside) = &mut self.aside {
            let left = aside.leave_out(&mut arrays, self.rows);
            left.map_err(|error| self.malformed(&error.to_string()))?;
        }
        self.rows_before += self.rows as u64;
        self.rows_taken += self.rows as u64;
        (self.rows, self.bytes) = (0, 0);
        RecordBatch::try_new(self.schema.clone(), arrays).map_err(|error| self.malformed(&error.to_string()))
    }

    /// What was put aside.
    pub(crate) fn aside(&mut self) -> Option<&mut Aside> {
        self.aside.as_mut()
    }

    /// How many rows have come so far, also those that nobody has taken.
    pub(crate) fn rows_read(&self) -> u64 {
        self.rows_taken + self.rows as u64
    }

    /// How many values of each column were changed by a policy so far.
    pub(crate) fn changed(&self) -> impl Iterator<Item = u64> + '_ {
        self.columns.iter().map(ColumnBuilder::changed)
    }

    /// Call at the end of each stream: its data must have ended too, or rows are missing.
    pub fn end_of_stream(&mut self) -> Result<(), SourceError> {
        match std::mem::replace(&mut self.state, State::Header) {
            State::Ended => Ok(()),
            _ => {
                let message = format!("{}: the server closed the stream before the end of the data", self.place);
                Err(SourceError::new(SourceErrorKind::Unreachable, message))
            }
        }
    }

    fn refuse(&self, column: usize, row: usize, error: &ValueError) -> SourceError {
        let column = &self.plan.columns[column];
        let row = self.rows_before + row as u64 + 1;
        let message = format!(
            "{}: column \"{}\" ({}): the value in row {row} of this read {error}; correct the row, or {}",
            self.place,
            column.name,
            column.type_name,
            remedy(error, column.policies)
        );
        SourceError::new(SourceErrorKind::Data, message)
    }

    fn malformed(&self, what: &str) -> SourceError {
        let message = format!("{}: the COPY stream is malformed: {what}", self.place);
        SourceError::new(SourceErrorKind::Data, message)
    }
}

/// What else than correcting the row can be done about a value.
fn remedy(error: &ValueError, policies: Policies) -> &'static str {
    match error {
        ValueError::Time(TimestampError::Malformed) => "read a view that does",
        ValueError::Time(_) => "choose --infinity=clamp or --infinity=null",
        ValueError::Numeric(NumericError::NaN | NumericError::Infinite) => "choose --nan=null or --nan=string",
        ValueError::Numeric(NumericError::TooLarge | NumericError::TooPrecise) => "choose --numeric=string",
        // Chosen already, and not for what is only text because of a cast, nor for hstore.
        ValueError::Text if policies.invalid_text == InvalidText::Binary => "choose --invalid-text=replace",
        ValueError::Text => "choose --invalid-text=replace or --invalid-text=binary",
        ValueError::Shape => "choose --arrays=flatten or --arrays=string",
        ValueError::Numeric(NumericError::Malformed) | ValueError::Malformed(_) => "read a view that does",
    }
}

/// Strips the header: signature, flags, and an extension area of a given length.
fn header(message: &[u8]) -> Option<&[u8]> {
    let mut rest = message.strip_prefix(SIGNATURE)?;
    let flags = u32::from_be_bytes(take(&mut rest)?);
    let extension = usize::try_from(u32::from_be_bytes(take(&mut rest)?)).ok()?;
    (flags & CRITICAL_FLAGS == 0).then(|| rest.split_at_checked(extension)).flatten().map(|(_, rest)| rest)
}

/// The bytes of the next value, or nothing for NULL; nothing at all when it is cut off.
#[inline]
fn field<'a>(rest: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    let length = i32::from_be_bytes(take(rest)?);
    if length == -1 {
        return Some(None);
    }
    let (value, after) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    *rest = after;
    Some(Some(value))
}

#[inline]
fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*head)
}
