//! TPC-H's `lineitem` as a row and a record, for everything that measures the typed path.

use parquet_derive::ParquetRecordWriter;
use project_parquet::{Logical, Record};
use project_postgres::value::{Date, Decimal};
use project_tasks::DataError;
use sqlx::FromRow;

/// A row of `public.lineitem`.
#[derive(Debug, FromRow)]
pub struct LineItemRow {
    l_orderkey: i32,
    l_partkey: i32,
    l_suppkey: i32,
    l_linenumber: i32,
    l_quantity: Decimal,
    l_extendedprice: Decimal,
    l_discount: Decimal,
    l_tax: Decimal,
    l_returnflag: String,
    l_linestatus: String,
    l_shipdate: Date,
    l_commitdate: Date,
    l_receiptdate: Date,
    l_shipinstruct: String,
    l_shipmode: String,
    l_comment: String,
}

/// A row of the Parquet file; money in hundredths, dates in days.
#[derive(Debug, Clone, PartialEq, Eq, ParquetRecordWriter)]
pub struct LineItem {
    l_orderkey: i32,
    l_partkey: i32,
    l_suppkey: i32,
    l_linenumber: i32,
    l_quantity: i64,
    l_extendedprice: i64,
    l_discount: i64,
    l_tax: i64,
    l_returnflag: String,
    l_linestatus: String,
    l_shipdate: i32,
    l_commitdate: i32,
    l_receiptdate: i32,
    l_shipinstruct: String,
    l_shipmode: String,
    l_comment: String,
}

const MONEY: Logical = Logical::Decimal { precision: 15, scale: 2 };

impl Record for LineItem {
    const LOGICAL: &'static [(&'static str, Logical)] = &[
        ("l_quantity", MONEY),
        ("l_extendedprice", MONEY),
        ("l_discount", MONEY),
        ("l_tax", MONEY),
        ("l_shipdate", Logical::Date),
        ("l_commitdate", Logical::Date),
        ("l_receiptdate", Logical::Date),
    ];
}

/// The record of a row.
///
/// # Errors
/// When a date or an amount has no place in the record.
pub fn record(row: LineItemRow) -> Result<LineItem, DataError> {
    let money = |value: Decimal| value.round(15, 2).ok_or_else(|| DataError("an amount does not fit".to_owned()));
    let days = |date: Date| date.to_days().map_err(|error| DataError(format!("a date {error}")));
    Ok(LineItem {
        l_orderkey: row.l_orderkey,
        l_partkey: row.l_partkey,
        l_suppkey: row.l_suppkey,
        l_linenumber: row.l_linenumber,
        l_quantity: money(row.l_quantity)?,
        l_extendedprice: money(row.l_extendedprice)?,
        l_discount: money(row.l_discount)?,
        l_tax: money(row.l_tax)?,
        l_returnflag: row.l_returnflag,
        l_linestatus: row.l_linestatus,
        l_shipdate: days(row.l_shipdate)?,
        l_commitdate: days(row.l_commitdate)?,
        l_receiptdate: days(row.l_receiptdate)?,
        l_shipinstruct: row.l_shipinstruct,
        l_shipmode: row.l_shipmode,
        l_comment: row.l_comment,
    })
}

/// The `number`th of a series of records that looks like TPC-H's, for benchmarks without a database.
pub fn sample(number: i64) -> LineItem {
    let scattered = number.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64).unsigned_abs();
    let pick = |words: &[&str]| words[scattered as usize % words.len()].to_owned();
    let day = 8_035 + (scattered % 2_526) as i32;
    LineItem {
        l_orderkey: (number / 4) as i32,
        l_partkey: (scattered % 200_000) as i32,
        l_suppkey: (scattered % 10_000) as i32,
        l_linenumber: (number % 7) as i32 + 1,
        l_quantity: (scattered % 50 + 1) as i64 * 100,
        l_extendedprice: (scattered % 10_000_000) as i64 + 90_000,
        l_discount: (scattered % 11) as i64,
        l_tax: (scattered % 9) as i64,
        l_returnflag: pick(&["A", "N", "R"]),
        l_linestatus: pick(&["F", "O"]),
        l_shipdate: day,
        l_commitdate: day + 30,
        l_receiptdate: day + (scattered % 30) as i32,
        l_shipinstruct: pick(&["COLLECT COD", "DELIVER IN PERSON", "NONE", "TAKE BACK RETURN"]),
        l_shipmode: pick(&["AIR", "FOB", "MAIL", "RAIL", "REG AIR", "SHIP", "TRUCK"]),
        l_comment: format!("carefully {scattered:x} ironic deposits"),
    }
}
