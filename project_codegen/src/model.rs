//! What the code of a task is made of.

use crate::column_kind::ColumnKind;
use crate::header::{Header, HeaderColumn};
use crate::identifiers::{camel_case, diesel_columns, fields};
use crate::kind::Kind;
use project_postgres::TableName;
use project_postgres::catalog::Relation;

/// A table and its task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Model {
    pub(crate) task: String,
    pub(crate) table: TableName,
    pub(crate) kind: Kind,
    pub(crate) columns: Vec<Column>,
    /// Fields of the primary key, in its order.
    pub(crate) primary_key: Vec<String>,
    /// The column that cuts a huge table.
    pub(crate) partition_by: Option<String>,
}

/// A column, and its names in the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    /// In Postgres.
    pub(crate) name: String,
    /// As SQL writes it.
    pub(crate) type_name: String,
    pub(crate) not_null: bool,
    pub(crate) kind: ColumnKind,
    /// In the row and in the record.
    pub(crate) field: String,
    /// In Diesel's `table!`.
    pub(crate) diesel_name: String,
}

impl Model {
    pub(crate) fn of(
        task: String,
        relation: &Relation,
        primary_key: &[String],
        kind: Kind,
        partition_by: Option<String>,
    ) -> Self {
        let names: Vec<&str> = relation.columns.iter().map(|column| column.name.as_str()).collect();
        let fields = fields(&names);
        let diesel_names = diesel_columns(&task, &fields);
        let columns: Vec<Column> = relation
            .columns
            .iter()
            .zip(fields.into_iter().zip(diesel_names))
            .map(|(column, (field, diesel_name))| Column {
                name: column.name.clone(),
                type_name: column.type_name.clone(),
                not_null: column.not_null,
                kind: ColumnKind::of(column),
                field,
                diesel_name,
            })
            .collect();
        let table = relation.name.clone();
        Self { task, table, kind, columns, primary_key: primary_key.to_vec(), partition_by }
    }

    /// The struct of a row.
    pub(crate) fn row(&self) -> String {
        format!("{}Row", camel_case(&self.task))
    }

    /// The struct of a record.
    pub(crate) fn record(&self) -> String {
        format!("{}Record", camel_case(&self.task))
    }

    /// The columns by which Diesel knows a row: the primary key, or the first column of a table without one.
    pub(crate) fn diesel_key(&self) -> Vec<&Column> {
        let key: Vec<&Column> = self.key_columns().collect();
        if key.is_empty() { self.columns.iter().take(1).collect() } else { key }
    }

    /// The columns of the primary key.
    pub(crate) fn key_columns(&self) -> impl Iterator<Item = &Column> {
        self.primary_key.iter().filter_map(|name| self.columns.iter().find(|column| column.name == *name))
    }

    /// What the generated file remembers of the database: for a huge task the column that cuts it and no other.
    pub(crate) fn header(&self) -> Header {
        let huge = self.kind == Kind::Huge;
        let matters = |column: &&Column| !huge || self.partition_by.as_ref() == Some(&column.name);
        let columns = self.columns.iter().filter(matters).map(|column| HeaderColumn {
            name: column.name.clone(),
            type_name: column.type_name.clone(),
            // Rows without a date have a folder of their own.
            not_null: column.not_null && !huge,
        });
        Header {
            task: self.task.clone(),
            table: self.table.clone(),
            kind: self.kind,
            primary_key: if huge { Vec::new() } else { self.primary_key.clone() },
            columns: columns.collect(),
        }
    }
}

impl Column {
    /// The type of a field, as it may be NULL or not.
    pub(crate) fn optional(&self, type_name: &str) -> String {
        if self.not_null { type_name.to_owned() } else { format!("Option<{type_name}>") }
    }
}
