//! `public.lineitem` into one file by the typed path, or by the loop of this system's first version: one connection,
//! `query_as().fetch()`, chunks of 5,000 rows, one row group for each. Both have the same structs and GZIP level.
//!
//! ```text
//! typed_path <project|first-version> <postgres-uri> <output-file> <gzip-level>
//! ```

use anyhow::{Context, Result, bail};
use futures::TryStreamExt;
use parquet::basic::{Compression, GzipLevel};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::record::RecordWriter;
use project_bench::{LineItem, LineItemRow, record};
use project_parquet::{Counters, WriterSettings, record_columns, record_schema};
use project_postgres::{ConnectionDefaults, ConnectionSettings, RowQuery, Source, TableName};
use project_tasks::{MemoryShare, TaskContext, export_rows};
use sqlx::AssertSqlSafe;
use std::env::args;
use std::fs::{File, rename};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::available_parallelism;
use tokio_util::sync::CancellationToken;

const FIRST_VERSION_CHUNK: usize = 5_000;
/// What `project` uses without being told otherwise.
const MEMORY: u64 = 192 << 20;
const FETCH_SIZE: u32 = 1_000;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = args().skip(1).collect();
    let [path, uri, output, level] = arguments.as_slice() else {
        bail!("usage: typed_path <project|first-version> <postgres-uri> <output-file> <gzip-level>");
    };
    let source = Source::new(ConnectionSettings::parse(uri, &ConnectionDefaults::default())?, "bench");
    let (output, level) = (PathBuf::from(output), level.parse().context("the GZIP level is not a number")?);
    match path.as_str() {
        "project" => project(source, &output, level).await,
        "first-version" => first_version(&source, &output, level).await,
        other => bail!("{other} is no path; project and first-version are"),
    }
}

async fn project(source: Source, output: &Path, level: u32) -> Result<()> {
    let workers = available_parallelism().map_or(1, |cores| cores.get());
    let memory = MemoryShare::of(MEMORY, workers);
    let context = TaskContext {
        source,
        folder: output.parent().context("the output has no folder")?.to_owned(),
        fetch_size: NonZeroU32::new(FETCH_SIZE).context("no rows")?,
        writer: WriterSettings { row_group_bytes: memory.row_group_bytes(), ..WriterSettings::new(level) },
        workers,
        memory,
        window: None,
        verify: false,
        choices: Arc::default(),
        rejects: None,
        finished: None,
        counters: Arc::new(Counters::default()),
        cancel: CancellationToken::new(),
    };
    let query = RowQuery::new(TableName::new("public", "lineitem"), &record_columns::<LineItem>()?);
    export_rows::<LineItemRow, LineItem>(&context, query, record).await?;
    Ok(rename(context.first_file(), output)?)
}

async fn first_version(source: &Source, output: &Path, level: u32) -> Result<()> {
    let columns = record_columns::<LineItem>()?.join(", ");
    let sql = format!("SELECT {columns} FROM public.lineitem");
    let props = WriterProperties::builder().set_compression(Compression::GZIP(GzipLevel::try_new(level)?)).build();
    let mut writer = SerializedFileWriter::new(File::create(output)?, record_schema::<LineItem>()?, Arc::new(props))?;
    let mut connection = source.connect().await?;
    let mut rows = sqlx::query_as::<_, LineItemRow>(AssertSqlSafe(sql)).fetch(&mut connection);
    let mut chunk = Vec::with_capacity(FIRST_VERSION_CHUNK);
    while let Some(row) = rows.try_next().await? {
        chunk.push(record(row)?);
        if chunk.len() == FIRST_VERSION_CHUNK {
            write_row_group(&mut writer, &chunk)?;
            chunk.clear();
        }
    }
    write_row_group(&mut writer, &chunk)?;
    writer.close()?;
    Ok(())
}

fn write_row_group(writer: &mut SerializedFileWriter<File>, chunk: &[LineItem]) -> Result<()> {
    let mut group = writer.next_row_group()?;
    chunk.write_to_row_group(&mut group)?;
    group.close()?;
    Ok(())
}
