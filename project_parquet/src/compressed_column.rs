//! A column of a row group whose pages are compressed, ready to be appended to a file.

use anyhow::Result;
use bytes::Bytes;
use parquet::basic::{Compression, Encoding, GzipLevel};
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::file::metadata::{ColumnChunkMetaData, ColumnIndexBuilder, OffsetIndexBuilder};
use parquet::file::statistics::Statistics;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;

/// The bytes of a column and its metadata, whose offsets count from the first of these bytes.
pub(crate) type FinishedColumn = (Bytes, ColumnCloseResult);

/// The finished pages of one column of one row group.
pub(crate) struct CompressedColumn {
    descriptor: ColumnDescPtr,
    dictionary: Vec<u8>,
    data: Vec<DataPage>,
    encodings: Vec<Encoding>,
    bytes: usize,
    uncompressed: usize,
    rows: usize,
    entries: usize,
    nulls: usize,
    index: ColumnIndexBuilder,
}

struct DataPage {
    bytes: Vec<u8>,
    rows: usize,
}

/// What the headers and indexes say of a data page.
pub(crate) struct DataPageSummary {
    pub(crate) encoding: Encoding,
    pub(crate) rows: usize,
    /// Values, NULL included; as many as rows unless the column lies below a list.
    pub(crate) entries: usize,
    pub(crate) nulls: usize,
    /// Lower and upper bound, as PLAIN writes them; none when no value can be compared.
    pub(crate) bounds: Option<(Vec<u8>, Vec<u8>)>,
    pub(crate) uncompressed: usize,
}

impl CompressedColumn {
    pub(crate) fn new(descriptor: ColumnDescPtr) -> Self {
        let index = ColumnIndexBuilder::new(descriptor.physical_type());
        Self {
            descriptor,
            dictionary: Vec::new(),
            data: Vec::new(),
            encodings: vec![Encoding::RLE],
            bytes: 0,
            uncompressed: 0,
            rows: 0,
            entries: 0,
            nulls: 0,
            index,
        }
    }

    /// Bytes of all pages.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Entries that are NULL.
    pub(crate) fn nulls(&self) -> usize {
        self.nulls
    }

    /// Takes the next data page.
    pub(crate) fn push(&mut self, body: Vec<u8>, summary: DataPageSummary) -> Result<()> {
        let DataPageSummary { encoding, rows, entries, nulls, bounds, uncompressed } = summary;
        let page = Page::DataPage {
            buf: body.into(),
            num_values: u32::try_from(entries)?,
            encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        let bytes = self.serialized(page, uncompressed)?;
        self.note(encoding);
        self.data.push(DataPage { bytes, rows });
        self.rows += rows;
        self.entries += entries;
        self.nulls += nulls;
        match bounds {
            Some((min, max)) => self.index.append(false, min, max, i64::try_from(nulls)?),
            None if nulls == entries => self.index.append(true, Vec::new(), Vec::new(), i64::try_from(nulls)?),
            // Without bounds of every page there is no index at all.
            None => self.index.to_invalid(),
        }
        Ok(())
    }

    /// Takes the dictionary.
    pub(crate) fn push_dictionary(&mut self, body: Vec<u8>, values: usize, uncompressed: usize) -> Result<()> {
        let encoding = Encoding::PLAIN;
        let page =
            Page::DictionaryPage { buf: body.into(), num_values: u32::try_from(values)?, encoding, is_sorted: false };
        self.dictionary = self.serialized(page, uncompressed)?;
        self.note(encoding);
        Ok(())
    }

    fn serialized(&mut self, page: Page, uncompressed: usize) -> Result<Vec<u8>> {
        let body_bytes = page.buffer().len();
        let mut out = TrackedWrite::new(Vec::with_capacity(body_bytes + 64));
        SerializedPageWriter::new(&mut out).write_page(CompressedPage::new(page, uncompressed))?;
        let bytes = out.into_inner()?;
        self.bytes += bytes.len();
        self.uncompressed += bytes.len() - body_bytes + uncompressed;
        Ok(bytes)
    }

    fn note(&mut self, encoding: Encoding) {
        if !self.encodings.contains(&encoding) {
            self.encodings.push(encoding);
        }
    }

    /// The column, dictionary first: the order of a file.
    pub(crate) fn finish(self, statistics: Statistics) -> Result<FinishedColumn> {
        let dictionary_bytes = i64::try_from(self.dictionary.len())?;
        let mut bytes = self.dictionary;
        bytes.reserve_exact(self.bytes - bytes.len());
        let mut offsets = OffsetIndexBuilder::new();
        for page in self.data {
            offsets.append_offset_and_size(i64::try_from(bytes.len())?, i32::try_from(page.bytes.len())?);
            offsets.append_row_count(i64::try_from(page.rows)?);
            bytes.extend_from_slice(&page.bytes);
        }
        let metadata = ColumnChunkMetaData::builder(self.descriptor)
            .set_encodings(self.encodings)
            .set_compression(Compression::GZIP(GzipLevel::default()))
            .set_num_values(i64::try_from(self.entries)?)
            .set_total_compressed_size(i64::try_from(self.bytes)?)
            .set_total_uncompressed_size(i64::try_from(self.uncompressed)?)
            .set_dictionary_page_offset((dictionary_bytes > 0).then_some(0))
            .set_data_page_offset(dictionary_bytes)
            .set_statistics(statistics)
            .build()?;
        let close = ColumnCloseResult {
            bytes_written: bytes.len() as u64,
            rows_written: self.rows as u64,
            metadata,
            bloom_filter: None,
            column_index: self.index.valid().then(|| self.index.build()).transpose()?,
            offset_index: Some(offsets.build()),
        };
        Ok((bytes.into(), close))
    }
}
