//! Rows into structs: a cursor that is asked for a fixed number of rows at a time.

use crate::source::{Source, close};
use crate::source_error::SourceError;
use crate::sql::{TableName, quote_identifier, select};
use futures::TryFutureExt;
use sqlx::postgres::{PgRow, Postgres};
use sqlx::{AssertSqlSafe, Encode, FromRow, PgConnection, QueryBuilder, Type};
use std::marker::PhantomData;
use std::num::NonZeroU32;
use std::sync::Arc;

/// Which rows and columns of a table are read. Values of filters are bound, never written into the text.
pub struct RowQuery {
    table: TableName,
    builder: QueryBuilder<Postgres>,
    filters: usize,
}

impl RowQuery {
    /// All rows of a table, with these columns.
    pub fn new(table: TableName, columns: &[String]) -> Self {
        Self::with_casts(table, columns, &[])
    }

    /// The same, but those that are named in `as_text` as well are read as the server writes them.
    pub fn with_casts(table: TableName, columns: &[String], as_text: &[String]) -> Self {
        let sql = format!("DECLARE project_rows NO SCROLL CURSOR FOR {}", select(columns, as_text, &table));
        Self { table, builder: QueryBuilder::new(sql), filters: 0 }
    }

    /// Keeps the rows whose column compares so with a value; `None` leaves the query as it is.
    #[must_use]
    pub fn filter<T>(mut self, column: &str, comparison: Comparison, value: Option<T>) -> Self
    where
        T: for<'t> Encode<'t, Postgres> + Type<Postgres>,
    {
        if let Some(value) = value {
            let link = if self.filters == 0 { "WHERE" } else { "AND" };
            self.builder.push(format!(" {link} {} {} ", quote_identifier(column), comparison.operator()));
            self.builder.push_bind(value);
            self.filters += 1;
        }
        self
    }

    /// Opens the cursor on a connection of its own.
    pub async fn open<R>(mut self, source: &Source, fetch_size: NonZeroU32) -> Result<RowCursor<R>, SourceError> {
        let doing = format!("cannot read {}", self.table);
        let mut connection = source.connect().await?;
        let opening = self.builder.build().persistent(false).execute(&mut connection);
        let opening = opening.map_err(|error| SourceError::from_sqlx(&doing, &error));
        source.answered(&doing, opening).await?;
        let fetch = format!("FETCH FORWARD {fetch_size} FROM project_rows");
        Ok(RowCursor { connection, source: source.clone(), fetch, doing: doing.into(), rows: PhantomData })
    }
}

impl std::fmt::Debug for RowQuery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowQuery").field("table", &self.table).field("filters", &self.filters).finish_non_exhaustive()
    }
}

/// How a filter compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `>=`
    AtLeast,
    /// `<`
    Below,
}

impl Comparison {
    fn operator(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::AtLeast => ">=",
            Self::Below => "<",
        }
    }
}

/// An open cursor over rows of type `R`.
#[derive(Debug)]
pub struct RowCursor<R> {
    connection: PgConnection,
    source: Source,
    fetch: String,
    doing: Arc<str>,
    rows: PhantomData<fn() -> R>,
}

/// The rows of one request, not decoded yet: that is work for another thread, while the next request is on its way.
#[derive(Debug)]
pub struct RowChunk<R> {
    rows: Vec<PgRow>,
    doing: Arc<str>,
    decoded: PhantomData<fn() -> R>,
}

impl<R> RowCursor<R> {
    /// The next rows, at most as many as one request asks for; none at the end.
    pub async fn next_chunk(&mut self) -> Result<RowChunk<R>, SourceError> {
        let query = sqlx::query(AssertSqlSafe(self.fetch.as_str())).persistent(false);
        let fetching = query.fetch_all(&mut self.connection);
        let fetching = fetching.map_err(|error| SourceError::from_sqlx(&self.doing, &error));
        let rows = self.source.answered(&self.doing, fetching).await?;
        Ok(RowChunk { rows, doing: Arc::clone(&self.doing), decoded: PhantomData })
    }

    /// Ends the session. Dropping it without this ends it as well, less politely.
    pub async fn close(self) {
        close(self.connection).await;
    }
}

impl<R> RowChunk<R> {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether this is the end of the data.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows as structs.
    ///
    /// # Errors
    /// [`SourceError`]; a value that its field cannot hold is named by its column.
    pub fn decode(&self) -> impl Iterator<Item = Result<R, SourceError>> + '_
    where
        R: for<'r> FromRow<'r, PgRow>,
    {
        self.rows.iter().map(|row| R::from_row(row).map_err(|error| SourceError::from_sqlx(&self.doing, &error)))
    }
}
