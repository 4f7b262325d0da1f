//! Orders with the country of their user, their tax and their total.

use anyhow::Result;
use diesel::{QueryDsl, Queryable, Selectable, SelectableHelper};
use parquet_derive::ParquetRecordWriter;
use project_parquet::{Logical, Record, RecordColumn, TypedWriter, record_description};
use project_postgres::DieselConnection;
use project_postgres::value::{Decimal, Timestamp};
use project_schemas::money::MONEY;
use project_tasks::{DataError, ProjectTask, SourceTable, TaskContext, Written, load, load_both};
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use std::collections::HashMap;

diesel::table! {
    #[allow(missing_docs, reason = "the columns are documented by the database")]
    public.orders (id) {
        id -> Int4,
        user_id -> Nullable<Int4>,
        amount -> Nullable<Numeric>,
        active -> Bool,
        created_at -> Nullable<Timestamp>,
        uuid -> Uuid,
    }
}

diesel::table! {
    #[allow(missing_docs, reason = "the columns are documented by the database")]
    public.users (id) {
        id -> Int4,
        name -> Nullable<Varchar>,
        country -> Nullable<Varchar>,
        created_at -> Nullable<Timestamp>,
        email -> Nullable<Varchar>,
    }
}

diesel::table! {
    #[allow(missing_docs, reason = "the columns are documented by the database")]
    public.taxes (id) {
        id -> Int4,
        order_id -> Nullable<Int4>,
        rate -> Nullable<Numeric>,
    }
}

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = orders)]
struct OrderRow {
    id: i32,
    user_id: Option<i32>,
    amount: Option<Decimal>,
    created_at: Option<Timestamp>,
}

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = users)]
struct UserRow {
    id: i32,
    country: Option<String>,
}

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = taxes)]
struct TaxRow {
    id: i32,
    order_id: Option<i32>,
    rate: Option<Decimal>,
}

/// A row of the lake's `order_totals`: money in hundredths, time in milliseconds.
#[derive(Debug, PartialEq, Eq, ParquetRecordWriter)]
struct OrderTotal {
    order_id: i32,
    country: Option<String>,
    amount: Option<i64>,
    tax: Option<i64>,
    total: Option<i64>,
    created_at: Option<i64>,
}

impl Record for OrderTotal {
    const LOGICAL: &'static [(&'static str, Logical)] = &[
        ("amount", MONEY.logical()),
        ("tax", MONEY.logical()),
        ("total", MONEY.logical()),
        ("created_at", Logical::TimestampMillis { utc: false }),
    ];
}

/// Every order, with the country of its user and with its taxes.
#[derive(Debug)]
pub struct OrderTotals;

impl ProjectTask for OrderTotals {
    fn name(&self) -> &'static str {
        "order_totals"
    }

    fn about(&self) -> &'static str {
        "orders with the country of their user, their tax and their total"
    }

    fn reads(&self) -> Vec<SourceTable> {
        vec![
            SourceTable::selected_by::<OrderRow>(),
            SourceTable::selected_by::<UserRow>(),
            SourceTable::selected_by::<TaxRow>(),
        ]
    }

    fn writes(&self) -> Result<Vec<RecordColumn>> {
        record_description::<OrderTotal>()
    }

    fn run(&self, context: &TaskContext) -> Result<Written> {
        let (orders, join) = load_both(context, load_orders, Join::load)?;
        let rows_read = orders.len() as u64;
        let records: Vec<OrderTotal> =
            orders.into_par_iter().map(|order| join.record(order)).collect::<Result<_, _>>()?;
        let mut writer = TypedWriter::create(&context.first_file(), &context.writer, context.counters.clone())?;
        writer.extend(records)?;
        Ok(Written::one(writer.finish()?, rows_read))
    }
}

fn load_orders(connection: &mut DieselConnection) -> Result<Vec<OrderRow>> {
    load("public.orders", orders::table.select(OrderRow::as_select()).order(orders::id), connection)
}

/// What an order is joined with.
struct Join {
    countries: HashMap<i32, Option<String>>,
    tax_rates: HashMap<i32, Decimal>,
}

impl Join {
    fn load(connection: &mut DieselConnection) -> Result<Self> {
        let users: Vec<UserRow> = load("public.users", users::table.select(UserRow::as_select()), connection)?;
        let taxes = load("public.taxes", taxes::table.select(TaxRow::as_select()), connection)?;
        let countries = users.into_iter().map(|user| (user.id, user.country)).collect();
        Ok(Self { countries, tax_rates: tax_rates(taxes)? })
    }

    fn record(&self, order: OrderRow) -> Result<OrderTotal, DataError> {
        let refuse = |what: &str| DataError(format!("order {}: {what}", order.id));
        let rate = self.tax_rates.get(&order.id).copied().unwrap_or(Decimal::ZERO);
        let (amount, tax, total) = match order.amount.map(|amount| money(amount, rate)) {
            None => (None, None, None),
            Some(Some((amount, tax, total))) => (Some(amount), Some(tax), Some(total)),
            Some(None) => return Err(refuse("amount, tax or total does not fit DECIMAL(18,2)")),
        };
        let created_at = order.created_at.map(Timestamp::to_millis).transpose();
        Ok(OrderTotal {
            order_id: order.id,
            country: order.user_id.and_then(|user| self.countries.get(&user).cloned().flatten()),
            amount,
            tax,
            total,
            created_at: created_at.map_err(|error| refuse(&format!("public.orders.created_at {error}")))?,
        })
    }
}

/// Amount, tax and their sum in hundredths, or nothing when one has too many digits.
fn money(amount: Decimal, rate: Decimal) -> Option<(i64, i64, i64)> {
    let tax = MONEY.round_product(amount, rate)?;
    let amount = MONEY.round(amount)?;
    // The sum of what the other two columns show, so that a reader who adds them up finds it.
    let total = MONEY.round(Decimal::new(i128::from(amount) + i128::from(tax), 2))?;
    Some((amount, tax, total))
}

/// The sum of the rates of each order.
fn tax_rates(taxes: Vec<TaxRow>) -> Result<HashMap<i32, Decimal>, DataError> {
    let mut rates: HashMap<i32, Decimal> = HashMap::new();
    for tax in taxes {
        let refuse = |why: &str| DataError(format!("public.taxes: rate of tax {} {why}", tax.id));
        let Some(order_id) = tax.order_id else {
            continue;
        };
        let rate = tax.rate.ok_or_else(|| refuse("is NULL"))?;
        let sum = rates.entry(order_id).or_default();
        *sum = sum.checked_add(rate).ok_or_else(|| refuse("has too many digits"))?;
    }
    Ok(rates)
}

#[cfg(test)]
mod tests {
    use super::money;
    use project_postgres::value::Decimal;

    #[test]
    fn half_a_cent_goes_away_from_zero() {
        let tenth = Decimal::new(1, 1);
        assert_eq!(money(Decimal::new(35, 2), tenth), Some((35, 4, 39)));
        assert_eq!(money(Decimal::new(-35, 2), tenth), Some((-35, -4, -39)));
        // The same in f64 is a cent short.
        assert_eq!((0.35 * 0.1 * 100.0_f64).round(), 3.0);
    }
}
