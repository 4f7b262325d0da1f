//! One leaf column of a row group: values come in as Arrow arrays and leave as compressed pages.

use crate::bool_values::BoolValues;
use crate::byte_values::ByteValues;
use crate::compressed_column::{CompressedColumn, DataPageSummary, FinishedColumn};
use crate::fixed_values::FixedValues;
use crate::hybrid::{bit_width, encode, encode_validity};
use crate::nested_levels::LeafEntries;
use crate::page_compressor::{PageCompressor, store};
use crate::page_values::PageValues;
use anyhow::{Result, bail};
use arrow::array::{Array, ArrayData, ArrayRef, BooleanBufferBuilder};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use parquet::basic::{LogicalType, Type as PhysicalType};
use parquet::schema::types::{ColumnDescPtr, ColumnDescriptor};

/// Rows of a page. A reader that looks for one row reads a page of each column; a page has about a hundred bytes of
/// headers.
const PAGE_ROWS: usize = 32_768;
/// A page that GZIP leaves larger than this much of its size is as good as not compressed; so are those after it.
const WORTH_COMPRESSING: f64 = 0.95;
/// After so many pages that were not even tried the next one is.
const PAGES_UNTRIED: u32 = 7;

/// A column of the row group that is being written.
pub(crate) struct LeafColumn {
    /// 16-bit integers are 32-bit integers in a file.
    widen: bool,
    values: Box<dyn PageValues>,
    levels: Levels,
    pages: CompressedColumn,
    page_rows: usize,
    /// Entries of the open page, with and without a value: its rows, unless there are lists around it.
    page_entries: usize,
    page_nulls: usize,
    untried: u32,
}

/// What says which entries of the open page have values.
enum Levels {
    /// Every row has one.
    Required,
    /// A bit for each row.
    Optional(BooleanBufferBuilder),
    /// For a leaf below other groups.
    Nested { most: LevelPair, definition: Vec<u32>, repetition: Vec<u32> },
}

/// Definition and repetition.
#[derive(Clone, Copy)]
struct LevelPair {
    definition: u32,
    repetition: u32,
}

impl Levels {
    fn new(descriptor: &ColumnDescriptor, nested: bool) -> Result<Self> {
        let definition = u32::try_from(descriptor.max_def_level())?;
        let repetition = u32::try_from(descriptor.max_rep_level())?;
        Ok(match definition {
            _ if nested => {
                let most = LevelPair { definition, repetition };
                Self::Nested { most, definition: Vec::new(), repetition: Vec::new() }
            }
            0 => Self::Required,
            _ => Self::Optional(BooleanBufferBuilder::new(0)),
        })
    }

    /// Appends the levels of the open page, and forgets them.
    fn finish_page(&mut self, entries: usize, nulls: usize, body: &mut Vec<u8>) -> Result<()> {
        match self {
            Self::Required => {}
            Self::Optional(validity) => {
                with_length(body, |body| encode_validity(validity.as_slice(), entries, nulls, body))?;
                validity.truncate(0);
            }
            Self::Nested { most, definition, repetition } => {
                for (most, levels) in [(most.repetition, repetition), (most.definition, definition)] {
                    if most > 0 {
                        with_length(body, |body| encode(levels, bit_width(most), body))?;
                    }
                    levels.clear();
                }
            }
        }
        Ok(())
    }
}

/// The length of encoded levels stands before them.
fn with_length(body: &mut Vec<u8>, encode: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
    let start = body.len();
    body.extend_from_slice(&[0; 4]);
    encode(body);
    let length = u32::try_from(body.len() - start - 4)?;
    body[start..start + 4].copy_from_slice(&length.to_le_bytes());
    Ok(())
}

impl LeafColumn {
    /// An empty column; `data_type` is that of the arrays that will come, as entries when it is `nested`.
    pub(crate) fn new(descriptor: ColumnDescPtr, data_type: &DataType, nested: bool) -> Result<Self> {
        let values: Box<dyn PageValues> = match descriptor.physical_type() {
            PhysicalType::BOOLEAN => Box::new(BoolValues::new()),
            PhysicalType::INT32 => Box::new(FixedValues::<i32>::new(4)),
            PhysicalType::INT64 => Box::new(FixedValues::<i64>::new(8)),
            PhysicalType::FLOAT => Box::new(FixedValues::<f32>::new(4)),
            PhysicalType::DOUBLE => Box::new(FixedValues::<f64>::new(8)),
            PhysicalType::FIXED_LEN_BYTE_ARRAY if matches!(data_type, DataType::Decimal128(..)) => {
                Box::new(FixedValues::<i128>::new(usize::try_from(descriptor.type_length())?))
            }
            PhysicalType::BYTE_ARRAY => {
                let utf8 = descriptor.logical_type_ref() == Some(&LogicalType::String);
                Box::new(ByteValues::new(utf8))
            }
            other => bail!("column \"{}\": {data_type} as {other} is not supported", descriptor.name()),
        };
        Ok(Self {
            widen: *data_type == DataType::Int16,
            values,
            levels: Levels::new(&descriptor, nested)?,
            pages: CompressedColumn::new(descriptor),
            page_rows: 0,
            page_entries: 0,
            page_nulls: 0,
            untried: 0,
        })
    }

    /// Takes all rows of the array.
    pub(crate) fn write(&mut self, array: &ArrayRef, compressor: &mut PageCompressor) -> Result<()> {
        let data = self.stored(array)?;
        let mut row = 0;
        while row < data.len() {
            let most = data.len().min(row + PAGE_ROWS - self.page_rows);
            let fit = self.values.rows_that_fit(&data, &(row..most));
            let rows = row..row + fit;
            if let Levels::Optional(validity) = &mut self.levels {
                match data.nulls().map(|nulls| nulls.slice(row, fit)) {
                    Some(nulls) => {
                        self.page_nulls += nulls.null_count();
                        validity.append_buffer(nulls.inner());
                    }
                    None => validity.append_n(fit, true),
                }
            }
            self.values.append(&data, rows);
            self.page_rows += fit;
            self.page_entries += fit;
            row += fit;
            if self.page_rows >= PAGE_ROWS || row < most {
                self.finish_page(compressor)?;
            }
        }
        Ok(())
    }

    /// Takes all entries of a leaf that lies below other groups. A page begins with a row, so that its offset index
    /// can count rows.
    pub(crate) fn write_entries(&mut self, entries: &LeafEntries, compressor: &mut PageCompressor) -> Result<()> {
        let data = self.stored(&entries.values)?;
        let Levels::Nested { most, .. } = &self.levels else { bail!("a column without levels was given some") };
        let ends = row_ends(entries, most.definition);
        let mut from = RowEnd { entry: 0, value: 0 };
        let mut row = 0;
        while row < ends.len() {
            let room = from.entry + PAGE_ROWS.saturating_sub(self.page_entries);
            let fits = |rows: &[RowEnd], last: &dyn Fn(&RowEnd) -> bool| rows.partition_point(last).max(1);
            let mut rows = fits(&ends[row..], &|end| end.entry <= room);
            let values = from.value..ends[row + rows - 1].value;
            let last_value = from.value + self.values.rows_that_fit(&data, &values);
            rows = fits(&ends[row..row + rows], &|end| end.value <= last_value);
            let to = ends[row + rows - 1];
            if let Levels::Nested { definition, repetition, .. } = &mut self.levels {
                definition.extend_from_slice(&entries.definition[from.entry..to.entry]);
                repetition.extend_from_slice(&entries.repetition[from.entry..to.entry]);
            }
            self.values.append(&data, from.value..to.value);
            self.page_rows += rows;
            self.page_entries += to.entry - from.entry;
            self.page_nulls += (to.entry - from.entry) - (to.value - from.value);
            row += rows;
            from = to;
            if self.page_entries >= PAGE_ROWS || row < ends.len() {
                self.finish_page(compressor)?;
            }
        }
        Ok(())
    }

    fn stored(&self, array: &ArrayRef) -> Result<ArrayData> {
        Ok(if self.widen { cast(array, &DataType::Int32)?.to_data() } else { array.to_data() })
    }

    /// Bytes that this column holds in memory.
    pub(crate) fn memory_size(&self) -> usize {
        self.pages.bytes() + self.values.memory_size()
    }

    /// Bytes that it would have in a file, about.
    pub(crate) fn bytes(&self) -> usize {
        self.pages.bytes()
    }

    /// Closes the last page and puts the column together.
    pub(crate) fn finish(mut self, compressor: &mut PageCompressor) -> Result<FinishedColumn> {
        if self.page_rows > 0 {
            self.finish_page(compressor)?;
        }
        if let Some((page, values)) = self.values.dictionary() {
            let body = compressor.compress(&page)?;
            self.pages.push_dictionary(body, values, page.len())?;
        }
        let statistics = self.values.statistics(self.pages.nulls() as u64);
        self.pages.finish(statistics)
    }

    fn finish_page(&mut self, compressor: &mut PageCompressor) -> Result<()> {
        let mut body = Vec::new();
        self.levels.finish_page(self.page_entries, self.page_nulls, &mut body)?;
        let summary = self.values.finish_page(&mut body);
        let compressed = self.compressed(&body, compressor)?;
        let summary = DataPageSummary {
            encoding: summary.encoding,
            rows: self.page_rows,
            entries: self.page_entries,
            nulls: self.page_nulls,
            bounds: summary.bounds,
            uncompressed: body.len(),
        };
        (self.page_rows, self.page_entries, self.page_nulls) = (0, 0, 0);
        self.pages.push(compressed, summary)
    }

    /// Packed indices and random bytes do not get smaller; after a page of such only one in some is tried.
    fn compressed(&mut self, body: &[u8], compressor: &mut PageCompressor) -> Result<Vec<u8>> {
        if self.untried > 0 {
            self.untried -= 1;
            return Ok(store(body));
        }
        let compressed = compressor.compress(body)?;
        if compressed.len() as f64 > body.len() as f64 * WORTH_COMPRESSING {
            self.untried = PAGES_UNTRIED;
        }
        Ok(compressed)
    }
}

/// Where a row ends, counted from the first entry and the first value of a batch.
#[derive(Clone, Copy)]
struct RowEnd {
    entry: usize,
    value: usize,
}

fn row_ends(entries: &LeafEntries, most_definition: u32) -> Vec<RowEnd> {
    let mut ends = Vec::new();
    let mut value = 0;
    for (entry, (definition, repetition)) in entries.definition.iter().zip(&entries.repetition).enumerate() {
        if *repetition == 0 && entry > 0 {
            ends.push(RowEnd { entry, value });
        }
        value += usize::from(*definition == most_definition);
    }
    if !entries.definition.is_empty() {
        ends.push(RowEnd { entry: entries.definition.len(), value });
    }
    ends
}
