//! What the engine says, as one sentence for the person who wrote the SQL.

use arrow::error::ArrowError;
use datafusion::error::DataFusionError;

use crate::error::QueryError;
use crate::lake::Lake;
use crate::query::{CATALOG, SCHEMA};

/// Sorts an error of the engine by who can mend it and takes the engine's decoration off its text.
pub(crate) fn translate(error: DataFusionError, lake: &Lake) -> QueryError {
    match error {
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => translate(*inner, lake),
        DataFusionError::Collection(errors) => match errors.into_iter().next() {
            Some(first) => translate(first, lake),
            None => QueryError::Internal("the engine failed without a reason".into()),
        },
        DataFusionError::External(inner) => match inner.downcast::<QueryError>() {
            Ok(ours) => *ours,
            Err(other) => QueryError::Internal(sentence(&other.to_string())),
        },
        DataFusionError::Shared(inner) => translate_shared(&inner, lake),
        DataFusionError::ArrowError(inner, _) => translate_arrow(*inner, lake),
        plain => translate_shared(&plain, lake),
    }
}

/// The same for whoever did not ask to see the data: what fails on values is told without the engine's words, which quote
/// them.
pub(crate) fn translate_without_values(error: DataFusionError, lake: &Lake) -> QueryError {
    let quotes_values = match error.find_root() {
        DataFusionError::Execution(_) | DataFusionError::Internal(_) => true,
        DataFusionError::ArrowError(inner, _) => {
            !matches!(**inner, ArrowError::IoError(..) | ArrowError::ParquetError(_) | ArrowError::DivideByZero)
        }
        DataFusionError::External(inner) => !inner.is::<QueryError>(),
        _ => false,
    };
    if quotes_values {
        let message = "the query on the lake fails: a value cannot be converted or computed; `project query` with the \
                       same SQL shows the details";
        return QueryError::Sql(message.to_owned());
    }
    translate(error, lake)
}

/// An error inside one of Arrow may be one of the engine, sent through a stream.
fn translate_arrow(error: ArrowError, lake: &Lake) -> QueryError {
    match error {
        ArrowError::ExternalError(inner) => match inner.downcast::<DataFusionError>() {
            Ok(inner) => translate(*inner, lake),
            Err(other) => QueryError::Internal(sentence(&other.to_string())),
        },
        plain => translate_plain_arrow(&plain, lake),
    }
}

fn translate_plain_arrow(error: &ArrowError, lake: &Lake) -> QueryError {
    match error {
        ArrowError::IoError(message, _) | ArrowError::ParquetError(message) => {
            QueryError::Disk(unreadable(lake, message))
        }
        ArrowError::DivideByZero => QueryError::Sql("the query divides by zero".into()),
        other => QueryError::Sql(sentence(&other.to_string())),
    }
}

fn translate_shared(error: &DataFusionError, lake: &Lake) -> QueryError {
    match error.find_root() {
        DataFusionError::SQL(inner, _) => {
            let message = inner.to_string();
            let message = message.strip_prefix("sql parser error: ").unwrap_or(&message);
            QueryError::Sql(format!("the SQL cannot be read: {}", sentence(message)))
        }
        DataFusionError::Plan(message) => unknown_table(message, lake)
            .or_else(|| not_a_query(message))
            .unwrap_or_else(|| QueryError::Sql(sentence(message))),
        DataFusionError::NotImplemented(message) if message.contains("single SQL statement") => {
            QueryError::Sql("there is more than one SQL statement; send them one at a time".into())
        }
        DataFusionError::NotImplemented(message) => {
            QueryError::Sql(format!("the engine cannot do this: {}", sentence(message)))
        }
        DataFusionError::SchemaError(inner, _) => QueryError::Sql(sentence(&inner.to_string())),
        DataFusionError::Execution(message) | DataFusionError::Configuration(message) => {
            QueryError::Sql(sentence(message))
        }
        DataFusionError::ArrowError(inner, _) => translate_plain_arrow(inner, lake),
        DataFusionError::ResourcesExhausted(message) => QueryError::Memory(format!(
            "the query needs more memory than it may have; read fewer columns or rows, or group by less ({})",
            sentence(message.lines().next().unwrap_or_default())
        )),
        DataFusionError::IoError(inner) => QueryError::Disk(unreadable(lake, &inner.to_string())),
        DataFusionError::ObjectStore(inner) => QueryError::Disk(unreadable(lake, &inner.to_string())),
        DataFusionError::ParquetError(inner) => QueryError::Disk(unreadable(lake, &inner.to_string())),
        // What the planner should have refused: sum() or avg() over text ends here.
        DataFusionError::Internal(message) => QueryError::Sql(format!(
            "the engine cannot run this query: {}; a column may be text where a number is needed, as numeric without \
             precision is: CAST(column AS DECIMAL(18,2))",
            sentence(message.lines().next().unwrap_or_default())
        )),
        other => QueryError::Internal(format!(
            "the query engine failed, which is a fault in it and not in the SQL: {}",
            sentence(&other.strip_backtrace())
        )),
    }
}

/// The planner names a missing table with its catalog: `table 'lake.public.oders' not found`.
fn unknown_table(message: &str, lake: &Lake) -> Option<QueryError> {
    let name = message.strip_prefix("table '")?.strip_suffix("' not found")?;
    let name = name.strip_prefix(&format!("{CATALOG}.")).unwrap_or(name);
    let name = name.strip_prefix(&format!("{SCHEMA}.")).unwrap_or(name);
    Some(lake.no_such_table(name))
}

fn not_a_query(message: &str) -> Option<QueryError> {
    if message.starts_with("No SQL statements") {
        return Some(QueryError::Sql("the SQL is empty; write for example: select * from <table> limit 10".into()));
    }
    let refused =
        ["DDL", "DML", "Statement"].iter().any(|kind| message.starts_with(&format!("{kind} not supported: ")));
    refused.then(|| QueryError::Sql("a lake is only read, and this statement is not a query; write a SELECT".into()))
}

fn unreadable(lake: &Lake, message: &str) -> String {
    format!(
        "a file of the lake {} cannot be read: {}; run the task of its table again",
        lake.root().display(),
        sentence(message)
    )
}

/// One line, no full stop at its end, no name of a Rust type before it.
fn sentence(message: &str) -> String {
    let message = message.split(DataFusionError::BACK_TRACE_SEP).next().unwrap_or_default();
    let joined = message.split_whitespace().collect::<Vec<_>>().join(" ");
    let decorations = [
        "Error during planning: ",
        "Execution error: ",
        "Invalid argument error: ",
        "Cast error: ",
        "Compute error: ",
        "Arithmetic overflow: ",
        "Parquet argument error: ",
        "Parquet error: ",
    ];
    let plain =
        decorations.iter().fold(joined.as_str(), |text, decoration| text.strip_prefix(decoration).unwrap_or(text));
    plain.trim_end_matches('.').to_owned()
}
