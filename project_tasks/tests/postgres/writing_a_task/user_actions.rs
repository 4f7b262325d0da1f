//! What users did, event by event.

use anyhow::Result;
use futures::future::BoxFuture;
use parquet_derive::ParquetRecordWriter;
use project_parquet::{Logical, Record, RecordColumn, record_description};
use project_postgres::value::{JsonText, Timestamp};
use project_postgres::{RowQuery, TableName};
use project_schemas::expected::source_row;
use project_tasks::{DataError, ProjectStreamTask, SourceTable, TaskContext, Written, export_rows};

source_row! {
    #[derive(Debug)]
    struct EventRow {
        id: i64,
        user_id: Option<i32>,
        kind: Option<String>,
        payload: Option<JsonText>,
        created_at: Option<Timestamp>,
    }
}

/// A row of the lake's `user_actions`.
#[derive(Debug, PartialEq, Eq, ParquetRecordWriter)]
struct UserAction {
    event_id: i64,
    user_id: Option<i32>,
    kind: Option<String>,
    payload: Option<String>,
    created_at: Option<i64>,
}

impl Record for UserAction {
    const LOGICAL: &'static [(&'static str, Logical)] = &[("created_at", Logical::TimestampMillis { utc: true })];
}

/// `public.events`, in one pass.
#[derive(Debug)]
pub struct UserActions;

impl ProjectStreamTask for UserActions {
    fn name(&self) -> &str {
        "user_actions"
    }

    fn about(&self) -> &str {
        "what users did, event by event"
    }

    fn reads(&self) -> Vec<SourceTable> {
        vec![SourceTable::read_into::<EventRow>(table())]
    }

    fn writes(&self) -> Result<Vec<RecordColumn>> {
        record_description::<UserAction>()
    }

    fn run<'a>(&'a self, context: &'a TaskContext) -> BoxFuture<'a, Result<Written>> {
        Box::pin(async {
            let source = SourceTable::read_into::<EventRow>(table());
            export_rows(context, RowQuery::new(table(), &source.read_columns()), record).await
        })
    }
}

fn table() -> TableName {
    TableName::new("public", "events")
}

fn record(row: EventRow) -> Result<UserAction, DataError> {
    let id = row.id;
    let created_at = row.created_at.map(Timestamp::to_millis).transpose();
    Ok(UserAction {
        event_id: id,
        user_id: row.user_id,
        kind: row.kind,
        payload: row.payload.map(|json| json.0),
        created_at: created_at
            .map_err(|error| DataError(format!("public.events: created_at of event {id} {error}")))?,
    })
}
