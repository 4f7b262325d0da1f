//! Products, as they are, with prices as money.

use crate::context::{TaskContext, Written};
use crate::data_error::DataError;
use crate::source_table::SourceTable;
use crate::stream::export_rows;
use crate::task::ProjectStreamTask;
use anyhow::Result;
use futures::future::BoxFuture;
use project_parquet::{RecordColumn, record_description};
use project_postgres::value::Timestamp;
use project_postgres::{Comparison, RowQuery, TableName};
use project_schemas::money::MONEY;
use project_schemas::products::{Product, ProductRow};

/// `public.products`, all of it or what the filters leave.
#[derive(Debug)]
pub struct Products {
    /// Only products that are approved, or only those that are not.
    pub approved: Option<bool>,
    /// Only products with at least this many pieces.
    pub quantity_from: Option<i32>,
}

impl Products {
    /// Every product.
    pub const ALL: Self = Self { approved: None, quantity_from: None };
}

impl ProjectStreamTask for Products {
    fn name(&self) -> &str {
        "products"
    }

    fn about(&self) -> &str {
        "products as they are, prices as DECIMAL(18,2)"
    }

    fn reads(&self) -> Vec<SourceTable> {
        vec![SourceTable::read_into::<ProductRow>(table())]
    }

    fn writes(&self) -> Result<Vec<RecordColumn>> {
        record_description::<Product>()
    }

    fn run<'a>(&'a self, context: &'a TaskContext) -> BoxFuture<'a, Result<Written>> {
        Box::pin(async {
            let query = RowQuery::new(table(), &SourceTable::read_into::<ProductRow>(table()).read_columns())
                .filter("approved", Comparison::Equal, self.approved)
                .filter("quantity", Comparison::AtLeast, self.quantity_from);
            export_rows(context, query, record).await
        })
    }
}

fn table() -> TableName {
    TableName::new("public", "products")
}

fn record(row: ProductRow) -> Result<Product, DataError> {
    let id = row.id;
    let refuse = |column: &str, why: &str| DataError(format!("public.products: {column} of product {id} {why}"));
    let created_at = row.created_at.map(Timestamp::to_millis).transpose();
    let price = row.price.map(|price| MONEY.round(price).ok_or_else(|| refuse("price", "does not fit DECIMAL(18,2)")));
    Ok(Product {
        id,
        name: row.name,
        quantity: row.quantity,
        created_at: created_at.map_err(|error| refuse("created_at", &error.to_string()))?,
        approved: row.approved,
        price: price.transpose()?,
        uuid: row.uuid.map(|uuid| uuid.0),
    })
}
