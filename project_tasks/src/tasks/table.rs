//! Any table of the catalog, without a struct.

use crate::blocking::joined;
use crate::context::{TaskContext, Written};
use crate::task::{ProjectStreamTask, SourceTable};
use anyhow::Result;
use futures::future::BoxFuture;
use project_parquet::PartitionValue;
use project_postgres::catalog::{Relation, Storage, leaves, relation};
use project_postgres::{Export, Slice, SourceError, SourceErrorKind, TableName, TablePlan, lake_name, whole_table};
use sqlx::PgConnection;

/// A table that was named on the command line as `schema.table`.
#[derive(Debug)]
pub struct TableTask {
    table: TableName,
    name: String,
    folder: String,
}

impl TableTask {
    /// A task for the table; its folder is `<schema>_<table>` after the mapping of names.
    pub fn new(table: TableName) -> Self {
        let folder = format!("{}_{}", lake_name(&table.schema), lake_name(&table.name));
        Self { name: table.to_string(), folder, table }
    }

    /// The folder in the lake.
    pub fn folder(&self) -> &str {
        &self.folder
    }
}

impl ProjectStreamTask for TableTask {
    fn name(&self) -> &str {
        &self.name
    }

    fn about(&self) -> &str {
        "a table as it is"
    }

    fn reads(&self) -> Vec<SourceTable> {
        vec![SourceTable { table: self.table.clone(), columns: Vec::new() }]
    }

    fn run<'a>(&'a self, context: &'a TaskContext) -> BoxFuture<'a, Result<Written>> {
        Box::pin(async {
            let mut connection = context.source.connect().await?;
            let relation = existing(&mut connection, &self.table).await?;
            let storages = leaves(&mut connection, &relation).await?;
            drop(connection);
            let slices = whole_table(&storages, context.workers);
            let export = export(context, TablePlan::of(&relation)?, &storages);
            read_in_parallel(export, slices, Some(None)).await
        })
    }
}

/// The table, as the run's snapshot sees it in the catalog.
pub(crate) async fn existing(connection: &mut PgConnection, table: &TableName) -> Result<Relation, SourceError> {
    let found = relation(connection, table).await?;
    found.ok_or_else(|| SourceError::new(SourceErrorKind::Missing, format!("{table} does not exist any more")))
}

/// The export of a table as the context wants it.
pub(crate) fn export(context: &TaskContext, plan: TablePlan, storages: &[Storage]) -> Export {
    let limits = context.memory.read_limits();
    Export {
        source: context.source.clone(),
        plan,
        folder: context.folder.clone(),
        settings: context.writer.clone(),
        limits,
        wide_rows: limits.can_be_exceeded_in(storages),
        workers: context.workers,
        routing: None,
        finished: context.finished.clone(),
        counters: context.counters.clone(),
        cancel: context.cancel.clone(),
    }
}

/// Reads the slices by the export's workers. A table without rows gets one empty file in the partition `when_empty`,
/// or none at all.
pub(crate) async fn read_in_parallel(
    export: Export,
    slices: Vec<Slice>,
    when_empty: Option<Option<PartitionValue>>,
) -> Result<Written> {
    let reading = tokio::task::spawn_blocking(move || {
        let mut files = export.run(slices)?;
        if let Some(partition) = when_empty.filter(|_| files.is_empty()) {
            files.push(export.write_empty(partition)?);
        }
        Ok(files)
    });
    joined(reading.await).map(|files| Written { files })
}
