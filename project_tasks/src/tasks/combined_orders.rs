//! Orders joined with their user, currency and tax.

use crate::context::{TaskContext, Written};
use crate::data_error::DataError;
use crate::load::{load, load_both};
use crate::source_table::SourceTable;
use crate::task::ProjectTask;
use anyhow::Result;
use diesel::{BoolExpressionMethods, ExpressionMethods, QueryDsl, SelectableHelper};
use project_parquet::{RecordColumn, TypedWriter, record_description};
use project_postgres::DieselConnection;
use project_postgres::value::{Decimal, Timestamp};
use project_schemas::combined_orders::{BuyerRow, CombinedOrder, CurrencyRow, OrderRow, TaxRow};
use project_schemas::money::{Digits, MONEY, RATE};
use project_schemas::tables::{currencies, orders, taxes, users};
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use std::collections::HashMap;

/// Active orders that have a user, with amounts in US dollars and with tax.
#[derive(Debug)]
pub struct CombinedOrders;

impl ProjectTask for CombinedOrders {
    fn name(&self) -> &'static str {
        "combined_orders"
    }

    fn about(&self) -> &'static str {
        "active orders with user, currency and tax; amounts in US dollars and with tax"
    }

    fn reads(&self) -> Vec<SourceTable> {
        vec![
            SourceTable::selected_by::<OrderRow>().filtered_by::<orders::active>(),
            SourceTable::selected_by::<BuyerRow>(),
            SourceTable::selected_by::<CurrencyRow>().filtered_by::<currencies::type_>(),
            SourceTable::selected_by::<TaxRow>(),
        ]
    }

    fn writes(&self) -> Result<Vec<RecordColumn>> {
        record_description::<CombinedOrder>()
    }

    fn run(&self, context: &TaskContext) -> Result<Written> {
        let (orders, join) = load_both(context, load_orders, Join::load)?;
        // Each of them has a user: the query leaves out those that have none.
        let rows_read = orders.len() as u64;
        let records: Vec<CombinedOrder> =
            orders.into_par_iter().filter_map(|order| join.combine(order).transpose()).collect::<Result<_, _>>()?;
        let mut writer = TypedWriter::create(&context.first_file(), &context.writer, context.counters.clone())?;
        writer.extend(records)?;
        Ok(Written::one(writer.finish()?, rows_read))
    }
}

/// A row that an order has at most once.
enum AtMostOne<Row> {
    One(Row),
    Several,
}

fn by_order<Row>(rows: Vec<Row>, order_id: fn(&Row) -> Option<i32>) -> HashMap<i32, AtMostOne<Row>> {
    let mut found = HashMap::with_capacity(rows.len());
    for row in rows {
        let Some(order_id) = order_id(&row) else {
            continue;
        };
        found.entry(order_id).and_modify(|entry| *entry = AtMostOne::Several).or_insert(AtMostOne::One(row));
    }
    found
}

fn load_orders(connection: &mut DieselConnection) -> Result<Vec<OrderRow>> {
    let wanted = orders::active.eq(true).and(orders::user_id.is_not_null());
    let query = orders::table.filter(wanted).select(OrderRow::as_select()).order(orders::id);
    load("public.orders", query, connection)
}

/// The three tables that an order is joined with.
struct Join {
    users: HashMap<i32, BuyerRow>,
    currencies: HashMap<i32, AtMostOne<CurrencyRow>>,
    taxes: HashMap<i32, AtMostOne<TaxRow>>,
}

impl Join {
    fn load(connection: &mut DieselConnection) -> Result<Self> {
        let users: Vec<BuyerRow> = load("public.users", users::table.select(BuyerRow::as_select()), connection)?;
        let of_orders = currencies::table.filter(currencies::type_.eq("Order")).select(CurrencyRow::as_select());
        let currencies = load("public.currencies", of_orders, connection)?;
        let taxes = load("public.taxes", taxes::table.select(TaxRow::as_select()), connection)?;
        Ok(Self {
            users: users.into_iter().map(|user| (user.id, user)).collect(),
            currencies: by_order(currencies, |row: &CurrencyRow| row.type_id),
            taxes: by_order(taxes, |row: &TaxRow| row.order_id),
        })
    }

    /// The record of an order, or none for an order without a user.
    fn combine(&self, order: OrderRow) -> Result<Option<CombinedOrder>, DataError> {
        let order_id = order.id;
        let Some(user_id) = order.user_id else {
            return Ok(None);
        };
        let refuse = |what: &str| DataError(format!("order {order_id}: {what}"));
        let (currency, conversion_rate) = self.currency(order_id)?;
        let tax = self.tax_rate(order_id)?;
        let factor = Decimal::ONE.checked_add(tax).ok_or_else(|| refuse("public.taxes.rate has too many digits"))?;
        let money = |column: &str, factor: Decimal| match order.amount {
            None => Ok(None),
            Some(amount) => fit(column, MONEY, MONEY.round_product(amount, factor), &refuse).map(Some),
        };
        let user = self.users.get(&user_id);
        Ok(Some(CombinedOrder {
            order_id,
            user_id,
            country: user.and_then(|user| user.country.clone()),
            currency,
            conversion_rate: fit("conversion_rate", RATE, RATE.round(conversion_rate), &refuse)?,
            user_email: user.and_then(|user| user.email.clone()),
            amount: money("amount", Decimal::ONE)?,
            amount_usd: money("amount_usd", conversion_rate)?,
            amount_with_tax: money("amount_with_tax", factor)?,
            created_at: order
                .created_at
                .map(Timestamp::to_millis)
                .transpose()
                .map_err(|error| refuse(&format!("public.orders.created_at {error}")))?,
        }))
    }

    /// Currency and rate; dollars at par for an order that names none.
    fn currency(&self, order_id: i32) -> Result<(Option<String>, Decimal), DataError> {
        let refuse = |what: &str| DataError(format!("order {order_id}: {what}"));
        match self.currencies.get(&order_id) {
            None => Ok((Some("USD".to_owned()), Decimal::ONE)),
            Some(AtMostOne::Several) => Err(refuse("public.currencies has several rows for it; keep one")),
            Some(AtMostOne::One(row)) => {
                let rate = row.conversion_rate.ok_or_else(|| refuse("public.currencies.conversion_rate is NULL"))?;
                Ok((row.currency.clone(), rate))
            }
        }
    }

    /// The tax rate; none for an order that names none.
    fn tax_rate(&self, order_id: i32) -> Result<Decimal, DataError> {
        let refuse = |what: &str| DataError(format!("order {order_id}: {what}"));
        match self.taxes.get(&order_id) {
            None => Ok(Decimal::ZERO),
            Some(AtMostOne::Several) => Err(refuse("public.taxes has several rows for it; keep one")),
            Some(AtMostOne::One(row)) => row.rate.ok_or_else(|| refuse("public.taxes.rate is NULL")),
        }
    }
}

fn fit(
    column: &str,
    digits: Digits,
    rounded: Option<i64>,
    refuse: &dyn Fn(&str) -> DataError,
) -> Result<i64, DataError> {
    rounded.ok_or_else(|| refuse(&format!("{column} does not fit {digits}")))
}

#[cfg(test)]
mod tests {
    use super::{AtMostOne, Join, by_order};
    use project_postgres::value::Decimal;
    use project_schemas::combined_orders::{BuyerRow, CombinedOrder, CurrencyRow, OrderRow, TaxRow};
    use std::collections::HashMap;

    fn decimal(unscaled: i128, scale: u32) -> Option<Decimal> {
        Some(Decimal::new(unscaled, scale))
    }

    fn combine(
        amount: Option<Decimal>,
        rates: &[Option<Decimal>],
        taxes: &[Option<Decimal>],
    ) -> Result<CombinedOrder, String> {
        let user = BuyerRow { id: 7, country: Some("DE".into()), email: None };
        let currency = |rate: &Option<Decimal>| CurrencyRow {
            type_id: Some(1),
            currency: Some("EUR".into()),
            conversion_rate: *rate,
        };
        let tax = |rate: &Option<Decimal>| TaxRow { order_id: Some(1), rate: *rate };
        let join = Join {
            users: HashMap::from([(7, user)]),
            currencies: by_order(rates.iter().map(currency).collect(), |row| row.type_id),
            taxes: by_order(taxes.iter().map(tax).collect(), |row| row.order_id),
        };
        let order = OrderRow { id: 1, user_id: Some(7), amount, created_at: None };
        join.combine(order).map(Option::unwrap).map_err(|error| error.to_string())
    }

    #[test]
    fn amounts_are_exact_and_rounded_once() {
        // 10.05 × 1.1 = 11.055 and 10.05 × 1.19 = 11.9595.
        let order = combine(decimal(1005, 2), &[decimal(11, 1)], &[decimal(19, 2)]).unwrap();
        assert_eq!((order.amount, order.amount_usd, order.amount_with_tax), (Some(1005), Some(1106), Some(1196)));
        assert_eq!(order.conversion_rate, 110_000_000);
    }

    #[test]
    fn without_rows_an_order_is_in_dollars_and_untaxed() {
        let order = combine(decimal(5, 0), &[], &[]).unwrap();
        assert_eq!(order.currency.as_deref(), Some("USD"));
        assert_eq!((order.amount_usd, order.amount_with_tax), (Some(500), Some(500)));
    }

    #[test]
    fn a_null_amount_stays_null() {
        let order = combine(None, &[decimal(2, 0)], &[decimal(1, 1)]).unwrap();
        assert_eq!((order.amount, order.amount_usd, order.amount_with_tax), (None, None, None));
    }

    #[test]
    fn ambiguous_missing_and_oversized_figures_name_the_order() {
        let one = decimal(1, 0);
        for (amount, rates, taxes, word) in [
            (one, vec![one, one], vec![], "currencies"),
            (one, vec![], vec![one, one], "taxes"),
            (one, vec![None], vec![], "conversion_rate is NULL"),
            (one, vec![], vec![None], "rate is NULL"),
            (decimal(10i128.pow(16), 0), vec![], vec![], "amount does not fit DECIMAL(18,2)"),
            (decimal(10i128.pow(15), 0), vec![decimal(10, 0)], vec![], "amount_usd does not fit"),
        ] {
            let message = combine(amount, &rates, &taxes).unwrap_err();
            assert!(message.starts_with("order 1: ") && message.contains(word), "{message}");
        }
    }

    #[test]
    fn rows_without_an_order_are_nobodys() {
        let rows = vec![TaxRow { order_id: None, rate: None }, TaxRow { order_id: Some(1), rate: None }];
        let found = by_order(rows, |row| row.order_id);
        assert!(matches!(found.get(&1), Some(AtMostOne::One(_))) && found.len() == 1);
    }
}
