//! A huge table, one folder for each UTC date.

use crate::context::{TaskContext, Written};
use crate::data_error::DataError;
use crate::tasks::table::{existing, read_in_parallel};
use anyhow::Result;
use project_parquet::PartitionValue;
use project_partition_dates::{Partition, PartitionDate};
use project_postgres::catalog::has_leading_index;
use project_postgres::date_span::{DateSpan, date_span};
use project_postgres::{Predicate, Slice, TableName, TablePlan};
use tracing::warn;

/// Writes `<folder>/<key>=<date>/part-*.parquet` for every date that the column holds, and one folder for NULL.
pub(crate) async fn export(context: &TaskContext, table: TableName, column: &str, key: &str) -> Result<Written> {
    let mut connection = context.source.connect().await?;
    let relation = existing(&mut connection, &table).await?;
    let plan = TablePlan::of(&relation)?;
    let indexed = has_leading_index(&mut connection, &relation, column).await?;
    if !indexed {
        warn!(%table, column, "no index leads with the partition column, so every date scans the whole table");
    }
    let span = date_span(&mut connection, &table, column, indexed).await?;
    drop(connection);
    let slices = slices(&span, &table, column, key)?;
    read_in_parallel(context, plan, Some(slices)).await
}

fn slices(span: &DateSpan, table: &TableName, column: &str, key: &str) -> Result<Vec<Slice>> {
    if span.has_infinity {
        let message =
            format!("{table}: column \"{column}\" holds an infinite value, which belongs to no date; correct the row");
        return Err(DataError(message).into());
    }
    let slice = |partition: Partition, predicate| {
        let partition = PartitionValue { key: key.to_owned(), value: partition.value() };
        Slice { predicate, partition: Some(partition) }
    };
    let mut slices = Vec::with_capacity(span.dates.len() + 1);
    for date in &span.dates {
        let date: PartitionDate = date.parse().map_err(|_| {
            DataError(format!("{table}: column \"{column}\" holds a date outside the years 1 to 9999, which no partition can be named after; correct the row"))
        })?;
        let predicate = Predicate::Between { column: column.to_owned(), from: date.start(), to: date.end() };
        slices.push(slice(Partition::Date(date), predicate));
    }
    // An empty table still gets one valid file, so that its columns are known; no date would be true for it.
    if span.has_null || slices.is_empty() {
        slices.push(slice(Partition::Null, Predicate::Null { column: column.to_owned() }));
    }
    Ok(slices)
}

#[cfg(test)]
mod tests {
    use super::slices;
    use project_postgres::TableName;
    use project_postgres::date_span::DateSpan;

    fn folders(dates: &[&str], has_null: bool, has_infinity: bool) -> Result<Vec<String>, String> {
        let dates = dates.iter().map(|date| (*date).to_owned()).collect();
        let span = DateSpan { dates, has_null, has_infinity };
        let slices = slices(&span, &TableName::new("public", "t"), "at", "dt").map_err(|error| error.to_string())?;
        Ok(slices.into_iter().map(|slice| slice.partition.unwrap().value).collect())
    }

    #[test]
    fn one_folder_for_each_date_and_one_for_null() {
        let expected = ["2026-01-01", "2026-01-03", "__HIVE_DEFAULT_PARTITION__"];
        assert_eq!(folders(&["2026-01-01", "2026-01-03"], true, false).unwrap(), expected);
        assert_eq!(folders(&[], false, false).unwrap(), ["__HIVE_DEFAULT_PARTITION__"]);
    }

    #[test]
    fn what_no_folder_can_hold_is_refused() {
        assert!(folders(&[], false, true).unwrap_err().contains("infinite"));
        assert!(folders(&["0044-03-15 BC"], false, false).unwrap_err().contains("years 1 to 9999"));
        assert!(folders(&["12026-01-01"], false, false).unwrap_err().contains("\"at\""));
    }
}
