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

/// Creates it.
pub(crate) async fn create(
    connection: &TargetConnection,
    table: &TargetTable,
    matched: &Matched,
) -> Result<(), InsertError> {
    let columns: Vec<String> = matched
        .columns
        .iter()
        .map(|column| {
            let name = quote_identifier(&column.name);
            match limits(matched, column) {
                // Reading text into a numeric(p,s), the server would round.
                Some(_) => format!("{name}::pg_catalog.numeric AS {name}"),
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

/// Of a column whose staged values may not keep to them yet, because they came as text.
fn limits(matched: &Matched, column: &TargetColumn) -> Option<NumericLimits> {
    match column.column_type {
        ColumnType::Numeric(limits) if matched.by_text => limits,
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

/// What stands after FROM for its rows with the exact types of the target.
pub(crate) fn rows(matched: &Matched) -> String {
    let columns = matched.columns.iter().map(|column| {
        let name = quote_identifier(&column.name);
        // Changes nothing: `check` has seen to that.
        if limits(matched, column).is_some() { format!("{name}::{} AS {name}", column.type_name) } else { name }
    });
    format!("(SELECT {} FROM {STAGING})", columns.collect::<Vec<_>>().join(", "))
}

/// Looks at what was copied: all rows are there, no number would be rounded, and the key tells them apart.
pub(crate) async fn check(connection: &TargetConnection, matched: &Matched, rows_read: u64) -> Result<(), InsertError> {
    let doing = "cannot look at the staging table";
    let numbers_of = matched.columns.iter().filter_map(|column| Some((column, limits(matched, column)?)));
    let numbers_of: Vec<(&TargetColumn, NumericLimits)> = numbers_of.collect();
    let conditions = std::iter::once(has_null(&matched.key))
        .chain(numbers_of.iter().map(|(column, limits)| misfits(column, *limits)));
    let counts: Vec<String> =
        conditions.map(|condition| format!("pg_catalog.count(*) FILTER (WHERE {condition})")).collect();
    let sql = format!("SELECT pg_catalog.count(*), {} FROM {STAGING}", counts.join(", "));
    let found = numbers(connection, &sql, doing).await?;
    let mut found = found.into_iter();
    let arrived = found.next().unwrap_or_default();
    if arrived != rows_read {
        let rows = counted(rows_read, "row");
        return Err(InsertError::data(format!(
            "the input has {rows}, and {arrived} arrived at the target; nothing was written"
        )));
    }
    let key = list(&matched.key);
    refuse(found.next(), |rows| {
        format!("the input has NULL in the key ({key}), which then finds no row, in {}", counted(rows, "row"))
    })?;
    for ((column, _), misfits) in numbers_of.into_iter().zip(found) {
        refuse(Some(misfits), |rows| {
            format!(
                "the column \"{}\" is {}, which would round or cannot hold {}; round in a query",
                column.name,
                column.type_name,
                counted(rows, "value")
            )
        })?;
    }
    if matched.key.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "SELECT pg_catalog.count(*) FROM (SELECT FROM {STAGING} GROUP BY {key} HAVING pg_catalog.count(*) > 1) AS keys"
    );
    refuse(numbers(connection, &sql, doing).await?.first().copied(), |keys| {
        format!(
            "the input has {} ({key}) more than once; make it unique in a query, or name more columns with --key",
            counted(keys, "key")
        )
    })?;
    // Nobody analyses a temporary table by himself, and without figures the plans below are guesses.
    run(connection, &format!("ANALYZE {STAGING} ({key})"), doing).await.map(drop)
}

fn has_null(key: &[TargetColumn]) -> String {
    let nulls = key.iter().map(|column| format!("{} IS NULL", quote_identifier(&column.name)));
    nulls.chain(["false".to_owned()]).collect::<Vec<_>>().join(" OR ")
}

/// Whether a number is not the same with the precision and scale of its column. NaN fits everywhere.
fn misfits(column: &TargetColumn, limits: NumericLimits) -> String {
    let NumericLimits { precision, scale } = limits;
    let name = quote_identifier(&column.name);
    let digits = i64::from(precision) - i64::from(scale);
    format!(
        "{name} <> 'NaN'
         AND ({name} <> pg_catalog.round({name}, {scale}) OR pg_catalog.abs({name}) >= '1e{digits}'::pg_catalog.numeric)"
    )
}

fn refuse(count: Option<u64>, sentence: impl Fn(u64) -> String) -> Result<(), InsertError> {
    match count {
        Some(0) | None => Ok(()),
        Some(count) => Err(InsertError::data(format!("{}; nothing was written", sentence(count)))),
    }
}
