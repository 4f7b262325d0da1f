//! Which columns of a table are read, how, and what they are called in the lake.

use crate::catalog::{CatalogColumn, Relation};
use crate::catalog_type::CatalogType;
use crate::decoding::Decoding;
use crate::policy::{Arrays, Infinity, InvalidText, NotANumber, Policies, TableOptions};
use crate::source_error::{SourceError, SourceErrorKind};
use crate::sql::{Predicate, TableName, quote_identifier};
use arrow::datatypes::{Field, Schema, SchemaRef};
use project_parquet::lake_name;
use std::collections::HashMap;
use std::sync::Arc;

/// A table that can be read: its columns with their expressions, decoders and Parquet types.
#[derive(Debug, Clone)]
pub struct TablePlan {
    /// Schema and name.
    pub table: TableName,
    /// The columns, in the catalog's order.
    pub columns: Vec<ColumnPlan>,
    /// Which rows are read at all.
    pub filter: Option<Predicate>,
}

/// One column on its way from Postgres to Parquet.
#[derive(Debug, Clone)]
pub struct ColumnPlan {
    /// Name in Postgres.
    pub name: String,
    /// Name in the lake.
    pub lake_name: String,
    /// The type as Postgres writes it.
    pub type_name: String,
    /// The type as the catalog resolves it.
    pub data_type: CatalogType,
    /// How its bytes are read.
    pub decoding: Decoding,
    /// Declared NOT NULL.
    pub not_null: bool,
    /// What happens to values that have no exact place.
    pub policies: Policies,
}

impl ColumnPlan {
    /// Whether NULL may stand in the lake: also where a policy puts it.
    fn is_nullable(&self) -> bool {
        let made_null = match self.decoding {
            Decoding::Date | Decoding::Timestamp { .. } => self.policies.infinity == Infinity::Null,
            Decoding::Decimal { .. } => self.policies.not_a_number == NotANumber::Null,
            _ => false,
        };
        !self.not_null || made_null
    }

    /// The policies that may have changed values, as flags write them, and what they have done to those values.
    pub(crate) fn changed_by(&self) -> (String, String) {
        let policies = &self.policies;
        let (mut names, mut changes): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
        self.decoding.walk(&mut |part| {
            let (name, change) = match part {
                Decoding::Date | Decoding::Timestamp { .. } => match policies.infinity {
                    Infinity::Clamp => ("infinity=clamp", "infinite or out of range, clamped"),
                    Infinity::Null => ("infinity=null", "infinite or out of range, now NULL"),
                    Infinity::Error => return,
                },
                Decoding::Decimal { .. } if policies.not_a_number == NotANumber::Null => {
                    ("nan=null", "NaN or infinite, now NULL")
                }
                Decoding::List(_) if policies.arrays == Arrays::Flatten => {
                    ("arrays=flatten", "arrays of several dimensions or with other subscripts, now plain lists")
                }
                Decoding::Text | Decoding::Jsonb | Decoding::Map | Decoding::CastToText
                    if policies.invalid_text == InvalidText::Replace =>
                {
                    ("invalid-text=replace", "not valid UTF-8, replaced")
                }
                _ => return,
            };
            if !names.contains(&name) {
                names.push(name);
                changes.push(change);
            }
        });
        (names.join(", "), changes.join(", or "))
    }

    /// Whether text in it that is not UTF-8 becomes other text.
    pub fn replaces_text(&self) -> bool {
        let mut has_text = false;
        self.decoding.walk(&mut |part| {
            has_text |= matches!(part, Decoding::Text | Decoding::Jsonb | Decoding::Map | Decoding::CastToText);
        });
        has_text && self.policies.invalid_text == InvalidText::Replace
    }

    fn expression(&self) -> String {
        self.decoding.expression(&quote_identifier(&self.name))
    }
}

impl TablePlan {
    /// Plans the columns of a relation that `options` leave, `default` being the policies of those it says nothing of.
    ///
    /// # Errors
    /// When no column is left, when a column that is named does not exist, or when two of them get the same name in the
    /// lake.
    pub fn of(relation: &Relation, options: &TableOptions, default: Policies) -> Result<Self, SourceError> {
        let table = &relation.name;
        let refuse = |message: String| Err(SourceError::new(SourceErrorKind::Missing, message));
        let named = options.columns.iter().flatten().chain(&options.exclude).chain(options.column_policies.keys());
        for name in named {
            if !relation.columns.iter().any(|column| column.name == *name) {
                return refuse(format!(
                    "{table} has no column \"{name}\", which the file of --config names; correct it there"
                ));
            }
        }
        let wanted = |column: &&CatalogColumn| {
            options.columns.as_ref().is_none_or(|columns| columns.contains(&column.name))
                && !options.exclude.contains(&column.name)
        };
        let wanted: Vec<&CatalogColumn> = relation.columns.iter().filter(wanted).collect();
        if wanted.is_empty() {
            return refuse(format!(
                "{table} has no columns to read, and a Parquet file needs at least one; leave it out"
            ));
        }
        let mut seen: HashMap<String, &str> = HashMap::new();
        for column in &wanted {
            if let Some(other) = seen.insert(lake_name(&column.name), &column.name) {
                let name = &column.name;
                return refuse(format!(
                    "{table}: the columns \"{other}\" and \"{name}\" would have the same name in the lake; rename one, or exclude one in the file of --config"
                ));
            }
        }
        let columns = wanted.into_iter().map(|column| {
            let policies = options.policies_of(&column.name, default);
            ColumnPlan {
                name: column.name.clone(),
                lake_name: lake_name(&column.name),
                type_name: column.type_name.clone(),
                data_type: column.data_type.clone(),
                decoding: Decoding::of(&column.data_type, policies),
                not_null: column.not_null,
                policies,
            }
        });
        let filter = options.filter.clone().map(Predicate::Written);
        Ok(Self { table: table.clone(), columns: columns.collect(), filter })
    }

    /// The Arrow schema of the files.
    pub fn schema(&self) -> SchemaRef {
        let field =
            |column: &ColumnPlan| Field::new(&column.lake_name, column.decoding.arrow_type(), column.is_nullable());
        Arc::new(Schema::new(self.columns.iter().map(field).collect::<Vec<_>>()))
    }

    /// What stands between SELECT and FROM.
    pub(crate) fn expressions(&self) -> Vec<String> {
        self.columns.iter().map(ColumnPlan::expression).collect()
    }

    /// The columns whose values have no natural bound, each with an expression whose length is about what is read.
    pub(crate) fn unbounded_columns(&self) -> Vec<(String, String)> {
        let unbounded = self.columns.iter().filter(|column| column.decoding.is_unbounded());
        let expression = |column: &ColumnPlan| match column.decoding {
            Decoding::Bytes => quote_identifier(&column.name),
            _ => format!("{}::pg_catalog.text", quote_identifier(&column.name)),
        };
        unbounded.map(|column| (column.name.clone(), expression(column))).collect()
    }
}
