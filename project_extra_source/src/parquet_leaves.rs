//! What Arrow does not tell of the columns of a Parquet file: which ones are timestamps of 96 bits, and which are UUIDs.

use anyhow::{Context, Result};
use arrow_schema::{DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit};
use parquet::basic::{LogicalType, Type as PhysicalType};
use parquet::schema::types::{ColumnDescPtr, ColumnDescriptor, SchemaDescriptor};
use std::slice::Iter;
use std::sync::Arc;

/// How a column of the file that holds values is to be taken; nothing for as it is.
type Change = fn(&ColumnDescriptor, &DataType) -> Option<DataType>;

/// The schema to read with. Timestamps of 96 bits come in nanoseconds, which end in the year 2262; in microseconds they
/// all have a place. Only these can be converted while they are read: of others the reader would change but the name.
pub(crate) fn schema_to_read(schema: &SchemaRef, columns: &SchemaDescriptor) -> Result<SchemaRef> {
    changed_schema(schema, columns, |column, kind| match (column.physical_type(), kind) {
        (PhysicalType::INT96, DataType::Timestamp(_, zone)) => {
            Some(DataType::Timestamp(TimeUnit::Microsecond, zone.clone()))
        }
        _ => None,
    })
}

/// The schema that the lake goes by: a UUID is text there, its bytes are not.
pub(crate) fn schema_of_values(schema: &SchemaRef, columns: &SchemaDescriptor) -> Result<SchemaRef> {
    changed_schema(schema, columns, |column, _| {
        matches!(column.logical_type_ref(), Some(LogicalType::Uuid)).then_some(DataType::Utf8)
    })
}

fn changed_schema(schema: &SchemaRef, columns: &SchemaDescriptor, change: Change) -> Result<SchemaRef> {
    let mut leaves = columns.columns().iter();
    let fields = schema.fields().iter().map(|field| changed_field(field, &mut leaves, change));
    Ok(Arc::new(Schema::new(fields.collect::<Result<Vec<FieldRef>>>()?)))
}

/// Both schemas have their leaves in the same order.
fn changed_field(field: &FieldRef, leaves: &mut Iter<'_, ColumnDescPtr>, change: Change) -> Result<FieldRef> {
    let kind = match field.data_type() {
        DataType::List(element) => DataType::List(changed_field(element, leaves, change)?),
        DataType::Map(entries, sorted) => DataType::Map(changed_field(entries, leaves, change)?, *sorted),
        DataType::Struct(members) => {
            let members = members.iter().map(|member| changed_field(member, leaves, change));
            DataType::Struct(members.collect::<Result<_>>()?)
        }
        kind => {
            let column = leaves.next().context("a column of the file is not in its schema")?;
            change(column, kind).unwrap_or_else(|| kind.clone())
        }
    };
    Ok(Arc::new(Field::clone(field).with_data_type(kind)))
}
