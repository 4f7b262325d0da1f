//! `--verify`: what the server says of a table, against what was read back from its finished files.

use crate::context::{TaskContext, Verified, Written};
use crate::data_error::DataError;
use anyhow::Result;
use project_parquet::proof::{TableProof, TableTally};
use project_postgres::{ColumnPlan, Exported, Predicate, ServerProver, SourceError, Stopped, TablePlan, close};
use sqlx::PgConnection;
use std::time::Duration;
use tokio::select;
use tokio::time::timeout;
use tracing::{debug, info};

/// Columns that a message names.
const MOST_NAMED: usize = 10;
/// What ending the server's work may take when the run is stopped.
const CANCEL_DEADLINE: Duration = Duration::from_secs(3);

/// Whoever can say what the files should hold, when that is asked for.
pub(crate) async fn prover(
    context: &TaskContext,
    connection: &mut PgConnection,
) -> Result<Option<ServerProver>, SourceError> {
    if context.verify { ServerProver::new(connection).await.map(Some) } else { Ok(None) }
}

/// What a task has written that copies a table as it is, or of it those `rows`; when it is to be verified, only if the
/// files hold what the table holds in the same snapshot.
pub(crate) async fn finished(
    context: &TaskContext,
    exported: Exported,
    prover: Option<ServerProver>,
    plan: &TablePlan,
    rows: Option<&Predicate>,
) -> Result<Written> {
    let Exported { files, changes, rows: rows_read, tally, rejected_rows, rejects } = exported;
    let mut written = Written { files, changes, rows_read, rejected_rows, rejects, verified: None };
    // What the server says of a column holds for all its rows.
    if let Some(prover) = prover.filter(|_| rejected_rows == 0) {
        info!(table = %plan.table, "the files are compared with the table");
        let tally = tally.unwrap_or_else(|| TableTally::empty(&plan.schema()));
        let expected = select! {
            expected = expected(context, prover, plan, rows) => expected?,
            () = context.cancel.cancelled() => {
                end_statement(context).await;
                return Err(Stopped.into());
            }
        };
        let counted_only = |column: &ColumnPlan| {
            column.replaces_text() && written.changes.iter().any(|change| change.column == column.name)
        };
        written.verified = Some(compare(plan, &expected, &tally.proof(), &counted_only)?);
    }
    Ok(written)
}

async fn expected(
    context: &TaskContext,
    prover: ServerProver,
    plan: &TablePlan,
    rows: Option<&Predicate>,
) -> Result<TableProof, SourceError> {
    let mut connection = context.source.connect().await?;
    let proof = prover.prove(&mut connection, plan, rows).await?;
    close(connection).await;
    Ok(proof)
}

/// A server that has nothing to send does not notice that nobody listens any more.
async fn end_statement(context: &TaskContext) {
    match timeout(CANCEL_DEADLINE, context.source.cancel_statements()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => debug!(%error, "the comparison was not ended at the server"),
        Err(_) => debug!("the comparison was not ended at the server in time"),
    }
}

/// What of the table was found in the files.
///
/// # Errors
/// When anything differs: the message names the columns, and which of their figures.
fn compare(
    plan: &TablePlan,
    expected: &TableProof,
    found: &TableProof,
    counted_only: &dyn Fn(&ColumnPlan) -> bool,
) -> Result<Verified, DataError> {
    let refuse = |what: String| {
        Err(DataError(format!(
            "{}: {what}; nothing of it is published; unless it is a view or a foreign table that answers in another way \
             each time, this is a fault of the program, please report it",
            plan.table
        )))
    };
    if expected.rows != found.rows {
        return refuse(format!("the table has {} rows and its finished files have {}", expected.rows, found.rows));
    }
    if expected.columns.len() != plan.columns.len() || found.columns.len() != plan.columns.len() {
        return refuse("its finished files have other columns than were read".to_owned());
    }
    let mut verified = Verified::default();
    let mut differences = Vec::new();
    for ((column, expected), found) in plan.columns.iter().zip(&expected.columns).zip(&found.columns) {
        let mut differing = expected.differences(found);
        if counted_only(column) {
            differing.retain(|figure| *figure == "null count");
            verified.counted_only.push(column.name.clone());
        } else {
            verified.columns += 1;
        }
        if !differing.is_empty() {
            differences.push(format!("column \"{}\" ({}) in {}", column.name, column.type_name, differing.join(", ")));
        }
    }
    if differences.is_empty() {
        return Ok(verified);
    }
    let more = differences.len().saturating_sub(MOST_NAMED);
    differences.truncate(MOST_NAMED);
    let others = if more > 0 { format!("; and {more} more columns") } else { String::new() };
    refuse(format!("its finished files differ from the table: {}{others}", differences.join("; ")))
}
