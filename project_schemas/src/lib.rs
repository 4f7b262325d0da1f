//! What the data looks like: the Diesel tables, the rows that are read and the records that are written.
//!
//! One module for each task. A row struct holds what comes from Postgres, with values decoded by
//! [`project_postgres::value`]; a record struct holds one Parquet row, money as an `i64` of minor units and time as
//! an `i64` of milliseconds, with the logical types named beside it.

pub mod as_text;
pub mod combined_orders;
pub mod expected;
pub mod generated;
pub mod money;
pub mod no_place;
pub mod products;
pub mod rejects;
pub mod tables;
pub mod users;
