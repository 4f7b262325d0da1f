//! The result of a query, page by page, so that its size does not matter.

use aws_sdk_athena::operation::get_query_results::GetQueryResultsOutput;
use aws_sdk_athena::types::{QueryExecution, ResultSetMetadata, StatementType};
use tokio_util::sync::CancellationToken;

use crate::classify::sdk_error;
use crate::connection::Aws;
use crate::error::AwsError;

/// Athena's limit.
const ROWS_PER_PAGE: i32 = 1_000;

/// One row: a value for each column as Athena writes it, `None` for NULL.
pub type Row = Vec<Option<String>>;

/// A column of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name in the result.
    pub name: String,
    /// Athena's type, such as `varchar` or `decimal`.
    pub kind: String,
}

/// A finished query whose rows are fetched when they are asked for.
#[derive(Debug)]
pub struct QueryAnswer {
    aws: Aws,
    id: String,
    cancel: CancellationToken,
    columns: Vec<Column>,
    scanned_bytes: Option<u64>,
    /// The first page came with the columns.
    fetched: Option<Vec<Row>>,
    next_token: Option<String>,
}

impl QueryAnswer {
    pub(crate) async fn open(
        aws: &Aws,
        execution: QueryExecution,
        id: String,
        cancel: &CancellationToken,
    ) -> Result<Self, AwsError> {
        let statistics = execution.statistics();
        let scanned = statistics.and_then(|statistics| statistics.data_scanned_in_bytes());
        let mut answer = Self {
            aws: aws.clone(),
            id,
            cancel: cancel.clone(),
            columns: Vec::new(),
            scanned_bytes: scanned.and_then(|bytes| u64::try_from(bytes).ok()),
            fetched: None,
            next_token: None,
        };
        let page = answer.fetch().await?;
        answer.columns = columns_of(&page);
        let mut rows = answer.take_rows(page);
        if execution.statement_type() == Some(&StatementType::Dml) {
            drop_header(&answer.columns, &mut rows);
        }
        answer.fetched = Some(rows);
        Ok(answer)
    }

    /// The columns, known before the first row.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// What Athena read, and charges for.
    pub fn scanned_bytes(&self) -> Option<u64> {
        self.scanned_bytes
    }

    /// The next rows, at most 1,000; `None` after the last.
    pub async fn next_page(&mut self) -> Result<Option<Vec<Row>>, AwsError> {
        loop {
            let rows = match self.fetched.take() {
                Some(rows) => rows,
                None if self.next_token.is_none() => return Ok(None),
                None => {
                    let page = self.fetch().await?;
                    self.take_rows(page)
                }
            };
            if !rows.is_empty() {
                return Ok(Some(rows));
            }
        }
    }

    async fn fetch(&self) -> Result<GetQueryResultsOutput, AwsError> {
        let page = self
            .aws
            .athena
            .get_query_results()
            .query_execution_id(&self.id)
            .max_results(ROWS_PER_PAGE)
            .set_next_token(self.next_token.clone())
            .send();
        let task = format!("reading the result of the query {}", self.id);
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(AwsError::interrupted(task)),
            page = Box::pin(page) => page.map_err(|error| sdk_error(format_args!("{task} failed"), error)),
        }
    }

    fn take_rows(&mut self, page: GetQueryResultsOutput) -> Vec<Row> {
        self.next_token = page.next_token;
        let rows = page.result_set.and_then(|result| result.rows).unwrap_or_default();
        let values = |row: aws_sdk_athena::types::Row| row.data.unwrap_or_default();
        rows.into_iter().map(|row| values(row).into_iter().map(|value| value.var_char_value).collect()).collect()
    }
}

fn columns_of(page: &GetQueryResultsOutput) -> Vec<Column> {
    let metadata = page.result_set().and_then(|result| result.result_set_metadata());
    let columns = metadata.map(ResultSetMetadata::column_info).unwrap_or_default();
    columns
        .iter()
        .map(|column| Column {
            name: column.label().unwrap_or(column.name()).to_owned(),
            kind: column.r#type().to_owned(),
        })
        .collect()
}

/// A SELECT's first row repeats the names of its columns; other statements have no such row.
fn drop_header(columns: &[Column], rows: &mut Vec<Row>) {
    let names = columns.iter().map(|column| Some(column.name.as_str()));
    let is_header = rows.first().is_some_and(|row| row.iter().map(Option::as_deref).eq(names));
    if is_header {
        rows.remove(0);
    }
}

#[cfg(test)]
mod tests {
    use super::{Column, Row, drop_header};

    fn row(values: &[&str]) -> Row {
        values.iter().map(|&value| Some(value.to_owned())).collect()
    }

    #[test]
    fn only_the_row_that_repeats_the_names_is_dropped() {
        let columns = ["id", "name"].map(|name| Column { name: name.to_owned(), kind: "varchar".to_owned() });
        let mut rows = vec![row(&["id", "name"]), row(&["id", "name"]), row(&["1", "a"])];
        drop_header(&columns, &mut rows);
        assert_eq!(rows, [row(&["id", "name"]), row(&["1", "a"])]);
        rows.remove(0);
        drop_header(&columns, &mut rows);
        assert_eq!(rows, [row(&["1", "a"])]);
        drop_header(&columns, &mut Vec::new());
    }
}
