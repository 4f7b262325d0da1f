//! The figures of a table, computed by the server in one query.

use crate::session::ALLOW_PARALLEL_PLANS;
use crate::source_error::{SourceError, SourceErrorKind};
use crate::sql::{Predicate, aggregate};
use crate::table_plan::TablePlan;
use crate::verify::canonical_sql::{Canonical, ServerEncoding, canonical};
use project_parquet::proof::{ColumnProof, TableProof, TextForm, hash_text};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row};

/// Hashed by the server and by us before anything is read.
const SAMPLE: &str = "a text of more than twelve bytes";

/// A server that can prove what a table holds.
#[derive(Debug, Clone, Copy)]
pub struct ServerProver {
    encoding: ServerEncoding,
}

impl ServerProver {
    /// Asks the server for its encoding, and whether its hash is ours.
    ///
    /// # Errors
    /// [`SourceError`], also for a server that keeps the high byte of a number first: it hashes in another way.
    pub async fn new(connection: &mut PgConnection) -> Result<Self, SourceError> {
        let failed = |error: sqlx::Error| SourceError::from_sqlx("cannot prepare --verify", &error);
        let sql = format!(
            "SELECT pg_catalog.current_setting('server_encoding'), \
             pg_catalog.hashtextextended('{SAMPLE}' COLLATE pg_catalog.\"C\", 0)"
        );
        let row = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_one(connection).await.map_err(failed)?;
        let encoding: String = row.try_get(0).map_err(failed)?;
        let hash: i64 = row.try_get(1).map_err(failed)?;
        if hash != hash_text(SAMPLE.as_bytes()) {
            let message = "--verify compares hashes, and this server computes them in another way than \
                           x86 and ARM machines do; leave --verify out";
            return Err(SourceError::new(SourceErrorKind::Data, message));
        }
        Ok(Self { encoding: ServerEncoding::of(&encoding) })
    }

    /// How the texts in the files have to be looked at.
    pub fn text_form(self) -> TextForm {
        self.encoding.text_form()
    }

    /// What files should hold of the table: of the rows that the plan, and `rows`, leave.
    ///
    /// # Errors
    /// [`SourceError`] that names the table.
    pub async fn prove(
        self,
        connection: &mut PgConnection,
        plan: &TablePlan,
        rows: Option<&Predicate>,
    ) -> Result<TableProof, SourceError> {
        let doing = format!("cannot compute what --verify compares of {}", plan.table);
        let failed = |error: sqlx::Error| SourceError::from_sqlx(&doing, &error);
        sqlx::raw_sql(ALLOW_PARALLEL_PLANS).execute(&mut *connection).await.map_err(failed)?;
        let sql = self.query(plan, rows);
        // All rows of the answer are asked for: of a query with a limit a server makes no parallel plan.
        let query = sqlx::query(AssertSqlSafe(sql)).persistent(false);
        let answer = query.fetch_all(connection).await.map_err(failed)?;
        let unreadable = || {
            let message = format!("{doing}: the server's answer is not the one that was asked for");
            SourceError::new(SourceErrorKind::Data, message)
        };
        answer.first().and_then(proof).ok_or_else(unreadable)
    }

    fn query(self, plan: &TablePlan, rows: Option<&Predicate>) -> String {
        let columns = plan.columns.iter().map(|column| canonical(column, self.encoding));
        let (values, figures): (Vec<String>, Vec<String>) =
            columns.enumerate().map(|(position, value)| value_and_figures(position, value)).unzip();
        let predicates: Vec<&Predicate> = rows.into_iter().chain(&plan.filter).collect();
        aggregate(&figures, &values, &plan.table, &predicates)
    }
}

/// What stands in the inner query, and what the outer one makes of it.
fn value_and_figures(position: usize, value: Canonical) -> (String, String) {
    let v = format!("v{position}");
    let hash = |text: &str| format!("pg_catalog.hashtextextended({text} COLLATE pg_catalog.\"C\", 0)");
    let (value, min, max, sum, text) = match value {
        Canonical::Number(value) => {
            let of = |figure: &str| format!("pg_catalog.{figure}({v})");
            (value, of("min"), of("max"), of("sum"), format!("{v}::pg_catalog.text"))
        }
        Canonical::Text(value) => {
            let of = |figure: &str| hash(&format!("pg_catalog.{figure}({v})"));
            (format!("({value}) COLLATE pg_catalog.\"C\""), of("min"), of("max"), "NULL".to_owned(), v.clone())
        }
    };
    let figures = [format!("pg_catalog.count({v})"), min, max, sum, format!("pg_catalog.sum({})", hash(&text))];
    let figures = figures.map(|figure| format!("({figure})::pg_catalog.text"));
    (format!("{value} AS {v}"), format!("ARRAY[{}]", figures.join(", ")))
}

/// The answer; nothing when it does not have its shape.
fn proof(row: &PgRow) -> Option<TableProof> {
    let count: i64 = row.try_get(0).ok()?;
    let rows = u64::try_from(count).ok()?;
    let column = |position: usize| {
        let figures: Vec<Option<String>> = row.try_get(position).ok()?;
        let [values, min, max, sum, hash] = <[Option<String>; 5]>::try_from(figures).ok()?;
        let values: u64 = values?.parse().ok()?;
        // A sum over nothing is NULL.
        let hash = hash.map_or(Some(0), |hash| hash.parse().ok())?;
        Some(ColumnProof { nulls: rows.checked_sub(values)?, min, max, sum, hash })
    };
    Some(TableProof { rows, columns: (1..row.len()).map(column).collect::<Option<_>>()? })
}
