//! The temporary table that rows are copied into before the target is touched: of the same types, and gone with the
//! transaction. An unlogged table would be as fast and would outlive a killed run.

use crate::column_match::Matched;
use crate::column_type::{ColumnType, NumericLimits};
use crate::error::{InsertError, InsertErrorKind, counted};
use crate::input::{Input, Pieces};
use crate::server_error::{FilePlace, Place, explain};
use crate::session::{numbers, run};
use crate::target_table::{Bounds, TargetColumn, TargetTable};
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
    let columns = matched.columns.iter().map(|column| {
        let name = quote_identifier(&column.name);
        match bounds(matched, column) {
            // With them, the server would round or cut what it is sent.
            Some(Bounds { unbounded, .. }) => format!("{name}::{unbounded} AS {name}"),
            None => name,
        }
    });
    let columns: Vec<String> = columns.collect();
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

/// Of a column whose staged values may not keep to them yet.
fn bounds<'a>(matched: &Matched, column: &'a TargetColumn) -> Option<&'a Bounds> {
    // Numbers that do not come as text were looked at one by one.
    let looked_at = !matched.by_text && number_limits(column).is_some();
    column.bounds.as_ref().filter(|_| !looked_at)
}

/// Of a number, or of the numbers in an array.
fn number_limits(column: &TargetColumn) -> Option<NumericLimits> {
    match &column.column_type {
        ColumnType::Numeric(limits) => *limits,
        ColumnType::Array { element, .. } => match **element {
            ColumnType::Numeric(limits) => limits,
            _ => None,
        },
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
        // Changes no value: `check` has seen to that.
        if bounds(matched, column).is_some() { format!("{name}::{} AS {name}", column.type_name) } else { name }
    });
    format!("(SELECT {} FROM {STAGING})", columns.collect::<Vec<_>>().join(", "))
}

/// Looks at what was copied: all rows are there, no value would be rounded or cut, and the key tells them apart.
pub(crate) async fn check(
    connection: &TargetConnection,
    matched: &Matched,
    copied: &[(String, u64)],
) -> Result<(), InsertError> {
    let doing = "cannot look at the staging table";
    let rows_read: u64 = copied.iter().map(|(_, rows)| rows).sum();
    let bounded = matched.columns.iter().filter_map(|column| Some((column, bounds(matched, column)?)));
    let bounded: Vec<(&TargetColumn, String)> =
        bounded.map(|(column, bounds)| (column, misfits(column, bounds))).collect();
    let null = has_null(&matched.key);
    let conditions = std::iter::once(&null).chain(bounded.iter().map(|(_, condition)| condition));
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
    for ((column, condition), misfits) in bounded.into_iter().zip(found).filter(|(_, misfits)| *misfits > 0) {
        let first = first_row(connection, &condition, copied).await?;
        refuse(Some(misfits), |rows| {
            format!(
                "the column \"{}\" is {}, which would round, cut or cannot hold {}, the first in {first}; round or \
                 shorten in a query",
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

/// Whether a value is not the same within the bounds of its column. NaN fits everywhere.
fn misfits(column: &TargetColumn, bounds: &Bounds) -> String {
    let name = quote_identifier(&column.name);
    let Some(limits) = number_limits(column) else {
        // Whatever equality the column's own collation has.
        let text = matches!(&column.column_type, ColumnType::Text)
            || matches!(&column.column_type, ColumnType::Array { element, .. } if **element == ColumnType::Text);
        let collation = if text { " COLLATE pg_catalog.\"C\"" } else { "" };
        return format!("{name}{collation} IS DISTINCT FROM {name}::{}", bounds.bounded);
    };
    // A cast would fail where a number is too great.
    match column.column_type {
        ColumnType::Array { .. } => {
            let number = number_misfits("number", limits);
            format!("EXISTS (SELECT FROM pg_catalog.unnest({name}) AS numbers(number) WHERE {number})")
        }
        _ => number_misfits(&name, limits),
    }
}

fn number_misfits(number: &str, NumericLimits { precision, scale }: NumericLimits) -> String {
    let digits = i64::from(precision) - i64::from(scale);
    format!(
        "{number} <> 'NaN'
         AND ({number} <> pg_catalog.round({number}, {scale})
            OR pg_catalog.abs({number}) >= '1e{digits}'::pg_catalog.numeric)"
    )
}

/// Where the first row is for which this is true, by the order in which rows were copied; nobody has changed it since.
async fn first_row(
    connection: &TargetConnection,
    condition: &str,
    copied: &[(String, u64)],
) -> Result<String, InsertError> {
    let sql = format!(
        "SELECT pg_catalog.min(place) FROM (SELECT pg_catalog.row_number() OVER () AS place, {condition} AS misfits
         FROM {STAGING}) AS rows WHERE misfits"
    );
    let found = numbers(connection, &sql, "cannot look at the staging table").await?;
    let mut row = found.first().copied().unwrap_or_default();
    for (name, rows) in copied {
        if row <= *rows {
            return Ok(format!("row {row} of {name}"));
        }
        row -= rows;
    }
    Ok("a row that is not known".to_owned())
}

fn refuse(count: Option<u64>, sentence: impl Fn(u64) -> String) -> Result<(), InsertError> {
    match count {
        Some(0) | None => Ok(()),
        Some(count) => Err(InsertError::data(format!("{}; nothing was written", sentence(count)))),
    }
}
