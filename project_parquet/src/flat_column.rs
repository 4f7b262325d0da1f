//! One column of a row group, without nesting: values come in as Arrow arrays and leave as compressed pages.

use crate::bool_values::BoolValues;
use crate::byte_values::ByteValues;
use crate::compressed_column::{CompressedColumn, DataPageSummary, FinishedColumn};
use crate::fixed_values::FixedValues;
use crate::hybrid::encode_validity;
use crate::page_compressor::{PageCompressor, store};
use crate::page_values::PageValues;
use anyhow::{Result, bail};
use arrow::array::{Array, ArrayRef, BooleanBufferBuilder};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use parquet::basic::{LogicalType, Type as PhysicalType};
use parquet::schema::types::ColumnDescPtr;

/// Rows of a page. A reader that looks for one row reads a page of each column; a page has about a hundred bytes of
/// headers.
const PAGE_ROWS: usize = 32_768;
/// A page that GZIP leaves larger than this much of its size is as good as not compressed; so are those after it.
const WORTH_COMPRESSING: f64 = 0.95;
/// After so many pages that were not even tried the next one is.
const PAGES_UNTRIED: u32 = 7;

/// A column of the row group that is being written.
pub(crate) struct FlatColumn {
    nullable: bool,
    /// 16-bit integers are 32-bit integers in a file.
    widen: bool,
    values: Box<dyn PageValues>,
    /// A bit for each row of the open page: whether it has a value.
    validity: BooleanBufferBuilder,
    pages: CompressedColumn,
    page_rows: usize,
    page_nulls: usize,
    untried: u32,
}

impl FlatColumn {
    /// An empty column; `data_type` is that of the arrays that will come.
    pub(crate) fn new(descriptor: ColumnDescPtr, data_type: &DataType) -> Result<Self> {
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
            nullable: descriptor.max_def_level() > 0,
            widen: *data_type == DataType::Int16,
            values,
            validity: BooleanBufferBuilder::new(0),
            pages: CompressedColumn::new(descriptor),
            page_rows: 0,
            page_nulls: 0,
            untried: 0,
        })
    }

    /// Takes all rows of the array.
    pub(crate) fn write(&mut self, array: &ArrayRef, compressor: &mut PageCompressor) -> Result<()> {
        let data = if self.widen { cast(array, &DataType::Int32)?.to_data() } else { array.to_data() };
        let mut row = 0;
        while row < data.len() {
            let most = data.len().min(row + PAGE_ROWS - self.page_rows);
            let fit = self.values.rows_that_fit(&data, &(row..most));
            let rows = row..row + fit;
            if self.nullable {
                match data.nulls().map(|nulls| nulls.slice(row, fit)) {
                    Some(nulls) => {
                        self.page_nulls += nulls.null_count();
                        self.validity.append_buffer(nulls.inner());
                    }
                    None => self.validity.append_n(fit, true),
                }
            }
            self.values.append(&data, rows);
            self.page_rows += fit;
            row += fit;
            if self.page_rows >= PAGE_ROWS || row < most {
                self.finish_page(compressor)?;
            }
        }
        Ok(())
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
        if self.nullable {
            // The length of the levels stands before them.
            body.extend_from_slice(&[0; 4]);
            encode_validity(self.validity.as_slice(), self.page_rows, self.page_nulls, &mut body);
            let length = u32::try_from(body.len() - 4)?;
            body[..4].copy_from_slice(&length.to_le_bytes());
            self.validity.truncate(0);
        }
        let summary = self.values.finish_page(&mut body);
        let compressed = self.compressed(&body, compressor)?;
        let summary = DataPageSummary {
            encoding: summary.encoding,
            rows: self.page_rows,
            nulls: self.page_nulls,
            bounds: summary.bounds,
            uncompressed: body.len(),
        };
        (self.page_rows, self.page_nulls) = (0, 0);
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
