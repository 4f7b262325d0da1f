//! Any table of the catalog, without a struct.

use crate::blocking::joined;
use crate::context::{TaskContext, Written};
use crate::source_table::SourceTable;
use crate::task::{NAMED, ProjectStreamTask};
use crate::verification::{finished, prover};
use anyhow::Result;
use futures::future::BoxFuture;
use project_parquet::{PartitionValue, RecordColumn, lake_name};
use project_postgres::catalog::{Relation, Storage, leaves, relation};
use project_postgres::{
    Export, Exported, RejectLimit, ServerProver, Slice, SourceError, SourceErrorKind, TableName, TablePlan, close,
    whole_table,
};
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
        vec![SourceTable::whole(self.table.clone())]
    }

    fn writes(&self) -> Result<Vec<RecordColumn>> {
        Ok(Vec::new())
    }

    fn run<'a>(&'a self, context: &'a TaskContext) -> BoxFuture<'a, Result<Written>> {
        Box::pin(async {
            let mut connection = context.source.connect().await?;
            let relation = existing(&mut connection, &self.table).await?;
            let storages = leaves(&mut connection, &relation).await?;
            let prover = prover(context, &mut connection).await?;
            close(connection).await;
            let slices = whole_table(&storages, context.workers);
            let export = export(context, context.choices.plan(&relation, NAMED)?, &storages, prover);
            let mut exported = read_in_parallel(export.clone(), slices).await?;
            if exported.files.is_empty() {
                exported.add(write_empty(export.clone(), None).await?)?;
            }
            finished(context, exported, prover, &export.plan, None).await
        })
    }
}

/// The table, as the run's snapshot sees it in the catalog.
pub(crate) async fn existing(connection: &mut PgConnection, table: &TableName) -> Result<Relation, SourceError> {
    let found = relation(connection, table).await?;
    found.ok_or_else(|| SourceError::new(SourceErrorKind::Missing, format!("{table} does not exist any more")))
}

/// The export of a table as the context wants it.
pub(crate) fn export(
    context: &TaskContext,
    plan: TablePlan,
    storages: &[Storage],
    prover: Option<ServerProver>,
) -> Export {
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
        rejects: context
            .rejects
            .map(|most| RejectLimit { most, by_row_id: storages.iter().all(|storage| storage.by_blocks) }),
        verify: prover.map(ServerProver::text_form),
        finished: context.finished.clone(),
        counters: context.counters.clone(),
        cancel: context.cancel.clone(),
    }
}

/// Reads the slices by the export's workers.
pub(crate) async fn read_in_parallel(export: Export, slices: Vec<Slice>) -> Result<Exported> {
    joined(tokio::task::spawn_blocking(move || export.run(slices)).await)
}

/// One valid file for a table without rows, so that its columns are known.
pub(crate) async fn write_empty(export: Export, partition: Option<PartitionValue>) -> Result<Exported> {
    joined(tokio::task::spawn_blocking(move || export.write_empty(partition)).await)
}
