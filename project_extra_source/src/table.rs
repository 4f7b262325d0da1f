//! The table that is being made: texts become values, bad rows are put aside, and the rest is written.

use crate::column_type::ColumnType;
use crate::error::ExtraError;
use crate::part_writer::{PartSettings, PartWriter};
use crate::rejects::{BadLine, Rejects};
use crate::source_file::SourceFile;
use crate::typed_column::typed_column;
use crate::windows::{Record, Window};
use anyhow::Result;
use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, BooleanArray, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow_select::filter::filter_record_batch;
use project_parquet::{ParquetFile, lake_name};
use std::collections::HashMap;
use std::sync::Arc;

/// A column of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// As the source calls it.
    pub name: String,
    /// As the lake does.
    pub lake_name: String,
    /// Its type.
    pub kind: ColumnType,
}

/// The columns by their names in the lake; two that have the same one there are refused.
pub(crate) fn named_columns(
    columns: impl IntoIterator<Item = (String, ColumnType)>,
    of: &SourceFile,
) -> Result<Vec<Column>> {
    let mut seen: HashMap<String, String> = HashMap::new();
    let mut named = Vec::new();
    for (name, kind) in columns {
        let in_lake = lake_name(&name);
        if in_lake.is_empty() {
            return Err(ExtraError::file(of, "a column has no name; name it"));
        }
        if let Some(other) = seen.insert(in_lake.clone(), name.clone()) {
            let what = if other == name {
                format!("two columns are called \"{name}\"; rename one of them")
            } else {
                format!("the columns \"{other}\" and \"{name}\" are both \"{in_lake}\" in the lake; rename one of them")
            };
            return Err(ExtraError::file(of, what));
        }
        named.push(Column { name, lake_name: in_lake, kind });
    }
    Ok(named)
}

/// The rows of a window, as texts or, of nested columns, as values.
pub(crate) struct Rows<'a> {
    pub(crate) window: &'a Window<'a>,
    /// The record of each row.
    pub(crate) records: Vec<&'a Record>,
    /// The columns of the table.
    pub(crate) arrays: Vec<ArrayRef>,
}

/// What is needed to make it.
pub(crate) struct Table {
    columns: Vec<Column>,
    schema: SchemaRef,
    unit: TimeUnit,
    parts: PartWriter,
    pub(crate) rejects: Rejects,
    pub(crate) rows_read: u64,
    /// Timestamps of each column that were cut.
    pub(crate) cut: Vec<u64>,
}

impl Table {
    pub(crate) fn begin(
        columns: Vec<Column>,
        unit: TimeUnit,
        rejects: Rejects,
        parts: impl FnOnce(SchemaRef) -> PartSettings,
    ) -> Result<Self> {
        let field = |column: &Column| Field::new(&column.lake_name, column.kind.arrow_type(unit), true);
        let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<Field>>()));
        let parts = PartWriter::start(parts(Arc::clone(&schema)))?;
        let cut = vec![0; columns.len()];
        Ok(Self { columns, schema, unit, parts, rejects, rows_read: 0, cut })
    }

    /// Takes the rows of a window, and counts and puts aside what could not be read of it.
    pub(crate) fn take(&mut self, file: &SourceFile, rows: Rows<'_>) -> Result<bool> {
        self.rows_read += rows.window.records.len() as u64;
        put_faults(&mut self.rejects, file, rows.window)?;
        // The first column of each row that is bad.
        let mut bad: Vec<Option<usize>> = vec![None; rows.records.len()];
        let mut arrays = Vec::with_capacity(rows.arrays.len());
        for (position, array) in rows.arrays.into_iter().enumerate() {
            let kind = &self.columns[position].kind;
            if *array.data_type() != DataType::Utf8 {
                arrays.push(array);
                continue;
            }
            let typed = typed_column(array.as_string::<i32>(), kind, self.unit)?;
            for row in typed.bad {
                bad[row].get_or_insert(position);
            }
            self.cut[position] += typed.cut;
            arrays.push(typed.values);
        }
        for (row, position) in bad.iter().enumerate() {
            let Some(position) = position else { continue };
            let (column, record) = (&self.columns[*position], rows.records[row]);
            let reason = format!("the value is no {}", column.kind);
            let (line, text) = (record.line, rows.window.text(record));
            self.rejects.put(file, BadLine { line, column: Some(column.name.clone()), text, reason })?;
        }
        if rows.records.is_empty() {
            return Ok(true);
        }
        let mut batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays)?;
        if bad.iter().any(Option::is_some) {
            let good: BooleanArray = bad.iter().map(|bad| Some(bad.is_none())).collect();
            batch = filter_record_batch(&batch, &good)?;
        }
        Ok(self.parts.write(batch))
    }

    /// Ends the files.
    pub(crate) fn finish(self) -> Result<Made> {
        let Self { columns, parts, rejects, rows_read, cut, .. } = self;
        rejects.check_mostly_good(rows_read)?;
        let files = parts.finish()?;
        let rows_rejected = rejects.count();
        Ok(Made { columns, files, rows_read, rows_rejected, rejects: rejects.finish()?, cut })
    }
}

/// A table that is made.
pub(crate) struct Made {
    pub(crate) columns: Vec<Column>,
    pub(crate) files: Vec<ParquetFile>,
    pub(crate) rows_read: u64,
    pub(crate) rows_rejected: u64,
    pub(crate) rejects: Option<ParquetFile>,
    pub(crate) cut: Vec<u64>,
}

/// Puts the records of a window aside that cannot be read.
pub(crate) fn put_faults(rejects: &mut Rejects, file: &SourceFile, window: &Window<'_>) -> Result<()> {
    for record in &window.records {
        if let Some(fault) = &record.fault {
            let (line, text) = (record.line, window.text(record));
            rejects.put(file, BadLine { line, column: fault.column.clone(), text, reason: fault.reason.clone() })?;
        }
    }
    Ok(())
}
