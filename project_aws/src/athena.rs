//! Running SQL in Athena.

use std::time::Duration;

use aws_sdk_athena::operation::start_query_execution::StartQueryExecutionError;
use aws_sdk_athena::types::{
    QueryExecution, QueryExecutionContext, QueryExecutionState, QueryExecutionStatus, ResultConfiguration,
};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use tokio_util::sync::CancellationToken;

use crate::athena_answer::QueryAnswer;
use crate::classify::{sdk_error, service_code};
use crate::connection::Aws;
use crate::error::{AwsError, AwsErrorKind};
use crate::location::S3Url;
use crate::waiting::{Pace, Stopped, bounded, not_broken_off};

/// A person waits for the answer.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Telling Athena to stop must not keep a stopped program from ending.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// Athena's category of errors that are its own fault.
const SYSTEM_ERROR: i32 = 1;

/// Where and how long a query runs.
#[derive(Debug, Clone)]
pub struct AthenaSettings {
    /// The workgroup; without it Athena's `primary`.
    pub workgroup: Option<String>,
    /// Where Athena keeps results; needed unless the workgroup has a place.
    pub output: Option<S3Url>,
    /// The Glue database in which table names are looked up.
    pub database: String,
    /// The time until the result is ready.
    pub timeout: Duration,
}

impl Aws {
    /// Runs one statement and waits for its result, which is then read page by page. When the wait ends early, Athena is
    /// told to stop: a query that nobody reads still costs money.
    pub async fn query(
        &self,
        settings: &AthenaSettings,
        sql: &str,
        cancel: &CancellationToken,
    ) -> Result<QueryAnswer, AwsError> {
        if cancel.is_cancelled() {
            return Err(AwsError::interrupted("starting the query"));
        }
        // Without the answer nobody knows which query to stop.
        let start = Box::pin(self.start_query(settings, sql));
        let id = not_broken_off(start, cancel).await.ok_or_else(|| AwsError::interrupted("starting the query"))??;
        tracing::debug!(query_id = id, "the query is accepted");
        let finished = Box::pin(self.wait_for_query(&id));
        let stopped = match bounded(finished, settings.timeout, cancel).await {
            Ok(execution) => return QueryAnswer::open(self, execution?, id, cancel).await,
            Err(stopped) => stopped,
        };
        self.stop_query(&id).await;
        Err(match stopped {
            Stopped::Cancelled => AwsError::interrupted(format_args!("waiting for the query {id}")),
            Stopped::DeadlinePassed => AwsError::new(
                AwsErrorKind::Temporary,
                format!(
                    "the query {id} had no result within {} s and was stopped; ask for less, or run it again later",
                    settings.timeout.as_secs_f64()
                ),
            ),
        })
    }

    async fn start_query(&self, settings: &AthenaSettings, sql: &str) -> Result<String, AwsError> {
        let result = settings
            .output
            .as_ref()
            .map(|place| ResultConfiguration::builder().output_location(format!("{place}/")).build());
        // The SDK adds a request token, so a repeated request does not start a second query.
        let answer = self
            .athena
            .start_query_execution()
            .query_string(sql)
            .query_execution_context(QueryExecutionContext::builder().database(&settings.database).build())
            .set_work_group(settings.workgroup.clone())
            .set_result_configuration(result)
            .send()
            .await;
        answer.map_err(|error| refused_start(settings, error))?.query_execution_id.ok_or_else(|| {
            let text = "cannot start the query: Athena gives it no id; run it again";
            AwsError::new(AwsErrorKind::Temporary, text)
        })
    }

    async fn wait_for_query(&self, id: &str) -> Result<QueryExecution, AwsError> {
        let mut pace = Pace::up_to(LONGEST_PAUSE);
        loop {
            let answer = self.athena.get_query_execution().query_execution_id(id).send().await;
            let execution = answer
                .map_err(|error| sdk_error(format_args!("cannot look at the query {id}"), error))?
                .query_execution;
            let status = execution.as_ref().and_then(QueryExecution::status);
            match (status.and_then(QueryExecutionStatus::state), status, &execution) {
                (Some(QueryExecutionState::Succeeded), _, Some(execution)) => {
                    return Ok(execution.clone());
                }
                (Some(QueryExecutionState::Failed), Some(status), _) => {
                    return Err(failed(id, status));
                }
                (Some(QueryExecutionState::Cancelled), Some(status), _) => {
                    return Err(cancelled(id, status));
                }
                _ => pace.pause().await,
            }
        }
    }

    pub(crate) async fn stop_query(&self, id: &str) {
        let stop = self.athena.stop_query_execution().query_execution_id(id).send();
        let why = match tokio::time::timeout(STOP_LIMIT, stop).await {
            Ok(Ok(_)) => return,
            Ok(Err(error)) => sdk_error("cannot stop it", error).to_string(),
            Err(_elapsed) => "no answer in time".to_owned(),
        };
        tracing::warn!(query_id = id, why, "the query may still run in Athena");
    }
}

/// Athena has one code for everything that is wrong with a request; two of these are settings and not SQL.
fn refused_start(settings: &AthenaSettings, error: SdkError<StartQueryExecutionError>) -> AwsError {
    let said = error.message().unwrap_or_default().to_lowercase();
    let invalid = service_code(&error) == Some("InvalidRequestException");
    if invalid && settings.output.is_none() && said.contains("output location") {
        let text = "Athena does not know where to keep the result; \
                    name a folder with --athena-output or PROJECT_ATHENA_OUTPUT (s3://bucket/prefix)";
        return AwsError::new(AwsErrorKind::Configuration, text).caused_by(error);
    }
    if invalid && said.contains("workgroup") {
        let workgroup = settings.workgroup.as_deref().unwrap_or("primary");
        let text = format!(
            "the Athena workgroup {workgroup} cannot be used: {}; correct --athena-workgroup",
            error.message().unwrap_or_default()
        );
        return AwsError::new(AwsErrorKind::Configuration, text).caused_by(error);
    }
    sdk_error("cannot start the query", error)
}

fn failed(id: &str, status: &QueryExecutionStatus) -> AwsError {
    let reason = status.state_change_reason().unwrap_or("Athena gives no reason");
    let may_pass =
        status.athena_error().is_some_and(|error| error.retryable() || error.error_category() == Some(SYSTEM_ERROR));
    let (kind, remedy) = if may_pass {
        (AwsErrorKind::Temporary, "run it again later")
    } else {
        (AwsErrorKind::Data, "correct the SQL, or the data that it names")
    };
    AwsError::new(kind, format!("the query {id} failed: {reason}; {remedy}"))
}

fn cancelled(id: &str, status: &QueryExecutionStatus) -> AwsError {
    let reason = status.state_change_reason().unwrap_or("Athena gives no reason");
    AwsError::new(
        AwsErrorKind::Temporary,
        format!(
            "the query {id} was stopped by somebody else or by a limit of the workgroup: {reason}; \
             run it again, or ask for less"
        ),
    )
}
