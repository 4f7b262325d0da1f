//! The lines of the result: what is read of every table, and what is written.

use crate::output::{Column, ColumnKind, Row};
use anyhow::Result;
use project_parquet::RecordColumn;
use project_postgres::ColumnPlan;
use project_postgres::catalog::CatalogColumn;
use project_tasks::{Drift, FoundTable, SourceColumn, Task, Usage};

/// One line, by the names of [`head`].
#[derive(Default)]
struct Line {
    table: Option<String>,
    column: Option<String>,
    postgres: Option<String>,
    code: Option<String>,
    drift: Option<String>,
    lake: Option<String>,
    parquet: Option<String>,
    athena: Option<String>,
    loss: Option<String>,
}

impl Line {
    fn row(self, task: &Task) -> Row {
        let Self { table, column, postgres, code, drift, lake, parquet, athena, loss } = self;
        let task = Some(task.name().to_owned());
        vec![task, table, column, postgres, code, drift, lake, parquet, athena, loss]
    }
}

/// The columns of the result.
pub(super) fn head() -> Vec<Column> {
    let names =
        ["task", "table", "column", "postgres", "code", "drift", "lake", "parquet", "athena", "what is not exact"];
    names.map(|name| Column { name: name.to_owned(), kind: ColumnKind::Text }).to_vec()
}

/// The lines of a task: a line for each column that it reads, and for a task with structs of its own then a line for
/// each column that it writes.
pub(super) fn rows(task: &Task, found: &[FoundTable]) -> Result<Vec<Row>> {
    let mut lines = Vec::new();
    for table in found {
        match &table.plan {
            Some(plan) => lines.extend(plan.columns.iter().map(|column| planned(table, column))),
            None => lines.extend(table.relation.columns.iter().map(|column| existing(table, column))),
        }
        let absent = table.source.columns.iter().filter(|column| !exists(table, &column.expected.name));
        lines.extend(absent.map(|column| line(table, &column.expected.name)));
    }
    lines.extend(task.writes()?.into_iter().map(written));
    Ok(lines.into_iter().map(|line| line.row(task)).collect())
}

fn exists(table: &FoundTable, column: &str) -> bool {
    table.relation.columns.iter().any(|existing| existing.name == column)
}

/// What can be said of any column of a table.
fn line(table: &FoundTable, column: &str) -> Line {
    let declared = table.source.columns.iter().find(|declared| declared.expected.name == column);
    Line {
        table: Some(table.source.table.to_string()),
        column: Some(column.to_owned()),
        code: declared.map(code),
        drift: table.drift.iter().find(|drift| drift.column == column).map(in_words),
        ..Line::default()
    }
}

/// A column that is copied as it is.
fn planned(table: &FoundTable, column: &ColumnPlan) -> Line {
    let losses = column.losses().join("; ");
    Line {
        postgres: Some(column.type_name.clone()),
        lake: Some(column.lake_name.clone()),
        parquet: Some(column.parquet_type()),
        athena: Some(column.athena_type()),
        loss: (!losses.is_empty()).then_some(losses),
        ..line(table, &column.name)
    }
}

/// A column beside what the task's struct says of it.
fn existing(table: &FoundTable, column: &CatalogColumn) -> Line {
    Line { postgres: Some(column.type_name.clone()), ..line(table, &column.name) }
}

/// A column of the task's record.
fn written(column: RecordColumn) -> Line {
    let RecordColumn { name, parquet_type, athena_type, loss } = column;
    Line { lake: Some(name), parquet: Some(parquet_type), athena: Some(athena_type), loss, ..Line::default() }
}

fn code(column: &SourceColumn) -> String {
    let declared = &column.expected.declared;
    match column.usage {
        Usage::Read | Usage::Cut => declared.clone(),
        Usage::Filter => format!("{declared}, to filter by"),
        Usage::Unused => format!("{declared}, not read"),
    }
}

fn in_words(drift: &Drift) -> String {
    let fails = if drift.fails { ", the task fails" } else { "" };
    let line = drift.line.as_ref().map(|line| format!(": `{line}`")).unwrap_or_default();
    format!("{}{fails}{line}", drift.kind.words())
}
