//! A huge table, one folder for each UTC date.

use crate::context::{TaskContext, Written};
use crate::data_error::DataError;
use crate::task::REGISTERED;
use crate::tasks::table::{existing, export, read_in_parallel, write_empty};
use crate::verification::{finished, prover};
use anyhow::Result;
use project_parquet::PartitionValue;
use project_partition_dates::{DateWindow, Partition, PartitionDate};
use project_postgres::catalog::{Relation, Storage, has_leading_index, is_partitioned_by, is_sorted_by, leaves};
use project_postgres::date_span::{DateSpan, date_span, date_span_by_scan};
use project_postgres::{
    Decoding, Exported, OPEN_PARTS, Predicate, Routing, Slice, TableName, TablePlan, close, whole_table,
};
use sqlx::PgConnection;
use std::sync::Arc;
use tracing::info;

/// Days that are worth asking for one by one when nobody knows which of them have rows.
const MOST_BLIND_DAYS: usize = 1000;

/// Writes `<folder>/<key>=<date>/part-*.parquet` for every date that the column holds, and one folder for NULL; within
/// a window only its dates.
///
/// With an index that leads with the column the unit of work is a date; so it is for some days of a table that is
/// partitioned by it. Otherwise whole block ranges are read and their rows sorted into the folders: in one pass when
/// rows lie about in the order of their dates or there are few dates, else in a pass for every so many dates.
pub(crate) async fn export_by_date(
    context: &TaskContext,
    table: TableName,
    column: &str,
    key: &str,
) -> Result<Written> {
    let mut connection = context.source.connect().await?;
    let relation = existing(&mut connection, &table).await?;
    let storages = leaves(&mut connection, &relation).await?;
    let plan = context.choices.plan(&relation, REGISTERED)?;
    let cut = Cut { relation: &relation, column, position: position(&plan, column)?, key, window: context.window };
    let prover = prover(context, &mut connection).await?;
    let mut export = export(context, plan, &storages, prover);
    let passes = match cut.slices_by_date(&mut connection).await? {
        Some(slices) => vec![slices],
        None => {
            export.routing = Some(cut.routing());
            let passes = cut.passes(&mut connection).await?;
            info!(%table, column, passes = passes.len(), "no index leads with the partition column: rows are sorted by date");
            passes.into_iter().map(|rows| slices_of_pass(&storages, context.workers, rows)).collect()
        }
    };
    close(connection).await;
    let mut exported = Exported::default();
    for slices in passes {
        exported.add(read_in_parallel(export.clone(), slices).await?)?;
    }
    if exported.files.is_empty() && context.window.is_none() {
        // No date would be true for it.
        exported.add(write_empty(export.clone(), Some(partition(key, Partition::Null))).await?)?;
    }
    finished(context, exported, prover, &export.plan, cut.bounds().as_ref()).await
}

fn slices_of_pass(storages: &[Storage], workers: usize, rows: Option<Predicate>) -> Vec<Slice> {
    let mut slices = whole_table(storages, workers);
    slices.iter_mut().for_each(|slice| slice.rows.extend(rows.clone()));
    slices
}

/// How a table is cut into partitions.
struct Cut<'a> {
    relation: &'a Relation,
    column: &'a str,
    /// Of the column in the plan.
    position: usize,
    key: &'a str,
    window: Option<DateWindow>,
}

impl Cut<'_> {
    /// A slice for each date, or nothing when finding each date would mean reading the table again and again.
    async fn slices_by_date(&self, connection: &mut PgConnection) -> Result<Option<Vec<Slice>>> {
        if has_leading_index(connection, self.relation, self.column).await? {
            let span = date_span(connection, &self.relation.name, self.column, self.bounds()).await?;
            return self.slices_of_span(&span).map(Some);
        }
        let days = self.window.and_then(|window| window.days(MOST_BLIND_DAYS));
        if let Some(days) = days
            && is_partitioned_by(connection, self.relation, self.column).await?
        {
            return Ok(Some(days.into_iter().map(|day| self.slice_of_day(day)).collect()));
        }
        Ok(None)
    }

    fn slices_of_span(&self, span: &DateSpan) -> Result<Vec<Slice>> {
        let table = &self.relation.name;
        let column = self.column;
        if span.has_infinity {
            let message = format!(
                "{table}: column \"{column}\" holds an infinite value, which belongs to no date; correct the row"
            );
            return Err(DataError(message).into());
        }
        let mut slices = Vec::with_capacity(span.dates.len() + 1);
        for date in &span.dates {
            slices.push(self.slice_of_day(date.parse().map_err(|_| outside(table, column))?));
        }
        if span.has_null {
            let rows = vec![Predicate::Null { column: column.to_owned() }];
            let partition = Some(partition(self.key, Partition::Null));
            slices.push(Slice { relation: table.clone(), rows, partition });
        }
        Ok(slices)
    }

    fn slice_of_day(&self, day: PartitionDate) -> Slice {
        let (from, to) = (Some(day.start()), Some(day.end()));
        Slice {
            relation: self.relation.name.clone(),
            rows: vec![Predicate::Between { column: self.column.to_owned(), from, to }],
            partition: Some(partition(self.key, Partition::Date(day))),
        }
    }

    /// Which rows each pass reads; nothing stands for all of them.
    async fn passes(&self, connection: &mut PgConnection) -> Result<Vec<Option<Predicate>>> {
        let (table, column) = (&self.relation.name, self.column);
        if is_sorted_by(connection, self.relation, column).await? {
            return Ok(vec![self.bounds()]);
        }
        let span = date_span_by_scan(connection, table, column, self.bounds()).await?;
        if span.dates.len() + usize::from(span.has_null) <= OPEN_PARTS || span.has_infinity {
            return Ok(vec![self.bounds()]);
        }
        let days: Vec<PartitionDate> =
            span.dates.iter().map(|day| day.parse()).collect::<Result<_, _>>().map_err(|_| outside(table, column))?;
        let dates = days.chunks(OPEN_PARTS).map(|days| {
            let (from, to) = (days.first().map(|day| day.start()), days.last().map(|day| day.end()));
            Some(Predicate::Between { column: column.to_owned(), from, to })
        });
        let null = span.has_null.then(|| Some(Predicate::Null { column: column.to_owned() }));
        Ok(dates.chain(null).collect())
    }

    fn bounds(&self) -> Option<Predicate> {
        let window = self.window?;
        Some(Predicate::Between { column: self.column.to_owned(), from: window.start(), to: window.end() })
    }

    fn routing(&self) -> Routing {
        let (table, column, key) = (self.relation.name.clone(), self.column.to_owned(), self.key.to_owned());
        let partition = move |day: Option<i32>| {
            let date = day.map(|day| PartitionDate::of_day(day).ok_or_else(|| outside(&table, &column)));
            let value = date.transpose()?.map_or(Partition::Null, Partition::Date);
            Ok(partition(&key, value))
        };
        Routing { column: self.position, partition: Arc::new(partition) }
    }
}

fn partition(key: &str, partition: Partition) -> PartitionValue {
    PartitionValue { key: key.to_owned(), value: partition.value() }
}

fn outside(table: &TableName, column: &str) -> DataError {
    DataError(format!(
        "{table}: column \"{column}\" holds a date outside the years 1 to 9999, which no partition can be named after; correct the row"
    ))
}

/// Where the column stands in the plan.
pub(crate) fn position(plan: &TablePlan, column: &str) -> Result<usize, DataError> {
    let table = &plan.table;
    let found = plan.columns.iter().position(|candidate| candidate.name == column).ok_or_else(|| {
        DataError(format!(
            "{table}: the table is cut by the date of column \"{column}\", so the file of --config must not leave it out"
        ))
    })?;
    match plan.columns[found].decoding {
        Decoding::Date | Decoding::Timestamp { .. } => Ok(found),
        _ => Err(DataError(format!(
            "{table}: the table is cut by the date of column \"{column}\", which must be a date, timestamp or timestamptz; change the column or the task"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::Cut;
    use project_partition_dates::NULL_PARTITION;
    use project_postgres::TableName;
    use project_postgres::catalog::{Relation, RelationKind, Storage};
    use project_postgres::date_span::DateSpan;

    fn relation() -> Relation {
        let name = TableName::new("public", "t");
        let storage = Storage { name: name.clone(), by_blocks: true, bytes: 0, toast_bytes: Some(0), readable: true };
        Relation { name, oid: 1, kind: RelationKind::Single, storage, columns: Vec::new(), lockable: true, view: false }
    }

    fn folders(dates: &[&str], has_null: bool, has_infinity: bool) -> Result<Vec<String>, String> {
        let relation = relation();
        let cut = Cut { relation: &relation, column: "at", position: 0, key: "dt", window: None };
        let dates = dates.iter().map(|date| (*date).to_owned()).collect();
        let slices = cut.slices_of_span(&DateSpan { dates, has_null, has_infinity });
        let slices = slices.map_err(|error| error.to_string())?;
        Ok(slices.into_iter().map(|slice| slice.partition.unwrap().value).collect())
    }

    #[test]
    fn one_folder_for_each_date_and_one_for_null() {
        let dates = ["2026-01-01", "2026-01-03"];
        assert_eq!(folders(&dates, true, false).unwrap(), [dates[0], dates[1], NULL_PARTITION]);
        assert!(folders(&[], false, false).unwrap().is_empty());
    }

    #[test]
    fn what_no_folder_can_hold_is_refused() {
        assert!(folders(&[], false, true).unwrap_err().contains("infinite"));
        assert!(folders(&["0044-03-15 BC"], false, false).unwrap_err().contains("years 1 to 9999"));
        assert!(folders(&["12026-01-01"], false, false).unwrap_err().contains("\"at\""));
    }

    #[test]
    fn rows_are_sorted_by_the_day_of_their_instant() {
        let relation = relation();
        let cut = Cut { relation: &relation, column: "at", position: 0, key: "dt", window: None };
        let folder = |day| (cut.routing().partition)(day).map(|partition| partition.value);
        assert_eq!(folder(Some(0)).unwrap(), "1970-01-01");
        assert_eq!(folder(Some(-1)).unwrap(), "1969-12-31");
        assert_eq!(folder(None).unwrap(), NULL_PARTITION);
        assert!(folder(Some(i32::MAX)).unwrap_err().to_string().contains("years 1 to 9999"));
    }
}
