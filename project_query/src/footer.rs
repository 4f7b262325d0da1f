//! The schema that the footers of a table's files agree on.

use std::fs::File;
use std::path::Path;

use arrow::datatypes::{Field, Schema};
use datafusion::parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};

use crate::error::QueryError;
use crate::table_files::TableFile;

/// Reads every footer; files that differ, or are cut short, are an error that names them.
pub(crate) fn common_schema(table: &str, files: &[TableFile]) -> Result<Schema, QueryError> {
    let mut common: Option<(&Path, Vec<Field>)> = None;
    for file in files {
        let fields = fields(table, &file.path)?;
        match &mut common {
            None => common = Some((&file.path, fields)),
            Some((first, known)) => {
                if let Some(difference) = difference(known, &fields) {
                    return Err(QueryError::Disk(format!(
                        "the files of the table \"{table}\" have different schemas: {} {difference}, {} does not; \
                         run the task again so that one run writes all files",
                        file.path.display(),
                        first.display()
                    )));
                }
                for (known, field) in known.iter_mut().zip(&fields) {
                    known.set_nullable(known.is_nullable() || field.is_nullable());
                }
            }
        }
    }
    Ok(Schema::new(common.map(|(_, fields)| fields).unwrap_or_default()))
}

fn fields(table: &str, path: &Path) -> Result<Vec<Field>, QueryError> {
    let broken = |error: &dyn std::fmt::Display| {
        QueryError::Disk(format!(
            "the file {} of the table \"{table}\" is not a complete Parquet file ({error}); run the task again",
            path.display()
        ))
    };
    let file = File::open(path).map_err(|error| {
        QueryError::Disk(format!("the file {} of the table \"{table}\" cannot be opened: {error}", path.display()))
    })?;
    let footer = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).map_err(|error| broken(&error))?;
    let fields = footer.schema().fields().iter();
    Ok(fields.map(|field| Field::new(field.name(), field.data_type().clone(), field.is_nullable())).collect())
}

fn difference(known: &[Field], other: &[Field]) -> Option<String> {
    if known.len() != other.len() {
        return Some(format!("has {} columns", other.len()));
    }
    let (_, differing) = known
        .iter()
        .zip(other)
        .find(|(known, other)| known.name() != other.name() || known.data_type() != other.data_type())?;
    Some(format!("has the column \"{}\" of type {}", differing.name(), differing.data_type()))
}
