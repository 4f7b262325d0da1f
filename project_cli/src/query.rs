//! `project query`: the embedded engine on a local lake, Athena on S3; the same printer for both.

use crate::config::{self, QueryConfig};
use crate::output::{Column, ColumnKind, ResultPrinter};
use anyhow::Result;
use project_aws::{Aws, QueryAnswer};
use std::io::{BufWriter, Stdout, stdout};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// This binary has no engine for a lake on the local disk.
#[cfg(not(feature = "local-query"))]
#[derive(Debug, thiserror::Error)]
#[error(
    "this binary was built without the feature local-query and cannot query the folder {0}; use DuckDB, or another build"
)]
pub(crate) struct WithoutEngine(pub(crate) String);

/// Athena's own limit for a query is half an hour; what waits longer in its queue is not worth waiting for.
const ATHENA_TIMEOUT: Duration = Duration::from_secs(40 * 60);

/// Runs the statement and prints its rows to standard output.
pub(crate) async fn query(config: &QueryConfig, cancel: &CancellationToken) -> Result<()> {
    match &config.lake {
        config::Lake::Local(folder) => query_folder(config, folder, cancel).await,
        config::Lake::Athena(athena) => query_athena(config, athena, cancel).await,
    }
}

fn printer(config: &QueryConfig, columns: Vec<Column>) -> ResultPrinter<BufWriter<Stdout>> {
    ResultPrinter::new(config.format, columns, BufWriter::new(stdout()))
}

#[cfg(feature = "local-query")]
async fn query_folder(config: &QueryConfig, folder: &Path, cancel: &CancellationToken) -> Result<()> {
    use project_query::{Lake, Page, QuerySettings};

    // The printer is made when the first page says what the columns are.
    let mut open = None;
    let mut on_page = |page: Page| {
        let columns = || page.columns.iter().map(local_column).collect();
        Ok(open.get_or_insert_with(|| printer(config, columns())).page(page.rows)?)
    };
    let settings = QuerySettings::default();
    Lake::open(folder)?.query(&config.sql, &settings, cancel.cancelled(), &mut on_page).await?;
    open.map_or(Ok(()), |printer| Ok(printer.finish()?))
}

#[cfg(not(feature = "local-query"))]
async fn query_folder(_: &QueryConfig, folder: &Path, _: &CancellationToken) -> Result<()> {
    Err(WithoutEngine(folder.display().to_string()).into())
}

#[cfg(feature = "local-query")]
fn local_column(column: &project_query::Column) -> Column {
    let kind = match column.kind {
        project_query::ColumnKind::Number => ColumnKind::Number,
        project_query::ColumnKind::Boolean => ColumnKind::Boolean,
        project_query::ColumnKind::Text => ColumnKind::Text,
    };
    Column { name: column.name.clone(), kind }
}

/// Runs the statement in Athena.
pub(crate) async fn ask_athena(
    athena: &config::AthenaSettings,
    sql: &str,
    cancel: &CancellationToken,
) -> Result<QueryAnswer> {
    let aws = Aws::connect(&athena.aws).await?;
    let settings = project_aws::AthenaSettings {
        workgroup: Some(athena.workgroup.clone()),
        output: athena.output.as_deref().map(str::parse).transpose()?,
        database: athena.database.clone(),
        timeout: ATHENA_TIMEOUT,
    };
    Ok(aws.query(&settings, sql, cancel).await?)
}

async fn query_athena(config: &QueryConfig, athena: &config::AthenaSettings, cancel: &CancellationToken) -> Result<()> {
    let mut answer = ask_athena(athena, &config.sql, cancel).await?;
    let columns =
        answer.columns().iter().map(|column| Column { name: column.name.clone(), kind: athena_kind(&column.kind) });
    let mut printer = printer(config, columns.collect());
    while let Some(rows) = answer.next_page().await? {
        if printer.page(rows)? == ControlFlow::Break(()) {
            break;
        }
    }
    Ok(printer.finish()?)
}

/// How a value of one of Athena's types is printed.
fn athena_kind(name: &str) -> ColumnKind {
    match name.split('(').next().unwrap_or_default() {
        "boolean" => ColumnKind::Boolean,
        "tinyint" | "smallint" | "integer" | "bigint" | "float" | "real" | "double" | "decimal" => ColumnKind::Number,
        _ => ColumnKind::Text,
    }
}
