//! One insertion from its files to its commit.

use crate::apply::apply;
use crate::column_match::{Matched, check_table, match_columns};
use crate::error::{InsertError, InsertErrorKind};
use crate::input::{CopyFormat, Input};
use crate::server_error::{Place, explain};
use crate::staging;
use crate::target_table::look_up;
use crate::{Inserted, Insertion};
use project_postgres::{ConnectionSettings, TargetConnection};
use std::time::Duration;
use tokio::select;
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// The session writes whatever the role's defaults are. Statements see what is committed when they begin.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";

/// Keys of some hundred thousand rows are compared in memory; the server's own default is for many small statements.
const WORK_MEMORY: &str = "SELECT pg_catalog.set_config('work_mem', '64MB', true)
    FROM pg_catalog.pg_settings WHERE name = 'work_mem' AND setting::int8 < 65536";

/// Values of a file are read the same way whatever the role's defaults are. A date with slashes has its year first, or is
/// refused: the server would else take the month for the day, or the day for the month.
const STYLES: &str = "SELECT pg_catalog.set_config('datestyle', 'ISO, YMD', true),
    pg_catalog.set_config('intervalstyle', 'postgres', true)";

/// How long a commit that has begun is waited for after somebody has asked to stop.
const COMMIT_PATIENCE: Duration = Duration::from_secs(5);

/// Puts the rows of the files into the table, all of them or none. `run_id` shows in the server's list of sessions.
///
/// # Errors
/// [`InsertError`]; nothing was changed then, but for a commit whose answer was lost, and that says so.
pub async fn insert(
    settings: &ConnectionSettings,
    run_id: &str,
    insertion: &Insertion,
    cancel: &CancellationToken,
) -> Result<Inserted, InsertError> {
    let connection = select! {
        connection = TargetConnection::open(settings, run_id) => connection?,
        () = cancel.cancelled() => return Err(InsertError::stopped()),
    };
    let done = select! {
        done = Box::pin(work(&connection, insertion)) => done,
        () = cancel.cancelled() => Err(InsertError::stopped()),
    };
    match done {
        Ok(done) if !cancel.is_cancelled() => {
            Box::pin(commit(&connection, insertion, cancel)).await?;
            connection.close().await;
            Ok(done)
        }
        other => {
            // Whatever the server is still doing for us; closing the connection rolls back.
            connection.cancelling().cancel().await;
            connection.close().await;
            Err(other.err().unwrap_or_else(InsertError::stopped))
        }
    }
}

/// Looks at the table alone, so that a wrong name or a missing right shows before anybody has prepared rows for it. The
/// files of the insertion are not looked at.
///
/// # Errors
/// [`InsertError`], as [`insert`] would end with.
pub async fn check(settings: &ConnectionSettings, run_id: &str, insertion: &Insertion) -> Result<(), InsertError> {
    let connection = TargetConnection::open(settings, run_id).await?;
    check_table(&look_up(&connection, &insertion.table).await?, insertion)?;
    connection.close().await;
    Ok(())
}

/// Everything up to the commit.
async fn work(connection: &TargetConnection, insertion: &Insertion) -> Result<Inserted, InsertError> {
    let table = look_up(connection, &insertion.table).await?;
    let inputs = open_all(insertion).await?;
    let mut checked: Vec<(String, Input, Matched)> = Vec::with_capacity(inputs.len());
    for (name, input) in inputs {
        let matched = match_columns(&name, input.columns(), &table, insertion)?;
        if let Some((first_name, _, first)) = checked.first() {
            check_same_columns(first_name, first, &name, &matched)?;
        }
        checked.push((name, input, matched));
    }
    let Some(mut matched) = checked.first().map(|(_, _, matched)| matched.clone()) else {
        return Err(InsertError::data("there is no file to insert"));
    };
    matched.by_text = checked.iter().any(|(_, input, matched)| input.format(&matched.columns) != CopyFormat::Binary);
    run(connection, BEGIN, "cannot begin a transaction").await?;
    run(connection, WORK_MEMORY, "cannot set the memory of the session").await?;
    run(connection, STYLES, "cannot set how the session reads dates").await?;
    staging::create(connection, &table, &matched).await?;
    let mut copied = Vec::with_capacity(checked.len());
    for (name, input, matched) in checked {
        let rows = staging::copy(connection, &name, input, &matched.columns).await?;
        copied.push((name, rows));
    }
    staging::check(connection, &matched, &copied).await?;
    let rows_read = copied.iter().map(|(_, rows)| rows).sum();
    apply(connection, &table, &matched, insertion, rows_read).await
}

async fn open_all(insertion: &Insertion) -> Result<Vec<(String, Input)>, InsertError> {
    let files = insertion.files.clone();
    let open = move || files.iter().map(|file| Ok((file.name.clone(), Input::open(file)?))).collect();
    let opened = spawn_blocking(open).await;
    opened.unwrap_or_else(|_| Err(InsertError::new(InsertErrorKind::Internal, "the reader of the files has panicked")))
}

fn check_same_columns(first_name: &str, first: &Matched, name: &str, matched: &Matched) -> Result<(), InsertError> {
    let names = |matched: &Matched| {
        let mut names: Vec<String> = matched.columns.iter().map(|column| column.name.clone()).collect();
        names.sort();
        names
    };
    if names(first) == names(matched) {
        return Ok(());
    }
    Err(InsertError::data(format!("{first_name} and {name} have different columns; insert one after the other")))
}

/// Runs a statement that returns nothing of interest.
pub(crate) async fn run(connection: &TargetConnection, sql: &str, doing: &str) -> Result<u64, InsertError> {
    let done = connection.ask(sql).await;
    done.map(|answer| answer.affected).map_err(|error| explain(&Place::of(doing), &error))
}

/// The numbers in the first row of the answer.
pub(crate) async fn numbers(connection: &TargetConnection, sql: &str, doing: &str) -> Result<Vec<u64>, InsertError> {
    let answer = connection.ask(sql).await.map_err(|error| explain(&Place::of(doing), &error))?;
    let row = answer.rows.first();
    let number = |at| row.and_then(|row| row.get(at)).and_then(|text| text.parse().ok());
    let numbers: Option<Vec<u64>> = (0..row.map_or(0, |row| row.len())).map(number).collect();
    numbers.ok_or_else(|| InsertError::new(InsertErrorKind::Internal, format!("{doing}: the server sends no numbers")))
}

async fn commit(
    connection: &TargetConnection,
    insertion: &Insertion,
    cancel: &CancellationToken,
) -> Result<(), InsertError> {
    let doing = format!("cannot commit the rows of {}", insertion.table);
    let unknown = |why: &str| {
        let message = format!(
            "{doing}: {why}, so nobody knows whether all rows are in the table or none; run it again, which is harmless"
        );
        InsertError::new(InsertErrorKind::Temporary, message)
    };
    let patience = async {
        cancel.cancelled().await;
        sleep(COMMIT_PATIENCE).await;
    };
    select! {
        done = connection.ask("COMMIT") => match done {
            Ok(_) => Ok(()),
            Err(error) if error.as_db_error().is_some() => Err(explain(&Place::of(&doing), &error)),
            Err(error) => Err(unknown(&format!("the connection was lost before the answer ({error})"))),
        },
        () = patience => Err(unknown("the server has not answered, and the run was stopped")),
    }
}
