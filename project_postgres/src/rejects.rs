//! Rows that hold a value which has no place in the lake, put aside instead of failing their table.
//!
//! The decoder finds them and knows column, reason and where the row lies; key and text of the value come from the
//! server afterwards, in the same snapshot, by a look at just these rows.

use crate::column_builder::ValueError;
use crate::source_error::{SourceError, SourceErrorKind};
use crate::sql::{ColumnOfRows, TableName};
use crate::table_plan::TablePlan;
use anyhow::Result;
use arrow::array::{ArrayRef, BooleanArray};
use arrow::compute::filter;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use std::collections::{BTreeMap, BTreeSet};
use std::mem::take;

/// What may be put aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RejectLimit {
    /// Rows of a table; one more fails it.
    pub most: u64,
    /// Whether the server can find a row again by `tableoid` and `ctid`.
    pub by_row_id: bool,
}

/// A value that has no place in the lake; its row is not in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The row's primary key as a JSON object; nothing without one, or for a view.
    pub key: Option<String>,
    /// The column in Postgres.
    pub column: String,
    /// The value as Postgres writes it, its first characters; nothing for a view.
    pub value: Option<String>,
    /// Why it has no place.
    pub reason: String,
}

/// Characters of a value that are kept.
const MOST_CHARACTERS: usize = 10_000;

/// Where a row lies: `tableoid` and `ctid`, as the server sends them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct RowId {
    table: u32,
    block: u32,
    offset: u16,
}

/// A rejected value of which only the decoder's side is known.
#[derive(Debug)]
pub(crate) struct Found {
    column: usize,
    reason: String,
    row: Option<RowId>,
}

/// What the decoder puts aside.
#[derive(Debug)]
pub(crate) struct Aside {
    by_row_id: bool,
    /// Where each row of the batch lies.
    ids: Vec<RowId>,
    /// Row in the batch, column and reason.
    of_batch: Vec<(usize, usize, String)>,
    found: Vec<Found>,
    /// Rows since the beginning.
    rows: u64,
}

impl Aside {
    pub(crate) fn new(limit: RejectLimit) -> Self {
        Self { by_row_id: limit.by_row_id, ids: Vec::new(), of_batch: Vec::new(), found: Vec::new(), rows: 0 }
    }

    /// Fields that follow those of the columns.
    pub(crate) fn fields(&self) -> usize {
        if self.by_row_id { ROW_ID.len() } else { 0 }
    }

    /// Takes the fields that follow the columns of a row; says whether they are what the server sends for them.
    pub(crate) fn end_row(&mut self, fields: &[&[u8]]) -> bool {
        if !self.by_row_id {
            return fields.is_empty();
        }
        let id = match *fields {
            [[t0, t1, t2, t3], [b0, b1, b2, b3, o0, o1]] => Some(RowId {
                table: u32::from_be_bytes([*t0, *t1, *t2, *t3]),
                block: u32::from_be_bytes([*b0, *b1, *b2, *b3]),
                offset: u16::from_be_bytes([*o0, *o1]),
            }),
            _ => None,
        };
        self.ids.extend(id);
        id.is_some()
    }

    /// Puts a row of the batch aside; says whether the value is one that may be.
    pub(crate) fn take(&mut self, row: usize, column: usize, error: &ValueError) -> bool {
        if let ValueError::Malformed(_) = error {
            return false;
        }
        self.of_batch.push((row, column, error.to_string()));
        true
    }

    /// Leaves the rows that were put aside out of the columns of a batch with so many rows; returns how many are left.
    pub(crate) fn leave_out(&mut self, arrays: &mut [ArrayRef], rows: usize) -> arrow::error::Result<usize> {
        let (ids, of_batch) = (take(&mut self.ids), take(&mut self.of_batch));
        if of_batch.is_empty() {
            return Ok(rows);
        }
        let aside: BTreeSet<usize> = of_batch.iter().map(|(row, ..)| *row).collect();
        let kept: BooleanArray = (0..rows).map(|row| Some(!aside.contains(&row))).collect();
        for array in arrays {
            *array = filter(array, &kept)?;
        }
        let found =
            of_batch.into_iter().map(|(row, column, reason)| Found { column, reason, row: ids.get(row).copied() });
        self.found.extend(found);
        self.rows += aside.len() as u64;
        Ok(rows - aside.len())
    }

    /// Rows that were put aside since the beginning.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// The failure of a table that has more of them than allowed.
    pub(crate) fn too_many(&self, plan: &TablePlan, limit: RejectLimit) -> SourceError {
        let (table, most) = (&plan.table, limit.most);
        let last = self.found.last().map(|found| (&plan.columns[found.column], &found.reason));
        let such_as = last.map(|(column, reason)| {
            format!(", such as one in column \"{}\" ({}) that {reason}", column.name, column.type_name)
        });
        let message = format!(
            "{table}: the lake cannot hold a value of more than {most} rows{}; raise --rejects, or choose a policy for the column",
            such_as.unwrap_or_default()
        );
        SourceError::new(SourceErrorKind::Data, message)
    }

    /// What was put aside since the last call.
    pub(crate) fn found(&mut self) -> Vec<Found> {
        take(&mut self.found)
    }
}

/// The system columns that lead to a row again.
pub(crate) const ROW_ID: [&str; 2] = ["tableoid", "ctid"];

/// Asks for keys and values of what was found in a relation.
pub(crate) async fn look_up(
    connection: &mut PgConnection,
    plan: &TablePlan,
    relation: &TableName,
    found: Vec<Found>,
) -> Result<Vec<Reject>, SourceError> {
    let mut by_column: BTreeMap<usize, Vec<Found>> = BTreeMap::new();
    for found in found {
        by_column.entry(found.column).or_default().push(found);
    }
    let failed = |error: sqlx::Error| {
        SourceError::from_sqlx(&format!("cannot look up the rejected rows of {}", plan.table), &error)
    };
    let mut rejects = Vec::new();
    for (column, found) in by_column {
        let name = &plan.columns[column].name;
        let ids: Vec<RowId> = found.iter().filter_map(|found| found.row).collect();
        let mut known = vec![(None, None); found.len()];
        if ids.len() == found.len() {
            let texts: Vec<String> = ids.iter().map(|id| format!("({},{})", id.block, id.offset)).collect();
            let tables: Vec<i64> = ids.iter().map(|id| i64::from(id.table)).collect();
            let sql = ColumnOfRows { relation, column: name, most_characters: MOST_CHARACTERS }.sql();
            let query = sqlx::query(AssertSqlSafe(sql)).bind(tables).bind(texts).persistent(false);
            for row in query.fetch_all(&mut *connection).await.map_err(failed)? {
                let at: i64 = row.try_get(0).map_err(failed)?;
                let value: Option<Vec<u8>> = row.try_get(2).map_err(failed)?;
                let value = value.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
                let place = usize::try_from(at - 1).ok().and_then(|at| known.get_mut(at));
                if let Some(place) = place {
                    *place = (row.try_get(1).map_err(failed)?, value);
                }
            }
        }
        let reject = |(found, (key, value)): (Found, (Option<String>, Option<String>))| Reject {
            key,
            column: name.clone(),
            value,
            reason: found.reason,
        };
        rejects.extend(found.into_iter().zip(known).map(reject));
    }
    Ok(rejects)
}
