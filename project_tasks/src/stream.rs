//! Rows of a big table, from a cursor through a conversion into one file.

use crate::blocking::joined;
use crate::context::{TaskContext, Written};
use crate::data_error::DataError;
use anyhow::{Result, anyhow};
use parquet::record::RecordWriter;
use project_parquet::{ParquetFile, Record, TypedWriter};
use project_postgres::{RowChunk, RowCursor, RowQuery, Stopped};
use sqlx::FromRow;
use sqlx::postgres::PgRow;
use tokio::select;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Chunks that may wait between reading and writing.
const QUEUE: usize = 4;

/// What the reader hands to the writer. Only `End` finishes the file: a reader that fails just goes away.
enum Chunk<Row> {
    Rows(RowChunk<Row>),
    End,
}

/// Reads all rows of the query, converts each and writes them to the task's only file, in order.
pub async fn export_rows<Row, R>(
    context: &TaskContext,
    query: RowQuery,
    convert: fn(Row) -> Result<R, DataError>,
) -> Result<Written>
where
    Row: for<'r> FromRow<'r, PgRow> + 'static,
    R: Record,
    for<'r> &'r [R]: RecordWriter<R>,
{
    let mut cursor = query.open(&context.source, context.fetch_size).await?;
    let writer = TypedWriter::<R>::create(&context.first_file(), &context.writer, context.counters.clone())?;
    let (sender, receiver) = channel(QUEUE);
    let writing = tokio::task::spawn_blocking(move || write(writer, receiver, convert));
    let read = select! {
        read = read(&mut cursor, sender) => read,
        () = context.cancel.cancelled() => Err(Stopped.into()),
    };
    let written = joined(writing.await);
    // A reader that failed explains more than the writer that it left alone.
    let rows = read?;
    let Some(file) = written? else {
        return Err(anyhow!("the writer stopped before the end of the data"));
    };
    cursor.close().await;
    Ok(Written::one(file, rows))
}

/// Sends every chunk on; gives up in silence when the writer has gone, which then has the better error.
async fn read<Row>(cursor: &mut RowCursor<Row>, sender: Sender<Chunk<Row>>) -> Result<u64> {
    let mut rows = 0;
    loop {
        let chunk = cursor.next_chunk().await?;
        rows += chunk.len() as u64;
        let (message, last) = if chunk.is_empty() { (Chunk::End, true) } else { (Chunk::Rows(chunk), false) };
        if sender.send(message).await.is_err() || last {
            return Ok(rows);
        }
    }
}

fn write<Row, R>(
    mut writer: TypedWriter<R>,
    mut chunks: Receiver<Chunk<Row>>,
    convert: fn(Row) -> Result<R, DataError>,
) -> Result<Option<ParquetFile>>
where
    Row: for<'r> FromRow<'r, PgRow>,
    R: Record,
    for<'r> &'r [R]: RecordWriter<R>,
{
    while let Some(chunk) = chunks.blocking_recv() {
        match chunk {
            Chunk::Rows(rows) => {
                for row in rows.decode() {
                    writer.push(convert(row?)?)?;
                }
            }
            Chunk::End => {
                return Ok(Some(writer.finish()?));
            }
        }
    }
    Ok(None)
}
