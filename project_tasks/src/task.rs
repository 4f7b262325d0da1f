//! The three kinds of task.

use crate::blocking::joined;
use crate::context::{TaskContext, Written};
use crate::row_count::check_row_counts;
use crate::source_table::SourceTable;
use crate::tasks::table::TableTask;
use anyhow::Result;
use futures::future::BoxFuture;
use project_parquet::RecordColumn;
use project_postgres::{Policies, Stopped, TableName};
use project_schemas::expected::source_file;
use std::any::type_name;
use std::fmt::Debug;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::time::Duration;
use tokio::select;
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tracing::debug;

/// A task for small tables: synchronous, reads by Diesel, joins in memory. Group `all`.
pub trait ProjectTask: Debug + Send + Sync + RefUnwindSafe + UnwindSafe {
    /// The name in `--table`, and the table's folder in the lake.
    fn name(&self) -> &'static str;
    /// One line for `project list`.
    fn about(&self) -> &'static str;
    /// The tables that it reads.
    fn reads(&self) -> Vec<SourceTable>;
    /// The columns that it writes.
    fn writes(&self) -> Result<Vec<RecordColumn>>;
    /// Reads, enriches, writes. Runs on a thread that may block.
    fn run(&self, context: &TaskContext) -> Result<Written>;
}

/// A task for big tables: asynchronous, one pass by sqlx. Group `stream_tasks`.
pub trait ProjectStreamTask: Debug + Send + Sync + RefUnwindSafe + UnwindSafe {
    /// The name in `--table`, and the table's folder in the lake.
    fn name(&self) -> &str;
    /// One line for `project list`.
    fn about(&self) -> &str;
    /// The tables that it reads.
    fn reads(&self) -> Vec<SourceTable>;
    /// The columns that it writes; none when those are the columns that it reads.
    fn writes(&self) -> Result<Vec<RecordColumn>>;
    /// Reads, enriches, writes.
    fn run<'a>(&'a self, context: &'a TaskContext) -> BoxFuture<'a, Result<Written>>;
}

/// A task for huge tables, cut by UTC date; the unit of work is a partition date. Group `huge_tasks`.
pub trait HugeStreamTask: Debug + Send + Sync + RefUnwindSafe + UnwindSafe {
    /// The name in `--table`, and the table's folder in the lake.
    fn name(&self) -> &'static str;
    /// One line for `project list`.
    fn about(&self) -> &'static str;
    /// The table that it reads, all columns.
    fn table(&self) -> TableName;
    /// The column whose UTC date cuts the table.
    fn partition_column(&self) -> &'static str;
    /// The key of the partition folders.
    fn partition_key(&self) -> &'static str {
        "dt"
    }
    /// The file that implements it, for messages.
    fn file(&self) -> String {
        source_file(type_name::<Self>(), 1)
    }
    /// Reads and writes one folder for each date.
    fn run<'a>(&'a self, context: &'a TaskContext) -> BoxFuture<'a, Result<Written>> {
        let table = self.table();
        Box::pin(crate::partitions::export_by_date(context, table, self.partition_column(), self.partition_key()))
    }
}

/// The policies of a registered task where nobody has chosen: whoever wrote it wants to know of every odd value.
pub(crate) const REGISTERED: Policies = Policies::EXACT;
/// Those of a table named on the command line: it shall arrive, and what had to be changed is told.
pub(crate) const NAMED: Policies = Policies::TOLERANT;

/// What `--table` calls all tasks of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// `all`: every [`ProjectTask`].
    All,
    /// `stream_tasks`.
    StreamTasks,
    /// `huge_tasks`.
    HugeTasks,
}

impl Group {
    /// Every group.
    pub const EVERY: [Self; 3] = [Self::All, Self::StreamTasks, Self::HugeTasks];

    /// The word in `--table`.
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::StreamTasks => "stream_tasks",
            Self::HugeTasks => "huge_tasks",
        }
    }
}

/// A task of any kind.
#[derive(Debug, Clone)]
pub enum Task {
    /// Small tables.
    Batch(&'static dyn ProjectTask),
    /// A big table.
    Stream(&'static dyn ProjectStreamTask),
    /// A huge table.
    Huge(&'static dyn HugeStreamTask),
    /// Any table, named on the command line.
    Table(Arc<TableTask>),
}

impl Task {
    /// The name in `--table`.
    pub fn name(&self) -> &str {
        match self {
            Self::Batch(task) => task.name(),
            Self::Stream(task) => task.name(),
            Self::Huge(task) => task.name(),
            Self::Table(task) => task.name(),
        }
    }

    /// The folder in the lake, which is also the name of the table there.
    pub fn folder(&self) -> &str {
        match self {
            Self::Table(task) => task.folder(),
            registered => registered.name(),
        }
    }

    /// One line for `project list`.
    pub fn about(&self) -> &str {
        match self {
            Self::Batch(task) => task.about(),
            Self::Stream(task) => task.about(),
            Self::Huge(task) => task.about(),
            Self::Table(task) => task.about(),
        }
    }

    /// The group that it belongs to; a table named on the command line belongs to none.
    pub fn group(&self) -> Option<Group> {
        match self {
            Self::Batch(_) => Some(Group::All),
            Self::Stream(_) => Some(Group::StreamTasks),
            Self::Huge(_) => Some(Group::HugeTasks),
            Self::Table(_) => None,
        }
    }

    /// Whether rows go straight from the database into columns, without a struct.
    pub fn is_columnar(&self) -> bool {
        matches!(self, Self::Huge(_) | Self::Table(_))
    }

    /// The tables that it reads.
    pub fn reads(&self) -> Vec<SourceTable> {
        match self {
            Self::Batch(task) => task.reads(),
            Self::Stream(task) => task.reads(),
            Self::Huge(task) => {
                vec![SourceTable::cut_by_date(task.table(), task.partition_column(), task.file())]
            }
            Self::Table(task) => task.reads(),
        }
    }

    /// The columns that it writes, as its struct says; none when those are the columns that it reads.
    ///
    /// # Errors
    /// When the struct cannot be written; the registry's tests show that none is so.
    pub fn writes(&self) -> Result<Vec<RecordColumn>> {
        match self {
            Self::Batch(task) => task.writes(),
            Self::Stream(task) => task.writes(),
            Self::Huge(_) => Ok(Vec::new()),
            Self::Table(task) => task.writes(),
        }
    }

    /// What happens to values that have no exact place, where nobody has chosen.
    pub fn policies(&self) -> Policies {
        match self {
            Self::Batch(_) | Self::Stream(_) | Self::Huge(_) => REGISTERED,
            Self::Table(_) => NAMED,
        }
    }

    /// Runs the task, a synchronous one on a thread that may block.
    ///
    /// # Errors
    /// Its own, and when the rows that were read, written and found in the finished files are not as many.
    pub async fn run(&self, context: TaskContext) -> Result<Written> {
        let counters = Arc::clone(&context.counters);
        let written = match self {
            Self::Batch(task) => {
                let task = *task;
                run_blocking(context, move |context| task.run(context)).await?
            }
            Self::Stream(task) => task.run(&context).await?,
            Self::Huge(task) => task.run(&context).await?,
            Self::Table(task) => task.run(&context).await?,
        };
        let Written { rows_read, rejected_rows, .. } = written;
        check_row_counts(self.name(), rows_read, rejected_rows, counters.rows(), written.rows())?;
        Ok(written)
    }
}

/// How often a stopped task is reminded: between two of its statements there is nothing to cancel.
const REMINDER: Duration = Duration::from_millis(500);

/// Runs a synchronous task and waits for its end, also after a cancellation: it notices that by its statements failing.
async fn run_blocking(
    context: TaskContext,
    run: impl FnOnce(&TaskContext) -> Result<Written> + Send + 'static,
) -> Result<Written> {
    let (source, cancel) = (context.source.clone(), context.cancel.clone());
    let mut running = spawn_blocking(move || run(&context));
    let reminding = async {
        cancel.cancelled().await;
        loop {
            if let Err(error) = source.cancel_statements().await {
                debug!(%error, "statements not cancelled");
            }
            sleep(REMINDER).await;
        }
    };
    let done = select! {
        done = &mut running => done,
        () = reminding => return Err(Stopped.into()),
    };
    match joined(done) {
        Err(_) if cancel.is_cancelled() => Err(Stopped.into()),
        outcome => outcome,
    }
}
