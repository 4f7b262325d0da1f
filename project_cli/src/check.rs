//! `project check`: what a run would read and write, column by column, without reading a row.

use crate::config::CheckConfig;
use crate::exit_code::ExitCode;
use crate::output::{Column, ColumnKind, ResultPrinter};
use crate::report::{Failure, size};
use crate::selection::{Selected, check_folder, expand};
use anyhow::Result;
use project_postgres::Source;
use project_postgres::catalog::leaves;
use project_tasks::{FoundTable, Task, preflight};
use sqlx::PgConnection;
use std::io::{Write, stderr, stdout};

/// One line of the table.
type Row = Vec<Option<String>>;

/// Prints every column of every selected task; returns the code that a run would fail with.
pub(crate) async fn check(config: &CheckConfig, selected: Vec<Selected>) -> Result<ExitCode> {
    let source = Source::new(config.source.clone(), "check");
    let mut connection = source.connect_plain().await?;
    let tasks = expand(selected, &mut connection).await?;
    let mut failures = Vec::new();
    let mut rows = Vec::new();
    for task in &tasks {
        match columns(&mut connection, config, task, &tasks).await {
            Ok(found) => rows.extend(found),
            Err(error) => {
                let failure = Failure::new(&error);
                // A reader that has gone away changes nothing about what was found.
                let _ = writeln!(stderr(), "  {}  REFUSED ({}): {failure}", task.name(), failure.exit_code);
                failures.push(failure.code);
            }
        }
    }
    let names = ["task", "table", "column", "postgres", "lake", "parquet", "athena", "what is not exact"];
    let names = names.map(|name| Column { name: name.to_owned(), kind: ColumnKind::Text }).to_vec();
    let mut printer = ResultPrinter::new(config.format, names, stdout().lock());
    let _ = printer.page(rows)?;
    printer.finish()?;
    Ok(ExitCode::of_all(failures))
}

async fn columns(connection: &mut PgConnection, config: &CheckConfig, task: &Task, tasks: &[Task]) -> Result<Vec<Row>> {
    check_folder(task, tasks)?;
    let mut rows = Vec::new();
    for FoundTable { source, relation, plan } in preflight(connection, task, &config.choices).await? {
        let bytes: u64 = leaves(connection, &relation).await?.iter().map(|storage| storage.bytes).sum();
        let _ = writeln!(stderr(), "  {} reads {} ({} on the server's disk)", task.name(), source.table, size(bytes));
        let row = |column: &str, rest: [Option<String>; 5]| -> Row {
            let first = [task.name().to_owned(), source.table.to_string(), column.to_owned()];
            first.into_iter().map(Some).chain(rest).collect()
        };
        let Some(plan) = plan else {
            let read_here = relation.columns.iter().filter(|column| source.columns.contains(&column.name));
            let by_task = Some("by the task's struct".to_owned());
            rows.extend(
                read_here.map(|column| {
                    row(&column.name, [Some(column.type_name.clone()), None, None, None, by_task.clone()])
                }),
            );
            continue;
        };
        rows.extend(plan.columns.iter().map(|column| {
            let losses = column.losses().join("; ");
            let types = [&column.type_name, &column.lake_name, &column.parquet_type(), &column.athena_type(), &losses];
            row(&column.name, types.map(|text| (!text.is_empty()).then(|| text.clone())))
        }));
        if let Some(filter) = &plan.filter {
            let _ = writeln!(stderr(), "  {} reads only rows with {filter:?}", task.name());
        }
    }
    Ok(rows)
}
