//! From finished files to tables that readers see, whatever the lake.

use crate::early_upload::StagedTable;
use crate::report::{Failure, RunReport, milliseconds, seconds};
use anyhow::{Result, bail};
use project_parquet::{LakeColumn, ParquetFile, lake_columns};
use project_partition_dates::DateWindow;
use project_postgres::Stopped;
use project_publish::{Candidate, Column, DataFile, Gate, Lake, Publication, Run, Window};
use project_tasks::Written;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::info;

/// A table that is half switched when a run is stopped is better switched; a store that does not answer is not waited
/// for any longer than this.
const COMMIT_GRACE: Duration = Duration::from_secs(4);

/// A task's files, ready to be published.
#[derive(Debug)]
pub(crate) struct Finished {
    /// Its place in the report.
    pub(crate) task: usize,
    /// Its name.
    pub(crate) name: String,
    /// The table's folder in the lake.
    pub(crate) table: String,
    /// Its folder on the local disk.
    pub(crate) folder: PathBuf,
    /// The files.
    pub(crate) written: Written,
    /// Those of them that are uploaded already.
    pub(crate) staged: StagedTable,
    /// The dates that the files replace; the whole table when there is none.
    pub(crate) window: Option<DateWindow>,
    /// The condition under which rows were read.
    pub(crate) condition: Option<String>,
    /// Whether a fall of its rows is suspicious; fewer rejected rows are not.
    pub(crate) gated: bool,
}

/// A table whose files are in the lake, where nobody reads them yet.
#[derive(Debug)]
pub(crate) struct Arrived {
    /// Its place in the report.
    pub(crate) task: usize,
    pub(crate) table: Candidate,
}

/// The table with what the lake knows of its files.
pub(crate) fn arrived(finished: Finished, columns: Vec<Column>, files: Vec<DataFile>) -> Result<Arrived> {
    let Finished { task, name, table, written, window, condition, gated, .. } = finished;
    if files.is_empty() && window.is_none() {
        // Everything that is published now would go.
        bail!("{name}: the task wrote no file; this is a fault of the program, please report it");
    }
    let partition_key = written.files.iter().find_map(|file| Some(file.partition.as_ref()?.key.clone()));
    let window = window.map(|window| {
        let (from, to) = (window.first().map(|date| date.to_string()), window.last().map(|date| date.to_string()));
        Window { from, to }
    });
    Ok(Arrived {
        task,
        table: Candidate { table, task: name, columns, partition_key, condition, window, files, gated },
    })
}

/// The columns of a table. All its files were written with one schema: the first one tells it, if nobody knows it yet.
pub(crate) async fn columns_of(files: &[ParquetFile], known: Option<Vec<LakeColumn>>) -> Result<Vec<Column>> {
    let columns = match (known, files.first()) {
        (Some(columns), _) => columns,
        (None, None) => Vec::new(),
        (None, Some(first)) => {
            let first = first.path.clone();
            spawn_blocking(move || lake_columns(&first)).await??
        }
    };
    Ok(columns.into_iter().map(|column| Column { name: column.name, kind: column.glue_type }).collect())
}

/// What became of the tables.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    /// Readers see these now; there may be nothing to see of a table without rows.
    pub(crate) committed: Vec<String>,
    /// No manifest names these, and nobody will ever read them.
    pub(crate) refused: Vec<String>,
}

/// Takes the tables through the protocol, and says in the report what came of each.
pub(crate) async fn show<L: Lake>(
    lake: &L,
    run: Run,
    gate: Gate,
    tables: Vec<Arrived>,
    report: &mut RunReport,
    cancel: &CancellationToken,
) -> Shown {
    let mut publication = Publication::begin(lake, run, gate);
    let (mut shown, mut staged) = (Shown::default(), Vec::with_capacity(tables.len()));
    for Arrived { task, table } in tables {
        let (name, window, start) = (table.table.clone(), table.window.clone(), Instant::now());
        match stoppable(cancel, Duration::ZERO, publication.stage(table)).await {
            Ok(true) => staged.push((task, name, start)),
            Ok(false) => {
                let dates = window.map(|window| format!(" in the dates {window}")).unwrap_or_default();
                report
                    .notes
                    .push(format!("{name} has no row{dates}, and nothing was published before: there is no table yet"));
                record(report, task, start, Ok(()));
                shown.committed.push(name);
            }
            Err(error) => {
                record(report, task, start, Err(error));
                shown.refused.push(name);
            }
        }
    }
    // A table and what was left out of it belong together.
    let failed = |task: usize| report.tasks[task].failure.is_some();
    for (_, name, _) in staged.extract_if(.., |(task, _, _)| failed(*task)) {
        publication.unstage(&name);
        shown.refused.push(name);
    }
    if staged.is_empty() {
        return shown;
    }
    if let Err(error) = stoppable(cancel, Duration::ZERO, publication.seal()).await {
        report.failure = Some(Failure::new(&error));
        // The manifest may be there all the same, so nothing that it names is removed.
        return shown;
    }
    for (task, name, start) in staged {
        if cancel.is_cancelled() {
            break;
        }
        let committed = stoppable(cancel, COMMIT_GRACE, publication.commit(&name)).await;
        let outcome = committed.map(|published| {
            info!(table = name, files = published.files, carried = published.carried, "published");
            report.notes.extend(told(&name, published.files, published.carried, published.window));
        });
        // A failed one may have happened all the same, so nothing of it is removed.
        shown.committed.extend(outcome.is_ok().then_some(name));
        record(report, task, start, outcome);
    }
    shown
}

/// Ends what a store does not answer, `grace` after the run was stopped.
async fn stoppable<T>(cancel: &CancellationToken, grace: Duration, work: impl Future<Output = Result<T>>) -> Result<T> {
    let stopped = async {
        cancel.cancelled().await;
        sleep(grace).await;
    };
    tokio::select! {
        done = work => done,
        () = stopped => Err(Stopped.into()),
    }
}

/// What the reader of the summary should know of a table that is visible now.
fn told(table: &str, files: usize, carried: usize, window: Duration) -> Option<String> {
    if window > Duration::ZERO && files > carried + 1 {
        let new = files - carried;
        return Some(format!("the {new} files of {table} became visible within {}", seconds(milliseconds(window))));
    }
    (carried > 0).then(|| format!("{carried} files of {table} are those of the run before"))
}

/// Notes in the report what came of publishing a table, which began at `start`.
pub(crate) fn record(report: &mut RunReport, task: usize, start: Instant, outcome: Result<()>) {
    let stage = report.course.clock.stage(start);
    let entry = &mut report.tasks[task];
    entry.publishing = Some(stage.after(entry.publishing));
    match outcome {
        Ok(()) => entry.published = entry.failure.is_none(),
        Err(error) => (entry.published, entry.failure) = (false, Some(Failure::new(&error))),
    }
}
