//! A column of a row group whose pages are compressed, ready to be appended to a file.

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use libdeflater::{CompressionLvl, Compressor};
use parquet::basic::{Compression, GzipLevel};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::page_index::offset_index::OffsetIndexMetaData;

/// The bytes of a column and its metadata, whose offsets count from the first of these bytes.
pub(crate) type FinishedColumn = (Bytes, ColumnCloseResult);

/// The indexes that parquet-rs has gathered for a column.
pub(crate) type Indexes = (Option<ColumnIndexMetaData>, Option<OffsetIndexMetaData>);

/// A compressor for the level, 1 to 9.
pub(crate) fn compressor(level: u32) -> Result<Compressor> {
    let known = i32::try_from(level).ok().filter(|level| (1..=9).contains(level));
    let known = known.and_then(|level| CompressionLvl::new(level).ok());
    Ok(Compressor::new(known.with_context(|| format!("GZIP level {level} does not exist; use 1 to 9"))?))
}

/// The page as a GZIP stream of its own.
pub(crate) fn compress(compressor: &mut Compressor, page: &[u8]) -> ParquetResult<Vec<u8>> {
    let mut body = vec![0; compressor.gzip_compress_bound(page.len())];
    let written = compressor
        .gzip_compress(page, &mut body)
        .map_err(|error| ParquetError::General(format!("a page cannot be compressed: {error}")))?;
    body.truncate(written);
    // The bound is larger than the page; what waits for its row group should not hold on to it.
    body.shrink_to_fit();
    Ok(body)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PageKind {
    Data,
    Dictionary,
}

/// A page in its final form.
pub(crate) struct Page {
    pub(crate) header: Vec<u8>,
    pub(crate) body: Vec<u8>,
}

impl Page {
    fn len(&self) -> usize {
        self.header.len() + self.body.len()
    }
}

/// The finished pages of one column of one row group.
#[derive(Default)]
pub(crate) struct ColumnPages {
    dictionary: Option<Page>,
    data: Vec<Page>,
    bytes: usize,
    /// How much longer the headers are than those that parquet-rs has counted; may be negative.
    header_growth: i64,
}

impl ColumnPages {
    /// Bytes of all pages.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes the next page, whose header is `header_growth` bytes longer than parquet-rs believes.
    pub(crate) fn push(&mut self, kind: PageKind, page: Page, header_growth: i64) {
        self.bytes += page.len();
        self.header_growth += header_growth;
        match kind {
            PageKind::Dictionary => self.dictionary = Some(page),
            PageKind::Data => self.data.push(page),
        }
    }

    /// The column, dictionary first: the order of a file. `metadata` and `indexes` are those of the uncompressed pages.
    pub(crate) fn assemble(self, metadata: ColumnChunkMetaData, rows: u64, indexes: Indexes) -> Result<FinishedColumn> {
        let dictionary_len = self.dictionary.as_ref().map_or(0, Page::len);
        let uncompressed = metadata.uncompressed_size() + self.header_growth;
        let metadata = metadata
            .into_builder()
            .set_compression(Compression::GZIP(GzipLevel::default()))
            .set_total_compressed_size(i64::try_from(self.bytes)?)
            .set_total_uncompressed_size(uncompressed)
            .set_dictionary_page_offset(self.dictionary.as_ref().map(|_| 0))
            .set_data_page_offset(i64::try_from(dictionary_len)?)
            .build()?;
        let (column_index, offset_index) = indexes;
        let offset_index = offset_index.map(|index| self.relocate(index)).transpose()?;
        let mut bytes = Vec::with_capacity(self.bytes);
        for page in self.dictionary.iter().chain(&self.data) {
            bytes.extend_from_slice(&page.header);
            bytes.extend_from_slice(&page.body);
        }
        let close = ColumnCloseResult {
            bytes_written: bytes.len() as u64,
            rows_written: rows,
            metadata,
            bloom_filter: None,
            column_index,
            offset_index,
        };
        Ok((bytes.into(), close))
    }

    fn relocate(&self, mut index: OffsetIndexMetaData) -> Result<OffsetIndexMetaData> {
        if index.page_locations.len() != self.data.len() {
            bail!("{} pages are indexed but {} were written", index.page_locations.len(), self.data.len());
        }
        let mut offset = i64::try_from(self.dictionary.as_ref().map_or(0, Page::len))?;
        for (location, page) in index.page_locations.iter_mut().zip(&self.data) {
            location.offset = offset;
            location.compressed_page_size = i32::try_from(page.len())?;
            offset += i64::from(location.compressed_page_size);
        }
        Ok(index)
    }
}
