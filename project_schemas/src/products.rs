//! Products, as they are, with prices as money.

use crate::expected::source_row;
use crate::money::MONEY;
use parquet_derive::ParquetRecordWriter;
use project_parquet::{Logical, Record};
use project_postgres::value::{Decimal, Timestamp, UuidText};

source_row! {
    /// A row of `public.products`.
    #[derive(Debug)]
    pub struct ProductRow {
        /// Key.
        pub id: i32,
        /// Name.
        pub name: Option<String>,
        /// Pieces in stock.
        pub quantity: Option<i32>,
        /// Wall clock of the entry.
        pub created_at: Option<Timestamp>,
        /// Whether it may be sold.
        pub approved: Option<bool>,
        /// Price.
        pub price: Option<Decimal>,
        /// Public key.
        pub uuid: Option<UuidText>,
    }
}

/// A row of the lake's `products`.
#[derive(Debug, Clone, PartialEq, Eq, ParquetRecordWriter)]
pub struct Product {
    /// Key.
    pub id: i32,
    /// Name.
    pub name: Option<String>,
    /// Pieces in stock.
    pub quantity: Option<i32>,
    /// Wall clock of the entry, milliseconds.
    pub created_at: Option<i64>,
    /// Whether it may be sold.
    pub approved: Option<bool>,
    /// Price, hundredths.
    pub price: Option<i64>,
    /// Public key, 36 characters.
    pub uuid: Option<String>,
}

impl Record for Product {
    const LOGICAL: &'static [(&'static str, Logical)] =
        &[("created_at", Logical::TimestampMillis { utc: false }), ("price", MONEY.logical())];
}
