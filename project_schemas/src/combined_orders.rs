//! Orders with their user, currency and tax.

use crate::money::{MONEY, RATE};
use crate::tables;
use diesel::{Queryable, Selectable};
use parquet_derive::ParquetRecordWriter;
use project_parquet::{Logical, Record};
use project_postgres::value::{Decimal, Timestamp};

/// What is needed of `public.orders`.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = tables::orders)]
pub struct OrderRow {
    /// Key.
    pub id: i32,
    /// Who ordered.
    pub user_id: Option<i32>,
    /// Amount in the order's currency.
    pub amount: Option<Decimal>,
    /// Wall clock of the order.
    pub created_at: Option<Timestamp>,
}

/// What is needed of `public.users`.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = tables::users)]
pub struct BuyerRow {
    /// Key.
    pub id: i32,
    /// Country code.
    pub country: Option<String>,
    /// Address.
    pub email: Option<String>,
}

/// What is needed of `public.currencies`.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = tables::currencies)]
pub struct CurrencyRow {
    /// The order, where `type` is `Order`.
    pub type_id: Option<i32>,
    /// Currency code.
    pub currency: Option<String>,
    /// US dollars for one unit.
    pub conversion_rate: Option<Decimal>,
}

/// What is needed of `public.taxes`.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = tables::taxes)]
pub struct TaxRow {
    /// The order.
    pub order_id: Option<i32>,
    /// Tax as a fraction of the amount.
    pub rate: Option<Decimal>,
}

/// A row of the lake's `combined_orders`.
#[derive(Debug, Clone, PartialEq, Eq, ParquetRecordWriter)]
pub struct CombinedOrder {
    /// Key of the order.
    pub order_id: i32,
    /// Who ordered.
    pub user_id: i32,
    /// Country of the user, if the user still exists.
    pub country: Option<String>,
    /// Currency code.
    pub currency: Option<String>,
    /// US dollars for one unit, hundred-millionths.
    pub conversion_rate: i64,
    /// Address of the user, if the user still exists.
    pub user_email: Option<String>,
    /// Amount in the order's currency, hundredths.
    pub amount: Option<i64>,
    /// Amount in US dollars, hundredths.
    pub amount_usd: Option<i64>,
    /// Amount with tax in the order's currency, hundredths.
    pub amount_with_tax: Option<i64>,
    /// Wall clock of the order, milliseconds.
    pub created_at: Option<i64>,
}

impl Record for CombinedOrder {
    const LOGICAL: &'static [(&'static str, Logical)] = &[
        ("conversion_rate", RATE.logical()),
        ("amount", MONEY.logical()),
        ("amount_usd", MONEY.logical()),
        ("amount_with_tax", MONEY.logical()),
        ("created_at", Logical::TimestampMillis { utc: false }),
    ];
}
