//! A row group made of records, away from its file, so that any thread can make it.
//!
//! `parquet_derive` can only write into a row group of a file. That file is a buffer in memory here, with plain values
//! and nothing else; its columns are read back as Arrow arrays and go the same way as those of the columnar writer.

use crate::compressed_column::FinishedColumn;
use crate::leaf_column::LeafColumn;
use crate::page_compressor::PageCompressor;
use anyhow::Result;
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::record::RecordWriter;
use parquet::schema::types::{SchemaDescriptor, TypePtr};
use std::sync::Arc;

/// The encoded and compressed columns of some records, in order.
pub(crate) struct EncodedRowGroup {
    pub(crate) columns: Vec<FinishedColumn>,
    /// As plain values, on average.
    pub(crate) bytes_for_each_record: usize,
}

/// Encodes records; `schema` is that of the file they will be part of.
pub(crate) fn encode<R>(records: Vec<R>, schema: &TypePtr, gzip_level: u32) -> Result<EncodedRowGroup>
where
    for<'a> &'a [R]: RecordWriter<R>,
{
    let plain = plain_file(&records)?;
    let rows = records.len().max(1);
    drop(records);
    let bytes_for_each_record = plain.len() / rows;
    let reader = ParquetRecordBatchReaderBuilder::try_new(plain)?.with_batch_size(rows);
    let types = Arc::clone(reader.schema());
    let descriptor = SchemaDescriptor::new(Arc::clone(schema));
    let columns = descriptor.columns().iter().zip(types.fields());
    let columns = columns.map(|(descriptor, field)| LeafColumn::new(Arc::clone(descriptor), field.data_type(), false));
    let mut columns: Vec<LeafColumn> = columns.collect::<Result<_>>()?;
    let mut compressor = PageCompressor::new(gzip_level)?;
    for batch in reader.build()? {
        for (column, array) in columns.iter_mut().zip(batch?.columns()) {
            column.write(array, &mut compressor)?;
        }
    }
    let columns = columns.into_iter().map(|column| column.finish(&mut compressor)).collect::<Result<_>>()?;
    Ok(EncodedRowGroup { columns, bytes_for_each_record })
}

/// The records as a file of one row group: the derived schema, PLAIN pages, no statistics.
fn plain_file<R>(records: &[R]) -> Result<Bytes>
where
    for<'a> &'a [R]: RecordWriter<R>,
{
    let props = WriterProperties::builder()
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true)
        .build();
    let mut writer = SerializedFileWriter::new(Vec::new(), records.schema()?, Arc::new(props))?;
    let mut group = writer.next_row_group()?;
    records.write_to_row_group(&mut group)?;
    group.close()?;
    Ok(writer.into_inner()?.into())
}
