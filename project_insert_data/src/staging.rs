//! The temporary table that rows are copied into before the target is touched: of the same types, and gone with the
//! transaction. An unlogged table would be as fast and would outlive a killed run.

use crate::column_match::Matched;
use crate::column_type::{ColumnType, NumericLimits};
use crate::error::{InsertError, InsertErrorKind, counted};
use crate::input::{Input, Pieces};
use crate::server_error::{FilePlace, Place, explain};
use crate::session::{numbers, run};
use crate::target_table::{TargetColumn, TargetTable};
use futures::SinkExt;
use project_postgres::{TargetConnection, quote_identifier};
use std::pin::pin;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

/// Nobody else can see it.
pub(crate) const STAGING: &str = "pg_temp.project_staging";

/// Pieces of a megabyte that are read ahead of the server.
const READ_AHEAD: usize = 4;

/// `"a", "b"`.
pub(crate) fn list(columns: &[TargetColumn]) -> String {
    let names: Vec<String> = columns.iter().map(|column| quote_identifier(&column.name)).collect();
    names.join(", ")
}

/// Creates it; `by_text` tells whether any values come as text.
pub(crate) async fn create(
    connection: &TargetConnection,
    table: &TargetTable,
    matched: &Matched,
    by_text: bool,
) -> Result<(), InsertError> {
    let columns: Vec<String> = matched
        .columns
        .iter()
        .map(|column| {
            let name = quote_identifier(&column.name);
            match limits(column) {
                // Reading text into a numeric(p,s), the server would round.
                Some(_) if by_text => format!("{name}::pg_catalog.numeric AS {name}"),
                _ => name,
            }
        })
        .collect();
    let sql = format!(
        "CREATE TEMPORARY TABLE {STAGING} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA",
        columns.join(", "),
        table.name.quoted()
    );
    run(connection, &sql, "cannot create the staging table at the target").await?;
    if matched.key.is_empty() {
        return Ok(());
    }
    let key = list(&matched.key);
    let comparable = format!("SELECT FROM {STAGING} GROUP BY {key}");
    run(connection, &comparable, &format!("the key ({key}) of {} cannot be compared", table.name)).await.map(drop)
}

fn limits(column: &TargetColumn) -> Option<NumericLimits> {
    match column.column_type {
        ColumnType::Numeric(limits) => limits,
        _ => None,
    }
}

/// Copies a file; how many rows it has.
pub(crate) async fn copy(
    connection: &TargetConnection,
    name: &str,
    input: Input,
    columns: &[TargetColumn],
) -> Result<u64, InsertError> {
    let format = input.format(columns);
    let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    let place = Place {
        doing: &format!("cannot copy {name}"),
        file: Some(FilePlace { name, unit: format.unit(), columns: &names }),
    };
    let failed = |error| explain(&place, &error);
    let sql = format!("COPY {STAGING} ({}) FROM STDIN ({})", list(columns), format.options());
    let mut sink = pin!(connection.copy_in(&sql).await.map_err(failed)?);
    let (pieces, mut received) = mpsc::channel(READ_AHEAD);
    let targets = columns.to_vec();
    let reading = spawn_blocking(move || input.send(&targets, format, &Pieces(pieces)));
    while let Some(piece) = received.recv().await {
        sink.send(piece).await.map_err(failed)?;
    }
    let panicked = |_| InsertError::new(InsertErrorKind::Internal, format!("the reader of {name} has panicked"));
    // Before the end is told to the server: a file that could not be read to its end must not look complete.
    let read = reading.await.map_err(panicked)??;
    let copied = sink.finish().await.map_err(failed)?;
    if copied == read {
        return Ok(read);
    }
    Err(InsertError::data(format!(
        "{name} has {read} rows, and the server has found {copied}: lines must end in LF or CRLF, and none may be only \\. ; \
         nothing was written"
    )))
}

/// Looks at what was copied: all rows are there, no number was rounded, and the key tells them apart.
pub(crate) async fn check(
    connection: &TargetConnection,
    matched: &Matched,
    by_text: bool,
    rows_read: u64,
) -> Result<(), InsertError> {
    if by_text {
        restore_numerics(connection, matched).await?;
    }
    let doing = "cannot look at the staging table";
    let count = numbers(connection, &format!("SELECT pg_catalog.count(*) FROM {STAGING}"), doing).await?;
    if count != [rows_read] {
        return Err(InsertError::data(format!(
            "the input has {}, and {} arrived at the target; nothing was written",
            counted(rows_read, "row"),
            count.first().copied().unwrap_or_default()
        )));
    }
    if matched.key.is_empty() {
        return Ok(());
    }
    let key = list(&matched.key);
    let nulls: Vec<String> =
        matched.key.iter().map(|column| format!("{} IS NULL", quote_identifier(&column.name))).collect();
    let sql = format!("SELECT pg_catalog.count(*) FROM {STAGING} WHERE {}", nulls.join(" OR "));
    refuse(numbers(connection, &sql, doing).await?, |rows| {
        format!("the input has NULL in the key ({key}), which then finds no row, in {}", counted(rows, "row"))
    })?;
    let sql = format!(
        "SELECT pg_catalog.count(*) FROM (SELECT FROM {STAGING} GROUP BY {key} HAVING pg_catalog.count(*) > 1) AS keys"
    );
    refuse(numbers(connection, &sql, doing).await?, |keys| {
        format!(
            "the input has {} ({key}) more than once; make it unique in a query, or name more columns with --key",
            counted(keys, "key")
        )
    })?;
    // Nobody analyses a temporary table by himself, and without figures the plans below are guesses.
    run(connection, &format!("ANALYZE {STAGING} ({key})"), doing).await.map(drop)
}

fn refuse(count: Vec<u64>, sentence: impl Fn(u64) -> String) -> Result<(), InsertError> {
    match count.first() {
        Some(0) | None => Ok(()),
        Some(count) => Err(InsertError::data(format!("{}; nothing was written", sentence(*count)))),
    }
}

/// Gives numbers that came as text the precision of their columns, when that changes none of them.
async fn restore_numerics(connection: &TargetConnection, matched: &Matched) -> Result<(), InsertError> {
    let doing = "cannot look at the numbers in the staging table";
    let mut changes = Vec::new();
    for column in &matched.columns {
        let Some(NumericLimits { precision, scale }) = limits(column) else { continue };
        let name = quote_identifier(&column.name);
        let digits = i64::from(precision) - i64::from(scale);
        let sql = format!(
            "SELECT pg_catalog.count(*) FROM {STAGING} WHERE {name} <> 'NaN'
             AND ({name} <> pg_catalog.round({name}, {scale}) OR pg_catalog.abs({name}) >= '1e{digits}'::pg_catalog.numeric)"
        );
        refuse(numbers(connection, &sql, doing).await?, |rows| {
            format!(
                "the column {name} is {}, which would round or cannot hold {}; round in a query",
                column.type_name,
                counted(rows, "value")
            )
        })?;
        changes.push(format!("ALTER {name} TYPE {}", column.type_name));
    }
    if changes.is_empty() {
        return Ok(());
    }
    run(connection, &format!("ALTER TABLE {STAGING} {}", changes.join(", ")), doing).await.map(drop)
}
