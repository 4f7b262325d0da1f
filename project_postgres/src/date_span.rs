//! Which UTC dates a column holds.

use crate::session::ALLOW_PARALLEL_PLANS;
use crate::source_error::SourceError;
use crate::sql::{Predicate, TableName, quote_identifier};
use sqlx::{AssertSqlSafe, PgConnection, Row};

/// The dates of a column, as far as they can name a partition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DateSpan {
    /// The distinct UTC dates in ascending order, as Postgres writes them.
    pub dates: Vec<String>,
    /// Whether any row has no date.
    pub has_null: bool,
    /// Whether any row has an infinite date.
    pub has_infinity: bool,
}

/// Finds the dates by one pass over the table on the server, of which only the dates travel.
pub async fn date_span_by_scan(
    connection: &mut PgConnection,
    table: &TableName,
    column: &str,
    within: Option<Predicate>,
) -> Result<DateSpan, SourceError> {
    let doing = format!("cannot find the dates in column \"{column}\" of {table}");
    let failed = |error: sqlx::Error| SourceError::from_sqlx(&doing, &error);
    let (column, table) = (quote_identifier(column), table.quoted());
    let filter = within.map_or_else(String::new, |within| format!("WHERE {}", within.condition()));
    let dates = format!(
        "SELECT day::text FROM (SELECT DISTINCT {column}::date AS day FROM {table} {filter}) days ORDER BY day"
    );
    sqlx::raw_sql(ALLOW_PARALLEL_PLANS).execute(&mut *connection).await.map_err(failed)?;
    let rows = sqlx::raw_sql(AssertSqlSafe(dates)).fetch_all(connection).await.map_err(failed)?;
    let mut span = DateSpan::default();
    for row in rows {
        match row.try_get::<Option<String>, _>(0).map_err(failed)? {
            None => span.has_null = true,
            Some(day) if day.ends_with("infinity") => span.has_infinity = true,
            Some(day) => span.dates.push(day),
        }
    }
    Ok(span)
}

/// Finds the dates by hopping from date to date, which takes an index that leads with the column; `within` leaves out
/// rows, and NULL and infinity with them.
///
/// The session runs in UTC, so the cast to `date` is the UTC date for `timestamptz` and the wall date otherwise.
pub async fn date_span(
    connection: &mut PgConnection,
    table: &TableName,
    column: &str,
    within: Option<Predicate>,
) -> Result<DateSpan, SourceError> {
    let doing = format!("cannot find the dates in column \"{column}\" of {table}");
    let failed = |error: sqlx::Error| SourceError::from_sqlx(&doing, &error);
    let (column, table) = (quote_identifier(column), table.quoted());
    let finite = format!("{column} > '-infinity' AND {column} < 'infinity'");
    let wanted =
        within.as_ref().map_or_else(|| finite.clone(), |within| format!("{finite} AND {}", within.condition()));
    let dates = format!(
        "WITH RECURSIVE hop(day) AS (
             SELECT (SELECT min({column})::date FROM {table} WHERE {wanted})
             UNION ALL
             SELECT (SELECT min({column})::date FROM {table} WHERE {wanted} AND {column} >= (hop.day + 1))
             FROM hop WHERE hop.day IS NOT NULL
         ) SELECT day::text FROM hop WHERE day IS NOT NULL"
    );
    let rows = sqlx::raw_sql(AssertSqlSafe(dates)).fetch_all(&mut *connection).await.map_err(failed)?;
    let dates = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>().map_err(failed)?;
    if within.is_some() {
        return Ok(DateSpan { dates, ..DateSpan::default() });
    }
    let odd = format!(
        "SELECT EXISTS (SELECT FROM {table} WHERE {column} IS NULL),
                EXISTS (SELECT FROM {table} WHERE {column} IN ('-infinity', 'infinity'))"
    );
    let row = sqlx::raw_sql(AssertSqlSafe(odd)).fetch_one(connection).await.map_err(failed)?;
    Ok(DateSpan { dates, has_null: row.try_get(0).map_err(failed)?, has_infinity: row.try_get(1).map_err(failed)? })
}
