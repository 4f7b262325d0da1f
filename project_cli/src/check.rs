//! `project check`: what a run would read and write, column by column, without reading a row.

use crate::config::CheckConfig;
use crate::exit_code::ExitCode;
use crate::output::{ResultFormat, ResultPrinter, Row};
use crate::report::Failure;
use crate::selection::{Selected, check_folder, expand};
use anyhow::Result;
use project_postgres::Source;
use project_postgres::server_hazards::{ServerFacts, server_facts};
use project_tasks::{FoundTable, Task, examine, judge};
use sqlx::PgConnection;
use std::io::{Write, stderr, stdout};

mod advice;
mod columns;

/// Prints every column of every selected task; returns the code that a run would fail with.
pub(crate) async fn check(config: &CheckConfig, selected: Vec<Selected>) -> Result<ExitCode> {
    let source = Source::new(config.source.clone(), "check");
    let mut connection = source.connect_plain().await?;
    let server = server_facts(&mut connection).await?;
    server.hazards().iter().for_each(|hazard| say(&format!("hazard: {hazard}")));
    let tasks = expand(selected, &mut connection).await?;
    let (mut rows, mut failures, mut writable) = (Vec::new(), Vec::new(), Vec::new());
    for task in &tasks {
        match examined(&mut connection, config, &server, task, &tasks).await {
            Ok((found, of_task)) => {
                rows.extend(of_task);
                let changeable = found.iter().filter(|table| table.facts.writable);
                writable.extend(changeable.map(|table| table.source.table.clone()));
                failures.extend(judge(task, &found).err().map(|error| refuse(task, &error.into())));
            }
            Err(error) => failures.push(refuse(task, &error)),
        }
    }
    advice::on_rights(&server, writable).iter().for_each(|advice| say(&format!("advice: {advice}")));
    let mut printer = ResultPrinter::new(config.format, columns::head(), stdout().lock());
    if config.format == ResultFormat::Table {
        // A person sees that nothing is there.
        rows.iter_mut().flatten().for_each(|cell| _ = cell.get_or_insert_default());
    }
    // A reader that has gone away needs no more of them.
    let _ = printer.page(rows)?;
    printer.finish()?;
    Ok(ExitCode::of_all(failures))
}

/// The tables of a task as they are, and its lines in the result.
async fn examined(
    connection: &mut PgConnection,
    config: &CheckConfig,
    server: &ServerFacts,
    task: &Task,
    tasks: &[Task],
) -> Result<(Vec<FoundTable>, Vec<Row>)> {
    check_folder(task, tasks)?;
    let found = examine(connection, task, &config.choices).await?;
    for table in &found {
        say(&advice::on_size(connection, task, table).await?);
        advice::hazards(server, table).iter().for_each(|hazard| say(&format!("hazard: {hazard}")));
        let options = config.choices.tables.get(&table.source.table);
        if let Some(filter) = options.and_then(|options| options.filter.as_ref()) {
            say(&format!("{} reads only rows with {filter}", task.name()));
        }
    }
    let rows = columns::rows(task, &found)?;
    Ok((found, rows))
}

fn refuse(task: &Task, error: &anyhow::Error) -> ExitCode {
    let failure = Failure::new(error);
    say(&format!("{}  REFUSED ({}): {failure}", task.name(), failure.exit_code));
    failure.code
}

fn say(line: &str) {
    // A reader that has gone away changes nothing about what was found.
    let _ = writeln!(stderr(), "  {line}");
}
