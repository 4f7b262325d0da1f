//! The result of a query as a Parquet file, with the exact types of its columns.

use std::fs::File;
use std::future::Future;
use std::path::Path;
use std::pin::pin;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::properties::WriterProperties;
use futures::StreamExt;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::task::spawn_blocking;

use crate::engine_error::translate_without_values;
use crate::error::QueryError;
use crate::lake::Lake;
use crate::query::{QuerySettings, session, start};

/// Bytes of a row group that is not written yet.
const ROW_GROUP_BYTES: usize = 16 << 20;

/// Batches that wait for the writer.
const WAITING: usize = 2;

impl Lake {
    /// Runs one SELECT and writes its rows into a new file; returns how many they are. When `cancel` completes first, the
    /// query ends with [`QueryError::Cancelled`], and an unfinished file is left to the caller.
    pub async fn query_into_file(
        &self,
        sql: &str,
        settings: &QuerySettings,
        cancel: impl Future<Output = ()> + Send,
        file: &Path,
    ) -> Result<u64, QueryError> {
        let work = async {
            let session = session(self, settings).map_err(|error| translate_without_values(error, self))?;
            let mut stream =
                Box::pin(start(&session, sql)).await.map_err(|error| translate_without_values(error, self))?;
            let (batches, received) = channel(WAITING);
            let (schema, file) = (stream.schema(), file.to_owned());
            let writing = spawn_blocking(move || write(&file, schema, received));
            while let Some(batch) = stream.next().await {
                // The writer has failed when it takes no more, and says below why.
                if batches.send(batch.map_err(|error| translate_without_values(error, self))?).await.is_err() {
                    break;
                }
            }
            drop(batches);
            writing.await.map_err(|_| QueryError::Internal("the writer of the result has panicked".to_owned()))?
        };
        let mut cancel = pin!(cancel);
        tokio::select! {
            biased;
            () = &mut cancel => Err(QueryError::Cancelled),
            done = work => done,
        }
    }
}

fn write(file: &Path, schema: SchemaRef, mut batches: Receiver<RecordBatch>) -> Result<u64, QueryError> {
    let failed = |error: ParquetError| match error {
        ParquetError::ArrowError(what) | ParquetError::NYI(what) => QueryError::Sql(format!(
            "the result has a column of a type that no file holds: {what}; CAST it in the query"
        )),
        other => QueryError::Disk(format!("cannot write the result to {}: {other}", file.display())),
    };
    let created = File::create_new(file);
    let created =
        created.map_err(|error| QueryError::Disk(format!("cannot write the result to {}: {error}", file.display())))?;
    let mut writer = ArrowWriter::try_new(created, schema, Some(WriterProperties::default())).map_err(failed)?;
    let mut rows = 0;
    while let Some(batch) = batches.blocking_recv() {
        rows += batch.num_rows() as u64;
        writer.write(&batch).map_err(failed)?;
        if writer.in_progress_size() > ROW_GROUP_BYTES {
            writer.flush().map_err(failed)?;
        }
    }
    writer.close().map_err(failed)?;
    Ok(rows)
}
