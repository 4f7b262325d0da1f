//! A row group made of records, away from its file, so that any thread can make it.
//!
//! `parquet_derive` writes into a row group of a file. That file is a buffer in memory here and its pages are not
//! compressed; then each page is compressed and the columns are ready for the real file.

use crate::compressed_column::{ColumnPages, FinishedColumn, Page, PageKind, compress, compressor};
use anyhow::{Context, Result};
use bytes::Bytes;
use libdeflater::Compressor;
use parquet::column::page::{CompressedPage, Page as ParquetPage, PageReader, PageWriter};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::file::properties::WriterPropertiesPtr;
use parquet::file::serialized_reader::SerializedPageReader;
use parquet::file::writer::{SerializedFileWriter, SerializedPageWriter, TrackedWrite};
use parquet::record::RecordWriter;
use parquet::schema::types::TypePtr;
use std::sync::Arc;

/// The encoded and compressed columns of some records, in order.
pub(crate) struct EncodedRowGroup {
    pub(crate) columns: Vec<FinishedColumn>,
}

/// Encodes records; `props` must say that pages are not compressed.
pub(crate) fn encode<R>(
    records: &[R],
    schema: TypePtr,
    props: WriterPropertiesPtr,
    gzip_level: u32,
) -> Result<EncodedRowGroup>
where
    for<'a> &'a [R]: RecordWriter<R>,
{
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, props)?;
    let mut group = writer.next_row_group()?;
    records.write_to_row_group(&mut group)?;
    group.close()?;
    let metadata = writer.finish()?;
    let buffer = Arc::new(Bytes::from(std::mem::take(writer.inner_mut())));
    let compressor = &mut compressor(gzip_level)?;
    let chunks = metadata.row_group(0).columns().iter().enumerate();
    let columns = chunks.map(|(index, chunk)| column(&buffer, chunk, &metadata, index, records.len(), compressor));
    Ok(EncodedRowGroup { columns: columns.collect::<Result<_>>()? })
}

fn column(
    buffer: &Arc<Bytes>,
    chunk: &ColumnChunkMetaData,
    metadata: &ParquetMetaData,
    index: usize,
    rows: usize,
    compressor: &mut Compressor,
) -> Result<FinishedColumn> {
    let mut reader = SerializedPageReader::new(Arc::clone(buffer), chunk, rows, None)?;
    let mut pages = ColumnPages::default();
    while let Some(page) = reader.get_next_page()? {
        let kind = if page.is_data_page() { PageKind::Data } else { PageKind::Dictionary };
        let mut out = TrackedWrite::new(Vec::new());
        SerializedPageWriter::new(&mut out).write_page(compressed(page, compressor)?)?;
        // Headers may differ by a byte or two from the first ones; nobody reads that sum more closely than that.
        pages.push(kind, Page { header: out.into_inner()?, body: Vec::new() }, 0);
    }
    let column_index = metadata.column_index().and_then(|groups| groups.first()?.get(index).cloned());
    let offset_index = metadata.offset_index().and_then(|groups| groups.first()?.get(index).cloned());
    pages.assemble(chunk.clone(), rows as u64, (column_index, offset_index))
}

fn compressed(mut page: ParquetPage, compressor: &mut Compressor) -> Result<CompressedPage> {
    let size = page.buffer().len();
    let body: Bytes = compress(compressor, page.buffer())?.into();
    match &mut page {
        ParquetPage::DataPage { buf, .. } | ParquetPage::DictionaryPage { buf, .. } => *buf = body,
        // Version 2 pages are laid out otherwise; the properties say that none is written.
        ParquetPage::DataPageV2 { .. } => return None.context("a version 2 page cannot be compressed here"),
    }
    Ok(CompressedPage::new(page, size))
}
