//! The result of a query on the lake as a file, for whoever reads files.

use crate::config::{AthenaSettings, Lake};
use crate::query::ask_athena;
use anyhow::{Context, Result};
use arrow::datatypes::{DataType, Fields, TimeUnit};
use project_aws::{Column, Row};
use project_insert_data::InputFile;
use project_tasks::DataError;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use tokio::task::block_in_place;
use tokio_util::sync::CancellationToken;

/// As messages call it.
const NAME: &str = "the query's result";

/// Asks the lake and writes the answer into `folder`.
pub(crate) async fn result_file(
    sql: &str,
    lake: &Lake,
    folder: &Path,
    cancel: &CancellationToken,
) -> Result<InputFile> {
    match lake {
        Lake::Local(lake) => from_folder(sql, lake, folder, cancel).await,
        Lake::Athena(athena) => from_athena(sql, athena, folder, cancel).await,
    }
}

#[cfg(feature = "local-query")]
async fn from_folder(sql: &str, lake: &Path, folder: &Path, cancel: &CancellationToken) -> Result<InputFile> {
    use project_query::{Lake, QuerySettings};

    let path = folder.join("result.parquet");
    Lake::open(lake)?.query_into_file(sql, &QuerySettings::default(), cancel.cancelled(), &path).await?;
    Ok(InputFile { path, name: NAME.to_owned(), declared: None })
}

#[cfg(not(feature = "local-query"))]
async fn from_folder(_: &str, lake: &Path, _: &Path, _: &CancellationToken) -> Result<InputFile> {
    Err(crate::query::WithoutEngine(lake.display().to_string()).into())
}

/// Athena gives text and types; as CSV both are kept, and NULL differs from a text without characters.
async fn from_athena(
    sql: &str,
    athena: &AthenaSettings,
    folder: &Path,
    cancel: &CancellationToken,
) -> Result<InputFile> {
    let mut answer = ask_athena(athena, sql, cancel).await?;
    let columns = answer.columns().to_vec();
    let path = folder.join("result.csv");
    let unwritable = || format!("cannot write the query's result to {}", path.display());
    let mut file = BufWriter::new(File::create_new(&path).with_context(unwritable)?);
    let header: Row = columns.iter().map(|column| Some(column.name.clone())).collect();
    file.write_all(&csv_line(&header, &[])?).with_context(unwritable)?;
    while let Some(rows) = answer.next_page().await? {
        let mut lines = Vec::new();
        for row in &rows {
            lines.extend(csv_line(row, &columns)?);
        }
        block_in_place(|| file.write_all(&lines)).with_context(unwritable)?;
    }
    file.flush().with_context(unwritable)?;
    let declared = columns.iter().map(|column| (column.name.clone(), arrow_type(&column.kind))).collect();
    Ok(InputFile { path, name: NAME.to_owned(), declared: Some(declared) })
}

/// Every value in quotes, and nothing for NULL.
fn csv_line(row: &Row, columns: &[Column]) -> Result<Vec<u8>> {
    let mut line = Vec::new();
    for (at, value) in row.iter().enumerate() {
        if at > 0 {
            line.push(b',');
        }
        let Some(value) = value else { continue };
        let bytes = columns.get(at).is_some_and(|column| column.kind == "varbinary");
        let value = if bytes { bytea(value)? } else { value.replace('"', "\"\"") };
        line.push(b'"');
        line.extend_from_slice(value.as_bytes());
        line.push(b'"');
    }
    line.push(b'\n');
    Ok(line)
}

/// Athena writes `de ad be ef`, Postgres `\xdeadbeef`.
fn bytea(value: &str) -> Result<String> {
    let digits: String = value.split_ascii_whitespace().collect();
    if digits.len().is_multiple_of(2) && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(format!("\\x{digits}"));
    }
    Err(DataError(
        "the query's result has bytes in a form that is not known; write them by to_hex() as text".to_owned(),
    )
    .into())
}

/// The type whose values Athena writes so, for the check before anything is written. Lists and rows have no text that can
/// be read back.
fn arrow_type(kind: &str) -> DataType {
    match kind.split('(').next().unwrap_or_default() {
        "boolean" => DataType::Boolean,
        "tinyint" => DataType::Int8,
        "smallint" => DataType::Int16,
        "integer" | "int" => DataType::Int32,
        "bigint" => DataType::Int64,
        "float" | "real" => DataType::Float32,
        "double" => DataType::Float64,
        "decimal" => DataType::Decimal128(38, 0),
        "date" => DataType::Date32,
        "timestamp" => DataType::Timestamp(TimeUnit::Millisecond, None),
        "timestamp with time zone" => DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
        "time" => DataType::Time32(TimeUnit::Millisecond),
        "varbinary" => DataType::Binary,
        "array" | "map" | "row" => DataType::Struct(Fields::empty()),
        _ => DataType::Utf8,
    }
}

#[cfg(test)]
mod tests {
    use super::{arrow_type, bytea, csv_line};
    use arrow::datatypes::DataType;

    #[test]
    fn null_and_empty_text_differ_and_quotes_are_doubled() {
        let row = vec![Some(String::new()), None, Some("a\"b\n".to_owned())];
        assert_eq!(csv_line(&row, &[]).unwrap(), b"\"\",,\"a\"\"b\n\"\n");
        assert_eq!(bytea("de ad").unwrap(), "\\xdead");
        assert!(!bytea("canary").unwrap_err().to_string().contains("canary"));
        assert_eq!(arrow_type("decimal(10,2)"), DataType::Decimal128(38, 0));
    }
}
