//! Any table of the catalog, without a struct.

use crate::blocking::joined;
use crate::context::{TaskContext, Written};
use crate::task::{ProjectStreamTask, SourceTable};
use anyhow::Result;
use futures::future::BoxFuture;
use project_postgres::catalog::{Relation, relation};
use project_postgres::{Export, Slice, SourceError, SourceErrorKind, TableName, TablePlan, lake_name};
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
            let plan = TablePlan::of(&existing(&mut connection, &self.table).await?)?;
            drop(connection);
            read_in_parallel(context, plan, None).await
        })
    }
}

/// The table, as the run's snapshot sees it in the catalog.
pub(crate) async fn existing(connection: &mut PgConnection, table: &TableName) -> Result<Relation, SourceError> {
    let found = relation(connection, table).await?;
    found.ok_or_else(|| SourceError::new(SourceErrorKind::Missing, format!("{table} does not exist any more")))
}

/// Reads the slices, or the whole table, by the context's workers.
pub(crate) async fn read_in_parallel(
    context: &TaskContext,
    plan: TablePlan,
    slices: Option<Vec<Slice>>,
) -> Result<Written> {
    let export = Export {
        source: context.source.clone(),
        plan,
        folder: context.folder.clone(),
        settings: context.writer.clone(),
        workers: context.workers,
        counters: context.counters.clone(),
        cancel: context.cancel.clone(),
    };
    let reading = tokio::task::spawn_blocking(move || {
        let slices = slices.unwrap_or_else(|| export.whole_table());
        export.run(slices)
    });
    joined(reading.await).map(|files| Written { files })
}
